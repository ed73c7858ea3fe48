/* Unary calls, made once; retry.c makes them again. */
#include "channel_internal.h"

/* Of the call that begins, or of the one that has ended. */
static void note_call(mote_channel *ch, bool committed, bool unseen, int32_t pushback_ms)
{
    ch->committed = committed;
    ch->unseen = unseen;
    ch->pushback_ms = pushback_ms;
}

mote_status mote_channel_unary_once(mote_channel *ch, const mote_grpc_request *request,
                                    uint64_t until_ms, const mote_grpc_source *source,
                                    const void *message, const uint8_t **response, size_t *len)
{
    mote_channel *at = ch;
    mote_grpc_call *call;

    note_call(ch, false, false, MOTE_GRPC_NO_PUSHBACK);
    if (ch->spare)
        note_call(ch->spare, false, false, MOTE_GRPC_NO_PUSHBACK);
    *response = NULL;
    *len = 0;
    int r = mote_channel_begin(&at, request, until_ms, &call);
    if (r < 0)
        return mote_channel_status(ch, r);
    at->spoke = false; /* nothing of the call has left so far */
    r = mote_channel_send(call, source, message, MOTE_GRPC_LAST | MOTE_CHANNEL_MORE);
    if (r < 0 && !mote_grpc_decided(call) && mote_h2_error(&at->grpc.h2) == 0) {
        mote_channel_cancel(call); /* the message cannot be encoded */
        mote_channel_finish(call);
        return r > -400 || r <= MOTE_CHANNEL_ERR_DEADLINE
                   ? mote_channel_status(at, r)
                   : mote_status_of(MOTE_GRPC_INTERNAL, source->strerror(r));
    }
    mote_status status = mote_channel_collect(call, response, len);
    note_call(ch, at->committed, at->unseen, at->pushback_ms);
    return status;
}

/* A call that no server has seen is made again once, as all of gRPC does (A6, transparent retries):
 * where the time lasts until the next attempt to connect. Who waits for ready does so until then.
 */
static bool makes_again(mote_channel *ch, const mote_grpc_request *request, uint64_t until_ms,
                        bool first)
{
    if (!ch->unseen)
        return false;
    return request->wait_for_ready ? mote_channel_now(ch) < until_ms
                                   : first && ch->attempt_ms < until_ms;
}

mote_status mote_channel_unary(mote_channel *ch, const mote_grpc_request *request,
                               const mote_grpc_source *source, const void *message,
                               const uint8_t **response, size_t *len)
{
    uint64_t until_ms = mote_channel_until(ch, request->timeout_ms);
    mote_status status;
    unsigned made = 0;

    if (ch->unary)
        return ch->unary(ch, request, source, message, response, len);
    do
        status = mote_channel_unary_once(ch, request, until_ms, source, message, response, len);
    while (makes_again(ch, request, until_ms, ++made == 1));
    return status;
}
