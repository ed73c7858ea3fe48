/* Decoder of what proto2 adds: enums that are closed, and required fields. */
#include "pb_reader.h"

/* ---- closed enums -------------------------------------------------------------------------- */

static bool is_in(const mote_pb_message *values, int32_t v)
{
    size_t low = 0, high = values->field_count;

    while (low < high) { /* the first range that begins behind v is at `low` in the end */
        size_t middle = (low + high) / 2;
        if ((int32_t)values->fields[middle].key <= v)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    return (uint32_t)v - values->fields[low - 1].key <= values->fields[low - 1].offset;
}

static uint8_t *store_varint(uint8_t *to, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        *to++ = (uint8_t)(v | 128);
    *to++ = (uint8_t)v;
    return to;
}

/* A number from the middle of a packed field has no key of its own in the input. */
static int keep_number(mote_pb_reader *d, const mote_pb_field *f, uint64_t v)
{
    uint8_t *bytes = mote_pb_allocate(d, 16); /* a key and a number: 5 + 10 */

    if (!bytes)
        return MOTE_PB_ERR_ARENA;
    return mote_pb_keep_bytes(d, bytes,
                              (size_t)(store_varint(store_varint(bytes, f->key), v) - bytes));
}

static bool is_known(const mote_pb_reader *d, const mote_pb_field *f, uint64_t v)
{
    return is_in(mote_pb_sub_of(d->top.type, f), (int32_t)(uint32_t)v);
}

/* Finds the bytes of a packed field that are no numbers of the enum, before they are read. */
static int keep_unknown_of(mote_pb_reader *d, const mote_pb_field *f)
{
    const uint8_t *p = d->p;
    size_t len = 0;
    int r = mote_pb_read_len(&p, d->top.end, &len);

    for (const uint8_t *end = p + len; r == 0 && p < end;) {
        uint64_t v;
        r = mote_pb_read_varint(&p, end, &v);
        if (r == 0 && !is_known(d, f, v))
            r = keep_number(d, f, v);
    }
    return r;
}

/* Elements from `from` on that are no numbers of the enum leave the list. */
static bool filter(const mote_pb_reader *d, const mote_pb_field *f, size_t from)
{
    uint8_t *place = d->top.message + f->offset;
    mote_pb_list list;
    size_t kept = from, count;

    memcpy(&list, place, sizeof list);
    int32_t *items = list.items;
    count = list.count;
    for (size_t i = from; i < count; i++) {
        if (is_known(d, f, (uint32_t)items[i]))
            items[kept++] = items[i];
    }
    list.count = kept;
    memcpy(place, &list, sizeof list);
    return kept < count;
}

static int read_closed_list(mote_pb_reader *d, const mote_pb_field *f, uint32_t key)
{
    bool is_packed = key != f->key;
    mote_pb_list list;
    int r = is_packed && d->parts->unknown ? keep_unknown_of(d, f) : 0;

    memcpy(&list, d->top.message + f->offset, sizeof list);
    if (r < 0 || (r = d->parts->list(d, f, key)) < 0)
        return r;
    bool is_unknown = filter(d, f, list.count);
    if (is_unknown && !is_packed && d->parts->unknown)
        return mote_pb_keep_bytes(d, d->start, (size_t)(d->p - d->start));
    return 0;
}

static int read_closed(mote_pb_reader *d, const mote_pb_field *f, uint32_t key)
{
    const uint8_t *p = d->p;
    uint64_t v;
    int r;

    if (mote_pb_is_list(f))
        return read_closed_list(d, f, key);
    d->next++;
    if ((r = mote_pb_read_varint(&p, d->top.end, &v)) < 0)
        return r;
    if (is_known(d, f, v))
        return mote_pb_read_single(d, f);
    if (d->parts->unknown)
        return d->parts->unknown(d, key);
    d->p = p;
    return 0;
}

/* ---- required fields ----------------------------------------------------------------------- */

/* The value at `p` is one of the field: of a closed enum, one of its numbers. */
static bool is_value(const mote_pb_reader *d, const mote_pb_field *f, const uint8_t *p)
{
    uint64_t v = 0;

    return mote_pb_type_of(f) != MOTE_PB_CLOSED ||
           (mote_pb_read_varint(&p, d->top.end, &v) == 0 && is_known(d, f, v));
}

static bool is_there(const mote_pb_reader *d, const mote_pb_field *f)
{
    const uint8_t *p = d->top.begin;
    uint32_t key;

    while (p < d->start && mote_pb_read_key(&p, d->top.end, &key) == 0) {
        if (key == f->key && is_value(d, f, p))
            return true;
        if (mote_pb_skip(&p, d->top.end, key) < 0)
            break;
    }
    return false;
}

/*
 * Which fields were there is seen from the bytes of the message: it takes no memory, and each
 * required field takes one walk over the keys before it. A message that comes in two parts, which
 * are merged, has all of them in the first one.
 */
static int check_required(mote_pb_reader *d)
{
    const mote_pb_message *type = d->top.type;

    for (size_t i = 0; d->top.begin && i < type->field_count; i++) {
        const mote_pb_field *f = &type->fields[i];
        if (mote_pb_label_of(f) != MOTE_PB_REQUIRED || is_there(d, f))
            continue;
        d->field = f;
        return MOTE_PB_ERR_REQUIRED;
    }
    return 0;
}

const mote_pb_strict mote_pb_proto2 = {read_closed, check_required};
