/*
 * A fuzz target for a service of mote, to be copied: the service is below, and all that a client
 * may say to it is the input, from behind the SETTINGS on. docs/testing.md says how to build and
 * run it. A program's own service takes the place of `services`, its messages that of `methods`.
 */
#include "../../fuzz/mutator.h"
#include "../../fuzz/snapshot.h"
#include "../../grpc/grpc.h"
#include "../services/orders.mote.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the service ---------------------------------------------------------------------------- */

static unsigned imports; /* of this connection */

/* tests/fuzz/figures.py plants a bug here and measures how long it takes to be found. */
#ifndef MOTE_PLANTED
#define MOTE_PLANTED 0
#endif

static void check_planted(const mote_orders_Order *o)
{
    if (MOTE_PLANTED == 1 && imports == 3)
        abort();
    for (size_t i = 0; MOTE_PLANTED == 2 && i < o->items.count; i++) {
        const mote_orders_Item *item = &o->items.items[i];
        if (item->quantity > 1000 && item->article.len == 4 &&
            memcmp(item->article.data, "void", 4) == 0)
            abort();
    }
}

static int import(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static uint64_t arena_memory[128];
    mote_orders_ImportResult *result = call->user;
    mote_pb_arena arena;
    mote_orders_Order order;

    if (ev->type == MOTE_GRPC_START)
        imports++;
    if (ev->type == MOTE_GRPC_MESSAGE) {
        mote_pb_arena_init(&arena, arena_memory, sizeof arena_memory);
        if (mote_orders_Orders_Import_read(ev, &order, &arena) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        check_planted(&order);
        order.items.count > 0 ? result->succeeded++ : result->failed++;
    }
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_orders_Orders_Import_answer(call, result) : 0;
}

static const mote_grpc_method import_method[] = {{"Import", import, NULL, NULL, NULL, true, false}};
static const mote_grpc_service services[] = {{"mote.orders.Orders", import_method, 1, false}};

/* ---- what the mutator is told --------------------------------------------------------------- */

static const mote_mutator_method methods[] = {
    {NULL, &mote_orders_Order_layout, &mote_orders_ImportResult_layout}};
static const mote_mutator_config mutations = {.methods = methods, .method_count = 1};

/* Preface and SETTINGS, which are behind all inputs. */
static const char before[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    mote_mutator_use(&mutations);
    return mote_mutator_context((const uint8_t *)before, sizeof before - 1);
}

/* ---- the target ------------------------------------------------------------------------------ */

MOTE_GRPC_STORAGE(fuzzed, max_calls = 4, slots = 8, rx_size = 512, tx_size = 512, table_size = 512,
                  field_size = 128, user_size = sizeof(mote_orders_ImportResult));
static const mote_grpc_config config = {MOTE_GRPC_SIZES(fuzzed), .server = true,
                                        .services = services, .service_count = 1};
static mote_grpc grpc;
static mote_snapshot snapshot;

static void feed(const uint8_t *data, size_t size)
{
    size_t len;

    mote_grpc_serve(&grpc, data, size);
    while (mote_grpc_peek(&grpc, &len)) {
        mote_grpc_ack(&grpc, len);
        mote_grpc_serve(&grpc, data, 0);
    }
}

static void prepare(void)
{
    if (mote_grpc_init(&grpc, &config, fuzzed_memory, sizeof fuzzed_memory) < 0)
        abort();
    mote_grpc_tick(&grpc, 1);
    feed((const uint8_t *)before, sizeof before - 1);
    mote_snapshot_add(&snapshot, &grpc, sizeof grpc);
    mote_snapshot_add(&snapshot, fuzzed_memory, sizeof fuzzed_memory);
    mote_snapshot_add(&snapshot, &imports, sizeof imports);
    mote_snapshot_take(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!mote_snapshot_is_taken(&snapshot))
        prepare();
    mote_snapshot_restore(&snapshot);
    feed(data, size);
    mote_grpc_recv_eof(&grpc);
    feed(data, 0);
    if (mote_grpc_active(&grpc) != 0) /* each call has its end */
        abort();
    return 0;
}
