/* Sizes of packed numbers, which functions T_size() add up without a table: each at the numbers
 * where a varint becomes a byte longer. */
#include "../../pb/sizes.h"
#include "../test.h"

enum { MOST = 64 };

/* Protocol Buffers, "Base 128 Varints". */
static unsigned varint(uint64_t v)
{
    unsigned n = 1;

    while (v >>= 7)
        n++;
    return n;
}

static uint64_t zigzag(int64_t v)
{
    return v < 0 ? ~((uint64_t)v << 1) : (uint64_t)v << 1;
}

static void each_length_of_a_varint(void)
{
    for (unsigned bits = 0; bits < 64; bits++) {
        for (int near = -1; near <= 1; near++) {
            uint64_t v = ((uint64_t)1 << bits) + (uint64_t)near;
            for (int sign = 0; sign < 2; sign++, v = 0 - v) {
                int64_t s = (int64_t)v;
                uint32_t u32[] = {1, (uint32_t)v};
                int32_t s32[] = {1, (int32_t)(uint32_t)v};
                uint64_t u64[] = {1, v};
                int64_t s64[] = {1, s};
                CHECK_INT(mote_pb_sizes_varint(v), varint(v));
                CHECK_INT(mote_pb_sizes_zigzag(s), varint(zigzag(s)));
                CHECK_INT(mote_pb_sizes_prefixed(v), varint(v) + v);
                CHECK_INT(mote_pb_sizes_uint32s(u32, 2), 1 + varint(u32[1]));
                CHECK_INT(mote_pb_sizes_int32s(s32, 2), 1 + varint((uint64_t)s32[1]));
                CHECK_INT(mote_pb_sizes_sint32s(s32, 2), 1 + varint(zigzag(s32[1])));
                CHECK_INT(mote_pb_sizes_uint64s(u64, 2), 1 + varint(v));
                CHECK_INT(mote_pb_sizes_int64s(s64, 2), 1 + varint(v));
                CHECK_INT(mote_pb_sizes_sint64s(s64, 2), 1 + varint(zigzag(s)));
            }
        }
    }
}

static void many_are_added_up(void)
{
    uint32_t items[MOST];

    for (size_t i = 0; i < MOST; i++)
        items[i] = (uint32_t)1 << i % 32;
    for (size_t count = 0; count <= MOST; count++) {
        uint64_t all = 0;
        for (size_t i = 0; i < count; i++)
            all += varint(items[i]);
        CHECK_INT(mote_pb_sizes_uint32s(items, count), all);
        CHECK_INT(mote_pb_sizes_packed(2, all), count > 0 ? 2 + varint(all) + all : 0);
    }
}

static void minus_nothing_is_there(void)
{
    CHECK(!mote_pb_sizes_float(0.0f) && mote_pb_sizes_float(-0.0f) && mote_pb_sizes_float(1.0f));
    CHECK(!mote_pb_sizes_double(0.0) && mote_pb_sizes_double(-0.0) && mote_pb_sizes_double(1.0));
}

int main(void)
{
    RUN(each_length_of_a_varint);
    RUN(many_are_added_up);
    RUN(minus_nothing_is_there);
    return test_summary();
}
