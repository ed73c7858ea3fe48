/*
 * A device that speaks OpenTelemetry: readings of this machine as metrics, and what happens to it
 * as logs, by OTLP/gRPC to a Collector or to whatever takes OTLP. At its end it prints its ledgers.
 *
 * A point each time is taken, and they leave together each second. While there is no Collector they
 * wait: sums and the histogram beside their instruments, gauges and logs in rings, of which the
 * oldest leave when there is no more room.
 */
#define _POSIX_C_SOURCE 200809L
#include "../../grpc/codec/codec.h"
#include "../../grpc/services/otlp.h"
#include "../common/secure.h"
#include "readings.h"

#include <stdio.h>

enum {
    LARGEST_RING = 1 << 20,
    REQUEST = 16384,
    PACKING = 2 * REQUEST,
    TIMEOUT_MS = 5000,
    DRAIN_MS = 10000
};

/* ---- what it tells ------------------------------------------------------------------------- */

static const double bounds[] = {1, 2, 5, 10, 20, 50, 100};

MOTE_OTLP_COUNTER(samples, "mote.samples", "{sample}", "since the start", MOTE_OTLP_PLAIN);
MOTE_OTLP_GAUGE_OF_INT(number, "mote.sample", "", "its number", MOTE_OTLP_PLAIN);
MOTE_OTLP_GAUGE(load, "system.load", "1", "of one minute", MOTE_OTLP_PLAIN);
MOTE_OTLP_GAUGE(memory_used, "system.memory.usage", "MiBy", "", MOTE_OTLP_PLAIN);
MOTE_OTLP_HISTOGRAM(lateness, "mote.sample.late", "ms", "behind its time", bounds, MOTE_OTLP_PLAIN);
static mote_otlp_instrument *const instruments[] = {&samples.base, &number.base, &load.base,
                                                    &memory_used.base, &lateness.base};

MOTE_OTLP_STORAGE(points, record = 256, ring = LARGEST_RING);
MOTE_OTLP_STORAGE(lines, record = 256, ring = 16384);
static mote_otlp_metrics metrics;
static uint64_t taken_samples;
static mote_otlp_logs logs;

static mote_otlp_AnyValue device_name = {{mote_otlp_AnyValue_string_value, {{NULL, 0}}}};
static const mote_otlp_KeyValue resource[] = {
    MOTE_OTLP_TEXT("service.name", "mote"),
    {MOTE_PB_STRING_INIT("service.instance.id"), &device_name}};
static const mote_otlp_Scope scope = {
    MOTE_PB_STRING_INIT("otlp_sensor"), MOTE_PB_STRING_INIT("1"), {NULL, 0}};
static mote_grpc_metadata token = {.name = "authorization", .name_len = 13};
static mote_otlp_config config = {.resource = resource,
                                  .resource_count = 2,
                                  .scope = &scope,
                                  .instruments = instruments,
                                  .instrument_count = sizeof instruments / sizeof instruments[0],
                                  .timeout_ms = TIMEOUT_MS,
                                  .request_size = REQUEST,
                                  .first_ms = 500,
                                  .most_ms = 5000};

static uint64_t unix_nano(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void take_sample(int64_t n, uint64_t late_ms)
{
    double values[READINGS];
    unsigned taken = take_readings(values);

    taken_samples++;
    mote_otlp_add(&samples, 1);
    mote_otlp_set_int(&number, n);
    mote_otlp_observe(&lateness, (double)late_ms);
    if (taken & 1)
        mote_otlp_set(&load, values[0]);
    if (taken & 2)
        mote_otlp_set(&memory_used, values[1]);
    mote_otlp_collect(&metrics, unix_nano());
}

/* ---- on its way ---------------------------------------------------------------------------- */

MOTE_GRPC_STORAGE(sensor, max_calls = 1, slots = 10, rx_size = 1024, tx_size = 4096, table_size = 0,
                  field_size = 1024, user_size = 0);
static mote_channel channel;
static mote_posix_dialer dialer = {.fd = -1};
static uint8_t input[2048], packing[PACKING], unpacked[1024];
static unsigned calls;

static void on_metadata(void *context, const mote_grpc_event *ev)
{
    (void)context;
    mote_otlp_metadata(&metrics.exporter, ev);
    mote_otlp_metadata(&logs.exporter, ev);
}

static void open_channel(const char *address)
{
    static const char *addresses[1];
    static mote_grpc_config of_channel;

    addresses[0] = address;
    dialer.addresses = addresses;
    dialer.count = 1;
    of_channel =
        (mote_grpc_config){MOTE_GRPC_SIZES(sensor), .authority = mote_grpc_authority(address),
                           .tls = tls_options.on,   .codecs = &mote_grpc_zlib,
                           .message = unpacked,     .message_size = sizeof unpacked};
    mote_channel_init(&channel, &of_channel, sensor_memory, sizeof sensor_memory, input,
                      sizeof input, secure_io(address, mote_posix_dialer_io(&dialer)));
    channel.on_metadata = on_metadata;
    channel.packing = packing;
    channel.packing_size = sizeof packing;
}

static void say(enum mote_otlp_severity severity, const char *text)
{
    mote_otlp_log(&logs, unix_nano(), severity, mote_pb_cstring(text));
}

/* What the receiver has said, where that is news: as a line here, and as a log record, which goes
 * there when it can. */
static void note(const mote_otlp_exporter *x, enum mote_otlp_outcome outcome, mote_status st)
{
    static enum mote_otlp_outcome last;
    static const char *const words[] = {"taken", "taken in part", "not taken yet", "refused"};

    if (outcome != last || outcome == MOTE_OTLP_REFUSED) {
        print_line(stderr, "otlp_sensor: %s: %s %.*s%.*s", words[outcome],
                   mote_grpc_code_name(st.code), (int)st.message_len, st.message, (int)x->text.len,
                   x->text.data);
        say(outcome == MOTE_OTLP_SENT ? MOTE_OTLP_INFO : MOTE_OTLP_WARN, words[outcome]);
    }
    last = outcome;
}

static void leave(mote_otlp_exporter *x)
{
    const uint8_t *response;
    size_t len;

    while (!mote_posix_stopped && mote_otlp_begin(x, mote_posix_now_ms()) == 0) {
        mote_status st = mote_channel_unary(&channel, &x->request, &mote_otlp_source, &x->message,
                                            &response, &len);
        note(x, mote_otlp_end(x, st.code, response, len, mote_posix_now_ms()), st);
        calls++;
    }
}

/* Until then, or until the program is told to stop, whatever becomes of the connection: one that
 * the peer has ended has no waits. */
static void sleep_until(uint64_t due)
{
    static int nothing = -1;
    mote_io io = mote_posix_io(&nothing);

    while (mote_posix_now_ms() < due && !mote_posix_stopped)
        io.wait(io.context, false, due);
}

static void run(uint64_t count, uint32_t interval_ms, uint32_t export_ms)
{
    uint64_t due = mote_posix_now_ms(), export_at = due + export_ms;

    for (uint64_t n = 1; n <= count && !mote_posix_stopped; due += interval_ms) {
        uint64_t now = mote_posix_now_ms();
        if (now < due)
            mote_channel_poll(&channel, (uint32_t)(due - now));
        sleep_until(due);
        now = mote_posix_now_ms();
        take_sample((int64_t)n++, now > due ? now - due : 0);
        if (now >= export_at) {
            leave(&metrics.exporter);
            leave(&logs.exporter);
            export_at = mote_posix_now_ms() + export_ms;
        }
    }
}

/* What waits at the end. */
static void drain(void)
{
    uint64_t until = mote_posix_now_ms() + DRAIN_MS;

    say(MOTE_OTLP_INFO, "it ends");
    for (;;) {
        leave(&metrics.exporter);
        leave(&logs.exporter);
        uint64_t now = mote_posix_now_ms();
        uint32_t a = mote_otlp_wait_ms(&metrics.exporter, now);
        uint32_t b = mote_otlp_wait_ms(&logs.exporter, now);
        uint32_t wait = a < b ? a : b;
        if (wait == UINT32_MAX || now + wait > until || mote_posix_stopped)
            return;
        sleep_until(now + wait);
    }
}

static uint64_t print_ledger(const char *what, const mote_otlp_exporter *x)
{
    mote_otlp_ledger l = mote_otlp_ledger_of(x);

    printf("%s: recorded %llu = sent %llu + waiting %llu + replaced %llu + dropped %llu + rejected "
           "%llu + failed %llu\n",
           what, (unsigned long long)l.recorded, (unsigned long long)l.sent,
           (unsigned long long)l.waiting, (unsigned long long)l.replaced,
           (unsigned long long)l.dropped, (unsigned long long)l.rejected,
           (unsigned long long)l.failed);
    return l.recorded - l.sent - l.replaced;
}

/* A number of an option; ends the program when it is not in its range. */
static uint32_t number_of(const char *of, const char *text, uint32_t least, uint32_t most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text >= '0' && *text <= '9' && *end == '\0' && n >= least && n <= most)
        return (uint32_t)n;
    fprintf(stderr, "otlp_sensor: error: %s is not %u to %u\n", of, (unsigned)least,
            (unsigned)most);
    exit(2);
}

static void begin(const char *name, uint32_t ring)
{
    uint32_t random = mote_posix_random();

    device_name.value.is.string_value = mote_pb_cstring(name);
    mote_outbox_init(&points_outbox, points_ring_memory, ring, MOTE_OUTBOX_DROP_OLDEST, 1);
    mote_outbox_init(&lines_outbox, lines_ring_memory, lines_ring, MOTE_OUTBOX_DROP_OLDEST, 1);
    int r = mote_otlp_metrics_init(&metrics, &config, &points_outbox, MOTE_OTLP_RECORD(points),
                                   unix_nano(), random);
    if (r == 0)
        r = mote_otlp_logs_init(&logs, &config, &lines_outbox, MOTE_OTLP_RECORD(lines), ~random);
    if (r < 0) {
        fprintf(stderr, "otlp_sensor: error: %s\n", mote_strerror(r));
        exit(2);
    }
}

int main(int argc, char **argv)
{
    const char *name = "sensor", *address = "localhost:4317", *bearer = NULL;
    const char *interval = "1000", *every = "1000", *count = "60", *ring = "65536";
    double values[READINGS];
    int plain = 0, delta = 0;
    const option options[] = {
        OPTION("--collector", &address, "host:port (localhost:4317)"),
        OPTION("--name", &name, "service.instance.id of this device"),
        OPTION("--samples", &count, "how many are taken (60)"),
        OPTION("--interval", &interval, "ms between samples (1000)"),
        OPTION("--export", &every, "ms between requests (1000)"),
        OPTION("--ring", &ring, "bytes for the gauges that wait (65536)"),
        OPTION("--bearer", &bearer, "the authorization, as 'Bearer x'; with --tls alone"),
        SWITCH("--no-gzip", &plain, "nothing is compressed"),
        SWITCH("--delta", &delta, "the counter and the histogram say what is new"),
        OPTIONS_END};

    parse_options(argc, argv, "otlp_sensor: readings of this machine by OTLP/gRPC", options);
    config.codec = plain ? NULL : &mote_grpc_gzip;
    config.temporality = delta ? MOTE_OTLP_DELTA : MOTE_OTLP_CUMULATIVE;
    if (bearer && !tls_options.on) {
        fprintf(stderr, "otlp_sensor: error: --bearer without --tls: anybody could read it\n");
        return 2;
    }
    if (bearer) {
        token.value = bearer;
        token.value_len = strlen(bearer);
        config.metadata = &token;
        config.metadata_count = 1;
    }
    mote_posix_catch_signals();
    take_readings(values); /* what counts since the last one begins here */
    begin(name, number_of("--ring", ring, 512, LARGEST_RING));
    open_channel(address);
    say(MOTE_OTLP_INFO, "it begins");
    run(number_of("--samples", count, 1, UINT32_MAX), number_of("--interval", interval, 1, 3600000),
        number_of("--export", every, 1, 3600000));
    drain();
    mote_channel_close(&channel, 1000);
    uint64_t lost = print_ledger("metrics", &metrics.exporter);
    lost += print_ledger("logs", &logs.exporter);
    printf("samples %llu, calls %u, %zu bytes of RAM for metrics and logs without their rings\n",
           (unsigned long long)taken_samples, calls,
           sizeof metrics + sizeof logs + sizeof points_record_memory + sizeof lines_record_memory +
               sizeof points_outbox + sizeof lines_outbox + 4 * sizeof samples +
               MOTE_RAM_OTLP_HISTOGRAM(7));
    return fflush(stdout) == 0 && lost == 0 ? 0 : 1;
}
