/* The decoder as boards have it, under other names, beside that of the library. */
#define MOTE_PB_BOARD

#define mote_pb_decode           board_decode
#define mote_pb_read_value       board_read_value
#define mote_pb_read_single      board_read_single
#define mote_pb_read_values      board_read_values
#define mote_pb_read_messages    board_read_messages
#define mote_pb_read_lists       board_read_lists
#define mote_pb_enter            board_enter
#define mote_pb_keep_bytes       board_keep_bytes
#define mote_pb_keep_unknown     board_keep_unknown
#define mote_pb_allocate         board_allocate
#define mote_pb_grow             board_grow
#define mote_pb_proto2           board_proto2
#define mote_pb_skip             board_skip
#define mote_pb_read_key         board_read_key
#define mote_pb_read_len         board_read_len
#define mote_pb_read_varint_slow board_read_varint
#define mote_pb_types            board_types
#define mote_pb_utf8_valid       board_utf8_valid
#define mote_pb_cstring          board_cstring

#include "../../pb/pb_arena.c"
#include "../../pb/pb_decode.c"
#include "../../pb/pb_decode_parts.c"
#include "../../pb/pb_decode_proto2.c"
#include "../../pb/pb_types.c"
#include "../../pb/pb_wire.c"

const mote_pb_decoder *board_decoder(const mote_pb_decoder *library);

/* The same parts as those of a decoder of the library. */
const mote_pb_decoder *board_decoder(const mote_pb_decoder *library)
{
    static mote_pb_decoder board;

    board = (mote_pb_decoder)MOTE_PB_DECODER(library->type);
    if (!library->unknown)
        board.unknown = NULL;
    if (!library->strict)
        board.strict = NULL;
    return &board;
}
