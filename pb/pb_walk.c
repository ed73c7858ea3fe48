/*
 * Encoder of large messages. It writes forward, so the lengths of messages inside of messages are
 * known before (pb_walk_size.c), and goes on where it stopped. Between parts it keeps no pointers
 * into the message but rows and numbers of elements, and every length that was written is held
 * against what follows it: a message that was changed meanwhile is an error.
 */
#include "pb_walk.h"

enum { WALK_HEAD = 16 /* a key and a number, or a key and a length */ };

/* A part at work. */
typedef struct {
    mote_pb_walk *walk;
    uint8_t *out, *end;
} walk_pen;

/* What a step comes to; or an error. */
enum { WALK_STOPPED = 0 /* the part is full, or the message has ended */, WALK_WRITTEN = 1 };

/* ---- output -------------------------------------------------------------------------------- */

static uint8_t *walk_varint(uint8_t *to, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        *to++ = (uint8_t)(v | 128);
    *to++ = (uint8_t)v;
    return to;
}

/* Where a head is made: in the output, or in `spare` where that may be too short. */
static uint8_t *walk_head(const walk_pen *p, uint8_t *spare)
{
    return p->walk->skip == 0 && p->end - p->out >= WALK_HEAD ? p->out : spare;
}

/* Copies what is left of a piece and has room. */
static void walk_copy(walk_pen *p, const uint8_t *from, size_t len, size_t *skip)
{
    size_t left = *skip < len ? len - *skip : 0, room = (size_t)(p->end - p->out);
    size_t n = left < room ? left : room;

    if (n > 0 && from != p->out)
        memcpy(p->out, from + *skip, n);
    p->out += n;
    p->walk->at += n;
    p->walk->skip += n;
    *skip -= len - left;
}

/* What does not fit, or was begun. */
static MOTE_PB_RARE int walk_put_cut(walk_pen *p, const uint8_t *head, size_t head_len,
                                     const mote_pb_bytes *body)
{
    mote_pb_walk *w = p->walk;
    size_t skip = w->skip;

    if (skip > 0 && w->piece != head_len + body->len)
        return MOTE_PB_ERR_CHANGED;
    w->piece = head_len + body->len;
    walk_copy(p, head, head_len, &skip);
    walk_copy(p, body->data, body->len, &skip);
    if (w->skip < w->piece)
        return WALK_STOPPED;
    w->skip = 0;
    return WALK_WRITTEN;
}

/* Writes a head and a body, or as much of them as there is room for. They end at `limit` at the
 * latest. */
static int walk_put(walk_pen *p, size_t limit, const uint8_t *head, size_t head_len,
                    const mote_pb_bytes *body)
{
    mote_pb_walk *w = p->walk;
    size_t room = limit - (w->at - w->skip);

    if (head_len > room || body->len > room - head_len)
        return MOTE_PB_ERR_CHANGED;
    if (head != p->out || head_len + body->len > (size_t)(p->end - p->out))
        return walk_put_cut(p, head, head_len, body);
    if (body->len > 0)
        memcpy(p->out + head_len, body->data, body->len);
    p->out += head_len + body->len;
    w->at += head_len + body->len;
    return WALK_WRITTEN;
}

/* ---- values -------------------------------------------------------------------------------- */

static const mote_pb_bytes walk_no_body = {NULL, 0};

/* A value and, if there is one, the key before it. */
static int walk_value(walk_pen *p, size_t limit, uint32_t key, const mote_pb_field *f,
                      const void *value)
{
    const mote_pb_type_info *info = mote_pb_info_of(f);
    uint8_t spare[WALK_HEAD], *head = walk_head(p, spare), *to = head;
    const mote_pb_bytes *body = &walk_no_body;

    if (key > 0)
        to = walk_varint(to, key);
    switch (f->key & 7) {
    case MOTE_PB_LEN:
        body = value;
        to = walk_varint(to, body->len);
        break;
    case MOTE_PB_VARINT:
        to = walk_varint(to, mote_pb_number(info, value));
        break;
    case MOTE_PB_I64:
        mote_pb_store64(to, mote_pb_load(value, 8));
        to += 8;
        break;
    default:
        mote_pb_store32(to, (uint32_t)mote_pb_load(value, 4));
        to += 4;
        break;
    }
    return walk_put(p, limit, head, (size_t)(to - head), body);
}

/* The elements of a list, from the one at work on. */
static int walk_elements(walk_pen *p, mote_pb_level *l, const mote_pb_field *f)
{
    size_t count = mote_pb_count(f, l->message);
    mote_pb_value spare;

    for (; l->element < count; l->element++) {
        const void *value = mote_pb_item(f, l->message, l->element, &spare);
        bool unknown = mote_pb_label_of(f) == MOTE_PB_UNKNOWN;
        if (!value)
            return MOTE_PB_ERR_SUPPLY;
        int r =
            unknown ? walk_put(p, l->end, NULL, 0, value) : walk_value(p, l->end, f->key, f, value);
        if (r != WALK_WRITTEN)
            return r;
        MOTE_PB_LOOKED_AT(1);
    }
    return WALK_WRITTEN;
}

/* Key and length of a packed field. What follows lies in memory as it is sent, or else is the next
 * element. A length that was begun is the one that is kept. */
static int walk_packed_head(walk_pen *p, mote_pb_level *l, const mote_pb_field *f)
{
    const mote_pb_list *list = (const void *)(l->message + f->offset);
    uint8_t spare[WALK_HEAD], *head = walk_head(p, spare), *to = head;
    bool as_it_is =
        MOTE_PB_LITTLE_ENDIAN && (f->key & 7) != MOTE_PB_VARINT && !mote_pb_is_supplied(f);
    mote_pb_bytes body = {as_it_is ? list->items : NULL, 0};
    int r = 0;

    if (p->walk->skip == 0)
        r = mote_pb_packed_size(f, l->message, &p->walk->length);
    if (r < 0)
        return r;
    size_t size = p->walk->length;
    if (as_it_is)
        body.len = list->count * mote_pb_info_of(f)->size;
    to = walk_varint(to, (f->key & ~7u) | MOTE_PB_LEN);
    to = walk_varint(to, size);
    r = walk_put(p, l->end, head, (size_t)(to - head), &body);
    if (r != WALK_WRITTEN)
        return r;
    size -= body.len;
    p->walk->limit = p->walk->at + size;
    l->element = as_it_is ? list->count + 1 : 1;
    return size <= l->end - p->walk->at ? WALK_WRITTEN : MOTE_PB_ERR_CHANGED;
}

/* Element 0 is the head. */
static int walk_packed(walk_pen *p, mote_pb_level *l, const mote_pb_field *f)
{
    size_t count = mote_pb_count(f, l->message);
    mote_pb_value spare;
    int r = WALK_WRITTEN;

    if (l->element == 0 && count == 0)
        return WALK_WRITTEN;
    if (l->element == 0)
        r = walk_packed_head(p, l, f);
    while (r == WALK_WRITTEN && l->element <= count) {
        const void *value = mote_pb_item(f, l->message, l->element - 1, &spare);
        r = value ? walk_value(p, p->walk->limit, 0, f, value) : MOTE_PB_ERR_SUPPLY;
        l->element += r == WALK_WRITTEN;
        MOTE_PB_LOOKED_AT(1);
    }
    return r == WALK_WRITTEN && p->walk->at != p->walk->limit ? MOTE_PB_ERR_CHANGED : r;
}

/* A field that is no message. */
static int walk_field(walk_pen *p, mote_pb_level *l, const mote_pb_field *f)
{
    MOTE_PB_LOOKED_AT(1);
    if (mote_pb_is_packed(f))
        return walk_packed(p, l, f);
    if (mote_pb_is_plural(f))
        return walk_elements(p, l, f);
    const uint8_t *value = mote_pb_single(f, l->message);
    return value ? walk_value(p, l->end, f->key, f, value) : WALK_WRITTEN;
}

/* The field at work is done. What was begun of it is not gone. */
static int walk_next(const walk_pen *p, mote_pb_level *l)
{
    l->field++;
    l->element = 0;
    return p->walk->skip == 0 ? WALK_WRITTEN : MOTE_PB_ERR_CHANGED;
}

/* Fields up to the next one that is a message, or the end. */
static int walk_fields(walk_pen *p, mote_pb_level *l)
{
    const mote_pb_field *f = mote_pb_row(l), *end = l->type->fields + l->type->field_count;
    int r = WALK_WRITTEN;

    for (; r == WALK_WRITTEN && f < end && !mote_pb_is_message(f); f++) {
        r = walk_field(p, l, f);
        if (r == WALK_WRITTEN)
            r = walk_next(p, l);
    }
    return r;
}

/* ---- messages ------------------------------------------------------------------------------ */

/* The length of the message that is opened next. */
static int walk_take_length(mote_pb_walk *w, const mote_pb_message *type, const uint8_t *message)
{
    int r = 0;

    if (w->next < w->lengths && w->next < w->slots) {
        w->length = *mote_pb_length_at(w, w->next++);
        return 0;
    }
    r = mote_pb_walk_size(w, w->depth + 1, type, message, &w->length);
    w->next = 1;
    return r == MOTE_PB_ERR_REQUIRED || r == MOTE_PB_ERR_UTF8 ? MOTE_PB_ERR_CHANGED : r;
}

/* Writes the key, and the length, of a message inside of the one at work, and opens it. */
static int walk_enter(walk_pen *p, mote_pb_level *l, const uint8_t *message)
{
    mote_pb_walk *w = p->walk;
    const mote_pb_field *f = mote_pb_row(l);
    const mote_pb_message *type = mote_pb_sub_of(l->type, f);
    uint8_t spare[WALK_HEAD], *head = walk_head(p, spare), *to = walk_varint(head, f->key);
    int r;

    if (p->out == p->end)
        return w->at < l->end ? WALK_STOPPED : MOTE_PB_ERR_CHANGED;
    if (w->skip == 0 && (r = walk_take_length(w, type, message)) < 0)
        return r;
    if (mote_pb_type_of(f) == MOTE_PB_MESSAGE)
        to = walk_varint(to, w->length);
    if ((r = walk_put(p, l->end, head, (size_t)(to - head), &walk_no_body)) != WALK_WRITTEN)
        return r;
    if (w->length > l->end - w->at)
        return MOTE_PB_ERR_CHANGED;
    if ((r = mote_pb_level_open(w, w->depth + 1, type, message)) < 0)
        return r;
    w->depth++;
    mote_pb_level_at(w, w->depth)->end = w->at + w->length;
    return WALK_WRITTEN;
}

/* The message at work is done. Groups have a key at their end. */
static int walk_leave(walk_pen *p, const mote_pb_level *l)
{
    mote_pb_walk *w = p->walk;
    uint8_t spare[WALK_HEAD], *head = walk_head(p, spare);

    if (w->at - w->skip != l->end)
        return MOTE_PB_ERR_CHANGED;
    if (w->depth == 0)
        return WALK_STOPPED;
    mote_pb_level *around = mote_pb_level_at(w, w->depth - 1);
    const mote_pb_field *f = mote_pb_row(around);
    if (mote_pb_type_of(f) == MOTE_PB_GROUP) {
        size_t len = (size_t)(walk_varint(head, (f->key & ~7u) | MOTE_PB_EGROUP) - head);
        int r = walk_put(p, around->end, head, len, &walk_no_body);
        if (r != WALK_WRITTEN)
            return r;
    }
    around->element++;
    w->depth--;
    return WALK_WRITTEN;
}

static int walk_step(walk_pen *p)
{
    mote_pb_level *l = mote_pb_level_at(p->walk, p->walk->depth);
    int r = walk_fields(p, l);

    if (r != WALK_WRITTEN)
        return r;
    MOTE_PB_LOOKED_AT(1);
    if (l->field == l->type->field_count)
        return walk_leave(p, l);
    const uint8_t *inside;
    r = mote_pb_element(l, &inside);
    if (r < 0)
        return r;
    return inside ? walk_enter(p, l, inside) : walk_next(p, l);
}

/* ---- parts --------------------------------------------------------------------------------- */

static int walk_begin(mote_pb_walk *w, const mote_pb_message *type, const void *message)
{
    int r = mote_pb_walk_size(w, 0, type, message, &w->total);

    w->at = w->skip = w->depth = 0;
    w->next = 1; /* the first one is that of the whole message */
    if (r == 0)
        r = mote_pb_level_open(w, 0, type, message);
    if (r == 0 && w->total > INT32_MAX)
        r = MOTE_PB_ERR_SPACE;
    if (r < 0)
        w->total = 0;
    else
        mote_pb_level_at(w, 0)->end = w->total;
    return r;
}

/* Where the open messages lie now. */
static int walk_resume(mote_pb_walk *w, const mote_pb_message *type, const void *message)
{
    const uint8_t *at = message;

    if (mote_pb_level_at(w, 0)->type != type)
        return MOTE_PB_ERR_CHANGED;
    for (size_t i = 0; i <= w->depth; i++) {
        mote_pb_level *l = mote_pb_level_at(w, i);
        if (!at)
            return MOTE_PB_ERR_CHANGED;
        MOTE_PB_LOOKED_AT(1);
        l->message = at;
        int r = i < w->depth ? mote_pb_element(l, &at) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int walk_write(mote_pb_walk *w, uint8_t *out, size_t cap)
{
    walk_pen p = {w, out, out + cap};
    int r;

    do
        r = walk_step(&p);
    while (r == WALK_WRITTEN);
    if (r == WALK_STOPPED && p.out != p.end)
        r = MOTE_PB_ERR_CHANGED;
    if (r < 0)
        w->total = 0; /* nothing follows */
    return r;
}

int mote_pb_walk_part(const void *encoder, const void *large, size_t offset, uint8_t *out,
                      size_t cap, size_t *total)
{
    const mote_pb_message *type = ((const mote_pb_encoder *)encoder)->type;
    const mote_pb_large *what = large;
    mote_pb_walk *w = what->walk;
    int r;

    if (*total == 0) {
        r = walk_begin(w, type, what->message);
        *total = w->total;
        return r < 0 || w->total > cap ? r : walk_write(w, out, w->total);
    }
    if (*total != w->total || offset != w->at)
        return MOTE_PB_ERR_CHANGED;
    r = walk_resume(w, type, what->message);
    return r < 0 ? r : walk_write(w, out, cap);
}
