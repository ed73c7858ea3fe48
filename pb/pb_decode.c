/* Decoder. It does not copy strings, and keeps its stack of open messages at the end of the arena,
 * so that depth costs nothing until it is there. */
#include "pb_wire.h"

#include <string.h>

enum { MAX_DEPTH = 100 };

/* A message that is open while one inside of it is decoded. */
typedef struct {
    const mote_pb_message *type;
    uint8_t *message;
    const uint8_t *end;
    uint32_t group; /* number of the group that it is; 0: none */
} frame;

typedef struct {
    frame top;
    const uint8_t *p;
    const mote_pb_field *next; /* where the next field is expected */
    const mote_pb_field *field;
    const uint8_t *start; /* of the field, its key included */
    mote_pb_arena *arena;
    size_t stack; /* bytes of frames at the end of the arena */
    unsigned depth;
} decoder;

/* ---- arena --------------------------------------------------------------------------------- */

static void *allocate(decoder *d, size_t size)
{
    mote_pb_arena *a = d->arena;

    if (!a)
        return NULL;
    size_t used = a->used + (0 - ((uintptr_t)a->memory + a->used)) % sizeof(uint64_t);
    if (used > a->size - d->stack || size > a->size - d->stack - used)
        return NULL;
    a->used = used + size;
    memset(a->memory + used, 0, size);
    return a->memory + used;
}

static uint8_t *frame_place(const decoder *d)
{
    return d->arena->memory + d->arena->size - d->stack;
}

static int push(decoder *d)
{
    if (d->depth == MAX_DEPTH)
        return MOTE_PB_ERR_DEPTH;
    if (d->arena->size - d->stack - d->arena->used < sizeof(frame))
        return MOTE_PB_ERR_ARENA;
    d->stack += sizeof(frame);
    d->depth++;
    memcpy(frame_place(d), &d->top, sizeof(frame));
    return 0;
}

static void pop(decoder *d)
{
    memcpy(&d->top, frame_place(d), sizeof(frame));
    d->stack -= sizeof(frame);
    d->depth--;
}

/* ---- arrays -------------------------------------------------------------------------------- */

/* An array in the arena stands behind its capacity. */
static size_t capacity(const mote_pb_list *list)
{
    uint64_t cap = 0;

    if (list->items)
        memcpy(&cap, (const uint8_t *)list->items - sizeof cap, sizeof cap);
    return (size_t)cap;
}

static int grow(decoder *d, mote_pb_list *list, size_t extra, size_t size)
{
    uint64_t cap = list->count + extra;
    uint8_t *block;

    if (cap <= capacity(list))
        return 0;
    if (cap > (SIZE_MAX - sizeof cap) / size)
        return MOTE_PB_ERR_ARENA;
    block = allocate(d, sizeof cap + (size_t)cap * size);
    if (!block)
        return MOTE_PB_ERR_ARENA;
    memcpy(block, &cap, sizeof cap);
    if (list->count > 0)
        memcpy(block + sizeof cap, list->items, list->count * size);
    list->items = block + sizeof cap;
    return 0;
}

static size_t packed_count(unsigned wire, const uint8_t *p, size_t len)
{
    size_t n = 0;

    if (wire != WIRE_VARINT)
        return len / (wire == WIRE_I32 ? 4 : 8);
    for (size_t i = 0; i < len; i++)
        n += p[i] < 128;
    return n;
}

/* Elements of a field in the rest of the message, so that its array is allocated once. */
static size_t count_ahead(const decoder *d, const mote_pb_field *f)
{
    const uint8_t *p = d->p;
    size_t n = 1;
    uint32_t key = f->key;

    if (mote_pb_skip(&p, d->top.end, key) < 0)
        return n;
    while (p < d->top.end && mote_pb_read_key(&p, d->top.end, &key) == 0) {
        const uint8_t *start = p;
        if (mote_pb_skip(&p, d->top.end, key) < 0)
            break;
        if (key == f->key)
            n++;
        else if (key >> 3 == f->key >> 3 && (key & 7) == WIRE_LEN)
            n += packed_count(f->key & 7, start, (size_t)(p - start));
    }
    return n;
}

/* ---- values -------------------------------------------------------------------------------- */

static void store(uint8_t *to, size_t size, uint64_t v)
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

static int read_fixed64(decoder *d, uint64_t *v)
{
    if (d->top.end - d->p < 8)
        return MOTE_PB_ERR_TRUNCATED;
    *v = mote_pb_load64(d->p);
    d->p += 8;
    return 0;
}

static int read_fixed32(decoder *d, uint64_t *v)
{
    if (d->top.end - d->p < 4)
        return MOTE_PB_ERR_TRUNCATED;
    *v = mote_pb_load32(d->p);
    d->p += 4;
    return 0;
}

static int read_view(decoder *d, unsigned type, uint8_t *to)
{
    mote_pb_bytes view;
    int r = mote_pb_read_len(&d->p, d->top.end, &view.len);

    if (r < 0)
        return r;
    view.data = d->p;
    d->p += view.len;
    if (type == MOTE_PB_TEXT && !mote_pb_utf8_valid(view.data, view.len))
        return MOTE_PB_ERR_UTF8;
    memcpy(to, &view, sizeof view);
    return 0;
}

static int read_value(decoder *d, const mote_pb_field *f, uint8_t *to)
{
    unsigned type = mote_pb_type_of(f);
    uint64_t v;
    int r;

    switch (f->key & 7) {
    case WIRE_LEN:
        return read_view(d, type, to);
    case WIRE_I64:
        r = read_fixed64(d, &v);
        break;
    case WIRE_I32:
        r = read_fixed32(d, &v);
        break;
    default:
        r = mote_pb_read_varint(&d->p, d->top.end, &v);
        break;
    }
    if (r < 0)
        return r;
    if (type == MOTE_PB_SINT32)
        v = (uint32_t)v >> 1 ^ (0 - ((uint32_t)v & 1));
    else if (type == MOTE_PB_SINT64)
        v = v >> 1 ^ (0 - (v & 1));
    store(to, mote_pb_element_size(type), v);
    return 0;
}

static int read_packed(decoder *d, const mote_pb_field *f, mote_pb_list *list)
{
    const uint8_t *outer = d->top.end;
    size_t size = mote_pb_element_size(mote_pb_type_of(f));
    size_t len;
    int r = mote_pb_read_len(&d->p, outer, &len);

    if (r == 0)
        r = grow(d, list, packed_count(f->key & 7, d->p, len), size);
    if (r < 0)
        return r;
    if (MOTE_PB_LITTLE_ENDIAN && (f->key & 7) != WIRE_VARINT && len > 0 && len % size == 0) {
        memcpy((uint8_t *)list->items + list->count * size, d->p, len);
        list->count += len / size;
        d->p += len;
        return 0;
    }
    for (d->top.end = d->p + len; r == 0 && d->p < d->top.end;) {
        if (list->count == capacity(list)) {
            r = MOTE_PB_ERR_TRUNCATED; /* the last element is cut, so it was not counted */
            break;
        }
        r = read_value(d, f, (uint8_t *)list->items + list->count * size);
        list->count += r == 0;
    }
    d->top.end = outer;
    return r;
}

static int read_repeated(decoder *d, const mote_pb_field *f, uint32_t key)
{
    uint8_t *place = d->top.message + f->offset;
    size_t size = mote_pb_element_size(mote_pb_type_of(f));
    mote_pb_list list;
    int r = 0;

    memcpy(&list, place, sizeof list);
    if (key != f->key) {
        r = read_packed(d, f, &list);
    } else {
        if (list.count == capacity(&list))
            r = grow(d, &list, count_ahead(d, f), size);
        if (r == 0)
            r = read_value(d, f, (uint8_t *)list.items + list.count * size);
        list.count += r == 0;
    }
    memcpy(place, &list, sizeof list);
    return r;
}

/* ---- sub-messages -------------------------------------------------------------------------- */

static uint8_t *new_element(decoder *d, const mote_pb_field *f, size_t size)
{
    uint8_t *place = d->top.message + f->offset;
    uint8_t *element;
    mote_pb_list list;

    memcpy(&list, place, sizeof list);
    if (list.count == capacity(&list) && grow(d, &list, count_ahead(d, f), size) < 0)
        return NULL;
    element = (uint8_t *)list.items + list.count++ * size;
    memcpy(place, &list, sizeof list);
    return element;
}

/* The struct that a sub-message decodes into; one that is already there is merged with. */
static uint8_t *sub_struct(decoder *d, const mote_pb_field *f, size_t size)
{
    uint8_t *place = d->top.message + f->offset;
    uint8_t *sub;
    uint32_t which = f->key >> 3, old;

    if (mote_pb_label_of(f) == MOTE_PB_REPEATED)
        return new_element(d, f, size);
    memcpy(&sub, place, sizeof sub);
    if (mote_pb_label_of(f) == MOTE_PB_ONEOF) {
        memcpy(&old, d->top.message + mote_pb_which_offset(f), sizeof old);
        if (old != which)
            sub = NULL;
        memcpy(d->top.message + mote_pb_which_offset(f), &which, sizeof which);
    }
    if (!sub)
        sub = allocate(d, size);
    memcpy(place, &sub, sizeof sub);
    return sub;
}

static int enter(decoder *d, const mote_pb_field *f)
{
    const mote_pb_message *sub = d->top.type->subs[f->aux & 0x7f];
    const uint8_t *start = d->p;
    size_t len = 0;
    uint8_t *message = sub_struct(d, f, sub->size);
    int r;

    if (!message)
        return MOTE_PB_ERR_ARENA;
    if (mote_pb_type_of(f) == MOTE_PB_MESSAGE &&
        (r = mote_pb_read_len(&d->p, d->top.end, &len)) < 0) {
        d->p = start;
        return r;
    }
    if ((r = push(d)) < 0)
        return r;
    d->top.type = sub;
    d->top.message = message;
    d->top.group = 0;
    if (mote_pb_type_of(f) == MOTE_PB_MESSAGE)
        d->top.end = d->p + len;
    else
        d->top.group = f->key >> 3;
    d->next = sub->fields;
    return 0;
}

/* ---- fields -------------------------------------------------------------------------------- */

static int read_single(decoder *d, const mote_pb_field *f)
{
    uint8_t *place = d->top.message + f->offset;
    uint32_t which = f->key >> 3;

    if (mote_pb_label_of(f) == MOTE_PB_IMPLICIT)
        return read_value(d, f, place);
    if (mote_pb_label_of(f) == MOTE_PB_OPTIONAL) {
        store(place, sizeof(bool), 1);
        place += mote_pb_value_offset(mote_pb_type_of(f));
    } else if (mote_pb_label_of(f) == MOTE_PB_ONEOF) {
        memcpy(d->top.message + mote_pb_which_offset(f), &which, sizeof which);
    }
    return read_value(d, f, place);
}

/* The field with this number. Fields mostly come in the order of the table. */
static const mote_pb_field *find(decoder *d, uint32_t key)
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

static bool is_list(const mote_pb_field *f)
{
    return mote_pb_label_of(f) == MOTE_PB_REPEATED || mote_pb_label_of(f) == MOTE_PB_PACKED;
}

/* A known number with another wire type is an unknown field, but packed and unpacked are one. */
static bool is_packed_form(const mote_pb_field *f, uint32_t key)
{
    return (key & 7) == WIRE_LEN && is_list(f) && !mote_pb_is_message(f);
}

/* Skips a field that the table does not have, or keeps it where the struct has a place for it.
 * Neighbours become one view. */
static int read_unknown(decoder *d, uint32_t key)
{
    const mote_pb_field *row = d->top.type->fields;
    int r = mote_pb_skip(&d->p, d->top.end, key);
    mote_pb_list list;
    mote_pb_bytes *view;

    if (r < 0 || d->top.type->field_count == 0 || row->key != 0)
        return r;
    memcpy(&list, d->top.message + row->offset, sizeof list);
    if (list.count > 0) {
        view = (mote_pb_bytes *)list.items + list.count - 1;
        if (view->data + view->len == d->start) {
            view->len += (size_t)(d->p - d->start);
            return 0;
        }
    }
    if (list.count == capacity(&list) && grow(d, &list, list.count + 4, sizeof *view) < 0)
        return MOTE_PB_ERR_ARENA;
    view = (mote_pb_bytes *)list.items + list.count++;
    view->data = d->start;
    view->len = (size_t)(d->p - d->start);
    memcpy(d->top.message + row->offset, &list, sizeof list);
    return 0;
}

static int read_field(decoder *d, uint32_t key)
{
    const mote_pb_field *f = find(d, key);

    d->field = f;
    if (!f || (f->key != key && !is_packed_form(f, key)))
        return read_unknown(d, key);
    d->next = is_list(f) ? f : f + 1;
    if (mote_pb_is_message(f))
        return enter(d, f);
    return is_list(f) ? read_repeated(d, f, key) : read_single(d, f);
}

static void leave(decoder *d)
{
    pop(d);
    d->next = d->top.type->fields;
}

/* The end of a group inside of the message of that group. */
static int end_group(decoder *d, uint32_t key)
{
    if (d->top.group == 0 || d->top.group != key >> 3)
        return MOTE_PB_ERR_GROUP;
    leave(d);
    return 0;
}

static int run(decoder *d)
{
    for (;;) {
        uint32_t key;
        int r;
        d->start = d->p;
        d->field = NULL;
        if (d->p == d->top.end && d->top.group == 0) {
            if (d->depth == 0)
                return 0;
            leave(d);
            continue;
        }
        key = d->p < d->top.end ? *d->p : 0; /* mostly one byte is all of it */
        if (key >= 8 && key < 128 && (key & 7) <= WIRE_I32)
            d->p++;
        else if ((r = mote_pb_read_key(&d->p, d->top.end, &key)) < 0)
            return r;
        r = (key & 7) == WIRE_EGROUP ? end_group(d, key) : read_field(d, key);
        if (r < 0)
            return r;
    }
}

int mote_pb_decode(const mote_pb_message *type, void *message, const uint8_t *in, size_t len,
                   mote_pb_arena *arena, mote_pb_where *where)
{
    static const uint8_t nothing;
    decoder d = {0};
    int r;

    memset(message, 0, type->size);
    d.p = len > 0 ? in : &nothing;
    d.top.type = type;
    d.top.message = message;
    d.top.end = d.p + len;
    d.next = type->fields;
    d.arena = arena;
    r = run(&d);
    if (r < 0 && where) {
        where->type = d.top.type;
        where->field = d.field ? d.field->key >> 3 : 0;
        where->offset = len > 0 ? (size_t)(d.start - in) : 0;
    }
    return r;
}
