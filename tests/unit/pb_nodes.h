/* Messages of a tree whose nodes have fields of each type, described by hand. */
#ifndef PB_NODES_H
#define PB_NODES_H

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

static inline int decode(node *n, const uint8_t *in, size_t len, mote_pb_where *where)
{
    mote_pb_arena arena;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    return mote_pb_decode(&node_decoder, n, in, len, &arena, where);
}

static inline int decode_hex(node *n, const char *hex)
{
    static uint8_t in[1024];
    mote_pb_where where;

    return decode(n, in, unhex(hex, in), &where);
}

static const int32_t numbers[] = {0, 1, -1, 127, 128, INT32_MIN};
static const double doubles[] = {1.5, -2};
static const mote_pb_string texts[] = {{"a", 1}, {"", 0}, {"ccc", 3}};
static const leaf leaves[] = {{-3, {"x", 1}}, {0, {"", 0}}, {70000, {"yz", 2}}};

static inline node full(void)
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

static inline size_t encode(const node *n)
{
    size_t len = 0;

    CHECK_INT(mote_pb_encode(&node_encoder, n, out, sizeof out, &len), 0);
    return len;
}

#endif
