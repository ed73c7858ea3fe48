/*
 * The sensor of examples/firmware/sensor.c over Ethernet and TLS: the same source for what is said
 * and heard, lwIP below, and a collector whose certificate is verified. The board's line is a
 * console. The collector is COLLECTOR_NAME at COLLECTOR_ADDRESS and COLLECTOR_PORT, and its
 * certificate is signed by the authority in "ca.h".
 */
#include "../../port/cortex-m/board.h"
#include "../../port/lwip/net.h"
#include "../../tls/tls.h"
#include "../../grpc/life.h"
#include "../fleet/sensor_core.h"
#include "ca.h"
#include "epoch.h"

enum { RING = 1024, POOL = 22 * 1024 };

static mote_grpc grpc;
static mote_grpc_life life = {.connect_ms = SENSOR_CONNECT_MS,
                              .keepalive_ms = SENSOR_KEEPALIVE_MS,
                              .backoff = {.most_ms = SENSOR_BACKOFF_MS}};
MOTE_GRPC_STORAGE(sensor, max_calls = SENSOR_CALLS, slots = 8, rx_size = 128, tx_size = 512,
                  table_size = 0, field_size = 96, user_size = 0);
static uint64_t pool[POOL / 8];
static uint64_t context_memory[MOTE_TLS_CONTEXT_MEMORY / 8], tls_memory[MOTE_TLS_MEMORY / 8];
static uint8_t ring[RING];
static sensor_core sensor;
static mote_lwip line;
static mote_tls_context *context;
static mote_tls *tls;
static uint64_t retry_ms, sample_ms;
static uint8_t session[1024]; /* the last one: the next handshake is a short one */
static int session_len;
static bool session_kept; /* that of this connection */

static void say(const char *text)
{
    size_t len = 0;

    while (text[len] != '\0')
        len++;
    board_write((const uint8_t *)text, len);
    board_write((const uint8_t *)"\r\n", 2);
}

static void begin(uint64_t now)
{
    static const mote_grpc_config config = {MOTE_GRPC_SIZES(sensor), .tls = true,
                                            .authority = MOTE_GRPC_AUTHORITY(COLLECTOR_NAME)};

    mote_grpc_init(&grpc, &config, sensor_memory, sizeof sensor_memory);
    mote_grpc_life_begin(&life, now);
    sensor_begin(&sensor, now);
    mote_tls_init(&tls, context, COLLECTOR_NAME, tls_memory, sizeof tls_memory);
    if (session_len > 0)
        mote_tls_resume(tls, session, (size_t)session_len);
    session_kept = false;
    mote_lwip_connect(&line, COLLECTOR_ADDRESS, COLLECTOR_PORT);
}

static void take_samples(uint64_t now)
{
    sensor.clock_ms = now ? now : 1; /* this board does not know the time of day */
    if (now < sample_ms)
        return;
    if (sensor_put(&sensor, "uptime_s", (double)(uint32_t)now / 1000, (int64_t)now) &&
        sensor_put(&sensor, "pool_bytes", (double)mote_tls_pool_usage().most, (int64_t)now))
        sample_ms = now + sensor.interval_ms;
}

/* Records become plain bytes. */
static bool receive(void)
{
    uint8_t plain[64];
    const uint8_t *in = NULL;
    size_t len = 0, used;
    int n;

    in = mote_lwip_peek(&line, &len);
    n = mote_tls_read(tls, in, in ? len : 0, &used, plain, sizeof plain);
    if (used > 0)
        mote_lwip_take(&line, used);
    if (n < 0 || (mote_lwip_over(&line) && n == 0))
        return false;
    return sensor_hear(&sensor, &grpc, plain, (size_t)n);
}

/* And the other way round. */
static void send(void)
{
    size_t len;
    const uint8_t *out;
    int n;

    if (mote_tls_ready(tls) && (out = mote_grpc_peek(&grpc, &len)) &&
        (n = mote_tls_write(tls, out, len)) > 0)
        mote_grpc_ack(&grpc, (size_t)n);
    while ((out = mote_tls_peek(tls, &len))) {
        size_t sent = mote_lwip_write(&line, out, len);
        if (sent == 0)
            return;
        mote_tls_ack(tls, sent);
    }
}

static void end(uint64_t now)
{
    say(*mote_tls_error(tls) ? mote_tls_error(tls) : mote_h2_error_text(&grpc.h2));
    mote_grpc_shutdown(&grpc);
    send(); /* GOAWAY */
    mote_tls_close(tls);
    send(); /* close_notify */
    mote_tls_end(tls);
    tls = NULL;
    mote_lwip_close(&line);
    retry_ms = now + mote_grpc_life_end(&life, &grpc, now);
}

/* In RAM; who sleeps deeply keeps it in flash, under a session_key of the config. */
static void keep_session(void)
{
    int n = session_kept ? 0 : mote_tls_save_session(tls, session, sizeof session);

    session_kept = session_kept || n > 0;
    session_len = n > 0 ? n : session_len;
}

/* A turn of an open connection. */
static bool work(uint64_t now)
{
    if (mote_lwip_over(&line) || (mote_lwip_ready(&line) && !receive()))
        return false;
    mote_grpc_tick(&grpc, now);
    if (sensor.link == SENSOR_UPLOADS)
        mote_grpc_life_of_use(&life);
    mote_grpc_life_tick(&life, &grpc, now);
    if (!sensor_hear(&sensor, &grpc, NULL, 0) || sensor_is_stuck(&sensor, now))
        return false;
    if (mote_tls_ready(tls)) {
        keep_session();
        sensor_work(&sensor, &grpc, now);
    }
    if (mote_lwip_ready(&line))
        send();
    return true;
}

int main(void)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    /* This board does not know the time: what had expired when it was built is refused. */
    const mote_tls_config config = {.ca = {ca_pem, sizeof ca_pem},
                                    .time = MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK,
                                    .floor_s = BUILT_S};
    const char *why;
    uint64_t epoch = emulated_board_epoch();

    board_report("sensor");
    mote_tls_pool(pool, sizeof pool);
    if (mote_tls_context_init(&context, &config, context_memory, sizeof context_memory, &why) < 0) {
        say(why);
        return 1;
    }
    mote_lwip_begin(mac, MOTE_IP(10, 0, 2, 15), MOTE_IP(255, 255, 255, 0), MOTE_IP(10, 0, 2, 2));
    sensor_init(&sensor, BOARD_NAME, ring, sizeof ring, MOTE_OUTBOX_REFUSE, epoch);
    life.random = (uint32_t)epoch;
    for (;;) {
        uint64_t now = board_now_ms();
        mote_lwip_poll(now);
        take_samples(now);
        if (!tls && now >= retry_ms)
            begin(now);
        else if (tls && !work(now))
            end(now);
    }
}
