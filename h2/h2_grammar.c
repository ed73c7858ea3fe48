/* The texts of a request, each with its grammar: what is taken here may be handed on to others that
 * speak HTTP/1.1, and must not become a line of theirs (RFC 9113 10.3). */
#include "h2_internal.h"

/* Sets of characters, as a bit map of what is printed of ASCII. */
typedef uint32_t set[3];

/* RFC 9110 5.6.2 tchar */
static const set token_chars = {0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
/* The same without upper case (RFC 9113 8.2.1) */
static const set name_chars = {0x03ff6cfa, 0xc0000000, 0x57ffffff};
/* RFC 3986 2.2, 2.3: unreserved and sub-delims; "%", of pct-encoded (2.1); and ":", "[", "]" (3.2)
 */
static const set authority_chars = {0x2fff7ff2, 0xaffffffe, 0x47fffffe};
/* RFC 3986 3.1, behind the first: ALPHA, DIGIT, "+", "-", "." */
static const set scheme_chars = {0x03ff6800, 0x07fffffe, 0x07fffffe};

/* RFC 3986 3.3, 3.4: what is printed, but for blanks and "#" */
static const set path_chars = {0xfffffff6, 0xffffffff, 0x7fffffff};

static bool has(const set of, char ch)
{
    unsigned c = (unsigned)(uint8_t)ch - ' ';

    return c < 96 && (of[c / 32] >> c % 32 & 1);
}

/* Whether all of them are in the set. */
static bool all_in(const set of, const char *s, size_t len)
{
    while (len > 0 && has(of, s[len - 1]))
        len--;
    return len == 0;
}

/* RFC 9110 5.1: field-name = token */
bool mote_h2_is_name(const char *s, size_t len)
{
    return len > 0 && all_in(name_chars, s, len);
}

/* RFC 9110 9.1: method = token */
bool mote_h2_is_method(const char *s, size_t len)
{
    return len > 0 && all_in(token_chars, s, len);
}

/* RFC 3986 3.1: scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) */
bool mote_h2_is_scheme(const char *s, size_t len)
{
    return len > 0 && (s[0] | 32) >= 'a' && (s[0] | 32) <= 'z' && all_in(scheme_chars, s, len);
}

/* RFC 9113 8.3.1: "*", or a path that begins with "/", and a query. Of the characters that RFC 3986
 * 3.3 and 3.4 leave out those are refused that others read as an end (blanks, controls, "#") or in
 * ways of their own (beyond ASCII). */
bool mote_h2_is_path(const char *s, size_t len)
{
    if (len == 1 && s[0] == '*')
        return true;
    return len > 0 && s[0] == '/' && all_in(path_chars, s, len);
}

/* RFC 3986 3.2: authority = host [ ":" port ], without userinfo (RFC 9113 8.3.1); also of Host (RFC
 * 9110 7.2). Only its characters are looked at: gRPC clients with several addresses say all of
 * them, as "192.0.2.1:443,[2001:db8::1]:443". */
bool mote_h2_is_authority(const char *s, size_t len)
{
    return all_in(authority_chars, s, len);
}

/* RFC 9110 8.6: 1*DIGIT */
bool mote_h2_decimal(const char *text, size_t len, uint64_t *value)
{
    uint64_t v = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)text[i] - '0';
        uint64_t next = v * 10 + digit;
        /* beyond 64 bits: below that bound it shows by wrapping */
        if (digit > 9 || v >> 32 >= 0x1c000000 || next < v)
            return false;
        v = next;
    }
    *value = v;
    return len > 0;
}
