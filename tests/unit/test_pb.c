/* Protocol Buffers: every kind of field, and input that is not valid. */
#include "pb_nodes.h"

/* ---- round trips --------------------------------------------------------------------------- */

static void every_kind_of_field_survives(void)
{
    node n = full(), m, inner = full();
    static uint8_t first[sizeof out];

    n.next = &inner;
    size_t len = encode(&n);
    memcpy(first, out, len);
    CHECK_INT(decode(&m, first, len, NULL), 0);
    CHECK(m.d == 1.25 && m.f == -0.5f && m.i64 == INT64_MIN && m.u64 == UINT64_MAX && m.i32 == -1);
    CHECK(m.fixed64 == 0x0102030405060708 && m.fixed32 == 0xdeadbeef && m.b && m.u32 == 300);
    CHECK(m.e == -2 && m.sfixed32 == -5 && m.sfixed64 == -6 && m.s32 == INT32_MIN);
    CHECK(m.s64 == INT64_MIN && m.opt.has && m.opt.value == 0 && m.opt_text.has);
    CHECK(m.opt_bool.has && !m.opt_bool.value && m.opt_double.has);
    CHECK(m.text.len == 3 && memcmp(m.text.data, "h\xc3\xa9", 3) == 0 && m.bytes.len == 2);
    CHECK(m.sub && m.sub->number == -3 && m.packed.count == 6 && m.packed.items[5] == INT32_MIN);
    CHECK(m.unpacked.count == 6 && m.unpacked.items[2] == -1 && m.doubles.items[1] == -2);
    CHECK(m.texts.count == 3 && m.texts.items[2].len == 3 && m.leaves.count == 3);
    CHECK(m.leaves.items[2].number == 70000 && m.one.which == 29 && m.one.is.c->number == 70000);
    CHECK(m.group && m.group->number == -3 && m.next && m.next->u32 == 300 && !m.next->next);
    CHECK_INT(encode(&m), len);
    CHECK(memcmp(first, out, len) == 0); /* canonical */
}

static void an_empty_message_takes_no_bytes(void)
{
    node n = {0}, m;

    CHECK_INT(encode(&n), 0);
    CHECK_INT(decode(&m, NULL, 0, NULL), 0);
    CHECK(memcmp(&n, &m, sizeof n) == 0);
}

static void known_bytes_are_produced(void)
{
    static const uint8_t expected[] = {0x28, 0x96, 0x01, 0x4a, 0x02, 'h', 'i'};
    node n = {.i32 = 150, .text = {"hi", 2}};

    CHECK_INT(encode(&n), sizeof expected);
    CHECK(memcmp(out, expected, sizeof expected) == 0);
}

static void a_part_equals_the_same_bytes_of_the_whole(void)
{
    node n = full(), inner = full();
    static uint8_t whole[sizeof out], part[64 + sizeof out + 64];

    n.next = &inner;
    size_t len = encode(&n), size = 0;
    memcpy(whole, out, len);
    CHECK_INT(mote_pb_size(&node_encoder, &n, &size), 0);
    CHECK_INT(size, len);
    for (size_t cap = 1; cap < len; cap += cap < 20 ? 1 : 37) {
        for (size_t at = 0; at < len; at += cap) {
            size_t want = len - at < cap ? len - at : cap;
            memset(part, 0x77, sizeof part);
            CHECK_INT(mote_pb_encode_part(&node_encoder, &n, at, part + 64, want, &size), 0);
            CHECK(memcmp(part + 64, whole + at, want) == 0);
            for (size_t i = 0; i < 64; i++)
                CHECK(part[i] == 0x77 && part[64 + want + i] == 0x77);
        }
    }
}

static void a_buffer_that_is_too_small_is_told_the_size(void)
{
    node n = full();
    size_t len = encode(&n), need;
    static uint8_t small[sizeof out];

    for (size_t cap = 0; cap < len; cap++) {
        small[cap] = 0x77;
        CHECK_INT(mote_pb_encode(&node_encoder, &n, small, cap, &need), MOTE_PB_ERR_SPACE);
        CHECK_INT(need, len);
        CHECK_INT(small[cap], 0x77);
    }
}

static void nesting_beyond_the_limit_is_an_error_of_the_encoder(void)
{
    static node chain[MOTE_PB_DEPTH + 1];
    size_t size;

    for (int i = 0; i < MOTE_PB_DEPTH; i++)
        chain[i].next = &chain[i + 1];
    CHECK_INT(mote_pb_size(&node_encoder, &chain[1], &size), 0);
    CHECK_INT(mote_pb_size(&node_encoder, &chain[0], &size), MOTE_PB_ERR_DEPTH);
}

/* ---- what the specification says about unusual input --------------------------------------- */

static void unusual_input_decodes_as_specified(void)
{
    node n;

    CHECK_INT(decode_hex(&n, "2805 2806"), 0); /* the last one wins */
    CHECK_INT(n.i32, 6);
    CHECK_INT(decode_hex(&n, "28 8680 8000"), 0); /* padded varint */
    CHECK_INT(n.i32, 6);
    CHECK_INT(decode_hex(&n, "28 ffffffffffffffffff01"), 0);
    CHECK_INT(n.i32, -1);
    CHECK_INT(decode_hex(&n, "28 ffffffffffffffffff7f"), 0); /* bits beyond 64 are dropped */
    CHECK_INT(n.i32, -1);
    CHECK_INT(decode_hex(&n, "40 8080 01"), 0); /* any bit makes a bool true */
    CHECK(n.b);
    CHECK_INT(decode_hex(&n, "2d 01020304"), 0); /* another wire type: unknown */
    CHECK_INT(n.i32, 0);
    CHECK_INT(decode_hex(&n, "b201 03 010203 b001 04"), 0); /* packed, and not, in one field */
    CHECK(n.packed.count == 4 && n.packed.items[3] == 4);
    CHECK_INT(decode_hex(&n, "b801 01 ba01 02 0203 b801 04"), 0); /* and the reverse */
    CHECK(n.unpacked.count == 4 && n.unpacked.items[1] == 2 && n.unpacked.items[3] == 4);
    CHECK_INT(decode_hex(&n, "d801 07 e201 0161 d801 09"), 0); /* oneof: the last one wins */
    CHECK(n.one.which == 27 && n.one.is.a == 9);
    CHECK_INT(decode_hex(&n, "aa01 02 0802 aa01 03 120178"), 0); /* sub-messages merge */
    CHECK(n.sub->number == 1 && n.sub->name.len == 1);
    CHECK_INT(decode_hex(&n, "d201 00 d201 02 0802 d201 00"), 0);
    CHECK(n.leaves.count == 3 && n.leaves.items[1].number == 1);
    CHECK_INT(decode_hex(&n, "fb01 0802 fc01 5801"), 0); /* a group */
    CHECK(n.group->number == 1 && n.u32 == 1);
    CHECK_INT(decode_hex(&n, "c306 c306 08 01 c406 c406 5801"), 0); /* unknown groups, nested */
    CHECK_INT(n.u32, 1);
    CHECK_INT(decode_hex(&n, "f201 0b d201020802 d201020804 00"), MOTE_PB_ERR_TAG);
    CHECK_INT(decode_hex(&n, "f201 0a d201020802 d201020804 d201020806"), 0);
    CHECK(n.next->leaves.count == 2 && n.leaves.count == 1 && n.next->leaves.items[1].number == 2);
}

static void invalid_input_is_refused(void)
{
    static const struct {
        const char *hex;
        int error;
        uint32_t field;
    } cases[] = {
        {"28", MOTE_PB_ERR_TRUNCATED, 5},
        {"2880", MOTE_PB_ERR_TRUNCATED, 5},
        {"28 ffffffffffffffffffff01", MOTE_PB_ERR_VARINT, 5},
        {"0a 05 6869", MOTE_PB_ERR_TRUNCATED, 1},
        {"4a 05 6869", MOTE_PB_ERR_TRUNCATED, 9},
        {"4a ffffffff0f 6869", MOTE_PB_ERR_TRUNCATED, 9}, /* 4 GiB */
        {"4a ffffffffffffffff7f 6869", MOTE_PB_ERR_VARINT, 9},
        {"4a ffffffff1f 6869", MOTE_PB_ERR_VARINT, 9},   /* beyond 32 bits */
        {"4a 828080808000 6869", MOTE_PB_ERR_VARINT, 9}, /* 6 bytes */
        {"a88080808000 01", MOTE_PB_ERR_TAG, 0},         /* 6 bytes */
        {"a8808080808080808000 01", MOTE_PB_ERR_TAG, 0}, /* 10 bytes */
        {"a880808010 01", MOTE_PB_ERR_TAG, 0},           /* beyond 32 bits */
        {"09 00000000", MOTE_PB_ERR_TRUNCATED, 1},
        {"15 000000", MOTE_PB_ERR_TRUNCATED, 2},
        {"00 01", MOTE_PB_ERR_TAG, 0},         /* number 0 */
        {"2e 01", MOTE_PB_ERR_TAG, 0},         /* wire type 6 */
        {"f8ffffff10 01", MOTE_PB_ERR_TAG, 0}, /* number above 2^29-1 */
        {"4a 01 ff", MOTE_PB_ERR_UTF8, 9},
        {"4a 02 c080", MOTE_PB_ERR_UTF8, 9},     /* overlong */
        {"4a 03 eda080", MOTE_PB_ERR_UTF8, 9},   /* a surrogate */
        {"4a 04 f4908080", MOTE_PB_ERR_UTF8, 9}, /* above U+10FFFF */
        {"4a 02 c341", MOTE_PB_ERR_UTF8, 9},
        {"4a 01 e2", MOTE_PB_ERR_UTF8, 9},
        {"c306 08 01", MOTE_PB_ERR_TRUNCATED, 0}, /* a group without end */
        {"c306 c406 cc06", MOTE_PB_ERR_GROUP, 0},
        {"c306 cc06", MOTE_PB_ERR_GROUP, 0},
        {"fb01 0802 8c02", MOTE_PB_ERR_GROUP, 0},
        {"fb01 0802", MOTE_PB_ERR_TRUNCATED, 0},
        {"b201 02 0180", MOTE_PB_ERR_TRUNCATED, 22}, /* packed, cut */
        {"c201 09 000000000000000000", MOTE_PB_ERR_TRUNCATED, 24},
        {"aa01 05 0801", MOTE_PB_ERR_TRUNCATED, 21},
        {"aa01 02 0880", MOTE_PB_ERR_TRUNCATED, 1}, /* ends inside of the sub-message */
    };
    static uint8_t in[64];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mote_pb_where where = {0};
        node n;
        int r = decode(&n, in, unhex(cases[i].hex, in), &where);
        if (r != cases[i].error || where.field != cases[i].field) {
            printf("%s: %d field %u\n", cases[i].hex, r, where.field);
            test_ok = false;
        }
    }
}

static void deep_nesting_is_limited_without_recursion(void)
{
    static uint8_t in[1024], big[1 << 16];
    static uint64_t large[1 << 16];
    mote_pb_arena arena;
    size_t len = 0;
    node n;

    memset(big, 0xc3, 2); /* deep unknown groups */
    for (size_t i = 0; i < sizeof big; i += 2)
        memcpy(big + i, "\xc3\x06", 2);
    CHECK_INT(decode(&n, big, sizeof big, NULL), MOTE_PB_ERR_DEPTH);
    for (int depth = 0; depth < 150; depth++) {
        uint8_t next[1024];
        size_t at = 0;
        next[at++] = 0xf2;
        next[at++] = 0x01;
        if (len >= 128)
            next[at++] = (uint8_t)(len | 128);
        next[at++] = (uint8_t)(len >= 128 ? len >> 7 : len);
        memcpy(next + at, in, len);
        len += at;
        memcpy(in, next, len);
        mote_pb_arena_init(&arena, large, sizeof large);
        int r = mote_pb_decode(&node_decoder, &n, in, len, &arena, NULL);
        CHECK_INT(r, depth < 100 ? 0 : MOTE_PB_ERR_DEPTH);
        size_t again;
        if (depth < 100 && MOTE_PB_DEPTH > 100) { /* what was decoded can be encoded */
            CHECK_INT(mote_pb_size(&node_encoder, &n, &again), 0);
            CHECK_INT(again, len);
        }
    }
}

static void a_full_arena_is_an_error_and_nothing_is_written_outside(void)
{
    static uint8_t in[sizeof out];
    node n = full(), m;
    size_t len = encode(&n);
    int r = MOTE_PB_ERR_ARENA;

    memcpy(in, out, len);
    for (size_t size = 0; size < 2048; size++) {
        uint8_t *exact = malloc(size ? size : 1); /* the sanitizer watches its end */
        mote_pb_arena arena;
        mote_pb_arena_init(&arena, exact, size);
        r = mote_pb_decode(&node_decoder, &m, in, len, &arena, NULL);
        CHECK(r == 0 || r == MOTE_PB_ERR_ARENA);
        free(exact);
    }
    CHECK_INT(r, 0);
    CHECK_INT(mote_pb_decode(&node_decoder, &m, in, len, NULL, NULL), MOTE_PB_ERR_ARENA);
}

/* Wherever a length stands, it is read as one: whole, and of as many bytes as may be. */
static void lengths_are_read_alike_everywhere(void)
{
    static const struct {
        const char *what, *key;
        uint32_t field;
    } places[] = {{"text", "4a", 9},         {"bytes", "52", 10},   {"message", "aa01", 21},
                  {"packed", "b201", 22},    {"texts", "ca01", 25}, {"oneof", "e201", 28},
                  {"recursive", "f201", 30}, {"unknown", "c23e", 0}};
    static const struct {
        const char *length;
        int error;
    } lengths[] = {
        {"", MOTE_PB_ERR_TRUNCATED},           {"80", MOTE_PB_ERR_TRUNCATED},
        {"80808080", MOTE_PB_ERR_TRUNCATED},   {"01", MOTE_PB_ERR_TRUNCATED},
        {"ffffffff0f", MOTE_PB_ERR_TRUNCATED}, {"ffffffff1f", MOTE_PB_ERR_VARINT},
        {"808080808000", MOTE_PB_ERR_VARINT},  {"8080808080808080808001", MOTE_PB_ERR_VARINT}};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
            char hex[64];
            uint8_t in[64];
            node n;
            mote_pb_where where = {0};
            snprintf(hex, sizeof hex, "%s%s", places[i].key, lengths[k].length);
            size_t len = unhex(hex, in);
            CHECK_INT(decode(&n, guarded(in, len), len, &where), lengths[k].error);
            CHECK_INT(where.field, places[i].field);
        }
    }
}

/* The first error is told, whatever follows it. */
static void an_array_tells_its_first_error(void)
{
    static const struct {
        const char *hex;
        int error;
    } rows[] = {{"b201 0d 01 ffffffffffffffffffff01 01", MOTE_PB_ERR_VARINT},
                {"b201 03 01 02 80", MOTE_PB_ERR_TRUNCATED},
                {"c201 0c 0000000000000000 00000000", MOTE_PB_ERR_TRUNCATED}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        node n;
        CHECK_INT(decode_hex(&n, rows[i].hex), rows[i].error);
    }
}

/* The table of a type is not read behind its end, whichever field came last. */
static void a_table_ends_where_it_ends(void)
{
    mote_pb_message type = {
        (const mote_pb_field *)(const void *)guarded(leaf_fields, sizeof leaf_fields), NULL, 2,
        sizeof(leaf)};
    const mote_pb_decoder decoder = MOTE_PB_DECODER(&type);
    uint8_t in[16];
    mote_pb_arena arena;
    leaf one;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    size_t len = unhex("12 01 61 12 01 62 1a 00 08 04", in);
    CHECK_INT(mote_pb_decode(&decoder, &one, in, len, &arena, NULL), 0);
    CHECK_INT(one.number, 2);
    CHECK(one.name.len == 1 && one.name.data[0] == 'b');
}

static void every_error_has_a_text_of_its_own(void)
{
    static const int codes[] = {
#define CODE(name, code, text) name,
        MOTE_PB_ERRORS(CODE)
#undef CODE
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        CHECK_TEXT(strncmp(mote_pb_strerror(codes[i]), "pb: ", 4) == 0);
        for (size_t k = 0; k < i; k++)
            CHECK_TEXT(strcmp(mote_pb_strerror(codes[i]), mote_pb_strerror(codes[k])) != 0);
    }
    CHECK_TEXT(strcmp(mote_pb_strerror(0), "no error") == 0);
    CHECK_TEXT(strcmp(mote_pb_strerror(-1), "unknown error") == 0);
}

int main(void)
{
    RUN(every_error_has_a_text_of_its_own);
    RUN(every_kind_of_field_survives);
    RUN(an_empty_message_takes_no_bytes);
    RUN(known_bytes_are_produced);
    RUN(a_part_equals_the_same_bytes_of_the_whole);
    RUN(a_buffer_that_is_too_small_is_told_the_size);
    RUN(nesting_beyond_the_limit_is_an_error_of_the_encoder);
    RUN(unusual_input_decodes_as_specified);
    RUN(invalid_input_is_refused);
    RUN(deep_nesting_is_limited_without_recursion);
    RUN(a_full_arena_is_an_error_and_nothing_is_written_outside);
    RUN(lengths_are_read_alike_everywhere);
    RUN(an_array_tells_its_first_error);
    RUN(a_table_ends_where_it_ends);
    return test_summary();
}
