#ifndef MOTE_PB_INTERNAL_H
#define MOTE_PB_INTERNAL_H

#include "pb.h"

#include <string.h>

/* RARE: kept out of what is not. APART: one copy for all who call it. FAST: the same, but at each
 * caller where the compiler is not told to save bytes. */
#if defined(__GNUC__)
#define MOTE_PB_RARE  __attribute__((noinline, cold))
#define MOTE_PB_APART __attribute__((noinline))
#else
#define MOTE_PB_RARE
#define MOTE_PB_APART
#endif
/* HOST: with code of its own for hosts, beside that of boards. A test asks for that of BOARDs. */
#if !defined(__OPTIMIZE_SIZE__) && !defined(MOTE_PB_BOARD)
#define MOTE_PB_HOST
#endif
#ifndef MOTE_PB_HOST
#define MOTE_PB_FAST MOTE_PB_APART
enum { MOTE_PB_SHORTCUTS = 0 }; /* before code that does the same more slowly */
#else
#define MOTE_PB_FAST inline
enum { MOTE_PB_SHORTCUTS = 1 };
#endif

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

/* MOTE_PB_TYPES as a table, by enum mote_pb_type. */
typedef struct {
    uint8_t size;  /* of one element in the struct or an array; for messages of a pointer */
    uint8_t value; /* offset of `value` in its mote_pb_opt_ struct */
    uint8_t kind;
} mote_pb_type_info;
extern const mote_pb_type_info mote_pb_types[];

static inline const mote_pb_type_info *mote_pb_info_of(const mote_pb_field *f)
{
    return &mote_pb_types[mote_pb_type_of(f)];
}

static inline bool mote_pb_is_message(const mote_pb_field *f)
{
    return mote_pb_type_of(f) == MOTE_PB_MESSAGE || mote_pb_type_of(f) == MOTE_PB_GROUP;
}

static inline bool mote_pb_is_list(const mote_pb_field *f)
{
    return mote_pb_label_of(f) == MOTE_PB_REPEATED || mote_pb_label_of(f) == MOTE_PB_PACKED;
}

static inline bool mote_pb_is_supplied(const mote_pb_field *f)
{
    return mote_pb_label_of(f) == MOTE_PB_SUPPLIED;
}

/* Lists, what functions supply, and the unknown fields that were kept. */
static inline bool mote_pb_is_plural(const mote_pb_field *f)
{
    return mote_pb_label_of(f) >= MOTE_PB_REPEATED && mote_pb_label_of(f) != MOTE_PB_ONEOF;
}

/* Where the type of a field that is a message stands in subs. */
static inline size_t mote_pb_sub_index(const mote_pb_message *type, const mote_pb_field *f)
{
    size_t index = f->aux & 0x7fu;

    return index < MOTE_PB_MANY_SUBS ? index : index + (size_t)(f - type->fields);
}

static inline const mote_pb_message *mote_pb_sub_of(const mote_pb_message *type,
                                                    const mote_pb_field *f)
{
    return type->subs[mote_pb_sub_index(type, f)];
}

/* The `which` of the oneof that a field is a member of. */
static inline size_t mote_pb_which_offset(const mote_pb_field *f)
{
    return f->offset - (f->aux & 0x80 ? 8u : 4u);
}

/* The number of the field that is set in the oneof of a field. */
static inline uint32_t mote_pb_which(const mote_pb_field *f, const uint8_t *message)
{
    uint32_t which;

    memcpy(&which, message + mote_pb_which_offset(f), sizeof which);
    return which;
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

#endif
