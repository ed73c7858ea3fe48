/* gRPC: what mote_grpc_valid() says of each member that is changed, in each kind of call. */
#include "grpc_harness.h"

/* Whether the invariants hold after a change, which is then taken back. */
#define AFTER(change, holds)                                                                       \
    do {                                                                                           \
        mote_grpc kept = *g;                                                                       \
        mote_grpc_call kept_calls[CALLS];                                                          \
        memcpy(kept_calls, g->calls, sizeof kept_calls);                                           \
        CHECK(mote_grpc_valid(g));                                                                 \
        change;                                                                                    \
        CHECK(mote_grpc_valid(g) == (holds));                                                      \
        *g = kept;                                                                                 \
        memcpy(g->calls, kept_calls, sizeof kept_calls);                                           \
    } while (0)
#define BREAKS(change) AFTER(change, false)
#define KEEPS(change)  AFTER(change, true)

static mote_grpc *g;
static mote_grpc_call *call;

/* An open call, of which `g` is one side. */
static void begin(bool serves)
{
    connect_with(256, 512, 0);
    client_call *c = call_start(0, &silent_path, 0);
    settle();
    g = serves ? &server : &client;
    call = serves ? &server.calls[0] : c->call;
}

static void an_open_call_of_either_side(void)
{
    for (int serves = 0; serves < 2; serves++) {
        begin(serves);
        BREAKS(call->grpc = serves ? &client : &server);
        BREAKS(call->stream->user = &g->calls[1]);
        call->stream->user = call;
        BREAKS((call->stream = NULL));
        BREAKS(call->stream = &g->h2.streams[CALLS - 1]);
        KEEPS((call->rx_pos = 256, call->rx_len = 256));
        BREAKS((call->rx_pos = 256, call->rx_len = 255));
        BREAKS((call->rx_pos = 0, call->rx_len = 257));
        KEEPS((call->chunk_left = 9, call->chunk_total = 9));
        BREAKS((call->chunk_left = 9, call->chunk_total = 8));
        BREAKS(call->generation = 0);
        AFTER(call->local = MOTE_GRPC_LOCAL_ENDED, !serves);
        AFTER(call->local = MOTE_GRPC_LOCAL_HEADERS, serves); /* a state of servers alone */
        BREAKS(call->local = MOTE_GRPC_LOCAL_OWED);
        BREAKS(call->local = MOTE_GRPC_LOCAL_OWED_ALONE);
        BREAKS(call->remote = MOTE_GRPC_REMOTE_OVER);
    }
}

static void a_status_that_is_owed(void)
{
    static const enum mote_grpc_local owed[] = {MOTE_GRPC_LOCAL_OWED, MOTE_GRPC_LOCAL_OWED_ALONE};

    for (size_t i = 0; i < 2; i++) {
        begin(true);
        call->local = owed[i];
        call->remote = MOTE_GRPC_REMOTE_OVER;
        g->ends = 1;
        KEEPS((void)0);
        KEEPS((call->wait = MOTE_GRPC_WAIT_ROOM, g->waiting[0] = 1, g->ends = 0));
        BREAKS(call->stream = NULL);
        BREAKS((call->remote = MOTE_GRPC_REMOTE_OPEN, g->ends = 0));
        BREAKS(g->ends = 0);
    }
}

static void a_call_that_is_decided(void)
{
    begin(false);
    mote_h2_stream *stream = call->stream;
    mote_grpc_cancel(call);
    CHECK(mote_grpc_decided(call));
    BREAKS(call->local = MOTE_GRPC_LOCAL_OPEN);
    BREAKS((call->stream = stream, stream->user = call));
    stream->user = NULL;
    BREAKS((call->wait = MOTE_GRPC_WAIT_ROOM, g->waiting[0]++));
    BREAKS((call->wait = MOTE_GRPC_WAIT_DEFERRED, g->waiting[0]++));
    KEEPS((call->wait = MOTE_GRPC_WAIT_DEFERRED, g->waiting[0]++,
           g->ends -= call->remote == MOTE_GRPC_REMOTE_OVER));
}

static void what_is_counted_is_there(void)
{
    begin(true);
    BREAKS(g->active++);
    BREAKS(g->active--);
    BREAKS(g->waiting[0]++);
    BREAKS(g->waiting[1]++);
    BREAKS(g->waiting[2]++);
    BREAKS(g->ends++);
    KEEPS((call->wait = MOTE_GRPC_WAIT_DEFERRED, g->waiting[0]++));
    BREAKS(call->wait = MOTE_GRPC_WAIT_DEFERRED);
}

/* Calls 0 and 2; the slot between them was given back. */
static void slots_that_were_used(void)
{
    connect_with(256, 512, 0);
    for (int i = 0; i < 3; i++)
        call_start(i, &silent_path, 0);
    settle();
    mote_grpc_cancel(calls[1].call);
    settle();
    g = &server;
    CHECK_INT(g->reach, 3);
    CHECK(g->free == &g->calls[1]);
    BREAKS(g->reach = 2);
    BREAKS(g->reach = 4);
    BREAKS(g->free = NULL);
    BREAKS(g->free = &g->calls[0]); /* a call */
    BREAKS(g->free = &g->calls[3]); /* it was never used */
    BREAKS(g->calls[1].next_free = &g->calls[1]);
    BREAKS(g->calls[1].next_free = &g->calls[3]);
    KEEPS(g->scan = 2);
    BREAKS(g->scan = 3);
    KEEPS(g->scan_stop = 2);
    BREAKS(g->scan_stop = 3);
    KEEPS(g->next_end = 2);
    BREAKS(g->next_end = 3);
}

static void what_is_delivered(void)
{
    begin(true);
    KEEPS(g->delivery = (mote_grpc_delivery){0});
    g->delivery = (mote_grpc_delivery){0};
    BREAKS(g->delivery.type = MOTE_GRPC_MESSAGE);
    BREAKS(g->delivery.rest_len = 1);
    BREAKS(g->delivery.held = 1);
    BREAKS(g->delivery.where = MOTE_GRPC_IN_INPUT);
    BREAKS((g->delivery.where = MOTE_GRPC_IN_INPUT, g->delivery.held = 1));
    KEEPS(g->delivery.call = call);
    KEEPS((g->delivery.call = call, g->delivery.rest_len = 1));
    KEEPS((g->calls[1] = *call, g->calls[1].local = MOTE_GRPC_LOCAL_FREE));
    g->calls[1] = *call;
    g->calls[1].local = MOTE_GRPC_LOCAL_FREE;
    BREAKS(g->delivery.call = &g->calls[1]); /* FREE */
    BREAKS(g->delivery.call = client.calls); /* of another connection */
    KEEPS((g->delivery.call = call, g->delivery.where = MOTE_GRPC_IN_INPUT, g->delivery.held = 9));
    BREAKS((g->delivery.call = call, g->delivery.where = MOTE_GRPC_IN_INPUT));
    BREAKS((g->delivery.call = call, g->delivery.held = 9));
    KEEPS((g->delivery.call = call, g->delivery.where = MOTE_GRPC_IN_BUFFER, g->delivery.held = 9,
           call->rx_pos = 9, call->rx_len = 9));
    BREAKS((g->delivery.call = call, g->delivery.where = MOTE_GRPC_IN_BUFFER, g->delivery.held = 9,
            call->rx_pos = 8, call->rx_len = 9));
}

#ifdef MOTE_CHECK
#include "stops.h"

static void use_start(void)
{
    mote_grpc_request request = {.path = &silent_path};
    mote_grpc_call *another;

    mote_grpc_start(g, &request, &another);
}

static void use_start_without_path(void)
{
    mote_grpc_request request = {0};
    mote_grpc_call *another;

    mote_grpc_start(g, &request, &another);
}

static void use_cancel(void)
{
    mote_grpc_cancel(call);
}

static void use_tick(void)
{
    mote_grpc_tick(g, 2000);
}

static void use_recv(void)
{
    mote_grpc_event ev;
    size_t used;

    mote_grpc_recv(g, NULL, 0, &used, &ev);
}

static void use_ack(void)
{
    mote_grpc_ack(g, 0);
}

static void use_send(void)
{
    static const mote_grpc_bytes message = {(const uint8_t *)"hi", 2};

    mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0);
}

static void use_half_close(void)
{
    mote_grpc_half_close(call);
}

static void use_send_headers(void)
{
    mote_grpc_send_headers(call, NULL, 0);
}

static void use_finish(void)
{
    mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
}

static void use_finish_without_text(void)
{
    mote_grpc_finish_with(call, MOTE_GRPC_OK, NULL, 3, NULL, 0);
}

static const struct {
    void (*use)(void);
    bool serves;
} ways_in[] = {{use_start, false},       {use_cancel, false}, {use_cancel, true},
               {use_tick, false},        {use_recv, false},   {use_ack, false},
               {use_send, false},        {use_send, true},    {use_half_close, false},
               {use_send_headers, true}, {use_finish, true}};

/* What is broken is seen by whatever is called next. */
static void each_way_in_checks(void)
{
    for (size_t i = 0; i < sizeof ways_in / sizeof ways_in[0]; i++) {
        begin(ways_in[i].serves);
        if (stops(ways_in[i].use)) {
            printf("%zu stops without a reason\n", i);
            test_ok = false;
        }
        g->active++;
        if (!stops(ways_in[i].use)) {
            printf("%zu goes on with a broken connection\n", i);
            test_ok = false;
        }
    }
    begin(false);
    CHECK(stops(use_start_without_path));
    begin(true);
    CHECK(stops(use_finish_without_text));
}
#endif

int main(void)
{
    RUN(an_open_call_of_either_side);
    RUN(a_status_that_is_owed);
    RUN(a_call_that_is_decided);
    RUN(what_is_counted_is_there);
    RUN(slots_that_were_used);
    RUN(what_is_delivered);
#ifdef MOTE_CHECK
    RUN(each_way_in_checks);
#endif
    return test_summary();
}
