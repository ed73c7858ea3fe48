/*
 * A device: streams readings of this machine to a collector, and takes commands from it.
 *
 * Control (bidirectional) says who we are, and brings acknowledgements and commands. Upload (client
 * streaming) carries the samples. What is not acknowledged stays in a fixed ring; when the
 * connection breaks, the device connects again with growing, random delays and sends it again.
 */
#include "../grpc/services/outbox.h"
#include "../port/posix/posix.h"
#include "secure.h"
#include "readings.h"
#include "telemetry.mote.h"

#include <time.h>
#include <unistd.h>

enum {
    CALLS = 2,
    RX = 256,
    TX = 1024,
    FIELD = 256,
    SLOTS = 10,
    RING = 4096 * 48, /* bytes: about as many samples */
    LARGEST_SAMPLE = 64,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 2000,
    DRAIN_MS = 10000
};

static mote_posix_loop loop;
static mote_posix_conn conn;
static mote_posix_client client;
static const mote_posix_security *security; /* NULL: plaintext */
static void *security_memory;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 0, FIELD, SLOTS, 0) / 8];
static uint8_t ring[RING];
static mote_outbox samples;

static const char *name = "sensor", *address = "127.0.0.1:50050";
static mote_grpc_call *control, *upload;
static bool connected, lost, reported, acknowledged, finishing, done;
static uint32_t interval_ms = 100;
static uint32_t backoff_ms = BACKOFF_FIRST_MS;
static uint64_t bytes_sent, connections, stored;

/* ---- the two calls ------------------------------------------------------------------------- */

static void start_calls(void)
{
    mote_grpc_metadata id = {"device-id", name, 9, strlen(name)};
    mote_grpc_request up = {
        .path = &mote_telemetry_Telemetry_Upload_path, .metadata = &id, .metadata_count = 1};
    mote_grpc_request ctl = {.path = &mote_telemetry_Telemetry_Control_path};

    if (!control)
        mote_grpc_start(&client.grpc, &ctl, &control);
    if (control && !upload && acknowledged)
        mote_grpc_start(&client.grpc, &up, &upload);
}

static void send_report(void)
{
    mote_telemetry_Report report = {.device = mote_pb_cstring(name), .dropped = samples.dropped};

    if (control && !reported)
        reported = mote_telemetry_Telemetry_Control_offer(control, &report) == 0;
}

/* Sends until the ring is empty or there is no room; nothing waits for more to come. */
static void send_samples(void)
{
    while (upload && acknowledged && mote_outbox_next(&samples, NULL)) {
        if (mote_grpc_send(upload, mote_outbox_source, NULL, &samples, 0) < 0) {
            if (upload->tx_sent > 0)
                mote_outbox_partial(&samples);
            return;
        }
        mote_outbox_sent(&samples);
    }
    if (finishing && upload && mote_outbox_count(&samples) == 0)
        mote_grpc_half_close(upload);
}

static void on_command(const mote_grpc_event *ev)
{
    mote_telemetry_Command command;

    if (mote_telemetry_Telemetry_Control_take(ev, &command, NULL) < 0)
        return;
    if (command.is.which == mote_telemetry_Command_interval_ms) {
        interval_ms = command.is.is.interval_ms;
        return;
    }
    mote_outbox_acknowledge(&samples, command.is.is.acknowledged);
    acknowledged = true;
    backoff_ms = BACKOFF_FIRST_MS; /* the collector works */
}

static void on_event(void *context, const mote_grpc_event *ev)
{
    mote_telemetry_UploadSummary summary;

    (void)context;
    if (ev->type == MOTE_GRPC_MESSAGE && ev->call == control)
        on_command(ev);
    if (ev->type == MOTE_GRPC_MESSAGE && ev->call == upload &&
        mote_telemetry_Telemetry_Upload_take(ev, &summary, NULL) == 0)
        stored = summary.received;
    if (ev->type != MOTE_GRPC_STATUS)
        return;
    if (ev->call == upload && ev->code == MOTE_GRPC_OK && finishing)
        done = true;
    else if (connected) /* without either call the connection is of no use: start again */
        mote_posix_close(&conn);
    if (ev->call == control)
        control = NULL;
    else
        upload = NULL;
}

/* ---- connecting ---------------------------------------------------------------------------- */

static void on_closed(mote_posix_conn *c)
{
    bytes_sent += c->bytes_out;
    connected = false;
    lost = true;
    control = upload = NULL;
    if (!security)
        return;
    if (!finishing && *mote_posix_tls_error(c->self))
        fprintf(stderr, "TLS: %s\n", mote_posix_tls_error(c->self));
    security->unwrap(c->self);
}

static bool try_connect(void)
{
    mote_grpc_config config = {.max_calls = CALLS,
                               .rx_size = RX,
                               .tx_size = TX,
                               .field_size = FIELD,
                               .slots = SLOTS,
                               .authority = address,
                               .tls = security != NULL};
    const mote_posix_engine *engine = &mote_posix_grpc_client;
    void *self = &client;
    int fd = mote_posix_connect(address, 1000);

    if (fd < 0)
        return false;
    mote_grpc_init(&client.grpc, &config, memory, sizeof memory);
    client.on_event = on_event;
    conn.closed = on_closed;
    reported = acknowledged = false;
    mote_outbox_rewind(&samples);
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

/* False when the ring is full and must not drop. */
static bool put_sample(uint8_t metric, double value)
{
    mote_telemetry_Sample sample = {.sequence = mote_outbox_sequence(&samples),
                                    .time_ms = wall_ms(),
                                    .metric = mote_pb_cstring(reading_names[metric]),
                                    .value = value};
    uint8_t bytes[LARGEST_SAMPLE];
    size_t len;

    return mote_telemetry_Sample_encode(&sample, bytes, sizeof bytes, &len) == 0 &&
           mote_outbox_put(&samples, bytes, len) == 0;
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
    while (next < READINGS && put_sample(next, values[next]))
        next++;
}

static void run(uint64_t stop_at)
{
    uint64_t sample_at = mote_posix_now_ms(), connect_at = sample_at, drain_until = 0;

    while (!done) {
        uint64_t now = mote_posix_now_ms();
        if (!finishing && (mote_posix_stopped || now >= stop_at)) {
            finishing = true;
            drain_until = now + DRAIN_MS;
        }
        if (finishing && now >= drain_until)
            return;
        if (!finishing && now >= sample_at) {
            sample_all();
            sample_at = now + interval_ms;
        }
        if (lost)
            connect_at = next_attempt(now);
        lost = false;
        if (!connected && now >= connect_at && !try_connect())
            connect_at = next_attempt(now);
        if (connected) {
            start_calls();
            send_report();
            send_samples();
            mote_posix_flush(&conn);
        }
        uint64_t wait = !finishing && sample_at > now ? sample_at - now : 10;
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
    interval_ms = (uint32_t)atoi(interval);
    if (interval_ms == 0 || (strcmp(policy, "drop") != 0 && strcmp(policy, "block") != 0)) {
        fprintf(stderr, "sensor: error: --interval or --when-full has no valid value\n");
        return 2;
    }
    uint64_t seconds = (uint64_t)atoi(duration);
    mote_outbox_init(&samples, ring, RING,
                     policy[0] == 'b' ? MOTE_OUTBOX_REFUSE : MOTE_OUTBOX_DROP_OLDEST);
    srand((unsigned)getpid());
    mote_posix_catch_signals();
    security = secure_client(address);
    security_memory = security ? mote_posix_memory(1, security->size) : NULL;
    if (mote_posix_loop_init(&loop) < 0)
        return 1;
    run(seconds ? mote_posix_now_ms() + seconds * 1000 : UINT64_MAX);
    mote_posix_loop_end(&loop);
    uint64_t sent = samples.next_sequence - 1 - samples.dropped;
    printf(
        "sensor %s: sent %llu, unacknowledged %llu, dropped %llu, stored by the last upload %llu, "
        "connections %llu, %.1f bytes/sample sent, %zu bytes of RAM for the connection\n",
        name, (unsigned long long)sent, (unsigned long long)mote_outbox_count(&samples),
        (unsigned long long)samples.dropped, (unsigned long long)stored,
        (unsigned long long)connections, sent ? (double)bytes_sent / (double)sent : 0,
        sizeof client + sizeof memory);
    return mote_outbox_count(&samples) == 0 ? 0 : 1;
}
