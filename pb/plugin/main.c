/*
 * protoc-gen-mote: the plugin of protoc. Reads a CodeGeneratorRequest from standard input and
 * writes a CodeGeneratorResponse to standard output, both with the library that it generates code
 * for.
 *
 *   protoc --plugin=build/protoc-gen-mote --mote_out=FOLDER [--mote_opt=OPTIONS] FILE.proto
 */
#include "generator.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { PROTO3_OPTIONAL = 1, SUPPORTS_EDITIONS = 2, EDITION_PROTO2 = 998, EDITION_2023 = 1000 };

static void write_response(const CodeGeneratorResponse *response)
{
    size_t len;

    mote_pb_size(&CodeGeneratorResponse_table, response, &len);
    uint8_t *out = malloc(len + 1);
    if (!out || mote_pb_encode(&CodeGeneratorResponse_table, response, out, len, &len) < 0 ||
        fwrite(out, 1, len, stdout) != len || fflush(stdout) != 0) {
        fprintf(stderr, "protoc-gen-mote: error: the response cannot be written\n");
        exit(1);
    }
}

void fail(const char *pattern, ...)
{
    char reason[2048];
    va_list list;

    va_start(list, pattern);
    vsnprintf(reason, sizeof reason, pattern, list);
    va_end(list);
    CodeGeneratorResponse response = {.error = mote_pb_cstring(reason)};
    write_response(&response);
    exit(0); /* as plugin.proto asks: protoc prints the error and fails */
}

static uint8_t *read_input(size_t *len)
{
    uint8_t *bytes = NULL;
    size_t cap = 0, n = 1;

    for (*len = 0; n > 0; *len += n) {
        if (cap - *len < 65536) {
            cap = 2 * cap + 131072;
            bytes = realloc(bytes, cap);
            if (!bytes)
                exit(1);
        }
        n = fread(bytes + *len, 1, cap - *len, stdin);
    }
    return bytes;
}

/* ---- a file -------------------------------------------------------------------------------- */

/* "folder/name.proto" without its end. */
char *base_of(mote_pb_string name)
{
    size_t len = name.len;

    if (len > 6 && memcmp(name.data + len - 6, ".proto", 6) == 0)
        len -= 6;
    return format("%.*s", (int)len, name.data);
}

static char *guard_of(mote_pb_string name)
{
    char *guard = format("%s_MOTE_H", base_of(name));

    for (char *p = guard; *p; p++) {
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
        else if (!(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9'))
            *p = '_';
    }
    return *guard >= '0' && *guard <= '9' ? format("_%s", guard) : guard;
}

/* Messages inside of the arrays of others come first. Everything else is held by pointer, so this
 * order is a matter of declared names alone. */
static void put_types(text *h, const FileDescriptorProto *file)
{
    for (size_t i = 0; i < type_count; i++) {
        if (types[i].file == file && types[i].message)
            text_add(h, "typedef struct %s %s;\n", types[i].c_name, types[i].c_name);
    }
    for (size_t i = 0; i < type_count; i++) {
        if (types[i].file == file && types[i].enumeration)
            put_enum(h, &types[i]);
    }
    for (size_t i = 0; i < type_count; i++) {
        if (types[i].file == file && types[i].message)
            put_message_struct(h, plan_of(&types[i]));
    }
}

static void put_codec(text *h, const message_plan *m)
{
    const char *name = m->type->c_name;

    char *tables[] = {table_of(m->type, ENCODE), table_of(m->type, DECODE),
                      table_of(m->type, BOTH)};

    text_add(h, "\nextern const mote_pb_message %s;\n", tables[BOTH]);
    for (enum direction d = ENCODE; d <= DECODE; d++) {
        if (strcmp(tables[d], tables[BOTH]) != 0)
            text_add(h, "extern const mote_pb_message %s;\n", tables[d]);
    }
    if (opt.names)
        text_add(h, "extern const mote_pb_names %s_names;\n", name);
    put_sizes(h, m);
    put_defaults(h, m);
    if (m->type->message->options && m->type->message->options->map_entry)
        return;
    text_add(
        h,
        "static inline int %s_encode(const %s *m, uint8_t *out, size_t cap, size_t *len)\n"
        "{\n    return mote_pb_encode(&%s, m, out, cap, len);\n}\n"
        "static inline int %s_decode(%s *m, const uint8_t *in, size_t len, mote_pb_arena *arena)\n"
        "{\n    return mote_pb_decode(&%s, m, in, len, arena, NULL);\n}\n"
        "static inline int %s_size(const %s *m, size_t *size)\n"
        "{\n    return mote_pb_size(&%s, m, size);\n}\n",
        name, name, tables[ENCODE], name, name, tables[DECODE], name, name, tables[ENCODE]);
}

static void put_includes(text *h, const FileDescriptorProto *file)
{
    if (file->service.count > 0)
        text_add(h, "#include \"%sgrpc/%s\"\n", opt.runtime,
                 opt.client ? "channel/channel.h" : "grpc.h");
    text_add(h, "#include \"%spb/pb.h\"\n", opt.runtime);
    for (size_t i = 0; i < file->dependency.count; i++)
        text_add(h, "#include \"%s.mote.h\"\n", base_of(file->dependency.items[i]));
}

static void generate_file(const FileDescriptorProto *file, text *h, text *c)
{
    char *guard = guard_of(file->name);

    text_add(h, "/* Generated by protoc-gen-mote from %.*s. Do not edit. */\n", S(file->name));
    text_add(h, "#ifndef %s\n#define %s\n\n", guard, guard);
    put_includes(h, file);
    text_add(h, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    put_types(h, file);
    for (size_t i = 0; i < type_count; i++) {
        if (types[i].file == file && types[i].message)
            put_codec(h, plan_of(&types[i]));
    }
    if (opt.descriptors)
        text_add(h, "\nextern const mote_pb_file %s;\n", c_file(file->name));
    for (size_t i = 0; i < file->service.count; i++)
        put_service_header(h, file, i);
    text_add(h, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
    text_add(c, "/* Generated by protoc-gen-mote from %.*s. Do not edit. */\n", S(file->name));
    text_add(c, "#include \"%s.mote.h\"\n", base_of(file->name));
    for (size_t i = 0; i < type_count; i++) {
        if (types[i].file == file && types[i].message)
            put_message_table(c, plan_of(&types[i]));
        if (types[i].file == file && types[i].message && opt.names)
            put_message_names(c, plan_of(&types[i]));
    }
    for (size_t i = 0; i < file->service.count; i++)
        put_service_source(c, file, i);
    if (opt.descriptors)
        put_file(c, file);
}

static const FileDescriptorProto *find_file(const CodeGeneratorRequest *request,
                                            mote_pb_string name)
{
    for (size_t i = 0; i < request->proto_file.count; i++) {
        const FileDescriptorProto *f = &request->proto_file.items[i];
        if (f->name.len == name.len && memcmp(f->name.data, name.data, name.len) == 0)
            return f;
    }
    fail("%.*s is not in the request", S(name));
}

static GeneratedFile generated(const char *base, const char *end, const text *content)
{
    return (GeneratedFile){mote_pb_cstring(format("%s%s", base, end)),
                           {content->bytes, content->len}};
}

int main(int argc, char **argv)
{
    CodeGeneratorRequest request;
    mote_pb_arena arena;
    mote_pb_where where;
    size_t len, size;

    if (argc > 1) {
        printf("protoc-gen-mote: a plugin of protoc, which starts it:\n\n"
               "  protoc --plugin=PATH/protoc-gen-mote --mote_out=FOLDER [--mote_opt=OPTIONS] "
               "FILE.proto\n\n"
               "OPTIONS, with commas between: client, server (only these stubs), keep_unknown,\n"
               "names (for mote_pb_print() and mote_pb_path()), descriptors (for reflection),\n"
               "prefix=NAME (in place of the package), runtime=FOLDER (of pb/ and grpc/),\n"
               "skip=MESSAGE.FIELD (leaves a field out), encode_only=MESSAGE.FIELD,\n"
               "decode_only=MESSAGE.FIELD (the other direction leaves it out)\n");
        return strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    uint8_t *in = read_input(&len);
    size = 64 * len + (1 << 20);
    mote_pb_arena_init(&arena, allocate(size), size);
    int r = mote_pb_decode(&CodeGeneratorRequest_table, &request, in, len, &arena, &where);
    if (r < 0)
        fail("the request cannot be read: %s, at byte %zu", mote_pb_strerror(r), where.offset);
    embed_from(in, len);
    parse_options(format("%.*s", S(request.parameter)));
    collect_types(&request);
    check_options();
    size_t count = request.file_to_generate.count;
    GeneratedFile *files = allocate(2 * count * sizeof *files);
    for (size_t i = 0; i < count; i++) {
        const FileDescriptorProto *file = find_file(&request, request.file_to_generate.items[i]);
        text h = {0}, c = {0};
        generate_file(file, &h, &c);
        files[2 * i] = generated(base_of(file->name), ".mote.h", &h);
        files[2 * i + 1] = generated(base_of(file->name), ".mote.c", &c);
    }
    CodeGeneratorResponse response = {.supported_features = PROTO3_OPTIONAL | SUPPORTS_EDITIONS,
                                      .minimum_edition = EDITION_PROTO2,
                                      .maximum_edition = EDITION_2023,
                                      .file = {files, 2 * count}};
    write_response(&response);
    return 0;
}
