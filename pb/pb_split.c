/* The fields of a message one by one, from input that comes in pieces. */
#include "pb_wire.h"

void mote_pb_splitter_init(mote_pb_splitter *s, void *buffer, size_t cap)
{
    memset(s, 0, sizeof *s);
    s->buffer = buffer;
    s->cap = cap;
}

static void next_state(mote_pb_splitter *s, enum mote_pb_splitter_state state)
{
    s->state = state;
    s->value = 0;
    s->shift = 0;
    s->have = 0;
}

/* A field is complete: 1 when the user is to see it. What is inside of groups is skipped. */
static int deliver(mote_pb_splitter *s, mote_pb_piece *piece)
{
    piece->number = s->key >> 3;
    piece->wire = s->key & 7;
    next_state(s, MOTE_PB_AT_KEY);
    return s->depth == 0;
}

static int on_key(mote_pb_splitter *s)
{
    if (s->value < 8 || (s->value & 7) > MOTE_PB_I32)
        return MOTE_PB_ERR_TAG;
    s->key = (uint32_t)s->value;
    switch (s->key & 7) {
    case MOTE_PB_VARINT:
        next_state(s, MOTE_PB_AT_VARINT);
        return 0;
    case MOTE_PB_LEN:
        next_state(s, MOTE_PB_AT_LENGTH);
        return 0;
    case MOTE_PB_SGROUP:
        if (s->depth == 100)
            return MOTE_PB_ERR_DEPTH;
        s->depth++;
        break;
    case MOTE_PB_EGROUP:
        if (s->depth == 0)
            return MOTE_PB_ERR_GROUP;
        s->depth--;
        break;
    default:
        next_state(s, MOTE_PB_AT_FIXED);
        return 0;
    }
    next_state(s, MOTE_PB_AT_KEY);
    return 0;
}

/* A field without bytes needs no input to be complete. */
static int on_length(mote_pb_splitter *s, mote_pb_piece *piece)
{
    uint64_t len = s->value;

    if (len > SIZE_MAX)
        return MOTE_PB_ERR_TRUNCATED;
    next_state(s, MOTE_PB_AT_BYTES);
    s->value = len;
    if (len > 0)
        return 0;
    piece->data = s->buffer;
    piece->len = piece->offset = piece->total = 0;
    return deliver(s, piece);
}

/* A tag or a length has 5 bytes at the most. */
static int on_varint_byte(mote_pb_splitter *s, uint8_t byte, mote_pb_piece *piece)
{
    int too_long = s->state == MOTE_PB_AT_KEY ? MOTE_PB_ERR_TAG : MOTE_PB_ERR_VARINT;
    uint8_t most = s->state == MOTE_PB_AT_VARINT ? 70 : 35;

    if (s->shift < 64)
        s->value |= (uint64_t)(byte & 127) << s->shift;
    s->shift = (uint8_t)(s->shift + 7);
    if (byte >= 128)
        return s->shift == most ? too_long : 0;
    if (s->state != MOTE_PB_AT_VARINT && s->value > UINT32_MAX)
        return too_long;
    if (s->state == MOTE_PB_AT_KEY)
        return on_key(s);
    if (s->state == MOTE_PB_AT_LENGTH)
        return on_length(s, piece);
    piece->value = s->value;
    return deliver(s, piece);
}

static int on_fixed_byte(mote_pb_splitter *s, uint8_t byte, mote_pb_piece *piece)
{
    s->value |= (uint64_t)byte << 8 * s->have;
    if (++s->have < ((s->key & 7) == MOTE_PB_I32 ? 4u : 8u))
        return 0;
    piece->value = s->value;
    return deliver(s, piece);
}

/* Bytes of a field: where they lie when all are there, otherwise in the buffer, otherwise in parts.
 */
static int split_bytes(mote_pb_splitter *s, const uint8_t *in, size_t len, size_t *used,
                       mote_pb_piece *piece)
{
    size_t total = (size_t)s->value, left = total - s->have;
    size_t n = left < len ? left : len;
    bool whole = s->have == 0 && n == total, parts = total > s->cap;

    *used = n;
    piece->total = total;
    piece->offset = parts ? s->have : 0;
    if (!whole && !parts)
        memcpy(s->buffer + s->have, in, n);
    s->have += n;
    if (s->have < total && !parts)
        return 0;
    piece->data = whole || parts ? in : s->buffer;
    piece->len = whole || !parts ? total : n;
    if (s->have == total)
        return deliver(s, piece);
    piece->number = s->key >> 3;
    piece->wire = s->key & 7;
    return s->depth == 0;
}

int mote_pb_split(mote_pb_splitter *s, const uint8_t *in, size_t len, size_t *used,
                  mote_pb_piece *piece)
{
    size_t i = 0;
    int r = s->error;

    while (r == 0 && i < len) {
        size_t n = 1;
        if (s->state == MOTE_PB_AT_BYTES)
            r = split_bytes(s, in + i, len - i, &n, piece);
        else if (s->state == MOTE_PB_AT_FIXED)
            r = on_fixed_byte(s, in[i], piece);
        else
            r = on_varint_byte(s, in[i], piece);
        i += n;
    }
    if (r < 0)
        s->error = r;
    *used = i;
    return r;
}

int mote_pb_split_end(mote_pb_splitter *s)
{
    if (s->error < 0)
        return s->error;
    return s->state == MOTE_PB_AT_KEY && s->shift == 0 && s->depth == 0 ? 0 : MOTE_PB_ERR_TRUNCATED;
}
