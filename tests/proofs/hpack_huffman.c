/*
 * proves: mote_hpack_huffman_decode, refill_bits, decode_short, decode_symbol, give_back_bits
 * of hpack/hpack_huffman.c
 *
 * sources: hpack/hpack_check.c
 *
 * unwind: 22
 *
 * loops: mote_hpack_huffman_decode.0:8,refill_bits.0:9,decode_short.0:4,give_back_bits.0:9
 *
 * By induction: from any bits that mote_hpack_bits_valid() permits, one call leaves such bits.
 * N: up to 9 bytes of code, one more than the window of 64 bits takes. M: up to 2 characters.
 */
#include "proof.h"

#include "../../hpack/hpack_huffman.c"

enum { N = 9, M = 2 };

int main(void)
{
    size_t len = any_size(N), cap = any_size(M), used, made;
    mote_hpack_bits *b = any_bytes(sizeof *b);
    const uint8_t *in = any_bytes(len);
    char *out = any_bytes(cap);

    ASSUME(mote_hpack_bits_valid(b));
    int r = mote_hpack_huffman_decode(b, in, len, &used, out, cap, &made);
    SHOW(r == 0 || r == MOTE_HPACK_ERR_HUFFMAN);
    SHOW(used <= len && made <= cap);
    SHOW(r < 0 || used == len || made == cap);
    SHOW(r < 0 || mote_hpack_bits_valid(b));
    return 0;
}
