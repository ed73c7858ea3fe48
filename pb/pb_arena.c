/* Memory of decoded messages: bump allocation. */
#include "pb_reader.h"

/* Red zones between what was taken: see MOTE_RED_ZONES in grpc/storage.h. Each is up to where the
 * next block may begin, which is permitted when it is taken. */
#ifdef MOTE_RED_ZONES
enum { RED_ZONE = 16 };
static void forbid_behind(const mote_pb_arena *a, size_t end)
{
    size_t zone = RED_ZONE + sizeof(uint64_t), room = end - a->used;

    MOTE_PB_FORBID(a->memory + a->used, zone < room ? zone : room);
}
#else
enum { RED_ZONE = 0 };
#define forbid_behind(arena, end) ((void)0)
#endif

static void *arena_take(mote_pb_reader *d, size_t from, size_t size)
{
    mote_pb_arena *a = d->arena;
    size_t end = a->size - d->stack;

    if (from > end || size > end - from)
        return NULL;
    a->used = from + size;
    MOTE_PB_PERMIT(a->memory + from, size);
    forbid_behind(a, end);
    return memset(a->memory + from, 0, size);
}

void *mote_pb_allocate(mote_pb_reader *d, size_t size)
{
    const mote_pb_arena *a = d->arena;

    if (!a)
        return NULL;
    size_t from = a->used + (a->used > 0 ? RED_ZONE : 0);
    return arena_take(d, from + (0 - ((uintptr_t)a->memory + from)) % sizeof(uint64_t), size);
}

/*
 * An array grows where it lies when nothing lies behind it, and otherwise to twice its room: what
 * arrays take in all is a multiple of their elements, however the input splits them.
 */
int mote_pb_grow(mote_pb_reader *d, mote_pb_list *list, size_t extra, size_t size)
{
    size_t cap = mote_pb_capacity(list), need = list->count + extra;
    uint8_t *items = list->items, *block;

    if (need <= cap)
        return 0;
    if (need > SIZE_MAX / 4 / size)
        return MOTE_PB_ERR_ARENA;
    if (cap > 0 && items + cap * size == d->arena->memory + d->arena->used) {
        if (!arena_take(d, d->arena->used, (need - cap) * size))
            return MOTE_PB_ERR_ARENA;
    } else {
        if (need < 2 * cap)
            need = 2 * cap;
        block = mote_pb_allocate(d, MOTE_PB_HEAD + need * size);
        if (!block)
            return MOTE_PB_ERR_ARENA;
        list->items = block + MOTE_PB_HEAD;
        if (list->count > 0)
            memcpy(list->items, items, list->count * size);
    }
    memcpy((uint8_t *)list->items - sizeof need, &need, sizeof need);
    return 0;
}
