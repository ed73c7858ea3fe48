/*
 * Decoder of what not every schema has: repeated fields, messages inside of messages, unknown
 * fields that are kept. The stack of open messages lies at the end of the arena, so that depth
 * costs nothing until it is there.
 */
#include "pb_reader.h"

/* ---- repeated fields ----------------------------------------------------------------------- */

static MOTE_PB_APART size_t packed_count(unsigned wire, const uint8_t *p, size_t len)
{
    size_t n = 0;

    if (wire != MOTE_PB_VARINT)
        return len / (wire == MOTE_PB_I32 ? 4 : 8);
    for (size_t i = 0; i < len; i++)
        n += p[i] < 128;
    return n;
}

/* Elements of a field that follow each other, as they mostly do, so that their array is allocated
 * once. */
static size_t count_ahead(const mote_pb_reader *d, const mote_pb_field *f)
{
    const uint8_t *p = d->p;
    uint32_t key = f->key;
    size_t n = 0;

    do {
        const uint8_t *start = p;
        if (mote_pb_skip(&p, d->top.end, key) < 0)
            break;
        if (key == f->key)
            n++;
        else if (key >> 3 == f->key >> 3 && (key & 7) == MOTE_PB_LEN)
            n += packed_count(f->key & 7, start, (size_t)(p - start));
    } while (p < d->top.end && mote_pb_read_key(&p, d->top.end, &key) == 0 && (key ^ f->key) < 8);
    return n > 0 ? n : 1;
}

/* A new element at the end of a repeated field, or of the unknown fields; NULL: the arena is full.
 * The count is stored by itself: where a struct is copied as a whole, processors wait for the
 * stores of its halves. */
static MOTE_PB_APART void *new_element(mote_pb_reader *d, const mote_pb_field *f, size_t size)
{
    uint8_t *place = d->top.message + f->offset;
    mote_pb_list list;

    memcpy(&list.items, place, sizeof list.items);
    memcpy(&list.count, place + offsetof(mote_pb_list, count), sizeof list.count);
    if (list.count == mote_pb_capacity(&list)) {
        if (mote_pb_grow(d, &list, f->key ? count_ahead(d, f) : 4, size) < 0)
            return NULL;
        memcpy(place, &list, sizeof list);
    }
    list.count++;
    memcpy(place + offsetof(mote_pb_list, count), &list.count, sizeof list.count);
    return (uint8_t *)list.items + (list.count - 1) * size;
}

static MOTE_PB_APART int read_packed(mote_pb_reader *d, const mote_pb_field *f, size_t size)
{
    uint8_t *place = d->top.message + f->offset, *to;
    const uint8_t *outer = d->top.end;
    size_t len, n;
    mote_pb_list list;
    int r = mote_pb_read_len(&d->p, outer, &len);

    if (r < 0)
        return r;
    n = packed_count(f->key & 7, d->p, len);
    if (n == 0) /* nothing, or one element that is cut; the list may have no items at all */
        return len > 0 ? MOTE_PB_ERR_TRUNCATED : 0;
    memcpy(&list, place, sizeof list);
    if (mote_pb_grow(d, &list, n, size) < 0)
        return MOTE_PB_ERR_ARENA;
    to = (uint8_t *)list.items + list.count * size;
    list.count += n;
    memcpy(place, &list, sizeof list);
    if (MOTE_PB_LITTLE_ENDIAN && (f->key & 7) != MOTE_PB_VARINT && n * size == len) {
        memcpy(to, d->p, len);
        d->p += len;
        return 0;
    }
    for (d->top.end = d->p + len; r == 0 && n > 0; n--, to += size)
        r = mote_pb_read_value(d, f, to);
    if (r == 0 && d->p < d->top.end)
        r = MOTE_PB_ERR_TRUNCATED; /* the last element is cut, so it was not counted */
    d->top.end = outer;
    return r;
}

int mote_pb_read_values(mote_pb_reader *d, const mote_pb_field *f, uint32_t key)
{
    if (key != f->key)
        return read_packed(d, f, mote_pb_info_of(f)->size);
    void *to = new_element(d, f, mote_pb_info_of(f)->size);
    return to ? mote_pb_read_value(d, f, to) : MOTE_PB_ERR_ARENA;
}

/* ---- sub-messages -------------------------------------------------------------------------- */

static inline int push(mote_pb_reader *d)
{
    if (d->stack == MOTE_PB_MAX_DEPTH * sizeof d->top)
        return MOTE_PB_ERR_DEPTH;
    if (d->arena->size - d->stack - d->arena->used < sizeof d->top)
        return MOTE_PB_ERR_ARENA;
    d->stack += sizeof d->top;
    d->leave = mote_pb_leave;
    MOTE_PB_PERMIT(mote_pb_open_place(d), sizeof d->top);
    mote_pb_copy_open(mote_pb_open_place(d), &d->top);
    return 0;
}

/* The struct that a sub-message decodes into; one that is already there is merged with. */
static inline uint8_t *sub_struct(mote_pb_reader *d, const mote_pb_field *f, size_t size,
                                  bool *is_new)
{
    uint8_t *place = d->top.message + f->offset;
    uint8_t *sub;
    uint32_t which = f->key >> 3, old;

    memcpy(&sub, place, sizeof sub);
    if (mote_pb_label_of(f) == MOTE_PB_ONEOF) {
        memcpy(&old, d->top.message + mote_pb_which_offset(f), sizeof old);
        if (old != which)
            sub = NULL;
        memcpy(d->top.message + mote_pb_which_offset(f), &which, sizeof which);
    }
    *is_new = !sub;
    if (!sub)
        sub = mote_pb_allocate(d, size);
    memcpy(place, &sub, sizeof sub);
    return sub;
}

static MOTE_PB_FAST int enter(mote_pb_reader *d, const mote_pb_field *f, const mote_pb_message *sub,
                              uint8_t *message, bool is_new)
{
    bool is_group = mote_pb_type_of(f) == MOTE_PB_GROUP;
    size_t len = 0;
    int r = 0;

    if (!message)
        return MOTE_PB_ERR_ARENA;
    if (MOTE_PB_SHORTCUTS && !is_group && d->p < d->top.end && *d->p < 128 &&
        *d->p < d->top.end - d->p) /* mostly one byte says it */
        len = *d->p++;
    else if (!is_group)
        r = mote_pb_read_len(&d->p, d->top.end, &len);
    if (r < 0 || (r = push(d)) < 0)
        return r;
    d->top.type = sub;
    d->top.message = message;
    d->top.begin = is_new ? d->p : NULL;
    d->top.group = is_group ? f->key >> 3 : 0;
    if (!is_group)
        d->top.end = d->p + len;
    d->next = sub->fields;
    return 0;
}

int mote_pb_enter(mote_pb_reader *d, const mote_pb_field *f)
{
    const mote_pb_message *sub = mote_pb_sub_of(d->top.type, f);

    bool is_new;
    uint8_t *message = sub_struct(d, f, sub->size, &is_new);

    return enter(d, f, sub, message, is_new);
}

int mote_pb_read_messages(mote_pb_reader *d, const mote_pb_field *f, uint32_t key)
{
    const mote_pb_message *sub = mote_pb_sub_of(d->top.type, f);

    (void)key; /* there is no packed form */
    return enter(d, f, sub, new_element(d, f, sub->size), true);
}

int mote_pb_read_lists(mote_pb_reader *d, const mote_pb_field *f, uint32_t key)
{
    return mote_pb_is_message(f) ? mote_pb_read_messages(d, f, key)
                                 : mote_pb_read_values(d, f, key);
}

/* ---- unknown fields ------------------------------------------------------------------------ */

/* Neighbours become one view. */
int mote_pb_keep_bytes(mote_pb_reader *d, const uint8_t *data, size_t len)
{
    const mote_pb_field *row = d->top.type->fields;
    mote_pb_list list;
    mote_pb_bytes *view;

    if (d->top.type->field_count == 0 || row->key != 0)
        return 0;
    memcpy(&list, d->top.message + row->offset, sizeof list);
    if (list.count > 0) {
        view = (mote_pb_bytes *)list.items + list.count - 1;
        if (view->data + view->len == data) {
            view->len += len;
            return 0;
        }
    }
    view = new_element(d, row, sizeof *view);
    if (!view)
        return MOTE_PB_ERR_ARENA;
    view->data = data;
    view->len = len;
    return 0;
}

int mote_pb_keep_unknown(mote_pb_reader *d, uint32_t key)
{
    int r = mote_pb_skip(&d->p, d->top.end, key);

    return r < 0 ? r : mote_pb_keep_bytes(d, d->start, (size_t)(d->p - d->start));
}
