/* HPACK: every constant of RFC 7541, and the limits of integers and strings from both sides. */
#include "hpack_harness.h"

/* ---- static table (Appendix A) ------------------------------------------------------------- */

static void the_static_table_is_that_of_appendix_a(void)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        {":authority", ""},
        {":method", "GET"},
        {":method", "POST"},
        {":path", "/"},
        {":path", "/index.html"},
        {":scheme", "http"},
        {":scheme", "https"},
        {":status", "200"},
        {":status", "204"},
        {":status", "206"},
        {":status", "304"},
        {":status", "400"},
        {":status", "404"},
        {":status", "500"},
        {"accept-charset", ""},
        {"accept-encoding", "gzip, deflate"},
        {"accept-language", ""},
        {"accept-ranges", ""},
        {"accept", ""},
        {"access-control-allow-origin", ""},
        {"age", ""},
        {"allow", ""},
        {"authorization", ""},
        {"cache-control", ""},
        {"content-disposition", ""},
        {"content-encoding", ""},
        {"content-language", ""},
        {"content-length", ""},
        {"content-location", ""},
        {"content-range", ""},
        {"content-type", ""},
        {"cookie", ""},
        {"date", ""},
        {"etag", ""},
        {"expect", ""},
        {"expires", ""},
        {"from", ""},
        {"host", ""},
        {"if-match", ""},
        {"if-modified-since", ""},
        {"if-none-match", ""},
        {"if-range", ""},
        {"if-unmodified-since", ""},
        {"last-modified", ""},
        {"link", ""},
        {"location", ""},
        {"max-forwards", ""},
        {"proxy-authenticate", ""},
        {"proxy-authorization", ""},
        {"range", ""},
        {"referer", ""},
        {"refresh", ""},
        {"retry-after", ""},
        {"server", ""},
        {"set-cookie", ""},
        {"strict-transport-security", ""},
        {"transfer-encoding", ""},
        {"user-agent", ""},
        {"vary", ""},
        {"via", ""},
        {"www-authenticate", ""},
    };

    CHECK_INT(sizeof rows / sizeof rows[0], 61);
    for (unsigned i = 1; i <= 61; i++) {
        const char *name = rows[i - 1].name, *value = rows[i - 1].value;
        mote_hpack_field_view f;
        unsigned full, first = i;
        memset(&f, 0xaa, sizeof f);
        mote_hpack_static(i, &f);
        CHECK(f.name_len == strlen(name) && memcmp(f.name, name, f.name_len) == 0);
        CHECK(f.value_len == strlen(value) && memcmp(f.value, value, f.value_len) == 0);
        CHECK(f.memo == NULL && f.flags == 0 && f.name_index == i && f.full_index == i);
        while (first > 1 && strcmp(rows[first - 2].name, name) == 0)
            first--;
        CHECK_INT(mote_hpack_static_find(name, strlen(name), value, strlen(value), &full), first);
        CHECK_INT(full, i);
        CHECK_INT(mote_hpack_static_find(name, strlen(name), value, strlen(value), NULL), first);
        CHECK_INT(mote_hpack_static_find(name, strlen(name), "x", 1, &full), first);
        CHECK_INT(full, 0);
        CHECK_INT(mote_hpack_static_find(name, strlen(name) - 1, value, strlen(value), &full), 0);
        CHECK_INT(full, 0);
    }
}

static void the_last_static_and_the_first_dynamic_index_are_neighbours(void)
{
    start(4096);
    expect("bd", "www-authenticate: \n"); /* 61 */
    CHECK_INT(decode_hex("be"), MOTE_HPACK_ERR_INDEX);
    start(4096);
    expect("4001 6101 62 be", "a: b\na: b\n"); /* 62 */
    CHECK_INT(decode_hex("bf"), MOTE_HPACK_ERR_INDEX);
    start(4096);
    expect("7d01 62 be 7e01 63", /* as names */
           "www-authenticate: b\nwww-authenticate: b\nwww-authenticate: c\n");
    CHECK_INT(decode_hex("7f01 00"), MOTE_HPACK_ERR_INDEX); /* 64, of two entries */
}

/* ---- Huffman code (Appendix B) ------------------------------------------------------------- */

static void the_huffman_code_is_that_of_appendix_b(void)
{
    static const char hex[] =
        "ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabff"
        "ffffdfffffebfffffecfffffedfffffeefffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffff"
        "d7fffffdbfffffdffffffe3fffffe7fffffebfffffed4fe3f9ffaffcabf1febfafefe7fdfd2cbb00089969b7"
        "1d79fb9f7fff20ffbff3ff50ddbd7f061c58f265cd9f469d5af66dddbf871e5f9cff7ff7fffc3ff9ffe45fff"
        "4719242cb34e6e9d68a6a3d7dac426defe3cfaf7fffbfe7ffbffdffffffcfffe6ffff4bfff9ffffa3fffd3ff"
        "ff53fffd5ffffb3fffeb7fffdaffffb7ffff73fffeeffffdeffffebffffbfffffd9ffffdbfffebffffe0ffff"
        "eeffffc3ffff8bffff1ffffe4fffee7fffb1ffff97fffd9ffffcdffff9fffffbffffdafffeeffff4ffffb7ff"
        "fee7fffe8ffffd3fffdeffffd5fffeeffffbdffffe1fffdfffff7fffff5ffffecffff07fff87fffe0ffff17f"
        "ffedffff87ffff77fffeffffeaffff8bfffe3ffff93ffff87fffcbffff37ffff1fffff83ffffe1fffebfffe3"
        "ffff3fffff2ffffa3ffffd9fffff17ffffc7fffff27ffffdefffffbffffff2fffff8fffffb7fff97fff8ffff"
        "fe6fffffc1fffff87ffffe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9fffff97f"
        "ffb3ffffcffffb7fffcdffff4ffff9ffffd1ffffcffffeaffffafffffddffffeffffff4fffff5fffffabffff"
        "a7ffffd7fffff9bffffecfffffb7fffff3fffffe8fffffd3fffffabfffff5fffffff7ffffecfffffdbfffffb"
        "bfffff7ffffff0fffffbbf";
    uint8_t expected[700], code[700];
    char all[256], out[257];
    size_t used, made, size = unhex(hex, expected);
    mote_hpack_bits bits = {0};

    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    CHECK_INT(mote_hpack_huffman_size(all, 256), size);
    memset(code, 0xaa, sizeof code);
    mote_hpack_huffman_encode(all, 256, code);
    CHECK(memcmp(code, expected, size) == 0 && code[size] == 0xaa);
    CHECK_INT(mote_hpack_huffman_decode(&bits, code, size, &used, out, 257, &made), 0);
    CHECK(used == size && made == 256 && memcmp(out, all, 256) == 0);
    CHECK_INT(mote_hpack_huffman_end(&bits), 0);
}

/* 0 to 7 ones are padding (5.2); 8 are not, nor is anything else. */
static void padding_is_less_than_a_byte_of_ones(void)
{
    static const char *const wrong[] = {"06", "05", "03", "f8ff", "07ff", "ff", "fffffffc"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char hex[64];
        start(0);
        snprintf(hex, sizeof hex, "00 01 61 %02zx %s", 0x80 + strlen(wrong[i]) / 2, wrong[i]);
        CHECK_INT(decode_hex(hex), MOTE_HPACK_ERR_HUFFMAN);
    }
    for (unsigned ones = 0; ones <= 8; ones++) {
        mote_hpack_bits bits = {ones ? UINT32_MAX << (32 - ones) : 0, (uint8_t)ones};
        CHECK_INT(mote_hpack_huffman_end(&bits), ones < 8 ? 0 : MOTE_HPACK_ERR_HUFFMAN);
        for (unsigned zero = 0; zero < ones; zero++) {
            mote_hpack_bits other = {bits.bits & ~(0x80000000u >> zero), bits.count};
            CHECK_INT(mote_hpack_huffman_end(&other), MOTE_HPACK_ERR_HUFFMAN);
        }
    }
}

/* Every split of the input and every room for the output give the same text and use the same bytes.
 */
static void huffman_stops_where_the_output_is_full(void)
{
    static const char in[] = "0\x16"
                             "a\xf9\n"
                             "w00 \x80\x01 zz";
    uint8_t code[64];
    size_t len = sizeof in - 1, size = mote_hpack_huffman_size(in, len), bits_before = 0;

    mote_hpack_huffman_encode(in, len, code);
    for (size_t room = 0; room <= len; room++) {
        mote_hpack_bits bits = {0};
        char out[64];
        size_t used = 99, made = 99;
        CHECK_INT(mote_hpack_huffman_decode(&bits, code, size, &used, out, room, &made), 0);
        CHECK(made == room && memcmp(out, in, room) == 0);
        if (room < len) { /* no byte is used before a symbol needs it */
            CHECK_INT(used, (bits_before + 7) / 8);
            CHECK_INT(bits.count, used * 8 - bits_before);
        }
        mote_hpack_bits rest = bits;
        size_t more;
        CHECK_INT(mote_hpack_huffman_decode(&rest, code + used, size - used, &more, out + room,
                                            sizeof out - room, &made),
                  0);
        CHECK(more == size - used && room + made == len && memcmp(out, in, len) == 0);
        CHECK_INT(mote_hpack_huffman_end(&rest), 0);
        if (room < len) {
            char eight[8];
            memset(eight, in[room], 8);
            bits_before += mote_hpack_huffman_size(eight, 8);
        }
    }
}

static void eos_is_an_error_wherever_it_is(void)
{
    static const struct {
        const char *hex;
        size_t used;
    } cases[] = {{"fffffffc", 4}, {"07ffffffff", 5}, {"fffffffcffffffff", 4}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t code[16];
        size_t len = unhex(cases[i].hex, code), used, made;
        mote_hpack_bits bits = {0};
        char out[16];
        CHECK_INT(mote_hpack_huffman_decode(&bits, code, len, &used, out, sizeof out, &made),
                  MOTE_HPACK_ERR_HUFFMAN);
        CHECK_INT(used, cases[i].used);
        CHECK_INT(made, i == 1);
        CHECK(mote_hpack_bits_valid(&bits));
    }
}

/* ---- integers (5.1) ------------------------------------------------------------------------ */

/* The representation of a size update, as the encoder and the RFC have it. */
static void size_updates_at_each_length_of_the_integer(void)
{
    static const struct {
        uint32_t size;
        const char *hex;
    } cases[] = {{0, "20"},     {1, "21"},       {30, "3e"},      {31, "3f00"},    {32, "3f01"},
                 {158, "3f7f"}, {159, "3f8001"}, {160, "3f8101"}, {4095, "3fe01f"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t block[8], out[8];
        size_t len = unhex(cases[i].hex, block);
        mote_hpack_encoder e;
        for (size_t cap = 0; cap < sizeof out; cap++) {
            mote_hpack_encoder_init(&e, NULL, 0);
            mote_hpack_encoder_limit(&e, cases[i].size);
            memset(out, 0xaa, sizeof out);
            CHECK_INT(mote_hpack_encode_start(&e, out, cap),
                      cap < len ? MOTE_HPACK_ERR_SPACE : (int)len);
            CHECK(cap >= sizeof out || out[cap] == 0xaa);
            CHECK(cap < len || memcmp(out, block, len) == 0);
            CHECK_INT(mote_hpack_encode_start(&e, out, sizeof out), cap < len ? (int)len : 0);
        }
        start(4096);
        expect(cases[i].hex, "");
        CHECK_INT(decoder.table.max, cases[i].size);
        mote_hpack_decoder_init(&decoder, table, 4096, cases[i].size, scratch, sizeof scratch);
        CHECK_INT(decode_hex(cases[i].hex), 0); /* at the limit */
        if (cases[i].size > 0) {
            mote_hpack_decoder_init(&decoder, table, 4096, cases[i].size - 1, scratch, 10);
            CHECK_INT(decode_hex(cases[i].hex), MOTE_HPACK_ERR_TABLE_SIZE);
        }
    }
}

/* Lengths have a prefix of 7 bits, names one of 4 or 6; what is encoded is what the RFC says. */
static void strings_at_each_length_of_the_integer(void)
{
    static const struct {
        size_t len;
        const char *hex;
    } cases[] = {{0, "00"},         {1, "01"},          {126, "7e"},     {127, "7f00"},
                 {128, "7f01"},     {254, "7f7f"},      {255, "7f8001"}, {256, "7f8101"},
                 {16510, "7fff7f"}, {16511, "7f808001"}};
    static char value[17000];
    static uint8_t out[17000];

    memset(value, 'v', sizeof value);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t head[8];
        size_t n = unhex(cases[i].hex, head), len = cases[i].len, total = 1 + n + len;
        mote_hpack_encoder e;
        mote_hpack_field_view f;
        size_t used;
        mote_hpack_encoder_init(&e, NULL, 0);
        e.huffman = MOTE_HPACK_HUFFMAN_NEVER;
        for (int less = 2; less >= 0; less--) { /* name 1, :authority */
            memset(out, 0xaa, sizeof out);
            CHECK_INT(mote_hpack_encode_literal(&e, ":authority", 10, value, len, 1, out,
                                                total - (size_t)less),
                      less ? MOTE_HPACK_ERR_SPACE : (int)total);
            CHECK(out[total - (size_t)less] == 0xaa);
        }
        CHECK(out[0] == 0x11 && memcmp(out + 1, head, n) == 0);
        CHECK(memcmp(out + 1 + n, value, len) == 0);
        mote_hpack_decoder_init(&decoder, NULL, 0, 0, text, sizeof text);
        CHECK_INT(mote_hpack_decode(&decoder, out, total, &used, &f), 1);
        CHECK(used == total && f.value_len == len && memcmp(f.value, value, len) == 0);
        CHECK(f.name_len == 10 && memcmp(f.name, ":authority", 10) == 0 && f.name_index == 1);
        CHECK(f.flags == MOTE_HPACK_NEVER_INDEX && f.full_index == 0 && f.memo == NULL);
    }
}

static void indices_at_each_length_of_the_integer(void)
{
    start(4096);
    expect("0e 0161", ":status: a\n");          /* 14 */
    expect("0f00 0161", "accept-charset: a\n"); /* 15 */
    expect("0f01 0161", "accept-encoding: a\n");
    expect("1f2e 0161", "www-authenticate: a\n"); /* 61 */
    for (int i = 0; i < 66; i++) {                /* 127 entries are known by 62..127 */
        char hex[32];
        snprintf(hex, sizeof hex, "4001 61 01 %02x", 0x30 + i);
        CHECK_INT(decode_hex(hex), 0);
    }
    expect("fe", "a: 1\n");   /* 126: the second */
    expect("ff00", "a: 0\n"); /* 127: the first */
    expect("ff80 8080 00", "a: 0\n");
    CHECK_INT(decode_hex("ff01"), MOTE_HPACK_ERR_INDEX);
}

/* Integers up to 2^28 are read, and of at most 6 bytes; what they would be modulo 2^32 is not. */
static void an_integer_has_an_end(void)
{
    static const struct {
        const char *hex;
        int error;
    } cases[] = {
        {"1f f1ff ff7f 0161", MOTE_HPACK_ERR_INDEX},   /* 2^28 */
        {"1f f2ff ff7f 0161", MOTE_HPACK_ERR_INTEGER}, /* 2^28 + 1 */
        {"1f f1ff ffff 00", MOTE_HPACK_ERR_INDEX},     /* 2^28 in 6 bytes */
        {"1f f1ff ff7f", MOTE_HPACK_ERR_INDEX},
        {"1f f2ff ffff 0f", MOTE_HPACK_ERR_INTEGER},   /* 2^32 + 1 */
        {"1f f1ff ffff 0f", MOTE_HPACK_ERR_INTEGER},   /* 2^32 */
        {"1f 8080 8080 00", MOTE_HPACK_ERR_TRUNCATED}, /* 15, and no value */
        {"1f 8080 8080 8000", MOTE_HPACK_ERR_INTEGER}, /* a byte more */
        {"1f 8080 8080 01", MOTE_HPACK_ERR_INTEGER},   /* bit 28 */
        {"1f 8080 8080 10", MOTE_HPACK_ERR_INTEGER},   /* bit 32 */
        {"00 7f 81ff ff7f", MOTE_HPACK_ERR_TRUNCATED}, /* a name of 2^28 bytes */
        {"00 7f 82ff ff7f", MOTE_HPACK_ERR_INTEGER},
        {"01 7f 81ff ff7f", MOTE_HPACK_ERR_TRUNCATED}, /* a value of them */
        {"01 7f 82ff ff7f", MOTE_HPACK_ERR_INTEGER},
        {"ff 82ff ff7f", MOTE_HPACK_ERR_INTEGER},
        {"ff 81ff ff7f", MOTE_HPACK_ERR_INDEX},
        {"3f e1ff ff7f", MOTE_HPACK_ERR_TABLE_SIZE},
        {"3f e2ff ff7f", MOTE_HPACK_ERR_INTEGER},
        {"ff", MOTE_HPACK_ERR_TRUNCATED},
        {"ff80", MOTE_HPACK_ERR_TRUNCATED},
        {"3f", MOTE_HPACK_ERR_TRUNCATED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t block[32];
        size_t len = unhex(cases[i].hex, block);
        for (size_t chunk = 1; chunk <= len; chunk++) {
            start(4096);
            CHECK_INT(decode_chunks(block, len, chunk), cases[i].error);
            CHECK_INT(mote_hpack_decoder_end(&decoder), cases[i].error);
        }
    }
}

/* No room at all: bits that came before stay for the next call. */
static void huffman_code_waits_for_room(void)
{
    static const uint8_t code[] = {0xff, 0xff}; /* the first half of a symbol of 30 bits */
    mote_hpack_bits bits = {0}, before;
    size_t used, made;
    char text[8];

    CHECK_INT(mote_hpack_huffman_decode(&bits, code, sizeof code, &used, text, sizeof text, &made),
              0);
    CHECK_INT(used, 2);
    CHECK_INT(made, 0);
    before = bits;
    CHECK_INT(mote_hpack_huffman_decode(&bits, code, 0, &used, text, 0, &made), 0);
    CHECK_INT(used, 0);
    CHECK_INT(made, 0);
    CHECK(memcmp(&bits, &before, sizeof bits) == 0);
}

int main(void)
{
    RUN(the_static_table_is_that_of_appendix_a);
    RUN(the_last_static_and_the_first_dynamic_index_are_neighbours);
    RUN(the_huffman_code_is_that_of_appendix_b);
    RUN(padding_is_less_than_a_byte_of_ones);
    RUN(huffman_stops_where_the_output_is_full);
    RUN(eos_is_an_error_wherever_it_is);
    RUN(size_updates_at_each_length_of_the_integer);
    RUN(strings_at_each_length_of_the_integer);
    RUN(indices_at_each_length_of_the_integer);
    RUN(an_integer_has_an_end);
    RUN(huffman_code_waits_for_room);
    return test_summary();
}
