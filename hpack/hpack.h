/*
 * hpack: header compression for HTTP/2 (RFC 7541), both directions.
 *
 * Conventions of this header, which hold for the whole of mote:
 *   - No function allocates, blocks, or keeps a pointer longer than it says.
 *   - Lengths are bytes. Strings are (pointer, length) pairs without a terminating NUL.
 *   - A return value < 0 is an error code of this layer (MOTE_HPACK_...); its text is in
 *     mote_hpack_strerror().
 *   - Structs are public so that they can be placed by the linker; their members are private
 *     unless the comment beside them says otherwise.
 *   - A type with an invariant has a function ..._valid() that says whether it holds. Built with
 *     -DMOTE_CHECK, every function checks it, and what its caller promises (hpack/mote_check.h).
 */
#ifndef MOTE_HPACK_H
#define MOTE_HPACK_H

#include "version.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX < 0xffffffff
#error                                                                                             \
    "mote needs pointers and int of 32 bits or more: machines like AVR and MSP430 are not supported"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Errors -100..-199. All of them are a COMPRESSION_ERROR on the wire (RFC 9113 4.3), except
 * MOTE_HPACK_ERR_SPACE, which only the encoder returns. Decoder errors are sticky. */
#define MOTE_HPACK_ERRORS(X)                                                                       \
    X(MOTE_HPACK_ERR_INDEX, -100, "hpack: index outside of the static and dynamic table")          \
    X(MOTE_HPACK_ERR_INTEGER, -101, "hpack: integer larger than 2^28 or longer than 6 bytes")      \
    X(MOTE_HPACK_ERR_HUFFMAN, -102, "hpack: invalid Huffman code or padding")                      \
    X(MOTE_HPACK_ERR_TABLE_SIZE, -103, "hpack: table size update above the limit or misplaced")    \
    X(MOTE_HPACK_ERR_TRUNCATED, -104, "hpack: header block ends inside of a field")                \
    X(MOTE_HPACK_ERR_SPACE, -105, "hpack: output buffer too small for the field")                  \
    X(MOTE_HPACK_ERR_UPDATE_MISSING, -106, "hpack: a mandatory table size update is missing")

enum mote_hpack_error {
#define MOTE_HPACK_ENUM(name, code, text) name = code,
    MOTE_HPACK_ERRORS(MOTE_HPACK_ENUM)
#undef MOTE_HPACK_ENUM
};

/* The text of an error of this layer: "hpack: ...". "no error" for 0, "unknown error" for others;
 * with MOTE_NO_TEXTS "". Static storage, never NULL. */
const char *mote_hpack_strerror(int code);

/* ---- decoder ------------------------------------------------------------------------------ */

/* What the layers above learned about a dynamic table entry. It is zero when the entry is new and
 * lives as long as the entry, so that a repeated field need not be compared again. */
typedef struct {
    uint16_t app;    /* free for the user of the h2 layer */
    uint8_t checked; /* set by h2: name and value are valid */
    uint8_t kind;    /* set by h2: which known name it is */
} mote_hpack_memo;

enum {
    MOTE_HPACK_NEVER_INDEX = 1, /* RFC 7541 6.2.3: must stay a literal on every hop */
    MOTE_HPACK_TOO_LONG = 2     /* longer than the scratch: name and value were dropped */
};

/* A decoded field. Both views stay valid until the next call on the same decoder. */
typedef struct {
    const char *name;
    const char *value;
    size_t name_len;
    size_t value_len;
    mote_hpack_memo *memo; /* NULL: the field is not in the dynamic table */
    uint8_t name_index;    /* static table index of the name (RFC 7541 Appendix A); 0: not there */
    uint8_t full_index;    /* static table index of name and value together; 0: not there */
    uint8_t flags;         /* MOTE_HPACK_NEVER_INDEX, MOTE_HPACK_TOO_LONG */
} mote_hpack_field_view;

typedef struct {
    mote_hpack_memo memo;
    uint16_t pos; /* where its bytes begin, counted from the first byte that the table ever held,
                     modulo 2^16 */
    uint16_t name_len;
    uint16_t value_len;
    uint8_t name_index;
    uint8_t flags; /* MOTE_HPACK_TOO_LONG: the value is not kept, nor a name that was too long */
} mote_hpack_entry;

/* The dynamic table: a ring of entries, then their bytes one behind the other. New ones go to the
 * end; when there is no room, all are moved to the front, where older ones have been evicted. */
typedef struct {
    mote_hpack_entry *entries; /* in memory of the caller */
    char *bytes;               /* behind them */
    uint32_t max;              /* table size (RFC 7541 4.2) */
    uint16_t memory;           /* the largest table size that the memory permits */
    uint16_t first;            /* the oldest entry */
    uint16_t count;
    uint16_t size;  /* of all entries (RFC 7541 4.1) */
    uint16_t end;   /* where the bytes of the next entry go */
    uint16_t moved; /* how far bytes have been moved to the front, modulo 2^16 */
} mote_hpack_table;

/* Bits of Huffman code that are not decoded yet: fewer than those of the next symbol, or, when
 * there was no room for it, fewer than 8. */
typedef struct {
    uint32_t bits; /* the first one is the most significant; zeros follow the last */
    uint8_t count;
} mote_hpack_bits;

/*
 * What the next byte of a header block is. An integer and a length take the states in parentheses
 * if they do not fit their first byte (RFC 7541 5.1).
 *
 *   BLOCK_START ---- size update (TABLE_SIZE) ---> BLOCK_START           RFC 7541 6.3
 *        | other first byte
 *        v
 *   FIELD_START ---- index (INDEX) --------------> a field, FIELD_START          6.1
 *        | literal, index of its name (NAME_INDEX)                               6.2
 *        +-- 0 --> NAME_START -- length (NAME_LENGTH) --> NAME --+               5.2
 *        |                                                       |
 *        +-- n --------------------------------------------------+
 *                                                                v
 *             a field, FIELD_START <-- VALUE <-- length (VALUE_LENGTH) -- VALUE_START
 *
 *   mote_hpack_decoder_end() leads from BLOCK_START and FIELD_START to BLOCK_START; every error to
 *   FAILED, for ever.
 */
enum mote_hpack_state {
    MOTE_HPACK_BLOCK_START,
    MOTE_HPACK_FIELD_START,
    MOTE_HPACK_INDEX,
    MOTE_HPACK_NAME_INDEX,
    MOTE_HPACK_TABLE_SIZE,
    MOTE_HPACK_NAME_START,
    MOTE_HPACK_NAME_LENGTH,
    MOTE_HPACK_NAME,
    MOTE_HPACK_VALUE_START,
    MOTE_HPACK_VALUE_LENGTH,
    MOTE_HPACK_VALUE,
    MOTE_HPACK_FAILED
};

typedef struct mote_hpack_decoder mote_hpack_decoder;

/*
 * What a decoder does with its dynamic table, as an interface, so that a decoder without a table
 * does not link it. There is one implementation, mote_hpack_dynamic_table. An index counts from 0,
 * the newest entry.
 */
typedef struct {
    /* Gives the decoder memory for a table of `size` bytes, and this interface. */
    void (*init)(mote_hpack_decoder *d, void *memory, size_t size);
    /* The view of an entry: 1, or MOTE_HPACK_ERR_INDEX when there is none (RFC 7541 2.3.3). */
    int (*field)(const mote_hpack_decoder *d, size_t index, mote_hpack_field_view *f);
    /* The name of an entry becomes that of the field in progress; false: there is none. */
    bool (*name)(mote_hpack_decoder *d, size_t index);
    /* Remembers the field in progress; false: it is larger than the table (RFC 7541 4.4). */
    bool (*add)(mote_hpack_decoder *d);
    /* Evicts down to the table size (RFC 7541 4.3). */
    void (*shrink)(mote_hpack_decoder *d);
} mote_hpack_dynamic;
extern const mote_hpack_dynamic mote_hpack_dynamic_table;

struct mote_hpack_decoder {
    enum mote_hpack_state state;
    uint8_t shift;      /* of the next 7 bits of the integer */
    uint8_t name_index; /* of the field in progress, as in its view */
    bool never_index;   /* it is a literal that must stay one (RFC 7541 6.2.3) */
    bool to_table;      /* it is to be remembered (RFC 7541 6.2.1) */
    bool huffman_on;    /* its string is in Huffman code */
    int16_t error;      /* FAILED: why; otherwise 0 */
    uint16_t scratch_size;
    uint32_t limit;     /* the largest table size that our SETTINGS permit */
    uint32_t required;  /* a size update to at most this must come first; UINT32_MAX: none */
    uint32_t integer;   /* integer, or what remains of a string */
    uint32_t field_len; /* bytes of name and value so far; the scratch holds the first of them */
    uint32_t name_len;
    char *scratch;
    const mote_hpack_dynamic *dynamic; /* NULL: no table, as one of size 0 */
    mote_hpack_bits huffman;
    mote_hpack_table table;
};

/* Bytes of table memory for a dynamic table of `size` bytes (0 is legal). At most 65,504. */
#define MOTE_HPACK_TABLE_MEMORY(size) ((size) + (size) / 32u * sizeof(mote_hpack_entry))

/*
 * Prepares a decoder. `table` must be aligned for uint16_t and hold
 * MOTE_HPACK_TABLE_MEMORY(table_size) bytes; it may be NULL when table_size is 0. `limit` is the
 * table size that the peer may assume: 4096 unless SETTINGS said otherwise (RFC 9113 6.5.2). A
 * table_size below the limit keeps the newest entries only, and a reference to a lost one is
 * MOTE_HPACK_ERR_INDEX. `scratch` holds one decoded field, so name and value together may have
 * scratch_size bytes (65,535 at most); a longer one is still decoded, so that the table stays in
 * step, and reported with MOTE_HPACK_TOO_LONG. Both spans belong to the decoder until it is no
 * longer used.
 */
void mote_hpack_decoder_init(mote_hpack_decoder *d, void *table, size_t table_size, size_t limit,
                             void *scratch, size_t scratch_size);

/* Moves the entries of a decoder's table between two blocks, for who lends that memory:
 * mote_hpack_table_kept() bytes hold them while they rest, aligned for uint16_t. _keep() moves them
 * there, and until the next _put() the decoder must not be used; then they are in `table`, which
 * holds MOTE_HPACK_TABLE_MEMORY() bytes of the size that the decoder was prepared with. A decoder
 * without a table keeps 0 bytes. */
size_t mote_hpack_table_kept(const mote_hpack_decoder *d);
void mote_hpack_table_keep(mote_hpack_decoder *d, void *kept);
void mote_hpack_table_put(mote_hpack_decoder *d, void *table);

/* The same without a table: a literal is not remembered, and every index beyond the static
 * table is MOTE_HPACK_ERR_INDEX, as with a table of size 0. */
void mote_hpack_decoder_init_bare(mote_hpack_decoder *d, size_t limit, void *scratch,
                                  size_t scratch_size);

/*
 * Changes the limit (RFC 7541 4.2), to be called when the peer has acknowledged the SETTINGS that
 * announce it. When it shrinks below the size in use, the next block must begin with an update.
 */
void mote_hpack_decoder_limit(mote_hpack_decoder *d, size_t limit);

/*
 * Decodes at most one field of a header block. Returns 1: *field is filled; 0: all of `in` was
 * used and more is needed (or the block is complete, if mote_hpack_decoder_end() agrees);
 * < 0: error. *used says how many bytes were consumed in each case.
 */
int mote_hpack_decode(mote_hpack_decoder *d, const uint8_t *in, size_t len, size_t *used,
                      mote_hpack_field_view *field);

/* Ends a header block: 0, or MOTE_HPACK_ERR_TRUNCATED when it ended inside of a field, or
 * MOTE_HPACK_ERR_UPDATE_MISSING. The next call to mote_hpack_decode() starts a new block. */
int mote_hpack_decoder_end(mote_hpack_decoder *d);

/* Whether the state is one that these functions can have left, for debug builds and proofs: the
 * entries lie one behind the other in the order of their age, within the memory, and make up the
 * size, which is at most max. */
bool mote_hpack_table_valid(const mote_hpack_table *t);
/* At most 29 bits (the longest code has 30), and zeros behind them. */
bool mote_hpack_bits_valid(const mote_hpack_bits *b);
/* Table and bits are valid; error is set in the state FAILED alone; in the other states the
 * integer, its shift and the lengths are within their limits, and a table size above the limit has
 * an update that is required. */
bool mote_hpack_decoder_valid(const mote_hpack_decoder *d);

/* ---- encoder ------------------------------------------------------------------------------ */

/*
 * A constant field, to be placed in flash. The encoder's dynamic table keeps a pointer to it and
 * recognises it by that pointer, so the object must outlive the encoder and must not change.
 */
typedef struct {
    const char *name;
    const char *value;
    uint16_t name_len;
    uint16_t value_len;
    uint8_t index; /* static table index of the name (RFC 7541 Appendix A), or, where name_len is 0,
                      of name and value together; 0: the encoder's coder looks it up */
    uint8_t flags; /* MOTE_HPACK_NEVER_INDEX or 0 */
} mote_hpack_field;

/* A constant field from two string literals. */
#define MOTE_HPACK_FIELD(name, value)                                                              \
    {                                                                                              \
        name, value, sizeof(name) - 1, sizeof(value) - 1, 0, 0                                     \
    }
/* The same where the static table has the name, with its index (RFC 7541 Appendix A): nothing is
 * looked up, and a program whose fields are all like this does not link the search. */
#define MOTE_HPACK_NAMED(index, name, value)                                                       \
    {                                                                                              \
        name, value, sizeof(name) - 1, sizeof(value) - 1, index, 0                                 \
    }
/* A field that the static table holds as a whole, by its index (RFC 7541 Appendix A), or a name for
 * mote_hpack_encode_value(). */
#define MOTE_HPACK_STATIC(index)                                                                   \
    {                                                                                              \
        "", "", 0, 0, index, 0                                                                     \
    }

typedef struct {
    const mote_hpack_field *field;
    uint16_t size;      /* as RFC 7541 4.1 counts it */
    uint16_t any_value; /* the entry has the name of the field, and a value of its own */
} mote_hpack_slot;

enum mote_hpack_huffman {
    MOTE_HPACK_HUFFMAN_AUTO,
    MOTE_HPACK_HUFFMAN_NEVER,
    MOTE_HPACK_HUFFMAN_ALWAYS
};

/* What shortens fields that are not remembered, as an interface, so that an encoder that sends them
 * as they are does not link it. There is one implementation: Huffman code, for strings that become
 * shorter by it or as the encoder is set, and the search for names in the static table. Without it
 * a constant field refers to its name only where the field has the index, and it is secret (RFC
 * 7541 7.1.3) where that index or its flag says so. */
typedef struct mote_hpack_encoder mote_hpack_encoder;
typedef struct mote_hpack_output mote_hpack_output; /* bytes being written */
typedef struct {
    /* Writes a string in its code (RFC 7541 5.2); false: it is to go as it is. */
    bool (*string)(const mote_hpack_encoder *e, mote_hpack_output *o, const char *s, size_t len);
    /* mote_hpack_static_find() */
    unsigned (*find)(const char *name, size_t name_len, const char *value, size_t value_len,
                     unsigned *full);
} mote_hpack_coder;
extern const mote_hpack_coder mote_hpack_huffman_coder;

/* An encoder's dynamic table is a ring of slots: the newest slot_count entries of what the peer's
 * table holds. */
struct mote_hpack_encoder {
    enum mote_hpack_huffman huffman; /* may be set at any time */
    bool update;                     /* a size update is owed */
    uint16_t slot_cap, slot_count;
    uint16_t newest;   /* slot of the newest entry */
    uint16_t guess;    /* slot of the last hit: the next field is likely the one beside it */
    uint16_t changes;  /* counts insertions and size updates, modulo 2^16 */
    uint16_t size;     /* bytes of the entries that are still known */
    uint16_t max;      /* table size in use */
    uint16_t smallest; /* least limit since the last block */
    mote_hpack_slot *slots;
    const mote_hpack_coder *coder; /* NULL: what is sent goes as it is */
};

/* Prepares an encoder whose dynamic table remembers the last slot_count fields. `slots` belongs to
 * the encoder; it may be NULL when slot_count is 0, and then nothing is ever indexed. */
void mote_hpack_encoder_init(mote_hpack_encoder *e, mote_hpack_slot *slots, size_t slot_count);

/* The same without a coder: for constant fields that know their index, and values that are short.
 */
void mote_hpack_encoder_init_bare(mote_hpack_encoder *e, mote_hpack_slot *slots, size_t slot_count);

/* The peer's SETTINGS_HEADER_TABLE_SIZE. mote uses at most 4096 bytes of it. The size update that
 * RFC 7541 4.2 demands is written by the next mote_hpack_encode_start(). */
void mote_hpack_encoder_limit(mote_hpack_encoder *e, uint32_t size);

/* Starts a header block: writes owed table size updates to `out`. Returns the bytes written (0 in
 * the common case, at most 8), or MOTE_HPACK_ERR_SPACE. */
int mote_hpack_encode_start(mote_hpack_encoder *e, uint8_t *out, size_t cap);

/* Remembers where a block starts, and takes back all that was encoded since then: where the peer's
 * table would have changed by it, the next block empties that table (RFC 7541 4.2). Call _mark()
 * before mote_hpack_encode_start(). */
uint16_t mote_hpack_encode_mark(const mote_hpack_encoder *e);
void mote_hpack_encode_rewind(mote_hpack_encoder *e, uint16_t mark);

/* Encodes a constant field, indexed after its first use. Returns the bytes written to `out`, or
 * MOTE_HPACK_ERR_SPACE, and then nothing has changed. */
int mote_hpack_encode(mote_hpack_encoder *e, const mote_hpack_field *field, uint8_t *out,
                      size_t cap);

/*
 * Encodes a field whose value differs from call to call. `name` is a constant field of which only
 * the name and the flags are used: from the second time on the name is a reference (RFC 7541
 * 6.2.2). Returns as mote_hpack_encode().
 */
int mote_hpack_encode_value(mote_hpack_encoder *e, const mote_hpack_field *name, const char *value,
                            size_t value_len, uint8_t *out, size_t cap);

/* Encodes a field that is not remembered (RFC 7541 6.2.2; 6.2.3 with MOTE_HPACK_NEVER_INDEX in
 * flags). A name of the static table is still a reference. Returns as mote_hpack_encode(). */
int mote_hpack_encode_literal(mote_hpack_encoder *e, const char *name, size_t name_len,
                              const char *value, size_t value_len, unsigned flags, uint8_t *out,
                              size_t cap);

/* Whether the state is one that these functions can have left, for debug builds and proofs: slot
 * numbers are below slot_cap, the slots make up the size, and smallest <= max <= 4096, with size at
 * most smallest while an update is owed, and smallest equal to max while none is. */
bool mote_hpack_encoder_valid(const mote_hpack_encoder *e);

/* ---- parts that are useful alone ----------------------------------------------------------- */

/* Static table (RFC 7541 Appendix A): fills *field for index 1..61. */
void mote_hpack_static(unsigned index, mote_hpack_field_view *field);

/* Index of the first static entry with this name, or 0. If *full is not NULL, it is set to the
 * index of the entry with this name and value, or 0. */
unsigned mote_hpack_static_find(const char *name, size_t name_len, const char *value,
                                size_t value_len, unsigned *full);

/* Length of a string in Huffman code, in bytes (RFC 7541 5.2). */
size_t mote_hpack_huffman_size(const char *in, size_t len);

/* Writes the Huffman code of a string to `out`, which has room for mote_hpack_huffman_size(). */
void mote_hpack_huffman_encode(const char *in, size_t len, uint8_t *out);

/*
 * Decodes Huffman code piecewise; *b starts as zero. Stops when the input is used up, or where the
 * output is full: what has not been used is to be passed again. *used and *made say how many bytes
 * were read and written. Returns 0, or MOTE_HPACK_ERR_HUFFMAN for the EOS symbol. When a call
 * leaves room in `out`, all input was used, and all symbols that are complete have been written.
 */
int mote_hpack_huffman_decode(mote_hpack_bits *b, const uint8_t *in, size_t len, size_t *used,
                              char *out, size_t cap, size_t *made);

/* Checks the padding at the end of a string: 0 or MOTE_HPACK_ERR_HUFFMAN (RFC 7541 5.2). */
int mote_hpack_huffman_end(const mote_hpack_bits *b);

#ifdef __cplusplus
}
#endif
#endif
