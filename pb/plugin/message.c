/* Messages: their fields are planned, then written as a struct. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

enum { PROTO_OPTIONAL = 1, PROTO_REQUIRED = 2, PROTO_REPEATED = 3, MAX_FIELD_BYTES = 10 };

/* ---- features ------------------------------------------------------------------------------ */

static bool is_proto3(const FileDescriptorProto *f)
{
    return view_is(f->syntax, "proto3");
}

static bool is_editions(const FileDescriptorProto *f)
{
    return view_is(f->syntax, "editions");
}

/* A feature of an edition: what the field says, or the scopes around it, or the default. */
static uint32_t feature(const type *t, const FieldDescriptorProto *f, size_t member,
                        uint32_t fallback)
{
    const FeatureSet *own = f->options ? f->options->features : NULL;
    uint32_t value = 0;

    if (own)
        memcpy(&value, (const char *)own + member, sizeof value);
    for (size_t i = 0; value == 0 && i < sizeof t->features / sizeof t->features[0]; i++) {
        if (t->features[i])
            memcpy(&value, (const char *)t->features[i] + member, sizeof value);
    }
    return value ? value : fallback;
}

bool is_message_type(unsigned pb_type)
{
    return pb_type == MOTE_PB_MESSAGE || pb_type == MOTE_PB_GROUP;
}

static unsigned pb_type_of(const type *t, const FieldDescriptorProto *f)
{
    bool checked = is_proto3(t->file);

    if (is_editions(t->file))
        checked = feature(t, f, offsetof(FeatureSet, utf8_validation), 2) == 2;
    if (f->type == MOTE_PB_TEXT && !checked)
        return MOTE_PB_BYTES;
    if (f->type == MOTE_PB_MESSAGE && is_editions(t->file) &&
        !(t->message->options && t->message->options->map_entry) &&
        feature(t, f, offsetof(FeatureSet, message_encoding), 1) == 2)
        return MOTE_PB_GROUP;
    return (unsigned)f->type;
}

static bool can_be_packed(unsigned pb_type)
{
    return pb_type != MOTE_PB_TEXT && pb_type != MOTE_PB_BYTES && !is_message_type(pb_type);
}

static enum presence presence_of(const type *t, const FieldDescriptorProto *f, unsigned pb_type)
{
    bool packed = is_proto3(t->file), is_explicit = !is_proto3(t->file) || f->proto3_optional;

    if (is_editions(t->file)) {
        uint32_t presence = feature(t, f, offsetof(FeatureSet, field_presence), 1);
        packed = feature(t, f, offsetof(FeatureSet, repeated_field_encoding), 1) == 1;
        is_explicit = presence == 1;
        if (presence == 3)
            return REQUIRED;
    }
    if (f->options && f->options->packed.has)
        packed = f->options->packed.value;
    if (f->label == PROTO_REPEATED)
        return packed && can_be_packed(pb_type) ? PACKED : REPEATED;
    if (f->label == PROTO_REQUIRED)
        return REQUIRED;
    if (f->oneof_index.has && !f->proto3_optional)
        return ONEOF;
    if (t->message->options && t->message->options->map_entry)
        return IMPLICIT;
    return is_explicit ? EXPLICIT : IMPLICIT;
}

static unsigned wire_of(unsigned pb_type)
{
    switch (pb_type) {
    case MOTE_PB_DOUBLE:
    case MOTE_PB_FIXED64:
    case MOTE_PB_SFIXED64:
        return 1;
    case MOTE_PB_FLOAT:
    case MOTE_PB_FIXED32:
    case MOTE_PB_SFIXED32:
        return 5;
    case MOTE_PB_TEXT:
    case MOTE_PB_BYTES:
    case MOTE_PB_MESSAGE:
        return 2;
    case MOTE_PB_GROUP:
        return 3;
    default:
        return 0;
    }
}

/* ---- planning ------------------------------------------------------------------------------ */

static int index_of_sub(message_plan *m, const type *sub)
{
    for (size_t i = 0; i < m->sub_count; i++) {
        if (m->subs[i] == sub)
            return (int)i;
    }
    if (m->sub_count == sizeof m->subs / sizeof m->subs[0])
        fail("%s: more than 127 different messages in one message: split it", m->type->full_name);
    m->subs[m->sub_count] = sub;
    return (int)m->sub_count++;
}

static void plan_field(message_plan *m, name_list *names, name_list *members, size_t index)
{
    const FieldDescriptorProto *proto = &m->type->message->field.items[index];
    field_plan *f = &m->fields[m->count];
    char *who = format("%.*s: %s.%.*s", S(m->type->file->name), m->type->full_name, S(proto->name));

    if (is_named(&opt.skip, m->type, proto->name))
        return;
    f->proto = proto;
    f->in[ENCODE] = !is_named(&opt.decode_only, m->type, proto->name);
    f->in[DECODE] = !is_named(&opt.encode_only, m->type, proto->name);
    f->index = (int)index;
    f->pb_type = pb_type_of(m->type, proto);
    f->wire = wire_of(f->pb_type);
    f->presence = presence_of(m->type, proto, f->pb_type);
    f->oneof = f->presence == ONEOF ? proto->oneof_index.value : -1;
    if (is_message_type(f->pb_type) || f->pb_type == MOTE_PB_ENUM_TYPE)
        f->sub = find_type(proto->type_name, who);
    if (is_message_type(f->pb_type))
        f->aux = index_of_sub(m, f->sub);
    f->member = unique_name(f->oneof >= 0 ? members : names, c_member(proto->name));
    m->count++;
}

message_plan *plan_message(const type *t)
{
    message_plan *m = allocate(sizeof *m);
    name_list *names = allocate(sizeof *names), *members = allocate(sizeof *members);
    const DescriptorProto *d = t->message;
    bool *used = allocate(d->oneof_decl.count + 1);

    m->type = t;
    m->fields = allocate((d->field.count + 1) * sizeof(field_plan));
    m->oneofs = allocate((d->oneof_decl.count + 1) * sizeof(char *));
    for (size_t i = 0; i < d->field.count; i++) {
        if (d->field.items[i].oneof_index.has && !d->field.items[i].proto3_optional)
            used[d->field.items[i].oneof_index.value] = true;
    }
    for (size_t i = 0; i < d->oneof_decl.count; i++) {
        if (used[i])
            m->oneofs[i] = unique_name(names, c_member(d->oneof_decl.items[i].name));
    }
    for (size_t i = 0; i < d->field.count; i++)
        plan_field(m, names, members, i);
    if (opt.keep_unknown && !(d->options && d->options->map_entry))
        m->unknown = unique_name(names, format("unknown_fields"));
    free(used);
    return m;
}

message_plan *plan_of(const type *t)
{
    static message_plan **plans;
    size_t i = (size_t)(t - types);

    if (!plans)
        plans = allocate(type_count * sizeof *plans);
    if (!plans[i])
        plans[i] = plan_message(t);
    return plans[i];
}

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

static const char *scalar_name(unsigned pb_type)
{
    static const char *const names[19] = {
        "", "double", "float", "int64",  "uint64", "int32", "uint64", "uint32", "bool", "string",
        "", "",       "bytes", "uint32", "int32",  "int32", "int64",  "int32",  "int64"};

    return names[pb_type];
}

static const char *field_scalar(const field_plan *f)
{
    return f->proto->type == MOTE_PB_TEXT ? "string" : scalar_name(f->pb_type);
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
    switch (wire_of(pb_type)) {
    case 1:
        return 8;
    case 5:
        return 4;
    default:
        break;
    }
    if (pb_type == MOTE_PB_BOOL)
        return 1;
    return pb_type == MOTE_PB_UINT32 || pb_type == MOTE_PB_SINT32 ? 5 : MAX_FIELD_BYTES;
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
        if (f->presence == REPEATED || f->presence == PACKED || f->pb_type == MOTE_PB_TEXT ||
            f->pb_type == MOTE_PB_BYTES) {
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
