/*
 * The server of the gRPC interoperability tests: grpc.testing.TestService and UnimplementedService
 * (the gRPC document interop-test-descriptions.md), and load reports out of band.
 *
 *   interop_server --port=10000
 */
#include "../../port/posix/http1.h"
#include "../../grpc/web/connect.h"
#include "../../examples/common/options.h"
#include "../../grpc/codec/codec.h"
#include "delay.h"
#include "../../port/posix/tls.h"
#include "interop.mote.h"
#include "orca_service.mote.h"

#include <sys/socket.h>

enum { LARGEST = 4 << 20, MAX_HALF = 1024, MAX_ECHO = 256 };

/* A field of metadata that is sent back. */
typedef struct {
    char value[MAX_ECHO];
    size_t len;
    bool seen;
} echo;

/* User memory of a call. */
typedef struct {
    echo initial, trailing;
    char load[2 * MAX_ECHO]; /* load report, in base64 */
    size_t load_len;
    bool begun;
    uint64_t due_ms;         /* for the next response */
    uint32_t next;           /* response of the message at hand */
    int64_t total;           /* bytes that were received */
    int32_t sizes[MAX_HALF]; /* responses that are owed at the end */
    uint32_t size_count;
} state;

static uint8_t zeros[LARGEST];
static uint8_t packed[2 * LARGEST];
static xds_data_orca_v3_OrcaLoadReport load; /* out of band */
static mote_posix_loop *the_loop;

/* ---- what all calls share ------------------------------------------------------------------ */

static void keep_echo(echo *e, const mote_grpc_event *ev)
{
    e->len = ev->value_len < MAX_ECHO ? ev->value_len : MAX_ECHO;
    memcpy(e->value, ev->value, e->len);
    e->seen = true;
}

static void on_metadata(state *s, const mote_grpc_event *ev)
{
    static const char initial[] = "x-grpc-test-echo-initial";
    static const char trailing[] = "x-grpc-test-echo-trailing-bin";

    if (ev->name_len == sizeof initial - 1 && memcmp(ev->name, initial, ev->name_len) == 0)
        keep_echo(&s->initial, ev);
    if (ev->name_len == sizeof trailing - 1 && memcmp(ev->name, trailing, ev->name_len) == 0)
        keep_echo(&s->trailing, ev);
}

/* Sends the headers once. 0 or an error. */
static int begin(mote_grpc_call *call)
{
    state *s = call->user;
    mote_grpc_metadata initial = MOTE_GRPC_METADATA_FIELD("x-grpc-test-echo-initial", "");

    initial.value = s->initial.value;
    initial.value_len = s->initial.len;
    if (s->begun)
        return 0;
    mote_grpc_choose_codec(call);
    int r = mote_grpc_send_headers(call, &initial, s->initial.seen);
    s->begun = r == 0;
    return r;
}

static int finish(mote_grpc_call *call, int code, mote_pb_string text)
{
    state *s = call->user;
    mote_grpc_metadata trailers[2] = {MOTE_GRPC_METADATA_FIELD("x-grpc-test-echo-trailing-bin", ""),
                                      MOTE_GRPC_METADATA_FIELD("endpoint-load-metrics-bin", "")};
    size_t count = 0;
    int r = begin(call);

    if (r < 0)
        return r;
    if (s->trailing.seen) {
        trailers[count].value = s->trailing.value;
        trailers[count++].value_len = s->trailing.len;
    }
    if (s->load_len > 0) {
        trailers[count] = trailers[1];
        trailers[count].name = "endpoint-load-metrics-bin";
        trailers[count].name_len = 25;
        trailers[count].value = s->load;
        trailers[count++].value_len = s->load_len;
    }
    return mote_grpc_finish_with(call, code, text.data, text.len, trailers, count);
}

static int finish_ok(mote_grpc_call *call)
{
    return finish(call, MOTE_GRPC_OK, (mote_pb_string){"", 0});
}

static int invalid(mote_grpc_call *call, const char *text)
{
    return finish(call, MOTE_GRPC_INVALID_ARGUMENT, mote_pb_cstring(text));
}

/* The bytes are the same when it is asked again, so all calls share the buffer. */
static int send_message(mote_grpc_call *call, const mote_pb_encoder *type, const void *message,
                        const grpc_testing_BoolValue *compressed)
{
    mote_grpc_bytes bytes;
    int r = begin(call);

    if (r < 0)
        return r;
    if (!compressed || !compressed->value ||
        mote_grpc_compress(call,
                           &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, type},
                           message, packed, sizeof packed, &bytes) < 0)
        return mote_grpc_send(
            call, &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, type}, message,
            0);
    return mote_grpc_send(call, &mote_grpc_bytes_source, &bytes, MOTE_GRPC_COMPRESSED);
}

static bool compression_is(const mote_grpc_event *ev, const grpc_testing_BoolValue *expected)
{
    return !expected || expected->value == ev->compressed;
}

static mote_pb_arena *arena(void)
{
    static uint64_t memory[1 << 14];
    static mote_pb_arena a;

    mote_pb_arena_init(&a, memory, sizeof memory);
    return &a;
}

/* ---- load reports -------------------------------------------------------------------------- */

typedef struct {
    xds_data_orca_v3_OrcaLoadReport report;
    xds_data_orca_v3_OrcaLoadReport_RequestCostEntry cost[8];
    xds_data_orca_v3_OrcaLoadReport_UtilizationEntry utilization[8];
} report_copy;

static void copy_report(report_copy *to, const grpc_testing_TestOrcaReport *from)
{
    static const size_t most = sizeof to->cost / sizeof to->cost[0];
    size_t costs = from->request_cost.count, utilizations = from->utilization.count;

    memset(to, 0, sizeof *to);
    to->report.cpu_utilization = from->cpu_utilization;
    to->report.mem_utilization = from->memory_utilization;
    to->report.request_cost.items = to->cost;
    to->report.utilization.items = to->utilization;
    for (size_t i = 0; i < costs && i < most; i++, to->report.request_cost.count++) {
        to->cost[i].key = from->request_cost.items[i].key;
        to->cost[i].value = from->request_cost.items[i].value;
    }
    for (size_t i = 0; i < utilizations && i < most; i++, to->report.utilization.count++) {
        to->utilization[i].key = from->utilization.items[i].key;
        to->utilization[i].value = from->utilization.items[i].value;
    }
}

static void report_with_call(state *s, const grpc_testing_TestOrcaReport *from)
{
    report_copy copy;
    uint8_t bytes[MAX_ECHO];
    size_t len;

    copy_report(&copy, from);
    if (xds_data_orca_v3_OrcaLoadReport_encode(&copy.report, bytes, sizeof bytes, &len) < 0)
        return;
    int n = mote_grpc_bin_encode(bytes, len, s->load, sizeof s->load);
    s->load_len = n > 0 ? (size_t)n : 0;
}

/* It outlives the call, so it is decoded from bytes of its own. */
static void report_out_of_band(const grpc_testing_TestOrcaReport *from)
{
    static uint8_t bytes[MAX_ECHO];
    static uint64_t memory[256];
    mote_pb_arena a;
    report_copy copy;
    size_t len;

    copy_report(&copy, from);
    mote_pb_arena_init(&a, memory, sizeof memory);
    if (xds_data_orca_v3_OrcaLoadReport_encode(&copy.report, bytes, sizeof bytes, &len) == 0)
        xds_data_orca_v3_OrcaLoadReport_decode(&load, bytes, len, &a);
}

static int stream_core_metrics(mote_grpc_call *call, const mote_grpc_event *ev)
{
    xds_service_orca_v3_OrcaLoadReportRequest request;
    uint64_t interval_ms = 0, now = mote_posix_now_ms();
    state *s = call->user;
    int r;

    if (ev->type == MOTE_GRPC_CLOSED)
        delay_cancel(call);
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (xds_service_orca_v3_OpenRcaService_StreamCoreMetrics_read(ev, &request, arena()) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    if (request.report_interval && request.report_interval->seconds < 3600)
        interval_ms = (uint64_t)request.report_interval->seconds * 1000 +
                      (uint64_t)request.report_interval->nanos / 1000000;
    if (now >= s->due_ms) {
        if ((r = xds_service_orca_v3_OpenRcaService_StreamCoreMetrics_write(call, &load)) < 0)
            return r;
        s->due_ms = now + (interval_ms < 1000 ? 1000 : interval_ms);
    }
    return delay_until(call, s->due_ms);
}

/* ---- unary --------------------------------------------------------------------------------- */

static int empty_call(mote_grpc_call *call, const mote_grpc_event *ev)
{
    grpc_testing_Empty empty = {0};

    if (ev->type == MOTE_GRPC_METADATA)
        on_metadata(call->user, ev);
    if (ev->type == MOTE_GRPC_MESSAGE)
        return send_message(call, &grpc_testing_Empty_encoder, &empty, NULL);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? finish_ok(call) : 0;
}

static int answer(mote_grpc_call *call, const mote_grpc_event *ev)
{
    grpc_testing_SimpleRequest request;
    grpc_testing_Payload payload = {.body = {zeros, 0}};
    grpc_testing_SimpleResponse response = {.payload = &payload,
                                            .server_id = MOTE_PB_STRING("mote")};
    int r = grpc_testing_TestService_UnaryCall_read(ev, &request, arena());

    if (r < 0)
        return invalid(call, mote_strerror(r));
    if (!compression_is(ev, request.expect_compressed))
        return invalid(call, "expect_compressed does not fit the message");
    if (request.response_status && request.response_status->code != 0)
        return finish(call, request.response_status->code, request.response_status->message);
    if (request.response_size < 0 || request.response_size > LARGEST)
        return invalid(call, "response_size is not from 0 to 4,194,304");
    if (request.orca_per_query_report)
        report_with_call(call->user, request.orca_per_query_report);
    payload.body.len = (size_t)request.response_size;
    return send_message(call, &grpc_testing_SimpleResponse_encoder, &response,
                        request.response_compressed);
}

static int unary_call(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_METADATA)
        on_metadata(call->user, ev);
    if (ev->type == MOTE_GRPC_MESSAGE)
        return answer(call, ev);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? finish_ok(call) : 0;
}

/* ---- streams ------------------------------------------------------------------------------- */

static int streaming_input_call(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *s = call->user;
    grpc_testing_StreamingInputCallRequest request;
    grpc_testing_StreamingInputCallResponse response = {0};
    int r = 0;

    switch (ev->type) {
    case MOTE_GRPC_METADATA:
        on_metadata(s, ev);
        return 0;
    case MOTE_GRPC_MESSAGE:
        r = grpc_testing_TestService_StreamingInputCall_read(ev, &request, arena());
        if (r < 0)
            return invalid(call, mote_strerror(r));
        if (!compression_is(ev, request.expect_compressed))
            return invalid(call, "expect_compressed does not fit the message");
        s->total += request.payload ? (int64_t)request.payload->body.len : 0;
        return 0;
    case MOTE_GRPC_HALF_CLOSE:
        response.aggregated_payload_size = (int32_t)s->total;
        if (s->next == 0)
            r = send_message(call, &grpc_testing_StreamingInputCallResponse_encoder, &response,
                             NULL);
        if (r < 0)
            return r;
        s->next = 1;
        return finish_ok(call);
    default:
        return 0;
    }
}

static size_t peer_address(const mote_grpc_call *call, char *out, size_t cap)
{
    uint8_t address[128];
    socklen_t len = sizeof address;
    size_t n = 0;

    for (mote_posix_conn *conn = the_loop ? the_loop->conns : NULL; conn; conn = conn->next) {
        if (conn->grpc != call->grpc ||
            getpeername(conn->fd, (struct sockaddr *)(void *)address, &len) < 0)
            continue;
        for (socklen_t i = 0; i < len && n + 3 < cap; i++)
            n += (size_t)snprintf(out + n, cap - n, "%02x", address[i]);
    }
    return n;
}

/* One response, when its time has come. 0 or an error. */
static int respond(mote_grpc_call *call, const grpc_testing_ResponseParameters *p)
{
    state *s = call->user;
    grpc_testing_Payload payload = {.body = {zeros, (size_t)p->size}};
    grpc_testing_StreamingOutputCallResponse response = {.payload = &payload};
    char peer[80];

    if (p->size < 0 || p->size > LARGEST)
        return invalid(call, "size is not from 0 to 4,194,304");
    if (p->interval_us > 0 && s->due_ms == 0)
        s->due_ms = mote_posix_now_ms() + (uint64_t)(p->interval_us + 999) / 1000;
    if (mote_posix_now_ms() < s->due_ms) /* it may also be asked earlier */
        return delay_until(call, s->due_ms);
    if (p->fill_peer_socket_address && p->fill_peer_socket_address->value)
        response.peer_socket_address =
            (mote_pb_string){peer, peer_address(call, peer, sizeof peer)};
    int r = send_message(call, &grpc_testing_StreamingOutputCallResponse_encoder, &response,
                         p->compressed);
    if (r == 0)
        s->due_ms = 0;
    return r;
}

/* The responses to one request. Asked again after MOTE_AGAIN, it goes on where it was. */
static int respond_to(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *s = call->user;
    grpc_testing_StreamingOutputCallRequest request;
    int r = grpc_testing_TestService_FullDuplexCall_read(ev, &request, arena());

    if (r < 0)
        return invalid(call, mote_strerror(r));
    if (request.response_status && request.response_status->code != 0)
        return finish(call, request.response_status->code, request.response_status->message);
    if (request.orca_oob_report)
        report_out_of_band(request.orca_oob_report);
    while (s->next < request.response_parameters.count) {
        if ((r = respond(call, &request.response_parameters.items[s->next])) != 0)
            return r;
        s->next++;
    }
    s->next = 0;
    return 0;
}

static int full_duplex_call(mote_grpc_call *call, const mote_grpc_event *ev)
{
    switch (ev->type) {
    case MOTE_GRPC_METADATA:
        on_metadata(call->user, ev);
        return 0;
    case MOTE_GRPC_START: /* a client may wait for the headers before it sends */
        return begin(call);
    case MOTE_GRPC_MESSAGE:
        return respond_to(call, ev);
    case MOTE_GRPC_HALF_CLOSE:
        return finish_ok(call);
    case MOTE_GRPC_CLOSED:
        delay_cancel(call);
        return 0;
    default:
        return 0;
    }
}

/* Answers when the client has sent everything. */
static int half_duplex_call(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *s = call->user;
    grpc_testing_StreamingOutputCallRequest request;
    int r;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if ((r = grpc_testing_TestService_HalfDuplexCall_read(ev, &request, arena())) < 0)
            return invalid(call, mote_strerror(r));
        for (size_t i = 0; i < request.response_parameters.count; i++) {
            if (s->size_count == MAX_HALF)
                return MOTE_GRPC_RESOURCE_EXHAUSTED;
            s->sizes[s->size_count++] = request.response_parameters.items[i].size;
        }
        return 0;
    }
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    for (; s->next < s->size_count; s->next++) {
        grpc_testing_ResponseParameters p = {.size = s->sizes[s->next]};
        if ((r = respond(call, &p)) != 0)
            return r;
    }
    return finish_ok(call);
}

/* ---- the server ---------------------------------------------------------------------------- */

static const mote_grpc_method test_methods[] = grpc_testing_TestService_METHODS(
    empty_call, unary_call, unary_call, full_duplex_call, streaming_input_call, full_duplex_call,
    half_duplex_call, NULL);
static const mote_grpc_method other_methods[] = grpc_testing_UnimplementedService_METHODS(NULL);
static const mote_grpc_method load_methods[] =
    xds_service_orca_v3_OpenRcaService_METHODS(stream_core_metrics);
static const mote_grpc_service services[] = {
    grpc_testing_TestService_SERVICE(test_methods),
    grpc_testing_UnimplementedService_SERVICE(other_methods),
    xds_service_orca_v3_OpenRcaService_SERVICE(load_methods)};

enum { PLACES = 256 };
static const mote_connect_service *const connect_services[] = {
    &grpc_testing_TestService_CONNECT, &grpc_testing_UnimplementedService_CONNECT};
static uint64_t scratch[4 * LARGEST / 8], places[PLACES][LARGEST / 4 / 8];

static void each_turn(void *context, mote_posix_loop *loop)
{
    (void)context;
    the_loop = loop;
    delay_turn(loop);
}

int main(int argc, char **argv)
{
    static uint8_t message[LARGEST + 4096];
    const char *port = "10000", *tls = "false", *streams = "100";
    const char *cert = NULL, *key = NULL, *ca = NULL, *origin = NULL;
    mote_posix_security security;
    char address[32];
    const option options[] = {
        OPTION("--port", &port, "where to listen, on all interfaces"),
        OPTION("--use_tls", &tls, "true or false"),
        OPTION("--cert", &cert, "the server's certificate, PEM"),
        OPTION("--key", &key, "its key, PEM"),
        OPTION("--ca", &ca, "clients must have a certificate by these"),
        OPTION("--web", &origin, "pages of this origin may call, without TLS also by HTTP/1.1"),
        OPTION("--max_concurrent_streams", &streams, "on a connection; 100"),
        OPTIONS_END};

    parse_options(argc, argv, "interop_server: grpc.testing.TestService", options);
    bool secure = strcmp(tls, "true") == 0;
    mote_posix_tls_config config = {.context = secure ? mote_posix_tls_context(true, ca, cert, key)
                                                      : NULL};
    if (secure && !config.context)
        return 2;
    security = mote_posix_tls_security(&config);
    const mote_connect_config web = {.web = {.origins = &origin, .origin_count = 1},
                                     .services = connect_services,
                                     .service_count = 2,
                                     .scratch = scratch,
                                     .scratch_size = sizeof scratch,
                                     .places = places,
                                     .place_size = sizeof places[0],
                                     .place_count = PLACES};
    const mote_grpc_door door = MOTE_CONNECT_DOOR(&web);
    const mote_posix_security http1 = mote_posix_http1();
    snprintf(address, sizeof address, ":%s", port);
    mote_posix_server server = {.address = address,
                                .grpc = {.max_calls = (uint16_t)atoi(streams),
                                         .slots = 16,
                                         .rx_size = LARGEST + 5,
                                         .tx_size = 65536,
                                         .table_size = 4096,
                                         .field_size = 8192,
                                         .user_size = sizeof(state) + MOTE_CONNECT_STATE,
                                         .door = origin ? &door : NULL,
                                         .connection_window = 16 << 20,
                                         .codecs = &mote_grpc_zlib,
                                         .message = message,
                                         .message_size = sizeof message,
                                         .services = services,
                                         .service_count = 3},
                                .max_connections = 256,
                                .security = secure   ? &security
                                            : origin ? &http1
                                                     : NULL,
                                .turn = each_turn,
                                .turn_ms = 1};
    return mote_posix_serve(&server) < 0;
}
