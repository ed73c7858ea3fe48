/* What writing and sizing of large messages share. */
#ifndef MOTE_PB_WALK_H
#define MOTE_PB_WALK_H

#include "pb_writer.h"

/* A message that is open. */
typedef struct {
    const mote_pb_message *type;
    const uint8_t *message;
    size_t element; /* of the field at work: those before it are done */
    size_t end;     /* of its bytes in the output; while it is sized: its bytes so far */
    uint32_t slot;  /* while it is sized: where its length is kept */
    uint16_t field; /* row of the field at work */
} mote_pb_level;

/* Other implementations read 100 messages inside of the outermost one. */
enum { MOTE_PB_LEVELS = 101 };

static inline mote_pb_level *mote_pb_level_at(const mote_pb_walk *w, size_t depth)
{
    return (mote_pb_level *)(void *)w->memory + depth;
}

static inline const mote_pb_field *mote_pb_row(const mote_pb_level *l)
{
    return &l->type->fields[l->field];
}

/* Where lengths are kept: downward from the end of the memory, in the order of the output. */
static inline uint32_t *mote_pb_length_at(const mote_pb_walk *w, size_t slot)
{
    return (uint32_t *)(void *)(w->memory + w->size) - 1 - slot;
}

/* A message at this depth is opened: 0, MOTE_PB_ERR_DEPTH or MOTE_PB_ERR_MEMORY. */
int mote_pb_level_open(mote_pb_walk *w, size_t depth, const mote_pb_message *type,
                       const void *message);
/* Of a field that is a message, the element at work; NULL: there is none. 0, or MOTE_PB_ERR_SUPPLY:
 * its function did not give it. */
int mote_pb_element(const mote_pb_level *l, const uint8_t **element);
/* The bytes of a message that would be opened at `depth`, and the lengths of those inside of it, as
 * many as there is memory for. 0 or an error. */
int mote_pb_walk_size(mote_pb_walk *w, size_t depth, const mote_pb_message *type,
                      const void *message, size_t *size);
/* Elements of a field that are there, and where the first one lies. */
size_t mote_pb_elements(const mote_pb_field *f, const uint8_t *message, const uint8_t **first);
/* The bytes of the values of a packed field. 0, or MOTE_PB_ERR_SUPPLY, or MOTE_PB_ERR_UTF8. */
int mote_pb_packed_size(const mote_pb_field *f, const uint8_t *message, size_t *size);

/* ---- fields that functions supply ---------------------------------------------------------- */

/* An element that is no message. */
typedef union {
    uint64_t number;
    mote_pb_bytes view;
} mote_pb_value;

/* Elements of a repeated field that is no message, or of what functions supply. */
static inline size_t mote_pb_count(const mote_pb_field *f, const uint8_t *message)
{
    const void *place = message + f->offset;

    return mote_pb_is_supplied(f) ? ((const mote_pb_supply *)place)->count
                                  : ((const mote_pb_list *)place)->count;
}

/* One of them: in its array, or in *spare; NULL: the function did not give it. */
const void *mote_pb_item(const mote_pb_field *f, const uint8_t *message, size_t index,
                         mote_pb_value *spare);

static inline bool mote_pb_is_packed(const mote_pb_field *f)
{
    return mote_pb_label_of(f) == MOTE_PB_PACKED ||
           (mote_pb_is_supplied(f) && !mote_pb_is_message(f) && f->aux == 1);
}

#endif
