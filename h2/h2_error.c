/* Ends of connections and streams, and the budget for odd events. */
#include "h2_internal.h"

/* RFC 9113 5.4.1: GOAWAY is the last that is said. */
int mote_h2_fatal(mote_h2 *c, int error, uint32_t code, const char *text)
{
    if (c->error < 0)
        return c->error;
    c->error = error;
    c->error_code = code;
    c->error_text = text;
    c->goaway_last = c->last_peer_id;
    c->owed = OWE_GOAWAY; /* nothing else matters now */
    c->acks = 0;
    mote_h2_flush(c);
    return error;
}

int mote_h2_peer_error(mote_h2 *c, uint32_t code, const char *text)
{
    return mote_h2_fatal(c, MOTE_H2_ERR_PEER, code, text);
}

int mote_h2_charge(mote_h2 *c, uint32_t cost)
{
    if (c->budget < cost)
        return mote_h2_fatal(c, MOTE_H2_ERR_CALM, MOTE_H2_ENHANCE_YOUR_CALM,
                             MOTE_TEXT("too many odd events (resets, pings, empty frames, ...)"));
    c->budget -= cost;
    return 0;
}

int mote_h2_stream_error(mote_h2 *c, mote_h2_stream *s, uint32_t code, mote_h2_event *ev)
{
    if (mote_h2_charge(c, COST_STREAM_ERROR) < 0)
        return c->error;
    ev->type = MOTE_H2_RESET;
    ev->stream = s;
    ev->code = code;
    ev->remote = false;
    mote_h2_reset(c, s, code);
    return 1;
}

void mote_h2_fail(mote_h2 *c, uint32_t code, const char *text)
{
    mote_h2_fatal(c, MOTE_H2_ERR_CLOSED, code, text);
}

/* RFC 9113 5.4.3 */
int mote_h2_recv_eof(mote_h2 *c)
{
    if (c->error == 0) {
        c->error = MOTE_H2_ERR_CLOSED;
        c->error_text = MOTE_TEXT("the peer closed the transport");
    }
    return c->error;
}

int mote_h2_error(const mote_h2 *c)
{
    return c->error;
}

uint32_t mote_h2_error_code(const mote_h2 *c)
{
    return c->error_code;
}

const char *mote_h2_error_text(const mote_h2 *c)
{
    return c->error_text ? c->error_text : "";
}
