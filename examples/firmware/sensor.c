/*
 * The sensor of examples/sensor.c as firmware: it streams samples over the board's line to a
 * collector, and keeps what is not acknowledged. A line does not tell when the other end has gone:
 * a PING that is not answered does, and then the device begins again, with a preface that
 * build/mote-serial takes for a new connection.
 */
#include "../../port/cortex-m/board.h"
#include "../sensor_core.h"

enum { RX = 64, TX = 256, FIELD = 96, SLOTS = 8, RING = 576, RETRY_MS = 300 };

static mote_grpc grpc;
static mote_grpc_life life;
static uint64_t memory[MOTE_GRPC_MEMORY(SENSOR_CALLS, RX, TX, 0, FIELD, SLOTS, 0) / 8];
static uint8_t ring[RING];
static sensor_core sensor;
static uint64_t begin_ms, sample_ms;

static void begin(void)
{
    static const mote_grpc_config config = {.max_calls = SENSOR_CALLS,
                                            .rx_size = RX,
                                            .tx_size = TX,
                                            .field_size = FIELD,
                                            .slots = SLOTS,
                                            .authority = "collector"};

    mote_grpc_init(&grpc, &config, memory, sizeof memory);
    life = (mote_grpc_life){.keepalive_ms = 2000, .keepalive_timeout_ms = 1000};
    sensor_begin(&sensor);
}

/* What a bare board can tell of itself. With a full ring the reading is taken again later. */
static void take_samples(uint64_t now)
{
    if (now < sample_ms)
        return;
    if (sensor_put(&sensor, "uptime_s", (double)(uint32_t)now / 1000, (int64_t)now) &&
        sensor_put(&sensor, "stack_bytes", (double)(uint32_t)board_stack_used(), (int64_t)now))
        sample_ms = now + sensor.interval_ms;
}

/* False: the connection has failed. */
static bool receive(uint64_t now)
{
    uint8_t bytes[16];
    size_t used, len = board_read(bytes, sizeof bytes);
    const uint8_t *in = bytes;
    mote_grpc_event ev;
    int r;

    mote_grpc_tick(&grpc, now);
    mote_grpc_life_tick(&life, &grpc, now);
    while ((r = mote_grpc_recv(&grpc, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        sensor_event(&sensor, &ev);
    }
    return r == 0 && !sensor.broken;
}

static void write_some(void)
{
    size_t len;
    const uint8_t *out = mote_grpc_peek(&grpc, &len);

    if (out) {
        len = len < 16 ? len : 16; /* then it listens again */
        board_write(out, len);
        mote_grpc_ack(&grpc, len);
    }
}

int main(void)
{
    sensor_init(&sensor, BOARD_NAME, ring, sizeof ring, MOTE_OUTBOX_REFUSE);
    begin();
    for (;;) {
        uint64_t now = board_now_ms();
        take_samples(now);
        if (now < begin_ms) { /* what the line still says is of the connection before */
            uint8_t rest[16];
            board_read(rest, sizeof rest);
            continue;
        }
        if (!receive(now)) {
            begin_ms = now + RETRY_MS;
            begin();
            continue;
        }
        sensor_work(&sensor, &grpc);
        write_some();
    }
}
