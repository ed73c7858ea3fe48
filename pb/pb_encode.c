/*
 * Encoder. It writes from the end of the message to its start, so the length of a sub-message is
 * known when its prefix is written: one pass, no size is computed twice at any depth.
 */
#include "pb_internal.h"

#include <string.h>

/* Output, from its end: [start, p) is free, [p, end) is written. With a window, only the bytes of
 * the message at [offset, offset + cap) are kept, and nothing is free. */
typedef struct {
    uint8_t *p, *start, *end;
    size_t lost; /* bytes that found no room, or went to the window */
    uint8_t *out;
    size_t offset, cap, total;
} writer;

/* Bytes so far, counted from the end of the message. */
static inline size_t written(const writer *w)
{
    return w->lost + (size_t)(w->end - w->p);
}

static inline bool has_room(const writer *w, size_t n)
{
    return (size_t)(w->p - w->start) >= n;
}

static void put_slow(writer *w, const uint8_t *data, size_t n)
{
    size_t len = written(w);

    w->start = w->p; /* what follows has no room either */
    w->lost += n;
    if (w->total == 0 || len + n > w->total)
        return;
    size_t from = w->total - len - n; /* the piece is [from, from + n) of the message */
    size_t start = from > w->offset ? from : w->offset;
    size_t end = from + n < w->offset + w->cap ? from + n : w->offset + w->cap;
    if (start < end)
        memcpy(w->out + (start - w->offset), data + (start - from), end - start);
}

static inline void put(writer *w, const void *data, size_t n)
{
    if (n == 0)
        return;
    if (has_room(w, n)) {
        w->p -= n;
        memcpy(w->p, data, n);
    } else {
        put_slow(w, data, n);
    }
}

static void put_long_varint(writer *w, uint64_t v)
{
    uint8_t bytes[10], *to = bytes;
    size_t n = 1;

    for (uint64_t rest = v >> 7; rest > 0; rest >>= 7)
        n++;
    bool direct = has_room(w, n);
    if (direct)
        to = w->p -= n;
    for (; v >= 128; v >>= 7)
        *to++ = (uint8_t)(v | 128);
    *to = (uint8_t)v;
    if (!direct)
        put_slow(w, bytes, n);
}

/* Most keys and lengths are one byte. */
static inline void put_varint(writer *w, uint64_t v)
{
    if (v < 128 && has_room(w, 1))
        *--w->p = (uint8_t)v;
    else
        put_long_varint(w, v);
}

static void put_fixed64(writer *w, uint64_t v)
{
    uint8_t bytes[8];

    mote_pb_store64(bytes, v);
    put(w, bytes, sizeof bytes);
}

static void put_fixed32(writer *w, uint32_t v)
{
    uint8_t bytes[4];

    mote_pb_store32(bytes, v);
    put(w, bytes, sizeof bytes);
}

static uint64_t load(const void *p, size_t size)
{
    uint64_t v64;
    uint32_t v32;
    bool b;

    if (size == 4) {
        memcpy(&v32, p, 4);
        return v32;
    }
    if (size == 8) {
        memcpy(&v64, p, 8);
        return v64;
    }
    memcpy(&b, p, sizeof b);
    return b;
}

static bool is_bytes(unsigned type)
{
    return type == MOTE_PB_TEXT || type == MOTE_PB_BYTES;
}

/* A value without its key. */
static void put_value(writer *w, unsigned type, const void *p)
{
    uint64_t v;

    if (is_bytes(type)) {
        const mote_pb_bytes *b = p;
        put(w, b->data, b->len);
        put_varint(w, b->len);
        return;
    }
    v = load(p, mote_pb_element_size(type));
    switch (type) {
    case MOTE_PB_DOUBLE:
    case MOTE_PB_FIXED64:
    case MOTE_PB_SFIXED64:
        put_fixed64(w, v);
        break;
    case MOTE_PB_FLOAT:
    case MOTE_PB_FIXED32:
    case MOTE_PB_SFIXED32:
        put_fixed32(w, (uint32_t)v);
        break;
    case MOTE_PB_SINT32: /* zigzag: the sign goes to the lowest bit */
        put_varint(w, (uint32_t)(v << 1) ^ (0 - (uint32_t)(v >> 31 & 1)));
        break;
    case MOTE_PB_SINT64:
        put_varint(w, v << 1 ^ (0 - (v >> 63)));
        break;
    case MOTE_PB_INT32:
    case MOTE_PB_ENUM_TYPE: /* a negative one is sign-extended to ten bytes */
        put_varint(w, (uint64_t)(int64_t)(int32_t)(uint32_t)v);
        break;
    default:
        put_varint(w, v);
        break;
    }
}

static bool is_empty(unsigned type, const void *p)
{
    if (is_bytes(type))
        return ((const mote_pb_bytes *)p)->len == 0;
    return load(p, mote_pb_element_size(type)) == 0;
}

static void put_list(writer *w, const mote_pb_field *f, const mote_pb_list *list)
{
    unsigned type = mote_pb_type_of(f);
    size_t size = mote_pb_element_size(type);
    const uint8_t *items = list->items;
    bool packed = mote_pb_label_of(f) == MOTE_PB_PACKED;
    size_t end = written(w);

    for (size_t i = list->count; i > 0; i--) {
        put_value(w, type, items + (i - 1) * size);
        if (!packed)
            put_varint(w, f->key);
    }
    if (packed && list->count > 0) {
        put_varint(w, written(w) - end);
        put_varint(w, (f->key & ~7u) | WIRE_LEN);
    }
}

/* Unknown fields, as they came. */
static void put_unknown(writer *w, const mote_pb_list_bytes *list)
{
    for (size_t i = list->count; i > 0; i--)
        put(w, list->items[i - 1].data, list->items[i - 1].len);
}

/* A field that is no message: all of it. */
static void put_field(writer *w, const mote_pb_field *f, const uint8_t *message)
{
    const uint8_t *p = message + f->offset;
    unsigned type = mote_pb_type_of(f);

    switch (mote_pb_label_of(f)) {
    case MOTE_PB_IMPLICIT:
        if (is_empty(type, p))
            return;
        break;
    case MOTE_PB_OPTIONAL:
        if (!load(p, sizeof(bool)))
            return;
        p += mote_pb_value_offset(type);
        break;
    case MOTE_PB_ONEOF:
        if (load(message + mote_pb_which_offset(f), 4) != f->key >> 3)
            return;
        break;
    case MOTE_PB_REPEATED:
    case MOTE_PB_PACKED:
        put_list(w, f, (const void *)p);
        return;
    case MOTE_PB_UNKNOWN:
        put_unknown(w, (const void *)p);
        return;
    default:
        break;
    }
    put_value(w, type, p);
    put_varint(w, f->key);
}

/* A message that is being encoded, and how far it is. */
typedef struct {
    const mote_pb_message *type;
    const uint8_t *message;
    size_t end;     /* writer's length when it was entered */
    size_t left;    /* elements of the current message field that are still to do */
    uint16_t field; /* fields that are still to do */
    bool entered;   /* `left` is valid for field - 1 */
} frame;

/* Elements of a message field. */
static size_t element_count(const mote_pb_field *f, const uint8_t *message)
{
    const void *sub;
    mote_pb_list list;

    if (mote_pb_label_of(f) == MOTE_PB_REPEATED) {
        memcpy(&list, message + f->offset, sizeof list);
        return list.count;
    }
    if (mote_pb_label_of(f) == MOTE_PB_ONEOF &&
        load(message + mote_pb_which_offset(f), 4) != f->key >> 3)
        return 0;
    memcpy(&sub, message + f->offset, sizeof sub);
    return sub != NULL;
}

static const uint8_t *element(const mote_pb_field *f, const uint8_t *message, size_t index,
                              size_t size)
{
    const uint8_t *items;

    memcpy(&items, message + f->offset, sizeof items);
    return items + index * size;
}

/* Prefix of the sub-message that was just written. */
static void put_sub_prefix(writer *w, const mote_pb_field *f, size_t len)
{
    if (mote_pb_type_of(f) == MOTE_PB_MESSAGE)
        put_varint(w, len);
    put_varint(w, f->key);
}

static void enter(frame *f, const writer *w, const mote_pb_message *type, const uint8_t *message)
{
    f->type = type;
    f->message = message;
    f->field = type->field_count;
    f->entered = false;
    f->end = written(w);
}

static int encode(writer *w, const mote_pb_message *type, const void *message)
{
    frame stack[MOTE_PB_DEPTH];
    frame *top = stack;

    enter(top, w, type, message);
    for (;;) {
        if (top->field == 0) { /* done with this one: back to the message it is in */
            size_t len = written(w) - top->end;
            if (top == stack)
                return 0;
            top--;
            put_sub_prefix(w, &top->type->fields[top->field - 1], len);
            continue;
        }
        const mote_pb_field *f = &top->type->fields[top->field - 1];
        if (!mote_pb_is_message(f)) {
            put_field(w, f, top->message);
            top->field--;
            continue;
        }
        if (!top->entered)
            top->left = element_count(f, top->message);
        top->entered = top->left > 0;
        if (top->left == 0) {
            top->field--;
            continue;
        }
        if (top == stack + MOTE_PB_DEPTH - 1)
            return MOTE_PB_ERR_DEPTH;
        const mote_pb_message *sub = top->type->subs[f->aux & 0x7f];
        const uint8_t *p = element(f, top->message, --top->left, sub->size);
        if (mote_pb_type_of(f) == MOTE_PB_GROUP)
            put_varint(w, (f->key & ~7u) | WIRE_EGROUP);
        enter(++top, w, sub, p);
    }
}

int mote_pb_size(const mote_pb_message *type, const void *message, size_t *size)
{
    writer w = {0};
    int r = encode(&w, type, message);

    *size = written(&w);
    return r;
}

int mote_pb_encode(const mote_pb_message *type, const void *message, uint8_t *out, size_t cap,
                   size_t *len)
{
    writer w;
    int r;

    w.start = out;
    w.p = w.end = cap > 0 ? out + cap : out;
    w.lost = w.total = 0; /* no window */
    r = encode(&w, type, message);
    *len = written(&w);
    if (r < 0)
        return r;
    if (*len > cap)
        return MOTE_PB_ERR_SPACE;
    if (*len > 0 && *len < cap)
        memmove(out, w.p, *len);
    return 0;
}

int mote_pb_encode_part(const void *type, const void *message, size_t offset, uint8_t *out,
                        size_t cap, size_t *total)
{
    if (*total == 0) {
        int r = mote_pb_encode(type, message, out, cap, total);
        return r == MOTE_PB_ERR_SPACE ? 0 : r;
    }
    writer w = {.out = out, .offset = offset, .cap = cap, .total = *total};
    return encode(&w, type, message);
}
