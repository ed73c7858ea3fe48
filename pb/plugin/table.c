/* Tables of messages, and their names. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

/* ---- table --------------------------------------------------------------------------------- */

static const char *label_constant(const field_plan *f)
{
    static const char *const labels[] = {"",
                                         " | MOTE_PB_OPTIONAL",
                                         " | MOTE_PB_REQUIRED",
                                         " | MOTE_PB_REPEATED",
                                         " | MOTE_PB_PACKED",
                                         " | MOTE_PB_ONEOF"};

    if (f->is_supplied)
        return " | MOTE_PB_SUPPLIED";
    if (is_message_type(f->pb_type) && f->presence == EXPLICIT)
        return "";
    return labels[f->presence];
}

static int by_number(const void *a, const void *b)
{
    const field_plan *const *x = a, *const *y = b;

    return (*x)->proto->number < (*y)->proto->number ? -1 : 1;
}

static void put_row(text *t, const message_plan *m, const field_plan *f)
{
    const char *name = m->type->c_name;

    text_add(t, "    {MOTE_PB_KEY(%d, %u), ", f->proto->number,
             (unsigned)type_rows[f->pb_type].wire);
    if (f->oneof >= 0)
        text_add(t, "offsetof(%s, %s.is), ", name, m->oneofs[f->oneof]);
    else
        text_add(t, "offsetof(%s, %s), ", name, f->member);
    text_add(t, "MOTE_PB_%s%s, ", type_rows[f->pb_type].constant, label_constant(f));
    if (f->oneof >= 0)
        text_add(t, "MOTE_PB_ONEOF_GAP(%s, %s) | %d},\n", name, m->oneofs[f->oneof], f->aux);
    else
        text_add(t, "%d},\n", f->aux);
}

const field_plan **sort_fields(const message_plan *m, enum direction d, size_t *count)
{
    const field_plan **sorted = allocate((m->count + 1) * sizeof *sorted);

    *count = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (m->fields[i].in[d])
            sorted[(*count)++] = &m->fields[i];
    }
    qsort(sorted, *count, sizeof *sorted, by_number);
    return sorted;
}

static void put_sub(text *t, const type *sub, enum direction d)
{
    if (sub->message)
        text_add(t, "    &%s_layout,\n", stem_of(sub, d));
    else
        text_add(t, "    &%s_closed,\n", sub->c_name);
}

static void put_table(text *t, const message_plan *m, enum direction d)
{
    char *name = stem_of(m->type, d);
    size_t rows;
    const field_plan **sorted = sort_fields(m, d, &rows);

    text_add(t, "\n");
    if (rows > 0 || m->unknown) {
        text_add(t, "static const mote_pb_field %s_fields[] = {\n", name);
        if (m->unknown)
            text_add(t, "    {0, offsetof(%s, %s), MOTE_PB_BYTES | MOTE_PB_UNKNOWN, 0},\n",
                     m->type->c_name, m->unknown);
        for (size_t i = 0; i < rows; i++)
            put_row(t, m, sorted[i]);
        text_add(t, "};\n");
    }
    if (m->sub_count > 0) {
        text_add(t, "static const mote_pb_message *const %s_subs[] = {\n", name);
        for (size_t i = 0; i < m->sub_count; i++)
            put_sub(t, m->subs[i], d);
        if (m->sub_count == MOTE_PB_MANY_SUBS && m->unknown)
            text_add(t, "    NULL,\n");
        for (size_t i = 0; m->sub_count == MOTE_PB_MANY_SUBS && i < rows; i++) {
            if (sorted[i]->aux == MOTE_PB_MANY_SUBS)
                put_sub(t, sorted[i]->sub, d);
            else
                text_add(t, "    NULL,\n");
        }
        text_add(t, "};\n");
    }
    rows += m->unknown != NULL;
    text_add(t, "const mote_pb_message %s_layout = {", name);
    text_add(t, rows > 0 ? "%s_fields, " : "NULL, ", name);
    text_add(t, m->sub_count > 0 ? "%s_subs, " : "NULL, ", name);
    text_add(t, "%zu, sizeof(%s)};\n", rows, m->type->c_name);
    free(sorted);
}

static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return x < y ? -1 : x > y;
}

void put_enum_table(text *t, const type *e)
{
    size_t count = e->enumeration->value.count, ranges = 0;
    int32_t *values = allocate(count * sizeof *values);

    for (size_t i = 0; i < count; i++)
        values[i] = e->enumeration->value.items[i].number;
    qsort(values, count, sizeof *values, by_value);
    text_add(t, "\nstatic const mote_pb_field %s_values[] = {\n", e->c_name);
    for (size_t i = 0, next; i < count; i = next, ranges++) {
        int64_t first = values[i], last = first;
        for (next = i + 1; next < count && values[next] <= last + 1 && last - first < UINT16_MAX;
             next++)
            last = values[next];
        text_add(t, "    {%uu, %d, 0, 0},\n", (unsigned)first, (int)(last - first));
    }
    text_add(t, "};\nconst mote_pb_message %s_closed = {%s_values, NULL, %zu, 0};\n", e->c_name,
             e->c_name, ranges);
    free(values);
}

void put_message_table(text *t, const message_plan *m)
{
    if (struct_size(m) > UINT16_MAX)
        fail("%.*s: the struct of %s takes %zu bytes, and the most is %d: leave fields out "
             "(skip=%s.FIELD) or split the message",
             S(m->type->file->name), m->type->full_name, struct_size(m), UINT16_MAX,
             m->type->full_name);
    put_table(t, m, BOTH);
    for (enum direction d = ENCODE; d <= DECODE; d++) {
        if (strcmp(stem_of(m->type, d), stem_of(m->type, BOTH)) != 0)
            put_table(t, m, d);
    }
}

/* The parts of the runtime that the messages need: nothing else is linked. */
void put_coders(text *t, const message_plan *m)
{
    needs e = needs_of(m->type, ENCODE), d = needs_of(m->type, DECODE);
    const char *lists = d.values ? "mote_pb_read_values" : "NULL";

    if (d.messages)
        lists = d.values ? "mote_pb_read_lists" : "mote_pb_read_messages";
    bool is_flat = !e.single && !e.messages && !e.supplied;
    const char *name = m->type->c_name;
    if (e.supplied)
        text_add(t,
                 "static int %s_put(mote_pb_writer *w, const mote_pb_message *type, "
                 "const void *message)\n"
                 "{\n"
                 "    uint64_t memory[MOTE_PB_WALK_SIZE(%s_DEPTH, 0) / sizeof(uint64_t) + 1];\n"
                 "    return mote_pb_put_forward(w, type, message, memory, sizeof memory);\n"
                 "}\n",
                 name, name);
    else if (!is_flat)
        text_add(t,
                 "static int %s_put(mote_pb_writer *w, const mote_pb_message *type, "
                 "const void *message)\n"
                 "{\n"
                 "    mote_pb_frame stack[%s_DEPTH];\n"
                 "    return mote_pb_put_deep(w, type, message, stack, stack + %s_DEPTH - 1);\n"
                 "}\n",
                 name, name, name);
    text_add(t, "const mote_pb_encoder %s_encoder = {&%s_layout, %s, %s};\n", name,
             stem_of(m->type, ENCODE),
             !e.supplied && (e.values || e.unknown) ? "mote_pb_put_list" : "NULL",
             is_flat ? "mote_pb_put_flat" : format("%s_put", name));
    text_add(t, "const mote_pb_decoder %s_decoder = {&%s_layout, %s, %s, %s, %s, %s};\n",
             m->type->c_name, stem_of(m->type, DECODE), d.text ? "mote_pb_utf8_valid" : "NULL",
             lists, d.single ? "mote_pb_enter" : "NULL",
             d.unknown ? "mote_pb_keep_unknown" : "NULL", d.strict ? "&mote_pb_proto2" : "NULL");
}

static void put_sub_names(text *t, const type *sub)
{
    if (sub->message)
        text_add(t, "    &%s_names,\n", sub->c_name);
    else
        text_add(t, "    NULL,\n");
}

/* Names of the rows, in the order of the table. */
void put_message_names(text *t, const message_plan *m)
{
    const char *name = m->type->c_name;
    size_t count;
    const field_plan **sorted = sort_fields(m, BOTH, &count);

    text_add(t, "\nstatic const char *const %s_field_names[] = {\n", name);
    if (m->unknown)
        text_add(t, "    \"\",\n");
    for (size_t i = 0; i < count; i++) {
        const FieldDescriptorProto *f = sorted[i]->proto;
        bool is_group = f->type == MOTE_PB_GROUP; /* the text format names groups by their type */
        mote_pb_string group = is_group ? sorted[i]->sub->message->name : f->name;
        text_add(t, "    \"%.*s\",\n", S(group));
    }
    text_add(t, "    NULL,\n};\nstatic const mote_pb_names *const %s_sub_names[] = {\n", name);
    for (size_t i = 0; i < m->sub_count; i++)
        put_sub_names(t, m->subs[i]);
    if (m->sub_count == MOTE_PB_MANY_SUBS && m->unknown)
        text_add(t, "    NULL,\n");
    for (size_t i = 0; m->sub_count == MOTE_PB_MANY_SUBS && i < count; i++) {
        if (sorted[i]->aux == MOTE_PB_MANY_SUBS)
            put_sub_names(t, sorted[i]->sub);
        else
            text_add(t, "    NULL,\n");
    }
    text_add(t,
             "    NULL,\n};\nconst mote_pb_names %s_names = {&%s_layout, \"%s\", %s_field_names, "
             "%s_sub_names};\n",
             name, name, m->type->full_name, name, name);
    free(sorted);
}
