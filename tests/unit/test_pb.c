/* Protocol Buffers: every kind of field, and input that is not valid. */
#include "../guard.h"

#include "../../pb/pb.h"
#include "../../pb/pb_reader.h"
#include "../test.h"

typedef struct {
    int32_t number;
    mote_pb_string name;
} leaf;

typedef struct node node;
struct node {
    double d;
    float f;
    int64_t i64;
    uint64_t u64;
    int32_t i32;
    uint64_t fixed64;
    uint32_t fixed32;
    bool b;
    mote_pb_string text;
    mote_pb_bytes bytes;
    uint32_t u32;
    int32_t e;
    int32_t sfixed32;
    int64_t sfixed64;
    int32_t s32;
    int64_t s64;
    mote_pb_opt_int32 opt;
    mote_pb_opt_string opt_text;
    mote_pb_opt_bool opt_bool;
    mote_pb_opt_double opt_double;
    const leaf *sub;
    mote_pb_list_int32 packed;
    mote_pb_list_int32 unpacked;
    mote_pb_list_double doubles;
    mote_pb_list_string texts;
    struct {
        const leaf *items;
        size_t count;
    } leaves;
    struct {
        uint32_t which;
        union {
            uint32_t a;
            mote_pb_string b;
            const leaf *c;
        } is;
    } one;
    const node *next;
    const leaf *group;
};

static const mote_pb_message leaf_table, node_table;

static const mote_pb_field leaf_fields[] = {
    {MOTE_PB_KEY(1, 0), offsetof(leaf, number), MOTE_PB_SINT32, 0},
    {MOTE_PB_KEY(2, 2), offsetof(leaf, name), MOTE_PB_TEXT, 0},
};
static const mote_pb_message leaf_table = {leaf_fields, NULL, 2, sizeof(leaf)};

#define F(n, wire, member, type)                                                                   \
    {                                                                                              \
        MOTE_PB_KEY(n, wire), offsetof(node, member), type, 0                                      \
    }
#define ONE(n, wire, type, sub)                                                                    \
    {                                                                                              \
        MOTE_PB_KEY(n, wire), offsetof(node, one.is), type | MOTE_PB_ONEOF,                        \
            sub | MOTE_PB_ONEOF_GAP(node, one)                                                     \
    }
static const mote_pb_message *const node_subs[] = {&leaf_table, &node_table};
static const mote_pb_field node_fields[] = {
    F(1, 1, d, MOTE_PB_DOUBLE),
    F(2, 5, f, MOTE_PB_FLOAT),
    F(3, 0, i64, MOTE_PB_INT64),
    F(4, 0, u64, MOTE_PB_UINT64),
    F(5, 0, i32, MOTE_PB_INT32),
    F(6, 1, fixed64, MOTE_PB_FIXED64),
    F(7, 5, fixed32, MOTE_PB_FIXED32),
    F(8, 0, b, MOTE_PB_BOOL),
    F(9, 2, text, MOTE_PB_TEXT),
    F(10, 2, bytes, MOTE_PB_BYTES),
    F(11, 0, u32, MOTE_PB_UINT32),
    F(12, 0, e, MOTE_PB_ENUM_TYPE),
    F(13, 5, sfixed32, MOTE_PB_SFIXED32),
    F(14, 1, sfixed64, MOTE_PB_SFIXED64),
    F(15, 0, s32, MOTE_PB_SINT32),
    F(16, 0, s64, MOTE_PB_SINT64),
    F(17, 0, opt, MOTE_PB_INT32 | MOTE_PB_OPTIONAL),
    F(18, 2, opt_text, MOTE_PB_TEXT | MOTE_PB_OPTIONAL),
    F(19, 0, opt_bool, MOTE_PB_BOOL | MOTE_PB_OPTIONAL),
    F(20, 1, opt_double, MOTE_PB_DOUBLE | MOTE_PB_OPTIONAL),
    F(21, 2, sub, MOTE_PB_MESSAGE),
    F(22, 0, packed, MOTE_PB_INT32 | MOTE_PB_PACKED),
    F(23, 0, unpacked, MOTE_PB_INT32 | MOTE_PB_REPEATED),
    F(24, 1, doubles, MOTE_PB_DOUBLE | MOTE_PB_PACKED),
    F(25, 2, texts, MOTE_PB_TEXT | MOTE_PB_REPEATED),
    F(26, 2, leaves, MOTE_PB_MESSAGE | MOTE_PB_REPEATED),
    ONE(27, 0, MOTE_PB_UINT32, 0),
    ONE(28, 2, MOTE_PB_TEXT, 0),
    ONE(29, 2, MOTE_PB_MESSAGE, 0),
    {MOTE_PB_KEY(30, 2), offsetof(node, next), MOTE_PB_MESSAGE, 1},
    F(31, 3, group, MOTE_PB_GROUP),
};
static const mote_pb_message node_table = {
    node_fields, node_subs, sizeof node_fields / sizeof node_fields[0], sizeof(node)};
static const mote_pb_encoder node_encoder = MOTE_PB_ENCODER(&node_table);
static const mote_pb_decoder node_decoder = MOTE_PB_DECODER(&node_table);

static uint64_t memory[4096];
static uint8_t out[8192];

static int decode(node *n, const uint8_t *in, size_t len, mote_pb_where *where)
{
    mote_pb_arena arena;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    return mote_pb_decode(&node_decoder, n, in, len, &arena, where);
}

static int decode_hex(node *n, const char *hex)
{
    static uint8_t in[1024];
    mote_pb_where where;

    return decode(n, in, unhex(hex, in), &where);
}

static const int32_t numbers[] = {0, 1, -1, 127, 128, INT32_MIN};
static const double doubles[] = {1.5, -2};
static const mote_pb_string texts[] = {{"a", 1}, {"", 0}, {"ccc", 3}};
static const leaf leaves[] = {{-3, {"x", 1}}, {0, {"", 0}}, {70000, {"yz", 2}}};

static node full(void)
{
    return (node){.d = 1.25,
                  .f = -0.5f,
                  .i64 = INT64_MIN,
                  .u64 = UINT64_MAX,
                  .i32 = -1,
                  .fixed64 = 0x0102030405060708,
                  .fixed32 = 0xdeadbeef,
                  .b = true,
                  .text = {"h\xc3\xa9", 3},
                  .bytes = {(const uint8_t *)"\xff\x00", 2},
                  .u32 = 300,
                  .e = -2,
                  .sfixed32 = -5,
                  .sfixed64 = -6,
                  .s32 = INT32_MIN,
                  .s64 = INT64_MIN,
                  .opt = {true, 0},
                  .opt_text = {true, {"", 0}},
                  .opt_bool = {true, false},
                  .opt_double = {true, 0.0},
                  .sub = &leaves[0],
                  .packed = {numbers, 6},
                  .unpacked = {numbers, 6},
                  .doubles = {doubles, 2},
                  .texts = {texts, 3},
                  .leaves = {leaves, 3},
                  .one = {29, {.c = &leaves[2]}},
                  .group = &leaves[0]};
}

static size_t encode(const node *n)
{
    size_t len = 0;

    CHECK_INT(mote_pb_encode(&node_encoder, n, out, sizeof out, &len), 0);
    return len;
}

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

/* ---- closed enums (proto2) ------------------------------------------------------------------- */

typedef struct {
    mote_pb_list_bytes unknown;
    mote_pb_list_int32 many;
    int32_t one;
} levels;

/* -2..-1, 5, 100..127 and the largest one. */
static const mote_pb_field level_ranges[] = {
    {(uint32_t)INT32_MIN, 0, 0, 0}, {(uint32_t)-2, 1, 0, 0}, {5, 0, 0, 0}, {100, 27, 0, 0},
    {INT32_MAX, 0, 0, 0},
};
static const mote_pb_message level_numbers = {level_ranges, NULL, 5, 0};
static const mote_pb_message *const level_subs[] = {&level_numbers};
static const mote_pb_field level_fields[] = {
    {0, offsetof(levels, unknown), MOTE_PB_BYTES | MOTE_PB_UNKNOWN, 0},
    {MOTE_PB_KEY(1, 0), offsetof(levels, one), MOTE_PB_CLOSED, 0},
    {MOTE_PB_KEY(20, 0), offsetof(levels, many), MOTE_PB_CLOSED | MOTE_PB_PACKED, 0},
};
static const mote_pb_message level_table = {level_fields, level_subs, 3, sizeof(levels)};

/* Numbers of the enum are kept, each other one is an unknown field of its own, as it would be
 * encoded: packed, as single elements, and as a field that is not repeated. */
static void numbers_of_a_closed_enum_are_kept_and_others_are_unknown(void)
{
    static const struct {
        int64_t number;
        bool known;
    } rows[] = {{INT32_MIN, true},
                {INT32_MIN + 1ll, false},
                {-3, false},
                {-2, true},
                {-1, true},
                {0, false},
                {4, false},
                {5, true},
                {6, false},
                {99, false},
                {100, true},
                {126, true},
                {127, true},
                {128, false},
                {16383, false},
                {16384, false},
                {INT32_MAX - 1, false},
                {INT32_MAX, true}};
    const mote_pb_decoder decoder = MOTE_PB_DECODER(&level_table);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int form = 0; form < 3; form++) { /* packed between two known ones, single, one */
            uint8_t in[40], bare[12], kept[16];
            size_t n = 0, len = 0, kept_len = 0;
            mote_pb_arena arena;
            levels m;
            uint64_t v = (uint64_t)rows[i].number;
            for (; v > 127; v >>= 7)
                bare[n++] = (uint8_t)(v | 128);
            bare[n++] = (uint8_t)v;
            kept_len += unhex(form == 2 ? "08" : "a001", kept);
            memcpy(kept + kept_len, bare, n);
            kept_len += n;
            if (form == 0) {
                len = unhex("a201", in);
                in[len++] = (uint8_t)(n + 2);
                in[len++] = 5;
                memcpy(in + len, bare, n);
                len += n;
                in[len++] = 5;
            } else {
                memcpy(in, kept, len = kept_len);
            }
            mote_pb_arena_init(&arena, memory, sizeof memory);
            CHECK_INT(mote_pb_decode(&decoder, &m, in, len, &arena, NULL), 0);
            CHECK_INT(m.unknown.count, !rows[i].known);
            if (m.unknown.count == 1)
                CHECK(m.unknown.items[0].len == kept_len &&
                      memcmp(m.unknown.items[0].data, kept, kept_len) == 0);
            CHECK_INT(m.one, form == 2 && rows[i].known ? rows[i].number : 0);
            CHECK_INT(m.many.count, (form == 0 ? 2 : 0) + (form < 2 && rows[i].known));
            if (form < 2 && rows[i].known)
                CHECK_INT(m.many.items[form == 0 ? 1 : 0], rows[i].number);
        }
    }
}

/* Without a place for what is unknown it is gone, and a full arena is told. */
static void unknown_numbers_need_their_place(void)
{
    mote_pb_decoder decoder = MOTE_PB_DECODER(&level_table);
    uint8_t in[16];
    size_t len = unhex("a201 03 050605 08 04", in);
    int r = MOTE_PB_ERR_ARENA;
    mote_pb_arena arena;
    levels m;

    for (size_t size = 0; r != 0 && size < 500; size += 8) {
        mote_pb_arena_init(&arena, memory, size);
        r = mote_pb_decode(&decoder, &m, in, len, &arena, NULL);
        CHECK(r == MOTE_PB_ERR_ARENA || r == 0);
    }
    CHECK_INT(r, 0);
    CHECK_INT(m.unknown.count, 2);
    decoder.unknown = NULL;
    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(mote_pb_decode(&decoder, &m, in, len, &arena, NULL), 0);
    CHECK_INT(m.unknown.count, 0);
    CHECK_INT(m.many.count, 2);
    CHECK_INT(m.one, 0);
}

/* However the input splits an array: its field once an element, packed in pieces of one, or in a
 * sub-message that comes in as many pieces. */
static void arrays_take_a_multiple_of_their_elements(void)
{
    enum { ELEMENTS = 4000 };
    static const uint8_t packed[] = {0xb2, 1, 1, 7};             /* packed: 7 */
    static const uint8_t merged[] = {0xf2, 1, 4, 0xb2, 1, 1, 7}; /* next { packed: 7 } */
    static uint8_t in[ELEMENTS * sizeof merged];
    static uint64_t memory[ELEMENTS * 2 * sizeof(int32_t) / 8 + 200];
    mote_pb_arena arena;
    node m;

    for (size_t i = 0; i < ELEMENTS; i++)
        memcpy(in + i * sizeof packed, packed, sizeof packed);
    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(mote_pb_decode(&node_decoder, &m, in, ELEMENTS * sizeof packed, &arena, NULL), 0);
    CHECK_INT(m.packed.count, ELEMENTS);
    for (size_t i = 0; i < ELEMENTS; i++)
        memcpy(in + i * sizeof merged, merged, sizeof merged);
    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(mote_pb_decode(&node_decoder, &m, in, ELEMENTS * sizeof merged, &arena, NULL), 0);
    CHECK_INT(m.next->packed.count, ELEMENTS);
    CHECK_INT(m.next->packed.items[ELEMENTS - 1], 7);
    /* Two that grow in turn, so that neither lies at the end of the arena. */
    static const uint8_t both[] = {0xb2, 1, 1, 7, 0xf2, 1, 4, 0xb2, 1, 1, 7};
    for (size_t i = 0; i < ELEMENTS / 2; i++)
        memcpy(in + i * sizeof both, both, sizeof both);
    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(mote_pb_decode(&node_decoder, &m, in, ELEMENTS / 2 * sizeof both, &arena, NULL), 0);
    CHECK_INT(m.packed.count, ELEMENTS / 2);
    CHECK_INT(m.next->packed.count, ELEMENTS / 2);
}

/* Pieces of two arrays, of a text and of a message that is merged, in every order: what the arena
 * gives is within the bound of mote_pb_arena. */
static void every_way_to_split_takes_no_more_than_the_bound(void)
{
    static const struct {
        const char *hex;
        size_t own, other, inner; /* elements of the three arrays */
    } pieces[] = {{"b001 01", 1, 0, 0},        {"b201 01 02", 1, 0, 0},
                  {"b201 03 030405", 3, 0, 0}, {"ba01 02 0607", 0, 2, 0},
                  {"f201 03 b00101", 0, 0, 1}, {"f201 05 b201020203", 0, 0, 2}};
    enum {
        PIECES = sizeof pieces / sizeof pieces[0],
        LENGTH = 5,
        WAYS = 7776,
        REPEATS = 8,
        HEAD = 8 + 7
    };
    static uint64_t memory[8192];

    for (int way = 0; way < WAYS; way++) {
        uint8_t in[REPEATS * LENGTH * 8];
        size_t len = 0, own = 0, other = 0, inner = 0;
        mote_pb_arena arena;
        node m;
        for (int i = 0, rest = way; i < REPEATS * LENGTH;
             i++, rest = i % LENGTH ? rest / PIECES : way) {
            len += unhex(pieces[rest % PIECES].hex, in + len);
            own += pieces[rest % PIECES].own;
            other += pieces[rest % PIECES].other;
            inner += pieces[rest % PIECES].inner;
        }
        size_t blocks = 3 * 7; /* to 120 elements */
        size_t bound = 4 * (own + other + inner) * sizeof(int32_t) + blocks * HEAD;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        int r = mote_pb_decode(&node_decoder, &m, in, len, &arena, NULL);
        bool counted = m.packed.count == own && m.unpacked.count == other &&
                       (m.next ? m.next->packed.count == inner : inner == 0);
        if (r != 0 || !counted || arena.used > bound + (m.next ? sizeof(node) + 7 : 0)) {
            printf("way %d: %d, %zu bytes of %zu\n", way, r, arena.used, bound);
            test_ok = false;
            return;
        }
    }
}

/* Whatever stands between the elements of an array, it takes no more than they need. */
static void an_array_takes_what_its_elements_need(void)
{
    static const struct {
        const char *what, *in;
        size_t count, room;
    } rows[] = {
        {"packed", "b201 03 010203", 3, 3},
        {"packed as single ones", "b001 01 b001 02", 2, 2},
        {"both, which grow at the end of the arena", "b001 01 b201 02 0203 b001 04", 4, 5},
        {"with a text between", "b001 01 4a 09 010101010101010101 b001 02", 2, 2},
        {"with another array between", "b001 01 ba01 06 010101010101 b001 02", 2, 2},
        {"with numbers between", "b001 01 28 07 28 08 b001 02", 2, 2},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static uint64_t memory[64];
        uint8_t in[64];
        mote_pb_arena arena;
        node m;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        CHECK_INT(mote_pb_decode(&node_decoder, &m, in, unhex(rows[i].in, in), &arena, NULL), 0);
        CHECK_INT(m.packed.count, rows[i].count);
        CHECK_INT(mote_pb_capacity((const mote_pb_list *)(const void *)&m.packed), rows[i].room);
    }
}

static void every_prefix_and_every_flip_is_safe(void)
{
    static uint8_t in[sizeof out];
    node n = full(), m;
    size_t len = encode(&n);

    memcpy(in, out, len);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1);
        memcpy(exact, in, cut);
        decode(&m, exact, cut, NULL);
        free(exact);
        for (int bit = 0; bit < 8; bit++) {
            in[cut] ^= (uint8_t)(1 << bit);
            decode(&m, in, len, NULL);
            in[cut] ^= (uint8_t)(1 << bit);
        }
    }
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
    RUN(numbers_of_a_closed_enum_are_kept_and_others_are_unknown);
    RUN(unknown_numbers_need_their_place);
    RUN(arrays_take_a_multiple_of_their_elements);
    RUN(every_way_to_split_takes_no_more_than_the_bound);
    RUN(an_array_takes_what_its_elements_need);
    RUN(every_prefix_and_every_flip_is_safe);
    return test_summary();
}
