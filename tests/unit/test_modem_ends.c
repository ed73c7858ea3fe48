/* Modems: how a connection ends, and a gRPC call over one. */
#include "modem_script.h"

/* ---- ends ---------------------------------------------------------------------------------------
 */

static void what_the_peer_said_before_its_end_is_read(void)
{
    for (int i = 0; i < 16; i++) {
        uint8_t buf[1000];
        size_t total = 0;
        mote_io io = prepare(
            i % 2,
            (modem){.slow_ms = 30, .forgets_news = i / 2 % 2, .error_when_closed = i / 4 % 2});
        CHECK_INT(dial(&io), 0);
        if (i / 8)
            CHECK_INT(io.write(io.context, (const uint8_t *)"too late", 8), 8);
        for (size_t i = 0; i < 700; i++)
            buf[i] = pattern(i);
        modem_from_net(&far_end, buf, 700);
        modem_peer_closes(&far_end);
        int n = 0;
        for (uint64_t until = now + 60000; n >= 0 && now < until;) {
            n = io.read(io.context, buf + total, sizeof buf - total);
            total += n > 0 ? (size_t)n : 0;
            if (n == 0)
                io.wait(io.context, false, until);
        }
        CHECK_INT(n, -1);
        CHECK_INT(total, 700);
        for (size_t i = 0; i < 700; i++)
            CHECK_INT(buf[i], pattern(i));
        CHECK_INT(io.write(io.context, buf, 1), -1);
        CHECK(strcmp(io.error(io.context), "modem: the peer has closed the connection") == 0);
    }
}

static void what_was_taken_is_sent_before_it_hangs_up(void)
{
    for (int quectel = 0; quectel < 2; quectel++) {
        mote_io io = prepare(quectel, (modem){.slow_ms = 100, .refusals = 2});
        CHECK_INT(dial(&io), 0);
        CHECK_INT(io.write(io.context, (const uint8_t *)"goodbye", 7), 7);
        io.close(io.context);
        CHECK(far_end.to_net_len == 7 && memcmp(far_end.to_net, "goodbye", 7) == 0);
        CHECK(!far_end.dialed);
        CHECK_INT(near_end.modem.state, MOTE_MODEM_CLOSED);
    }
}

/* What bounds an attempt is the caller's deadline, and hanging up has its own. */
static void nothing_is_offered_once_it_is_closed_or_has_ended(void)
{
    static mote_modem m;

    for (int state = MOTE_MODEM_CLOSED; state <= MOTE_MODEM_ENDED; state++) {
        bool still = state == MOTE_MODEM_CLOSED || state == MOTE_MODEM_ENDED;
        m.state = state;
        m.out_len = m.tx_len = 3;
        size_t len;
        CHECK((mote_modem_peek(&m, &len) == NULL) == still);
        CHECK_INT(len, 3);
        m.out_len = m.tx_len = 0;
        CHECK(mote_modem_peek(&m, &len) == NULL);
    }
}

static void time_limits_are_kept(void)
{
    mote_io io = prepare(true, (modem){.silent_to = "AT+QIOPEN"});
    uint64_t begun = now;

    CHECK_INT(io.connect(io.context, now + 2500), -1);
    CHECK(now >= begun + 2500 && now < begun + 2600);
    CHECK(strcmp(io.error(io.context),
                 "modem: no time is left after AT+QIOPEN=1,0,\"TCP\",\"collector.example.com\","
                 "50051,0,0") == 0);
    io = prepare(true, (modem){.echo = false});
    CHECK_INT(dial(&io), 0);
    far_end.silent_to = "AT+QI";
    begun = now;
    io.close(io.context);
    CHECK(now < begun + 5000);
    far_end.silent_to = NULL;
    CHECK_INT(dial(&io), 0); /* and again */
    CHECK(far_end.dialed);
}

static void a_host_is_a_name_or_an_address(void)
{
    static const struct {
        const char *host;
        int result;
    } rows[] = {{"10.0.0.1", 0},
                {"a-b.example.com", 0},
                {"2001:db8::1", 0},
                {"", -1},
                {"a\",1\rAT+CFUN=0\r", -1},
                {"a b", -1},
                {"a\"", -1},
                {"a;b", -1}};
    char longest[102];
    mote_modem m;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mote_modem_config c = {.family = &mote_modem_quectel, .host = rows[i].host, .port = 1};
        CHECK_INT(mote_modem_init(&m, &c), rows[i].result);
    }
    memset(longest, 'a', sizeof longest);
    longest[101] = '\0';
    mote_modem_config c = {.family = &mote_modem_quectel, .host = longest, .port = 65535};
    CHECK_INT(mote_modem_init(&m, &c), -1);
    c.host = longest + 1;
    CHECK_INT(mote_modem_init(&m, &c), 0);
}

/* ---- a gRPC call --------------------------------------------------------------------------------
 */

enum { CALLS = 2, RX = 512, TX = 512, RECORD = 300 };
static uint64_t memory[2][MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 256, 8, 0) / 8];
static mote_grpc server;
static mote_channel channel;
static bool was_dialed;

static int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes message = {ev->data, ev->len};

    return ev->type == MOTE_GRPC_MESSAGE ? mote_grpc_answer(call, &mote_grpc_bytes_source, &message)
                                         : 0;
}

static const mote_grpc_method methods[] = {{.name = "Unary", .handler = echo}};
static const mote_grpc_service services[] = {{"mote.peer.Peer", methods, 1, false}};
static const mote_grpc_config serving = {.server = true,
                                         .max_calls = CALLS,
                                         .slots = 8,
                                         .rx_size = RX,
                                         .tx_size = TX,
                                         .table_size = 4096,
                                         .field_size = 256,
                                         .services = services,
                                         .service_count = 1};

/* The server at the other end of the modem's socket: a connection for each that is dialed. */
static void serve(void)
{
    const uint8_t *out;
    size_t len;

    if (far_end.dialed && !was_dialed)
        mote_grpc_init(&server, &serving, memory[0], sizeof memory[0]);
    was_dialed = far_end.dialed;
    if (!was_dialed || far_end.to_take > 0)
        return;
    mote_grpc_tick(&server, now);
    mote_grpc_serve(&server, far_end.to_net, far_end.to_net_len);
    far_end.to_net_len = 0;
    while ((out = mote_grpc_peek(&server, &len))) {
        modem_from_net(&far_end, out, len);
        mote_grpc_ack(&server, len);
    }
}

static mote_status call_once(const uint8_t **answer, size_t *len, uint32_t timeout_ms)
{
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/mote.peer.Peer/Unary");
    static uint8_t record[RECORD];
    mote_grpc_request request = {.path = &path, .timeout_ms = timeout_ms, .wait_for_ready = true};
    mote_grpc_bytes message = {record, sizeof record};

    for (size_t i = 0; i < sizeof record; i++)
        record[i] = pattern(i);
    *len = 0;
    return mote_channel_unary(&channel, &request, &mote_grpc_bytes_source, &message, answer, len);
}

static void begin_channel(mote_io io)
{
    static const mote_grpc_config calling = {.max_calls = CALLS,
                                             .slots = 8,
                                             .rx_size = RX,
                                             .tx_size = TX,
                                             .field_size = 256,
                                             .authority = MOTE_GRPC_AUTHORITY("collector")};
    static uint8_t input[64];

    was_dialed = false;
    network = serve;
    CHECK_INT(
        mote_channel_init(&channel, &calling, memory[1], sizeof memory[1], input, sizeof input, io),
        0);
}

static void check_call(uint32_t timeout_ms)
{
    const uint8_t *answer = NULL;
    size_t len;
    mote_status status = call_once(&answer, &len, timeout_ms);

    CHECK_INT(status.code, MOTE_GRPC_OK);
    if (status.code != MOTE_GRPC_OK)
        printf("%.*s\n", (int)status.message_len, status.message);
    CHECK_INT(len, RECORD);
    for (size_t i = 0; i < len; i++)
        CHECK_INT(answer[i], pattern(i));
}

static void calls_pass_through_modems_of_all_kinds(void)
{
    for (size_t i = 0; i < 2 * 2 * sizeof kinds / sizeof kinds[0]; i++) {
        mote_io io = prepare(i % 2, kinds[i / 4]);
        at_once = i / 2 % 2;
        begin_channel(io);
        check_call(300000);
        check_call(60000);
        mote_channel_close(&channel, 10000);
        CHECK(!far_end.dialed);
    }
}

/* The channel connects again, through the same modem; and what failed is in the status. */
static void a_channel_dials_again(void)
{
    const uint8_t *answer;
    size_t len;

    for (int quectel = 0; quectel < 2; quectel++) {
        begin_channel(prepare(quectel, (modem){.echo = true}));
        check_call(60000);
        modem_peer_closes(&far_end);
        mote_channel_poll(&channel, 2000);
        check_call(60000);
        far_end.silent_to = "AT";
        mote_status status = call_once(&answer, &len, 60000);
        CHECK_INT(status.code, MOTE_GRPC_UNAVAILABLE);
        CHECK_TEXT(strstr(status.message, "modem: no answer after AT") != NULL);
        status = call_once(&answer, &len, 5000);
        CHECK_INT(status.code, MOTE_GRPC_DEADLINE_EXCEEDED);
    }
}

int main(void)
{
    RUN(what_the_peer_said_before_its_end_is_read);
    RUN(what_was_taken_is_sent_before_it_hangs_up);
    RUN(nothing_is_offered_once_it_is_closed_or_has_ended);
    RUN(time_limits_are_kept);
    RUN(a_host_is_a_name_or_an_address);
    RUN(calls_pass_through_modems_of_all_kinds);
    RUN(a_channel_dials_again);
    return test_summary();
}
