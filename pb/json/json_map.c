/* Maps that have a key twice. */
#include "json_write_internal.h"

/* A map that came by the wire may have a key twice: then the last entry counts. The entries are
 * sorted in the arena for this (a heap: no recursion, n log n steps for any input). */
typedef struct {
    const uint8_t *entries;
    size_t entry_size, offset, width; /* of an entry; of its key */
    bool is_string;
    uint32_t *order;
} key_sorter;

static int compare_keys(const key_sorter *s, uint32_t a, uint32_t b)
{
    const uint8_t *x = s->entries + a * s->entry_size + s->offset;
    const uint8_t *y = s->entries + b * s->entry_size + s->offset;
    mote_pb_string t, u;

    if (!s->is_string)
        return memcmp(x, y, s->width);
    memcpy(&t, x, sizeof t);
    memcpy(&u, y, sizeof u);
    if (t.len != u.len)
        return t.len < u.len ? -1 : 1;
    return t.len > 0 ? memcmp(t.data, u.data, t.len) : 0;
}

/* By the key, then by the place. */
static bool stands_before(const key_sorter *s, uint32_t a, uint32_t b)
{
    int order = compare_keys(s, a, b);

    return order < 0 || (order == 0 && a < b);
}

/* The entry at `from` goes down to where it belongs in a heap of `count`. */
static void sift(const key_sorter *s, size_t from, size_t count)
{
    uint32_t entry = s->order[from];
    size_t child;

    while ((child = 2 * from + 1) < count) {
        if (child + 1 < count && stands_before(s, s->order[child], s->order[child + 1]))
            child++;
        if (stands_before(s, s->order[child], entry))
            break;
        s->order[from] = s->order[child];
        from = child;
    }
    s->order[from] = entry;
}

static void sort_keys(const key_sorter *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        s->order[i] = (uint32_t)i;
    for (size_t i = count / 2; i-- > 0;)
        sift(s, i, count);
    for (size_t i = count; i-- > 1;) {
        uint32_t last = s->order[0];
        s->order[0] = s->order[i];
        s->order[i] = last;
        sift(s, 0, i);
    }
}

int mote_pb_json_doubles(mote_pb_arena *arena, const mote_pb_json *json, size_t row,
                         const uint8_t *message, const uint8_t **doubles)
{
    const mote_pb_json *entry = json->fields[row].sub;
    const mote_pb_field *map = &json->type->fields[row];
    const mote_pb_list_bytes *list = (const void *)(message + map->offset);
    int key = mote_pb_json_row(entry, 1);
    const mote_pb_field *f = &entry->type->fields[key];

    if (mote_pb_json_label_of(map) == MOTE_PB_SUPPLIED || list->count < 2 || !arena)
        return 0;
    uint8_t *bits = mote_pb_json_take(arena, list->count / 8 + 1);
    size_t used = arena->used;
    key_sorter s = {(const uint8_t *)list->items,
                    entry->type->size,
                    f->offset,
                    mote_pb_json_size_of(f),
                    entry->fields[key].is_string,
                    mote_pb_json_take(arena, list->count * sizeof(uint32_t))};
    if (!bits || !s.order)
        return MOTE_PB_ERR_ARENA;
    memset(bits, 0, list->count / 8 + 1);
    sort_keys(&s, list->count);
    for (size_t i = 1; i < list->count; i++) {
        uint32_t before = s.order[i - 1];
        if (compare_keys(&s, before, s.order[i]) == 0)
            bits[before / 8] |= (uint8_t)(1 << before % 8);
    }
    *doubles = bits;
    arena->used = used;
    return 0;
}
