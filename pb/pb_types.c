/* Sizes and places of values, and UTF-8. */
#include "pb_internal.h"

#include <string.h>

const mote_pb_type_info mote_pb_types[] = {
#define INFO(name, number, member, wire, kind)                                                     \
    [number] = {sizeof((mote_pb_opt_##member *)0)->value, offsetof(mote_pb_opt_##member, value),   \
                MOTE_PB_##kind},
    MOTE_PB_TYPES(INFO)
#undef INFO
};

mote_pb_string mote_pb_cstring(const char *text)
{
    mote_pb_string s = {text, 0};

    while (text[s.len] != '\0')
        s.len++;
    return s;
}

/* The character of a lead byte that is not ASCII and of the bytes behind it, which *i is moved
 * over. Shorter forms, surrogates and what lies above U+10FFFF are none: Unicode 15, table 3-7. */
static bool character_valid(const uint8_t *s, size_t len, size_t *i)
{
    uint8_t lead = s[(*i)++];
    unsigned n = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3; /* bytes behind it */
    uint32_t c = lead & (0x3fu >> n);

    if (lead < 0xc2 || lead >= 0xf5 || len - *i < n)
        return false;
    for (unsigned k = n; k > 0; k--) {
        uint8_t byte = s[(*i)++];
        if ((byte & 0xc0) != 0x80)
            return false;
        c = c << 6 | (byte & 0x3f);
    }
    return c >> (n == 1 ? 7 : 5 * n + 1) != 0 && c >> 11 != 0x1b && c <= 0x10ffff;
}

bool mote_pb_utf8_valid(const uint8_t *s, size_t len)
{
    size_t i = 0;

    while (i < len) {
        if (MOTE_PB_SHORTCUTS && len - i >= 8 &&
            ((mote_pb_load64(s + i) & 0x8080808080808080u) == 0)) {
            i += 8; /* eight ASCII characters at a time */
        } else if (s[i] < 0x80) {
            i++;
        } else if (!character_valid(s, len, &i)) {
            return false;
        }
    }
    return true;
}
