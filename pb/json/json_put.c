/* Values of JSON that is written. */
#include "json_write_internal.h"

/* ---- strings ------------------------------------------------------------------------------- */

/* What stands for a byte that does not stand for itself, in `escape`; 0: it does. Besides what RFC
 * 8259 asks for, a page may have the text inside of a script. */
static size_t escape_of(uint8_t c, char escape[6])
{
    static const char letters[] = "btn\0fr"; /* 8 to 13; 11 has none */

    if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != 0x7f)
        return 0;
    escape[0] = '\\';
    escape[1] = (char)c;
    if (c == '"' || c == '\\')
        return 2;
    escape[1] = 'u';
    if (c >= 8 && c <= 13 && c != 11) {
        escape[1] = letters[c - 8];
        return 2;
    }
    escape[2] = escape[3] = '0';
    escape[4] = "0123456789abcdef"[c >> 4];
    escape[5] = "0123456789abcdef"[c & 15];
    return 6;
}

int mote_pb_json_put_escaped(const mote_pb_json_out *out, mote_pb_string s)
{
    size_t from = 0, n;
    char escape[6];

    if (s.len > 0 && !mote_pb_utf8_valid((const uint8_t *)s.data, s.len))
        return MOTE_PB_ERR_UTF8;
    for (size_t i = 0; i < s.len; i++) {
        if ((n = escape_of((uint8_t)s.data[i], escape)) == 0)
            continue;
        if (i > from)
            out->sink(out->context, s.data + from, i - from);
        out->sink(out->context, escape, n);
        from = i + 1;
    }
    if (s.len > from)
        out->sink(out->context, s.data + from, s.len - from);
    return 0;
}

int mote_pb_json_put_string(const mote_pb_json_out *out, mote_pb_string s)
{
    mote_pb_json_put(out, "\"");
    int r = mote_pb_json_put_escaped(out, s);
    mote_pb_json_put(out, "\"");
    return r;
}

/* RFC 4648, section 4. */
static void put_base64(const mote_pb_json_out *out, mote_pb_bytes b)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    mote_pb_json_put(out, "\"");
    for (size_t i = 0; i < b.len; i += 3) {
        size_t left = b.len - i;
        unsigned bits = (unsigned)b.data[i] << 16 | (left > 1 ? (unsigned)b.data[i + 1] << 8 : 0) |
                        (left > 2 ? b.data[i + 2] : 0);
        char group[4] = {digits[bits >> 18], digits[bits >> 12 & 63], '=', '='};
        if (left > 1)
            group[2] = digits[bits >> 6 & 63];
        if (left > 2)
            group[3] = digits[bits & 63];
        out->sink(out->context, group, sizeof group);
    }
    mote_pb_json_put(out, "\"");
}

/* ---- numbers ------------------------------------------------------------------------------- */

static void json_put_integer(const mote_pb_json_out *out, uint64_t v, bool negative)
{
    char digits[20];
    size_t n = sizeof digits;

    do
        digits[--n] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    if (negative)
        mote_pb_json_put(out, "-");
    out->sink(out->context, digits + n, sizeof digits - n);
}

static void put_wide(const mote_pb_json_out *out, const mote_pb_field *f, const void *at)
{
    unsigned type = mote_pb_json_type_of(f);
    bool is_unsigned = type == MOTE_PB_UINT64 || type == MOTE_PB_FIXED64;
    uint64_t v;

    memcpy(&v, at, sizeof v);
    bool negative = !is_unsigned && v >> 63;
    json_put_integer(out, negative ? 0 - v : v, negative);
}

static void put_narrow(const mote_pb_json_out *out, const mote_pb_field *f, const void *at)
{
    unsigned type = mote_pb_json_type_of(f);
    bool is_unsigned = type == MOTE_PB_UINT32 || type == MOTE_PB_FIXED32;
    uint32_t v;

    memcpy(&v, at, sizeof v);
    bool negative = !is_unsigned && v >> 31;
    json_put_integer(out, negative ? 0 - v : v, negative);
}

static void json_put_real(const mote_pb_json_out *out, const mote_pb_field *f, const void *at)
{
    char text[MOTE_PB_JSON_NUMBER];
    bool is_float = mote_pb_json_type_of(f) == MOTE_PB_FLOAT;
    float narrow;
    double v;

    if (is_float) {
        memcpy(&narrow, at, sizeof narrow);
        v = (double)narrow;
    } else {
        memcpy(&v, at, sizeof v);
    }
    if (v != v || v - v != 0)
        mote_pb_json_put(out, v != v ? "\"NaN\"" : v < 0 ? "\"-Infinity\"" : "\"Infinity\"");
    else
        out->sink(out->context, text,
                  is_float ? mote_pb_json_float((float)v, text) : mote_pb_json_double(v, text));
}

static int put_enum(const mote_pb_json_out *out, const mote_pb_field *f, const void *sub,
                    const void *at)
{
    const mote_pb_json_enum *names = sub;
    int32_t number;

    if (!names) {
        mote_pb_json_put(out, "null");
        return 0;
    }
    memcpy(&number, at, sizeof number);
    const char *name = mote_pb_enum_name(names->names, number);
    if (name)
        return mote_pb_json_put_string(out, mote_pb_cstring(name));
    put_narrow(out, f, at);
    return 0;
}

/* ---- any of them --------------------------------------------------------------------------- */

static bool is_wide(const mote_pb_field *f)
{
    unsigned type = mote_pb_json_type_of(f);

    return mote_pb_json_size_of(f) == 8 && type != MOTE_PB_DOUBLE;
}

int mote_pb_json_put_scalar(const mote_pb_json_out *out, const mote_pb_field *f,
                            const mote_pb_json_field *names, const void *at)
{
    unsigned type = mote_pb_json_type_of(f);

    if (names->is_string)
        return mote_pb_json_put_string(out, *(const mote_pb_string *)at);
    if (mote_pb_json_is_enum(f))
        return put_enum(out, f, names->sub, at);
    if (type == MOTE_PB_BYTES)
        put_base64(out, *(const mote_pb_bytes *)at);
    else if (type == MOTE_PB_BOOL)
        mote_pb_json_put(out, *(const bool *)at ? "true" : "false");
    else if (type == MOTE_PB_DOUBLE || type == MOTE_PB_FLOAT)
        json_put_real(out, f, at);
    else if (is_wide(f)) { /* JavaScript's numbers have 53 bits */
        mote_pb_json_put(out, "\"");
        put_wide(out, f, at);
        mote_pb_json_put(out, "\"");
    } else
        put_narrow(out, f, at);
    return 0;
}

int mote_pb_json_put_key(const mote_pb_json_out *out, const mote_pb_field *f,
                         const mote_pb_json_field *names, const void *at)
{
    bool quoted = names->is_string || is_wide(f);

    if (!quoted)
        mote_pb_json_put(out, "\"");
    int r = mote_pb_json_put_scalar(out, f, names, at);
    if (!quoted)
        mote_pb_json_put(out, "\"");
    return r;
}

/* foo_bar.baz as fooBar.baz, when that leads back. */
static int put_path(const mote_pb_json_out *out, mote_pb_string path)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < path.len; i++) {
        char c = path.data[i];
        if (c >= 'A' && c <= 'Z')
            return MOTE_PB_JSON_ERR_FORM;
        if (c == '_') {
            if (++i == path.len || path.data[i] < 'a' || path.data[i] > 'z')
                return MOTE_PB_JSON_ERR_FORM;
            char upper = (char)(path.data[i] - 'a' + 'A');
            out->sink(out->context, &upper, 1);
            continue;
        }
        size_t from = i;
        while (i + 1 < path.len && path.data[i + 1] != '_' &&
               (path.data[i + 1] < 'A' || path.data[i + 1] > 'Z'))
            i++;
        r = mote_pb_json_put_escaped(out, (mote_pb_string){path.data + from, i + 1 - from});
    }
    return r;
}

int mote_pb_json_put_mask(const mote_pb_json_out *out, const mote_pb_list_string *paths)
{
    int r = 0;

    mote_pb_json_put(out, "\"");
    for (size_t i = 0; r == 0 && i < paths->count; i++) {
        if (i > 0)
            mote_pb_json_put(out, ",");
        r = put_path(out, paths->items[i]);
    }
    mote_pb_json_put(out, "\"");
    return r;
}
