/* Decoder of RFC 7541: incremental down to the byte and the Huffman bit. */
#include "hpack_internal.h"

#include <string.h>

/* What the next byte belongs to. The four *_INTEGER states read the rest of an integer. */
enum state {
    OPCODE,
    INDEXED_INTEGER,
    NAME_INDEX_INTEGER,
    TABLE_SIZE_INTEGER,
    NAME_START,
    NAME_LENGTH_INTEGER,
    NAME_BYTES,
    VALUE_START,
    VALUE_LENGTH_INTEGER,
    VALUE_BYTES
};

enum { INTEGER_MAX = 1 << 28 };
/* Bytes that Huffman code is decoded to at a time, on the stack. */
#ifdef MOTE_HPACK_SMALL
enum { PIECE = 16 };
#else
enum { PIECE = 64 };
#endif
#define NO_UPDATE UINT32_MAX

void mote_hpack_decoder_init(mote_hpack_decoder *d, void *table, size_t table_size, size_t limit,
                             void *scratch, size_t scratch_size)
{
    memset(d, 0, sizeof *d);
    d->entry_cap = (uint16_t)(table_size / MOTE_HPACK_ENTRY_OVERHEAD);
    d->ring_size = (uint16_t)table_size;
    d->entries = table;
    d->ring = (char *)(d->entries + d->entry_cap);
    d->scratch = scratch;
    d->scratch_size = (uint16_t)(scratch_size < UINT16_MAX ? scratch_size : UINT16_MAX);
    d->max = d->limit = (uint32_t)limit;
    d->required = NO_UPDATE;
    d->at_start = 1;
}

/* RFC 9113 4.3.1: a size above the new limit must be lowered by the next block. */
void mote_hpack_decoder_limit(mote_hpack_decoder *d, size_t limit)
{
    d->limit = (uint32_t)limit;
    if (d->limit < d->max && d->limit < d->required)
        d->required = d->limit;
}

/* The field is larger than the table can be, which is now empty (RFC 7541 4.4): it goes on in the
 * scratch, and is reported but not remembered. */
static void leave_table(mote_hpack_decoder *d)
{
    size_t to_end = (size_t)d->ring_size - d->head;
    size_t first = d->pending < to_end ? d->pending : to_end;

    d->to_table = 0;
    if (d->pending > d->scratch_size) {
        d->dropped = 1;
        d->pending = (uint16_t)d->scratch_size;
    } else if (d->pending > 0) {
        memcpy(d->scratch, d->ring + d->head, first);
        memcpy(d->scratch + first, d->ring, d->pending - first);
    }
}

/* Where the next decoded bytes go, and how many of them fit there without a break. 0: the field has
 * outgrown the scratch, which is then full. */
static size_t sink(mote_hpack_decoder *d, char **to)
{
    if (d->to_table && !mote_hpack_table_make_room(d, 1))
        leave_table(d);
    if (!d->to_table) {
        *to = d->scratch + d->pending;
        return d->scratch_size - d->pending;
    }
    size_t pos = ((size_t)d->head + d->pending) % d->ring_size;
    size_t max = d->max < d->ring_size ? d->max : d->ring_size;
    size_t room = max - MOTE_HPACK_ENTRY_OVERHEAD - d->pending - d->used -
                  (size_t)d->entry_count * MOTE_HPACK_ENTRY_OVERHEAD;
    *to = d->ring + pos;
    return room < d->ring_size - pos ? room : d->ring_size - pos;
}

/* Appends decoded bytes to the field. They may lie in the table and be evicted meanwhile: they stay
 * until the new entry, which begins behind them, has passed over them in order. */
static void store(mote_hpack_decoder *d, const char *bytes, size_t len)
{
    size_t room;
    char *to;

    d->field_len += (uint32_t)len;
    while (len > 0 && (room = sink(d, &to)) > 0) {
        size_t n = len < room ? len : room;
        memmove(to, bytes, n);
        d->pending = (uint16_t)(d->pending + n);
        bytes += n;
        len -= n;
    }
    if (len > 0)
        d->dropped = 1;
}

/* Decodes bytes of a string. Huffman code goes through a piece of the stack, because an entry must
 * not be evicted for a byte that does not come. */
static int put(mote_hpack_decoder *d, const uint8_t *in, size_t len)
{
    char piece[PIECE];
    size_t used, made;

    if (!d->huffman_on) {
        store(d, (const char *)in, len);
        return 0;
    }
    do {
        int error =
            mote_hpack_huffman_decode(&d->huffman, in, len, &used, piece, sizeof piece, &made);
        if (error < 0)
            return error;
        store(d, piece, made);
        in += used;
        len -= used;
    } while (made == sizeof piece);
    return 0;
}

/* RFC 7541 4.4: the name of an entry, which the new one may evict. */
static void put_entry_name(mote_hpack_decoder *d, const mote_hpack_entry *e)
{
    size_t pos = e->pos, len = e->name_len;
    size_t first = d->ring_size - pos < len ? d->ring_size - pos : len;

    d->name_index = e->name_index;
    store(d, d->ring + pos, first);
    store(d, d->ring, len - first);
}

/* RFC 7541 2.3.3: an index beyond both tables is an error */
static int name_from_index(mote_hpack_decoder *d)
{
    if (d->integer > MOTE_HPACK_STATIC_COUNT) {
        const mote_hpack_entry *e =
            mote_hpack_table_entry(d, d->integer - MOTE_HPACK_STATIC_COUNT - 1);
        if (!e)
            return MOTE_HPACK_ERR_INDEX;
        put_entry_name(d, e);
    } else {
        mote_hpack_field_view f;
        mote_hpack_static(d->integer, &f);
        d->name_index = f.name_index;
        store(d, f.name, f.name_len);
    }
    d->name_len = d->field_len;
    d->state = VALUE_START;
    return 0;
}

static int indexed_field(mote_hpack_decoder *d, mote_hpack_field_view *field)
{
    d->state = OPCODE;
    if (d->integer == 0) /* RFC 7541 6.1 */
        return MOTE_HPACK_ERR_INDEX;
    if (d->integer <= MOTE_HPACK_STATIC_COUNT) {
        mote_hpack_static(d->integer, field);
        return 1;
    }
    if (!mote_hpack_table_field(d, d->integer - MOTE_HPACK_STATIC_COUNT - 1, field))
        return MOTE_HPACK_ERR_INDEX;
    return 1;
}

static int size_update(mote_hpack_decoder *d)
{
    d->state = OPCODE;
    /* RFC 7541 4.2, 6.3: only first in a block, within the limit, the smallest limit first */
    if (!d->at_start || d->integer > d->limit)
        return MOTE_HPACK_ERR_TABLE_SIZE;
    if (d->required != NO_UPDATE && d->integer > d->required)
        return MOTE_HPACK_ERR_UPDATE_MISSING;
    d->required = NO_UPDATE;
    d->max = d->integer; /* RFC 7541 4.3: evicts at once */
    mote_hpack_table_shrink(d, d->max);
    return 0;
}

static int finish_field(mote_hpack_decoder *d, mote_hpack_field_view *field)
{
    d->state = OPCODE;
    if (d->to_table && !mote_hpack_table_make_room(d, 0))
        leave_table(d);
    if (d->to_table) {
        mote_hpack_table_commit(d);
        return mote_hpack_table_field(d, 0, field);
    }
    memset(field, 0, sizeof *field);
    field->flags = (uint8_t)(d->flags | (d->dropped ? MOTE_HPACK_TOO_LONG : 0));
    field->name_index = d->name_index;
    field->name = field->value = "";
    if (!d->dropped) {
        field->name = d->scratch;
        field->name_len = d->name_len;
        field->value = d->scratch + d->name_len;
        field->value_len = d->pending - d->name_len;
    }
    return 1;
}

static int string_done(mote_hpack_decoder *d, mote_hpack_field_view *field)
{
    if (d->huffman_on && mote_hpack_huffman_end(&d->huffman) < 0)
        return MOTE_HPACK_ERR_HUFFMAN;
    if (d->state == VALUE_BYTES)
        return finish_field(d, field);
    d->name_len = d->field_len;
    d->state = VALUE_START;
    return 0;
}

static int string_starts(mote_hpack_decoder *d, enum state bytes, mote_hpack_field_view *field)
{
    d->state = (uint8_t)bytes;
    memset(&d->huffman, 0, sizeof d->huffman);
    return d->integer == 0 ? string_done(d, field) : 0;
}

static int integer_done(mote_hpack_decoder *d, mote_hpack_field_view *field)
{
    switch (d->state) {
    case INDEXED_INTEGER:
        return indexed_field(d, field);
    case TABLE_SIZE_INTEGER:
        return size_update(d);
    case NAME_INDEX_INTEGER:
        if (d->integer > 0)
            return name_from_index(d);
        d->state = NAME_START;
        return 0;
    case NAME_LENGTH_INTEGER:
        return string_starts(d, NAME_BYTES, field);
    default:
        return string_starts(d, VALUE_BYTES, field);
    }
}

/* First byte of an integer with a prefix of `bits` bits (RFC 7541 5.1). */
static int integer_first(mote_hpack_decoder *d, uint8_t byte, unsigned bits, enum state state,
                         mote_hpack_field_view *field)
{
    unsigned mask = (1u << bits) - 1;

    d->state = (uint8_t)state;
    d->integer = byte & mask;
    d->shift = 0;
    return d->integer < mask ? integer_done(d, field) : 0;
}

static int integer_next(mote_hpack_decoder *d, uint8_t byte, mote_hpack_field_view *field)
{
    unsigned low = byte & 127u;

    if (d->shift > 28 || (d->shift == 28 && low > 0))
        return MOTE_HPACK_ERR_INTEGER;
    d->integer += (uint32_t)low << d->shift;
    if (d->integer > INTEGER_MAX)
        return MOTE_HPACK_ERR_INTEGER;
    d->shift = (uint8_t)(d->shift + 7);
    return byte & 128u ? 0 : integer_done(d, field);
}

/* First byte of a field representation (RFC 7541 6). */
static int opcode(mote_hpack_decoder *d, uint8_t byte, mote_hpack_field_view *field)
{
    if ((byte & 0xe0) == 0x20)
        return integer_first(d, byte, 5, TABLE_SIZE_INTEGER, field);
    if (d->required != NO_UPDATE)
        return MOTE_HPACK_ERR_UPDATE_MISSING;
    d->at_start = 0;
    if (byte & 0x80)
        return integer_first(d, byte, 7, INDEXED_INTEGER, field);
    d->pending = 0;
    d->field_len = 0;
    d->name_index = 0;
    d->dropped = 0;
    d->to_table = (byte & 0x40) != 0;
    d->flags = (byte & 0xf0) == 0x10 ? MOTE_HPACK_NEVER_INDEX : 0; /* RFC 7541 7.1.3 */
    return integer_first(d, byte, d->to_table ? 6 : 4, NAME_INDEX_INTEGER, field);
}

static int string_bytes(mote_hpack_decoder *d, const uint8_t *in, size_t len, size_t *used,
                        mote_hpack_field_view *field)
{
    size_t n = len < d->integer ? len : d->integer;
    int error = put(d, in, n);

    *used = n;
    if (error < 0)
        return error;
    d->integer -= (uint32_t)n;
    return d->integer == 0 ? string_done(d, field) : 0;
}

static int step(mote_hpack_decoder *d, const uint8_t *in, size_t len, size_t *used,
                mote_hpack_field_view *field)
{
    *used = 1;
    switch (d->state) {
    case OPCODE:
        return opcode(d, in[0], field);
    case NAME_START:
    case VALUE_START:
        d->huffman_on = in[0] >> 7;
        return integer_first(d, in[0], 7,
                             d->state == NAME_START ? NAME_LENGTH_INTEGER : VALUE_LENGTH_INTEGER,
                             field);
    case NAME_BYTES:
    case VALUE_BYTES:
        return string_bytes(d, in, len, used, field);
    default:
        return integer_next(d, in[0], field);
    }
}

/* The usual case: an index that fits the first byte. 0: it is not that. */
static int short_index(mote_hpack_decoder *d, unsigned byte, mote_hpack_field_view *field)
{
    if (byte <= 0x80 || byte == 0xff || d->state != OPCODE || d->required != NO_UPDATE || d->error)
        return 0;
    d->at_start = 0;
    if (byte <= 0x80 + MOTE_HPACK_STATIC_COUNT) {
        mote_hpack_static(byte - 0x80, field);
        return 1;
    }
    return mote_hpack_table_field(d, byte - 0x80 - MOTE_HPACK_STATIC_COUNT - 1, field);
}

int mote_hpack_decode(mote_hpack_decoder *d, const uint8_t *in, size_t len, size_t *used,
                      mote_hpack_field_view *field)
{
    size_t i = 0;
    int r = d->error;

    if (len > 0 && short_index(d, in[0], field)) {
        *used = 1;
        return 1;
    }
    while (r == 0 && i < len) {
        size_t n;
        r = step(d, in + i, len - i, &n, field);
        i += n;
    }
    if (r < 0)
        d->error = (int16_t)r;
    *used = i;
    return r;
}

int mote_hpack_decoder_end(mote_hpack_decoder *d)
{
    if (d->error < 0)
        return d->error;
    if (d->state != OPCODE)
        return d->error = MOTE_HPACK_ERR_TRUNCATED;
    if (d->required != NO_UPDATE)
        return d->error = MOTE_HPACK_ERR_UPDATE_MISSING;
    d->at_start = 1;
    return 0;
}
