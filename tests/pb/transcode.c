/* Decodes messages and encodes them again: frames of a type (1 byte) and a length (4 bytes, little-endian)
 * on standard input; a result (0, or the error negated) and a length on standard output. */
#include "nasty.mote.h"
#include "old.mote.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    static const mote_pb_message *const types[] = {&nasty_v1_class_table, &old_Old_table};
    static uint8_t memory[1 << 22];
    static union {
        nasty_v1_class a;
        old_Old b;
    } message;
    uint8_t head[5];

    while (fread(head, 1, 5, stdin) == 5) {
        size_t len = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
        uint8_t *in = malloc(len + 1), *out = NULL;
        mote_pb_arena arena;
        size_t n = 0, again = 0;
        if (!in || fread(in, 1, len, stdin) != len || head[0] > 1)
            return 1;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        int r = mote_pb_decode(types[head[0]], &message, in, len, &arena, NULL);
        if (r == 0 && (r = mote_pb_size(types[head[0]], &message, &n)) == 0) {
            out = malloc(n + 1);
            if (!out || mote_pb_encode(types[head[0]], &message, out, n, &again) < 0 || again != n)
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
