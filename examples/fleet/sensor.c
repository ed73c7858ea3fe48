/*
 * A device: streams readings of this machine to a collector, and takes commands from it.
 *
 * Control (bidirectional) says who we are, and brings acknowledgements and commands. Upload (client
 * streaming) carries the sensor.samples. What is not acknowledged stays in a fixed ring; when the
 * connection breaks, the device connects again with growing, random delays and sends it again.
 */
#include "../../port/posix/posix.h"
#include "../common/secure.h"
#include "readings.h"
#include "sensor_core.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    RX = 256,
    TX = 1024,
    FIELD = 256,
    SLOTS = 10,
    RING = 4096 * 48, /* bytes: about as many samples */
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 2000,
    DRAIN_MS = 10000
};

static mote_posix_loop loop;
static mote_posix_conn conn;
static mote_posix_client client;
static const mote_posix_security *security; /* NULL: plaintext */
static void *security_memory;
static uint64_t memory[MOTE_GRPC_MEMORY(SENSOR_CALLS, RX, TX, 0, FIELD, SLOTS, 0) / 8];
static uint8_t ring[RING];
static sensor_core sensor;

static const char *name = "sensor", *address = "127.0.0.1:50050";
static bool connected, lost;
static uint32_t backoff_ms = BACKOFF_FIRST_MS;
static uint64_t bytes_sent, connections;

static void on_event(void *context, const mote_grpc_event *ev)
{
    (void)context;
    sensor_event(&sensor, ev);
    if (sensor.acknowledged)
        backoff_ms = BACKOFF_FIRST_MS; /* the collector works */
    if (sensor.broken && connected)    /* without either call the connection is of no use */
        mote_posix_close(&conn);
}

/* ---- connecting ---------------------------------------------------------------------------- */

static void on_closed(mote_posix_conn *c)
{
    bytes_sent += c->bytes_out;
    connected = false;
    lost = true;
    if (!security)
        return;
    if (!sensor.finishing && *mote_posix_tls_error(c->self))
        fprintf(stderr, "TLS: %s\n", mote_posix_tls_error(c->self));
    security->unwrap(c->self);
}

static bool try_connect(void)
{
    static mote_grpc_config config; /* stays with the connection */
    const mote_posix_engine *engine = &mote_posix_grpc_client;
    void *self = &client;
    int fd = mote_posix_connect(address, 1000);

    if (fd < 0)
        return false;
    config = (mote_grpc_config){.max_calls = SENSOR_CALLS,
                                .rx_size = RX,
                                .tx_size = TX,
                                .field_size = FIELD,
                                .slots = SLOTS,
                                .authority = address,
                                .tls = security != NULL};
    mote_grpc_init(&client.grpc, &config, memory, sizeof memory);
    client.on_event = on_event;
    conn.closed = on_closed;
    sensor_begin(&sensor);
    if (security && security->wrap(security->context, security_memory, &engine, &self) < 0)
        return close(fd), false;
    connected = mote_posix_loop_add(&loop, &conn, fd, engine, self) == 0;
    connections += connected;
    return connected;
}

/* gRPC document connection-backoff.md: times 1.6, plus or minus a fifth. */
static uint64_t next_attempt(uint64_t now)
{
    double jitter = 0.8 + 0.4 * rand() / RAND_MAX;
    uint64_t at = now + (uint64_t)(backoff_ms * jitter);

    backoff_ms = backoff_ms * 8 / 5 < BACKOFF_MAX_MS ? backoff_ms * 8 / 5 : BACKOFF_MAX_MS;
    return at;
}

/* ---- sampling ------------------------------------------------------------------------------ */

static int64_t wall_ms(void)
{
    struct timespec t;

    timespec_get(&t, TIME_UTC);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Takes a reading of each kind; with the policy to block, one that found no room is taken again. */
static void sample_all(void)
{
    static double values[READINGS];
    static uint8_t next = READINGS;

    if (next == READINGS) {
        take_readings(values);
        next = 0;
    }
    while (next < READINGS && sensor_put(&sensor, reading_names[next], values[next], wall_ms()))
        next++;
}

/* Names this ring: the numbers of its samples begin anew. 0: there is no randomness to be had. */
static uint64_t random_epoch(void)
{
    uint64_t epoch = 0;

    return getrandom(&epoch, sizeof epoch, 0) == (ssize_t)sizeof epoch ? epoch : 0;
}

static void run(uint64_t stop_at)
{
    uint64_t sample_at = mote_posix_now_ms(), connect_at = sample_at, drain_until = 0;

    while (!sensor.done) {
        uint64_t now = mote_posix_now_ms();
        if (!sensor.finishing && (mote_posix_stopped || now >= stop_at)) {
            sensor.finishing = true;
            drain_until = now + DRAIN_MS;
        }
        if (sensor.finishing && now >= drain_until)
            return;
        if (!sensor.finishing && now >= sample_at) {
            sample_all();
            sample_at = now + sensor.interval_ms;
        }
        if (lost)
            connect_at = next_attempt(now);
        lost = false;
        if (!connected && now >= connect_at && !try_connect())
            connect_at = next_attempt(now);
        if (connected) {
            sensor_work(&sensor, &client.grpc);
            mote_posix_flush(&conn);
        }
        uint64_t wait = !sensor.finishing && sample_at > now ? sample_at - now : 10;
        mote_posix_loop_turn(&loop, (uint32_t)(wait < 50 ? wait : 50));
    }
}

int main(int argc, char **argv)
{
    const char *duration = "0", *interval = "100", *policy = "drop";
    const option options[] = {OPTION("--collector", &address, "host:port of the collector"),
                              OPTION("--name", &name, "name of this device"),
                              OPTION("--interval", &interval, "ms between readings (100)"),
                              OPTION("--duration", &duration, "seconds to run (0: until stopped)"),
                              OPTION("--when-full", &policy, "drop (the oldest) or block"),
                              OPTIONS_END};

    parse_options(argc, argv, "sensor: streams readings of this machine to a collector", options);
    uint32_t interval_ms = (uint32_t)atoi(interval);
    if (interval_ms == 0 || (strcmp(policy, "drop") != 0 && strcmp(policy, "block") != 0)) {
        fprintf(stderr, "sensor: error: --interval or --when-full has no valid value\n");
        return 2;
    }
    uint64_t seconds = (uint64_t)atoi(duration);
    sensor_init(&sensor, name, ring, RING,
                policy[0] == 'b' ? MOTE_OUTBOX_REFUSE : MOTE_OUTBOX_DROP_OLDEST, random_epoch());
    if (sensor.samples.epoch == 0) {
        fprintf(stderr, "sensor: error: no random number to be had: %s\n", strerror(errno));
        return 1;
    }
    sensor.interval_ms = interval_ms;
    srand((unsigned)getpid());
    mote_posix_catch_signals();
    security = secure_client(address);
    security_memory = security ? mote_posix_memory(1, security->size) : NULL;
    if (mote_posix_loop_init(&loop) < 0)
        return 1;
    run(seconds ? mote_posix_now_ms() + seconds * 1000 : UINT64_MAX);
    mote_posix_loop_end(&loop);
    uint64_t sent = sensor.samples.next_sequence - 1 - sensor.samples.dropped;
    printf(
        "sensor %s: sent %llu, unacknowledged %llu, dropped %llu, stored by the last upload %llu, "
        "connections %llu, %.1f bytes/sample sent, %zu bytes of RAM for the connection\n",
        name, (unsigned long long)sent, (unsigned long long)mote_outbox_count(&sensor.samples),
        (unsigned long long)sensor.samples.dropped, (unsigned long long)sensor.stored,
        (unsigned long long)connections, sent ? (double)bytes_sent / (double)sent : 0,
        sizeof client + sizeof memory);
    return mote_outbox_count(&sensor.samples) == 0 ? 0 : 1;
}
