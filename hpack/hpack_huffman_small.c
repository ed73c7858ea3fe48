/* Huffman code of RFC 7541 Appendix B without tables of symbols or codes (MOTE_HPACK_SMALL), with
 * the results of hpack_huffman.c. The code is canonical: shorter codes are smaller, and within one
 * length the codes of ascending symbols are consecutive. So the lengths alone hold all of it. */
#include "hpack_internal.h"

#ifdef MOTE_HPACK_SMALL

enum { SHORTEST = 5, LONGEST = 30, NO_SYMBOL = 256, MORE };

/* How many codes of SHORTEST..LONGEST bits there are, EOS included, which is the last of all. */
static const uint8_t code_counts[] = {10, 26, 32, 6,  0,  5,  3,  2, 6,  2,  3,  0, 0,
                                      0,  3,  8,  13, 26, 29, 12, 4, 15, 19, 29, 0, 4};

/* Two symbols a byte, the lower one in the lower half: see code_length(). */
static const uint8_t code_lengths[128] = {
    0x80, 0xdd, 0xdd, 0xdd, 0x9d, 0xdf, 0xfd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdf, 0xdd, 0xdd, 0xdd, 0xdd,
    0x51, 0x75, 0x18, 0x63, 0x55, 0x63, 0x13, 0x11, 0x00, 0x10, 0x11, 0x11, 0x11, 0x32, 0x1a, 0x57,
    0x18, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x23, 0x83, 0x8e, 0x19,
    0x0a, 0x01, 0x01, 0x11, 0x01, 0x22, 0x11, 0x01, 0x21, 0x01, 0x10, 0x22, 0x22, 0xa2, 0x96, 0xd8,
    0x75, 0x55, 0x77, 0x87, 0x87, 0x88, 0x88, 0x89, 0x99, 0x87, 0x89, 0x88, 0x68, 0x87, 0x87, 0x98,
    0x67, 0x75, 0x87, 0x68, 0x78, 0x97, 0x76, 0x88, 0x66, 0x67, 0x78, 0x88, 0x75, 0x77, 0x78, 0x87,
    0xbb, 0x45, 0x87, 0xa7, 0xbb, 0xcb, 0xbc, 0xa9, 0x64, 0xcb, 0xbc, 0x9c, 0x66, 0xbb, 0xcd, 0xcc,
    0x95, 0x65, 0x67, 0x86, 0x77, 0xaa, 0x99, 0x8b, 0xcb, 0xbb, 0xcc, 0xcc, 0xdc, 0xcc, 0xcc, 0xbc};

_Static_assert(sizeof code_counts == LONGEST - SHORTEST + 1 && 2 * sizeof code_lengths == NO_SYMBOL,
               "as the tables have them");

/* Printable symbols have 5 to 19 bits, NUL has 13, and the others have 19 to 30. */
static MOTE_SMALL_APART unsigned code_length(unsigned symbol)
{
    unsigned n = code_lengths[symbol / 2] >> symbol % 2 * 4 & 15u;

    if (symbol - 32 < 95)
        return SHORTEST + n;
    return n > 0 ? 15 + n : 13;
}

/* The part of all codes that begin with those of one length, as a part of 2^32. */
static uint32_t huffman_span(unsigned len)
{
    return (uint32_t)code_counts[len - SHORTEST] << (32 - len);
}

size_t mote_hpack_huffman_size(const char *in, size_t len)
{
    size_t bits = 0;

    for (size_t i = 0; i < len; i++)
        bits += code_length((uint8_t)in[i]);
    return (bits + 7) / 8;
}

/* The code of a symbol: behind all shorter ones, and those of lower symbols of its length. */
static uint32_t huffman_code_of(unsigned symbol, unsigned len)
{
    uint32_t first = 0, rank = 0;

    for (unsigned shorter = SHORTEST; shorter < len; shorter++)
        first += huffman_span(shorter);
    for (unsigned lower = 0; lower < symbol; lower++)
        rank += code_length(lower) == len;
    return (first >> (32 - len)) + rank;
}

void mote_hpack_huffman_encode(const char *in, size_t len, uint8_t *out)
{
    unsigned byte = 0, count = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned left = code_length((uint8_t)in[i]);
        uint32_t code = huffman_code_of((uint8_t)in[i], left);
        while (left-- > 0) {
            byte = byte << 1 | (code >> left & 1);
            if (++count % 8 == 0)
                *out++ = (uint8_t)byte;
        }
    }
    count %= 8;
    if (count > 0) /* RFC 7541 5.2: padded with the most significant bits of EOS, all ones */
        *out = (uint8_t)(byte << (8 - count) | 0xffu >> count);
}

/* The symbol with a length and that many lower symbols of the same length. */
static unsigned nth_symbol(unsigned len, uint32_t rank)
{
    for (unsigned symbol = 0; symbol < NO_SYMBOL; symbol++) {
        if (code_length(symbol) == len && rank-- == 0)
            return symbol;
    }
    return NO_SYMBOL; /* EOS */
}

/* Decodes the first symbol of left-aligned bits: its length; 0: it needs more than `count`. */
static unsigned first_symbol(uint32_t bits, unsigned count, unsigned *symbol)
{
    unsigned len = SHORTEST;

    for (; len < LONGEST && bits >= huffman_span(len); len++)
        bits -= huffman_span(len);
    if (len > count)
        return 0;
    *symbol = nth_symbol(len, bits >> (32 - len));
    return len;
}

/* The next symbol; NO_SYMBOL: EOS; MORE: the input ends before it, and what there is of it is kept.
 */
static MOTE_SMALL_APART unsigned next_symbol(mote_hpack_bits *b, const uint8_t **in,
                                             const uint8_t *end)
{
    uint32_t bits = b->bits;
    unsigned count = b->count, symbol = MORE, n;

    while ((n = first_symbol(bits, count, &symbol)) == 0 && *in < end) {
        bits |= (uint32_t)(*in)[0] << 24 >> count;
        ++*in;
        count += 8; /* at most 37: the last byte may reach beyond the 32 */
    }
    if (n > 0)
        bits = count > 32 ? (uint32_t)(*in)[-1] << (32 - (count - n)) : bits << n;
    b->bits = bits;
    b->count = (uint8_t)(count - n);
    return symbol;
}

int mote_hpack_huffman_decode(mote_hpack_bits *b, const uint8_t *in, size_t len, size_t *used,
                              char *out, size_t cap, size_t *made)
{
    const uint8_t *at = in;
    unsigned symbol = 0;
    size_t o = 0;

    MOTE_CHECK_THAT(mote_hpack_bits_valid(b));
    while (o < cap && (symbol = next_symbol(b, &at, in + len)) < NO_SYMBOL)
        out[o++] = (char)symbol;
    *used = (size_t)(at - in);
    *made = o;
    return symbol == NO_SYMBOL ? MOTE_HPACK_ERR_HUFFMAN : 0;
}

int mote_hpack_append_huffman(mote_hpack_decoder *d, const uint8_t *in, size_t len)
{
    const uint8_t *end = in + len;
    unsigned symbol;

    while ((symbol = next_symbol(&d->huffman, &in, end)) < NO_SYMBOL) {
        if (d->field_len < d->scratch_size)
            d->scratch[d->field_len] = (char)symbol;
        d->field_len++;
    }
    return symbol == NO_SYMBOL ? MOTE_HPACK_ERR_HUFFMAN : 0;
}

#endif
