#ifndef MOTE_HPACK_INTERNAL_H
#define MOTE_HPACK_INTERNAL_H

#include "hpack.h"
#include "mote_apart.h"
#include "mote_check.h"

enum {
    MOTE_HPACK_STATIC_COUNT = 61,
    MOTE_HPACK_ENTRY_OVERHEAD = 32, /* RFC 7541 4.1 */
    MOTE_HPACK_DEFAULT_TABLE = 4096,
    MOTE_HPACK_INTEGER_MAX = 1 << 28
};

/* Whether there are shortcuts for the usual cases, in front of code that does the same slowly. */
#ifdef MOTE_HPACK_SMALL
enum { MOTE_HPACK_SHORTCUTS = 0 };
#else
enum { MOTE_HPACK_SHORTCUTS = 1 };
#endif
#define MOTE_HPACK_NO_UPDATE UINT32_MAX

/* Appends to the field in progress what fits the scratch, and counts all of it. */
void mote_hpack_append(mote_hpack_decoder *d, const char *bytes, size_t len);
/* The same of Huffman code: 0, or MOTE_HPACK_ERR_HUFFMAN for the EOS symbol. */
int mote_hpack_append_huffman(mote_hpack_decoder *d, const uint8_t *in, size_t len);

#endif
