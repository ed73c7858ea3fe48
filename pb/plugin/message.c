/* Messages and enums as C types. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_VARINT = 10 };

static void put_field_comment(text *t, const message_plan *m, const field_plan *f,
                              const char *indent)
{
    int32_t path[34];

    memcpy(path, m->type->path, sizeof m->type->path);
    path[m->type->path_len] = 2;
    path[m->type->path_len + 1] = f->index;
    put_comment(t, m->type->file, path, m->type->path_len + 2, indent);
}

/* ---- struct -------------------------------------------------------------------------------- */

static const char *field_scalar(const field_plan *f)
{
    return f->proto->type == MOTE_PB_TEXT ? "string" : type_rows[f->pb_type].member;
}

static char *value_type(const field_plan *f)
{
    const char *name = field_scalar(f);

    if (f->pb_type == MOTE_PB_ENUM_TYPE)
        return f->sub->c_name;
    if (is_message_type(f->pb_type))
        return format("const %s *", f->sub->c_name);
    if (strcmp(name, "string") == 0 || strcmp(name, "bytes") == 0)
        return format("mote_pb_%s", name);
    if (strcmp(name, "bool") == 0 || strcmp(name, "float") == 0 || strcmp(name, "double") == 0)
        return format("%s", name);
    return format("%s_t", name);
}

static void put_member(text *t, const field_plan *f, const char *indent)
{
    bool is_message = is_message_type(f->pb_type);
    const char *value = value_type(f);

    if (is_message && (f->presence == REPEATED || f->presence == PACKED))
        text_add(t, "%sstruct {\n%s    const %s *items;\n%s    size_t count;\n%s} %s;\n", indent,
                 indent, f->sub->c_name, indent, indent, f->member);
    else if (f->presence == REPEATED || f->presence == PACKED)
        text_add(t, "%smote_pb_list_%s %s;\n", indent, field_scalar(f), f->member);
    else if (f->presence == EXPLICIT && !is_message)
        text_add(t, "%smote_pb_opt_%s %s;\n", indent, field_scalar(f), f->member);
    else
        text_add(t, "%s%s%s%s;\n", indent, value, is_message ? "" : " ", f->member);
}

static void put_oneof(text *t, const message_plan *m, int oneof)
{
    text_add(
        t, "    struct {\n        uint32_t which; /* number of the field that is set; 0: none */\n"
           "        union {\n");
    for (size_t i = 0; i < m->count; i++) {
        if (m->fields[i].oneof != oneof)
            continue;
        put_field_comment(t, m, &m->fields[i], "            ");
        put_member(t, &m->fields[i], "            ");
    }
    text_add(t, "        } is;\n    } %s;\n", m->oneofs[oneof]);
}

static void put_oneof_numbers(text *t, const message_plan *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        if (f->oneof >= 0)
            text_add(t, "enum { %s_%.*s = %d };\n", m->type->c_name, S(f->proto->name),
                     f->proto->number);
    }
}

void put_message_struct(text *t, const message_plan *m)
{
    bool *done = allocate(m->type->message->oneof_decl.count + 1);

    text_add(t, "\n");
    put_comment(t, m->type->file, m->type->path, m->type->path_len, "");
    text_add(t, "struct %s {\n", m->type->c_name);
    for (size_t i = 0; i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        if (f->oneof >= 0) {
            if (!done[f->oneof])
                put_oneof(t, m, f->oneof);
            done[f->oneof] = true;
            continue;
        }
        put_field_comment(t, m, f, "    ");
        put_member(t, f, "    ");
    }
    if (m->unknown)
        text_add(t, "    mote_pb_list_bytes %s; /* as they came, keys included */\n", m->unknown);
    else if (m->count == 0)
        text_add(t, "    char empty; /* C has no struct without members */\n");
    text_add(t, "};\n");
    put_oneof_numbers(t, m);
    free(done);
}

/* ---- sizes --------------------------------------------------------------------------------- */

static size_t varint_size(uint64_t v)
{
    size_t n = 1;

    for (; v >= 128; v >>= 7)
        n++;
    return n;
}

static size_t scalar_size(unsigned pb_type)
{
    const type_row *row = &type_rows[pb_type];

    if (row->wire != MOTE_PB_VARINT)
        return row->wire == MOTE_PB_I64 ? 8 : 4;
    if (pb_type == MOTE_PB_BOOL)
        return 1;
    /* negative numbers that are not zigzag take as many bytes as 64 bits */
    bool narrow = strcmp(row->member, "uint32") == 0 || strcmp(row->member, "int32") == 0;
    return narrow && row->kind != MOTE_PB_SIGNED ? 5 : MAX_VARINT;
}

/* The largest encoding of a message; 0 in *bounded when its schema sets no bound. */
static size_t max_size(const message_plan *m, int depth, bool *bounded)
{
    size_t total = 0,
           *largest = allocate((m->type->message->oneof_decl.count + 1) * sizeof *largest);

    if (depth > 20 || m->unknown)
        *bounded = false;
    for (size_t i = 0; *bounded && i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        size_t size = varint_size((uint64_t)f->proto->number << 3);
        if (f->presence == REPEATED || f->presence == PACKED ||
            type_rows[f->pb_type].kind == MOTE_PB_VIEW) {
            *bounded = false;
        } else if (is_message_type(f->pb_type)) {
            size_t sub = max_size(plan_of(f->sub), depth + 1, bounded);
            size += sub + (f->pb_type == MOTE_PB_GROUP ? size : varint_size(sub));
        } else {
            size += scalar_size(f->pb_type);
        }
        if (f->oneof < 0)
            total += size;
        else if (size > largest[f->oneof])
            largest[f->oneof] = size;
    }
    for (size_t i = 0; i < m->type->message->oneof_decl.count; i++)
        total += largest[i];
    free(largest);
    return total;
}

void put_sizes(text *t, const message_plan *m)
{
    bool bounded = true;
    size_t size = max_size(m, 0, &bounded);

    if (bounded)
        text_add(t, "#define %s_MAX_SIZE %zu /* bytes of any encoding */\n", m->type->c_name, size);
}

/* ---- enums --------------------------------------------------------------------------------- */

void put_enum(text *t, const type *e)
{
    const EnumDescriptorProto *d = e->enumeration;

    text_add(t, "\n");
    put_comment(t, e->file, e->path, e->path_len, "");
    text_add(t, "typedef int32_t %s;\nenum {\n", e->c_name);
    for (size_t i = 0; i < d->value.count; i++) {
        int32_t path[34];
        memcpy(path, e->path, sizeof e->path);
        path[e->path_len] = 2;
        path[e->path_len + 1] = (int32_t)i;
        put_comment(t, e->file, path, e->path_len + 2, "    ");
        if (d->value.items[i].number == INT32_MIN)
            text_add(t, "    %s_%.*s = -2147483647 - 1,\n", e->c_name, S(d->value.items[i].name));
        else
            text_add(t, "    %s_%.*s = %d,\n", e->c_name, S(d->value.items[i].name),
                     d->value.items[i].number);
    }
    text_add(t, "};\n");
}
