/* PING, asked and answered (RFC 9113 6.7). */
#include "h2_internal.h"

#include <string.h>

int mote_h2_ping(mote_h2 *c)
{
    CHECK_CONNECTION(c);
    if (c->life == MOTE_H2_FAILED)
        return c->error;
    if (c->asked > 0)
        return MOTE_H2_AGAIN;
    c->asked++;
    c->owed += OWE_PING;
    mote_h2_flush(c);
    return 0;
}

/* An answer to ours, which come in the order of the questions. That of a shutdown is the last: what
 * the peer had sent before it heard that the end comes has arrived by now (RFC 9113 6.8). */
static int answered(mote_h2 *c)
{
    if (c->asked <= (c->owed & OWE_PINGS))
        return mote_h2_charge(c, COST_IGNORED);
    c->asked--;
    if (MOTE_MAY_SERVE && c->asked == 0 && c->life == MOTE_H2_ANNOUNCED) {
        c->life = MOTE_H2_DRAINING;
        c->goaway_last = c->last_peer_id;
        c->owed |= OWE_GOAWAY;
    }
    c->event->type = MOTE_H2_PONG;
    return 1;
}

/* A few fit the state while there is no room for their answers; one more is dropped, at a price. */
int mote_h2_on_ping(mote_h2 *c)
{
    bool full = c->pings == MOTE_H2_PINGS;
    uint32_t cost = c->talked ? 0 : full ? 8 * COST_PING : COST_PING;

    if (c->frame.flags & FLAG_ACK)
        return answered(c);
    if (c->budget < cost) /* gRPC proposal A8: by this text a client knows */
        return mote_h2_fatal(c, MOTE_H2_ERR_CALM, MOTE_H2_ENHANCE_YOUR_CALM,
                             MOTE_SERVER_TEXT("too_many_pings"));
    c->budget -= cost;
    c->talked = false; /* a receiver may measure the path: a PING for each DATA frame is fair */
    if (!full)
        memcpy(c->ping[c->pings++], c->frame.fixed, PING_SIZE);
    return 0;
}
