/* The blocking client: one loop that writes, receives and waits until a call has an event. */
#include "grpc_internal.h"

#include <string.h>

enum { FOREVER = 0x7fffffff };

static mote_channel *channel_of(mote_grpc_call *call)
{
    return (mote_channel *)call->grpc; /* its first member */
}

int mote_channel_init(mote_channel *ch, const mote_grpc_config *config, void *memory,
                      size_t memory_size, void *in, size_t in_size, mote_io io)
{
    memset(ch, 0, sizeof *ch);
    ch->io = io;
    ch->in = in;
    ch->in_size = in_size;
    return mote_grpc_init(&ch->grpc, config, memory, memory_size);
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

/* One turn: output, time, and input if all of the old one is used up. */
static void turn(mote_channel *ch, uint32_t timeout_ms)
{
    uint32_t wait;
    int n;

    if (write_all(ch) < 0)
        return;
    wait = least(mote_grpc_tick(&ch->grpc, ch->io.now_ms(ch->io.context)), timeout_ms);
    if (ch->in_pos < ch->in_len || ch->grpc.h2.error < 0)
        return;
    n = ch->io.read(ch->io.context, ch->in, ch->in_size, least(wait, FOREVER));
    if (n < 0)
        mote_grpc_recv_eof(&ch->grpc);
    ch->in_pos = 0;
    ch->in_len = n > 0 ? (size_t)n : 0;
    mote_grpc_tick(&ch->grpc, ch->io.now_ms(ch->io.context));
}

/* The next event of any call: 1, 0 (none without input) or < 0. */
static int next_event(mote_channel *ch, mote_grpc_event *ev)
{
    size_t used;
    int r = mote_grpc_recv(&ch->grpc, ch->in + ch->in_pos, ch->in_len - ch->in_pos, &used, ev);

    ch->in_pos += used;
    return r;
}

/* Takes events until one is for `call`: 1; 0: there is none now; < 0: the connection has failed.
 * Without a call, all events wait. */
static int event_for(mote_channel *ch, const mote_grpc_call *call, mote_grpc_event *ev)
{
    int r;

    while ((r = next_event(ch, ev)) > 0) {
        if (ev->type == MOTE_GRPC_METADATA) {
            if (ch->on_metadata)
                ch->on_metadata(ch->grpc.config.context, ev);
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

int mote_channel_start(mote_channel *ch, const mote_grpc_request *request, mote_grpc_call **call)
{
    mote_grpc_event ev;
    int r;

    mote_grpc_tick(&ch->grpc, ch->io.now_ms(ch->io.context));
    event_for(ch, NULL, &ev); /* the call that has ended last gives back its place */
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
    return call->pending & PENDING_END ? MOTE_GRPC_ERR_STATE : 0;
}

int mote_channel_send(mote_grpc_call *call, mote_grpc_source *source, const void *type,
                      const void *message, unsigned flags)
{
    int r;

    while ((r = mote_grpc_send(call, source, type, message, flags)) == MOTE_AGAIN) {
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

mote_status mote_status_of_error(int error)
{
    mote_status status = {MOTE_GRPC_UNAVAILABLE, mote_strerror(error), 0};

    if (error <= -400 && error > -500) /* pb */
        status.code = MOTE_GRPC_INTERNAL;
    while (status.message[status.message_len] != '\0')
        status.message_len++;
    return status;
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
    while (r == 0 && !(call->pending & PENDING_END)) {
        r = event_for(ch, NULL, &ev);
        if (r == 0 && !(call->pending & PENDING_END))
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
