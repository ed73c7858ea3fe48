/* A modem on a serial line: what was sent arrives, whatever the modem is like, or the connection
 * ends and says after which command. The modem is tests/peers/modem.h; time is virtual. */
#include "../../port/serial/modem/modem.h"
#include "../peers/modem.h"
#include "../test.h"

static modem far_end;
static mote_modem_io near_end;
static uint64_t now;
static size_t at_once;       /* bytes that the line gives in one read; 0: all */
static size_t heard, cut_at; /* bytes that it has given; where it falls silent, SIZE_MAX: nowhere */
static bool goes_on;         /* and speaks again a little later */
static uint64_t cut_ms;

static void (*network)(void); /* what is behind the modem */

static int line_read(void *context, uint8_t *buf, size_t cap)
{
    (void)context;
    far_end.now_ms = now;
    if (network)
        network();
    if (heard >= cut_at && (!goes_on || now < cut_ms + 50))
        return 0;
    if (at_once > 0 && cap > at_once)
        cap = at_once;
    if (heard < cut_at && cap > cut_at - heard)
        cap = cut_at - heard;
    int n = (int)modem_speak(&far_end, buf, cap);
    heard += (size_t)n;
    if (heard == cut_at)
        cut_ms = now;
    return n;
}

static int line_write(void *context, const uint8_t *buf, size_t len)
{
    (void)context;
    far_end.now_ms = now;
    len = at_once > 0 && len > at_once ? at_once : len;
    modem_hear(&far_end, buf, len);
    return (int)len;
}

static void line_wait(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    (void)writing;
    now = until_ms < now + 10 ? until_ms : now + 10;
}

static uint64_t line_now(void *context)
{
    (void)context;
    return now;
}

static const mote_modem_step apn = {"AT+CGDCONT=1,\"IP\",\"internet\"", NULL, false, 5000};
static mote_modem_config config;

static mote_io prepare(bool quectel, modem like)
{
    static const mote_io line = {
        .read = line_read, .write = line_write, .wait = line_wait, .now_ms = line_now};

    far_end = like;
    far_end.quectel = quectel;
    config = (mote_modem_config){quectel ? &mote_modem_quectel : &mote_modem_sim7x00, &apn, 1,
                                 "collector.example.com", 50051};
    now = 1000;
    at_once = heard = 0;
    cut_at = SIZE_MAX;
    goes_on = false;
    network = NULL;
    CHECK_INT(mote_modem_io_init(&near_end, &config, line), 0);
    return mote_modem_transport(&near_end);
}

static int dial(mote_io *io)
{
    return io->connect(io->context, now + 300000);
}

/* Every other 13 bytes are what a modem could have said. */
static uint8_t pattern(size_t i)
{
    return i % 26 < 13 ? (uint8_t) "\r\nOK\r\n>ERROR\x1b"[i % 26] : (uint8_t)(i * 31);
}

/* Both directions at once, up to `len` bytes in each, for at most two minutes: what has arrived is
 * right as far as it goes. False: the transport has ended. */
static bool exchange(mote_io *io, size_t len, size_t *sent, size_t *received)
{
    uint64_t until = now + 120000;
    uint8_t buf[100], out[100];

    *sent = *received = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = pattern(i);
        modem_from_net(&far_end, &byte, 1);
    }
    while (now < until) {
        size_t n = len - *sent < sizeof out ? len - *sent : sizeof out;
        for (size_t i = 0; i < n; i++)
            out[i] = pattern(*sent + i);
        int w = n > 0 ? io->write(io->context, out, n) : 0;
        int r = io->read(io->context, buf, sizeof buf);
        if (w > 0)
            *sent += (size_t)w;
        for (int i = 0; i < r; i++)
            CHECK(*received + (size_t)i < len && buf[i] == pattern(*received + (size_t)i));
        if (r > 0)
            *received += (size_t)r;
        if (r < 0)
            return false;
        if (*sent == len && *received == len && far_end.to_net_len == len)
            return true;
        if (w <= 0 && r <= 0)
            io->wait(io->context, n > 0, until);
    }
    return true;
}

static void check_sent(size_t len)
{
    CHECK(far_end.to_net_len <= len);
    for (size_t i = 0; i < far_end.to_net_len; i++)
        CHECK_INT(far_end.to_net[i], pattern(i));
}

/* ---- modems of all kinds ----------------------------------------------------------------------
 */

static const modem kinds[] = {
    {.slow_ms = 0},
    {.echo = true},
    {.slow_ms = 300},
    {.slow_ms = 1200, .echo = true},
    {.net_open = true},
    {.refusals = 3},
    {.news = "+CREG: 1"},
    {.news = "+CMTI: \"SM\",1", .slow_ms = 20},
    {.news = "RING", .echo = true, .refusals = 1},
    {.forgets_news = true},
};

static void bytes_arrive_through_modems_of_all_kinds(void)
{
    static const size_t chunks[] = {0, 1, 2, 7};

    for (size_t i = 0; i < 2 * sizeof kinds / sizeof kinds[0] * 4; i++) {
        bool quectel = i % 2;
        size_t sent, received;
        mote_io io = prepare(quectel, kinds[i / 8]);
        at_once = chunks[i / 2 % 4];
        CHECK_INT(dial(&io), 0);
        CHECK(strcmp(far_end.dialed_to, quectel ? "\"collector.example.com\",50051,0,0"
                                                : "\"collector.example.com\",50051") == 0);
        CHECK(exchange(&io, 1000, &sent, &received));
        CHECK_INT(far_end.to_net_len, 1000);
        CHECK_INT(received, 1000);
        check_sent(1000);
        CHECK(strcmp(io.error(io.context), "") == 0);
        io.close(io.context);
        CHECK_INT(near_end.modem.state, MOTE_MODEM_CLOSED);
        CHECK(!far_end.dialed);
        CHECK_INT(io.read(io.context, far_end.says, 1), -1);
    }
}

/* The SIM7x00 says how many bytes of a send it has taken. */
static void a_send_that_is_taken_in_parts_goes_on(void)
{
    for (size_t room = 1; room < 120; room += 17) {
        size_t sent, received;
        mote_io io = prepare(false, (modem){.room = room});
        CHECK_INT(dial(&io), 0);
        CHECK(exchange(&io, 300, &sent, &received));
        CHECK_INT(far_end.to_net_len, 300);
        check_sent(300);
    }
}

/* A pause at each byte of what the modem says changes nothing. */
static void every_byte_may_be_the_last_for_a_while(void)
{
    for (int quectel = 0; quectel < 2; quectel++) {
        size_t sent, received, total = SIZE_MAX;
        for (size_t cut = 1; cut < total; cut++) {
            mote_io io = prepare(quectel, (modem){.echo = true, .news = "+CREG: 1"});
            cut_at = cut;
            goes_on = true;
            CHECK_INT(dial(&io), 0);
            CHECK(exchange(&io, 40, &sent, &received));
            CHECK(far_end.to_net_len == 40 && received == 40);
            check_sent(40);
            total = heard;
        }
        CHECK(total > 200 && total < 2000);
    }
}

/* A modem that falls silent for ever ends the attempt or the connection, with a text. */
static void every_byte_may_be_the_last(void)
{
    for (int quectel = 0; quectel < 2; quectel++) {
        size_t sent, received, ended = 0, cut = 1;
        for (; cut < 2000; cut++) {
            mote_io io = prepare(quectel, (modem){.echo = false});
            cut_at = cut;
            if (dial(&io) == 0) {
                bool open = exchange(&io, 40, &sent, &received);
                check_sent(40);
                if (open && far_end.to_net_len == 40 && received == 40)
                    break;
                CHECK(!open);
                CHECK(received == 0 || received == 40);
            }
            ended++;
            CHECK_INT(near_end.modem.state, MOTE_MODEM_ENDED);
            CHECK(strncmp(io.error(io.context), "modem: no answer after AT", 25) == 0);
        }
        CHECK(ended > 100 && cut < 1000);
    }
}

static int line_has_ended(void *context, uint8_t *buf, size_t cap)
{
    (void)context;
    (void)buf;
    (void)cap;
    return -1;
}

static void the_end_of_the_line_is_told_with_the_command(void)
{
    static const char *const texts[] = {
        "modem: the serial line ended after ATE0",
        "modem: the serial line ended after "
        "AT+QIOPEN=1,0,\"TCP\",\"collector.example.com\",50051,0,0"};

    for (int dialed = 0; dialed < 2; dialed++) {
        uint8_t byte;
        mote_io io = prepare(1, (modem){.echo = false});
        if (dialed)
            CHECK_INT(dial(&io), 0);
        near_end.line.read = line_has_ended;
        if (!dialed)
            CHECK_INT(dial(&io), -1);
        CHECK_INT(io.read(io.context, &byte, 1), -1);
        CHECK_TEXT(strcmp(io.error(io.context), texts[dialed]) == 0);
    }
}

/* ---- what a modem says to each command ---------------------------------------------------------
 */

static const struct {
    const char *command[2]; /* SIM7x00, Quectel */
    const char *instead;    /* an answer; NULL: none */
    const char *text[2];    /* of the error, what follows "modem: "; NULL: it works */
    modem like;
} answers[] = {
    {{"ATE0", "ATE0"}, NULL, {"no answer after ATE0", "no answer after ATE0"}, {0}},
    {{"ATE0", "ATE0"}, "ERROR", {"no answer after ATE0", "no answer after ATE0"}, {0}},
    {{"AT+CGDCONT", "AT+CGDCONT"},
     "+CME ERROR: 3",
     {"+CME ERROR: 3 after AT+CGDCONT=1,\"IP\",\"internet\"",
      "+CME ERROR: 3 after AT+CGDCONT=1,\"IP\",\"internet\""},
     {0}},
    {{"AT+CIPCLOSE", "AT+QICLOSE"}, "ERROR", {NULL, NULL}, {0}},
    {{"AT+CIPCLOSE", "AT+QICLOSE"},
     NULL,
     {"no answer after AT+CIPCLOSE=0", "no answer after AT+QICLOSE=0"},
     {0}},
    {{"AT+CIPRXGET=1", "AT+QISDE"}, "ERROR", {"ERROR after AT+CIPRXGET=1", NULL}, {0}},
    {{"AT+NETOPEN", "AT+QIACT"}, "ERROR", {NULL, NULL}, {0}},
    {{"AT+NETOPEN", "AT+QIACT"}, "OK", {"no answer after AT+NETOPEN", NULL}, {0}},
    {{"AT+NETOPEN", "AT+QIACT"},
     NULL,
     {"no answer after AT+NETOPEN", "no answer after AT+QIACT=1"},
     {0}},
    {{"AT+CIPOPEN", "AT+QIOPEN"},
     "ERROR",
     {"ERROR after AT+CIPOPEN=0,\"TCP\",\"collector.example.com\",50051",
      "ERROR after AT+QIOPEN=1,0,\"TCP\",\"collector.example.com\",50051,0,0"},
     {0}},
    {{"AT+CIPOPEN", "AT+QIOPEN"},
     "OK",
     {"no answer after AT+CIPOPEN=0,\"TCP\",\"collector.example.com\",50051",
      "no answer after AT+QIOPEN=1,0,\"TCP\",\"collector.example.com\",50051,0,0"},
     {0}},
    {{"none", "none"},
     NULL,
     {"+CIPOPEN: 0,565 after AT+CIPOPEN=0,\"TCP\",\"collector.example.com\",50051",
      "+QIOPEN: 0,565 after AT+QIOPEN=1,0,\"TCP\",\"collector.example.com\",50051,0,0"},
     {.dial_error = 565}},
    {{"AT+CIPSEND", "AT+QISEND"},
     "ERROR",
     {"ERROR after AT+CIPSEND=0,100", "ERROR after AT+QISEND=0,100"},
     {0}},
    {{"AT+CIPSEND", "AT+QISEND"},
     NULL,
     {"no answer after AT+CIPSEND=0,100", "no answer after AT+QISEND=0,100"},
     {0}},
    {{"none", "none"},
     NULL,
     {"the modem still echoes after AT+CIPSEND=0,100",
      "the modem still echoes after AT+QISEND=0,100"},
     {.echo = true, .always_echoes = true}},
    {{"none", "none"},
     NULL,
     {"the peer has closed the connection", "the peer has closed the connection"},
     {.dies_in_send = true}},
    {{"AT+CGDCONT", "AT+CGDCONT"}, /* late answers to what was said before are not its own */
     "ERROR",
     {"ERROR after AT+CGDCONT=1,\"IP\",\"internet\"",
      "ERROR after AT+CGDCONT=1,\"IP\",\"internet\""},
     {.slow_ms = 2200}},
    {{"AT+CIPRXGET=2", "AT+QIRD"},
     "ERROR",
     {"ERROR after AT+CIPRXGET=2,0,256", "ERROR after AT+QIRD=0,256"},
     {0}},
    {{"AT+CIPRXGET=2", "AT+QIRD"},
     NULL,
     {"no answer after AT+CIPRXGET=2,0,256", "no answer after AT+QIRD=0,256"},
     {0}},
    {{"none", "none"},
     NULL,
     {"no answer after AT+CIPRXGET=2,0,256", "no answer after AT+QIRD=0,256"},
     {.lie = 20}},
    {{"none", "none"},
     NULL,
     {"a wrong number of bytes after AT+CIPRXGET=2,0,256",
      "a wrong number of bytes after AT+QIRD=0,256"},
     {.lie = 3}},
    {{"none", "none"},
     NULL,
     {"+CIPRXGET: 2,0,400,0 after AT+CIPRXGET=2,0,256", "+QIRD: 400 after AT+QIRD=0,256"},
     {.lie = 300}},
    {{"none", "none"},
     NULL,
     {"+CIPRXGET: 2,0,-5,0 after AT+CIPRXGET=2,0,256", "+QIRD: -5 after AT+QIRD=0,256"},
     {.lie = -105}},
    {{"none", "none"},
     NULL,
     {"a wrong number of bytes after AT+CIPRXGET=2,0,256",
      "a wrong number of bytes after AT+QIRD=0,256"},
     {.lie = -1}},
    {{"none", "none"},
     NULL,
     {"a wrong number of bytes after AT+CIPRXGET=2,0,256",
      "a wrong number of bytes after AT+QIRD=0,256"},
     {.lie = -50}},
    {{"AT+CIPRXGET=2", "AT+QIRD"},
     "+CIPRXGET: 2,0,99999999999999999999\r\n+QIRD: 99999999999999999999",
     {"+CIPRXGET: 2,0,99999999999999999999 after AT+CIPRXGET=2,0,256",
      "+QIRD: 99999999999999999999 after AT+QIRD=0,256"},
     {0}},
};

static void each_answer_to_each_command_is_told(void)
{
    for (size_t i = 0; i < 2 * sizeof answers / sizeof answers[0]; i++) {
        size_t row = i / 2, sent, received;
        modem like = answers[row].like;
        const char *command = answers[row].command[i % 2], *text = answers[row].text[i % 2];
        *(answers[row].instead ? &like.error_to : &like.silent_to) = command;
        like.instead = answers[row].instead;
        mote_io io = prepare(i % 2, like);
        at_once = 1;
        bool open = dial(&io) == 0 && exchange(&io, 100, &sent, &received);
        const char *error = io.error(io.context);
        CHECK_INT(open, text == NULL);
        CHECK_INT(near_end.modem.state, text ? MOTE_MODEM_ENDED : MOTE_MODEM_IDLE);
        if (text ? strncmp(error, "modem: ", 7) != 0 || strcmp(error + 7, text) != 0 : *error) {
            printf("row %zu: %s, not: modem: %s\n", i, error, text ? text : "");
            CHECK(!"the text");
        }
    }
}

/* More sent than was given, or before it was. */
static void a_count_that_cannot_be_ends_the_connection(void)
{
    static const char *const counts[] = {"+CIPSEND: 0,5,6", "+CIPSEND: 0,5,-1", "+CIPSEND: 0,5,",
                                         "+CIPSEND: 0,5,99999999999"};

    for (size_t i = 0; i < 4; i++) {
        mote_io io = prepare(false, (modem){.silent_to = "AT+CIPSEND"});
        CHECK_INT(dial(&io), 0);
        CHECK_INT(io.write(io.context, (const uint8_t *)"hello", 5), 5);
        modem_bytes(&far_end, "\r\n> ", 4);
        io.wait(io.context, false, now + 5);
        CHECK_INT(near_end.modem.state, MOTE_MODEM_SENDING);
        modem_say(&far_end, counts[i]);
        io.wait(io.context, false, now + 5);
        CHECK_INT(near_end.modem.state, MOTE_MODEM_ENDED);
        CHECK(strstr(io.error(io.context), counts[i]) != NULL);
        CHECK_INT(io.write(io.context, (const uint8_t *)"x", 1), -1);
    }
    mote_modem m;
    CHECK_INT(mote_modem_init(&m, &config), 0);
    mote_modem_open(&m, 0);
    m.state = MOTE_MODEM_IDLE;
    CHECK_INT(mote_modem_write(&m, (const uint8_t *)"hello", 5), 5);
    mote_modem_ack(&m, m.out_len - 1);
    mote_modem_receive(&m, (const uint8_t *)"> \r\n", 4); /* no prompt: it has not been asked */
    CHECK_INT(m.state, MOTE_MODEM_ASKING);
    mote_modem_ack(&m, 1);
    mote_modem_receive(&m, (const uint8_t *)"> \r\n+CIPSEND: 0,5,5\r\n", 21);
    CHECK_INT(m.state, MOTE_MODEM_ENDED);
}

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
static const mote_grpc_service services[] = {{"mote.peer.Peer", methods, 1}};
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
    RUN(bytes_arrive_through_modems_of_all_kinds);
    RUN(a_send_that_is_taken_in_parts_goes_on);
    RUN(every_byte_may_be_the_last_for_a_while);
    RUN(every_byte_may_be_the_last);
    RUN(the_end_of_the_line_is_told_with_the_command);
    RUN(each_answer_to_each_command_is_told);
    RUN(a_count_that_cannot_be_ends_the_connection);
    RUN(what_the_peer_said_before_its_end_is_read);
    RUN(what_was_taken_is_sent_before_it_hangs_up);
    RUN(time_limits_are_kept);
    RUN(a_host_is_a_name_or_an_address);
    RUN(calls_pass_through_modems_of_all_kinds);
    RUN(a_channel_dials_again);
    return test_summary();
}
