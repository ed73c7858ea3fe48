/* prefix=NAME, without a package. */
#include "generator.h"

static void check_imports(const FileDescriptorProto *file)
{
    for (size_t i = 0; i < file->dependency.count; i++) {
        const FileDescriptorProto *other = find_file(file->dependency.items[i]);
        char *package = format("%.*s", S(file->package));
        if (other && !view_is(other->package, package) && prefix_of(other) == opt.prefix)
            fail("prefix=%s is meant for one package, and %.*s of %s imports %.*s of %.*s, which "
                 "is generated too: write prefix=%s:%s",
                 opt.prefix, S(file->name), package, S(other->name), S(other->package), package,
                 opt.prefix);
    }
}

/* prefix=NAME stands for the packages of the files that are generated. What a file gets does not
 * depend on what else is generated, so these do not import each other. */
void spread_prefix(const CodeGeneratorRequest *request)
{
    size_t count = request->file_to_generate.count;

    for (size_t i = 0; opt.prefix && i < count; i++) {
        const FileDescriptorProto *f = find_file(request->file_to_generate.items[i]);
        if (f && !prefix_of(f))
            map_package(format("%.*s", S(f->package)), opt.prefix);
    }
    for (size_t i = 0; opt.prefix && i < count; i++) {
        const FileDescriptorProto *f = find_file(request->file_to_generate.items[i]);
        if (f && prefix_of(f) == opt.prefix)
            check_imports(f);
    }
}
