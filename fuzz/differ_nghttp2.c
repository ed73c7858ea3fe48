/* libnghttp2's session as an echo: see differ.h. */
#define _GNU_SOURCE

#include "differ.h"
#include "differ_echo.h"
#include "frames.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint32_t id; /* 0: free */
    mote_echo echo;
    uint8_t answer[MOTE_DIFFER_BODY];
    size_t len, sent;
} request;

typedef struct {
    nghttp2_session *session;
    request requests[MOTE_DIFFER_STREAMS];
} server;

static request *request_of(server *s, int32_t id)
{
    for (size_t i = 0; i < MOTE_DIFFER_STREAMS; i++) {
        if (s->requests[i].id == (uint32_t)id)
            return &s->requests[i];
    }
    return NULL;
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    request *r;

    (void)session;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST || !(r = request_of(user, 0)))
        return 0;
    r->id = (uint32_t)frame->hd.stream_id;
    mote_echo_clear(&r->echo);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    request *r = request_of(user, frame->hd.stream_id);

    (void)session;
    (void)flags;
    if (r && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        mote_echo_put(&r->echo, (const char *)name, name_len, (const char *)value, value_len);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user)
{
    request *r = request_of(user, id);

    (void)session;
    (void)flags;
    if (r)
        mote_echo_content(&r->echo, data, len);
    return 0;
}

static ssize_t read_answer(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t len,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    request *r = source->ptr;

    (void)session;
    (void)id;
    (void)user;
    len = len < r->len - r->sent ? len : r->len - r->sent;
    memcpy(buffer, r->answer + r->sent, len);
    r->sent += len;
    if (r->sent == r->len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    static uint8_t name[] = ":status", ok[] = "200";
    nghttp2_nv status = {name, ok, 7, 3, NGHTTP2_NV_FLAG_NONE};
    request *r = request_of(user, frame->hd.stream_id);
    bool content = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;

    if (!r || !content || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    nghttp2_data_provider provider = {.source.ptr = r, .read_callback = read_answer};
    r->len = mote_echo_answer(&r->echo, r->answer);
    r->sent = 0;
    return nghttp2_submit_response(session, frame->hd.stream_id, &status, 1,
                                   mote_echo_has_content(&r->echo) ? &provider : NULL);
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    request *r = request_of(user, id);

    (void)session;
    (void)code;
    if (r)
        r->id = 0;
    return 0;
}

static void start(server *s)
{
    nghttp2_session_callbacks *c;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MOTE_DIFFER_STREAMS}};

    if (nghttp2_session_callbacks_new(&c))
        abort();
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
    for (size_t i = 0; i < MOTE_DIFFER_STREAMS; i++)
        s->requests[i].id = 0;
    if (nghttp2_session_server_new(&s->session, c, s) ||
        nghttp2_submit_settings(s->session, NGHTTP2_FLAG_NONE, settings, 1))
        abort();
    nghttp2_session_callbacks_del(c);
}

/* All that it has to say; false: it has ended. */
static bool give(server *s, uint8_t *out, size_t *len, size_t room)
{
    const uint8_t *bytes;
    ssize_t n;

    while ((n = nghttp2_session_mem_send(s->session, &bytes)) > 0) {
        n = (size_t)n < room - *len ? n : (ssize_t)(room - *len);
        memcpy(out + *len, bytes, (size_t)n);
        *len += (size_t)n;
    }
    return n == 0 &&
           (nghttp2_session_want_read(s->session) || nghttp2_session_want_write(s->session));
}

static size_t play(void *context, const uint8_t *in, size_t len, uint8_t *out, size_t room,
                   bool *closed, const mote_differ_answer *expected)
{
    static server s;
    size_t said = 0, next;
    int whole;

    (void)context;
    (void)expected;
    start(&s);
    *closed = !give(&s, out, &said, room);
    for (size_t at = 0; at < len && !*closed; at = next) { /* as it would come from a socket */
        next = mote_frames_next(in, len, at, &whole);
        *closed = nghttp2_session_mem_recv(s.session, in + at, next - at) < 0;
        *closed |= !give(&s, out, &said, room);
    }
    nghttp2_session_del(s.session);
    return said;
}

const mote_differ_server mote_differ_nghttp2 = {"libnghttp2", play, NULL};
