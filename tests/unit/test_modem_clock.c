/* Modems, byte for byte and millisecond for millisecond: how long each command has, when bytes are
 * offered again and looked for, and what a transport asks of its line. No modem at the far end: the
 * test says what it says. */
#include "../../port/serial/modem/modem.h"
#include "../test.h"

static mote_modem m;
static mote_modem_config config;
static uint64_t at; /* ms */
static char said[512];

static const mote_modem_step apn = {"AT+CGDCONT=1,\"IP\",\"internet\"", NULL, false, 4000};

static void hears(const char *text)
{
    mote_modem_receive(&m, (const uint8_t *)text, strlen(text));
}

/* All that it has for the line. */
static const char *says(void)
{
    size_t len, n = 0;
    const uint8_t *out;

    while ((out = mote_modem_peek(&m, &len)) && n + len < sizeof said) {
        memcpy(said + n, out, len);
        n += len;
        mote_modem_ack(&m, len);
    }
    said[n] = '\0';
    return said;
}

/* Nothing happens in so many ms, which it says as well; then the last of them comes. */
static void rests(uint32_t ms)
{
    enum mote_modem_state state = m.state;

    CHECK_INT(mote_modem_tick(&m, at), ms);
    CHECK_INT(mote_modem_tick(&m, at + ms - 1), 1);
    CHECK_INT(m.state, state);
    CHECK(*says() == '\0');
    at += ms;
    mote_modem_tick(&m, at);
}

/* ---- commands and their time ------------------------------------------------------------------
 */

typedef struct {
    const char *command;
    uint32_t limit_ms;
    const char *answer; /* which brings the next one */
} exchange;

#define DIALED_SIM     "AT+CIPOPEN=0,\"TCP\",\"10.0.0.1\",50051\r"
#define DIALED_QUECTEL "AT+QIOPEN=1,0,\"TCP\",\"10.0.0.1\",50051,0,0\r"
enum { STEPS = 6 }; /* from ATE0 to the dialing */

static const exchange dialog[2][STEPS] = {{{"ATE0\r", 1000, "OK\r\n"},
                                           {"AT+CGDCONT=1,\"IP\",\"internet\"\r", 4000, "OK\r\n"},
                                           {"AT+CIPCLOSE=0\r", 10000, "ERROR\r\n"},
                                           {"AT+CIPRXGET=1\r", 5000, "OK\r\n"},
                                           {"AT+NETOPEN\r", 120000, "OK\r\n\r\n+NETOPEN: 0\r\n"},
                                           {DIALED_SIM, 150000, "OK\r\n\r\n+CIPOPEN: 0,0\r\n"}},
                                          {{"ATE0\r", 1000, "OK\r\n"},
                                           {"AT+CGDCONT=1,\"IP\",\"internet\"\r", 4000, "OK\r\n"},
                                           {"AT+QISDE=0\r", 5000, "OK\r\n"},
                                           {"AT+QICLOSE=0\r", 15000, "OK\r\n"},
                                           {"AT+QIACT=1\r", 150000, "OK\r\n"},
                                           {DIALED_QUECTEL, 150000, "OK\r\n\r\n+QIOPEN: 0,0\r\n"}}};

/* A modem that has answered so many commands. */
static void reach(int quectel, int steps)
{
    config = (mote_modem_config){quectel ? &mote_modem_quectel : &mote_modem_sim7x00, &apn, 1,
                                 "10.0.0.1", 50051};
    at = 7000;
    CHECK_INT(mote_modem_init(&m, &config), 0);
    CHECK_INT(m.state, MOTE_MODEM_CLOSED);
    mote_modem_open(&m, at);
    for (int i = 0; i < steps; i++) {
        CHECK(strcmp(says(), dialog[quectel][i].command) == 0);
        at += 100;
        mote_modem_tick(&m, at);
        hears(dialog[quectel][i].answer);
        if (i == 0)
            rests(200); /* answers to what was said before may still come */
    }
}

static void each_command_has_its_time(void)
{
    char text[128];

    for (int i = 0; i < 2 * STEPS; i++) {
        const exchange *e = &dialog[i / STEPS][i % STEPS];
        reach(i / STEPS, i % STEPS);
        CHECK(strcmp(says(), e->command) == 0);
        rests(e->limit_ms);
        if (i % STEPS == 0) {
            CHECK(strcmp(says(), "\x1b"
                                 "ATE0\r") == 0);
            continue;
        }
        CHECK_INT(m.state, MOTE_MODEM_ENDED);
        snprintf(text, sizeof text, "modem: no answer after %s", e->command);
        text[strlen(text) - 1] = '\0';
        CHECK_TEXT(strcmp(mote_modem_error(&m), text) == 0);
        CHECK_INT(mote_modem_tick(&m, at), UINT32_MAX);
    }
}

static const char *const sends[] = {"AT+CIPSEND=0,3\r", "AT+QISEND=0,3\r"};
static const char *const sent[] = {"\r\nOK\r\n\r\n+CIPSEND: 0,3,3\r\n", "\r\nSEND OK\r\n"};
static const char *const refused[] = {"\r\nOK\r\n\r\n+CIPSEND: 0,3,0\r\n", "\r\nSEND FAIL\r\n"};
static const char *const reads[] = {"AT+CIPRXGET=2,0,256\r", "AT+QIRD=0,256\r"};
static const char *const given[] = {"\r\n+CIPRXGET: 2,0,2,0\r\nhi\r\nOK\r\n",
                                    "\r\n+QIRD: 2\r\nhi\r\nOK\r\n"};
static const char *const none[] = {"\r\n+IP ERROR: No data\r\n\r\nERROR\r\n",
                                   "\r\n+QIRD: 0\r\n\r\nOK\r\n"};
static const char *const arrived[] = {"\r\n+CIPRXGET: 1,0\r\n", "\r\n+QIURC: \"recv\",0\r\n"};
static const char *const hangs_up[] = {"AT+CIPCLOSE=0\r", "AT+QICLOSE=0\r"};

static void open_modem(int quectel)
{
    reach(quectel, STEPS);
    CHECK(mote_modem_is_open(&m));
    CHECK(*says() == '\0');
}

static void offer(void)
{
    CHECK_INT(mote_modem_write(&m, (const uint8_t *)"abc", 3), 3);
}

static void an_open_connection_has_its_times(void)
{
    for (int q = 0; q < 2; q++) {
        open_modem(q);
        rests(5000); /* and it looks whether there are bytes that nobody has told of */
        CHECK(strcmp(says(), reads[q]) == 0);
        rests(15000);
        CHECK_TEXT(strstr(mote_modem_error(&m), "modem: no answer after AT") != NULL);

        open_modem(q);
        offer();
        CHECK(strcmp(says(), sends[q]) == 0);
        at += 14999;
        CHECK_INT(mote_modem_tick(&m, at), 1);
        hears("\r\n>");
        CHECK(strcmp(says(), "abc") == 0);
        rests(15000);
        CHECK_INT(m.state, MOTE_MODEM_ENDED);

        open_modem(q);
        mote_modem_close(&m);
        CHECK(strcmp(says(), hangs_up[q]) == 0);
        mote_modem_close(&m); /* once is enough */
        CHECK_INT(m.state, MOTE_MODEM_HANGING_UP);
        rests(3000);
        CHECK_INT(m.state, MOTE_MODEM_CLOSED);
        CHECK(strcmp(mote_modem_error(&m), "") == 0);
    }
}

static void what_was_refused_is_offered_again_after_a_while(void)
{
    for (int q = 0; q < 2; q++) {
        open_modem(q);
        offer();
        says();
        hears("> ");
        says();
        hears(refused[q]);
        CHECK_INT(m.state, MOTE_MODEM_IDLE);
        rests(200);
        CHECK(strcmp(says(), sends[q]) == 0);

        open_modem(q);
        at += 4900; /* a look is due sooner */
        mote_modem_tick(&m, at);
        offer();
        says();
        hears("> ");
        says();
        hears(refused[q]);
        rests(100);
        CHECK(strcmp(says(), reads[q]) == 0);
    }
}

static void directions_take_turns(void)
{
    uint8_t buf[8];

    for (int q = 0; q < 2; q++) {
        open_modem(q);
        offer();
        says();
        hears(arrived[q]); /* not the prompt, whatever it begins with */
        CHECK_INT(m.state, MOTE_MODEM_ASKING);
        hears("\r\nRING\r\n>");
        CHECK(strcmp(says(), "abc") == 0);
        hears(sent[q]);
        CHECK(strcmp(says(), reads[q]) == 0);
        offer();
        hears(given[q]);
        CHECK(strcmp(says(), sends[q]) == 0);
        CHECK_INT(mote_modem_read(&m, buf, sizeof buf), 2);
        CHECK(memcmp(buf, "hi", 2) == 0);
        hears("\r\n>");
        says();
        hears(sent[q]);
        CHECK(strcmp(says(), reads[q]) == 0); /* until it says that there are none */
        offer();
        hears(none[q]);
        CHECK(strcmp(says(), sends[q]) == 0);
    }
}

/* ---- texts -------------------------------------------------------------------------------------
 */

static void a_long_line_is_cut_and_so_is_the_text(void)
{
    char line[200] = "\r\n+CME ERROR: ", text[256] = "modem: ";

    memset(line + strlen(line), 'x', 150);
    reach(0, 1);
    says();
    hears(line);
    hears("\r\n");
    strncat(text, line + 2, MOTE_MODEM_LINE - 1);
    strcat(text, " after AT+CGDCONT=1,\"IP\",\"internet\"");
    text[MOTE_MODEM_WHY - 1] = '\0';
    CHECK_TEXT(strcmp(mote_modem_error(&m), text) == 0);
}

static void the_first_word_counts(void)
{
    reach(1, 1);
    mote_modem_fail(&m, "first");
    mote_modem_fail(&m, "second");
    CHECK_TEXT(
        strcmp(mote_modem_error(&m), "modem: first after AT+CGDCONT=1,\"IP\",\"internet\"") == 0);
    mote_modem_close(&m);
    mote_modem_fail(&m, "third");
    CHECK_INT(m.state, MOTE_MODEM_CLOSED);
    CHECK(strcmp(mote_modem_error(&m), "") == 0);
    CHECK_INT(mote_modem_tick(&m, at), UINT32_MAX);
}

static void an_error_behind_bytes_makes_them_unknown(void)
{
    static const char *const ends[] = {"\r\nERROR\r\n", "x\r\n"};
    uint8_t byte;

    for (int i = 0; i < 4; i++) {
        open_modem(i / 2);
        hears(arrived[i / 2]);
        says();
        hears(i / 2 ? "\r\n+QIRD: 2\r\nhi" : "\r\n+CIPRXGET: 2,0,2,0\r\nhi");
        hears(ends[i % 2]);
        CHECK_TEXT(strncmp(mote_modem_error(&m), "modem: a wrong number of bytes after AT", 39) ==
                   0);
        CHECK_INT(mote_modem_read(&m, &byte, 1), -1);
    }
}

/* ---- what the transport asks of the line --------------------------------------------------------
 */

static int takes; /* bytes that the line takes in one write */
static bool wrote_for;
static uint64_t waited_until;
static unsigned waits;

static int line_read(void *context, uint8_t *buf, size_t cap)
{
    (void)context, (void)buf, (void)cap;
    return 0;
}

static int line_write(void *context, const uint8_t *buf, size_t len)
{
    (void)context, (void)buf;
    return len < (size_t)takes ? (int)len : takes;
}

static void line_wait(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    wrote_for = writing;
    waited_until = until_ms;
    waits++;
    at = until_ms;
}

static uint64_t line_now(void *context)
{
    (void)context;
    return at;
}

static mote_modem_io transport;

static mote_io begin_io(void)
{
    static const mote_io line = {
        .read = line_read, .write = line_write, .wait = line_wait, .now_ms = line_now};

    at = 7000;
    takes = 1000;
    waits = 0;
    config = (mote_modem_config){&mote_modem_quectel, NULL, 0, "10.0.0.1", 1};
    CHECK_INT(mote_modem_io_init(&transport, &config, line), 0);
    return mote_modem_transport(&transport);
}

static void the_line_waits_for_what_is_due_first(void)
{
    static const struct {
        int takes;
        uint64_t until_ms;
        bool writing;
    } rows[] = {{1000, 7999, false}, {1000, 7400, false}, {0, 7600, true}, {0, 7999, true}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mote_io io = begin_io();
        takes = rows[i].takes;
        CHECK_INT(io.connect(io.context, rows[i].until_ms), -1);
        CHECK_INT(waits, 1);
        CHECK_INT(waited_until, rows[i].until_ms);
        CHECK_INT(wrote_for, rows[i].writing);
    }
    mote_io io = begin_io();
    CHECK_INT(io.connect(io.context, 8500), -1);
    CHECK_INT(waits, 2); /* ATE0 is said again at 8000 */
}

static void without_a_connection_a_wait_is_a_sleep(void)
{
    mote_io io = begin_io();

    for (int writing = 0; writing < 2; writing++) {
        uint64_t until = at + 5000;
        waits = 0;
        io.wait(io.context, writing, until); /* CLOSED */
        CHECK_INT(waits, 1);
        CHECK_INT(waited_until, until);
    }
    CHECK_INT(io.connect(io.context, at), -1); /* ENDED */
    waits = 0;
    io.wait(io.context, false, at + 5000);
    CHECK_INT(waits, 1);
    CHECK_INT(waited_until, at);
}

/* Time that has passed since the last call counts before what has come in it. */
static void a_limit_that_has_passed_is_one(void)
{
    mote_io io = begin_io();
    uint8_t byte;

    mote_modem_open(&transport.modem, at);
    for (int i = 0; i < 20; i++) {
        at += 1000;
        CHECK_INT(io.read(io.context, &byte, 1), -1);
    }
    CHECK_TEXT(strcmp(io.error(io.context), "modem: no answer after ATE0") == 0);
    CHECK_INT(waits, 0);
}

int main(void)
{
    RUN(each_command_has_its_time);
    RUN(an_open_connection_has_its_times);
    RUN(what_was_refused_is_offered_again_after_a_while);
    RUN(directions_take_turns);
    RUN(a_long_line_is_cut_and_so_is_the_text);
    RUN(the_first_word_counts);
    RUN(an_error_behind_bytes_makes_them_unknown);
    RUN(the_line_waits_for_what_is_due_first);
    RUN(without_a_connection_a_wait_is_a_sleep);
    RUN(a_limit_that_has_passed_is_one);
    return test_summary();
}
