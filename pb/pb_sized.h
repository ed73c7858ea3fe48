/* The bytes that values and fields take in the output. */
#ifndef MOTE_PB_SIZED_H
#define MOTE_PB_SIZED_H

#include "pb_writer.h"

/* A sum, or as much as the machine can count: that is too large, and said to be. */
static inline size_t mote_pb_sized_sum(size_t a, size_t b)
{
    return b < SIZE_MAX - a ? a + b : SIZE_MAX;
}

/* The bytes of a key: mostly one. */
static inline size_t mote_pb_sized_key(uint32_t key)
{
    return key < 128 ? 1 : mote_pb_sized_varint(key);
}

/* ---- fields that are no messages ----------------------------------------------------------- */

static inline size_t mote_pb_sized_value(const mote_pb_field *f, const void *p)
{
    const mote_pb_type_info *info = mote_pb_info_of(f);

    switch (f->key & 7) {
    case MOTE_PB_LEN:
        return mote_pb_sized_varint(((const mote_pb_bytes *)p)->len) +
               ((const mote_pb_bytes *)p)->len;
    case MOTE_PB_VARINT:
        return mote_pb_sized_varint(mote_pb_number(info, p));
    default:
        return info->size;
    }
}

static inline size_t mote_pb_sized_packed(const mote_pb_field *f, const mote_pb_list *list)
{
    const mote_pb_type_info info = *mote_pb_info_of(f);
    const uint8_t *p = list->items;
    size_t n = 0;

    if ((f->key & 7) != MOTE_PB_VARINT || info.size == sizeof(bool))
        return list->count * info.size;
    for (size_t i = 0; i < list->count; i++, p += info.size)
        n += mote_pb_sized_varint(mote_pb_number(&info, p));
    MOTE_PB_LOOKED_AT(list->count);
    return n;
}

static inline size_t mote_pb_sized_list(const mote_pb_field *f, const void *place)
{
    const mote_pb_list *list = place;
    const mote_pb_bytes *views = list->items;
    size_t n = 0;

    if (list->count == 0)
        return 0;
    if (mote_pb_label_of(f) == MOTE_PB_PACKED) {
        n = mote_pb_sized_packed(f, list);
        return mote_pb_sized_sum(mote_pb_sized_varint(f->key) + mote_pb_sized_varint(n), n);
    }
    MOTE_PB_LOOKED_AT(list->count);
    if (mote_pb_label_of(f) == MOTE_PB_UNKNOWN) {
        for (size_t i = 0; i < list->count; i++)
            n = mote_pb_sized_sum(n, views[i].len);
        return n;
    }
    for (size_t i = 0; i < list->count; i++)
        n = mote_pb_sized_sum(
            n, mote_pb_sized_value(f, (const uint8_t *)list->items + i * mote_pb_info_of(f)->size));
    return mote_pb_sized_sum(list->count * mote_pb_sized_varint(f->key), n);
}

static inline size_t mote_pb_sized_field(const mote_pb_field *f, const uint8_t *message)
{
    if (mote_pb_is_plural(f))
        return mote_pb_sized_list(f, message + f->offset);
    const uint8_t *value = mote_pb_single(f, message);
    return value ? mote_pb_sized_sum(mote_pb_sized_varint(f->key), mote_pb_sized_value(f, value))
                 : 0;
}

#endif
