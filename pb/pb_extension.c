/* Extensions: fields that a message does not know, and another type does. */
#include "pb_reader.h"

int mote_pb_decode_unknown(const mote_pb_decoder *decoder, void *message,
                           const mote_pb_list_bytes *unknown, mote_pb_arena *arena,
                           mote_pb_where *where)
{
    mote_pb_reader reader = {.arena = arena};
    uint8_t *bytes = NULL;
    size_t len = 0;

    for (size_t i = 0; i < unknown->count; i++) {
        if (unknown->items[i].len > SIZE_MAX - len)
            return MOTE_PB_ERR_ARENA;
        len += unknown->items[i].len;
    }
    if (len > 0) {
        bytes = mote_pb_allocate(&reader, len);
        if (!bytes)
            return MOTE_PB_ERR_ARENA;
    }
    for (size_t i = 0, at = 0; i < unknown->count; at += unknown->items[i++].len) {
        if (bytes && unknown->items[i].len > 0)
            memcpy(bytes + at, unknown->items[i].data, unknown->items[i].len);
    }
    return mote_pb_decode(decoder, message, bytes, len, arena, where);
}
