/* Deflater (RFC 1951): fixed codes, matches found by a table of 512 positions on the stack. */
#include "codec_internal.h"

#include "codec.h"

#include <string.h>

enum { HASH_BITS = 9, MIN_MATCH = 3, MAX_MATCH = 258, WINDOW = 32768, MAX_STORED = 65535 };

typedef struct {
    uint8_t *out;
    size_t cap, n;
    uint32_t bits;
    unsigned count;
} deflater;

/* Bits go out from the lowest. Past `cap` they are counted only. */
static void put_bits(deflater *d, uint32_t value, unsigned n)
{
    d->bits |= value << d->count;
    for (d->count += n; d->count >= 8; d->count -= 8) {
        if (d->n < d->cap)
            d->out[d->n] = (uint8_t)d->bits;
        d->n++;
        d->bits >>= 8;
    }
}

/* A Huffman code goes out from its highest bit. */
static void put_reversed(deflater *d, unsigned value, unsigned n)
{
    unsigned reversed = 0;

    for (unsigned i = 0; i < n; i++)
        reversed |= (value >> i & 1) << (n - 1 - i);
    put_bits(d, reversed, n);
}

/* RFC 1951 3.2.6 */
static void put_symbol(deflater *d, unsigned symbol)
{
    if (symbol < 144)
        put_reversed(d, 0x30 + symbol, 8);
    else if (symbol < 256)
        put_reversed(d, 0x190 + symbol - 144, 9);
    else if (symbol < 280)
        put_reversed(d, symbol - 256, 7);
    else
        put_reversed(d, 0xc0 + symbol - 280, 8);
}

/* Halvings after which a value is below `below`. */
static unsigned halvings(unsigned value, unsigned below)
{
    unsigned n = 0;

    for (; value >= below; value >>= 1)
        n++;
    return n;
}

/* RFC 1951 3.2.5. Lengths from 3 and distances from 1 grow in the same way: 4 or 2 steps of one
 * size, then as many of twice that size. */
static void put_match(deflater *d, unsigned length, unsigned distance)
{
    unsigned value = length - MIN_MATCH, extra;

    if (length == MAX_MATCH) {
        put_symbol(d, 285);
    } else if (value < 8) {
        put_symbol(d, 257 + value);
    } else {
        extra = halvings(value, 8);
        put_symbol(d, 257 + 4 * (extra + 1) + (value >> extra) % 4);
        put_bits(d, value & ((1u << extra) - 1), extra);
    }
    value = distance - 1;
    if (value < 4) {
        put_reversed(d, value, 5);
    } else {
        extra = halvings(value, 4);
        put_reversed(d, 2 * (extra + 1) + (value >> extra) % 2, 5);
        put_bits(d, value & ((1u << extra) - 1), extra);
    }
}

static unsigned hash_of(const uint8_t *p)
{
    uint32_t v = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;

    return (unsigned)(v * 2654435761u >> (32 - HASH_BITS));
}

static unsigned match_length(const uint8_t *a, const uint8_t *b, size_t left)
{
    unsigned n = 0, most = left < MAX_MATCH ? (unsigned)left : MAX_MATCH;

    while (n < most && a[n] == b[n])
        n++;
    return n;
}

static void put_fixed_block(deflater *d, const uint8_t *in, size_t len)
{
    uint16_t heads[1 << HASH_BITS]; /* positions, modulo 2^16; what lies there is compared */
    size_t at = 0;

    memset(heads, 0, sizeof heads);
    put_bits(d, 1 | 1 << 1, 3);
    while (at < len) {
        unsigned length = 0, distance = 0;
        if (len - at >= MIN_MATCH) {
            uint16_t *head = &heads[hash_of(in + at)];
            distance = (uint16_t)((uint16_t)at - *head);
            if (distance > 0 && distance <= WINDOW && distance <= at)
                length = match_length(in + at - distance, in + at, len - at);
            *head = (uint16_t)at;
        }
        if (length >= MIN_MATCH) {
            put_match(d, length, distance);
            at += length;
        } else {
            put_symbol(d, in[at++]);
        }
    }
    put_symbol(d, 256);
    put_bits(d, 0, (8 - d->count) & 7);
}

static size_t stored_size(size_t len)
{
    return len + 5 * (len / MAX_STORED + 1);
}

static size_t put_stored(const uint8_t *in, size_t len, uint8_t *out)
{
    size_t n = 0;
    bool last = false;

    while (!last) {
        size_t piece = len < MAX_STORED ? len : MAX_STORED;
        last = len < MAX_STORED;
        out[n++] = last;
        out[n++] = (uint8_t)piece;
        out[n++] = (uint8_t)(piece >> 8);
        out[n++] = (uint8_t)~piece;
        out[n++] = (uint8_t)(~piece >> 8);
        if (piece > 0)
            memcpy(out + n, in, piece);
        in += piece;
        len -= piece;
        n += piece;
    }
    return n;
}

int mote_grpc_deflate_bytes(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n)
{
    deflater d = {.out = out, .cap = cap};
    size_t stored = stored_size(len);

    put_fixed_block(&d, in, len);
    *n = d.n;
    if (d.n <= cap && d.n <= stored)
        return 0;
    if (stored > cap)
        return MOTE_GRPC_ERR_SPACE;
    *n = put_stored(in, len, out);
    return 0;
}
