/*
 * Decoder of hosts: what pb_decode.c and its parts do with the same tables, but with more code and
 * in less time, for what messages are mostly made of: fields in the order of the table, keys and
 * lengths of one or two bytes, texts in ASCII, messages inside of messages. All else is left to the
 * others, field by field: what is odd, and what is wrong, which they say.
 */
#include "pb_forms.h"
#include "pb_reader.h"

#ifdef MOTE_PB_HOST

/* The reader at work: what it has of the message on top is held here. */
typedef struct {
    mote_pb_reader *d;
    const uint8_t *p, *end;
    const uint8_t *limit; /* of the input: up to it, words may be loaded */
    const mote_pb_message *type;
    uint8_t *message;
    const mote_pb_field *f; /* where the next field is expected */
} host_scan;

/* What became of a field, beside errors: it is left to others; its row is done; `f` is where it
 * goes on. */
enum host_read { HOST_LEFT, HOST_DONE, HOST_ON };

#define HOST_HIGH_BITS 0x8080808080808080u

/* ---- values -------------------------------------------------------------------------------- */
/* Each returns where the value ends; NULL: it is left to others. */

static MOTE_PB_HOT const uint8_t *host_long(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70 && p < end; shift += 7) {
        value |= (uint64_t)(*p & 127) << shift; /* bits beyond the 64th are dropped */
        if (*p++ < 128) {
            *v = value;
            return p;
        }
    }
    return NULL;
}

/* Of a word of the input, the number at its start: the bytes up to the first without a high bit
 * give 7 bits each, which are moved together in three steps. */
static MOTE_PB_HOT uint64_t host_gather(uint64_t word, uint64_t stops)
{
    word &= (stops ^ (stops - 1)) & ~HOST_HIGH_BITS;
    word = (word & 0x007f007f007f007fu) | (word & 0x7f007f007f007f00u) >> 1;
    word = (word & 0x00003fff00003fffu) | (word & 0x3fff00003fff0000u) >> 2;
    return (word & 0x000000000fffffffu) | (word & 0x0fffffff00000000u) >> 4;
}

static MOTE_PB_HOT const uint8_t *host_number(const host_scan *o, const uint8_t *p, uint64_t *v)
{
    if (p < o->end && *p < 128) {
        *v = *p;
        return p + 1;
    }
#if defined(__GNUC__)
    if (o->limit - p >= 8) {
        uint64_t word = mote_pb_load64(p), stops = ~word & HOST_HIGH_BITS;
        if (stops != 0) {
            *v = host_gather(word, stops);
            p += (unsigned)__builtin_ctzll(stops) / 8 + 1;
            return p <= o->end ? p : NULL;
        }
    }
#endif
    return host_long(p, o->end, v);
}

/* A length of one or two bytes, and as much behind it. */
static MOTE_PB_HOT const uint8_t *host_length(const uint8_t *p, const uint8_t *end, size_t *len)
{
    if (p == end)
        return NULL;
    *len = *p++;
    if (*len >= 128) {
        if (p == end || *p >= 128)
            return NULL;
        *len += ((size_t)*p++ << 7) - 128;
    }
    return (size_t)(end - p) < *len ? NULL : p;
}

static MOTE_PB_HOT bool host_is_ascii(const uint8_t *s, size_t len, const uint8_t *limit)
{
    uint64_t bits = 0;

    if (len >= sizeof bits) {
        for (size_t i = 0; i + sizeof bits < len; i += sizeof bits)
            bits |= mote_pb_load64(s + i);
        return ((bits | mote_pb_load64(s + len - sizeof bits)) & HOST_HIGH_BITS) == 0;
    }
    if (limit - s >= (ptrdiff_t)sizeof bits)
        return (mote_pb_load64(s) & HOST_HIGH_BITS & (((uint64_t)1 << 8 * len) - 1)) == 0;
    for (size_t i = 0; i < len; i++)
        bits |= s[i];
    return (bits & 0x80) == 0;
}

static MOTE_PB_HOT const uint8_t *host_read_view(const host_scan *o, unsigned type,
                                                 const uint8_t *p, uint8_t *to)
{
    mote_pb_bytes view;

    view.data = host_length(p, o->end, &view.len);
    if (!view.data)
        return NULL;
    if (type == MOTE_PB_TEXT && !host_is_ascii(view.data, view.len, o->limit) &&
        !o->d->parts->utf8(view.data, view.len))
        return NULL;
    memcpy(to + offsetof(mote_pb_bytes, data), &view.data, sizeof view.data);
    memcpy(to + offsetof(mote_pb_bytes, len), &view.len, sizeof view.len);
    return view.data + view.len;
}

static MOTE_PB_HOT void host_store(uint8_t *to, size_t size, uint64_t v)
{
    uint32_t v32 = (uint32_t)v;
    bool b = v != 0;

    if (size == sizeof b)
        memcpy(to, &b, sizeof b);
    else if (size == sizeof v32)
        memcpy(to, &v32, sizeof v32);
    else
        memcpy(to, &v, sizeof v);
}

/* The value at `p` of a type that is a constant. */
static MOTE_PB_HOT const uint8_t *host_read_value(const host_scan *o, unsigned type,
                                                  const uint8_t *p, uint8_t *to)
{
    const mote_pb_type_info info = mote_pb_form_info(type);
    unsigned wire = mote_pb_form_wire(type);
    uint64_t v;

    if (wire == MOTE_PB_LEN)
        return host_read_view(o, type, p, to);
    if (wire != MOTE_PB_VARINT) {
        size_t size = wire == MOTE_PB_I64 ? 8 : 4;
        if ((size_t)(o->end - p) < size)
            return NULL;
        host_store(to, size, size == 8 ? mote_pb_load64(p) : mote_pb_load32(p));
        return p + size;
    }
    p = host_number(o, p, &v);
    if (!p)
        return NULL;
    if (info.kind == MOTE_PB_ZIGZAG) {
        if (info.size == 4)
            v = (uint32_t)v;
        v = v >> 1 ^ (0 - (v & 1));
    }
    host_store(to, info.size, v);
    return p;
}

/* ---- fields -------------------------------------------------------------------------------- */

/* A field whose value lies `gap` bytes behind its place in the struct. */
static MOTE_PB_HOT int host_read_single(host_scan *o, unsigned type, const uint8_t *p, size_t gap)
{
    const uint8_t *behind = host_read_value(o, type, p, o->message + o->f->offset + gap);

    if (!behind)
        return HOST_LEFT;
    o->p = behind;
    return HOST_DONE;
}

static MOTE_PB_HOT int host_read_optional(host_scan *o, unsigned type, const uint8_t *p)
{
    uint8_t *place = o->message + o->f->offset;
    int r = host_read_single(o, type, p, mote_pb_form_info(type).value);

    if (r == HOST_DONE)
        host_store(place, sizeof(bool), 1);
    return r;
}

static MOTE_PB_HOT void host_set_which(const host_scan *o)
{
    host_store(o->message + mote_pb_which_offset(o->f), sizeof(uint32_t), o->f->key >> 3);
}

static MOTE_PB_HOT int host_read_member(host_scan *o, unsigned type, const uint8_t *p)
{
    int r = host_read_single(o, type, p, 0);

    if (r == HOST_DONE)
        host_set_which(o);
    return r;
}

/* The reader of the others gets what is known here. */
static MOTE_PB_HOT void host_tell(const host_scan *o)
{
    mote_pb_reader *d = o->d;

    d->p = o->p;
    d->next = o->f;
    d->top.type = o->type;
    d->top.message = o->message;
    d->top.end = o->end;
}

/* Repeated numbers and texts, which may be packed. */
static inline bool host_is_values(const mote_pb_field *f)
{
    return mote_pb_is_list(f) && !mote_pb_is_message(f) && mote_pb_type_of(f) != MOTE_PB_CLOSED;
}

static inline bool host_is_packed(const mote_pb_field *f, uint32_t key)
{
    return (key & 7) == MOTE_PB_LEN && host_is_values(f);
}

static MOTE_PB_APART int host_read_list(host_scan *o, uint32_t key, const uint8_t *p)
{
    mote_pb_reader *d = o->d;

    host_tell(o);
    d->start = o->p;
    d->field = o->f;
    d->p = p;
    int r = d->parts->list(d, o->f, key);
    o->p = d->p;
    return r < 0 ? r : HOST_ON;
}

/* ---- messages ------------------------------------------------------------------------------ */

static MOTE_PB_HOT const uint8_t *host_key(const uint8_t *p, const uint8_t *end, uint32_t *key)
{
    *key = *p++;
    if (*key < 128)
        return p;
    if (p == end || *p >= 128)
        return NULL;
    *key += ((uint32_t)*p << 7) - 128;
    return p + 1;
}

/* The elements at `p`, behind the key of the first one, that follow each other: one at least. */
static MOTE_PB_HOT size_t host_count(uint32_t wanted, const uint8_t *p, const uint8_t *end)
{
    size_t n = 0, len;
    uint32_t key;

    do {
        n++;
        p = host_length(p, end, &len);
        if (!p || len == (size_t)(end - p))
            return n;
        p = host_key(p + len, end, &key);
    } while (p && key == wanted);
    return n;
}

/* An array that is full gets room for what follows; NULL: the arena has none. */
static MOTE_PB_APART uint8_t *host_grow(const host_scan *o, const uint8_t *p, size_t size)
{
    uint8_t *place = o->message + o->f->offset;
    mote_pb_list list;

    memcpy(&list, place, sizeof list);
    if (mote_pb_grow(o->d, &list, host_count(o->f->key, p, o->end), size) < 0)
        return NULL;
    memcpy(place, &list.items, sizeof list.items);
    return list.items;
}

/* A new element of a list of messages. */
static MOTE_PB_HOT uint8_t *host_element(const host_scan *o, const uint8_t *p, size_t size)
{
    uint8_t *place = o->message + o->f->offset;
    mote_pb_list list;
    uint8_t *items;

    memcpy(&list.items, place, sizeof list.items);
    memcpy(&list.count, place + offsetof(mote_pb_list, count), sizeof list.count);
    items = list.items;
    if (list.count == mote_pb_capacity(&list)) {
        items = host_grow(o, p, size);
        if (!items)
            return NULL;
    }
    items += list.count++ * size;
    memcpy(place + offsetof(mote_pb_list, count), &list.count, sizeof list.count);
    return items;
}

/* The struct of a message that is no element; *is_new: it was not there before. */
static MOTE_PB_HOT uint8_t *host_struct(const host_scan *o, bool is_member, size_t size,
                                        bool *is_new)
{
    uint8_t *place = o->message + o->f->offset, *inside;

    memcpy(&inside, place, sizeof inside);
    if (is_member && mote_pb_which(o->f, o->message) != o->f->key >> 3) {
        inside = NULL;
        host_set_which(o);
    }
    *is_new = !inside;
    if (!inside)
        inside = mote_pb_allocate(o->d, size);
    memcpy(place, &inside, sizeof inside);
    return inside;
}

/* The message on top is kept, for the one that is opened. 0 or an error. */
static MOTE_PB_HOT int host_keep(const host_scan *o)
{
    mote_pb_reader *d = o->d;
    const mote_pb_open open = {o->type, o->message, d->top.begin, o->end, d->top.group};

    if (d->stack == MOTE_PB_MAX_DEPTH * sizeof open)
        return MOTE_PB_ERR_DEPTH;
    if (d->arena->size - d->stack - d->arena->used < sizeof open)
        return MOTE_PB_ERR_ARENA;
    d->stack += sizeof open;
    d->leave = mote_pb_leave;
    MOTE_PB_PERMIT(mote_pb_open_place(d), sizeof open);
    mote_pb_copy_open(mote_pb_open_place(d), &open);
    return 0;
}

/* A message whose length is at `p`, in a row with this label. */
static MOTE_PB_HOT int host_read_message(host_scan *o, unsigned label, const uint8_t *p)
{
    const mote_pb_message *sub = mote_pb_sub_of(o->type, o->f);
    bool is_new = true;
    size_t len;
    const uint8_t *inside = host_length(p, o->end, &len);
    uint8_t *message;
    int r;

    if (!inside)
        return HOST_LEFT;
    message = label == MOTE_PB_REPEATED
                  ? host_element(o, p, sub->size)
                  : host_struct(o, label == MOTE_PB_ONEOF, sub->size, &is_new);
    if (!message || (r = host_keep(o)) < 0) {
        o->d->start = o->p;
        o->d->field = o->f;
        return message ? r : MOTE_PB_ERR_ARENA;
    }
    o->type = sub;
    o->message = message;
    o->d->top.begin = is_new ? inside : NULL;
    o->d->top.group = 0;
    o->p = inside;
    o->end = inside + len;
    o->f = sub->fields;
    return HOST_ON;
}

/* The end of a message inside of another one, when nothing else is to be seen to. */
static MOTE_PB_HOT bool host_leave(host_scan *o)
{
    mote_pb_reader *d = o->d;
    mote_pb_open open;

    if (d->stack == 0 || d->top.group != 0 || d->parts->strict)
        return false;
    memcpy(&open, mote_pb_open_place(d), sizeof open);
    d->stack -= sizeof open;
    d->top.begin = open.begin;
    d->top.group = open.group;
    o->type = open.type;
    o->message = open.message;
    o->end = open.end;
    o->f = open.type->fields;
    return true;
}

/* ---- the walk ------------------------------------------------------------------------------ */

/* The field in the row `f`, behind its key. */
static MOTE_PB_HOT int host_read_row(host_scan *o, uint32_t key, const uint8_t *p)
{
    switch (o->f->type) {
#define HOST_ROW(name)                                                                             \
    case MOTE_PB_IMPLICIT | MOTE_PB_##name:                                                        \
    case MOTE_PB_REQUIRED | MOTE_PB_##name:
#define HOST_ROW_OPTIONAL(name)  case MOTE_PB_OPTIONAL | MOTE_PB_##name:
#define HOST_ROW_MEMBER(name)    case MOTE_PB_ONEOF | MOTE_PB_##name:
#define HOST_READ_IMPLICIT(like) return host_read_single(o, MOTE_PB_##like, p, 0);
#define HOST_READ_OPTIONAL(like) return host_read_optional(o, MOTE_PB_##like, p);
#define HOST_READ_MEMBER(like)   return host_read_member(o, MOTE_PB_##like, p);
        MOTE_PB_OPEN_FORMS(HOST_ROW, HOST_READ_IMPLICIT)
        MOTE_PB_OPEN_FORMS(HOST_ROW_OPTIONAL, HOST_READ_OPTIONAL)
        MOTE_PB_OPEN_FORMS(HOST_ROW_MEMBER, HOST_READ_MEMBER)
#undef HOST_ROW
#undef HOST_ROW_OPTIONAL
#undef HOST_ROW_MEMBER
#undef HOST_READ_IMPLICIT
#undef HOST_READ_OPTIONAL
#undef HOST_READ_MEMBER
    case MOTE_PB_REPEATED | MOTE_PB_MESSAGE:
        return host_read_message(o, MOTE_PB_REPEATED, p);
    case MOTE_PB_IMPLICIT | MOTE_PB_MESSAGE:
    case MOTE_PB_REQUIRED | MOTE_PB_MESSAGE:
        return host_read_message(o, MOTE_PB_IMPLICIT, p);
    case MOTE_PB_ONEOF | MOTE_PB_MESSAGE:
        return host_read_message(o, MOTE_PB_ONEOF, p);
    default:
        return host_is_values(o->f) ? host_read_list(o, key, p) : HOST_LEFT;
    }
}

/* The next field. */
static MOTE_PB_HOT int host_read_field(host_scan *o)
{
    const mote_pb_field *f = o->f, *last = o->type->fields + o->type->field_count;
    uint32_t key;
    const uint8_t *p = host_key(o->p, o->end, &key);

    if (!p || key < 8) /* key 0 is the row of unknown fields */
        return HOST_LEFT;
    while (f < last && (f->key | 7) < key)
        f++;
    o->f = f;
    if (f == last || (f->key != key && ((f->key | 7) != (key | 7) || !host_is_packed(f, key))))
        return HOST_LEFT;
    return host_read_row(o, key, p);
}

int mote_pb_read_ahead(mote_pb_reader *d, const uint8_t *limit)
{
    host_scan o = {d, d->p, d->top.end, limit, d->top.type, d->top.message, d->next};
    int r = HOST_ON;

    while (r > HOST_LEFT) {
        if (o.p < o.end)
            r = host_read_field(&o);
        else
            r = host_leave(&o) ? HOST_ON : HOST_LEFT;
        if (r == HOST_DONE)
            o.f++;
    }
    host_tell(&o);
    return r;
}

#endif
