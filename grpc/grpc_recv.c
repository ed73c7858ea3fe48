/* From events of h2 to events of calls. What a call still has to deliver is state of the call, so
 * an event that is deferred is simply derived again. */
#include "grpc_internal.h"

#include <string.h>

#ifdef __GNUC__
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif

static int emit(mote_grpc_call *call, mote_grpc_event *ev, unsigned type, unsigned pending)
{
    ev->type = (uint8_t)type;
    call->pending &= (uint8_t)~pending;
    return 1;
}

static int emit_end(mote_grpc_call *call, mote_grpc_event *ev)
{
    ev->code = call->code;
    ev->message = call->text ? call->text : "";
    ev->message_len = call->text_len;
    ev->unseen = (call->flags & CALL_UNSEEN) != 0;
    return emit(call, ev, MOTE_SERVES(call->grpc->config) ? MOTE_GRPC_CLOSED : MOTE_GRPC_STATUS,
                PENDING_END);
}

/* The next event of a call, in the order in which the peer caused them. */
static int next_event(mote_grpc_call *call, mote_grpc_event *ev)
{
    /* A request that was refused is answered here, so that this needs the less stack. */
    if (MOTE_SERVES(call->grpc->config) &&
        (call->flags & (CALL_STATUS_OWED | CALL_WAITING)) == CALL_STATUS_OWED)
        mote_grpc_server_settle(call);
    if (call->flags & (CALL_DEFERRED | CALL_STATUS_OWED))
        return 0;
    if (call->pending & PENDING_START)
        return emit(call, ev, MOTE_GRPC_START, PENDING_START);
    if (mote_grpc_next_message(call, ev))
        return 1;
    if (call->flags & (CALL_DEFERRED | CALL_STATUS_OWED))
        return 0;
    /* A server that gives up in the middle of a message says why: that status counts. */
    if ((call->pending & (PENDING_HALF_CLOSE | PENDING_END)) && call->code == MOTE_GRPC_OK &&
        mote_grpc_message_cut(call)) {
        call->pending = 0;
        mote_grpc_message_fail(call, MOTE_GRPC_INTERNAL,
                               MOTE_TEXT("the stream ended inside of a message"));
    }
    if ((call->pending & PENDING_HALF_CLOSE) && call->method && call->method->single &&
        !(call->flags & CALL_GOT_MESSAGE)) {
        call->pending = 0;
        mote_grpc_message_fail(call, MOTE_GRPC_UNIMPLEMENTED, MOTE_TEXT("no request"));
    }
    if (call->pending & PENDING_HALF_CLOSE)
        return emit(call, ev, MOTE_GRPC_HALF_CLOSE, PENDING_HALF_CLOSE);
    if (call->pending & PENDING_WRITABLE)
        return emit(call, ev, MOTE_GRPC_WRITABLE, PENDING_WRITABLE);
    if (call->pending & PENDING_END)
        return emit_end(call, ev);
    return 0;
}

static int deliver(mote_grpc *g, mote_grpc_event *ev)
{
    mote_grpc_call *call = g->current;

    ev->type = 0;
    ev->compressed = false;
    ev->data = NULL;
    ev->len = 0;
    if (!next_event(call, ev)) {
        if (call->flags & CALL_DEFERRED)
            mote_grpc_message_store(call);
        g->rest_len = 0;
        g->current = NULL;
        return 0;
    }
    ev->call = call;
    g->event_type = ev->type;
    return 1;
}

void mote_grpc_defer(mote_grpc *g)
{
    mote_grpc_call *call = g->current;
    mote_grpc_event ev = {0};

    if (!call || g->event_type == MOTE_GRPC_METADATA || g->event_type == 0)
        return;
    ev.type = g->event_type;
    ev.data = g->event_data;
    g->event_type = 0;
    if (ev.type == MOTE_GRPC_START)
        call->pending |= PENDING_START;
    else if (ev.type == MOTE_GRPC_HALF_CLOSE)
        call->pending |= PENDING_HALF_CLOSE;
    else if (ev.type == MOTE_GRPC_WRITABLE)
        call->pending |= PENDING_WRITABLE;
    else if (ev.type == MOTE_GRPC_STATUS || ev.type == MOTE_GRPC_CLOSED)
        call->pending |= PENDING_END;
    else
        mote_grpc_message_keep(call, &ev);
    if (!(call->flags & CALL_ACTIVE) || (call->flags & CALL_DROP && !(call->pending & PENDING_END)))
        return;
    call->flags |= CALL_DEFERRED;
    mote_grpc_call_wait(call);
}

/* The event that was delivered last is done, unless it was deferred. */
static void settle(mote_grpc *g)
{
    mote_grpc_call *call = g->current;

    if (!call || g->event_type == 0)
        return;
    mote_grpc_message_done(call);
    if (g->event_type == MOTE_GRPC_STATUS || g->event_type == MOTE_GRPC_CLOSED)
        mote_grpc_call_release(call);
    g->event_type = 0;
}

/* Gives a call that waits its turn: true when it has something to deliver. */
static bool attend(mote_grpc_call *call)
{
    if (!(call->flags & CALL_ACTIVE))
        return false;
    if (!(call->flags & CALL_WAITING))
        return (call->pending & PENDING_END) && !(call->flags & CALL_DEFERRED);
    mote_grpc_call_unwait(call);
    if (MOTE_SERVES(call->grpc->config) && (call->flags & CALL_STATUS_OWED)) {
        mote_grpc_server_settle(call);
        return false;
    }
    if (call->flags & CALL_DEFERRED)
        call->flags &= (uint16_t)~CALL_DEFERRED;
    else
        call->pending |= PENDING_WRITABLE;
    return true;
}

static bool scan(mote_grpc *g)
{
    while (g->scan_left > 0) {
        mote_grpc_call *call = &g->calls[g->scan];
        g->scan = (uint16_t)(g->scan + 1u < g->config->max_calls ? g->scan + 1u : 0);
        g->scan_left--;
        if (attend(call)) {
            g->current = call;
            return true;
        }
    }
    return false;
}

static void wake(mote_grpc *g)
{
    if (g->waiting > 0)
        g->scan_left = g->config->max_calls;
}

/* One field of a header section: 1 when the user is to see it. */
static int on_field(mote_grpc *g, const mote_h2_event *h, mote_grpc_event *ev)
{
    mote_grpc_call *call = h->stream->user;
    unsigned what = mote_grpc_classify(g, h);

    if (!call && MOTE_SERVES(g->config) && !h->trailers)
        call = mote_grpc_call_new(g, h->stream);
    if (!call || (call->flags & CALL_DROP))
        return 0;
    if (what != FIELD_OTHER) {
        if (MOTE_SERVES(g->config))
            mote_grpc_server_field(call, h, what);
        else
            mote_grpc_client_field(call, h, what);
        return 0;
    }
    memset(ev, 0, sizeof *ev);
    ev->type = g->event_type = MOTE_GRPC_METADATA;
    ev->call = g->current = call;
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

    if (!call) {
        mote_h2_reset(&g->h2, h->stream, MOTE_H2_REFUSED_STREAM);
    } else {
        g->current = call;
        if (MOTE_SERVES(g->config))
            mote_grpc_server_headers(call, h);
        else
            mote_grpc_client_headers(call, h);
    }
}

static void on_data(mote_grpc *g, const mote_h2_event *h)
{
    mote_grpc_call *call = h->stream->user;

    if (!call) {
        mote_h2_consume(&g->h2, h->stream, h->len);
        return;
    }
    g->current = call;
    g->rest = h->data;
    g->rest_len = h->len;
    if (!h->end_stream)
        return;
    call->flags |= CALL_REMOTE_END;
    if (MOTE_SERVES(g->config))
        call->pending |= PENDING_HALF_CLOSE;
    else
        mote_grpc_client_end(call);
}

static void on_reset(mote_grpc *g, const mote_h2_event *h)
{
    mote_grpc_call *call = h->stream->user;
    int code = h->remote ? mote_grpc_code_of_reset(h->code) : MOTE_GRPC_INTERNAL;

    if (!call)
        return;
    call->stream->user = NULL;
    call->stream = NULL;
    g->current = call;
    if (h->remote && h->code == MOTE_H2_REFUSED_STREAM) /* RFC 9113 8.7 */
        call->flags |= CALL_UNSEEN;
    mote_grpc_call_end(call, MOTE_SERVES(g->config) ? MOTE_GRPC_CANCELLED : code,
                       h->remote ? mote_h2_code_name(h->code)
                                 : MOTE_TEXT("the peer broke the HTTP/2 rules on this stream"));
}

static int on_event(mote_grpc *g, const mote_h2_event *h, mote_grpc_event *ev)
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
    case MOTE_H2_SETTINGS:
        wake(g);
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
    g->failed = 1;
    for (size_t i = 0; i < g->config->max_calls; i++) {
        mote_grpc_call *call = &g->calls[i];
        if (!(call->flags & CALL_ACTIVE))
            continue;
        call->stream = NULL;
        mote_grpc_call_end(call,
                           MOTE_SERVES(g->config) ? MOTE_GRPC_CANCELLED : MOTE_GRPC_UNAVAILABLE,
                           mote_h2_error_text(&g->h2));
    }
}

enum { USED_UP, EVENT, GO_ON };

/* What the next bytes are: in a frame of its own, so that no event of h2 lies below the delivery.
 */
static NOINLINE int take(mote_grpc *g, const uint8_t *in, size_t len, size_t *used,
                         mote_grpc_event *ev)
{
    mote_h2_event h;
    size_t n = 0;
    int r = mote_h2_recv(&g->h2, in, len, &n, &h);

    *used += n;
    if (r > 0)
        return on_event(g, &h, ev) ? EVENT : GO_ON;
    if (r == 0 || g->failed)
        return r;
    fail_all(g);
    return GO_ON;
}

int mote_grpc_recv(mote_grpc *g, const uint8_t *in, size_t len, size_t *used, mote_grpc_event *ev)
{
    static const uint8_t nothing;
    int r = GO_ON;

    *used = 0;
    if (len == 0)
        in = &nothing; /* it may be NULL */
    settle(g);
    while (r == GO_ON) {
        if (g->current && deliver(g, ev))
            return 1;
        if (!scan(g))
            r = take(g, in + *used, len - *used, used, ev);
    }
    return r;
}

static const char *error_text(const mote_grpc_method *method, int r)
{
    if (r > 0)
        return NULL;
    if (r > -400)
        return mote_grpc_strerror(r);
    return method->strerror ? method->strerror(r) : NULL;
}

void mote_grpc_dispatch(mote_grpc *g, const mote_grpc_event *ev)
{
    mote_grpc_call *call = ev->call;

    if (!call || !call->method)
        return;
    int r = call->method->handler(call, ev);
    if (r == MOTE_AGAIN) {
        mote_grpc_defer(g);
    } else if (r != 0 && g->current == call && ev->type != MOTE_GRPC_CLOSED) {
        mote_grpc_message_done(call);
        call->code = (int16_t)(r > 0 ? r : MOTE_GRPC_INTERNAL);
        call->text = error_text(call->method, r);
        call->flags |= CALL_STATUS_OWED | CALL_DROP;
        mote_grpc_server_settle(call);
    }
}

int mote_grpc_serve(mote_grpc *g, const uint8_t *in, size_t len)
{
    mote_grpc_event ev;
    size_t used;
    int r;

    while ((r = mote_grpc_recv(g, in, len, &used, &ev)) > 0) {
        if (used > 0)
            in += used;
        len -= used;
        mote_grpc_dispatch(g, &ev);
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
    mote_h2_ack(&g->h2, len);
    if (g->waiting > 0 && mote_h2_tx_space(&g->h2) >= g->config->tx_size / 2)
        wake(g);
}
