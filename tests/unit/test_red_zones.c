/* With MOTE_RED_ZONES under the address sanitizer nobody may touch the byte behind a part of a
 * connection's memory, or behind what an arena gave.
 */
#define MOTE_RED_ZONES
#include "../../grpc/grpc_init.c"
#include "../../pb/pb_arena.c"

#include "../../fuzz/schema3.mote.h"
#include "../test.h"

#include <sanitizer/asan_interface.h>

#define IS_FORBIDDEN(p) (__asan_address_is_poisoned(p) != 0)

enum { CALLS = 3, RX = 77, TX = 301, USER = 13, FIELD = 65, SLOTS = 3, TABLE = 128 };
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, TABLE, FIELD, SLOTS, USER) / 8];
static mote_grpc grpc;

static mote_grpc_config config_of(uint32_t rx_size)
{
    return (mote_grpc_config){.max_calls = CALLS,
                              .slots = SLOTS,
                              .rx_size = rx_size,
                              .tx_size = TX,
                              .table_size = TABLE,
                              .field_size = FIELD,
                              .user_size = USER,
                              .dynamic = &mote_hpack_dynamic_table,
                              .authority = MOTE_GRPC_AUTHORITY("test")};
}

/* All of a part may be written, and nothing behind it. */
static void check_part(void *part, size_t size)
{
    uint8_t *bytes = part;

    for (size_t i = 0; i < size; i++)
        bytes[i] = bytes[i];
    CHECK(IS_FORBIDDEN(bytes + size));
}

static void parts_of_a_connection_have_red_zones(void)
{
    static mote_grpc_config config;

    config = config_of(RX);
    for (int again = 0; again < 2; again++) {
        CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
        check_part(grpc.h2.streams, CALLS * sizeof(mote_h2_stream));
        check_part(grpc.h2.tx.bytes, TX);
        check_part(grpc.h2.decoder.scratch, FIELD);
        check_part(grpc.calls, CALLS * sizeof(mote_grpc_call));
        for (int i = 0; i < CALLS; i++) {
            check_part(grpc.calls[i].user, USER);
            check_part(grpc.calls[i].rx, RX);
            grpc.calls[i].grpc = &grpc;
            if (MOTE_GRPC_PLACE > 0)
                check_part(mote_grpc_place_of(&grpc.calls[i]), MOTE_GRPC_PLACE);
        }
    }
    config.rx_size++; /* up to a multiple of 8 there is room */
    config.max_calls++;
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), MOTE_GRPC_ERR_CONFIG);
}

static void what_an_arena_gives_has_red_zones(void)
{
    static const uint8_t message[] = {0xba, 1, 3, 1, 2, 3, 0x8a, 2, 2, 0x18, 5};
    static uint64_t space[512];
    mote_pb_arena arena;
    fuzz_Three m;

    for (int again = 0; again < 2; again++) {
        mote_pb_arena_init(&arena, space, sizeof space);
        CHECK_INT(fuzz_Three_decode(&m, message, sizeof message, &arena), 0);
        CHECK_INT(m.i32s.count, 3);
        check_part((void *)(uintptr_t)m.i32s.items, 3 * sizeof(int32_t));
        CHECK_INT(m.self->i32, 5);
        CHECK(IS_FORBIDDEN((const uint8_t *)(m.self + 1)));
        CHECK(IS_FORBIDDEN((const uint8_t *)m.self - 1));
    }
}

int main(void)
{
    RUN(parts_of_a_connection_have_red_zones);
    RUN(what_an_arena_gives_has_red_zones);
    return test_summary();
}
