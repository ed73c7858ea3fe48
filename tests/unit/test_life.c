/* Keepalive, idle time-outs and ages of connections. */
#include "channel_harness.h"

/* ---- keepalive ----------------------------------------------------------------------------- */

static mote_grpc_call *open_call(void)
{
    static const mote_hpack_field never_path = MOTE_HPACK_FIELD(":path", "/a.B/Never");
    mote_grpc_request request = {.path = &never_path};
    mote_grpc_call *open;

    CHECK_INT(mote_channel_start(&channel, &request, &open), 0);
    return open;
}

static void poll_for(uint64_t ms)
{
    uint64_t until = now + ms;

    while (now < until && mote_channel_poll(&channel, (uint32_t)(until - now)) >= 0)
        continue;
}

static void a_silent_server_is_asked_and_given_up(void)
{
    mote_grpc_event ev;

    prepare(ok);
    client_life = (mote_grpc_life){.keepalive_ms = 10000, .keepalive_timeout_ms = 3000};
    channel.life = &client_life;
    mote_grpc_call *open = open_call();
    poll_for(35000);
    CHECK_INT(pings, 3); /* each was answered */
    silent = true;
    poll_for(20000);
    mote_channel_recv(open, &ev);
    CHECK_INT(ev.type, MOTE_GRPC_STATUS);
    CHECK_INT(ev.code, MOTE_GRPC_UNAVAILABLE);
    CHECK_TEXT(ev.message_len >= 9 && memcmp(ev.message, "keepalive", 9) == 0);
}

static void without_calls_nobody_is_asked_unless_wanted(void)
{
    for (int wanted = 0; wanted < 2; wanted++) {
        prepare(ok);
        client_life = (mote_grpc_life){.keepalive_ms = 10000, .keepalive_without_calls = wanted};
        channel.life = &client_life;
        CHECK_INT(call(), 0);
        poll_for(25000);
        CHECK_INT(pings, wanted ? 2 : 0);
    }
}

static void a_server_that_is_asked_too_often_says_so(void)
{
    prepare(ok);
    client_life = (mote_grpc_life){.keepalive_ms = 1, .keepalive_without_calls = true};
    channel.life = &client_life;
    CHECK_INT(call(), 0);
    server.h2.budget = 3;
    poll_for(100);
    CHECK(mote_h2_error(&server.h2) == MOTE_H2_ERR_CALM);
    CHECK(strcmp(mote_h2_error_text(&server.h2), "too_many_pings") == 0);
    CHECK_INT(client_life.keepalive_ms, 2);
    for (int i = 0; i < 40; i++) {
        channel.grpc.h2.calmed = true;
        mote_grpc_life_tick(&client_life, &channel.grpc, now);
    }
    CHECK_INT(client_life.keepalive_ms, 0x7fffffff);
}

/* Who was not here when the answer came reads it first. */
static void after_a_long_sleep_the_peer_gets_one_more_turn(void)
{
    for (int answered = 0; answered < 2; answered++) {
        mote_grpc_life life = {.keepalive_ms = 1000, .keepalive_timeout_ms = 500};
        prepare(ok);
        open_call();
        poll_for(50);
        channel.grpc.h2.heard = false;
        CHECK_INT(mote_grpc_life_tick(&life, &channel.grpc, now), 1000);
        CHECK_INT(mote_grpc_life_tick(&life, &channel.grpc, now + 1000), 1);
        CHECK_INT(mote_grpc_life_tick(&life, &channel.grpc, now + 1003), 500);
        CHECK_INT(mote_grpc_life_tick(&life, &channel.grpc, now + 1502), 1);
        CHECK_INT(mote_grpc_life_tick(&life, &channel.grpc, now + 60000), 1);
        CHECK_INT(mote_h2_error(&channel.grpc.h2), 0);
        channel.grpc.h2.heard = answered;
        CHECK_INT(mote_grpc_life_tick(&life, &channel.grpc, now + 60001), answered ? 1000 : 1);
        CHECK_INT(mote_h2_error(&channel.grpc.h2), answered ? 0 : MOTE_H2_ERR_CLOSED);
    }
}

/* What a program that was busy does when it looks again: 0, or less when it has failed. */
static int look(size_t how, mote_grpc_call *open)
{
    mote_grpc_event ev;

    if (how == 0)
        return mote_channel_poll(&channel, 0);
    if (how == 1)
        return -call();
    if (how == 2)
        return mote_channel_flush(&channel, 0);
    return mote_channel_recv_within(open, &ev, 0) == 1 ? -ev.code : 0;
}

/* For `gap` ms it does other things, then looks in one way, at times in two, and so on. */
static void who_is_busy_does_not_judge(void)
{
    static const uint32_t gaps[] = {1,    10,   999,  1000, 1001, 1300,  1500,
                                    1999, 2000, 2001, 3000, 3001, 10000, 60000};
    enum { GAPS = sizeof gaps / sizeof gaps[0], WAYS = 4 };

    for (size_t i = 0; i < WAYS * WAYS * GAPS; i++) {
        prepare(ok);
        client_life = (mote_grpc_life){.keepalive_ms = 1500, .keepalive_timeout_ms = 1000};
        channel.life = &client_life;
        way_ms = 1;
        mote_grpc_call *open = open_call();
        for (int n = 0; n < 20 && mote_h2_error(&channel.grpc.h2) == 0; n++) {
            CHECK_INT(look(i % WAYS, open), 0);
            CHECK_INT(n % 5 < 4 ? 0 : look(i / WAYS % WAYS, open), 0);
            now += gaps[i / (WAYS * WAYS)];
        }
        CHECK(connects == 1 && mote_h2_error(&channel.grpc.h2) == 0);
        silent = true; /* and a peer that is gone is given up all the same */
        for (int n = 0; n < 10; n++, now += gaps[i / (WAYS * WAYS)])
            poll_for(1000);
        CHECK_TEXT(strcmp(channel.why, "keepalive: the peer does not answer") == 0);
    }
}

/* ---- a client's connections ---------------------------------------------------------------- */

/* From the beginning to SETTINGS, whatever it is that does not come. */
static void a_connection_without_settings_fails_in_time(void)
{
    static const struct {
        uint32_t connect_ms, limit;
    } cases[] = {{0, 20000}, {1, 1}, {5000, 5000}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mote_grpc_life life = {.connect_ms = cases[i].connect_ms};
        static mote_grpc client;
        mote_grpc_config config = config_of(false);
        mote_grpc_init(&client, &config, memory[1], sizeof memory[1]);
        mote_grpc_life_begin(&life, 77);
        CHECK_INT(life.state, MOTE_GRPC_LIFE_BEGINS);
        CHECK_INT(mote_grpc_life_tick(&life, &client, 77), cases[i].limit);
        CHECK_INT(mote_grpc_life_tick(&life, &client, 76 + cases[i].limit), 1);
        CHECK_INT(mote_h2_error(&client.h2), 0);
        CHECK_INT(mote_grpc_life_tick(&life, &client, 77 + cases[i].limit), 1);
        CHECK_INT(mote_h2_error(&client.h2), 0); /* what has come is read first */
        CHECK_INT(mote_grpc_life_tick(&life, &client, 78 + cases[i].limit), 1);
        CHECK_INT(mote_h2_error(&client.h2), MOTE_H2_ERR_CLOSED);
        CHECK(strcmp(mote_h2_error_text(&client.h2),
                     "connecting: the peer's SETTINGS did not come in time") == 0);
        CHECK_INT(mote_grpc_life_tick(&life, &client, 79 + cases[i].limit), UINT32_MAX);
    }
}

/* Whoever was busy, and looks at the time before it reads: the SETTINGS were there. */
static void settings_that_are_there_are_read_before_the_judgement(void)
{
    static const uint64_t busy_ms[] = {1, 999, 20000, 20001, 1000000};
    static const uint8_t settings[9] = {0, 0, 0, 4};

    for (size_t i = 0; i < sizeof busy_ms / sizeof busy_ms[0]; i++) {
        mote_grpc_life life = {0};
        static mote_grpc client;
        mote_grpc_config config = config_of(false);
        mote_grpc_event ev;
        size_t used;
        uint64_t at = busy_ms[i] < 20000 ? 77 + 20000 - busy_ms[i] : 77;
        mote_grpc_init(&client, &config, memory[1], sizeof memory[1]);
        mote_grpc_life_begin(&life, 77);
        mote_grpc_life_tick(&life, &client, at);
        CHECK_INT(mote_grpc_life_tick(&life, &client, at + busy_ms[i]), 1);
        CHECK_INT(mote_grpc_recv(&client, settings, sizeof settings, &used, &ev), 0);
        CHECK_INT(mote_grpc_life_tick(&life, &client, at + busy_ms[i] + 1), UINT32_MAX);
        CHECK_INT(life.state, MOTE_GRPC_LIFE_LIVES);
        CHECK_INT(mote_h2_error(&client.h2), 0);
    }
}

/* An attempt that was of use is followed at once; others wait longer and longer. */
static void the_next_attempt_is_due(void)
{
    static const struct {
        bool lives;
        uint64_t lasts_ms;
        uint32_t least, most; /* until the next one */
    } cases[] = {{false, 0, 800, 1200},   {false, 0, 1280, 1920},  {false, 500, 1548, 2572},
                 {false, 60000, 0, 0},    {true, 100, 5142, 7764}, {false, 0, 8000, 12000},
                 {false, 0, 8000, 12000}, {true, 15000, 0, 0},     {false, 0, 800, 1200},
                 {true, 1919, 0, 640},    {true, 30000, 0, 0},     {true, 0, 800, 1200}};
    mote_grpc_life life = {.backoff = {.most_ms = 10000}, .random = 7};
    uint64_t time = 1000;

    prepare(ok);
    CHECK_INT(call(), 0); /* it is ready, so its life goes on where it is looked at */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mote_grpc_life_begin(&life, time);
        if (cases[i].lives)
            mote_grpc_life_tick(&life, &channel.grpc, time);
        CHECK_INT(life.state, cases[i].lives ? MOTE_GRPC_LIFE_LIVES : MOTE_GRPC_LIFE_BEGINS);
        time += cases[i].lasts_ms;
        uint32_t wait = mote_grpc_life_end(&life, &channel.grpc, time);
        CHECK_INT(life.state, MOTE_GRPC_LIFE_NONE);
        if (wait < cases[i].least || wait > cases[i].most)
            fprintf(stderr, "row %zu: %u\n", i, (unsigned)wait);
        CHECK(wait >= cases[i].least && wait <= cases[i].most);
        time += wait;
    }
}

/* ... and a call that has succeeded is of use, however soon the connection ends. */
static void a_call_that_has_succeeded_is_of_use(void)
{
    prepare(ok);
    CHECK_INT(call(), 0);
    for (int of_use = 0; of_use < 2; of_use++) {
        for (int lives = 0; lives < 2; lives++) {
            mote_grpc_life life = {.backoff = {.next_ms = 50000}};
            mote_grpc_life_begin(&life, 1000);
            if (lives)
                mote_grpc_life_tick(&life, &channel.grpc, 1000);
            if (lives && of_use)
                mote_grpc_life_of_use(&life);
            uint32_t next = mote_grpc_life_end(&life, &channel.grpc, 1100);
            CHECK_INT(next == 0, lives && of_use);
            CHECK_INT(life.backoff.next_ms, lives && of_use ? 0 : 80000);
        }
    }
}

static void what_a_server_said_is_kept_over_connections(void)
{
    mote_grpc_life life = {.keepalive_ms = 10000};

    prepare(ok);
    CHECK_INT(call(), 0);
    mote_grpc_life_begin(&life, now);
    channel.grpc.h2.calmed = true; /* and the connection ends before it is looked at */
    mote_grpc_life_end(&life, &channel.grpc, now);
    mote_grpc_life_begin(&life, now);
    CHECK_INT(life.keepalive_ms, 20000);
    life.keepalive_ms = 0; /* who does not ask is not taught to */
    channel.grpc.h2.calmed = true;
    mote_grpc_life_end(&life, &channel.grpc, now);
    CHECK_INT(life.keepalive_ms, 0);
}

static void a_clock_of_32_bits_goes_on(void)
{
    mote_clock clock = {0};

    CHECK(mote_clock_ms(&clock, 5) == 5);
    CHECK(mote_clock_ms(&clock, 5) == 5);
    CHECK(mote_clock_ms(&clock, UINT32_MAX) == UINT32_MAX);
    CHECK(mote_clock_ms(&clock, 0) == UINT64_C(1) << 32);
    CHECK(mote_clock_ms(&clock, 0) == UINT64_C(1) << 32);
    CHECK(mote_clock_ms(&clock, 4) == (UINT64_C(1) << 32) + 4);
    CHECK(mote_clock_ms(&clock, 3) == (UINT64_C(2) << 32) + 3);
}

/* ---- ages ---------------------------------------------------------------------------------- */

static void an_idle_connection_is_drained(void)
{
    prepare(ok);
    has_server_life = true;
    server_life.idle_ms = 5000;
    CHECK_INT(call(), 0);
    poll_for(4000);
    CHECK_INT(call(), 0);
    CHECK_INT(connects, 1);
    poll_for(9000);
    CHECK_INT(mote_h2_error(&server.h2) < 0, 1);
    CHECK_INT(call(), 0);
    CHECK_INT(connects, 2);
}

static void an_old_connection_is_drained_and_its_calls_go_on(void)
{
    mote_grpc_event ev;

    prepare(ok);
    has_server_life = true;
    server_life = (mote_grpc_life){.max_age_ms = 5000, .max_age_grace_ms = 4000};
    mote_grpc_call *open = open_call();
    poll_for(7000);
    CHECK_INT(mote_h2_error(&server.h2), 0);
    CHECK(!mote_h2_can_open(&channel.grpc.h2));
    poll_for(4000);
    CHECK(mote_h2_error(&server.h2) < 0);
    mote_channel_recv(open, &ev);
    CHECK_INT(ev.type, MOTE_GRPC_STATUS);
    CHECK_INT(ev.code, MOTE_GRPC_UNAVAILABLE);
    CHECK_INT(call(), 0);
    CHECK_INT(connects, 2);
}

/* The gRPC proposal A9: a tenth sooner or later, so that not all come back at once. */
static void ages_differ_by_a_tenth(void)
{
    static const struct {
        uint32_t random, age_ms;
    } cases[] = {{0, 5000},          {1, 5000},          {0x40000000, 5250}, {0x7fffffff, 5499},
                 {0xc0000000, 4750}, {0x80000001, 4500}, {0x80000000, 4500}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mote_grpc_life life = {.max_age_ms = 5000, .random = cases[i].random};
        prepare(ok);
        CHECK_INT(call(), 0);
        uint64_t born = now;
        CHECK_INT(mote_grpc_life_tick(&life, &server, born), cases[i].age_ms);
        mote_grpc_life_tick(&life, &server, born + cases[i].age_ms - 1);
        CHECK_INT(life.state, MOTE_GRPC_LIFE_LIVES);
        mote_grpc_life_tick(&life, &server, born + cases[i].age_ms);
        CHECK_INT(life.state, MOTE_GRPC_LIFE_DRAINS);
    }
}

int main(void)
{
    RUN(a_silent_server_is_asked_and_given_up);
    RUN(without_calls_nobody_is_asked_unless_wanted);
    RUN(a_server_that_is_asked_too_often_says_so);
    RUN(after_a_long_sleep_the_peer_gets_one_more_turn);
    RUN(who_is_busy_does_not_judge);
    RUN(a_connection_without_settings_fails_in_time);
    RUN(settings_that_are_there_are_read_before_the_judgement);
    RUN(the_next_attempt_is_due);
    RUN(a_call_that_has_succeeded_is_of_use);
    RUN(what_a_server_said_is_kept_over_connections);
    RUN(a_clock_of_32_bits_goes_on);
    RUN(an_idle_connection_is_drained);
    RUN(an_old_connection_is_drained_and_its_calls_go_on);
    RUN(ages_differ_by_a_tenth);
    return test_summary();
}
