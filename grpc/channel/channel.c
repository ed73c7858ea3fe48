/* The blocking client's loop: it writes, reads, and lets time pass, until a call has an event. */
#include "../../h2/mote_features.h"
#include "channel_internal.h"

#include <string.h>

enum { ASIDE_MS = 1000 }; /* at the connection that nobody waits for */

int mote_channel_init(mote_channel *ch, const mote_grpc_config *config, void *memory,
                      size_t memory_size, void *in, size_t in_size, mote_io io)
{
    memset(ch, 0, sizeof *ch);
    ch->io = io;
    ch->config = *config;
    ch->in = in;
    ch->in_size = in_size;
    ch->memory = memory;
    ch->memory_size = memory_size;
    ch->open = io.connect == NULL;
    ch->state = ch->open ? MOTE_CHANNEL_CONNECTING : MOTE_CHANNEL_IDLE;
    ch->why = "";
    ch->read_ms = ch->row_ms = mote_channel_now(ch);
    return mote_grpc_init(&ch->grpc, &ch->config, memory, memory_size);
}

uint64_t mote_channel_now(mote_channel *ch)
{
    return ch->io.now_ms(ch->io.context);
}

uint64_t mote_channel_until(mote_channel *ch, uint32_t timeout_ms)
{
    return timeout_ms > 0 ? mote_channel_now(ch) + timeout_ms : MOTE_CHANNEL_FOREVER;
}

/* ---- one turn ------------------------------------------------------------------------------ */

void mote_channel_write(mote_channel *ch)
{
    size_t len;
    const uint8_t *out;
    int n = 1;

    while (ch->open && !ch->write_ends && n > 0 && (out = mote_grpc_peek(&ch->grpc, &len))) {
        n = ch->io.write(ch->io.context, out, len);
        ch->write_ends = n < 0;
        n = n > 0 ? n : 0;
        ch->written += (uint32_t)n;
        mote_grpc_ack(&ch->grpc, (size_t)n);
    }
}

/* A read that finds nothing has read all. As a server may go on for ever, of reads that find
 * something those count together that follow within so long; when the next of these rows begins,
 * all that was there when the last one did is read. */
static void note_read(mote_channel *ch, bool found)
{
    uint64_t now = mote_channel_now(ch);

    if (!found) {
        ch->read_ms = ch->row_ms = now;
    } else if (now - ch->row_ms >= MOTE_CHANNEL_CATCH_UP_MS) {
        ch->read_ms = ch->row_ms;
        ch->row_ms = now;
    }
}

/* Reads once. What the peer has said is read before a failed write ends the connection. */
static int fill(mote_channel *ch)
{
    int n = ch->io.read(ch->io.context, ch->in, ch->in_size);

    note_read(ch, n > 0);
    ch->in_pos = 0;
    ch->in_len = n > 0 ? (size_t)n : 0;
    if (n < 0 || (n == 0 && ch->write_ends)) {
        ch->open = false;
        mote_grpc_recv_eof(&ch->grpc);
    }
    return n;
}

/* The engine's time is that of the last read, all of which it has used by now: what has arrived in
 * time is never too late. The time at which it wants to be told again. */
static uint64_t channel_tick(mote_channel *ch)
{
    uint32_t next = mote_grpc_tick(&ch->grpc, ch->read_ms);

    if (ch->life) {
        uint32_t life = mote_grpc_life_tick(ch->life, &ch->grpc, ch->read_ms);
        next = life < next ? life : next;
    }
    return next == UINT32_MAX ? MOTE_CHANNEL_FOREVER : ch->read_ms + next;
}

/* The engine has found a connection broken: its last words leave, and the transport is closed. */
static void end_broken(mote_channel *ch)
{
    mote_channel_write(ch);
    ch->open = false;
    if (ch->io.close && ch->io.connect)
        ch->io.close(ch->io.context);
}

static void turn(mote_channel *ch, uint64_t until_ms)
{
    size_t len;

    if (mote_h2_error(&ch->grpc.h2) < 0 && ch->open)
        end_broken(ch);
    if (!ch->open) {
        ch->read_ms = mote_channel_now(ch);
        if (ch->read_ms < until_ms)
            ch->io.wait(ch->io.context, false, until_ms);
        return;
    }
    uint64_t due_ms = channel_tick(ch);
    mote_channel_write(ch);
    if (ch->in_pos < ch->in_len || fill(ch) != 0)
        return;
    due_ms = due_ms < until_ms ? due_ms : until_ms;
    if (due_ms > ch->read_ms)
        ch->io.wait(ch->io.context, mote_grpc_peek(&ch->grpc, &len) != NULL, due_ms);
}

/* The other of two connections, where both are open: nobody waits on it. */
static mote_channel *other_of(const mote_channel *ch)
{
    mote_channel *other = ch->spare ? ch->spare : ch->beside;

    return other && other->open ? other : NULL;
}

/* What it has read is looked at, and answered. */
static MOTE_APART void look_aside(mote_channel *other)
{
    turn(other, 0);
    mote_channel_park(other);
    mote_channel_write(other);
}

void mote_channel_turn(mote_channel *ch, uint64_t until_ms)
{
    mote_channel *other = other_of(ch);

    if (other) {
        uint64_t look_ms = mote_channel_now(ch) + ASIDE_MS;
        until_ms = look_ms < until_ms ? look_ms : until_ms;
    }
    turn(ch, until_ms);
    if (other)
        look_aside(other);
}

/* ---- events -------------------------------------------------------------------------------- */

/* The gRPC proposal A6: a server says when to try again, 0 being at once, or never. */
static int32_t parse_pushback(const mote_grpc_event *ev)
{
    int32_t ms = 0;

    for (size_t i = 0; i < ev->value_len; i++) {
        if (ev->value[i] < '0' || ev->value[i] > '9' || i == 9)
            return MOTE_GRPC_NO_RETRY;
        ms = ms * 10 + (ev->value[i] - '0');
    }
    return ev->value_len > 0 ? ms : MOTE_GRPC_NO_RETRY;
}

/* What matters to retries, to the waits between connections and to keepalive. */
static void note(mote_channel *ch, const mote_grpc_event *ev)
{
    static const char pushback[] = "grpc-retry-pushback-ms";

    if (ev->type == MOTE_GRPC_START) {
        ch->committed = true;
    } else if (ev->type == MOTE_GRPC_STATUS) {
        ch->unseen = ev->unseen || (ch->written == ch->began && mote_h2_error(&ch->grpc.h2) < 0);
        if (ev->code == MOTE_GRPC_OK)
            ch->attempt_ms = 0; /* it was of use: see mote_channel_lose() */
    } else if (ev->type == MOTE_GRPC_METADATA && ev->name_len == sizeof pushback - 1 &&
               memcmp(ev->name, pushback, sizeof pushback - 1) == 0) {
        ch->pushback_ms = parse_pushback(ev);
    }
}

/* The next event of any call. */
static int channel_next_event(mote_channel *ch, mote_grpc_event *ev)
{
    size_t used;
    int r = mote_grpc_recv(&ch->grpc, ch->in + ch->in_pos, ch->in_len - ch->in_pos, &used, ev);

    ch->in_pos += used;
    if (r > 0)
        note(ch, ev);
    if (mote_h2_error(&ch->grpc.h2) < 0)
        mote_channel_lose(ch, mote_h2_error_text(&ch->grpc.h2));
    else if (ch->state == MOTE_CHANNEL_CONNECTING && mote_h2_ready(&ch->grpc.h2))
        mote_channel_set_state(ch, MOTE_CHANNEL_READY, "the server is ready");
    return r;
}

int mote_channel_take(mote_channel *ch, const mote_grpc_call *call, mote_grpc_event *ev)
{
    int r;

    while ((r = channel_next_event(ch, ev)) > 0) {
        if (ev->type == MOTE_GRPC_METADATA) {
            if (ch->on_metadata)
                ch->on_metadata(ch->grpc.config->context, ev);
        } else if (!ev->call || ev->type == MOTE_GRPC_WRITABLE) {
            continue; /* who waits looks for room after each turn */
        } else if (!call || ev->call == call) {
            return 1;
        } else {
            mote_grpc_defer(&ch->grpc);
        }
    }
    return r;
}

int mote_channel_park(mote_channel *ch)
{
    int r;

    while ((r = mote_channel_take(ch, NULL, &ch->parked)) > 0)
        mote_grpc_defer(&ch->grpc);
    return r;
}

int mote_channel_poll(mote_channel *ch, uint32_t timeout_ms)
{
    mote_channel_turn(ch, mote_channel_now(ch) + timeout_ms);
    return mote_channel_park(ch);
}

void mote_channel_pause(mote_channel *ch, uint64_t until_ms)
{
    while (mote_channel_now(ch) < until_ms) {
        mote_channel_turn(ch, until_ms);
        mote_channel_park(ch);
    }
}

/* ---- the end ------------------------------------------------------------------------------- */

int mote_channel_flush(mote_channel *ch, uint32_t timeout_ms)
{
    uint64_t until_ms = mote_channel_now(ch) + timeout_ms;
    size_t len;
    int r = 0;

    mote_channel_write(ch);
    while (r == 0 && ch->open && mote_grpc_peek(&ch->grpc, &len)) {
        if (mote_channel_now(ch) >= until_ms)
            return MOTE_AGAIN;
        mote_channel_turn(ch, until_ms);
        r = mote_channel_park(ch);
    }
    return r;
}

static void close_one(mote_channel *ch, uint32_t timeout_ms)
{
    if (ch->state == MOTE_CHANNEL_SHUTDOWN)
        return;
    for (size_t i = 0; i < ch->grpc.reach; i++) {
        if (ch->grpc.calls[i].local != MOTE_GRPC_LOCAL_FREE)
            mote_grpc_cancel(&ch->grpc.calls[i]);
    }
    if (ch->open) {
        mote_grpc_shutdown(&ch->grpc);
        mote_channel_flush(ch, timeout_ms);
    }
    ch->open = false;
    mote_channel_set_state(ch, MOTE_CHANNEL_SHUTDOWN, "closed");
    if (ch->io.close)
        ch->io.close(ch->io.context);
}

void mote_channel_close(mote_channel *ch, uint32_t timeout_ms)
{
    close_one(ch, timeout_ms);
    if (ch->spare)
        close_one(ch->spare, timeout_ms);
}
