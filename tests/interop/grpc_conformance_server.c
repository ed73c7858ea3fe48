/*
 * The server under test of the gRPC conformance suite: reads one ServerCompatRequest from standard
 * input, answers where it listens, and serves connectrpc.conformance.v1.ConformanceService until it
 * is told to stop.
 *
 *   connectconformance --mode server --conf FILE -- grpc_conformance_server
 */
#include "../../examples/common/options.h"
#include "../../grpc/codec/codec.h"
#include "../../port/posix/http1.h"
#include "conformance.h"
#include "delay.h"

enum { LARGEST = 4 << 20 };
enum kind { UNARY, IDEMPOTENT, SERVER_STREAM, CLIENT_STREAM, BIDI };
enum { HTTP_1 = 1, PLACES = 64 };

/* A call; allocated for as long as it lasts. What it points to is never freed: a run is short. */
typedef struct {
    headers request_headers;
    mote_pb_opt_int64 timeout_ms;
    google_protobuf_Any *requests; /* since the last response, or all */
    size_t request_count, requests_seen;
    bool first, defined, full_duplex, headers_sent, compress, handled;
    connectrpc_conformance_v1_StreamResponseDefinition definition; /* unary ones as well */
    size_t next;                                                   /* response */
    uint64_t due_ms;
} exchange;

static uint8_t packed[4 * LARGEST];

static exchange *exchange_of(mote_grpc_call *call)
{
    exchange **place = call->user;

    if (!*place) {
        *place = get_memory(sizeof **place);
        (*place)->first = true;
    }
    return *place;
}

/* ---- requests ------------------------------------------------------------------------------ */

static const char *const type_urls[] = {
    [UNARY] = "type.googleapis.com/connectrpc.conformance.v1.UnaryRequest",
    [IDEMPOTENT] = "type.googleapis.com/connectrpc.conformance.v1.IdempotentUnaryRequest",
    [SERVER_STREAM] = "type.googleapis.com/connectrpc.conformance.v1.ServerStreamRequest",
    [CLIENT_STREAM] = "type.googleapis.com/connectrpc.conformance.v1.ClientStreamRequest",
    [BIDI] = "type.googleapis.com/connectrpc.conformance.v1.BidiStreamRequest"};

static void keep_request(exchange *x, enum kind kind, const mote_grpc_event *ev)
{
    google_protobuf_Any *all = get_memory((x->request_count + 1) * sizeof *all);
    uint8_t *copy = get_memory(ev->len);

    if (x->request_count > 0)
        memcpy(all, x->requests, x->request_count * sizeof *all);
    if (ev->len > 0)
        memcpy(copy, ev->data, ev->len);
    all[x->request_count].type_url = mote_pb_cstring(type_urls[kind]);
    all[x->request_count++].value = (mote_pb_bytes){copy, ev->len};
    x->requests = all;
}

/* A unary definition is one of a stream with a single response, or none and an error. */
static void define_unary(exchange *x, const connectrpc_conformance_v1_UnaryResponseDefinition *d)
{
    connectrpc_conformance_v1_StreamResponseDefinition *to = &x->definition;

    to->response_headers.items = d->response_headers.items;
    to->response_headers.count = d->response_headers.count;
    to->response_trailers.items = d->response_trailers.items;
    to->response_trailers.count = d->response_trailers.count;
    to->response_delay_ms = d->response_delay_ms;
    if (d->response.which == connectrpc_conformance_v1_UnaryResponseDefinition_error) {
        to->error = d->response.is.error;
    } else {
        mote_pb_bytes *data = get_memory(sizeof *data);
        if (d->response.which == connectrpc_conformance_v1_UnaryResponseDefinition_response_data)
            *data = d->response.is.response_data;
        to->response_data = (mote_pb_list_bytes){data, 1};
    }
}

static bool is_unary(enum kind kind)
{
    return kind == UNARY || kind == IDEMPOTENT || kind == CLIENT_STREAM;
}

static bool read_definition(exchange *x, enum kind kind, const mote_grpc_event *ev)
{
    union {
        connectrpc_conformance_v1_UnaryRequest unary;
        connectrpc_conformance_v1_ServerStreamRequest server;
        connectrpc_conformance_v1_BidiStreamRequest bidi;
    } request;
    static const mote_pb_decoder *const tables[] = {
        [UNARY] = &connectrpc_conformance_v1_UnaryRequest_decoder,
        [IDEMPOTENT] = &connectrpc_conformance_v1_UnaryRequest_decoder, /* the same fields */
        [SERVER_STREAM] = &connectrpc_conformance_v1_ServerStreamRequest_decoder,
        [CLIENT_STREAM] = &connectrpc_conformance_v1_UnaryRequest_decoder,
        [BIDI] = &connectrpc_conformance_v1_BidiStreamRequest_decoder};

    if (!decode_copy(tables[kind], &request, ev->data, ev->len))
        return false;
    if (kind == SERVER_STREAM && request.server.response_definition)
        x->definition = *request.server.response_definition;
    if (kind == BIDI && request.bidi.response_definition)
        x->definition = *request.bidi.response_definition;
    if (kind == BIDI)
        x->full_duplex = request.bidi.full_duplex;
    if (is_unary(kind) && request.unary.response_definition) {
        define_unary(x, request.unary.response_definition);
        x->defined = true;
    }
    return true;
}

/* ---- responses ----------------------------------------------------------------------------- */

static connectrpc_conformance_v1_ConformancePayload_RequestInfo request_info(const exchange *x)
{
    connectrpc_conformance_v1_ConformancePayload_RequestInfo info = {
        .requests = {x->requests, x->request_count}};

    if (x->next == 0) {
        info.request_headers.items = x->request_headers.items;
        info.request_headers.count = x->request_headers.count;
        info.timeout_ms = x->timeout_ms;
    }
    return info;
}

/* All responses have the payload as their first field. */
static int send_payload(mote_grpc_call *call, exchange *x,
                        const connectrpc_conformance_v1_ConformancePayload *payload)
{
    connectrpc_conformance_v1_UnaryResponse response = {payload};
    const mote_pb_encoder *type = &connectrpc_conformance_v1_UnaryResponse_encoder;
    mote_grpc_bytes bytes;

    if (!x->compress ||
        mote_grpc_compress(call,
                           &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, type},
                           &response, packed, sizeof packed, &bytes) < 0)
        return mote_grpc_send(
            call, &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, type}, &response,
            0);
    return mote_grpc_send(call, &mote_grpc_bytes_source, &bytes, MOTE_GRPC_COMPRESSED);
}

static int send_headers(mote_grpc_call *call, exchange *x)
{
    mote_grpc_metadata *metadata;

    if (x->headers_sent)
        return 0;
    if (x->compress)
        mote_grpc_choose_codec(call);
    size_t count = to_metadata(x->definition.response_headers.items,
                               x->definition.response_headers.count, 0, &metadata);
    int r = mote_grpc_send_headers(call, metadata, count);
    free(metadata);
    x->headers_sent = r == 0;
    return r;
}

/* The next response, after its delay. 0 or an error. */
static int send_next(mote_grpc_call *call, exchange *x, bool with_info)
{
    connectrpc_conformance_v1_ConformancePayload_RequestInfo info = request_info(x);
    connectrpc_conformance_v1_ConformancePayload payload = {.request_info =
                                                                with_info ? &info : NULL};
    uint64_t now = mote_posix_now_ms();

    if (x->due_ms == 0)
        x->due_ms = now + x->definition.response_delay_ms;
    if (now < x->due_ms)
        return delay_until(call, x->due_ms);
    if (x->next < x->definition.response_data.count)
        payload.data = x->definition.response_data.items[x->next];
    int r = send_payload(call, x, &payload);
    if (r == 0) {
        x->next++;
        x->due_ms = 0;
    }
    return r;
}

/* grpc-status-details-bin: the details of the error, and what was asked when nothing was answered.
 */
static mote_pb_string details_of(const exchange *x)
{
    const connectrpc_conformance_v1_Error *e = x->definition.error;
    connectrpc_conformance_v1_ConformancePayload_RequestInfo info = request_info(x);
    google_protobuf_Any *details = get_memory((e->details.count + 1) * sizeof *details);
    google_rpc_Status status = {.code = e->code, .message = e->message.value};
    size_t n = e->details.count, len = 0;

    if (n > 0)
        memcpy(details, e->details.items, n * sizeof *details);
    if (x->next == 0) {
        connectrpc_conformance_v1_ConformancePayload_RequestInfo_size(&info, &len);
        uint8_t *bytes = get_memory(len);
        connectrpc_conformance_v1_ConformancePayload_RequestInfo_encode(&info, bytes, len, &len);
        details[n].type_url = mote_pb_cstring(
            "type.googleapis.com/connectrpc.conformance.v1.ConformancePayload.RequestInfo");
        details[n++].value = (mote_pb_bytes){bytes, len};
    }
    status.details.items = details;
    status.details.count = n;
    google_rpc_Status_size(&status, &len);
    uint8_t *bytes = get_memory(len);
    char *text = get_memory(2 * len + 4);
    google_rpc_Status_encode(&status, bytes, len, &len);
    return (mote_pb_string){text, (size_t)mote_grpc_bin_encode(bytes, len, text, 2 * len + 4)};
}

static int finish(mote_grpc_call *call, exchange *x)
{
    const connectrpc_conformance_v1_Error *e = x->definition.error;
    mote_grpc_metadata *trailers;
    size_t count = to_metadata(x->definition.response_trailers.items,
                               x->definition.response_trailers.count, 1, &trailers);

    if (e && (e->details.count > 0 || x->next == 0)) {
        mote_pb_string details = details_of(x);
        trailers[count++] =
            (mote_grpc_metadata){"grpc-status-details-bin", details.data, 23, details.len};
    }
    int r = e ? mote_grpc_finish_with(call, e->code, e->message.value.data, e->message.value.len,
                                      trailers, count)
              : mote_grpc_finish_with(call, 0, "", 0, trailers, count);
    free(trailers);
    return r;
}

/* ---- calls --------------------------------------------------------------------------------- */

static int on_message(mote_grpc_call *call, const mote_grpc_event *ev, enum kind kind)
{
    exchange *x = exchange_of(call);
    int r;

    if (!x->handled) {
        keep_request(x, kind, ev);
        if (x->first && !read_definition(x, kind, ev))
            return MOTE_GRPC_INVALID_ARGUMENT;
        x->compress = x->compress || ev->compressed;
        x->first = false;
        x->handled = true; /* and not again when this event is offered again */
    }
    if (kind == BIDI && x->full_duplex) {
        if ((r = send_headers(call, x)) < 0)
            return r;
        if (x->next >= x->definition.response_data.count)
            return finish(call, x);
        if ((r = send_next(call, x, true)) != 0)
            return r;
        x->request_count = 0;
    }
    x->handled = false;
    return 0;
}

static int on_half_close(mote_grpc_call *call, enum kind kind)
{
    exchange *x = exchange_of(call);
    bool unary = is_unary(kind);
    size_t count = x->definition.response_data.count;
    int r = send_headers(call, x);

    if (r < 0)
        return r;
    if (unary && !x->defined)
        count = 1;
    while (x->next < count) {
        if ((r = send_next(call, x, x->next == 0)) != 0)
            return r;
    }
    if (unary && count == 0 && x->definition.response_delay_ms > 0) { /* an error also waits */
        if (x->due_ms == 0)
            x->due_ms = mote_posix_now_ms() + x->definition.response_delay_ms;
        if (mote_posix_now_ms() < x->due_ms)
            return delay_until(call, x->due_ms);
    }
    return finish(call, x);
}

static int handle(mote_grpc_call *call, const mote_grpc_event *ev, enum kind kind)
{
    exchange *x = exchange_of(call);
    uint64_t left;

    switch (ev->type) {
    case MOTE_GRPC_METADATA:
        headers_add(&x->request_headers, ev);
        return 0;
    case MOTE_GRPC_START:
        left = mote_grpc_time_left(call);
        x->timeout_ms.has = left != UINT64_MAX;
        x->timeout_ms.value = left != UINT64_MAX ? (int64_t)left : 0;
        return 0;
    case MOTE_GRPC_MESSAGE:
        return on_message(call, ev, kind);
    case MOTE_GRPC_HALF_CLOSE:
        return on_half_close(call, kind);
    case MOTE_GRPC_CLOSED:
        delay_cancel(call);
        return 0;
    default:
        return 0;
    }
}

static int unary(mote_grpc_call *call, const mote_grpc_event *ev)
{
    return handle(call, ev, UNARY);
}

static int idempotent_unary(mote_grpc_call *call, const mote_grpc_event *ev)
{
    return handle(call, ev, IDEMPOTENT);
}

static int server_stream(mote_grpc_call *call, const mote_grpc_event *ev)
{
    return handle(call, ev, SERVER_STREAM);
}

static int client_stream(mote_grpc_call *call, const mote_grpc_event *ev)
{
    return handle(call, ev, CLIENT_STREAM);
}

static int bidi_stream(mote_grpc_call *call, const mote_grpc_event *ev)
{
    return handle(call, ev, BIDI);
}

static const mote_grpc_method methods[] = connectrpc_conformance_v1_ConformanceService_METHODS(
    unary, server_stream, client_stream, bidi_stream, NULL, idempotent_unary);
static const mote_grpc_service services[] = {
    connectrpc_conformance_v1_ConformanceService_SERVICE(methods)};

/* ---- browsers ------------------------------------------------------------------------------ */

#define KNOWN(name)                                                                                \
    {                                                                                              \
        &connectrpc_conformance_v1_##name##_json, &connectrpc_conformance_v1_##name##_encoder,     \
            &connectrpc_conformance_v1_##name##_decoder                                            \
    }
static const mote_pb_json_known known[] = {KNOWN(UnaryRequest),
                                           KNOWN(IdempotentUnaryRequest),
                                           KNOWN(ServerStreamRequest),
                                           KNOWN(ClientStreamRequest),
                                           KNOWN(BidiStreamRequest),
                                           KNOWN(Header),
                                           KNOWN(ConformancePayload_RequestInfo)};
static const mote_pb_json_options json_options = {known, sizeof known / sizeof *known, true};
static const mote_connect_service *const connect_services[] = {
    &connectrpc_conformance_v1_ConformanceService_CONNECT};
static uint64_t scratch[32 * LARGEST / 8], places[PLACES][LARGEST / 8];
static const mote_connect_config connect_config = {.services = connect_services,
                                                   .service_count = 1,
                                                   .json = &json_options,
                                                   .scratch = scratch,
                                                   .scratch_size = sizeof scratch,
                                                   .places = places,
                                                   .place_size = sizeof places[0],
                                                   .place_count = PLACES};
static const mote_grpc_door door = MOTE_CONNECT_DOOR(&connect_config);

/* ---- the server ---------------------------------------------------------------------------- */

static void each_turn(void *context, mote_posix_loop *loop)
{
    (void)context;
    delay_turn(loop);
}

static mote_pb_bytes our_cert;

static void ready(const char *address)
{
    const char *port = strrchr(address, ':');
    connectrpc_conformance_v1_ServerCompatResponse response = {
        .pem_cert = our_cert,
        .host = MOTE_PB_STRING("127.0.0.1"),
        .port = (uint32_t)atoi(port ? port + 1 : "0")};

    write_message(&connectrpc_conformance_v1_ServerCompatResponse_encoder, &response);
}

int main(int argc, char **argv)
{
    connectrpc_conformance_v1_ServerCompatRequest request;
    const option options[] = {OPTIONS_END};

    parse_options(argc, argv,
                  "grpc_conformance_server: the server under test of connectconformance; started "
                  "by it",
                  options);
    if (!read_message(&connectrpc_conformance_v1_ServerCompatRequest_decoder, &request))
        return 1;
    mote_posix_tls_config config = {0};
    mote_posix_security security = {0};
    if (request.use_tls && request.server_creds) {
        our_cert = request.server_creds->cert;
        config.context =
            make_context(true, request.client_tls_cert, our_cert, request.server_creds->key);
        if (!config.context)
            return 1;
        security = mote_posix_tls_security(&config);
    }
    mote_posix_security http1 = mote_posix_http1();
    if (request.http_version == HTTP_1)
        security = http1;
    uint32_t limit = request.message_receive_limit ? request.message_receive_limit : LARGEST;
    mote_posix_server server = {
        .address = "127.0.0.1:0",
        .grpc = {.max_calls = 100,
                 .slots = 16,
                 .rx_size = limit + 5,
                 .tx_size = 65536,
                 .table_size = 4096,
                 .field_size = 16384,
                 .user_size = sizeof(exchange *) + MOTE_CONNECT_STATE,
                 .door = &door,
                 .connection_window = 16 << 20,
                 .codecs = &mote_grpc_zlib,
                 .message = get_memory(limit),
                 .message_size = limit,
                 .services = services,
                 .service_count = 1},
        .security = request.use_tls || request.http_version == HTTP_1 ? &security : NULL,
        .ready = ready,
        .turn = each_turn,
        .turn_ms = 1};
    return mote_posix_serve(&server) < 0;
}
