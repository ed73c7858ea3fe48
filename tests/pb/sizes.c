/* T_size() of the plugin's option `sizes` is what mote_pb_encode() writes, whatever leads to what;
 * and has its error. */
#include "../test.h"
#include "sizes.mote.h"

static uint8_t out[1 << 16];

/* By code, by the table and written: the same size. */
#define CHECK_SIZE(T, message, expected)                                                           \
    do {                                                                                           \
        size_t by_code = 0, by_table = 0, written = 0;                                             \
        CHECK_INT(T##_size(message, &by_code), 0);                                                 \
        CHECK_INT(mote_pb_size(&T##_encoder, message, &by_table), 0);                              \
        CHECK_INT(T##_encode(message, out, sizeof out, &written), 0);                              \
        CHECK_INT(by_code, expected);                                                              \
        CHECK_INT(by_table, expected);                                                             \
        CHECK_INT(written, expected);                                                              \
    } while (0)

static const mote_pb_bytes unknown = {(const uint8_t *)"\xa0\x06\x07", 3};  /* 100: 7 */
static const sizes_Leaf leaf = {.x = -64, .unknown_fields = {&unknown, 1}}; /* 2 and 3 bytes */
static const sizes_Leaf leaves[2] = {{.x = 64}, {.x = 1, .f = {true, 0}}};  /* 3 and 7 */

static void messages_inside(void)
{
    sizes_Near near = {.leaf = &leaf, .must = &leaf, .leaves = {leaves, 2}};
    const sizes_Far far = {.name = MOTE_PB_STRING("far"), .next = &(sizes_Far){.name = {NULL, 0}}};

    CHECK_SIZE(sizes_Near, &near, 7 + 7 + 5 + 9);
    near.other = &far; /* of another file, which may hold itself */
    CHECK_SIZE(sizes_Near, &near, 7 + 7 + 5 + 9 + 2 + 7);
    CHECK_SIZE(sizes_Empty, (&(sizes_Empty){.unknown_fields = {&unknown, 1}}), 3);
}

static void a_circle_goes_on_by_the_table(void)
{
    const sizes_Itself last = {.s = {true, MOTE_PB_STRING("abc")}};
    const sizes_Itself itself = {.next = &last, .all = {&last, 1}};
    const sizes_Round round = {.x = {true, -1}};
    const sizes_Trip_Back back = {.round = &round};
    const sizes_Trip trip = {.rounds = {&round, 1}, .back = &back};

    CHECK_SIZE(sizes_Itself, &itself, 2 * 7);
    CHECK_SIZE(sizes_Trip, &trip, 13 + 2 + 13);
    CHECK_SIZE(sizes_Round, (&(sizes_Round){.trip = &trip}), 2 + 28);
}

static void maps_and_oneofs(void)
{
    const sizes_Mapped_NumbersEntry number = {.key = MOTE_PB_STRING("k"), .value = -1};
    const sizes_Mapped_LeavesEntry one = {.key = MOTE_PB_STRING("k"), .value = &leaf};
    const sizes_Mapped inner = {.numbers = {&number, 1}};
    const sizes_Mapped_ByNumberEntry entry = {.key = 300, .value = &inner};
    const sizes_Mapped mapped = {.by_number = {&entry, 1}, .leaves = {&one, 1}};
    sizes_Any items[4] = {0};
    const sizes_List list = {.items = {items, 4}};
    sizes_Any any = {0};

    CHECK_SIZE(sizes_Mapped, &inner, 2 + 3 + 11);
    CHECK_SIZE(sizes_Mapped, &mapped, (2 + 3 + 18) + (2 + 3 + 7));
    sizes_Any_set_number(&items[0], -1);
    sizes_Any_set_text(&items[1], MOTE_PB_STRING(""));
    sizes_Any_set_real(&items[2], 0);
    sizes_Any_set_yes(&items[3], false);
    CHECK_SIZE(sizes_List, &list, 4 * 2 + 11 + 2 + 9 + 2);
    sizes_Any_set_list(&any, &list);
    CHECK_SIZE(sizes_Any, &any, 2 + 32);
    sizes_Any_set_list(&any, NULL);
    CHECK_SIZE(sizes_Any, &any, 0);
}

static void keys_of_each_length(void)
{
    const mote_pb_opt_int32 one = {true, 1};
    const mote_pb_string texts[2] = {MOTE_PB_STRING_INIT("ab"), {NULL, 0}};
    const uint64_t fixed[3] = {1, 2, 3};
    const bool bools[2] = {true, false};
    const sizes_Keys keys = {.a = one,
                             .b = one,
                             .c = one,
                             .d = one,
                             .e = one,
                             .f = one,
                             .g = one,
                             .h = one,
                             .i = one,
                             .m = {leaves, 2}};

    CHECK_SIZE(sizes_Keys, &keys, 2 + 3 + 3 + 4 + 4 + 5 + 5 + 6 + 6 + (3 + 3) + (3 + 7));
    CHECK_SIZE(sizes_Keys, (&(sizes_Keys){.s = {texts, 2}}), 5 + 3);
    CHECK_SIZE(sizes_Keys, (&(sizes_Keys){.p = {fixed, 3}}), 3 + 24);
    CHECK_SIZE(sizes_Keys, (&(sizes_Keys){.q = {bools, 2}}), 3 + 2);
    CHECK_SIZE(sizes_Keys, (&(sizes_Keys){.tail = &(sizes_Keys_Tail){.x = {true, 1}}}), 4 + 2);
}

/* A number with so many bits, 0 to 64. */
static uint64_t bits(unsigned n)
{
    return n == 0 ? 0 : UINT64_MAX >> (64 - n);
}

static void numbers_of_each_length(void)
{
    int32_t i32[66], s32[66];
    uint32_t u32[66];
    int64_t i64[66], s64[66];
    uint64_t u64[66];
    float f[3] = {0};
    double d[2] = {0};
    const sizes_Packed packed = {{i32, 66}, {i64, 66}, {u32, 66}, {u64, 66}, {s32, 66},
                                 {s64, 66}, {f, 3},    {d, 2},    {NULL, 0}};
    size_t sized = 0, len = 0;

    for (unsigned n = 0; n < 66; n++) {
        u64[n] = n < 65 ? bits(n) : 1ull << 63;
        u32[n] = (uint32_t)(n < 33 ? bits(n) : 1ull << (n - 33) % 32);
        memcpy(&i32[n], &u32[n], sizeof i32[n]);
        memcpy(&i64[n], &u64[n], sizeof i64[n]);
        s32[n] = n % 2 ? i32[n] : -(i32[n] / 2);
        s64[n] = n % 2 ? i64[n] : -(i64[n] / 2);
    }
    CHECK_INT(sizes_Packed_encode(&packed, out, sizeof out, &len), 0);
    CHECK_SIZE(sizes_Packed, &packed, len);
    for (size_t n = 0; n < 66; n++) {
        const sizes_Packed one = {.i32 = {&i32[n], 1},
                                  .i64 = {&i64[n], 1},
                                  .u32 = {&u32[n], 1},
                                  .u64 = {&u64[n], 1},
                                  .s32 = {&s32[n], 1},
                                  .s64 = {&s64[n], 1}};
        CHECK_INT(sizes_Packed_encode(&one, out, sizeof out, &len), 0);
        CHECK_INT(sizes_Packed_size(&one, &sized), 0);
        CHECK_INT(sized, len);
    }
}

static bool give(void *user, size_t index, void *element)
{
    *(int32_t *)element = (int32_t)index;
    return user != NULL;
}

static void errors_are_those_of_the_table(void)
{
    const sizes_Near near = {.leaf = &leaf};
    sizes_Supplied supplied = {.xs = {give, out, NULL, 3}, .leaf = &leaf};
    const sizes_Outer outer = {.supplied = &supplied, .leaf = &leaf};
    size_t n = 0;

    CHECK_INT(sizes_Near_size(&near, &n), MOTE_PB_ERR_REQUIRED);
    CHECK_INT(mote_pb_size(&sizes_Near_encoder, &near, &n), MOTE_PB_ERR_REQUIRED);
    CHECK_INT(sizes_Supplied_size(&supplied, &n), 0);
    CHECK_INT(n, 6 + 7);
    CHECK_INT(sizes_Outer_size(&outer, &n), 0);
    CHECK_INT(n, 2 + 13 + 7);
    supplied.xs.user = NULL;
    CHECK_INT(sizes_Supplied_size(&supplied, &n), MOTE_PB_ERR_SUPPLY);
    CHECK_INT(sizes_Outer_size(&outer, &n), MOTE_PB_ERR_SUPPLY);
}

int main(void)
{
    RUN(messages_inside);
    RUN(a_circle_goes_on_by_the_table);
    RUN(maps_and_oneofs);
    RUN(keys_of_each_length);
    RUN(numbers_of_each_length);
    RUN(errors_are_those_of_the_table);
    return test_summary();
}
