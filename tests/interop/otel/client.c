/*
 * A device that exports to an OpenTelemetry Collector (grpc-go): traces and metrics, compressed and
 * not, and what the Collector does not take.
 *
 *   client HOST:PORT [CA]   over TLS, with the certificates of CA
 */
#include "../../../grpc/codec/codec.h"
#include "../../../port/posix/posix.h"
#include "../../../port/posix/tls.h"
#include "../../test.h"
#include "metrics.mote.h"
#include "trace.mote.h"

#include <stdlib.h>

enum { CALLS = 2, RX = 65536, TX = 65536, SPANS = 500 };

typedef opentelemetry_proto_collector_trace_v1_Span span;
typedef opentelemetry_proto_collector_trace_v1_KeyValue attribute;
typedef opentelemetry_proto_collector_metrics_v1_NumberDataPoint point;

static mote_channel channel;
static mote_posix_dialer dialer = {.fd = -1};
static mote_posix_tls_config tls_config = {.host_name = "localhost"};
static mote_posix_tls_io tls;
static uint8_t input[65536];
static uint64_t scratch[512];
static mote_pb_arena arena;
static mote_grpc_request request = {.timeout_ms = 10000};

static mote_pb_arena *fresh(void)
{
    mote_pb_arena_init(&arena, scratch, sizeof scratch);
    return &arena;
}

static void begin(const char *address, const char *ca)
{
    static const char *addresses[1];
    size_t size = MOTE_GRPC_MEMORY(CALLS, (size_t)RX, TX, 4096u, 4096u, 16u, 0u);
    mote_grpc_config config = {.max_calls = CALLS,
                               .rx_size = RX,
                               .tx_size = TX,
                               .dynamic = &mote_hpack_dynamic_table,
                               .table_size = 4096,
                               .field_size = 4096,
                               .slots = 16,
                               .tls = ca != NULL,
                               .codecs = &mote_grpc_zlib,
                               .message = mote_posix_memory(1, RX),
                               .message_size = RX,
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
    if (mote_channel_init(&channel, &config, mote_posix_memory(1, size), size, input, sizeof input,
                          io) < 0)
        abort();
    channel.packing_size = 2 * (size_t)TX;
    channel.packing = mote_posix_memory(1, channel.packing_size);
}

static bool check_status(mote_status s, int code, const char *text)
{
    bool same = s.code == code && s.message_len == strlen(text) &&
                memcmp(s.message, text, s.message_len) == 0;

    if (!same)
        printf("%s \"%.*s\", not %s \"%s\"\n", mote_grpc_code_name(s.code), (int)s.message_len,
               s.message, mote_grpc_code_name(code), text);
    return same;
}

/* ---- traces and metrics ---------------------------------------------------------------------- */

static mote_status export_spans(const span *spans, size_t count)
{
    opentelemetry_proto_collector_trace_v1_AnyValue mote = {
        .value = {1, {.string_value = MOTE_PB_STRING("mote")}}};
    attribute name = {.key = MOTE_PB_STRING("service.name"), .value = &mote};
    opentelemetry_proto_collector_trace_v1_Resource device = {.attributes = {&name, 1}};
    opentelemetry_proto_collector_trace_v1_ScopeSpans scope = {.spans = {spans, count}};
    opentelemetry_proto_collector_trace_v1_ResourceSpans resource = {.resource = &device,
                                                                     .scope_spans = {&scope, 1}};
    opentelemetry_proto_collector_trace_v1_ExportTraceServiceRequest q = {
        .resource_spans = {&resource, 1}};
    opentelemetry_proto_collector_trace_v1_ExportTraceServiceResponse r;

    return opentelemetry_proto_collector_trace_v1_TraceService_Export(&channel, request, &q, &r,
                                                                      fresh());
}

static void spans_are_taken(void)
{
    static span spans[SPANS];
    uint8_t ids[16] = {0xca, 0xfe, 0xca, 0xfe, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

    for (size_t i = 0; i < SPANS; i++) {
        spans[i] = (span){.trace_id = {ids, 16}, .span_id = {ids, 8}};
        spans[i].name = (mote_pb_string)MOTE_PB_STRING("a reading");
        spans[i].start_time_unix_nano = 1700000000000000000u + i;
        spans[i].end_time_unix_nano = 1700000001000000000u + i;
    }
    CHECK(check_status(export_spans(spans, 1), MOTE_GRPC_OK, ""));
    CHECK(check_status(export_spans(spans, SPANS), MOTE_GRPC_OK, ""));
    CHECK(check_status(export_spans(spans, 0), MOTE_GRPC_OK, ""));
}

static mote_status export_value(double value, bool unknown)
{
    point p = {.time_unix_nano = 1700000000000000000u, .as_double = value};
    opentelemetry_proto_collector_metrics_v1_Gauge gauge = {.data_points = {&p, 1}};
    opentelemetry_proto_collector_metrics_v1_Metric metric = {
        .name = MOTE_PB_STRING("temperature"), .unit = MOTE_PB_STRING("Cel"), .gauge = &gauge};
    opentelemetry_proto_collector_metrics_v1_ScopeMetrics scope = {.metrics = {&metric, 1}};
    opentelemetry_proto_collector_metrics_v1_ResourceMetrics resource = {
        .scope_metrics = {&scope, 1}};
    opentelemetry_proto_collector_metrics_v1_ExportMetricsServiceRequest q = {
        .resource_metrics = {&resource, 1}};
    opentelemetry_proto_collector_metrics_v1_ExportMetricsServiceResponse r;

    return unknown
               ? opentelemetry_proto_collector_metrics_v1_MetricsService_Import(&channel, request,
                                                                                &q, &r, fresh())
               : opentelemetry_proto_collector_metrics_v1_MetricsService_Export(&channel, request,
                                                                                &q, &r, fresh());
}

static void metrics_are_taken(void)
{
    CHECK(check_status(export_value(21.5, false), MOTE_GRPC_OK, ""));
}

/* ---- what it does not take ------------------------------------------------------------------- */

static void what_the_collector_refuses_is_told_in_its_words(void)
{
    uint8_t id[3] = {1, 2, 3};
    span bad = {.trace_id = {id, 3}};

    CHECK(check_status(export_value(21.5, true), MOTE_GRPC_UNIMPLEMENTED,
                       "unknown method Import for service "
                       "opentelemetry.proto.collector.metrics.v1.MetricsService"));
    CHECK(check_status(export_spans(&bad, 1), MOTE_GRPC_INTERNAL,
                       "grpc: error unmarshalling request: unmarshal: invalid TraceID length"));
    CHECK(check_status(export_value(-3.25, false), MOTE_GRPC_OK, ""));
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    begin(argv[1], argc > 2 ? argv[2] : NULL);
    for (int packed = 0; packed < 2; packed++) {
        request.codec = packed ? &mote_grpc_gzip : NULL;
        RUN(spans_are_taken);
        RUN(metrics_are_taken);
        RUN(what_the_collector_refuses_is_told_in_its_words);
    }
    mote_channel_close(&channel, 1000);
    mote_posix_tls_end(&tls);
    return test_summary();
}
