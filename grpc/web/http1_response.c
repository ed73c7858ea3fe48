/* A connection of HTTP/1.1 before an engine of HTTP/2: frames of the engine become responses. */
#include "http1_internal.h"

#include <string.h>

/* ---- text that leaves ------------------------------------------------------------------------ */

void mote_http1_put(mote_http1 *h, const char *text, size_t len)
{
    if (h->out_at == h->out_len)
        h->out_at = h->out_len = 0;
    if (len > h->out_size - h->out_len) {
        h->state = MOTE_HTTP1_OVER;
        h->out_len = h->out_at;
        h->out_size = 0; /* nothing follows */
        return;
    }
    memcpy(h->out + h->out_len, text, len);
    h->out_len += len;
}

static void http1_put_hex(mote_http1 *h, uint32_t value)
{
    static const char digits[] = "0123456789abcdef";
    char text[8];
    size_t n = sizeof text;

    do
        text[--n] = digits[value & 15];
    while ((value >>= 4) > 0);
    mote_http1_put(h, text + n, sizeof text - n);
}

static void http1_put_decimal(mote_http1 *h, size_t value)
{
    char text[20];
    size_t n = sizeof text;

    do
        text[--n] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    mote_http1_put(h, text + n, sizeof text - n);
}

void mote_http1_refuse(mote_http1 *h, const char *status, const char *why)
{
    if (h->open)
        mote_http1_give_word(h, MOTE_H2_FRAME_RST_STREAM, h->stream, MOTE_H2_CANCEL);
    h->open = false;
    if (h->response == MOTE_HTTP1_RESPONSE_NONE) {
        MOTE_HTTP1_PUT(h, "HTTP/1.1 ");
        mote_http1_put(h, status, mote_http1_length(status));
        MOTE_HTTP1_PUT(h, "\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: ");
        http1_put_decimal(h, mote_http1_length(why) + 1);
        MOTE_HTTP1_PUT(h, "\r\n\r\n");
        mote_http1_put(h, why, mote_http1_length(why));
        MOTE_HTTP1_PUT(h, "\n");
    }
    h->state = MOTE_HTTP1_OVER;
}

/* ---- a response ------------------------------------------------------------------------------ */

/* The rest of a request that is not complete is read, and the connection goes on. */
static void http1_end_response(mote_http1 *h)
{
    h->open = false;
    h->response = MOTE_HTTP1_RESPONSE_WHOLE;
    if (h->state == MOTE_HTTP1_ANSWER)
        mote_http1_end_request(h);
}

static void http1_put_response_field(mote_http1 *h, const mote_hpack_field_view *f)
{
    if (f->name_len == 7 && memcmp(f->name, ":status", 7) == 0) {
        MOTE_HTTP1_PUT(h, "HTTP/1.1 ");
        mote_http1_put(h, f->value, f->value_len);
        h->no_content = f->value_len == 3 && memcmp(f->value, "204", 3) == 0;
        mote_http1_put(h, " \r\n", 3);
        return;
    }
    mote_http1_put(h, f->name, f->name_len);
    MOTE_HTTP1_PUT(h, ": ");
    mote_http1_put(h, f->value, f->value_len);
    MOTE_HTTP1_PUT(h, "\r\n");
}

/* A part of a header block. */
static void http1_take_block(mote_http1 *h, const uint8_t *in, size_t len)
{
    mote_hpack_field_view f;
    size_t used;
    int r;

    while ((r = mote_hpack_decode(&h->decoder, in, len, &used, &f)) > 0) {
        in += used;
        len -= used;
        if (!(f.flags & MOTE_HPACK_TOO_LONG))
            http1_put_response_field(h, &f);
    }
    if (r < 0)
        h->state = MOTE_HTTP1_OVER;
}

/* The section is complete: that of the response, or of its trailers. */
static void http1_end_block(mote_http1 *h, bool ends)
{
    mote_hpack_decoder_end(&h->decoder);
    if (h->response == MOTE_HTTP1_RESPONSE_NONE) {
        if (h->closing)
            MOTE_HTTP1_PUT(h, "connection: close\r\n");
        if (!ends)
            MOTE_HTTP1_PUT(h, "transfer-encoding: chunked\r\n");
        else if (!h->no_content)
            MOTE_HTTP1_PUT(h, "content-length: 0\r\n");
        h->response = MOTE_HTTP1_RESPONSE_BEGUN;
    }
    MOTE_HTTP1_PUT(h, "\r\n");
    if (ends)
        http1_end_response(h);
}

/* The content of a frame has left. */
static void http1_end_data(mote_http1 *h, bool any)
{
    if (any)
        MOTE_HTTP1_PUT(h, "\r\n");
    if (!(h->frame[4] & HTTP1_END_STREAM))
        return;
    MOTE_HTTP1_PUT(h, "0\r\n\r\n");
    http1_end_response(h);
}

/* ---- frames of the engine -------------------------------------------------------------------- */

static uint32_t http1_get_word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t http1_frame_id(const mote_http1 *h)
{
    return http1_get_word(h->frame + 5) & 0x7fffffff;
}

static bool http1_is_of_request(const mote_http1 *h)
{
    return h->open && http1_frame_id(h) == h->stream;
}

static void http1_on_setting(mote_http1 *h)
{
    if (h->word[0] == 0 && h->word[1] == 4) { /* INITIAL_WINDOW_SIZE */
        int64_t value = http1_get_word(h->word + 2);
        h->window += value - h->initial_window;
        h->initial_window = value;
    }
}

static void http1_on_reset_stream(mote_http1 *h)
{
    if (!http1_is_of_request(h))
        return;
    h->open = false;
    if (http1_get_word(h->word) == MOTE_H2_REFUSED_STREAM)
        mote_http1_refuse(h, "503 Service Unavailable", "the server takes no more calls now");
    else
        mote_http1_refuse(h, "502 Bad Gateway", "the server has reset the request");
}

static void http1_on_granted(mote_http1 *h)
{
    uint32_t increment = http1_get_word(h->word) & 0x7fffffff;

    if (http1_frame_id(h) == 0)
        h->connection_window += increment;
    else if (http1_is_of_request(h))
        h->window += increment;
}

/* How many bytes of a frame are looked at together; 0: they are not. */
static size_t http1_unit_of(const mote_http1 *h)
{
    static const uint8_t units[] = {0, 0, 0, 4, 6, 0, 8, 0, 4};

    return h->frame[3] < sizeof units ? units[h->frame[3]] : 0;
}

static void http1_on_word(mote_http1 *h)
{
    switch (h->frame[3]) {
    case MOTE_H2_FRAME_SETTINGS:
        http1_on_setting(h);
        break;
    case MOTE_H2_FRAME_PING:
        if (h->frame[4] & HTTP1_ACK)
            break;
        mote_http1_give_frame(h, MOTE_H2_FRAME_PING, HTTP1_ACK, 0, 8);
        mote_http1_give(h, h->word, 8);
        break;
    case MOTE_H2_FRAME_RST_STREAM:
        http1_on_reset_stream(h);
        break;
    default:
        http1_on_granted(h);
        break;
    }
}

/* The end of a frame, but DATA. */
static void http1_end_frame(mote_http1 *h)
{
    h->frame_len = 0;
    if (h->frame[3] == MOTE_H2_FRAME_SETTINGS && !(h->frame[4] & HTTP1_ACK))
        mote_http1_give_frame(h, MOTE_H2_FRAME_SETTINGS, HTTP1_ACK, 0, 0);
    else if (h->frame[3] == MOTE_H2_FRAME_GOAWAY)
        h->closing = true;
    else if ((h->frame[3] == MOTE_H2_FRAME_HEADERS || h->frame[3] == MOTE_H2_FRAME_CONTINUATION) &&
             (h->frame[4] & HTTP1_END_HEADERS) && http1_is_of_request(h))
        http1_end_block(h, h->no_more);
}

static void http1_begin_frame(mote_http1 *h)
{
    h->frame_left = http1_get_word(h->frame) >> 8;
    h->word_len = 0;
    if (h->frame[3] == MOTE_H2_FRAME_HEADERS)
        h->no_more = h->frame[4] & HTTP1_END_STREAM;
    if (h->frame[3] == MOTE_H2_FRAME_HEADERS && h->response == MOTE_HTTP1_RESPONSE_BEGUN &&
        http1_is_of_request(h))
        MOTE_HTTP1_PUT(h, "0\r\n"); /* trailers */
    if (h->frame[3] != MOTE_H2_FRAME_DATA || !http1_is_of_request(h))
        return;
    if (h->frame_left > 0) {
        http1_put_hex(h, h->frame_left);
        MOTE_HTTP1_PUT(h, "\r\n");
    } else {
        h->frame_len = 0;
        http1_end_data(h, false);
    }
}

/* Whether content of the frame leaves as it lies with the engine. */
static bool http1_has_view(const mote_http1 *h)
{
    return h->frame_len == sizeof h->frame && h->frame[3] == MOTE_H2_FRAME_DATA &&
           http1_is_of_request(h);
}

/* Takes some of the engine's bytes; how many. */
static size_t http1_take_frame(mote_http1 *h, const uint8_t *p, size_t len)
{
    size_t n = len < h->frame_left ? len : h->frame_left, unit = http1_unit_of(h);

    if (h->frame_len < sizeof h->frame) {
        h->frame[h->frame_len++] = *p;
        return 1;
    }
    if (unit > 0) {
        h->word[h->word_len++] = *p;
        n = 1;
    } else if ((h->frame[3] == MOTE_H2_FRAME_HEADERS ||
                h->frame[3] == MOTE_H2_FRAME_CONTINUATION) &&
               http1_is_of_request(h)) {
        http1_take_block(h, p, n);
    }
    h->frame_left -= (uint32_t)n;
    return n;
}

/* What follows from the bytes that were taken, once the engine has been told that they were. */
static void http1_after_bytes(mote_http1 *h, bool header)
{
    if (header) {
        if (h->frame_len < sizeof h->frame)
            return;
        http1_begin_frame(h);
        if (h->frame_left > 0)
            return;
    }
    if (h->word_len > 0 && h->word_len == http1_unit_of(h)) {
        h->word_len = 0;
        http1_on_word(h);
    }
    if (h->frame_left == 0)
        http1_end_frame(h);
}

void mote_http1_pull(mote_http1 *h)
{
    size_t len;

    while (h->state > MOTE_HTTP1_PASS && h->state != MOTE_HTTP1_OVER && h->out_at == h->out_len &&
           !http1_has_view(h)) {
        const uint8_t *p = h->engine->peek(h->self, &len);
        if (!p)
            return;
        bool header = h->frame_len < sizeof h->frame;
        h->engine->ack(h->self, http1_take_frame(h, p, len));
        http1_after_bytes(h, header);
    }
}

/* ---- output ---------------------------------------------------------------------------------- */

const uint8_t *mote_http1_peek(mote_http1 *h, size_t *len)
{
    MOTE_CHECK_THAT(mote_http1_valid(h));
    if (h->state == MOTE_HTTP1_PASS)
        return h->engine->peek(h->self, len);
    mote_http1_pull(h);
    *len = h->out_len - h->out_at;
    if (*len > 0)
        return (const uint8_t *)h->out + h->out_at;
    if (h->state == MOTE_HTTP1_OVER || !http1_has_view(h))
        return NULL;
    const uint8_t *p = h->engine->peek(h->self, len);
    if (p && *len > h->frame_left)
        *len = h->frame_left;
    return p;
}

/* Windows of the engine never run dry. */
static void http1_give_window_back(mote_http1 *h, size_t len)
{
    enum { OFTEN = 1 << 20 };

    h->spent += (uint32_t)len;
    if (h->spent < OFTEN)
        return;
    mote_http1_give_word(h, MOTE_H2_FRAME_WINDOW_UPDATE, 0, h->spent);
    if (h->open)
        mote_http1_give_word(h, MOTE_H2_FRAME_WINDOW_UPDATE, h->stream, h->spent);
    h->spent = 0;
}

/* At most so many bytes have been offered; of an engine alone it is the engine that counts. */
static size_t http1_offered(const mote_http1 *h)
{
    if (h->state == MOTE_HTTP1_PASS)
        return SIZE_MAX;
    return h->out_at < h->out_len ? h->out_len - h->out_at : h->frame_left;
}

void mote_http1_ack(mote_http1 *h, size_t len)
{
    MOTE_CHECK_THAT(mote_http1_valid(h) && len <= http1_offered(h));
    if (h->state == MOTE_HTTP1_PASS) {
        h->engine->ack(h->self, len);
        return;
    }
    if (h->out_at < h->out_len) {
        h->out_at += len;
        return;
    }
    h->engine->ack(h->self, len);
    h->frame_left -= (uint32_t)len;
    if (h->frame_left == 0) {
        h->frame_len = 0;
        http1_end_data(h, true);
    }
    http1_give_window_back(h, len);
}
