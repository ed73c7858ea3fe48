/* Calls: slots, and how they end. */
#include "grpc_internal.h"

#include <string.h>

mote_grpc_call *mote_grpc_call_new(mote_grpc *g, mote_h2_stream *stream)
{
    mote_grpc_call *call = NULL;
    size_t first = (size_t)(stream - g->h2.streams);

    /* A call can outlive its stream by a few events, so its slot may still be taken. */
    for (size_t i = 0; i < g->config->max_calls && !call; i++) {
        mote_grpc_call *candidate = &g->calls[(first + i) % g->config->max_calls];
        if (candidate->flags == 0)
            call = candidate;
    }
    if (!call)
        return NULL;
    void *user = call->user;
    uint8_t *rx = call->rx;
    memset(call, 0, sizeof *call);
    call->user = user;
    call->rx = rx;
    call->grpc = g;
    call->stream = stream;
    call->flags = CALL_ACTIVE;
    call->deadline_ms = UINT64_MAX;
    if (g->config->user_size > 0)
        memset(user, 0, g->config->user_size);
    stream->user = call;
    if (g->config->counters)
        g->config->counters->calls_started++;
    g->active++;
    return call;
}

void mote_grpc_call_wait(mote_grpc_call *call)
{
    if (!(call->flags & CALL_WAITING))
        call->grpc->waiting++;
    call->flags |= CALL_WAITING;
}

void mote_grpc_call_unwait(mote_grpc_call *call)
{
    if (call->flags & CALL_WAITING)
        call->grpc->waiting--;
    call->flags &= (uint16_t)~CALL_WAITING;
}

void mote_grpc_call_reset(mote_grpc_call *call, uint32_t wire_code)
{
    if (!call->stream)
        return;
    call->stream->user = NULL;
    mote_h2_reset(&call->grpc->h2, call->stream, wire_code);
    call->stream = NULL;
}

void mote_grpc_call_release(mote_grpc_call *call)
{
    mote_grpc *g = call->grpc;

    if (call->flags == 0)
        return;
    mote_grpc_call_unwait(call);
    if (g->config->counters && call->code == MOTE_GRPC_OK)
        g->config->counters->calls_succeeded++;
    else if (g->config->counters)
        g->config->counters->calls_failed++;
    if (call->stream)
        call->stream->user = NULL;
    call->stream = NULL;
    call->flags = 0;
    call->pending = 0;
    g->active--;
    if (g->current == call) {
        g->current = NULL;
        g->rest_len = 0;
    }
}

void mote_grpc_call_end(mote_grpc_call *call, int code, const char *text)
{
    if ((call->pending & PENDING_END) || !(call->flags & CALL_ACTIVE))
        return;
    call->code = (int16_t)code;
    call->text = text;
    call->text_len = 0;
    while (text && text[call->text_len] != '\0')
        call->text_len++;
    call->flags = (uint16_t)((call->flags | CALL_DROP | CALL_LOCAL_END | CALL_REMOTE_END) &
                             ~(CALL_DEFERRED | CALL_STATUS_OWED));
    call->pending = PENDING_END;
    mote_grpc_call_unwait(call);
    call->grpc->scan_left = call->grpc->config->max_calls;
}

void mote_grpc_resume(mote_grpc_call *call)
{
    if (call->flags & CALL_DEFERRED) {
        mote_grpc_call_wait(call);
        call->grpc->scan_left = call->grpc->config->max_calls;
    }
}

void *mote_grpc_context(const mote_grpc_call *call)
{
    return call->grpc->config->context;
}

uint64_t mote_grpc_time_left(const mote_grpc_call *call)
{
    uint64_t now = call->grpc->now_ms;

    if (call->deadline_ms == UINT64_MAX)
        return UINT64_MAX;
    return call->deadline_ms > now ? call->deadline_ms - now : 0;
}

uint32_t mote_grpc_timeout_for(const mote_grpc_call *call)
{
    uint64_t left = mote_grpc_time_left(call);

    if (left == UINT64_MAX)
        return 0;
    if (left == 0)
        return 1;
    return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

size_t mote_grpc_active(const mote_grpc *g)
{
    return g->active;
}
