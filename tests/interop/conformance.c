#include "conformance.h"

enum { ARENA = 64 };

void *get_memory(size_t size)
{
    void *p = calloc(1, size + 1);

    if (!p) {
        fprintf(stderr, "error: out of memory\n");
        exit(1);
    }
    return p;
}

bool decode_copy(const mote_pb_decoder *type, void *message, const uint8_t *in, size_t len)
{
    uint8_t *copy = get_memory(len);
    mote_pb_arena arena;
    size_t size = ARENA * len + 65536;

    if (len > 0)
        memcpy(copy, in, len);
    mote_pb_arena_init(&arena, get_memory(size), size);
    return mote_pb_decode(type, message, copy, len, &arena, NULL) == 0;
}

bool read_message(const mote_pb_decoder *type, void *message)
{
    uint8_t head[4];

    if (fread(head, 1, 4, stdin) != 4)
        return false;
    size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    uint8_t *in = get_memory(len);
    bool ok = fread(in, 1, len, stdin) == len && decode_copy(type, message, in, len);
    free(in);
    if (!ok)
        fprintf(stderr, "error: a message of the runner cannot be read\n");
    return ok;
}

void write_message(const mote_pb_encoder *type, const void *message)
{
    size_t len = 0;

    mote_pb_size(type, message, &len);
    uint8_t *out = get_memory(len + 4);
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(len >> (24 - 8 * i));
    if (mote_pb_encode(type, message, out + 4, len, &len) < 0 ||
        fwrite(out, 1, len + 4, stdout) != len + 4 || fflush(stdout) != 0)
        exit(1);
    free(out);
}

static mote_pb_string copy_text(const char *text, size_t len)
{
    char *copy = get_memory(len);

    if (len > 0)
        memcpy(copy, text, len);
    return (mote_pb_string){copy, len};
}

static connectrpc_conformance_v1_Header *find_header(headers *h, const mote_grpc_event *ev)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->items[i].name.len == ev->name_len &&
            memcmp(h->items[i].name.data, ev->name, ev->name_len) == 0)
            return &h->items[i];
    }
    connectrpc_conformance_v1_Header *items = get_memory((h->count + 1) * sizeof *items);
    if (h->count > 0)
        memcpy(items, h->items, h->count * sizeof *items);
    h->items = items;
    items[h->count].name = copy_text(ev->name, ev->name_len);
    return &items[h->count++];
}

void headers_add(headers *h, const mote_grpc_event *ev)
{
    connectrpc_conformance_v1_Header *header = find_header(h, ev);
    mote_pb_string *values = get_memory((header->value.count + 1) * sizeof *values);

    if (header->value.count > 0)
        memcpy(values, header->value.items, header->value.count * sizeof *values);
    values[header->value.count++] = copy_text(ev->value, ev->value_len);
    header->value.items = values;
}

static mote_pb_string lower_case(mote_pb_string name)
{
    char *copy = get_memory(name.len);

    for (size_t i = 0; i < name.len; i++) {
        char ch = name.data[i];
        copy[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
    }
    return (mote_pb_string){copy, name.len};
}

size_t to_metadata(const connectrpc_conformance_v1_Header *items, size_t count, size_t more,
                   mote_grpc_metadata **out)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += items[i].value.count;
    *out = get_memory((n + more) * sizeof **out);
    n = 0;
    for (size_t i = 0; i < count; i++) {
        mote_pb_string name = lower_case(items[i].name);
        for (size_t v = 0; v < items[i].value.count; v++) {
            mote_pb_string value = items[i].value.items[v];
            (*out)[n++] = (mote_grpc_metadata){name.data, value.data, name.len, value.len};
        }
    }
    return n;
}

/* PEM with a NUL behind it. */
static mote_tls_span span_of(mote_pb_bytes pem)
{
    char *copy = get_memory(pem.len);

    if (pem.len == 0)
        return (mote_tls_span){NULL, 0};
    memcpy(copy, pem.data, pem.len);
    return (mote_tls_span){copy, pem.len + 1};
}

mote_tls_context *make_context(bool server, mote_pb_bytes ca, mote_pb_bytes cert, mote_pb_bytes key)
{
    mote_tls_config config = {
        .server = server, .ca = span_of(ca), .cert = span_of(cert), .key = span_of(key)};
    mote_tls_context *context = NULL;
    const char *why = "";

    if (mote_tls_context_init(&context, &config, get_memory(MOTE_TLS_CONTEXT_MEMORY),
                              MOTE_TLS_CONTEXT_MEMORY, &why) < 0)
        fprintf(stderr, "error: TLS: %s\n", why);
    return context;
}
