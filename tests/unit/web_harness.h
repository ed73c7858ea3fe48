/* A browser's side of HTTP/2, by hand, before a server with a door: a request in, and what came
 * back as a text. The wire cuts where a seed says. */
#ifndef WEB_HARNESS_H
#define WEB_HARNESS_H

#ifndef OTHER_SERVER /* which was included before */
#include "web_server.h"
#endif

static mote_h2 browser;
static mote_h2_stream browser_streams[WEB_CALLS];
static uint8_t browser_tx[1 << 14], browser_scratch[512];
static uint16_t browser_table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static uint32_t seed, browser_window = 65535;

/* ---- the wire ------------------------------------------------------------------------------ */

static char answer[LOG];
static size_t answer_len;

static void note(const void *bytes, size_t len)
{
    if (len < LOG - answer_len)
        memcpy(answer + answer_len, bytes, len);
    answer_len += len;
}

static void note_text(const char *text)
{
    note(text, strlen(text));
}

/* Fields as "name: value\n", content as it is, then "END" or "RESET n". */
static void on_browser_event(const mote_h2_event *ev)
{
    char reset[32];

    if (ev->type == MOTE_H2_FIELD) {
        note(ev->field.name, ev->field.name_len);
        note_text(": ");
        note(ev->field.value, ev->field.value_len);
        note_text("\n");
    }
    if (ev->type == MOTE_H2_HEADERS)
        note_text("--\n");
    if (ev->type == MOTE_H2_DATA && ev->len > 0) {
        note(ev->data, ev->len);
        mote_h2_consume(&browser, ev->stream, ev->len);
    }
    if (ev->type == MOTE_H2_RESET) {
        snprintf(reset, sizeof reset, "RESET %u", (unsigned)ev->code);
        note_text(reset);
    }
    if ((ev->type == MOTE_H2_DATA || ev->type == MOTE_H2_HEADERS) && ev->end_stream)
        note_text("END");
}

static size_t some_of(size_t len)
{
    return seed ? 1 + test_random(&seed) % (len < 40 ? len : 40) : len;
}

static bool browser_to_server(void)
{
    size_t len;
    const uint8_t *p = mote_h2_peek(&browser, &len);

    if (!p)
        return false;
    len = some_of(len);
    CHECK_INT(mote_grpc_serve(&server, p, len), 0);
    mote_h2_ack(&browser, len);
    return true;
}

static bool server_to_browser(void)
{
    size_t len, used, at = 0;
    const uint8_t *p = mote_grpc_peek(&server, &len);
    mote_h2_event ev;
    int r = 1;

    if (!p)
        return false;
    len = some_of(len);
    while (r > 0) {
        if ((r = mote_h2_recv(&browser, p + at, len - at, &used, &ev)) > 0)
            on_browser_event(&ev);
        at += used;
    }
    CHECK_INT(r, 0);
    mote_grpc_ack(&server, len);
    mote_grpc_serve(&server, NULL, 0);
    return true;
}

static bool step(void)
{
    bool moved = browser_to_server();

    moved = server_to_browser() || moved;
    return resume() || moved;
}

static void settle(void)
{
    while (step())
        ;
}

/* ---- requests ------------------------------------------------------------------------------ */

static void connect_browser(void)
{
    mote_h2_config c = {.streams = browser_streams,
                        .stream_count = WEB_CALLS,
                        .tx = browser_tx,
                        .tx_size = sizeof browser_tx,
                        .dynamic = &mote_hpack_dynamic_table,
                        .table = browser_table,
                        .table_size = 4096,
                        .scratch = browser_scratch,
                        .scratch_size = sizeof browser_scratch,
                        .initial_window = browser_window};

    prepare_server();
    CHECK_INT(mote_h2_init(&browser, &c), 0);
    mote_h2_tick(&browser, 1000);
    settle();
}

typedef struct {
    const char *method, *path; /* NULL: POST, and /test.Web/Echo */
    const char *fields;        /* "name: value\n" for each */
    const void *body;
    size_t len;
    bool open; /* it does not end */
} web_request;

static void put_field(const char *name, size_t name_len, const char *value, size_t value_len)
{
    mote_h2_put_literal(&browser, name, name_len, value, value_len, 0);
}

static void put_fields(const char *fields)
{
    while (*fields) {
        const char *colon = strchr(fields, ':'), *end = strchr(fields, '\n');
        put_field(fields, (size_t)(colon - fields), colon + 2, (size_t)(end - colon - 2));
        fields = end + 1;
    }
}

static mote_h2_stream *begin(const web_request *request)
{
    const char *method = request->method ? request->method : "POST";
    const char *path = request->path ? request->path : "/test.Web/Echo";
    mote_h2_stream *stream = NULL;

    CHECK_INT(mote_h2_open(&browser, &stream), 0);
    mote_h2_headers_begin(&browser, stream);
    put_field(":method", 7, method, strlen(method));
    put_field(":scheme", 7, "https", 5);
    put_field(":authority", 10, "device", 6);
    put_field(":path", 5, path, strlen(path));
    put_fields(request->fields);
    CHECK_INT(mote_h2_headers_end(&browser, request->len == 0 && !request->open), 0);
    return stream;
}

static void send_body(mote_h2_stream *stream, const web_request *request)
{
    size_t room = 0, sent = 0;

    while (sent < request->len && stream->id != 0) {
        uint8_t *p = mote_h2_reserve(&browser, stream, 1, &room);
        if (p) {
            size_t n = some_of(request->len - sent < room ? request->len - sent : room);
            memcpy(p, (const uint8_t *)request->body + sent, n);
            sent += n;
            CHECK_INT(mote_h2_commit(&browser, stream, n, sent == request->len && !request->open),
                      0);
        }
        if (!step() && !p) {
            note_text("STUCK");
            return;
        }
    }
}

/* The whole answer to a request on a connection of its own; it ends with NUL. */
static const char *ask_once(const web_request *request, uint32_t new_seed)
{
    seed = new_seed;
    answer_len = 0;
    deferred = (mote_grpc_handle){0};
    connect_browser();
    send_body(begin(request), request);
    settle();
    note("", 1);
    return answer;
}

/* However the wire cuts, the answer is the same. */
static const char *ask(const web_request *request)
{
    static char whole[LOG];

    ask_once(request, 0);
    memcpy(whole, answer, LOG);
    for (uint32_t s = 1; s < 8; s++) {
        ask_once(request, s);
        CHECK(memcmp(whole, answer, answer_len) == 0);
    }
    memcpy(answer, whole, LOG);
    return answer;
}

/* ---- what is expected ---------------------------------------------------------------------- */

#define TYPE_WEB  "content-type: application/grpc-web+proto\n"
#define TYPE_TEXT "content-type: application/grpc-web-text+proto\n"
#define OPENED    ":status: 200\n" TYPE_WEB "vary: origin\n--\n"

/* A message with its prefix, and trailers, in a buffer that has its length. */
static inline size_t frame(uint8_t *out, uint8_t flag, const void *text, size_t len)
{
    out[0] = flag;
    out[1] = out[2] = 0;
    out[3] = (uint8_t)(len >> 8);
    out[4] = (uint8_t)len;
    memcpy(out + 5, text, len);
    return 5 + len;
}

static inline size_t base64(char *out, const uint8_t *in, size_t len)
{
    memcpy(out, in, len);
    len = mote_web.pack((uint8_t *)out, len);
    out[len] = '\0';
    return len;
}

#endif
