/* Every way out of every phase of a call, in both roles: each handler is told one begin and one
 * end, each client's call has one status, and nothing is held afterwards. How a transport ends
 * (FIN, RST, a write error, a stall, the end of the loop) is for the engine one thing, at either
 * side; port/posix says it so in each state of a connection (test_loop). */
#include "grpc_harness.h"

enum phase {
    OPENED, /* nothing has left the client */
    HALF_HEADERS,
    STARTED,
    HALF_MESSAGE,
    MESSAGE,
    HALF_CLOSED,
    ANSWERED, /* a message has come back */
    WAITS,    /* the server's messages wait for the window */
    HALF_ANSWER,
    PHASES
};

enum way {
    CANCELLED,
    FINISHED,
    ENDED_WITH_CODE, /* what it returns when it is told of the next message */
    DEADLINE,
    SERVER_LOST, /* its transport has ended, */
    CLIENT_LOST, /* the client's, */
    BOTH_LOST,
    BAD_TO_SERVER, /* a frame that is an error */
    BAD_TO_CLIENT,
    RESET_BY_CLIENT, /* frames of others' hands, for the first call */
    RESET_BY_SERVER,
    GOAWAY_TO_SERVER,
    GOAWAY_TO_CLIENT,
    REFUSED, /* by a GOAWAY that says that no call was seen */
    DRAINED,
    CLOSED_BY_CLIENT,
    FLOOD_TO_SERVER,
    FLOOD_TO_CLIENT,
    STUCK_TO_SERVER, /* a frame that does not end */
    STUCK_TO_CLIENT,
    NONSENSE, /* a message that is too large */
    WAYS
};

static const uint8_t answer[40];

/* What is on the wire arrives, but for its last bytes. */
static void deliver(mote_grpc *from, wire *w, size_t but)
{
    while (write_some(from, w))
        ;
    size_t n = w->len > but ? w->len - but : 0;
    if (from == &client)
        mote_grpc_serve(&server, w->bytes, n);
    else
        client_recv(w->bytes, n);
    remove_bytes(w, n);
}

static void go_to(enum phase phase)
{
    mote_grpc_bytes message = {answer, sizeof answer};

    for (int i = 0; i < 2; i++) {
        call_start(i, &way_path, 900);
        if (phase >= HALF_HEADERS)
            deliver(&client, &to_server, phase == HALF_HEADERS && i == 1 ? 5 : 0);
        if (phase >= HALF_MESSAGE)
            CHECK_INT(mote_grpc_send(calls[i].call, &mote_grpc_bytes_source, &message, 0), 0);
        if (phase >= HALF_MESSAGE)
            deliver(&client, &to_server, phase == HALF_MESSAGE && i == 1 ? 9 : 0);
        if (phase >= HALF_CLOSED)
            call_end(&calls[i]);
        if (phase < ANSWERED)
            continue;
        mote_grpc_call *call = mote_grpc_find(way.handle);
        CHECK_INT(mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0), 0);
        for (int n = 0; phase >= WAITS && n < 20; n++)
            mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0);
        if (phase != WAITS)
            deliver(&server, &to_client, phase == HALF_ANSWER ? 9 : 0);
    }
}

static void serve_frame(const void *frame, size_t len)
{
    mote_grpc_serve(&server, frame, len);
}

static void hear_frame(const void *frame, size_t len)
{
    client_recv(frame, len);
}

/* The same bytes at both sides, where they are no answer to anything. */
static void say(void (*to)(const void *frame, size_t len), enum way what)
{
    static const uint8_t bad[10] = {0, 0, 1, 4, 0, 0, 0, 0, 0, 0};
    static const uint8_t ping[17] = {0, 0, 8, 6}, stuck[12] = {0, 1, 0, 0xfe};
    static const uint8_t reset[13] = {0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8};
    static const uint8_t goaway[17] = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff};
    static const uint8_t refused[17] = {0, 0, 8, 7};
    static const uint8_t large[14] = {0, 0, 5, 0, 0, 0, 0, 0, 1, 0, 0xff};

    if (what == BAD_TO_SERVER || what == BAD_TO_CLIENT)
        to(bad, sizeof bad);
    for (int i = 0; (what == FLOOD_TO_SERVER || what == FLOOD_TO_CLIENT) && i < 2000; i++)
        to(ping, sizeof ping);
    if (what == STUCK_TO_SERVER || what == STUCK_TO_CLIENT)
        to(stuck, sizeof stuck);
    if (what == RESET_BY_CLIENT || what == RESET_BY_SERVER)
        to(reset, sizeof reset);
    if (what == GOAWAY_TO_SERVER || what == GOAWAY_TO_CLIENT)
        to(goaway, sizeof goaway);
    if (what == REFUSED)
        to(refused, sizeof refused);
    if (what == NONSENSE)
        to(large, sizeof large);
}

static void leave(enum way how)
{
    mote_grpc_call *call = mote_grpc_find(way.handle);

    if (how == CANCELLED)
        mote_grpc_cancel(calls[0].call);
    if (how == FINISHED && call)
        mote_grpc_finish(call, MOTE_GRPC_ABORTED, "finished");
    if (how == ENDED_WITH_CODE) {
        way.act_at = MOTE_GRPC_MESSAGE;
        way.returns = MOTE_GRPC_DATA_LOSS;
    }
    if (how == DRAINED)
        mote_grpc_shutdown(&server);
    if (how == CLOSED_BY_CLIENT)
        mote_grpc_shutdown(&client);
    if (how == SERVER_LOST || how == BOTH_LOST)
        mote_grpc_recv_eof(&server);
    if (how == CLIENT_LOST || how == BOTH_LOST)
        mote_grpc_recv_eof(&client);
    bool by_client = how == BAD_TO_SERVER || how == RESET_BY_CLIENT || how == GOAWAY_TO_SERVER ||
                     how == FLOOD_TO_SERVER || how == STUCK_TO_SERVER || how == NONSENSE;
    if (by_client) /* what was half sent is first sent to its end */
        deliver(&client, &to_server, 0);
    else if (how >= BAD_TO_SERVER)
        deliver(&server, &to_client, 0);
    say(by_client ? serve_frame : hear_frame, how);
}

/* Deadlines are over for what has not ended, and then the transport is. */
static void let_time_pass(void)
{
    settle();
    for (int i = 0; i < 3; i++) {
        uint64_t now = 1000 + (uint64_t)(i + 1) * 70000;
        mote_grpc_tick(&client, now);
        mote_grpc_tick(&server, now);
        mote_grpc_serve(&server, NULL, 0);
        client_recv(NULL, 0);
        settle();
    }
    mote_grpc_recv_eof(&server);
    mote_grpc_recv_eof(&client);
    mote_grpc_serve(&server, NULL, 0);
    client_recv(NULL, 0);
}

static bool ended_once(void)
{
    return way.begun == way.ended && calls[0].status_count == 1 && calls[1].status_count == 1 &&
           mote_grpc_active(&client) + mote_grpc_active(&server) == 0 &&
           mote_grpc_running(&client) == 0 && mote_grpc_find(way.handle) == NULL;
}

static void each_way_out_of_each_phase_is_one_end(void)
{
    uint32_t begun = 0;

    for (uint32_t cut = 0; cut < 3; cut++) {
        for (int phase = 0; phase < PHASES; phase++) {
            for (int how = 0; how < WAYS; how++) {
                memset(&way, 0, sizeof way);
                connect_with(256, 512, cut);
                seed = 0;
                go_to((enum phase)phase);
                seed = cut;
                leave((enum way)how);
                let_time_pass();
                if (!ended_once())
                    printf("phase %d, way %d: begun %u, ended %u, statuses %u and %u, active %zu, "
                           "%zu\n",
                           phase, how, (unsigned)way.begun, (unsigned)way.ended,
                           (unsigned)calls[0].status_count, (unsigned)calls[1].status_count,
                           mote_grpc_active(&client), mote_grpc_active(&server));
                CHECK(ended_once());
                CHECK(mote_grpc_serve(&server, NULL, 0) <= 0);
                CHECK(way.begun <= 2 && (phase < STARTED || way.begun == 2));
                begun += way.begun;
            }
        }
    }
    CHECK(begun > 3 * (PHASES - 2) * WAYS * 2);
}

int main(void)
{
    RUN(each_way_out_of_each_phase_is_one_end);
    return test_summary();
}
