/* The words of the text form, and instructions of header blocks as bytes. */
#include "frames_internal.h"

#include <string.h>

const char *const mote_frames_types[FRAME_TYPES] = {
    "DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
    "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};

const char *const mote_frames_codes[FRAME_CODES] = {"NO_ERROR",
                                                    "PROTOCOL_ERROR",
                                                    "INTERNAL_ERROR",
                                                    "FLOW_CONTROL_ERROR",
                                                    "SETTINGS_TIMEOUT",
                                                    "STREAM_CLOSED",
                                                    "FRAME_SIZE_ERROR",
                                                    "REFUSED_STREAM",
                                                    "CANCEL",
                                                    "COMPRESSION_ERROR",
                                                    "CONNECT_ERROR",
                                                    "ENHANCE_YOUR_CALM",
                                                    "INADEQUATE_SECURITY",
                                                    "HTTP_1_1_REQUIRED"};

const frame_word mote_frames_settings[FRAME_SETTINGS] = {
    {"HEADER_TABLE_SIZE", 1},      {"ENABLE_PUSH", 2},    {"MAX_CONCURRENT_STREAMS", 3},
    {"INITIAL_WINDOW_SIZE", 4},    {"MAX_FRAME_SIZE", 5}, {"MAX_HEADER_LIST_SIZE", 6},
    {"ENABLE_CONNECT_PROTOCOL", 8}};

const char *const mote_frames_block_words[BLOCK_SIZE + 1] = {"index", "add", "plain", "never",
                                                             "size"};

const frame_word *mote_frames_flags(uint8_t type)
{
    static const frame_word data[] = {{"END_STREAM", 1}, {"PADDED", 8}, {NULL, 0}},
                            headers[] = {{"END_STREAM", 1},
                                         {"END_HEADERS", 4},
                                         {"PADDED", 8},
                                         {"PRIORITY", 32},
                                         {NULL, 0}},
                            ack[] = {{"ACK", 1}, {NULL, 0}},
                            promise[] = {{"END_HEADERS", 4}, {"PADDED", 8}, {NULL, 0}},
                            more[] = {{"END_HEADERS", 4}, {NULL, 0}}, none[] = {{NULL, 0}};
    static const frame_word *const flags[FRAME_TYPES] = {data,    headers, none, none, ack,
                                                         promise, ack,     none, none, more};

    return type < FRAME_TYPES ? flags[type] : none;
}

size_t mote_frames_integer(uint8_t *out, unsigned bits, uint8_t first, uint32_t value)
{
    uint32_t most = (1u << bits) - 1;
    size_t n = 0;

    if (value < most) {
        out[0] = (uint8_t)(first | value);
        return 1;
    }
    out[n++] = (uint8_t)(first | most);
    for (value -= most; value >= 128; value >>= 7)
        out[n++] = (uint8_t)(value | 128);
    out[n++] = (uint8_t)value;
    return n;
}

static size_t put_string(uint8_t *out, const block_string *s)
{
    size_t n = mote_frames_integer(out, 7, s->huffman ? 128 : 0, (uint32_t)s->len);

    if (s->len > 0)
        memcpy(out + n, s->bytes, s->len);
    return n + s->len;
}

size_t mote_frames_instruction(uint8_t *out, const block_instruction *i)
{
    static const uint8_t first[] = {128, 64, 0, 16, 32}, bits[] = {7, 6, 4, 4, 5};
    size_t n = mote_frames_integer(out, bits[i->kind], first[i->kind], i->number);

    if (i->kind == BLOCK_INDEX || i->kind == BLOCK_SIZE)
        return n;
    if (i->number == 0)
        n += put_string(out + n, &i->name);
    return n + put_string(out + n, &i->value);
}
