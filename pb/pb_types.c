/* Sizes and places of values, and UTF-8. */
#include "pb_internal.h"

#include <string.h>

const uint8_t mote_pb_sizes[19] = {
    [MOTE_PB_DOUBLE] = 8,
    [MOTE_PB_FLOAT] = 4,
    [MOTE_PB_INT64] = 8,
    [MOTE_PB_UINT64] = 8,
    [MOTE_PB_INT32] = 4,
    [MOTE_PB_FIXED64] = 8,
    [MOTE_PB_FIXED32] = 4,
    [MOTE_PB_BOOL] = sizeof(bool),
    [MOTE_PB_TEXT] = sizeof(mote_pb_string),
    [MOTE_PB_GROUP] = sizeof(void *),
    [MOTE_PB_MESSAGE] = sizeof(void *),
    [MOTE_PB_BYTES] = sizeof(mote_pb_bytes),
    [MOTE_PB_UINT32] = 4,
    [MOTE_PB_ENUM_TYPE] = 4,
    [MOTE_PB_SFIXED32] = 4,
    [MOTE_PB_SFIXED64] = 8,
    [MOTE_PB_SINT32] = 4,
    [MOTE_PB_SINT64] = 8,
};

size_t mote_pb_value_offset(unsigned type)
{
    switch (mote_pb_element_size(type)) {
    case sizeof(bool):
        return offsetof(mote_pb_opt_bool, value);
    case 4:
        return offsetof(mote_pb_opt_int32, value);
    case sizeof(mote_pb_bytes):
        if (type == MOTE_PB_TEXT || type == MOTE_PB_BYTES)
            return offsetof(mote_pb_opt_bytes, value);
        return offsetof(mote_pb_opt_int64, value); /* 32 bits: a view is as large as an int64 */
    default:
        return offsetof(mote_pb_opt_int64, value);
    }
}

mote_pb_string mote_pb_cstring(const char *text)
{
    mote_pb_string s = {text, 0};

    while (text[s.len] != '\0')
        s.len++;
    return s;
}

/* Bytes that follow a lead byte; -1: no lead byte. Unicode 15, table 3-7. */
static int follow_count(uint8_t lead)
{
    if (lead < 0xc2)
        return -1;
    if (lead < 0xe0)
        return 1;
    if (lead < 0xf0)
        return 2;
    return lead < 0xf5 ? 3 : -1;
}

/* The second byte excludes overlong forms, surrogates, and what lies above U+10FFFF. */
static bool second_valid(uint8_t lead, uint8_t second)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second < 0xa0;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second < 0x90;
    default:
        return true;
    }
}

bool mote_pb_utf8_valid(const uint8_t *s, size_t len)
{
    size_t i = 0;

    while (i < len) {
        if (len - i >= 8) { /* eight ASCII characters at a time */
            uint64_t word;
            memcpy(&word, s + i, sizeof word);
            if ((word & 0x8080808080808080u) == 0) {
                i += 8;
                continue;
            }
        }
        uint8_t lead = s[i++];
        if (lead < 0x80)
            continue;
        int n = follow_count(lead);
        if (n < 0 || len - i < (size_t)n || !second_valid(lead, s[i]))
            return false;
        for (; n > 0; n--, i++) {
            if ((s[i] & 0xc0) != 0x80)
                return false;
        }
    }
    return true;
}
