/* What a call has to tell its user, in the order in which the peer caused it. It is state of the
 * call, so an event that is brought back is simply derived again. */
#include "grpc_internal.h"

static void fail_if_incomplete(mote_grpc_call *call)
{
    /* A server that gives up in the middle of a message says why: that status counts. */
    if (call->code == MOTE_GRPC_OK && mote_grpc_message_cut(call))
        mote_grpc_call_fail(call, MOTE_GRPC_INTERNAL,
                            MOTE_TEXT("the stream ended inside of a message"));
    else if (mote_grpc_method_of(call) && call->method->single && !(call->facts & FACT_MESSAGE))
        mote_grpc_call_fail(call, MOTE_GRPC_UNIMPLEMENTED, MOTE_TEXT("no request"));
    else if (MOTE_MAY_SERVE && (call->facts & FACT_ANSWERED))
        mote_grpc_call_end(call, MOTE_GRPC_OK, NULL, STREAM_STATUS);
}

static MOTE_APART void report_end(mote_grpc_call *call, mote_grpc_event *ev)
{
    call->grpc->delivery.ended = call;
    ev->type = mote_grpc_serves(call->grpc) ? MOTE_GRPC_CLOSED : MOTE_GRPC_STATUS;
    ev->call = call;
    ev->data = NULL;
    ev->len = 0;
    ev->code = call->code;
    ev->message = call->text ? call->text : "";
    ev->message_len = call->text_len;
    ev->unseen = (call->facts & FACT_UNSEEN) != 0;
}

/* Tells of a call that is over, or sends the status that it owes: true when *ev is filled. */
static bool tell_end(mote_grpc_call *call, mote_grpc_event *ev)
{
    mote_grpc *g = call->grpc;

    if (call->local == MOTE_GRPC_LOCAL_FREE || call->remote != MOTE_GRPC_REMOTE_OVER ||
        call->wait != MOTE_GRPC_WAIT_NONE)
        return false;
    if (mote_grpc_owes_status(call))
        mote_grpc_settle(call);
    g->ends--;
    if (mote_grpc_owes_status(call)) /* when there is room */
        return false;
    if (!mote_grpc_serves(g) || call->told != MOTE_GRPC_TOLD_NOTHING) {
        report_end(call, ev);
        return true;
    }
    mote_grpc_call_release(call);
    return false;
}

/* Calls are looked at in a round. */
static uint16_t one_further(const mote_grpc *g, uint16_t number)
{
    return (uint16_t)(number + 1u < g->reach ? number + 1u : 0);
}

/* An end does not wait for what is at hand of other calls, so that it stands in the same place
 * however the input was cut. */
bool mote_grpc_next_end(mote_grpc *g, mote_grpc_event *ev)
{
    if (g->delivery.call && tell_end(g->delivery.call, ev))
        return true;
    while (g->ends > 0) {
        mote_grpc_call *call = &g->calls[g->next_end];
        g->next_end = one_further(g, g->next_end);
        if (tell_end(call, ev))
            return true;
    }
    return false;
}

/* What comes behind the messages. */
static enum mote_grpc_event_type next_after_messages(mote_grpc_call *call)
{
    if (call->remote == MOTE_GRPC_REMOTE_ENDED && call->told == MOTE_GRPC_TOLD_STARTED &&
        mote_grpc_serves(call->grpc)) {
        call->told = MOTE_GRPC_TOLD_HALF_CLOSED;
        return MOTE_GRPC_HALF_CLOSE;
    }
    if (call->facts & FACT_WRITABLE) {
        call->facts &= (uint16_t)~FACT_WRITABLE;
        return MOTE_GRPC_WRITABLE;
    }
    return MOTE_GRPC_NOTHING;
}

/* The next event but the end, of a call that goes on. */
static MOTE_SMALL_APART enum mote_grpc_event_type next_event(mote_grpc_call *call,
                                                             mote_grpc_event *ev)
{
    if (call->wait == MOTE_GRPC_WAIT_DEFERRED || call->remote == MOTE_GRPC_REMOTE_OVER)
        return MOTE_GRPC_NOTHING;
    if (call->remote == MOTE_GRPC_REMOTE_HEADERS)
        return next_after_messages(call);
    if (call->told < MOTE_GRPC_TOLD_STARTED) {
        call->told = MOTE_GRPC_TOLD_STARTED;
        return MOTE_GRPC_START;
    }
    if (mote_grpc_came_by(call, FACT_READ) ? call->grpc->config->door->ways->next(call, ev)
                                           : mote_grpc_next_message(call, ev))
        return ev->type;
    if (call->remote == MOTE_GRPC_REMOTE_OPEN && !(call->facts & FACT_WRITABLE))
        return MOTE_GRPC_NOTHING;
    if (call->remote == MOTE_GRPC_REMOTE_ENDED && call->told < MOTE_GRPC_TOLD_HALF_CLOSED)
        fail_if_incomplete(call);
    return call->remote == MOTE_GRPC_REMOTE_OVER ? MOTE_GRPC_NOTHING : next_after_messages(call);
}

bool mote_grpc_deliver(mote_grpc *g, mote_grpc_event *ev)
{
    mote_grpc_delivery *d = &g->delivery;
    mote_grpc_call *call = d->call;

    ev->compressed = false;
    ev->data = NULL;
    ev->len = 0;
    ev->type = d->type = next_event(call, ev);
    ev->call = call;
    if (d->type != MOTE_GRPC_NOTHING)
        return true;
    if (call->wait == MOTE_GRPC_WAIT_DEFERRED)
        mote_grpc_message_store(call);
    else if (call->remote == MOTE_GRPC_REMOTE_ENDED && mote_grpc_decided(call))
        report_end(call, ev);
    else
        tell_end(call, ev); /* it may have come to its end just now */
    d->rest_len = 0;
    d->call = NULL;
    return d->ended != NULL;
}

static void defer_call(mote_grpc_call *call)
{
    mote_grpc_call_wait(call, MOTE_GRPC_FOR_ROOM); /* unless a send has said for what */
    call->wait = MOTE_GRPC_WAIT_DEFERRED;
}

void mote_grpc_defer(mote_grpc *g)
{
    mote_grpc_delivery *d = &g->delivery;
    mote_grpc_call *call = d->call;
    enum mote_grpc_event_type type = d->type;

    MOTE_CHECK_THAT(mote_grpc_valid(g));
    if (d->ended && !mote_grpc_serves(g)) {
        defer_call(d->ended);
        d->ended = NULL;
    }
    if (!call || type == MOTE_GRPC_NOTHING || type == MOTE_GRPC_METADATA)
        return;
    if (type == MOTE_GRPC_START)
        call->told = MOTE_GRPC_TOLD_FIELDS;
    else if (type == MOTE_GRPC_HALF_CLOSE)
        call->told = MOTE_GRPC_TOLD_STARTED;
    else if (type == MOTE_GRPC_WRITABLE)
        call->facts |= FACT_WRITABLE;
    else
        mote_grpc_message_keep(call);
    d->type = MOTE_GRPC_NOTHING;
    if (call->remote != MOTE_GRPC_REMOTE_OVER) /* otherwise the end is what comes next */
        defer_call(call);
}

void mote_grpc_conclude(mote_grpc *g)
{
    mote_grpc_delivery *d = &g->delivery;

    if (d->ended)
        mote_grpc_call_release(d->ended);
    d->ended = NULL;
    if (d->call && d->type != MOTE_GRPC_NOTHING)
        mote_grpc_message_done(d->call);
    d->type = MOTE_GRPC_NOTHING;
}

/* Whether a call whose turn it is has something to tell, or a status to send. */
static bool attend(mote_grpc_call *call)
{
    if (call->local == MOTE_GRPC_LOCAL_FREE)
        return false;
    if (call->wait != MOTE_GRPC_WAIT_NONE) {
        if (!mote_grpc_may_go_on(call) || mote_grpc_queues(call))
            return false;
        mote_grpc_wake(call);
    }
    bool turn = call->facts & (FACT_TURN | FACT_WRITABLE);
    call->facts &= (uint16_t)~FACT_TURN;
    return turn || call->remote == MOTE_GRPC_REMOTE_OVER;
}

/* Whether no call can go on: what they wait for is used up, or nobody waits for it. */
static bool in_vain(const mote_grpc *g)
{
    switch (g->scan_for) {
    case MOTE_GRPC_SCAN_ROOM:
        return g->waiting[MOTE_GRPC_FOR_ROOM] == 0 || !mote_h2_half_free(&g->h2);
    case MOTE_GRPC_SCAN_CONNECTION:
        return g->waiting[MOTE_GRPC_FOR_CONNECTION] == 0 || g->h2.send_window == 0;
    default:
        return false;
    }
}

/* Whether a call stays the next one, after a turn that it has used or not. */
static bool stays_next(const mote_grpc *g, mote_grpc_call *call, bool had_turn)
{
    if (!mote_grpc_serves(g))
        return false;
    if (had_turn && ++call->turns[1] < call->turns[0])
        return true;
    call->turns[1] = 0;
    return false;
}

MOTE_ROLES_APART bool mote_grpc_scan(mote_grpc *g)
{
    if (in_vain(g))
        g->scan_for = MOTE_GRPC_SCAN_OVER;
    while (g->scan_for != MOTE_GRPC_SCAN_OVER) {
        mote_grpc_call *call = &g->calls[g->scan];
        bool has_turn = attend(call);
        if (!stays_next(g, call, has_turn)) {
            g->scan = one_further(g, g->scan);
            if (g->scan == g->scan_stop)
                g->scan_for = MOTE_GRPC_SCAN_OVER;
        }
        if (has_turn) {
            g->delivery.call = call;
            return true;
        }
    }
    return false;
}
