/*
 * The sensor of examples/firmware/sensor.c through a modem that speaks PPP: the same source for
 * what is said and heard, lwIP below. The modem is called by ATD*99#. The collector is at
 * COLLECTOR_ADDRESS and COLLECTOR_PORT.
 */
#include "../../port/cortex-m/board.h"
#include "../../port/lwip/ppp.h"
#include "../../grpc/life.h"
#include "../fleet/sensor_core.h"
#include "epoch.h"

#include <string.h>

enum { RING = 1024, DIAL_MS = 30000 };

static mote_grpc grpc;
static mote_grpc_life life = {.connect_ms = SENSOR_CONNECT_MS,
                              .keepalive_ms = SENSOR_KEEPALIVE_MS,
                              .backoff = {.most_ms = SENSOR_BACKOFF_MS}};
MOTE_GRPC_STORAGE(sensor, max_calls = SENSOR_CALLS, slots = 8, rx_size = 128, tx_size = 512,
                  table_size = 0, field_size = 96, user_size = 0);
static uint8_t ring[RING];
static sensor_core sensor;
static uint64_t sample_ms;

/* ---- the modem ----------------------------------------------------------------------------- */

static enum { ON_HOOK, DIALS, IN_CALL } modem;
static mote_backoff redial = {.most_ms = SENSOR_BACKOFF_MS};
static uint64_t dial_ms; /* when it is called again */

static void dial(uint64_t now)
{
    board_write((const uint8_t *)"ATD*99#\r", 8);
    modem = DIALS;
    dial_ms = now + DIAL_MS;
}

static void hang_up(uint64_t now)
{
    mote_ppp_close();
    modem = ON_HOOK;
    dial_ms = now + mote_backoff_next(&redial, life.random);
}

/* A line of the modem, whose bytes come one by one: what it says of the call (ITU-T V.250 5.7.1).
 */
static void hear_modem(uint8_t byte, uint64_t now)
{
    static const char *const refusals[] = {"BUSY", "ERROR", "NO CARRIER", "NO DIALTONE"};
    static char said[12];
    static size_t len;

    if (byte >= ' ') {
        said[len] = (char)byte;
        len += len < sizeof said - 1;
        return;
    }
    said[len] = '\0';
    len = 0;
    if (modem == DIALS && memcmp(said, "CONNECT", 7) == 0 && mote_ppp_open())
        modem = IN_CALL;
    for (size_t i = 0; modem == DIALS && i < sizeof refusals / sizeof refusals[0]; i++) {
        if (strcmp(said, refusals[i]) == 0)
            hang_up(now);
    }
}

/* Bytes of the line; the state of the call follows. */
static void use_modem(uint64_t now)
{
    uint8_t bytes[64];
    size_t len = board_read(bytes, sizeof bytes), used = 0;

    for (; used < len && modem != IN_CALL; used++)
        hear_modem(bytes[used], now);
    if (modem == IN_CALL)
        mote_ppp_receive(bytes + used, len - used);
    mote_ppp_poll(now);
    if (modem == IN_CALL && mote_ppp_look() == MOTE_PPP_DOWN)
        hang_up(now);
    if (modem != IN_CALL && now >= dial_ms)
        dial(now);
}

/* ---- a connection -------------------------------------------------------------------------- */

static mote_lwip line;
static bool connected; /* or it is being tried */
static uint64_t retry_ms;

static void begin(uint64_t now)
{
    static const mote_grpc_config config = {MOTE_GRPC_SIZES(sensor),
                                            .authority = MOTE_GRPC_AUTHORITY("collector")};

    mote_grpc_init(&grpc, &config, sensor_memory, sizeof sensor_memory);
    mote_grpc_life_begin(&life, now);
    sensor_begin(&sensor, now);
    mote_lwip_connect(&line, COLLECTOR_ADDRESS, COLLECTOR_PORT);
    connected = true;
}

static void send(void)
{
    size_t len, n = 1;
    const uint8_t *out;

    while (n > 0 && (out = mote_grpc_peek(&grpc, &len))) {
        n = mote_lwip_write(&line, out, len);
        mote_grpc_ack(&grpc, n);
    }
}

static void end(uint64_t now)
{
    mote_grpc_shutdown(&grpc);
    send(); /* GOAWAY */
    mote_lwip_close(&line);
    connected = false;
    retry_ms = now + mote_grpc_life_end(&life, &grpc, now);
}

/* A turn of an open connection. */
static bool work(uint64_t now)
{
    const uint8_t *in;
    size_t len;
    bool ok = !mote_lwip_over(&line) && mote_ppp_look() == MOTE_PPP_UP;

    while (ok && (in = mote_lwip_peek(&line, &len))) {
        ok = sensor_hear(&sensor, &grpc, in, len);
        mote_lwip_take(&line, len);
    }
    mote_grpc_tick(&grpc, now);
    if (sensor.link == SENSOR_UPLOADS)
        mote_grpc_life_of_use(&life);
    mote_grpc_life_tick(&life, &grpc, now);
    if (!ok || !sensor_hear(&sensor, &grpc, NULL, 0) || sensor_is_stuck(&sensor, now))
        return false;
    if (mote_lwip_ready(&line)) {
        redial.next_ms = 0; /* the network works */
        sensor_work(&sensor, &grpc, now);
        send();
    }
    return true;
}

static void take_samples(uint64_t now)
{
    sensor.clock_ms = now ? now : 1; /* this board does not know the time of day */
    if (now < sample_ms)
        return;
    if (sensor_put(&sensor, "uptime_s", (double)(uint32_t)now / 1000, (int64_t)now) &&
        sensor_put(&sensor, "stack_bytes", (double)(uint32_t)board_stack_used(), (int64_t)now))
        sample_ms = now + sensor.interval_ms;
}

int main(void)
{
    static const mote_ppp_config ppp = {.write = board_write, .echo_s = 2};
    uint64_t epoch = emulated_board_epoch();

    board_report("sensor");
    mote_ppp_begin(&ppp);
    sensor_init(&sensor, BOARD_NAME, ring, sizeof ring, MOTE_OUTBOX_REFUSE, epoch);
    life.random = (uint32_t)epoch;
    for (;;) {
        uint64_t now = board_now_ms();
        use_modem(now);
        take_samples(now);
        if (!connected && mote_ppp_look() == MOTE_PPP_UP && now >= retry_ms)
            begin(now);
        else if (connected && !work(now))
            end(now);
    }
}
