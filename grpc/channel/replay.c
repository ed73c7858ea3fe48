/* Calls that were started, and that no server has seen (gRPC proposal A6, transparent retries):
 * what they have sent is kept, and sent again. */
#include "channel_internal.h"

#include <string.h>

enum { KEPT_HEAD = 5, KEPT_END = 0x80 }; /* length and flags of a message; a half-close */

static bool is_replay_over(const mote_replay *p)
{
    return p->call->local == MOTE_GRPC_LOCAL_FREE || p->call->generation != p->generation;
}

static mote_replay *place_of(mote_channel *ch, const mote_grpc_call *call)
{
    for (size_t i = 0; i < ch->replay_count; i++) {
        mote_replay *p = &ch->replays[i];
        if (p->call == call && (p->state == MOTE_REPLAY_FAILED || !is_replay_over(p)))
            return p;
    }
    return NULL;
}

/* ---- keeping ------------------------------------------------------------------------------- */

/* A place that is free, or whose call a server has answered, or is over. */
static mote_replay *free_place(mote_channel *ch)
{
    for (size_t i = 0; i < ch->replay_count; i++) {
        mote_replay *p = &ch->replays[i];
        if (!p->call ||
            (p->state != MOTE_REPLAY_FAILED && (is_replay_over(p) || p->call->http_status != 0)))
            return p;
    }
    return NULL;
}

/* The bytes' place in memory; NULL: there is none. */
static char *keep_bytes(mote_replay *p, const void *bytes, size_t len)
{
    char *to = (char *)p->memory + p->used;

    if (len > p->size - p->used)
        return NULL;
    if (len > 0)
        memcpy(to, bytes, len);
    p->used += len;
    return to;
}

static bool keep_metadata(mote_replay *p, const mote_grpc_request *request)
{
    size_t count = request->metadata_count;
    mote_grpc_metadata *list;

    p->used = (0 - (uintptr_t)p->memory) & (_Alignof(mote_grpc_metadata) - 1);
    if (p->used > p->size || count > (p->size - p->used) / sizeof *list)
        return false;
    list = (mote_grpc_metadata *)(void *)keep_bytes(p, request->metadata, count * sizeof *list);
    p->request.metadata = list;
    for (size_t i = 0; i < count; i++) {
        list[i].name = keep_bytes(p, list[i].name, list[i].name_len);
        list[i].value = keep_bytes(p, list[i].value, list[i].value_len);
        if (!list[i].name || !list[i].value)
            return false;
    }
    p->messages = p->used;
    return true;
}

static void keep_start(mote_channel *ch, mote_grpc_call *call, const mote_grpc_request *request,
                       uint64_t until_ms)
{
    for (size_t i = 0; i < ch->replay_count; i++) { /* of the call that had its slot before */
        if (ch->replays[i].call == call)
            ch->replays[i].call = NULL;
    }
    mote_replay *p = request->chunks ? NULL : free_place(ch);
    if (!p)
        return;
    p->request = *request;
    if (!keep_metadata(p, request))
        return;
    p->call = call;
    p->generation = call->generation;
    p->began = ch->written;
    p->state = MOTE_REPLAY_KEPT;
    p->made = 0;
    p->until_ms = until_ms;
    p->pace = (mote_backoff){0};
}

/* False: there is no room for it. */
static bool keep_message(mote_replay *p, const mote_grpc_source *source, const void *message,
                         unsigned flags)
{
    uint8_t *head = (uint8_t *)p->memory + p->used;
    size_t len = 0, room = p->size - p->used;

    if (room < KEPT_HEAD)
        return false;
    if (source &&
        (source->write(source->type, message, 0, head + KEPT_HEAD, room - KEPT_HEAD, &len) < 0 ||
         len > room - KEPT_HEAD))
        return false;
    for (int i = 0; i < 4; i++)
        head[i] = (uint8_t)(len >> 8 * i);
    head[4] = (uint8_t)(source ? flags : KEPT_END);
    p->used += KEPT_HEAD + len;
    return true;
}

static void keep_sent(mote_channel *ch, mote_grpc_call *call, const mote_grpc_source *source,
                      const void *message, unsigned flags)
{
    mote_replay *p = place_of(ch, call);

    if (p && p->state == MOTE_REPLAY_KEPT &&
        (call->http_status != 0 || !keep_message(p, source, message, flags)))
        p->call = NULL;
}

/* ---- making it again ----------------------------------------------------------------------- */

/* An end that the call need not have: no server has seen it, and it may be made once more. */
static bool may_replay(mote_channel *ch, const mote_replay *p, const mote_grpc_event *ev)
{
    return ev->type == MOTE_GRPC_STATUS && ev->code == MOTE_GRPC_UNAVAILABLE &&
           (ev->unseen || (ch->written == p->began && mote_h2_error(&ch->grpc.h2) < 0)) &&
           p->call->http_status == 0 && (p->request.wait_for_ready || p->made == 0);
}

/* A new connection uses the memory of this one: it would wait for other calls. */
static bool may_begin_replay(mote_channel *ch)
{
    return mote_grpc_active(&ch->grpc) == 1 ||
           (ch->state == MOTE_CHANNEL_READY && mote_h2_can_open(&ch->grpc.h2));
}

static int begin_replay(mote_channel *ch, mote_replay *p)
{
    mote_channel *at = ch, *spare = ch->spare;
    void *owner = p->call->owner;
    mote_grpc_call *fresh;

    mote_channel_park(ch); /* its slot is given back */
    int r = mote_channel_pace(ch, ++p->made, &p->pace, p->until_ms);
    if (r < 0)
        return r;
    ch->spare = NULL; /* its pointer is one of this channel */
    r = mote_channel_begin(&at, &p->request, p->until_ms, &fresh);
    ch->spare = spare;
    if (r < 0)
        return r;
    mote_grpc_take_over(fresh, p->call, p->generation);
    p->call->owner = owner;
    p->began = ch->written;
    return 0;
}

/* What it had sent. When that fails it is over once more, which is seen to by who waits. */
static void send_again(mote_replay *p)
{
    size_t at = p->messages;
    int r = 0;

    p->state = MOTE_REPLAY_REPEATS;
    while (r == 0 && at < p->used) {
        const uint8_t *head = (const uint8_t *)p->memory + at;
        mote_grpc_bytes message = {head + KEPT_HEAD, head[0] | (size_t)head[1] << 8 |
                                                         (size_t)head[2] << 16 |
                                                         (size_t)head[3] << 24};
        at += KEPT_HEAD + message.len;
        r = head[4] == KEPT_END
                ? mote_channel_half_close(p->call)
                : mote_channel_send(p->call, &mote_grpc_bytes_source, &message,
                                    head[4] | MOTE_CHANNEL_PLAIN | MOTE_CHANNEL_MORE);
    }
    p->state = MOTE_REPLAY_KEPT;
}

static bool replay_it(mote_channel *ch, mote_replay *p, mote_grpc_event *ev)
{
    int r = begin_replay(ch, p);

    if (r == 0) {
        send_again(p);
        mote_channel_write(ch);
        return true;
    }
    p->state = MOTE_REPLAY_FAILED;
    p->call->grpc = &ch->grpc; /* by which its end is found, also where memory was prepared anew */
    p->end = mote_channel_status(ch, r);
    ev->call = NULL;
    return false;
}

/* It could not be made again: the last end that it had then. */
static bool tell_failed(mote_replay *p, mote_grpc_event *ev)
{
    memset(ev, 0, sizeof *ev);
    ev->type = MOTE_GRPC_STATUS;
    ev->code = p->end.code;
    ev->message = p->end.message;
    ev->message_len = p->end.message_len;
    p->call = NULL;
    return false;
}

/* The end of a call waits: true: it was made again. Otherwise it goes on waiting. */
static bool look_at_end(mote_channel *ch, mote_replay *p)
{
    mote_grpc_event ev;

    mote_grpc_resume(p->call);
    if (mote_channel_take(ch, p->call, &ev) <= 0)
        return false;
    if (may_replay(ch, p, &ev) && may_begin_replay(ch))
        return replay_it(ch, p, &ev);
    mote_grpc_defer(&ch->grpc);
    p->call = NULL;
    return false;
}

static bool replay_call(mote_channel *ch, mote_grpc_call *call, mote_grpc_event *ev)
{
    mote_replay *p = place_of(ch, call);

    if (!p || p->state == MOTE_REPLAY_REPEATS)
        return false;
    if (!ev)
        return p->state == MOTE_REPLAY_KEPT && mote_grpc_decided(call) && look_at_end(ch, p);
    if (p->state == MOTE_REPLAY_KEPT && may_replay(ch, p, ev) && may_begin_replay(ch) &&
        replay_it(ch, p, ev))
        return true;
    if (p->state == MOTE_REPLAY_FAILED)
        return tell_failed(p, ev);
    p->call = NULL;
    return false;
}

static const mote_channel_replayer replayer = {keep_start, keep_sent, replay_call};

void mote_channel_set_replay(mote_channel *ch, mote_replay *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        places[i].call = NULL;
    ch->replays = places;
    ch->replay_count = count;
    ch->replayer = count > 0 ? &replayer : NULL;
}
