/* mote's side of the scenarios of gRPC's own benchmarks: grpc.testing.BenchmarkService, and its
 * load. scenario server [many] scenario client unary|ping|throughput|upload|download ADDRESS COUNT
 * SIZE The client prints messages a second, the median and 99th percentile of a round trip in
 * microseconds (0 where there are none), and its processor time for each message in nanoseconds. */
#define _POSIX_C_SOURCE 200809L
#include "../../port/posix/tls.h"
#include "../interop/interop.mote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LARGEST = 1 << 20,
    CALLS = 128,
    OPEN = 64,
    TX = 1 << 20,
    BUFFER = 4 * LARGEST,
    FIELD = 1024
};

typedef grpc_testing_SimpleRequest request;
typedef grpc_testing_SimpleResponse response;
#define REQUEST_ENCODER  &grpc_testing_SimpleRequest_encoder
#define REQUEST_DECODER  &grpc_testing_SimpleRequest_decoder
#define RESPONSE_ENCODER &grpc_testing_SimpleResponse_encoder
#define RESPONSE_DECODER &grpc_testing_SimpleResponse_decoder

static uint8_t zeros[LARGEST];

static void fail(const char *why)
{
    fprintf(stderr, "scenario: error: %s\n", why);
    exit(1);
}

static mote_pb_arena *arena(void)
{
    static uint64_t memory[256];
    static mote_pb_arena a;

    mote_pb_arena_init(&a, memory, sizeof memory);
    return &a;
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- server -------------------------------------------------------------------------------- */

typedef struct {
    uint64_t bytes;
    uint32_t count;
    int32_t size; /* of the responses */
} state;

static int respond(mote_grpc_call *call, int32_t size)
{
    grpc_testing_Payload payload = {.body = {zeros, (size_t)size}};
    response r = {.payload = &payload};

    return mote_grpc_send(
        call, &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, RESPONSE_ENCODER},
        &r, 0);
}

/* UnaryCall, StreamingCall: an answer for each request. */
static int answer(mote_grpc_call *call, const mote_grpc_event *ev)
{
    request r;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if (mote_pb_decode(REQUEST_DECODER, &r, ev->data, ev->len, arena(), NULL) < 0 ||
            r.response_size < 0 || r.response_size > LARGEST)
            return MOTE_GRPC_INVALID_ARGUMENT;
        return respond(call, r.response_size);
    }
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

static int from_client(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *s = call->user;
    char text[48];
    request r;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if (mote_pb_decode(REQUEST_DECODER, &r, ev->data, ev->len, arena(), NULL) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        s->count++;
        s->bytes += r.payload ? r.payload->body.len : 0;
    }
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    snprintf(text, sizeof text, "%u:%llu", s->count, (unsigned long long)s->bytes);
    response summary = {.server_id = {text, strlen(text)}};
    return mote_grpc_answer(
        call, &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, RESPONSE_ENCODER},
        &summary);
}

/* Sends until the client cancels. */
static int from_server(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *s = call->user;
    request r;
    int e;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if (mote_pb_decode(REQUEST_DECODER, &r, ev->data, ev->len, arena(), NULL) < 0 ||
            r.response_size < 0 || r.response_size > LARGEST)
            return MOTE_GRPC_INVALID_ARGUMENT;
        s->size = r.response_size;
    }
    if (ev->type != MOTE_GRPC_HALF_CLOSE && ev->type != MOTE_GRPC_WRITABLE)
        return 0;
    while ((e = respond(call, s->size)) == 0)
        ;
    return e == MOTE_AGAIN ? 0 : e;
}

static const mote_grpc_method methods[] = {
    {"UnaryCall", answer, NULL, NULL, NULL, true, false},
    {"StreamingCall", answer, NULL, NULL, NULL, false, false},
    {"StreamingFromClient", from_client, NULL, NULL, NULL, false, false},
    {"StreamingFromServer", from_server, NULL, NULL, NULL, true, false}};
static const mote_grpc_service services[] = {{"grpc.testing.BenchmarkService", methods, 4, false}};

/* One whose messages may be as large as those of its peers, or one of many connections. */
static int serve(const char *cert, const char *key, bool many)
{
    mote_posix_tls_config tls = {.context =
                                     cert ? mote_posix_tls_context(true, NULL, cert, key) : NULL};
    mote_posix_security security = mote_posix_tls_security(&tls);
    mote_posix_server server = {.address = "127.0.0.1:0",
                                .max_connections = many ? 2048 : 16,
                                .security = cert ? &security : NULL,
                                .grpc = {.max_calls = CALLS,
                                         .slots = 16,
                                         .rx_size = many ? 1 << 14 : BUFFER,
                                         .tx_size = many ? 1 << 14 : TX,
                                         .dynamic = &mote_hpack_dynamic_table,
                                         .coder = &mote_hpack_huffman_coder,
                                         .table_size = 4096,
                                         .field_size = FIELD,
                                         .user_size = sizeof(state),
                                         .connection_window = 16 << 20,
                                         .services = services,
                                         .service_count = 1}};

    return mote_posix_serve(&server) < 0;
}

/* ---- client -------------------------------------------------------------------------------- */

static const mote_hpack_field
    unary_path = MOTE_HPACK_FIELD(":path", "/grpc.testing.BenchmarkService/UnaryCall"),
    ping_path = MOTE_HPACK_FIELD(":path", "/grpc.testing.BenchmarkService/StreamingCall"),
    upload_path = MOTE_HPACK_FIELD(":path", "/grpc.testing.BenchmarkService/StreamingFromClient"),
    download_path = MOTE_HPACK_FIELD(":path", "/grpc.testing.BenchmarkService/StreamingFromServer");

static uint32_t count, size;
static double *round_trips;
static uint64_t memory[MOTE_GRPC_MEMORY(OPEN, BUFFER, TX, 4096, FIELD, 16, 0) / 8];
static const mote_grpc_config config = {.max_calls = OPEN,
                                        .slots = 16,
                                        .rx_size = BUFFER,
                                        .tx_size = TX,
                                        .dynamic = &mote_hpack_dynamic_table,
                                        .coder = &mote_hpack_huffman_coder,
                                        .table_size = 4096,
                                        .field_size = FIELD,
                                        .connection_window = 16 << 20,
                                        .authority = MOTE_GRPC_AUTHORITY("localhost")};
static mote_channel channel;
static uint8_t input[1 << 18];

static grpc_testing_Payload payload;
static request ask(void)
{
    payload.body = (mote_pb_bytes){zeros, size};
    return (request){.response_size = (int32_t)size, .payload = &payload};
}

static void check_response(const uint8_t *data, size_t len)
{
    response r;

    if (!data || mote_pb_decode(RESPONSE_DECODER, &r, data, len, arena(), NULL) < 0 ||
        (r.payload ? r.payload->body.len : 0) != size)
        fail("a response is wrong");
}

static mote_grpc_call *start_call(const mote_hpack_field *path)
{
    mote_grpc_request r = {.path = path};
    mote_grpc_call *call;

    if (mote_channel_start(&channel, &r, &call) < 0)
        fail("the call does not start");
    return call;
}

static void send(mote_grpc_call *call, unsigned flags)
{
    request r = ask();

    if (mote_channel_send(
            call, &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, REQUEST_ENCODER},
            &r, flags) < 0)
        fail("the call ended early");
}

static void unary(void)
{
    mote_grpc_request start = {.path = &unary_path};
    request r = ask();
    const uint8_t *data;
    size_t len;

    for (uint32_t i = 0; i < count; i++) {
        double before = seconds(CLOCK_MONOTONIC);
        if (mote_channel_unary(
                &channel, &start,
                &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, REQUEST_ENCODER},
                &r, &data, &len)
                .code)
            fail("a call fails");
        check_response(data, len);
        round_trips[i] = seconds(CLOCK_MONOTONIC) - before;
    }
}

static void next_message(mote_grpc_call *call)
{
    mote_grpc_event ev;

    do
        mote_channel_recv(call, &ev);
    while (ev.type == MOTE_GRPC_START);
    if (ev.type != MOTE_GRPC_MESSAGE)
        fail("the call ended early");
    check_response(ev.data, ev.len);
}

static void ping(void)
{
    mote_grpc_call *call = start_call(&ping_path);

    for (uint32_t i = 0; i < count; i++) {
        double before = seconds(CLOCK_MONOTONIC);
        send(call, 0);
        next_message(call);
        round_trips[i] = seconds(CLOCK_MONOTONIC) - before;
    }
    mote_channel_half_close(call);
    if (mote_channel_finish(call).code != 0)
        fail("the status is wrong");
}

static void upload(void)
{
    mote_grpc_call *call = start_call(&upload_path);
    const uint8_t *data;
    char text[48];
    size_t len;
    response r;

    for (uint32_t i = 0; i < count; i++)
        send(call, MOTE_CHANNEL_MORE);
    snprintf(text, sizeof text, "%u:%llu", count, (unsigned long long)count * size);
    if (mote_channel_collect(call, &data, &len).code != 0 ||
        mote_pb_decode(RESPONSE_DECODER, &r, data, len, arena(), NULL) < 0 ||
        r.server_id.len != strlen(text) || memcmp(r.server_id.data, text, r.server_id.len) != 0)
        fail("the summary is wrong");
}

static void download(void)
{
    mote_grpc_call *call = start_call(&download_path);

    send(call, MOTE_GRPC_LAST);
    for (uint32_t i = 0; i < count; i++)
        next_message(call);
    mote_grpc_cancel(call);
    mote_channel_finish(call);
}

/* Unary calls, OPEN of them at a time on one connection. */
static mote_posix_client client;
static uint32_t started, ended;

static void start_unary(void)
{
    mote_grpc_request start = {.path = &unary_path};
    mote_grpc_call *call;
    request r = ask();

    for (; started < count && started - ended < OPEN; started++) {
        if (mote_grpc_start(&client.grpc, &start, &call) < 0 ||
            mote_grpc_send(
                call,
                &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, REQUEST_ENCODER},
                &r, MOTE_GRPC_LAST) < 0)
            fail("a call does not start");
    }
}

static void on_event(void *context, const mote_grpc_event *ev)
{
    (void)context;
    if (ev->type == MOTE_GRPC_MESSAGE)
        check_response(ev->data, ev->len);
    if (ev->type != MOTE_GRPC_STATUS)
        return;
    if (ev->code != 0)
        fail("a call fails");
    ended++;
}

static void throughput(int fd, const mote_posix_tls_config *tls)
{
    static mote_posix_loop loop;
    static mote_posix_conn conn;
    const mote_posix_engine *engine = &mote_posix_grpc_client;
    mote_posix_security security = mote_posix_tls_security(tls);
    void *self = &client;

    client.on_event = on_event;
    mote_grpc_init(&client.grpc, &config, memory, sizeof memory);
    mote_posix_loop_init(&loop);
    if (tls->context)
        security.wrap(security.context, mote_posix_memory(1, security.size), &engine, &self);
    mote_posix_loop_add(&loop, &conn, fd, engine, self);
    while (ended < count) {
        start_unary();
        mote_posix_flush(&conn);
        mote_posix_loop_turn(&loop, 100);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void run_client(const char *scenario, const char *address, const char *ca)
{
    static mote_posix_tls_io transport;
    mote_posix_tls_config tls = {.context =
                                     ca ? mote_posix_tls_context(false, ca, NULL, NULL) : NULL,
                                 .host_name = "localhost"};
    int fd = mote_posix_connect(address, 5000);

    if (fd < 0)
        fail(mote_posix_error());
    round_trips = calloc(count, sizeof *round_trips);
    mote_io io = mote_posix_io(&fd);
    if (ca && scenario[0] != 't') {
        mote_posix_tls_begin(&transport, &tls, io);
        io = mote_posix_tls_transport(&transport);
    }
    mote_channel_init(&channel, &config, memory, sizeof memory, input, sizeof input, io);
    double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (strcmp(scenario, "throughput") == 0)
        throughput(fd, &tls);
    else
        (scenario[1] == 'n'   ? unary
         : scenario[0] == 'p' ? ping
         : scenario[0] == 'u' ? upload
                              : download)();
    double passed = seconds(CLOCK_MONOTONIC) - start;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    qsort(round_trips, count, sizeof *round_trips, by_size);
    printf("%.0f %.1f %.1f %.0f\n", count / passed, round_trips[count / 2] * 1e6,
           round_trips[(size_t)count * 99 / 100] * 1e6, cpu / count * 1e9);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "server") == 0)
        return serve(argc == 4 ? argv[2] : NULL, argv[argc - 1], argc == 3);
    if (argc < 6)
        fail("usage: scenario server [many | CERT KEY] | scenario client SCENARIO ADDRESS COUNT "
             "SIZE [CA]");
    count = (uint32_t)atoi(argv[4]);
    size = (uint32_t)atoi(argv[5]);
    run_client(argv[2], argv[3], argc > 6 ? argv[6] : NULL);
    return 0;
}
