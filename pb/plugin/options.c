/* The options of the command line. */
#include "generator.h"

#include <string.h>

options opt;

static void add_option_field(field_names *list, char *field)
{
    if (list->count == sizeof list->names / sizeof list->names[0])
        fail("%s: more than %zu fields in an option", field, list->count);
    list->names[list->count++] = field;
}

void map_package(const char *package, const char *prefix)
{
    if (opt.prefix_count == sizeof opt.prefixes / sizeof opt.prefixes[0])
        fail("more than %zu packages with a prefix", opt.prefix_count);
    opt.prefixes[opt.prefix_count++] = (package_prefix){package, prefix};
}

/* prefix=NAME or prefix=PACKAGE:NAME. */
static void add_prefix(char *value)
{
    char *colon = strchr(value, ':');
    const char *prefix = colon ? colon + 1 : value;

    for (const char *p = prefix; *p; p++) {
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && *p != '_' &&
            !(*p >= '0' && *p <= '9' && p > prefix))
            fail("prefix=%s: '%s' is no identifier", value, prefix);
    }
    if (!colon) {
        opt.prefix = value;
        return;
    }
    *colon = '\0';
    map_package(value, prefix);
}

static void set_runtime(char *value)
{
    if (strchr(value, '"') || strchr(value, '\n') || strchr(value, '\\'))
        fail("runtime=%s is no name of a folder", value);
    size_t len = strlen(value);
    opt.runtime_is_file = len > 2 && strcmp(value + len - 2, ".h") == 0;
    opt.runtime = len > 0 && !opt.runtime_is_file ? format("%s/", value) : value;
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
    else if (strcmp(name, "large") == 0)
        opt.large = true;
    else if (strcmp(name, "sizes") == 0)
        opt.sizes = true;
    else if (strcmp(name, "names") == 0)
        opt.names = true;
    else if (strcmp(name, "json") == 0)
        opt.json = true;
    else if (strcmp(name, "connect") == 0)
        opt.json = opt.connect = true;
    else if (strcmp(name, "descriptors") == 0)
        opt.descriptors = true;
    else if (strcmp(name, "descriptors_only") == 0)
        opt.descriptors = opt.descriptors_only = true;
    else if (strcmp(name, "prefix") == 0 && value)
        add_prefix(value);
    else if (strcmp(name, "runtime") == 0 && value)
        set_runtime(value);
    else if (strcmp(name, "skip") == 0 && value)
        add_option_field(&opt.skip, value);
    else if (strcmp(name, "encode_only") == 0 && value)
        add_option_field(&opt.encode_only, value);
    else if (strcmp(name, "decode_only") == 0 && value)
        add_option_field(&opt.decode_only, value);
    else if (strcmp(name, "supplied") == 0 && value)
        add_option_field(&opt.supplied, value);
    else if (*name)
        fail("unknown option '%s': there are client, server, large, keep_unknown, names, "
             "sizes, json, connect, descriptors, descriptors_only, prefix=NAME, "
             "prefix=PACKAGE:NAME, "
             "runtime=FOLDER or "
             "runtime=mote.h, and skip, encode_only, decode_only and supplied=MESSAGE.FIELD",
             name);
}

void parse_options(const char *parameter)
{
    char *rest = format("%s", parameter), *name;

    opt.runtime = "mote/";
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

const char *prefix_of(const FileDescriptorProto *file)
{
    for (size_t i = 0; i < opt.prefix_count; i++) {
        if (view_is(file->package, opt.prefixes[i].package))
            return opt.prefixes[i].prefix;
    }
    return NULL;
}
