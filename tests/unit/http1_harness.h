/* HTTP/1.1 before a server with a door: bytes in, and the responses without their chunks. */
#ifndef HTTP1_HARNESS_H
#define HTTP1_HARNESS_H

#include "../../grpc/web/http1.h"
#ifndef OTHER_SERVER /* which was included before */
#include "web_server.h"
#endif

static mote_http1 http1;
static uint64_t http1_memory[8192 / 8];
static uint8_t output[LOG];
static size_t output_len;
static uint32_t seed;
static bool ended;

static bool engine_input(void *self, const uint8_t *in, size_t len)
{
    return mote_grpc_serve(self, in, len) == 0;
}

static const uint8_t *engine_peek(void *self, size_t *len)
{
    return mote_grpc_peek(self, len);
}

static void engine_ack(void *self, size_t len)
{
    mote_grpc_ack(self, len);
}

static const mote_http1_engine engine = {engine_input, engine_peek, engine_ack};

static void begin(uint32_t new_seed)
{
    seed = new_seed;
    output_len = 0;
    ended = false;
    prepare_server();
    CHECK_INT(mote_http1_init(&http1, &engine, &server, http1_memory, sizeof http1_memory), 0);
    mote_http1_tick(&http1, 1000);
}

static size_t some_of(size_t len)
{
    return seed ? 1 + test_random(&seed) % (len < 30 ? len : 30) : len;
}

static bool write_some(void)
{
    size_t len;
    const uint8_t *p = mote_http1_peek(&http1, &len);

    if (!p)
        return false;
    len = some_of(len);
    if (output_len + len < LOG)
        memcpy(output + output_len, p, len);
    output_len += len;
    mote_http1_ack(&http1, len);
    return true;
}

static void work(void)
{
    size_t used;

    ended = mote_http1_recv(&http1, NULL, 0, &used) < 0 || ended;
}

static void drain(void)
{
    while (write_some() || resume())
        work();
}

/* Bytes of a client; what is written leaves meanwhile. */
static void hear(const void *bytes, size_t len)
{
    const uint8_t *in = bytes;
    size_t used;

    while (len > 0 && !ended) {
        size_t n = some_of(len), left = n;
        int r = 1;
        while (left > 0 && r > 0) {
            r = mote_http1_recv(&http1, in, left, &used);
            if (r <= 0)
                used = left;
            in += used;
            left -= used;
            while (r > 0 && write_some())
                ;
        }
        ended = r < 0;
        len -= n;
        if (!seed || test_random(&seed) % 2)
            drain();
    }
    drain();
    output[output_len < LOG ? output_len : LOG - 1] = '\0';
}

/* ---- responses without chunks, whose borders depend on time -----------------------------------
 */

static uint8_t plain[LOG];
static size_t plain_len;

static void keep(const uint8_t *p, size_t len)
{
    memcpy(plain + plain_len, p, len);
    plain_len += len;
}

static const uint8_t *find(const uint8_t *from, const uint8_t *end, const char *text)
{
    size_t len = strlen(text);

    for (; from + len <= end; from++) {
        if (memcmp(from, text, len) == 0)
            return from;
    }
    return NULL;
}

/* A body in chunks, up to its empty trailers; where it ends. */
static const uint8_t *unchunk(const uint8_t *p, const uint8_t *end)
{
    for (;;) {
        size_t size = strtoul((const char *)p, NULL, 16);
        const uint8_t *content = find(p, end, "\r\n");
        if (!content || content + 2 + size + 2 > end) {
            keep((const uint8_t *)"CUT", 3);
            return end;
        }
        keep(content + 2, size);
        p = content + 2 + size + (size > 0 ? 2 : 0);
        if (size == 0)
            return find(p, end, "\r\n") + 2;
    }
}

static void read_responses(void)
{
    const uint8_t *p = output, *end = output + output_len;

    plain_len = 0;
    while (p < end) {
        const uint8_t *body = find(p, end, "\r\n\r\n");
        if (!body) {
            keep(p, (size_t)(end - p));
            break;
        }
        body += 4;
        keep(p, (size_t)(body - p));
        const uint8_t *chunked = find(p, body, "transfer-encoding: chunked");
        const uint8_t *length = find(p, body, "content-length: ");
        p = body;
        if (chunked) {
            p = unchunk(p, end);
        } else if (length) {
            size_t n = strtoul((const char *)length + 16, NULL, 10);
            keep(p, n);
            p += n;
        }
    }
    plain[plain_len] = '\0';
}

/* The answer to bytes on a connection of their own, the same however they are cut. */
static inline void ask_bytes(const void *bytes, size_t len)
{
    static uint8_t first[LOG];
    size_t first_len = 0;
    bool first_ended = false;

    for (uint32_t s = 0; s < 6; s++) {
        begin(s);
        hear(bytes, len);
        read_responses();
        if (s > 0)
            CHECK(plain_len == first_len && memcmp(plain, first, plain_len) == 0 &&
                  ended == first_ended);
        memcpy(first, plain, plain_len);
        first_len = plain_len;
        first_ended = ended;
    }
}
#define ASK(text) ask_bytes(text, sizeof(text) - 1)

static inline bool answers(const char *expected, size_t len, bool ends)
{
    if (plain_len == len && memcmp(plain, expected, len) == 0 && ended == ends)
        return true;
    printf("answer of %zu bytes, not %zu%s:\n", plain_len, len, ended ? ", ended" : "");
    for (size_t i = 0; i < plain_len && i < 500; i++)
        printf(plain[i] >= 0x20 || plain[i] == '\n' ? "%c" : "\\x%02x", plain[i]);
    printf("\n");
    return false;
}
#define ANSWERS(text)      CHECK(answers(text, sizeof(text) - 1, false))
#define ANSWERS_LAST(text) CHECK(answers(text, sizeof(text) - 1, true))

#define POST(method) "POST /test.Web/" method " HTTP/1.1\r\nHost: device:80\r\n"
#define TYPED        "Content-Type: application/grpc-web+proto\r\n"
#define HELLO        "\0\0\0\0\5hello"
#define OK_HEAD      "HTTP/1.1 200 \r\ncontent-type: application/grpc-web+proto\r\nvary: origin\r\n"
#define STATUS_OK    "\x80\0\0\0\x0fgrpc-status:0\r\n"
#define HELLO_OK     OK_HEAD "transfer-encoding: chunked\r\n\r\n" HELLO STATUS_OK

#endif
