/* What is owed to the peer is state, and becomes frames when there is room. */
#include "h2_internal.h"

#include <string.h>

static bool flush_acks(mote_h2 *c)
{
    for (; c->acks > 0; c->acks--) {
        if (!mote_h2_tx_frame(c, MOTE_H2_FRAME_SETTINGS, FLAG_ACK, 0, 0))
            return false;
    }
    return true;
}

static bool tx_ping(mote_h2 *c, unsigned flags, const void *octets)
{
    uint8_t *payload = mote_h2_tx_frame(c, MOTE_H2_FRAME_PING, flags, 0, PING_SIZE);

    if (payload)
        memcpy(payload, octets, PING_SIZE);
    return payload != NULL;
}

/* RFC 9113 6.7: an answer repeats the octets of its question */
static bool flush_pongs(mote_h2 *c)
{
    while (c->pings > 0) {
        if (!tx_ping(c, FLAG_ACK, c->ping[0]))
            return false;
        memmove(c->ping[0], c->ping[1], sizeof c->ping - PING_SIZE);
        c->pings--;
    }
    return true;
}

/* That of a shutdown stands behind its GOAWAY. */
static bool flush_pings(mote_h2 *c)
{
    for (; c->owed & OWE_PINGS; c->owed--) {
        if (!tx_ping(c, 0, "moteping"))
            return false;
    }
    return true;
}

/* RFC 9113 6.9.1: the sum of what was given back stays within the window that was announced */
static bool flush_window(mote_h2 *c)
{
    if (!(c->owed & OWE_WINDOW))
        return true;
    if (!mote_h2_tx_word(c, MOTE_H2_FRAME_WINDOW_UPDATE, 0, c->credit))
        return false;
    c->recv_window += (int32_t)c->credit;
    c->credit = 0;
    c->owed &= (uint8_t)~OWE_WINDOW;
    return true;
}

static bool flush_refused(mote_h2 *c)
{
    if (!MOTE_MAY_SERVE || !(c->owed & OWE_REFUSED))
        return true;
    for (; c->refused_first <= c->refused_last; c->refused_first += 2) {
        if (!mote_h2_tx_word(c, MOTE_H2_FRAME_RST_STREAM, c->refused_first, MOTE_H2_REFUSED_STREAM))
            return false;
    }
    c->owed &= (uint8_t)~OWE_REFUSED;
    return true;
}

void mote_h2_owe(mote_h2 *c, mote_h2_stream *s)
{
    if (c->owing_streams++ == 0) /* as a rule there is one */
        c->owing = s;
}

static bool flush_stream(mote_h2 *c, mote_h2_stream *s)
{
    if (s->state == MOTE_H2_STATE_RESET_OWED) {
        if (!mote_h2_tx_word(c, MOTE_H2_FRAME_RST_STREAM, s->id, s->reset_code))
            return false;
        mote_h2_stream_remove(c, s);
    } else if (s->flags & STREAM_CREDIT_OWED) {
        if (!mote_h2_tx_word(c, MOTE_H2_FRAME_WINDOW_UPDATE, s->id, s->credit))
            return false;
        s->recv_window += (int32_t)s->credit;
        s->credit = 0;
        s->flags &= (uint8_t)~STREAM_CREDIT_OWED;
        c->owing_streams--;
    }
    return true;
}

/* In turn, from where there was no room the last time. */
static bool flush_streams(mote_h2 *c)
{
    while (c->owing_streams > 0) {
        if (!flush_stream(c, c->owing))
            return false;
        if (++c->owing == c->streams + c->stream_count)
            c->owing = c->streams;
    }
    return true;
}

static bool flush_goaway(mote_h2 *c)
{
    const char *text = MOTE_SERVER_TEXT(c->error_text);
    size_t len = 0;
    uint8_t *payload;

    if (!(c->owed & OWE_GOAWAY))
        return true;
    while (text && len < 64 && text[len] != '\0')
        len++;
    if (!(payload = mote_h2_tx_frame(c, MOTE_H2_FRAME_GOAWAY, 0, 0, 8 + len)))
        return false;
    mote_h2_put32(payload, c->goaway_last);
    mote_h2_put32(payload + 4, c->error_code);
    if (len > 0)
        memcpy(payload + 8, text, len);
    c->owed &= (uint8_t)~OWE_GOAWAY;
    return true;
}

bool mote_h2_flush(mote_h2 *c)
{
    if (c->owed == 0 && c->acks == 0 && c->pings == 0 && c->owing_streams == 0)
        return true;
    if (c->life == MOTE_H2_FAILED)
        return flush_goaway(c);
    return flush_acks(c) && flush_pongs(c) && flush_streams(c) && flush_refused(c) &&
           flush_window(c) && flush_goaway(c) && flush_pings(c);
}

const uint8_t *mote_h2_peek(mote_h2 *c, size_t *len)
{
    CHECK_CONNECTION(c);
    mote_h2_flush(c);
    c->tx.owner = NULL; /* what the transport has seen does not change any more */
    *len = c->tx.tail - c->tx.head;
    return *len > 0 ? c->tx.bytes + c->tx.head : NULL;
}
