/* The encoder at work, for its parts. */
#ifndef MOTE_PB_WRITER_H
#define MOTE_PB_WRITER_H

#include "pb_internal.h"

/* Output, from its end: [start, p) is free, [p, end) is written. With a window, only the bytes of
 * the message at [offset, offset + cap) are kept, and nothing is free. */
struct mote_pb_writer {
    const mote_pb_encoder *parts;
    uint8_t *p, *start, *end;
    size_t lost; /* bytes that found no room, or went to the window */
    uint8_t *out;
    size_t offset, cap, total;
};

/* Bytes so far, counted from the end of the message. */
static inline size_t mote_pb_written(const mote_pb_writer *w)
{
    return w->lost + (size_t)(w->end - w->p);
}

static inline bool mote_pb_has_room(const mote_pb_writer *w, size_t n)
{
    return (size_t)(w->p - w->start) >= n;
}

/* What found no room: it is counted, and what lies in the window is kept. */
void mote_pb_put_rest(mote_pb_writer *w, const uint8_t *data, size_t n);
/* A key or a length as a varint. */
void mote_pb_put_number(mote_pb_writer *w, size_t v);

static inline void mote_pb_put(mote_pb_writer *w, const void *data, size_t n)
{
    if (n == 0)
        return;
    if (mote_pb_has_room(w, n)) {
        w->p -= n;
        memcpy(w->p, data, n);
    } else {
        mote_pb_put_rest(w, data, n);
    }
}

/* The value at `p`, without its key. */
void mote_pb_put_value(mote_pb_writer *w, const mote_pb_field *f, const void *p);
/* The last of the first `count` fields, and those before it down to one that is a message. Returns
 * how many are left. */
size_t mote_pb_put_fields(mote_pb_writer *w, const mote_pb_message *type, const uint8_t *message,
                          size_t count);

/* The number of the field that is set in the oneof of a field. */
static inline uint32_t mote_pb_which(const mote_pb_field *f, const uint8_t *message)
{
    uint32_t which;

    memcpy(&which, message + mote_pb_which_offset(f), sizeof which);
    return which;
}

#endif
