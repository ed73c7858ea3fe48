/* HTTP/1.1 before a server of gRPC-Web (grpc/web/http1.h): requests of any kind, however they are
 * cut, what is wrong with them, and HTTP/2 that passes. */
#include "http1_harness.h"

/* ---- what is served -------------------------------------------------------------------------- */

static void content_with_a_length_is_answered(void)
{
    ASK(POST("Echo") TYPED "Content-Length: 10\r\n\r\n" HELLO);
    ANSWERS(HELLO_OK);
    ASK(POST("Once") "CONTENT-LENGTH:\t10 \r\n" TYPED "\r\n" HELLO);
    ANSWERS(HELLO_OK);
}

static void content_in_chunks_is_answered(void)
{
    ASK(POST("Echo") TYPED "Transfer-Encoding: chunked\r\n\r\n"
                           "3\r\n\0\0\0\r\n007;a=\"b\"\r\n\0\5hello\r\n0\r\n\r\n");
    ANSWERS(HELLO_OK);
    ASK(POST("Echo") TYPED "Transfer-Encoding: Chunked\r\n\r\n"
                           "A\r\n" HELLO "\r\n0;x\r\nX-Trailer: 1\r\nY: 2\r\n\r\n");
    ANSWERS(HELLO_OK);
}

static void text_is_answered_as_text(void)
{
    ASK(POST("Echo") "content-type: application/grpc-web-text\r\ncontent-length: 16\r\n\r\n"
                     "AAAAAAVoZWxsbw==");
    ANSWERS("HTTP/1.1 200 \r\ncontent-type: application/grpc-web-text+proto\r\nvary: origin\r\n"
            "transfer-encoding: chunked\r\n\r\n"
            "AAAAAAVoZWxsbw==gAAAAA9ncnBjLXN0YXR1czowDQo=");
}

static void stream_comes_in_full(void)
{
    ASK(POST("Many") TYPED "content-length: 45\r\n\r\n"
                           "\0\0\0\0\x28"
                           "0123456789012345678901234567890123456789");
    CHECK(memcmp(plain, OK_HEAD, sizeof OK_HEAD - 1) == 0);
    CHECK_INT(plain_len, sizeof OK_HEAD - 1 + 30 + 40 * 25 + 20);
    CHECK(memcmp(plain + plain_len - 45, "\0\0\0\0\x14message           39" STATUS_OK, 45) == 0);
    CHECK(!ended);
}

static void requests_follow_each_other(void)
{
#define ONE  POST("Echo") TYPED "content-length: 10\r\n\r\n" HELLO
#define LAST POST("Echo") TYPED "Connection: Keep-Alive, close\r\ncontent-length: 10\r\n\r\n" HELLO

    for (uint32_t s = 0; s < 5; s++) {
        begin(s);
        for (int i = 0; i < 20; i++) {
            hear(ONE, sizeof ONE - 1);
            read_responses();
            ANSWERS(HELLO_OK);
            output_len = 0;
        }
        hear(LAST, sizeof LAST - 1);
        read_responses();
        ANSWERS_LAST(OK_HEAD
                     "connection: close\r\ntransfer-encoding: chunked\r\n\r\n" HELLO STATUS_OK);
    }
}

/* A request that is answered before it is complete: its rest is read, and the next one served. */
static void rest_of_a_request_is_read(void)
{
    static const char bad[] = "POST /x HTTP/1.1\r\nHost: d\r\ncontent-length: 10\r\n\r\n" HELLO;
    static const char chunked[] =
        "POST /x HTTP/1.1\r\nHost: d\r\ntransfer-encoding: chunked\r\n\r\n"
        "5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n";

    for (uint32_t s = 0; s < 20; s++) {
        begin(s);
        for (int i = 0; i < 3; i++) {
            output_len = 0;
            hear(i % 2 ? chunked : bad, (i % 2 ? sizeof chunked : sizeof bad) - 1);
            read_responses();
            ANSWERS("HTTP/1.1 415 \r\nvary: origin\r\ncontent-length: 0\r\n\r\n");
        }
        output_len = 0;
        hear(ONE, sizeof ONE - 1);
        read_responses();
        ANSWERS(HELLO_OK);
    }
}

/* What is sent ahead is dropped, once it is seen that the response is not complete. */
static void request_ahead_ends_the_connection(void)
{
    begin(0);
    hear(ONE ONE, 2 * (sizeof ONE - 1));
    read_responses();
    ANSWERS_LAST(OK_HEAD "connection: close\r\ntransfer-encoding: chunked\r\n\r\n" HELLO STATUS_OK);
    for (uint32_t s = 1; s < 20; s++) { /* nor is one served behind the last */
        begin(s);
        hear(LAST ONE, sizeof LAST + sizeof ONE - 2);
        read_responses();
        ANSWERS_LAST(OK_HEAD
                     "connection: close\r\ntransfer-encoding: chunked\r\n\r\n" HELLO STATUS_OK);
    }
}

static void preflight_is_answered(void)
{
    ASK("OPTIONS /test.Web/Echo HTTP/1.1\r\nHost: d\r\nOrigin: https://a.example\r\n"
        "Access-Control-Request-Method: POST\r\n\r\n");
    ANSWERS(
        "HTTP/1.1 204 \r\nvary: origin\r\naccess-control-allow-origin: https://a.example\r\n"
        "access-control-allow-methods: POST\r\naccess-control-allow-headers: *, authorization\r\n"
        "access-control-max-age: 7200\r\n\r\n");
    ASK("OPTIONS /test.Web/Echo HTTP/1.1\r\nHost: d\r\nOrigin: https://b.example\r\n"
        "Access-Control-Request-Method: POST\r\n\r\n");
    ANSWERS("HTTP/1.1 403 \r\nvary: origin\r\ncontent-length: 0\r\n\r\n");
}

static void client_that_asks_is_told_to_go_on(void)
{
    ASK(POST("Echo") TYPED "Expect: 100-continue\r\ncontent-length: 10\r\n\r\n" HELLO);
    ANSWERS("HTTP/1.1 100 Continue\r\n\r\n" HELLO_OK);
}

/* More than the window at once, and more than the buffer. */
static void large_content_goes_in_parts(void)
{
    static char request[20000];
    static const char head[] = POST("Takes") TYPED "content-length: 10005\r\n\r\n\0\0\0\x27\x10";

    memcpy(request, head, sizeof head - 1);
    ask_bytes(request, sizeof head - 1 + 10000);
    CHECK(find(plain, plain + plain_len, "grpc-status:0\r\ngrpc-message:10000 bytes\r\n") != NULL);
    CHECK(!ended);
}

static void http2_passes(void)
{
    static const uint8_t hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

    for (uint32_t s = 0; s < 5; s++) {
        begin(s);
        hear(hello, sizeof hello - 1);
        CHECK_INT(http1.state, MOTE_HTTP1_PASS);
        CHECK(output_len > 18 && output[3] == 4 && !ended);
        CHECK(memcmp(output + output_len - 9, "\0\0\0\4\1\0\0\0\0", 9) == 0);
    }
}

/* ---- what is not ----------------------------------------------------------------------------- */

/* A whole answer of ours: `why` is the beginning of its only line. */
static bool is_refusal(const uint8_t *p, size_t len, int status, const char *why)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{400, "Bad Request"},         {408, "Request Timeout"},
                   {413, "Content Too Large"},   {414, "URI Too Long"},
                   {417, "Expectation Failed"},  {431, "Request Header Fields Too Large"},
                   {501, "Not Implemented"},     {502, "Bad Gateway"},
                   {503, "Service Unavailable"}, {505, "HTTP Version Not Supported"}};
    const uint8_t *end = p + len, *body = find(p, end, "\r\n\r\n");
    char head[200];
    size_t i = 0;

    if (!body)
        return false;
    body += 4;
    while (reasons[i].status != status)
        i++;
    snprintf(head, sizeof head,
             "HTTP/1.1 %d %s\r\ncontent-type: text/plain\r\nconnection: close\r\n"
             "content-length: %zu\r\n\r\n",
             status, reasons[i].reason, (size_t)(end - body));
    return (size_t)(body - p) == strlen(head) && memcmp(p, head, strlen(head)) == 0 &&
           find(body, end, why) == body && find(body, end, "\n") == end - 1;
}

static void what_is_wrong_is_named(void)
{
#define H       "Host: d\r\n"
#define CHUNKED POST("Echo") TYPED "transfer-encoding: chunked\r\n\r\n"
    static const struct {
        const char *request;
        int status;
        const char *why;
    } cases[] = {
        {"GET\r\n\r\n", 400, "the first line is not METHOD /PATH HTTP/1.1"},
        {"GET /\r\n\r\n", 400, "the first line is not"},
        {"GET  / HTTP/1.1\r\n" H "\r\n", 400, "the first line is not"},
        {"GET / HTTP/1.1 \r\n" H "\r\n", 400, "the first line is not"},
        {"GET / HTTX/1.1\r\n" H "\r\n", 400, "the first line is not"},
        {"G(T / HTTP/1.1\r\n" H "\r\n", 400, "the first line is not"},
        {" GET / HTTP/1.1\r\n" H "\r\n", 400, "the first line is not"},
        {"GET / HTTP/1.0\r\n" H "\r\n", 505, "the version is not HTTP/1.1"},
        {"GET / HTTP/1.2\r\n" H "\r\n", 505, "the version is not HTTP/1.1"},
        {"GET / HTTP/2.0\r\n" H "\r\n", 505, "the version is not HTTP/1.1"},
        {"GET x HTTP/1.1\r\n" H "\r\n", 400, "the target is not a path"},
        {"OPTIONS * HTTP/1.1\r\n" H "\r\n", 400, "the target is not a path"},
        {"GET http://d/ HTTP/1.1\r\n" H "\r\n", 400, "the target is not a path"},
        {"GET /\x7f HTTP/1.1\r\n" H "\r\n", 400, "the target is not a path"},
        {"GET /\xe2 HTTP/1.1\r\n" H "\r\n", 400, "the target is not a path"},
        {"GET / HTTP/1.1\n" H "\r\n", 400, "a line does not end with CR LF"},
        {"GET / HTTP/1.1\r\nHost: d\n\r\n", 400, "a line does not end with CR LF"},
        {"GET / HTTP/1.1\r\nHost: d\rx\r\n\r\n", 400, "a line does not end with CR LF"},
        {"\r\nGET / HTTP/1.1\r\n" H "\r\n", 400, "the first line is not"},
        {"GET / HTTP/1.1\r\n" H "a b: c\r\n\r\n", 400, "a line of the head is not NAME: VALUE"},
        {"GET / HTTP/1.1\r\n" H "a : c\r\n\r\n", 400, "a line of the head is not"},
        {"GET / HTTP/1.1\r\n" H "ab\r\n\r\n", 400, "a line of the head is not"},
        {"GET / HTTP/1.1\r\n" H ": c\r\n\r\n", 400, "a line of the head is not"},
        {"GET / HTTP/1.1\r\n" H " a: c\r\n\r\n", 400, "a line of the head is not"},
        {"GET / HTTP/1.1\r\n" H "a: b\r\n c\r\n\r\n", 400, "a line of the head is not"},
        {"GET / HTTP/1.1\r\n" H "a: b\x01\r\n\r\n", 400, "a line of the head is not"},
        {"GET / HTTP/1.1\r\n\r\n", 400, "there is no Host"},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "there are two Hosts, or it is none"},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "there are two Hosts"},
        {"GET / HTTP/1.1\r\n" H H "\r\n", 400, "there are two Hosts"},
        {POST("Echo") "content-length: 1\r\ncontent-length: 1\r\n\r\nx", 400,
         "there are two Content-Lengths"},
        {POST("Echo") "content-length: 1, 1\r\n\r\nx", 400,
         "Content-Length is no number, or above 2147483647"},
        {POST("Echo") "content-length: +1\r\n\r\nx", 400, "Content-Length is no number"},
        {POST("Echo") "content-length: -1\r\n\r\nx", 400, "Content-Length is no number"},
        {POST("Echo") "content-length: 0x1\r\n\r\nx", 400, "Content-Length is no number"},
        {POST("Echo") "content-length:\r\n\r\nx", 400, "Content-Length is no number"},
        {POST("Echo") "content-length: 2147483648\r\n\r\nx", 400, "Content-Length is no number"},
        {POST("Echo") "content-length: 18446744073709551617\r\n\r\nx", 400,
         "Content-Length is no number"},
        {POST("Echo") "content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         "there are both Content-Length and Transfer-Encoding"},
        {POST("Echo") "transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n0\r\n\r\n", 400,
         "there are both"},
        {POST("Echo") "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501,
         "Transfer-Encoding is not chunked"},
        {POST("Echo") "transfer-encoding: chunked, identity\r\n\r\n", 501, "Transfer-Encoding"},
        {POST("Echo") "transfer-encoding: xchunked\r\n\r\n", 501, "Transfer-Encoding is not"},
        {POST("Echo") "transfer-encoding:\x0b"
                      "chunked\r\n\r\n",
         400, "a line of the head is not"},
        {POST("Echo") "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", 501,
         "Transfer-Encoding is not chunked"},
        {POST("Echo") "connection: x-token\r\n\r\n", 400, "Connection names other fields"},
        {POST("Echo") "expect: 200-ok\r\ncontent-length: 1\r\n\r\n", 417,
         "Expect is not 100-continue"},
        {CHUNKED "\r\n", 400, "a chunk is not SIZE CR LF CONTENT CR LF"},
        {CHUNKED "g\r\n", 400, "a chunk is not"},
        {CHUNKED "0x1\r\n", 400, "a chunk is not"},
        {CHUNKED " 1\r\n", 400, "a chunk is not"},
        {CHUNKED "1 \r\n", 400, "a chunk is not"},
        {CHUNKED "-1\r\n", 400, "a chunk is not"},
        {CHUNKED "00000001\r\n", 400, "a chunk is not"},
        {CHUNKED "1\n", 400, "a chunk is not"},
        {CHUNKED "1\rx", 400, "a chunk is not"},
        {CHUNKED "1;\n", 400, "a chunk is not"},
        {CHUNKED "1\r\nxx", 400, "a chunk is not"},
        {CHUNKED "1\r\nx\n", 400, "a chunk is not"},
        {CHUNKED "1\r\nx\rx", 400, "a chunk is not"},
        {CHUNKED "0\r\na: b\n", 400, "trailers are too long, or no lines"},
        {CHUNKED "0\r\na b\r\n\r\n", 400,
         "a line of the trailers is not NAME: VALUE, or says how long it is"},
        {CHUNKED "0\r\nContent-Length: 1\r\n\r\n", 400, "a line of the trailers is not"},
        {CHUNKED "0\r\na : b\r\n\r\n", 400, "a line of the trailers is not"},
        {CHUNKED "0\r\na: b\r\n c\r\n\r\n", 400, "a line of the trailers is not"},
        {CHUNKED "0\r\n\rx", 400, "trailers are too long, or no lines"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask_bytes(cases[i].request, strlen(cases[i].request));
        CHECK(ended);
        if (is_refusal(plain, plain_len, cases[i].status, cases[i].why))
            continue;
        printf("%s: %s\n", cases[i].request, (char *)plain);
        CHECK(!"the answer is another");
    }
}

static void lines_without_an_end_are_refused(void)
{
    static char line[1 << 20];

    memset(line, 'a', sizeof line);
    memcpy(line, "GET /", 5);
    ask_bytes(line, sizeof line);
    CHECK(is_refusal(plain, plain_len, 414, "the first line is too long\n") && ended);
    memcpy(line, "GET / HTTP/1.1\r\nA: ", 19);
    ask_bytes(line, sizeof line);
    CHECK(is_refusal(plain, plain_len, 431, "the head is too long\n") && ended);
    begin(0); /* a NUL */
    hear("GET /\0 HTTP/1.1\r\n\r\n", 20);
    CHECK(is_refusal(output, output_len, 400, "a line does not end with CR LF, or has a NUL\n"));
    CHECK(ended);
}

static void handler_that_takes_nothing_is_not_waited_for(void)
{
    static char request[3000];
    static const char head[] = POST("Chunks") TYPED "content-length: 2005\r\n\r\n\0\0\x07\xd0";

    memcpy(request, head, sizeof head - 1);
    begin(0);
    size_t used;
    CHECK_INT(mote_http1_recv(&http1, (uint8_t *)request, sizeof head + 2000, &used), -1);
    drain();
    CHECK(is_refusal(output, output_len, 413, "the content has no room (rx_size)\n"));
    CHECK_INT(mote_grpc_active(&server), 0);
}

static void silence_ends_a_connection(void)
{
    begin(0);
    CHECK_INT(mote_http1_tick(&http1, 60999), 1);
    mote_http1_tick(&http1, 61000);
    work();
    CHECK(ended && output_len == 0);
    begin(0);
    hear("POST /", 6);
    mote_http1_tick(&http1, 61000);
    drain();
    work();
    CHECK(ended);
    CHECK(is_refusal(output, output_len, 408, "the request is not complete after 60 s\n"));
}

/* A byte each ten seconds is no silence, and not what was begun either: only what is whole counts.
 */
static void what_was_begun_ends(void)
{
#define BEGUN POST("Echo") TYPED "transfer-encoding: chunked\r\n\r\n"
    static const struct {
        const char *begun, *more;
        bool goes_on;
    } rows[] = {
        {"", "PR", true}, /* nothing else begins so: it is no minute yet */
        {"", "PRAAAAAAAAAA", false},
        {"", "POST /aaaaaa", false},
        {"POST /a HTTP/1.1\r\n", "host: a\r\na:", false},
        {BEGUN, "0000001\r\n", false},
        {BEGUN "2", ";aaaaaaaaa", false},
        {BEGUN "1\r\na", "\r\n0000001", false},
        {BEGUN "0\r\n", "a: bbbbbbb", false},
        {BEGUN "ff\r\n", "aaaaaaaaaaaaaaaa", true}, /* content is whole with each byte */
        {POST("Echo") TYPED "content-length: 99\r\n\r\n", "aaaaaaaaaaaaaaaaa", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t now = 1000;
        begin(0);
        hear(rows[i].begun, strlen(rows[i].begun));
        size_t n = strlen(rows[i].more), at = 0;
        for (; at < n && !ended; at++) {
            hear(rows[i].more + at, 1);
            now += 10000;
            mote_http1_tick(&http1, now);
            drain();
            work();
        }
        if (ended == rows[i].goes_on)
            printf("row %zu: %zu of %zu\n", i, at, n);
        CHECK(ended != rows[i].goes_on && (rows[i].goes_on || (at > 5 && at < 8)));
        CHECK(rows[i].goes_on ||
              is_refusal(output, output_len, 408, "the request is not complete after 60 s\n"));
    }
}

static void reset_request_is_answered(void)
{
    begin(0); /* five requests for four calls cannot be: so the handler's connection refuses */
    server_config.max_calls = WEB_CALLS;
    hear("POST /test.Web/Echo HTTP/1.1\r\nHost: d\r\nbad name-: x\r\n\r\n", 56);
    CHECK(is_refusal(output, output_len, 400, "a line of the head is not NAME: VALUE\n"));
    begin(0); /* h2 refuses what HTTP/1.1 does not: an upper-case pseudo field cannot be sent, but
                 a :path that h2 rejects can */
    hear("CONNECT /x HTTP/1.1\r\nHost: d\r\n\r\n", 32);
    CHECK(is_refusal(output, output_len, 502, "the server has reset the request\n") && ended);
}

/* An engine that resets each request with a code of the test's choice. */
static uint8_t reset_frames[9 + 13] = {[3] = 4, [9 + 2] = 4, [9 + 3] = 3, [9 + 8] = 1};
static size_t resets_left;

static bool reset_input(void *self, const uint8_t *in, size_t len)
{
    (void)self;
    if (len > 3 && in[3] == 1) /* HEADERS */
        resets_left = sizeof reset_frames;
    return true;
}

static const uint8_t *reset_peek(void *self, size_t *len)
{
    (void)self;
    *len = resets_left;
    return resets_left > 0 ? reset_frames + sizeof reset_frames - resets_left : NULL;
}

static void reset_ack(void *self, size_t len)
{
    (void)self;
    resets_left -= len;
}

static void code_of_a_reset_is_told(void)
{
    static const mote_http1_engine resets = {reset_input, reset_peek, reset_ack};
    static const char request[] = "GET / HTTP/1.1\r\nHost: d\r\n\r\n";

    for (uint8_t code = 0; code < 15; code++) {
        begin(0);
        reset_frames[sizeof reset_frames - 1] = code;
        CHECK_INT(mote_http1_init(&http1, &resets, NULL, http1_memory, sizeof http1_memory), 0);
        hear(request, sizeof request - 1);
        CHECK(ended);
        CHECK(strncmp((char *)output, code == 7 ? "HTTP/1.1 503 " : "HTTP/1.1 502 ", 13) == 0);
        CHECK(strstr((char *)output, code == 7 ? "the server takes no more calls now\n"
                                               : "the server has reset the request\n"));
    }
}

static void config_is_checked(void)
{
    CHECK_INT(mote_http1_init(&http1, &engine, &server, http1_memory, MOTE_HTTP1_MEMORY_MIN - 1),
              MOTE_GRPC_ERR_CONFIG);
    CHECK_INT(mote_http1_init(&http1, &engine, &server, NULL, 8192), MOTE_GRPC_ERR_CONFIG);
}

int main(void)
{
    RUN(content_with_a_length_is_answered);
    RUN(content_in_chunks_is_answered);
    RUN(text_is_answered_as_text);
    RUN(stream_comes_in_full);
    RUN(requests_follow_each_other);
    RUN(rest_of_a_request_is_read);
    RUN(request_ahead_ends_the_connection);
    RUN(preflight_is_answered);
    RUN(client_that_asks_is_told_to_go_on);
    RUN(large_content_goes_in_parts);
    RUN(http2_passes);
    RUN(what_is_wrong_is_named);
    RUN(lines_without_an_end_are_refused);
    RUN(handler_that_takes_nothing_is_not_waited_for);
    RUN(silence_ends_a_connection);
    RUN(what_was_begun_ends);
    RUN(reset_request_is_answered);
    RUN(code_of_a_reset_is_told);
    RUN(config_is_checked);
    return test_summary();
}
