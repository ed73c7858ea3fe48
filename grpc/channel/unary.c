/* Unary calls, made once; retry.c makes them again. */
#include "channel_internal.h"

/* Of the call that begins, or of the one that has ended. */
static void note_call(mote_channel *ch, bool committed, bool unseen, int32_t pushback_ms)
{
    ch->committed = committed;
    ch->unseen = unseen;
    ch->pushback_ms = pushback_ms;
}

/* An error of the request: the next time it is the same, whatever a policy says of its code. */
static bool is_ours(int error)
{
    return mote_status_of_error(error).code != MOTE_GRPC_UNAVAILABLE;
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
    if (r < 0) {
        note_call(ch, is_ours(r), false, MOTE_GRPC_NO_PUSHBACK);
        return mote_channel_status(ch, r);
    }
    at->began = at->written; /* nothing of the call has left so far */
    r = mote_channel_send(call, source, message, MOTE_GRPC_LAST | MOTE_CHANNEL_MORE);
    bool refused = r < 0 && r != MOTE_GRPC_ERR_STATE && mote_h2_error(&at->grpc.h2) == 0;
    mote_status status = mote_channel_collect(call, response, len);
    note_call(ch, at->committed || refused, at->unseen, at->pushback_ms);
    return status;
}

/* Whether the last call met a connection that takes calls, and was refused there. */
static bool is_refused(const mote_channel *ch)
{
    return ch->state == MOTE_CHANNEL_READY || (ch->spare && ch->spare->state == MOTE_CHANNEL_READY);
}

int mote_channel_pace(mote_channel *ch, unsigned unseen, mote_backoff *pace, uint64_t until_ms)
{
    if (unseen == 1 || !is_refused(ch))
        return 0;
    uint64_t next_ms = mote_channel_now(ch) + mote_backoff_next(pace, mote_channel_random(ch));
    mote_channel_pause(ch, next_ms < until_ms ? next_ms : until_ms);
    ch->waits_for = MOTE_WAITS_FOR_STREAM;
    return next_ms < until_ms ? 0 : MOTE_CHANNEL_ERR_DEADLINE;
}

/* A call that no server has seen is made again once, as all of gRPC does (A6, transparent retries):
 * where the time lasts until the next attempt to connect. Who waits for ready does so until then,
 * from the second time on as connections are made again, since a server may refuse each.
 */
static bool makes_again(const mote_channel *ch, const mote_grpc_request *request, uint64_t until_ms,
                        unsigned made)
{
    return ch->unseen && (request->wait_for_ready || (made == 1 && ch->attempt_ms < until_ms));
}

mote_status mote_channel_unary(mote_channel *ch, const mote_grpc_request *request,
                               const mote_grpc_source *source, const void *message,
                               const uint8_t **response, size_t *len)
{
    uint64_t until_ms = mote_channel_until(ch, request->timeout_ms);
    mote_backoff pace = {0};
    mote_status status;
    unsigned made = 0;
    int r;

    if (ch->unary)
        return ch->unary(ch, request, source, message, response, len);
    do {
        status = mote_channel_unary_once(ch, request, until_ms, source, message, response, len);
        if (!makes_again(ch, request, until_ms, ++made))
            return status;
        r = mote_channel_pace(ch, made, &pace, until_ms);
    } while (r == 0);
    return mote_channel_status(ch, r);
}
