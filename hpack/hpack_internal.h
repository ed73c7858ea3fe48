#ifndef MOTE_HPACK_INTERNAL_H
#define MOTE_HPACK_INTERNAL_H

#include "hpack.h"
#include "mote_check.h"

enum {
    MOTE_HPACK_STATIC_COUNT = 61,
    MOTE_HPACK_ENTRY_OVERHEAD = 32, /* RFC 7541 4.1 */
    MOTE_HPACK_DEFAULT_TABLE = 4096,
    MOTE_HPACK_INTEGER_MAX = 1 << 28
};
#define MOTE_HPACK_NO_UPDATE UINT32_MAX

/* Dynamic table of the decoder (hpack_table.c). */

/* Evicts down to a size. */
void mote_hpack_table_shrink(mote_hpack_table *t, size_t size);
/* Evicts until an entry with that many bytes fits; false: it never can, and the table is empty
 * (RFC 7541 4.4). */
bool mote_hpack_table_make_room(mote_hpack_table *t, size_t len);
/* Makes *e, for which there is room, the newest entry, with the bytes of it that are kept. */
void mote_hpack_table_add(mote_hpack_table *t, const mote_hpack_entry *e, const char *bytes,
                          size_t kept);
/* The entry with dynamic index 0 (newest).., or NULL. */
mote_hpack_entry *mote_hpack_table_entry(const mote_hpack_table *t, size_t index);
/* Where its bytes are: what is kept of the name, then of the value. */
char *mote_hpack_table_bytes(const mote_hpack_table *t, const mote_hpack_entry *e);
/* The view of that entry: 1, or MOTE_HPACK_ERR_INDEX when there is none (RFC 7541 2.3.3). */
int mote_hpack_table_field(const mote_hpack_table *t, size_t index, mote_hpack_field_view *f);

#endif
