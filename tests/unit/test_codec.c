/* gzip, zlib and the deflater: every header, every checksum, and what is compressed comes back. */
#include "../guard.h"

#include "../../grpc/codec/codec.h"
#include "../test.h"

static uint8_t out[80000];

static uint8_t text[70000];

static void make_text(void)
{
    uint32_t seed = 5;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)test_random(&seed);
}

/* ---- headers and checksums ----------------------------------------------------------------- */

/* RFC 1950 2.2 */
static void every_zlib_header(void)
{
    uint8_t stream[] = {0x78, 0x01, 0x03, 0x00, 0, 0, 0, 1}; /* an empty block */
    size_t n;

    for (unsigned head = 0; head < 65536; head++) {
        bool right = head % 31 == 0 && (head >> 8 & 15) == 8 && head >> 12 <= 7 && !(head & 0x20);
        stream[0] = (uint8_t)(head >> 8);
        stream[1] = (uint8_t)head;
        int r = mote_grpc_deflate.decompress(stream, sizeof stream, out, 0, &n);
        if (r != (right ? 0 : MOTE_GRPC_ERR_CODEC))
            CHECK_INT(head, -1);
    }
    for (size_t len = 0; len < sizeof stream; len++)
        CHECK_INT(mote_grpc_deflate.decompress(stream, len, out, 0, &n), MOTE_GRPC_ERR_CODEC);
}

/* RFC 1952 2.3: "hello" with each set of flags, a field of each kind, and cut at every byte. */
static void every_gzip_header(void)
{
    static const uint8_t tail[] = {0x01, 5,    0,    0xfa, 0xff, 'h', 'e', 'l', 'l',
                                   'o',  0x86, 0xa6, 0x10, 0x36, 5,   0,   0,   0};

    for (unsigned flags = 0; flags < 256; flags++) {
        uint8_t z[128] = {0x1f, 0x8b, 8, (uint8_t)flags, 1, 2, 3, 4, 0xff, 3};
        size_t len = 10, n;
        if (flags & 4)
            memcpy(z + len, "\3\0\1\2\3", 5), len += 5;
        if (flags & 8)
            memcpy(z + len, "name", 5), len += 5;
        if (flags & 16)
            memcpy(z + len, "note", 5), len += 5;
        if (flags & 2)
            memcpy(z + len, "\7\7", 2), len += 2;
        memcpy(z + len, tail, sizeof tail);
        len += sizeof tail;
        int right = flags & 0xe0 ? MOTE_GRPC_ERR_CODEC : 0;
        CHECK_INT(mote_grpc_gzip.decompress(guarded(z, len), len, out, 5, &n), right);
        CHECK(right < 0 || (n == 5 && memcmp(out, "hello", 5) == 0));
        for (size_t cut = 0; cut < len; cut++)
            CHECK_INT(mote_grpc_gzip.decompress(guarded(z, cut), cut, out, 5, &n),
                      MOTE_GRPC_ERR_CODEC);
        for (size_t i = len - 8; right == 0 && i < len; i++) { /* both checksums */
            z[i] ^= 0x10;
            CHECK_INT(mote_grpc_gzip.decompress(guarded(z, len), len, out, 5, &n),
                      MOTE_GRPC_ERR_CODEC);
            z[i] ^= 0x10;
        }
        for (size_t i = 0; right == 0 && i < 3; i++) {
            z[i] ^= 1;
            CHECK_INT(mote_grpc_gzip.decompress(guarded(z, len), len, out, 5, &n),
                      MOTE_GRPC_ERR_CODEC);
            z[i] ^= 1;
        }
        memmove(z + len, z, len); /* two members: their texts follow one another */
        if (right == 0 && 2 * len <= sizeof z) {
            CHECK_INT(mote_grpc_gzip.decompress(guarded(z, 2 * len), 2 * len, out, 10, &n), 0);
            CHECK(n == 10 && memcmp(out, "hellohello", 10) == 0);
            CHECK_INT(mote_grpc_gzip.decompress(guarded(z, 2 * len), 2 * len, out, 9, &n),
                      MOTE_GRPC_ERR_SPACE);
            CHECK_INT(mote_grpc_gzip.decompress(guarded(z, 2 * len - 1), 2 * len - 1, out, 10, &n),
                      MOTE_GRPC_ERR_CODEC);
        }
    }
}

/* ---- compression --------------------------------------------------------------------------- */

static void comes_back(const mote_grpc_codec *codec, const uint8_t *in, size_t len, size_t most)
{
    static uint8_t packed[80000];
    size_t n, m, again;

    CHECK_INT(codec->compress(in, len, packed, sizeof packed, &n), 0);
    CHECK(n <= most);
    CHECK_INT(codec->decompress(packed, n, out, len, &m), 0);
    CHECK(m == len && (len == 0 || memcmp(out, in, len) == 0));
    memset(packed, 0xaa, sizeof packed);
    CHECK_INT(codec->compress(in, len, packed, n, &again), 0);
    CHECK(again == n && packed[n] == 0xaa);
    CHECK_INT(codec->decompress(packed, n, out, len, &m), 0);
    memset(packed, 0xaa, sizeof packed);
    CHECK_INT(codec->compress(in, len, packed, n - 1, &again), MOTE_GRPC_ERR_SPACE);
    CHECK(packed[n - 1] == 0xaa);
    for (size_t cap = 0; cap < n && cap < 20; cap += 1 + len / 1000)
        CHECK_INT(codec->compress(in, len, packed, cap, &again), MOTE_GRPC_ERR_SPACE);
}

/* Random bytes take 5 more for each 65,535 of them; others take what the matches leave. */
static void what_is_compressed_comes_back(void)
{
    static const size_t sizes[] = {0, 1, 2, 3, 4, 100, 1000, 65534, 65535, 65536, 70000};
    static uint8_t even[70000];

    memset(even, 'x', sizeof even);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t len = sizes[i], stored = len + 5 * (len / 65535 + 1);
        comes_back(&mote_grpc_gzip, text, len, stored + 18);
        comes_back(&mote_grpc_deflate, text, len, stored + 6);
        comes_back(&mote_grpc_gzip, even, len, 18 + 12 + len / 100);
        comes_back(&mote_grpc_deflate, even, len, 6 + 12 + len / 100);
    }
}

/* A piece of each length that stood at each distance before is said as one match. */
static void matches_of_each_length_and_distance_come_back(void)
{
    static uint8_t twice[40000];
    static const unsigned distances[] = {300, 1025, 4096, 8193, 16385, 24577, 32767, 32768, 32769};

    for (size_t d = 0; d < sizeof distances / sizeof distances[0]; d++) {
        for (unsigned length = 3; length <= 260; length += 1 + length / 8) {
            memcpy(twice, text, distances[d]);
            memcpy(twice + distances[d], text, length);
            comes_back(&mote_grpc_deflate, twice, distances[d] + length, sizeof twice);
        }
    }
    for (unsigned d = 1; d < 60; d++) { /* close by, as a pattern */
        for (size_t i = 0; i < 400; i++)
            twice[i] = text[i % d];
        comes_back(&mote_grpc_deflate, twice, 400, 6 + 2 + 10 + d * 9 / 8 + 8);
    }
}

/* Bytes of the wire, as zlib reads them: lengths and distances have one form each. */
static void the_bytes_of_a_compressed_text_are_known(void)
{
    static const char in[] = "sensor=1;value=20\nsensor=2;value=21\nsensor=3;value=22\n";
    uint8_t packed[100], expected[100];
    size_t n,
        len = unhex("78012b4ecd2bce2fb235b42e4bcc294db53532e0828a18c1440c6122c63011232e0007871222",
                    expected);

    CHECK_INT(mote_grpc_deflate.compress((const uint8_t *)in, sizeof in - 1, packed, 100, &n), 0);
    CHECK(n == len && memcmp(packed, expected, len) == 0);
}

static void both_are_offered(void)
{
    CHECK_INT(mote_grpc_zlib.count, 2);
    CHECK(mote_grpc_zlib.codec[0] == &mote_grpc_gzip);
    CHECK(mote_grpc_zlib.codec[1] == &mote_grpc_deflate);
    CHECK(strcmp(mote_grpc_gzip.encoding.value, "gzip") == 0);
    CHECK(strcmp(mote_grpc_deflate.encoding.value, "deflate") == 0);
    CHECK(strcmp(mote_grpc_zlib.accept.value, "identity,deflate,gzip") == 0);
}

/* RFC 1952 2.3.1.1: a field of any length, which is skipped whole. */
static void extra_fields_of_every_length(void)
{
    static const size_t lengths[] = {0, 1, 2, 254, 255, 256, 257, 511, 512, 65534, 65535};
    static const uint8_t tail[] = {0x01, 5,    0,    0xfa, 0xff, 'h', 'e', 'l', 'l',
                                   'o',  0x86, 0xa6, 0x10, 0x36, 5,   0,   0,   0};
    static uint8_t z[66000] = {0x1f, 0x8b, 8, 4};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t n, len = 12 + lengths[i];
        uint8_t text[5];
        z[10] = (uint8_t)lengths[i];
        z[11] = (uint8_t)(lengths[i] >> 8);
        memset(z + 12, 0xff, lengths[i]);
        memcpy(z + len, tail, sizeof tail);
        len += sizeof tail;
        CHECK_INT(mote_grpc_gzip.decompress(guarded(z, len), len, text, 5, &n), 0);
        CHECK(n == 5 && memcmp(text, "hello", 5) == 0);
        CHECK_INT(mote_grpc_gzip.decompress(guarded(z, len - 1), len - 1, text, 5, &n),
                  MOTE_GRPC_ERR_CODEC);
    }
}

int main(void)
{
    make_text();
    RUN(both_are_offered);
    RUN(every_zlib_header);
    RUN(every_gzip_header);
    RUN(extra_fields_of_every_length);
    RUN(what_is_compressed_comes_back);
    RUN(matches_of_each_length_and_distance_come_back);
    RUN(the_bytes_of_a_compressed_text_are_known);
    return test_summary();
}
