/* Several threads and one connection: grpc/channel/agent.h with the lock, the sleep and the wake of
 * port/posix/, and a server that lies in memory behind the owner's transport. What a test waits for
 * is an event, never a time. */
#include "agent_server.h"

/* ---- an agent, its owner, and a call --------------------------------------------------------- */

static mote_posix_agent shared;
static mote_channel channel;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 0, 64, 8, 0) / 8];
static uint8_t input[32];
static pthread_t owner;

static void io_wait(void *context, bool writing, uint64_t until_ms)
{
    uint64_t now = mote_posix_now_ms(), ms = until_ms > now ? until_ms - now : 0, wakes;
    struct pollfd p = {.fd = shared.wake[0], .events = POLLIN};

    (void)context;
    if (writing)
        return;
    if (poll(&p, 1, ms < 60000 ? (int)ms : 60000) > 0)
        CHECK_INT(read(shared.wake[0], &wakes, sizeof wakes), sizeof wakes);
}

static void *run_owner(void *unused)
{
    mote_posix_agent_run(&shared);
    return unused;
}

static void prepare(void)
{
    static const mote_io io = {.read = io_read,
                               .write = io_write,
                               .wait = io_wait,
                               .now_ms = io_now,
                               .connect = io_connect,
                               .close = io_close,
                               .error = io_error};
    mote_grpc_config config = {.max_calls = CALLS,
                               .slots = 8,
                               .rx_size = RX,
                               .tx_size = TX,
                               .field_size = 64,
                               .authority = MOTE_GRPC_AUTHORITY("x")};

    dials = 0;
    refusals = 0;
    slow_dial = false;
    sem_init(&never_began, 0, 0);
    sem_init(&dialling, 0, 0);
    sem_init(&may_dial, 0, 0);
    CHECK_INT(mote_channel_init(&channel, &config, memory, sizeof memory, input, sizeof input, io),
              0);
    CHECK_INT(mote_posix_agent_init(&shared, &channel), 0);
}

static void begin(void)
{
    prepare();
    CHECK_INT(pthread_create(&owner, NULL, run_owner, NULL), 0);
}

static void end(void)
{
    mote_agent_stop(&shared.agent);
    CHECK_INT(pthread_join(owner, NULL), 0);
    mote_posix_agent_free(&shared);
}

static void wait_for(sem_t *s)
{
    while (sem_wait(s) < 0 && errno == EINTR)
        ;
}

static mote_grpc_request to(const char *method, uint32_t timeout_ms)
{
    static const char *const names[] = {"/a.B/Echo",  "/a.B/Sum",     "/a.B/Never", "/a.B/Numbers",
                                        "/a.B/Twice", "/a.B/Nothing", "/a.B/Words"};
    static mote_hpack_field paths[7]; /* the same whoever writes them */
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    size_t i = 0;

    while (strcmp(names[i] + 5, method) != 0)
        i++;
    pthread_mutex_lock(&lock);
    if (paths[i].value == NULL)
        paths[i] = (mote_hpack_field){
            .name = ":path", .name_len = 5, .value = names[i], .value_len = strlen(names[i])};
    pthread_mutex_unlock(&lock);
    return (mote_grpc_request){.path = &paths[i], .timeout_ms = timeout_ms};
}

static void ends_with(mote_status status, int code, const char *text)
{
    CHECK_INT(status.code, code);
    CHECK_TEXT(status.message_len == strlen(text) &&
               memcmp(status.message, text, strlen(text)) == 0);
}

static mote_status unary_of(mote_agent_call *c, mote_grpc_request request, const void *bytes,
                            size_t len)
{
    mote_grpc_bytes message = {bytes, len};

    return mote_agent_unary(&shared.agent, c, &request, &mote_grpc_bytes_source, &message);
}

/* ---- many tasks ------------------------------------------------------------------------------ */

static void *calls_echo(void *number)
{
    uint8_t bytes[RX];

    for (unsigned i = 0; i < 40; i++) {
        uint8_t sent[] = {(uint8_t)(uintptr_t)number, (uint8_t)i, 7};
        mote_agent_call c = {.buffer = bytes, .size = sizeof bytes};
        mote_status s = unary_of(&c, to("Echo", 60000), sent, sizeof sent);
        if (s.code != MOTE_GRPC_OK || c.len != 3 || memcmp(bytes, sent, 3) != 0)
            return (void *)1;
    }
    return NULL;
}

/* 60 messages of 20 bytes, which the window of the server stops again and again. */
static void *streams_sum(void *number)
{
    uint8_t bytes[4], part[20];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes};
    mote_grpc_request request = to("Sum", 60000);
    mote_grpc_bytes message = {part, sizeof part};
    uint32_t total;

    memset(part, (int)(uintptr_t)number, sizeof part);
    mote_agent_start(&shared.agent, &c, &request);
    for (int i = 0; i < 60; i++)
        if (mote_agent_send(&c, &mote_grpc_bytes_source, &message, 0) != 0)
            return (void *)1;
    if (mote_agent_half_close(&c) != 0 || !mote_agent_recv(&c) || c.len != 4)
        return (void *)2;
    memcpy(&total, bytes, 4);
    if (mote_agent_finish(&c).code != MOTE_GRPC_OK)
        return (void *)3;
    return total == 60 * 20 * (uintptr_t)number ? NULL : (void *)4;
}

static void *reads_numbers(void *unused)
{
    uint8_t byte;
    mote_agent_call c = {.buffer = &byte, .size = 1};
    mote_grpc_request request = to("Numbers", 60000);
    unsigned next = 1;

    (void)unused;
    mote_agent_start(&shared.agent, &c, &request);
    mote_agent_half_close(&c);
    while (mote_agent_recv(&c))
        if (c.len != 1 || byte != next++)
            return (void *)1;
    return next == 101 && mote_agent_finish(&c).code == MOTE_GRPC_OK ? NULL : (void *)2;
}

static void *(*const jobs[])(void *) = {calls_echo, streams_sum, reads_numbers};

/* More tasks than the connection may have calls. */
static void tasks_share_a_connection(void)
{
    pthread_t threads[THREADS];
    void *result;

    begin();
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, jobs[i % 3], (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
        CHECK_INT((uintptr_t)result, 0);
    }
    CHECK_INT(dials, 1);
    end();
}

static void a_status_has_its_text_in_each_task(void)
{
    uint8_t bytes[2];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes}, d = c;

    begin();
    mote_status s = unary_of(&c, to("Words", 60000), "", 0);
    CHECK_INT(unary_of(&d, to("Echo", 60000), "ab", 2).code, MOTE_GRPC_OK);
    ends_with(s, MOTE_GRPC_ABORTED, "not on a Monday");
    ends_with(unary_of(&c, to("Nothing", 60000), "", 0), MOTE_GRPC_UNIMPLEMENTED,
              "not one response");
    ends_with(unary_of(&c, to("Twice", 60000), "", 0), MOTE_GRPC_UNIMPLEMENTED, "not one response");
    ends_with(unary_of(&c, to("Echo", 60000), "abc", 3), MOTE_GRPC_RESOURCE_EXHAUSTED,
              "a message is larger than the buffer of its task");
    ends_with(unary_of(&c, to("Echo", 60000), "ab", 2), MOTE_GRPC_OK, "");
    CHECK_INT(dials, 1);
    end();
}

/* ---- deadlines ------------------------------------------------------------------------------ */

/* The status of a call that the server has seen and does not answer; its time is doubled until it
 * has. */
static mote_status unanswered(mote_agent_call *c)
{
    for (uint32_t ms = 20;; ms *= 2) {
        mote_status s = unary_of(c, to("Never", ms), "", 0);
        if (sem_trywait(&never_began) == 0 || ms > 20000)
            return s;
    }
}

static void a_deadline_ends_each_kind_of_wait(void)
{
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes}, open[CALLS];
    mote_grpc_request slow = to("Never", 0);

    begin();
    ends_with(unary_of(&c, to("Echo", 60000), "ab", 2), MOTE_GRPC_OK, ""); /* it is connected */
    ends_with(unanswered(&c), MOTE_GRPC_DEADLINE_EXCEEDED,
              "deadline exceeded: the server has not answered");
    for (int i = 0; i < CALLS; i++) { /* all calls are in use: one more waits for a place */
        open[i] = (mote_agent_call){.buffer = bytes, .size = sizeof bytes};
        mote_agent_start(&shared.agent, &open[i], &slow);
        wait_for(&never_began);
    }
    ends_with(unary_of(&c, to("Echo", 20), "ab", 2), MOTE_GRPC_DEADLINE_EXCEEDED,
              "deadline exceeded: the connection has no room for one more call");
    mote_agent_cancel(&open[1]);
    ends_with(mote_agent_finish(&open[1]), MOTE_GRPC_CANCELLED, "cancelled");
    ends_with(unary_of(&c, to("Echo", 60000), "ab", 2), MOTE_GRPC_OK, "");
    for (int i = 0; i < CALLS; i += 2) {
        mote_agent_cancel(&open[i]);
        ends_with(mote_agent_finish(&open[i]), MOTE_GRPC_CANCELLED, "cancelled");
    }
    end();
}
/* The owner is in an attempt to connect, which nothing can interrupt: its tasks are not. */
static void an_attempt_to_connect_holds_no_task(void)
{
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes}, d = c;
    mote_grpc_request patient = to("Never", 0);

    prepare();
    slow_dial = true;
    CHECK_INT(pthread_create(&owner, NULL, run_owner, NULL), 0);
    mote_agent_start(&shared.agent, &d, &patient);
    wait_for(&dialling);
    ends_with(unary_of(&c, to("Echo", 20), "ab", 2), MOTE_GRPC_DEADLINE_EXCEEDED,
              "deadline exceeded: there is no connection");
    mote_agent_cancel(&d);
    ends_with(mote_agent_finish(&d), MOTE_GRPC_CANCELLED, "cancelled");
    mote_agent_start(&shared.agent, &d, &patient);
    mote_agent_stop(&shared.agent);
    ends_with(mote_agent_finish(&d), MOTE_GRPC_UNAVAILABLE, "the agent has ended");
    sem_post(&may_dial);
    end();
}

/* ---- connections ----------------------------------------------------------------------------- */

static void line_does(int what)
{
    atomic_store(&line, what);
    shared.agent.os.wake(shared.agent.os.context);
}

static void who_is_patient_waits_for_the_next_connection(void)
{
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes};
    mote_grpc_request patient = to("Echo", 20);

    prepare();
    refusals = 1000; /* each attempt */
    CHECK_INT(pthread_create(&owner, NULL, run_owner, NULL), 0);
    ends_with(unary_of(&c, to("Echo", 60000), "ab", 2), MOTE_GRPC_UNAVAILABLE, "the line is down");
    patient.wait_for_ready = true; /* the next attempt is a second away */
    ends_with(unary_of(&c, patient, "ab", 2), MOTE_GRPC_DEADLINE_EXCEEDED,
              "deadline exceeded: there is no connection: the line is down");
    ends_with(unary_of(&c, to("Echo", 60000), "ab", 2), MOTE_GRPC_UNAVAILABLE, "the line is down");
    end();
    CHECK(dials > 0);
}

static void a_connection_that_ends_is_followed_by_another(void)
{
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes}, open = c;
    mote_grpc_request slow = to("Never", 0);

    begin();
    ends_with(unary_of(&c, to("Echo", 60000), "ab", 2), MOTE_GRPC_OK, "");
    mote_agent_start(&shared.agent, &open, &slow);
    wait_for(&never_began);
    line_does(CUT);
    ends_with(mote_agent_finish(&open), MOTE_GRPC_UNAVAILABLE, "the line is down");
    ends_with(unary_of(&c, to("Echo", 60000), "ab", 2), MOTE_GRPC_OK, "");
    CHECK_INT(dials, 2);
    end();
}

/* gRPC proposal A6, transparent retries: at once, and once. */
static void a_call_that_no_server_has_seen_is_made_again(void)
{
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes};
    mote_grpc_request patient = to("Echo", 60000);

    patient.wait_for_ready = true;
    begin();
    line_does(REFUSES_NEXT_CALL);
    ends_with(unary_of(&c, patient, "ab", 2), MOTE_GRPC_OK, "");
    CHECK_INT(dials, 2);
    line_does(REFUSES_NEXT_CALL);
    ends_with(unary_of(&c, to("Echo", 60000), "cd", 2), MOTE_GRPC_OK, "");
    CHECK_INT(dials, 3);
    CHECK(memcmp(bytes, "cd", 2) == 0);
    line_does(REFUSES_EACH_CALL);
    ends_with(unary_of(&c, to("Echo", 60000), "ef", 2), MOTE_GRPC_UNAVAILABLE,
              "the server goes away (GOAWAY) and has not taken this call");
    CHECK_INT(dials, 4);
    line_does(FINE);
    end();
}

/* Whoever waits for ready goes on where a server refuses each call, but not as fast as it can. */
static void a_server_that_refuses_each_call_is_asked_now_and_then(void)
{
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes};
    mote_grpc_request patient = to("Echo", 150);

    patient.wait_for_ready = true;
    refused_streams = 0;
    begin();
    line_does(REFUSES_STREAMS);
    ends_with(unary_of(&c, patient, "ab", 2), MOTE_GRPC_DEADLINE_EXCEEDED,
              "deadline exceeded: the connection has no room for one more call");
    line_does(FINE);
    patient.timeout_ms = 60000;
    ends_with(unary_of(&c, patient, "ab", 2), MOTE_GRPC_OK, "");
    end();
    CHECK(refused_streams <= 2); /* none, where the machine is busy */
    CHECK_INT(dials, 1);
}

/* A server that takes no new calls: open ones go on, and new ones wait for the next connection. */
static void a_goaway_lets_open_calls_end(void)
{
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes}, open = c, late = c;
    mote_grpc_request sums = to("Sum", 60000), echo_ = to("Echo", 60000);
    mote_grpc_bytes message = {(const uint8_t *)"\1\2", 2};

    begin();
    mote_agent_start(&shared.agent, &open, &sums);
    CHECK_INT(mote_agent_send(&open, &mote_grpc_bytes_source, &message, 0), 0);
    line_does(LEAVES_OPEN_CALLS);
    late.buffer = (uint8_t[4]){0};
    while (atomic_load(&line) != FINE)
        sched_yield();
    mote_agent_start(&shared.agent, &late, &echo_);
    CHECK_INT(mote_agent_send(&open, &mote_grpc_bytes_source, &message, MOTE_GRPC_LAST), 0);
    CHECK(mote_agent_recv(&open) && open.len == 4 && bytes[0] == 6);
    ends_with(mote_agent_finish(&open), MOTE_GRPC_OK, "");
    CHECK_INT(mote_agent_send(&late, &mote_grpc_bytes_source, &message, MOTE_GRPC_LAST), 0);
    CHECK(mote_agent_recv(&late) && late.len == 2);
    ends_with(mote_agent_finish(&late), MOTE_GRPC_OK, "");
    CHECK_INT(dials, 2);
    end();
}

/* ---- wrong use and the end ------------------------------------------------------------------- */

static int bad_write(const void *type, const void *message, size_t offset, uint8_t *out, size_t cap,
                     size_t *total)
{
    (void)type, (void)message, (void)offset, (void)out, (void)cap, (void)total;
    return -450;
}

static const char *bad_text(int code)
{
    return code == -450 ? "no such bytes" : "";
}

static void what_cannot_be_sent_is_told(void)
{
    static const mote_grpc_source bad = {bad_write, bad_text, NULL};
    static const mote_grpc_metadata capital = MOTE_GRPC_METADATA_FIELD("Name", "x");
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes};
    mote_grpc_request echo_ = to("Echo", 60000), sums = to("Sum", 60000);
    mote_grpc_bytes message = {(const uint8_t *)"\1\2", 2};

    begin();
    ends_with(mote_agent_unary(&shared.agent, &c, &echo_, &bad, NULL), MOTE_GRPC_INTERNAL,
              "no such bytes");
    mote_agent_start(&shared.agent, &c, &sums);
    CHECK_INT(mote_agent_send(&c, &bad, NULL, 0), -450);
    CHECK_INT(mote_agent_send(&c, &mote_grpc_bytes_source, &message, 0), MOTE_GRPC_ERR_STATE);
    CHECK_INT(mote_agent_half_close(&c), MOTE_GRPC_ERR_STATE);
    CHECK(!mote_agent_recv(&c));
    ends_with(mote_agent_finish(&c), MOTE_GRPC_INTERNAL, "no such bytes");
    mote_agent_start(&shared.agent, &c, &sums);
    CHECK_INT(mote_agent_send(&c, &mote_grpc_bytes_source, &message, MOTE_GRPC_LAST), 0);
    CHECK_INT(mote_agent_half_close(&c), MOTE_GRPC_ERR_STATE);
    CHECK(mote_agent_recv(&c) && bytes[0] == 3);
    ends_with(mote_agent_finish(&c), MOTE_GRPC_OK, "");
    CHECK_INT(mote_agent_send(&c, &mote_grpc_bytes_source, &message, 0), MOTE_GRPC_ERR_STATE);
    mote_agent_cancel(&c); /* without effect */
    ends_with(mote_agent_finish(&c), MOTE_GRPC_OK, "");
    echo_.metadata = &capital;
    echo_.metadata_count = 1;
    CHECK_INT(unary_of(&c, echo_, "ab", 2).code, MOTE_GRPC_INTERNAL);
    end();
}

static void *waits_for_ever(void *unused)
{
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes};

    (void)unused;
    ends_with(unary_of(&c, to("Never", 0), "", 0), MOTE_GRPC_UNAVAILABLE, "the agent has ended");
    return NULL;
}

static void the_end_of_the_agent_ends_each_call(void)
{
    pthread_t threads[CALLS + 2]; /* two of them wait for a place */
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes};

    begin();
    for (int i = 0; i < CALLS + 2; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, waits_for_ever, NULL), 0);
    for (int i = 0; i < CALLS; i++)
        wait_for(&never_began);
    mote_agent_stop(&shared.agent);
    for (int i = 0; i < CALLS + 2; i++)
        pthread_join(threads[i], NULL);
    ends_with(unary_of(&c, to("Echo", 0), "ab", 2), MOTE_GRPC_UNAVAILABLE, "the agent has ended");
    end();
    CHECK(!connected);
}

/* What is started before there is an owner waits for it. */
static void calls_may_be_there_before_the_owner(void)
{
    uint8_t bytes[4];
    mote_agent_call c = {.buffer = bytes, .size = sizeof bytes};
    mote_grpc_request request = to("Echo", 60000);
    mote_grpc_bytes message = {(const uint8_t *)"ab", 2};

    prepare();
    mote_agent_start(&shared.agent, &c, &request);
    CHECK_INT(pthread_create(&owner, NULL, run_owner, NULL), 0);
    CHECK_INT(mote_agent_send(&c, &mote_grpc_bytes_source, &message, MOTE_GRPC_LAST), 0);
    ends_with(mote_agent_finish(&c), MOTE_GRPC_OK, "");
    end();
}

int main(void)
{
    RUN(tasks_share_a_connection);
    RUN(a_status_has_its_text_in_each_task);
    RUN(a_deadline_ends_each_kind_of_wait);
    RUN(an_attempt_to_connect_holds_no_task);
    RUN(who_is_patient_waits_for_the_next_connection);
    RUN(a_connection_that_ends_is_followed_by_another);
    RUN(a_call_that_no_server_has_seen_is_made_again);
    RUN(a_server_that_refuses_each_call_is_asked_now_and_then);
    RUN(a_goaway_lets_open_calls_end);
    RUN(what_cannot_be_sent_is_told);
    RUN(the_end_of_the_agent_ends_each_call);
    RUN(calls_may_be_there_before_the_owner);
    return test_summary();
}
