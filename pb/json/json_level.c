/* Messages that are open while JSON is read, and the memory of what is in them. */
#include "json_read_internal.h"

int mote_pb_json_push(mote_pb_json_parser *p, const mote_pb_json *json, uint8_t *message)
{
    if (p->depth == MOTE_PB_DEPTH)
        return MOTE_PB_ERR_DEPTH;
    p->levels[p->depth++] = (mote_pb_json_level){.json = json, .message = message};
    return 0;
}

int mote_pb_json_open_with(mote_pb_json_parser *p, char c)
{
    if (mote_pb_json_peek(&p->text) != c || p->text.p == p->text.end)
        return MOTE_PB_JSON_ERR_TYPE;
    p->text.p++;
    return 0;
}

/* ---- memory -------------------------------------------------------------------------------- */

uint8_t *mote_pb_json_new(mote_pb_json_parser *p, const mote_pb_json *json)
{
    uint8_t *message = mote_pb_json_take(p->text.arena, json->type->size);

    return message ? memset(message, 0, json->type->size) : NULL;
}

static size_t element_size(const mote_pb_json *json, size_t row)
{
    const mote_pb_json *sub = json->fields[row].sub;
    const mote_pb_field *f = &json->type->fields[row];

    return mote_pb_json_is_message(f) ? sub->type->size : mote_pb_json_size_of(f);
}

/* Twice the room of the array at work: in its place, when nothing lies behind it. */
static bool json_grow(mote_pb_json_parser *p, mote_pb_json_level *l, uint8_t **items, size_t count,
                      size_t size)
{
    mote_pb_arena *a = p->text.arena;
    size_t cap = l->cap > 0 ? 2 * l->cap : 4;

    if (cap > SIZE_MAX / 2 / size)
        return false;
    if (l->cap > 0 && *items + l->cap * size == a->memory + a->used) {
        if ((cap - l->cap) * size > a->size - a->used)
            return false;
        MOTE_PB_JSON_PERMIT(a->memory + a->used, (cap - l->cap) * size);
        a->used += (cap - l->cap) * size;
    } else {
        uint8_t *wider = mote_pb_json_take(a, cap * size);
        if (!wider)
            return false;
        if (count > 0)
            memcpy(wider, *items, count * size);
        *items = wider;
    }
    l->cap = cap;
    return true;
}

/* A new element, as zeros, at the end of the list or map at work; NULL: the arena is full. */
uint8_t *mote_pb_json_new_element(mote_pb_json_parser *p, mote_pb_json_level *l)
{
    uint8_t *place = l->message + l->json->type->fields[l->row].offset;
    size_t size = element_size(l->json, l->row);
    struct {
        uint8_t *items;
        size_t count;
    } list;

    memcpy(&list, place, sizeof list);
    if (list.count == l->cap && !json_grow(p, l, &list.items, list.count, size))
        return NULL;
    uint8_t *element = list.items + list.count++ * size;
    memcpy(place, &list, sizeof list);
    return memset(element, 0, size);
}
