/* The encoder at work, for its parts. */
#ifndef MOTE_PB_WRITER_H
#define MOTE_PB_WRITER_H

#include "pb_internal.h"
#include "pb_speed.h"

/* Tests count the fields and elements that are looked at. */
#ifndef MOTE_PB_LOOKED_AT
#define MOTE_PB_LOOKED_AT(n) ((void)0)
#endif

/* Output, from its end: [start, p) is free, [p, end) is written. With a window, only the bytes of
 * the message at [offset, offset + cap) are kept, and nothing is free. */
struct mote_pb_writer {
    const mote_pb_encoder *parts;
    uint8_t *p, *start, *end;
    size_t lost; /* bytes that found no room, or went to the window */
    uint8_t *out;
    size_t offset, cap, total;
    int error;   /* the first one of a text, with MOTE_PB_CHECK_SENT */
    bool counts; /* nothing is written, and the size is asked for */
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

/* A number has at most 10 bytes, and so have the key and the length beside a value. */
enum { MOTE_PB_NUMBER_SIZE = 10 };

/* The bytes of a number. */
static inline size_t mote_pb_sized_varint(uint64_t v)
{
#if defined(__GNUC__) && !defined(__OPTIMIZE_SIZE__)
    return (unsigned)(640 - 9 * __builtin_clzll(v | 1)) / 64; /* bits / 7, rounded up */
#else
    size_t n = 1;

    for (v >>= 7; v > 0; v >>= 7)
        n++;
    return n;
#endif
}

static inline uint8_t *mote_pb_push_number(uint8_t *p, uint64_t v)
{
    if (v < 128) {
        *--p = (uint8_t)v;
        return p;
    }
    if (v < 1 << 14) {
        *--p = (uint8_t)(v >> 7);
        *--p = (uint8_t)(v | 128);
        return p;
    }
    uint8_t *to = p -= mote_pb_sized_varint(v);
    for (; v >= 128; v >>= 7)
        *to++ = (uint8_t)(v | 128);
    *to = (uint8_t)v;
    return p;
}

/* The value at `p`, without its key. */
void mote_pb_put_value(mote_pb_writer *w, const mote_pb_field *f, const void *p);
/* A field that is no message: all of it. */
void mote_pb_put_field(mote_pb_writer *w, const mote_pb_field *f, const uint8_t *message);
/* Once a message, not for each part of it: a text that is no UTF-8 is the writer's error. */
void mote_pb_check_text(mote_pb_writer *w, const mote_pb_bytes *text);
/* All of a message, on hosts: as mote_pb_put_deep(), with more code and in less time. */
int mote_pb_put_host(mote_pb_writer *w, const mote_pb_message *type, const void *message,
                     mote_pb_frame *stack, mote_pb_frame *last);
/* The last of the first `count` fields, and those before it down to one that is a message. Returns
 * how many are left. */
size_t mote_pb_put_fields(mote_pb_writer *w, const mote_pb_message *type, const uint8_t *message,
                          size_t count);

/* ---- what is in a struct ------------------------------------------------------------------- */

static inline uint64_t mote_pb_load(const void *p, size_t size)
{
    uint64_t v64;
    uint32_t v32;
    bool b;

    if (size == 4) {
        memcpy(&v32, p, 4);
        return v32;
    }
    if (size == 8) {
        memcpy(&v64, p, 8);
        return v64;
    }
    memcpy(&b, p, sizeof b);
    return b;
}

/* A number as its varint has it. */
static inline uint64_t mote_pb_number(const mote_pb_type_info *info, const void *p)
{
    uint64_t v = mote_pb_load(p, info->size);

    if (info->kind != MOTE_PB_UNSIGNED && info->size == 4) /* to ten bytes, when negative */
        v = (uint64_t)(int64_t)(int32_t)(uint32_t)v;
    if (info->kind == MOTE_PB_ZIGZAG) /* the sign goes to the lowest bit */
        v = v << 1 ^ (0 - (v >> 63));
    return v;
}

static inline bool mote_pb_is_empty(const mote_pb_field *f, const void *p)
{
    if ((f->key & 7) == MOTE_PB_LEN)
        return ((const mote_pb_bytes *)p)->len == 0;
    return mote_pb_load(p, mote_pb_info_of(f)->size) == 0;
}

/* Where the value of a field lies that is neither a message nor a list; NULL: it is absent. */
static inline const uint8_t *mote_pb_single(const mote_pb_field *f, const uint8_t *message)
{
    const uint8_t *p = message + f->offset;

    switch (mote_pb_label_of(f)) {
    case MOTE_PB_IMPLICIT:
        return mote_pb_is_empty(f, p) ? NULL : p;
    case MOTE_PB_OPTIONAL:
        return mote_pb_load(p, sizeof(bool)) ? p + mote_pb_info_of(f)->value : NULL;
    case MOTE_PB_ONEOF:
        return mote_pb_which(f, message) == f->key >> 3 ? p : NULL;
    default: /* required */
        return p;
    }
}

#endif
