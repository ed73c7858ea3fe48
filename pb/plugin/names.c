/* C names: of members, types, files. */
#include "generator.h"

#include <string.h>

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

/* "folder/name.proto" without its end. */
char *base_of(mote_pb_string name)
{
    size_t len = name.len;

    if (len > 6 && memcmp(name.data + len - 6, ".proto", 6) == 0)
        len -= 6;
    return format("%.*s", (int)len, name.data);
}

char *c_file(mote_pb_string name)
{
    char *c = base_of(name);

    for (char *p = c; *p; p++) {
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9'))
            *p = '_';
    }
    if (opt.prefix)
        return format("%s_%s_file", opt.prefix, c);
    return format("%s%s_file", *c >= '0' && *c <= '9' ? "_" : "", c);
}
