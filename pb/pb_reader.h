/* The decoder at work, for its parts. */
#ifndef MOTE_PB_READER_H
#define MOTE_PB_READER_H

#include "pb_wire.h"
#include "pb_speed.h"

#ifdef MOTE_RED_ZONES
void __asan_poison_memory_region(void const volatile *at, size_t size); /* of its runtime */
void __asan_unpoison_memory_region(void const volatile *at, size_t size);
#define MOTE_PB_FORBID(at, size) __asan_poison_memory_region(at, size)
#define MOTE_PB_PERMIT(at, size) __asan_unpoison_memory_region(at, size)
#else
#define MOTE_PB_FORBID(at, size) ((void)0)
#define MOTE_PB_PERMIT(at, size) ((void)0)
#endif

/* A message that is open while one inside of it is decoded. */
typedef struct {
    const mote_pb_message *type;
    uint8_t *message;
    const uint8_t *begin; /* of its bytes; NULL: it is merged with one that was there before */
    const uint8_t *end;
    uint32_t group; /* number of the group that it is; 0: none */
} mote_pb_open;

struct mote_pb_reader {
    mote_pb_open top;
    const uint8_t *p;
    const mote_pb_field *next; /* where the next field is expected */
    const mote_pb_field *field;
    const uint8_t *start; /* of the field, its key included */
    const mote_pb_decoder *parts;
    mote_pb_arena *arena;
    size_t stack;                     /* bytes of open messages at the end of the arena */
    void (*leave)(mote_pb_reader *d); /* ends the one on top: set by the part that has begun it */
};

/* The stack of open messages lies at the end of the arena. */
static inline uint8_t *mote_pb_open_place(const mote_pb_reader *d)
{
    return d->arena->memory + d->arena->size - d->stack;
}

enum { MOTE_PB_MAX_DEPTH = 100 };

/* By members: where a struct is copied as a whole, processors wait for the stores of its halves. */
static inline void mote_pb_copy_open(uint8_t *to, const mote_pb_open *from)
{
    if (!MOTE_PB_SHORTCUTS) {
        memcpy(to, from, sizeof *from);
        return;
    }
    memcpy(to + offsetof(mote_pb_open, type), &from->type, sizeof(void *));
    memcpy(to + offsetof(mote_pb_open, message), &from->message, sizeof(void *));
    memcpy(to + offsetof(mote_pb_open, begin), &from->begin, sizeof(void *));
    memcpy(to + offsetof(mote_pb_open, end), &from->end, sizeof(void *));
    memcpy(to + offsetof(mote_pb_open, group), &from->group, sizeof from->group);
}

/* The end of a message inside of another. */
static inline void mote_pb_leave(mote_pb_reader *d)
{
    memcpy(&d->top, mote_pb_open_place(d), sizeof d->top);
    d->stack -= sizeof d->top;
    d->next = d->top.type->fields;
}

/* Zeroed memory of the arena, aligned for every type; NULL: none is left. */
void *mote_pb_allocate(mote_pb_reader *d, size_t size);
/* Room for `extra` more elements of `size` bytes. 0 or MOTE_PB_ERR_ARENA. */
int mote_pb_grow(mote_pb_reader *d, mote_pb_list *list, size_t extra, size_t size);
/* Elements that an array has room for: the word before the first one. */
enum { MOTE_PB_HEAD = 8 };
static inline size_t mote_pb_capacity(const mote_pb_list *list)
{
    size_t cap = 0;

    if (list->items)
        memcpy(&cap, (const uint8_t *)list->items - sizeof cap, sizeof cap);
    return cap;
}

/* The value behind a key, which is of the wire type of the field. 0 or an error. */
int mote_pb_read_value(mote_pb_reader *d, const mote_pb_field *f, uint8_t *to);
/* A field that is no list and no message, behind its key. 0 or an error. */
int mote_pb_read_single(mote_pb_reader *d, const mote_pb_field *f);
/* On hosts: fields, until one that is for others, whose first byte is at d->p; `limit` is the end
 * of the input. 0 or an error, whose place is in *d. */
int mote_pb_read_ahead(mote_pb_reader *d, const uint8_t *limit);
/* Keeps bytes of an unknown field, if the message keeps any. 0 or MOTE_PB_ERR_ARENA. */
int mote_pb_keep_bytes(mote_pb_reader *d, const uint8_t *data, size_t len);

#endif
