/* Header blocks: pieces agree with the whole, and what was decoded survives encoding.
 * First byte: table size / 16; second: chunk size; the rest: blocks of at most 255 bytes, each
 * behind its length. */
#include "../hpack/hpack.h"
#include "fuzz.h"

static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2],
    table_back[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static char scratch[512], scratch_back[512];

static void encode_and_decode(mote_hpack_encoder *e, mote_hpack_decoder *back,
                              const mote_hpack_field_view *f)
{
    static uint8_t out[4096];
    mote_hpack_field_view again;
    size_t used;
    int n = mote_hpack_encode_literal(e, f->name, f->name_len, f->value, f->value_len, f->flags,
                                      out, sizeof out);

    ASSERT(n > 0);
    ASSERT(mote_hpack_decode(back, out, (size_t)n, &used, &again) == 1 && used == (size_t)n);
    ASSERT(again.name_len == f->name_len && memcmp(again.name, f->name, f->name_len) == 0);
    ASSERT(again.value_len == f->value_len && memcmp(again.value, f->value, f->value_len) == 0);
}

static void decode_all(const uint8_t *data, size_t size, size_t table_size, size_t chunk,
                       fuzz_log *log)
{
    mote_hpack_decoder d, back;
    mote_hpack_encoder e;

    mote_hpack_decoder_init(&d, table, table_size, table_size, scratch, sizeof scratch);
    mote_hpack_decoder_init(&back, table_back, 4096, 4096, scratch_back, sizeof scratch_back);
    mote_hpack_encoder_init(&e, NULL, 0);
    while (size > 0) {
        size_t len = data[0] < size - 1 ? data[0] : size - 1, at = 0, used;
        int r = 0;
        data++;
        size--;
        while (at < len && r >= 0) {
            mote_hpack_field_view f;
            size_t n = len - at < chunk ? len - at : chunk;
            r = mote_hpack_decode(&d, data + at, n, &used, &f);
            at += used;
            if (r <= 0)
                continue;
            fuzz_put_number(log, (uint32_t)f.flags << 8 | f.name_index);
            fuzz_put(log, f.name, f.name_len);
            fuzz_put(log, f.value, f.value_len);
            if (!(f.flags & MOTE_HPACK_TOO_LONG) && f.name_len > 0)
                encode_and_decode(&e, &back, &f);
        }
        if (r >= 0)
            r = mote_hpack_decoder_end(&d);
        fuzz_put_number(log, (uint32_t)r);
        data += len;
        size -= len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_log whole, pieces;

    if (size < 2)
        return 0;
    whole.len = pieces.len = 0;
    size_t table_size = data[0] * 16u;
    decode_all(data + 2, size - 2, table_size, SIZE_MAX, &whole);
    decode_all(data + 2, size - 2, table_size, 1 + data[1] % 32u, &pieces);
    ASSERT(fuzz_same(&whole, &pieces));
    return 0;
}
