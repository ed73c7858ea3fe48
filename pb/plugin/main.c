/*
 * protoc-gen-mote: the plugin of protoc. Reads a CodeGeneratorRequest from standard input and
 * writes a CodeGeneratorResponse to standard output, both with the library that it generates code
 * for.
 *
 *   protoc --plugin=build/protoc-gen-mote --mote_out=FOLDER [--mote_opt=OPTIONS] FILE.proto
 */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

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

/* No two files have the same: small letters and digits stand for themselves, and every other byte
 * is an underscore and its number. */
static char *guard_of(mote_pb_string name)
{
    char *base = base_of(name);
    text guard = {0};

    if (*base >= '0' && *base <= '9')
        text_add(&guard, "_");
    for (const char *p = base; *p; p++) {
        if (*p >= 'a' && *p <= 'z')
            text_add(&guard, "%c", *p - 'a' + 'A');
        else
            text_add(&guard, *p >= '0' && *p <= '9' ? "%c" : "_%02x", (unsigned char)*p);
    }
    text_add(&guard, "_MOTE_H");
    return format("%.*s", (int)guard.len, guard.bytes);
}

/* Messages inside of the arrays of others come first. Everything else is held by pointer, so this
 * order is a matter of declared names alone. */
static void put_types(text *h, const FileDescriptorProto *file)
{
    const source *s = source_of(file);

    for (size_t i = s->first; i < s->end; i++) {
        if (types[i].message)
            text_add(h, "typedef struct %s %s;\n", types[i].c_name, types[i].c_name);
    }
    for (size_t i = s->first; i < s->end; i++) {
        if (types[i].enumeration)
            put_enum(h, &types[i]);
    }
    for (size_t i = s->first; i < s->end; i++) {
        if (types[i].message)
            put_message_struct(h, plan_of(&types[i]));
    }
}

static void put_codec(text *h, message_plan *m)
{
    const char *name = m->type->c_name;

    const char *common = stem_of(m->type, BOTH);

    text_add(h, "\nextern const mote_pb_message %s_layout;\n", common);
    for (enum direction d = ENCODE; d <= DECODE; d++) {
        if (strcmp(stem_of(m->type, d), common) != 0)
            text_add(h, "extern const mote_pb_message %s_layout;\n", stem_of(m->type, d));
    }
    if (opt.names)
        text_add(h, "extern const mote_pb_names %s_names;\n", name);
    if (opt.json)
        text_add(h, "extern const mote_pb_json %s_json;\n", name);
    put_sizes(h, m);
    put_depth(h, m);
    put_defaults(h, m);
    if (is_map_entry(m->type))
        return;
    text_add(
        h,
        "extern const mote_pb_encoder %s_encoder;\n"
        "extern const mote_pb_decoder %s_decoder;\n"
        "static inline int %s_encode(const %s *m, uint8_t *out, size_t cap, size_t *len)\n"
        "{\n    return mote_pb_encode(&%s_encoder, m, out, cap, len);\n}\n"
        "static inline int %s_decode(%s *m, const uint8_t *in, size_t len, mote_pb_arena *arena)\n"
        "{\n    return mote_pb_decode(&%s_decoder, m, in, len, arena, NULL);\n}\n"
        "%sint %s_size(const %s *m, size_t *size)%s%s%s\n"
        "/* 1: they say the same, 0: they do not, or an error < 0. */\n"
        "static inline int %s_equal(const %s *a, const %s *b)\n"
        "{\n    return mote_pb_equal(&%s_layout, a, b);\n}\n"
        "static inline int %s_copy(%s *to, const %s *from, mote_pb_arena *arena)\n"
        "{\n    return mote_pb_copy(&%s_layout, from, to, arena);\n}\n",
        name, name, name, name, name, name, name, name, opt.sizes ? "" : "static inline ", name,
        name, opt.sizes ? ";" : "\n{\n    return mote_pb_size(&", opt.sizes ? "" : name,
        opt.sizes ? "" : "_encoder, m, size);\n}", name, name, name, common, name, name, name,
        common);
}

/* Marks the files whose types a file names. */
static void mark_used(const FileDescriptorProto *file, bool *used)
{
    const source *s = source_of(file);

    for (size_t i = s->first; i < s->end; i++) {
        const message_plan *m = types[i].message ? plan_of(&types[i]) : NULL;
        for (size_t k = 0; m && k < m->count; k++) {
            if (m->fields[k].sub)
                used[source_of(m->fields[k].sub->file) - sources] = true;
        }
    }
    for (size_t i = 0; i < file->service.count; i++) {
        for (size_t k = 0; k < file->service.items[i].method.count; k++) {
            const MethodDescriptorProto *m = &file->service.items[i].method.items[k];
            used[source_of(find_type(m->input_type, "")->file) - sources] = true;
            used[source_of(find_type(m->output_type, "")->file) - sources] = true;
        }
    }
}

/* Public imports: whoever imports the file sees their types too. */
static void mark_public(const FileDescriptorProto *file, bool *used)
{
    for (size_t i = 0; i < file->public_dependency.count; i++) {
        int32_t index = file->public_dependency.items[i];
        used[source_of(import_of(file, (size_t)index)) - sources] = true;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In an order that is the same in every request. */
static void put_imports(text *h, const FileDescriptorProto *file)
{
    bool *used = allocate(source_count);
    char **names = allocate(source_count * sizeof *names);
    size_t count = 0;

    mark_used(file, used);
    mark_public(file, used);
    for (size_t i = 0; i < source_count; i++) {
        if (used[i] && sources[i].proto != file)
            names[count++] = base_of(sources[i].proto->name);
    }
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++)
        text_add(h, "#include \"%s.mote.h\"\n", names[i]);
    free(names);
    free(used);
}

/* The library's headers: where they lie, or the one of the amalgamation. */
static void put_runtime(text *h, bool has_calls)
{
    if (opt.runtime_is_file) {
        text_add(h, "#include \"%s\"\n", opt.runtime);
        return;
    }
    if (has_calls)
        text_add(h, "#include \"%sgrpc/%s\"\n", opt.runtime,
                 opt.client ? "channel/channel.h" : "grpc.h");
    if (has_calls && opt.connect)
        text_add(h, "#include \"%sgrpc/web/connect.h\"\n", opt.runtime);
    text_add(h, "#include \"%spb/%s\"\n", opt.runtime, opt.json ? "json/json.h" : "pb.h");
}

static void put_includes(text *h, const FileDescriptorProto *file)
{
    put_runtime(h, file->service.count > 0 && !opt.descriptors_only);
    if (!opt.descriptors_only)
        put_imports(h, file);
}

/* Generated code does not compile with a library of another version that it cannot rely on. */
static void put_version(text *h)
{
    text_add(h,
             "\n#if !defined(MOTE_PB_GENERATED) || MOTE_PB_GENERATED != %d\n"
             "#error \"This file was generated for another version of mote: "
             "generate it again with the protoc-gen-mote of the library that is used.\"\n#endif\n",
             MOTE_PB_GENERATED);
}

static void put_declarations(text *h, const FileDescriptorProto *file)
{
    put_types(h, file);
    for (size_t i = source_of(file)->first; i < source_of(file)->end; i++) {
        if (types[i].message)
            put_codec(h, plan_of(&types[i]));
    }
}

static void put_first_line(text *t, const FileDescriptorProto *file)
{
    text_add(t, "/* Generated by protoc-gen-mote from ");
    put_inside_comment(t, file->name, "");
    text_add(t, ". Do not edit. */\n");
}

static void put_header(text *h, const FileDescriptorProto *file)
{
    char *guard = guard_of(file->name);

    put_first_line(h, file);
    text_add(h, "#ifndef %s\n#define %s\n\n", guard, guard);
    put_includes(h, file);
    put_version(h);
    text_add(h, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    if (!opt.descriptors_only)
        put_declarations(h, file);
    if (opt.descriptors)
        text_add(h, "\nextern const mote_pb_file %s;\n", c_file(file));
    for (size_t i = 0; i < file->service.count && !opt.descriptors_only; i++)
        put_service_header(h, file, i);
    text_add(h, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

static void put_definitions(text *c, const FileDescriptorProto *file)
{
    for (size_t i = source_of(file)->first; i < source_of(file)->end; i++) {
        if (types[i].enumeration && is_closed(&types[i]))
            put_enum_table(c, &types[i]);
        if (types[i].enumeration && (opt.names || opt.json))
            put_enum_names(c, &types[i]);
        if (types[i].enumeration && opt.json)
            put_enum_json(c, &types[i]);
        if (types[i].enumeration)
            continue;
        put_message_table(c, plan_of(&types[i]));
        if (!is_map_entry(&types[i]))
            put_coders(c, plan_of(&types[i]));
        if (opt.names)
            put_message_names(c, plan_of(&types[i]));
        if (opt.json)
            put_message_json(c, plan_of(&types[i]));
    }
    if (opt.sizes)
        put_sized_messages(c, file);
    for (size_t i = 0; i < file->service.count; i++)
        put_service_source(c, file, i);
}

/* A descriptor points to those of all imports, used or not. */
static void put_source(text *c, const FileDescriptorProto *file)
{
    put_first_line(c, file);
    if (opt.sizes && !opt.runtime_is_file)
        text_add(c, "#include \"%spb/sizes.h\"\n", opt.runtime);
    text_add(c, "#include \"%s.mote.h\"\n", base_of(file->name));
    for (size_t i = 0; opt.descriptors && i < file->dependency.count; i++)
        text_add(c, "#include \"%s.mote.h\"\n", base_of(file->dependency.items[i]));
    if (!opt.descriptors_only)
        put_definitions(c, file);
    if (opt.descriptors)
        put_file(c, file);
}

static GeneratedFile generated(const char *base, const char *end, const text *content)
{
    return (GeneratedFile){mote_pb_cstring(format("%s%s", base, end)),
                           {content->bytes, content->len}};
}

static int usage(const char *argument)
{
    if (strcmp(argument, "--help") != 0) {
        fprintf(stderr, "protoc-gen-mote: error: unknown argument '%s'; see --help\n", argument);
        return 2;
    }
    printf("protoc-gen-mote: writes C code for mote, as a plugin of protoc\n\n"
           "  protoc --plugin=PATH/protoc-gen-mote --mote_out=FOLDER [--mote_opt=OPTIONS] "
           "FILE.proto\n\n"
           "OPTIONS, with commas between: client, server (only these stubs), large (stubs\n"
           "for large messages too), keep_unknown,\n"
           "names (for mote_pb_print(), mote_pb_path() and of enums), json (for pb/json),\n"
           "sizes (T_size() in a third of the time, with more code),\n"
           "connect (json, and services for grpc/web/connect.h),\n"
           "descriptors (for reflection),\n"
           "descriptors_only (and nothing else),\n"
           "prefix=NAME (in place of the package of FILE), prefix=PACKAGE:NAME (of any package),\n"
           "runtime=FOLDER (of pb/ and grpc/, for #include lines; mote), runtime=mote.h (one "
           "header),\n"
           "skip=MESSAGE.FIELD (leaves a field out), encode_only=MESSAGE.FIELD,\n"
           "decode_only=MESSAGE.FIELD (the other direction leaves it out)\n\n"
           "  --help    this text\n");
    return fflush(stdout) == 0 ? 0 : 1;
}

static void read_request(CodeGeneratorRequest *request)
{
    size_t len, size;
    uint8_t *in = read_input(&len);
    mote_pb_arena arena;
    mote_pb_where where;
    int r = MOTE_PB_ERR_ARENA;

    for (size = 16 * len + (1 << 20); r == MOTE_PB_ERR_ARENA; size *= 4) {
        mote_pb_arena_init(&arena, allocate(size), size);
        r = mote_pb_decode(&CodeGeneratorRequest_decoder, request, in, len, &arena, &where);
    }
    if (r < 0)
        fail("the request cannot be read: %s, at byte %zu", mote_pb_strerror(r), where.offset);
    embed_from(in, len);
}

static void generate(CodeGeneratorResponse *response, const CodeGeneratorRequest *request)
{
    size_t count = request->file_to_generate.count;
    GeneratedFile *files = allocate(2 * count * sizeof *files);

    for (size_t i = 0; i < count; i++) {
        const FileDescriptorProto *file = find_file(request->file_to_generate.items[i]);
        text h = {0}, c = {0};
        if (!file)
            fail("%.*s is not in the request", S(request->file_to_generate.items[i]));
        put_header(&h, file);
        put_source(&c, file);
        files[2 * i] = generated(base_of(file->name), ".mote.h", &h);
        files[2 * i + 1] = generated(base_of(file->name), ".mote.c", &c);
    }
    response->file.items = files;
    response->file.count = 2 * count;
}

int main(int argc, char **argv)
{
    CodeGeneratorRequest request;
    CodeGeneratorResponse response = {0};

    if (argc > 1)
        return usage(argv[1]);
    read_request(&request);
    parse_options(format("%.*s", S(request.parameter)));
    check_request(&request);
    collect_files(&request);
    spread_prefix(&request);
    collect_types();
    check_types();
    check_options();
    generate(&response, &request);
    write_response(&response);
    return 0;
}
