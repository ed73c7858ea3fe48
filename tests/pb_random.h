/* Random messages of any type, made by its table: the same for the same seed. */
#ifndef PB_RANDOM_H
#define PB_RANDOM_H

#include "../pb/pb_internal.h"

/* Begins with a seed, any number but 0, and memory of messages, which is begun anew by the user. */
typedef struct {
    uint64_t seed;
    uint8_t *memory;
    size_t size, used;
    int depth;        /* of the messages, at the most; required ones are always there */
    unsigned longest; /* lists, in elements, and texts, in bytes */
} pb_random;

static uint64_t pb_random_number(pb_random *r)
{
    r->seed ^= r->seed << 13;
    r->seed ^= r->seed >> 7;
    r->seed ^= r->seed << 17;
    return r->seed;
}

static size_t pb_random_below(pb_random *r, size_t n)
{
    return n > 0 ? (size_t)(pb_random_number(r) >> 11) % n : 0;
}

static void *pb_random_memory(pb_random *r, size_t size)
{
    uint8_t *p = r->memory + r->used;

    r->used += (size + 15) & ~(size_t)15;
    return r->used <= r->size ? memset(p, 0, size) : NULL;
}

/* A value, short or long as a varint; texts are of ASCII. */
static void pb_random_value(pb_random *r, const mote_pb_field *f, uint8_t *to)
{
    uint64_t v = pb_random_number(r) >> pb_random_below(r, 64);
    uint32_t narrow = (uint32_t)v;
    mote_pb_bytes view = {NULL, 0};

    if (mote_pb_info_of(f)->kind == MOTE_PB_VIEW) {
        size_t len = pb_random_below(r, r->longest + 1);
        uint8_t *text = pb_random_memory(r, len);
        for (size_t i = 0; text && i < len; i++)
            text[i] = (uint8_t)(' ' + pb_random_below(r, 95));
        if (text)
            view = (mote_pb_bytes){text, len};
        memcpy(to, &view, sizeof view);
    } else if (mote_pb_info_of(f)->size == 1) {
        *to = v & 1;
    } else if (mote_pb_info_of(f)->size == 4) {
        narrow = pb_random_below(r, 4) == 0 ? 0 - narrow : narrow;
        memcpy(to, &narrow, sizeof narrow);
    } else {
        memcpy(to, &v, sizeof v);
    }
}

static void pb_random_fill(pb_random *r, const mote_pb_message *type, uint8_t *to);

/* A message inside of one, or `count` of them in a row; NULL: it would be too deep. */
static uint8_t *pb_random_inside(pb_random *r, const mote_pb_message *type, const mote_pb_field *f,
                                 size_t count)
{
    bool there = r->depth > 0 || mote_pb_label_of(f) == MOTE_PB_REQUIRED;
    uint8_t *inside = there ? pb_random_memory(r, count * type->size) : NULL;

    r->depth--;
    for (size_t i = 0; inside && i < count; i++)
        pb_random_fill(r, type, inside + i * type->size);
    r->depth++;
    return inside;
}

static void pb_random_list(pb_random *r, const mote_pb_message *type, const mote_pb_field *f,
                           uint8_t *to)
{
    mote_pb_list list = {NULL, pb_random_below(r, r->longest + 1)};
    size_t size = mote_pb_info_of(f)->size;

    if (mote_pb_is_message(f)) {
        list.items = pb_random_inside(r, mote_pb_sub_of(type, f), f, list.count);
    } else if ((list.items = pb_random_memory(r, list.count * size)) != NULL) {
        for (size_t i = 0; i < list.count; i++)
            pb_random_value(r, f, (uint8_t *)list.items + i * size);
    }
    if (!list.items)
        list.count = 0;
    memcpy(to, &list, sizeof list);
}

/* Unknown fields: numbers 1000 and 1001. */
static void pb_random_unknown(pb_random *r, uint8_t *to)
{
    static const uint8_t fields[] = {0xc0, 0x3e, 0x2a, 0xca, 0x3e, 0x02, 'h', 'i'};
    static const mote_pb_bytes views[] = {{fields, 3}, {fields + 3, 5}};
    mote_pb_list_bytes list = {views, pb_random_below(r, 3)};

    memcpy(to, &list, sizeof list);
}

static void pb_random_field(pb_random *r, const mote_pb_message *type, const mote_pb_field *f,
                            uint8_t *message)
{
    uint8_t *to = message + f->offset;
    uint32_t number = f->key >> 3;

    if (mote_pb_label_of(f) == MOTE_PB_UNKNOWN) {
        pb_random_unknown(r, to);
        return;
    }
    if (mote_pb_is_list(f)) {
        pb_random_list(r, type, f, to);
        return;
    }
    if (mote_pb_label_of(f) != MOTE_PB_REQUIRED && pb_random_below(r, 2) == 0)
        return;
    if (mote_pb_label_of(f) == MOTE_PB_OPTIONAL) {
        *to = 1;
        to += mote_pb_info_of(f)->value;
    } else if (mote_pb_label_of(f) == MOTE_PB_ONEOF) {
        memcpy(message + mote_pb_which_offset(f), &number, sizeof number);
    }
    if (!mote_pb_is_message(f)) {
        pb_random_value(r, f, to);
        return;
    }
    uint8_t *inside = pb_random_inside(r, mote_pb_sub_of(type, f), f, 1);
    memcpy(to, &inside, sizeof inside);
}

static void pb_random_fill(pb_random *r, const mote_pb_message *type, uint8_t *to)
{
    for (size_t i = 0; i < type->field_count; i++)
        pb_random_field(r, type, &type->fields[i], to);
}

#endif
