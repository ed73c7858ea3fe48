/* The codecs "gzip" (RFC 1952) and "deflate", which is the zlib format (RFC 1950). */
#include "codec_internal.h"

#include "codec.h"

#include <string.h>

static uint32_t crc32_of(const uint8_t *p, size_t len)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc = crc >> 4 ^ table[(crc ^ p[i]) & 15];
        crc = crc >> 4 ^ table[(crc ^ p[i] >> 4) & 15];
    }
    return ~crc;
}

static uint32_t adler32_of(const uint8_t *p, size_t len)
{
    uint32_t a = 1, b = 0;

    while (len > 0) {
        size_t n = len < 5552 ? len : 5552; /* so many sums fit 32 bits */
        len -= n;
        for (; n > 0; n--) {
            a += *p++;
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}

static void put_le32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ---- gzip ---------------------------------------------------------------------------------- */

enum { GZIP_HEADER = 10, GZIP_TRAILER = 8 };
enum { HEADER_CRC = 2, EXTRA = 4, HAS_NAME = 8, COMMENT = 16, RESERVED = 0xe0 };

static size_t skip_text(const uint8_t *in, size_t len, size_t at)
{
    while (at < len && in[at] != 0)
        at++;
    return at + 1;
}

/* Length of a header (RFC 1952 2.3), or more than `len`. */
static size_t gzip_header(const uint8_t *in, size_t len)
{
    size_t at = GZIP_HEADER;

    if (len < GZIP_HEADER || in[0] != 0x1f || in[1] != 0x8b || in[2] != 8 || in[3] & RESERVED)
        return len + 1;
    if (in[3] & EXTRA)
        at += len - at < 2 ? 2 : 2 + (in[at] | (size_t)in[at + 1] << 8);
    if (in[3] & HAS_NAME)
        at = skip_text(in, len, at);
    if (in[3] & COMMENT)
        at = skip_text(in, len, at);
    return at + (in[3] & HEADER_CRC ? 2 : 0);
}

static int gzip_member(const uint8_t *in, size_t len, size_t *used, uint8_t *out, size_t cap,
                       size_t *n)
{
    size_t at = gzip_header(in, len), body;

    *n = 0;
    if (at > len)
        return MOTE_GRPC_ERR_CODEC;
    int r = mote_grpc_inflate(in + at, len - at, &body, out, cap, n);
    at += body;
    if (r < 0)
        return r;
    if (len - at < GZIP_TRAILER || le32(in + at) != crc32_of(out, *n) ||
        le32(in + at + 4) != (uint32_t)*n)
        return MOTE_GRPC_ERR_CODEC;
    *used = at + GZIP_TRAILER;
    return 0;
}

static int gzip_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n)
{
    int r;

    *n = 0;
    do { /* RFC 1952 2.2: members follow one another */
        size_t used = 0, more = 0;
        if ((r = gzip_member(in, len, &used, out + *n, cap - *n, &more)) < 0)
            return r;
        in += used;
        len -= used;
        *n += more;
    } while (len > 0);
    return 0;
}

static int gzip_compress(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n)
{
    static const uint8_t header[GZIP_HEADER] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};

    if (cap < GZIP_HEADER + GZIP_TRAILER)
        return MOTE_GRPC_ERR_SPACE;
    memcpy(out, header, GZIP_HEADER);
    int r =
        mote_grpc_deflate_bytes(in, len, out + GZIP_HEADER, cap - GZIP_HEADER - GZIP_TRAILER, n);
    if (r < 0)
        return r;
    put_le32(out + GZIP_HEADER + *n, crc32_of(in, len));
    put_le32(out + GZIP_HEADER + *n + 4, (uint32_t)len);
    *n += GZIP_HEADER + GZIP_TRAILER;
    return 0;
}

/* ---- deflate ------------------------------------------------------------------------------- */

enum { ZLIB_HEADER = 2, ZLIB_TRAILER = 4, PRESET = 0x20 };

static int zlib_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n)
{
    size_t used;

    *n = 0;
    /* RFC 1950 2.2: method 8, with a window of 32 KiB at the most, and no dictionary */
    if (len < ZLIB_HEADER || (in[0] & 15) != 8 || in[0] >> 4 > 7 ||
        (in[0] * 256u + in[1]) % 31 != 0 || in[1] & PRESET)
        return MOTE_GRPC_ERR_CODEC;
    int r = mote_grpc_inflate(in + ZLIB_HEADER, len - ZLIB_HEADER, &used, out, cap, n);
    if (r < 0)
        return r;
    used += ZLIB_HEADER;
    uint32_t sum = adler32_of(out, *n);
    uint8_t expected[ZLIB_TRAILER] = {(uint8_t)(sum >> 24), (uint8_t)(sum >> 16),
                                      (uint8_t)(sum >> 8), (uint8_t)sum};
    if (len - used != ZLIB_TRAILER || memcmp(in + used, expected, ZLIB_TRAILER) != 0)
        return MOTE_GRPC_ERR_CODEC;
    return 0;
}

static int zlib_compress(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n)
{
    if (cap < ZLIB_HEADER + ZLIB_TRAILER)
        return MOTE_GRPC_ERR_SPACE;
    out[0] = 0x78;
    out[1] = 0x01;
    int r =
        mote_grpc_deflate_bytes(in, len, out + ZLIB_HEADER, cap - ZLIB_HEADER - ZLIB_TRAILER, n);
    if (r < 0)
        return r;
    uint32_t sum = adler32_of(in, len);
    *n += ZLIB_HEADER;
    for (unsigned i = 0; i < ZLIB_TRAILER; i++)
        out[(*n)++] = (uint8_t)(sum >> (24 - 8 * i));
    return 0;
}

const mote_grpc_codec mote_grpc_gzip = {MOTE_HPACK_FIELD("grpc-encoding", "gzip"), gzip_compress,
                                        gzip_decompress};
const mote_grpc_codec mote_grpc_deflate = {MOTE_HPACK_FIELD("grpc-encoding", "deflate"),
                                           zlib_compress, zlib_decompress};
const mote_grpc_codecs mote_grpc_zlib = {
    {&mote_grpc_gzip, &mote_grpc_deflate},
    2,
    MOTE_HPACK_FIELD("grpc-accept-encoding", "identity,deflate,gzip")};
