/* HPACK: the examples of RFC 7541 Appendix C, limits, and agreement between pieces and whole. */
#include "hpack_harness.h"

static void version_is_said_in_three_ways(void)
{
    char numbers[40];
    snprintf(numbers, sizeof numbers, "%d.%d.%d", MOTE_VERSION_MAJOR, MOTE_VERSION_MINOR,
             MOTE_VERSION_PATCH);
    CHECK(strcmp(mote_version(), numbers) == 0);
    CHECK(strcmp(MOTE_VERSION, numbers) == 0);
    CHECK_INT(MOTE_VERSION_NUMBER / 10000, MOTE_VERSION_MAJOR);
    CHECK_INT(MOTE_VERSION_NUMBER / 100 % 100, MOTE_VERSION_MINOR);
    CHECK_INT(MOTE_VERSION_NUMBER % 100, MOTE_VERSION_PATCH);
}

/* ---- RFC 7541 Appendix C ------------------------------------------------------------------- */

static void literals_of_c2(void)
{
    start(4096);
    expect("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
           "custom-key: custom-header\n");
    expect("040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path\n");
    expect("1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret\n");
    expect("82", ":method: GET\n");
}

static void requests_without_huffman_of_c3(void)
{
    start(4096);
    expect("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
           ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n");
    expect("8286 84be 5808 6e6f 2d63 6163 6865",
           ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"
           "cache-control: no-cache\n");
    expect("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
           ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\n"
           "custom-key: custom-value\n");
}

static void requests_with_huffman_of_c4(void)
{
    start(4096);
    expect("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
           ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n");
    expect("8286 84be 5886 a8eb 1064 9cbf",
           ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"
           "cache-control: no-cache\n");
}

static const char *const c6_blocks[] = {
    "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e "
    "919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
    "4883 640e ffc1 c0bf",
    "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 "
    "821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed "
    "4ee5 b106 3d50 07"};

static const char *const c6_fields[] = {
    ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
    "location: https://www.example.com\n",
    ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
    "location: https://www.example.com\n",
    ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n"
    "location: https://www.example.com\ncontent-encoding: gzip\n"
    "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n"};

static void responses_with_eviction_of_c6_at_every_chunk_size(void)
{
    uint8_t block[256];

    for (size_t chunk = 1; chunk < 100; chunk++) {
        start(256);
        for (int i = 0; i < 3; i++) {
            size_t len = unhex(c6_blocks[i], block);
            CHECK_INT(decode_chunks(block, len, chunk), 0);
            CHECK(strcmp(text, c6_fields[i]) == 0);
        }
    }
}

/* ---- errors -------------------------------------------------------------------------------- */

static void every_error_has_a_text_of_its_own(void)
{
    static const struct {
        int code;
        const char *text;
    } errors[] = {
#define CODE(name, code, text) {name, text},
        MOTE_HPACK_ERRORS(CODE)
#undef CODE
    };

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        CHECK(errors[i].code <= -100 && errors[i].code > -200);
        CHECK(strncmp(errors[i].text, "hpack: ", 7) == 0);
        CHECK_TEXT(strcmp(mote_hpack_strerror(errors[i].code), errors[i].text) == 0);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(errors[i].text, errors[k].text) != 0);
    }
    CHECK_TEXT(strcmp(mote_hpack_strerror(0), "no error") == 0);
    CHECK_TEXT(strcmp(mote_hpack_strerror(-1), "unknown error") == 0);
}

static void invalid_blocks_are_refused(void)
{
    static const struct {
        const char *hex;
        int error;
    } cases[] = {
        {"80", MOTE_HPACK_ERR_INDEX},                        /* index 0 (6.1) */
        {"be", MOTE_HPACK_ERR_INDEX},                        /* dynamic, but empty (2.3.3) */
        {"7f00 0161", MOTE_HPACK_ERR_INDEX},                 /* name index 63 */
        {"ff ff ff ff ff 0f", MOTE_HPACK_ERR_INTEGER},       /* too large (5.1) */
        {"ff 80 80 80 80 80 80 00", MOTE_HPACK_ERR_INTEGER}, /* padded beyond 6 bytes */
        {"3f e2 1f", MOTE_HPACK_ERR_TABLE_SIZE},             /* update above the limit (6.3) */
        {"82 20", MOTE_HPACK_ERR_TABLE_SIZE},                /* update not at the start (4.2) */
        {"00 81 fe 00", MOTE_HPACK_ERR_HUFFMAN},             /* padding is no prefix of EOS (5.2) */
        {"00 82 1f ff 00", MOTE_HPACK_ERR_HUFFMAN},          /* padding longer than 7 bits */
        {"00 84 ff ff ff ff 00", MOTE_HPACK_ERR_HUFFMAN},    /* EOS in a string */
        {"00 05 61", MOTE_HPACK_ERR_TRUNCATED},              /* ends inside of a string */
        {"40", MOTE_HPACK_ERR_TRUNCATED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(4096);
        CHECK_INT(decode_hex(cases[i].hex), cases[i].error);
        CHECK_INT(decode_hex("82"), cases[i].error); /* sticky */
    }
}

static void a_padded_integer_within_the_limit_is_accepted(void)
{
    start(4096);
    expect("1f 80 80 00 0161", "accept-charset: a\n"); /* 15 + 0 + 0 + 0 */
}

static void a_smaller_limit_must_be_confirmed_first(void)
{
    start(4096);
    CHECK_INT(decode_hex("8286"), 0);
    mote_hpack_decoder_limit(&decoder, 100);
    CHECK_INT(decode_hex("82"), MOTE_HPACK_ERR_UPDATE_MISSING);
    start(4096);
    mote_hpack_decoder_limit(&decoder, 100);
    CHECK_INT(decode_hex("3f46 82"), MOTE_HPACK_ERR_TABLE_SIZE); /* 101 */
    start(4096);
    mote_hpack_decoder_limit(&decoder, 100);
    mote_hpack_decoder_limit(&decoder, 200);
    CHECK_INT(decode_hex("3fa901 82"), MOTE_HPACK_ERR_UPDATE_MISSING); /* 200, not the least */
    start(4096);
    mote_hpack_decoder_limit(&decoder, 100);
    mote_hpack_decoder_limit(&decoder, 200);
    CHECK_INT(decode_hex("3f45 3fa901 82"), 0); /* 100, then 200 */
}

static void a_size_update_evicts(void)
{
    start(4096);
    expect("4001 6101 62", "a: b\n");
    expect("be", "a: b\n");
    expect("20 82", ":method: GET\n");
    CHECK_INT(decode_hex("be"), MOTE_HPACK_ERR_INDEX);
}

/* ---- table --------------------------------------------------------------------------------- */

static void an_entry_larger_than_the_table_empties_it(void)
{
    uint8_t block[300];
    size_t len;

    start(64);
    expect("4001 6101 62", "a: b\n");
    len = unhex("4001 637f", block);
    block[len++] = 0x01; /* 128 bytes of value */
    memset(block + len, 'x', 128);
    CHECK_INT(decode_chunks(block, len + 128, 1), 0);
    CHECK(strncmp(text, "c: xxxx", 7) == 0 && strlen(text) == 3 + 128 + 1); /* but it is reported */
    CHECK_INT(decode_hex("be"), MOTE_HPACK_ERR_INDEX);
}

static void without_a_table_every_field_is_still_reported(void)
{
    for (size_t table_size = 0; table_size < 200; table_size += 11) {
        for (size_t chunk = 1; chunk < 100; chunk++) {
            uint8_t block[256];
            start(table_size);
            size_t len = unhex(c6_blocks[0], block);
            CHECK_INT(decode_chunks(block, len, chunk), 0);
            CHECK(strcmp(text, c6_fields[0]) == 0);
            len = unhex("4014 6162 6364 6566 6768 696a 6b6c 6d6e 6f70 7172 7374 0131", block);
            CHECK_INT(decode_chunks(block, len, chunk), 0);
            CHECK(strcmp(text, "abcdefghijklmnopqrst: 1\n") == 0);
        }
    }
}

static void a_field_longer_than_the_scratch_keeps_the_table_in_step(void)
{
    uint8_t block[300];
    size_t len = unhex("4001 617f 49", block); /* 200 bytes of value, indexed */

    mote_hpack_decoder_init(&decoder, table, 4096, 4096, scratch, 64);
    memset(block + len, 'x', 200);
    CHECK_INT(decode_chunks(block, len + 200, 7), 0);
    CHECK(strcmp(text, "(too long)\n") == 0);
    expect("4001 6301 64 bf be", "c: d\n(too long)\nc: d\n");
}

/* RFC 7541 4.4: a new entry may refer to the name of the entry that it evicts. */
static void a_name_survives_the_eviction_of_its_entry(void)
{
    for (size_t chunk = 1; chunk < 60; chunk++) {
        uint8_t block[128];
        size_t len = unhex("4014 6162 6364 6566 6768 696a 6b6c 6d6e 6f70 7172 7374 0131", block);
        start(64); /* holds one such entry */
        CHECK_INT(decode_chunks(block, len, chunk), 0);
        for (int i = 0; i < 20; i++) {
            len = unhex("7e04 3132 3334", block);
            CHECK_INT(decode_chunks(block, len, chunk), 0);
            CHECK(strcmp(text, "abcdefghijklmnopqrst: 1234\n") == 0);
        }
    }
}

static void a_memo_lives_as_long_as_its_entry(void)
{
    mote_hpack_field_view f;
    uint8_t block[16];
    size_t used, len = unhex("4001 6101 62 be", block);

    start(4096);
    CHECK_INT(mote_hpack_decode(&decoder, block, len, &used, &f), 1);
    CHECK(f.memo && f.memo->app == 0);
    f.memo->app = 7;
    CHECK_INT(mote_hpack_decode(&decoder, block + used, len - used, &used, &f), 1);
    CHECK(f.memo && f.memo->app == 7);
}

/* ---- Huffman ------------------------------------------------------------------------------- */

static void huffman_round_trip(const char *in, size_t len)
{
    static uint8_t code[2048];
    static char out[600];
    size_t size = mote_hpack_huffman_size(in, len), used, made;
    mote_hpack_bits bits = {0};

    mote_hpack_huffman_encode(in, len, code);
    CHECK_INT(mote_hpack_huffman_decode(&bits, code, size, &used, out, sizeof out, &made), 0);
    CHECK_INT(mote_hpack_huffman_end(&bits), 0);
    CHECK_INT(made, len);
    CHECK(memcmp(in, out, len) == 0);
}

static void every_symbol_survives_huffman(void)
{
    char in[512];
    uint32_t seed = 1;

    for (int c = 0; c < 256; c++) {
        in[0] = (char)c;
        huffman_round_trip(in, 1);
        in[1] = 'a';
        in[2] = (char)c;
        huffman_round_trip(in, 3);
    }
    for (int i = 0; i < 2000; i++) {
        size_t len = test_random(&seed) % sizeof in;
        for (size_t j = 0; j < len; j++)
            in[j] = (char)test_random(&seed);
        huffman_round_trip(in, len);
    }
}

static void huffman_output_may_be_taken_byte_by_byte(void)
{
    const char in[] = "a rather \xff\xfe common \x01 string";
    uint8_t code[256];
    size_t size = mote_hpack_huffman_size(in, sizeof in), at = 0, used, made, n = 0;
    mote_hpack_bits bits = {0};
    char out[sizeof in];

    mote_hpack_huffman_encode(in, sizeof in, code);
    do {
        CHECK_INT(mote_hpack_huffman_decode(&bits, code + at, size - at, &used, out + n, 1, &made),
                  0);
        at += used;
        n += made;
    } while (made > 0 && n < sizeof in);
    CHECK_INT(n, sizeof in);
    CHECK(memcmp(in, out, n) == 0);
}

int main(void)
{
    RUN(version_is_said_in_three_ways);
    RUN(every_error_has_a_text_of_its_own);
    RUN(literals_of_c2);
    RUN(requests_without_huffman_of_c3);
    RUN(requests_with_huffman_of_c4);
    RUN(responses_with_eviction_of_c6_at_every_chunk_size);
    RUN(invalid_blocks_are_refused);
    RUN(a_padded_integer_within_the_limit_is_accepted);
    RUN(a_smaller_limit_must_be_confirmed_first);
    RUN(a_size_update_evicts);
    RUN(an_entry_larger_than_the_table_empties_it);
    RUN(without_a_table_every_field_is_still_reported);
    RUN(a_field_longer_than_the_scratch_keeps_the_table_in_step);
    RUN(a_name_survives_the_eviction_of_its_entry);
    RUN(a_memo_lives_as_long_as_its_entry);
    RUN(every_symbol_survives_huffman);
    RUN(huffman_output_may_be_taken_byte_by_byte);
    return test_summary();
}
