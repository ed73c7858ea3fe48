/* Inflater (RFC 1951). The output is its own window, so it needs no memory but 1 KiB of stack. */
#include "codec_internal.h"

#include "codec.h"

#include <string.h>

enum { MAX_BITS = 15, LITERALS = 288, DISTANCES = 30, END_OF_BLOCK = 256 };

typedef struct {
    const uint8_t *in;
    size_t len, at;
    uint8_t *out;
    size_t cap, n;
    uint32_t bits; /* read from the input but not yet used */
    unsigned count;
    int error;
} inflater;

/* A canonical code (RFC 1951 3.2.2): how many codes of each length, and the symbols in order. */
typedef struct {
    uint16_t counts[MAX_BITS + 1];
    uint16_t symbols[LITERALS];
} prefix_code;

static unsigned take_bits(inflater *s, unsigned n)
{
    while (s->count < n) {
        if (s->at == s->len) {
            s->error = MOTE_GRPC_ERR_CODEC;
            return 0;
        }
        s->bits |= (uint32_t)s->in[s->at++] << s->count;
        s->count += 8;
    }
    unsigned value = s->bits & ((1u << n) - 1);
    s->bits >>= n;
    s->count -= n;
    return value;
}

/* Makes a code from the lengths of its symbols. False when more codes are claimed than there are,
 * or fewer, other than a single one of one bit. */
static bool make_code(prefix_code *c, const uint8_t *lengths, size_t n)
{
    uint16_t offsets[MAX_BITS + 1];
    int left = 1;

    memset(c->counts, 0, sizeof c->counts);
    for (size_t i = 0; i < n; i++)
        c->counts[lengths[i]]++;
    bool none = c->counts[0] == n;
    bool single = c->counts[0] + 1u == n && c->counts[1] == 1;
    offsets[1] = 0;
    for (unsigned i = 1; i <= MAX_BITS; i++) {
        left = left * 2 - c->counts[i];
        if (left < 0)
            return false;
        if (i < MAX_BITS)
            offsets[i + 1] = (uint16_t)(offsets[i] + c->counts[i]);
    }
    for (size_t i = 0; i < n; i++) {
        if (lengths[i] != 0)
            c->symbols[offsets[lengths[i]]++] = (uint16_t)i;
    }
    return left == 0 || none || single;
}

/* The place of the next code among all, shorter ones first; `counts` says how many have 1.. bits.
 */
static unsigned take_code(inflater *s, const uint16_t *counts)
{
    unsigned first = 0, index = 0, value = 0;

    for (unsigned i = 1; i <= MAX_BITS; i++) {
        value |= take_bits(s, 1);
        unsigned n = counts[i];
        if (value < first + n)
            return index + value - first;
        index += n;
        first = (first + n) << 1;
        value <<= 1;
    }
    s->error = MOTE_GRPC_ERR_CODEC;
    return 0;
}

static unsigned take_symbol(inflater *s, const prefix_code *c)
{
    unsigned i = take_code(s, c->counts);

    return s->error == 0 ? c->symbols[i] : END_OF_BLOCK;
}

/* The fixed code (RFC 1951 3.2.6) of 7, 8 and 9 bits needs no table of symbols. */
static unsigned take_literal(inflater *s, const prefix_code *c)
{
    static const uint16_t counts[MAX_BITS + 1] = {[7] = 24, [8] = 152, [9] = 112};

    if (c)
        return take_symbol(s, c);
    unsigned i = take_code(s, counts);
    if (i < 24)
        return 256 + i;
    i -= 24;
    if (i < 144)
        return i;
    i -= 144;
    return i < 8 ? 280 + i : 144 + i - 8;
}

static unsigned take_distance(inflater *s, const prefix_code *c)
{
    static const uint16_t counts[MAX_BITS + 1] = {[5] = 32};

    return c ? take_symbol(s, c) : take_code(s, counts);
}

static void stored_block(inflater *s)
{
    s->bits = 0;
    s->count = 0;
    if (s->len - s->at < 4) {
        s->error = MOTE_GRPC_ERR_CODEC;
        return;
    }
    const uint8_t *p = s->in + s->at;
    size_t n = p[0] | (size_t)p[1] << 8;
    s->at += 4;
    if ((p[0] ^ p[2]) != 0xff || (p[1] ^ p[3]) != 0xff || s->len - s->at < n) {
        s->error = MOTE_GRPC_ERR_CODEC;
    } else if (s->cap - s->n < n) {
        s->error = MOTE_GRPC_ERR_SPACE;
    } else if (n > 0) {
        memcpy(s->out + s->n, s->in + s->at, n);
        s->n += n;
        s->at += n;
    }
}

/* RFC 1951 3.2.5: 28 lengths and 30 distances, each with its extra bits. */
static unsigned length_of(inflater *s, unsigned symbol)
{
    unsigned i = symbol - 257;

    if (i < 8)
        return i + 3;
    if (i == 28)
        return 258;
    unsigned extra = i / 4 - 1;
    return ((4 + i % 4) << extra) + 3 + take_bits(s, extra);
}

static size_t distance_of(inflater *s, unsigned symbol)
{
    if (symbol < 4)
        return symbol + 1;
    unsigned extra = symbol / 2 - 1;
    return ((size_t)(2 + symbol % 2) << extra) + 1 + take_bits(s, extra);
}

static void copy_match(inflater *s, unsigned symbol, const prefix_code *distances)
{
    if (symbol > 285) {
        s->error = MOTE_GRPC_ERR_CODEC;
        return;
    }
    size_t n = length_of(s, symbol);
    unsigned d = take_distance(s, distances);
    size_t distance = d < DISTANCES ? distance_of(s, d) : SIZE_MAX;
    if (s->error < 0)
        return;
    if (distance > s->n)
        s->error = MOTE_GRPC_ERR_CODEC;
    else if (s->cap - s->n < n)
        s->error = MOTE_GRPC_ERR_SPACE;
    for (; s->error == 0 && n > 0; n--, s->n++) /* the ranges may overlap */
        s->out[s->n] = s->out[s->n - distance];
}

/* A block in the codes that it gives, or in the fixed ones (NULL). */
static void coded_block(inflater *s, const prefix_code *literals, const prefix_code *distances)
{
    while (s->error == 0) {
        unsigned symbol = take_literal(s, literals);
        if (s->error < 0 || symbol == END_OF_BLOCK)
            return;
        if (symbol > END_OF_BLOCK)
            copy_match(s, symbol, distances);
        else if (s->n == s->cap)
            s->error = MOTE_GRPC_ERR_SPACE;
        else
            s->out[s->n++] = (uint8_t)symbol;
    }
}

/* The lengths of a block's two codes, themselves coded (RFC 1951 3.2.7). */
static void read_lengths(inflater *s, const prefix_code *c, uint8_t *lengths, size_t n)
{
    for (size_t i = 0; i < n && s->error == 0;) {
        unsigned symbol = take_symbol(s, c);
        if (symbol < 16) {
            lengths[i++] = (uint8_t)symbol;
            continue;
        }
        size_t repeat = symbol == 16   ? 3 + take_bits(s, 2)
                        : symbol == 17 ? 3 + take_bits(s, 3)
                                       : 11 + take_bits(s, 7);
        if (repeat > n - i || (symbol == 16 && i == 0)) {
            s->error = MOTE_GRPC_ERR_CODEC;
            return;
        }
        memset(lengths + i, symbol == 16 ? lengths[i - 1] : 0, repeat);
        i += repeat;
    }
}

static void dynamic_lengths(inflater *s, uint8_t *lengths, prefix_code *c)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t own[19] = {0};
    size_t literals = take_bits(s, 5) + 257u, distances = take_bits(s, 5) + 1u;
    size_t n = take_bits(s, 4) + 4u;

    for (size_t i = 0; i < n; i++)
        own[order[i]] = (uint8_t)take_bits(s, 3);
    if (s->error < 0 || literals > 286 || distances > DISTANCES || !make_code(c, own, 19)) {
        s->error = MOTE_GRPC_ERR_CODEC;
        return;
    }
    memset(lengths, 0, LITERALS + DISTANCES);
    read_lengths(s, c, lengths, literals + distances);
    memmove(lengths + LITERALS, lengths + literals, distances);
    memset(lengths + literals, 0, LITERALS - literals);
    if (lengths[END_OF_BLOCK] == 0)
        s->error = MOTE_GRPC_ERR_CODEC;
}

static void dynamic_block(inflater *s)
{
    uint8_t lengths[LITERALS + DISTANCES + DISTANCES];
    prefix_code literals, distances;

    dynamic_lengths(s, lengths, &literals);
    if (s->error < 0)
        return;
    if (make_code(&literals, lengths, LITERALS) &&
        make_code(&distances, lengths + LITERALS, DISTANCES))
        coded_block(s, &literals, &distances);
    else
        s->error = MOTE_GRPC_ERR_CODEC;
}

int mote_grpc_inflate(const uint8_t *in, size_t len, size_t *used, uint8_t *out, size_t cap,
                      size_t *n)
{
    inflater s = {.in = in, .len = len, .out = out, .cap = cap};
    bool last = false;

    while (!last && s.error == 0) {
        last = take_bits(&s, 1);
        switch (take_bits(&s, 2)) {
        case 0:
            stored_block(&s);
            break;
        case 1:
            coded_block(&s, NULL, NULL);
            break;
        case 2:
            dynamic_block(&s);
            break;
        default:
            s.error = MOTE_GRPC_ERR_CODEC;
            break;
        }
    }
    *used = s.at;
    *n = s.n;
    return s.error;
}
