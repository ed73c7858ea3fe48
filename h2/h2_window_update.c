/* WINDOW_UPDATE: what the user has taken is given back to the peer, and what the peer gives opens
 * the windows (RFC 9113 5.2, 6.9). */
#include "h2_internal.h"

bool mote_h2_in_its_data(const mote_h2 *c, const mote_h2_stream *s)
{
    return c->frame.phase == MOTE_H2_IN_FRAME && c->frame.type == MOTE_H2_FRAME_DATA &&
           c->frame.id == s->id;
}

/* What a message needs to go on: a frame of what is missing, with its padding if the peer pads,
 * on whatever stream it began to (RFC 9113 6.1, 6.9.1). Where the message nearly fills the window
 * there is no room for both. It is lent until the user takes something: one frame's, since the peer
 * may fill it with content instead. */
static uint32_t wanted(const mote_h2 *c, mote_h2_stream *s)
{
    if (!c->frame.pads)
        return s->need;

    uint32_t all = s->need + PADDED_ROOM;
    int32_t lent = (int32_t)(all - s->credit - (uint32_t)s->recv_window);
    if (s->need > 0 && lent > 0 && s->lent + lent <= PADDED_ROOM) {
        s->lent = (uint16_t)(s->lent + lent);
        s->credit += (uint32_t)lent;
    }
    return all;
}

/* Half of the window is returned at once, which costs one WINDOW_UPDATE for many frames; less only
 * when the user waits for more than the peer may send. Inside of a DATA frame of the stream nothing
 * is returned, so that the output does not depend on how the frame was cut. */
void mote_h2_credit_stream(mote_h2 *c, mote_h2_stream *s)
{
    if (mote_h2_in_its_data(c, s))
        return;

    int32_t least = (int32_t)wanted(c, s);
    bool half = s->credit >= (c->initial_window + 1) / 2;
    bool starved = s->credit > 0 && s->recv_window < least;
    if (!half && !starved)
        return;
    if (!(s->flags & STREAM_CREDIT_OWED)) {
        s->flags |= STREAM_CREDIT_OWED;
        mote_h2_owe(c, s);
    }
    mote_h2_flush(c);
}

void mote_h2_consume(mote_h2 *c, mote_h2_stream *s, size_t len)
{
    uint32_t paid = len < s->lent ? (uint32_t)len : s->lent;

    CHECK_STREAM(c, s);
    if (c->life == MOTE_H2_FAILED || !mote_h2_receiving(s))
        return;
    MOTE_CHECK_THAT((uint64_t)len <= (uint64_t)mote_h2_held(c, s));
    s->lent = (uint16_t)(s->lent - paid);
    s->credit += (uint32_t)len - paid;
    s->need = 0;
    mote_h2_credit_stream(c, s);
}

void mote_h2_need(mote_h2 *c, mote_h2_stream *s, size_t len)
{
    CHECK_STREAM(c, s);
    if (c->life == MOTE_H2_FAILED || !mote_h2_receiving(s))
        return;
    s->need = (uint32_t)len;
    if (MOTE_MAY_SERVE && s->recv_window < (int32_t)s->need + PADDED_ROOM)
        c->frame.tight = true;
    mote_h2_credit_stream(c, s);
}

/* Content on the connection is credited as it arrives: the memory for it is the stream's. */
void mote_h2_credit_connection(mote_h2 *c, uint32_t len)
{
    c->credit += len;
    if (c->credit >= c->connection_window / 2)
        c->owed |= OWE_WINDOW;
}

/* ---- received ------------------------------------------------------------------------------- */

static int grow_connection(mote_h2 *c, uint32_t increment)
{
    if (increment == 0)
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR, MOTE_TEXT("WINDOW_UPDATE of 0"));
    if (increment > (uint32_t)(MAX_WINDOW - c->send_window)) /* RFC 9113 6.9.1 */
        return mote_h2_peer_error(c, MOTE_H2_FLOW_CONTROL_ERROR,
                                  MOTE_TEXT("WINDOW_UPDATE overflows the connection's window"));
    c->send_window += (int32_t)increment;
    if (!c->blocked)
        return 0;
    c->blocked = false;
    c->event->type = MOTE_H2_WRITABLE;
    return 1;
}

/* In unsigned arithmetic, where a negative window is no overflow either. */
bool mote_h2_overflows(const mote_h2_stream *s, uint32_t increment)
{
    return increment > (uint32_t)MAX_WINDOW - (uint32_t)s->send_window;
}

/* On a closed stream it is legal (RFC 9113 5.1, 6.9), as long as it gives back what was sent. */
static int late_increment(mote_h2 *c, uint32_t increment)
{
    if (increment == 0 || increment > c->unreturned)
        return mote_h2_charge(c, COST_IGNORED);
    c->unreturned -= increment;
    return 0;
}

int mote_h2_on_window_update(mote_h2 *c)
{
    uint32_t increment = mote_h2_get32(c->frame.fixed) & MAX_WINDOW;
    mote_h2_stream *s;

    if (c->frame.id == 0)
        return grow_connection(c, increment);
    s = mote_h2_stream_find(c, c->frame.id);
    if (!s || s->state == MOTE_H2_STATE_RESET_OWED)
        return late_increment(c, increment);
    if (increment == 0) /* RFC 9113 6.9 */
        return mote_h2_stream_error(c, s, MOTE_H2_PROTOCOL_ERROR);
    if (mote_h2_overflows(s, increment)) /* RFC 9113 6.9.1 */
        return mote_h2_stream_error(c, s, MOTE_H2_FLOW_CONTROL_ERROR);
    s->send_window += (int32_t)increment;
    if (!(s->flags & STREAM_BLOCKED) || s->send_window <= 0)
        return 0;
    s->flags &= (uint8_t)~STREAM_BLOCKED;
    mote_h2_event *ev = c->event;
    ev->type = MOTE_H2_WRITABLE;
    ev->stream = s;
    return 1;
}
