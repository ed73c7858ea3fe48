/* DATA that is sent (RFC 9113 6.1): content is written where it leaves from, in the transmit
 * buffer. */
#include "h2_internal.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t positive(int32_t window)
{
    return window > 0 ? (size_t)window : 0; /* nothing while it is negative (RFC 9113 6.9.2) */
}

/* RFC 9113 5.1: after END_STREAM or RST_STREAM of ours nothing follows */
static bool may_send(const mote_h2_stream *s)
{
    return s->state == MOTE_H2_STATE_OPEN || s->state == MOTE_H2_STATE_HALF_CLOSED_REMOTE;
}

/* What both windows allow (RFC 9113 5.2.1, 6.9.1). */
static size_t window_of(const mote_h2 *c, const mote_h2_stream *s)
{
    return smaller(positive(s->send_window), (size_t)c->send_window);
}

/* Bytes that fit the frame that may still grow, or a new one. */
static size_t room_in_frame(const mote_h2 *c)
{
    size_t space = mote_h2_tx_space(c);

    return MOTE_CUTS
               ? smaller(space, c->peer_max_frame - (c->tx.tail - c->tx.frame - FRAME_HEADER_SIZE))
               : space;
}

static size_t room_in_new_frame(const mote_h2 *c)
{
    size_t space = mote_h2_tx_space(c);

    if (space <= FRAME_HEADER_SIZE)
        return 0;
    space -= FRAME_HEADER_SIZE;
    return MOTE_CUTS ? smaller(space, c->peer_max_frame) : space;
}

enum mote_h2_obstacle mote_h2_obstacle(const mote_h2 *c, const mote_h2_stream *s)
{
    if (s->send_window <= 0)
        return MOTE_H2_STREAM_WINDOW;
    return c->send_window == 0 ? MOTE_H2_CONNECTION_WINDOW : MOTE_H2_NO_WINDOW_MISSING;
}

uint8_t *mote_h2_reserve(mote_h2 *c, mote_h2_stream *s, size_t min, size_t *len)
{
    size_t window, room = 0, header = 0;

    CHECK_STREAM(c, s);
    *len = 0;
    if (c->life == MOTE_H2_FAILED || !may_send(s) || !mote_h2_flush(c))
        return NULL;
    if (positive(s->send_window) < min) /* what holds the user back is noted, for WRITABLE */
        s->flags |= STREAM_BLOCKED;
    if ((size_t)c->send_window < min)
        c->blocked = true;
    min = min > 0 ? min : 1;
    window = window_of(c, s);
    if (window < min)
        return NULL;
    if (c->tx.owner == s)
        room = room_in_frame(c);
    if (room < min) {
        room = room_in_new_frame(c);
        if (room < min)
            return NULL;
        c->tx.owner = NULL;
        header = FRAME_HEADER_SIZE;
    }
    *len = smaller(window, room);
    return mote_h2_tx_room(c, header + *len) + header;
}

/* Its header is written by each commit. */
static bool open_frame(mote_h2 *c, mote_h2_stream *s)
{
    if (!mote_h2_tx_room(c, FRAME_HEADER_SIZE))
        return false;
    c->tx.frame = c->tx.tail;
    c->tx.owner = s;
    c->talked = true;
    c->tx.tail += FRAME_HEADER_SIZE;
    return true;
}

int mote_h2_commit(mote_h2 *c, mote_h2_stream *s, size_t len, bool end_stream)
{
    CHECK_STREAM(c, s);
    if (c->life == MOTE_H2_FAILED)
        return c->error;
    if (!may_send(s))
        return MOTE_H2_ERR_STATE;
    if (len == 0 && !end_stream)
        return 0;
    MOTE_CHECK_THAT(len == 0 ||
                    (len <= window_of(c, s) &&
                     len <= (c->tx.owner == s ? room_in_frame(c) : room_in_new_frame(c))));
    if (c->tx.owner != s && ((len == 0 && !mote_h2_flush(c)) || !open_frame(c, s)))
        return MOTE_H2_AGAIN;
    c->tx.tail += len;
    mote_h2_frame_header(c->tx.bytes + c->tx.frame, c->tx.tail - c->tx.frame - FRAME_HEADER_SIZE,
                         MOTE_H2_FRAME_DATA, end_stream ? FLAG_END_STREAM : 0, s->id);
    s->send_window -= (int32_t)len;
    c->send_window -= (int32_t)len;
    c->unreturned = len < UINT32_MAX - c->unreturned ? c->unreturned + (uint32_t)len : UINT32_MAX;
    if (end_stream) {
        c->tx.owner = NULL;
        mote_h2_stream_end(c, s, MOTE_H2_STATE_HALF_CLOSED_LOCAL);
    }
    return 0;
}
