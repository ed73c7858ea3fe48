/* Connections that rest: see rest.h. mote_grpc_lend() is beside mote_grpc_init(). */
#include "rest.h"
#include "../h2/rest.h"
#include "grpc_internal.h"

bool mote_grpc_at_rest(const mote_grpc *g)
{
    return g->active == 0 && !g->delivery.call && !g->delivery.ended && mote_h2_at_rest(&g->h2);
}

size_t mote_grpc_rest_size(const mote_grpc *g)
{
    return mote_h2_rest_size(&g->h2);
}

void mote_grpc_rest(mote_grpc *g, void *kept)
{
    MOTE_CHECK_THAT(mote_grpc_valid(g) && mote_grpc_at_rest(g));
    mote_h2_rest(&g->h2, kept);
    g->calls = NULL;
}
