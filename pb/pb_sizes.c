/* What functions T_size() of generated code (sizes.h) leave to a table. */
#include "sizes.h"

#include "pb_sized.h"

/* Of numbers of 32 bits, as 5 bytes at the most: without a branch, so that several are looked at in
 * one step. */
static inline unsigned sizes_short(uint32_t v)
{
    return 1u + (v > 0x7f) + (v > 0x3fff) + (v > 0x1fffff) + (v > 0xfffffff);
}

uint64_t mote_pb_sizes_uint32s(const uint32_t *items, size_t count)
{
    uint64_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += sizes_short(items[i]);
    return n;
}

uint64_t mote_pb_sizes_int32s(const int32_t *items, size_t count)
{
    uint64_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += items[i] < 0 ? MOTE_PB_NUMBER_SIZE : sizes_short((uint32_t)items[i]);
    return n;
}

uint64_t mote_pb_sizes_sint32s(const int32_t *items, size_t count)
{
    uint64_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += sizes_short((uint32_t)items[i] << 1 ^ (items[i] < 0 ? UINT32_MAX : 0));
    return n;
}

uint64_t mote_pb_sizes_uint64s(const uint64_t *items, size_t count)
{
    uint64_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += mote_pb_sizes_varint(items[i]);
    return n;
}

uint64_t mote_pb_sizes_int64s(const int64_t *items, size_t count)
{
    uint64_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += mote_pb_sizes_varint((uint64_t)items[i]);
    return n;
}

uint64_t mote_pb_sizes_sint64s(const int64_t *items, size_t count)
{
    uint64_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += mote_pb_sizes_zigzag(items[i]);
    return n;
}

uint64_t mote_pb_sizes_list(const mote_pb_field *row, const void *member)
{
    return mote_pb_sized_list(row, member);
}

uint64_t mote_pb_sizes_table(const mote_pb_encoder *encoder, const void *message, int *error)
{
    size_t n;
    int r = mote_pb_size(encoder, message, &n);

    if (*error == 0)
        *error = r;
    return n;
}
