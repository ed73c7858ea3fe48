/*
 * A device with one of each kind of instrument, whose values tests/interop/otel/otlp.py knows: what
 * a receiver gets of them, and what becomes of the ledger by what it answers.
 *
 *   numbers HOST:PORT cumulative|delta gzip|plain [CA]     over TLS, with the certificates of CA
 */
#include "../../../grpc/codec/codec.h"
#include "../../../grpc/services/otlp.h"
#include "../../../port/posix/posix.h"
#include "../../../port/posix/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 1, RX = 4096, TX = 1024, ROUNDS = 3, GIVES_UP_MS = 15000 };

/* ---- instruments --------------------------------------------------------------------------- */

static const mote_otlp_AnyValue yes = {{mote_otlp_AnyValue_bool_value, {.bool_value = true}}};
static const mote_otlp_AnyValue half = {{mote_otlp_AnyValue_double_value, {.double_value = 0.5}}};
static const uint8_t raw[] = {0, 255, 7};
static const mote_otlp_AnyValue some_bytes = {
    {mote_otlp_AnyValue_bytes_value, {.bytes_value = {raw, sizeof raw}}}};
static const mote_otlp_KeyValue every_kind[] = {MOTE_OTLP_TEXT("text", "K\xc3\xbc"
                                                                       "che"),
                                                MOTE_OTLP_INTEGER("integer", INT64_MIN),
                                                {MOTE_PB_STRING_INIT("yes"), &yes},
                                                {MOTE_PB_STRING_INIT("half"), &half},
                                                {MOTE_PB_STRING_INIT("raw"), &some_bytes}};
static const double bounds[] = {-1, 0, 0.5, 1e6};

MOTE_OTLP_COUNTER(up, "up", "{step}", "only up", MOTE_OTLP_WITH(every_kind));
MOTE_OTLP_COUNTER_DOUBLE(energy, "energy", "J", "", MOTE_OTLP_PLAIN);
MOTE_OTLP_UP_DOWN_COUNTER(both_ways, "both_ways", "", "", MOTE_OTLP_PLAIN);
MOTE_OTLP_GAUGE(level, "level", "m", "\xe2\x86\x95", MOTE_OTLP_PLAIN);
MOTE_OTLP_GAUGE_OF_INT(extreme, "extreme", "", "", MOTE_OTLP_PLAIN);
MOTE_OTLP_HISTOGRAM(spread, "spread", "s", "", bounds, MOTE_OTLP_PLAIN);
static mote_otlp_instrument *const instruments[] = {&up.base,    &energy.base,  &both_ways.base,
                                                    &level.base, &extreme.base, &spread.base};
static const mote_otlp_KeyValue resource[] = {MOTE_OTLP_TEXT("service.name", "numbers")};
static const mote_otlp_Scope scope = {
    MOTE_PB_STRING_INIT("all"), MOTE_PB_STRING_INIT("2.1"), {every_kind, 1}};
static mote_otlp_config config = {.resource = resource,
                                  .resource_count = 1,
                                  .scope = &scope,
                                  .instruments = instruments,
                                  .instrument_count = 6,
                                  .timeout_ms = 2000,
                                  .first_ms = 200,
                                  .most_ms = 400};

MOTE_OTLP_STORAGE(points, record = 256, ring = 4096);
MOTE_OTLP_STORAGE(lines, record = 256, ring = 4096);
static mote_otlp_metrics metrics;
static mote_otlp_logs logs;

/* Round n, at n seconds. */
static void use_all(int n)
{
    static const int64_t extremes[] = {INT64_MIN, 0, INT64_MAX};

    mote_otlp_add(&up, n);
    mote_otlp_add_double(&energy, 0.125 * n);
    mote_otlp_add(&both_ways, n == 2 ? -10 : n);
    mote_otlp_set(&level, n == 2 ? -1e308 : 0.1 * n);
    mote_otlp_set_int(&extreme, extremes[n - 1]);
    for (int i = -2; i <= n; i++)
        mote_otlp_observe(&spread, i * 0.5);
    mote_otlp_collect(&metrics, (uint64_t)(n + 1) * 1000000000u);
}

static void log_all(void)
{
    uint8_t trace[16], span[8];
    mote_otlp_LogRecord full = {.time_unix_nano = UINT64_MAX,
                                .severity_number = MOTE_OTLP_FATAL + 3,
                                .severity_text = MOTE_PB_STRING("FATAL4"),
                                .body = &half,
                                .attributes = {every_kind, 5},
                                .flags = 1,
                                .trace_id = {trace, sizeof trace},
                                .span_id = {span, sizeof span},
                                .observed_time_unix_nano = 1};

    for (uint8_t i = 0; i < 16; i++) {
        trace[i] = i;
        span[i % 8] = (uint8_t)(0xf0 + i % 8);
    }
    mote_otlp_log(&logs, 5000000000u, MOTE_OTLP_INFO, MOTE_PB_STRING("gr\xc3\xbc\xc3\x9f Gott"));
    mote_otlp_log_record(&logs, &full);
}

/* ---- a channel ----------------------------------------------------------------------------- */

static mote_channel channel;
static mote_posix_dialer dialer = {.fd = -1};
static mote_posix_tls_config tls_config = {.host_name = "localhost"};
static mote_posix_tls_io tls;
static uint8_t input[2048], unpacked[RX], packing[16384];

static void on_metadata(void *context, const mote_grpc_event *ev)
{
    (void)context;
    mote_otlp_metadata(&metrics.exporter, ev);
    mote_otlp_metadata(&logs.exporter, ev);
}

static void open_channel(const char *address, const char *ca)
{
    static const char *addresses[1];
    size_t size = MOTE_GRPC_MEMORY(CALLS, (size_t)RX, TX, 0u, 2048u, 8u, 0u);
    mote_grpc_config of_channel = {.max_calls = CALLS,
                                   .rx_size = RX,
                                   .tx_size = TX,
                                   .field_size = 2048,
                                   .slots = 8,
                                   .tls = ca != NULL,
                                   .codecs = &mote_grpc_zlib,
                                   .message = unpacked,
                                   .message_size = sizeof unpacked,
                                   .authority = mote_grpc_authority(address)};

    addresses[0] = address;
    dialer.addresses = addresses;
    dialer.count = 1;
    mote_io io = mote_posix_dialer_io(&dialer);
    if (ca) {
        tls_config.context = mote_posix_tls_context(false, ca, NULL, NULL);
        if (!tls_config.context || mote_posix_tls_begin(&tls, &tls_config, io) < 0)
            abort();
        io = mote_posix_tls_transport(&tls);
    }
    if (mote_channel_init(&channel, &of_channel, mote_posix_memory(1, size), size, input,
                          sizeof input, io) < 0)
        abort();
    channel.packing = packing;
    channel.packing_size = sizeof packing;
    channel.on_metadata = on_metadata;
}

/* ---- what becomes of them ------------------------------------------------------------------ */

static const char *const outcomes[] = {"SENT", "PARTIAL", "LATER", "REFUSED"};

static void leave(const char *what, mote_otlp_exporter *x)
{
    uint64_t until = mote_posix_now_ms() + GIVES_UP_MS;
    const uint8_t *response;
    uint32_t wait;
    size_t len;

    while ((wait = mote_otlp_wait_ms(x, mote_posix_now_ms())) != UINT32_MAX &&
           mote_posix_now_ms() < until) {
        if (wait > 0)
            channel.io.wait(channel.io.context, false, mote_posix_now_ms() + wait);
        if (mote_otlp_begin(x, mote_posix_now_ms()) < 0)
            continue;
        mote_status st = mote_channel_unary(&channel, &x->request, &mote_otlp_source, &x->message,
                                            &response, &len);
        enum mote_otlp_outcome o = mote_otlp_end(x, st.code, response, len, mote_posix_now_ms());
        printf("%s: %s %s \"%.*s\"\n", what, mote_grpc_code_name(st.code), outcomes[o],
               (int)x->text.len, x->text.data);
    }
    mote_otlp_ledger l = mote_otlp_ledger_of(x);
    printf("%s: %llu = %llu + %llu + %llu + %llu + %llu + %llu\n", what,
           (unsigned long long)l.recorded, (unsigned long long)l.sent,
           (unsigned long long)l.waiting, (unsigned long long)l.replaced,
           (unsigned long long)l.dropped, (unsigned long long)l.rejected,
           (unsigned long long)l.failed);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    config.temporality = strcmp(argv[2], "delta") == 0 ? MOTE_OTLP_DELTA : MOTE_OTLP_CUMULATIVE;
    config.codec = strcmp(argv[3], "gzip") == 0 ? &mote_grpc_gzip : NULL;
    mote_outbox_init(&points_outbox, points_ring_memory, points_ring, MOTE_OUTBOX_REFUSE, 1);
    mote_outbox_init(&lines_outbox, lines_ring_memory, lines_ring, MOTE_OUTBOX_REFUSE, 1);
    if (mote_otlp_metrics_init(&metrics, &config, &points_outbox, MOTE_OTLP_RECORD(points),
                               1000000000u, 1) < 0 ||
        mote_otlp_logs_init(&logs, &config, &lines_outbox, MOTE_OTLP_RECORD(lines), 2) < 0)
        return 2;
    open_channel(argv[1], argc > 4 ? argv[4] : NULL);
    for (int n = 1; n <= ROUNDS; n++)
        use_all(n);
    log_all();
    leave("metrics", &metrics.exporter);
    leave("logs", &logs.exporter);
    mote_channel_close(&channel, 1000);
    mote_posix_tls_end(&tls);
    return 0;
}
