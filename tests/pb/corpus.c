/* Messages of many types: what comes on standard input is decoded and encoded again, as a whole and
 * by a walk in parts. corpus_types.h has the types. */
#include "corpus_types.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const mote_pb_decoder *decoder;
    const mote_pb_encoder *encoder;
    int (*size)(const void *message, size_t *size); /* T_size() */
} row;

static const row rows[] = {CORPUS_TYPES};

static void answer(int result, const uint8_t *bytes, size_t len)
{
    int32_t head[2] = {result, (int32_t)len};

    if (fwrite(head, sizeof head, 1, stdout) != 1 || fwrite(bytes, 1, len, stdout) != len ||
        fflush(stdout) != 0)
        exit(1);
}

/* 0: a walk writes the same bytes. */
static int check_walk(const row *r, const void *message, const uint8_t *out, size_t len)
{
    static uint64_t memory[MOTE_PB_WALK_SIZE(101, 100) / 8];
    uint8_t part[97];
    mote_pb_walk walk;
    const mote_pb_large large = {message, &walk};
    size_t total = 0, size = 1 + len % sizeof part;

    mote_pb_walk_init(&walk, memory, sizeof memory);
    int result = mote_pb_walk_part(r->encoder, &large, 0, NULL, 0, &total);
    for (size_t at = 0, n; result == 0 && at < len; at += n) {
        n = len - at < size ? len - at : size;
        result = mote_pb_walk_part(r->encoder, &large, at, part, n, &total);
        if (result == 0 && memcmp(part, out + at, n) != 0)
            result = MOTE_PB_ERR_CHANGED;
    }
    return result < 0 || total == len ? result : MOTE_PB_ERR_CHANGED;
}

/* 0: the size is that of what was written. */
static int check_size(const row *r, const void *message, size_t len)
{
    size_t by_type = 0, by_table = 0;
    int result = r->size(message, &by_type);

    if (result == 0)
        result = mote_pb_size(r->encoder, message, &by_table);
    return result < 0 || (by_type == len && by_table == len) ? result : MOTE_PB_ERR_CHANGED;
}

static void transcode(const row *r, const uint8_t *in, size_t len)
{
    static uint64_t memory[1 << 20], message[1 << 13];
    static uint8_t out[1 << 20];
    mote_pb_arena arena;
    size_t n = 0;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    int result = mote_pb_decode(r->decoder, message, in, len, &arena, NULL);
    if (result == 0)
        result = mote_pb_encode(r->encoder, message, out, sizeof out, &n);
    if (result == 0)
        result = check_walk(r, message, out, n);
    if (result == 0)
        result = check_size(r, message, n);
    answer(-result, out, result == 0 ? n : 0);
}

/* Each message: its type and its length, as two 32-bit numbers, and its bytes. */
int main(void)
{
    uint32_t head[2];

    while (fread(head, sizeof head, 1, stdin) == 1) {
        uint8_t *in = malloc(head[1] + 1);
        if (!in || head[0] >= sizeof rows / sizeof rows[0] ||
            fread(in, 1, head[1], stdin) != head[1])
            return 1;
        transcode(&rows[head[0]], in, head[1]);
        free(in);
    }
    return 0;
}
