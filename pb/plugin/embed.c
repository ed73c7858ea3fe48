/* The descriptor of a file as a constant, for reflection: as protoc sent it, less its comments. */
#include "generator.h"

#include <string.h>

enum { REQUEST_PROTO_FILE = 15, FILE_NAME = 1, FILE_SOURCE_CODE_INFO = 9 };

static mote_pb_bytes request;

void embed_from(const uint8_t *in, size_t len)
{
    request = (mote_pb_bytes){in, len};
}

/* The next field of a message: true when *p is filled and *rest lies behind it. */
static bool next_field(mote_pb_bytes *rest, mote_pb_piece *p)
{
    mote_pb_splitter s;
    size_t used;

    mote_pb_splitter_init(&s, NULL, 0);
    if (mote_pb_split(&s, rest->data, rest->len, &used, p) <= 0)
        return false;
    rest->data += used;
    rest->len -= used;
    return true;
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

static size_t embed_bytes(text *t, const uint8_t *bytes, size_t len, size_t column)
{
    for (size_t i = 0; i < len; i++, column++)
        text_add(t, "%s%u,", column % 24 ? "" : "\n    ", bytes[i]);
    return column;
}

static size_t put_descriptor(text *t, mote_pb_bytes file)
{
    mote_pb_bytes rest = file;
    mote_pb_piece p;
    size_t n = 0;

    for (const uint8_t *start = rest.data; next_field(&rest, &p); start = rest.data) {
        if (p.number != FILE_SOURCE_CODE_INFO)
            n = embed_bytes(t, start, (size_t)(rest.data - start), n);
    }
    return n;
}

static void put_symbols(text *t, const FileDescriptorProto *file)
{
    const char *dot = file->package.len ? "." : "";

    for (size_t i = 0; i < file->service.count; i++)
        text_add(t, "    \"%.*s%s%.*s\",\n", S(file->package), dot, S(file->service.items[i].name));
    for (size_t i = source_of(file)->first; i < source_of(file)->end; i++)
        text_add(t, "    \"%s\",\n", types[i].full_name);
}

void put_file(text *t, const FileDescriptorProto *file)
{
    char *name = c_file(file);

    text_add(t, "\nstatic const uint8_t %s_bytes[] = {", name);
    size_t len = put_descriptor(t, raw_file(file->name));
    text_add(t, "\n};\nstatic const char *const %s_symbols[] = {\n", name);
    put_symbols(t, file);
    text_add(t, "    NULL,\n};\nstatic const mote_pb_file *const %s_imports[] = {\n", name);
    for (size_t i = 0; i < file->dependency.count; i++)
        text_add(t, "    &%s,\n", c_file(import_of(file, i)));
    text_add(t,
             "    NULL,\n};\nconst mote_pb_file %s = {\"%.*s\", %s_bytes, %zu, %s_symbols, "
             "%s_imports};\n",
             name, S(file->name), name, len, name, name);
}
