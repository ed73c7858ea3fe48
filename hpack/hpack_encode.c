/* Encoder of RFC 7541. Its dynamic table is a ring of pointers to constant fields: only the newest
 * slot_cap entries are remembered, which is all that is needed to refer to them by age. */
#include "hpack_internal.h"

#include <string.h>

/* First byte patterns (RFC 7541 6). */
enum { INDEXED = 0x80, INCREMENTAL = 0x40, SIZE_UPDATE = 0x20, NEVER = 0x10, LITERAL = 0x00 };

typedef struct {
    const char *name;
    const char *value;
    size_t name_len;
    size_t value_len;
    unsigned name_index;           /* static or dynamic index of the name; 0: it is spelled out */
    const mote_hpack_field *field; /* what is remembered of it, if it is INCREMENTAL: */
    unsigned any_value;            /* name and value, or the name alone */
} literal;

void mote_hpack_encoder_init(mote_hpack_encoder *e, mote_hpack_slot *slots, size_t slot_count)
{
    memset(e, 0, sizeof *e);
    e->slots = slots;
    e->slot_cap = (uint16_t)slot_count;
    e->max = e->smallest = MOTE_HPACK_DEFAULT_TABLE;
}

/* Age 0 is the newest entry. */
static unsigned slot_of_age(const mote_hpack_encoder *e, unsigned age)
{
    return e->newest >= age ? e->newest - age : e->newest + e->slot_cap - age;
}

static void evict_to(mote_hpack_encoder *e, uint32_t size)
{
    while (e->slot_count > 0 && e->size > size) {
        e->slot_count--;
        e->size -= e->slots[slot_of_age(e, e->slot_count)].size;
    }
}

/* RFC 9113 4.3.1: the change is said at the start of the next block. */
void mote_hpack_encoder_limit(mote_hpack_encoder *e, uint32_t size)
{
    if (size > MOTE_HPACK_DEFAULT_TABLE)
        size = MOTE_HPACK_DEFAULT_TABLE;
    if (size < e->smallest)
        e->smallest = size;
    if (size != e->max || e->update) {
        e->update = 1;
        e->max = size;
    }
    evict_to(e, size);
}

static size_t integer_size(size_t value, unsigned bits)
{
    size_t mask = ((size_t)1 << bits) - 1, n = 1;

    if (value < mask)
        return 1;
    for (value -= mask; value >= 128; value >>= 7)
        n++;
    return n + 1;
}

static uint8_t *put_integer(uint8_t *out, unsigned first, size_t value, unsigned bits)
{
    size_t mask = ((size_t)1 << bits) - 1;

    if (value < mask) {
        *out++ = (uint8_t)(first | value);
        return out;
    }
    *out++ = (uint8_t)(first | mask);
    for (value -= mask; value >= 128; value >>= 7)
        *out++ = (uint8_t)(value | 128);
    *out++ = (uint8_t)value;
    return out;
}

int mote_hpack_encode_start(mote_hpack_encoder *e, uint8_t *out, size_t cap)
{
    uint8_t *p = out;

    if (!e->update)
        return 0;
    if (cap < integer_size(e->smallest, 5) + integer_size(e->max, 5))
        return MOTE_HPACK_ERR_SPACE;
    if (e->smallest < e->max) /* RFC 7541 4.2: the smallest size in between, then the final one */
        p = put_integer(p, SIZE_UPDATE, e->smallest, 5);
    p = put_integer(p, SIZE_UPDATE, e->max, 5);
    e->update = 0;
    e->smallest = e->max;
    return (int)(p - out);
}

/* Bytes of a string on the wire without its length, and whether it goes in Huffman code. */
static size_t string_size(const mote_hpack_encoder *e, const char *s, size_t len, int *huffman)
{
    size_t coded;

    *huffman = 0;
    if (e->huffman == MOTE_HPACK_HUFFMAN_NEVER || len == 0)
        return len;
    coded = mote_hpack_huffman_size(s, len);
    *huffman = e->huffman == MOTE_HPACK_HUFFMAN_ALWAYS || coded < len;
    return *huffman ? coded : len;
}

static uint8_t *put_string(uint8_t *out, const char *s, size_t len, size_t size, int huffman)
{
    out = put_integer(out, huffman ? 0x80 : 0, size, 7);
    if (huffman)
        mote_hpack_huffman_encode(s, len, out);
    else
        memcpy(out, s, len);
    return out + size;
}

/* A field that the peer's table has taken in. */
static void remember(mote_hpack_encoder *e, const literal *l)
{
    size_t size = l->name_len + l->value_len + MOTE_HPACK_ENTRY_OVERHEAD;

    evict_to(e, e->max - (uint32_t)size);
    if (e->slot_count == e->slot_cap) {
        e->slot_count--;
        e->size -= e->slots[slot_of_age(e, e->slot_count)].size;
    }
    e->newest = (uint16_t)(e->newest + 1 < e->slot_cap ? e->newest + 1 : 0);
    e->slots[e->newest].field = l->field;
    e->slots[e->newest].size = (uint16_t)size;
    e->slots[e->newest].any_value = (uint16_t)l->any_value;
    e->slot_count++;
    e->inserted++;
    e->size += (uint32_t)size;
    e->guess = e->newest;
}

static int put_literal(mote_hpack_encoder *e, const literal *l, unsigned first, uint8_t *out,
                       size_t cap)
{
    unsigned bits = first == INCREMENTAL ? 6 : 4;
    int name_huffman = 0, value_huffman;
    size_t name_size = 0;
    size_t value_size = string_size(e, l->value, l->value_len, &value_huffman);
    size_t total = integer_size(l->name_index, bits) + integer_size(value_size, 7) + value_size;
    uint8_t *p = out;

    if (l->name_index == 0) {
        name_size = string_size(e, l->name, l->name_len, &name_huffman);
        total += integer_size(name_size, 7) + name_size;
    }
    if (total > cap)
        return MOTE_HPACK_ERR_SPACE;
    p = put_integer(p, first, l->name_index, bits);
    if (l->name_index == 0)
        p = put_string(p, l->name, l->name_len, name_size, name_huffman);
    p = put_string(p, l->value, l->value_len, value_size, value_huffman);
    if (first == INCREMENTAL)
        remember(e, l);
    return (int)(p - out);
}

static int put_indexed(unsigned index, uint8_t *out, size_t cap)
{
    if (index < 127 && cap > 0) {
        out[0] = (uint8_t)(INDEXED | index);
        return 1;
    }
    if (integer_size(index, 7) > cap)
        return MOTE_HPACK_ERR_SPACE;
    return (int)(put_integer(out, INDEXED, index, 7) - out);
}

static unsigned age_of_slot(const mote_hpack_encoder *e, unsigned slot)
{
    return e->newest >= slot ? e->newest - slot : e->newest + e->slot_cap - slot;
}

/* Index of a remembered field, or 0. Fields repeat in the order of their insertion, so the one
 * older by a step than the last hit is tried last, and the one younger first. */
static unsigned find(mote_hpack_encoder *e, const mote_hpack_field *field, unsigned any_value)
{
    unsigned age = age_of_slot(e, e->guess);

    for (unsigned tried = 0; tried < e->slot_count; tried++) {
        age = (age == 0 || age > e->slot_count ? e->slot_count : age) - 1u;
        unsigned slot = slot_of_age(e, age);
        if (e->slots[slot].field == field && e->slots[slot].any_value == any_value) {
            e->guess = (uint16_t)slot;
            return MOTE_HPACK_STATIC_COUNT + 1 + age;
        }
    }
    return 0;
}

/* RFC 7541 6.2.3: what is never indexed is not indexed here either */
static int may_index(const mote_hpack_encoder *e, const literal *l, unsigned flags)
{
    size_t size = l->name_len + l->value_len + MOTE_HPACK_ENTRY_OVERHEAD;

    return e->slot_cap > 0 && size <= e->max && !(flags & MOTE_HPACK_NEVER_INDEX);
}

int mote_hpack_encode(mote_hpack_encoder *e, const mote_hpack_field *field, uint8_t *out,
                      size_t cap)
{
    unsigned index = field->index ? field->index : find(e, field, 0);

    if (index > 0)
        return put_indexed(index, out, cap);
    literal l = {field->name, field->value, field->name_len, field->value_len, 0, field, 0};
    unsigned first = field->flags & MOTE_HPACK_NEVER_INDEX ? NEVER : LITERAL;
    l.name_index = mote_hpack_static_find(l.name, l.name_len, l.value, l.value_len, &index);
    if (index > 0 && !(field->flags & MOTE_HPACK_NEVER_INDEX))
        return put_indexed(index, out, cap);
    if (may_index(e, &l, field->flags))
        first = INCREMENTAL;
    return put_literal(e, &l, first, out, cap);
}

int mote_hpack_encode_value(mote_hpack_encoder *e, const mote_hpack_field *name, const char *value,
                            size_t value_len, uint8_t *out, size_t cap)
{
    literal l = {name->name, value, name->name_len, value_len, name->index, name, 1};
    unsigned first = name->flags & MOTE_HPACK_NEVER_INDEX ? NEVER : LITERAL;

    if (l.name_index == 0)
        l.name_index = find(e, name, 1);
    if (l.name_index == 0) {
        l.name_index = mote_hpack_static_find(l.name, l.name_len, "", 0, NULL);
        if (l.name_index == 0 && may_index(e, &l, name->flags))
            first = INCREMENTAL;
    }
    return put_literal(e, &l, first, out, cap);
}

int mote_hpack_encode_literal(mote_hpack_encoder *e, const char *name, size_t name_len,
                              const char *value, size_t value_len, unsigned flags, uint8_t *out,
                              size_t cap)
{
    literal l = {name, value, name_len, value_len, 0, NULL, 0};
    unsigned full;

    l.name_index = mote_hpack_static_find(name, name_len, value, value_len, &full);
    if (full > 0 && !(flags & MOTE_HPACK_NEVER_INDEX))
        return put_indexed(full, out, cap);
    return put_literal(e, &l, flags & MOTE_HPACK_NEVER_INDEX ? NEVER : LITERAL, out, cap);
}

mote_hpack_encoder_mark mote_hpack_encode_mark(const mote_hpack_encoder *e)
{
    mote_hpack_encoder_mark mark = {e->smallest, e->slot_count, e->newest, e->inserted, e->update};

    return mark;
}

void mote_hpack_encode_rewind(mote_hpack_encoder *e, const mote_hpack_encoder_mark *mark)
{
    unsigned undone = (uint16_t)(e->inserted - mark->inserted);
    unsigned kept = undone < e->slot_cap ? e->slot_cap - undone : 0;

    /* Slots that were overwritten are forgotten, which is always allowed; the others, evicted or
     * not, still hold what they held at the mark. */
    e->slot_count = (uint16_t)(mark->slot_count < kept ? mark->slot_count : kept);
    e->newest = mark->newest;
    e->inserted = mark->inserted;
    e->update = mark->update;
    e->smallest = mark->smallest;
    e->guess = e->newest;
    e->size = 0;
    for (unsigned age = 0; age < e->slot_count; age++)
        e->size += e->slots[slot_of_age(e, age)].size;
}
