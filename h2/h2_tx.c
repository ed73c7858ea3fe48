/* The transmit buffer, and the frames that are derived from what is owed to the peer. */
#include "h2_internal.h"

#include <string.h>

uint8_t *mote_h2_tx_room(mote_h2 *c, size_t len)
{
    uint8_t *tx = c->tx;

    if (c->tx_size - c->tx_tail >= len)
        return tx + c->tx_tail;
    if (c->tx_size - (c->tx_tail - c->tx_head) < len)
        return NULL;
    memmove(tx, tx + c->tx_head, c->tx_tail - c->tx_head);
    if (c->tx_frame < c->tx_size)
        c->tx_frame -= c->tx_head;
    c->tx_tail -= c->tx_head;
    c->tx_head = 0;
    return tx + c->tx_tail;
}

size_t mote_h2_tx_space(const mote_h2 *c)
{
    return c->tx_size - (c->tx_tail - c->tx_head);
}

/* RFC 9113 4.1: what is undefined stays 0 */
void mote_h2_frame_header(uint8_t *p, size_t len, unsigned type, unsigned flags, uint32_t id)
{
    p[0] = (uint8_t)(len >> 16);
    p[1] = (uint8_t)(len >> 8);
    p[2] = (uint8_t)len;
    p[3] = (uint8_t)type;
    p[4] = (uint8_t)flags;
    mote_h2_put32(p + 5, id);
}

uint8_t *mote_h2_tx_frame(mote_h2 *c, unsigned type, unsigned flags, uint32_t id, size_t len)
{
    uint8_t *p = mote_h2_tx_room(c, FRAME_HEADER_SIZE + len);

    if (!p)
        return NULL;
    mote_h2_frame_header(p, len, type, flags, id);
    c->tx_tail += FRAME_HEADER_SIZE + len;
    c->tx_frame = c->tx_size;
    return p + FRAME_HEADER_SIZE;
}

static bool write32(mote_h2 *c, unsigned type, uint32_t id, uint32_t value)
{
    uint8_t *payload = mote_h2_tx_frame(c, type, 0, id, 4);

    if (payload)
        mote_h2_put32(payload, value);
    return payload != NULL;
}

void mote_h2_tx_reset(mote_h2 *c, uint32_t id, uint32_t code)
{
    write32(c, FRAME_RST_STREAM, id, code);
}

static bool flush_acks(mote_h2 *c)
{
    for (; c->acks > 0; c->acks--) {
        if (!mote_h2_tx_frame(c, FRAME_SETTINGS, FLAG_ACK, 0, 0))
            return false;
    }
    return true;
}

/* RFC 9113 6.7: the answer repeats the octets of the question */
static bool flush_pings(mote_h2 *c)
{
    uint8_t *payload;

    if (c->owed & OWE_PING_ACK) {
        if (!(payload = mote_h2_tx_frame(c, FRAME_PING, FLAG_ACK, 0, PING_SIZE)))
            return false;
        memcpy(payload, c->ping, PING_SIZE);
        c->owed &= (uint8_t)~OWE_PING_ACK;
    }
    if (c->owed & OWE_PING) {
        if (!(payload = mote_h2_tx_frame(c, FRAME_PING, 0, 0, PING_SIZE)))
            return false;
        memcpy(payload, "moteping", PING_SIZE);
        c->owed &= (uint8_t)~OWE_PING;
    }
    return true;
}

/* RFC 9113 6.9.1: the sum of what was given back stays within the window that was announced */
static bool flush_window(mote_h2 *c)
{
    if (!(c->owed & OWE_WINDOW))
        return true;
    if (!write32(c, FRAME_WINDOW_UPDATE, 0, c->credit))
        return false;
    c->recv_window += (int32_t)c->credit;
    c->credit = 0;
    c->owed &= (uint8_t)~OWE_WINDOW;
    return true;
}

static bool flush_refused(mote_h2 *c)
{
    if (!(c->owed & OWE_REFUSED))
        return true;
    for (; c->refused_first <= c->refused_last; c->refused_first += 2) {
        if (!write32(c, FRAME_RST_STREAM, c->refused_first, MOTE_H2_REFUSED_STREAM))
            return false;
    }
    c->owed &= (uint8_t)~OWE_REFUSED;
    return true;
}

static bool flush_stream(mote_h2 *c, mote_h2_stream *s)
{
    if (s->flags & STREAM_RESET_OWED) {
        if (!write32(c, FRAME_RST_STREAM, s->id, s->reset_code))
            return false;
        mote_h2_stream_remove(c, s);
    } else if (s->flags & STREAM_CREDIT_OWED) {
        if (!write32(c, FRAME_WINDOW_UPDATE, s->id, s->credit))
            return false;
        s->recv_window += (int32_t)s->credit;
        s->credit = 0;
        s->flags &= (uint16_t)~STREAM_CREDIT_OWED;
        c->owing_streams--;
    }
    return true;
}

static bool flush_streams(mote_h2 *c)
{
    for (mote_h2_stream *s = c->streams; c->owing_streams > 0; s++) {
        if (!flush_stream(c, s))
            return false;
    }
    return true;
}

static bool flush_goaway(mote_h2 *c)
{
    const char *text = mote_h2_error_text(c);
    size_t len = 0;
    uint8_t *payload;

    if (!(c->owed & OWE_GOAWAY))
        return true;
    while (len < 64 && text[len] != '\0')
        len++;
    if (!(payload = mote_h2_tx_frame(c, FRAME_GOAWAY, 0, 0, 8 + len)))
        return false;
    mote_h2_put32(payload, c->goaway_last);
    mote_h2_put32(payload + 4, c->error_code);
    memcpy(payload + 8, text, len);
    c->owed &= (uint8_t)~OWE_GOAWAY;
    return true;
}

bool mote_h2_flush(mote_h2 *c)
{
    if ((c->owed & (uint8_t)~CONN_BLOCKED) == 0 && c->acks == 0 && c->owing_streams == 0)
        return true;
    if (c->error < 0)
        return flush_goaway(c);
    return flush_acks(c) && flush_pings(c) && flush_streams(c) && flush_refused(c) &&
           flush_window(c) && flush_goaway(c);
}

const uint8_t *mote_h2_peek(mote_h2 *c, size_t *len)
{
    mote_h2_flush(c);
    c->tx_frame = c->tx_size; /* what the transport has seen does not change any more */
    *len = c->tx_tail - c->tx_head;
    return *len > 0 ? c->tx + c->tx_head : NULL;
}

void mote_h2_ack(mote_h2 *c, size_t len)
{
    c->tx_head += len;
    if (c->tx_head == c->tx_tail)
        c->tx_head = c->tx_tail = 0;
}
