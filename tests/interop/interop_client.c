/*
 * The client of the gRPC interoperability tests: cases that use a channel for long, or several, and
 * the command line (the gRPC document interop-test-descriptions.md).
 *
 *   interop_client --server_host=localhost --server_port=10000 --test_case=large_unary
 */
#include "../../examples/common/options.h"
#include "client.h"

static const mote_grpc_request plain = {.timeout_ms = 60000};

bool large_unary_on(connection *c, size_t request_size, size_t response_size)
{
    grpc_testing_SimpleRequest request = {.response_size = (int32_t)response_size,
                                          .payload = PAYLOAD(request_size)};
    grpc_testing_SimpleResponse response;

    REQUIRE(call_plainly(c, &request, &response) == 0);
    REQUIRE(is_payload(response.payload, response_size));
    return true;
}

/* ---- soak ---------------------------------------------------------------------------------- */

static void pause_ms(uint64_t ms)
{
    uint64_t until = mote_posix_now_ms() + ms, now;

    while ((now = mote_posix_now_ms()) < until)
        if (mote_channel_poll(&main_connection.channel, (uint32_t)(until - now)) < 0)
            return;
}

/* One call of a soak test; on a channel of its own when asked for. */
static bool soak_once(bool own_channel)
{
    static connection own;
    connection *c = own_channel ? &own : &main_connection;
    size_t request = (size_t)atol(set.soak_request_size);
    size_t response = (size_t)atol(set.soak_response_size);
    bool ok = request <= LARGEST && response <= LARGEST;

    if (own_channel && connect_to(&own) < 0)
        return false;
    ok = ok && large_unary_on(c, request, response);
    if (own_channel)
        disconnect(&own);
    return ok;
}

static bool soak(bool own_channel)
{
    uint64_t begin = mote_posix_now_ms(), pause = (uint64_t)atol(set.soak_pause_ms);
    uint64_t limit = (uint64_t)atol(set.soak_latency_ms);
    long count = atol(set.soak_iterations), failures = 0, done = 0;
    uint64_t slowest = 0;

    for (; done < count; done++) {
        uint64_t start_ms = mote_posix_now_ms();
        if (start_ms - begin > (uint64_t)atol(set.soak_timeout_s) * 1000)
            break;
        bool ok = soak_once(own_channel);
        uint64_t took = mote_posix_now_ms() - start_ms;
        slowest = took > slowest ? took : slowest;
        failures += !ok || took > limit;
        if (took < pause)
            pause_ms(pause - took);
    }
    fprintf(stderr, "soak test ran: %ld of %ld iterations, %ld failures, slowest %llu ms\n", done,
            count, failures, (unsigned long long)slowest);
    return done == count && failures <= atol(set.soak_max_failures);
}

static bool rpc_soak(void)
{
    return soak(false);
}

static bool channel_soak(void)
{
    return soak(true);
}

static bool long_lived_channel(void)
{
    return soak(false) && large_unary_on(&main_connection, 271828, 314159);
}

/* ---- many calls ---------------------------------------------------------------------------- */

static bool concurrent_large_unary(void)
{
    enum { COUNT = 1000 };
    static mote_grpc_call *calls[COUNT];
    grpc_testing_SimpleRequest request = {.response_size = 314159, .payload = PAYLOAD(271828)};
    grpc_testing_SimpleResponse response;

    for (size_t i = 0; i < COUNT; i++) {
        calls[i] = start(&main_connection, &grpc_testing_TestService_UnaryCall_path,
                         (mote_grpc_request){.timeout_ms = 0});
        REQUIRE(calls[i]);
        REQUIRE(send_message(calls[i], &grpc_testing_SimpleRequest_encoder, &request, false));
        mote_channel_half_close(calls[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        REQUIRE(receive(calls[i], &grpc_testing_SimpleResponse_decoder, &response));
        REQUIRE(is_payload(response.payload, 314159));
        REQUIRE(finish(calls[i]) == 0);
    }
    return true;
}

/* A call on the first connection that the server lets open one more; or on a second connection. */
static mote_grpc_call *start_scaled(connection *connections[2], bool *second)
{
    mote_channel_poll(&connections[0]->channel, 200); /* so that SETTINGS have arrived */
    bool full = !mote_h2_can_open(&connections[0]->channel.grpc.h2);

    if (full && !*second && connect_to(connections[1]) < 0)
        return NULL;
    *second = *second || full;
    return start(connections[full], &grpc_testing_TestService_FullDuplexCall_path, plain);
}

static bool max_concurrent_streams_connection_scaling(void)
{
    enum { CALLS = 3 };
    static connection other;
    connection *connections[2] = {&main_connection, &other};
    grpc_testing_ResponseParameters p = {.size = 1, .fill_peer_socket_address = &yes};
    grpc_testing_StreamingOutputCallRequest request = {.response_parameters = {&p, 1}};
    grpc_testing_StreamingOutputCallResponse response;
    mote_grpc_call *calls[CALLS];
    char peers[CALLS][64];
    bool second = false;

    for (size_t i = 0; i < CALLS; i++) {
        calls[i] = start_scaled(connections, &second);
        REQUIRE(calls[i]);
        REQUIRE(send_message(calls[i], &grpc_testing_StreamingOutputCallRequest_encoder, &request,
                             false));
        REQUIRE(receive(calls[i], &grpc_testing_StreamingOutputCallResponse_decoder, &response));
        snprintf(peers[i], sizeof peers[i], "%.*s", (int)response.peer_socket_address.len,
                 response.peer_socket_address.data);
    }
    REQUIRE(strcmp(peers[0], peers[1]) == 0 && strcmp(peers[0], peers[2]) != 0);
    for (size_t i = 0; i < CALLS; i++) {
        mote_channel_half_close(calls[i]);
        REQUIRE(finish(calls[i]) == 0);
    }
    return true;
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const test_case channel_cases[] = {CASE(rpc_soak),
                                   CASE(channel_soak),
                                   CASE(long_lived_channel),
                                   CASE(concurrent_large_unary),
                                   CASE(max_concurrent_streams_connection_scaling),
                                   {NULL, NULL}};

/* ---- command line -------------------------------------------------------------------------- */

static const test_case *find(const test_case *cases, const char *name)
{
    for (; cases->name; cases++) {
        if (strcmp(cases->name, name) == 0)
            return cases;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const char *tls = "false", *test_ca = "", *ca = "", *config = "", *cert = "", *key = "";
    set = (settings){"localhost", "10000", "",  "large_unary", "",       "10", "0",
                     "1000",      "10",    "0", "271828",      "314159", "1"};
    const option options[] = {
        OPTION("--server_host", &set.host, "host; localhost"),
        OPTION("--server_port", &set.port, "port; 10000"),
        OPTION("--server_host_override", &set.override, ":authority, and the name that TLS checks"),
        OPTION("--test_case", &set.test_case, "its name; large_unary"),
        OPTION("--use_tls", &tls, "true or false"),
        OPTION("--use_test_ca", &test_ca, "true or false"),
        OPTION("--ca_file", &ca, "certificates to trust"),
        OPTION("--cert", &cert, "our own certificate, PEM"),
        OPTION("--key", &key, "its key, PEM"),
        OPTION("--service_config_json", &config, "without effect"),
        OPTION("--additional_metadata", &set.additional_metadata, "key:value;key:value"),
        OPTION("--soak_iterations", &set.soak_iterations, "of the soak cases; 10"),
        OPTION("--soak_max_failures", &set.soak_max_failures, "0"),
        OPTION("--soak_per_iteration_max_acceptable_latency_ms", &set.soak_latency_ms, "1000"),
        OPTION("--soak_overall_timeout_seconds", &set.soak_timeout_s, "10"),
        OPTION("--soak_min_time_ms_between_rpcs", &set.soak_pause_ms, "0"),
        OPTION("--soak_request_size", &set.soak_request_size, "271828"),
        OPTION("--soak_response_size", &set.soak_response_size, "314159"),
        OPTION("--soak_num_threads", &set.soak_threads, "there is one thread"),
        OPTIONS_END};

    parse_options(argc, argv, "interop_client: runs a case against grpc.testing.TestService",
                  options);
    bool secure = strcmp(tls, "true") == 0;
    if (secure)
        tls_config.context =
            mote_posix_tls_context(false, *ca ? ca : NULL, *cert ? cert : NULL, *key ? key : NULL);
    if (secure && !tls_config.context)
        return 2;
    const test_case *c = find(call_cases, set.test_case);
    c = c ? c : find(channel_cases, set.test_case);
    if (!c)
        return fprintf(stderr, "error: there is no case '%s'\n", set.test_case), 2;
    if (connect_to(&main_connection) < 0)
        return 1;
    bool ok = c->run();
    disconnect(&main_connection);
    fprintf(stderr, "%s: %s\n", c->name, ok ? "passed" : "failed");
    return !ok;
}
