/* Many streams on one connection: what each gets, and what a message costs beside 10 streams and
 * beside 1,000. */
#include "fair.h"

typedef struct {
    const char *name;
    size_t of[3]; /* in turn */
} kind;

static const kind kinds[SIZES] = {{"32 B", {32, 32, 32}},
                                  {"1 KB", {1000, 1000, 1000}},
                                  {"10 KB", {10000, 10000, 10000}},
                                  {"mixed", {32, 1000, 10000}}};

static uint64_t total(unsigned streams, uint64_t *least)
{
    uint64_t sum = 0;

    *least = UINT64_MAX;
    for (unsigned i = 0; i < streams; i++) {
        sum += received[i];
        *least = received[i] < *least ? received[i] : *least;
    }
    return sum;
}

/* So many writes of either side; false: nothing moves any more. */
static bool go_on(int rounds, bool uploads)
{
    bool said = true;

    for (int i = 0; i < rounds && said; i++) {
        said = carry(&server, uploads);
        said = carry(&client, uploads) || said;
    }
    CHECK(said);
    return said;
}

/* Steps a message. */
static uint64_t run(unsigned streams, bool uploads, const kind *k, size_t at_a_time)
{
    uint64_t least, sum, aim = (uint64_t)streams * 6 * (k->of[2] > TX ? k->of[2] : TX);

    connect();
    for (unsigned i = 0; i < streams; i++)
        sizes[i] = k->of[i % 3];
    start_all(streams, uploads);
    write_size = at_a_time;
    memset(received, 0, sizeof received);
    messages = runs = encoded = steps = 0;
    while (total(streams, &least) < aim && go_on(64, uploads))
        ;
    sum = total(streams, &least);
    CHECK(messages > 0);
    if (messages == 0)
        return 0;
    printf(
        "%s %-5s %4u streams, %5zu at a time: least %3.0f%% of the average, a message: %.3f runs, "
        "%.2f bytes a byte, %llu steps\n",
        uploads ? "up  " : "down", k->name, streams, at_a_time,
        100.0 * (double)least * streams / (double)sum, (double)runs / (double)messages,
        (double)encoded / (double)sum, (unsigned long long)(steps / messages));
    CHECK(2 * least * streams >= sum);
    return steps / messages;
}

static void every_stream_gets_its_share(void)
{
    static const unsigned streams[] = {1, 10, 100, CALLS};
    static const size_t at_a_time[] = {TX, TX / 2, 1400};

    for (int uploads = 0; uploads < 2; uploads++) {
        for (size_t i = 0; i < SIZES; i++) {
            for (size_t w = 0; w < 3; w++) {
                uint64_t least = UINT64_MAX, most = 0;
                for (size_t j = 0; j < 4; j++) {
                    uint64_t n = run(streams[j], uploads, &kinds[i], at_a_time[w]);
                    least = n < least ? n : least;
                    most = n > most ? n : most;
                }
                CHECK(most <= least * 5 / 4);
            }
        }
    }
}

/* A call of weight 4 has twice what one of weight 2 has, and four times that of others. */
static void a_weight_is_a_number_of_turns(void)
{
    static const uint8_t weight_of[] = {0, 1, 2, 4};
    enum { STREAMS = 40 };
    uint64_t least, got[4] = {0};

    connect();
    for (unsigned i = 0; i < STREAMS; i++) {
        sizes[i] = 100;
        weights[i] = weight_of[i % 4];
        start(i, false);
    }
    memset(received, 0, sizeof received);
    while (total(STREAMS, &least) < STREAMS * 40 * TX && go_on(1, false))
        ;
    for (unsigned i = 0; i < STREAMS; i++)
        got[i % 4] += received[i];
    printf("weights 0, 1, 2, 4: %.2f, 1.00, %.2f, %.2f times\n", (double)got[0] / (double)got[1],
           (double)got[2] / (double)got[1], (double)got[3] / (double)got[1]);
    CHECK(100 * got[0] > 95 * got[1] && 95 * got[0] < 100 * got[1]);
    CHECK(got[2] * 10 > got[1] * 18 && got[2] * 10 < got[1] * 22);
    CHECK(got[3] * 10 > got[1] * 36 && got[3] * 10 < got[1] * 44);
    memset(weights, 0, sizeof weights);
}

/* ---- bad company ----------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    uint32_t window; /* of the first stream; what it takes is given back at once, */
    uint32_t by;     /* by so many bytes; 0: never */
    bool picks;      /* while there is room, but not for the others, whose turn comes with half */
} company;

static void start_narrow(uint32_t window)
{
    server.h2.peer_window = window;
    start(0, false);
    server.h2.peer_window = RX;
}

/* A client that gives back so much of what it has taken of its first stream. */
static void give_back(uint32_t n)
{
    mote_h2_stream *s = open_calls[0]->stream;
    uint8_t update[13] = {0, 0, 4, 8};

    n = n < s->credit ? n : s->credit;
    if (n == 0)
        return;
    update[8] = (uint8_t)s->id;
    update[11] = (uint8_t)(n >> 8);
    update[12] = (uint8_t)n;
    s->credit -= n;
    s->recv_window += (int32_t)n;
    mote_grpc_serve(&server, update, sizeof update);
}

static void give_back_as(const company *c, uint32_t message)
{
    size_t room = mote_h2_tx_space(&server.h2);

    if (c->picks && room > 9 && !mote_h2_half_free(&server.h2))
        give_back(((uint32_t)room - 9) / message * message);
    while (!c->picks && c->by > 0 && open_calls[0]->stream->credit > 0)
        give_back(c->by);
}

/* The first has no more than twice what the others have, and each of them its share. */
static void beside(const company *c, unsigned streams, size_t at_a_time, size_t size)
{
    uint64_t least, others;

    for (unsigned i = 0; i < streams; i++)
        sizes[i] = size;
    connect();
    start_narrow(c->window);
    for (unsigned i = 1; i < streams; i++)
        start(i, false);
    write_size = at_a_time;
    memset(received, 0, sizeof received);
    steps = messages = 0;
    do {
        give_back_as(c, (uint32_t)size + 5);
        others = total(streams, &least) - received[0];
    } while (others < (uint64_t)streams * 6 * (size > TX ? size : TX) && go_on(1, false));
    least = UINT64_MAX;
    for (unsigned i = 1; i < streams; i++)
        least = received[i] < least ? received[i] : least;
    printf("%s, %u streams, %zu B, %zu at a time: the others least %.0f%%, it %.0f%%, %llu steps\n",
           c->name, streams, size, at_a_time,
           100.0 * (double)least * (streams - 1) / (double)others,
           100.0 * (double)received[0] * (streams - 1) / (double)others,
           (unsigned long long)(steps / (messages + 1)));
    CHECK(2 * least * (streams - 1) >= others);
    CHECK(received[0] * (streams - 1) <= 2 * others);
}

static void one_that_is_odd_takes_nothing_from_the_others(void)
{
    static const company odd[] = {{"one that never reads", RX, 0, false},
                                  {"one with a window of a byte", 1, 1, false},
                                  {"one that gives back byte by byte", RX, 1, false},
                                  {"one that reads bit by bit", 100, RX, false},
                                  {"one that reads at once", 2000, RX, false},
                                  {"one that reads all at once", TX, RX, false},
                                  {"one that picks its moment", 37 * 54, RX, true},
                                  {"one that picks it for larger ones", 2010, RX, true}};
    static const size_t message_sizes[] = {32, 1000, 10000};

    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        for (size_t j = 0; j < 3; j++) {
            beside(&odd[i], 100, TX, message_sizes[j]);
            beside(&odd[i], 100, 500, message_sizes[j]);
            beside(&odd[i], 1000, TX, message_sizes[j]);
        }
    }
}

/* ---- what happens to all of them at once ----------------------------------------------------- */

/* A step for each pair of streams would be a million. */
enum { STEPS_A_STREAM = 400 };

static void connection_of(unsigned streams, bool uploads)
{
    connect();
    for (unsigned i = 0; i < streams; i++)
        start(i, uploads);
    while (carry(&client, false) || carry(&server, false))
        ;
    CHECK_INT(mote_grpc_active(&client), streams);
    CHECK_INT(mote_grpc_active(&server), streams);
}

static unsigned events_of(mote_grpc *g, const uint8_t *in, size_t len,
                          enum mote_grpc_event_type type)
{
    mote_grpc_event ev;
    unsigned n = 0;
    size_t used;

    steps = 0;
    while (mote_grpc_recv(g, in, len, &used, &ev) > 0) {
        in = used > 0 ? in + used : in;
        len -= used;
        n += ev.type == type;
    }
    return n;
}

/* RFC 9113 6.8: a GOAWAY that excludes all streams. */
static void a_goaway_costs_each_stream_once(void)
{
    static const uint8_t goaway[17] = {0, 0, 8, 7};

    connection_of(CALLS, true);
    CHECK_INT(events_of(&client, goaway, sizeof goaway, MOTE_GRPC_STATUS), CALLS);
    printf("GOAWAY: %llu steps a stream\n", (unsigned long long)(steps / CALLS));
    CHECK(steps / CALLS < STEPS_A_STREAM);
}

static void an_end_of_the_transport_costs_each_call_once(void)
{
    mote_grpc *sides[] = {&client, &server};
    static const enum mote_grpc_event_type ends[] = {MOTE_GRPC_STATUS, MOTE_GRPC_CLOSED};

    for (int i = 0; i < 2; i++) {
        connection_of(CALLS, true);
        mote_grpc_recv_eof(sides[i]);
        CHECK_INT(events_of(sides[i], NULL, 0, ends[i]), CALLS);
        printf("end of the transport: %llu steps a stream\n", (unsigned long long)(steps / CALLS));
        CHECK(steps / CALLS < STEPS_A_STREAM);
    }
}

/* Streams that owe wait for room; it comes by as much as one of them needs. */
static void what_streams_owe_leaves_in_turn(void)
{
    size_t len, all = 0;

    connection_of(CALLS, true);
    for (unsigned i = 0; i < CALLS; i++)
        mote_h2_reset(&server.h2, &server.h2.streams[CALLS - 1 - i], MOTE_H2_CANCEL);
    steps = 0;
    for (; mote_grpc_peek(&server, &len); all += 13)
        mote_grpc_ack(&server, 13);
    CHECK_INT(all, 13 * CALLS);
    printf("what is owed: %llu steps a stream\n", (unsigned long long)(steps / CALLS));
    CHECK(steps / CALLS < STEPS_A_STREAM);
}

/* ---- memory ---------------------------------------------------------------------------------- */

enum { PAGE = 4096, PATTERN = 0xa5 };

static unsigned pages_that_differ(const uint8_t *is, const uint8_t *was, size_t size)
{
    unsigned n = 0;

    for (size_t at = 0; at < size; at += PAGE)
        n += memcmp(is + at, was + at, size - at < PAGE ? size - at : PAGE) != 0;
    return n;
}

/* Calls one at a time, each with a message that is cut, so that its buffer is needed. */
static void calls_one_at_a_time_touch_the_memory_of_one(void)
{
    static uint64_t before[MEMORY / 8];

    memset(server_memory, PATTERN, sizeof server_memory);
    connect();
    memcpy(before, server_memory, sizeof before);
    write_size = 7;
    for (unsigned i = 0; i < 100; i++) {
        start(0, true);
        while (mote_grpc_half_close(open_calls[0]) == MOTE_AGAIN)
            carry(&client, false);
        while (carry(&client, false) || carry(&server, false))
            ;
        CHECK_INT(mote_grpc_active(&server), 0);
    }
    unsigned pages = pages_that_differ((uint8_t *)server_memory, (uint8_t *)before, sizeof before);
    printf("100 calls one at a time: %u pages of %zu\n", pages, sizeof before / PAGE);
    CHECK(pages <= 8);
}

int main(void)
{
    RUN(a_goaway_costs_each_stream_once);
    RUN(an_end_of_the_transport_costs_each_call_once);
    RUN(what_streams_owe_leaves_in_turn);
    RUN(calls_one_at_a_time_touch_the_memory_of_one);
    RUN(every_stream_gets_its_share);
    RUN(a_weight_is_a_number_of_turns);
    RUN(one_that_is_odd_takes_nothing_from_the_others);
    return test_summary();
}
