/* A modem on a serial line: what was sent arrives, whatever the modem is like, or the connection
 * ends and says after which command. The modem is tests/peers/modem.h; time is virtual. */
#include "modem_script.h"

/* ---- modems of all kinds ----------------------------------------------------------------------
 */

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

int main(void)
{
    RUN(bytes_arrive_through_modems_of_all_kinds);
    RUN(a_send_that_is_taken_in_parts_goes_on);
    RUN(every_byte_may_be_the_last_for_a_while);
    RUN(every_byte_may_be_the_last);
    RUN(the_end_of_the_line_is_told_with_the_command);
    RUN(each_answer_to_each_command_is_told);
    RUN(a_count_that_cannot_be_ends_the_connection);
    return test_summary();
}
