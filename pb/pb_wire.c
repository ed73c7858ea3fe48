/* Reading and skipping of wire elements. */
#include "pb_wire.h"

#include <string.h>

int mote_pb_read_varint_slow(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (*p == end)
            return MOTE_PB_ERR_TRUNCATED;
        uint8_t byte = *(*p)++;
        value |= (uint64_t)(byte & 127) << shift; /* bits beyond the 64th are dropped */
        if (byte < 128) {
            *v = value;
            return 0;
        }
    }
    return MOTE_PB_ERR_VARINT;
}

int mote_pb_read_key(const uint8_t **p, const uint8_t *end, uint32_t *key)
{
    uint64_t v;
    int r = mote_pb_read_varint(p, end, &v);

    if (r < 0)
        return r;
    if (v > UINT32_MAX || v < 8 || (v & 7) > WIRE_I32)
        return MOTE_PB_ERR_TAG;
    *key = (uint32_t)v;
    return 0;
}

int mote_pb_read_len(const uint8_t **p, const uint8_t *end, size_t *len)
{
    uint64_t v;
    int r = mote_pb_read_varint(p, end, &v);

    if (r < 0)
        return r;
    if (v > (size_t)(end - *p))
        return MOTE_PB_ERR_TRUNCATED;
    *len = (size_t)v;
    return 0;
}

static int skip_bytes(const uint8_t **p, const uint8_t *end, size_t n)
{
    if ((size_t)(end - *p) < n)
        return MOTE_PB_ERR_TRUNCATED;
    *p += n;
    return 0;
}

static int skip_scalar(const uint8_t **p, const uint8_t *end, unsigned wire)
{
    uint64_t v;
    size_t n;
    int r;

    switch (wire) {
    case WIRE_VARINT:
        return mote_pb_read_varint(p, end, &v);
    case WIRE_I64:
        return skip_bytes(p, end, 8);
    case WIRE_I32:
        return skip_bytes(p, end, 4);
    default:
        if ((r = mote_pb_read_len(p, end, &n)) < 0)
            return r;
        return skip_bytes(p, end, n);
    }
}

/* Groups inside of groups are counted, and their numbers compared where they are: a bit string of
 * nesting is not enough, so the numbers of open groups are kept. */
static int skip_group(const uint8_t **p, const uint8_t *end, uint32_t number)
{
    uint32_t open[MOTE_PB_GROUPS];
    size_t depth = 0;

    open[depth++] = number;
    while (depth > 0) {
        uint32_t key;
        int r = mote_pb_read_key(p, end, &key);
        if (r < 0)
            return r;
        if ((key & 7) == WIRE_SGROUP) {
            if (depth == MOTE_PB_GROUPS)
                return MOTE_PB_ERR_DEPTH;
            open[depth++] = key >> 3;
        } else if ((key & 7) == WIRE_EGROUP) {
            if (open[--depth] != key >> 3)
                return MOTE_PB_ERR_GROUP;
        } else if ((r = skip_scalar(p, end, key & 7)) < 0) {
            return r;
        }
    }
    return 0;
}

int mote_pb_skip(const uint8_t **p, const uint8_t *end, uint32_t key)
{
    if ((key & 7) == WIRE_EGROUP)
        return MOTE_PB_ERR_GROUP;
    if ((key & 7) == WIRE_SGROUP)
        return skip_group(p, end, key >> 3);
    return skip_scalar(p, end, key & 7);
}
