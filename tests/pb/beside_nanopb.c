/* The same messages through nanopb and mote: both decode what is on standard input (4 bytes of
 * length, little-endian, then a message) and encode it again, to the same bytes. */
#include "both.mote.h"
#include "both.nano.h"

#include <pb_decode.h>
#include <pb_encode.h>
#include <stdio.h>

static size_t through_nanopb(const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
    static both_All m;
    pb_istream_t from = pb_istream_from_buffer(in, len);
    pb_ostream_t to = pb_ostream_from_buffer(out, cap);

    if (!pb_decode(&from, both_All_fields, &m) || !pb_encode(&to, both_All_fields, &m))
        return SIZE_MAX;
    return to.bytes_written;
}

static size_t through_mote(const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
    static uint64_t memory[1 << 13];
    mote_pb_arena arena;
    mm_All m;
    size_t n;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    if (mm_All_decode(&m, in, len, &arena) < 0 || mm_All_encode(&m, out, cap, &n) < 0)
        return SIZE_MAX;
    return n;
}

int main(void)
{
    static uint8_t in[1 << 16], a[1 << 16], b[1 << 16];
    uint8_t head[4];
    long messages = 0;

    while (fread(head, 1, 4, stdin) == 4) {
        size_t len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
        if (len > sizeof in || fread(in, 1, len, stdin) != len)
            return 1;
        size_t n = through_nanopb(in, len, a, sizeof a), m = through_mote(in, len, b, sizeof b);
        if (n == SIZE_MAX || n != m || memcmp(a, b, n) != 0)
            return fprintf(stderr, "message %ld: nanopb %zu, mote %zu\n", messages, n, m), 1;
        messages++;
    }
    printf("%ld messages\n", messages);
    return 0;
}
