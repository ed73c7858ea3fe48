/* The two Huffman decoders, the small one and the one with a table of short codes, agree on any
 * bytes, however they are cut; and what the encoder writes, both read.
 * First byte: size of pieces; second: room for output; the rest: bytes. */
#define mote_hpack_huffman_size   small_huffman_size
#define mote_hpack_huffman_encode small_huffman_encode
#define mote_hpack_huffman_decode small_huffman_decode
#define mote_hpack_append_huffman small_append_huffman
#define MOTE_HPACK_SMALL
#include "../hpack/hpack_huffman_small.c"
#undef mote_hpack_huffman_size
#undef mote_hpack_huffman_encode
#undef mote_hpack_huffman_decode
#undef mote_hpack_append_huffman

#include "fuzz.h"

size_t mote_hpack_huffman_size(const char *in, size_t len);
void mote_hpack_huffman_encode(const char *in, size_t len, uint8_t *out);
int mote_hpack_huffman_decode(mote_hpack_bits *b, const uint8_t *in, size_t len, size_t *used,
                              char *out, size_t cap, size_t *made);

typedef int decoder(mote_hpack_bits *, const uint8_t *, size_t, size_t *, char *, size_t, size_t *);

/* Decodes in pieces into limited room; the text, and an error or what the end says. */
static int decode(decoder *decode_piece, const uint8_t *in, size_t len, size_t piece, size_t room,
                  fuzz_log *text)
{
    mote_hpack_bits bits = {0, 0};
    size_t used, made, at = 0;

    text->len = 0;
    do {
        char out[256];
        size_t n = len - at < piece ? len - at : piece;
        int r = decode_piece(&bits, in + at, n, &used, out, room, &made);
        ASSERT(used <= n && made <= room);
        fuzz_put(text, out, made);
        if (r < 0)
            return r;
        at += used;
    } while (at < len || made == room);
    return mote_hpack_huffman_end(&bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_log small, fast, whole;
    static uint8_t code[1 << 14], again[1 << 14];

    if (size < 2 || size > 2048)
        return 0;
    size_t piece = 1 + data[0] % 40u, room = 1 + data[1] % 255u;
    data += 2;
    size -= 2;
    int a = decode(small_huffman_decode, data, size, piece, room, &small);
    int b = decode(mote_hpack_huffman_decode, data, size, piece, room, &fast);
    int c = decode(mote_hpack_huffman_decode, data, size, SIZE_MAX, 255, &whole);
    ASSERT(a == b && b == c);
    if (a == 0)
        ASSERT(fuzz_same(&small, &fast) && fuzz_same(&fast, &whole));
    size_t n = mote_hpack_huffman_size((const char *)data, size);
    ASSERT(n == small_huffman_size((const char *)data, size) && n <= sizeof code);
    mote_hpack_huffman_encode((const char *)data, size, code);
    small_huffman_encode((const char *)data, size, again);
    ASSERT(memcmp(code, again, n) == 0);
    ASSERT(decode(mote_hpack_huffman_decode, code, n, piece, room, &fast) == 0);
    ASSERT(fast.len == size && memcmp(fast.bytes, data, size) == 0);
    return 0;
}
