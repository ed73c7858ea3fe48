/*
 * Encoder of hosts: what pb_encode.c and pb_encode_parts.c do with the same tables, from the end of
 * the message too, but with more code and in less time: one look at the room for each field, and
 * one loop for all messages. Where there may be no room it asks the others. Sizes are counted by
 * the same loop.
 */
#include "pb_forms.h"
#include "pb_sized.h"

#ifdef MOTE_PB_HOST

/* The writer at work: its `p` is held here. */
typedef struct {
    mote_pb_writer *w;
    uint8_t *p;
    const uint8_t *floor; /* above it there is room for a key and a number or a length */
    size_t counted;       /* bytes, when they are not written */
} host_pen;

enum { HOST_ROOM = 2 * MOTE_PB_NUMBER_SIZE };

static MOTE_PB_HOT void host_resume(host_pen *o)
{
    o->p = o->w->p;
    o->floor = mote_pb_has_room(o->w, HOST_ROOM) ? o->w->start + HOST_ROOM - 1 : o->p;
}

static MOTE_PB_HOT size_t host_written(const host_pen *o, bool counts)
{
    return counts ? o->counted : o->w->lost + (size_t)(o->w->end - o->p);
}

/* ---- values -------------------------------------------------------------------------------- */

/* Copies a text or bytes, and returns what all of them have in common with those that are no
 * ASCII. */
static MOTE_PB_HOT uint64_t host_bytes(uint8_t *to, const uint8_t *from, size_t len)
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

static MOTE_PB_HOT uint8_t *host_view(mote_pb_writer *w, unsigned type, uint8_t *p,
                                      const mote_pb_bytes *view)
{
    bool is_text = MOTE_PB_CHECK_SENT && type == MOTE_PB_TEXT;
    size_t len = view->len;

    p -= len;
    if (len > HOST_BYTES)
        memcpy(p, view->data, len);
    if ((len > HOST_BYTES || host_bytes(p, view->data, len) != 0) && is_text)
        mote_pb_check_text(w, view);
    return mote_pb_push_number(p, len);
}

/* The value at `at` of a type that is a constant, and its key, before `p`: where they begin; `p`
 * when it is implicit and 0; NULL: there may not be room for them. */
static MOTE_PB_HOT uint8_t *host_value(host_pen *o, const mote_pb_field *f, unsigned type,
                                       const void *at, bool implicit)
{
    const mote_pb_type_info info = mote_pb_form_info(type);
    uint8_t *p = o->p;
    uint64_t v;

    if (p <= o->floor)
        return NULL;
    switch (mote_pb_form_wire(type)) {
    case MOTE_PB_LEN:
        v = ((const mote_pb_bytes *)at)->len;
        if (v == 0 && implicit)
            return p;
        if ((size_t)(p - o->floor) <= v)
            return NULL;
        p = host_view(o->w, type, p, at);
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
        v = mote_pb_number(&info, at);
        if (v == 0 && implicit)
            return p;
        p = mote_pb_push_number(p, v);
        break;
    }
    MOTE_PB_LOOKED_AT(1);
    return mote_pb_push_number(p, f->key);
}

/* The bytes of the same. */
static MOTE_PB_HOT size_t host_sized(const mote_pb_field *f, unsigned type, const void *at,
                                     bool implicit)
{
    const mote_pb_type_info info = mote_pb_form_info(type);
    size_t n = mote_pb_sized_key(f->key);
    uint64_t v;

    switch (mote_pb_form_wire(type)) {
    case MOTE_PB_LEN:
        v = ((const mote_pb_bytes *)at)->len;
        n = mote_pb_sized_sum(n + mote_pb_sized_varint(v), (size_t)v);
        break;
    case MOTE_PB_I64:
        v = mote_pb_load(at, 8);
        n += 8;
        break;
    case MOTE_PB_I32:
        v = mote_pb_load(at, 4);
        n += 4;
        break;
    default:
        v = mote_pb_number(&info, at);
        n += type == MOTE_PB_BOOL ? 1 : mote_pb_sized_varint(v);
        break;
    }
    return v == 0 && implicit ? 0 : n;
}

static MOTE_PB_HOT uint8_t *host_numbers(uint8_t *p, mote_pb_type_info info, const uint8_t *items,
                                         size_t size)
{
    for (; size > 0; size -= info.size)
        p = mote_pb_push_number(p, mote_pb_number(&info, items + size - info.size));
    return p;
}

/* The values of a packed field, with its key; NULL: there may not be room for them. */
static MOTE_PB_APART uint8_t *host_packed(const mote_pb_field *f, uint8_t *p, size_t room,
                                          const mote_pb_list *list)
{
    const mote_pb_type_info info = *mote_pb_info_of(f);
    const uint8_t *items = list->items, *end = p;
    bool is_number = (f->key & 7) == MOTE_PB_VARINT;
    size_t size = list->count * info.size;

    if (room / 16 < list->count || (!is_number && !MOTE_PB_LITTLE_ENDIAN))
        return NULL;
    MOTE_PB_LOOKED_AT(list->count);
    if (!is_number)
        memcpy(p -= size, items, size);
    else if (mote_pb_type_of(f) == MOTE_PB_UINT32) /* with a loop of its own */
        p = host_numbers(p, mote_pb_form_info(MOTE_PB_UINT32), items, size);
    else
        p = host_numbers(p, info, items, size);
    p = mote_pb_push_number(p, (size_t)(end - p));
    return mote_pb_push_number(p, (f->key & ~7u) | MOTE_PB_LEN);
}

/* Repeated fields, and unknown ones that were kept. */
static MOTE_PB_HOT void host_list(host_pen *o, const mote_pb_field *f, const uint8_t *place,
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
        start = o->p > o->floor ? host_packed(f, o->p, (size_t)(o->p - o->floor), list) : NULL;
    if (!start) {
        o->w->p = o->p;
        o->w->parts->list(o->w, f, place);
        host_resume(o);
        return;
    }
    o->p = start;
}

/* A value with its key; where it is implicit, when it is not 0. */
static MOTE_PB_HOT void host_single(host_pen *o, const mote_pb_field *f, unsigned type,
                                    const void *at, bool implicit, bool counts)
{
    if (counts) {
        o->counted = mote_pb_sized_sum(o->counted, host_sized(f, type, at, implicit));
        return;
    }
    uint8_t *start = host_value(o, f, type, at, implicit);
    if (!start) {
        o->w->p = o->p;
        if (!implicit || !mote_pb_is_empty(f, at)) {
            mote_pb_put_value(o->w, f, at);
            mote_pb_put_number(o->w, f->key);
        }
        host_resume(o);
        return;
    }
    o->p = start;
}

static MOTE_PB_HOT void host_explicit(host_pen *o, const mote_pb_field *f, const void *at,
                                      bool counts)
{
    switch (mote_pb_type_of(f)) {
#define HOST_TYPE(name) case MOTE_PB_##name:
#define HOST_EXPLICIT(like)                                                                        \
    host_single(o, f, MOTE_PB_##like, at, false, counts);                                          \
    break;
        MOTE_PB_FORMS(HOST_TYPE, HOST_EXPLICIT)
#undef HOST_TYPE
#undef HOST_EXPLICIT
    }
}

/* A field that is no message, no member of a oneof, and not implicit. */
static MOTE_PB_HOT void host_field(host_pen *o, const mote_pb_field *f, const uint8_t *message,
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
    host_explicit(o, f, at, counts);
}

/* The length of a message, if it has one before it, and its key. */
static MOTE_PB_HOT void host_prefix(host_pen *o, uint32_t key, size_t len, bool has_len,
                                    bool counts)
{
    if (counts) {
        size_t n = mote_pb_sized_key(key);
        if (has_len)
            n += len < 128 ? 1 : mote_pb_sized_varint(len);
        o->counted = mote_pb_sized_sum(o->counted, n);
    } else if (o->p > o->floor) {
        if (has_len)
            o->p = mote_pb_push_number(o->p, len);
        o->p = mote_pb_push_number(o->p, key);
    } else {
        o->w->p = o->p;
        if (has_len)
            mote_pb_put_number(o->w, len);
        mote_pb_put_number(o->w, key);
        host_resume(o);
    }
}

/* ---- messages ------------------------------------------------------------------------------ */

/* The member of a oneof that is set, at `f` or among the rows of the same one before it; or the
 * first of these rows, which is not set. */
static MOTE_PB_HOT const mote_pb_field *host_member(const mote_pb_field *fields,
                                                    const mote_pb_field *f, uint32_t which)
{
    while (f->key >> 3 != which && f > fields && f[-1].offset == f->offset)
        f--;
    return f;
}

/* The last element of a list of messages; NULL: it has none. */
static MOTE_PB_HOT const uint8_t *host_last(const mote_pb_message *sub, const uint8_t *place)
{
    const uint8_t *first;
    size_t count;

    memcpy(&count, place + offsetof(mote_pb_list, count), sizeof count);
    if (count == 0)
        return NULL;
    memcpy(&first, place, sizeof first);
    return first + (count - 1) * sub->size;
}

/* A row that is neither implicit nor a message: or, of a oneof, the message that is set. *row is
 * the last one that is done. */
static MOTE_PB_HOT const uint8_t *host_other(host_pen *o, const mote_pb_field *fields,
                                             const mote_pb_field **row, const uint8_t *message,
                                             bool counts)
{
    const mote_pb_field *f = *row;
    const uint8_t *at = message + f->offset, *inside = NULL;

    if (mote_pb_label_of(f) != MOTE_PB_ONEOF) {
        host_field(o, f, message, counts);
        return NULL;
    }
    uint32_t which = mote_pb_which(f, message);
    *row = f = host_member(fields, f, which);
    if (f->key >> 3 != which)
        return NULL;
    if (mote_pb_is_message(f))
        memcpy(&inside, at, sizeof inside);
    else
        host_explicit(o, f, at, counts);
    return inside;
}

/* The fields of the message on top, from the end: until the next one that is a message, whose last
 * element is returned; NULL: all of them are done, or *r is set. */
static MOTE_PB_HOT const uint8_t *host_fields(host_pen *o, mote_pb_frame *top, bool counts, int *r)
{
    const mote_pb_field *fields = top->type->fields, *f = fields + top->field;
    const uint8_t *message = top->message, *inside;

    while (f > fields) {
        const uint8_t *at = message + (--f)->offset;
        switch (f->type) {
#define HOST_TYPE(name) case MOTE_PB_IMPLICIT | MOTE_PB_##name:
#define HOST_IMPLICIT(like)                                                                        \
    host_single(o, f, MOTE_PB_##like, at, true, counts);                                           \
    continue;
            MOTE_PB_FORMS(HOST_TYPE, HOST_IMPLICIT)
#undef HOST_TYPE
#undef HOST_IMPLICIT
        case MOTE_PB_REPEATED | MOTE_PB_MESSAGE:
        case MOTE_PB_REPEATED | MOTE_PB_GROUP:
            inside = host_last(mote_pb_sub_of(top->type, f), at);
            break;
        case MOTE_PB_IMPLICIT | MOTE_PB_MESSAGE:
        case MOTE_PB_IMPLICIT | MOTE_PB_GROUP:
            memcpy(&inside, at, sizeof inside);
            break;
        case MOTE_PB_REQUIRED | MOTE_PB_MESSAGE:
        case MOTE_PB_REQUIRED | MOTE_PB_GROUP:
            memcpy(&inside, at, sizeof inside);
            if (!inside) {
                *r = MOTE_PB_ERR_REQUIRED;
                top->field = (size_t)(f - fields);
                return NULL;
            }
            break;
        default:
            inside = host_other(o, fields, &f, message, counts);
        }
        if (inside) {
            top->field = (size_t)(f - fields);
            return inside;
        }
    }
    return NULL;
}

/* A message is begun, which is in the row `f`. */
static MOTE_PB_HOT void host_open(host_pen *o, mote_pb_frame *frame, const mote_pb_field *f,
                                  const uint8_t *message, bool counts)
{
    if (f && mote_pb_type_of(f) == MOTE_PB_GROUP)
        host_prefix(o, (f->key & ~7u) | MOTE_PB_EGROUP, 0, false, counts);
    frame->message = message;
    frame->field = frame->type->field_count;
    frame->end = host_written(o, counts);
}

/* The message inside of the one on top is done: its prefix, and the element before it; NULL: it was
 * the first, and the field is done. */
static MOTE_PB_HOT const uint8_t *host_close(host_pen *o, const mote_pb_frame *top,
                                             const mote_pb_field *f, bool counts)
{
    const uint8_t *message = top[1].message, *first;

    host_prefix(o, f->key, host_written(o, counts) - top[1].end,
                mote_pb_type_of(f) == MOTE_PB_MESSAGE, counts);
    if (mote_pb_label_of(f) != MOTE_PB_REPEATED)
        return NULL;
    memcpy(&first, top->message + f->offset, sizeof first);
    return message != first ? message - top[1].type->size : NULL;
}

static MOTE_PB_HOT int host_walk(host_pen *o, mote_pb_frame *stack, mote_pb_frame *last,
                                 bool counts)
{
    mote_pb_frame *top = stack;
    int r = 0;

    for (;;) {
        const uint8_t *inside = host_fields(o, top, counts, &r);
        const mote_pb_field *f;
        if (inside) {
            if (top == last)
                return MOTE_PB_ERR_DEPTH;
            f = top->type->fields + top->field;
            top[1].type = mote_pb_sub_of(top->type, f);
        } else {
            if (r < 0 || top == stack)
                return r;
            top--;
            f = top->type->fields + top->field;
            inside = host_close(o, top, f, counts);
            if (!inside)
                continue;
        }
        top++;
        host_open(o, top, f, inside, counts);
    }
}

int mote_pb_put_host(mote_pb_writer *w, const mote_pb_message *type, const void *message,
                     mote_pb_frame *stack, mote_pb_frame *last)
{
    host_pen o = {w, w->p, w->p, 0};
    int r;

    if (!w->counts)
        host_resume(&o);
    stack->type = type;
    host_open(&o, stack, NULL, message, w->counts);
    if (w->counts) {
        r = host_walk(&o, stack, last, true);
        w->lost += o.counted;
    } else {
        r = host_walk(&o, stack, last, false);
        w->p = o.p;
    }
    return r;
}

#endif
