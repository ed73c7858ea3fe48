/* PING, asked and answered (RFC 9113 6.7). */
#include "h2_internal.h"

#include <string.h>

int mote_h2_ping(mote_h2 *c)
{
    CHECK_CONNECTION(c);
    if (c->life == MOTE_H2_FAILED)
        return c->error;
    if (c->pinging)
        return MOTE_H2_AGAIN;
    c->pinging = true;
    c->owed |= OWE_PING;
    mote_h2_flush(c);
    return 0;
}

/* The answer to ours. After the announcement of the end all that the peer had sent before it heard
 * of it has arrived by now (RFC 9113 6.8). */
static int answered(mote_h2 *c, mote_h2_event *ev)
{
    if (!c->pinging)
        return mote_h2_charge(c, COST_IGNORED);
    c->pinging = false;
    if (c->life == MOTE_H2_ANNOUNCED) {
        c->life = MOTE_H2_DRAINING;
        c->goaway_last = c->last_peer_id;
        c->owed |= OWE_GOAWAY;
    }
    ev->type = MOTE_H2_PONG;
    return 1;
}

/* One unanswered PING fits the state; a second one is dropped, at a price. */
int mote_h2_on_ping(mote_h2 *c, mote_h2_event *ev)
{
    bool waits = c->owed & OWE_PING_ACK;
    uint32_t cost = c->talked ? 0 : waits ? 8 * COST_PING : COST_PING;

    if (c->frame.flags & FLAG_ACK)
        return answered(c, ev);
    if (c->budget < cost) /* gRPC proposal A8: by this text a client knows */
        return mote_h2_fatal(c, MOTE_H2_ERR_CALM, MOTE_H2_ENHANCE_YOUR_CALM, "too_many_pings");
    c->budget -= cost;
    c->talked = false; /* a receiver may measure the path: a PING for each DATA frame is fair */
    if (!waits)
        memcpy(c->ping, c->frame.fixed, sizeof c->ping);
    c->owed |= OWE_PING_ACK;
    return 0;
}
