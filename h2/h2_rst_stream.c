/* RST_STREAM, sent and received (RFC 9113 6.4). */
#include "h2_internal.h"

/* RFC 9113 5.4.2: once, and nothing follows it */
static void reset(mote_h2 *c, mote_h2_stream *s, uint32_t code)
{
    if ((c->last_opened - s->id) / 2 < 32)
        c->reset_map |= 1u << (c->last_opened - s->id) / 2;
    if (!(s->flags & STREAM_CREDIT_OWED))
        mote_h2_owe(c, s);
    s->flags &= (uint8_t)~STREAM_CREDIT_OWED;
    s->state = MOTE_H2_STATE_RESET_OWED;
    s->reset_code = code;
    mote_h2_flush(c);
}

void mote_h2_reset(mote_h2 *c, mote_h2_stream *s, uint32_t code)
{
    CHECK_STREAM(c, s);
    switch (s->state) {
    case MOTE_H2_STATE_CLOSED:
    case MOTE_H2_STATE_RESET_OWED:
        return;
    case MOTE_H2_STATE_IDLE: /* the peer has never seen it */
        mote_h2_stream_remove(c, s);
        return;
    case MOTE_H2_STATE_HALF_CLOSED_LOCAL:
        /* Both sides have ended: there is nothing to stop. The peer's end counts once its frame has
         * begun, so that the answer does not depend on how the frame was cut. */
        if (code == MOTE_H2_NO_ERROR && (s->flags & STREAM_ENDING))
            return;
        break;
    default:
        break;
    }
    /* what was granted may be under way (RFC 9113 5.1) */
    mote_h2_expect_late(c, s->flags & STREAM_ENDING ? 0 : s->recv_window);
    reset(c, s, code);
}

int mote_h2_stream_error(mote_h2 *c, mote_h2_stream *s, uint32_t code)
{
    if (mote_h2_charge(c, COST_STREAM_ERROR) < 0)
        return c->error;
    mote_h2_event *ev = c->event;
    ev->type = MOTE_H2_RESET;
    ev->stream = s;
    ev->code = code;
    ev->remote = false;
    reset(c, s, code);
    return 1;
}

/* RFC 9113 5.4.2: it is never answered in kind; 7: an unknown code is like any other; 8.1: a
 * response that is complete stays so */
int mote_h2_on_rst_stream(mote_h2 *c)
{
    mote_h2_stream *s = mote_h2_stream_find(c, c->frame.id);
    bool visible = s && s->state != MOTE_H2_STATE_RESET_OWED;

    if ((visible ? mote_h2_charge(c, COST_RESET) : mote_h2_late_frame(c)) < 0)
        return c->error;
    if (!s)
        return 0;
    mote_h2_event *ev = c->event;
    ev->type = MOTE_H2_RESET;
    ev->stream = s;
    ev->code = mote_h2_get32(c->frame.fixed);
    ev->remote = true;
    mote_h2_stream_remove(c, s);
    return visible;
}
