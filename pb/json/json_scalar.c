/* Values of JSON that are no messages, as they are read. */
#include "json_internal.h"

/* ---- integers ------------------------------------------------------------------------------ */

/* A whole number as JSON may write it: "-12", but also "1.2e1". */
typedef struct {
    bool negative;
    uint64_t value;
} json_whole;

/* The digits as a number, without the zeros at their end: value * 10^*tens. False: too large. */
static bool significant(const char *digits, const char *end, uint64_t *value, int64_t *tens)
{
    bool fraction = false;
    int64_t zeros = 0;

    *value = 0;
    *tens = 0;
    for (; digits < end && *digits != 'e' && *digits != 'E'; digits++) {
        if (*digits == '.') {
            fraction = true;
            continue;
        }
        *tens -= fraction;
        zeros++;
        if (*digits == '0')
            continue;
        for (; *value > 0 && zeros > 0; zeros--) {
            if (*value > UINT64_MAX / 10)
                return false;
            *value *= 10;
        }
        if (*value > UINT64_MAX - (uint64_t)(*digits - '0'))
            return false;
        *value += (uint64_t)(*digits - '0');
        zeros = 0;
    }
    *tens += *value > 0 ? zeros : 0;
    return true;
}

/* The exponent of a number that is well formed; of one with many digits the most that matters. */
static int64_t exponent_of(const char *p, const char *end)
{
    int64_t exponent = 0;

    while (p < end && *p != 'e' && *p != 'E')
        p++;
    bool negative = p < end && p[1] == '-';
    for (; p < end; p++) {
        if (*p >= '0' && *p <= '9' && exponent < INT32_MAX)
            exponent = exponent * 10 + (*p - '0');
    }
    return negative ? -exponent : exponent;
}

/* 0, MOTE_PB_JSON_ERR_SYNTAX, or MOTE_PB_JSON_ERR_RANGE for what is too large or not whole. */
static int read_whole(mote_pb_string s, json_whole *n)
{
    const char *digits = s.data, *end = s.data + s.len;
    int64_t tens;

    n->negative = s.len > 0 && *digits == '-';
    digits += n->negative;
    if (!mote_pb_json_is_number(s))
        return MOTE_PB_JSON_ERR_SYNTAX;
    if (!significant(digits, end, &n->value, &tens))
        return MOTE_PB_JSON_ERR_RANGE;
    tens += exponent_of(digits, end);
    if (n->value == 0)
        return 0;
    if (tens < 0)
        return MOTE_PB_JSON_ERR_RANGE;
    for (; tens > 0; tens--) {
        if (n->value > UINT64_MAX / 10)
            return MOTE_PB_JSON_ERR_RANGE;
        n->value *= 10;
    }
    return 0;
}

/* Stores what the field can hold: 0, or MOTE_PB_JSON_ERR_RANGE. */
static int store_whole(const mote_pb_field *f, const json_whole *n, void *to)
{
    unsigned type = mote_pb_json_type_of(f);
    bool wide = mote_pb_json_size_of(f) == 8;
    bool is_unsigned = type == MOTE_PB_UINT64 || type == MOTE_PB_FIXED64 ||
                       type == MOTE_PB_UINT32 || type == MOTE_PB_FIXED32;
    uint64_t most = wide ? UINT64_MAX : UINT32_MAX;

    if (!is_unsigned)
        most = most / 2 + n->negative;
    if (n->value > (is_unsigned && n->negative ? 0 : most))
        return MOTE_PB_JSON_ERR_RANGE;
    uint64_t value = n->negative ? 0 - n->value : n->value;
    uint32_t narrow = (uint32_t)value;
    if (wide)
        memcpy(to, &value, sizeof value);
    else
        memcpy(to, &narrow, sizeof narrow);
    return 0;
}

static int store_digits(const mote_pb_field *f, mote_pb_string s, void *to)
{
    json_whole n;
    int r = read_whole(s, &n);

    return r < 0 ? r : store_whole(f, &n, to);
}

/* ---- numbers with decimals ----------------------------------------------------------------- */

static bool is_text(mote_pb_string s, const char *text)
{
    mote_pb_string other = mote_pb_cstring(text);

    return s.len == other.len && memcmp(s.data, other.data, s.len) == 0;
}

static void store_bits(const mote_pb_field *f, uint32_t narrow, uint64_t wide, void *to)
{
    if (mote_pb_json_type_of(f) == MOTE_PB_FLOAT)
        memcpy(to, &narrow, sizeof narrow);
    else
        memcpy(to, &wide, sizeof wide);
}

static int store_real(const mote_pb_field *f, mote_pb_string s, void *to)
{
    static const double float_end = 3.4028235677973366e38; /* from here on rounded to infinity */
    double value;

    if (!mote_pb_json_is_number(s))
        return MOTE_PB_JSON_ERR_SYNTAX;
    if (!mote_pb_json_real(s.data, s.len, &value))
        return MOTE_PB_JSON_ERR_RANGE;
    if (mote_pb_json_type_of(f) == MOTE_PB_DOUBLE) {
        memcpy(to, &value, sizeof value);
        return 0;
    }
    if (value >= float_end || value <= -float_end)
        return MOTE_PB_JSON_ERR_RANGE;
    float narrow = (float)value;
    memcpy(to, &narrow, sizeof narrow);
    return 0;
}

/* What JSON's numbers cannot say stands between quotes. */
static int store_real_text(const mote_pb_field *f, mote_pb_string s, void *to)
{
    if (is_text(s, "NaN"))
        store_bits(f, 0x7fc00000, 0x7ff8000000000000, to);
    else if (is_text(s, "Infinity"))
        store_bits(f, 0x7f800000, 0x7ff0000000000000, to);
    else if (is_text(s, "-Infinity"))
        store_bits(f, 0xff800000, 0xfff0000000000000, to);
    else
        return store_real(f, s, to);
    return 0;
}

/* ---- bytes --------------------------------------------------------------------------------- */

/* The alphabets of RFC 4648, sections 4 and 5. */
static int base64_value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static int store_base64(mote_pb_json_text *t, mote_pb_string s, mote_pb_bytes *to)
{
    uint32_t bits = 0;
    unsigned have = 0;
    uint8_t *out;

    bool padded = s.len % 4 == 0;
    for (int pad = 0; padded && pad < 2 && s.len > 0 && s.data[s.len - 1] == '='; pad++)
        s.len--;
    out = mote_pb_json_take(t->arena, s.len / 4 * 3 + 3);
    if (!out)
        return MOTE_PB_ERR_ARENA;
    *to = (mote_pb_bytes){out, 0};
    for (size_t i = 0; i < s.len; i++) {
        int value = base64_value_of(s.data[i]);
        if (value < 0)
            return MOTE_PB_JSON_ERR_TYPE;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[to->len++] = (uint8_t)(bits >> have);
        }
    }
    return have == 6 ? MOTE_PB_JSON_ERR_TYPE : 0;
}

/* ---- enums --------------------------------------------------------------------------------- */

/* < 0, 0, > 0, as the bytes of a text and of a name. */
int mote_pb_json_order(mote_pb_string s, const char *name)
{
    size_t i = 0;

    while (i < s.len && name[i] != '\0' && s.data[i] == name[i])
        i++;
    if (i == s.len)
        return name[i] == '\0' ? 0 : -1;
    return name[i] == '\0' || (uint8_t)s.data[i] > (uint8_t)name[i] ? 1 : -1;
}

static bool find_value(const mote_pb_json_enum *e, mote_pb_string s, int32_t *number)
{
    size_t low = 0, high = e->names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = mote_pb_json_order(s, e->sorted[middle].name);
        if (order == 0) {
            *number = e->sorted[middle].number;
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static int read_enum(mote_pb_json_text *t, const mote_pb_field *f, const mote_pb_json_enum *e,
                     bool ignore, void *to)
{
    int32_t number = 0;
    mote_pb_string s;
    char first = mote_pb_json_peek(t);
    int r;

    if (!e && first == 'n') {
        r = mote_pb_json_word(t, "null");
        memcpy(to, &number, sizeof number);
        return r;
    }
    if (first != '"') {
        r = mote_pb_json_digits(t, &s);
        return r < 0 ? MOTE_PB_JSON_ERR_TYPE : store_digits(f, s, to);
    }
    r = mote_pb_json_string(t, &s);
    if (r < 0)
        return r;
    if (e ? !find_value(e, s, &number) : !is_text(s, "NULL_VALUE"))
        return ignore ? 1 : MOTE_PB_JSON_ERR_NAME;
    memcpy(to, &number, sizeof number);
    return 0;
}

/* ---- any of them --------------------------------------------------------------------------- */

static bool is_real(const mote_pb_field *f)
{
    return mote_pb_json_type_of(f) == MOTE_PB_DOUBLE || mote_pb_json_type_of(f) == MOTE_PB_FLOAT;
}

static int read_bool(mote_pb_json_text *t, void *to)
{
    bool value = mote_pb_json_peek(t) == 't';

    if (mote_pb_json_word(t, value ? "true" : "false") < 0)
        return MOTE_PB_JSON_ERR_TYPE;
    memcpy(to, &value, sizeof value);
    return 0;
}

int mote_pb_json_key(mote_pb_json_text *t, const mote_pb_field *f, mote_pb_string s, void *to)
{
    mote_pb_json_text inner = {s.data, s.data + s.len, t->arena};

    if (mote_pb_json_type_of(f) == MOTE_PB_BOOL)
        return read_bool(&inner, to) == 0 && inner.p == inner.end ? 0 : MOTE_PB_JSON_ERR_TYPE;
    int r = is_real(f) ? store_real_text(f, s, to) : store_digits(f, s, to);
    return r == MOTE_PB_JSON_ERR_SYNTAX ? MOTE_PB_JSON_ERR_TYPE : r;
}

static int read_text(mote_pb_json_text *t, bool is_string, void *to)
{
    mote_pb_string s;
    mote_pb_bytes bytes;

    if (mote_pb_json_peek(t) != '"')
        return MOTE_PB_JSON_ERR_TYPE;
    int r = mote_pb_json_string(t, &s);
    if (r == 0 && is_string) {
        memcpy(to, &s, sizeof s);
    } else if (r == 0) {
        r = store_base64(t, s, &bytes);
        memcpy(to, &bytes, sizeof bytes);
    }
    return r;
}

int mote_pb_json_scalar(mote_pb_json_text *t, const mote_pb_field *f,
                        const mote_pb_json_field *names, const mote_pb_json_options *options,
                        void *to)
{
    mote_pb_string s;

    if (mote_pb_json_is_enum(f))
        return read_enum(t, f, names->sub, options && options->ignore_unknown, to);
    if ((f->key & 7) == MOTE_PB_LEN)
        return read_text(t, names->is_string, to);
    if (mote_pb_json_type_of(f) == MOTE_PB_BOOL)
        return read_bool(t, to);
    if (mote_pb_json_peek(t) == '"') {
        int r = mote_pb_json_string(t, &s);
        return r < 0 ? r : mote_pb_json_key(t, f, s, to);
    }
    if (mote_pb_json_digits(t, &s) < 0)
        return MOTE_PB_JSON_ERR_TYPE;
    return is_real(f) ? store_real(f, s, to) : store_digits(f, s, to);
}
