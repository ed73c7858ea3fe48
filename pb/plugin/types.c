/* Types of all files of the request. */
#include "generator.h"

#include <string.h>

type *types;
size_t type_count;
source *sources;
size_t source_count;

static map by_name; /* types, by their full names */
static map files_by_name;

/* What is generated for a type: no other thing in the file has one of these names. */
static char *claim_type(const FileDescriptorProto *file, char *stem, bool is_message)
{
    static const char *const of_enum[] = {
        "",       "_closed",      "_values", "_names",      "_name",
        "_parse", "_name_values", "_json",   "_json_sorted"};
    static const char *const of_message[] = {"",
                                             "_layout",
                                             "_encoder",
                                             "_decoder",
                                             "_encode",
                                             "_decode",
                                             "_size",
                                             "_equal",
                                             "_copy",
                                             "_sized",
                                             "_names",
                                             "_json",
                                             "_json_fields",
                                             "_json_names",
                                             "_MAX_SIZE",
                                             "_DEPTH",
                                             "_put",
                                             "_fields",
                                             "_subs",
                                             "_field_names",
                                             "_sub_names",
                                             "_encode_layout",
                                             "_decode_layout",
                                             "_encode_fields",
                                             "_decode_fields",
                                             "_encode_subs",
                                             "_decode_subs"};

    if (!is_message)
        return claim(file, stem, of_enum, sizeof of_enum / sizeof of_enum[0]);
    return claim(file, stem, of_message, sizeof of_message / sizeof of_message[0]);
}

static type *new_type(const FileDescriptorProto *file, const type *parent, mote_pb_string name,
                      bool is_message)
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
    if (map_get(&by_name, t->full_name, strlen(t->full_name)))
        fail("%.*s: %s is there twice", S(file->name), t->full_name);
    map_set(&by_name, t->full_name, strlen(t->full_name), t);
    t->c_name = claim_type(file, t->c_name, is_message);
    return t;
}

static void add_path(type *t, int32_t number, size_t index)
{
    t->path[t->path_len++] = number;
    t->path[t->path_len++] = (int32_t)index;
}

static void collect_enum(const FileDescriptorProto *file, const type *parent,
                         const EnumDescriptorProto *e, size_t index)
{
    type *t = new_type(file, parent, e->name, false);

    t->enumeration = e;
    add_path(t, parent ? 4 : 5, index);
    t->features = e->options ? e->options->features : NULL;
}

/* Nesting is limited by check_request(). */
static void collect_message(const FileDescriptorProto *file, const type *parent,
                            const DescriptorProto *m, size_t index)
{
    type *t = new_type(file, parent, m->name, true);

    t->message = m;
    add_path(t, parent ? 3 : 4, index);
    t->features = m->options ? m->options->features : NULL;
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

static size_t count_all_types(void)
{
    size_t n = 0;

    for (size_t i = 0; i < source_count; i++) {
        const FileDescriptorProto *f = sources[i].proto;
        n += f->enum_type.count;
        for (size_t k = 0; k < f->message_type.count; k++)
            n += count_types(&f->message_type.items[k]);
    }
    return n;
}

/* Types have the first choice of a name, then the constants beside them, then services. */
static void collect_file(source *s)
{
    const FileDescriptorProto *f = s->proto;

    s->first = type_count;
    for (size_t k = 0; k < f->message_type.count; k++)
        collect_message(f, NULL, &f->message_type.items[k], k);
    for (size_t k = 0; k < f->enum_type.count; k++)
        collect_enum(f, NULL, &f->enum_type.items[k], k);
    s->end = type_count;
    for (size_t i = s->first; i < s->end; i++)
        name_constants(&types[i]);
    name_services(s);
    if (opt.descriptors)
        name_file(f);
}

void collect_files(const CodeGeneratorRequest *request)
{
    source_count = request->proto_file.count;
    sources = allocate(source_count * sizeof *sources);
    for (size_t i = 0; i < source_count; i++) {
        const FileDescriptorProto *f = &request->proto_file.items[i];
        if (map_get(&files_by_name, f->name.data, f->name.len))
            fail("%.*s is in the request twice", S(f->name));
        sources[i].proto = f;
        map_set(&files_by_name, f->name.data, f->name.len, &sources[i]);
    }
}

void collect_types(void)
{
    types = allocate(count_all_types() * sizeof(type));
    for (size_t i = 0; i < source_count; i++)
        collect_file(&sources[i]);
}

const source *source_of(const FileDescriptorProto *file)
{
    return &sources[file - sources[0].proto];
}

const FileDescriptorProto *find_file(mote_pb_string name)
{
    const source *s = map_get(&files_by_name, name.data, name.len);

    return s ? s->proto : NULL;
}

const FileDescriptorProto *import_of(const FileDescriptorProto *file, size_t index)
{
    const FileDescriptorProto *f = find_file(file->dependency.items[index]);

    if (!f)
        fail("%.*s: its import %.*s is not in the request", S(file->name),
             S(file->dependency.items[index]));
    return f;
}

const type *find_type(mote_pb_string name, const char *who)
{
    const type *t = name.len > 1 ? map_get(&by_name, name.data + 1, name.len - 1) : NULL;

    if (!t)
        fail("%s: its type %.*s is in none of the files of the request: import the file", who,
             S(name));
    return t;
}

/* ---- fields that options name */

static bool is_in_input(char *name)
{
    char *dot = strrchr(name, '.');
    const type *t = dot ? map_get(&by_name, name, (size_t)(dot - name)) : NULL;

    for (size_t f = 0; t && t->message && f < t->message->field.count; f++) {
        if (view_is(t->message->field.items[f].name, dot + 1))
            return true;
    }
    return false;
}

void check_options(void)
{
    const field_names *lists[] = {&opt.skip, &opt.encode_only, &opt.decode_only, &opt.supplied};

    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            if (!is_in_input(lists[l]->names[i]))
                fail("the options name a field '%s' that no message has: write "
                     "package.Message.field",
                     lists[l]->names[i]);
        }
    }
}
