/* How a channel gets a connection that takes calls: the drawing is in channel.h. */
#include "../../h2/mote_features.h"
#include "channel_internal.h"

#include <string.h>

enum { CONNECT_MS = 20000 }; /* connection-backoff.md, MIN_CONNECT_TIMEOUT */

uint32_t mote_channel_random(mote_channel *ch)
{
    if (ch->random == 0)
        ch->random = ch->io.random ? ch->io.random(ch->io.context) : (uint32_t)mote_channel_now(ch);
    ch->random = ch->random * 1664525u + 1013904223u;
    return ch->random;
}

/* A connection that takes no more calls, and has none, is ended as such: GOAWAY, and what the
 * transport says. */
static void leave_old(mote_channel *ch)
{
    if (!ch->open)
        return;
    mote_grpc_shutdown(&ch->grpc);
    mote_channel_write(ch);
    if (ch->io.close)
        ch->io.close(ch->io.context);
}

/* An attempt to connect. When the deadline of a call cuts it short, nothing is left of it but the
 * time of the next one. */
static int attempt(mote_channel *ch, uint64_t until_ms)
{
    uint64_t now = mote_channel_now(ch), limit = now + CONNECT_MS;

    mote_channel_set_state(ch, MOTE_CHANNEL_CONNECTING, "connecting");
    ch->waits_for = MOTE_WAITS_FOR_CONNECTION;
    leave_old(ch);
    ch->attempt_ms = now + mote_backoff_next(&ch->backoff, mote_channel_random(ch));
    ch->open = ch->io.connect(ch->io.context, until_ms < limit ? until_ms : limit) == 0;
    ch->read_ms = ch->row_ms = mote_channel_now(ch);
    if (!ch->open) {
        bool cut = ch->read_ms >= until_ms;
        mote_channel_set_state(ch, cut ? MOTE_CHANNEL_IDLE : MOTE_CHANNEL_TRANSIENT_FAILURE,
                               mote_channel_reason(ch, "no address could be reached"));
        return 0;
    }
    ch->write_ends = false;
    ch->in_pos = ch->in_len = 0;
    if (ch->life) {
        mote_grpc_life_end(ch->life, &ch->grpc, ch->read_ms);
        mote_grpc_life_begin(ch->life, ch->read_ms);
    }
    /* Whoever still has a call of the last connection sees that it is nowhere. */
    if (MOTE_HAS_MANY_CALLS)
        memset(ch->grpc.calls, 0, ch->config.max_calls * sizeof(mote_grpc_call));
    int r = mote_grpc_init(&ch->grpc, &ch->config, ch->memory, ch->memory_size);
    mote_grpc_tick(&ch->grpc, ch->read_ms);
    return r;
}

/* Open calls use the memory, so they end first; each keeps its status until it is finished. */
static int wait_for_calls(mote_channel *ch)
{
    if (mote_grpc_running(&ch->grpc) == 0)
        return MOTE_CHANNEL_ERR_GOAWAY;
    ch->waits_for = MOTE_WAITS_FOR_CALLS;
    return MOTE_AGAIN;
}

/* The next step towards READY: 0 (it is), an error, or MOTE_AGAIN: waits until *wait_ms. */
static int connect_step(mote_channel *ch, bool fails_fast, uint64_t until_ms, uint64_t *wait_ms)
{
    bool due = mote_channel_now(ch) >= ch->attempt_ms;

    *wait_ms = until_ms;
    switch (ch->state) {
    case MOTE_CHANNEL_READY:
        return 0;
    case MOTE_CHANNEL_SHUTDOWN:
        return MOTE_CHANNEL_ERR_SHUTDOWN;
    case MOTE_CHANNEL_CONNECTING:
        ch->waits_for = MOTE_WAITS_FOR_SETTINGS;
        return MOTE_AGAIN;
    case MOTE_CHANNEL_TRANSIENT_FAILURE:
        if (fails_fast)
            return MOTE_CHANNEL_ERR_CONNECT;
        break;
    case MOTE_CHANNEL_IDLE:
        break;
    }
    if (mote_grpc_active(&ch->grpc) > 0)
        return wait_for_calls(ch);
    if (!due) {
        ch->waits_for = MOTE_WAITS_FOR_ATTEMPT;
        *wait_ms = ch->attempt_ms < until_ms ? ch->attempt_ms : until_ms;
        return MOTE_AGAIN;
    }
    *wait_ms = 0;
    int r = attempt(ch, until_ms);
    return r < 0 ? r : MOTE_AGAIN;
}

int mote_channel_connect(mote_channel *ch, bool wait_for_ready, uint64_t until_ms)
{
    bool tried = false;

    for (;;) {
        bool failing = ch->state == MOTE_CHANNEL_TRANSIENT_FAILURE;
        bool early = failing && mote_channel_now(ch) < ch->attempt_ms;
        uint64_t wait_ms;
        int r = connect_step(ch, !wait_for_ready && (tried || early), until_ms, &wait_ms);
        if (r != MOTE_AGAIN)
            return r;
        if (wait_ms == 0)
            tried = true;
        if (mote_channel_now(ch) >= until_ms && ch->state != MOTE_CHANNEL_READY)
            return MOTE_CHANNEL_ERR_DEADLINE;
        if (wait_ms > 0) {
            mote_channel_turn(ch, wait_ms);
            mote_channel_park(ch);
        }
    }
}

int mote_channel_step(mote_channel *ch, bool wait_for_ready, uint32_t timeout_ms)
{
    uint64_t now = mote_channel_now(ch), wait_ms;
    int r = connect_step(ch, !wait_for_ready && now < ch->attempt_ms, now + timeout_ms, &wait_ms);

    if (r == MOTE_AGAIN && wait_ms > 0) {
        mote_channel_turn(ch, wait_ms);
        mote_channel_park(ch);
    }
    return r;
}
