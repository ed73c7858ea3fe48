/* The ends of a connection, and the budget for odd events. */
#include "h2_internal.h"

/* RFC 9113 5.4.1: GOAWAY is the last frame that is sent. */
MOTE_SMALL_APART int mote_h2_fatal(mote_h2 *c, enum mote_h2_error error, uint32_t code,
                                   const char *text)
{
    if (c->life == MOTE_H2_FAILED)
        return c->error;
    c->life = MOTE_H2_FAILED;
    c->error = (int16_t)error;
    c->error_code = code;
    c->error_text = text;
    c->goaway_last = c->last_peer_id;
    c->owed = OWE_GOAWAY; /* nothing else leaves any more; mote_h2_peek() writes it */
    return error;
}

int mote_h2_peer_error(mote_h2 *c, uint32_t code, const char *text)
{
    return mote_h2_fatal(c, MOTE_H2_ERR_PEER, code, text);
}

#ifndef MOTE_NO_TEXTS
/* The scratch is free from here on: no field is decoded any more. */
int mote_h2_peer_error_of(mote_h2 *c, uint32_t code, const char *text, uint32_t value)
{
    char digits[10], *p = digits + sizeof digits, *to = c->decoder.scratch;
    const char *end = to + c->decoder.scratch_size - sizeof digits - 3;

    while (*text != '\0' && to < end)
        *to++ = *text++;
    *to++ = ':';
    *to++ = ' ';
    do
        *--p = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (p < digits + sizeof digits)
        *to++ = *p++;
    *to = '\0';
    return mote_h2_peer_error(c, code, c->decoder.scratch);
}
#endif

int mote_h2_charge(mote_h2 *c, uint32_t cost)
{
    if (c->budget < cost)
        return mote_h2_fatal(c, MOTE_H2_ERR_CALM, MOTE_H2_ENHANCE_YOUR_CALM,
                             MOTE_TEXT("too many odd events (resets, pings, empty frames, ...)"));
    c->budget -= cost;
    return 0;
}

void mote_h2_fail(mote_h2 *c, uint32_t code, const char *text)
{
    CHECK_CONNECTION(c);
    mote_h2_fatal(c, MOTE_H2_ERR_CLOSED, code, text);
}

/* RFC 9113 5.4.3 */
int mote_h2_recv_eof(mote_h2 *c)
{
    CHECK_CONNECTION(c);
    if (c->life != MOTE_H2_FAILED) {
        c->life = MOTE_H2_FAILED;
        c->error = MOTE_H2_ERR_CLOSED;
        c->error_text = c->frame.phase == MOTE_H2_AWAIT_SETTINGS
                            ? MOTE_TEXT("the peer closed the transport before its SETTINGS")
                            : MOTE_TEXT("the peer closed the transport");
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
