/* Streams: slots in a table keyed by id, the states of one, and what is remembered of the last 32
 * ids. */
#include "h2_internal.h"

#include <string.h>

/* Ids of one side are consecutive odd numbers, so id / 2 spreads them evenly. */
static size_t home(const mote_h2 *c, uint32_t id)
{
    return (id >> 1) % c->stream_count;
}

/* The slot with this id among those up to `reach` behind the home of `from`; how far it was. */
static mote_h2_stream *probe(mote_h2 *c, uint32_t from, uint32_t id, size_t *reach)
{
    mote_h2_stream *streams = c->streams;
    size_t count = c->stream_count;
    size_t slot = home(c, from);

    for (size_t i = 0; i <= *reach; i++) {
        if (streams[slot].id == id) {
            *reach = i;
            return &streams[slot];
        }
        slot = slot + 1 < count ? slot + 1 : 0;
    }
    return NULL;
}

mote_h2_stream *mote_h2_stream_find(mote_h2 *c, uint32_t id)
{
    size_t reach = c->reach; /* what is not there costs no walk over all slots */

    return c->active > 0 ? probe(c, id, id, &reach) : NULL;
}

/* ---- states: the drawing in h2.h ------------------------------------------------------------ */

mote_h2_stream *mote_h2_stream_add(mote_h2 *c, uint32_t id)
{
    size_t reach = c->stream_count;

    if (c->active >= c->stream_count)
        return NULL;
    mote_h2_stream *s = probe(c, id, 0, &reach);
    if (c->active == 0 || reach > c->reach)
        c->reach = (uint16_t)reach;
    memset(s, 0, sizeof *s);
    s->id = id;
    s->state = MOTE_SERVES(c) ? MOTE_H2_STATE_OPEN : MOTE_H2_STATE_IDLE;
    s->send_window = (int32_t)c->peer_window;
    s->recv_window = (int32_t)c->stream_window;
    c->active++;
    return s;
}

void mote_h2_stream_remove(mote_h2 *c, mote_h2_stream *s)
{
    if (s->state == MOTE_H2_STATE_RESET_OWED || (s->flags & STREAM_CREDIT_OWED))
        c->owing_streams--;
    if (c->tx.owner == s)
        c->tx.owner = NULL;
    s->id = 0;
    s->state = MOTE_H2_STATE_CLOSED;
    s->flags = 0;
    c->active--;
}

/* Granted, and not yet used: no more than the connection's window, and a frame for each slot. */
void mote_h2_expect_late(mote_h2 *c, int32_t window)
{
    uint32_t room = c->connection_window - c->late_bytes;
    uint32_t bytes = window > 0 ? (uint32_t)window : 0;

    c->late_bytes += bytes < room ? bytes : room;
    if (c->late_frames < c->stream_count)
        c->late_frames++;
}

void mote_h2_stream_end(mote_h2 *c, mote_h2_stream *s, enum mote_h2_stream_state half)
{
    if (s->state == MOTE_H2_STATE_OPEN) {
        s->state = half;
        return;
    }
    if (half == MOTE_H2_STATE_HALF_CLOSED_LOCAL) /* an RST_STREAM may be under way */
        mote_h2_expect_late(c, 0);
    mote_h2_stream_remove(c, s); /* it was half-closed by the other side */
    if (c->budget < c->budget_max)
        c->budget++;
}

bool mote_h2_receiving(const mote_h2_stream *s)
{
    switch (s->state) {
    case MOTE_H2_STATE_IDLE:
    case MOTE_H2_STATE_OPEN:
    case MOTE_H2_STATE_HALF_CLOSED_LOCAL:
        return true;
    default:
        return false;
    }
}

/* ---- opening -------------------------------------------------------------------------------- */

bool mote_h2_can_open(const mote_h2 *c)
{
    MOTE_CHECK_THAT(mote_h2_valid(c));
    return c->life == MOTE_H2_OPEN && c->active < c->stream_count &&
           c->active < c->peer_max_streams;
}

int mote_h2_open(mote_h2 *c, mote_h2_stream **stream)
{
    CHECK_CONNECTION(c);
    *stream = NULL;
    if (c->life == MOTE_H2_FAILED)
        return c->error;
    if (c->life != MOTE_H2_OPEN || c->next_id > MAX_WINDOW) /* RFC 9113 6.8; 5.1.1: ids used up */
        return MOTE_H2_ERR_GOAWAY;
    if (!mote_h2_can_open(c)) /* RFC 9113 5.1.2 */
        return MOTE_H2_AGAIN;
    *stream = mote_h2_stream_add(c, c->next_id);
    return 0;
}

/* ---- ids ------------------------------------------------------------------------------------ */

bool mote_h2_stream_is_idle(const mote_h2 *c, uint32_t id)
{
    if ((id & 1) == 0) /* push is off, so a server opens no streams */
        return true;
    return MOTE_SERVES(c) ? id > c->last_peer_id : id >= c->next_id;
}

static uint32_t age_of(const mote_h2 *c, uint32_t id)
{
    return (c->last_opened - id) / 2;
}

static bool in_map(const mote_h2 *c, uint32_t map, uint32_t id)
{
    return !mote_h2_stream_is_forgotten(c, id) && (map >> age_of(c, id) & 1);
}

bool mote_h2_stream_is_forgotten(const mote_h2 *c, uint32_t id)
{
    return age_of(c, id) >= 32;
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
