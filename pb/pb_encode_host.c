/*
 * Encoder of hosts: what pb_encode.c and pb_encode_parts.c do with the same tables, from the end of
 * the message too, but with more code and in less time: one look at the room for each field, and
 * one loop for all messages. Where there may be no room it asks the others. Sizes are counted by
 * the same loop.
 */
#include "pb_sized.h"

#if defined(__GNUC__)
#define HOST_INLINE inline __attribute__((always_inline))
#else
#define HOST_INLINE inline
#endif

/* The writer at work: its `p` is held here. */
typedef struct {
    mote_pb_writer *w;
    uint8_t *p;
    size_t counted; /* bytes, when they are not written */
} host_pen;

static HOST_INLINE size_t host_written(const host_pen *o, bool counts)
{
    return counts ? o->counted : o->w->lost + (size_t)(o->w->end - o->p);
}

/* ---- values -------------------------------------------------------------------------------- */

/* Copies a text or bytes, and returns what all of them have in common with those that are no
 * ASCII. */
static HOST_INLINE uint64_t host_bytes(uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t bits = 0, word;
    uint32_t first, last;
    size_t i = 0;

    if (len >= sizeof word) {
        for (; i + sizeof word < len; i += sizeof word) {
            memcpy(&word, from + i, sizeof word);
            memcpy(to + i, &word, sizeof word);
            bits |= word;
        }
        memcpy(&word, from + len - sizeof word, sizeof word);
        memcpy(to + len - sizeof word, &word, sizeof word);
        return (bits | word) & 0x8080808080808080u;
    }
    if (len >= sizeof first) {
        memcpy(&first, from, sizeof first);
        memcpy(&last, from + len - sizeof last, sizeof last);
        memcpy(to, &first, sizeof first);
        memcpy(to + len - sizeof last, &last, sizeof last);
        return (first | last) & 0x80808080u;
    }
    for (; i < len; i++)
        bits |= to[i] = from[i];
    return bits & 0x80;
}

enum { HOST_BYTES = 64 /* longer ones are for memcpy */ };

static HOST_INLINE uint8_t *host_view(mote_pb_writer *w, const mote_pb_field *f, uint8_t *p,
                                      const mote_pb_bytes *view)
{
    bool is_text = MOTE_PB_CHECK_SENT && mote_pb_type_of(f) == MOTE_PB_TEXT;
    size_t len = view->len;

    p -= len;
    if (len > HOST_BYTES)
        memcpy(p, view->data, len);
    if ((len > HOST_BYTES || host_bytes(p, view->data, len) != 0) && is_text)
        mote_pb_check_text(w, view);
    return mote_pb_push_number(p, len);
}

/* The value at `at` and its key, before `p`: where they begin; `p` when it is implicit and 0; NULL:
 * there may not be room for them. */
static HOST_INLINE uint8_t *host_value(mote_pb_writer *w, const mote_pb_field *f, uint8_t *p,
                                       const void *at, bool implicit)
{
    size_t room = (size_t)(p - w->start);
    uint64_t v;

    if (room < (size_t)2 * MOTE_PB_NUMBER_SIZE)
        return NULL;
    switch (f->key & 7) {
    case MOTE_PB_LEN:
        v = ((const mote_pb_bytes *)at)->len;
        if (v == 0 && implicit)
            return p;
        if (room - (size_t)2 * MOTE_PB_NUMBER_SIZE < v)
            return NULL;
        p = host_view(w, f, p, at);
        break;
    case MOTE_PB_I64:
        v = mote_pb_load(at, 8);
        if (v == 0 && implicit)
            return p;
        p -= 8;
        mote_pb_store64(p, v);
        break;
    case MOTE_PB_I32:
        v = mote_pb_load(at, 4);
        if (v == 0 && implicit)
            return p;
        p -= 4;
        mote_pb_store32(p, (uint32_t)v);
        break;
    default:
        v = mote_pb_number(mote_pb_info_of(f), at);
        if (v == 0 && implicit)
            return p;
        p = mote_pb_push_number(p, v);
        break;
    }
    MOTE_PB_LOOKED_AT(1);
    return mote_pb_push_number(p, f->key);
}

static HOST_INLINE uint8_t *host_numbers(uint8_t *p, mote_pb_type_info info, const uint8_t *items,
                                         size_t size)
{
    for (; size > 0; size -= info.size)
        p = mote_pb_push_number(p, mote_pb_number(&info, items + size - info.size));
    return p;
}

/* The values of a packed field; NULL: there may not be room for them. */
static HOST_INLINE uint8_t *host_packed(const mote_pb_writer *w, const mote_pb_field *f, uint8_t *p,
                                        const mote_pb_list *list)
{
    const mote_pb_type_info info = *mote_pb_info_of(f);
    const uint8_t *items = list->items, *end = p;
    bool is_number = (f->key & 7) == MOTE_PB_VARINT;
    size_t size = list->count * info.size;
    size_t room = (size_t)(p - w->start) / MOTE_PB_NUMBER_SIZE;

    if (room < 2 || room - 2 < list->count || (!is_number && !MOTE_PB_LITTLE_ENDIAN))
        return NULL;
    MOTE_PB_LOOKED_AT(list->count);
    if (!is_number)
        memcpy(p -= size, items, size);
    else if (info.size == 4 && info.kind == MOTE_PB_UNSIGNED) /* with a loop of its own */
        p = host_numbers(p, (mote_pb_type_info){4, 0, MOTE_PB_UNSIGNED}, items, size);
    else
        p = host_numbers(p, info, items, size);
    p = mote_pb_push_number(p, (size_t)(end - p));
    return mote_pb_push_number(p, (f->key & ~7u) | MOTE_PB_LEN);
}

/* Repeated fields, and unknown ones that were kept. */
static HOST_INLINE void host_list(host_pen *o, const mote_pb_field *f, const uint8_t *place,
                                  bool counts)
{
    const mote_pb_list *list = (const void *)place;
    uint8_t *start = NULL;

    if (list->count == 0)
        return;
    if (counts) {
        o->counted = mote_pb_sized_sum(o->counted, mote_pb_sized_list(f, place));
        return;
    }
    if (mote_pb_label_of(f) == MOTE_PB_PACKED)
        start = host_packed(o->w, f, o->p, list);
    if (!start) {
        o->w->p = o->p;
        o->w->parts->list(o->w, f, place);
        start = o->w->p;
    }
    o->p = start;
}

/* A value with its key; where it is implicit, when it is not 0. */
static HOST_INLINE void host_single(host_pen *o, const mote_pb_field *f, const void *at,
                                    bool implicit, bool counts)
{
    if (counts) {
        o->counted = mote_pb_sized_sum(o->counted, mote_pb_sized_single(f, at, implicit));
        return;
    }
    uint8_t *start = host_value(o->w, f, o->p, at, implicit);
    if (!start) {
        o->w->p = o->p;
        if (!implicit || !mote_pb_is_empty(f, at)) {
            mote_pb_put_value(o->w, f, at);
            mote_pb_put_number(o->w, f->key);
        }
        start = o->w->p;
    }
    o->p = start;
}

/* A field that is no message, no member of a oneof, and not implicit. */
static HOST_INLINE void host_field(host_pen *o, const mote_pb_field *f, const uint8_t *message,
                                   bool counts)
{
    const uint8_t *at = message + f->offset;

    if (mote_pb_is_plural(f)) {
        host_list(o, f, at, counts);
        return;
    }
    if (mote_pb_label_of(f) == MOTE_PB_OPTIONAL) {
        if (!mote_pb_load(at, sizeof(bool)))
            return;
        at += mote_pb_info_of(f)->value;
    }
    host_single(o, f, at, false, counts);
}

/* A key or a length. */
static HOST_INLINE void host_number(host_pen *o, size_t v, bool counts)
{
    if (counts) {
        o->counted = mote_pb_sized_sum(o->counted, mote_pb_sized_varint(v));
    } else if ((size_t)(o->p - o->w->start) >= MOTE_PB_NUMBER_SIZE) {
        o->p = mote_pb_push_number(o->p, v);
    } else {
        o->w->p = o->p;
        mote_pb_put_number(o->w, v);
        o->p = o->w->p;
    }
}

/* ---- messages ------------------------------------------------------------------------------ */

/* Of a field that is a message, and no member of a oneof, the last element; NULL: there is none. */
static HOST_INLINE const uint8_t *host_last(const mote_pb_message *type, const mote_pb_field *f,
                                            const uint8_t *message)
{
    const uint8_t *place = message + f->offset, *first;
    size_t count;

    memcpy(&first, place, sizeof first);
    if (mote_pb_label_of(f) != MOTE_PB_REPEATED)
        return first;
    memcpy(&count, place + offsetof(mote_pb_list, count), sizeof count);
    return count > 0 ? first + (count - 1) * mote_pb_sub_of(type, f)->size : NULL;
}

/* The member of a oneof that is set, at `f` or among the rows of the same one before it; or the
 * first of these rows, which is not set. */
static HOST_INLINE const mote_pb_field *host_member(const mote_pb_field *fields,
                                                    const mote_pb_field *f, const uint8_t *message)
{
    uint32_t which = mote_pb_which(f, message);

    while (f->key >> 3 != which && f > fields && f[-1].offset == f->offset)
        f--;
    return f;
}

/* The fields of the message on top, from the end: until the next one that is a message, whose last
 * element is returned, or all of them, and then `field` is 0. */
static HOST_INLINE const uint8_t *host_fields(host_pen *o, mote_pb_frame *top, bool counts, int *r)
{
    const mote_pb_message *type = top->type;
    const mote_pb_field *fields = type->fields, *f = fields + top->field;
    const uint8_t *message = top->message, *inside = NULL;

    for (; f > fields && !inside && *r == 0; f--) {
        const mote_pb_field *row = f - 1;
        if (mote_pb_label_of(row) == MOTE_PB_IMPLICIT && !mote_pb_is_message(row)) {
            host_single(o, row, message + row->offset, true, counts);
            continue;
        }
        if (mote_pb_label_of(row) == MOTE_PB_ONEOF) {
            row = host_member(fields, row, message);
            f = row + 1;
            if (mote_pb_which(row, message) != row->key >> 3)
                continue;
            if (!mote_pb_is_message(row)) {
                host_single(o, row, message + row->offset, false, counts);
                continue;
            }
        } else if (!mote_pb_is_message(row)) {
            host_field(o, row, message, counts);
            continue;
        }
        inside = host_last(type, row, message);
        if (!inside && mote_pb_label_of(row) == MOTE_PB_REQUIRED)
            *r = MOTE_PB_ERR_REQUIRED;
    }
    top->field = (size_t)(f - fields);
    return inside;
}

static HOST_INLINE void host_open(host_pen *o, mote_pb_frame *top, const mote_pb_message *type,
                                  const uint8_t *message, bool counts)
{
    top->type = type;
    top->message = message;
    top->field = type->field_count;
    top->end = host_written(o, counts);
}

/* The message on top is written, which is in the row behind `field` of `around`: its prefix, and
 * the element before it; NULL: it was the first, and the field is done. */
static HOST_INLINE const uint8_t *host_close(host_pen *o, const mote_pb_frame *around, bool counts)
{
    const mote_pb_field *f = &around->type->fields[around->field];
    const uint8_t *message = around[1].message, *first;

    if (mote_pb_type_of(f) == MOTE_PB_MESSAGE)
        host_number(o, host_written(o, counts) - around[1].end, counts);
    host_number(o, f->key, counts);
    if (mote_pb_label_of(f) != MOTE_PB_REPEATED)
        return NULL;
    memcpy(&first, around->message + f->offset, sizeof first);
    return message != first ? message - around[1].type->size : NULL;
}

static HOST_INLINE int host_walk(host_pen *o, mote_pb_frame *stack, mote_pb_frame *last,
                                 bool counts)
{
    mote_pb_frame *top = stack;
    int r = 0;

    for (;;) {
        const uint8_t *inside = host_fields(o, top, counts, &r);
        if (r < 0 || (!inside && top == stack))
            return r;
        if (!inside)
            inside = host_close(o, --top, counts);
        if (!inside)
            continue;
        const mote_pb_field *f = &top->type->fields[top->field];
        if (top == last)
            return MOTE_PB_ERR_DEPTH;
        if (mote_pb_type_of(f) == MOTE_PB_GROUP)
            host_number(o, (f->key & ~7u) | MOTE_PB_EGROUP, counts);
        host_open(o, top + 1, mote_pb_sub_of(top->type, f), inside, counts);
        top++;
    }
}

int mote_pb_put_host(mote_pb_writer *w, const mote_pb_message *type, const void *message,
                     mote_pb_frame *stack, mote_pb_frame *last)
{
    host_pen o = {w, w->p, 0};
    int r;

    host_open(&o, stack, type, message, w->counts);
    if (w->counts) {
        r = host_walk(&o, stack, last, true);
        w->lost += o.counted;
    } else {
        r = host_walk(&o, stack, last, false);
        w->p = o.p;
    }
    return r;
}
