/* Dynamic table of the decoder: a ring of bytes for the strings, and a ring of entries. */
#include "hpack_internal.h"

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

mote_hpack_entry *mote_hpack_table_commit(mote_hpack_decoder *d)
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
    return e;
}

void mote_hpack_table_view(mote_hpack_decoder *d, mote_hpack_entry *e, mote_hpack_field_view *f)
{
    size_t len = (size_t)e->name_len + e->value_len;
    size_t to_end = (size_t)d->ring_size - e->pos;
    const char *bytes = d->ring + e->pos;

    f->memo = &e->memo;
    f->name_index = e->name_index;
    f->full_index = 0;
    f->flags = 0;
    if (len > d->scratch_size) {
        f->flags = MOTE_HPACK_TOO_LONG;
        f->name = f->value = "";
        f->name_len = f->value_len = 0;
        return;
    }
    if (len > to_end) {
        memcpy(d->scratch, bytes, to_end);
        memcpy(d->scratch + to_end, d->ring, len - to_end);
        bytes = d->scratch;
    }
    f->name = bytes;
    f->name_len = e->name_len;
    f->value = bytes + e->name_len;
    f->value_len = e->value_len;
}
