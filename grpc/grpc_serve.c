/* A server's events go to the handlers of its methods. */
#include "grpc_internal.h"

/* Why a handler has failed: its layer has the words. */
static const char *method_error_text(const mote_grpc_method *method, int r)
{
    if (r > 0 || !MOTE_HAS_TEXTS)
        return NULL;
    if (r > -400)
        return mote_grpc_strerror(r);
    return method->strerror ? method->strerror(r) : NULL;
}

/* A message above a limit of this side fails whenever it is tried: RESOURCE_EXHAUSTED says so. */
static int method_error_code(int r)
{
    if (r > 0)
        return r;
    return r == MOTE_GRPC_ERR_LIMIT || r == MOTE_H2_ERR_TOO_LARGE ? MOTE_GRPC_RESOURCE_EXHAUSTED
                                                                  : MOTE_GRPC_INTERNAL;
}

MOTE_SMALL_APART void mote_grpc_dispatch(mote_grpc *g, const mote_grpc_event *ev)
{
    mote_grpc_call *call = ev->call;

    MOTE_CHECK_THAT(mote_grpc_serves(g));
    if (!call || !call->method)
        return;
    int r = call->method->handler(call, ev);
    if (r == MOTE_AGAIN)
        mote_grpc_defer(g);
    else if (r != 0)
        mote_grpc_call_end(call, method_error_code(r), method_error_text(call->method, r),
                           STREAM_STATUS);
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
