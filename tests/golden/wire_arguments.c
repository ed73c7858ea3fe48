/* What calls of wire_grpc.c are given, from the words of a line. */
#include "wire_grpc.h"

size_t wire_metadata_of(const wire_line *l, mote_grpc_metadata *m)
{
    static const char *const others[] = {"timeout", "chunks", "codec", "deflate", ""};
    size_t count = 0;

    for (size_t i = 2; i < l->count && count < WIRE_METADATA; i++) {
        const wire_word *w = &l->words[i];
        size_t k = 0;
        while (k < 5 && strcmp(others[k], w->key) != 0)
            k++;
        if (k == 5 && w->value)
            m[count++] =
                (mote_grpc_metadata){w->key, (const char *)w->value, strlen(w->key), w->len};
    }
    return count;
}

/* Paths stay, as the encoder recognises them by their address. */
const mote_hpack_field *wire_path_of(const char *text)
{
    static struct {
        mote_hpack_field f;
        char text[128];
    } paths[32];
    static size_t count;

    for (size_t i = 0; i < count; i++)
        if (strcmp(paths[i].text, text) == 0)
            return &paths[i].f;
    if (count == 32)
        abort();
    snprintf(paths[count].text, 128, "%s", text);
    paths[count].f =
        (mote_hpack_field){":path", paths[count].text, 5, (uint16_t)strlen(text), 0, 0};
    return &paths[count++].f;
}

mote_grpc_bytes wire_bytes_of(const wire_line *l)
{
    const wire_word *w = wire_find(l, "");

    return w ? (mote_grpc_bytes){w->value, w->len} : (mote_grpc_bytes){NULL, 0};
}

static int failing(const void *type, const void *bytes, size_t offset, uint8_t *out, size_t cap,
                   size_t *total)
{
    (void)type, (void)bytes, (void)offset, (void)out, (void)cap, (void)total;
    return -405;
}

/* Says how long it is, and then fails. */
static int failing_late(const void *type, const void *bytes, size_t offset, uint8_t *out,
                        size_t cap, size_t *total)
{
    (void)out;
    if (cap > 0 && *total > 0)
        return -405;
    return mote_grpc_bytes_source.write(type, bytes, offset, NULL, 0, total);
}

/* As long as it says, and all of it zeros. */
static int zeros(const void *type, const void *bytes, size_t offset, uint8_t *out, size_t cap,
                 size_t *total)
{
    (void)type, (void)offset;
    if (*total > 0)
        memset(out, 0, cap);
    *total = strtoul((const char *)((const mote_grpc_bytes *)bytes)->data, NULL, 0);
    return 0;
}

const mote_grpc_source *wire_source_of(const wire_line *l)
{
    static const mote_grpc_source fails = {failing, mote_pb_strerror, NULL};
    static const mote_grpc_source fails_late = {failing_late, mote_pb_strerror, NULL};
    static const mote_grpc_source all_zeros = {zeros, mote_pb_strerror, NULL};

    if (wire_has(l, "zeros"))
        return &all_zeros;
    return wire_has(l, "fails")        ? &fails
           : wire_has(l, "fails_late") ? &fails_late
                                       : &mote_grpc_bytes_source;
}
