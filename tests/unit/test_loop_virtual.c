/* The loop over a scripted kernel. */
#include "scripted_kernel.h"

static mote_posix_loop loop;
static int taken, wants_room = 1;

static int take(void *context, int fd)
{
    (void)context;
    taken++;
    close(fd);
    return 0;
}

static bool room(void *context)
{
    (void)context;
    return wants_room;
}

/* Who has gone meanwhile is passed over; without descriptors or memory it looks again in 100 ms,
 * and not before. */
static void each_errno_of_accept(void)
{
    static const struct {
        int says[4], calls, taken;
        enum mote_posix_ears ears;
    } rows[] = {{{0, 0, EAGAIN}, 3, 2, MOTE_POSIX_LISTENING},
                {{EAGAIN}, 1, 0, MOTE_POSIX_LISTENING},
                {{EINTR, 0, EAGAIN}, 3, 1, MOTE_POSIX_LISTENING},
                {{ECONNABORTED, 0, EAGAIN}, 3, 1, MOTE_POSIX_LISTENING},
                {{EMFILE}, 1, 0, MOTE_POSIX_FULL},
                {{ENFILE}, 1, 0, MOTE_POSIX_FULL},
                {{ENOMEM}, 1, 0, MOTE_POSIX_FULL},
                {{ENOBUFS}, 1, 0, MOTE_POSIX_FULL},
                {{0, EMFILE}, 2, 1, MOTE_POSIX_FULL}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int listener = eventfd(1, EFD_NONBLOCK);
        CHECK_INT(mote_posix_loop_init(&loop), 0);
        CHECK_INT(loop.listener, -1);
        CHECK_INT(mote_posix_loop_listen(&loop, listener, take, NULL), 0);
        loop.room = room;
        memcpy(accepts, rows[i].says, sizeof rows[i].says);
        accept_calls = taken = 0;
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(accept_calls, rows[i].calls);
        CHECK_INT(taken, rows[i].taken);
        CHECK_INT(loop.ears, rows[i].ears);
        for (int k = 0; k < rows[i].calls; k++) {
            if (rows[i].says[k] == 0)
                close(far_side[k]);
        }
        if (rows[i].ears == MOTE_POSIX_FULL) {
            mote_posix_loop_turn(&loop, 1000); /* it waits as long as its ears are closed */
            CHECK_INT(waited_ms, 100);
            CHECK_INT(loop.ears, MOTE_POSIX_FULL);
            loop.ears_ms++;
            mote_posix_loop_turn(&loop, 0);
            CHECK_INT(loop.ears, MOTE_POSIX_FULL);
            clock_ms++;
            mote_posix_loop_turn(&loop, 0);
            memset(accepts, 0, sizeof accepts);
            accepts[0] = EAGAIN;
            accept_calls = 0;
            mote_posix_loop_turn(&loop, 0);
            CHECK_INT(loop.ears, MOTE_POSIX_LISTENING);
        }
        mote_posix_loop_end(&loop);
    }
}

/* An engine that says what it is told to, and counts. */
typedef struct {
    mote_posix_conn conn;
    size_t output;
    uint32_t next_ms;
    int ticks;
    uint64_t ticked_ms;
    size_t at_once; /* it takes so many bytes and speaks; 0: all */
    char heard[64];
    size_t heard_len;
} engine;

static engine e;
static int peer;

static enum mote_posix_input input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    engine *x = self;
    size_t n = x->at_once > 0 && len > x->at_once ? x->at_once : len;

    if (n > 0 && x->heard_len + n <= sizeof x->heard)
        memcpy(x->heard + x->heard_len, in, n);
    x->heard_len += n;
    if (n == len)
        return MOTE_POSIX_TOOK_ALL;
    *used = n;
    x->output++;
    return MOTE_POSIX_OUTPUT_FIRST;
}

static const uint8_t *peek(void *self, size_t *len)
{
    static const uint8_t bytes[1 << 20];

    *len = ((engine *)self)->output;
    return *len > 0 ? bytes : NULL;
}

static void ack(void *self, size_t len)
{
    ((engine *)self)->output -= len;
}

static uint32_t tick(void *self, uint64_t now_ms)
{
    engine *x = self;

    x->ticks++;
    x->ticked_ms = now_ms;
    return x->next_ms;
}

static void eof(void *self)
{
    (void)self;
}

static const mote_posix_engine functions = {input, peek, ack, tick, eof, NULL, NULL};

static void begin(uint32_t next_ms)
{
    int pair[2];

    memset(&e, 0, sizeof e);
    e.next_ms = next_ms;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    peer = pair[1];
    CHECK_INT(mote_posix_loop_init(&loop), 0);
    CHECK_INT(mote_posix_loop_add(&loop, &e.conn, pair[0], &functions, &e), 0);
    mote_posix_loop_turn(&loop, 0);
}

static void end_all(void)
{
    mote_posix_loop_end(&loop);
    close(peer);
}

/* Neither before its time nor behind it; one that wants none is asked in a ms. */
static void an_engine_has_its_time_to_the_millisecond(void)
{
    static const uint32_t wants[] = {0, 1, 2, 100, 5000};

    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
        begin(wants[i]);
        int ticks = e.ticks;
        uint64_t at = clock_ms;
        for (int k = 0; k < 3; k++) {
            mote_posix_loop_turn(&loop, 60000);
            CHECK_INT(waited_ms, wants[i] ? wants[i] : 1);
            mote_posix_loop_turn(&loop, 0);
            CHECK_INT(e.ticks, ++ticks);
            at += wants[i] ? wants[i] : 1;
            CHECK_INT(e.ticked_ms, at);
        }
        end_all();
    }
}

/* A peer that takes nothing is waited for 60 s, or as long as the user says, from when it last took
 * some. */
static void a_peer_that_reads_nothing_is_waited_for(void)
{
    static const uint32_t limits[] = {60000, 1, 250};

    for (size_t i = 0; i < 2 * sizeof limits / sizeof limits[0]; i++) {
        static uint8_t bytes[1 << 16];
        bool asks = i % 2; /* the engine wants its time in between */
        uint32_t limit = limits[i / 2];
        begin(asks ? limit / 2 + 1 : UINT32_MAX);
        if (i / 2 > 0)
            loop.stall_ms = limit;
        else
            CHECK_INT(loop.stall_ms, 60000);
        e.output = 1 << 20;
        mote_posix_flush(&e.conn);
        CHECK(e.conn.writing && e.output > 0);
        clock_ms += limit - 1;
        mote_posix_loop_turn(&loop, 0);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.conn.state, MOTE_POSIX_CONN_OPEN);
        while (read(peer, bytes, sizeof bytes) > 0)
            ;
        mote_posix_loop_turn(&loop, 0); /* progress */
        e.output = 1 << 20;
        mote_posix_flush(&e.conn);
        clock_ms += limit - 1;
        mote_posix_loop_turn(&loop, 0);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.conn.state, MOTE_POSIX_CONN_OPEN);
        clock_ms += 1;
        for (int k = 0; k < 3; k++)
            mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
        CHECK_INT(loop.conn_count, 0);
        end_all();
    }
}

/* A place that is used again begins as a new one. */
static void a_connection_begins_anew(void)
{
    static uint8_t bytes[1 << 16];
    int pair[2];

    begin(UINT32_MAX);
    e.output = 1 << 20;
    mote_posix_flush(&e.conn);
    CHECK(e.conn.writing && e.conn.bytes_out > 0);
    mote_posix_close(&e.conn);
    e.output = 0;
    mote_posix_loop_turn(&loop, 0);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    close(peer);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    peer = pair[1];
    clock_ms += 5;
    e.output = 1 << 20;
    CHECK_INT(mote_posix_loop_add(&loop, &e.conn, pair[0], &functions, &e), 0);
    CHECK(e.conn.writing);
    CHECK_INT(e.conn.bytes_in, 0);
    uint64_t first = e.conn.bytes_out;
    CHECK_INT(first, (1 << 20) - e.output);
    CHECK(read(peer, bytes, sizeof bytes) > 0);
    while (read(peer, bytes, sizeof bytes) > 0)
        ;
    mote_posix_loop_turn(&loop, 0);
    CHECK(e.conn.bytes_out > first); /* the kernel was asked to tell of room */
    CHECK_INT(write(peer, "abc", 3), 3);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.conn.bytes_in, 3);
    end_all();
}

static void what_an_engine_has_left_comes_again(void)
{
    static const char text[] = "each byte once, and in its order";

    for (size_t at_once = 1; at_once < sizeof text; at_once++) {
        begin(UINT32_MAX);
        e.at_once = at_once;
        CHECK_INT(write(peer, text, sizeof text), sizeof text);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.heard_len, sizeof text);
        CHECK(memcmp(e.heard, text, sizeof text) == 0);
        CHECK_INT(e.conn.bytes_out, (sizeof text - 1) / at_once);
        end_all();
    }
}

/* What the peer had said before it left is read and counted, though nothing can be sent. */
static void what_the_peer_had_said_counts(void)
{
    begin(UINT32_MAX);
    CHECK_INT(write(peer, "abc", 3), 3);
    close(peer);
    e.output = 1;
    mote_posix_flush(&e.conn);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_BROKEN);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    CHECK_INT(e.conn.bytes_in, 3);
    CHECK(e.heard_len == 3 && memcmp(e.heard, "abc", 3) == 0);
    mote_posix_loop_end(&loop);
}

static void a_loop_without_a_descriptor_says_why(void)
{
    no_epoll = true;
    CHECK_INT(mote_posix_loop_init(&loop), -1);
    CHECK(strcmp(mote_posix_error(), "epoll : Too many open files") == 0);
    no_epoll = false;
}

/* A loop that may spin looks where bytes came from last, and each 16th time at all. */
static void a_spin_sees_what_comes(void)
{
    begin(UINT32_MAX);
    loop.spin_us = 50;
    CHECK_INT(write(peer, "a", 1), 1);
    mote_posix_loop_turn(&loop, 0);
    while (e.conn.bytes_in < 1)
        mote_posix_loop_turn(&loop, 0);
    for (unsigned i = 2; i < 40; i++) {
        CHECK_INT(write(peer, "a", 1), 1);
        waited_ms = -2;
        clock_ms += 3;
        mote_posix_loop_turn(&loop, 1000);
        CHECK_INT(e.conn.bytes_in, i);
        CHECK_INT(e.ticked_ms, clock_ms);
        CHECK_INT(waited_ms, loop.spins % 16 == 0 ? 0 : -2);
    }
    end_all();
}

int main(void)
{
    for (size_t i = 0; i < 12; i++)
        polled.ready[i] = -1;
    RUN(each_errno_of_accept);
    RUN(an_engine_has_its_time_to_the_millisecond);
    RUN(a_peer_that_reads_nothing_is_waited_for);
    RUN(a_connection_begins_anew);
    RUN(what_an_engine_has_left_comes_again);
    RUN(what_the_peer_had_said_counts);
    RUN(a_loop_without_a_descriptor_says_why);
    RUN(a_spin_sees_what_comes);
    return test_summary();
}
