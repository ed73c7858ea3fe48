/* The options of the command line. */
#include "generator.h"

#include <string.h>

options opt;

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
    else if (strcmp(name, "descriptors_only") == 0)
        opt.descriptors = opt.descriptors_only = true;
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
             "descriptors_only, prefix=NAME, runtime=FOLDER, and skip, encode_only and "
             "decode_only=MESSAGE.FIELD",
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
