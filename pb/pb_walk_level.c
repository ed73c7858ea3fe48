/* The messages that are open in a walk, in the memory that was lent. */
#include "pb_walk.h"

_Static_assert(sizeof(mote_pb_level) == 4 * sizeof(size_t) + 8, "MOTE_PB_WALK_SIZE");

void mote_pb_walk_init(mote_pb_walk *w, void *memory, size_t size)
{
    size_t align = sizeof(void *) - 1;
    size_t gap = (size_t)(0 - (uintptr_t)memory) & align;

    memset(w, 0, sizeof *w);
    w->memory = (uint8_t *)memory + gap;
    w->size = size > gap ? (size - gap) & ~align : 0;
}

int mote_pb_level_open(mote_pb_walk *w, size_t depth, const mote_pb_message *type,
                       const void *message)
{
    size_t used = (depth + 1) * sizeof(mote_pb_level);

    if (depth >= MOTE_PB_LEVELS)
        return MOTE_PB_ERR_DEPTH;
    if (used > w->size)
        return MOTE_PB_ERR_MEMORY;
    if (w->slots > (w->size - used) / sizeof(uint32_t))
        w->slots = (w->size - used) / sizeof(uint32_t);
    *mote_pb_level_at(w, depth) = (mote_pb_level){.type = type, .message = message};
    return 0;
}

static const uint8_t *array_element(const mote_pb_level *l, const mote_pb_field *f)
{
    const uint8_t *place = l->message + f->offset;
    mote_pb_list list;

    if (mote_pb_label_of(f) == MOTE_PB_REPEATED) {
        memcpy(&list, place, sizeof list);
        return l->element < list.count
                   ? (const uint8_t *)list.items + l->element * mote_pb_sub_of(l->type, f)->size
                   : NULL;
    }
    if (l->element > 0 ||
        (mote_pb_label_of(f) == MOTE_PB_ONEOF && mote_pb_which(f, l->message) != f->key >> 3))
        return NULL;
    memcpy(&list.items, place, sizeof list.items);
    return list.items;
}

int mote_pb_element(const mote_pb_level *l, const uint8_t **element)
{
    const mote_pb_field *f = mote_pb_row(l);
    const mote_pb_supply *supply = (const void *)(l->message + f->offset);

    if (!mote_pb_is_supplied(f)) {
        *element = array_element(l, f);
        return 0;
    }
    *element = l->element < supply->count ? supply->element : NULL;
    if (*element && !supply->get(supply->user, l->element, supply->element))
        return MOTE_PB_ERR_SUPPLY;
    return 0;
}

const void *mote_pb_item(const mote_pb_field *f, const uint8_t *message, size_t index,
                         mote_pb_value *spare)
{
    const void *place = message + f->offset;
    const mote_pb_supply *supply = place;

    if (!mote_pb_is_supplied(f))
        return (const uint8_t *)((const mote_pb_list *)place)->items +
               index * mote_pb_info_of(f)->size;
    return supply->get(supply->user, index, spare) ? spare : NULL;
}
