/* The calls of the sensor of the examples, and a collector behind a proxy that ends calls and lets
 * the connection be, in virtual time; and heartbeats, which pass such a proxy. */
#include "../../examples/fleet/sensor_core.h"
#include "../../examples/fleet/telemetry.mote.h"
#include "../test.h"

enum { RX = 256, TX = 512, TURN_MS = 100 };

static uint64_t memory[2][MOTE_GRPC_MEMORY(SENSOR_CALLS, RX, TX, 0, 256, 10, 0) / 8];
static mote_grpc client, server;
static sensor_core sensor;
static uint8_t ring[4096];
static uint64_t now;

/* What the collector has seen, and what it does. */
static struct {
    mote_grpc_call *control, *upload;
    mote_inbox inbox;
    unsigned controls, uploads, reports, pings;
    bool owes; /* an acknowledgement */
    bool hangs;
    int refuses; /* each Control, with this status; 0: none */
} seen;

static int control(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_telemetry_Report report;

    if (ev->type == MOTE_GRPC_START) {
        seen.control = call;
        seen.controls++;
    }
    if (ev->type == MOTE_GRPC_START && seen.refuses)
        return mote_grpc_finish(call, seen.refuses, "no");
    if (ev->type == MOTE_GRPC_CLOSED && seen.control == call)
        seen.control = NULL;
    if (ev->type == MOTE_GRPC_MESSAGE &&
        mote_telemetry_Telemetry_Control_read(ev, &report, NULL) == 0) {
        seen.reports++;
        seen.owes = true;
    }
    return 0;
}

static int upload(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_telemetry_Sample sample;

    if (ev->type == MOTE_GRPC_START) {
        seen.upload = call;
        seen.uploads++;
    }
    if (ev->type == MOTE_GRPC_CLOSED && seen.upload == call)
        seen.upload = NULL;
    if (ev->type == MOTE_GRPC_MESSAGE &&
        mote_telemetry_Telemetry_Upload_read(ev, &sample, NULL) == 0)
        seen.owes |= mote_inbox_accept(&seen.inbox, sample.sequence);
    return 0;
}

static const mote_grpc_method methods[] = {{"Control", control, NULL, NULL, NULL, false, false},
                                           {"Upload", upload, NULL, NULL, NULL, false, false}};
static const mote_grpc_service services[] = {{"mote.telemetry.Telemetry", methods, 2, false}};

static void answer(void)
{
    mote_telemetry_Command command = {.is = {.which = mote_telemetry_Command_acknowledged}};

    command.is.is.acknowledged = seen.inbox.last;
    if (seen.owes && seen.control && !seen.hangs &&
        mote_telemetry_Telemetry_Control_write(seen.control, &command) == 0)
        seen.owes = false;
}

/* ---- a line in memory ---------------------------------------------------------------------- */

static bool carry(void)
{
    size_t len;
    const uint8_t *out = mote_grpc_peek(&client, &len);
    bool some = out != NULL;

    if (out) {
        seen.pings += len >= 9 && out[3] == 6 && !(out[4] & 1);
        mote_grpc_serve(&server, out, len);
        mote_grpc_ack(&client, len);
    }
    if ((out = mote_grpc_peek(&server, &len))) {
        sensor_hear(&sensor, &client, out, len);
        mote_grpc_ack(&server, len);
    }
    return some || out;
}

/* A turn, as a board makes it. False: the connection is to end. */
static bool turn(void)
{
    now += TURN_MS;
    mote_grpc_tick(&client, now);
    if (!sensor_hear(&sensor, &client, NULL, 0) || sensor_is_stuck(&sensor, now))
        return false;
    sensor_work(&sensor, &client, now);
    while (carry())
        ;
    answer();
    while (carry())
        ;
    return true;
}

static bool turns_for(uint64_t ms)
{
    for (uint64_t end = now + ms; now < end;) {
        if (!turn())
            return false;
    }
    return true;
}

static void connect_it(void)
{
    static mote_grpc_config c, s;

    c = (mote_grpc_config){.max_calls = SENSOR_CALLS,
                           .slots = 10,
                           .rx_size = RX,
                           .tx_size = TX,
                           .field_size = 256,
                           .authority = MOTE_GRPC_AUTHORITY("x"),
                           .services = services,
                           .service_count = 1};
    s = c;
    s.server = true;
    CHECK_INT(mote_grpc_init(&client, &c, memory[0], sizeof memory[0]), 0);
    CHECK_INT(mote_grpc_init(&server, &s, memory[1], sizeof memory[1]), 0);
    sensor_begin(&sensor, now);
}

static void begin(void)
{
    memset(&seen, 0, sizeof seen);
    sensor_init(&sensor, "s", ring, sizeof ring, MOTE_OUTBOX_REFUSE, 77);
    connect_it();
}

/* ---- a call ends, the connection does not ---------------------------------------------------- */

static void end(mote_grpc_call *call, int code)
{
    if (call)
        CHECK_INT(mote_grpc_finish(call, code, "a proxy"), 0);
}

static void calls_that_were_of_use_begin_again_on_their_connection(void)
{
    static const struct {
        bool control, upload;
        int code;
        uint64_t lived_ms;
        bool on_the_connection; /* they begin again on it */
    } cases[] = {{true, false, MOTE_GRPC_UNAVAILABLE, 60000, true},
                 {false, true, MOTE_GRPC_UNAVAILABLE, 60000, true},
                 {true, true, MOTE_GRPC_UNAVAILABLE, 60000, true},
                 {false, true, MOTE_GRPC_OK, 60000, true},
                 {true, true, MOTE_GRPC_OK, 60000, true},
                 {false, true, MOTE_GRPC_CANCELLED, SENSOR_CALLS_MS + TURN_MS, true},
                 {false, true, MOTE_GRPC_UNAVAILABLE, SENSOR_CALLS_MS - 4 * TURN_MS, false},
                 {true, false, MOTE_GRPC_UNAVAILABLE, SENSOR_CALLS_MS - 4 * TURN_MS, false},
                 {true, true, MOTE_GRPC_ABORTED, 1000, false}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        unsigned put = 0;
        for (unsigned round = 1; round <= 3; round++) {
            for (uint64_t until = now + cases[i].lived_ms; now < until && turn();)
                put += now % 1000 == 0 && sensor_put(&sensor, "m", 1, (int64_t)now);
            CHECK_INT(seen.controls, round);
            CHECK_INT(seen.uploads, round);
            put += sensor_put(&sensor, "m", 1, (int64_t)now); /* it is under way, or is not */
            sensor_work(&sensor, &client, now);
            end(cases[i].control ? seen.control : NULL, cases[i].code);
            end(cases[i].upload ? seen.upload : NULL, cases[i].code);
            bool goes_on = turns_for(500);
            CHECK_INT(goes_on, cases[i].on_the_connection);
            if (!cases[i].on_the_connection)
                break;
        }
        if (cases[i].on_the_connection) {
            CHECK(turns_for(1000));
            CHECK_INT(seen.inbox.last, put);
            CHECK_INT(seen.inbox.missing, 0);
            CHECK_INT(sensor.samples.acknowledged, put);
            CHECK_INT(mote_outbox_count(&sensor.samples), 0);
        }
        if (!test_ok)
            printf("case %zu\n", i);
    }
}

static void a_refused_call_ends_the_connection(void)
{
    begin();
    seen.refuses = MOTE_GRPC_UNAUTHENTICATED;
    CHECK(!turns_for(1000));
    CHECK_INT(sensor.link, SENSOR_BROKEN);
}

/* What a server says at its maximum age, or when it stops: there are no more calls to be had. */
static void calls_do_not_begin_again_after_a_goaway(void)
{
    begin();
    CHECK(turns_for(60000));
    mote_grpc_shutdown(&server);
    CHECK(turns_for(1000)); /* those that are open go on */
    end(seen.control, MOTE_GRPC_UNAVAILABLE);
    end(seen.upload, MOTE_GRPC_UNAVAILABLE);
    CHECK(!turns_for(1000));
    CHECK_INT(sensor.link, SENSOR_BROKEN);
    seen.control = seen.upload = NULL;
    connect_it();
    CHECK(turns_for(1000));
    CHECK_INT(sensor.link, SENSOR_UPLOADS);
}

/* ---- a path that is dead, and a sensor that slept -------------------------------------------- */

static void a_collector_that_owes_an_answer_is_given_up(void)
{
    begin();
    CHECK(turns_for(1000));
    CHECK(sensor_put(&sensor, "m", 1, 0));
    seen.hangs = true;
    uint64_t start = now;
    CHECK(!turns_for(60000));
    CHECK(now - start >= SENSOR_SILENCE_MS && now - start <= SENSOR_SILENCE_MS + 1000);
}

/* Its program was stopped, or its board asleep, with samples under way: the answer lies unread. */
static void one_that_slept_reads_what_was_answered_meanwhile(void)
{
    static const uint64_t naps_ms[] = {SENSOR_SILENCE_MS, 2 * SENSOR_SILENCE_MS, 3600000};

    for (size_t i = 0; i < sizeof naps_ms / sizeof naps_ms[0]; i++) {
        begin();
        CHECK(turns_for(1000));
        CHECK(sensor_put(&sensor, "m", 1, 0));
        seen.hangs = true;
        CHECK(turns_for(1000));
        CHECK_INT(mote_outbox_count(&sensor.samples), 1);
        seen.hangs = false;
        now += naps_ms[i];
        CHECK(turns_for(1000));
        CHECK_INT(mote_outbox_count(&sensor.samples), 0);
        CHECK_INT(seen.controls, 1);
        CHECK(sensor_put(&sensor, "m", 1, 0));
        seen.hangs = true; /* and one that is dead is found dead after it */
        now += naps_ms[i];
        CHECK(turns_for(1000));
        CHECK(!turns_for(SENSOR_SILENCE_MS));
    }
}

/* ---- heartbeats ---------------------------------------------------------------------------- */

static void a_quiet_sensor_says_a_report_now_and_then(void)
{
    begin();
    CHECK(turns_for(10 * SENSOR_HEARTBEAT_MS + 5000));
    CHECK_INT(seen.reports, 1 + 10);
    CHECK_INT(seen.controls, 1);
    CHECK_INT(seen.pings, 0);
}

static void one_that_hears_of_its_samples_says_none(void)
{
    begin();
    for (int i = 0; i < 20; i++) {
        CHECK(sensor_put(&sensor, "m", 1, 0));
        CHECK(turns_for(30000));
    }
    CHECK_INT(seen.reports, 1);
    CHECK_INT(seen.inbox.last, 20);
}

/* The proxy answers all that HTTP/2 asks, and the collector behind it is gone. */
static void a_heartbeat_without_an_answer_ends_the_connection(void)
{
    begin();
    CHECK(turns_for(1000));
    seen.hangs = true;
    uint64_t start = now;
    CHECK(!turns_for(200000));
    uint64_t after = now - start;
    CHECK(after >= SENSOR_HEARTBEAT_MS + SENSOR_SILENCE_MS - 1000 &&
          after <= SENSOR_HEARTBEAT_MS + SENSOR_SILENCE_MS + 1000);
    seen.hangs = false;
    seen.control = seen.upload = NULL;
    connect_it();
    CHECK(turns_for(200000));
}

/* ---- the heartbeat itself ------------------------------------------------------------------- */

static void a_heartbeat_goes_through_its_states(void)
{
    static const struct {
        char what; /* 't'ick, 'h'eard, 'a'sked */
        uint64_t at;
        enum mote_heartbeat_state state;
        uint32_t wait; /* of a tick */
    } steps[] = {
        {'h', 1000, MOTE_HEARTBEAT_RESTS, 0},         {'t', 1000, MOTE_HEARTBEAT_RESTS, 100},
        {'t', 1099, MOTE_HEARTBEAT_RESTS, 1},         {'t', 1100, MOTE_HEARTBEAT_DUE, UINT32_MAX},
        {'t', 1150, MOTE_HEARTBEAT_DUE, UINT32_MAX}, /* there was no room for it */
        {'a', 1150, MOTE_HEARTBEAT_ASKED, 0},         {'t', 1151, MOTE_HEARTBEAT_ASKED, 49},
        {'h', 1160, MOTE_HEARTBEAT_RESTS, 0},         {'t', 1161, MOTE_HEARTBEAT_RESTS, 99},
        {'t', 5000, MOTE_HEARTBEAT_DUE, UINT32_MAX},  {'a', 5000, MOTE_HEARTBEAT_ASKED, 0},
        {'t', 9000, MOTE_HEARTBEAT_ASKED, 1}, /* it slept: the answer is yet to be read */
        {'h', 9000, MOTE_HEARTBEAT_RESTS, 0},         {'a', 9001, MOTE_HEARTBEAT_ASKED, 0},
        {'t', 9040, MOTE_HEARTBEAT_ASKED, 11},        {'t', 9051, MOTE_HEARTBEAT_LOST, UINT32_MAX},
        {'t', 9990, MOTE_HEARTBEAT_LOST, UINT32_MAX}, {'h', 9991, MOTE_HEARTBEAT_RESTS, 0}};
    mote_heartbeat h = {.every_ms = 100, .timeout_ms = 50}, never = {0}, asked = {0};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        uint32_t wait = 0;
        if (steps[i].what == 't')
            wait = mote_heartbeat_tick(&h, steps[i].at);
        else if (steps[i].what == 'h')
            mote_heartbeat_heard(&h, steps[i].at);
        else
            mote_heartbeat_asked(&h, steps[i].at);
        CHECK_INT(h.state, steps[i].state);
        CHECK_INT(wait, steps[i].wait);
    }
    CHECK_INT(mote_heartbeat_tick(&never, UINT64_C(1) << 40), UINT32_MAX);
    CHECK_INT(never.state, MOTE_HEARTBEAT_RESTS);
    mote_heartbeat_asked(&asked, 0);
    CHECK_INT(mote_heartbeat_tick(&asked, 1), 19999);
}

int main(void)
{
    RUN(calls_that_were_of_use_begin_again_on_their_connection);
    RUN(a_refused_call_ends_the_connection);
    RUN(calls_do_not_begin_again_after_a_goaway);
    RUN(a_collector_that_owes_an_answer_is_given_up);
    RUN(one_that_slept_reads_what_was_answered_meanwhile);
    RUN(a_quiet_sensor_says_a_report_now_and_then);
    RUN(one_that_hears_of_its_samples_says_none);
    RUN(a_heartbeat_without_an_answer_ends_the_connection);
    RUN(a_heartbeat_goes_through_its_states);
    return test_summary();
}
