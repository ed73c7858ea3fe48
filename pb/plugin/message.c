/* Messages and enums as C types. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_VARINT = 10 };

static void put_field_comment(text *t, const message_plan *m, const field_plan *f,
                              const char *indent)
{
    int32_t path[MAX_PATH + 2];

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

    if (f->proto->type == MOTE_PB_ENUM_TYPE)
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

    if (f->is_supplied)
        text_add(t, "%smote_pb_supply %s; /* get() fills a %s */\n", indent, f->member,
                 is_message ? f->sub->c_name : value);
    else if (is_message && (f->presence == REPEATED || f->presence == PACKED))
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

static void put_numbers(text *t, const message_plan *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        text_add(t, "enum { %s = %d };\n", m->type->numbers[f->index], f->proto->number);
        if (f->oneof >= 0)
            text_add(t, "enum { %s = %d };\n", m->type->constants[f->index], f->proto->number);
    }
}

/* Functions that set and read a member of a oneof: they cannot take the wrong member. */
static void put_accessors(text *t, const message_plan *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        if (f->oneof < 0)
            continue;
        bool is_message = is_message_type(f->pb_type);
        const char *one = m->oneofs[f->oneof];
        text_add(t,
                 "static inline void %s(%s *to, %s%svalue)\n"
                 "{\n"
                 "    to->%s.which = %d;\n"
                 "    to->%s.is.%s = value;\n"
                 "}\n",
                 m->type->setters[f->index], m->type->c_name, value_type(f), is_message ? "" : " ",
                 one, f->proto->number, one, f->member);
        text_add(t,
                 "static inline %s%s%s%s(const %s *from)\n"
                 "{\n"
                 "    return from->%s.which == %d ? %sfrom->%s.is.%s : NULL;\n"
                 "}\n",
                 is_message ? "" : "const ", value_type(f), is_message ? "" : " *",
                 m->type->getters[f->index], m->type->c_name, one, f->proto->number,
                 is_message ? "" : "&", one, f->member);
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
    put_numbers(t, m);
    put_accessors(t, m);
    free(done);
}

/* ---- the bytes of a struct ----------------------------------------------------------------- */

typedef struct {
    size_t size, align;
} extent;

static void add_extent(extent *to, extent e)
{
    to->size = (to->size + e.align - 1) / e.align * e.align + e.size;
    if (to->align < e.align)
        to->align = e.align;
}

static extent value_extent(const field_plan *f)
{
    const char *member = type_rows[f->pb_type].member;

    if (is_message_type(f->pb_type) || strstr(member, "64") || strcmp(member, "double") == 0)
        return (extent){8, 8};
    if (type_rows[f->pb_type].kind == MOTE_PB_VIEW)
        return (extent){16, 8};
    return f->pb_type == MOTE_PB_BOOL ? (extent){1, 1} : (extent){4, 4};
}

static extent member_extent(const field_plan *f)
{
    extent e = value_extent(f), with_has = {1, 1};

    if (f->is_supplied)
        return (extent){32, 8};
    if (f->presence == REPEATED || f->presence == PACKED)
        return (extent){16, 8};
    if (f->presence != EXPLICIT || is_message_type(f->pb_type))
        return e;
    add_extent(&with_has, e);
    add_extent(&with_has, (extent){0, with_has.align});
    return with_has;
}

static extent oneof_extent(const message_plan *m, int oneof)
{
    extent is = {0, 1}, all = {4, 4};

    for (size_t i = 0; i < m->count; i++) {
        if (m->fields[i].oneof != oneof)
            continue;
        extent e = member_extent(&m->fields[i]);
        is.size = is.size > e.size ? is.size : e.size;
        is.align = is.align > e.align ? is.align : e.align;
    }
    add_extent(&all, is);
    add_extent(&all, (extent){0, all.align});
    return all;
}

size_t struct_size(const message_plan *m)
{
    bool *done = allocate(m->type->message->oneof_decl.count + 1);
    extent all = {0, 1};

    for (size_t i = 0; i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        if (f->oneof < 0)
            add_extent(&all, member_extent(f));
        else if (!done[f->oneof])
            add_extent(&all, oneof_extent(m, f->oneof));
        if (f->oneof >= 0)
            done[f->oneof] = true;
    }
    if (m->unknown)
        add_extent(&all, (extent){16, 8});
    add_extent(&all, (extent){0, all.align});
    free(done);
    return all.size;
}

/* ---- sizes --------------------------------------------------------------------------------- */

static uint64_t varint_size(uint64_t v)
{
    uint64_t n = 1;

    for (; v >= 128; v >>= 7)
        n++;
    return n;
}

static uint64_t scalar_size(unsigned pb_type)
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

static void size_message(message_plan *m);

/* The largest encoding of a field; false: its schema sets no bound. */
static bool size_field(const field_plan *f, uint64_t *size)
{
    uint64_t key = varint_size((uint64_t)f->proto->number << 3);

    if (f->presence == REPEATED || f->presence == PACKED ||
        type_rows[f->pb_type].kind == MOTE_PB_VIEW)
        return false;
    if (!is_message_type(f->pb_type)) {
        *size = key + scalar_size(f->pb_type);
        return true;
    }
    message_plan *sub = plan_of(f->sub);
    size_message(sub); /* each message is sized once; messages nest to 100 in protoc at the most */
    *size = key + sub->max_size + (f->pb_type == MOTE_PB_GROUP ? key : varint_size(sub->max_size));
    return sub->bounded;
}

/* A message that is met again while it is being measured contains itself: its size has no bound. */
static void size_message(message_plan *m)
{
    static size_t depth;
    uint64_t *largest, size = 0;

    if (m->sized != NOT_SIZED)
        return;
    m->sized = AT_WORK;
    go_deeper(&depth, m->type);
    largest = allocate((m->type->message->oneof_decl.count + 1) * sizeof *largest);
    bool bounded = m->unknown == NULL;
    for (size_t i = 0; bounded && i < m->count; i++) {
        const field_plan *f = &m->fields[i];
        bounded = size_field(f, &size);
        if (f->oneof < 0)
            m->max_size += size;
        else if (size > largest[f->oneof])
            largest[f->oneof] = size;
    }
    for (size_t i = 0; i < m->type->message->oneof_decl.count; i++)
        m->max_size += largest[i];
    m->bounded = bounded && m->max_size < INT32_MAX;
    m->sized = SIZED;
    depth--;
    free(largest);
}

void put_sizes(text *t, message_plan *m)
{
    size_message(m);
    if (m->bounded)
        text_add(t, "#define %s_MAX_SIZE %llu /* bytes of any encoding */\n", m->type->c_name,
                 (unsigned long long)m->max_size);
}

/* ---- depth --------------------------------------------------------------------------------- */

/* A message that is met again while it is being measured contains itself. Each is measured once. */
static size_t measure_depth(message_plan *m)
{
    static size_t at;
    size_t deepest = 0;
    bool holds_itself = false;

    if (m->measured != NOT_MEASURED)
        return m->depth;
    m->measured = BEING_MEASURED;
    go_deeper(&at, m->type);
    for (size_t i = 0; i < m->count; i++) {
        if (!is_message_type(m->fields[i].pb_type))
            continue;
        size_t depth = measure_depth(plan_of(m->fields[i].sub));
        holds_itself |= depth == 0;
        deepest = depth > deepest ? depth : deepest;
    }
    at--;
    m->depth = holds_itself ? 0 : deepest + 1;
    m->measured = MEASURED;
    return m->depth;
}

void put_depth(text *t, message_plan *m)
{
    size_t depth = measure_depth(m);
    const char *name = m->type->c_name;

    if (depth > 0)
        text_add(t, "#define %s_DEPTH %zu /* messages inside of each other */\n", name, depth);
    else
        text_add(t,
                 "#ifndef %s_DEPTH /* it may hold itself */\n"
                 "#define %s_DEPTH MOTE_PB_DEPTH\n"
                 "#endif\n",
                 name, name);
}

/* ---- enums --------------------------------------------------------------------------------- */

void put_enum(text *t, const type *e)
{
    const EnumDescriptorProto *d = e->enumeration;

    text_add(t, "\n");
    put_comment(t, e->file, e->path, e->path_len, "");
    text_add(t, "typedef int32_t %s;\nenum {\n", e->c_name);
    for (size_t i = 0; i < d->value.count; i++) {
        int32_t path[MAX_PATH + 2];
        memcpy(path, e->path, sizeof e->path);
        path[e->path_len] = 2;
        path[e->path_len + 1] = (int32_t)i;
        put_comment(t, e->file, path, e->path_len + 2, "    ");
        if (d->value.items[i].number == INT32_MIN)
            text_add(t, "    %s = -2147483647 - 1,\n", e->constants[i]);
        else
            text_add(t, "    %s = %d,\n", e->constants[i], d->value.items[i].number);
    }
    text_add(t, "};\n");
    if (opt.names || opt.json)
        text_add(t,
                 "extern const mote_pb_enum_names %s_names;\n"
                 "/* NULL: no value has this number. */\n"
                 "static inline const char *%s_name(%s value)\n"
                 "{\n"
                 "    return mote_pb_enum_name(&%s_names, value);\n"
                 "}\n"
                 "/* false: no value has this name. */\n"
                 "static inline bool %s_parse(mote_pb_string name, %s *value)\n"
                 "{\n"
                 "    return mote_pb_enum_number(&%s_names, name, value);\n"
                 "}\n",
                 e->c_name, e->c_name, e->c_name, e->c_name, e->c_name, e->c_name, e->c_name);
    if (opt.json)
        text_add(t, "extern const mote_pb_json_enum %s_json;\n", e->c_name);
    if (is_closed(e))
        text_add(t, "extern const mote_pb_message %s_closed;\n", e->c_name);
}

/* In the order of the .proto file: a number with two names is printed by the first. */
void put_enum_names(text *t, const type *e)
{
    const EnumDescriptorProto *d = e->enumeration;

    text_add(t, "\nstatic const mote_pb_enum_value %s_name_values[] = {\n", e->c_name);
    for (size_t i = 0; i < d->value.count; i++)
        text_add(t, "    {\"%.*s\", %s},\n", S(d->value.items[i].name), e->constants[i]);
    text_add(t, "};\nconst mote_pb_enum_names %s_names = {%s_name_values, %zu};\n", e->c_name,
             e->c_name, d->value.count);
}
