/*
 * Decoder: fields of one message, one after the other. It does not copy strings. Parts that a
 * schema may do without are called by the pointers of its mote_pb_decoder.
 */
#include "pb_reader.h"

/* ---- values -------------------------------------------------------------------------------- */

static void store_value(uint8_t *to, size_t size, uint64_t v)
{
    uint32_t v32 = (uint32_t)v;
    bool b = v != 0;

    if (size == 4)
        memcpy(to, &v32, 4);
    else if (size == 8)
        memcpy(to, &v, 8);
    else
        memcpy(to, &b, sizeof b);
}

static int read_view(mote_pb_reader *d, unsigned type, uint8_t *to)
{
    mote_pb_bytes view;
    int r = mote_pb_read_len(&d->p, d->top.end, &view.len);

    if (r < 0)
        return r;
    view.data = d->p;
    d->p += view.len;
    if (type == MOTE_PB_TEXT && !d->parts->utf8(view.data, view.len))
        return MOTE_PB_ERR_UTF8;
    memcpy(to, &view, sizeof view);
    return 0;
}

static int read_fixed(mote_pb_reader *d, size_t size, uint8_t *to)
{
    if ((size_t)(d->top.end - d->p) < size)
        return MOTE_PB_ERR_TRUNCATED;
    if (size == 8) {
        uint64_t v = mote_pb_load64(d->p);
        memcpy(to, &v, sizeof v);
    } else {
        uint32_t v = mote_pb_load32(d->p);
        memcpy(to, &v, sizeof v);
    }
    d->p += size;
    return 0;
}

static MOTE_PB_FAST int read_value(mote_pb_reader *d, const mote_pb_field *f, uint8_t *to)
{
    const mote_pb_type_info *info = mote_pb_info_of(f);
    uint64_t v;
    int r;

    if ((f->key & 7) == MOTE_PB_LEN)
        return read_view(d, mote_pb_type_of(f), to);
    if ((f->key & 7) != MOTE_PB_VARINT)
        return read_fixed(d, info->size, to);
    if ((r = mote_pb_read_varint(&d->p, d->top.end, &v)) < 0)
        return r;
    if (info->kind == MOTE_PB_ZIGZAG) {
        if (info->size == 4)
            v = (uint32_t)v;
        v = v >> 1 ^ (0 - (v & 1));
    }
    store_value(to, info->size, v);
    return 0;
}

int mote_pb_read_value(mote_pb_reader *d, const mote_pb_field *f, uint8_t *to)
{
    return read_value(d, f, to);
}

/* ---- fields -------------------------------------------------------------------------------- */

int mote_pb_read_single(mote_pb_reader *d, const mote_pb_field *f)
{
    uint8_t *place = d->top.message + f->offset;
    uint32_t which = f->key >> 3;

    if (mote_pb_label_of(f) == MOTE_PB_OPTIONAL) {
        store_value(place, sizeof(bool), 1);
        place += mote_pb_info_of(f)->value;
    } else if (mote_pb_label_of(f) == MOTE_PB_ONEOF) {
        memcpy(d->top.message + mote_pb_which_offset(f), &which, sizeof which);
    }
    return read_value(d, f, place);
}

/* The field with this number. Fields mostly come in the order of the table. */
static const mote_pb_field *find_field(mote_pb_reader *d, uint32_t key)
{
    const mote_pb_field *fields = d->top.type->fields;
    size_t low = 0, high = d->top.type->field_count;

    if (d->next < fields + high && (d->next->key ^ key) < 8)
        return d->next;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (fields[middle].key >> 3 < key >> 3)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < d->top.type->field_count && (fields[low].key ^ key) < 8)
        return &fields[low];
    return NULL;
}

/* A known number with another wire type is an unknown field, but packed and unpacked are one. */
static bool is_packed_form(const mote_pb_field *f, uint32_t key)
{
    return (key & 7) == MOTE_PB_LEN && mote_pb_is_list(f) && !mote_pb_is_message(f);
}

static inline int read_known(mote_pb_reader *d, const mote_pb_field *f, uint32_t key)
{
    d->next = f;
    if (mote_pb_type_of(f) == MOTE_PB_CLOSED)
        return d->parts->strict->closed(d, f, key);
    if (mote_pb_is_list(f))
        return d->parts->list(d, f, key);
    d->next++;
    return mote_pb_is_message(f) ? d->parts->enter(d, f) : mote_pb_read_single(d, f);
}

static int read_field(mote_pb_reader *d, uint32_t key)
{
    const mote_pb_field *f = find_field(d, key);

    d->field = f;
    if (f && (f->key == key || is_packed_form(f, key)))
        return read_known(d, f, key);
    if (d->parts->unknown)
        return d->parts->unknown(d, key);
    return mote_pb_skip(&d->p, d->top.end, key);
}

/* ---- messages ------------------------------------------------------------------------------ */

/* The end of a message. 1: it was the outermost one. */
static int end_message(mote_pb_reader *d)
{
    int r = d->parts->strict ? d->parts->strict->end(d) : 0;

    if (r < 0)
        return r;
    if (d->stack == 0)
        return 1;
    d->leave(d);
    return 0;
}

/* The end of a group inside of the message of that group. */
static int end_group(mote_pb_reader *d, uint32_t key)
{
    if (d->top.group == 0 || d->top.group != key >> 3)
        return MOTE_PB_ERR_GROUP;
    return end_message(d);
}

static int run_decoder(mote_pb_reader *d)
{
    const uint8_t *limit = d->top.end;

    for (;;) {
        uint32_t key;
        int r;
        if (MOTE_PB_SHORTCUTS && (r = mote_pb_read_ahead(d, limit)) < 0)
            return r;
        d->field = NULL;
        d->start = d->p;
        if (d->p == d->top.end && d->top.group == 0) {
            if ((r = end_message(d)) != 0)
                return r < 0 ? r : 0;
            continue;
        }
        key = d->p < d->top.end ? *d->p : 0; /* mostly one byte is all of it */
        if (key >= 8 && key < 128 && (key & 7) <= MOTE_PB_I32)
            d->p++;
        else if ((r = mote_pb_read_key(&d->p, d->top.end, &key)) < 0)
            return r;
        r = (key & 7) == MOTE_PB_EGROUP ? end_group(d, key) : read_field(d, key);
        if (r < 0)
            return r;
    }
}

int mote_pb_decode(const mote_pb_decoder *decoder, void *message, const uint8_t *in, size_t len,
                   mote_pb_arena *arena, mote_pb_where *where)
{
    static const uint8_t nothing;
    const mote_pb_message *type = decoder->type;
    const uint8_t *p = len > 0 ? in : &nothing;
    /* all of them are named, so that no loop sets them to 0 first */
    mote_pb_reader d = {
        {type, message, p, p + len, 0}, p, type->fields, NULL, p, decoder, arena, 0, NULL};
    int r;

    memset(message, 0, type->size);
    r = run_decoder(&d);
    if (r < 0 && where) {
        where->type = d.top.type;
        where->field = d.field ? d.field->key >> 3 : 0;
        where->offset = len > 0 ? (size_t)(d.start - in) : 0;
    }
    return r;
}
