/* The client that calls a real peer's mote.peer.Peer: peer_client [--modem=quectel] ADDRESS. */
#include "../../examples/common/options.h"
#include "../../port/posix/posix.h"
#include "../../port/serial/modem/modem.h"
#include "../test.h"
#include "modem_line.h"
#include "peer.mote.h"

#include <unistd.h>

enum { MAX_MESSAGE = 4 << 20, CALLS = 16 };

static mote_channel channel;
static uint8_t input[65536];
#ifdef MOTE_SMALL_TX
enum { TX = MOTE_H2_SMALL_TX_MAX };
#else
enum { TX = 65536 };
#endif
static const uint8_t zeros[MAX_MESSAGE];
static const char *address;
static const char *modem_kind; /* NULL: TCP */
static int fd = -1;
static char seen[1024]; /* metadata */

static void on_metadata(void *context, const mote_grpc_event *ev)
{
    (void)context;
    snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%.*s=%.*s;",
             ev->trailing ? "t:" : "", (int)ev->name_len, ev->name, (int)ev->value_len, ev->value);
}

/* Dialed here, as limits of calls are meant without that. */
static mote_io through_modem(void)
{
    static mote_modem_io modem_io;
    static mote_modem_config config;
    static char host[64];
    bool quectel = strcmp(modem_kind, "quectel") == 0;
    const char *colon = strrchr(address, ':');

    if (fd < 0)
        fd = modem_line_open(quectel);
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    config = (mote_modem_config){.family = quectel ? &mote_modem_quectel : &mote_modem_sim7x00,
                                 .host = host,
                                 .port = (uint16_t)atoi(colon + 1)};
    CHECK_INT(mote_modem_io_init(&modem_io, &config, modem_line_io(&fd)), 0);
    mote_io io = mote_modem_transport(&modem_io);
    CHECK_INT(io.connect(io.context, mote_posix_now_ms() + 20000), 0);
    io.connect = NULL;
    return io;
}

static mote_io over_tcp(void)
{
    if (fd >= 0)
        close(fd);
    fd = mote_posix_connect(address, 5000);
    return mote_posix_io(&fd);
}

static void connect_with(uint32_t rx, uint32_t tx)
{
    static uint64_t *memory;
    size_t size = MOTE_GRPC_MEMORY(CALLS, (size_t)rx, (size_t)tx, 4096u, 8192u, 16u, 0u);
    mote_grpc_config config = {.max_calls = CALLS,
                               .slots = 16,
                               .rx_size = rx,
                               .tx_size = tx,
                               .dynamic = &mote_hpack_dynamic_table,
                               .coder = &mote_hpack_huffman_coder,
                               .table_size = 4096,
                               .field_size = 8192,
                               .authority = mote_grpc_authority(address)};

    free(memory);
    memory = calloc(1, size);
    mote_io io = modem_kind ? through_modem() : over_tcp();
    if (fd < 0) {
        fprintf(stderr, "error: %s\n", mote_posix_error());
        exit(1);
    }
    mote_channel_init(&channel, &config, memory, size, input, sizeof input, io);
    channel.on_metadata = on_metadata;
    seen[0] = '\0';
}

#define METHOD(name) MOTE_HPACK_FIELD(":path", "/mote.peer.Peer/" name)
static const mote_hpack_field unary_path = METHOD("Unary"), server_path = METHOD("ServerStream"),
                              client_path = METHOD("ClientStream"), bidi_path = METHOD("Bidi"),
                              sleep_path = METHOD("Sleep"), unknown_path = METHOD("Nothing");

static mote_grpc_call *start_call(const mote_hpack_field *path, uint32_t timeout_ms)
{
    mote_grpc_request request = {.path = path, .timeout_ms = timeout_ms};
    mote_grpc_call *call = NULL;

    CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
    return call;
}

static int send_request(mote_grpc_call *call, const peer_Request *q, unsigned flags)
{
    return mote_channel_send(
        call,
        &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, &peer_request_encoder}, q,
        flags);
}

static mote_status unary(const mote_hpack_field *path, const peer_Request *q, uint32_t timeout_ms,
                         peer_Response *response)
{
    const uint8_t *data;
    size_t len;
    mote_grpc_call *call = start_call(path, timeout_ms);

    send_request(call, q, MOTE_GRPC_LAST);
    mote_status status = mote_channel_collect(call, &data, &len);
    if (data)
        CHECK_INT(mote_pb_decode(&peer_response_decoder, response, data, len, NULL, NULL), 0);
    return status;
}

static void unary_of_every_size(void)
{
    static const uint32_t sizes[] = {0, 1, 100, 1000, 16384, 65535, 65536, 1 << 20, MAX_MESSAGE};
    peer_Response response;

    connect_with(MAX_MESSAGE + 1024, TX);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (modem_kind && sizes[i] > 65536) /* in pieces of 256 bytes */
            break;
        peer_Request up = {
            .payload = {zeros, sizes[i] < MAX_MESSAGE ? sizes[i] : MAX_MESSAGE - 64}};
        peer_Request down = {.size = sizes[i]};
        memset(&response, 0, sizeof response);
        CHECK_INT(unary(&unary_path, &up, 0, &response).code, 0);
        CHECK_INT(response.payload.len, up.payload.len);
        if (i + 1 < sizeof sizes / sizeof sizes[0])
            CHECK_INT(unary(&unary_path, &down, 0, &response).code, 0);
        if (i > 0 && i + 1 < sizeof sizes / sizeof sizes[0])
            CHECK_INT(response.payload.len, sizes[i]);
    }
}

static void server_stream_in_order(void)
{
    peer_Request q = {.size = 100, .count = 3000};
    mote_grpc_event ev;
    peer_Response response;
    uint32_t n = 0;

    for (int small = 0; small < 2; small++) {
        connect_with(small ? 300 : 65536, small ? 512 : TX);
        mote_grpc_call *call = start_call(&server_path, 0);
        send_request(call, &q, MOTE_GRPC_LAST);
        n = 0;
        while (mote_channel_recv(call, &ev), ev.type != MOTE_GRPC_STATUS) {
            if (ev.type != MOTE_GRPC_MESSAGE)
                continue;
            mote_pb_decode(&peer_response_decoder, &response, ev.data, ev.len, NULL, NULL);
            CHECK_INT(response.index, n++);
            CHECK_INT(response.payload.len, 100);
        }
        CHECK_INT(ev.code, 0);
        CHECK_INT(n, 3000);
    }
}

static void client_stream_counts(void)
{
    const uint8_t *data;
    size_t len;
    peer_Response response = {0};
    uint32_t count = modem_kind ? 100 : 2000;

    for (uint32_t size = 0; size <= 2000; size += 500) {
        connect_with(300, 512);
        mote_grpc_call *call = start_call(&client_path, 0);
        for (uint32_t i = 0; i < count; i++) {
            peer_Request q = {.payload = {zeros, size}};
            CHECK_INT(send_request(call, &q, 0), 0);
        }
        mote_status status = mote_channel_collect(call, &data, &len);
        CHECK_INT(status.code, 0);
        CHECK(data &&
              mote_pb_decode(&peer_response_decoder, &response, data, len, NULL, NULL) == 0);
        CHECK_INT(response.index, count);
    }
}

static void bidi_ping_pong_and_flood(void)
{
    mote_grpc_event ev;
    uint32_t n = 0;

    connect_with(4096, 4096);
    mote_grpc_call *call = start_call(&bidi_path, 0);
    for (int i = 0; i < 500; i++) {
        peer_Request q = {.payload = {zeros, 50}};
        CHECK_INT(send_request(call, &q, 0), 0);
        do
            mote_channel_recv(call, &ev);
        while (ev.type == MOTE_GRPC_START);
        CHECK_INT(ev.type, MOTE_GRPC_MESSAGE);
    }
    for (int i = 0; i < 30; i++) { /* sends before it reads */
        peer_Request q = {.payload = {zeros, 50}};
        CHECK_INT(send_request(call, &q, 0), 0);
    }
    CHECK_INT(mote_channel_half_close(call), 0);
    while (mote_channel_recv(call, &ev), ev.type == MOTE_GRPC_MESSAGE)
        n++;
    CHECK_INT(n, 30);
    CHECK_INT(ev.code, 0);
}

static void every_status(void)
{
    peer_Response response;

    connect_with(4096, 4096);
    for (uint32_t code = 1; code <= 16; code++) {
        peer_Request q = {.code = code, .message = MOTE_PB_STRING("caf\xc3\xa9 100%\n")};
        mote_status status = unary(&unary_path, &q, 0, &response);
        CHECK_INT(status.code, code);
        CHECK(status.message_len == 11 && memcmp(status.message, "caf\xc3\xa9 100%\n", 11) == 0);
    }
    peer_Request q = {.size = 1};
    CHECK_INT(unary(&unknown_path, &q, 0, &response).code, MOTE_GRPC_UNIMPLEMENTED);
    CHECK_INT(unary(&unary_path, &q, 0, &response).code, 0);
}

static void deadline_and_cancel(void)
{
    peer_Request q = {.size = 1};
    peer_Response response;
    mote_grpc_event ev;

    connect_with(4096, 4096);
    uint64_t start = mote_posix_now_ms();
    CHECK_INT(unary(&sleep_path, &q, 200, &response).code, MOTE_GRPC_DEADLINE_EXCEEDED);
    CHECK(mote_posix_now_ms() - start >= 190);
    mote_grpc_call *call = start_call(&sleep_path, 0);
    send_request(call, &q, MOTE_GRPC_LAST);
    mote_channel_poll(&channel, 50);
    mote_grpc_cancel(call);
    mote_channel_recv(call, &ev);
    CHECK(ev.type == MOTE_GRPC_STATUS && ev.code == MOTE_GRPC_CANCELLED);
    CHECK_INT(unary(&unary_path, &q, 0, &response).code, 0);
}

#ifndef MOTE_NO_METADATA
static void metadata_comes_back(void)
{
    mote_grpc_metadata metadata[] = {MOTE_GRPC_METADATA_FIELD("x-echo", "hello"),
                                     MOTE_GRPC_METADATA_FIELD("x-echo-bin", "AAEC/w")};
    mote_grpc_request request = {.path = &unary_path, .metadata = metadata, .metadata_count = 2};
    peer_Request q = {.size = 1};
    mote_grpc_call *call;

    connect_with(4096, 4096);
    CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
    send_request(call, &q, MOTE_GRPC_LAST);
    CHECK_INT(mote_channel_finish(call).code, 0);
    CHECK(strstr(seen, "x-echo=hello;") == seen);
    CHECK(strstr(seen, "t:x-echo-bin=AAEC/w") != NULL);
}
#endif

static void many_calls_at_once(void)
{
    mote_grpc_call *calls[CALLS];
    peer_Request q = {.size = 2000};
    mote_grpc_event ev;

    connect_with(4096, 4096);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < CALLS; i++) {
            calls[i] = start_call(&unary_path, 0);
            CHECK_INT(send_request(calls[i], &q, MOTE_GRPC_LAST), 0);
        }
        for (int i = CALLS - 1; i >= 0; i--) {
            uint32_t messages = 0;
            while (mote_channel_recv(calls[i], &ev), ev.type != MOTE_GRPC_STATUS)
                messages += ev.type == MOTE_GRPC_MESSAGE && ev.len > 2000;
            CHECK_INT(messages, 1);
            CHECK_INT(ev.code, 0);
        }
    }
}

static void a_response_beyond_the_buffer_fails_that_call_alone(void)
{
    peer_Request q = {.size = 5000}, small = {.size = 10};
    peer_Response response;

    connect_with(4096, 4096);
    CHECK_INT(unary(&unary_path, &q, 0, &response).code, MOTE_GRPC_RESOURCE_EXHAUSTED);
    CHECK_INT(unary(&unary_path, &small, 0, &response).code, 0);
}

int main(int argc, char **argv)
{
    const option options[] = {
        OPTION("--modem", &modem_kind, "sim7x00 or quectel: through such a modem"), OPTIONS_END};
    int i = parse_options(argc, argv, "peer_client ADDRESS: calls mote.peer.Peer", options);

    if (i + 1 != argc) {
        fprintf(stderr, "error: no address\n");
        return 2;
    }
    address = argv[i];
    mote_posix_catch_signals();
    RUN(unary_of_every_size);
    RUN(server_stream_in_order);
    RUN(client_stream_counts);
    RUN(bidi_ping_pong_and_flood);
    RUN(every_status);
    RUN(deadline_and_cancel);
#ifndef MOTE_NO_METADATA
    RUN(metadata_comes_back);
#endif
    RUN(many_calls_at_once);
    RUN(a_response_beyond_the_buffer_fails_that_call_alone);
    return test_summary();
}
