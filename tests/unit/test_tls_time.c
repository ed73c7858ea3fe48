/* TLS: by which time certificates are judged, where there is a clock, and where there is none. */
#include "tls_harness.h"

#include <time.h>

enum { DAY = 86400 };
static const uint64_t in_2045 = 2381875200u; /* 2045-06-24 */

static uint64_t ticks;

static uint64_t clock_of_the_test(void *context)
{
    return *(uint64_t *)context;
}

static mote_tls_config with_time(mote_tls_config config, enum mote_tls_time mode, uint64_t floor_s)
{
    config.time = mode;
    config.floor_s = floor_s;
    config.clock_s = clock_of_the_test;
    config.clock_context = &ticks;
    return config;
}

static mote_tls_config server_with(const char *name)
{
    char path[2][32];
    mote_tls_config config = plain_server();

    snprintf(path[0], sizeof path[0], "%s.pem", name);
    snprintf(path[1], sizeof path[1], "%s.key", name);
    config.cert = file(path[0]);
    config.key = file(path[1]);
    return config;
}

static void meet(void)
{
    begin();
    run(10, 10);
}

static uint64_t now_s(void)
{
    return (uint64_t)time(NULL);
}

/* The date as texts have it. */
static const char *date_of(uint64_t s)
{
    static char text[2][16];
    static int next;
    time_t t = (time_t)s;

    next = !next;
    strftime(text[next], sizeof text[next], "%Y-%m-%d", gmtime(&t));
    return text[next];
}

/* ---- the table ------------------------------------------------------------------------------ */

/* What becomes of a certificate that is valid, one that has expired yesterday, and one of 2045,
 * with each kind of clock and floor: '.' it is trusted, 'E' it has expired, 'F' it is not yet
 * valid. */
static void certificates_are_judged_by_the_table(void)
{
    static const char *const certificates[] = {"server", "expired", "future"};
    const uint64_t now = now_s();
    const struct {
        enum mote_tls_time mode;
        uint64_t clock, floor;
        const char *expected, *says; /* of the time, where one is refused */
    } rows[] = {
        {MOTE_TLS_TIME_OF_CLOCK, now, 0, ".EF", "the clock says "},
        {MOTE_TLS_TIME_OF_CLOCK, 0, 0, "FFF", "the clock says 1970-01-01"},
        {MOTE_TLS_TIME_OF_CLOCK, in_2045, 0, "EEE", "the clock says 2045-06-24"},
        {MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK, 0, now - 3650u * DAY, "...", NULL},
        {MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK, 0, now, ".E.", "no clock; it is at least 20"},
        {MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK, now - 2 * DAY, now, ".E.", "no clock; it is at least"},
        {MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK, 0, in_2045, "EEE", "it is at least 2045-06-24"},
        {MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK, now, now - 3650u * DAY, ".EF", "the clock says "},
        {MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED, 0, now, ".E.", "no clock; it is at least 20"},
        {MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED, in_2045, now, ".E.", "no clock; it is at least"},
    };

    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        size_t row = i / 2;
        for (size_t c = 0; c < 3; c++) {
            mote_tls_config ours = server_with(certificates[c]);
            ours.no_tls13 = i % 2;
            ticks = rows[row].clock;
            CHECK(prepare_context(&server, ours) == NULL);
            CHECK(prepare_context(
                      &client, with_time(plain_client(), rows[row].mode, rows[row].floor)) == NULL);
            meet();
            const char *text = mote_tls_error(client.tls);
            char got = ready() ? '.' : strstr(text, "has expired (") ? 'E' : 'F';
            CHECK(got != 'F' || strstr(text, "is not yet valid ("));
            CHECK(got == '.' || (client.error == MOTE_TLS_ERR_VERIFY && rows[row].says &&
                                 strstr(text, rows[row].says) && server.received_len == 0));
            if (got != rows[row].expected[c])
                printf("row %zu, %s: %c (%s)\n", row, certificates[c], got, text);
            CHECK(got == rows[row].expected[c]);
        }
    }
}

static void a_server_judges_clients_by_its_floor(void)
{
    static const char *const names[][2] = {{"client.pem", "client.key"},
                                           {"expired.pem", "expired.key"}};

    ticks = 0;
    for (int expired = 0; expired < 2; expired++) {
        mote_tls_config ours =
            with_time(plain_server(), MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK, now_s());
        mote_tls_config theirs = plain_client();
        ours.ca = file("good.pem");
        theirs.cert = file(names[expired][0]);
        theirs.key = file(names[expired][1]);
        CHECK(prepare_context(&server, ours) == NULL);
        CHECK(prepare_context(&client, theirs) == NULL);
        meet();
        CHECK_INT(server.error, expired ? MOTE_TLS_ERR_VERIFY : 0);
        CHECK(!expired || strstr(mote_tls_error(server.tls), "CN=expired has expired ("));
    }
}

static void a_pin_for_any_time_needs_no_clock(void)
{
    mote_tls_pin pin = {{0}};
    mbedtls_x509_crt crt;
    mote_tls_span pem = file("future.pem");
    mote_tls_config theirs =
        with_time((mote_tls_config){.pins = &pin, .pin_count = 1, .pinned_any_time = true},
                  MOTE_TLS_TIME_OF_CLOCK, 0);

    mbedtls_x509_crt_init(&crt);
    CHECK_INT(mbedtls_x509_crt_parse(&crt, pem.data, pem.len), 0);
    CHECK(mote_tls_digest(&crt.raw, pin.sha256));
    mbedtls_x509_crt_free(&crt);
    ticks = 0;
    CHECK(prepare_context(&server, server_with("future")) == NULL);
    CHECK(prepare_context(&client, theirs) == NULL);
    meet();
    CHECK(ready());
}

/* ---- a time that is learned ------------------------------------------------------------------ */

static void expect_not_learned(uint64_t unix_s, const char *text)
{
    CHECK_INT(mote_tls_learn_time(client.tls, unix_s), MOTE_TLS_ERR_CONFIG);
    CHECK(strcmp(mote_tls_error(client.tls), text) == 0);
}

static void prepare_learner(uint64_t floor_s)
{
    CHECK(prepare_context(&server, plain_server()) == NULL);
    CHECK(prepare_context(&client, with_time(plain_client(), MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED,
                                             floor_s)) == NULL);
}

static void try_certificate(const char *name, char expected)
{
    CHECK(prepare_context(&server, server_with(name)) == NULL);
    meet();
    const char *text = mote_tls_error(client.tls);
    CHECK((ready() ? '.' : strstr(text, "has expired (") ? 'E' : 'F') == expected);
}

static void a_time_is_learned_once_from_a_trusted_server(void)
{
    static const char outside[] =
        "no time is learned: the server's certificates are not valid then, "
        "or it is before the floor";
    uint64_t now = now_s(), floor = now - 3650u * DAY;

    ticks = 5000; /* since power-on */
    prepare_learner(floor);
    begin();
    expect_not_learned(
        now, "no time is learned: the server has shown no certificate on this connection");
    run(10, 10);
    CHECK(ready());
    expect_not_learned(now + 3650u * DAY, outside);
    expect_not_learned(now - 30 * DAY, outside);
    CHECK_INT(mote_tls_learn_time(client.tls, now + DAY), 0);
    expect_not_learned(now + DAY, "no time is learned: that was done already");
    try_certificate("server", '.');
    try_certificate("expired", 'E');
    try_certificate("future", 'F');
    CHECK(strstr(mote_tls_error(client.tls), date_of(now + DAY)));
    ticks += 60 * DAY; /* the clock goes on from there */
    try_certificate("server", 'E');
    CHECK(strstr(mote_tls_error(client.tls), date_of(now + 61 * DAY)));
    ticks = 0; /* a clock that went back changes nothing */
    try_certificate("server", '.');
}

static void a_time_before_the_floor_is_not_learned(void)
{
    uint64_t now = now_s();

    prepare_learner(now + 5 * DAY);
    meet();
    CHECK(ready());
    expect_not_learned(now + DAY,
                       "no time is learned: the server's certificates are not valid then, "
                       "or it is before the floor");
    CHECK_INT(mote_tls_learn_time(client.tls, now + 5 * DAY), 0);
}

static void other_contexts_learn_no_time(void)
{
    for (int i = 0; i < 2; i++) {
        CHECK(prepare_context(&server, plain_server()) == NULL);
        CHECK(prepare_context(&client, with_time(plain_client(),
                                                 i ? MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK
                                                   : MOTE_TLS_TIME_OF_CLOCK,
                                                 i ? now_s() : 0)) == NULL);
        ticks = now_s();
        meet();
        CHECK(ready());
        expect_not_learned(now_s(),
                           "no time is learned: the config says MOTE_TLS_TIME_OF_CLOCK, or "
                           "of a floor");
    }
}

/* With TLS 1.2, where a session is resumed without a certificate. */
static void sessions_are_judged_by_the_same_time(void)
{
    static uint8_t session[SESSION];
    mote_tls_config theirs =
        with_time(plain_client(), MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK, now_s() - DAY);

    theirs.no_tls13 = true;
    ticks = 0;
    CHECK(prepare_context(&server, plain_server()) == NULL);
    CHECK(prepare_context(&client, theirs) == NULL);
    meet();
    int n = mote_tls_save_session(client.tls, session, sizeof session);
    CHECK(n > 0);
    for (int late = 0; late < 2; late++) {
        ticks = late ? now_s() + 40 * DAY : 0;
        begin();
        CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), late ? MOTE_TLS_ERR_CONFIG : 0);
        CHECK(!late || strcmp(mote_tls_error(client.tls),
                              "the certificate of the saved session has expired") == 0);
    }
    theirs.time = MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED; /* made under another trust */
    ticks = 0;
    CHECK(prepare_context(&client, theirs) == NULL);
    begin();
    CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), MOTE_TLS_ERR_CONFIG);
}

/* ---- dates and settings ---------------------------------------------------------------------- */

static void days_are_those_of_the_calendar(void)
{
    char got[TLS_TIME], expected[80];

    CHECK(prepare_context(&client, with_time(plain_client(), MOTE_TLS_TIME_OF_CLOCK, 0)) == NULL);
    for (ticks = 3723; ticks < 150u * 366 * DAY; ticks += 13 * DAY + 7919) {
        time_t t = (time_t)ticks;
        strftime(expected, sizeof expected, "%Y%m%d%H%M%S", gmtime(&t));
        CHECK_INT(mote_tls_now(client.context, got), TLS_TIME_KNOWN);
        CHECK(memcmp(got, expected, TLS_TIME) == 0);
    }
    static const struct {
        uint64_t s;
        const char *date;
    } days[] = {{951782400, "20000229"},  {1709164800, "20240229"}, {1735603200, "20241231"},
                {4107369600, "21000227"}, {4107456000, "21000228"}, {4107542400, "21000301"},
                {0, "19700101"}};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        ticks = days[i].s;
        mote_tls_now(client.context, got);
        CHECK(memcmp(got, days[i].date, 8) == 0);
    }
}

static void settings_of_time_that_contradict_are_errors(void)
{
    mote_tls_config c = with_time(plain_client(), MOTE_TLS_TIME_OF_CLOCK, 1);

    CHECK(strstr(prepare_context(&client, c), "floor_s needs MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK"));
    c = with_time(plain_client(), MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK, 0);
    CHECK(strstr(prepare_context(&client, c), "a time without a clock needs its floor_s"));
    c = with_time(plain_client(), MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED, 0);
    CHECK(strstr(prepare_context(&client, c), "a time without a clock needs its floor_s"));
    c = with_time(plain_server(), MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED, 1);
    CHECK(strstr(prepare_context(&server, c), "a time is learned by clients alone"));
}

int main(int argc, char **argv)
{
    tls_begin_tests(argc > 1 ? argv[1] : ".");
    RUN(certificates_are_judged_by_the_table);
    RUN(a_server_judges_clients_by_its_floor);
    RUN(a_pin_for_any_time_needs_no_clock);
    RUN(a_time_is_learned_once_from_a_trusted_server);
    RUN(a_time_before_the_floor_is_not_learned);
    RUN(other_contexts_learn_no_time);
    RUN(sessions_are_judged_by_the_same_time);
    RUN(days_are_those_of_the_calendar);
    RUN(settings_of_time_that_contradict_are_errors);
    mote_tls_end(client.tls);
    return tls_end_tests();
}
