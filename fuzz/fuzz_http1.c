/* HTTP/1.1 before an engine of HTTP/2: whatever comes, the engine gets legal HTTP/2, and the first
 * request is the same however it is cut. The first byte is the size of the pieces. */
#include "http1_reader.h"

static size_t common(const fuzz_log *a, const fuzz_log *b)
{
    return a->len < b->len ? a->len : b->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static http1_run whole, pieces;

    if (size == 0)
        return 0;
    begin_run(&whole);
    feed(data + 1, size - 1, size);
    bool passes = http1.state == MOTE_HTTP1_PASS;
    ASSERT(passes || mote_h2_error(&reader) == 0);
    ASSERT(passes || whole.output.len == 0 || memcmp(whole.output.bytes, "HTTP/1.1 ", 9) == 0);

    begin_run(&pieces);
    feed(data + 1, size - 1, 1 + data[0] % 32);
    ASSERT((http1.state == MOTE_HTTP1_PASS) == passes);
    ASSERT(passes || mote_h2_error(&reader) == 0);
    /* What is sent ahead of a response is dropped or served: one has no more than a part of it. */
    size_t told = common(&whole.told, &pieces.told);
    ASSERT(memcmp(whole.told.bytes, pieces.told.bytes, told) == 0);
    return 0;
}
