/* The cases of single calls (the gRPC document interop-test-descriptions.md). */
#include "client.h"

#define TEST(method)  (&grpc_testing_TestService_##method##_path)
#define OTHER(method) (&grpc_testing_UnimplementedService_##method##_path)
#define ENCODER(type) (&grpc_testing_##type##_encoder)
#define DECODER(type) (&grpc_testing_##type##_decoder)

static const mote_grpc_request plain = {.timeout_ms = 60000};

static int simple(mote_grpc_request options, const grpc_testing_SimpleRequest *request,
                  bool compressed, grpc_testing_SimpleResponse *response)
{
    return unary(TEST(UnaryCall), options, ENCODER(SimpleRequest), request, compressed,
                 DECODER(SimpleResponse), response);
}

/* ---- unary --------------------------------------------------------------------------------- */

static bool empty_unary(void)
{
    grpc_testing_Empty empty = {0};

    REQUIRE(unary(TEST(EmptyCall), plain, ENCODER(Empty), &empty, false, DECODER(Empty), &empty) ==
            0);
    REQUIRE(last.messages == 1);
    return true;
}

static bool cacheable_unary(void)
{
    const mote_grpc_metadata ip = MOTE_GRPC_METADATA_FIELD("x-user-ip", "1.2.3.4");
    mote_grpc_request options = {.timeout_ms = 60000, .metadata = &ip, .metadata_count = 1};
    grpc_testing_Payload payload = {.body = {(const uint8_t *)"1234567890", 10}};
    grpc_testing_SimpleRequest request = {.payload = &payload};
    grpc_testing_SimpleResponse response;

    for (int i = 0; i < 2; i++) {
        REQUIRE(unary(TEST(CacheableUnaryCall), options, ENCODER(SimpleRequest), &request, false,
                      DECODER(SimpleResponse), &response) == 0);
        REQUIRE(last.messages == 1);
    }
    return true;
}

static bool large_unary(void)
{
    return large_unary_on(&main_connection, 271828, 314159);
}

/* Without the call that a server refuses when it looks at how requests come. */
static bool client_compressed_unary_noprobe(void)
{
    mote_grpc_request gzip = {.timeout_ms = 60000, .codec = &mote_grpc_gzip};
    grpc_testing_SimpleRequest request = {
        .response_size = 314159, .payload = PAYLOAD(271828), .expect_compressed = &yes};
    grpc_testing_SimpleResponse response;

    REQUIRE(simple(gzip, &request, true, &response) == 0);
    REQUIRE(is_payload(response.payload, 314159));
    request.expect_compressed = &no;
    REQUIRE(simple(gzip, &request, false, &response) == 0);
    REQUIRE(is_payload(response.payload, 314159));
    return true;
}

static bool client_compressed_unary(void)
{
    grpc_testing_SimpleRequest request = {
        .response_size = 314159, .payload = PAYLOAD(271828), .expect_compressed = &yes};
    grpc_testing_SimpleResponse response;

    REQUIRE(simple(plain, &request, false, &response) == MOTE_GRPC_INVALID_ARGUMENT);
    return client_compressed_unary_noprobe();
}

static bool server_compressed_unary(void)
{
    grpc_testing_SimpleRequest request = {
        .response_size = 314159, .payload = PAYLOAD(271828), .response_compressed = &yes};
    grpc_testing_SimpleResponse response;

    REQUIRE(simple(plain, &request, false, &response) == 0);
    REQUIRE(is_payload(response.payload, 314159) && last.compressed == 1);
    request.response_compressed = &no;
    REQUIRE(simple(plain, &request, false, &response) == 0);
    REQUIRE(is_payload(response.payload, 314159) && last.compressed == 0);
    return true;
}

/* ---- streams ------------------------------------------------------------------------------- */

static bool client_streaming(void)
{
    static const size_t sizes[] = {27182, 8, 1828, 45904};
    mote_grpc_call *call = start(&main_connection, TEST(StreamingInputCall), plain);
    grpc_testing_StreamingInputCallResponse response = {0};

    REQUIRE(call);
    for (size_t i = 0; i < 4; i++) {
        grpc_testing_StreamingInputCallRequest request = {.payload = PAYLOAD(sizes[i])};
        send_message(call, ENCODER(StreamingInputCallRequest), &request, false);
    }
    mote_channel_half_close(call);
    REQUIRE(receive(call, DECODER(StreamingInputCallResponse), &response));
    REQUIRE(finish(call) == 0 && last.messages == 1);
    REQUIRE(response.aggregated_payload_size == 74922);
    return true;
}

static bool client_compressed_streaming_noprobe(void)
{
    mote_grpc_request gzip = {.timeout_ms = 60000, .codec = &mote_grpc_gzip};
    grpc_testing_StreamingInputCallRequest first = {PAYLOAD(27182), &yes};
    grpc_testing_StreamingInputCallRequest second = {PAYLOAD(45904), &no};
    grpc_testing_StreamingInputCallResponse response = {0};
    mote_grpc_call *call = start(&main_connection, TEST(StreamingInputCall), gzip);

    REQUIRE(call && send_message(call, ENCODER(StreamingInputCallRequest), &first, true));
    REQUIRE(send_message(call, ENCODER(StreamingInputCallRequest), &second, false));
    mote_channel_half_close(call);
    REQUIRE(receive(call, DECODER(StreamingInputCallResponse), &response));
    REQUIRE(finish(call) == 0 && response.aggregated_payload_size == 73086);
    return true;
}

static bool client_compressed_streaming(void)
{
    grpc_testing_StreamingInputCallRequest first = {PAYLOAD(27182), &yes};
    mote_grpc_call *call = start(&main_connection, TEST(StreamingInputCall), plain);

    REQUIRE(call && send_message(call, ENCODER(StreamingInputCallRequest), &first, false));
    mote_channel_half_close(call);
    REQUIRE(finish(call) == MOTE_GRPC_INVALID_ARGUMENT);
    return client_compressed_streaming_noprobe();
}

static bool receive_sizes(mote_grpc_call *call, const size_t *sizes, size_t count)
{
    grpc_testing_StreamingOutputCallResponse response;

    for (size_t i = 0; i < count; i++) {
        REQUIRE(receive(call, DECODER(StreamingOutputCallResponse), &response));
        REQUIRE(is_payload(response.payload, sizes[i]));
    }
    return true;
}

static bool server_streaming(void)
{
    static const size_t sizes[] = {31415, 9, 2653, 58979};
    grpc_testing_ResponseParameters p[] = {
        {.size = 31415}, {.size = 9}, {.size = 2653}, {.size = 58979}};
    grpc_testing_StreamingOutputCallRequest request = {.response_parameters = {p, 4}};
    mote_grpc_call *call = start(&main_connection, TEST(StreamingOutputCall), plain);

    REQUIRE(call && send_message(call, ENCODER(StreamingOutputCallRequest), &request, false));
    mote_channel_half_close(call);
    REQUIRE(receive_sizes(call, sizes, 4));
    REQUIRE(finish(call) == 0 && last.messages == 4);
    return true;
}

static bool server_compressed_streaming(void)
{
    grpc_testing_ResponseParameters p[] = {{.size = 31415, .compressed = &yes},
                                           {.size = 92653, .compressed = &no}};
    grpc_testing_StreamingOutputCallRequest request = {.response_parameters = {p, 2}};
    mote_grpc_call *call = start(&main_connection, TEST(StreamingOutputCall), plain);

    REQUIRE(call && send_message(call, ENCODER(StreamingOutputCallRequest), &request, false));
    mote_channel_half_close(call);
    REQUIRE(receive_sizes(call, (size_t[]){31415}, 1));
    REQUIRE(last.compressed == 1);
    REQUIRE(receive_sizes(call, (size_t[]){92653}, 1));
    REQUIRE(last.compressed == 1);
    REQUIRE(finish(call) == 0 && last.messages == 2);
    return true;
}

/* One request of a full duplex call, and its response. */
static bool exchange(mote_grpc_call *call, size_t request_size, size_t response_size)
{
    grpc_testing_ResponseParameters p = {.size = (int32_t)response_size};
    grpc_testing_StreamingOutputCallRequest request = {.response_parameters = {&p, 1},
                                                       .payload = PAYLOAD(request_size)};

    REQUIRE(send_message(call, ENCODER(StreamingOutputCallRequest), &request, false));
    return receive_sizes(call, &response_size, 1);
}

static bool ping_pong(void)
{
    mote_grpc_call *call = start(&main_connection, TEST(FullDuplexCall), plain);

    REQUIRE(call && exchange(call, 27182, 31415) && exchange(call, 8, 9));
    REQUIRE(exchange(call, 1828, 2653) && exchange(call, 45904, 58979));
    mote_channel_half_close(call);
    REQUIRE(finish(call) == 0 && last.messages == 4);
    return true;
}

static bool empty_stream(void)
{
    mote_grpc_call *call = start(&main_connection, TEST(FullDuplexCall), plain);

    REQUIRE(call);
    mote_channel_half_close(call);
    REQUIRE(finish(call) == 0 && last.messages == 0);
    return true;
}

/* ---- metadata and status ------------------------------------------------------------------- */

static const mote_grpc_metadata echoed[] = {
    MOTE_GRPC_METADATA_FIELD("x-grpc-test-echo-initial", "test_initial_metadata_value"),
    MOTE_GRPC_METADATA_FIELD("x-grpc-test-echo-trailing-bin", "q6ur")};

static bool has_echo(void)
{
    uint8_t value[8];

    REQUIRE(strcmp(last.initial, "test_initial_metadata_value") == 0);
    REQUIRE(mote_grpc_bin_decode(last.trailing, strlen(last.trailing), value, sizeof value) == 3);
    REQUIRE(memcmp(value, "\xab\xab\xab", 3) == 0);
    return true;
}

static bool custom_metadata(void)
{
    mote_grpc_request options = {.timeout_ms = 60000, .metadata = echoed, .metadata_count = 2};
    grpc_testing_SimpleRequest request = {.response_size = 314159, .payload = PAYLOAD(271828)};
    grpc_testing_SimpleResponse response;

    REQUIRE(simple(options, &request, false, &response) == 0 && has_echo());
    mote_grpc_call *call = start(&main_connection, TEST(FullDuplexCall), options);
    REQUIRE(call && exchange(call, 271828, 314159));
    mote_channel_half_close(call);
    REQUIRE(finish(call) == 0 && has_echo());
    return true;
}

static bool echoes_status(const char *text)
{
    grpc_testing_EchoStatus status = {2, mote_pb_cstring(text)};
    grpc_testing_SimpleRequest request = {.response_status = &status};
    grpc_testing_SimpleResponse response;

    REQUIRE(simple(plain, &request, false, &response) == 2 && strcmp(last.text, text) == 0);
    return true;
}

static bool status_code_and_message(void)
{
    grpc_testing_EchoStatus status = {2, MOTE_PB_STRING("test status message")};
    grpc_testing_StreamingOutputCallRequest request = {.response_status = &status};

    REQUIRE(echoes_status("test status message"));
    mote_grpc_call *call = start(&main_connection, TEST(FullDuplexCall), plain);
    REQUIRE(call && send_message(call, ENCODER(StreamingOutputCallRequest), &request, false));
    mote_channel_half_close(call);
    REQUIRE(finish(call) == 2 && strcmp(last.text, "test status message") == 0);
    return true;
}

static bool special_status_message(void)
{
    return echoes_status("\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP "
                         "\U0001f608\t\n");
}

static bool unimplemented(const mote_hpack_field *path)
{
    grpc_testing_Empty empty = {0};

    REQUIRE(unary(path, plain, ENCODER(Empty), &empty, false, DECODER(Empty), &empty) ==
            MOTE_GRPC_UNIMPLEMENTED);
    return true;
}

static bool unimplemented_method(void)
{
    return unimplemented(TEST(UnimplementedCall));
}

static bool unimplemented_service(void)
{
    return unimplemented(OTHER(UnimplementedCall));
}

/* ---- cancellation and deadlines ------------------------------------------------------------ */

static bool cancel_after_begin(void)
{
    mote_grpc_call *call = start(&main_connection, TEST(StreamingInputCall), plain);

    REQUIRE(call);
    mote_grpc_cancel(call);
    REQUIRE(finish(call) == MOTE_GRPC_CANCELLED);
    return empty_unary(); /* the connection is in order */
}

static bool cancel_after_first_response(void)
{
    mote_grpc_call *call = start(&main_connection, TEST(FullDuplexCall), plain);

    REQUIRE(call && exchange(call, 27182, 31415));
    mote_grpc_cancel(call);
    REQUIRE(finish(call) == MOTE_GRPC_CANCELLED);
    return empty_unary();
}

static bool timeout_on_sleeping_server(void)
{
    mote_grpc_request options = {.timeout_ms = 1};
    grpc_testing_ResponseParameters p = {.size = 8, .interval_us = 1000000};
    grpc_testing_StreamingOutputCallRequest request = {.response_parameters = {&p, 1},
                                                       .payload = PAYLOAD(27182)};
    mote_grpc_call *call = start(&main_connection, TEST(FullDuplexCall), options);

    if (call) { /* otherwise it has passed before the call began */
        send_message(call, ENCODER(StreamingOutputCallRequest), &request, false);
        finish(call);
    }
    REQUIRE(last.status.code == MOTE_GRPC_DEADLINE_EXCEEDED);
    return empty_unary();
}

/* ---- load reports -------------------------------------------------------------------------- */

static bool is_report(const xds_data_orca_v3_OrcaLoadReport *r, double cpu, double memory,
                      double utilization)
{
    return r->cpu_utilization == cpu && r->mem_utilization == memory && r->utilization.count == 1 &&
           r->utilization.items[0].value == utilization;
}

static bool orca_per_rpc(void)
{
    grpc_testing_TestOrcaReport_RequestCostEntry cost = {MOTE_PB_STRING("cost"), 3456.32};
    grpc_testing_TestOrcaReport_UtilizationEntry used = {MOTE_PB_STRING("util"), 0.30499};
    grpc_testing_TestOrcaReport report = {0.8210, 0.5847, {&cost, 1}, {&used, 1}};
    grpc_testing_SimpleRequest request = {.orca_per_query_report = &report};
    grpc_testing_SimpleResponse response;
    xds_data_orca_v3_OrcaLoadReport got;
    uint8_t bytes[256];
    uint64_t memory[64];
    mote_pb_arena arena;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    REQUIRE(simple(plain, &request, false, &response) == 0);
    int n = mote_grpc_bin_decode(last.load, strlen(last.load), bytes, sizeof bytes);
    REQUIRE(n > 0 && xds_data_orca_v3_OrcaLoadReport_decode(&got, bytes, (size_t)n, &arena) == 0);
    REQUIRE(is_report(&got, 0.8210, 0.5847, 0.30499));
    REQUIRE(got.request_cost.count == 1 && got.request_cost.items[0].value == 3456.32);
    return true;
}

/* Tells the server its load, then waits until the stream of reports says so. */
static bool report_is_seen(mote_grpc_call *call, double cpu, double memory, double utilization)
{
    grpc_testing_TestOrcaReport_UtilizationEntry used = {MOTE_PB_STRING("util"), utilization};
    grpc_testing_TestOrcaReport report = {cpu, memory, .utilization = {&used, 1}};
    grpc_testing_ResponseParameters p = {.size = 1};
    grpc_testing_StreamingOutputCallRequest request = {.response_parameters = {&p, 1},
                                                       .orca_oob_report = &report};
    google_protobuf_Duration second = {.seconds = 1};
    xds_service_orca_v3_OrcaLoadReportRequest want = {.report_interval = &second};
    xds_data_orca_v3_OrcaLoadReport got;

    REQUIRE(send_message(call, ENCODER(StreamingOutputCallRequest), &request, false));
    REQUIRE(receive_sizes(call, (size_t[]){1}, 1));
    mote_grpc_call *reports =
        start(&main_connection, &xds_service_orca_v3_OpenRcaService_StreamCoreMetrics_path, plain);
    REQUIRE(reports);
    REQUIRE(
        send_message(reports, &xds_service_orca_v3_OrcaLoadReportRequest_encoder, &want, false));
    mote_channel_half_close(reports);
    do
        REQUIRE(receive(reports, &xds_data_orca_v3_OrcaLoadReport_decoder, &got));
    while (!is_report(&got, cpu, memory, utilization));
    mote_grpc_cancel(reports);
    REQUIRE(finish(reports) == MOTE_GRPC_CANCELLED);
    return true;
}

static bool orca_oob(void)
{
    mote_grpc_call *call = start(&main_connection, TEST(FullDuplexCall), plain);

    REQUIRE(call && report_is_seen(call, 0.8210, 0.5847, 0.30499));
    REQUIRE(report_is_seen(call, 0.29309, 0.2, 0.2039));
    mote_channel_half_close(call);
    REQUIRE(finish(call) == 0);
    return true;
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const test_case call_cases[] = {CASE(empty_unary),
                                CASE(cacheable_unary),
                                CASE(large_unary),
                                CASE(client_compressed_unary),
                                CASE(client_compressed_unary_noprobe),
                                CASE(client_compressed_streaming_noprobe),
                                CASE(server_compressed_unary),
                                CASE(client_streaming),
                                CASE(client_compressed_streaming),
                                CASE(server_streaming),
                                CASE(server_compressed_streaming),
                                CASE(ping_pong),
                                CASE(empty_stream),
                                CASE(custom_metadata),
                                CASE(status_code_and_message),
                                CASE(special_status_message),
                                CASE(unimplemented_method),
                                CASE(unimplemented_service),
                                CASE(cancel_after_begin),
                                CASE(cancel_after_first_response),
                                CASE(timeout_on_sleeping_server),
                                CASE(orca_per_rpc),
                                CASE(orca_oob),
                                {NULL, NULL}};
