/* Connect by HTTP/1.1 before a whole server: whatever comes, what goes out are responses, the same
 * however a request is cut; and when all is over each place of a unary response is free. The first
 * byte says how it is cut. */
#define OTHER_SERVER
#include "../tests/unit/connect_server.h"
#include "../tests/unit/http1_harness.h"
#include "fuzz.h"

static uint8_t first_run[LOG];

/* Whether a connection ends behind a response hangs on what has come of the next request. */
static void forget_closing(void)
{
    static const char field[] = "connection: close\r\n";
    const uint8_t *at;

    while ((at = find(plain, plain + plain_len, field))) {
        size_t from = (size_t)(at - plain) + sizeof field - 1;
        memmove(plain + (at - plain), plain + from, plain_len - from);
        plain_len -= sizeof field - 1;
    }
}

/* All that comes back to the input, without chunks; where nothing more of it can be told. */
static size_t answer_to(const uint8_t *data, size_t size, uint32_t how)
{
    begin(how);
    hear(data, size);
    ASSERT(output_len < LOG);
    bool speaks_http2 = http1.state == MOTE_HTTP1_PASS;
    ASSERT(speaks_http2 || output_len == 0 || memcmp(output, "HTTP/1.1 ", 9) == 0);
    plain_len = 0;
    if (!speaks_http2)
        read_responses();
    forget_closing();
    mote_grpc_recv_eof(&server);
    mote_grpc_serve(&server, NULL, 0);
    for (size_t i = 0; i < PLACES; i++)
        ASSERT(*(uint32_t *)(void *)places[i] == 0);
    return plain_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4096)
        return 0;
    test_ok = true;
    size_t len = answer_to(data + 1, size - 1, 0);
    memcpy(first_run, plain, len);
    bool whole = !ended;
    size_t other = answer_to(data + 1, size - 1, 1u + data[0]);
    /* What is sent ahead of a response is dropped or served: one has no more than a part of it. */
    const uint8_t *end = find(plain, plain + other, "CUT");
    other = end ? (size_t)(end - plain) : other;
    /* Broken chunks are an answer of their own, if they are seen before that of the request. */
    ASSERT(!whole || ended || memcmp(first_run, plain, len < other ? len : other) == 0);
    ASSERT(test_ok);
    return 0;
}
