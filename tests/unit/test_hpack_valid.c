/* HPACK: the invariants of its types, and that every function checks them. */
#if defined MOTE_CHECK && defined __unix__
#define _POSIX_C_SOURCE 200809L
#include "stops.h"
#endif

#include "hpack_harness.h"

/* ---- what holds ---------------------------------------------------------------------------- */

/* Changes a member, asks whether the whole is valid, and changes it back. */
#define WITH(type, object, member, value, expected)                                                \
    do {                                                                                           \
        type saved_ = (object);                                                                    \
        (object).member = (value);                                                                 \
        CHECK_INT(type##_valid(&(object)), expected);                                              \
        (object) = saved_;                                                                         \
    } while (0)

static void bits_are_at_most_29_with_zeros_behind_them(void)
{
    mote_hpack_bits b = {0xfffffff8, 29};

    CHECK(mote_hpack_bits_valid(&b));
    WITH(mote_hpack_bits, b, count, 28, false);
    WITH(mote_hpack_bits, b, bits, 0xfffffffc, false);
    WITH(mote_hpack_bits, b, bits, 0, true);
    b = (mote_hpack_bits){0xfffffffc, 30};
    CHECK(!mote_hpack_bits_valid(&b));
    b = (mote_hpack_bits){0x80000000, 0};
    CHECK(!mote_hpack_bits_valid(&b));
    b = (mote_hpack_bits){0, 0};
    CHECK(mote_hpack_bits_valid(&b));
}

/* A table for 4 entries with three of 35 bytes, of which the bytes begin at 3. */
static mote_hpack_table *three_entries(void)
{
    start(140);
    expect("4001 6102 3031 4001 6202 3031 4001 6302 3031 4001 6402 3031 4001 6502 3031",
           "a: 01\nb: 01\nc: 01\nd: 01\ne: 01\n");
    expect("3f4a", ""); /* 105: three of them */
    return &decoder.table;
}

static void a_table_is_what_its_entries_are(void)
{
    mote_hpack_table *t = three_entries();

    CHECK(mote_hpack_table_valid(t));
    CHECK(t->count == 3 && t->first == 2 && t->size == 105 && t->end == 15 && t->memory == 140);
    WITH(mote_hpack_table, *t, count, 2, false);
    WITH(mote_hpack_table, *t, count, 4, false);
    WITH(mote_hpack_table, *t, count, 5, false);
    WITH(mote_hpack_table, *t, first, 1, false);
    WITH(mote_hpack_table, *t, first, 4, false);
    WITH(mote_hpack_table, *t, size, 104, false);
    WITH(mote_hpack_table, *t, size, 106, false);
    WITH(mote_hpack_table, *t, max, 104, false);
    WITH(mote_hpack_table, *t, max, UINT32_MAX, true);
    WITH(mote_hpack_table, *t, end, 14, false);
    WITH(mote_hpack_table, *t, end, 16, false);
    WITH(mote_hpack_table, *t, moved, t->moved + 1u, false);
}

static void a_table_lies_within_its_memory(void)
{
    mote_hpack_table *t = three_entries();

    for (int distance = 0; distance <= 7; distance++) {
        mote_hpack_table moved = *t;
        moved.moved = (uint16_t)(t->moved + distance);
        moved.end = (uint16_t)(t->end - distance);
        CHECK_INT(mote_hpack_table_valid(&moved), distance <= 6);
    }
    mote_hpack_table behind = *t;
    behind.moved = (uint16_t)(t->moved - 125);
    behind.end = (uint16_t)(t->end + 125);
    CHECK(mote_hpack_table_valid(&behind)); /* its bytes end with the memory */
    behind.moved--;
    behind.end++;
    CHECK(!mote_hpack_table_valid(&behind));
    start(64);
    t = &decoder.table;
    WITH(mote_hpack_table, *t, first, 1, true);
    WITH(mote_hpack_table, *t, first, 2, false);
    WITH(mote_hpack_table, *t, end, 64, true);
    WITH(mote_hpack_table, *t, end, 65, false);
    WITH(mote_hpack_table, *t, size, 1, false);
    start(0);
    CHECK(mote_hpack_table_valid(&decoder.table));
    WITH(mote_hpack_table, *t, first, 1, false);
}

static void an_entry_keeps_all_or_its_name_or_nothing(void)
{
    mote_hpack_table *t = three_entries();
    mote_hpack_entry *newest = &t->entries[(t->first + 2) % 4];

    newest->name_len = 2, newest->value_len = 1; /* as long */
    CHECK(mote_hpack_table_valid(t));
    newest->flags = MOTE_HPACK_TOO_LONG;
    CHECK(!mote_hpack_table_valid(t));
    newest->name_len = 3, newest->value_len = 0;
    CHECK(mote_hpack_table_valid(t)); /* its name */
    newest->pos = (uint16_t)(t->end + t->moved);
    CHECK(!mote_hpack_table_valid(t)); /* nothing; but the one before has 6 bytes then */
    newest->flags = 0;
    newest->pos = (uint16_t)(newest->pos - 2);
    CHECK(!mote_hpack_table_valid(t));
    mote_hpack_decoder_init(&decoder, table, 64, 64, scratch, 0);
    CHECK_INT(decode_hex("4001 6102 3031"), 0);
    CHECK(decoder.table.end == 0 && mote_hpack_table_valid(&decoder.table));
    decoder.table.entries[0].flags = MOTE_HPACK_NEVER_INDEX;
    CHECK(!mote_hpack_table_valid(&decoder.table));
}

static void a_decoder_is_in_one_of_its_states(void)
{
    start(140);
    CHECK(mote_hpack_decoder_valid(&decoder));
    WITH(mote_hpack_decoder, decoder, error, MOTE_HPACK_ERR_INDEX, false);
    WITH(mote_hpack_decoder, decoder, state, MOTE_HPACK_FAILED, false);
    WITH(mote_hpack_decoder, decoder, state, MOTE_HPACK_FIELD_START, true);
    WITH(mote_hpack_decoder, decoder, scratch, NULL, false);
    WITH(mote_hpack_decoder, decoder, table.count, 1, false);
    WITH(mote_hpack_decoder, decoder, huffman.count, 30, false);
    WITH(mote_hpack_decoder, decoder, limit, 139, false);
    WITH(mote_hpack_decoder, decoder, limit, 140, true);
    mote_hpack_decoder_limit(&decoder, 100);
    WITH(mote_hpack_decoder, decoder, required, 100, true);
    WITH(mote_hpack_decoder, decoder, required, 101, false);
    decode_hex("80");
    CHECK(mote_hpack_decoder_valid(&decoder));
    decoder.state = (enum mote_hpack_state)(MOTE_HPACK_FAILED + 1);
    CHECK(!mote_hpack_decoder_valid(&decoder));
    mote_hpack_decoder_init(&decoder, NULL, 0, 0, NULL, 0);
    CHECK(mote_hpack_decoder_valid(&decoder));
}

/* Goes to a state by the bytes before it. */
static void go(const char *hex, enum mote_hpack_state state)
{
    start(4096);
    decode_hex(hex);
    uint8_t block[16];
    size_t used, len = unhex(hex, block);
    mote_hpack_field_view f;

    start(4096);
    CHECK_INT(mote_hpack_decode(&decoder, block, len, &used, &f), 0);
    CHECK_INT(decoder.state, state);
    CHECK(mote_hpack_decoder_valid(&decoder));
}

static void integers_and_lengths_are_within_their_limits(void)
{
    static const struct {
        const char *hex;
        enum mote_hpack_state state;
    } integers[] = {{"ff", MOTE_HPACK_INDEX},
                    {"3f", MOTE_HPACK_TABLE_SIZE},
                    {"1f", MOTE_HPACK_NAME_INDEX},
                    {"407f", MOTE_HPACK_NAME_LENGTH},
                    {"4001 617f", MOTE_HPACK_VALUE_LENGTH}};

    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        go(integers[i].hex, integers[i].state);
        WITH(mote_hpack_decoder, decoder, integer, 1 << 28, true);
        WITH(mote_hpack_decoder, decoder, integer, (1 << 28) + 1, false);
        WITH(mote_hpack_decoder, decoder, shift, 35, true);
        WITH(mote_hpack_decoder, decoder, shift, 36, false);
        WITH(mote_hpack_decoder, decoder, name_len, decoder.field_len + 1, i < 2);
    }
    go("40", MOTE_HPACK_NAME_START);
    WITH(mote_hpack_decoder, decoder, field_len, 1, false);
    go("4001 61", MOTE_HPACK_VALUE_START);
    WITH(mote_hpack_decoder, decoder, name_len, 0, false);
    WITH(mote_hpack_decoder, decoder, name_len, 2, false);
    go("4003 61", MOTE_HPACK_NAME);
    WITH(mote_hpack_decoder, decoder, integer, 0, false);
    WITH(mote_hpack_decoder, decoder, integer, 1 << 28, true);
    WITH(mote_hpack_decoder, decoder, integer, (1 << 28) + 1, false);
    go("4001 6103 62", MOTE_HPACK_VALUE);
    WITH(mote_hpack_decoder, decoder, integer, 0, false);
    WITH(mote_hpack_decoder, decoder, name_len, 2, true);
    WITH(mote_hpack_decoder, decoder, name_len, 3, false);
}

static const mote_hpack_field one = MOTE_HPACK_FIELD("a", "1"), two = MOTE_HPACK_FIELD("b", "22");
static mote_hpack_slot slots[3];
static mote_hpack_encoder encoder;
static uint8_t out[64];

/* Three slots, of which the first and the last are in use: 35 and 34 bytes. */
static void two_fields(void)
{
    mote_hpack_encoder_init(&encoder, slots, 3);
    mote_hpack_encode(&encoder, &one, out, sizeof out);
    mote_hpack_encode(&encoder, &one, out, sizeof out);
    mote_hpack_encode_value(&encoder, &one, "2", 1, out, sizeof out);
    mote_hpack_encode(&encoder, &two, out, sizeof out);
    mote_hpack_encoder_limit(&encoder, 69);
    mote_hpack_encode_start(&encoder, out, sizeof out);
}

static void an_encoder_knows_what_its_slots_add_up_to(void)
{
    two_fields();
    CHECK(encoder.newest == 0 && encoder.slot_count == 2 && encoder.size == 69);
    CHECK(mote_hpack_encoder_valid(&encoder));
    WITH(mote_hpack_encoder, encoder, slot_count, 1, false);
    WITH(mote_hpack_encoder, encoder, slot_count, 3, false);
    WITH(mote_hpack_encoder, encoder, slot_count, 4, false);
    WITH(mote_hpack_encoder, encoder, slot_cap, 1, false);
    WITH(mote_hpack_encoder, encoder, newest, 2, false);
    WITH(mote_hpack_encoder, encoder, newest, 3, false);
    WITH(mote_hpack_encoder, encoder, guess, 2, true);
    WITH(mote_hpack_encoder, encoder, guess, 3, false);
    WITH(mote_hpack_encoder, encoder, size, 68, false);
    WITH(mote_hpack_encoder, encoder, size, 70, false);
    WITH(mote_hpack_encoder, encoder, max, 68, false);
    WITH(mote_hpack_encoder, encoder, max, 70, false); /* without an update */
    WITH(mote_hpack_encoder, encoder, smallest, 68, false);
    encoder.update = true;
    WITH(mote_hpack_encoder, encoder, max, 4096, true);
    WITH(mote_hpack_encoder, encoder, max, 4097, false);
    WITH(mote_hpack_encoder, encoder, smallest, 70, false); /* above max */
    WITH(mote_hpack_encoder, encoder, smallest, 68, false); /* below size */
    mote_hpack_encoder_init(&encoder, NULL, 0);
    CHECK(mote_hpack_encoder_valid(&encoder));
    WITH(mote_hpack_encoder, encoder, newest, 1, false);
    WITH(mote_hpack_encoder, encoder, guess, 1, false);
}

/* ---- who checks it ------------------------------------------------------------------------- */

#if defined MOTE_CHECK && defined __unix__
static const mote_hpack_field beyond = MOTE_HPACK_STATIC(62), last = MOTE_HPACK_STATIC(61);
static mote_hpack_bits bits = {1, 0};
static uint16_t mark;
static mote_hpack_field_view view;
static size_t n;

static void with_a_bad_decoder(int which)
{
    start(100);
    decoder.table.count = 1;
    which == 0   ? mote_hpack_decoder_limit(&decoder, 50)
    : which == 1 ? (void)mote_hpack_decode(&decoder, out, 0, &n, &view)
                 : (void)mote_hpack_decoder_end(&decoder);
}
static void limit_of_a_bad_decoder(void)
{
    with_a_bad_decoder(0);
}
static void decode_with_a_bad_decoder(void)
{
    with_a_bad_decoder(1);
}
static void end_of_a_bad_decoder(void)
{
    with_a_bad_decoder(2);
}
static void table_too_large(void)
{
    mote_hpack_decoder_init(&decoder, table, 65505, 0, scratch, 1);
}
static void table_missing(void)
{
    mote_hpack_decoder_init(&decoder, NULL, 1, 0, scratch, 1);
}
static void bits_of_a_bad_kind(void)
{
    mote_hpack_huffman_decode(&bits, out, 0, &n, scratch, 0, &n);
}
static void end_of_bad_bits(void)
{
    mote_hpack_huffman_end(&bits);
}
static void static_index_0(void)
{
    mote_hpack_static(0, &view);
}
static void static_index_62(void)
{
    mote_hpack_static(62, &view);
}
static void bad_encoder(void)
{
    mote_hpack_encoder_init(&encoder, slots, 3);
    encoder.newest = 3;
}
static void limit_of_a_bad_encoder(void)
{
    bad_encoder();
    mote_hpack_encoder_limit(&encoder, 4096);
}
static void start_of_a_bad_encoder(void)
{
    bad_encoder();
    mote_hpack_encode_start(&encoder, out, sizeof out);
}
static void field_of_a_bad_encoder(void)
{
    bad_encoder();
    mote_hpack_encode(&encoder, &last, out, sizeof out);
}
static void value_of_a_bad_encoder(void)
{
    bad_encoder();
    mote_hpack_encode_value(&encoder, &last, "", 0, out, sizeof out);
}
static void literal_of_a_bad_encoder(void)
{
    bad_encoder();
    mote_hpack_encode_literal(&encoder, "via", 3, "", 0, 0, out, sizeof out);
}
static void mark_of_a_bad_encoder(void)
{
    bad_encoder();
    mark = mote_hpack_encode_mark(&encoder);
}
static void rewind_of_a_bad_encoder(void)
{
    bad_encoder();
    mote_hpack_encode_rewind(&encoder, mark);
}
static void slots_missing(void)
{
    mote_hpack_encoder_init(&encoder, NULL, 1);
}
static void too_many_slots(void)
{
    mote_hpack_encoder_init(&encoder, slots, 65536);
}
static void field_with_index_62(void)
{
    mote_hpack_encoder_init(&encoder, slots, 3);
    mote_hpack_encode(&encoder, &beyond, out, sizeof out);
}
static void value_with_index_62(void)
{
    mote_hpack_encoder_init(&encoder, slots, 3);
    mote_hpack_encode_value(&encoder, &beyond, "", 0, out, sizeof out);
}
static void what_is_right(void)
{
    mote_hpack_encoder_init(&encoder, slots, 65535);
    mote_hpack_encode(&encoder, &last, out, sizeof out);
    mote_hpack_encode_value(&encoder, &last, "", 0, out, sizeof out);
    mote_hpack_decoder_init(&decoder, table, 65504, 0, scratch, 1);
    mote_hpack_decoder_init(&decoder, NULL, 0, 0, NULL, 0);
    mote_hpack_static(1, &view);
    mote_hpack_static(61, &view);
}

static void wrong_use_ends_the_program(void)
{
    CHECK(!stops(what_is_right));
    CHECK(stops(limit_of_a_bad_decoder));
    CHECK(stops(decode_with_a_bad_decoder));
    CHECK(stops(end_of_a_bad_decoder));
    CHECK(stops(table_too_large));
    CHECK(stops(table_missing));
    CHECK(stops(bits_of_a_bad_kind));
    CHECK(stops(end_of_bad_bits));
    CHECK(stops(static_index_0));
    CHECK(stops(static_index_62));
    CHECK(stops(limit_of_a_bad_encoder));
    CHECK(stops(start_of_a_bad_encoder));
    CHECK(stops(field_of_a_bad_encoder));
    CHECK(stops(value_of_a_bad_encoder));
    CHECK(stops(literal_of_a_bad_encoder));
    CHECK(stops(mark_of_a_bad_encoder));
    CHECK(stops(rewind_of_a_bad_encoder));
    CHECK(stops(slots_missing));
    CHECK(stops(too_many_slots));
    CHECK(stops(field_with_index_62));
    CHECK(stops(value_with_index_62));
}
#endif

int main(void)
{
    RUN(bits_are_at_most_29_with_zeros_behind_them);
    RUN(a_table_is_what_its_entries_are);
    RUN(a_table_lies_within_its_memory);
    RUN(an_entry_keeps_all_or_its_name_or_nothing);
    RUN(a_decoder_is_in_one_of_its_states);
    RUN(integers_and_lengths_are_within_their_limits);
    RUN(an_encoder_knows_what_its_slots_add_up_to);
#if defined MOTE_CHECK && defined __unix__
    RUN(wrong_use_ends_the_program);
#endif
    return test_summary();
}
