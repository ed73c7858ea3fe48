/* Channels that connect by themselves, retries, keepalive and ages: a client and a server in one
 * process, with a clock of their own. */
#include "../../grpc/grpc.h"
#include "../test.h"

enum { CALLS = 2, RX = 512, TX = 512 };

static uint64_t now;
static mote_grpc server;
static mote_channel channel;
static mote_grpc_life server_life, client_life;
static bool has_server_life;
static uint64_t memory[2][MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 256, 8, 0) / 8];
static uint8_t input[256];

/* What the network does. */
static int refusals;             /* attempts to connect that fail */
static bool silent;              /* nothing arrives any more */
static unsigned connects, pings; /* attempts; of PINGs that the client has sent */
static uint64_t connect_ms[16];  /* when */
static char states[64];          /* I, C, R, T */

/* What the server does: its statuses, one for each call; the last one is repeated. */
static const int *codes;
static const char *pushback;
static unsigned served, attempts_seen;
static bool headers_first;
static int reset_calls; /* calls that the server refuses before it has seen them */

static char authorization[64];
static uint32_t onward_ms;

static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/a.B/Unary");

static int unary(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_metadata again = MOTE_GRPC_METADATA_FIELD("grpc-retry-pushback-ms", "");
    static mote_grpc_bytes answer = {(const uint8_t *)"hi", 2};

    if (ev->type == MOTE_GRPC_METADATA && ev->name_len == 26 &&
        memcmp(ev->name, "grpc-previous-rpc-attempts", 26) == 0)
        attempts_seen = attempts_seen * 10 + (unsigned)(ev->value[0] - '0');
    if (ev->type == MOTE_GRPC_METADATA && ev->name_len == 13 &&
        memcmp(ev->name, "authorization", 13) == 0)
        snprintf(authorization, sizeof authorization, "%.*s", (int)ev->value_len, ev->value);
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    onward_ms = mote_grpc_timeout_for(call);
    int code = *codes;
    served++;
    if (codes[1] >= 0)
        codes++;
    if (headers_first)
        mote_grpc_send_headers(call, NULL, 0);
    if (code == 0)
        mote_grpc_send(call, mote_grpc_bytes_source, NULL, &answer, 0);
    again.value = pushback ? pushback : "";
    again.value_len = strlen(again.value);
    return mote_grpc_finish_with(call, code, "", 0, &again, pushback != NULL);
}

static int never(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    (void)ev;
    return 0;
}

static const mote_grpc_method methods[] = {{"Unary", unary, false, true, NULL},
                                           {"Never", never, false, false, NULL}};
static const mote_grpc_service services[] = {{"a.B", methods, 2}};

/* ---- the network --------------------------------------------------------------------------- */

static mote_grpc_config config_of(bool is_server)
{
    return (mote_grpc_config){.server = is_server,
                              .max_calls = CALLS,
                              .slots = 8,
                              .rx_size = RX,
                              .tx_size = TX,
                              .table_size = is_server ? 4096 : 0,
                              .field_size = 256,
                              .authority = "x",
                              .services = services,
                              .service_count = 1};
}

static int dial(void *context, uint32_t timeout_ms)
{
    mote_grpc_config config = config_of(true);

    (void)context;
    (void)timeout_ms;
    connect_ms[connects++ % 16] = now;
    if (refusals > 0) {
        refusals--;
        return -1;
    }
    silent = false;
    memset(&server_life.born, 0, sizeof server_life - offsetof(mote_grpc_life, born));
    return mote_grpc_init(&server, &config, memory[0], sizeof memory[0]);
}

static int to_server(void *context, const uint8_t *buf, size_t len, uint32_t timeout_ms)
{
    (void)context;
    (void)timeout_ms;
    for (size_t i = 0; len >= 17 && i <= len - 17; i++)
        pings += memcmp(buf + i, "\0\0\10\6\0\0\0\0\0", 9) == 0;
    if (silent)
        return (int)len;
    mote_grpc_tick(&server, now);
    if (reset_calls > 0) /* a server that is about to say that it goes */
        return (int)len;
    mote_grpc_serve(&server, buf, len);
    return (int)len;
}

static int from_server(void *context, uint8_t *buf, size_t cap, uint32_t timeout_ms)
{
    /* SETTINGS, and GOAWAY: no stream was seen */
    static const uint8_t goodbye[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7,
                                      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    size_t len, n = 0;
    const uint8_t *out;

    (void)context;
    if (reset_calls > 0) {
        reset_calls--;
        memcpy(buf, goodbye, sizeof goodbye);
        return (int)sizeof goodbye;
    }
    if (!silent) {
        mote_grpc_tick(&server, now);
        if (has_server_life)
            mote_grpc_life_tick(&server_life, &server, now);
        mote_grpc_serve(&server, NULL, 0);
        while (n < cap && (out = mote_grpc_peek(&server, &len))) {
            len = len < cap - n ? len : cap - n;
            memcpy(buf + n, out, len);
            mote_grpc_ack(&server, len);
            n += len;
        }
        if (n == 0 && mote_h2_error(&server.h2) < 0)
            return -1;
    }
    if (n == 0) /* the time passes, but for what the server may want to do meanwhile */
        now += timeout_ms < 500 ? timeout_ms + !timeout_ms : 500;
    return (int)n;
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return now;
}

static void sleep_ms(void *context, uint32_t ms)
{
    (void)context;
    now += ms;
}

static void on_state(void *context, int state, const char *why)
{
    size_t n = strlen(states);

    (void)context;
    CHECK(why[0] != '\0');
    if (n + 1 < sizeof states)
        states[n] = "ICRT"[state];
}

static void prepare(const int *list)
{
    mote_grpc_config config = config_of(false);
    mote_io io = {.read = from_server,
                  .write = to_server,
                  .now_ms = clock_ms,
                  .connect = dial,
                  .sleep = sleep_ms};

    now = 1000;
    codes = list;
    refusals = reset_calls = 0;
    connects = served = attempts_seen = pings = 0;
    pushback = NULL;
    headers_first = silent = has_server_life = false;
    memset(states, 0, sizeof states);
    server_life = client_life = (mote_grpc_life){0};
    mote_channel_init(&channel, &config, memory[1], sizeof memory[1], input, sizeof input, io);
    channel.on_state = on_state;
    channel.random = 7;
}

static int call_with(mote_grpc_request request)
{
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    const uint8_t *data;
    size_t len;

    request.path = &path;
    mote_status status =
        mote_channel_unary(&channel, &request, mote_grpc_bytes_source, NULL, &message, &data, &len);
    if (status.code == 0)
        CHECK(len == 2 && memcmp(data, "hi", 2) == 0);
    return status.code;
}

static int call(void)
{
    return call_with((mote_grpc_request){.timeout_ms = 60000});
}

static const int ok[] = {0, -1};

/* ---- connecting ---------------------------------------------------------------------------- */

static void a_channel_connects_when_it_is_needed_and_again(void)
{
    prepare(ok);
    CHECK_INT(connects, 0);
    CHECK_INT(call(), 0);
    CHECK_INT(call(), 0);
    CHECK_INT(connects, 1);
    mote_h2_fail(&server.h2, MOTE_H2_NO_ERROR, "bye");
    CHECK_INT(mote_channel_poll(&channel, 1) < 0 || mote_channel_poll(&channel, 1) < 0, 1);
    CHECK_INT(call(), 0);
    CHECK_INT(connects, 2);
    CHECK(strcmp(states, "CRICR") == 0);
}

static void a_call_fails_while_there_is_no_connection(void)
{
    prepare(ok);
    refusals = 1;
    CHECK_INT(call(), MOTE_GRPC_UNAVAILABLE);
    CHECK_INT(connects, 1);
    CHECK_INT(call(), MOTE_GRPC_UNAVAILABLE); /* the next attempt is not yet due */
    CHECK_INT(connects, 1);
    now += 1200;
    CHECK_INT(call(), 0);
    CHECK(strcmp(states, "CTCR") == 0);
}

static void a_call_may_wait_for_the_connection(void)
{
    prepare(ok);
    refusals = 6;
    CHECK_INT(call_with((mote_grpc_request){.timeout_ms = 60000, .wait_for_ready = true}), 0);
    CHECK_INT(connects, 7);
    for (unsigned i = 0; i + 1 < 7; i++) { /* 1 s, 1.6 s, 2.56 s, ... with a fifth of jitter */
        static const unsigned expected[] = {1000, 1600, 2560, 4096, 6553, 10484};
        uint64_t wait = connect_ms[i + 1] - connect_ms[i];
        CHECK(wait >= expected[i] * 79 / 100 && wait <= expected[i] * 121 / 100);
    }
    prepare(ok);
    refusals = 100;
    CHECK_INT(call_with((mote_grpc_request){.timeout_ms = 5000, .wait_for_ready = true}),
              MOTE_GRPC_UNAVAILABLE);
    CHECK_INT(now, 6000);
}

static void waits_grow_to_two_minutes_and_differ(void)
{
    mote_backoff b = {0};
    uint32_t low = 0, high = 0;

    for (int i = 0; i < 100; i++) {
        low = mote_backoff_next(&b, 0);
        high = mote_backoff_next(&b, UINT32_MAX);
    }
    CHECK_INT(low, 96000);
    CHECK_INT(high, 144000);
}

/* ---- retries ------------------------------------------------------------------------------- */

static const mote_grpc_retry policy = {.max_attempts = 4,
                                       .initial_backoff_ms = 100,
                                       .max_backoff_ms = 1000,
                                       .backoff_multiplier = 200,
                                       .codes = 1u << MOTE_GRPC_UNAVAILABLE};

static void a_call_is_made_again_until_it_succeeds(void)
{
    static const int list[] = {14, 14, 0, -1};

    prepare(list);
    CHECK_INT(call(), 14); /* without a policy: once */
    prepare(list);
    mote_channel_set_retry(&channel, &policy);
    CHECK_INT(call(), 0);
    CHECK_INT(served, 3);
    CHECK_INT(attempts_seen, 12);
    CHECK(now < 1000 + 100 + 200 + 1500);
}

static void attempts_have_an_end(void)
{
    static const int list[] = {14, -1};

    prepare(list);
    mote_channel_set_retry(&channel, &policy);
    CHECK_INT(call(), 14);
    CHECK_INT(served, 4);
    CHECK_INT(attempts_seen, 123);
}

static void other_statuses_are_final(void)
{
    static const int list[] = {13, -1};

    prepare(list);
    mote_channel_set_retry(&channel, &policy);
    CHECK_INT(call(), 13);
    CHECK_INT(served, 1);
}

static void a_response_that_has_begun_is_final(void)
{
    static const int list[] = {14, -1};

    prepare(list);
    headers_first = true;
    mote_channel_set_retry(&channel, &policy);
    CHECK_INT(call(), 14);
    CHECK_INT(served, 1);
}

static void the_server_says_when_to_try_again(void)
{
    static const int list[] = {14, 0, -1};

    prepare(list);
    pushback = "5000";
    mote_channel_set_retry(&channel, &policy);
    CHECK_INT(call(), 0);
    CHECK(now >= 6000 && now < 8000);
    for (int i = 0; i < 2; i++) {
        prepare(list);
        pushback = i ? "never" : "-1";
        mote_channel_set_retry(&channel, &policy);
        CHECK_INT(call(), 14);
        CHECK_INT(served, 1);
    }
}

static void the_deadline_covers_all_attempts(void)
{
    static const int list[] = {14, -1};

    prepare(list);
    pushback = "5000";
    mote_channel_set_retry(&channel, &policy);
    CHECK_INT(call_with((mote_grpc_request){.timeout_ms = 8000}), 14);
    CHECK_INT(served, 2);
}

static void failures_throttle_retries(void)
{
    static const int list[] = {14, -1};
    mote_grpc_retry throttled = policy;

    throttled.max_tokens = 10;
    throttled.token_ratio = 100;
    prepare(list);
    mote_channel_set_retry(&channel, &throttled);
    CHECK_INT(call(), 14);
    CHECK_INT(served, 4); /* 6 tokens are left */
    CHECK_INT(call(), 14);
    CHECK_INT(served, 5); /* 5: not more than half of them */
    codes = ok;
    for (int i = 0; i < 25; i++)
        call();
    codes = list;
    served = 0;
    CHECK_INT(call(), 14);
    CHECK_INT(served, 3); /* from 7.5 */
}

static void a_call_that_was_not_seen_is_made_again_at_once(void)
{
    prepare(ok);
    reset_calls = 1;
    CHECK_INT(call(), MOTE_GRPC_UNAVAILABLE);
    prepare(ok);
    reset_calls = 1;
    mote_channel_set_retry(&channel, NULL);
    CHECK_INT(call(), 0);
    CHECK_INT(served, 1);
    CHECK_INT(connects, 2);
}

static void a_deadline_is_handed_on(void)
{
    prepare(ok);
    CHECK_INT(call_with((mote_grpc_request){.timeout_ms = 5000}), 0);
    CHECK(onward_ms > 4000 && onward_ms <= 5000);
    CHECK_INT(call_with((mote_grpc_request){.timeout_ms = 0}), 0);
    CHECK_INT(onward_ms, 0);
}

/* ---- credentials --------------------------------------------------------------------------- */

static const char *current_token;

static size_t token_of(void *context, const char **token)
{
    (void)context;
    *token = current_token;
    return current_token ? strlen(current_token) : 0;
}

static void a_token_goes_with_each_call(void)
{
    prepare(ok);
    channel.grpc.config.token = token_of;
    channel.grpc.config.tls = true;
    current_token = "abc.def";
    CHECK_INT(call(), 0);
    CHECK(strcmp(authorization, "Bearer abc.def") == 0);
    current_token = "another";
    CHECK_INT(call(), 0);
    CHECK(strcmp(authorization, "Bearer another") == 0);
    authorization[0] = '\0';
    current_token = NULL;
    CHECK_INT(call(), 0);
    CHECK(authorization[0] == '\0');
}

static void a_token_is_not_sent_in_the_clear_unless_wanted(void)
{
    prepare(ok);
    channel.grpc.config.token = token_of;
    current_token = "secret";
    authorization[0] = '\0';
    CHECK_INT(call(), MOTE_GRPC_UNAVAILABLE);
    CHECK(authorization[0] == '\0');
    channel.grpc.config.send_tokens_in_the_clear = true;
    CHECK_INT(call(), 0);
    CHECK(strcmp(authorization, "Bearer secret") == 0);
}

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

int main(void)
{
    RUN(a_channel_connects_when_it_is_needed_and_again);
    RUN(a_call_fails_while_there_is_no_connection);
    RUN(a_call_may_wait_for_the_connection);
    RUN(waits_grow_to_two_minutes_and_differ);
    RUN(a_call_is_made_again_until_it_succeeds);
    RUN(attempts_have_an_end);
    RUN(other_statuses_are_final);
    RUN(a_response_that_has_begun_is_final);
    RUN(the_server_says_when_to_try_again);
    RUN(the_deadline_covers_all_attempts);
    RUN(failures_throttle_retries);
    RUN(a_call_that_was_not_seen_is_made_again_at_once);
    RUN(a_deadline_is_handed_on);
    RUN(a_token_goes_with_each_call);
    RUN(a_token_is_not_sent_in_the_clear_unless_wanted);
    RUN(a_silent_server_is_asked_and_given_up);
    RUN(without_calls_nobody_is_asked_unless_wanted);
    RUN(a_server_that_is_asked_too_often_says_so);
    RUN(an_idle_connection_is_drained);
    RUN(an_old_connection_is_drained_and_its_calls_go_on);
    return test_summary();
}
