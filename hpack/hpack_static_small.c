/* Static table of RFC 7541 Appendix A as one string, which is walked through (MOTE_HPACK_SMALL),
 * with the results of hpack_static.c. For each entry it holds the length of its name, the length of
 * its value, and both. Length 0 stands for the name of the entry before. */
#include "hpack_internal.h"

#include <string.h>

#ifdef MOTE_HPACK_SMALL

static const char packed_entries[] = "\012\000:authority"
                                     "\007\003:methodGET"
                                     "\000\004POST"
                                     "\005\001:path/"
                                     "\000\013/index.html"
                                     "\007\004:schemehttp"
                                     "\000\005https"
                                     "\007\003:status200"
                                     "\000\003204"
                                     "\000\003206"
                                     "\000\003304"
                                     "\000\003400"
                                     "\000\003404"
                                     "\000\003500"
                                     "\016\000accept-charset"
                                     "\017\015accept-encodinggzip, deflate"
                                     "\017\000accept-language"
                                     "\015\000accept-ranges"
                                     "\006\000accept"
                                     "\033\000access-control-allow-origin"
                                     "\003\000age"
                                     "\005\000allow"
                                     "\015\000authorization"
                                     "\015\000cache-control"
                                     "\023\000content-disposition"
                                     "\020\000content-encoding"
                                     "\020\000content-language"
                                     "\016\000content-length"
                                     "\020\000content-location"
                                     "\015\000content-range"
                                     "\014\000content-type"
                                     "\006\000cookie"
                                     "\004\000date"
                                     "\004\000etag"
                                     "\006\000expect"
                                     "\007\000expires"
                                     "\004\000from"
                                     "\004\000host"
                                     "\010\000if-match"
                                     "\021\000if-modified-since"
                                     "\015\000if-none-match"
                                     "\010\000if-range"
                                     "\023\000if-unmodified-since"
                                     "\015\000last-modified"
                                     "\004\000link"
                                     "\010\000location"
                                     "\014\000max-forwards"
                                     "\022\000proxy-authenticate"
                                     "\023\000proxy-authorization"
                                     "\005\000range"
                                     "\007\000referer"
                                     "\007\000refresh"
                                     "\013\000retry-after"
                                     "\006\000server"
                                     "\012\000set-cookie"
                                     "\031\000strict-transport-security"
                                     "\021\000transfer-encoding"
                                     "\012\000user-agent"
                                     "\004\000vary"
                                     "\003\000via"
                                     "\020\000www-authenticate";

/* An entry of the table, while one walks through it. */
typedef struct {
    const char *name, *value;
    size_t name_len, value_len;
} static_entry;

/* The entry whose lengths are at `at`, as the one behind *e. */
static void read_entry(static_entry *e, const char *at)
{
    if (at[0] > 0) {
        e->name = at + 2;
        e->name_len = (size_t)at[0];
    }
    e->value = at + 2 + at[0];
    e->value_len = (size_t)at[1];
}

static const char *behind(const static_entry *e)
{
    return e->value + e->value_len;
}

void mote_hpack_static(unsigned index, mote_hpack_field_view *field)
{
    static_entry e = {NULL, NULL, 0, 0};

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
    static_entry e = {NULL, NULL, 0, 0};
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
