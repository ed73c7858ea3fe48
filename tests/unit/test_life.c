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
    CHECK(memcmp(ev.message, "keepalive", 9) == 0);
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
    for (int i = 0; i < 40; i++)
        mote_grpc_life_calm(&client_life);
    CHECK_INT(client_life.keepalive_ms, 0x7fffffff);
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
        CHECK(!life.draining);
        mote_grpc_life_tick(&life, &server, born + cases[i].age_ms);
        CHECK(life.draining);
    }
}

int main(void)
{
    RUN(a_silent_server_is_asked_and_given_up);
    RUN(without_calls_nobody_is_asked_unless_wanted);
    RUN(a_server_that_is_asked_too_often_says_so);
    RUN(an_idle_connection_is_drained);
    RUN(an_old_connection_is_drained_and_its_calls_go_on);
    RUN(ages_differ_by_a_tenth);
    return test_summary();
}
