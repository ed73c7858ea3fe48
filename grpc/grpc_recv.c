/* From events of h2 to calls. */
#include "grpc_internal.h"

#include <string.h>

/* One field of a header section: 1 when the user is to see it. */
static int on_field(mote_grpc *g, mote_h2_event *h, mote_grpc_event *ev)
{
    mote_grpc_call *call = h->stream->user;
    unsigned what;

    if (h->kind == MOTE_H2_KIND_BLANK_ENDS)
        mote_grpc_trim_field(h);
    what = mote_grpc_classify(g, h);
    if (!call && mote_grpc_serves(g) && !h->trailers)
        call = mote_grpc_call_new(g, h->stream);
    if (!call || call->remote == MOTE_GRPC_REMOTE_OVER)
        return 0;
    if (MOTE_HAS_DOOR && mote_grpc_serves(g) && g->config->door &&
        g->config->door->ways->take_field(call, h))
        return 0;
    if (what != FIELD_OTHER) {
        if (mote_grpc_serves(g))
            mote_grpc_server_field(call, h, what);
        else
            mote_grpc_client_field(call, h, what);
        return 0;
    }
    if (call->told == MOTE_GRPC_TOLD_NOTHING)
        call->told = MOTE_GRPC_TOLD_FIELDS;
    memset(ev, 0, sizeof *ev);
    ev->type = g->delivery.type = MOTE_GRPC_METADATA;
    ev->call = g->delivery.call = call;
    ev->trailing = h->trailers;
    ev->name = h->field.name;
    ev->name_len = h->field.name_len;
    ev->value = h->field.value;
    ev->value_len = h->field.value_len;
    return 1;
}

static void on_headers(mote_grpc *g, const mote_h2_event *h)
{
    mote_grpc_call *call = h->stream->user;

    if (!call && mote_grpc_serves(g) && !h->trailers) /* no field of it was reported */
        call = mote_grpc_call_new(g, h->stream);
    if (!call) {
        mote_h2_reset(&g->h2, h->stream, MOTE_H2_REFUSED_STREAM);
        return;
    }
    g->delivery.call = call;
    if (call->remote == MOTE_GRPC_REMOTE_OVER)
        return;
    if (mote_grpc_serves(g))
        mote_grpc_server_headers(call, h);
    else
        mote_grpc_client_headers(call, h);
}

static void on_data(mote_grpc *g, const mote_h2_event *h)
{
    mote_grpc_call *call = h->stream->user;

    if (!call) {
        mote_h2_consume(&g->h2, h->stream, h->len);
        return;
    }
    g->delivery.call = call;
    g->delivery.rest = h->data;
    g->delivery.rest_len = h->len;
    if (!h->end_stream || call->remote == MOTE_GRPC_REMOTE_OVER)
        return;
    if (mote_grpc_serves(g))
        call->remote = MOTE_GRPC_REMOTE_ENDED;
    else
        mote_grpc_client_end(call);
}

/* Why a stream has ended: the rules were broken, the server goes away, or the peer says so. */
static const char *reset_text(mote_grpc_call *call, const mote_h2_event *h)
{
    if (!MOTE_HAS_TEXTS)
        return NULL;
    if (!h->remote)
        return MOTE_TEXT("the peer broke the HTTP/2 rules on this stream");
    if (h->code == MOTE_H2_REFUSED_STREAM && call->grpc->h2.peer_goaway_id < INT32_MAX)
        return MOTE_TEXT("the server goes away (GOAWAY) and has not taken this call");
    const char *name = mote_h2_code_name(h->code);
    return mote_grpc_name_it(call, "the peer has reset the stream: ", name,
                             mote_grpc_text_length(name));
}

static void on_reset(mote_grpc *g, const mote_h2_event *h)
{
    mote_grpc_call *call = h->stream->user;
    int code = h->remote ? mote_grpc_code_of_reset(h->code) : MOTE_GRPC_INTERNAL;

    if (!call)
        return;
    g->delivery.call = call;
    if (h->remote && h->code == MOTE_H2_REFUSED_STREAM) /* RFC 9113 8.7 */
        call->facts |= FACT_UNSEEN;
    mote_grpc_call_end(call, mote_grpc_serves(g) ? MOTE_GRPC_CANCELLED : code, reset_text(call, h),
                       STREAM_GONE);
}

/* A window has opened: its stream's call goes on, or whoever waits for the connection's. */
static void on_writable(mote_grpc *g, const mote_h2_stream *stream)
{
    mote_grpc_call *call = stream ? stream->user : NULL;

    if (!stream) {
        mote_grpc_scan_for(g, MOTE_GRPC_SCAN_CONNECTION);
    } else if (call && call->wait != MOTE_GRPC_WAIT_NONE &&
               call->obstacle == MOTE_GRPC_FOR_WINDOW && !mote_grpc_queues(call)) {
        mote_grpc_wake(call);
        call->facts &= (uint16_t)~FACT_TURN;
        g->delivery.call = call;
    }
}

static MOTE_SMALL_APART int on_event(mote_grpc *g, mote_h2_event *h, mote_grpc_event *ev)
{
    switch (h->type) {
    case MOTE_H2_FIELD:
        return on_field(g, h, ev);
    case MOTE_H2_HEADERS:
        on_headers(g, h);
        return 0;
    case MOTE_H2_DATA:
        on_data(g, h);
        return 0;
    case MOTE_H2_RESET:
        on_reset(g, h);
        return 0;
    case MOTE_H2_WRITABLE:
        on_writable(g, h->stream);
        return 0;
    case MOTE_H2_SETTINGS:
        if (h->len > 0 && g->waiting[MOTE_GRPC_FOR_WINDOW] > 0)
            mote_grpc_scan_for(g, MOTE_GRPC_SCAN_ALL);
        return 0;
    case MOTE_H2_GOAWAY:
        memset(ev, 0, sizeof *ev);
        ev->type = MOTE_GRPC_GOAWAY;
        ev->code = (int)h->code;
        return 1;
    default:
        return 0;
    }
}

/* The connection is over: every call ends, and says why. */
static void fail_all(mote_grpc *g)
{
    int code = mote_grpc_serves(g) ? MOTE_GRPC_CANCELLED : MOTE_GRPC_UNAVAILABLE;

    g->failed = 1;
    for (size_t i = 0; i < g->reach; i++) {
        mote_grpc_call *call = &g->calls[i];
        if (call->local != MOTE_GRPC_LOCAL_FREE && !mote_grpc_decided(call))
            mote_grpc_call_end(call, code, MOTE_TEXT(mote_h2_error_text(&g->h2)), STREAM_GONE);
        if (call->wait != MOTE_GRPC_WAIT_NONE) /* what was brought back is offered again */
            mote_grpc_wake(call);
    }
    mote_grpc_scan_for(g, MOTE_GRPC_SCAN_ALL);
}

enum { USED_UP, EVENT, GO_ON };

/* What the next bytes are: in a frame of its own, so that no event of h2 lies below the delivery.
 */
static MOTE_APART int take_event(mote_grpc *g, const uint8_t *in, size_t len, size_t *used,
                                 mote_grpc_event *ev)
{
    mote_h2_event h;
    size_t n;
    int r;

    do {
        r = mote_h2_recv(&g->h2, in + *used, len - *used, &n, &h);
        *used += n;
        if (r > 0 && on_event(g, &h, ev))
            return EVENT;
    } while (r > 0 && h.type == MOTE_H2_FIELD && mote_grpc_serves(g)); /* nothing follows of it */
    if (r > 0)
        return GO_ON;
    if (r == 0 || g->failed)
        return r;
    fail_all(g);
    return GO_ON;
}

int mote_grpc_recv(mote_grpc *g, const uint8_t *in, size_t len, size_t *used, mote_grpc_event *ev)
{
    static const uint8_t nothing;
    int r = GO_ON;

    MOTE_CHECK_THAT(mote_grpc_valid(g));
    *used = 0;
    if (len == 0)
        in = &nothing; /* it may be NULL */
    mote_grpc_conclude(g);
    while (r == GO_ON) {
        if ((g->ends > 0 && mote_grpc_next_end(g, ev)) ||
            (g->delivery.call && mote_grpc_deliver(g, ev)))
            return 1;
        if (g->ends == 0 && !mote_grpc_scan(g))
            r = take_event(g, in, len, used, ev);
    }
    return r;
}

void mote_grpc_recv_eof(mote_grpc *g)
{
    mote_h2_recv_eof(&g->h2);
}

const uint8_t *mote_grpc_peek(mote_grpc *g, size_t *len)
{
    return mote_h2_peek(&g->h2, len);
}

void mote_grpc_ack(mote_grpc *g, size_t len)
{
    MOTE_CHECK_THAT(mote_grpc_valid(g));
    mote_h2_ack(&g->h2, len);
    if (g->waiting[MOTE_GRPC_FOR_ROOM] > 0 && mote_h2_half_free(&g->h2))
        mote_grpc_scan_for(g, MOTE_GRPC_SCAN_ROOM);
}
