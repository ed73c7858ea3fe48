/* Messages of many types: what comes on standard input is decoded and encoded again. corpus_types.h
 * has the types. */
#include "corpus_types.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    const mote_pb_decoder *decoder;
    const mote_pb_encoder *encoder;
} row;

static const row rows[] = {CORPUS_TYPES};

static void answer(int result, const uint8_t *bytes, size_t len)
{
    int32_t head[2] = {result, (int32_t)len};

    if (fwrite(head, sizeof head, 1, stdout) != 1 || fwrite(bytes, 1, len, stdout) != len ||
        fflush(stdout) != 0)
        exit(1);
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
