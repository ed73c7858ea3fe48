/* Dynamic table of the decoder. Entries are never compared, so that duplicates are as good as
 * others (RFC 7541 2.3.2). */
#include "hpack_internal.h"

#include <string.h>

static size_t capacity(const mote_hpack_table *t)
{
    return t->memory / MOTE_HPACK_ENTRY_OVERHEAD;
}

/* Where its bytes are: what is kept of the name, then of the value. */
static char *bytes_of(const mote_hpack_table *t, const mote_hpack_entry *e)
{
    return t->bytes + (uint16_t)(e->pos - t->moved);
}

/* The entry with this dynamic index (0: the newest), or NULL. */
static mote_hpack_entry *entry_at(const mote_hpack_table *t, size_t index)
{
    if (index >= t->count)
        return NULL;
    size_t slot = (size_t)t->first + t->count - 1 - index;
    return &t->entries[slot < capacity(t) ? slot : slot - capacity(t)];
}

/* Evicts down to a size. */
static void table_evict_to(mote_hpack_table *t, size_t size)
{
    for (; t->size > size; t->count--) {
        const mote_hpack_entry *e = &t->entries[t->first++];
        t->size = (uint16_t)(t->size - MOTE_HPACK_ENTRY_OVERHEAD - e->name_len - e->value_len);
        if (t->first == capacity(t))
            t->first = 0;
    }
}

/* Evicts until an entry with that many bytes fits; false: it never can, and the table is empty
 * (RFC 7541 4.4). */
static bool make_room(mote_hpack_table *t, size_t len)
{
    size_t max = t->max < t->memory ? t->max : t->memory;
    bool fits = len + MOTE_HPACK_ENTRY_OVERHEAD <= max;

    table_evict_to(t, fits ? max - len - MOTE_HPACK_ENTRY_OVERHEAD : 0);
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

/* ---- what the decoder calls ---------------------------------------------------------------- */

static int get_field(const mote_hpack_decoder *d, size_t index, mote_hpack_field_view *f)
{
    mote_hpack_entry *e = entry_at(&d->table, index);
    bool whole = e && e->flags == 0;

    if (!e)
        return MOTE_HPACK_ERR_INDEX;
    f->memo = &e->memo;
    f->name_index = e->name_index;
    f->full_index = 0;
    f->flags = e->flags;
    f->name_len = whole ? e->name_len : 0;
    f->value_len = whole ? e->value_len : 0;
    f->name = bytes_of(&d->table, e);
    f->value = f->name + f->name_len;
    return 1;
}

/* RFC 7541 4.4: the new entry may evict the one that its name is taken from, which is then in the
 * scratch. A name that is not kept is longer than the scratch. */
static bool take_name(mote_hpack_decoder *d, size_t index)
{
    const mote_hpack_entry *e = entry_at(&d->table, index);

    if (!e)
        return false;
    d->name_index = e->name_index;
    if (e->name_len <= d->scratch_size)
        mote_hpack_append(d, bytes_of(&d->table, e), e->name_len);
    else
        d->field_len = e->name_len;
    return true;
}

static bool add_field(mote_hpack_decoder *d)
{
    mote_hpack_table *t = &d->table;
    bool whole = d->field_len <= d->scratch_size;
    size_t kept = whole ? d->field_len : d->name_len <= d->scratch_size ? d->name_len : 0;

    if (!make_room(t, d->field_len))
        return false;
    if (t->end + kept > t->memory)
        pack(t);
    t->count++;
    mote_hpack_entry *e = entry_at(t, 0);
    memset(&e->memo, 0, sizeof e->memo);
    e->pos = (uint16_t)(t->end + t->moved);
    e->name_len = (uint16_t)d->name_len;
    e->value_len = (uint16_t)(d->field_len - d->name_len);
    e->name_index = d->name_index;
    e->flags = whole ? 0 : MOTE_HPACK_TOO_LONG;
    if (kept > 0)
        memcpy(bytes_of(t, e), d->scratch, kept);
    t->end = (uint16_t)(t->end + kept);
    t->size = (uint16_t)(t->size + MOTE_HPACK_ENTRY_OVERHEAD + d->field_len);
    return true;
}

static void shrink(mote_hpack_decoder *d)
{
    table_evict_to(&d->table, d->table.max);
}

static void take_memory(mote_hpack_decoder *d, void *memory, size_t size)
{
    MOTE_CHECK_THAT(size <= 65504 && (memory || size == 0));
    d->dynamic = &mote_hpack_dynamic_table;
    d->table.entries = memory;
    d->table.bytes = (char *)(d->table.entries + size / MOTE_HPACK_ENTRY_OVERHEAD);
    d->table.memory = (uint16_t)size;
}

const mote_hpack_dynamic mote_hpack_dynamic_table = {take_memory, get_field, take_name, add_field,
                                                     shrink};

/* ---- memory that is lent -------------------------------------------------------------------- */

/* Bytes of all entries. */
static size_t bytes_kept(const mote_hpack_table *t)
{
    return t->count > 0 ? (size_t)t->end - (uint16_t)(t->entries[t->first].pos - t->moved) : 0;
}

size_t mote_hpack_table_kept(const mote_hpack_decoder *d)
{
    return d->table.count * sizeof(mote_hpack_entry) + bytes_kept(&d->table);
}

/* The oldest entry comes first, and so do its bytes. */
static void move_table(mote_hpack_table *t, void *to, size_t places)
{
    mote_hpack_entry *entries = to;
    char *bytes = (char *)(entries + places);
    size_t until_end = capacity(t) - t->first, kept = bytes_kept(t);
    size_t head = t->count < until_end ? t->count : until_end;

    if (t->count > 0) {
        memcpy(entries, t->entries + t->first, head * sizeof *entries);
        memcpy(entries + head, t->entries, (t->count - head) * sizeof *entries);
        memcpy(bytes, t->bytes + (t->end - kept), kept);
    }
    t->moved = (uint16_t)(t->moved + t->end - kept);
    t->end = (uint16_t)kept;
    t->first = 0;
    t->entries = entries;
    t->bytes = bytes;
}

void mote_hpack_table_keep(mote_hpack_decoder *d, void *kept)
{
    MOTE_CHECK_THAT(mote_hpack_decoder_valid(d));
    move_table(&d->table, kept, d->table.count);
}

void mote_hpack_table_put(mote_hpack_decoder *d, void *table)
{
    move_table(&d->table, table, capacity(&d->table));
}

void mote_hpack_decoder_init(mote_hpack_decoder *d, void *table, size_t table_size, size_t limit,
                             void *scratch, size_t scratch_size)
{
    mote_hpack_decoder_init_bare(d, limit, scratch, scratch_size);
    take_memory(d, table, table_size);
}
