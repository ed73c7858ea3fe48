/* Tables of pb/json: names of fields and values, and what a message looks like in JSON. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

/* ---- names --------------------------------------------------------------------------------- */

/* A name in JSON may be any text; protoc gives one for each field. */
static mote_pb_string json_name(const FieldDescriptorProto *f)
{
    return f->json_name.len > 0 ? f->json_name : f->name;
}

static void put_literal(text *t, mote_pb_string s)
{
    text_add(t, "\"");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
        text_add(t, is_plain ? "%c" : "\\%03o", c);
    }
    text_add(t, "\"");
}

/* A name of a field, and its row in the table. */
typedef struct {
    mote_pb_string name;
    size_t row;
    bool is_of_json;
} row_name;

static int by_bytes(const void *a, const void *b)
{
    const row_name *x = a, *y = b;
    int order = view_compare(x->name, y->name);

    return order != 0 ? order : y->is_of_json - x->is_of_json;
}

/* Both names of each field, in the order of their bytes; of two that are the same the one in JSON.
 * Returns how many there are. */
static size_t put_names(text *t, const char *name, const field_plan **sorted, size_t count,
                        size_t first_row)
{
    row_name *names = allocate((2 * count + 1) * sizeof *names);
    size_t written = 0;

    for (size_t i = 0; i < count; i++) {
        names[2 * i] = (row_name){json_name(sorted[i]->proto), first_row + i, true};
        names[2 * i + 1] = (row_name){sorted[i]->proto->name, first_row + i, false};
    }
    qsort(names, 2 * count, sizeof *names, by_bytes);
    text_add(t, "static const mote_pb_json_name %s_json_names[] = {\n", name);
    for (size_t i = 0; i < 2 * count; i++) {
        if (i > 0 && view_compare(names[i].name, names[i - 1].name) == 0)
            continue;
        text_add(t, "    {");
        put_literal(t, names[i].name);
        text_add(t, ", %zu},\n", names[i].row);
        written++;
    }
    text_add(t, "};\n");
    free(names);
    return written;
}

/* ---- messages ------------------------------------------------------------------------------ */

static const char *form_of(const type *t)
{
    static const struct {
        const char *name, *form;
    } known[] = {
        {"Any", "ANY"},
        {"BoolValue", "WRAPPER"},
        {"BytesValue", "WRAPPER"},
        {"DoubleValue", "WRAPPER"},
        {"Duration", "DURATION"},
        {"FieldMask", "FIELD_MASK"},
        {"FloatValue", "WRAPPER"},
        {"Int32Value", "WRAPPER"},
        {"Int64Value", "WRAPPER"},
        {"ListValue", "LIST"},
        {"StringValue", "WRAPPER"},
        {"Struct", "STRUCT"},
        {"Timestamp", "TIMESTAMP"},
        {"UInt32Value", "WRAPPER"},
        {"UInt64Value", "WRAPPER"},
        {"Value", "VALUE"},
    };
    static const char package[] = "google.protobuf.";

    if (is_map_entry(t))
        return "MAP";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(t->full_name, package, sizeof package - 1) == 0 &&
            strcmp(t->full_name + sizeof package - 1, known[i].name) == 0)
            return known[i].form;
    }
    return "OBJECT";
}

static void put_json_row(text *t, const field_plan *f)
{
    text_add(t, "    {");
    put_literal(t, json_name(f->proto));
    if (f->sub &&
        !(f->sub->enumeration && strcmp(f->sub->full_name, "google.protobuf.NullValue") == 0))
        text_add(t, ", &%s_json", f->sub->c_name);
    else
        text_add(t, ", NULL");
    text_add(t, ", %s},\n", f->proto->type == MOTE_PB_TEXT ? "true" : "false");
}

void put_message_json(text *t, const message_plan *m)
{
    const char *name = m->type->c_name;
    size_t count, first_row = m->unknown != NULL, names = 0;
    const field_plan **sorted = sort_fields(m, BOTH, &count);

    text_add(t, "\n");
    if (count + first_row > 0)
        text_add(t, "static const mote_pb_json_field %s_json_fields[] = {\n", name);
    if (m->unknown)
        text_add(t, "    {\"\", NULL, false},\n");
    for (size_t i = 0; i < count; i++)
        put_json_row(t, sorted[i]);
    if (count + first_row > 0)
        text_add(t, "};\n");
    if (count > 0)
        names = put_names(t, name, sorted, count, first_row);
    text_add(t, "const mote_pb_json %s_json = {&%s_layout, \"%s\", ", name, stem_of(m->type, BOTH),
             m->type->full_name);
    text_add(t, count + first_row > 0 ? "%s_json_fields, " : "NULL, ", name);
    text_add(t, count > 0 ? "%s_json_names, " : "NULL, ", name);
    text_add(t, "%zu, MOTE_PB_JSON_%s};\n", names, form_of(m->type));
    free(sorted);
}

/* ---- enums --------------------------------------------------------------------------------- */

static int by_value_name(const void *a, const void *b)
{
    return view_compare((*(EnumValueDescriptorProto *const *)a)->name,
                        (*(EnumValueDescriptorProto *const *)b)->name);
}

void put_enum_json(text *t, const type *e)
{
    const EnumDescriptorProto *d = e->enumeration;
    const EnumValueDescriptorProto **sorted = allocate((d->value.count + 1) * sizeof *sorted);

    for (size_t i = 0; i < d->value.count; i++)
        sorted[i] = &d->value.items[i];
    qsort(sorted, d->value.count, sizeof *sorted, by_value_name);
    text_add(t, "\nstatic const mote_pb_enum_value %s_json_sorted[] = {\n", e->c_name);
    for (size_t i = 0; i < d->value.count; i++)
        text_add(t, "    {\"%.*s\", %s},\n", S(sorted[i]->name),
                 e->constants[sorted[i] - d->value.items]);
    text_add(t, "};\nconst mote_pb_json_enum %s_json = {&%s_names, %s_json_sorted};\n", e->c_name,
             e->c_name, e->c_name);
    free(sorted);
}
