/* The descriptor of a file as a constant, for reflection: as protoc sent it, less its comments. */
#include "generator.h"

#include <string.h>

enum { REQUEST_PROTO_FILE = 15, FILE_NAME = 1, FILE_SOURCE_CODE_INFO = 9 };

static mote_pb_bytes request;

void embed_from(const uint8_t *in, size_t len)
{
    request = (mote_pb_bytes){in, len};
}

static bool is_file(mote_pb_bytes bytes, mote_pb_string name)
{
    mote_pb_piece p;

    while (next_field(&bytes, &p)) {
        if (p.number == FILE_NAME)
            return p.len == name.len && memcmp(p.data, name.data, p.len) == 0;
    }
    return false;
}

static mote_pb_bytes raw_file(mote_pb_string name)
{
    mote_pb_bytes rest = request;
    mote_pb_piece p;

    while (next_field(&rest, &p)) {
        mote_pb_bytes bytes = {p.data, p.len};
        if (p.number == REQUEST_PROTO_FILE && is_file(bytes, name))
            return bytes;
    }
    fail("%.*s has no descriptor in the request", S(name));
}

/* The descriptor as it is embedded. */
static mote_pb_bytes without_comments(mote_pb_bytes file)
{
    uint8_t *out = allocate(file.len);
    mote_pb_bytes rest = file;
    mote_pb_piece p;
    size_t len = 0;

    for (const uint8_t *start = rest.data; next_field(&rest, &p); start = rest.data) {
        if (p.number == FILE_SOURCE_CODE_INFO)
            continue;
        memcpy(out + len, start, (size_t)(rest.data - start));
        len += (size_t)(rest.data - start);
    }
    return (mote_pb_bytes){out, len};
}

static void put_bytes(text *t, mote_pb_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        text_add(t, "%s%u,", i % 24 ? "" : "\n    ", bytes.data[i]);
}

void put_file(text *t, const FileDescriptorProto *file)
{
    char *name = c_file(file);
    mote_pb_bytes bytes = without_comments(raw_file(file->name));

    text_add(t, "\nstatic const uint8_t %s_bytes[] = {", name);
    put_bytes(t, bytes);
    text_add(t, "\n};\n");
    size_t count = put_symbols(t, name, bytes);
    text_add(t, "static const mote_pb_file *const %s_imports[] = {\n", name);
    for (size_t i = 0; i < file->dependency.count; i++)
        text_add(t, "    &%s,\n", c_file(import_of(file, i)));
    text_add(t,
             "    NULL,\n};\nconst mote_pb_file %s = {\"%.*s\", %s_bytes, %zu, \"%.*s\", "
             "%s_symbols, %zu, %s_imports};\n",
             name, S(file->name), name, bytes.len, S(file->package), name, count, name);
}
