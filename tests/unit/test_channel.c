/* Channels that connect by themselves, retries, credentials, deadlines. */
#include "channel_harness.h"

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

/* Also where the attempt has taken longer than the wait for the next one. */
static void a_call_that_fails_fast_makes_one_attempt(void)
{
    for (dial_ms = 0; dial_ms <= 5000;) {
        uint64_t takes_ms = dial_ms;
        prepare(ok);
        refusals = 100;
        dial_ms = takes_ms;
        CHECK_INT(call_with((mote_grpc_request){.timeout_ms = 60000}), MOTE_GRPC_UNAVAILABLE);
        CHECK_INT(connects, 1);
        CHECK_INT(now, 1000 + takes_ms);
        dial_ms += 1000;
    }
}

/* A step makes an attempt, or waits, and for no longer than it is told. */
static void a_step_is_an_attempt_or_a_wait(void)
{
    prepare(ok);
    refusals = 1;
    CHECK_INT(mote_channel_step(&channel, true, 100), MOTE_AGAIN);
    CHECK_INT(connects, 1);
    CHECK_INT(now, 1000);
    CHECK_INT(mote_channel_step(&channel, true, 100), MOTE_AGAIN);
    CHECK_INT(now, 1100);
    CHECK_INT(mote_channel_step(&channel, false, 100), MOTE_CHANNEL_ERR_CONNECT);
    CHECK_INT(now, 1100);
    CHECK_INT(connects, 1);
    CHECK_INT(mote_channel_step(&channel, true, 60000), MOTE_AGAIN); /* until it is due */
    CHECK(now > 1700 && now < 2300);
    int r = MOTE_AGAIN;
    for (int i = 0; i < 10 && r == MOTE_AGAIN; i++)
        r = mote_channel_step(&channel, true, 100);
    CHECK_INT(r, 0);
    CHECK_INT(connects, 2);
    uint64_t before = now;
    CHECK_INT(mote_channel_step(&channel, true, 100), 0); /* nothing is left to do */
    CHECK_INT(now, before);
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
              MOTE_GRPC_DEADLINE_EXCEEDED);
    CHECK_INT(now, 6000);
}

/* Waits that have grown begin anew once a call has ended well. */
static void waits_begin_anew_after_a_call(void)
{
    static const mote_grpc_request patient = {.timeout_ms = 60000, .wait_for_ready = true};

    for (int well = 0; well < 2; well++) {
        static const int fine[] = {0, -1}, bad[] = {MOTE_GRPC_INTERNAL, -1};
        prepare(well ? fine : bad);
        refusals = 3;
        CHECK_INT(call_with(patient), well ? MOTE_GRPC_OK : MOTE_GRPC_INTERNAL);
        CHECK_INT(connects, 4);
        mote_grpc_recv_eof(&server);
        mote_grpc_serve(&server, NULL, 0);
        mote_channel_poll(&channel, 0);
        CHECK(channel.state != MOTE_CHANNEL_READY);
        now += 200000; /* so that only what follows is a wait */
        refusals = 2;
        CHECK_INT(call_with(patient), well ? MOTE_GRPC_OK : MOTE_GRPC_INTERNAL);
        CHECK_INT(connects, 7);
        unsigned expected = well ? 1000 : 6553;
        uint64_t wait = connect_ms[5] - connect_ms[4];
        CHECK(wait >= expected * 79 / 100 && wait <= expected * 121 / 100);
    }
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
    prepare(list);
    pushback = "0"; /* at once */
    mote_channel_set_retry(&channel, &policy);
    uint64_t before = now;
    CHECK_INT(call(), 0);
    CHECK_INT(served, 2);
    CHECK(now < before + policy.initial_backoff_ms / 2);
    prepare(list);
    pushback = "000005000"; /* 9 digits, and no more */
    mote_channel_set_retry(&channel, &policy);
    CHECK_INT(call(), 0);
    CHECK(now >= 6000 && now < 8000);
    static const char *const never[] = {"-1", "never", "", "1 s", "0000005000", "/", ":", "5~"};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        prepare(list);
        pushback = never[i];
        mote_channel_set_retry(&channel, &policy);
        CHECK_INT(call(), 14);
        CHECK_INT(served, 1);
    }
}

/* The gRPC proposal A6: initial * random(0.8, 1.2), and so on with the longer ones. */
static void waits_are_a_fifth_more_or_less(void)
{
    static const int list[] = {14, 0, -1};
    uint64_t least = UINT64_MAX, most = 0;

    for (uint32_t i = 0; i < 200; i++) {
        mote_grpc_retry slow = policy;
        slow.initial_backoff_ms = slow.max_backoff_ms = 5000;
        prepare(list);
        channel.random = i * 77777777u;
        mote_channel_set_retry(&channel, &slow);
        uint64_t before = now;
        CHECK_INT(call(), 0);
        least = now - before < least ? now - before : least;
        most = now - before > most ? now - before : most;
    }
    CHECK(least >= 4000 && least < 4100);
    CHECK(most > 5900 && most < 6100);
}

static uint32_t seeds, times_asked;

static uint32_t seed(void *context)
{
    (void)context;
    times_asked++;
    return ++seeds * 1000003u;
}

/* How long a channel waits between two attempts that nobody has given a number. */
static uint64_t wait_of(uint32_t (*random)(void *context), uint64_t clock)
{
    static const int list[] = {14, 0, -1};
    mote_grpc_retry slow = policy;

    slow.initial_backoff_ms = slow.max_backoff_ms = 5000;
    prepare(list);
    now += clock;
    channel.random = 0;
    channel.io.random = random;
    mote_channel_set_retry(&channel, &slow);
    uint64_t before = now;
    CHECK_INT(call(), 0);
    return now - before;
}

/* Devices that lose their server at the same moment do not come back at the same one. */
static void channels_that_nobody_seeds_wait_differently(void)
{
    uint64_t first = wait_of(seed, 0), second = wait_of(seed, 0);
    CHECK(first != second);
    CHECK_INT(times_asked, 2);
    /* Another time of the clock is all that there is. */
    CHECK(wait_of(NULL, 12345) != wait_of(NULL, 67890));
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

/* What is wrong with the request is wrong the next time, whatever code it ends with. */
static void what_can_never_work_is_not_tried_again(void)
{
    static const mote_grpc_metadata bad = MOTE_GRPC_METADATA_FIELD("Name", "x");
    static const mote_grpc_credentials token = MOTE_GRPC_BEARER(NULL);
    mote_grpc_retry all = policy;

    all.codes = UINT32_MAX;
    for (int row = 0; row < 4; row++) {
        static const int ends[] = {MOTE_GRPC_RESOURCE_EXHAUSTED, MOTE_GRPC_INTERNAL,
                                   MOTE_GRPC_UNAUTHENTICATED, MOTE_GRPC_ABORTED};
        static const int aborted[] = {MOTE_GRPC_ABORTED, -1};
        prepare(row == 3 ? aborted : ok);
        CHECK_INT(call(), row == 3 ? MOTE_GRPC_ABORTED : 0);
        mote_channel_set_retry(&channel, &all);
        channel.config.send_limit = row == 0 ? 4 : 0;
        channel.config.credentials = row == 2 ? &token : NULL;
        served = 0;
        uint64_t before = now;
        CHECK_INT(call_with((mote_grpc_request){
                      .timeout_ms = 60000, .metadata = &bad, .metadata_count = row == 1}),
                  ends[row]);
        CHECK_INT(served, row == 3 ? 4 : 0); /* one that a server has ended is tried again */
        CHECK_INT(now > before, row == 3);
    }
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

/* How often servers refuse it (GOAWAY: none was seen), whether they close behind that, and how it
 * ends: by itself, with a policy, with wait_for_ready. */
static void a_call_that_was_not_seen_is_made_again(void)
{
    static const struct {
        int refused;
        bool leaves;
        int ends[3];
    } rows[] = {{1, false, {0, 0, 0}},   {1, true, {0, 0, 0}},   {2, false, {14, 0, 0}},
                {2, true, {14, 0, 0}},   {5, false, {14, 0, 0}}, {5, true, {14, 0, 0}},
                {6, false, {14, 14, 0}}, {6, true, {14, 14, 0}}};

    for (size_t i = 0; i < 3 * sizeof rows / sizeof rows[0]; i++) {
        int refused = rows[i / 3].refused, end = rows[i / 3].ends[i % 3];
        int most = i % 3 == 0 ? 2 : i % 3 == 1 ? 6 : 7, connections = refused + (end == 0);
        const char *text = "the server goes away (GOAWAY) and has not taken this call";
        prepare(ok);
        reset_calls = refused;
        leaves = rows[i / 3].leaves;
        if (i % 3 == 1)
            mote_channel_set_retry(&channel, NULL);
        mote_grpc_request request = {.timeout_ms = 100000, .wait_for_ready = i % 3 == 2};
        CHECK_INT(call_with(request), end);
        CHECK_TEXT(strcmp(status_text, end == 0 ? "" : text) == 0);
        CHECK_INT(served, end == 0);
        CHECK(end != 0 || onward_ms == 100000 - (now - 1000)); /* what is left */
        CHECK_INT(connects, connections < most ? connections : most);
    }
}

/* The transport ends at the first write of a call: nothing of it has left, or a byte, and who
 * knows. */
static void a_call_of_which_nothing_has_left_is_made_again(void)
{
    for (int byte = 0; byte < 2; byte++) {
        prepare(ok);
        CHECK_INT(call(), 0);
        now += 5000;
        mote_channel_poll(&channel, 0); /* what is owed leaves before */
        takes = byte;
        CHECK_INT(call(), byte ? MOTE_GRPC_UNAVAILABLE : MOTE_GRPC_OK);
        CHECK_INT(connects, byte ? 1 : 2);
        CHECK_INT(served, byte ? 1 : 2);
    }
}

static void who_cannot_wait_for_the_next_connection_is_told_at_once(void)
{
    prepare(ok);
    reset_calls = 1;
    mote_channel_set_retry(&channel, NULL);
    CHECK_INT(call_with((mote_grpc_request){.timeout_ms = 100}), MOTE_GRPC_UNAVAILABLE);
    CHECK(now < 1100 && connects == 1 && served == 0);
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

static const mote_grpc_credentials bearer = MOTE_GRPC_BEARER(token_of),
                                   open_bearer = MOTE_GRPC_BEARER_IN_THE_CLEAR(token_of);

static void a_token_goes_with_each_call(void)
{
    prepare(ok);
    channel.config.credentials = &bearer;
    channel.config.tls = true;
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
    channel.config.credentials = &bearer;
    current_token = "secret";
    authorization[0] = '\0';
    CHECK_INT(call(), MOTE_GRPC_UNAUTHENTICATED);
    CHECK(authorization[0] == '\0');
    channel.config.credentials = &open_bearer;
    CHECK_INT(call(), 0);
    CHECK(strcmp(authorization, "Bearer secret") == 0);
}

int main(void)
{
    RUN(a_channel_connects_when_it_is_needed_and_again);
    RUN(a_call_fails_while_there_is_no_connection);
    RUN(a_call_that_fails_fast_makes_one_attempt);
    RUN(a_step_is_an_attempt_or_a_wait);
    RUN(a_call_may_wait_for_the_connection);
    RUN(waits_begin_anew_after_a_call);
    RUN(waits_grow_to_two_minutes_and_differ);
    RUN(a_call_is_made_again_until_it_succeeds);
    RUN(attempts_have_an_end);
    RUN(other_statuses_are_final);
    RUN(a_response_that_has_begun_is_final);
    RUN(the_server_says_when_to_try_again);
    RUN(waits_are_a_fifth_more_or_less);
    RUN(channels_that_nobody_seeds_wait_differently);
    RUN(the_deadline_covers_all_attempts);
    RUN(what_can_never_work_is_not_tried_again);
    RUN(failures_throttle_retries);
    RUN(a_call_that_was_not_seen_is_made_again);
    RUN(a_call_of_which_nothing_has_left_is_made_again);
    RUN(who_cannot_wait_for_the_next_connection_is_told_at_once);
    RUN(a_deadline_is_handed_on);
    RUN(a_token_goes_with_each_call);
    RUN(a_token_is_not_sent_in_the_clear_unless_wanted);
    return test_summary();
}
