/* A connection of HTTP/1.1 before an engine of HTTP/2: bytes of requests (RFC 9112). */
#include "http1_internal.h"

#include <string.h>

enum { HTTP1_MOST_WINDOW = 0x7fffffff, HTTP1_FIRST_WINDOW = 65535 };

static const char http2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static size_t http1_least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

int mote_http1_init(mote_http1 *h, const mote_http1_engine *engine, void *self, void *memory,
                    size_t size)
{
    char *bytes = memory;

    memset(h, 0, sizeof *h);
    if (!memory || size < MOTE_HTTP1_MEMORY_MIN)
        return MOTE_GRPC_ERR_CONFIG;
    h->engine = engine;
    h->self = self;
    h->head = bytes;
    h->head_size = http1_least_of(size / 2, HTTP1_FRAME_MAX / 2);
    h->out = bytes + size / 2;
    h->out_size = size / 4;
    h->stream = 1;
    h->initial_window = h->connection_window = HTTP1_FIRST_WINDOW;
    mote_hpack_decoder_init_bare(&h->decoder, 0, bytes + size / 2 + size / 4, size / 4);
    return 0;
}

/* No dynamic table is used, and no window is in the way of responses. */
static void http1_begin_http1(mote_http1 *h)
{
    static const uint8_t settings[12] = {0, 1, 0, 0, 0, 0, 0, 4, 0x3f, 0xff, 0xff, 0xff};

    h->state = MOTE_HTTP1_HEAD;
    mote_http1_give(h, http2_preface, sizeof http2_preface - 1);
    mote_http1_give_frame(h, MOTE_H2_FRAME_SETTINGS, 0, 0, sizeof settings);
    mote_http1_give(h, settings, sizeof settings);
    mote_http1_give_word(h, MOTE_H2_FRAME_WINDOW_UPDATE, 0, HTTP1_MOST_WINDOW - HTTP1_FIRST_WINDOW);
    mote_http1_pull(h);
}

/* ---- heads ----------------------------------------------------------------------------------- */

/* One byte of a head. */
static void http1_on_head_byte(mote_http1 *h, char ch)
{
    if ((ch == '\n') != h->cr || ch == '\0') {
        mote_http1_refuse(h, "400 Bad Request", "a line does not end with CR LF, or has a NUL");
        return;
    }
    h->cr = ch == '\r';
    h->head[h->head_len++] = ch;
    h->lines = h->head_len > 1 && (h->lines || ch == '\n');
    if (ch == '\n' && h->head_len >= 4 && h->head[h->head_len - 3] == '\n') {
        mote_http1_take_head(h);
    } else if (h->head_len == h->head_size) {
        if (h->lines)
            mote_http1_refuse(h, "431 Request Header Fields Too Large", "the head is too long");
        else
            mote_http1_refuse(h, "414 URI Too Long", "the first line is too long");
    }
}

static size_t http1_on_head(mote_http1 *h, const uint8_t *in, size_t len)
{
    size_t n = 0;

    while (n < len && h->state == MOTE_HTTP1_HEAD)
        http1_on_head_byte(h, (char)in[n++]);
    return n;
}

/* ---- content --------------------------------------------------------------------------------- */

/* What both windows of the engine have room for. */
static size_t http1_window_of_body(const mote_http1 *h)
{
    int64_t room = h->window < h->connection_window ? h->window : h->connection_window;

    return room > 0 ? (size_t)room : 0;
}

/* Up to `len` bytes of content go on as DATA; how many. 0: there is no window. */
static size_t http1_give_content(mote_http1 *h, const uint8_t *in, size_t len, bool ends)
{
    size_t n = http1_least_of(http1_least_of(len, h->body_left), HTTP1_FRAME_MAX);

    if (h->open)
        mote_http1_pull(h);
    if (h->open) {
        n = http1_least_of(n, http1_window_of_body(h));
        if (n == 0)
            return 0;
        mote_http1_give_frame(h, MOTE_H2_FRAME_DATA,
                              ends && n == h->body_left ? HTTP1_END_STREAM : 0, h->stream, n);
        mote_http1_give(h, in, n);
        h->window -= (int64_t)n;
        h->connection_window -= (int64_t)n;
    }
    h->body_left -= n;
    return n;
}

static size_t http1_on_body(mote_http1 *h, const uint8_t *in, size_t len)
{
    bool chunked = h->state == MOTE_HTTP1_CHUNK_DATA;
    size_t n = http1_give_content(h, in, len, !chunked);

    if (h->state == MOTE_HTTP1_OVER)
        return n;
    if (h->body_left == 0 && chunked)
        h->state = MOTE_HTTP1_CHUNK_END;
    else if (h->body_left == 0)
        mote_http1_end_request(h);
    return n;
}

static void http1_bad_chunk(mote_http1 *h)
{
    mote_http1_refuse(h, "400 Bad Request", "a chunk is not SIZE CR LF CONTENT CR LF");
}

/* The value of a digit; < 0: it is none. */
static int http1_hex(char ch)
{
    int letter = (ch | 0x20) - 'a';

    if (ch <= '9')
        return ch - '0';
    return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/* RFC 9112 7.1; a size has up to 7 digits. */
static void http1_on_size_byte(mote_http1 *h, char ch)
{
    int digit = http1_hex(ch);

    if (digit >= 0 && h->count < 7) {
        h->body_left = h->body_left << 4 | (size_t)digit;
        h->count++;
    } else if (h->count > 0 && ch == '\r') {
        h->state = MOTE_HTTP1_CHUNK_LINE;
    } else if (h->count > 0 && ch == ';') {
        h->skipped = 0;
        h->state = MOTE_HTTP1_CHUNK_EXTENSION;
    } else {
        http1_bad_chunk(h);
    }
}

static void http1_on_extension_byte(mote_http1 *h, char ch)
{
    enum { MOST = 256 };

    if (ch == '\r')
        h->state = MOTE_HTTP1_CHUNK_LINE;
    else if ((uint8_t)ch < 0x20 || ++h->skipped > MOST)
        http1_bad_chunk(h);
}

static void http1_on_line_byte(mote_http1 *h, char ch)
{
    h->cr = false;
    if (ch != '\n')
        http1_bad_chunk(h);
    else
        h->state = h->body_left > 0 ? MOTE_HTTP1_CHUNK_DATA : MOTE_HTTP1_TRAILERS;
}

static void http1_on_chunk_end_byte(mote_http1 *h, char ch)
{
    if (ch != (h->cr ? '\n' : '\r')) {
        http1_bad_chunk(h);
    } else if (!h->cr) {
        h->cr = true;
    } else {
        h->cr = false;
        h->count = 0;
        h->state = MOTE_HTTP1_CHUNK_SIZE;
    }
}

/* Trailers of a request mean nothing to gRPC-Web, but are fields; they lie where the head was. */
static void http1_on_trailer_byte(mote_http1 *h, char ch)
{
    if ((ch == '\n') != h->cr || ch == '\0' || h->head_len == h->head_size) {
        mote_http1_refuse(h, "400 Bad Request", "trailers are too long, or no lines");
        return;
    }
    h->cr = ch == '\r';
    h->head[h->head_len++] = ch;
    bool ends = ch == '\n' && (h->head_len == 2 || h->head[h->head_len - 3] == '\n');
    if (!ends || !mote_http1_takes_trailers(h))
        return;
    if (h->open)
        mote_http1_give_frame(h, MOTE_H2_FRAME_DATA, HTTP1_END_STREAM, h->stream, 0);
    mote_http1_end_request(h);
}

static void http1_on_chunk_byte(mote_http1 *h, char ch)
{
    switch (h->state) {
    case MOTE_HTTP1_CHUNK_SIZE:
        http1_on_size_byte(h, ch);
        break;
    case MOTE_HTTP1_CHUNK_EXTENSION:
        http1_on_extension_byte(h, ch);
        break;
    case MOTE_HTTP1_CHUNK_LINE:
        http1_on_line_byte(h, ch);
        if (h->state == MOTE_HTTP1_TRAILERS)
            h->head_len = 0;
        break;
    case MOTE_HTTP1_CHUNK_END:
        http1_on_chunk_end_byte(h, ch);
        break;
    default:
        http1_on_trailer_byte(h, ch);
        break;
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* Bytes that may be the preface are held back: they are known. */
static size_t http1_on_preface(mote_http1 *h, const uint8_t *in, size_t len)
{
    size_t n = 0;

    while (n < len && h->count < 4 && in[n] == (uint8_t)http2_preface[h->count]) {
        h->count++;
        n++;
    }
    if (h->count == 4) { /* no method of HTTP/1.1 is "PRI" (RFC 9113 11.6) */
        h->state = MOTE_HTTP1_PASS;
        mote_http1_give(h, http2_preface, 4);
    } else if (n < len) {
        uint8_t held = h->count;
        h->count = 0;
        http1_begin_http1(h);
        http1_on_head(h, (const uint8_t *)http2_preface, held);
    }
    return n;
}

/* Some of the bytes; 0: what there is to write must leave first. */
static size_t http1_take_some(mote_http1 *h, const uint8_t *in, size_t len)
{
    switch (h->state) {
    case MOTE_HTTP1_PREFACE:
        return http1_on_preface(h, in, len);
    case MOTE_HTTP1_PASS:
        mote_http1_give(h, in, len);
        return len;
    case MOTE_HTTP1_HEAD:
        return http1_on_head(h, in, len);
    case MOTE_HTTP1_BODY:
    case MOTE_HTTP1_CHUNK_DATA:
        return http1_on_body(h, in, len);
    case MOTE_HTTP1_ANSWER: /* sent ahead: it is not read, and the peer asks again elsewhere */
        h->closing = true;
        return len;
    case MOTE_HTTP1_OVER:
        return len;
    default:
        http1_on_chunk_byte(h, (char)*in);
        return 1;
    }
}

/* Nothing can be taken: because of what waits to be written, or of the handler. */
static bool http1_waits_for_output(mote_http1 *h)
{
    size_t len;

    return mote_http1_peek(h, &len) != NULL;
}

/* Within a head, trailers or the line of a chunk, where a byte at a time must not be time without
 * end: only what is whole counts as heard, as frames do. */
static bool http1_is_within(const mote_http1 *h)
{
    switch (h->state) {
    case MOTE_HTTP1_PREFACE:
        return h->count > 0;
    case MOTE_HTTP1_HEAD:
        return h->head_len > 0;
    case MOTE_HTTP1_CHUNK_SIZE:
    case MOTE_HTTP1_CHUNK_EXTENSION:
    case MOTE_HTTP1_CHUNK_LINE:
    case MOTE_HTTP1_CHUNK_END:
    case MOTE_HTTP1_TRAILERS:
        return true;
    default:
        return false;
    }
}

/* Between two requests, the last of which was the last. */
static bool http1_is_done(const mote_http1 *h)
{
    return h->state == MOTE_HTTP1_HEAD && h->head_len == 0 && h->closing;
}

int mote_http1_recv(mote_http1 *h, const uint8_t *in, size_t len, size_t *used)
{
    MOTE_CHECK_THAT(mote_http1_valid(h));
    *used = 0;
    if (len == 0 && !h->engine->input(h->self, NULL, 0))
        h->ended = true;
    while (*used < len) {
        enum mote_http1_state before = h->state;
        size_t n = http1_take_some(h, in + *used, len - *used);
        *used += n;
        if (n > 0 && !http1_is_within(h))
            h->since_ms = h->now_ms;
        if (n > 0 || h->state != before)
            continue;
        if (http1_waits_for_output(h))
            return 1;
        mote_http1_refuse(h, "413 Content Too Large", "the content has no room (rx_size)");
    }
    if (h->state != MOTE_HTTP1_PASS &&
        (http1_is_done(h) || (h->ended && !http1_waits_for_output(h))))
        h->state = MOTE_HTTP1_OVER;
    return h->state == MOTE_HTTP1_OVER || (h->ended && h->state == MOTE_HTTP1_PASS) ? -1 : 0;
}

uint32_t mote_http1_tick(mote_http1 *h, uint64_t now_ms)
{
    MOTE_CHECK_THAT(mote_http1_valid(h));
    if (h->since_ms == 0)
        h->since_ms = now_ms;
    h->now_ms = now_ms;
    if (h->state == MOTE_HTTP1_PASS || h->state == MOTE_HTTP1_ANSWER || h->state == MOTE_HTTP1_OVER)
        return UINT32_MAX;
    uint64_t silent_ms = now_ms - h->since_ms;
    if (silent_ms < MOTE_HTTP1_IDLE_MS)
        return MOTE_HTTP1_IDLE_MS - (uint32_t)silent_ms;
    if (h->state <= MOTE_HTTP1_HEAD && h->head_len == 0)
        h->state = MOTE_HTTP1_OVER;
    else
        mote_http1_refuse(h, "408 Request Timeout", "the request is not complete after 60 s");
    return UINT32_MAX;
}
