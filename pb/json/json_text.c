/* What JSON is made of (RFC 8259), as it is read. */
#include "json_internal.h"

char mote_pb_json_peek(mote_pb_json_text *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
        t->p++;
    if (t->p == t->end)
        return '\0';
    return *t->p;
}

int mote_pb_json_expect(mote_pb_json_text *t, char c)
{
    if (mote_pb_json_peek(t) != c || t->p == t->end)
        return MOTE_PB_JSON_ERR_SYNTAX;
    t->p++;
    return 0;
}

int mote_pb_json_word(mote_pb_json_text *t, const char *word)
{
    mote_pb_string s = mote_pb_cstring(word);

    if (mote_pb_json_peek(t) == '\0' || (size_t)(t->end - t->p) < s.len ||
        memcmp(t->p, s.data, s.len) != 0)
        return MOTE_PB_JSON_ERR_SYNTAX;
    t->p += s.len;
    return 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* Whether they are well formed is seen by who reads them: here the characters of one. */
int mote_pb_json_digits(mote_pb_json_text *t, mote_pb_string *s)
{
    mote_pb_json_peek(t);
    s->data = t->p;
    while (t->p < t->end && ((*t->p >= '0' && *t->p <= '9') || *t->p == '-' || *t->p == '+' ||
                             *t->p == '.' || *t->p == 'e' || *t->p == 'E'))
        t->p++;
    s->len = (size_t)(t->p - s->data);
    return s->len > 0 ? 0 : MOTE_PB_JSON_ERR_SYNTAX;
}

/* ---- strings ------------------------------------------------------------------------------- */

static int hex_of(char c)
{
    char small = (char)(c | 0x20);

    if (c >= '0' && c <= '9')
        return c - '0';
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* The four digits behind "\u"; -1: they are none. */
static int32_t read_unit(const char *p, const char *end)
{
    int32_t unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = p < end ? hex_of(*p++) : -1;
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static char *put_character(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    int behind = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3; /* bytes that follow the first */
    *to++ = (char)((0x780 >> behind & 0xff) | c >> 6 * behind);
    while (behind-- > 0)
        *to++ = (char)(0x80 | (c >> 6 * behind & 0x3f));
    return to;
}

/* The character of "\uXXXX", or of a pair of them, whose first X lies at *p. NULL: it is none. */
static char *take_unit(const char **p, const char *end, char *to)
{
    int32_t first = read_unit(*p, end), second;

    if (first < 0 || first >> 10 == 0x37) /* the second of a pair */
        return NULL;
    *p += 4;
    if (first >> 10 != 0x36)
        return put_character(to, (uint32_t)first);
    if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return NULL;
    second = read_unit(*p + 2, end);
    if (second >> 10 != 0x37)
        return NULL;
    *p += 6;
    return put_character(to, 0x10000 + ((uint32_t)(first & 0x3ff) << 10 | (second & 0x3ff)));
}

/* What stands behind a backslash. NULL: nothing may be escaped so. */
static char *take_escape(const char **p, const char *end, char *to)
{
    static const char from[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";

    for (size_t i = 0; i < sizeof from - 1; i++) {
        if (**p == from[i]) {
            ++*p;
            *to++ = meant[i];
            return to;
        }
    }
    if (**p != 'u')
        return NULL;
    ++*p;
    return take_unit(p, end, to);
}

/* The last quote of a string: NULL: there is none, or a control character before it. */
static const char *string_end(const char *p, const char *end, bool *has_escapes)
{
    *has_escapes = false;
    for (; p < end && (uint8_t)*p >= 0x20; p++) {
        if (*p == '"')
            return p;
        if (*p != '\\')
            continue;
        *has_escapes = true;
        if (++p == end || (uint8_t)*p < 0x20)
            return NULL;
    }
    return NULL;
}

/* Into the arena: no character takes more bytes than its escape. */
static int json_unescape(mote_pb_json_text *t, const char *end, mote_pb_string *s)
{
    char *to = mote_pb_json_take(t->arena, (size_t)(end - t->p));

    s->data = to;
    if (!to)
        return MOTE_PB_ERR_ARENA;
    while (t->p < end) {
        if (*t->p != '\\') {
            *to++ = *t->p++;
            continue;
        }
        t->p++;
        to = take_escape(&t->p, end, to);
        if (!to)
            return MOTE_PB_JSON_ERR_SYNTAX;
    }
    s->len = (size_t)(to - s->data);
    return 0;
}

int mote_pb_json_string(mote_pb_json_text *t, mote_pb_string *s)
{
    bool has_escapes;
    int r = mote_pb_json_expect(t, '"');
    const char *end = r == 0 ? string_end(t->p, t->end, &has_escapes) : NULL;

    if (!end)
        return MOTE_PB_JSON_ERR_SYNTAX;
    *s = (mote_pb_string){t->p, (size_t)(end - t->p)};
    if (!mote_pb_utf8_valid((const uint8_t *)s->data, s->len))
        return MOTE_PB_ERR_UTF8;
    r = has_escapes ? json_unescape(t, end, s) : 0;
    if (r == 0)
        t->p = end + 1;
    return r;
}

/* ---- what is skipped ----------------------------------------------------------------------- */

/* A string whose content nobody needs. */
static int skip_string(mote_pb_json_text *t)
{
    char character[4];
    bool has_escapes;
    const char *end = string_end(++t->p, t->end, &has_escapes);

    if (!end)
        return MOTE_PB_JSON_ERR_SYNTAX;
    if (!mote_pb_utf8_valid((const uint8_t *)t->p, (size_t)(end - t->p)))
        return MOTE_PB_ERR_UTF8;
    while (t->p < end) {
        if (*t->p++ == '\\' && !take_escape(&t->p, end, character))
            return MOTE_PB_JSON_ERR_SYNTAX;
    }
    t->p = end + 1;
    return 0;
}

static int skip_scalar(mote_pb_json_text *t, char first)
{
    mote_pb_string digits;

    switch (first) {
    case '"':
        return skip_string(t);
    case 't':
        return mote_pb_json_word(t, "true");
    case 'f':
        return mote_pb_json_word(t, "false");
    case 'n':
        return mote_pb_json_word(t, "null");
    default:
        if (mote_pb_json_digits(t, &digits) < 0 || !mote_pb_json_is_number(digits))
            return MOTE_PB_JSON_ERR_SYNTAX;
        return 0;
    }
}

/* What is open: a bit for each object or array, 1 for an object. */
typedef struct {
    uint32_t objects[(MOTE_PB_DEPTH + 31) / 32];
    unsigned depth;
} json_nest;

static bool is_object(const json_nest *n)
{
    return n->objects[(n->depth - 1) / 32] >> (n->depth - 1) % 32 & 1;
}

static int skip_name(mote_pb_json_text *t)
{
    int r = mote_pb_json_peek(t) == '"' ? skip_string(t) : MOTE_PB_JSON_ERR_SYNTAX;

    return r < 0 ? r : mote_pb_json_expect(t, ':');
}

/* Behind '{' or '[': 0 where a value stands next; 1 behind the end of one that is empty. */
static int skip_open(mote_pb_json_text *t, json_nest *n, bool object)
{
    uint32_t bit = (uint32_t)1 << n->depth % 32;

    if (n->depth == MOTE_PB_DEPTH)
        return MOTE_PB_ERR_DEPTH;
    n->objects[n->depth / 32] &= ~bit;
    n->objects[n->depth / 32] |= object ? bit : 0;
    n->depth++;
    t->p++;
    if (mote_pb_json_peek(t) == (object ? '}' : ']')) {
        t->p++;
        n->depth--;
        return 1;
    }
    return object ? skip_name(t) : 0;
}

/* Behind a value: 0 where another one stands next; 1: nothing is open any more. */
static int skip_behind(mote_pb_json_text *t, json_nest *n)
{
    for (; n->depth > 0; n->depth--) {
        bool object = is_object(n);
        if (mote_pb_json_peek(t) == ',') {
            t->p++;
            return object ? skip_name(t) : 0;
        }
        int r = mote_pb_json_expect(t, object ? '}' : ']');
        if (r < 0)
            return r;
    }
    return 1;
}

int mote_pb_json_skip(mote_pb_json_text *t)
{
    json_nest n = {{0}, 0};
    int r = 0;

    while (r == 0) {
        char first = mote_pb_json_peek(t);
        if (first == '{' || first == '[') {
            r = skip_open(t, &n, first == '{');
            if (r <= 0)
                continue;
        } else {
            r = skip_scalar(t, first);
        }
        if (r >= 0)
            r = skip_behind(t, &n);
    }
    return r < 0 ? r : 0;
}
