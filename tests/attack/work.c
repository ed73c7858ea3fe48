/* What a byte of an attack makes a server do, counted: runs of handlers, and bytes that are
 * encoded; of Protocol Buffers, fields that are looked at. Each attack is run at three sizes of our
 * own state (what is answered, how many calls wait), and neither may grow with it. The clock moves
 * as at 10 Mbit/s. */
#include "../../examples/services/orders.mote.h"
#include "../../fuzz/schema.mote.h"
#include "../test.h"
#include <stdint.h>

static uint64_t encoded; /* bytes, or fields */
#define MOTE_PB_LOOKED_AT(n) (encoded += (n))
#include "../../pb/pb_encode.c"
#include "../../pb/pb_walk.c"
#include "../../pb/pb_walk_size.c"

/* The checks of each entry look at each call: there may be fewer of them. */
#ifdef MOTE_CHECK
enum { CALLS = 100 };
#else
enum { CALLS = 10000 };
#endif
enum { PER_MS = 1250, RX = 256, TX = 16384, BEGUN = 6 };

static mote_grpc server;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 256, 8, 0) / 8];
static uint64_t sent, runs, answered; /* bytes of the attack, and what came of them */
static uint64_t steps;                /* basic blocks of the library, in build/counted */
static size_t response;               /* bytes of an answer */

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

/* ---- a service --------------------------------------------------------------------------------
 */

/* A message costs its length when it is asked for as a whole, or how long it is; a part its own. */
static int write_zeros(const void *type, const void *message, size_t offset, uint8_t *out,
                       size_t cap, size_t *total)
{
    (void)type, (void)message, (void)offset;
    encoded += *total > 0 ? cap : response;
    if (*total > 0 || response <= cap)
        memset(out, 0, *total > 0 ? cap : response);
    *total = response;
    return 0;
}

static const mote_grpc_source zeros = {write_zeros, mote_grpc_strerror, NULL};

/* A list of groups of 11 bytes, whose walks lie beside the calls. */
static fuzz_Two_Many points[(1 << 20) / 11];
static fuzz_Two list;
static mote_pb_walk walks[CALLS];
static uint64_t walk_memory[CALLS][MOTE_PB_WALK_SIZE(2, 4) / 8];

static void make_list(size_t size)
{
    static const fuzz_Empty empty;

    list = (fuzz_Two){.id = 1, .empty = &empty, .many = {points, size / 11}};
    for (size_t i = 0; i < CALLS; i++)
        mote_pb_walk_init(&walks[i], walk_memory[i], sizeof walk_memory[i]);
}

static int send_list(mote_grpc_call *call, bool is_answer)
{
    static const mote_grpc_source source = {mote_pb_walk_part, mote_pb_strerror, &fuzz_Two_encoder};
    const mote_pb_large large = {&list, &walks[call - server.calls]};

    return is_answer ? mote_grpc_answer(call, &source, &large)
                     : mote_grpc_send(call, &source, &large, 0);
}

/* Orders and results, by the stubs that everybody uses: they keep where they are in the call. */
static mote_orders_Item items[(1 << 20) / 16];
static mote_pb_string errors[(1 << 20) / 16];
static mote_orders_Order order;
static mote_orders_ImportResult result;

static void make_order(size_t size)
{
    order = (mote_orders_Order){.items = {items, size / 16}};
    result = (mote_orders_ImportResult){.errors = {errors, size / 16}};
    for (size_t i = 0; i < size / 16; i++) {
        items[i] = (mote_orders_Item){.article = MOTE_PB_STRING("screw 4x40"), .quantity = 3};
        errors[i] = MOTE_PB_STRING("no such order.");
    }
}

static int send_order(mote_grpc_call *call, bool is_answer)
{
    return is_answer ? mote_orders_Orders_Import_answer(call, &result)
                     : mote_orders_Orders_History_write(call, &order);
}

static int send_zeros(mote_grpc_call *call, bool is_answer)
{
    return is_answer ? mote_grpc_answer(call, &zeros, NULL) : mote_grpc_send(call, &zeros, NULL, 0);
}

/* As a device's stub, which keeps nothing. */
static int send_without_a_place(mote_grpc_call *call)
{
    return mote_grpc_send(call, &mote_orders_Orders_History_response, &order, 0);
}

/* Zeros, a walk that the handler keeps, and stubs; each as an answer and in a stream. */
static int send_as_named(mote_grpc_call *call)
{
    switch (call->method->name[0]) {
    case 'D':
        return send_without_a_place(call);
    case 'A':
        return send_zeros(call, true);
    case 'S':
        return send_zeros(call, false);
    case 'P':
        return send_list(call, true);
    case 'Q':
        return send_list(call, false);
    case 'I':
        return send_order(call, true);
    default:
        return send_order(call, false);
    }
}

/* Answers the message, so it is offered again for as long as the answer is not sent. */
static int answer(mote_grpc_call *call, const mote_grpc_event *ev)
{
    runs++;
    return ev->type == MOTE_GRPC_MESSAGE ? send_as_named(call) : 0;
}

/* Streams, and is told when there is room. */
static int stream(mote_grpc_call *call, const mote_grpc_event *ev)
{
    runs++;
    if (ev->type != MOTE_GRPC_MESSAGE && ev->type != MOTE_GRPC_WRITABLE)
        return 0;
    int r = send_as_named(call);
    return r == MOTE_AGAIN ? 0 : r;
}

enum { METHODS = 6 };
static const mote_grpc_method methods[METHODS + 1] = {
    {.name = "A", .handler = answer}, {.name = "S", .handler = stream},
    {.name = "P", .handler = answer}, {.name = "Q", .handler = stream},
    {.name = "I", .handler = answer}, {.name = "H", .handler = stream},
    {.name = "D", .handler = stream}};
static const mote_grpc_service service = {"w.W", methods, METHODS + 1, false};

static void feed(const void *bytes, size_t len)
{
    size_t n;

    sent += len;
    mote_grpc_tick(&server, 1 + sent / PER_MS);
    mote_grpc_serve(&server, bytes, len);
    while (mote_grpc_peek(&server, &n)) {
        answered += n;
        mote_grpc_ack(&server, n);
        mote_grpc_serve(&server, NULL, 0);
    }
}

/* ---- frames -----------------------------------------------------------------------------------
 */

static void frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t len)
{
    uint8_t bytes[512] = {0,
                          (uint8_t)(len >> 8),
                          (uint8_t)len,
                          (uint8_t)type,
                          (uint8_t)flags,
                          (uint8_t)(id >> 24),
                          (uint8_t)(id >> 16),
                          (uint8_t)(id >> 8),
                          (uint8_t)id};

    if (len > 0)
        memcpy(bytes + 9, payload, len);
    feed(bytes, 9 + len);
}

static void initial_window(uint8_t size)
{
    uint8_t payload[6] = {0, 4, 0, 0, 0, size};

    frame(4, 0, 0, payload, sizeof payload);
}

static void window(uint32_t id, uint8_t increment)
{
    uint8_t payload[4] = {0, 0, 0, increment};

    frame(8, 0, id, payload, sizeof payload);
}

static void request(uint32_t id, char method)
{
    static uint8_t block[] = "\x83\x86\x04\x06/w.W/A\x41\x01x\x0f\x10\x10"
                             "application/grpc";

    block[9] = (uint8_t)method;
    frame(1, 4, id, block, sizeof block - 1);
    frame(0, 0, id, "\0\0\0\0\0", 5);
}

/* Calls that wait for the window of their stream, each in its message: that is sized once. */
static void begin(size_t size, unsigned waiting, char method, bool begun)
{
    static mote_grpc_config config = {.server = true,
                                      .coder = &mote_hpack_huffman_coder,
                                      .max_calls = CALLS,
                                      .rx_size = RX,
                                      .tx_size = TX,
                                      .table_size = 4096,
                                      .field_size = 256,
                                      .slots = 8,
                                      .services = &service,
                                      .service_count = 1};

    response = size;
    make_list(size);
    make_order(size);
    CHECK_INT(mote_grpc_init(&server, &config, memory, sizeof memory), 0);
    feed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    initial_window(0);
    frame(4, 1, 0, NULL, 0);
    for (unsigned i = 0; i < waiting; i++)
        request(2 * i + 1, method);
    CHECK_INT(mote_grpc_active(&server), waiting);
    if (begun)
        initial_window(BEGUN);
    CHECK_INT(mote_h2_error(&server.h2), 0);
    sent = runs = encoded = answered = steps = 0;
}

/* ---- the attacks ------------------------------------------------------------------------------
 */

/* A byte for one stream, again and again. */
static void dribble_one(unsigned waiting)
{
    (void)waiting;
    for (int i = 0; i < 500; i++)
        window(1, 1);
}

/* ... for each in turn. */
static void dribble_each(unsigned waiting)
{
    for (unsigned i = 0; i < 1000; i++)
        window(2 * (i * 7 % waiting) + 1, 1);
}

/* All streams have windows, the connection has none but what comes by bytes. */
static void dribble_connection(unsigned waiting)
{
    server.h2.send_window = 0; /* as if it had been used */
    initial_window(100 + BEGUN);
    runs = encoded = sent = answered = steps = 0;
    for (unsigned i = 0; i < 500; i++)
        window(0, 1);
    (void)waiting;
}

/* SETTINGS that change nothing, as many as the budget bears. */
static void settings(unsigned waiting)
{
    (void)waiting;
    for (unsigned i = 0; i < 500; i++)
        frame(4, 0, 0, NULL, 0);
}

/* What wakes nobody. */
static void pings(unsigned waiting)
{
    (void)waiting;
    for (unsigned i = 0; i < 500; i++)
        frame(6, 0, 0, "\0\0\0\0\0\0\0\0", 8);
}

typedef struct {
    const char *name;
    void (*run)(unsigned waiting);
    uint64_t runs;    /* of handlers for 1,000 bytes of the attack, at the most */
    uint64_t encoded; /* bytes, or fields, for 1,000 of the attack */
    uint64_t steps;   /* for a byte */
} row;

static const row rows[] = {
    {"a window that opens by bytes", dribble_one, 80, 1000, 100},
    {"windows that open by bytes in turn", dribble_each, 80, 1000, 100},
    {"the connection's window opens by bytes", dribble_connection, 160, 1000, 100},
    {"SETTINGS that change nothing", settings, 0, 0, 100},
    {"PINGs", pings, 0, 0, 100},
};

static void check(const row *r, const char *of, size_t size, uint64_t done, uint64_t bound)
{
    if (done * 1000 <= bound * sent)
        return;
    printf("%s, %s: %llu for %llu bytes (state of %zu)\n", r->name, of, (unsigned long long)done,
           (unsigned long long)sent, size);
    test_ok = false;
}

static void run(const row *r, size_t size, unsigned waiting, char method)
{
    begin(size, waiting, method, true);
    r->run(waiting);
    CHECK_INT(mote_h2_error(&server.h2), 0);
    check(r, "runs of handlers", waiting, runs, r->runs);
    check(r, "encoded", size, encoded, r->encoded);
    check(r, "steps", size, steps, 1000 * r->steps);
    printf("%-40s %c %7zu bytes, %4u calls: for 1,000 bytes of attack %4llu runs, %6llu bytes "
           "encoded, %7llu steps, %4llu answered\n",
           r->name, method, size, waiting, (unsigned long long)(runs * 1000 / sent),
           (unsigned long long)(encoded * 1000 / sent), (unsigned long long)(steps * 1000 / sent),
           (unsigned long long)(answered * 1000 / sent));
}

static void work_does_not_grow_with_our_state(void)
{
    static const size_t sizes[] = {1 << 10, 1 << 20};
    static const unsigned waiting[] = {1, 100, CALLS};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t j = 0; j < 2; j++) {
            for (const mote_grpc_method *m = methods; m < methods + METHODS; m++)
                run(&rows[i], sizes[j], 1, m->name[0]);
        }
        for (size_t j = 1; j < 3; j++) {
            for (const mote_grpc_method *m = methods; m < methods + METHODS; m++)
                run(&rows[i], sizes[0], waiting[j], m->name[0]);
        }
    }
}

/* Calls whose time is over at once, beside others that wait: those are not looked at for each. */
static void deadlines_look_at_few_calls(void)
{
    enum { ATTACK = 50 };
    static const unsigned waiting[] = {1, 10, CALLS - ATTACK};
    static uint8_t block[] = "\x83\x86\x04\x06/w.W/S\x41\x01x\x0f\x10\x10"
                             "application/grpc"
                             "\x00\x0cgrpc-timeout\x02"
                             "1m";

    for (size_t i = 0; i < 3; i++) {
        begin(1000, waiting[i], 'S', false);
        for (unsigned k = 0; k < ATTACK; k++) {
            frame(1, 4, 2 * (waiting[i] + k) + 1, block, sizeof block - 1);
            mote_grpc_tick(&server, server.now_ms + 2);
            mote_grpc_serve(&server, NULL, 0);
        }
        printf("deadlines beside %5u calls: %llu steps for %llu bytes\n", waiting[i],
               (unsigned long long)steps, (unsigned long long)sent);
        CHECK(steps <= 120 * sent);
        CHECK_INT(mote_h2_error(&server.h2), 0);
        mote_grpc_tick(&server, server.now_ms + 1 + CALLS / 64);
        mote_grpc_serve(&server, NULL, 0);
        CHECK_INT(mote_grpc_active(&server), waiting[i]);
    }
}

/* A device's stub walks its message for each part: no more than once, so that a byte of the attack
 * costs at the most a thirteenth of the message, which is what the device has room for. */
static void parts_of_a_device_walk_its_message_once(void)
{
    static const size_t sizes[] = {64, 256, 1024};

    for (size_t i = 0; i < 3; i++) {
        begin(sizes[i], 1, 'D', true);
        dribble_one(1);
        uint64_t fields = 4 + sizes[i] / 16 * 4; /* each item, and what is in it */
        printf("a device's message of %4zu bytes: %u fields in %u parts\n", sizes[i],
               (unsigned)encoded, (unsigned)runs);
        CHECK(runs > 0 && encoded <= (runs + 1) * fields);
        CHECK(encoded * 13 <= (sent + 13) * fields);
    }
}

/* Windows of a few bytes are legal, and all of a message comes through them. */
static void small_windows_carry_a_message(void)
{
    static const uint8_t sizes[] = {1, 64, 133};

    for (size_t i = 0; i < sizeof sizes; i++) {
        for (const mote_grpc_method *m = methods; m < methods + METHODS; m++) {
            begin(5000, 1, m->name[0], false);
            initial_window(sizes[i]);
            uint64_t before = 0;
            while (answered != before) {
                before = answered;
                window(1, sizes[i]);
            }
            CHECK(answered >= 5005);
            CHECK_INT(mote_h2_error(&server.h2), 0);
        }
    }
}

int main(void)
{
    RUN(work_does_not_grow_with_our_state);
    RUN(deadlines_look_at_few_calls);
    RUN(parts_of_a_device_walk_its_message_once);
    RUN(small_windows_carry_a_message);
    return test_summary();
}
