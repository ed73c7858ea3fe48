#ifndef MOTE_PB_WIRE_H
#define MOTE_PB_WIRE_H

#include "pb_internal.h"

/* Each reads at *p and moves it on: 0, or an error. */
int mote_pb_read_varint_slow(const uint8_t **p, const uint8_t *end, uint64_t *v);
int mote_pb_read_key(const uint8_t **p, const uint8_t *end, uint32_t *key);
/* A length that what is left can hold. */
int mote_pb_read_len(const uint8_t **p, const uint8_t *end, size_t *len);
/* A whole field whose key was read. */
int mote_pb_skip(const uint8_t **p, const uint8_t *end, uint32_t key);

static inline int mote_pb_read_varint(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
    if (MOTE_PB_SHORTCUTS && *p < end && **p < 128) {
        *v = *(*p)++;
        return 0;
    }
    return mote_pb_read_varint_slow(p, end, v);
}

#endif
