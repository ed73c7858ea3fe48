#ifndef MOTE_PB_INTERNAL_H
#define MOTE_PB_INTERNAL_H

#include "pb.h"

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
size_t mote_pb_element_size(unsigned type);
/* Offset of `value` in the mote_pb_opt_ struct of a type. */
size_t mote_pb_value_offset(unsigned type);
/* The `which` of the oneof that a field is a member of. */
static inline size_t mote_pb_which_offset(const mote_pb_field *f)
{
    return f->offset - (f->aux & 0x80 ? 8u : 4u);
}

bool mote_pb_utf8_valid(const uint8_t *s, size_t len);

#endif
