/* Static table of RFC 7541 Appendix A as one string, which is walked through (MOTE_HPACK_SMALL),
 * with the results of hpack_static.c. For each entry it holds a byte of two lengths, its name and
 * its value: in the lower five bits that of the name (0: it is the name of the entry before), in
 * the upper three that of the value, where 6 and 7 stand for 11 and 13. */
#include "hpack_internal.h"

#include <string.h>

#ifdef MOTE_HPACK_SMALL

static const char packed_entries[] = "\012:authority"
                                     "\147:methodGET"
                                     "\200POST"
                                     "\045:path/"
                                     "\300/index.html"
                                     "\207:schemehttp"
                                     "\240https"
                                     "\147:status200"
                                     "\140204"
                                     "\140206"
                                     "\140304"
                                     "\140400"
                                     "\140404"
                                     "\140500"
                                     "\016accept-charset"
                                     "\357accept-encodinggzip, deflate"
                                     "\017accept-language"
                                     "\015accept-ranges"
                                     "\006accept"
                                     "\033access-control-allow-origin"
                                     "\003age"
                                     "\005allow"
                                     "\015authorization"
                                     "\015cache-control"
                                     "\023content-disposition"
                                     "\020content-encoding"
                                     "\020content-language"
                                     "\016content-length"
                                     "\020content-location"
                                     "\015content-range"
                                     "\014content-type"
                                     "\006cookie"
                                     "\004date"
                                     "\004etag"
                                     "\006expect"
                                     "\007expires"
                                     "\004from"
                                     "\004host"
                                     "\010if-match"
                                     "\021if-modified-since"
                                     "\015if-none-match"
                                     "\010if-range"
                                     "\023if-unmodified-since"
                                     "\015last-modified"
                                     "\004link"
                                     "\010location"
                                     "\014max-forwards"
                                     "\022proxy-authenticate"
                                     "\023proxy-authorization"
                                     "\005range"
                                     "\007referer"
                                     "\007refresh"
                                     "\013retry-after"
                                     "\006server"
                                     "\012set-cookie"
                                     "\031strict-transport-security"
                                     "\021transfer-encoding"
                                     "\012user-agent"
                                     "\004vary"
                                     "\003via"
                                     "\020www-authenticate";

/* An entry of the table, while one walks through it. */
typedef struct {
    const char *name, *value;
    size_t name_len, value_len;
} static_entry;

/* The entry whose lengths are at `at`, as the one behind *e. */
static void read_entry(static_entry *e, const char *at)
{
    unsigned name_len = (uint8_t)*at & 31u, value_len = (uint8_t)*at >> 5;

    at++;
    if (name_len > 0) {
        e->name = at;
        e->name_len = name_len;
    }
    e->value = at + name_len;
    e->value_len = value_len < 6 ? value_len : 2 * value_len - 1;
}

static const char *behind(const static_entry *e)
{
    return e->value + e->value_len;
}

void mote_hpack_static(unsigned index, mote_hpack_field_view *field)
{
    static_entry e = {0};

    MOTE_CHECK_THAT(index > 0 && index <= MOTE_HPACK_STATIC_COUNT);
    field->name_index = field->full_index = (uint8_t)index;
    field->memo = NULL;
    field->flags = 0;
    for (const char *at = packed_entries; index-- > 0; at = behind(&e))
        read_entry(&e, at);
    field->name = e.name;
    field->name_len = e.name_len;
    field->value = e.value;
    field->value_len = e.value_len;
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

unsigned mote_hpack_static_find(const char *name, size_t name_len, const char *value,
                                size_t value_len, unsigned *full)
{
    static_entry e = {0};
    const char *at = packed_entries;
    unsigned found = 0, whole = 0;

    for (unsigned i = 1; i <= MOTE_HPACK_STATIC_COUNT && !whole; i++, at = behind(&e)) {
        read_entry(&e, at);
        if (!same(e.name, e.name_len, name, name_len))
            continue;
        if (!found)
            found = i;
        if (same(e.value, e.value_len, value, value_len))
            whole = i;
    }
    if (full)
        *full = whole;
    return found;
}

#endif
