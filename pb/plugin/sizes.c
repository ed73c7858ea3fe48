/* T_size() as code of its own, with the option `sizes`. The functions of a file call each other for
 * the messages inside of a message, and never in a circle: there the table goes on. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

static unsigned key_size(const field_plan *f)
{
    unsigned n = 1;

    for (uint64_t key = (uint64_t)f->proto->number << 3; key >= 128; key >>= 7)
        n++;
    return n;
}

static bool is_repeated(const field_plan *f)
{
    return f->presence == REPEATED || f->presence == PACKED;
}

/* ---- which functions call each other ------------------------------------------------------- */

/* Whether one message may lie inside of another one, at any depth; by members of oneofs too, or
 * without them. */
static bool reaches(const type *from, const type *to, bool by_oneofs)
{
    bool *seen = allocate(type_count);
    size_t *open = allocate(type_count * sizeof *open), count = 0;
    bool found = false;

    seen[from - types] = true;
    open[count++] = (size_t)(from - types);
    while (count > 0 && !found) {
        const message_plan *m = plan_of(&types[open[--count]]);
        found = m->type == to;
        for (size_t i = 0; i < m->count; i++) {
            const field_plan *f = &m->fields[i];
            if (!is_message_type(f->pb_type) || (f->oneof >= 0 && !by_oneofs) ||
                seen[f->sub - types])
                continue;
            seen[f->sub - types] = true;
            open[count++] = (size_t)(f->sub - types);
        }
    }
    free(seen);
    free(open);
    return found;
}

/* Elements from functions are asked for by the walk that encodes them. */
static bool is_by_table(const message_plan *m)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->fields[i].is_supplied)
            return true;
    }
    return false;
}

/* Every circle is cut: at its members of oneofs, or, if it has none, everywhere but at the entries
 * of maps, whose values are cut then. */
static bool is_called(const message_plan *m, const field_plan *f)
{
    if (f->sub->file != m->type->file || is_by_table(plan_of(f->sub)))
        return false;
    if (is_map_entry(f->sub))
        return true;
    return !reaches(f->sub, m->type, false) && !(f->oneof >= 0 && reaches(f->sub, m->type, true));
}

/* A map entry is sized by the message that has it, if that has it. */
static bool is_sized(const message_plan *m)
{
    if (is_by_table(m))
        return false;
    if (!is_map_entry(m->type) || !m->type->parent)
        return !is_map_entry(m->type);
    const message_plan *outer = plan_of(m->type->parent);
    for (size_t i = 0; i < outer->count; i++) {
        if (outer->fields[i].sub == m->type && outer->fields[i].in[ENCODE])
            return !is_by_table(outer);
    }
    return false;
}

/* ---- fields -------------------------------------------------------------------------------- */

/* The bytes of a value that is no message, in C. */
static char *value_size(const field_plan *f, const char *value)
{
    const type_row *row = &type_rows[f->pb_type];

    if (row->kind == MOTE_PB_VIEW)
        return format("mote_pb_sizes_prefixed(%s.len)", value);
    if (row->wire != MOTE_PB_VARINT)
        return format(row->wire == MOTE_PB_I64 ? "8" : "4");
    if (f->pb_type == MOTE_PB_BOOL)
        return format("1");
    if (row->kind == MOTE_PB_ZIGZAG)
        return format("mote_pb_sizes_zigzag(%s)", value);
    return format("mote_pb_sizes_varint((uint64_t)%s)", value);
}

/* Whether an implicit value is sent, in C. */
static char *when_there(const field_plan *f, const char *value)
{
    const type_row *row = &type_rows[f->pb_type];

    if (row->kind == MOTE_PB_VIEW)
        return format("%s.len > 0", value);
    if (row->kind == MOTE_PB_REAL)
        return format("mote_pb_sizes_%s(%s)", row->member, value);
    return format("%s", value);
}

/* The bytes of the message that an expression points to, with its length or the end of its group.
 */
static char *message_size(const message_plan *m, const field_plan *f, const char *pointer)
{
    const char *name = f->sub->c_name;
    char *n = is_called(m, f)
                  ? format("%s_sized(%s, error)", name, pointer)
                  : format("mote_pb_sizes_table(&%s_encoder, %s, error)", name, pointer);

    return f->pb_type == MOTE_PB_GROUP ? format("%u + %s", key_size(f), n)
                                       : format("mote_pb_sizes_prefixed(%s)", n);
}

static void put_messages(text *t, const message_plan *m, const field_plan *f)
{
    text_add(t,
             "    n += %u * (uint64_t)m->%s.count;\n"
             "    for (size_t i = 0; i < m->%s.count; i++)\n"
             "        n += %s;\n",
             key_size(f), f->member, f->member,
             message_size(m, f, format("&m->%s.items[i]", f->member)));
}

/* A repeated field of others, `row` of the table. */
static void put_list(text *t, const field_plan *f, const char *stem, size_t row)
{
    const type_row *of = &type_rows[f->pb_type];
    char *list = format("m->%s", f->member);

    if (f->presence == REPEATED && of->kind == MOTE_PB_VIEW)
        text_add(t,
                 "    n += %u * (uint64_t)%s.count;\n"
                 "    for (size_t i = 0; i < %s.count; i++)\n"
                 "        n += %s;\n",
                 key_size(f), list, list, value_size(f, format("%s.items[i]", list)));
    else if (f->presence == REPEATED)
        text_add(t, "    n += mote_pb_sizes_list(&%s_fields[%zu], &%s);\n", stem, row, list);
    else if (of->wire != MOTE_PB_VARINT || f->pb_type == MOTE_PB_BOOL)
        text_add(t, "    n += mote_pb_sizes_packed(%u, %s * (uint64_t)%s.count);\n", key_size(f),
                 value_size(f, ""), list);
    else
        text_add(t, "    n += mote_pb_sizes_packed(%u, mote_pb_sizes_%s%ss(%s.items, %s.count));\n",
                 key_size(f), of->kind == MOTE_PB_ZIGZAG ? "s" : "", of->member, list, list);
}

static void put_single(text *t, const message_plan *m, const field_plan *f)
{
    char *value = format("m->%s", f->member);

    if (is_message_type(f->pb_type)) {
        text_add(t, "    if (%s)\n        n += %u + %s;\n", value, key_size(f),
                 message_size(m, f, value));
        if (f->presence == REQUIRED)
            text_add(t, "    else if (*error == 0)\n        *error = MOTE_PB_ERR_REQUIRED;\n");
    } else if (f->presence == REQUIRED) {
        text_add(t, "    n += %u + %s;\n", key_size(f), value_size(f, value));
    } else if (f->presence == EXPLICIT) {
        text_add(t, "    if (%s.has)\n        n += %u + %s;\n", value, key_size(f),
                 value_size(f, format("%s.value", value)));
    } else {
        text_add(t, "    if (%s)\n        n += %u + %s;\n", when_there(f, value), key_size(f),
                 value_size(f, value));
    }
}

static void put_oneof_size(text *t, const message_plan *m, int oneof)
{
    text_add(t, "    switch (m->%s.which) {\n", m->oneofs[oneof]);
    for (size_t i = 0; i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        if (f->oneof != oneof || !f->in[ENCODE])
            continue;
        char *value = format("m->%s.is.%s", m->oneofs[oneof], f->member);
        text_add(t, "    case %d:\n", f->proto->number);
        if (is_message_type(f->pb_type))
            text_add(t, "        if (%s)\n            n += %u + %s;\n", value, key_size(f),
                     message_size(m, f, value));
        else
            text_add(t, "        n += %u + %s;\n", key_size(f), value_size(f, value));
        text_add(t, "        break;\n");
    }
    text_add(t, "    default:\n        break;\n    }\n");
}

/* ---- messages ------------------------------------------------------------------------------ */

static void put_fields(text *t, const message_plan *m)
{
    char *stem = stem_of(m->type, ENCODE);
    bool *done = allocate(m->type->message->oneof_decl.count + 1);
    size_t count;
    const field_plan **sorted = sort_fields(m, ENCODE, &count);

    if (m->unknown)
        text_add(t, "    n += mote_pb_sizes_list(&%s_fields[0], &m->%s);\n", stem, m->unknown);
    for (size_t i = 0; i < count; i++) {
        const field_plan *f = sorted[i];
        if (f->oneof >= 0) {
            if (!done[f->oneof])
                put_oneof_size(t, m, f->oneof);
            done[f->oneof] = true;
        } else if (!is_repeated(f)) {
            put_single(t, m, f);
        } else if (is_message_type(f->pb_type)) {
            put_messages(t, m, f);
        } else {
            put_list(t, f, stem, i + (m->unknown != NULL));
        }
    }
    free(sorted);
    free(done);
}

static void put_sized(text *t, const message_plan *m)
{
    text_add(t,
             "static uint64_t %s_sized(const %s *m, int *error)\n"
             "{\n"
             "    uint64_t n = 0;\n"
             "    (void)m;\n"
             "    (void)error;\n",
             m->type->c_name, m->type->c_name);
    put_fields(t, m);
    text_add(t, "    return n;\n}\n");
}

static void put_size(text *t, const message_plan *m)
{
    const char *name = m->type->c_name;

    text_add(t, "int %s_size(const %s *m, size_t *size)\n{\n", name, name);
    if (is_by_table(m))
        text_add(t, "    return mote_pb_size(&%s_encoder, m, size);\n}\n", name);
    else
        text_add(t,
                 "    int error = 0;\n"
                 "    *size = mote_pb_sizes_total(%s_sized(m, &error));\n"
                 "    return error;\n}\n",
                 name);
}

void put_sized_messages(text *t, const FileDescriptorProto *file)
{
    const source *s = source_of(file);

    text_add(t, "\n");
    for (size_t i = s->first; i < s->end; i++) {
        if (types[i].message && is_sized(plan_of(&types[i])))
            text_add(t, "static uint64_t %s_sized(const %s *m, int *error);\n", types[i].c_name,
                     types[i].c_name);
    }
    for (size_t i = s->first; i < s->end; i++) {
        const message_plan *m = types[i].message ? plan_of(&types[i]) : NULL;
        if (m && is_sized(m))
            put_sized(t, m);
        if (m && !is_map_entry(m->type))
            put_size(t, m);
    }
}
