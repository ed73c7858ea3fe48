/* Dynamic table of the decoder. Entries are never compared, so that duplicates are as good as
 * others (RFC 7541 2.3.2). */
#include "hpack_internal.h"

#include <string.h>

static size_t capacity(const mote_hpack_table *t)
{
    return t->memory / MOTE_HPACK_ENTRY_OVERHEAD;
}

char *mote_hpack_table_bytes(const mote_hpack_table *t, const mote_hpack_entry *e)
{
    return t->bytes + (uint16_t)(e->pos - t->moved);
}

mote_hpack_entry *mote_hpack_table_entry(const mote_hpack_table *t, size_t index)
{
    if (index >= t->count)
        return NULL;
    size_t slot = (size_t)t->first + t->count - 1 - index;
    return &t->entries[slot < capacity(t) ? slot : slot - capacity(t)];
}

void mote_hpack_table_shrink(mote_hpack_table *t, size_t size)
{
    for (; t->size > size; t->count--) {
        const mote_hpack_entry *e = &t->entries[t->first++];
        t->size = (uint16_t)(t->size - MOTE_HPACK_ENTRY_OVERHEAD - e->name_len - e->value_len);
        if (t->first == capacity(t))
            t->first = 0;
    }
}

bool mote_hpack_table_make_room(mote_hpack_table *t, size_t len)
{
    size_t max = t->max < t->memory ? t->max : t->memory;
    bool fits = len + MOTE_HPACK_ENTRY_OVERHEAD <= max;

    mote_hpack_table_shrink(t, fits ? max - len - MOTE_HPACK_ENTRY_OVERHEAD : 0);
    return fits;
}

/* Moves the bytes of all entries to the front. What is free behind them is then at least what the
 * size allows, as the overhead of each entry takes no bytes: so this is rare. */
static void pack(mote_hpack_table *t)
{
    size_t from = t->end;

    if (t->count > 0)
        from = (uint16_t)(t->entries[t->first].pos - t->moved);
    memmove(t->bytes, t->bytes + from, t->end - from);
    t->end = (uint16_t)(t->end - from);
    t->moved = (uint16_t)(t->moved + from);
}

void mote_hpack_table_add(mote_hpack_table *t, const mote_hpack_entry *e, const char *bytes,
                          size_t kept)
{
    if (t->end + kept > t->memory)
        pack(t);
    t->count++;
    mote_hpack_entry *newest = mote_hpack_table_entry(t, 0);
    *newest = *e;
    newest->pos = (uint16_t)(t->end + t->moved);
    if (kept > 0)
        memcpy(mote_hpack_table_bytes(t, newest), bytes, kept);
    t->end = (uint16_t)(t->end + kept);
    t->size = (uint16_t)(t->size + MOTE_HPACK_ENTRY_OVERHEAD + e->name_len + e->value_len);
}

int mote_hpack_table_field(const mote_hpack_table *t, size_t index, mote_hpack_field_view *f)
{
    mote_hpack_entry *e = mote_hpack_table_entry(t, index);
    bool whole = e && e->flags == 0;

    if (!e)
        return MOTE_HPACK_ERR_INDEX;
    f->memo = &e->memo;
    f->name_index = e->name_index;
    f->full_index = 0;
    f->flags = e->flags;
    f->name_len = whole ? e->name_len : 0;
    f->value_len = whole ? e->value_len : 0;
    f->name = mote_hpack_table_bytes(t, e);
    f->value = f->name + f->name_len;
    return 1;
}
