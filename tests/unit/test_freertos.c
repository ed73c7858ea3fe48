/* port/freertos/: tasks share a connection whose bytes pass stream buffers, to a server behind
 * them. With the double of tests/unit/freertos_double/; and by tests/freertos.sh with a kernel.
 * What a test waits for is an event, never a time. */
#include "../../port/freertos/freertos.h"
#include "../test.h"

enum { CALLS = 2, RX = 64, TX = 128, TASKS = 4, ROUNDS = 20, STACK = 16384, LINE = 48 };

/* ---- a UART, and a server at its other end -----------------------------------------------------
 */

static mote_grpc server;
static uint64_t server_memory[MOTE_GRPC_MEMORY(4, RX, 512, 4096, 128, 8, 0) / 8];
static uint8_t rx_storage[LINE + 1], tx_storage[LINE + 1];
static StaticStreamBuffer_t rx_memory, tx_memory;
static mote_freertos_line line;
static TaskHandle_t uart_task;

static int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes same = {ev->data, ev->len};

    return ev->type == MOTE_GRPC_MESSAGE ? mote_grpc_answer(call, &mote_grpc_bytes_source, &same)
                                         : 0;
}

static int never(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    (void)ev;
    return 0;
}

static const mote_grpc_method methods[] = {{.name = "Echo", .handler = echo},
                                           {.name = "Never", .handler = never}};
static const mote_grpc_service services[] = {{"a.B", methods, 2, false}};
static const mote_grpc_config server_config = {.server = true,
                                               .max_calls = 4,
                                               .slots = 8,
                                               .rx_size = RX,
                                               .tx_size = 512,
                                               .table_size = 4096,
                                               .field_size = 128,
                                               .services = services,
                                               .service_count = 1};

/* As two interrupts would: bytes that leave go to the server, and what it says arrives. */
static size_t move_bytes(void)
{
    uint8_t bytes[7];
    size_t len, n;
    BaseType_t woken = pdFALSE;

    if ((n = mote_freertos_line_leaving(&line, bytes, sizeof bytes, &woken)) > 0)
        mote_grpc_serve(&server, bytes, n);
    mote_grpc_serve(&server, NULL, 0);
    const uint8_t *out = mote_grpc_peek(&server, &len);
    if (out) {
        len = mote_freertos_line_arrived(&line, out, len < 11 ? len : 11, &woken);
        mote_grpc_ack(&server, len);
        n += len;
    }
    return n;
}

static void uart(void *unused)
{
    (void)unused;
    for (;;) {
        while (move_bytes() > 0)
            ;
        ulTaskNotifyTakeIndexed(0, pdTRUE, 1); /* until it is told, or the buffer was read */
    }
}

static void begin_to_send(void *context)
{
    (void)context;
    xTaskNotifyGiveIndexed(uart_task, 0);
}

/* ---- tasks -------------------------------------------------------------------------------------
 */

static mote_freertos_agent shared;
static mote_channel channel;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 0, 64, 8, 0) / 8];
static uint8_t input[16];
static TaskHandle_t main_task;
static unsigned wrong[TASKS];
static bool owner_has_ended;

static void tell_main(void)
{
    xTaskNotifyGiveIndexed(main_task, 0);
    vTaskSuspend(NULL);
}

static void owner(void *unused)
{
    (void)unused;
    mote_freertos_agent_run(&shared);
    owner_has_ended = true;
    tell_main();
}

static const mote_hpack_field echo_path = MOTE_HPACK_NAMED(4, ":path", "/a.B/Echo");
static const mote_hpack_field never_path = MOTE_HPACK_NAMED(4, ":path", "/a.B/Never");

static mote_status call_of(const mote_hpack_field *path, uint32_t timeout_ms, mote_agent_call *c,
                           const uint8_t *bytes, size_t len)
{
    mote_grpc_request request = {.path = path, .timeout_ms = timeout_ms};
    mote_grpc_bytes message = {bytes, len};

    return mote_agent_unary(&shared.agent, c, &request, &mote_grpc_bytes_source, &message);
}

static void caller(void *number)
{
    unsigned me = (unsigned)(uintptr_t)number;
    uint8_t got[30], sent[30];

    memset(sent, (int)me, sizeof sent);
    for (unsigned i = 0; i < ROUNDS; i++) {
        mote_agent_call c = {.buffer = got, .size = sizeof got};
        sent[0] = (uint8_t)i;
        int code = call_of(&echo_path, 60000, &c, sent, sizeof sent).code;
        wrong[me] += code != MOTE_GRPC_OK || c.len != sizeof sent || memcmp(got, sent, c.len) != 0;
    }
    tell_main();
}

static void waits_for_the_end(void *unused)
{
    uint8_t got[4];
    mote_agent_call c = {.buffer = got, .size = sizeof got};

    (void)unused;
    ulTaskNotifyTakeIndexed(0, pdTRUE, portMAX_DELAY);
    wrong[0] += call_of(&never_path, 0, &c, got, 1).code != MOTE_GRPC_UNAVAILABLE;
    tell_main();
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void wait_for_tasks(unsigned count)
{
    for (unsigned told = 0; told < count;)
        told += ulTaskNotifyTakeIndexed(0, pdTRUE, portMAX_DELAY);
}

static void tasks_share_a_line(void)
{
    wait_for_tasks(TASKS);
    for (unsigned i = 0; i < TASKS; i++)
        CHECK_INT(wrong[i], 0);
    CHECK_INT(server.active, 0);
}

static void a_deadline_ends_a_call(void)
{
    uint8_t got[4];
    mote_agent_call c = {.buffer = got, .size = sizeof got};
    uint64_t begun = mote_freertos_now_ms(NULL);

    CHECK_INT(call_of(&never_path, 30, &c, got, 1).code, MOTE_GRPC_DEADLINE_EXCEEDED);
    CHECK(mote_freertos_now_ms(NULL) - begun >= 30);
    CHECK_INT(call_of(&echo_path, 60000, &c, got, 1).code, MOTE_GRPC_OK);
}

static TaskHandle_t late_task;

static bool has_calls(void)
{
    shared.agent.os.lock(shared.agent.os.context);
    bool has = shared.agent.calls != NULL;
    shared.agent.os.unlock(shared.agent.os.context);
    return has;
}

static void the_end_ends_each_call(void)
{
    uint8_t got[4];
    mote_agent_call c = {.buffer = got, .size = sizeof got};

    xTaskNotifyGiveIndexed(late_task, 0);
    while (!has_calls())
        vTaskDelay(1);
    mote_agent_stop(&shared.agent);
    wait_for_tasks(2);
    CHECK_INT(wrong[0], 0);
    CHECK(owner_has_ended);
    CHECK_INT(call_of(&echo_path, 0, &c, got, 1).code, MOTE_GRPC_UNAVAILABLE);
}

static void tests(void *unused)
{
    (void)unused;
    RUN(tasks_share_a_line);
    RUN(a_deadline_ends_a_call);
    RUN(the_end_ends_each_call);
    vTaskEndScheduler();
    vTaskSuspend(NULL);
}

static TaskHandle_t create(void (*code)(void *), void *parameter, UBaseType_t priority)
{
    static StaticTask_t tasks[TASKS + 4];
    static StackType_t stacks[TASKS + 4][STACK];
    static unsigned count;
    unsigned i = count++;

    return xTaskCreateStatic(code, "test", STACK, parameter, priority, stacks[i], &tasks[i]);
}

int main(void)
{
    mote_grpc_config config = {.max_calls = CALLS,
                               .slots = 8,
                               .rx_size = RX,
                               .tx_size = TX,
                               .field_size = 64,
                               .authority = MOTE_GRPC_AUTHORITY("x")};

    mote_grpc_init(&server, &server_config, server_memory, sizeof server_memory);
    line.rx = xStreamBufferCreateStatic(sizeof rx_storage, 1, rx_storage, &rx_memory);
    line.tx = xStreamBufferCreateStatic(sizeof tx_storage, 1, tx_storage, &tx_memory);
    line.send = begin_to_send;
    uart_task = create(uart, NULL, 3);
    mote_channel_init(&channel, &config, memory, sizeof memory, input, sizeof input,
                      mote_freertos_line_io(&line));
    mote_freertos_agent_init(&shared, &channel, NULL, NULL);
    line.owner = create(owner, NULL, 2);
    main_task = create(tests, NULL, 1);
    late_task = create(waits_for_the_end, NULL, 1);
    for (uintptr_t i = 0; i < TASKS; i++)
        create(caller, (void *)i, 1);
    vTaskStartScheduler();
    return test_summary();
}
