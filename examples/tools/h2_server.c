/*
 * A plain HTTP/2 server (h2c with prior knowledge).
 *
 *   GET, HEAD /   a page
 *   POST /echo    what it was sent
 *   otherwise     404
 *
 * It shows the engine without gRPC: events come in, and what cannot be sent yet is remembered as
 * state of the request, not as a queue. A request that does not move for --timeout seconds is
 * cancelled, and a connection without requests is closed. On SIGTERM no new request is taken and
 * the open ones are finished, for --timeout seconds at most; a second signal ends at once.
 */
#include "../../port/posix/posix.h"
#include "../common/secure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STREAMS = 100, WINDOW = 65535, CONNECTIONS = 1024, TX = 65536, LINGER_MS = 1000 };

static const char page[] = "<!doctype html>\n<title>mote</title>\n"
                           "<h1>It works</h1>\n"
                           "<p>This page was served by mote, an HTTP/2 stack without a heap.</p>\n";

enum route { UNDECIDED, NOT_FOUND, PAGE, ECHO, TOO_LARGE };

/* One request. Content of POST /echo stays in its buffer between its arrival and its way back; that
 * is as large as the window, so the peer cannot overrun it. */
typedef struct {
    mote_h2_stream *stream; /* NULL: the slot is free */
    bool is_get, is_head, is_post, is_root, is_echo;
    bool expects;            /* "expect: 100-continue", not yet answered */
    bool answered, complete; /* response headers are sent; the request has ended */
    enum route route;
    size_t sent;          /* of the page */
    size_t start, used;   /* of the buffer, a ring */
    uint64_t progress_ms; /* when it moved last */
} request;

typedef struct connection {
    mote_posix_conn conn;
    struct connection *next_free;
    mote_h2 h2;
    size_t busy;         /* requests that are not yet answered in full */
    size_t turn;         /* the request that is answered first, the next time */
    uint64_t idle_ms;    /* since when there are none */
    uint64_t checked_ms; /* when requests were last looked at */
    mote_h2_stream streams[STREAMS];
    mote_hpack_slot slots[16];
    request requests[STREAMS];
    /* What follows costs no memory before it is used. */
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
    char scratch[8192];
    uint8_t tx[TX];
    uint8_t buffers[STREAMS][WINDOW]; /* of the requests */
} connection;

static connection *pool, *free_list;
static size_t made;
static mote_posix_loop loop;
static uint32_t timeout_ms;
static uint64_t drain_ms; /* when SIGTERM came; 0: it has not */

/* ---- answers ------------------------------------------------------------------------------- */

static const mote_hpack_field status_100 = MOTE_HPACK_FIELD(":status", "100");
static const mote_hpack_field status_200 = MOTE_HPACK_STATIC(8);
static const mote_hpack_field status_404 = MOTE_HPACK_STATIC(13);
static const mote_hpack_field status_431 = MOTE_HPACK_FIELD(":status", "431");
static const mote_hpack_field server_name = MOTE_HPACK_FIELD("server", "mote");
static const mote_hpack_field html = MOTE_HPACK_FIELD("content-type", "text/html");
static const mote_hpack_field octets = MOTE_HPACK_FIELD("content-type", "application/octet-stream");
static char page_length_text[8];
static mote_hpack_field page_length = MOTE_HPACK_FIELD("content-length", ""); /* set by main() */

static void free_request(connection *c, request *r)
{
    if (r->stream && --c->busy == 0)
        c->idle_ms = loop.now_ms;
    r->stream = NULL;
}

static bool put_headers(connection *c, request *r)
{
    bool body = r->route == PAGE || r->route == ECHO;

    mote_h2_headers_begin(&c->h2, r->stream);
    mote_h2_put(&c->h2, r->route == TOO_LARGE   ? &status_431
                        : r->route == NOT_FOUND ? &status_404
                                                : &status_200);
    mote_h2_put(&c->h2, &server_name);
    if (body)
        mote_h2_put(&c->h2, r->route == PAGE ? &html : &octets);
    if (r->route == PAGE)
        mote_h2_put(&c->h2, &page_length);
    return mote_h2_headers_end(&c->h2, !body || r->is_head) == 0;
}

/* RFC 9110 10.1.1: the client waits for this before it sends the content. */
static bool put_continue(connection *c, request *r)
{
    if (r->route == ECHO && r->expects && !r->complete && r->used == 0) {
        mote_h2_headers_begin(&c->h2, r->stream);
        mote_h2_put(&c->h2, &status_100);
        if (mote_h2_headers_end(&c->h2, false) < 0)
            return false;
    }
    r->expects = false;
    return true;
}

static uint8_t *buffer_of(connection *c, const request *r)
{
    return c->buffers[r - c->requests];
}

/* The next piece of the body, from the page or from the ring. */
static const uint8_t *next_piece(connection *c, const request *r, size_t *len)
{
    if (r->route == PAGE) {
        *len = sizeof page - 1 - r->sent;
        return (const uint8_t *)page + r->sent;
    }
    *len = r->used < WINDOW - r->start ? r->used : WINDOW - r->start;
    return buffer_of(c, r) + r->start;
}

static void piece_sent(connection *c, request *r, size_t len)
{
    r->progress_ms = loop.now_ms;
    if (r->route == PAGE) {
        r->sent += len;
        return;
    }
    r->start = (r->start + len) % WINDOW;
    r->used -= len;
    mote_h2_consume(&c->h2, r->stream, len);
}

static bool body_done(const request *r)
{
    return r->route == PAGE ? r->sent == sizeof page - 1 : r->complete && r->used == 0;
}

/* Sends as much of the answer as windows and buffer allow. */
static void answer(connection *c, request *r)
{
    size_t len, room;
    const uint8_t *piece;

    if (r->route == UNDECIDED || (r->route != ECHO && !r->complete))
        return;
    if (!r->answered)
        r->answered = put_continue(c, r) && put_headers(c, r);
    if (!r->answered)
        return;
    if (r->is_head || r->route == NOT_FOUND || r->route == TOO_LARGE) {
        free_request(c, r);
        return;
    }
    while ((piece = next_piece(c, r, &len)), len > 0) {
        uint8_t *to = mote_h2_reserve(&c->h2, r->stream, 1, &room);
        if (!to)
            return;
        size_t n = len < room ? len : room;
        bool last = r->route == PAGE && n == len;
        memcpy(to, piece, n);
        if (mote_h2_commit(&c->h2, r->stream, n, last) < 0)
            return;
        piece_sent(c, r, n);
    }
    if (!body_done(r))
        return;
    if (r->route == ECHO && mote_h2_commit(&c->h2, r->stream, 0, true) < 0)
        return;
    free_request(c, r);
}

/* Each time another request is the first to find room. */
static void answer_all(connection *c)
{
    size_t first = c->turn;

    for (size_t i = 0; c->busy > 0 && i < STREAMS; i++) {
        size_t at = (first + i) % STREAMS;
        if (!c->requests[at].stream)
            continue;
        answer(c, &c->requests[at]);
        if (i == 0 || c->turn == first)
            c->turn = (at + 1) % STREAMS;
    }
}

/* ---- events -------------------------------------------------------------------------------- */

static bool value_is(const mote_h2_event *ev, const char *text)
{
    return ev->field.value_len == strlen(text) &&
           memcmp(ev->field.value, text, ev->field.value_len) == 0;
}

/* Whether the path is this one, without its query. */
static bool path_is(const mote_h2_event *ev, const char *text)
{
    const char *query = memchr(ev->field.value, '?', ev->field.value_len);
    size_t len = query ? (size_t)(query - ev->field.value) : ev->field.value_len;

    return len == strlen(text) && memcmp(ev->field.value, text, len) == 0;
}

static request *request_of(connection *c, mote_h2_stream *s)
{
    request *r = s->user;

    if (r)
        return r;
    for (r = c->requests; r->stream; r++)
        ; /* there are as many requests as streams */
    memset(r, 0, sizeof *r);
    r->stream = s;
    r->progress_ms = loop.now_ms;
    s->user = r;
    c->busy++;
    return r;
}

static void on_field(connection *c, const mote_h2_event *ev)
{
    request *r = request_of(c, ev->stream);

    if (ev->kind == MOTE_H2_KIND_METHOD) {
        r->is_get = value_is(ev, "GET");
        r->is_head = value_is(ev, "HEAD");
        r->is_post = value_is(ev, "POST");
    } else if (ev->kind == MOTE_H2_KIND_PATH) {
        r->is_root = path_is(ev, "/");
        r->is_echo = path_is(ev, "/echo");
    } else if (ev->field.name_len == 6 && memcmp(ev->field.name, "expect", 6) == 0) {
        r->expects = value_is(ev, "100-continue");
    }
}

static void on_headers(connection *c, const mote_h2_event *ev)
{
    request *r = request_of(c, ev->stream);

    r->complete = ev->end_stream;
    if (!ev->trailers)
        r->route = ev->truncated                             ? TOO_LARGE
                   : r->is_root && (r->is_get || r->is_head) ? PAGE
                   : r->is_echo && r->is_post                ? ECHO
                                                             : NOT_FOUND;
    answer(c, r);
}

static void on_data(connection *c, const mote_h2_event *ev)
{
    request *r = ev->stream->user;

    if (!r)
        return;
    r->complete = ev->end_stream;
    r->progress_ms = loop.now_ms;
    if (r->route == ECHO) {
        for (size_t i = 0; i < ev->len;) {
            size_t at = (r->start + r->used) % WINDOW;
            size_t n = ev->len - i < WINDOW - at ? ev->len - i : WINDOW - at;
            memcpy(buffer_of(c, r) + at, ev->data + i, n);
            r->used += n;
            i += n;
        }
    } else {
        mote_h2_consume(&c->h2, r->stream, ev->len);
    }
    answer(c, r);
}

static enum mote_posix_input on_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    connection *c = self;
    mote_h2_event ev;

    while (mote_h2_recv(&c->h2, in, len, used, &ev) > 0) {
        in += *used;
        len -= *used;
        if (ev.type == MOTE_H2_FIELD && !ev.trailers)
            on_field(c, &ev);
        else if (ev.type == MOTE_H2_HEADERS)
            on_headers(c, &ev);
        else if (ev.type == MOTE_H2_DATA)
            on_data(c, &ev);
        else if (ev.type == MOTE_H2_RESET && ev.stream->user)
            free_request(c, ev.stream->user);
        else if (ev.type == MOTE_H2_WRITABLE && ev.stream && ev.stream->user)
            answer(c, ev.stream->user);
        else if (ev.type == MOTE_H2_WRITABLE || ev.type == MOTE_H2_SETTINGS)
            answer_all(c);
    }
    return mote_h2_error(&c->h2) < 0 ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
}

/* ---- the engine for the event loop --------------------------------------------------------- */

static const uint8_t *peek(void *self, size_t *len)
{
    return mote_h2_peek(&((connection *)self)->h2, len);
}

static void ack(void *self, size_t len)
{
    connection *c = self;

    mote_h2_ack(&c->h2, len);
    answer_all(c);
}

/* What does not move is given up, so that slow peers cannot hold streams and connections. */
static void give_up_stalled(connection *c, uint64_t now_ms)
{
    c->checked_ms = now_ms;
    for (size_t i = 0; c->busy > 0 && i < STREAMS; i++) {
        request *r = &c->requests[i];
        if (!r->stream || now_ms - r->progress_ms < timeout_ms)
            continue;
        mote_h2_reset(&c->h2, r->stream, MOTE_H2_CANCEL);
        free_request(c, r);
    }
    if (c->busy == 0 && now_ms - c->idle_ms >= timeout_ms)
        mote_h2_fail(&c->h2, MOTE_H2_NO_ERROR, "idle");
    /* RFC 9113 6.8: what was on its way when the client heard of the end has arrived by now */
    if (c->busy == 0 && drain_ms > 0 && now_ms - drain_ms >= LINGER_MS)
        mote_h2_fail(&c->h2, MOTE_H2_NO_ERROR, "the server ends");
}

static uint32_t tick(void *self, uint64_t now_ms)
{
    connection *c = self;
    uint32_t next = mote_h2_tick(&c->h2, now_ms), check = timeout_ms / 4 + 1;

    if (drain_ms > 0 && check > LINGER_MS / 4)
        check = LINGER_MS / 4;
    if (now_ms - c->checked_ms >= check)
        give_up_stalled(c, now_ms);
    return next < check ? next : check;
}

static void eof(void *self)
{
    mote_h2_recv_eof(&((connection *)self)->h2);
}

static const mote_posix_engine engine = {on_input, peek, ack, tick, eof, NULL, NULL};

static const mote_posix_security *security; /* NULL: plaintext */
static uint8_t *security_memory;

static void release(mote_posix_conn *conn)
{
    connection *c = (connection *)conn;

    if (security)
        security->unwrap(conn->self);

    c->next_free = free_list;
    free_list = c;
}

static int add(connection *c, int fd)
{
    const mote_posix_engine *outer = &engine;
    void *self = c;

    if (security &&
        security->wrap(security->context, security_memory + security->size * (size_t)(c - pool),
                       &outer, &self) < 0) {
        c->next_free = free_list;
        free_list = c;
        return -1;
    }
    return mote_posix_loop_add(&loop, &c->conn, fd, outer, self);
}

static int accept_conn(void *context, int fd)
{
    connection *c = free_list;
    mote_h2_config config = {.server = true,
                             .coder = &mote_hpack_huffman_coder,
                             .stream_count = STREAMS,
                             .table_size = 4096,
                             .max_list_size = 32768};

    (void)context;
    if (c)
        free_list = c->next_free;
    else if (made < CONNECTIONS)
        c = &pool[made++];
    else
        return -1;
    for (size_t i = 0; i < STREAMS; i++)
        c->requests[i].stream = NULL;
    c->busy = c->turn = 0;
    c->idle_ms = c->checked_ms = loop.now_ms;
    config.settings_timeout_ms = timeout_ms;
    config.streams = c->streams;
    config.tx = c->tx;
    config.tx_size = sizeof c->tx;
    config.table = c->table;
    config.scratch = c->scratch;
    config.scratch_size = sizeof c->scratch;
    config.slots = c->slots;
    config.slot_count = sizeof c->slots / sizeof c->slots[0];
    mote_h2_init(&c->h2, &config);
    c->conn.closed = release;
    return add(c, fd);
}

/* No new connections and requests; the open ones go on until they are done, the time is up, or a
 * second signal comes. */
static void drain(void)
{
    uint64_t until = mote_posix_now_ms() + timeout_ms;

    mote_posix_loop_deafen(&loop);
    drain_ms = mote_posix_now_ms();
    for (mote_posix_conn *conn = loop.conns; conn; conn = conn->next) {
        mote_h2_shutdown(&((connection *)conn)->h2);
        mote_posix_hurry(conn); /* its tick comes more often from now on */
        mote_posix_flush(conn);
    }
    while (loop.conns && mote_posix_stopped < 2 && loop.now_ms < until)
        mote_posix_loop_turn(&loop, LINGER_MS / 10);
}

int main(int argc, char **argv)
{
    const char *port = "8080", *host = "127.0.0.1", *timeout = "30";
    const option options[] = {OPTION("--port", &port, "port to listen on (8080; 0: any)"),
                              OPTION("--host", &host, "address to listen on (127.0.0.1)"),
                              OPTION("--timeout", &timeout,
                                     "seconds without progress that end a request or an idle "
                                     "connection (30)"),
                              OPTIONS_END};
    char address[128];

    parse_options(argc, argv, "h2_server: an HTTP/2 server", options);
    snprintf(address, sizeof address, "%s:%s", host, port);
    timeout_ms = seconds_in_ms(timeout);
    if (timeout_ms == 0) {
        fprintf(stderr, "h2_server: error: --timeout=%s is not a number of seconds\n", timeout);
        return 2;
    }
    page_length.value = page_length_text;
    page_length.value_len =
        (uint16_t)snprintf(page_length_text, sizeof page_length_text, "%zu", sizeof page - 1);
    pool = mote_posix_memory(CONNECTIONS, sizeof(connection));
    security = secure_server();
    security_memory = security ? mote_posix_memory(CONNECTIONS, security->size) : NULL;
    mote_posix_catch_signals();
    int listener = mote_posix_listen(address);
    if (!pool || listener < 0 || mote_posix_loop_init(&loop) < 0 ||
        mote_posix_loop_listen(&loop, listener, accept_conn, NULL) < 0) {
        fprintf(stderr, "h2_server: error: %s\n", pool ? mote_posix_error() : "out of memory");
        return 1;
    }
    loop.stall_ms = timeout_ms;
    printf("listening on %s\n", mote_posix_address(listener, address));
    fflush(stdout);
    while (!mote_posix_stopped && mote_posix_loop_turn(&loop, UINT32_MAX) == 0)
        ;
    drain();
    mote_posix_loop_end(&loop);
    return 0;
}
