/* Calls: slots, handles, and how they end. */
#include "grpc_internal.h"
#include "life.h"

#include <string.h>

/* The next slot that was not used, with its part of the memory behind that of the one before. */
static mote_grpc_call *extend_reach(mote_grpc *g)
{
    mote_grpc_call *call = &g->calls[g->reach];

    if (g->reach++ > 0 && MOTE_HAS_MANY_CALLS) {
        call->user = (uint8_t *)call[-1].user + mote_grpc_user_step(g->config);
        call->rx = call[-1].rx + mote_grpc_rx_step(g->config);
    }
    return call;
}

/* The slot that was free last, so that calls one at a time touch the memory of one. */
static mote_grpc_call *take_call_slot(mote_grpc *g)
{
    mote_grpc_call *call = g->free;

    if (!call)
        return extend_reach(g);
    g->free = call->next_free;
    return call;
}

static void give_call_slot(mote_grpc *g, mote_grpc_call *call)
{
    call->local = MOTE_GRPC_LOCAL_FREE;
    call->next_free = g->free;
    g->free = call;
    if (--g->active > 0)
        return;
    g->free = NULL;
    g->reach = g->next_end = g->scan = g->scan_stop = 0;
}

mote_grpc_call *mote_grpc_call_new(mote_grpc *g, mote_h2_stream *stream)
{
    /* A call can outlive its stream by a few events, so there may be none left; who opens a stream
     * has looked before. */
    if (mote_grpc_serves(g) && g->active >= mote_grpc_slots(g))
        return NULL;
    mote_grpc_call *call = take_call_slot(g);
    void *user = call->user;
    uint8_t *rx = call->rx;
    memset(call, 0, sizeof *call);
    call->user = user;
    call->rx = rx;
    call->grpc = g;
    call->stream = stream;
    call->local = mote_grpc_serves(g) ? MOTE_GRPC_LOCAL_HEADERS : MOTE_GRPC_LOCAL_OPEN;
    call->deadline_ms = UINT64_MAX;
    if (++g->generation == 0)
        g->generation = 1;
    call->generation = g->generation;
    if (g->config->user_size > 0)
        memset(user, 0, g->config->user_size);
    stream->user = call;
    if (g->config->counters)
        g->config->counters->calls_started++;
    g->active++;
    return call;
}

void mote_grpc_call_wait(mote_grpc_call *call, enum mote_grpc_obstacle obstacle)
{
    if (call->wait != MOTE_GRPC_WAIT_NONE)
        return;
    call->wait = MOTE_GRPC_WAIT_ROOM;
    call->obstacle = obstacle;
    call->grpc->waiting[obstacle]++;
}

bool mote_grpc_may_go_on(const mote_grpc_call *call)
{
    const mote_grpc *g = call->grpc;

    switch (call->obstacle) {
    case MOTE_GRPC_FOR_WINDOW:
        return call->stream && call->stream->send_window > 0;
    case MOTE_GRPC_FOR_CONNECTION:
        return g->h2.send_window > 0;
    default:
        return mote_h2_half_free(&g->h2);
    }
}

bool mote_grpc_queues(mote_grpc_call *call)
{
    mote_grpc *g = call->grpc;

    if (!mote_grpc_serves(g) || mote_h2_half_free(&g->h2))
        return false;
    g->waiting[call->obstacle]--;
    call->obstacle = MOTE_GRPC_FOR_ROOM;
    g->waiting[MOTE_GRPC_FOR_ROOM]++;
    return true;
}

void mote_grpc_call_unwait(mote_grpc_call *call)
{
    if (call->wait != MOTE_GRPC_WAIT_NONE)
        call->grpc->waiting[call->obstacle]--;
    call->wait = MOTE_GRPC_WAIT_NONE;
}

static void detach(mote_grpc_call *call)
{
    if (call->stream)
        call->stream->user = NULL;
    call->stream = NULL;
}

void mote_grpc_call_reset(mote_grpc_call *call, uint32_t wire_code)
{
    mote_h2_stream *stream = call->stream;

    detach(call);
    if (stream)
        mote_h2_reset(&call->grpc->h2, stream, wire_code);
}

void mote_grpc_call_release(mote_grpc_call *call)
{
    mote_grpc *g = call->grpc;

    mote_grpc_call_unwait(call);
    if (mote_grpc_came_by(call, FACT_DOOR) && g->config->door->ways->release)
        g->config->door->ways->release(call);
    if (g->config->counters)
        ++*(call->code == MOTE_GRPC_OK ? &g->config->counters->calls_succeeded
                                       : &g->config->counters->calls_failed);
    detach(call);
    give_call_slot(g, call);
    if (g->delivery.call == call) {
        g->delivery.call = NULL;
        g->delivery.rest_len = 0;
    }
}

bool mote_grpc_decided(const mote_grpc_call *call)
{
    return (call->remote == MOTE_GRPC_REMOTE_OVER && !mote_grpc_owes_status(call)) ||
           (call->remote == MOTE_GRPC_REMOTE_ENDED && !mote_grpc_serves(call->grpc));
}

static void end_local(mote_grpc_call *call, unsigned how)
{
    if (MOTE_MAY_SERVE && how == STREAM_STATUS) {
        call->local = call->local == MOTE_GRPC_LOCAL_HEADERS ? MOTE_GRPC_LOCAL_OWED_ALONE
                                                             : MOTE_GRPC_LOCAL_OWED;
        return;
    }
    call->local = MOTE_GRPC_LOCAL_ENDED;
    if (how == STREAM_GONE)
        detach(call);
    else
        mote_grpc_call_reset(call, how);
}

size_t mote_grpc_text_length(const char *text)
{
    size_t n = 0;

    while (text && text[n] != '\0')
        n++;
    return n;
}

void mote_grpc_call_end(mote_grpc_call *call, int code, const char *text, unsigned how)
{
    if (call->remote == MOTE_GRPC_REMOTE_OVER &&
        (!mote_grpc_owes_status(call) || how == STREAM_STATUS))
        return;
    call->code = (int16_t)code;
    call->text = text;
    call->text_len = (uint16_t)mote_grpc_text_length(text);
    if (call->remote != MOTE_GRPC_REMOTE_OVER || call->wait != MOTE_GRPC_WAIT_NONE)
        call->grpc->ends++;
    call->remote = MOTE_GRPC_REMOTE_OVER;
    end_local(call, how);
    mote_grpc_call_unwait(call);
}

void mote_grpc_call_fail(mote_grpc_call *call, int code, const char *text)
{
    mote_grpc_call_end(call, code, text,
                       mote_grpc_serves(call->grpc) ? STREAM_STATUS : MOTE_H2_CANCEL);
}

void mote_grpc_wake(mote_grpc_call *call)
{
    if (call->remote == MOTE_GRPC_REMOTE_OVER)
        call->grpc->ends++;
    else
        call->facts |= call->wait == MOTE_GRPC_WAIT_ROOM ? FACT_WRITABLE : FACT_TURN;
    mote_grpc_call_unwait(call);
}

void mote_grpc_scan_for(mote_grpc *g, enum mote_grpc_scan what)
{
    g->scan_for =
        g->scan_for == MOTE_GRPC_SCAN_OVER || g->scan_for == what ? what : MOTE_GRPC_SCAN_ALL;
    g->scan_stop = g->scan;
}

void mote_grpc_resume(mote_grpc_call *call)
{
    if (call->wait != MOTE_GRPC_WAIT_DEFERRED)
        return;
    MOTE_CHECK_THAT(mote_grpc_valid(call->grpc));
    mote_grpc_wake(call);
    mote_grpc_scan_for(call->grpc, MOTE_GRPC_SCAN_ALL);
}

void mote_grpc_set_weight(mote_grpc_call *call, uint8_t weight)
{
    MOTE_CHECK_THAT(mote_grpc_serves(call->grpc));
    call->turns[0] = weight;
}

void mote_grpc_take_over(mote_grpc_call *from, mote_grpc_call *ended, uint32_t generation)
{
    mote_grpc *g = from->grpc;
    void *user;
    uint8_t *rx;

    while (g->reach <= ended - g->calls)
        extend_reach(g)->local = MOTE_GRPC_LOCAL_FREE;
    user = ended->user;
    rx = ended->rx;
    MOTE_CHECK_THAT(from == ended || ended->local == MOTE_GRPC_LOCAL_FREE);
    if (from != ended) {
        *ended = *from;
        from->local = MOTE_GRPC_LOCAL_FREE;
        ended->user = user;
        ended->rx = rx;
        ended->stream->user = ended;
        if (g->config->user_size > 0)
            memset(user, 0, g->config->user_size);
    }
    ended->generation = generation;
    g->free = NULL;
    for (size_t i = g->reach; i-- > 0;) {
        if (g->calls[i].local != MOTE_GRPC_LOCAL_FREE)
            continue;
        g->calls[i].next_free = g->free;
        g->free = &g->calls[i];
    }
}

uint8_t *mote_grpc_spare_memory(const mote_grpc *g)
{
    return g->reach < mote_grpc_slots(g) ? g->calls->rx + g->reach * mote_grpc_rx_step(g->config)
                                         : NULL;
}

void *mote_grpc_context(const mote_grpc_call *call)
{
    return call->grpc->config->context;
}

size_t mote_grpc_active(const mote_grpc *g)
{
    return g->active;
}

mote_grpc_handle mote_grpc_handle_of(const mote_grpc_call *call)
{
    return (mote_grpc_handle){call->grpc, call->generation, (uint16_t)(call - call->grpc->calls)};
}

mote_grpc_call *mote_grpc_find(mote_grpc_handle handle)
{
    mote_grpc_call *call;

    if (!handle.grpc || handle.index >= handle.grpc->reach)
        return NULL;
    call = &handle.grpc->calls[handle.index];
    return call->generation == handle.generation && call->local != MOTE_GRPC_LOCAL_FREE ? call
                                                                                        : NULL;
}

size_t mote_grpc_running(const mote_grpc *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->reach; i++)
        n += g->calls[i].local != MOTE_GRPC_LOCAL_FREE && !mote_grpc_decided(&g->calls[i]);
    return n;
}
