/* Decodes messages and encodes them again: frames of a type (1 byte) and a length (4 bytes,
 * little-endian) on standard input; a result (0, or the error negated) and a length on standard
 * output. Type + 2 prints the message; where it cannot be decoded, the path of the place is printed
 * instead. */
#include "nasty.mote.h"
#include "old.mote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *bytes;
    size_t len;
} text;

static void keep(void *context, const char *bytes, size_t len)
{
    text *t = context;

    t->bytes = realloc(t->bytes, t->len + len + 1);
    if (!t->bytes)
        exit(1);
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

/* Fields that come in pieces are those of the whole. */
static void check_split(const uint8_t *in, size_t len, int result)
{
    static uint8_t buffer[64];
    uint64_t sum[2] = {0, 0};
    int r[2];

    for (size_t k = 0; k < 2; k++) {
        size_t chunk = k ? 1 + len % 7 : len, used, n;
        mote_pb_splitter s;
        mote_pb_piece p;
        mote_pb_splitter_init(&s, buffer, k ? 64 : 0);
        r[k] = 0;
        for (size_t at = 0; at < len && r[k] >= 0; at += n) {
            n = len - at < chunk ? len - at : chunk;
            for (size_t i = 0; (r[k] = mote_pb_split(&s, in + at + i, n - i, &used, &p)) > 0;
                 i += used) {
                if (p.wire != 2 || p.offset == 0)
                    sum[k] = sum[k] * 31 + p.number;
                for (size_t b = 0; p.wire == 2 && b < p.len; b++)
                    sum[k] = sum[k] * 31 + p.data[b];
                sum[k] += p.wire == 2 ? 0 : p.value;
            }
        }
        if (r[k] == 0)
            r[k] = mote_pb_split_end(&s);
    }
    if (r[0] != r[1] || (r[0] == 0 && sum[0] != sum[1]) || (result == 0 && r[0] < 0))
        fprintf(stderr, "split: %d %d, decode %d\n", r[0], r[1], result), abort();
}

int main(void)
{
    static const mote_pb_names *const names[] = {&nasty_v1_class_names, &old_Old_names};
    static const mote_pb_encoder *const encoders[] = {&nasty_v1_class_encoder, &old_Old_encoder};
    static const mote_pb_decoder *const decoders[] = {&nasty_v1_class_decoder, &old_Old_decoder};
    static uint8_t memory[1 << 22];
    static union {
        nasty_v1_class a;
        old_Old b;
    } message;
    uint8_t head[5];
    size_t sized = 0;

    while (fread(head, 1, 5, stdin) == 5) {
        size_t len = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
        uint8_t *in = malloc(len + 1), *out = NULL;
        mote_pb_arena arena;
        size_t n = 0, again = 0;
        if (!in || fread(in, 1, len, stdin) != len || head[0] > 3)
            return 1;
        const mote_pb_names *name = names[head[0] & 1];
        const mote_pb_encoder *encoder = encoders[head[0] & 1];
        mote_pb_where where;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        int r = mote_pb_decode(decoders[head[0] & 1], &message, in, len, &arena, &where);
        check_split(in, len, r);
        if (head[0] > 1) {
            text t = {NULL, 0};
            char path[200];
            if (r == 0)
                r = mote_pb_print(name, &message, keep, &t);
            else if (mote_pb_path(name, in, len, where.offset, path, sizeof path))
                keep(&t, path, strlen(path)), r = 0;
            out = (uint8_t *)t.bytes;
            n = t.len;
        } else if (r == 0 && (r = mote_pb_size(encoder, &message, &n)) == 0) {
            r = head[0] ? old_Old_size(&message.b, &sized)
                        : nasty_v1_class_size(&message.a, &sized);
            out = malloc(n + 1);
            if (!out || r < 0 || sized != n ||
                mote_pb_encode(encoder, &message, out, n, &again) < 0 || again != n)
                return 1;
        }
        int32_t result = -r;
        uint32_t size = r == 0 ? (uint32_t)n : 0;
        fwrite(&result, 4, 1, stdout);
        fwrite(&size, 4, 1, stdout);
        fwrite(out ? out : in, 1, size, stdout);
        fflush(stdout);
        free(in);
        free(out);
    }
    return 0;
}
