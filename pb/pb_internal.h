#ifndef MOTE_PB_INTERNAL_H
#define MOTE_PB_INTERNAL_H

#include "pb.h"

#include <string.h>

enum { WIRE_VARINT, WIRE_I64, WIRE_LEN, WIRE_SGROUP, WIRE_EGROUP, WIRE_I32 };

/* A repeated field as the runtime sees it. */
typedef struct {
    void *items;
    size_t count;
} mote_pb_list;

static inline unsigned mote_pb_type_of(const mote_pb_field *f)
{
    return f->type & 31u;
}

static inline unsigned mote_pb_label_of(const mote_pb_field *f)
{
    return f->type & 0xe0u;
}

static inline bool mote_pb_is_message(const mote_pb_field *f)
{
    return mote_pb_type_of(f) == MOTE_PB_MESSAGE || mote_pb_type_of(f) == MOTE_PB_GROUP;
}

/* Bytes of one element in the struct or an array; for messages of a pointer. */
extern const uint8_t mote_pb_sizes[19];
static inline size_t mote_pb_element_size(unsigned type)
{
    return mote_pb_sizes[type];
}
/* Offset of `value` in the mote_pb_opt_ struct of a type. */
size_t mote_pb_value_offset(unsigned type);
/* The `which` of the oneof that a field is a member of. */
static inline size_t mote_pb_which_offset(const mote_pb_field *f)
{
    return f->offset - (f->aux & 0x80 ? 8u : 4u);
}

/* Little-endian values at any address. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { MOTE_PB_LITTLE_ENDIAN = 1 };

static inline uint64_t mote_pb_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t mote_pb_load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void mote_pb_store64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void mote_pb_store32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}
#else
enum { MOTE_PB_LITTLE_ENDIAN = 0 };

static inline uint32_t mote_pb_load32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t mote_pb_load64(const uint8_t *p)
{
    return mote_pb_load32(p) | (uint64_t)mote_pb_load32(p + 4) << 32;
}

static inline void mote_pb_store32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static inline void mote_pb_store64(uint8_t *p, uint64_t v)
{
    mote_pb_store32(p, (uint32_t)v);
    mote_pb_store32(p + 4, (uint32_t)(v >> 32));
}
#endif

bool mote_pb_utf8_valid(const uint8_t *s, size_t len);

#endif
