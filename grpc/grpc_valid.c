/* The invariants of a connection and of its calls (see the drawing in grpc.h), for MOTE_CHECK. */
#include "grpc_internal.h"

static bool call_valid(const mote_grpc_call *call)
{
    const mote_grpc *g = call->grpc;
    bool over = call->remote == MOTE_GRPC_REMOTE_OVER;
    bool ended = call->local == MOTE_GRPC_LOCAL_ENDED;

    if (call->stream && call->stream->user != call)
        return false;
    if (call->rx_pos > call->rx_len || call->rx_len > g->config->rx_size ||
        call->chunk_left > call->chunk_total || call->generation == 0)
        return false;
    if (mote_grpc_serves(g) && !g->config->door &&
        call->facts & (FACT_DOOR | FACT_READ | FACT_PACKED | FACT_TRAILING))
        return false;
    /* Only a client ends its own side before the end is decided. */
    if (ended && !over && mote_grpc_serves(g))
        return false;
    if ((mote_grpc_owes_headers(call) || mote_grpc_owes_status(call)) && !mote_grpc_serves(g))
        return false;
    if (mote_grpc_owes_status(call) && (!over || !call->stream))
        return false;
    /* What is decided neither sends nor receives. */
    if (mote_grpc_decided(call) && (!ended || call->stream))
        return false;
    return call->wait != MOTE_GRPC_WAIT_ROOM || !mote_grpc_decided(call);
}

static bool delivery_valid(const mote_grpc *g)
{
    const mote_grpc_delivery *d = &g->delivery;

    if ((d->where == MOTE_GRPC_NOWHERE) != (d->held == 0))
        return false;
    if (!d->call)
        return d->type == MOTE_GRPC_NOTHING && d->held == 0 && d->rest_len == 0;
    if (d->call->grpc != g || d->call->local == MOTE_GRPC_LOCAL_FREE)
        return false;
    return d->where != MOTE_GRPC_IN_BUFFER || d->held <= d->call->rx_pos;
}

/* A stream leads to no call but its own. */
static bool grpc_streams_valid(const mote_grpc *g)
{
    for (size_t i = 0; i < g->h2.stream_count; i++) {
        const mote_h2_stream *s = &g->h2.streams[i];
        const mote_grpc_call *call = s->user;
        if (s->id != 0 && call && call->stream != s)
            return false;
    }
    return true;
}

/* Among the slots that were used each one is a call, or waits to be one. */
static bool slots_valid(const mote_grpc *g)
{
    size_t n = g->active;

    for (const mote_grpc_call *call = g->free; call; call = call->next_free) {
        if (n++ >= g->reach || call < g->calls || call >= g->calls + g->reach ||
            call->local != MOTE_GRPC_LOCAL_FREE)
            return false;
    }
    return n == g->reach && g->reach <= g->config->max_calls;
}

/* Where a round is: at a slot that was used, or at the first. */
static bool round_valid(const mote_grpc *g, size_t at)
{
    return at < g->reach || at == 0;
}

bool mote_grpc_valid(const mote_grpc *g)
{
    size_t active = 0, ends = 0, waiting[MOTE_GRPC_OBSTACLES] = {0};

    if (!slots_valid(g))
        return false;
    for (size_t i = 0; i < g->reach; i++) {
        const mote_grpc_call *call = &g->calls[i];
        if (call->local == MOTE_GRPC_LOCAL_FREE)
            continue;
        if (call->grpc != g || !call_valid(call))
            return false;
        active++;
        waiting[call->obstacle] += call->wait != MOTE_GRPC_WAIT_NONE;
        ends += call->wait == MOTE_GRPC_WAIT_NONE && call->remote == MOTE_GRPC_REMOTE_OVER &&
                call != g->delivery.ended;
    }
    return active == g->active && waiting[0] == g->waiting[0] && waiting[1] == g->waiting[1] &&
           waiting[2] == g->waiting[2] && ends == g->ends && round_valid(g, g->scan) &&
           round_valid(g, g->scan_stop) && round_valid(g, g->next_end) && delivery_valid(g) &&
           grpc_streams_valid(g);
}

bool mote_grpc_sorted(const mote_grpc_config *c)
{
    for (size_t s = 0; s < c->service_count; s++) {
        const mote_grpc_service *service = &c->services[s];
        for (size_t m = 1; service->sorted && m < service->method_count; m++) {
            const char *a = service->methods[m - 1].name, *b = service->methods[m].name;
            while (*a == *b && *a != '\0') {
                a++;
                b++;
            }
            if ((uint8_t)*a >= (uint8_t)*b)
                return false;
        }
    }
    return true;
}
