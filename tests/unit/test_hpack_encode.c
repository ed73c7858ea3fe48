/* HPACK, the encoder: what its table remembers, and what must never be indexed. */
#include "hpack_harness.h"

/* ---- encoder ------------------------------------------------------------------------------- */

static const mote_hpack_field request[] = {
    MOTE_HPACK_STATIC(3),
    MOTE_HPACK_STATIC(6),
    MOTE_HPACK_FIELD(":path", "/helloworld.Greeter/SayHello"),
    MOTE_HPACK_FIELD(":authority", "localhost:50051"),
    MOTE_HPACK_FIELD("te", "trailers"),
    MOTE_HPACK_FIELD("content-type", "application/grpc"),
    MOTE_HPACK_FIELD("user-agent", "grpc-c-mote/0.1"),
    MOTE_HPACK_FIELD("grpc-accept-encoding", "identity"),
};
enum { REQUEST = sizeof request / sizeof request[0] };

static int encode_request(mote_hpack_encoder *e, uint8_t *out, size_t cap)
{
    int n = mote_hpack_encode_start(e, out, cap);

    for (int i = 0; i < REQUEST && n >= 0; i++) {
        int m = mote_hpack_encode(e, &request[i], out + n, cap - (size_t)n);
        if (m < 0)
            return m;
        n += m;
    }
    return n;
}

static void a_repeated_request_takes_a_byte_for_each_field(void)
{
    mote_hpack_slot slots[16];
    mote_hpack_encoder e;
    uint8_t out[512];
    char first[sizeof text];

    start(4096);
    mote_hpack_encoder_init(&e, slots, 16);
    int n = encode_request(&e, out, sizeof out);
    CHECK(n > 60);
    CHECK_INT(decode_chunks(out, (size_t)n, 1000), 0);
    strcpy(first, text);
    for (int i = 0; i < 5; i++) {
        n = encode_request(&e, out, sizeof out);
        CHECK_INT(n, 8);
        CHECK_INT(decode_chunks(out, (size_t)n, 1000), 0);
        CHECK(strcmp(text, first) == 0);
    }
}

/* Few slots, small tables and changing limits: whatever is encoded must decode. */
static void every_table_size_and_slot_count_stays_in_step(void)
{
    static const uint32_t sizes[] = {4096, 0, 100, 60, 4096, 300, 1};
    uint8_t out[1024];

    for (size_t slot_count = 0; slot_count <= 9; slot_count++) {
        mote_hpack_slot slots[9];
        mote_hpack_encoder e;
        start(4096);
        mote_hpack_encoder_init(&e, slots, slot_count);
        e.huffman = (uint8_t)(slot_count % 3);
        for (size_t i = 0; i < 50; i++) {
            if (i % 5 == 4) {
                mote_hpack_encoder_limit(&e, sizes[i / 5 % 7]);
                mote_hpack_decoder_limit(&decoder, sizes[i / 5 % 7]);
            }
            int n = encode_request(&e, out, sizeof out);
            CHECK(n > 0);
            n += mote_hpack_encode_value(&e, &request[4], "x", 1, out + n, sizeof out - (size_t)n);
            CHECK_INT(decode_chunks(out, (size_t)n, 3), 0);
            CHECK(strstr(text, "te: trailers\n") && strstr(text, "te: x\n"));
        }
    }
}

static void a_block_that_does_not_fit_is_taken_back(void)
{
    mote_hpack_slot slots[4];
    mote_hpack_encoder e;
    uint8_t out[512];

    for (size_t cap = 0; cap < 120; cap++) {
        start(4096);
        mote_hpack_encoder_init(&e, slots, 4);
        int n = encode_request(&e, out, sizeof out);
        CHECK_INT(decode_chunks(out, (size_t)n, 1000), 0);
        uint16_t mark = mote_hpack_encode_mark(&e);
        encode_request(&e, out, cap);
        mote_hpack_encode_rewind(&e, mark);
        n = mote_hpack_encode_start(&e, out, sizeof out);
        n += encode_request(&e, out + n, sizeof out - (size_t)n);
        CHECK_INT(decode_chunks(out, (size_t)n, 1000), 0);
        CHECK(strstr(text, "user-agent: grpc-c-mote/0.1\n") != NULL);
    }
}

static void never_indexed_fields_stay_literals(void)
{
    static const mote_hpack_field secret = {"authorization",       "token", 13, 5, 0,
                                            MOTE_HPACK_NEVER_INDEX};
    mote_hpack_field_view f;
    mote_hpack_slot slots[4];
    mote_hpack_encoder e;
    uint8_t out[64];
    size_t used;

    start(4096);
    mote_hpack_encoder_init(&e, slots, 4);
    for (int i = 0; i < 2; i++) {
        int n = mote_hpack_encode(&e, &secret, out, sizeof out);
        CHECK((out[0] & 0xf0) == 0x10); /* RFC 7541 6.2.3 */
        CHECK_INT(mote_hpack_decode(&decoder, out, (size_t)n, &used, &f), 1);
        CHECK(f.flags & MOTE_HPACK_NEVER_INDEX);
    }
}

/* RFC 7541 7.1.3: of these names, in whatever way they are encoded, and however short the value. */
static void secrets_are_never_indexed_without_being_asked(void)
{
    static const char *const names[] = {"authorization", "cookie", "proxy-authorization",
                                        "set-cookie"};
    static const char *const values[] = {"", "a", "Bearer abcdefghijklmnopqrstuvwxyz"};

    for (size_t i = 0; i < 4 * 3 * 3; i++) {
        const char *name = names[i % 4], *value = values[i / 4 % 3];
        mote_hpack_field field = {name, value, (uint16_t)strlen(name), (uint16_t)strlen(value),
                                  0,    0};
        mote_hpack_field_view f;
        mote_hpack_slot slots[4];
        mote_hpack_encoder e;
        uint8_t out[64];
        size_t used;
        start(4096);
        mote_hpack_encoder_init(&e, slots, 4);
        for (int again = 0; again < 2; again++) {
            int n = i / 12 == 0 ? mote_hpack_encode(&e, &field, out, sizeof out)
                    : i / 12 == 1
                        ? mote_hpack_encode_value(&e, &field, value, strlen(value), out, sizeof out)
                        : mote_hpack_encode_literal(&e, name, strlen(name), value, strlen(value), 0,
                                                    out, sizeof out);
            CHECK((out[0] & 0xf0) == 0x10);
            CHECK_INT(mote_hpack_decode(&decoder, out, (size_t)n, &used, &f), 1);
            CHECK(f.flags == MOTE_HPACK_NEVER_INDEX && f.value_len == strlen(value));
            CHECK_INT(e.slot_count, 0);
        }
    }
}

/* What such an encoder knows of names is what fields say; a name of a literal is looked up by all.
 */
static void without_a_coder_fields_say_their_index(void)
{
    static const mote_hpack_field named = MOTE_HPACK_NAMED(31, "content-type", "a"),
                                  spelled = MOTE_HPACK_FIELD("age", "0"),
                                  whole = MOTE_HPACK_STATIC(8), status = MOTE_HPACK_STATIC(8),
                                  token = MOTE_HPACK_NAMED(23, "authorization", "t");
    mote_hpack_slot slots[4];
    mote_hpack_encoder e;
    uint8_t out[64];
    uint8_t block[64];
    size_t len = unhex("5f0161 40 03616765 0130 88 1f080174 0803343138 1f110163 bf", block);
    int n;

    mote_hpack_encoder_init_bare(&e, slots, 4);
    n = mote_hpack_encode(&e, &named, out, sizeof out);
    n += mote_hpack_encode(&e, &spelled, out + n, sizeof out - (size_t)n);
    n += mote_hpack_encode(&e, &whole, out + n, sizeof out - (size_t)n);
    n += mote_hpack_encode(&e, &token, out + n, sizeof out - (size_t)n);
    n += mote_hpack_encode_value(&e, &status, "418", 3, out + n, sizeof out - (size_t)n);
    n += mote_hpack_encode_literal(&e, "cookie", 6, "c", 1, 0, out + n, sizeof out - (size_t)n);
    n += mote_hpack_encode(&e, &named, out + n, sizeof out - (size_t)n);
    CHECK(n == (int)len && memcmp(out, block, len) == 0);
}

static void random_input_never_breaks_and_never_depends_on_chunks(void)
{
    uint8_t block[64];
    char whole[sizeof text];
    uint32_t seed = 42;

    for (int i = 0; i < 20000; i++) {
        size_t len = test_random(&seed) % sizeof block;
        for (size_t j = 0; j < len; j++)
            block[j] = (uint8_t)test_random(&seed);
        start(128);
        int r = decode_chunks(block, len, len + 1);
        strcpy(whole, text);
        start(128);
        CHECK_INT(decode_chunks(block, len, 1), r);
        CHECK(strcmp(text, whole) == 0);
    }
}

/* Code that ends at the end of a byte, and code that does not: nothing is written behind it. */
static void huffman_code_takes_what_was_told(void)
{
    for (size_t len = 0; len <= 40; len++) {
        char text[40];
        uint8_t out[200];
        for (size_t i = 0; i < len; i++)
            text[i] = "a&zX\x01"[(i * len + i) % 5];
        size_t size = mote_hpack_huffman_size(text, len);
        memset(out, 0x77, sizeof out);
        mote_hpack_huffman_encode(text, len, out);
        CHECK_INT(out[size], 0x77);
        CHECK(size == 0 || out[size - 1] != 0x77);
        memset(text, 'a', sizeof text); /* 5 bits each */
        size = mote_hpack_huffman_size(text, len);
        CHECK_INT(size, (len * 5 + 7) / 8);
        memset(out, 0x77, sizeof out);
        mote_hpack_huffman_encode(text, len, out);
        CHECK_INT(out[size], 0x77);
    }
}

/* RFC 7541 6.1, and appendix A from its first entry to its last. */
static void each_static_field_is_one_byte(void)
{
    for (uint8_t i = 1; i <= 61; i++) {
        const mote_hpack_field field = MOTE_HPACK_STATIC(i);
        mote_hpack_encoder e;
        uint8_t out[8] = {0};
        mote_hpack_encoder_init(&e, NULL, 0);
        CHECK_INT(mote_hpack_encode(&e, &field, out, sizeof out), 1);
        CHECK_INT(out[0], 0x80 | i);
        CHECK_INT(mote_hpack_encode(&e, &field, out, 0), MOTE_HPACK_ERR_SPACE);
    }
}

int main(void)
{
    RUN(a_repeated_request_takes_a_byte_for_each_field);
    RUN(every_table_size_and_slot_count_stays_in_step);
    RUN(a_block_that_does_not_fit_is_taken_back);
    RUN(never_indexed_fields_stay_literals);
    RUN(secrets_are_never_indexed_without_being_asked);
    RUN(random_input_never_breaks_and_never_depends_on_chunks);
    RUN(huffman_code_takes_what_was_told);
    RUN(each_static_field_is_one_byte);
    RUN(without_a_coder_fields_say_their_index);
    return test_summary();
}
