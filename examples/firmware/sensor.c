/*
 * The sensor of examples/fleet/sensor.c as firmware: it streams samples over the board's line to a
 * collector, and keeps what is not acknowledged. Where noise or the other end has ended the
 * connection, it begins another one; build/mote-serial takes each to the collector.
 */
#include "../../grpc/life.h"
#include "../fleet/sensor_core.h"
#include "epoch.h"
#include "line.h"

enum { RING = 576 };

static mote_grpc grpc;
static mote_grpc_life life = {.connect_ms = SENSOR_CONNECT_MS,
                              .keepalive_ms = SENSOR_KEEPALIVE_MS,
                              .backoff = {.most_ms = SENSOR_BACKOFF_MS}};
MOTE_GRPC_STORAGE(sensor, max_calls = SENSOR_CALLS, slots = 8, rx_size = 64, tx_size = 256,
                  table_size = 0, field_size = 96, user_size = 0);
static uint8_t ring[RING];
static sensor_core sensor;
static mote_serial line;
static uint64_t sample_ms;
static uint64_t begin_ms; /* when the next connection is due; BEGUN: there is one, until its end is
                             dealt with */
#define BEGUN UINT64_MAX

static void begin(uint64_t now)
{
    static const mote_grpc_config config = {MOTE_GRPC_SIZES(sensor),
                                            .authority = MOTE_GRPC_AUTHORITY("collector")};

    mote_grpc_init(&grpc, &config, sensor_memory, sizeof sensor_memory);
    mote_grpc_life_begin(&life, now);
    sensor_begin(&sensor, now);
    mote_serial_open(&line);
    begin_ms = BEGUN;
}

/* What a bare board can tell of itself. With a full ring the reading is taken again later. */
static void take_samples(uint64_t now)
{
    sensor.clock_ms = now ? now : 1; /* this board does not know the time of day */
    if (now < sample_ms)
        return;
    if (sensor_put(&sensor, "uptime_s", (double)(uint32_t)now / 1000, (int64_t)now) &&
        sensor_put(&sensor, "stack_bytes", (double)(uint32_t)board_stack_used(), (int64_t)now))
        sample_ms = now + sensor.interval_ms;
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
             (ev.type != MOTE_SERIAL_DATA || sensor_hear(&sensor, &grpc, ev.data, ev.len));
    mote_grpc_tick(&grpc, now);
    if (sensor.link == SENSOR_UPLOADS)
        mote_grpc_life_of_use(&life);
    mote_grpc_life_tick(&life, &grpc, now);
    return ok && sensor_hear(&sensor, &grpc, NULL, 0) && !sensor_is_stuck(&sensor, now);
}

int main(void)
{
    uint64_t epoch = emulated_board_epoch();

    sensor_init(&sensor, BOARD_NAME, ring, sizeof ring, MOTE_OUTBOX_REFUSE, epoch);
    life.random = (uint32_t)epoch;
    line_report("sensor");
    for (;;) {
        uint64_t now = board_now_ms();
        take_samples(now);
        mote_serial_tick(&line, now);
        if (now >= begin_ms)
            begin(now);
        if ((!receive(now) || !mote_serial_is_open(&line)) && begin_ms == BEGUN) {
            mote_serial_close(&line);
            begin_ms = now + mote_grpc_life_end(&life, &grpc, now);
        }
        if (begin_ms == BEGUN)
            sensor_work(&sensor, &grpc, now);
        line_write_some(&line, &grpc);
    }
}
