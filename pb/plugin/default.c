/* Defaults of proto2 and of editions: what a field that is absent stands for. */
#include "generator.h"

#include <string.h>

/* A C string literal; what protoc has escaped already (bytes) stays as it is. */
static void put_literal(text *t, mote_pb_string s, bool escaped)
{
    text_add(t, "\"");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (!escaped && (c < 0x20 || c >= 0x7f || c == '"' || c == '\\'))
            text_add(t, "\\%03o", c);
        else if (c == '?')
            text_add(t, "\\?"); /* no trigraph */
        else
            text_bytes(t, s.data + i, 1);
    }
    text_add(t, "\"");
}

static void put_number(text *t, const field_plan *f, mote_pb_string s)
{
    bool is_float = f->pb_type == MOTE_PB_DOUBLE || f->pb_type == MOTE_PB_FLOAT;

    if (is_float && view_is(s, "nan"))
        text_add(t, "(0.0 / 0.0)");
    else if (is_float && (view_is(s, "inf") || view_is(s, "-inf")))
        text_add(t, "(%s1.0 / 0.0)", s.data[0] == '-' ? "-" : "");
    else if (view_is(s, "-2147483648"))
        text_add(t, "(-2147483647 - 1)");
    else if (view_is(s, "-9223372036854775808"))
        text_add(t, "(-9223372036854775807 - 1)");
    else if (s.len > 9 && s.data[0] != '-' && !is_float)
        text_add(t, "%.*su", S(s)); /* may be above the largest signed number */
    else
        text_add(t, "%.*s", S(s));
}

void put_defaults(text *t, const message_plan *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        mote_pb_string s = f->proto->default_value.value;
        if (!f->proto->default_value.has)
            continue;
        text_add(t, "#define %s_%.*s_DEFAULT ", m->type->c_name, S(f->proto->name));
        if (f->proto->type == MOTE_PB_TEXT || f->proto->type == MOTE_PB_BYTES)
            put_literal(t, s, f->proto->type == MOTE_PB_BYTES);
        else if (f->pb_type == MOTE_PB_ENUM_TYPE)
            text_add(t, "%s_%.*s", f->sub->c_name, S(s));
        else
            put_number(t, f, s);
        text_add(t, "\n");
    }
}
