/* C names: of members, types, files. */
#include "generator.h"

#include <string.h>

/* Words of C11 and C++20, and macros that headers of the C library define in lower case. */
static const char *const reserved[] = {
    "alignas",
    "alignof",
    "and",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "compl",
    "concept",
    "const",
    "consteval",
    "constexpr",
    "constinit",
    "const_cast",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "nullptr",
    "operator",
    "or",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "errno",
    "assert",
    "linux",
    "unix",
    "stdin",
    "stdout",
    "stderr",
    "signals",
    "NULL",
    "EOF",
    "FILE",
    "typeof",
    "typeof_unqual",
    "_Bool",
    "_Atomic",
    "co_await",
    "co_return",
    "co_yield",
    "char8_t",
    "char16_t",
    "char32_t",
    "atomic_cancel",
    "atomic_commit",
    "atomic_noexcept",
    "reflexpr",
    "synchronized",
    "and_eq",
    "or_eq",
    "xor_eq",
    "not_eq",
    "size_t",
    "ptrdiff_t",
    "int32_t",
    "int64_t",
    "uint8_t",
    "uint32_t",
    "uint64_t",
    "offsetof",
    "main",
    "i386",
    "noreturn",
    "complex",
    "va_list",
    "INT32_MAX",
    "UINT32_MAX",
    "SIZE_MAX",
    "INT_MAX",
    "BUFSIZ",
    "SEEK_SET",
    "SEEK_CUR",
    "SEEK_END",
    "EDOM",
    "ERANGE",
    "EILSEQ",
    "RAND_MAX",
    "EXIT_SUCCESS",
    "EXIT_FAILURE",
    "CLOCKS_PER_SEC",
    "HUGE_VAL",
    "INFINITY",
    "NAN",
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
    if (opt.prefix && *opt.prefix)
        return format("%s_%.*s", opt.prefix, S(name));
    if (opt.prefix || file->package.len == 0)
        return c_member(name);
    return underscored(format("%.*s_%.*s", S(file->package), S(name)));
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
