/* Static table of RFC 7541 Appendix A. */
#include "hpack_internal.h"

#include <string.h>

#ifndef MOTE_HPACK_SMALL

typedef struct {
    const char *name;
    const char *value;
    uint8_t name_len;
    uint8_t value_len;
} static_entry;

#define E(name, value)                                                                             \
    {                                                                                              \
        name, value, sizeof(name) - 1, sizeof(value) - 1                                           \
    }
static const static_entry static_entries[MOTE_HPACK_STATIC_COUNT] = {
    E(":authority", ""),
    E(":method", "GET"),
    E(":method", "POST"),
    E(":path", "/"),
    E(":path", "/index.html"),
    E(":scheme", "http"),
    E(":scheme", "https"),
    E(":status", "200"),
    E(":status", "204"),
    E(":status", "206"),
    E(":status", "304"),
    E(":status", "400"),
    E(":status", "404"),
    E(":status", "500"),
    E("accept-charset", ""),
    E("accept-encoding", "gzip, deflate"),
    E("accept-language", ""),
    E("accept-ranges", ""),
    E("accept", ""),
    E("access-control-allow-origin", ""),
    E("age", ""),
    E("allow", ""),
    E("authorization", ""),
    E("cache-control", ""),
    E("content-disposition", ""),
    E("content-encoding", ""),
    E("content-language", ""),
    E("content-length", ""),
    E("content-location", ""),
    E("content-range", ""),
    E("content-type", ""),
    E("cookie", ""),
    E("date", ""),
    E("etag", ""),
    E("expect", ""),
    E("expires", ""),
    E("from", ""),
    E("host", ""),
    E("if-match", ""),
    E("if-modified-since", ""),
    E("if-none-match", ""),
    E("if-range", ""),
    E("if-unmodified-since", ""),
    E("last-modified", ""),
    E("link", ""),
    E("location", ""),
    E("max-forwards", ""),
    E("proxy-authenticate", ""),
    E("proxy-authorization", ""),
    E("range", ""),
    E("referer", ""),
    E("refresh", ""),
    E("retry-after", ""),
    E("server", ""),
    E("set-cookie", ""),
    E("strict-transport-security", ""),
    E("transfer-encoding", ""),
    E("user-agent", ""),
    E("vary", ""),
    E("via", ""),
    E("www-authenticate", ""),
};
#undef E

void mote_hpack_static(unsigned index, mote_hpack_field_view *field)
{
    MOTE_CHECK_THAT(index > 0 && index <= MOTE_HPACK_STATIC_COUNT);
    const static_entry *e = &static_entries[index - 1];

    field->memo = NULL;
    field->flags = 0;
    field->name = e->name;
    field->name_len = e->name_len;
    field->value = e->value;
    field->value_len = e->value_len;
    field->name_index = field->full_index = (uint8_t)index;
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

unsigned mote_hpack_static_find(const char *name, size_t name_len, const char *value,
                                size_t value_len, unsigned *full)
{
    unsigned found = 0, whole = 0;

    for (unsigned i = 1; i <= MOTE_HPACK_STATIC_COUNT && !whole; i++) {
        const static_entry *e = &static_entries[i - 1];
        if (!same(e->name, e->name_len, name, name_len)) {
            if (found) /* entries of one name are neighbours */
                break;
            continue;
        }
        if (!found)
            found = i;
        if (same(e->value, e->value_len, value, value_len))
            whole = i;
    }
    if (full)
        *full = whole;
    return found;
}

#endif
