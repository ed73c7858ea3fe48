/* Messages: what their fields become. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL_OPTIONAL = 1, LABEL_REQUIRED = 2, LABEL_REPEATED = 3 };

/* ---- features ------------------------------------------------------------------------------ */

static bool is_proto3(const FileDescriptorProto *f)
{
    return view_is(f->syntax, "proto3");
}

static bool is_editions(const FileDescriptorProto *f)
{
    return view_is(f->syntax, "editions");
}

/* What one scope says of a feature; 0: nothing. */
static uint32_t said(const FeatureSet *features, size_t member)
{
    uint32_t value = 0;

    if (features)
        memcpy(&value, (const char *)features + member, sizeof value);
    return value;
}

/* A feature of an edition: what the field says, if there is one, or the scopes around it, or the
 * default. */
static uint32_t feature(const type *t, const FieldDescriptorProto *f, size_t member,
                        uint32_t fallback)
{
    const FileOptions *file = t->file->options;
    uint32_t value = said(f && f->options ? f->options->features : NULL, member);

    for (; value == 0 && t; t = t->parent)
        value = said(t->features, member);
    if (value == 0)
        value = said(file ? file->features : NULL, member);
    return value ? value : fallback;
}

const type_row type_rows[] = {
#define ROW(name, number, member, wire, kind)                                                      \
    [number] = {#name, #member, MOTE_PB_##wire, MOTE_PB_##kind},
    MOTE_PB_TYPES(ROW)
#undef ROW
};

bool is_message_type(unsigned pb_type)
{
    return type_rows[pb_type].kind == MOTE_PB_NESTED;
}

bool is_map_entry(const type *t)
{
    return t->message->options && t->message->options->map_entry;
}

bool is_closed(const type *e)
{
    if (is_editions(e->file))
        return feature(e, NULL, offsetof(FeatureSet, enum_type), 1) == 2;
    return !is_proto3(e->file);
}

static unsigned pb_type_of(const type *t, const FieldDescriptorProto *f)
{
    bool checked = is_proto3(t->file);

    if (is_editions(t->file))
        checked = feature(t, f, offsetof(FeatureSet, utf8_validation), 2) == 2;
    if (f->type == MOTE_PB_TEXT && !checked)
        return MOTE_PB_BYTES;
    if (f->type == MOTE_PB_ENUM_TYPE && is_closed(find_type(f->type_name, t->full_name)))
        return MOTE_PB_CLOSED;
    if (f->type == MOTE_PB_MESSAGE && is_editions(t->file) && !is_map_entry(t) &&
        !is_map_entry(find_type(f->type_name, t->full_name)) &&
        feature(t, f, offsetof(FeatureSet, message_encoding), 1) == 2)
        return MOTE_PB_GROUP;
    return (unsigned)f->type;
}

static bool can_be_packed(unsigned pb_type)
{
    return type_rows[pb_type].kind < MOTE_PB_VIEW;
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
    if (f->label == LABEL_REPEATED)
        return packed && can_be_packed(pb_type) ? PACKED : REPEATED;
    if (f->label == LABEL_REQUIRED)
        return REQUIRED;
    if (f->oneof_index.has && !f->proto3_optional)
        return ONEOF;
    if (is_map_entry(t))
        return IMPLICIT;
    return is_explicit ? EXPLICIT : IMPLICIT;
}

/* ---- planning ------------------------------------------------------------------------------ */

static int index_of_sub(message_plan *m, const type *sub)
{
    for (size_t i = 0; i < m->sub_count; i++) {
        if (m->subs[i] == sub)
            return (int)i;
    }
    if (m->sub_count == MOTE_PB_MANY_SUBS)
        return MOTE_PB_MANY_SUBS;
    m->subs[m->sub_count] = sub;
    return (int)m->sub_count++;
}

static void plan_field(message_plan *m, map *names, map *members, size_t index)
{
    const FieldDescriptorProto *proto = &m->type->message->field.items[index];
    field_plan *f = &m->fields[m->count];
    char *who = format("%.*s: %s.%.*s", S(m->type->file->name), m->type->full_name, S(proto->name));

    if (is_named(&opt.skip, m->type, proto->name))
        return;
    f->proto = proto;
    f->in[ENCODE] = !is_named(&opt.decode_only, m->type, proto->name);
    f->is_supplied = is_named(&opt.supplied, m->type, proto->name);
    f->in[DECODE] = !f->is_supplied && !is_named(&opt.encode_only, m->type, proto->name);
    f->in[BOTH] = !f->is_supplied;
    f->index = (int)index;
    f->pb_type = pb_type_of(m->type, proto);
    f->presence = presence_of(m->type, proto, f->pb_type);
    f->oneof = f->presence == ONEOF ? proto->oneof_index.value : -1;
    if (f->is_supplied && f->presence != REPEATED && f->presence != PACKED)
        fail("%s: a function supplies repeated fields, and this is none", who);
    if (f->is_supplied && f->pb_type == MOTE_PB_CLOSED)
        f->pb_type = MOTE_PB_ENUM_TYPE; /* a number is sent as it is */
    if (is_message_type(f->pb_type) || proto->type == MOTE_PB_ENUM_TYPE)
        f->sub = find_type(proto->type_name, who);
    if (is_message_type(f->pb_type) || f->pb_type == MOTE_PB_CLOSED)
        f->aux = index_of_sub(m, f->sub);
    else
        f->aux = f->is_supplied && f->presence == PACKED;
    f->member = unique_name(f->oneof >= 0 ? members : names, c_member(proto->name));
    m->count++;
}

/* In C++ no member of a struct has the name of a type that the struct is made of. */
static void keep_names_of_types(const type *t, map *names)
{
    const DescriptorProto *d = t->message;

    map_set(names, t->c_name, strlen(t->c_name), t->c_name);
    for (size_t i = 0; i < d->field.count; i++) {
        if (d->field.items[i].type_name.len > 0) {
            const char *name = find_type(d->field.items[i].type_name, t->full_name)->c_name;
            map_set(names, name, strlen(name), name);
        }
    }
}

static message_plan *plan_message(const type *t)
{
    message_plan *m = allocate(sizeof *m);
    map names = {0}, members = {0};
    const DescriptorProto *d = t->message;
    bool *used = allocate(d->oneof_decl.count + 1);

    keep_names_of_types(t, &names);
    keep_names_of_types(t, &members);
    m->type = t;
    m->fields = allocate((d->field.count + 1) * sizeof(field_plan));
    m->oneofs = allocate((d->oneof_decl.count + 1) * sizeof(char *));
    for (size_t i = 0; i < d->field.count; i++) {
        if (d->field.items[i].oneof_index.has && !d->field.items[i].proto3_optional)
            used[d->field.items[i].oneof_index.value] = true;
    }
    for (size_t i = 0; i < d->oneof_decl.count; i++) {
        if (used[i])
            m->oneofs[i] = unique_name(&names, c_member(d->oneof_decl.items[i].name));
    }
    for (size_t i = 0; i < d->field.count; i++)
        plan_field(m, &names, &members, i);
    if (opt.keep_unknown)
        m->unknown = unique_name(&names, format("unknown_fields"));
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

/* ---- messages inside of messages ----------------------------------------------------------- */

void go_deeper(size_t *depth, const type *t)
{
    enum { MOST = 10000 };

    if (++*depth > MOST)
        fail("%s: more than %d messages refer to each other in a row", t->full_name, MOST);
}

/* ---- tables -------------------------------------------------------------------------------- */

/* A message has a table of its own for a direction when that leaves out one of its fields, or of
 * the fields of a message inside of it; and for encoding when functions supply some of them. */
static bool differs(const message_plan *m, enum direction d, bool *seen)
{
    static size_t depth;
    bool found = false;

    if (seen[m->type - types])
        return false;
    seen[m->type - types] = true;
    for (size_t i = 0; i < m->count; i++) {
        if (m->fields[i].in[d] != m->fields[i].in[BOTH])
            return true;
    }
    go_deeper(&depth, m->type);
    for (size_t i = 0; i < m->count && !found; i++) {
        const field_plan *f = &m->fields[i];
        found = is_message_type(f->pb_type) && differs(plan_of(f->sub), d, seen);
    }
    depth--;
    return found;
}

char *stem_of(const type *t, enum direction d)
{
    static const char *const names[] = {"_encode", "_decode"};
    const field_names *others = d == ENCODE ? &opt.decode_only : &opt.encode_only;
    bool own = false;

    if (d != BOTH && others->count + opt.supplied.count > 0) {
        bool *seen = allocate(type_count);
        own = differs(plan_of(t), d, seen);
        free(seen);
    }
    return format("%s%s", t->c_name, own ? names[d] : "");
}
