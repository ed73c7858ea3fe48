/* Calls that block: each waits for what it needs, until its deadline. */
#include "../../h2/mote_features.h"
#include "channel_internal.h"

#include <string.h>

static mote_channel *channel_of(const mote_grpc_call *call)
{
    return (mote_channel *)call->grpc; /* its first member */
}

/* Wrong use that must not wait for ever: it did not start, or has ended and is forgotten. */
static bool is_gone(const mote_grpc_call *call)
{
    return !call || call->local == MOTE_GRPC_LOCAL_FREE;
}

/* Not even a channel: the call did not start, or its memory was prepared anew since. */
static bool is_nowhere(const mote_grpc_call *call)
{
    return !call || !call->grpc;
}

static uint64_t deadline_of(const mote_grpc_call *call)
{
    uint64_t left = mote_grpc_time_left(call);

    return left == UINT64_MAX ? MOTE_CHANNEL_FOREVER : call->grpc->now_ms + left;
}

/* ---- starting ------------------------------------------------------------------------------ */

/* One turn, after which a call that could not be started may be: MOTE_AGAIN, or an error. */
static int wait_to_start(mote_channel *ch, uint64_t until_ms)
{
    ch->waits_for = mote_h2_can_open(&ch->grpc.h2) ? MOTE_WAITS_FOR_ROOM : MOTE_WAITS_FOR_STREAM;
    if (mote_channel_now(ch) >= until_ms)
        return MOTE_CHANNEL_ERR_DEADLINE;
    mote_channel_turn(ch, until_ms);
    mote_channel_park(ch);
    return MOTE_AGAIN;
}

/* 0: started; MOTE_AGAIN: not now; MOTE_H2_ERR_GOAWAY: not on this connection; or an error. In a
 * frame of its own, so that no request lies below a wait. */
static MOTE_APART int try_start(mote_channel *ch, const mote_grpc_request *request,
                                uint64_t until_ms, mote_grpc_call **call)
{
    mote_grpc_request one = *request;

    if (mote_grpc_active(&ch->grpc) >= ch->config.max_calls)
        return MOTE_CHANNEL_ERR_CALLS;
    mote_grpc_tick(&ch->grpc, ch->read_ms);
    if (until_ms != MOTE_CHANNEL_FOREVER) /* what is left: the server is told of no more */
        one.timeout_ms = until_ms > ch->read_ms ? (uint32_t)(until_ms - ch->read_ms) : 1;
    int r = mote_grpc_start(&ch->grpc, &one, call);
    if (r == MOTE_H2_ERR_GOAWAY && ch->io.connect)
        mote_channel_lose(ch, "the server takes no more calls on this connection");
    return r;
}

/* What the socket already holds, all of it: GOAWAY, the end. A server that says more and more is
 * not waited for. */
static void catch_up(mote_channel *ch)
{
    uint64_t until_ms = mote_channel_now(ch) + MOTE_CHANNEL_CATCH_UP_MS;

    mote_channel_park(ch); /* the call that has ended last gives back its place */
    do {
        mote_channel_turn(ch, 0);
        mote_channel_park(ch);
    } while (ch->open && ch->in_len > 0 && mote_channel_now(ch) < until_ms);
}

/* The channel for a new call: what is READY, or else may connect. */
static mote_channel *pick(mote_channel *ch)
{
    mote_channel *spare = ch->spare;

    if (!spare)
        return ch;
    spare->beside = ch;
    catch_up(spare);
    if (ch->state == MOTE_CHANNEL_READY || ch->state == MOTE_CHANNEL_SHUTDOWN)
        return ch;
    return spare->state == MOTE_CHANNEL_READY || mote_grpc_active(&ch->grpc) > 0 ? spare : ch;
}

int mote_channel_begin(mote_channel **ch, const mote_grpc_request *request, uint64_t until_ms,
                       mote_grpc_call **call)
{
    mote_channel *own = *ch;
    int r = MOTE_AGAIN;

    *call = NULL;
    catch_up(own);
    while (r == MOTE_AGAIN) {
        *ch = pick(own);
        r = mote_channel_connect(*ch, request->wait_for_ready, until_ms);
        if (r == 0)
            r = try_start(*ch, request, until_ms, call);
        if (r == MOTE_AGAIN)
            r = wait_to_start(*ch, until_ms);
        else if (r == MOTE_H2_ERR_GOAWAY && (*ch)->io.connect)
            r = MOTE_AGAIN; /* on the next one */
    }
    if (r < 0) { /* the status of this channel says what that one has waited for */
        own->waits_for = (*ch)->waits_for;
        if (own != *ch)
            own->why = (*ch)->why;
    }
    return r;
}

int mote_channel_start(mote_channel *ch, const mote_grpc_request *request, mote_grpc_call **call)
{
    uint64_t until_ms = mote_channel_until(ch, request->timeout_ms);
    int r = mote_channel_begin(&ch, request, until_ms, call);

    if (r == 0 && ch->replayer)
        ch->replayer->started(ch, *call, request, until_ms);
    if (r == 0 && !request->more)
        mote_channel_write(ch);
    return r;
}

int mote_channel_offer(mote_channel *ch, const mote_grpc_request *request, mote_grpc_call **call)
{
    mote_grpc_request one = *request;

    if (ch->state != MOTE_CHANNEL_READY || mote_grpc_active(&ch->grpc) >= ch->config.max_calls)
        return MOTE_AGAIN;
    mote_grpc_tick(&ch->grpc, ch->read_ms);
    if (one.timeout_ms > 0) /* for the engine, whose time is that of the last read */
        one.timeout_ms += (uint32_t)(mote_channel_now(ch) - ch->read_ms);
    int r = mote_grpc_start(&ch->grpc, &one, call);
    if (r == MOTE_H2_ERR_GOAWAY) {
        mote_channel_lose(ch, "the server takes no more calls on this connection");
        r = MOTE_AGAIN;
    }
    return r;
}

/* ---- waiting ------------------------------------------------------------------------------- */

/* Whoever waits for an answer: a server that has not heard all of the request owes none yet. */
static enum mote_channel_wait wait_for_answer(mote_channel *ch)
{
    size_t len;

    return mote_grpc_peek(&ch->grpc, &len) ? MOTE_WAITS_FOR_ROOM : MOTE_WAITS_FOR_SERVER;
}

/* One turn for a call, after all that has arrived was looked at. It ends at its deadline. */
static void wait_on(mote_grpc_call *call, enum mote_channel_wait waits_for, uint64_t until_ms)
{
    mote_channel *ch = channel_of(call);
    uint64_t deadline_ms = deadline_of(call);

    ch->waits_for = waits_for;
    if (ch->read_ms >= deadline_ms && !mote_grpc_decided(call))
        mote_grpc_abandon(call, MOTE_GRPC_DEADLINE_EXCEEDED, mote_channel_wait_text(waits_for));
    else
        mote_channel_turn(ch, until_ms < deadline_ms ? until_ms : deadline_ms);
}

/* Whether a call whose end is *ev, or (NULL) waits to be told, goes on, as it was made again. */
static bool goes_on(mote_grpc_call *call, mote_grpc_event *ev)
{
    mote_channel *ch = channel_of(call);

    return ch->replayer && ch->replayer->again(ch, call, ev);
}

/* Waits until an action that was "not now" may go on. */
static int wait_to_send(mote_grpc_call *call)
{
    mote_channel *ch = channel_of(call);
    size_t len;

    mote_channel_write(ch);
    wait_on(call, mote_grpc_peek(&ch->grpc, &len) ? MOTE_WAITS_FOR_ROOM : MOTE_WAITS_FOR_WINDOW,
            MOTE_CHANNEL_FOREVER);
    mote_channel_park(ch);
    return mote_grpc_decided(call) ? MOTE_GRPC_ERR_STATE : 0;
}

static void note_sent(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                      unsigned flags)
{
    mote_channel *ch = channel_of(call);

    if (ch->replayer)
        ch->replayer->sent(ch, call, source, message, flags);
}

/* ---- sending ------------------------------------------------------------------------------- */

/* Compresses a message into *packed: 1; 0: it goes as it is; or an error. */
static int pack_message(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                        unsigned flags, mote_grpc_bytes *packed)
{
    const mote_channel *ch = channel_of(call);

    if (!MOTE_COMPRESSES || call->tx_codec == 0 ||
        flags & (MOTE_CHANNEL_PLAIN | MOTE_GRPC_COMPRESSED))
        return 0;
    if (!ch->packing)
        return mote_grpc_decided(call) ? 0 : MOTE_CHANNEL_ERR_PACKING;
    int r = mote_grpc_compress(call, source, message, ch->packing, ch->packing_size, packed);
    return r == 0 ? 1 : r == MOTE_GRPC_ERR_SPACE ? 0 : r;
}

static int send_message(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                        unsigned flags)
{
    int r;

    do {
        while ((r = mote_grpc_send(call, source, message, flags)) == MOTE_AGAIN) {
            if ((r = wait_to_send(call)) < 0)
                break;
        }
    } while (r == MOTE_GRPC_ERR_STATE && mote_grpc_decided(call) && goes_on(call, NULL));
    return r;
}

int mote_channel_send(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                      unsigned flags)
{
    unsigned engine_flags = flags & ~(unsigned)(MOTE_CHANNEL_MORE | MOTE_CHANNEL_PLAIN);
    const mote_grpc_source *sent = source;
    mote_grpc_bytes packed;

    if (is_gone(call))
        return MOTE_CHANNEL_ERR_NO_CALL;
    int r = pack_message(call, source, message, flags, &packed);
    if (r > 0) {
        sent = &mote_grpc_bytes_source;
        message = &packed;
        engine_flags |= MOTE_GRPC_COMPRESSED;
    }
    if (r >= 0)
        r = send_message(call, sent, message, engine_flags);
    if (r >= 0)
        note_sent(call, sent, message, engine_flags);
    if (r < 0 ? mote_channel_refuse(call, source, r) : !(flags & MOTE_CHANNEL_MORE))
        mote_channel_write(channel_of(call));
    return r;
}

/* So that unary calls and the like leave as one piece, this writes nothing. */
static int half_close(mote_grpc_call *call)
{
    int r;

    do {
        while ((r = mote_grpc_half_close(call)) == MOTE_AGAIN) {
            if ((r = wait_to_send(call)) < 0)
                break;
        }
    } while (r == MOTE_GRPC_ERR_STATE && mote_grpc_decided(call) && goes_on(call, NULL));
    if (r == 0)
        note_sent(call, NULL, NULL, MOTE_GRPC_LAST);
    return r;
}

int mote_channel_half_close(mote_grpc_call *call)
{
    if (is_gone(call))
        return MOTE_CHANNEL_ERR_NO_CALL;
    int r = half_close(call);
    mote_channel_write(channel_of(call));
    return r;
}

void mote_channel_cancel(mote_grpc_call *call)
{
    if (is_gone(call))
        return;
    mote_grpc_cancel(call);
    mote_channel_write(channel_of(call));
}

/* ---- receiving ----------------------------------------------------------------------------- */

static void make_status(mote_status s, mote_grpc_event *ev)
{
    memset(ev, 0, sizeof *ev);
    ev->type = MOTE_GRPC_STATUS;
    ev->code = s.code;
    ev->message = s.message;
    ev->message_len = s.message_len;
}

/* A server that ends a call at its deadline says CANCEL, or DEADLINE_EXCEEDED without a text, which
 * may arrive before our clock is looked at again: it is the deadline all the same. */
static void name_deadline(mote_grpc_event *ev)
{
    static const char text[] = "deadline exceeded";
    mote_grpc_call *call = ev->call;
    uint64_t left = call ? mote_grpc_time_left(call) : UINT64_MAX;
    bool mute = MOTE_HAS_TEXTS && ev->code == MOTE_GRPC_DEADLINE_EXCEEDED && ev->message_len == 0;

    if ((ev->code != MOTE_GRPC_CANCELLED && !mute) || left == UINT64_MAX ||
        mote_channel_now(channel_of(call)) < call->grpc->now_ms + left)
        return;
    ev->code = MOTE_GRPC_DEADLINE_EXCEEDED;
    ev->message = text;
    ev->message_len = sizeof text - 1;
}

/* What ended the transport says more than that it has ended, and the deadline more than a reset;
 * and resets leave. */
static void on_status(mote_channel *ch, mote_grpc_event *ev)
{
    const char *text = ch->io.error ? ch->io.error(ch->io.context) : NULL;

    mote_channel_write(ch);
    name_deadline(ev);
    if (text && *text && ev->message == mote_h2_error_text(&ch->grpc.h2) &&
        mote_h2_error(&ch->grpc.h2) == MOTE_H2_ERR_CLOSED) {
        ev->message = text;
        for (ev->message_len = 0; text[ev->message_len] != '\0';)
            ev->message_len++;
    }
}

/* The end of a call that has no end of its own. */
static int tell_gone(mote_grpc_call *call, mote_grpc_event *ev)
{
    make_status(mote_status_of_error(MOTE_CHANNEL_ERR_NO_CALL), ev);
    if (!is_nowhere(call))
        goes_on(call, ev); /* never; but why it could not be made again is told */
    return 1;
}

static int await_event(mote_grpc_call *call, mote_grpc_event *ev, uint64_t until_ms)
{
    mote_channel *ch = channel_of(call);
    bool looked = false;
    int r;

    mote_grpc_resume(call);
    while ((r = mote_channel_take(ch, call, ev)) == 0) {
        if (is_gone(call))
            return tell_gone(call, ev);
        if (looked && ch->read_ms >= until_ms)
            return 0;
        wait_on(call, wait_for_answer(ch), until_ms);
        looked = true;
    }
    if (r < 0) /* every call was told that the connection is over; this one had ended before */
        make_status(mote_status_of(MOTE_GRPC_UNAVAILABLE, mote_h2_error_text(&ch->grpc.h2)), ev);
    if (ev->type == MOTE_GRPC_STATUS)
        on_status(ch, ev);
    return 1;
}

int mote_channel_recv(mote_grpc_call *call, mote_grpc_event *ev)
{
    if (is_nowhere(call))
        return tell_gone(call, ev);
    do
        await_event(call, ev, MOTE_CHANNEL_FOREVER);
    while (ev->type == MOTE_GRPC_STATUS && goes_on(call, ev));
    return 1;
}

int mote_channel_recv_within(mote_grpc_call *call, mote_grpc_event *ev, uint32_t timeout_ms)
{
    return is_nowhere(call)
               ? tell_gone(call, ev)
               : await_event(call, ev, mote_channel_now(channel_of(call)) + timeout_ms);
}

/* Ends calls whose deadline has come; the earliest of the others, or `until_ms`. */
static uint64_t end_late_calls(mote_channel *ch, uint64_t until_ms)
{
    for (size_t i = 0; i < ch->grpc.reach; i++) {
        mote_grpc_call *call = &ch->grpc.calls[i];
        if (call->local == MOTE_GRPC_LOCAL_FREE || mote_grpc_decided(call))
            continue;
        uint64_t deadline_ms = deadline_of(call);
        if (ch->read_ms >= deadline_ms)
            mote_grpc_abandon(call, MOTE_GRPC_DEADLINE_EXCEEDED,
                              mote_channel_wait_text(wait_for_answer(ch)));
        else if (deadline_ms < until_ms)
            until_ms = deadline_ms;
    }
    return until_ms;
}

int mote_channel_next(mote_channel *ch, mote_grpc_event *ev, uint32_t timeout_ms)
{
    uint64_t until_ms = mote_channel_now(ch) + timeout_ms;
    bool looked = false;
    int r;

    for (size_t i = 0; i < ch->grpc.reach; i++) {
        if (ch->grpc.calls[i].local != MOTE_GRPC_LOCAL_FREE)
            mote_grpc_resume(&ch->grpc.calls[i]);
    }
    while ((r = mote_channel_take(ch, NULL, ev)) == 0 && (!looked || ch->read_ms < until_ms)) {
        mote_channel_turn(ch, end_late_calls(ch, until_ms));
        looked = true;
    }
    if (r > 0 && ev->type == MOTE_GRPC_STATUS)
        on_status(ch, ev);
    return r;
}

int mote_channel_advance(mote_channel *ch, mote_grpc_event *ev, uint32_t timeout_ms)
{
    int r = mote_channel_take(ch, NULL, ev);

    if (r == 0) {
        mote_channel_turn(ch, end_late_calls(ch, mote_channel_now(ch) + timeout_ms));
        if (ch->in_len == 0)
            mote_channel_turn(ch, 0); /* it has waited: what has come, and what time it is */
        r = mote_channel_take(ch, NULL, ev);
    }
    if (r < 0)
        mote_channel_turn(ch, 0); /* last words leave */
    if (r > 0 && ev->type == MOTE_GRPC_STATUS)
        on_status(ch, ev);
    return r;
}

/* Whether what has come of the response is no message that waits whole in the buffer for its
 * status: the server may wait for room in turn. */
static bool must_be_read(const mote_grpc_call *call)
{
    enum { PREFIX = 5 };
    const uint8_t *p = call->rx + call->rx_pos;
    uint32_t have = call->rx_len - call->rx_pos;

    if (have < PREFIX)
        return false;
    uint32_t len = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    return p[0] > 1 || (p[0] == 1 && call->rx_codec == 0) || have - PREFIX > len ||
           len > call->grpc->config->rx_size - PREFIX;
}

/* The message is brought back to the call's buffer until the status is there as well, so that a
 * view of it outlives the input. */
mote_status mote_channel_collect(mote_grpc_call *call, const uint8_t **response, size_t *len)
{
    mote_grpc_event ev;

    *response = NULL;
    *len = 0;
    if (is_gone(call))
        return mote_status_of_error(MOTE_CHANNEL_ERR_NO_CALL);
    mote_channel *ch = channel_of(call);
    do {
        int r = 0;
        half_close(call); /* unless its last message has done so, or it is over */
        while (r == 0 && !mote_grpc_decided(call) && !must_be_read(call)) {
            r = mote_channel_park(ch);
            if (r == 0 && !mote_grpc_decided(call) && !must_be_read(call))
                wait_on(call, wait_for_answer(ch), MOTE_CHANNEL_FOREVER);
        }
    } while (goes_on(call, NULL));
    size_t count = 0;
    while (mote_channel_recv(call, &ev), ev.type != MOTE_GRPC_STATUS) {
        if (ev.type == MOTE_GRPC_MESSAGE) {
            *response = ev.data;
            *len = ev.len;
            count++;
        }
    }
    if (ev.code == MOTE_GRPC_OK && count != 1)
        return mote_status_of(MOTE_GRPC_UNIMPLEMENTED, "not one response");
    return mote_status_of_event(&ev);
}

mote_status mote_channel_finish(mote_grpc_call *call)
{
    mote_grpc_event ev;

    do {
        mote_channel_recv(call, &ev);
    } while (ev.type != MOTE_GRPC_STATUS);
    return mote_status_of_event(&ev);
}
