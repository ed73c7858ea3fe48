/* HPACK: both dynamic tables: what enters, what leaves, and in which order; limits from both sides.
 */
#include "hpack_harness.h"

/* ---- table size updates (4.2, 6.3) --------------------------------------------------------- */

static void size_updates_come_first_in_a_block_only(void)
{
    start(4096);
    expect("20 3fe11f", ""); /* two of them, and nothing else */
    expect("20 82", ":method: GET\n");
    CHECK_INT(decode_hex("82 20"), MOTE_HPACK_ERR_TABLE_SIZE);
    start(4096);
    CHECK_INT(decode_hex("20 0001 6100 20"), MOTE_HPACK_ERR_TABLE_SIZE);
    start(4096);
    expect("82", ":method: GET\n");
    expect("3f00", "");
}

static void a_lower_limit_is_confirmed_or_undercut(void)
{
    static const struct {
        const char *hex;
        int error;
    } cases[] = {{"3f44", 0},
                 {"3f45", 0},
                 {"3f46", MOTE_HPACK_ERR_TABLE_SIZE},
                 {"20", 0},
                 {"20 3f45", 0},
                 {"3f45 82", 0},
                 {"82", MOTE_HPACK_ERR_UPDATE_MISSING},
                 {"", MOTE_HPACK_ERR_UPDATE_MISSING},
                 {"40", MOTE_HPACK_ERR_UPDATE_MISSING},
                 {"0001 6100", MOTE_HPACK_ERR_UPDATE_MISSING}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(4096);
        mote_hpack_decoder_limit(&decoder, 100);
        CHECK_INT(decode_hex(cases[i].hex), cases[i].error);
    }
    for (int more = -1; more <= 1;
         more++) { /* the least of several limits counts, until it is met */
        start(4096);
        mote_hpack_decoder_limit(&decoder, 101);
        mote_hpack_decoder_limit(&decoder, 100);
        mote_hpack_decoder_limit(&decoder, 4096);
        char hex[32];
        snprintf(hex, sizeof hex, "3f%02x", 100 - 31 + more);
        CHECK_INT(decode_hex(hex), more > 0 ? MOTE_HPACK_ERR_UPDATE_MISSING : 0);
        if (more <= 0)
            expect("3fe11f 82", ":method: GET\n");
    }
    start(100);
    mote_hpack_decoder_limit(&decoder, 100); /* what it is already needs no update */
    expect("82", ":method: GET\n");
    mote_hpack_decoder_limit(&decoder, 99);
    CHECK_INT(decode_hex("82"), MOTE_HPACK_ERR_UPDATE_MISSING);
}

/* ---- the decoder's table (4.1, 4.3, 4.4) --------------------------------------------------- */

static void an_entry_of_the_size_of_the_table_fits_and_no_larger_one(void)
{
    for (size_t size = 0; size <= 70; size++) {
        for (size_t len = 2; len <= 40; len++) {
            uint8_t block[64] = {0x40, 1, 'a', (uint8_t)(len - 1)};
            memset(block + 4, 'v', len - 1);
            start(size);
            CHECK_INT(decode_chunks(block, 3 + len, 1000), 0);
            CHECK_INT(strlen(text), 1 + 2 + len - 1 + 1);
            CHECK_INT(decoder.table.count, len + 32 <= size);
            CHECK_INT(decode_hex("be"), len + 32 <= size ? 0 : MOTE_HPACK_ERR_INDEX);
        }
    }
}

/* Entries of 34 bytes in every table: the newest are kept, in the order of their age. */
static void the_oldest_entries_are_evicted_first(void)
{
    for (size_t size = 34; size <= 250; size++) {
        start(size);
        for (int i = 0; i < 26; i++) {
            char hex[32];
            snprintf(hex, sizeof hex, "4001 61 01 %02x", 'A' + i);
            CHECK_INT(decode_hex(hex), 0);
            int kept = i + 1 < (int)(size / 34) ? i + 1 : (int)(size / 34);
            CHECK_INT(decoder.table.count, kept);
            CHECK_INT(decoder.table.size, 34 * kept);
            for (int age = 0; age < kept; age++) {
                char line[16];
                snprintf(hex, sizeof hex, "%02x", 0xbe + age);
                snprintf(line, sizeof line, "a: %c\n", 'A' + i - age);
                expect(hex, line);
            }
        }
        size_t kept = decoder.table.count;
        for (size_t max = size; max > 0; max--) { /* as size updates */
            char hex[32];
            snprintf(hex, sizeof hex,
                     max < 31    ? "%02zx"
                     : max < 159 ? "3f%02zx"
                                 : "3f%02zx01",
                     max < 31    ? 0x20 + max
                     : max < 159 ? max - 31
                                 : ((max - 31) & 127) + 128);
            CHECK_INT(decode_hex(hex), 0);
            CHECK_INT(decoder.table.max, max);
            CHECK_INT(decoder.table.count, max / 34 < kept ? max / 34 : kept);
        }
    }
}

/* A decoder with less memory than the peer may assume keeps the newest that fit. */
static void less_memory_than_the_limit_keeps_the_newest(void)
{
    mote_hpack_decoder_init(&decoder, table, 70, 4096, scratch, sizeof scratch);
    expect("4001 6101 31 4001 6101 32 4001 6101 33", "a: 1\na: 2\na: 3\n");
    expect("be bf", "a: 3\na: 2\n");
    CHECK_INT(decode_hex("c0"), MOTE_HPACK_ERR_INDEX);
}

/* Long and short fields by turns move the bytes about: what is known stays what it was. */
static void entries_keep_their_bytes_while_others_come_and_go(void)
{
    static char known[64][320];
    uint32_t seed = 7;
    size_t count = 0;

    for (size_t size = 100; size <= 700; size += 150) {
        start(size);
        count = 0;
        for (int i = 0; i < 400; i++) {
            uint8_t block[320] = {0x40, 1};
            size_t len = test_random(&seed) % (i % 3 ? 20 : 124);
            block[2] = (uint8_t)('a' + i % 26);
            block[3] = (uint8_t)len;
            for (size_t k = 0; k < len; k++)
                block[4 + k] = (uint8_t)('a' + test_random(&seed) % 26);
            CHECK_INT(decode_chunks(block, 4 + len, 1 + i % 9), 0);
            memmove(known[1], known[0], sizeof known - sizeof known[0]);
            strcpy(known[0], text);
            count = decoder.table.count;
            CHECK(count < 60);
            for (size_t age = 0; age < count; age++) {
                char hex[32];
                snprintf(hex, sizeof hex, "%02zx", 0xbe + age);
                expect(hex, known[age]);
            }
        }
    }
}

static void a_new_entry_has_a_memo_of_its_own(void)
{
    static const mote_hpack_memo none;
    mote_hpack_field_view f;
    uint8_t block[8];
    size_t used, len = unhex("4001 6101 62", block);

    start(40); /* one entry: the memory is used again */
    for (int i = 0; i < 3; i++) {
        CHECK_INT(mote_hpack_decode(&decoder, block, len, &used, &f), 1);
        CHECK(f.memo && memcmp(f.memo, &none, sizeof none) == 0);
        CHECK(f.flags == 0 && f.name_index == 0 && f.full_index == 0);
        memset(f.memo, 0xff, sizeof *f.memo);
    }
}

/* ---- a scratch that is too small ----------------------------------------------------------- */

static void a_field_as_long_as_the_scratch_fits_and_no_longer_one(void)
{
    static const char *const heads[] = {"40", "00", "10"};
    uint8_t block[128], code[64];

    for (size_t s = 0; s <= 24; s++) {
        for (size_t len = 0; len <= 40; len++) {
            for (int coded = 0; coded <= 1; coded++) {
                for (size_t h = 0; h < 3; h++) {
                    char value[64], line[80];
                    memset(value, '0', sizeof value);
                    size_t n = unhex(heads[h], block), size = len;
                    memcpy(code, value, len);
                    if (coded) {
                        size = mote_hpack_huffman_size(value, len);
                        mote_hpack_huffman_encode(value, len, code);
                    }
                    block[n++] = 1;
                    block[n++] = 'a';
                    block[n++] = (uint8_t)(size | (coded ? 0x80 : 0));
                    memcpy(block + n, code, size);
                    memset(scratch, '#', sizeof scratch);
                    mote_hpack_decoder_init(&decoder, table, 4096, 4096, scratch, s);
                    CHECK_INT(decode_chunks(block, n + size, 1 + len % 5), 0);
                    snprintf(line, sizeof line, "a: %.*s\n", (int)len, value);
                    CHECK(strcmp(text, 1 + len <= s ? line : "(too long)\n") == 0);
                    for (size_t i = s; i < s + 64; i++)
                        CHECK(scratch[i] == '#');
                    if (h == 0)
                        expect("be", 1 + len <= s ? line : "(too long)\n");
                    if (h == 0) /* its name is known if that alone fits */
                        expect("7e00", s > 0 ? "a: \n" : "(too long)\n");
                }
            }
        }
    }
}

static void what_is_too_long_keeps_its_index_and_flags(void)
{
    mote_hpack_field_view f;
    uint8_t block[32];
    size_t used, len = unhex("1f10 04 61626364", block);

    mote_hpack_decoder_init(&decoder, NULL, 0, 0, scratch, 15);
    CHECK_INT(mote_hpack_decode(&decoder, block, len, &used, &f), 1); /* 31: content-type */
    CHECK_INT(f.flags, MOTE_HPACK_NEVER_INDEX | MOTE_HPACK_TOO_LONG);
    CHECK(f.name_index == 31 && f.full_index == 0 && f.name_len == 0 && f.value_len == 0);
    mote_hpack_decoder_init(&decoder, NULL, 0, 0, scratch, 16);
    CHECK_INT(mote_hpack_decode(&decoder, block, len, &used, &f), 1);
    CHECK_INT(f.flags, MOTE_HPACK_NEVER_INDEX);
    CHECK(f.name_index == 31 && f.name_len == 12 && f.value_len == 4);
}

/* A decoder that has no table says of every block what one with a table of size 0 says. */
static void without_a_table_all_is_as_with_one_of_size_0(void)
{
    static const struct {
        const char *block;
        int r; /* of both */
        const char *fields;
    } cases[] = {
        {"82", 0, ":method: GET\n"},
        {"40 01 61 01 62 87", 0, "a: b\n:scheme: https\n"},
        {"5f 01 62", 0, "content-type: b\n"},
        {"20 82", 0, ":method: GET\n"},
        {"21", MOTE_HPACK_ERR_TABLE_SIZE, ""},
        {"40 01 61 01 62 be", MOTE_HPACK_ERR_INDEX, "a: b\n"},
        {"ff 00", MOTE_HPACK_ERR_INDEX, ""},
        {"7e 01 62", MOTE_HPACK_ERR_INDEX, ""},
        {"0f 2f 01 62", MOTE_HPACK_ERR_INDEX, ""},
    };
    char expected[256];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(0);
        CHECK_INT(decode_hex(cases[i].block), cases[i].r);
        strcpy(expected, text);
        mote_hpack_decoder_init_bare(&decoder, 0, scratch, sizeof scratch);
        CHECK_INT(decode_hex(cases[i].block), cases[i].r);
        CHECK(strcmp(text, cases[i].fields) == 0);
        CHECK(strcmp(expected, cases[i].fields) == 0);
        CHECK(mote_hpack_decoder_valid(&decoder) && !decoder.dynamic);
    }
    decoder.table.memory = 1; /* memory of a table that is not there */
    CHECK(!mote_hpack_decoder_valid(&decoder));
}

/* ---- encoder ------------------------------------------------------------------------------- */

/* A field as large as the table is indexed, a larger one is not. */
static void the_encoder_indexes_what_the_table_can_hold(void)
{
    static const mote_hpack_field field = MOTE_HPACK_FIELD("x-name", "1234"); /* 42 bytes */

    for (uint32_t max = 0; max <= 50; max++) {
        mote_hpack_slot slots[2];
        mote_hpack_encoder e;
        uint8_t out[32];
        mote_hpack_encoder_init(&e, slots, 2);
        mote_hpack_encoder_limit(&e, max);
        CHECK(mote_hpack_encode_start(&e, out, sizeof out) > 0);
        CHECK(mote_hpack_encode(&e, &field, out, sizeof out) > 1);
        CHECK_INT(out[0], max < 42 ? 0x00 : 0x40);
        CHECK_INT(e.size, max < 42 ? 0 : 42);
        CHECK(mote_hpack_encode_value(&e, &field, "12345", 5, out, sizeof out) > 1);
        CHECK_INT(out[0], max < 43 ? 0x00 : 0x40);
        CHECK_INT(e.slot_count, max >= 42); /* one evicts the other */
    }
}

/* Two slots know the two newest entries; a hit does not make an entry newer. */
static void slots_are_used_in_turn(void)
{
    static const mote_hpack_field f[] = {MOTE_HPACK_FIELD("a", "0"), MOTE_HPACK_FIELD("a", "1"),
                                         MOTE_HPACK_FIELD("a", "2")};
    static const int order[] = {0, 1, 0, 1, 2, 0, 1, 1, 0, 2, 0};
    static const int expected[] = {0x40, 0x40, 0xbf, 0xbe, 0x40, 0x40,
                                   0x40, 0xbe, 0xbf, 0x40, 0x40};
    mote_hpack_slot slots[2];
    mote_hpack_encoder e;
    uint8_t out[16];

    mote_hpack_encoder_init(&e, slots, 2);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        CHECK_INT(mote_hpack_encode(&e, &f[order[i]], out, sizeof out),
                  expected[i] == 0x40 ? 5 : 1);
        CHECK_INT(out[0], expected[i]);
    }
}

/* Whatever it is set to, an encoder without a coder has no Huffman code. */
static void without_a_coder_strings_go_as_they_are(void)
{
    for (int huffman = 0; huffman < 3; huffman++) {
        mote_hpack_encoder e;
        uint8_t out[64];
        mote_hpack_encoder_init_bare(&e, NULL, 0);
        e.huffman = (enum mote_hpack_huffman)huffman;
        CHECK_INT(mote_hpack_encode_literal(&e, "x-a", 3, "aaaa", 4, 0, out, sizeof out), 10);
        CHECK(memcmp(out, "\0\3x-a\4aaaa", 10) == 0);
        CHECK_INT(mote_hpack_encode_literal(&e, "x-a", 3, "aaaa", 4, 0, out, 9),
                  MOTE_HPACK_ERR_SPACE);
    }
}

/* RFC 7541 4.2: a limit that falls and rises while a block is written and taken back is said. */
static void a_limit_that_changes_in_a_block_is_said_after_it_was_taken_back(void)
{
    static const mote_hpack_field f = MOTE_HPACK_FIELD("x-name", "1234");
    mote_hpack_slot slots[4];
    mote_hpack_encoder e;
    uint8_t out[64];

    mote_hpack_encoder_init(&e, slots, 4);
    CHECK(mote_hpack_encode(&e, &f, out, sizeof out) > 1);
    uint16_t mark = mote_hpack_encode_mark(&e);
    mote_hpack_encoder_limit(&e, 10);
    mote_hpack_encoder_limit(&e, 4096);
    mote_hpack_encode_rewind(&e, mark);
    CHECK_INT(mote_hpack_encode_start(&e, out, sizeof out), 4);
    CHECK(memcmp(out, "\x2a\x3f\xe1\x1f", 4) == 0);
    CHECK(mote_hpack_encode(&e, &f, out, sizeof out) > 1); /* the peer has lost it */
    mote_hpack_encoder_limit(&e, 100);
    mark = mote_hpack_encode_mark(&e);
    CHECK_INT(mote_hpack_encode_start(&e, out, sizeof out), 2);
    mote_hpack_encode_rewind(&e, mark);
    CHECK_INT(mote_hpack_encode_start(&e, out, sizeof out),
              3); /* once more, behind an empty table */
    CHECK(memcmp(out, "\x20\x3f\x45", 3) == 0);
    CHECK_INT(mote_hpack_encode_start(&e, out, sizeof out), 0);
}

/* Blocks of random fields, some of them taken back, under limits that change: what is sent decodes
 * to what was encoded, whatever the number of slots. */
static void what_is_sent_is_what_arrives(void)
{
    static const mote_hpack_field f[] = {MOTE_HPACK_FIELD("a", "0"),
                                         MOTE_HPACK_FIELD("a", "1"),
                                         MOTE_HPACK_FIELD("bb", "0123456789"),
                                         MOTE_HPACK_FIELD("ccc", ""),
                                         MOTE_HPACK_FIELD(":path", "/x"),
                                         MOTE_HPACK_FIELD(":path", "/"),
                                         MOTE_HPACK_STATIC(31),
                                         {"n", "v", 1, 1, 0, MOTE_HPACK_NEVER_INDEX}};
    static const char *const lines[] = {"a: 0\n",      "a: 1\n",     "bb: 0123456789\n", "ccc: \n",
                                        ":path: /x\n", ":path: /\n", "content-type: \n", "n: v\n"};
    uint32_t seed = 3;

    for (size_t slot_count = 0; slot_count <= 6; slot_count++) {
        mote_hpack_slot slots[6];
        mote_hpack_encoder e;
        mote_hpack_encoder_init(&e, slots, slot_count);
        start(4096);
        for (int i = 0; i < 3000; i++) {
            uint8_t out[1024];
            char expected[1024] = "";
            if (test_random(&seed) % 8 == 0) {
                uint32_t limit = test_random(&seed) % 160;
                mote_hpack_encoder_limit(&e, limit);
                mote_hpack_decoder_limit(&decoder, limit);
            }
            uint16_t mark = mote_hpack_encode_mark(&e);
            e.huffman = (enum mote_hpack_huffman)(test_random(&seed) % 3);
            int n = mote_hpack_encode_start(&e, out, sizeof out);
            for (uint32_t k = test_random(&seed) % 9; k > 0; k--) {
                uint32_t which = test_random(&seed) % 16;
                if (which < 8) {
                    n += mote_hpack_encode(&e, &f[which], out + n, sizeof out - (size_t)n);
                    strcat(expected, lines[which]);
                } else if (which < 12) {
                    n += mote_hpack_encode_value(&e, &f[which - 8], "w", 1, out + n,
                                                 sizeof out - (size_t)n);
                    strncat(expected, lines[which - 8], f[which - 8].name_len);
                    strcat(expected, ": w\n");
                } else {
                    n += mote_hpack_encode_literal(&e, "a", 1, "0", 1, 0, out + n,
                                                   sizeof out - (size_t)n);
                    strcat(expected, "a: 0\n");
                }
            }
            CHECK(mote_hpack_encoder_valid(&e));
            if (test_random(&seed) % 4 == 0) {
                mote_hpack_encode_rewind(&e, mark);
                CHECK(mote_hpack_encoder_valid(&e));
                continue;
            }
            CHECK_INT(decode_chunks(out, (size_t)n, 1 + (size_t)i % 7), 0);
            CHECK(strcmp(text, expected) == 0);
        }
    }
}

int main(void)
{
    RUN(the_encoder_indexes_what_the_table_can_hold);
    RUN(slots_are_used_in_turn);
    RUN(without_a_coder_strings_go_as_they_are);
    RUN(a_limit_that_changes_in_a_block_is_said_after_it_was_taken_back);
    RUN(what_is_sent_is_what_arrives);
    for (int i = 0; i < 2; i++) {
        moves = i == 1;
        RUN(size_updates_come_first_in_a_block_only);
        RUN(a_lower_limit_is_confirmed_or_undercut);
        RUN(an_entry_of_the_size_of_the_table_fits_and_no_larger_one);
        RUN(the_oldest_entries_are_evicted_first);
        RUN(less_memory_than_the_limit_keeps_the_newest);
        RUN(entries_keep_their_bytes_while_others_come_and_go);
        RUN(a_new_entry_has_a_memo_of_its_own);
        RUN(a_field_as_long_as_the_scratch_fits_and_no_longer_one);
        RUN(what_is_too_long_keeps_its_index_and_flags);
        RUN(without_a_table_all_is_as_with_one_of_size_0);
    }
    return test_summary();
}
