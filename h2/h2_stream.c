/* Stream slots: a table keyed by stream id, and what is remembered of the last 32 ids. */
#include "h2_internal.h"

#include <string.h>

/* Ids of one side are consecutive odd numbers, so id / 2 spreads them evenly. */
static size_t home(const mote_h2 *c, uint32_t id)
{
    return (id >> 1) % c->stream_count;
}

static mote_h2_stream *probe(mote_h2 *c, uint32_t from, uint32_t id)
{
    mote_h2_stream *streams = c->streams;
    size_t count = c->stream_count;
    size_t slot = home(c, from);

    for (size_t i = 0; i < count; i++) {
        if (streams[slot].id == id)
            return &streams[slot];
        slot = slot + 1 < count ? slot + 1 : 0;
    }
    return NULL;
}

mote_h2_stream *mote_h2_stream_find(mote_h2 *c, uint32_t id)
{
    if (c->active == 0)
        return NULL;
    return probe(c, id, id);
}

mote_h2_stream *mote_h2_stream_add(mote_h2 *c, uint32_t id)
{
    if (c->active >= c->stream_count)
        return NULL;
    mote_h2_stream *s = probe(c, id, 0);
    memset(s, 0, sizeof *s);
    s->id = id;
    s->send_window = (int32_t)c->peer_window;
    s->recv_window = (int32_t)c->stream_window;
    c->active++;
    return s;
}

void mote_h2_stream_remove(mote_h2 *c, mote_h2_stream *s)
{
    if (s->flags & (STREAM_RESET_OWED | STREAM_CREDIT_OWED))
        c->owing_streams--;
    if (c->frame_owner == s)
        c->frame_owner = NULL;
    s->id = 0;
    s->flags = STREAM_LOCAL_END | STREAM_REMOTE_END;
    c->active--;
}

bool mote_h2_stream_is_idle(const mote_h2 *c, uint32_t id)
{
    if ((id & 1) == 0) /* push is off, so a server opens no streams */
        return true;
    return MOTE_SERVES(c) ? id > c->last_peer_id : id >= c->next_id;
}

static bool in_map(const mote_h2 *c, uint32_t map, uint32_t id)
{
    uint32_t age = (c->last_opened - id) / 2;

    return age < 32 && (map >> age & 1);
}

bool mote_h2_stream_was_opened(const mote_h2 *c, uint32_t id)
{
    return in_map(c, c->opened_map, id);
}

bool mote_h2_stream_was_reset(const mote_h2 *c, uint32_t id)
{
    return in_map(c, c->reset_map, id);
}

void mote_h2_stream_note_opened(mote_h2 *c, uint32_t id)
{
    uint32_t steps = (id - c->last_opened + 1) / 2;

    c->opened_map = (steps < 32 ? c->opened_map << steps : 0) | 1;
    c->reset_map = steps < 32 ? c->reset_map << steps : 0;
    c->last_opened = id;
}

void mote_h2_stream_end(mote_h2 *c, mote_h2_stream *s, unsigned side)
{
    s->flags |= (uint16_t)side;
    if ((s->flags & STREAM_LOCAL_END) && (s->flags & STREAM_REMOTE_END)) {
        mote_h2_stream_remove(c, s);
        if (c->budget < c->budget_max)
            c->budget++;
    }
}

bool mote_h2_receiving(const mote_h2_stream *s)
{
    return !(s->flags & (STREAM_REMOTE_END | STREAM_RESET_OWED));
}

/* RFC 9113 5.1, 6.4; 5.4.2: once, and nothing follows it */
void mote_h2_reset(mote_h2 *c, mote_h2_stream *s, uint32_t code)
{
    if (s->id == 0 || (s->flags & STREAM_RESET_OWED))
        return;
    /* Both sides have said their last: there is nothing to stop. That the peer's has begun counts,
     * so that the answer does not depend on how the frame was cut. */
    if (code == MOTE_H2_NO_ERROR && (s->flags & STREAM_LOCAL_END) && (s->flags & STREAM_ENDING))
        return;
    if ((c->last_opened - s->id) / 2 < 32)
        c->reset_map |= 1u << (c->last_opened - s->id) / 2;
    if (!(s->flags & STREAM_CREDIT_OWED))
        c->owing_streams++;
    s->flags = (uint16_t)((s->flags & ~STREAM_CREDIT_OWED) | STREAM_RESET_OWED);
    s->reset_code = code;
    mote_h2_flush(c);
}
