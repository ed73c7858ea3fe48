#ifndef MOTE_HPACK_INTERNAL_H
#define MOTE_HPACK_INTERNAL_H

#include "hpack.h"

enum {
    MOTE_HPACK_STATIC_COUNT = 61,
    MOTE_HPACK_ENTRY_OVERHEAD = 32, /* RFC 7541 4.1 */
    MOTE_HPACK_DEFAULT_TABLE = 4096
};

/* Dynamic table of the decoder (hpack_table.c). */

/* Evicts until `extra` more bytes fit beside the entry overhead; 0: they never can. */
int mote_hpack_table_make_room(mote_hpack_decoder *d, size_t extra);
/* Evicts down to a table size. */
void mote_hpack_table_shrink(mote_hpack_decoder *d, size_t size);
/* The entry with dynamic index 0 (newest).., or NULL. */
mote_hpack_entry *mote_hpack_table_entry(mote_hpack_decoder *d, size_t index);
/* Makes the pending bytes in the ring the newest entry. */
void mote_hpack_table_commit(mote_hpack_decoder *d);
/* Fills a view from the entry with that dynamic index: 1, or 0 when there is none. */
int mote_hpack_table_field(mote_hpack_decoder *d, size_t index, mote_hpack_field_view *f);

#endif
