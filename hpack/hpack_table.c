/* Dynamic table of the decoder: a ring of bytes for the strings, and a ring of entries. Entries are
 * never compared, so that duplicates are as good as others (RFC 7541 2.3.2). */
#include "hpack_internal.h"

#include <stdbool.h>
#include <string.h>

static mote_hpack_entry *oldest(mote_hpack_decoder *d)
{
    return &d->entries[d->entry_first];
}

static void evict(mote_hpack_decoder *d)
{
    d->used = (uint16_t)(d->used - oldest(d)->name_len - oldest(d)->value_len);
    d->entry_first = (uint16_t)((d->entry_first + 1) % d->entry_cap);
    d->entry_count--;
}

static size_t table_size(const mote_hpack_decoder *d)
{
    return d->used + (size_t)d->entry_count * MOTE_HPACK_ENTRY_OVERHEAD;
}

void mote_hpack_table_shrink(mote_hpack_decoder *d, size_t size)
{
    while (d->entry_count > 0 && table_size(d) > size)
        evict(d);
}

int mote_hpack_table_make_room(mote_hpack_decoder *d, size_t extra)
{
    size_t max = d->max < d->ring_size ? d->max : d->ring_size;
    size_t need = d->pending + extra + MOTE_HPACK_ENTRY_OVERHEAD;

    if (need > max) { /* RFC 7541 4.4: an entry larger than the table empties it */
        mote_hpack_table_shrink(d, 0);
        return 0;
    }
    mote_hpack_table_shrink(d, max - need);
    return 1;
}

mote_hpack_entry *mote_hpack_table_entry(mote_hpack_decoder *d, size_t index)
{
    if (index >= d->entry_count)
        return NULL;
    size_t slot = (size_t)d->entry_first + d->entry_count - 1 - index;
    return &d->entries[slot < d->entry_cap ? slot : slot - d->entry_cap];
}

void mote_hpack_table_commit(mote_hpack_decoder *d)
{
    d->entry_count++;
    mote_hpack_entry *e = mote_hpack_table_entry(d, 0);
    memset(e, 0, sizeof *e);
    e->pos = d->head;
    e->name_len = (uint16_t)d->name_len;
    e->value_len = (uint16_t)(d->pending - d->name_len);
    e->name_index = d->name_index;
    d->used = (uint16_t)(d->used + d->pending);
    d->head = (uint16_t)((d->head + d->pending) % d->ring_size);
}

/* A field that lies across the end of the ring is put together in the scratch. */
static const char *join(mote_hpack_decoder *d, const mote_hpack_entry *e, size_t len)
{
    size_t to_end = (size_t)d->ring_size - e->pos;

    memcpy(d->scratch, d->ring + e->pos, to_end);
    memcpy(d->scratch + to_end, d->ring, len - to_end);
    return d->scratch;
}

int mote_hpack_table_field(mote_hpack_decoder *d, size_t index, mote_hpack_field_view *f)
{
    mote_hpack_entry *e = mote_hpack_table_entry(d, index);

    if (!e)
        return 0;
    size_t len = (size_t)e->name_len + e->value_len;
    bool fits = len <= d->scratch_size;
    f->memo = &e->memo;
    f->name_index = e->name_index;
    f->full_index = 0;
    f->flags = fits ? 0 : MOTE_HPACK_TOO_LONG;
    f->name_len = fits ? e->name_len : 0;
    f->value_len = fits ? e->value_len : 0;
    f->name = d->ring + e->pos;
    if (fits && e->pos + len > d->ring_size)
        f->name = join(d, e, len);
    f->value = f->name + f->name_len;
    return 1;
}
