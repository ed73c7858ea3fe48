/* The codecs: whatever is decompressed stays within its buffer, and what is compressed comes back.
 */
#include "../grpc/codec/codec.h"
#include "fuzz.h"

static void check_codec(const mote_grpc_codec *codec, const uint8_t *data, size_t size)
{
    static uint8_t out[1 << 16], packed[1 << 16];
    size_t n = 0, again = 0, limit = size % 5 ? sizeof out : size;

    int r = codec->decompress(data, size, out, limit, &n);
    ASSERT(r == 0 || r == MOTE_GRPC_ERR_CODEC || r == MOTE_GRPC_ERR_SPACE);
    ASSERT(n <= limit);
    ASSERT(codec->compress(data, size, packed, sizeof packed, &n) == 0);
    ASSERT(n <= size + 23);
    ASSERT(codec->decompress(packed, n, out, size, &again) == 0);
    ASSERT(again == size && (size == 0 || memcmp(out, data, size) == 0));
    ASSERT(codec->compress(data, size, packed, n - 1, &again) < 0 || again < n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_codec(&mote_grpc_gzip, data, size);
    check_codec(&mote_grpc_deflate, data, size);
    return 0;
}
