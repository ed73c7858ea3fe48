/* Types of all files of the request. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

type *types;
size_t type_count;

static name_list type_names;

static type *new_type(const FileDescriptorProto *file, const type *parent, mote_pb_string name)
{
    type *t = &types[type_count++];

    t->file = file;
    t->parent = parent;
    if (parent) {
        t->full_name = format("%s.%.*s", parent->full_name, S(name));
        t->c_name = format("%s_%.*s", parent->c_name, S(name));
        memcpy(t->path, parent->path, sizeof t->path);
        t->path_len = parent->path_len;
    } else {
        t->full_name =
            format("%.*s%s%.*s", S(file->package), file->package.len ? "." : "", S(name));
        t->c_name = c_scope(file, name);
    }
    t->c_name = unique_name(&type_names, t->c_name);
    return t;
}

static void add_path(type *t, int32_t number, size_t index)
{
    if (t->path_len + 2 > sizeof t->path / sizeof t->path[0])
        fail("%s: messages are nested too deeply", t->full_name);
    t->path[t->path_len++] = number;
    t->path[t->path_len++] = (int32_t)index;
}

/* Features from the innermost scope outwards. */
static void set_features(type *t, const FeatureSet *own)
{
    t->features[0] = own;
    if (t->parent)
        memcpy(t->features + 1, t->parent->features, sizeof t->features - sizeof t->features[0]);
    else
        t->features[1] = t->file->options ? t->file->options->features : NULL;
}

static void collect_enum(const FileDescriptorProto *file, const type *parent,
                         const EnumDescriptorProto *e, size_t index)
{
    type *t = new_type(file, parent, e->name);

    t->enumeration = e;
    add_path(t, parent ? 4 : 5, index);
    set_features(t, e->options ? e->options->features : NULL);
}

/* Nesting is limited by the parser of protoc, and by the path of a type. */
static void collect_message(const FileDescriptorProto *file, const type *parent,
                            const DescriptorProto *m, size_t index)
{
    type *t = new_type(file, parent, m->name);

    t->message = m;
    add_path(t, parent ? 3 : 4, index);
    set_features(t, m->options ? m->options->features : NULL);
    for (size_t i = 0; i < m->nested_type.count; i++)
        collect_message(file, t, &m->nested_type.items[i], i);
    for (size_t i = 0; i < m->enum_type.count; i++)
        collect_enum(file, t, &m->enum_type.items[i], i);
}

static size_t count_types(const DescriptorProto *m)
{
    size_t n = 1 + m->enum_type.count;

    for (size_t i = 0; i < m->nested_type.count; i++)
        n += count_types(&m->nested_type.items[i]);
    return n;
}

void collect_types(const CodeGeneratorRequest *request)
{
    size_t n = 0;

    for (size_t i = 0; i < request->proto_file.count; i++) {
        const FileDescriptorProto *f = &request->proto_file.items[i];
        n += f->enum_type.count;
        for (size_t k = 0; k < f->message_type.count; k++)
            n += count_types(&f->message_type.items[k]);
    }
    types = allocate(n * sizeof(type));
    for (size_t i = 0; i < request->proto_file.count; i++) {
        const FileDescriptorProto *f = &request->proto_file.items[i];
        for (size_t k = 0; k < f->message_type.count; k++)
            collect_message(f, NULL, &f->message_type.items[k], k);
        for (size_t k = 0; k < f->enum_type.count; k++)
            collect_enum(f, NULL, &f->enum_type.items[k], k);
    }
}

const type *find_type(mote_pb_string name, const char *who)
{
    for (size_t i = 0; i < type_count && name.len > 0; i++) {
        if (strlen(types[i].full_name) == name.len - 1 &&
            memcmp(types[i].full_name, name.data + 1, name.len - 1) == 0)
            return &types[i];
    }
    fail("%s: its type %.*s is in none of the files of the request: import the file", who, S(name));
}

/* ---- fields that options name */

static bool is_there(char *name)
{
    char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < type_count; i++) {
        const DescriptorProto *m = types[i].message;
        if (!m || strlen(types[i].full_name) != (size_t)(dot - name) ||
            strncmp(types[i].full_name, name, (size_t)(dot - name)) != 0)
            continue;
        for (size_t f = 0; f < m->field.count; f++) {
            if (view_is(m->field.items[f].name, dot + 1))
                return true;
        }
    }
    return false;
}

void check_options(void)
{
    const field_names *lists[] = {&opt.skip, &opt.encode_only, &opt.decode_only};

    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            if (!is_there(lists[l]->names[i]))
                fail("the options name a field '%s' that no message has: write "
                     "package.Message.field",
                     lists[l]->names[i]);
        }
    }
}
