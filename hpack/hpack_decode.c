/* Decoder of RFC 7541: incremental down to the byte and the Huffman bit. */
#include "hpack_internal.h"

#include <string.h>

enum { FIRST_DYNAMIC = MOTE_HPACK_STATIC_COUNT + 1 };

void mote_hpack_decoder_init_bare(mote_hpack_decoder *d, size_t limit, void *scratch,
                                  size_t scratch_size)
{
    memset(d, 0, sizeof *d);
    d->scratch = scratch;
    d->scratch_size = (uint16_t)(scratch_size < UINT16_MAX ? scratch_size : UINT16_MAX);
    d->table.max = d->limit = (uint32_t)limit;
    d->required = MOTE_HPACK_NO_UPDATE;
}

/* RFC 9113 4.3.1: a size above the new limit must be lowered by the next block. */
void mote_hpack_decoder_limit(mote_hpack_decoder *d, size_t limit)
{
    MOTE_CHECK_THAT(mote_hpack_decoder_valid(d));
    d->limit = (uint32_t)limit;
    if (d->limit < d->table.max && d->limit < d->required)
        d->required = d->limit;
}

/* ---- strings ------------------------------------------------------------------------------- */

MOTE_SMALL_APART void mote_hpack_append(mote_hpack_decoder *d, const char *bytes, size_t len)
{
    if (d->field_len < d->scratch_size) {
        size_t room = d->scratch_size - d->field_len;
        memcpy(d->scratch + d->field_len, bytes, len < room ? len : room);
    }
    d->field_len += (uint32_t)len;
}

int mote_hpack_huffman_end(const mote_hpack_bits *b)
{
    MOTE_CHECK_THAT(mote_hpack_bits_valid(b));
    /* RFC 7541 5.2: less than 8 bits, and all of them ones */
    if (b->count > 7 || b->bits != ~(UINT32_MAX >> b->count))
        return MOTE_HPACK_ERR_HUFFMAN;
    return 0;
}

/* ---- fields -------------------------------------------------------------------------------- */

static int indexed_field(mote_hpack_decoder *d, mote_hpack_field_view *field)
{
    unsigned index = d->integer;

    d->state = MOTE_HPACK_FIELD_START;
    if (index == 0) /* RFC 7541 6.1 */
        return MOTE_HPACK_ERR_INDEX;
    if (index > MOTE_HPACK_STATIC_COUNT)
        return d->dynamic ? d->dynamic->field(d, index - FIRST_DYNAMIC, field)
                          : MOTE_HPACK_ERR_INDEX;
    mote_hpack_static(index, field);
    return 1;
}

static int name_from_index(mote_hpack_decoder *d)
{
    mote_hpack_field_view f;

    if (d->integer > MOTE_HPACK_STATIC_COUNT) {
        if (!d->dynamic || !d->dynamic->name(d, d->integer - FIRST_DYNAMIC))
            return MOTE_HPACK_ERR_INDEX;
    } else {
        mote_hpack_static(d->integer, &f);
        d->name_index = f.name_index;
        mote_hpack_append(d, f.name, f.name_len);
    }
    d->name_len = d->field_len;
    d->state = MOTE_HPACK_VALUE_START;
    return 0;
}

static int size_update(mote_hpack_decoder *d)
{
    /* RFC 7541 4.2, 6.3: within the limit, the smallest limit first */
    if (d->integer > d->limit)
        return MOTE_HPACK_ERR_TABLE_SIZE;
    if (d->integer > d->required)
        return MOTE_HPACK_ERR_UPDATE_MISSING;
    d->state = MOTE_HPACK_BLOCK_START;
    d->required = MOTE_HPACK_NO_UPDATE;
    d->table.max = d->integer;
    if (d->dynamic)
        d->dynamic->shrink(d); /* RFC 7541 4.3: at once */
    return 0;
}

static int finish_field(mote_hpack_decoder *d, mote_hpack_field_view *field)
{
    d->state = MOTE_HPACK_FIELD_START;
    if (d->to_table && d->dynamic && d->dynamic->add(d))
        return d->dynamic->field(d, 0, field);
    memset(field, 0, sizeof *field);
    field->flags = d->never_index ? MOTE_HPACK_NEVER_INDEX : 0;
    field->name_index = d->name_index;
    field->name = field->value = "";
    if (d->field_len > d->scratch_size) {
        field->flags |= MOTE_HPACK_TOO_LONG;
    } else {
        field->name = d->scratch;
        field->name_len = d->name_len;
        field->value = d->scratch + d->name_len;
        field->value_len = d->field_len - d->name_len;
    }
    return 1;
}

/* ---- states -------------------------------------------------------------------------------- */

static int string_done(mote_hpack_decoder *d, mote_hpack_field_view *field)
{
    if (d->huffman_on && mote_hpack_huffman_end(&d->huffman) < 0)
        return MOTE_HPACK_ERR_HUFFMAN;
    if (d->state == MOTE_HPACK_VALUE)
        return finish_field(d, field);
    d->name_len = d->field_len;
    d->state = MOTE_HPACK_VALUE_START;
    return 0;
}

static int string_starts(mote_hpack_decoder *d, enum mote_hpack_state state,
                         mote_hpack_field_view *field)
{
    d->state = state;
    d->huffman.bits = d->huffman.count = 0;
    return d->integer == 0 ? string_done(d, field) : 0;
}

static int integer_done(mote_hpack_decoder *d, mote_hpack_field_view *field)
{
    switch (d->state) {
    case MOTE_HPACK_INDEX:
        return indexed_field(d, field);
    case MOTE_HPACK_TABLE_SIZE:
        return size_update(d);
    case MOTE_HPACK_NAME_INDEX:
        if (d->integer > 0)
            return name_from_index(d);
        d->state = MOTE_HPACK_NAME_START;
        return 0;
    case MOTE_HPACK_NAME_LENGTH:
        return string_starts(d, MOTE_HPACK_NAME, field);
    default:
        return string_starts(d, MOTE_HPACK_VALUE, field);
    }
}

/* First byte of an integer with a prefix of `bits` bits (RFC 7541 5.1). */
static int integer_first(mote_hpack_decoder *d, uint8_t byte, unsigned bits,
                         enum mote_hpack_state state, mote_hpack_field_view *field)
{
    unsigned mask = (1u << bits) - 1;

    d->state = state;
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
    if (d->integer > MOTE_HPACK_INTEGER_MAX)
        return MOTE_HPACK_ERR_INTEGER;
    d->shift = (uint8_t)(d->shift + 7);
    return byte & 128u ? 0 : integer_done(d, field);
}

/* First byte of a field representation (RFC 7541 6). */
static int field_starts(mote_hpack_decoder *d, uint8_t byte, mote_hpack_field_view *field)
{
    if ((byte & 0xe0) == 0x20) {
        if (d->state != MOTE_HPACK_BLOCK_START) /* RFC 7541 4.2 */
            return MOTE_HPACK_ERR_TABLE_SIZE;
        return integer_first(d, byte, 5, MOTE_HPACK_TABLE_SIZE, field);
    }
    if (d->required != MOTE_HPACK_NO_UPDATE)
        return MOTE_HPACK_ERR_UPDATE_MISSING;
    if (byte & 0x80)
        return integer_first(d, byte, 7, MOTE_HPACK_INDEX, field);
    d->field_len = d->name_len = 0;
    d->name_index = 0;
    d->to_table = (byte & 0x40) != 0;
    d->never_index = (byte & 0xf0) == 0x10; /* RFC 7541 7.1.3 */
    return integer_first(d, byte, d->to_table ? 6 : 4, MOTE_HPACK_NAME_INDEX, field);
}

static int string_bytes(mote_hpack_decoder *d, const uint8_t *in, size_t len, size_t *used,
                        mote_hpack_field_view *field)
{
    size_t n = len < d->integer ? len : d->integer;

    *used = n;
    if (d->huffman_on) {
        int error = mote_hpack_append_huffman(d, in, n);
        if (error < 0)
            return error;
    } else {
        mote_hpack_append(d, (const char *)in, n);
    }
    d->integer -= (uint32_t)n;
    return d->integer == 0 ? string_done(d, field) : 0;
}

static int string_length(mote_hpack_decoder *d, uint8_t byte, enum mote_hpack_state state,
                         mote_hpack_field_view *field)
{
    d->huffman_on = byte >> 7;
    return integer_first(d, byte, 7, state, field);
}

static MOTE_SMALL_APART int decode_step(mote_hpack_decoder *d, const uint8_t *in, size_t len,
                                        size_t *used, mote_hpack_field_view *field)
{
    *used = 1;
    switch (d->state) {
    case MOTE_HPACK_BLOCK_START:
    case MOTE_HPACK_FIELD_START:
        return field_starts(d, in[0], field);
    case MOTE_HPACK_NAME_START:
        return string_length(d, in[0], MOTE_HPACK_NAME_LENGTH, field);
    case MOTE_HPACK_VALUE_START:
        return string_length(d, in[0], MOTE_HPACK_VALUE_LENGTH, field);
    case MOTE_HPACK_NAME:
    case MOTE_HPACK_VALUE:
        return string_bytes(d, in, len, used, field);
    default:
        return integer_next(d, in[0], field);
    }
}

static int fail(mote_hpack_decoder *d, int error)
{
    d->state = MOTE_HPACK_FAILED;
    d->error = (int16_t)error;
    return error;
}

/* The usual case: an index that fits the first byte. 0: it is not that. */
static int short_index(mote_hpack_decoder *d, unsigned byte, mote_hpack_field_view *field)
{
    if (byte <= 0x80 || byte == 0xff || d->state > MOTE_HPACK_FIELD_START ||
        d->required != MOTE_HPACK_NO_UPDATE)
        return 0;
    d->state = MOTE_HPACK_FIELD_START;
    d->integer = byte & 127;
    return indexed_field(d, field);
}

int mote_hpack_decode(mote_hpack_decoder *d, const uint8_t *in, size_t len, size_t *used,
                      mote_hpack_field_view *field)
{
    size_t i = 0;
    int r = d->error;

    MOTE_CHECK_THAT(mote_hpack_decoder_valid(d));
    if (MOTE_HPACK_SHORTCUTS && len > 0 && short_index(d, in[0], field) > 0) {
        *used = 1;
        return 1;
    }
    while (r == 0 && i < len) {
        size_t n;
        r = decode_step(d, in + i, len - i, &n, field);
        i += n;
    }
    *used = i;
    return r < 0 ? fail(d, r) : r;
}

int mote_hpack_decoder_end(mote_hpack_decoder *d)
{
    MOTE_CHECK_THAT(mote_hpack_decoder_valid(d));
    if (d->error < 0)
        return d->error;
    if (d->state > MOTE_HPACK_FIELD_START)
        return fail(d, MOTE_HPACK_ERR_TRUNCATED);
    if (d->required != MOTE_HPACK_NO_UPDATE)
        return fail(d, MOTE_HPACK_ERR_UPDATE_MISSING);
    d->state = MOTE_HPACK_BLOCK_START;
    return 0;
}
