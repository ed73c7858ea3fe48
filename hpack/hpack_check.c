/* Invariants: what debug builds check, and what proofs assume and show. Nothing else needs this
 * file. */
#include "hpack_internal.h"

bool mote_hpack_bits_valid(const mote_hpack_bits *b)
{
    return b->count < 30 && (uint32_t)(b->bits << b->count) == 0;
}

/* The bytes that are kept of an entry: all; or, of a field that was too long, the name; or none. */
static bool kept_is_right(const mote_hpack_entry *e, size_t kept)
{
    if (e->flags == 0)
        return kept == (size_t)e->name_len + e->value_len;
    return e->flags == MOTE_HPACK_TOO_LONG && (kept == e->name_len || kept == 0);
}

bool mote_hpack_table_valid(const mote_hpack_table *t)
{
    size_t cap = t->memory / MOTE_HPACK_ENTRY_OVERHEAD, size = 0;
    size_t slot = (size_t)t->first + t->count;
    uint16_t next = (uint16_t)(t->end + t->moved); /* where the bytes of the newest end */

    if (t->count > cap || (t->first > 0 && t->first >= cap) || t->end > t->memory)
        return false;
    for (size_t i = 0; i < t->count; i++) {
        const mote_hpack_entry *e = &t->entries[(slot > cap ? slot - cap : slot) - 1];
        if (!kept_is_right(e, (uint16_t)(next - e->pos)))
            return false;
        next = e->pos;
        slot--;
        size += (size_t)e->name_len + e->value_len + MOTE_HPACK_ENTRY_OVERHEAD;
    }
    return size == t->size && size <= t->memory && size <= t->max &&
           (uint16_t)(next - t->moved) <= t->end;
}

static bool progress_is_valid(const mote_hpack_decoder *d)
{
    switch (d->state) {
    case MOTE_HPACK_BLOCK_START:
    case MOTE_HPACK_FIELD_START:
        return true;
    case MOTE_HPACK_INDEX:
    case MOTE_HPACK_TABLE_SIZE:
        return d->integer <= MOTE_HPACK_INTEGER_MAX && d->shift <= 35;
    case MOTE_HPACK_NAME_INDEX:
    case MOTE_HPACK_NAME_LENGTH:
    case MOTE_HPACK_VALUE_LENGTH:
        return d->integer <= MOTE_HPACK_INTEGER_MAX && d->shift <= 35 &&
               d->name_len <= d->field_len;
    case MOTE_HPACK_NAME_START:
        return d->field_len == 0;
    case MOTE_HPACK_VALUE_START:
        return d->name_len == d->field_len;
    case MOTE_HPACK_NAME:
    case MOTE_HPACK_VALUE:
        return d->integer > 0 && d->integer <= MOTE_HPACK_INTEGER_MAX &&
               d->name_len <= d->field_len;
    default:
        return d->state == MOTE_HPACK_FAILED;
    }
}

bool mote_hpack_decoder_valid(const mote_hpack_decoder *d)
{
    return mote_hpack_table_valid(&d->table) && mote_hpack_bits_valid(&d->huffman) &&
           progress_is_valid(d) && (d->state == MOTE_HPACK_FAILED) == (d->error < 0) &&
           (d->scratch || d->scratch_size == 0) && (d->dynamic || d->table.memory == 0) &&
           (d->table.max <= d->limit || d->required <= d->limit);
}

bool mote_hpack_encoder_valid(const mote_hpack_encoder *e)
{
    size_t size = 0, slot = e->newest;

    if (e->slot_count > e->slot_cap || (e->newest > 0 && e->newest >= e->slot_cap) ||
        (e->guess > 0 && e->guess >= e->slot_cap))
        return false;
    for (size_t i = 0; i < e->slot_count; i++) {
        size += e->slots[slot].size;
        slot = slot > 0 ? slot - 1 : (size_t)e->slot_cap - 1;
    }
    return size == e->size && e->max <= MOTE_HPACK_DEFAULT_TABLE && e->smallest <= e->max &&
           size <= e->smallest && (e->update || e->smallest == e->max);
}
