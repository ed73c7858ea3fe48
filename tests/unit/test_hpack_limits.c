/* HPACK: tables, scratches and buffers of every size: what does not fit is told, and nothing else
 * is lost. */
#include "hpack_harness.h"

/* ---- decoder ------------------------------------------------------------------------------- */

/* A literal with incremental indexing: a name of `name` bytes and a value of `value`, plain. */
static size_t literal(uint8_t *out, unsigned first, size_t name, size_t value)
{
    size_t lens[] = {name, value}, n = 0;

    out[n++] = (uint8_t)first;
    for (int i = 0; i < 2; i++) {
        if (lens[i] < 127) {
            out[n++] = (uint8_t)lens[i];
        } else {
            out[n++] = 127;
            for (size_t rest = lens[i] - 127;; rest >>= 7) {
                out[n++] = (uint8_t)(rest < 128 ? rest : (rest & 127) | 128);
                if (rest < 128)
                    break;
            }
        }
        memset(out + n, i ? 'v' : 'n', lens[i]);
        n += lens[i];
    }
    return n;
}

/* Every table size beside every scratch size and length of a field, in pieces and at once. */
static void a_field_of_any_length_meets_any_memory(void)
{
    static const size_t tables[] = {0, 16, 32, 33, 64, 100, 200};
    uint8_t block[600];

    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (size_t s = 0; s <= 100; s += 20) {
            for (size_t len = 0; len <= 220; len += 5) {
                for (size_t chunk = 1; chunk <= 601; chunk += 100) {
                    mote_hpack_decoder_init(&decoder, table, tables[t], tables[t], scratch, s);
                    size_t n = literal(block, 0x40, len / 3, len - len / 3);
                    block[n++] = 0x82; /* the next field is not harmed */
                    CHECK_INT(decode_chunks(block, n, chunk), 0);
                    CHECK((strstr(text, "too long") != NULL) == (len > s));
                    CHECK(strstr(text, ":method: GET\n") != NULL);
                    bool kept = len + 32 <= tables[t];
                    CHECK_INT(decoder.table.count, kept);
                    if (kept && len <= s)
                        CHECK(decode_hex("be") == 0);
                }
            }
        }
    }
}

/* A name that is taken from the table goes to the scratch, which may be too small for it. */
static void a_name_from_the_table_may_be_too_long(void)
{
    uint8_t block[300];

    for (size_t s = 20; s <= 60; s += 10) {
        mote_hpack_decoder_init(&decoder, table, 256, 256, scratch, s);
        size_t n = literal(block, 0x40, 40, 0);
        CHECK_INT(decode_chunks(block, n, 1000), 0);
        CHECK_INT(decode_hex("0f2f 03 616263"), 0); /* not indexed, name of entry 62 */
        CHECK((strstr(text, "too long") != NULL) == (s < 43));
        CHECK_INT(decode_hex("7e 03 616263"), 0); /* indexed */
        CHECK_INT(decoder.table.count, 2);
    }
}

/* RFC 7541 4.4: the name of an entry that the new one evicts, and a new one too large for all. */
static void a_name_may_come_from_an_entry_that_is_evicted(void)
{
    uint8_t block[300];

    for (size_t value = 0; value <= 80; value++) {
        start(100);
        size_t n = literal(block, 0x40, 30, 10);
        CHECK_INT(decode_chunks(block, n, 1000), 0);
        n = 0;
        block[n++] = 0x7e;
        block[n++] = (uint8_t)value;
        memset(block + n, 'w', value);
        CHECK_INT(decode_chunks(block, n + value, 7), 0);
        CHECK(strncmp(text, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: ", 32) == 0);
        CHECK_INT(strlen(text), 30 + 2 + value + 1);
        CHECK_INT(decoder.table.count, value <= 38);
    }
}

/* The last byte of a field in Huffman code may fill the table exactly: nothing is evicted for what
 * could follow. */
static void huffman_code_that_fills_the_table_evicts_nothing_more(void)
{
    static const char value[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    uint8_t block[100];

    for (size_t len = 1; len < sizeof value; len++) {
        start(33 + 33 + len);
        size_t n = literal(block, 0x40, 1, 0);
        CHECK_INT(decode_chunks(block, n, 1000), 0);
        n = literal(block, 0x40, 1, 0) - 1;
        size_t coded = mote_hpack_huffman_size(value, len);
        block[n++] = (uint8_t)(0x80 | coded);
        mote_hpack_huffman_encode(value, len, block + n);
        CHECK_INT(decode_chunks(block, n + coded, 1 + len % 7), 0);
        CHECK_INT(decoder.table.count, 2);
    }
}

static void an_old_entry_needs_an_index_of_two_bytes(void)
{
    uint8_t block[8];

    start(4096);
    for (int i = 0; i < 100; i++) {
        size_t n = literal(block, 0x40, 1, 1);
        block[3 - 1 + 2] = (uint8_t)('0' + i % 10);
        CHECK_INT(decode_chunks(block, n, 1000), 0);
    }
    CHECK_INT(decode_hex("ff 22"), 0); /* 127 + 34 = 161: the oldest */
    CHECK(strcmp(text, "n: 0\n") == 0);
    CHECK_INT(decode_hex("ff 23"), MOTE_HPACK_ERR_INDEX);
    CHECK_INT(mote_hpack_decoder_end(&decoder), MOTE_HPACK_ERR_INDEX); /* sticky */
}

static void an_empty_block_does_not_confirm_a_smaller_limit(void)
{
    start(4096);
    mote_hpack_decoder_limit(&decoder, 100);
    CHECK_INT(mote_hpack_decoder_end(&decoder), MOTE_HPACK_ERR_UPDATE_MISSING);
}

static void duplicates_in_the_table_are_no_error(void)
{
    uint8_t block[8];

    start(4096);
    for (int i = 0; i < 3; i++) {
        size_t n = literal(block, 0x40, 1, 1);
        CHECK_INT(decode_chunks(block, n, 1000), 0);
    }
    CHECK_INT(decoder.table.count, 3);
    CHECK_INT(decode_hex("c0 bf be"), 0);
    CHECK(strcmp(text, "n: v\nn: v\nn: v\n") == 0);
}

static void no_input_is_no_field(void)
{
    mote_hpack_field_view f;
    size_t used = 1;

    start(4096);
    CHECK_INT(mote_hpack_decode(&decoder, NULL, 0, &used, &f), 0);
    CHECK_INT(used, 0);
}

static void a_scratch_counts_up_to_65535_bytes(void)
{
    static char large[70000];
    static uint8_t block[70000];

    mote_hpack_decoder_init(&decoder, NULL, 0, 0, large, sizeof large);
    size_t n = literal(block, 0x00, 1, 66000);
    CHECK_INT(decode_chunks(block, n, 1000), 0);
    CHECK(strcmp(text, "(too long)\n") == 0);
}

/* ---- encoder ------------------------------------------------------------------------------- */

static void the_encoder_uses_at_most_4096_bytes(void)
{
    mote_hpack_slot slots[4];
    mote_hpack_encoder e;
    uint8_t out[16];

    mote_hpack_encoder_init(&e, slots, 4);
    mote_hpack_encoder_limit(&e, 1000000);
    CHECK_INT(mote_hpack_encode_start(&e, out, sizeof out), 0); /* 4,096 it is: no news */
    mote_hpack_encoder_limit(&e, 10);
    mote_hpack_encoder_limit(&e, 1000000); /* RFC 7541 4.2: the smallest in between, and the last */
    CHECK_INT(mote_hpack_encode_start(&e, out, 3), MOTE_HPACK_ERR_SPACE);
    CHECK_INT(mote_hpack_encode_start(&e, out, sizeof out), 4);
    CHECK(memcmp(out, "\x2a\x3f\xe1\x1f", 4) == 0);
    mote_hpack_encoder_limit(&e, 100);
    mote_hpack_encoder_limit(&e, 100);
    CHECK_INT(mote_hpack_encode_start(&e, out, sizeof out), 2);
}

static void a_static_field_is_a_reference_unless_it_must_not_be(void)
{
    static const mote_hpack_field get = MOTE_HPACK_FIELD(":method", "GET"),
                                  hidden = {":method", "GET", 7, 3, 0, MOTE_HPACK_NEVER_INDEX};
    mote_hpack_slot slots[4];
    mote_hpack_encoder e;
    uint8_t out[32];

    mote_hpack_encoder_init(&e, slots, 4);
    CHECK_INT(mote_hpack_encode(&e, &get, out, sizeof out), 1);
    CHECK(out[0] == 0x82);
    CHECK(mote_hpack_encode(&e, &hidden, out, sizeof out) > 1);
    CHECK(out[0] == 0x12);
    CHECK_INT(mote_hpack_encode_literal(&e, ":method", 7, "GET", 3, 0, out, sizeof out), 1);
    CHECK(out[0] == 0x82);
    CHECK(mote_hpack_encode_literal(&e, ":method", 7, "GET", 3, MOTE_HPACK_NEVER_INDEX, out,
                                    sizeof out) > 1);
    CHECK(out[0] == 0x12);
}

static void a_name_may_be_given_by_its_static_index(void)
{
    static const mote_hpack_field by_index = MOTE_HPACK_STATIC(28),
                                  by_name = MOTE_HPACK_FIELD("content-length", "");
    mote_hpack_slot slots[4];
    mote_hpack_encoder e;
    uint8_t a[32], b[32];

    mote_hpack_encoder_init(&e, slots, 4);
    int n = mote_hpack_encode_value(&e, &by_index, "123", 3, a, sizeof a);
    CHECK_INT(mote_hpack_encode_value(&e, &by_name, "123", 3, b, sizeof b), n);
    CHECK(n > 0 && memcmp(a, b, (size_t)n) == 0);
    CHECK_INT(mote_hpack_encode_value(&e, &by_index, "", 0, a, sizeof a), 3); /* an empty value */
    CHECK(memcmp(a, "\x0f\x0d\x00", 3) == 0);
    CHECK_INT(mote_hpack_encode_value(&e, &by_name, "", 0, b, sizeof b), 1); /* 28 is just that */
    CHECK(b[0] == 0x9c);
}

static void without_slots_nothing_is_indexed(void)
{
    static const mote_hpack_field name = MOTE_HPACK_FIELD("x-name", "value");
    mote_hpack_encoder e;
    uint8_t out[32];

    mote_hpack_encoder_init(&e, NULL, 0);
    CHECK(mote_hpack_encode(&e, &name, out, sizeof out) > 0);
    CHECK(out[0] == 0);
    CHECK(mote_hpack_encode_value(&e, &name, "1", 1, out, sizeof out) > 0);
    CHECK(out[0] == 0);
}

/* 80 entries: the oldest has an index above 126, which takes two bytes. */
static void a_reference_to_an_old_entry_takes_two_bytes(void)
{
    static mote_hpack_field fields[80];
    static char names[80][4];
    mote_hpack_slot slots[80];
    mote_hpack_encoder e;
    uint8_t out[16];

    mote_hpack_encoder_init(&e, slots, 80);
    for (size_t i = 0; i < 80; i++) {
        snprintf(names[i], sizeof names[i], "n%02zu", i);
        fields[i] = (mote_hpack_field){names[i], "", 3, 0, 0, 0};
        CHECK(mote_hpack_encode(&e, &fields[i], out, sizeof out) > 2);
    }
    CHECK_INT(mote_hpack_encode(&e, &fields[0], out, 1), MOTE_HPACK_ERR_SPACE);
    CHECK_INT(mote_hpack_encode(&e, &fields[0], out, sizeof out), 2);
    CHECK(out[0] == 0xff && out[1] == 61 + 80 - 127);
}

static void a_reference_needs_space_too(void)
{
    static const mote_hpack_field get = MOTE_HPACK_STATIC(2);
    mote_hpack_encoder e;
    uint8_t out[1];

    mote_hpack_encoder_init(&e, NULL, 0);
    CHECK_INT(mote_hpack_encode(&e, &get, out, 0), MOTE_HPACK_ERR_SPACE);
}

int main(void)
{
    RUN(a_field_of_any_length_meets_any_memory);
    RUN(a_name_from_the_table_may_be_too_long);
    RUN(a_name_may_come_from_an_entry_that_is_evicted);
    RUN(huffman_code_that_fills_the_table_evicts_nothing_more);
    RUN(an_old_entry_needs_an_index_of_two_bytes);
    RUN(an_empty_block_does_not_confirm_a_smaller_limit);
    RUN(duplicates_in_the_table_are_no_error);
    RUN(no_input_is_no_field);
    RUN(a_scratch_counts_up_to_65535_bytes);
    RUN(the_encoder_uses_at_most_4096_bytes);
    RUN(a_static_field_is_a_reference_unless_it_must_not_be);
    RUN(a_name_may_be_given_by_its_static_index);
    RUN(without_slots_nothing_is_indexed);
    RUN(a_reference_to_an_old_entry_takes_two_bytes);
    RUN(a_reference_needs_space_too);
    return test_summary();
}
