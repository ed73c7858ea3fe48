/* The transmit buffer: frames are appended at its end, the transport takes them at its head. */
#include "h2_internal.h"

#include <string.h>

uint8_t *mote_h2_tx_room(mote_h2 *c, size_t len)
{
    mote_h2_tx *tx = &c->tx;

    if (tx->size - tx->tail >= len)
        return tx->bytes + tx->tail;
    if (mote_h2_tx_space(c) < len)
        return NULL;
    memmove(tx->bytes, tx->bytes + tx->head, tx->tail - tx->head);
    tx->frame -= tx->head; /* without meaning where there is no such frame */
    tx->tail -= tx->head;
    tx->head = 0;
    return tx->bytes + tx->tail;
}

size_t mote_h2_tx_space(const mote_h2 *c)
{
    return c->tx.size - (c->tx.tail - c->tx.head);
}

MOTE_SMALL_APART bool mote_h2_half_free(const mote_h2 *c)
{
    return mote_h2_tx_space(c) >= c->tx.size / 2;
}

/* RFC 9113 4.1: what is undefined stays 0 */
MOTE_APART void mote_h2_frame_header(uint8_t *p, size_t len, unsigned type, unsigned flags,
                                     uint32_t id)
{
    mote_h2_put32(p, (uint32_t)len << 8 | type);
    p[4] = (uint8_t)flags;
    mote_h2_put32(p + 5, id);
}

uint8_t *mote_h2_tx_frame(mote_h2 *c, unsigned type, unsigned flags, uint32_t id, size_t len)
{
    uint8_t *p = mote_h2_tx_room(c, FRAME_HEADER_SIZE + len);

    if (!p)
        return NULL;
    mote_h2_frame_header(p, len, type, flags, id);
    c->tx.tail += FRAME_HEADER_SIZE + len;
    c->tx.owner = NULL;
    return p + FRAME_HEADER_SIZE;
}

bool mote_h2_tx_word(mote_h2 *c, unsigned type, uint32_t id, uint32_t value)
{
    uint8_t *payload = mote_h2_tx_frame(c, type, 0, id, 4);

    if (payload)
        mote_h2_put32(payload, value);
    return payload != NULL;
}

void mote_h2_ack(mote_h2 *c, size_t len)
{
    mote_h2_tx *tx = &c->tx;

    CHECK_CONNECTION(c);
    MOTE_CHECK_THAT(len <= (tx->owner ? tx->frame : tx->tail) - tx->head);
    tx->head += len;
    if (tx->head == tx->tail)
        tx->head = tx->tail = 0;
}
