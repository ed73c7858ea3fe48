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

/* A tag or a length: to 32 bits, in 5 bytes at the most, as other implementations have it. */
static int read_short(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
    const uint8_t *start = *p;
    int r = mote_pb_read_varint(p, end, v);

    return r == 0 && (*p - start > 5 || *v > UINT32_MAX) ? MOTE_PB_ERR_VARINT : r;
}

int mote_pb_read_key(const uint8_t **p, const uint8_t *end, uint32_t *key)
{
    uint64_t v;
    int r = read_short(p, end, &v);

    if (r == MOTE_PB_ERR_TRUNCATED)
        return r;
    if (r < 0 || v < 8 || (v & 7) > MOTE_PB_I32)
        return MOTE_PB_ERR_TAG;
    *key = (uint32_t)v;
    return 0;
}

int mote_pb_read_len(const uint8_t **p, const uint8_t *end, size_t *len)
{
    uint64_t v;
    int r = read_short(p, end, &v);

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

static int skip_varint(const uint8_t **p, const uint8_t *end)
{
    uint64_t v;

    return mote_pb_read_varint(p, end, &v);
}

static int skip_len(const uint8_t **p, const uint8_t *end)
{
    size_t n;
    int r = mote_pb_read_len(p, end, &n);

    if (r == 0)
        *p += n;
    return r;
}

/* Groups inside of groups: their numbers are compared, so those of the open ones are kept. */
int mote_pb_skip(const uint8_t **p, const uint8_t *end, uint32_t key)
{
    uint32_t open[MOTE_PB_GROUPS];
    size_t depth = 0;
    int r = 0;

    for (;;) {
        switch (key & 7) {
        case MOTE_PB_VARINT:
            r = skip_varint(p, end);
            break;
        case MOTE_PB_LEN:
            r = skip_len(p, end);
            break;
        case MOTE_PB_SGROUP:
            if (depth == MOTE_PB_GROUPS)
                return MOTE_PB_ERR_DEPTH;
            open[depth++] = key >> 3;
            break;
        case MOTE_PB_EGROUP:
            if (depth == 0 || open[--depth] != key >> 3)
                return MOTE_PB_ERR_GROUP;
            break;
        default:
            r = skip_bytes(p, end, (key & 7) == MOTE_PB_I32 ? 4 : 8);
            break;
        }
        if (r < 0 || depth == 0 || (r = mote_pb_read_key(p, end, &key)) < 0)
            return r;
    }
}
