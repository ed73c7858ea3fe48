/* Names, types, and the options of the command line. */
#include "generator.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

options opt;
type *types;
size_t type_count;

void *allocate(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (!p)
        fail("out of memory");
    return p;
}

void text_bytes(text *t, const char *bytes, size_t len)
{
    if (t->cap - t->len < len) {
        t->cap = 2 * (t->len + len) + 1024;
        t->bytes = realloc(t->bytes, t->cap);
        if (!t->bytes)
            fail("out of memory");
    }
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

static char *format_list(const char *pattern, va_list list)
{
    va_list again;

    va_copy(again, list);
    size_t len = (size_t)vsnprintf(NULL, 0, pattern, again) + 1;
    va_end(again);
    char *p = allocate(len);
    vsnprintf(p, len, pattern, list);
    return p;
}

char *format(const char *pattern, ...)
{
    va_list list;

    va_start(list, pattern);
    char *p = format_list(pattern, list);
    va_end(list);
    return p;
}

void text_add(text *t, const char *pattern, ...)
{
    va_list list;

    va_start(list, pattern);
    char *p = format_list(pattern, list);
    va_end(list);
    text_bytes(t, p, strlen(p));
    free(p);
}

bool view_is(mote_pb_string view, const char *s)
{
    return view.len == strlen(s) && memcmp(view.data, s, view.len) == 0;
}

/* ---- options ------------------------------------------------------------------------------- */

static void add_field(field_names *list, char *field)
{
    if (list->count == sizeof list->names / sizeof list->names[0])
        fail("%s: more than %zu fields in an option", field, list->count);
    list->names[list->count++] = field;
}

static void one_option(char *name)
{
    char *value = strchr(name, '=');

    if (value)
        *value++ = '\0';
    if (strcmp(name, "client") == 0)
        opt.client = true;
    else if (strcmp(name, "server") == 0)
        opt.server = true;
    else if (strcmp(name, "keep_unknown") == 0)
        opt.keep_unknown = true;
    else if (strcmp(name, "names") == 0)
        opt.names = true;
    else if (strcmp(name, "descriptors") == 0)
        opt.descriptors = true;
    else if (strcmp(name, "prefix") == 0 && value)
        opt.prefix = value;
    else if (strcmp(name, "runtime") == 0 && value)
        opt.runtime = *value ? format("%s/", value) : "";
    else if (strcmp(name, "skip") == 0 && value)
        add_field(&opt.skip, value);
    else if (strcmp(name, "encode_only") == 0 && value)
        add_field(&opt.encode_only, value);
    else if (strcmp(name, "decode_only") == 0 && value)
        add_field(&opt.decode_only, value);
    else if (*name)
        fail("unknown option '%s': there are client, server, keep_unknown, names, descriptors, "
             "prefix=NAME, "
             "runtime=FOLDER, and skip, encode_only and decode_only=MESSAGE.FIELD",
             name);
}

void parse_options(const char *parameter)
{
    char *rest = format("%s", parameter), *name;

    opt.runtime = "";
    while ((name = rest) && *name) {
        rest = strchr(name, ',');
        if (rest)
            *rest++ = '\0';
        one_option(name);
    }
    if (!opt.client && !opt.server)
        opt.client = opt.server = true;
}

bool is_named(const field_names *list, const type *message, mote_pb_string field)
{
    size_t len = strlen(message->full_name);

    for (size_t i = 0; i < list->count; i++) {
        if (strncmp(list->names[i], message->full_name, len) == 0 && list->names[i][len] == '.' &&
            view_is(field, list->names[i] + len + 1))
            return true;
    }
    return false;
}

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

/* ---- names --------------------------------------------------------------------------------- */

/* Words of C11 and C++20, and macros that headers of the C library define in lower case. */
static const char *const reserved[] = {
    "alignas",      "alignof",
    "and",          "asm",
    "auto",         "bitand",
    "bitor",        "bool",
    "break",        "case",
    "catch",        "char",
    "class",        "compl",
    "concept",      "const",
    "consteval",    "constexpr",
    "constinit",    "const_cast",
    "continue",     "decltype",
    "default",      "delete",
    "do",           "double",
    "dynamic_cast", "else",
    "enum",         "explicit",
    "export",       "extern",
    "false",        "float",
    "for",          "friend",
    "goto",         "if",
    "inline",       "int",
    "long",         "mutable",
    "namespace",    "new",
    "noexcept",     "not",
    "nullptr",      "operator",
    "or",           "private",
    "protected",    "public",
    "register",     "reinterpret_cast",
    "requires",     "restrict",
    "return",       "short",
    "signed",       "sizeof",
    "static",       "static_assert",
    "static_cast",  "struct",
    "switch",       "template",
    "this",         "thread_local",
    "throw",        "true",
    "try",          "typedef",
    "typeid",       "typename",
    "union",        "unsigned",
    "using",        "virtual",
    "void",         "volatile",
    "wchar_t",      "while",
    "xor",          "errno",
    "assert",       "linux",
    "unix",         "stdin",
    "stdout",       "stderr",
    "signals",
};

char *c_member(mote_pb_string name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (view_is(name, reserved[i]))
            return format("%.*s_", S(name));
    }
    return format("%.*s", S(name));
}

static char *underscored(char *name)
{
    for (char *p = name; *p; p++) {
        if (*p == '.' || *p == '-' || *p == '/')
            *p = '_';
    }
    return name;
}

char *c_scope(const FileDescriptorProto *file, mote_pb_string name)
{
    if (opt.prefix)
        return format("%s%s%.*s", opt.prefix, *opt.prefix ? "_" : "", S(name));
    return underscored(
        format("%.*s%s%.*s", S(file->package), file->package.len ? "_" : "", S(name)));
}

char *unique_name(name_list *list, char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->names[i], name) == 0) {
            name = format("%s_", name);
            i = (size_t)-1;
        }
    }
    if (list->count == sizeof list->names / sizeof list->names[0])
        fail("more than %zu names in one scope", list->count);
    return list->names[list->count++] = name;
}

/* ---- types --------------------------------------------------------------------------------- */

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
