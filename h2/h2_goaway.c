/* GOAWAY: graceful shutdown, ours and the peer's (RFC 9113 6.8). */
#include "h2_internal.h"

/* A server first announces the end, and one round trip later says which stream is the last. */
void mote_h2_shutdown(mote_h2 *c)
{
    CHECK_CONNECTION(c);
    if (c->life != MOTE_H2_OPEN)
        return;
    c->owed |= OWE_GOAWAY;
    if (!MOTE_SERVES(c)) {
        c->life = MOTE_H2_DRAINING;
        c->goaway_last = 0;
    } else {
        c->life = MOTE_H2_ANNOUNCED;
        c->goaway_last = MAX_WINDOW;
        c->owed += OWE_PING; /* whatever other PING is unanswered */
        c->asked++;
    }
    mote_h2_flush(c);
}

int mote_h2_on_goaway(mote_h2 *c)
{
    uint32_t last = mote_h2_get32(c->frame.fixed) & MAX_WINDOW;

    if (last < c->peer_goaway_id) /* it must not grow */
        c->peer_goaway_id = last;
    if (!MOTE_SERVES(c)) {
        c->sweep = c->stream_count;
        c->life = MOTE_H2_DRAINING;
    }
    mote_h2_event *ev = c->event;
    ev->type = MOTE_H2_GOAWAY;
    ev->last_id = last;
    ev->code = mote_h2_get32(c->frame.fixed + 4);
    c->calmed = ev->code == MOTE_H2_ENHANCE_YOUR_CALM;
    return mote_h2_charge(c, COST_IGNORED) < 0 ? c->error : 1;
}

/* RFC 9113 6.8, 8.7: streams above the last id of a GOAWAY were not and will not be processed. */
int mote_h2_sweep(mote_h2 *c)
{
    while (c->sweep > 0) {
        mote_h2_stream *s = &c->streams[c->stream_count - c->sweep--];
        if (s->id <= c->peer_goaway_id || s->state == MOTE_H2_STATE_RESET_OWED)
            continue;
        mote_h2_event *ev = c->event;
        ev->type = MOTE_H2_RESET;
        ev->stream = s;
        ev->code = MOTE_H2_REFUSED_STREAM;
        ev->remote = true;
        mote_h2_stream_remove(c, s);
        return 1;
    }
    return 0;
}
