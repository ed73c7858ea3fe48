/* The blocking client: one loop that writes, receives and waits until a call has an event. */
#include "channel_internal.h"

#include <string.h>

enum { FOREVER = 0x7fffffff, CONNECT_MS = 20000 };

static mote_channel *channel_of(mote_grpc_call *call)
{
    return (mote_channel *)call->grpc; /* its first member */
}

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
    ch->state = io.connect ? MOTE_CHANNEL_IDLE : MOTE_CHANNEL_READY;
    return mote_grpc_init(&ch->grpc, &ch->config, memory, memory_size);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Writes all output. 0, or < 0 when the transport has ended. */
static int write_all(mote_channel *ch)
{
    size_t len;
    const uint8_t *out;

    while ((out = mote_grpc_peek(&ch->grpc, &len)) != NULL) {
        uint32_t wait = mote_grpc_tick(&ch->grpc, ch->io.now_ms(ch->io.context));
        int n = ch->io.write(ch->io.context, out, len, least(wait, FOREVER));
        if (n < 0) {
            mote_grpc_recv_eof(&ch->grpc);
            return n;
        }
        mote_grpc_ack(&ch->grpc, (size_t)n);
        if (n == 0)
            return 0;
    }
    return 0;
}

static uint32_t tick(mote_channel *ch)
{
    uint64_t now = ch->io.now_ms(ch->io.context);
    uint32_t next = mote_grpc_tick(&ch->grpc, now);

    return ch->life ? least(next, mote_grpc_life_tick(ch->life, &ch->grpc, now)) : next;
}

/* One turn: output, time, and input if all of the old one is used up. */
static void turn(mote_channel *ch, uint32_t timeout_ms)
{
    uint32_t wait;
    int n;

    tick(ch); /* it may have something to say */
    if (write_all(ch) < 0)
        return;
    wait = least(tick(ch), timeout_ms); /* 0 when room for those who wait for it was made */
    if (ch->in_pos < ch->in_len || ch->grpc.h2.error < 0)
        return;
    n = ch->io.read(ch->io.context, ch->in, ch->in_size, least(wait, FOREVER));
    if (n < 0)
        mote_grpc_recv_eof(&ch->grpc);
    ch->in_pos = 0;
    ch->in_len = n > 0 ? (size_t)n : 0;
    if (n > 0) { /* a server that speaks may be connected to again without a wait */
        ch->backoff = (mote_backoff){0};
        ch->attempt_ms = 0;
    }
    tick(ch);
}

/* The next event of any call: 1, 0 (none without input) or < 0. */
static int next_event(mote_channel *ch, mote_grpc_event *ev)
{
    size_t used;
    int r = mote_grpc_recv(&ch->grpc, ch->in + ch->in_pos, ch->in_len - ch->in_pos, &used, ev);

    ch->in_pos += used;
    return r;
}

/* gRPC proposal A6: a server says when to try again, or never. */
static int32_t parse_pushback(const mote_grpc_event *ev)
{
    int32_t ms = 0;

    for (size_t i = 0; i < ev->value_len; i++) {
        if (ev->value[i] < '0' || ev->value[i] > '9' || i == 9)
            return MOTE_GRPC_NO_RETRY;
        ms = ms * 10 + (ev->value[i] - '0');
    }
    return ms > 0 ? ms : MOTE_GRPC_NO_RETRY;
}

/* What matters to retries and to keepalive. */
static void note(mote_channel *ch, const mote_grpc_event *ev)
{
    static const char pushback[] = "grpc-retry-pushback-ms";

    if (ev->type == MOTE_GRPC_START)
        ch->committed = true;
    else if (ev->type == MOTE_GRPC_STATUS)
        ch->unseen = ev->unseen;
    else if (ev->type == MOTE_GRPC_GOAWAY && ev->code == MOTE_H2_ENHANCE_YOUR_CALM && ch->life)
        mote_grpc_life_calm(ch->life);
    else if (ev->type == MOTE_GRPC_METADATA && ev->name_len == sizeof pushback - 1 &&
             memcmp(ev->name, pushback, sizeof pushback - 1) == 0)
        ch->pushback_ms = parse_pushback(ev);
}

/* Takes events until one is for `call`: 1; 0: there is none now; < 0: the connection has failed.
 * Without a call, all events wait. */
static int event_for(mote_channel *ch, const mote_grpc_call *call, mote_grpc_event *ev)
{
    int r;

    while ((r = next_event(ch, ev)) > 0) {
        note(ch, ev);
        if (ev->type == MOTE_GRPC_METADATA) {
            if (ch->on_metadata)
                ch->on_metadata(ch->grpc.config->context, ev);
        } else if (ev->call && ev->call == call) {
            return 1;
        } else if (ev->call) {
            mote_grpc_defer(&ch->grpc);
        }
    }
    return r;
}

int mote_channel_poll(mote_channel *ch, uint32_t timeout_ms)
{
    mote_grpc_event ev;

    turn(ch, timeout_ms);
    return event_for(ch, NULL, &ev);
}

/* ---- connecting ---------------------------------------------------------------------------- */

uint32_t mote_channel_random(mote_channel *ch)
{
    ch->random = ch->random * 1664525u + 1013904223u;
    return ch->random;
}

static void set_state(mote_channel *ch, int state, const char *why)
{
    if (ch->state == state)
        return;
    ch->state = (uint8_t)state;
    if (ch->on_state)
        ch->on_state(ch->grpc.config->context, state, why);
}

void mote_channel_pause(mote_channel *ch, uint32_t ms)
{
    uint64_t until = ch->io.now_ms(ch->io.context) + ms, now;

    while ((now = ch->io.now_ms(ch->io.context)) < until) {
        if (mote_channel_poll(ch, (uint32_t)(until - now)) == 0)
            continue;
        if (!ch->io.sleep)
            return;
        ch->io.sleep(ch->io.context, (uint32_t)(until - now));
    }
}

/* An attempt, when its time has come. 0, or an error. */
static int connect_once(mote_channel *ch)
{
    uint64_t now = ch->io.now_ms(ch->io.context);

    set_state(ch, MOTE_CHANNEL_CONNECTING, "connecting");
    ch->attempt_ms = now + mote_backoff_next(&ch->backoff, mote_channel_random(ch));
    if (ch->io.connect(ch->io.context, CONNECT_MS) < 0) {
        set_state(ch, MOTE_CHANNEL_TRANSIENT_FAILURE, "no address could be reached");
        return MOTE_GRPC_ERR_IO;
    }
    ch->in_pos = ch->in_len = 0;
    if (ch->life)
        ch->life->born = ch->life->asked = ch->life->draining = false;
    int r = mote_grpc_init(&ch->grpc, &ch->config, ch->memory, ch->memory_size);
    mote_grpc_tick(&ch->grpc, ch->io.now_ms(ch->io.context));
    if (r == 0)
        set_state(ch, MOTE_CHANNEL_READY, "connected");
    return r;
}

static bool usable(const mote_channel *ch)
{
    return ch->state == MOTE_CHANNEL_READY && ch->grpc.h2.life == MOTE_H2_OPEN;
}

/* Sees to it that there is a connection that takes calls. */
static int make_ready(mote_channel *ch, const mote_grpc_request *request)
{
    uint64_t begin = ch->io.now_ms(ch->io.context), now;
    int r = MOTE_GRPC_ERR_IO;

    if (usable(ch) || !ch->io.connect)
        return 0;
    if (ch->grpc.active > 0) /* they have to end first, as there is one connection */
        return ch->grpc.h2.error < 0 ? ch->grpc.h2.error : MOTE_H2_ERR_GOAWAY;
    if (ch->state == MOTE_CHANNEL_READY)
        set_state(ch, MOTE_CHANNEL_IDLE,
                  ch->grpc.h2.error < 0 ? mote_h2_error_text(&ch->grpc.h2)
                                        : "the server takes no more calls");
    for (;;) {
        now = ch->io.now_ms(ch->io.context);
        if (now >= ch->attempt_ms && (r = connect_once(ch)) != MOTE_GRPC_ERR_IO)
            return r;
        if (!request->wait_for_ready || !ch->io.sleep)
            return r;
        now = ch->io.now_ms(ch->io.context);
        if (request->timeout_ms > 0 && now - begin >= request->timeout_ms)
            return r;
        uint64_t wait = ch->attempt_ms > now ? ch->attempt_ms - now : 1;
        if (request->timeout_ms > 0 && wait > request->timeout_ms - (now - begin))
            wait = request->timeout_ms - (now - begin);
        ch->io.sleep(ch->io.context, (uint32_t)wait);
    }
}

int mote_channel_start(mote_channel *ch, const mote_grpc_request *request, mote_grpc_call **call)
{
    mote_grpc_event ev;
    int r;

    mote_grpc_tick(&ch->grpc, ch->io.now_ms(ch->io.context));
    event_for(ch, NULL, &ev); /* the call that has ended last gives back its place */
    if ((r = make_ready(ch, request)) < 0)
        return r;
    while ((r = mote_grpc_start(&ch->grpc, request, call)) == MOTE_AGAIN) {
        if ((r = mote_channel_poll(ch, FOREVER)) < 0)
            return r;
    }
    return r;
}

/* Waits until an action that was "not now" may go on. What arrives meanwhile waits. */
static int wait_for_room(mote_grpc_call *call)
{
    mote_channel *ch = channel_of(call);
    mote_grpc_event ev;

    turn(ch, FOREVER);
    event_for(ch, NULL, &ev);
    return mote_grpc_decided(call) ? MOTE_GRPC_ERR_STATE : 0;
}

int mote_channel_send(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                      unsigned flags)
{
    int r;

    while ((r = mote_grpc_send(call, source, message, flags)) == MOTE_AGAIN) {
        if ((r = wait_for_room(call)) < 0)
            return r;
    }
    return r;
}

int mote_channel_half_close(mote_grpc_call *call)
{
    int r;

    while ((r = mote_grpc_half_close(call)) == MOTE_AGAIN) {
        if ((r = wait_for_room(call)) < 0)
            return r;
    }
    return r;
}

int mote_channel_recv(mote_grpc_call *call, mote_grpc_event *ev)
{
    mote_channel *ch = channel_of(call);

    mote_grpc_resume(call);
    for (;;) {
        int r = event_for(ch, call, ev);
        if (r > 0 && ev->type != MOTE_GRPC_WRITABLE)
            return 1;
        if (r < 0) { /* every call was told, so this is a second question about an ended one */
            memset(ev, 0, sizeof *ev);
            ev->type = MOTE_GRPC_STATUS;
            ev->code = MOTE_GRPC_UNAVAILABLE;
            ev->message = mote_h2_error_text(&ch->grpc.h2);
            while (ev->message[ev->message_len] != '\0')
                ev->message_len++;
            return 1;
        }
        if (r == 0)
            turn(ch, FOREVER);
    }
}

mote_status mote_status_of(int code, const char *text)
{
    mote_status status = {code, text, 0};

    while (text[status.message_len] != '\0')
        status.message_len++;
    return status;
}

mote_status mote_status_of_error(int error)
{
    return mote_status_of(MOTE_GRPC_UNAVAILABLE, mote_grpc_strerror(error));
}

mote_status mote_status_of_event(const mote_grpc_event *ev)
{
    return (mote_status){ev->code, ev->message, ev->message_len};
}

/* The message is brought back to the call's buffer until the status is there as well, so that a
 * view of it outlives the input. */
mote_status mote_channel_collect(mote_grpc_call *call, const uint8_t **response, size_t *len)
{
    mote_channel *ch = channel_of(call);
    mote_grpc_event ev;
    int r = mote_channel_half_close(call);

    *response = NULL;
    *len = 0;
    while (r == 0 && !mote_grpc_decided(call)) {
        r = event_for(ch, NULL, &ev);
        if (r == 0 && !mote_grpc_decided(call))
            turn(ch, FOREVER);
    }
    size_t count = 0;
    while (mote_channel_recv(call, &ev), ev.type != MOTE_GRPC_STATUS) {
        if (ev.type == MOTE_GRPC_MESSAGE) {
            *response = ev.data;
            *len = ev.len;
            count++;
        }
    }
    if (ev.code == MOTE_GRPC_OK && count != 1) {
        static const char text[] = "not one response";
        return (mote_status){MOTE_GRPC_UNIMPLEMENTED, text, sizeof text - 1};
    }
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

mote_status mote_channel_unary_once(mote_channel *ch, const mote_grpc_request *request,
                                    const mote_grpc_source *source, const void *message,
                                    const uint8_t **response, size_t *len)
{
    mote_grpc_call *call;
    int r = mote_channel_start(ch, request, &call);

    ch->committed = ch->unseen = false;
    ch->pushback_ms = 0;
    *response = NULL;
    *len = 0;
    if (r < 0)
        return mote_status_of_error(r);
    if ((r = mote_channel_send(call, source, message, MOTE_GRPC_LAST)) < 0 &&
        r != MOTE_GRPC_ERR_STATE && mote_h2_error(&ch->grpc.h2) == 0) {
        mote_grpc_cancel(call); /* the message cannot be encoded */
        mote_channel_finish(call);
        return r > -400 ? mote_status_of_error(r)
                        : mote_status_of(MOTE_GRPC_INTERNAL, source->strerror(r));
    }
    return mote_channel_collect(call, response, len);
}

mote_status mote_channel_unary(mote_channel *ch, const mote_grpc_request *request,
                               const mote_grpc_source *source, const void *message,
                               const uint8_t **response, size_t *len)
{
    mote_channel_unary_function *unary = ch->unary ? ch->unary : mote_channel_unary_once;

    return unary(ch, request, source, message, response, len);
}
