/*
 * pb: what the functions T_size() are made of that the plugin writes with the option `sizes`, for
 * programs that ask for sizes often. They give what mote_pb_size() gives, in a third of its time
 * and with code for each message. Only generated files include it.
 */
#ifndef MOTE_PB_SIZES_H
#define MOTE_PB_SIZES_H

#include "pb.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The bytes of a number as a varint: 1 to 10. Those that can be negative are given as they are
 * when they are made 64 bits wide. */
static inline uint64_t mote_pb_sizes_varint(uint64_t v)
{
#if defined(__GNUC__)
    return ((63 ^ (unsigned)__builtin_clzll(v | 1)) * 9 + 73) / 64; /* bits / 7, rounded up */
#else
    uint64_t n = 1;

    for (v >>= 7; v > 0; v >>= 7)
        n++;
    return n;
#endif
}

/* Of an sint32 or sint64. */
static inline uint64_t mote_pb_sizes_zigzag(int64_t v)
{
    return mote_pb_sizes_varint((uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

/* Of a text, bytes or message of so many bytes, with its length before it. */
static inline uint64_t mote_pb_sizes_prefixed(uint64_t len)
{
    return mote_pb_sizes_varint(len) + len;
}

/* Whether a number that is absent when it is 0 is there: -0.0 is. */
static inline bool mote_pb_sizes_float(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits != 0;
}

static inline bool mote_pb_sizes_double(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits != 0;
}

/* Of the numbers of a packed field, without its key. */
uint64_t mote_pb_sizes_int32s(const int32_t *items, size_t count);
uint64_t mote_pb_sizes_uint32s(const uint32_t *items, size_t count);
uint64_t mote_pb_sizes_sint32s(const int32_t *items, size_t count);
uint64_t mote_pb_sizes_int64s(const int64_t *items, size_t count);
uint64_t mote_pb_sizes_uint64s(const uint64_t *items, size_t count);
uint64_t mote_pb_sizes_sint64s(const int64_t *items, size_t count);

/* Of a packed field whose key and values have so many bytes: none without values. */
static inline uint64_t mote_pb_sizes_packed(unsigned key, uint64_t values)
{
    return values > 0 ? key + mote_pb_sizes_prefixed(values) : 0;
}

/* Of a repeated field that has no messages, or of the unknown fields that were kept: its row of the
 * table, and its member of the struct. */
uint64_t mote_pb_sizes_list(const mote_pb_field *row, const void *member);

/* Of a message by its table, where it may hold itself or lies in another file: adds to *error what
 * mote_pb_size() returns, unless there is one. */
uint64_t mote_pb_sizes_table(const mote_pb_encoder *encoder, const void *message, int *error);

/* The sum as a size; what the machine cannot count is as much as it can. */
static inline size_t mote_pb_sizes_total(uint64_t n)
{
    return n < SIZE_MAX ? (size_t)n : SIZE_MAX;
}

#ifdef __cplusplus
}
#endif
#endif
