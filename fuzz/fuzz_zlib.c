/* The codecs beside zlib: both accept the same bytes and make the same of them; and what one
 * compresses the other decompresses. First byte: bit 0 gzip, else zlib; bits 1-4 what there is room
 * for; the rest: bytes. */
#include "../grpc/codec/codec.h"
#include "fuzz.h"

#include <zlib.h>

enum { MAX = 1 << 16 };

static uint8_t ours[MAX], theirs[MAX], packed[MAX + 4096];

/* 1: more than there is room for; 0; -1: none of the format; 2: a header's own CRC is wrong, which
 * RFC 1952 2.3.1.2 lets a decompressor overlook, as ours does. Members follow one another. */
static int peer_decompress(int window_bits, const uint8_t *in, size_t len, size_t cap, size_t *n)
{
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)in, .avail_in = (unsigned)len};
    int r;

    *n = 0;
    if (inflateInit2(&z, window_bits) != Z_OK)
        abort();
    do {
        z.next_out = theirs + *n;
        z.avail_out = (unsigned)(MAX - *n);
        r = inflate(&z, Z_FINISH);
        *n = (size_t)(z.next_out - theirs);
    } while (r == Z_STREAM_END && z.avail_in > 0 && window_bits > 15 && inflateReset(&z) == Z_OK);
    bool used = z.avail_in == 0, full = z.avail_out == 0;
    bool header_crc = z.msg && strcmp(z.msg, "header crc mismatch") == 0;
    inflateEnd(&z);
    if (header_crc)
        return 2;
    if (r == Z_BUF_ERROR && full)
        return 1;
    if (r != Z_STREAM_END || !used)
        return -1;
    return *n > cap ? 1 : 0;
}

static void check_decompression(const mote_grpc_codec *codec, int window_bits, const uint8_t *data,
                                size_t size, size_t cap)
{
    size_t n, m;
    int peer = peer_decompress(window_bits, data, size, cap, &m);
    int r = codec->decompress(data, size, ours, cap, &n);

    if (peer == 0) {
        ASSERT(r == 0 && n == m && memcmp(ours, theirs, n) == 0);
    } else if (peer != 2) {
        ASSERT(r < 0);
    }
}

static void check_compression(const mote_grpc_codec *codec, int window_bits, const uint8_t *data,
                              size_t size)
{
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)data, .avail_in = (unsigned)size};
    size_t n, m;

    ASSERT(codec->compress(data, size, packed, sizeof packed, &n) == 0);
    ASSERT(peer_decompress(window_bits, packed, n, MAX, &m) == 0);
    ASSERT(m == size && memcmp(theirs, data, m) == 0);
    if (deflateInit2(&z, (int)(size % 10), Z_DEFLATED, window_bits, 8, (int)(size % 5)) != Z_OK)
        abort();
    z.next_out = packed;
    z.avail_out = sizeof packed;
    ASSERT(deflate(&z, Z_FINISH) == Z_STREAM_END);
    n = sizeof packed - z.avail_out;
    deflateEnd(&z);
    ASSERT(codec->decompress(packed, n, ours, MAX, &m) == 0);
    ASSERT(m == size && memcmp(ours, data, m) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MAX)
        return 0;
    bool gzip = data[0] & 1;
    const mote_grpc_codec *codec = gzip ? &mote_grpc_gzip : &mote_grpc_deflate;
    int window_bits = gzip ? 31 : 15;
    size_t cap = data[0] & 2 ? MAX : (size_t)16 << (data[0] >> 2 & 7);

    check_decompression(codec, window_bits, data + 1, size - 1, cap);
    check_compression(codec, window_bits, data + 1, size - 1);
    return 0;
}
