/* DEFLATE (RFC 1951): every kind of block, every length and distance, every limit of room. */
#include "../guard.h"

#include "../../grpc/codec/codec.h"
#include "../test.h"

/* ---- streams bit by bit -------------------------------------------------------------------- */

static uint8_t stream[300000], out[300000];
static size_t stream_len;
static unsigned bit;

static void begin(void)
{
    stream_len = 2;
    bit = 0;
    stream[0] = 0x78;
    stream[1] = 0x01;
}

/* RFC 1951 3.1.1: numbers from the lowest bit, codes from the highest. */
static void put(unsigned value, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++) {
        if (bit == 0)
            stream[stream_len++] = 0;
        stream[stream_len - 1] |= (uint8_t)((value >> i & 1) << bit);
        bit = (bit + 1) % 8;
    }
}

static void put_code(unsigned code, unsigned bits)
{
    while (bits-- > 0)
        put(code >> bits & 1, 1);
}

/* The fixed code of RFC 1951 3.2.6. */
static void put_fixed(unsigned symbol)
{
    if (symbol < 144)
        put_code(0x30 + symbol, 8);
    else if (symbol < 256)
        put_code(0x190 + symbol - 144, 9);
    else if (symbol < 280)
        put_code(symbol - 256, 7);
    else
        put_code(0xc0 + symbol - 280, 8);
}

static uint32_t adler(const uint8_t *p, size_t len)
{
    uint32_t a = 1, b = 0;

    for (size_t i = 0; i < len; i++) {
        a = (a + p[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void finish(const uint8_t *expected, size_t len)
{
    uint32_t sum = adler(expected, len);

    bit = 0;
    for (int i = 24; i >= 0; i -= 8)
        stream[stream_len++] = (uint8_t)(sum >> i);
}

static int inflate_stream(size_t cap, size_t *n)
{
    memset(out, 0xaa, cap + 1);
    int r = mote_grpc_deflate.decompress(guarded(stream, stream_len), stream_len, out, cap, n);
    CHECK(out[cap] == 0xaa);
    return r;
}

/* The stream gives these bytes with just that room, and an error with less or without its end. */
static void gives(const uint8_t *expected, size_t len)
{
    size_t n;

    finish(expected, len);
    CHECK_INT(inflate_stream(len, &n), 0);
    CHECK(n == len && (len == 0 || memcmp(out, expected, len) == 0));
    CHECK_INT(inflate_stream(len + 100, &n), 0);
    if (len > 0)
        CHECK_INT(inflate_stream(len - 1, &n), MOTE_GRPC_ERR_SPACE);
    size_t whole = stream_len;
    for (stream_len = 0; stream_len < whole; stream_len += stream_len + 24 < whole ? 97 : 1)
        CHECK_INT(inflate_stream(len + 100, &n), MOTE_GRPC_ERR_CODEC);
    stream_len = whole;
    stream[stream_len - 1] ^= 1;
    CHECK_INT(inflate_stream(len, &n), MOTE_GRPC_ERR_CODEC);
    stream[stream_len - 1] ^= 1;
    stream[stream_len++] = 0;
    CHECK_INT(inflate_stream(len, &n), MOTE_GRPC_ERR_CODEC);
    stream_len--;
}

static void is_refused(void)
{
    size_t n;

    memset(stream + stream_len, 0, 16);
    stream_len += 16;
    CHECK_INT(inflate_stream(100000, &n), MOTE_GRPC_ERR_CODEC);
    stream_len -= 16;
}

/* The same with the checksum that it would have if these bytes came out. */
static void is_refused_although(const uint8_t *expected, size_t len)
{
    size_t n;

    finish(expected, len);
    CHECK_INT(inflate_stream(100000, &n), MOTE_GRPC_ERR_CODEC);
}

/* ---- blocks -------------------------------------------------------------------------------- */

static void every_literal_of_the_fixed_code(void)
{
    uint8_t all[256];

    begin();
    put(1 | 1 << 1, 3);
    for (unsigned i = 0; i < 256; i++) {
        all[i] = (uint8_t)i;
        put_fixed(i);
    }
    put_fixed(256);
    gives(all, 256);
}

/* RFC 1951 3.2.5 */
static const uint16_t length_base[] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                       15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                       67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                       2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_base[] = {
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};

static unsigned distance_extra(unsigned i)
{
    return i < 4 ? 0 : i / 2 - 1;
}

static uint8_t text[70000];

static void make_text(void)
{
    uint32_t seed = 5;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)test_random(&seed);
}

/* Bytes without compression, then more of them by a match. */
static void put_stored(const uint8_t *p, size_t len, bool last)
{
    put(last, 1);
    put(0, 2);
    bit = 0;
    unsigned head[] = {(unsigned)len & 255, (unsigned)len >> 8, ~(unsigned)len & 255,
                       ~(unsigned)len >> 8 & 255};
    for (int i = 0; i < 4; i++)
        stream[stream_len++] = (uint8_t)head[i];
    memcpy(stream + stream_len, p, len);
    stream_len += len;
}

static void match_of(unsigned length, unsigned l, unsigned l_bits, unsigned distance, unsigned d,
                     unsigned d_bits)
{
    static uint8_t expected[40000];
    size_t before = distance;

    begin();
    put_stored(text, before, false);
    put(1 | 1 << 1, 3);
    put_fixed(257 + l);
    put(l_bits, length_extra[l]);
    put_code(d, 5);
    put(d_bits, distance_extra(d));
    put_fixed(256);
    memcpy(expected, text, before);
    for (size_t i = 0; i < length; i++)
        expected[before + i] = expected[before + i - distance];
    gives(expected, before + length);
    begin(); /* a byte less before it */
    put_stored(text, before - 1, false);
    put(1 | 1 << 1, 3);
    put_fixed(257 + l);
    put(l_bits, length_extra[l]);
    put_code(d, 5);
    put(d_bits, distance_extra(d));
    put_fixed(256);
    is_refused();
}

static void every_length_and_every_distance_at_both_ends(void)
{
    for (unsigned l = 0; l < 29; l++) {
        unsigned most = (1u << length_extra[l]) - 1;
        match_of(length_base[l], l, 0, 5, 4, 0);
        match_of(length_base[l] + most, l, most, 6, 4, 1);
    }
    for (unsigned d = 0; d < 30; d++) {
        unsigned most = (1u << distance_extra(d)) - 1;
        match_of(3, 0, 0, distance_base[d], d, 0);
        match_of(4, 1, 0, distance_base[d] + most, d, most);
    }
}

static void symbols_that_are_none_are_refused(void)
{
    for (unsigned symbol = 286; symbol < 288; symbol++) {
        begin();
        put(1 | 1 << 1, 3);
        put_fixed('a');
        put_fixed(symbol);
        put_code(0, 5);
        is_refused();
    }
    for (unsigned distance = 30; distance < 32; distance++) {
        begin();
        put(1 | 1 << 1, 3);
        put_fixed('a');
        put_fixed(257);
        put_code(distance, 5);
        is_refused();
    }
    for (unsigned distance = 30; distance < 32; distance++) { /* although so much has come out */
        begin();
        put_stored(text, 65535, false);
        put(1 | 1 << 1, 3);
        put_fixed(257);
        put_code(distance, 5);
        put(0, 14);
        put_fixed(256);
        size_t back = distance == 30 ? 32769 : 49153; /* as the row of lengths would go on */
        static uint8_t expected[65538];
        memcpy(expected, text, 65535);
        memcpy(expected + 65535, text + 65535 - back, 3);
        is_refused_although(expected, 65538);
    }
    begin();
    put(1 | 3 << 1, 3); /* a kind of block that does not exist */
    is_refused();
}

static void stored_blocks_of_every_size(void)
{
    static const size_t sizes[] = {0, 1, 2, 255, 256, 65534, 65535};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        begin();
        put_stored(text, sizes[i], true);
        gives(text, sizes[i]);
        for (size_t byte = 5; byte < 7; byte++) { /* the complement of the length */
            stream[byte] ^= 1;
            size_t n;
            CHECK_INT(inflate_stream(sizes[i] + 1, &n), MOTE_GRPC_ERR_CODEC);
            stream[byte] ^= 1;
        }
    }
    begin(); /* several, and one of fixed codes that is empty, and ends within a byte */
    put_stored(text, 10, false);
    put(1 << 1, 3);
    put_fixed(256);
    put_stored(text + 10, 20, true);
    gives(text, 30);
}

/* ---- dynamic codes (RFC 1951 3.2.7) -------------------------------------------------------- */

/* Begins a block whose code lengths have 1: 0, 2: 1, 3: 2, 4: 18 and 16, 5: 17, as codes of 1, 2,
 * 3, 4, 5, 5 bits. */
static void put_dynamic(unsigned literals, unsigned distances)
{
    static const uint8_t lengths[19] = {/* 16, 17, 18, 0 */ 5,
                                        5,
                                        4,
                                        1,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        3,
                                        0,
                                        2,
                                        0};

    put(1 | 2 << 1, 3);
    put(literals - 257, 5);
    put(distances - 1, 5);
    put(18 - 4, 4);
    for (int i = 0; i < 18; i++)
        put(lengths[i], 3);
}

/* Canonical: 0 is 0; 1 is 10; 2 is 110; 18 is 1110; 16 is 11110; 17 is 11111. */
static void len_0(void)
{
    put_code(0, 1);
}
static void len_1(void)
{
    put_code(2, 2);
}
static void len_2(void)
{
    put_code(6, 3);
}
static void zeros(unsigned n)
{
    for (; n >= 11; n -= n > 138 ? 138 : n) {
        put_code(14, 4);
        put((n > 138 ? 138 : n) - 11, 7);
    }
    while (n-- > 0)
        len_0();
}

static void a_dynamic_block(void)
{
    begin(); /* 'a' and end of block: 1 bit each; distance 1: a single code */
    put_dynamic(257, 1);
    zeros('a');
    len_1();
    zeros(256 - 'a' - 1);
    len_1();
    len_1();
    put(0, 1);
    put(0, 1);
    put(1, 1);
    gives((const uint8_t *)"aa", 2);
    begin(); /* with a match of 3 */
    put_dynamic(258, 1);
    zeros('a');
    len_1();
    zeros(256 - 'a' - 1);
    len_2();
    len_2();
    len_1();
    put(0, 1);
    put_code(3, 2); /* 257 */
    put(0, 1);
    put_code(2, 2);
    gives((const uint8_t *)"aaaa", 4);
    begin(); /* no distances */
    put_dynamic(257, 1);
    zeros('a');
    len_1();
    zeros(256 - 'a' - 1);
    len_1();
    len_0();
    put(0, 1);
    put(1, 1);
    gives((const uint8_t *)"a", 1);
}

static void repeated_lengths(void)
{
    begin(); /* 'a'..'d' by "1 of 2, 3 more": the code is full without an end */
    put_dynamic(257, 1);
    zeros('a');
    len_2();
    put_code(30, 5);
    put(0, 2);
    zeros(256 - 'd' - 1);
    len_0();
    len_0();
    is_refused(); /* no end of block */
    begin();      /* 'a', 'b', 'c' by single ones, the end as the fourth */
    put_dynamic(257, 1);
    zeros('a');
    len_2();
    len_2();
    len_2();
    put_code(31, 5); /* 3 zeros */
    put(0, 3);
    zeros(256 - 'f' - 1);
    len_2();
    len_0();
    put_code(0, 2), put_code(1, 2), put_code(2, 2), put_code(3, 2);
    gives((const uint8_t *)"abc", 3);
    begin(); /* nothing to repeat */
    put_dynamic(257, 1);
    put_code(30, 5);
    is_refused();
    begin(); /* one too many */
    put_dynamic(257, 1);
    zeros(255);
    len_1();
    put_code(30, 5);
    put(0, 2);
    is_refused();
}

static void codes_that_are_too_many_or_too_few_are_refused(void)
{
    static const struct {
        unsigned ones, literals, distances;
    } cases[] = {{3, 257, 1}, {1, 257, 1}, {2, 287, 1}, {2, 288, 1}, {2, 257, 31}, {2, 257, 32}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned literals = cases[i].literals, distances = cases[i].distances;
        begin();
        put_dynamic(literals, distances);
        zeros(256 - (cases[i].ones - 1));
        for (unsigned k = 0; k < cases[i].ones; k++)
            len_1();
        zeros(literals - 257 + distances);
        put(cases[i].ones == 1 ? 0 : 1, 1);
        if (i == 1) /* a single code of one bit is whole */
            gives(NULL, 0);
        else
            is_refused();
    }
    begin(); /* the single code is 0, and the other bit is none */
    put_dynamic(257, 1);
    zeros(256);
    len_1();
    len_0();
    put(0x7fff, 15);
    is_refused_although(NULL, 0);
    begin(); /* two distances of 2 bits, and no others */
    put_dynamic(257, 2);
    zeros(255);
    len_1();
    len_1();
    len_2();
    len_2();
    put(1, 1);
    is_refused();
    begin(); /* one of 2 bits */
    put_dynamic(257, 1);
    zeros(255);
    len_1();
    len_1();
    len_2();
    put(1, 1);
    is_refused();
    begin(); /* the most that there may be of both */
    put_dynamic(286, 30);
    zeros(255);
    len_1();
    len_1();
    zeros(29 + 30);
    put(1, 1);
    gives(NULL, 0);
}

int main(void)
{
    make_text();
    RUN(every_literal_of_the_fixed_code);
    RUN(every_length_and_every_distance_at_both_ends);
    RUN(symbols_that_are_none_are_refused);
    RUN(stored_blocks_of_every_size);
    RUN(a_dynamic_block);
    RUN(repeated_lengths);
    RUN(codes_that_are_too_many_or_too_few_are_refused);
    return test_summary();
}
