/* Encoder of RFC 7541. Its dynamic table is a ring of pointers to constant fields: only the newest
 * slot_cap entries are remembered, which is all that is needed to refer to them by age. */
#include "hpack_internal.h"

#include <string.h>

/* First byte patterns (RFC 7541 6). */
enum { INDEXED = 0x80, INCREMENTAL = 0x40, SIZE_UPDATE = 0x20, NEVER = 0x10, LITERAL = 0x00 };

/* Where a field is written to. What goes beyond the room is counted and not written, so that one
 * look at the end says whether all has fitted. */
struct mote_hpack_output {
    uint8_t *out;
    size_t cap, len;
};

typedef struct {
    const char *name;
    const char *value;
    size_t name_len;
    size_t value_len;
    unsigned name_index;           /* static or dynamic index of the name; 0: it is spelled out */
    unsigned never;                /* MOTE_HPACK_NEVER_INDEX or 0 */
    const mote_hpack_field *field; /* what it may be remembered under, or NULL: */
    bool any_value;                /* name and value, or the name alone */
    unsigned full;                 /* index of the whole field in the static table, or 0 */
} literal;

void mote_hpack_encoder_init(mote_hpack_encoder *e, mote_hpack_slot *slots, size_t slot_count)
{
    mote_hpack_encoder_init_bare(e, slots, slot_count);
    e->coder = &mote_hpack_huffman_coder;
}

void mote_hpack_encoder_init_bare(mote_hpack_encoder *e, mote_hpack_slot *slots, size_t slot_count)
{
    MOTE_CHECK_THAT(slot_count <= UINT16_MAX && (slots || slot_count == 0));
    memset(e, 0, sizeof *e);
    e->slots = slots;
    e->slot_cap = (uint16_t)slot_count;
    e->max = e->smallest = MOTE_HPACK_DEFAULT_TABLE;
}

/* ---- what the peer's table holds ----------------------------------------------------------- */

/* Slots by age, and ages by slot; age 0 is the newest entry. */
static unsigned slot_of_age(const mote_hpack_encoder *e, unsigned age)
{
    return e->newest >= age ? e->newest - age : e->newest + e->slot_cap - age;
}

static void evict_to(mote_hpack_encoder *e, size_t size)
{
    while (e->size > size) {
        e->slot_count--;
        e->size = (uint16_t)(e->size - e->slots[slot_of_age(e, e->slot_count)].size);
    }
}

/* RFC 9113 4.3.1: the change is said at the start of the next block. */
MOTE_SMALL_APART void mote_hpack_encoder_limit(mote_hpack_encoder *e, uint32_t size)
{
    MOTE_CHECK_THAT(mote_hpack_encoder_valid(e));
    if (size > MOTE_HPACK_DEFAULT_TABLE)
        size = MOTE_HPACK_DEFAULT_TABLE;
    if (size < e->smallest)
        e->smallest = (uint16_t)size;
    if (size != e->max)
        e->update = true;
    e->max = (uint16_t)size;
    evict_to(e, size);
}

/* A field that the peer's table has taken in. */
static void remember(mote_hpack_encoder *e, const literal *l)
{
    size_t size = l->name_len + l->value_len + MOTE_HPACK_ENTRY_OVERHEAD;

    evict_to(e, e->max - size);
    if (e->slot_count == e->slot_cap) /* the oldest is forgotten: its slot is the next one */
        evict_to(e, e->size - 1u);
    e->newest = (uint16_t)(e->newest + 1 < e->slot_cap ? e->newest + 1 : 0);
    e->slots[e->newest].field = l->field;
    e->slots[e->newest].size = (uint16_t)size;
    e->slots[e->newest].any_value = l->any_value;
    e->slot_count++;
    e->changes++;
    e->size = (uint16_t)(e->size + size);
    e->guess = e->newest;
}

/* Index of a remembered field, or 0. Fields repeat in the order of their insertion, so the one
 * older by a step than the last hit is tried last, and the one younger first. */
static unsigned find(mote_hpack_encoder *e, const mote_hpack_field *field, bool any_value)
{
    unsigned age = slot_of_age(e, e->guess);

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

/* ---- bytes --------------------------------------------------------------------------------- */

static void put_byte(mote_hpack_output *o, size_t byte)
{
    if (o->len < o->cap)
        o->out[o->len] = (uint8_t)byte;
    o->len++;
}

/* RFC 7541 5.1, behind the bits of `first`. */
static void put_integer(mote_hpack_output *o, unsigned first, size_t value, unsigned bits)
{
    size_t mask = ((size_t)1 << bits) - 1;

    if (value < mask) {
        put_byte(o, first | value);
        return;
    }
    put_byte(o, first | mask);
    for (value -= mask; value >= 128; value >>= 7)
        put_byte(o, value | 128);
    put_byte(o, value);
}

static bool has_room(const mote_hpack_output *o, size_t len)
{
    return o->len <= o->cap && len <= o->cap - o->len;
}

static bool put_huffman(const mote_hpack_encoder *e, mote_hpack_output *o, const char *s,
                        size_t len)
{
    size_t size = mote_hpack_huffman_size(s, len);

    if (len == 0 || e->huffman == MOTE_HPACK_HUFFMAN_NEVER ||
        (size >= len && e->huffman != MOTE_HPACK_HUFFMAN_ALWAYS))
        return false;
    put_integer(o, 0x80, size, 7);
    if (has_room(o, size))
        mote_hpack_huffman_encode(s, len, o->out + o->len);
    o->len += size;
    return true;
}

const mote_hpack_coder mote_hpack_huffman_coder = {put_huffman, mote_hpack_static_find};

/* RFC 7541 5.2 */
static void put_string(const mote_hpack_encoder *e, mote_hpack_output *o, const char *s, size_t len)
{
    if (e->coder && e->coder->string(e, o, s, len))
        return;
    put_integer(o, 0, len, 7);
    if (has_room(o, len))
        memcpy(o->out + o->len, s, len);
    o->len += len;
}

static int result(const mote_hpack_output *o)
{
    return o->len > o->cap ? MOTE_HPACK_ERR_SPACE : (int)o->len;
}

int mote_hpack_encode_start(mote_hpack_encoder *e, uint8_t *out, size_t cap)
{
    mote_hpack_output o = {out, cap, 0};

    MOTE_CHECK_THAT(mote_hpack_encoder_valid(e));
    if (!e->update)
        return 0;
    if (e->smallest < e->max) /* RFC 7541 4.2: the smallest size in between, then the final one */
        put_integer(&o, SIZE_UPDATE, e->smallest, 5);
    put_integer(&o, SIZE_UPDATE, e->max, 5);
    if (o.len <= cap) {
        e->update = false;
        e->smallest = e->max;
        e->changes++;
    }
    return result(&o);
}

/* ---- fields -------------------------------------------------------------------------------- */

static int put_indexed(unsigned index, uint8_t *out, size_t cap)
{
    mote_hpack_output o = {out, cap, 0};

    if (MOTE_HPACK_SHORTCUTS && index < 127 && cap > 0) { /* the usual case */
        out[0] = (uint8_t)(INDEXED | index);
        return 1;
    }
    put_integer(&o, INDEXED, index, 7);
    return result(&o);
}

/* Whether the peer's table shall take the field in: one that it can hold, and whose name is not a
 * reference already if only the name is of use. */
static bool is_worth_indexing(const mote_hpack_encoder *e, const literal *l)
{
    size_t room = (size_t)e->max - MOTE_HPACK_ENTRY_OVERHEAD;

    return l->field && !l->never && e->slot_cap > 0 && !(l->any_value && l->name_index) &&
           e->max >= MOTE_HPACK_ENTRY_OVERHEAD && l->name_len <= room &&
           l->value_len <= room - l->name_len;
}

static int put_literal(mote_hpack_encoder *e, const literal *l, uint8_t *out, size_t cap)
{
    mote_hpack_output o = {out, cap, 0};
    bool index = is_worth_indexing(e, l);

    if (index)
        put_integer(&o, INCREMENTAL, l->name_index, 6);
    else
        put_integer(&o, l->never ? NEVER : LITERAL, l->name_index, 4);
    if (l->name_index == 0)
        put_string(e, &o, l->name, l->name_len);
    put_string(e, &o, l->value, l->value_len);
    if (index && o.len <= cap)
        remember(e, l);
    return result(&o);
}

/* RFC 7541 7.1.3: authorization, cookie, proxy-authorization and set-cookie, by their index. If
 * they were in the table, an attacker whose guess shares it could tell by the length of the output
 * whether it is right. */
static bool is_secret(unsigned name_index)
{
    return name_index == 23 || name_index == 32 || name_index == 49 || name_index == 55;
}

/* A field of which the dynamic table is not known to hold more than the name. RFC 7541 6.2.3: what
 * is never indexed is no reference to a whole field either. */
static int put_unknown(mote_hpack_encoder *e, literal *l, uint8_t *out, size_t cap)
{
    if (is_secret(l->name_index))
        l->never = MOTE_HPACK_NEVER_INDEX;
    if (l->full > 0 && !l->never)
        return put_indexed(l->full, out, cap);
    return put_literal(e, l, out, cap);
}

static int put_field(mote_hpack_encoder *e, literal *l, uint8_t *out, size_t cap)
{
    if (l->name_index == 0 && e->coder)
        l->name_index = e->coder->find(l->name, l->name_len, l->value, l->value_len, &l->full);
    return put_unknown(e, l, out, cap);
}

int mote_hpack_encode(mote_hpack_encoder *e, const mote_hpack_field *field, uint8_t *out,
                      size_t cap)
{
    MOTE_CHECK_THAT(mote_hpack_encoder_valid(e));
    MOTE_CHECK_THAT(field->index <= MOTE_HPACK_STATIC_COUNT);
    unsigned index = field->name_len == 0 ? field->index : find(e, field, false);

    if (index > 0)
        return put_indexed(index, out, cap);
    literal l = {field->name,
                 field->value,
                 field->name_len,
                 field->value_len,
                 field->index,
                 field->flags,
                 field,
                 false,
                 0};
    return put_field(e, &l, out, cap);
}

int mote_hpack_encode_value(mote_hpack_encoder *e, const mote_hpack_field *name, const char *value,
                            size_t value_len, uint8_t *out, size_t cap)
{
    MOTE_CHECK_THAT(mote_hpack_encoder_valid(e));
    MOTE_CHECK_THAT(name->index <= MOTE_HPACK_STATIC_COUNT);
    unsigned index = name->index ? name->index : find(e, name, true);
    literal l = {name->name, value, name->name_len, value_len, index, name->flags, name, true, 0};

    return put_field(e, &l, out, cap);
}

int mote_hpack_encode_literal(mote_hpack_encoder *e, const char *name, size_t name_len,
                              const char *value, size_t value_len, unsigned flags, uint8_t *out,
                              size_t cap)
{
    literal l = {name, value, name_len, value_len, 0, flags & MOTE_HPACK_NEVER_INDEX,
                 NULL, false, 0};

    MOTE_CHECK_THAT(mote_hpack_encoder_valid(e));
    l.name_index = mote_hpack_static_find(name, name_len, value, value_len, &l.full);
    return put_unknown(e, &l, out, cap);
}

/* ---- back to the start of a block ---------------------------------------------------------- */

uint16_t mote_hpack_encode_mark(const mote_hpack_encoder *e)
{
    MOTE_CHECK_THAT(mote_hpack_encoder_valid(e));
    return e->changes;
}

/* The peer's table is emptied, so that it need not be known what it held at the mark. */
void mote_hpack_encode_rewind(mote_hpack_encoder *e, uint16_t mark)
{
    MOTE_CHECK_THAT(mote_hpack_encoder_valid(e));
    if (e->changes == mark)
        return;
    e->slot_count = e->size = e->smallest = 0;
    e->update = true;
}
