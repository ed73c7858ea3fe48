/* Messages larger than the receive buffer, piece by piece as they come. */
#include "grpc_internal.h"

static void begin_chunks(mote_grpc_call *call, uint32_t len, enum mote_grpc_where where)
{
    call->chunk_total = call->chunk_left = len;
    mote_grpc_pass(call, PREFIX_SIZE, where);
    mote_grpc_give_back(call, PREFIX_SIZE);
}

static bool next_chunk(mote_grpc_call *call, mote_grpc_event *ev, const uint8_t *p, size_t have,
                       enum mote_grpc_where where)
{
    ev->type = MOTE_GRPC_CHUNK;
    ev->data = p;
    ev->len = have < call->chunk_left ? have : call->chunk_left;
    ev->offset = call->chunk_total - call->chunk_left;
    ev->total = call->chunk_total;
    if (!mote_grpc_hold(call, ev->len, where))
        return false;
    call->chunk_left -= (uint32_t)ev->len;
    return true;
}

const mote_grpc_chunking mote_grpc_chunks = {begin_chunks, next_chunk};
