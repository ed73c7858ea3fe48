/*
 * A sensor that speaks OpenTelemetry as firmware: what the board can tell of itself goes over its
 * line to a Collector, by OTLP/gRPC; build/mote-serial --dial=HOST:4317 takes it there. While there
 * is no connection points wait; the gauge's in a ring, the others beside their instruments.
 *
 * BUILT_S is the time at which the board was switched on, in seconds since 1970: these boards are
 * emulated and have no clock of their own that knows. A device asks its network.
 */
#include "../../grpc/life.h"
#include "../../grpc/services/otlp.h"
#include "epoch.h"
#include "line.h"

#include <string.h>

#ifndef SAMPLES
#define SAMPLES 0 /* so many, and then it only sends what waits; 0: without end */
#endif

enum { SAMPLE_MS = 250, SEND_MS = 500, TIMEOUT_MS = 5000, TOO_LATE_MS = 10000, RESPONSE = 64 };

/* ---- what it tells ------------------------------------------------------------------------- */

static const double bounds[] = {1, 2, 5, 10};
MOTE_OTLP_COUNTER(samples, "mote.samples", "{sample}", "since the start", MOTE_OTLP_PLAIN);
MOTE_OTLP_GAUGE_OF_INT(number, "mote.sample", "", "its number", MOTE_OTLP_PLAIN);
MOTE_OTLP_GAUGE_OF_INT(stack, "mote.stack", "By", "the most that was used", MOTE_OTLP_PLAIN);
MOTE_OTLP_HISTOGRAM(lateness, "mote.sample.late", "ms", "", bounds, MOTE_OTLP_PLAIN);
MOTE_OTLP_COUNTER(dropped, "mote.dropped", "", "points without room", MOTE_OTLP_PLAIN);
static mote_otlp_instrument *const instruments[] = {&samples.base, &number.base, &stack.base,
                                                    &lateness.base, &dropped.base};
static const mote_otlp_KeyValue resource[] = {MOTE_OTLP_TEXT("service.name", "mote"),
                                              MOTE_OTLP_TEXT("device.model.name", BOARD_NAME)};
static const mote_otlp_config config = {.resource = resource,
                                        .resource_count = 2,
                                        .instruments = instruments,
                                        .instrument_count = 5,
                                        .timeout_ms = TIMEOUT_MS,
                                        .request_size = 1024,
                                        .first_ms = 500,
                                        .most_ms = 5000};
MOTE_OTLP_STORAGE(points, record = 192, ring = 1280);
static mote_otlp_metrics metrics;
static mote_otlp_exporter *const leaving = &metrics.exporter;

/* The whole bill of what OTLP takes here. */
_Static_assert(MOTE_RAM_OTLP(mote_otlp_metrics, points) + 4 * sizeof(mote_otlp_sum) +
                       MOTE_RAM_OTLP_HISTOGRAM(4) <=
                   2700,
               "RAM for OTLP");

static uint64_t unix_nano(uint64_t now)
{
    return (uint64_t)BUILT_S * 1000000000u + now * 1000000u;
}

static void take_sample(uint64_t late)
{
    static int64_t n;

    if (SAMPLES > 0 && n == SAMPLES)
        return;
    mote_otlp_add(&samples, 1);
    mote_otlp_set_int(&number, ++n);
    mote_otlp_set_int(&stack, (int64_t)board_stack_used());
    mote_otlp_observe(&lateness, (double)(uint32_t)late);
}

/* What is due, and what the ledger says of it. */
static void tell(uint64_t now)
{
    static uint64_t due;
    int64_t lost = (int64_t)mote_otlp_ledger_of(leaving).dropped;

    if (now < due)
        return;
    take_sample(due > 0 ? now - due : 0);
    mote_otlp_add(&dropped, lost - dropped.base.value.i);
    mote_otlp_collect(&metrics, unix_nano(now));
    due = now + SAMPLE_MS;
}

/* ---- a call -------------------------------------------------------------------------------- */

static mote_grpc grpc;
static mote_grpc_life life = {.connect_ms = 5000, .backoff = {.most_ms = 5000}};
MOTE_GRPC_STORAGE(sensor, max_calls = 1, slots = 8, rx_size = 133, tx_size = 256, table_size = 0,
                  field_size = 256, user_size = 0);
static mote_serial line;
static bool up; /* a connection was begun, and its end is not yet dealt with */
static mote_grpc_call *call;
static bool sent; /* the request of the call */
static uint8_t response[RESPONSE];
static size_t response_len;

/* Begins a request where it is time, and sends as much of it as there is room for. */
static void work(uint64_t now)
{
    static uint64_t send_ms;

    if (!leaving->leaves) {
        if (now < send_ms || mote_otlp_begin(leaving, now) < 0)
            return;
        send_ms = now + SEND_MS;
        sent = false;
        response_len = 0;
    }
    if (!call)
        mote_grpc_start(&grpc, &leaving->request, &call);
    if (call && !sent)
        sent = mote_grpc_send(call, &mote_otlp_source, &leaving->message, MOTE_GRPC_LAST) == 0;
}

static void on_event(const mote_grpc_event *ev, uint64_t now)
{
    mote_otlp_metadata(leaving, ev);
    if (ev->type == MOTE_GRPC_MESSAGE && ev->len <= RESPONSE) {
        memcpy(response, ev->data, ev->len);
        response_len = ev->len;
    }
    if (ev->type != MOTE_GRPC_STATUS)
        return;
    mote_otlp_end(leaving, ev->code, response, response_len, now);
    call = NULL;
    if (ev->code == MOTE_GRPC_OK)
        mote_grpc_life_of_use(&life);
}

static bool hear(const uint8_t *in, size_t len, uint64_t now)
{
    mote_grpc_event ev;
    size_t used;
    int r;

    while ((r = mote_grpc_recv(&grpc, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        on_event(&ev, now);
    }
    return r == 0;
}

/* ---- the line ------------------------------------------------------------------------------ */

static void begin(uint64_t now)
{
    static const mote_grpc_config of_line = {MOTE_GRPC_SIZES(sensor),
                                             .authority = MOTE_GRPC_AUTHORITY("collector")};

    mote_grpc_init(&grpc, &of_line, sensor_memory, sizeof sensor_memory);
    mote_grpc_life_begin(&life, now);
    mote_serial_open(&line);
    up = true;
}

/* Bytes of the line, and after them the time. False: the connection is over. */
static bool receive(uint64_t now)
{
    uint8_t bytes[16];
    size_t len = board_read(bytes, sizeof bytes);
    const uint8_t *in = bytes;
    mote_serial_event ev;
    bool ok = true;

    while (mote_serial_receive(&line, &in, &len, &ev))
        ok = ok && ev.type != MOTE_SERIAL_ENDS &&
             (ev.type != MOTE_SERIAL_DATA || hear(ev.data, ev.len, now));
    mote_grpc_tick(&grpc, now);
    mote_grpc_life_tick(&life, &grpc, now);
    return ok && hear(NULL, 0, now);
}

/* What was leaving waits again: whether it had arrived nobody knows. */
static uint64_t end(uint64_t now)
{
    mote_serial_close(&line);
    up = false;
    if (leaving->leaves)
        mote_otlp_end(leaving, MOTE_GRPC_UNAVAILABLE, NULL, 0, now);
    call = NULL;
    return now + mote_grpc_life_end(&life, &grpc, now);
}

int main(void)
{
    uint32_t random = (uint32_t)emulated_board_epoch();
    uint64_t begin_ms = 0;

    life.random = random;
    mote_outbox_init(&points_outbox, points_ring_memory, points_ring, MOTE_OUTBOX_DROP_OLDEST, 1);
    mote_otlp_metrics_init(&metrics, &config, &points_outbox, MOTE_OTLP_RECORD(points),
                           unix_nano(0), random);
    line_report("otlp");
    for (;;) {
        uint64_t now = board_now_ms();
        tell(now);
        mote_serial_tick(&line, now);
        if (!up && now >= begin_ms)
            begin(now);
        if ((!receive(now) || !mote_serial_is_open(&line)) && up)
            begin_ms = end(now);
        if (up)
            work(now);
        line_write_some(&line, &grpc);
    }
}
