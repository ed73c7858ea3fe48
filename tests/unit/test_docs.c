/* The code of docs/transports.md, run: a client whose channel dials through a modem, and a server
 * that is polled, on a board that this file is. And that of docs/web.md: a server opens a door. And
 * that of docs/otlp.md. */
#include "../../grpc/channel/channel.h"
#include "../../port/serial/modem/modem.h"
#include "../peers/modem.h"
#include "../test.h"
#include "docs_otlp.h"

static modem far_end; /* of the client's UART; the server has the other end of its socket */
static bool at_server;
static uint64_t now;

static int line_read(uint8_t *buf, size_t cap)
{
    far_end.now_ms = now;
    if (!at_server)
        return (int)modem_speak(&far_end, buf, cap);
    size_t n = far_end.to_take > 0 ? 0 : far_end.to_net_len;
    n = n < cap ? n : cap;
    memcpy(buf, far_end.to_net, n);
    memmove(far_end.to_net, far_end.to_net + n, far_end.to_net_len - n);
    far_end.to_net_len -= n;
    return n > 0 ? (int)n : far_end.dialed ? 0 : -1;
}

static int line_write(const uint8_t *buf, size_t len)
{
    len = len > 16 ? 16 : len;
    if (at_server)
        modem_from_net(&far_end, buf, len);
    else
        modem_hear(&far_end, buf, len);
    return (int)len;
}

static uint64_t clock_ms(void)
{
    return now;
}

static void sleep_until_interrupt(bool writing);

#include "transports.h"
#include "web.h"

const mote_connect_service mote_prices_Prices_CONNECT = {"mote.prices.Prices", NULL, 0};

enum { CALLS = 1, RX = 128, TX = 256 };
static uint64_t memory[2][MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 256, 8, 0) / 8];
static mote_grpc server;
static mote_channel channel;
static bool serving, server_ended;
static int closed;

static int answer(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes message = {ev->data, ev->len};

    closed += ev->type == MOTE_GRPC_CLOSED;
    return ev->type == MOTE_GRPC_MESSAGE ? mote_grpc_answer(call, &mote_grpc_bytes_source, &message)
                                         : 0;
}

static const mote_grpc_method methods[] = {{.name = "Echo", .handler = answer}};
static const mote_grpc_service services[] = {{"docs.Transports", methods, 1, false}};
static const mote_grpc_config server_config = {.server = true,
                                               .max_calls = CALLS,
                                               .slots = 8,
                                               .rx_size = RX,
                                               .tx_size = TX,
                                               .table_size = 4096,
                                               .field_size = 256,
                                               .services = services,
                                               .service_count = 1};

/* While the client sleeps a ms passes, and the server has its turns. */
static void sleep_until_interrupt(bool writing)
{
    (void)writing;
    now++;
    if (far_end.dialed && !serving) {
        serving = true;
        CHECK_INT(mote_grpc_init(&server, &server_config, memory[0], sizeof memory[0]), 0);
    }
    at_server = true;
    while (serving && far_end.to_net_len > 0 && far_end.to_take == 0)
        server_ended = !turn(&server, now);
    at_server = false;
}

static void a_call_passes_through_what_the_page_shows(void)
{
    static const mote_grpc_config config = {.max_calls = CALLS,
                                            .slots = 8,
                                            .rx_size = RX,
                                            .tx_size = TX,
                                            .field_size = 256,
                                            .authority = MOTE_GRPC_AUTHORITY("collector")};
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/docs.Transports/Echo");
    mote_grpc_request request = {.path = &path, .timeout_ms = 10000};
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    const uint8_t *response;
    size_t len;

    far_end = (modem){.quectel = true, .echo = true};
    CHECK_INT(begin_channel(&channel, &config, memory[1], sizeof memory[1]), 0);
    for (int i = 0; i < 2; i++) {
        mote_status status = mote_channel_unary(&channel, &request, &mote_grpc_bytes_source,
                                                &message, &response, &len);
        CHECK_INT(status.code, MOTE_GRPC_OK);
        CHECK(len == 5 && memcmp(response, "hello", 5) == 0);
    }
    CHECK(strcmp(far_end.dialed_to, "\"collector.example.com\",50051,0,0") == 0);
    CHECK(!server_ended);
    mote_channel_close(&channel, 1000);
    at_server = true;
    CHECK(!far_end.dialed);
    turn(&server, now); /* the GOAWAY */
    CHECK(!turn(&server, now));
    CHECK_INT(closed, 2);
    CHECK_INT(mote_grpc_active(&server), 0);
    CHECK_INT(mote_h2_error(&server.h2), MOTE_H2_ERR_CLOSED);
}

static void server_has_the_door_of_the_page(void)
{
    static uint64_t room[MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 256, 8, MOTE_CONNECT_STATE) / 8];
    mote_grpc_config config = {.server = true,
                               .max_calls = CALLS,
                               .rx_size = RX,
                               .tx_size = TX,
                               .table_size = 4096,
                               .field_size = 256,
                               .slots = 8};

    open_door(&config);
    CHECK_INT(config.user_size, MOTE_WEB_STATE);
    CHECK_INT(mote_grpc_init(&server, &config, room, sizeof room), 0);
    mote_posix_server both = {.grpc = config};
    serve_both(&both);
    CHECK(both.security->size >= MOTE_HTTP1_MEMORY);
    config.user_size = 0;
    CHECK_INT(mote_grpc_init(&server, &config, room, sizeof room), MOTE_GRPC_ERR_CONFIG);
    open_connect(&config);
    CHECK_INT(config.user_size, MOTE_CONNECT_STATE);
    CHECK_INT(mote_grpc_init(&server, &config, room, sizeof room), 0);
    open_page(&config);
    CHECK(config.door->ways == &mote_page_ways && config.door->protocol == &mote_connect);
    CHECK_INT(mote_grpc_init(&server, &config, room, sizeof room), 0);
}

int main(void)
{
    RUN(server_has_the_door_of_the_page);
    RUN(a_call_passes_through_what_the_page_shows);
    RUN(everything_waits_for_a_receiver_that_is_not_there);
    return test_summary();
}
