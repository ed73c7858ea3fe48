/* C names: of members, types, files. */
#include "generator.h"

#include <string.h>

/* Whether C and C++ keep a name for themselves: two underscores, or one and a capital letter. */
static bool is_kept(const char *name)
{
    return name[0] == '_' && (name[1] == '_' || (name[1] >= 'A' && name[1] <= 'Z'));
}

static bool begins(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

static bool is_ours(const char *name)
{
    return begins(name, "mote_") || begins(name, "MOTE_");
}

/* A package mote.orders is a user's, but mote.pb is not, nor is a type mote.status: what stands
 * behind mote_ in the library's own names, up to the next underscore. */
static bool is_a_layers(const char *name)
{
    static const char *const owned[] = {
        "agent",    "backoff",  "call",       "channel", "check",  "clock",     "eth",
        "features", "freertos", "grpc",       "h2",      "health", "heartbeat", "hpack",
        "http1",    "inbox",    "io",         "lwip",    "opt",    "outbox",    "pb",
        "posix",    "ppp",      "reflection", "replay",  "rpc",    "serial",    "spool",
        "status",   "strerror", "tls",        "version", "web"};

    if (!begins(name, "mote_"))
        return false;
    const char *word = name + strlen("mote_");
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        size_t len = strlen(owned[i]);
        if (strncmp(word, owned[i], len) == 0 && (word[len] == '_' || word[len] == '\0'))
            return true;
    }
    return false;
}

static bool ends_with(const char *name, const char *end)
{
    size_t a = strlen(name), b = strlen(end);

    return a >= b && strcmp(name + a - b, end) == 0;
}

/* Macros that generated headers define. */
static bool is_like_a_macro(const char *name)
{
    return ends_with(name, "_MAX_SIZE") || ends_with(name, "_DEPTH") ||
           ends_with(name, "_DEFAULT") || ends_with(name, "_MOTE_H");
}

char *c_member(mote_pb_string view)
{
    char *name = format("%.*s", S(view));

    if (is_kept(name) || is_ours(name))
        name = format("x%s", name);
    while (is_word(name) || is_like_a_macro(name))
        name = format("%s_", name);
    return name;
}

static char *underscored(char *name)
{
    for (char *p = name; *p; p++) {
        if (*p == '.')
            *p = '_';
    }
    return name;
}

char *c_scope(const FileDescriptorProto *file, mote_pb_string name)
{
    const char *prefix = prefix_of(file);
    char *scope = format("%.*s", S(name));

    if (prefix)
        return *prefix ? format("%s_%s", prefix, scope) : scope;
    if (file->package.len > 0)
        scope = underscored(format("%.*s_%s", S(file->package), scope));
    bool is_taken =
        is_kept(scope) || (file->package.len == 0 ? is_ours(scope) : is_a_layers(scope));
    return is_taken ? format("x%s", scope) : scope;
}

char *unique_name(map *names, char *name)
{
    while (map_get(names, name, strlen(name)))
        name = format("%s_", name);
    map_set(names, name, strlen(name), name);
    return name;
}

/* ---- names of a file ----------------------------------------------------------------------- */

static map owners; /* of C names: files */

static bool is_free(const FileDescriptorProto *file, const char *stem, const char *const *endings,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *name = format("%s%s", stem, endings[i]);
        if (is_global_word(name) || map_get(&owners, name, strlen(name)) == file)
            return false;
    }
    return true;
}

char *claim(const FileDescriptorProto *file, char *stem, const char *const *endings, size_t count)
{
    while (!is_free(file, stem, endings, count))
        stem = format("%s_", stem);
    for (size_t i = 0; i < count; i++) {
        char *name = format("%s%s", stem, endings[i]);
        const FileDescriptorProto *other = map_get(&owners, name, strlen(name));
        if (other)
            fail("%.*s and %.*s both need the C name %s: give the package of one of them a prefix "
                 "(prefix=PACKAGE:NAME), or rename what has it",
                 S(other->name), S(file->name), name);
        map_set(&owners, name, strlen(name), file);
    }
    return stem;
}

static char *claim_one(const FileDescriptorProto *file, char *name)
{
    return claim(file, name, (const char *const[]){""}, 1);
}

static void name_fields(type *t)
{
    size_t count = t->message->field.count;

    t->constants = allocate(count * sizeof(char *));
    t->numbers = allocate(count * sizeof(char *));
    t->setters = allocate(count * sizeof(char *));
    t->getters = allocate(count * sizeof(char *));
    t->defaults = allocate(count * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        const FieldDescriptorProto *f = &t->message->field.items[i];
        char *name = format("%s_%.*s", t->c_name, S(f->name));
        t->numbers[i] = claim_one(t->file, format("%s_NUMBER", name));
        if (f->oneof_index.has && !f->proto3_optional) {
            t->constants[i] = claim_one(t->file, name);
            t->setters[i] = claim_one(t->file, format("%s_set_%.*s", t->c_name, S(f->name)));
            t->getters[i] = claim_one(t->file, format("%s_get_%.*s", t->c_name, S(f->name)));
        }
        if (f->default_value.has)
            t->defaults[i] = claim_one(t->file, format("%s_DEFAULT", name));
    }
}

static void name_values(type *t)
{
    size_t count = t->enumeration->value.count;

    t->constants = allocate(count * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        mote_pb_string name = t->enumeration->value.items[i].name;
        t->constants[i] = claim_one(t->file, format("%s_%.*s", t->c_name, S(name)));
    }
}

void name_constants(type *t)
{
    if (t->message)
        name_fields(t);
    else
        name_values(t);
}

/* All names that a method may need are reserved: they do not depend on the options. */
static char *name_method(const FileDescriptorProto *file, const char *scope, mote_pb_string name)
{
    static const char *const endings[] = {"",
                                          "_path",
                                          "_request",
                                          "_response",
                                          "_start",
                                          "_offer",
                                          "_take",
                                          "_send",
                                          "_finish",
                                          "_recv",
                                          "_call",
                                          "_read",
                                          "_write",
                                          "_answer",
                                          "_large",
                                          "_large_request",
                                          "_large_response",
                                          "_offer_large",
                                          "_send_large",
                                          "_call_large",
                                          "_write_large",
                                          "_answer_large"};

    return claim(file, format("%s_%.*s", scope, S(name)), endings,
                 sizeof endings / sizeof endings[0]);
}

void name_services(source *s)
{
    static const char *const endings[] = {"_METHODS", "_SERVICE", "_CONNECT", "_connect_methods"};
    size_t count = s->proto->service.count;

    s->services = allocate(count * sizeof(char *));
    s->methods = allocate(count * sizeof(char **));
    for (size_t i = 0; i < count; i++) {
        mote_pb_string name = s->proto->service.items[i].name;
        s->services[i] =
            claim(s->proto, c_scope(s->proto, name), endings, sizeof endings / sizeof endings[0]);
    }
    for (size_t i = 0; i < count; i++) {
        const ServiceDescriptorProto *service = &s->proto->service.items[i];
        char *scope = c_scope(s->proto, service->name);
        s->methods[i] = allocate(service->method.count * sizeof(char *));
        for (size_t k = 0; k < service->method.count; k++)
            s->methods[i][k] = name_method(s->proto, scope, service->method.items[k].name);
    }
}

/* ---- names of files ------------------------------------------------------------------------ */

/* "folder/name.proto" without its end. */
char *base_of(mote_pb_string name)
{
    size_t len = name.len;

    if (len > 6 && memcmp(name.data + len - 6, ".proto", 6) == 0)
        len -= 6;
    return format("%.*s", (int)len, name.data);
}

char *c_file(const FileDescriptorProto *file)
{
    const char *prefix = prefix_of(file);
    char *c = base_of(file->name);

    for (char *p = c; *p; p++) {
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9'))
            *p = '_';
    }
    if (prefix)
        return format("%s_%s_file", prefix, c);
    return format("%s%s_file", *c >= '0' && *c <= '9' ? "_" : "", c);
}

void name_file(const FileDescriptorProto *file)
{
    char *name = c_file(file);

    if (strcmp(claim_one(file, name), name) != 0)
        fail("%.*s: its descriptor and a type in it both need the C name %s: rename the file",
             S(file->name), name);
}
