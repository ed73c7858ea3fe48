/* Defaults of proto2 and of editions: what a field that is absent stands for. */
#include "generator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what protoc writes for them ----------------------------------------------------------- */

/* The byte that an escape at *p stands for; -1: it is none. Moves *p over it. */
static int unescape(const char **p, const char *end)
{
    static const char letters[] = "abfnrtv\\'\"?", bytes[] = "\a\b\f\n\r\t\v\\'\"?";
    const char *letter = *p < end && **p ? strchr(letters, **p) : NULL;
    int value = 0;

    if (letter) {
        (*p)++;
        return (unsigned char)bytes[letter - letters];
    }
    if (*p == end || **p < '0' || **p > '7')
        return -1;
    for (int i = 0; i < 3 && *p < end && **p >= '0' && **p <= '7'; i++)
        value = 8 * value + *(*p)++ - '0';
    return value < 256 ? value : -1;
}

/* The bytes of a default of type bytes, which is escaped; data is NULL when it is not valid. */
static mote_pb_string unescaped(mote_pb_string s)
{
    char *bytes = allocate(s.len + 1);
    const char *p = s.data, *end = s.data + s.len;
    size_t n = 0;

    while (p < end) {
        int byte = (unsigned char)*p++;
        if (byte == '\\')
            byte = unescape(&p, end);
        if (byte < 0)
            return (mote_pb_string){NULL, 0};
        bytes[n++] = (char)byte;
    }
    return (mote_pb_string){bytes, n};
}

static mote_pb_string default_bytes(const FieldDescriptorProto *f)
{
    mote_pb_string s = f->default_value.value;

    return f->type == MOTE_PB_BYTES ? unescaped(s) : s;
}

/* ---- whether they are valid ---------------------------------------------------------------- */

static bool is_float(const FieldDescriptorProto *f)
{
    return type_rows[f->type].kind == MOTE_PB_REAL;
}

static bool is_special(mote_pb_string s)
{
    return view_is(s, "nan") || view_is(s, "-nan") || view_is(s, "inf") || view_is(s, "-inf");
}

/* Digits with a sign; those of a float with a point and an exponent. */
static bool is_number(mote_pb_string s, bool is_real)
{
    bool digits = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool is_sign = c == '-' && (i == 0 || (is_real && strchr("eE", s.data[i - 1])));
        bool is_plus = c == '+' && is_real && i > 0 && strchr("eE", s.data[i - 1]);
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !is_sign && !is_plus && !(is_real && digits && c && strchr(".eE", c)))
            return false;
        digits |= is_digit;
    }
    return digits;
}

static bool fits(const FieldDescriptorProto *f, const char *number)
{
    const type_row *row = &type_rows[f->type];
    bool wide = strstr(row->member, "64") != NULL;
    char *end;

    errno = 0;
    if (is_float(f)) {
        double d = strtod(number, &end);
        return *end == '\0' && d - d == 0;
    }
    if (row->kind == MOTE_PB_UNSIGNED) {
        unsigned long long u = strtoull(number, &end, 10);
        return *end == '\0' && errno == 0 && *number != '-' && (wide || u <= UINT32_MAX);
    }
    long long i = strtoll(number, &end, 10);
    return *end == '\0' && errno == 0 && (wide || (i >= INT32_MIN && i <= INT32_MAX));
}

static size_t value_named(const type *e, mote_pb_string name)
{
    size_t i = 0;

    while (i < e->enumeration->value.count &&
           !view_is(name, format("%.*s", S(e->enumeration->value.items[i].name))))
        i++;
    return i;
}

bool default_is_valid(const FieldDescriptorProto *f, const type *sub)
{
    mote_pb_string s = f->default_value.value;

    switch (f->type) {
    case MOTE_PB_TEXT:
        return true;
    case MOTE_PB_BYTES:
        return default_bytes(f).data != NULL;
    case MOTE_PB_BOOL:
        return view_is(s, "true") || view_is(s, "false");
    case MOTE_PB_ENUM_TYPE:
        return value_named(sub, s) < sub->enumeration->value.count;
    default:
        if (type_rows[f->type].kind == MOTE_PB_NESTED)
            return false;
        return (is_float(f) && is_special(s)) ||
               (is_number(s, is_float(f)) && fits(f, format("%.*s", S(s))));
    }
}

/* ---- as C ---------------------------------------------------------------------------------- */

static void put_default_literal(text *t, mote_pb_string s)
{
    text_add(t, "\"");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            text_add(t, "\\%03o", c);
        else
            text_add(t, c == '?' ? "\\?" : "%c", c); /* no trigraph */
    }
    text_add(t, "\"");
}

static void put_real(text *t, const FieldDescriptorProto *f, mote_pb_string s)
{
    const char *suffix = f->type == MOTE_PB_FLOAT ? "f" : "";
    bool is_whole = !is_special(s) && is_number(s, false);

    if (view_is(s, "nan") || view_is(s, "-nan"))
        text_add(t, "(0.0%s / 0.0%s)", suffix, suffix);
    else if (is_special(s))
        text_add(t, "(%s1.0%s / 0.0%s)", s.data[0] == '-' ? "-" : "", suffix, suffix);
    else
        text_add(t, "%.*s%s%s", S(s), is_whole ? ".0" : "", suffix);
}

static void put_default_number(text *t, const FieldDescriptorProto *f, mote_pb_string s)
{
    if (f->type == MOTE_PB_BOOL)
        text_add(t, "%.*s", S(s));
    else if (is_float(f))
        put_real(t, f, s);
    else if (type_rows[f->type].kind == MOTE_PB_UNSIGNED)
        text_add(t, "%lluu", strtoull(format("%.*s", S(s)), NULL, 10));
    else if (view_is(s, "-9223372036854775808"))
        text_add(t, "(-9223372036854775807 - 1)");
    else if (view_is(s, "-2147483648"))
        text_add(t, "(-2147483647 - 1)");
    else
        text_add(t, "%lld", strtoll(format("%.*s", S(s)), NULL, 10));
}

void put_defaults(text *t, const message_plan *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        mote_pb_string s = f->proto->default_value.value;
        if (!f->proto->default_value.has)
            continue;
        text_add(t, "#define %s ", m->type->defaults[f->index]);
        if (f->proto->type == MOTE_PB_TEXT || f->proto->type == MOTE_PB_BYTES)
            put_default_literal(t, default_bytes(f->proto));
        else if (f->proto->type == MOTE_PB_ENUM_TYPE)
            text_add(t, "%s", f->sub->constants[value_named(f->sub, s)]);
        else
            put_default_number(t, f->proto, s);
        text_add(t, "\n");
    }
}
