/* Messages one after the other, with their lengths in front. */
#include "pb_wire.h"

#include <string.h>

size_t mote_pb_delimit(uint32_t len, uint8_t out[MOTE_PB_DELIMITER])
{
    size_t n = 0;

    while (len > 127) {
        out[n++] = (uint8_t)(len | 128);
        len >>= 7;
    }
    out[n++] = (uint8_t)len;
    return n;
}

void mote_pb_delimited_init(mote_pb_delimited *d, void *buffer, size_t cap)
{
    memset(d, 0, sizeof *d);
    d->buffer = buffer;
    d->cap = cap;
}

/* A byte of a length: 1: it is complete. */
static int add_to_length(mote_pb_delimited *d, uint8_t byte)
{
    if (d->shift == 28 && byte > 15) /* beyond 32 bits, or a sixth byte */
        return MOTE_PB_ERR_VARINT;
    d->len |= (uint32_t)(byte & 127) << d->shift;
    d->shift = (uint8_t)(d->shift + 7);
    return byte < 128;
}

/* The rest of a message, of which d->have bytes are in the buffer. */
static int take_body(mote_pb_delimited *d, const uint8_t *in, size_t len, size_t *used,
                     const uint8_t **message)
{
    size_t left = d->len - d->have;
    bool whole = len >= left;

    if (d->len > d->cap || (len > 0 && !whole && !d->buffer))
        return MOTE_PB_ERR_SPACE;
    *used += whole ? left : len;
    *message = in;
    if (whole && d->have == 0) /* where it lies */
        return 1;
    if (len > 0)
        memcpy(d->buffer + d->have, in, whole ? left : len);
    d->have += len;
    *message = d->buffer;
    return whole;
}

int mote_pb_delimited_read(mote_pb_delimited *d, const uint8_t *in, size_t len, size_t *used,
                           const uint8_t **message, size_t *message_len)
{
    int r = d->error;

    *used = 0;
    while (r == 0 && d->state == MOTE_PB_IN_LENGTH && *used < len) {
        r = add_to_length(d, in[(*used)++]);
        if (r > 0)
            d->state = MOTE_PB_IN_BODY;
    }
    if (r < 0 || d->state == MOTE_PB_IN_LENGTH)
        return d->error = r;
    r = take_body(d, in + *used, len - *used, used, message);
    if (r < 0)
        return d->error = r;
    *message_len = d->len;
    if (r > 0)
        mote_pb_delimited_init(d, d->buffer, d->cap);
    return r;
}

int mote_pb_delimited_end(const mote_pb_delimited *d)
{
    if (d->error < 0)
        return d->error;
    return d->state == MOTE_PB_IN_BODY || d->shift > 0 ? MOTE_PB_ERR_TRUNCATED : 0;
}
