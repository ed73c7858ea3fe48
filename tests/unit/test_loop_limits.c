/* The loop over a scripted kernel: how often, how long, what is closed, and what is said of it. */
#include "scripted_kernel.h"

#include "../../port/posix/mailbox.h"

static mote_posix_loop loop;

/* An engine that takes all, and says as many bytes as it is told to. */
typedef struct {
    mote_posix_conn conn;
    size_t output, taken;
    uint32_t next_ms;
    int ticks, eofs, runs, clocks, goodbyes, closed;
    bool ends, ends_with_eof;
    uint64_t handler_ms; /* what it takes of the time */
} engine;

static engine e;
static int peer;

static enum mote_posix_input input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    engine *x = self;

    (void)in, (void)used;
    x->runs++;
    x->taken += len;
    clock_ms += x->handler_ms;
    return x->ends || (x->ends_with_eof && x->eofs > 0) ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
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

    CHECK_INT(now_ms, loop.now_ms);
    x->ticks++;
    return x->next_ms;
}

static void eof(void *self)
{
    ((engine *)self)->eofs++;
}

static void goodbye(void *self)
{
    ((engine *)self)->goodbyes++;
}

static void clock_of(void *self, uint64_t now_ms)
{
    CHECK_INT(now_ms, loop.now_ms);
    ((engine *)self)->clocks++;
}

static void closed(mote_posix_conn *conn)
{
    ((engine *)conn)->closed++;
}

static const mote_posix_engine functions = {input, peek, ack, tick, eof, goodbye, clock_of};

static int next_descriptor(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

static void add(engine *x, int *far)
{
    int pair[2];

    memset(x, 0, sizeof *x);
    x->next_ms = UINT32_MAX;
    x->conn.closed = closed;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    *far = pair[1];
    CHECK_INT(mote_posix_loop_add(&loop, &x->conn, pair[0], &functions, x), 0);
}

static void begin(void)
{
    clock_ms = 50000;
    clock_ns = clock_step_ns = 0;
    CHECK_INT(mote_posix_loop_init(&loop), 0);
    add(&e, &peer);
    mote_posix_loop_turn(&loop, 0);
    mote_posix_loop_turn(&loop, 0);
}

static void end(void)
{
    is_scripted = false;
    moves_error = 0;
    clock_step_ns = 0;
    mote_posix_loop_end(&loop);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    CHECK_INT(e.closed, 1);
    if (peer >= 0)
        close(peer);
}

/* What send() and recv() say from now on. */
static void moves_are(int error, ssize_t n)
{
    is_scripted = true;
    moves_error = error;
    moves = n;
    move_calls = 0;
}

/* ---- memory and descriptors -------------------------------------------------------------------
 */

static void a_loop_begins_whatever_its_memory_was(void)
{
    int before = next_descriptor();

    memset(&loop, 0x55, sizeof loop);
    CHECK_INT(mote_posix_loop_init(&loop), 0);
    CHECK_INT(loop.epoll, before);
    CHECK_INT(loop.listener, -1);
    CHECK_INT(loop.ears, MOTE_POSIX_DEAF);
    CHECK(!loop.polled && !loop.accept && !loop.accept_context && !loop.room && !loop.shares);
    CHECK(!loop.conns && !loop.last_active && !loop.timers && !loop.mailbox);
    CHECK_INT(loop.conn_count + loop.spins + loop.accepts + loop.ears_ms + loop.slow + loop.spin_us,
              0);
    CHECK_INT(loop.now_ms, clock_ms);
    CHECK_INT(loop.stall_ms, 60000);
    mote_posix_loop_end(&loop);
    CHECK_INT(next_descriptor(), before);
}

/* Whatever ends it, its socket is closed, and its place in the loop is given up. */
static void nothing_is_left_of_a_connection(void)
{
    static engine others[2];
    int far[2];

    for (int way = 0; way < 3; way++) {
        uint8_t byte;
        int before = next_descriptor();
        begin();
        add(&others[0], &far[0]);
        add(&others[1], &far[1]);
        engine *x = way == 0 ? &e : &others[way - 1]; /* the last, the middle, the first */
        int its = way == 0 ? peer : far[way - 1];
        CHECK_INT(loop.conn_count, 3);
        CHECK_INT(write(its, "x", 1), 1);
        mote_posix_loop_turn(&loop, 0);
        CHECK(loop.last_active == &x->conn);
        loop.ears_ms = 7;
        mote_posix_close(&x->conn);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(read(its, &byte, 1), 0);
        CHECK_INT(x->conn.fd, -1);
        CHECK(x->closed == 1 && x->eofs == 1 && x->goodbyes == 1);
        CHECK(!loop.last_active);
        CHECK_INT(loop.ears_ms, 0);
        CHECK_INT(loop.conn_count, 2);
        int n = 0;
        for (mote_posix_conn *c = loop.conns, *last = NULL; c; last = c, c = c->next, n++)
            CHECK(c != &x->conn && c->previous == last);
        CHECK_INT(n, 2);
        mote_posix_close(&x->conn); /* without effect */
        CHECK_INT(x->conn.state, MOTE_POSIX_CONN_CLOSED);
        close(far[0]);
        close(far[1]);
        end();
        CHECK_INT(next_descriptor(), before);
    }
}

/* What cannot be watched says so, and stays whose it was. */
static void what_cannot_be_watched_says_so(void)
{
    mote_posix_mailbox box = {.wake = {open("/dev/null", O_RDONLY), -1}};
    int file = open("/dev/null", O_RDONLY), before = next_descriptor();

    CHECK_INT(mote_posix_loop_init(&loop), 0);
    CHECK_INT(mote_posix_loop_listen(&loop, file, NULL, NULL), -1);
    CHECK(strcmp(mote_posix_error(), "listen : Operation not permitted") == 0);
    CHECK_INT(loop.ears, MOTE_POSIX_DEAF);
    CHECK_INT(loop.listener, -1);
    CHECK(fcntl(file, F_GETFD) < 0); /* the listener was the loop's */
    CHECK_INT(mote_posix_loop_mailbox(&loop, &box), -1);
    CHECK(strcmp(mote_posix_error(), "epoll : Operation not permitted") == 0);
    CHECK(!loop.mailbox);
    memset(&e, 0, sizeof e);
    e.conn.closed = closed;
    CHECK_INT(mote_posix_loop_add(&loop, &e.conn, box.wake[0], &functions, &e), -1);
    CHECK(!loop.conns && loop.conn_count == 0 && !loop.timers && e.closed == 0);
    CHECK(fcntl(box.wake[0], F_GETFD) >= 0); /* the socket is the caller's */
    mote_posix_loop_end(&loop);
    close(box.wake[0]);
    CHECK_INT(next_descriptor() <= before, 1);
}

/* ---- how often --------------------------------------------------------------------------------
 */

/* A socket that takes all is written to 64 times before the others have their turn. */
static void output_takes_turns(void)
{
    begin();
    e.output = 1000;
    moves_are(0, 1);
    int runs = e.runs;
    mote_posix_flush(&e.conn);
    CHECK_INT(move_calls, 64);
    CHECK_INT(e.output, 1000 - 64);
    CHECK_INT(e.conn.bytes_out, 64);
    CHECK_INT(e.runs, runs + 65); /* once for the call, and once for each piece that has left */
    CHECK(e.conn.writing);
    mote_posix_loop_turn(&loop, 0); /* there is room: it goes on */
    CHECK_INT(e.output, 1000 - 128);
    e.output = 10;
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.output, 0);
    CHECK(!e.conn.writing);
    end();
}

/* Each errno of send(): one asks again at once, one waits, the others are the end of all output. */
static void each_errno_of_send(void)
{
    static const struct {
        int error, calls, state;
        bool writing;
    } rows[] = {{EAGAIN, 1, MOTE_POSIX_CONN_OPEN, true},
                {EINTR, 64, MOTE_POSIX_CONN_OPEN, true},
                {EPIPE, 1, MOTE_POSIX_CONN_BROKEN, true},
                {ECONNRESET, 1, MOTE_POSIX_CONN_BROKEN, true},
                {ENOBUFS, 1, MOTE_POSIX_CONN_BROKEN, true}};

    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        bool ending = i % 2;
        begin();
        e.output = 3;
        e.ends = ending;
        moves_are(rows[i / 2].error, 0);
        mote_posix_flush(&e.conn);
        CHECK_INT(move_calls, rows[i / 2].calls);
        CHECK_INT(e.conn.state, !ending                                     ? rows[i / 2].state
                                : rows[i / 2].state == MOTE_POSIX_CONN_OPEN ? MOTE_POSIX_CONN_ENDING
                                                                            : MOTE_POSIX_CONN_OVER);
        CHECK_INT(e.conn.writing, rows[i / 2].writing);
        CHECK_INT(e.output, 3);
        end();
    }
}

/* Each errno of recv(): two say nothing, the others are an end of which the engine is told. */
static void each_errno_of_recv(void)
{
    static const struct {
        int error;
        bool ends;
    } rows[] = {{EAGAIN, false}, {EINTR, false}, {ECONNRESET, true}, {ETIMEDOUT, true}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        CHECK_INT(write(peer, "x", 1), 1);
        moves_are(rows[i].error, 0);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.conn.state, rows[i].ends ? MOTE_POSIX_CONN_CUT : MOTE_POSIX_CONN_OPEN);
        CHECK_INT(e.taken + (size_t)e.eofs, 0);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.eofs, rows[i].ends);
        end();
    }
}

/* One whose output broke is read to its end, and no further than 16 times. */
static void what_is_left_is_read_so_often(void)
{
    begin();
    e.output = 1;
    moves_are(EPIPE, 0);
    mote_posix_flush(&e.conn);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_BROKEN);
    moves_are(0, 1);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    CHECK_INT(e.taken, 16);
    CHECK_INT(e.conn.bytes_in, 16);
    end();
}

/* ---- how long ---------------------------------------------------------------------------------
 */

/* Whoever has ended waits a second for its peer to go, whatever that still says. */
static void a_goodbye_takes_a_second(void)
{
    for (uint64_t ms = 999; ms <= 1000; ms++) {
        begin();
        e.ends = true;
        e.output = 3;
        mote_posix_flush(&e.conn);
        CHECK_INT(e.conn.state, MOTE_POSIX_CONN_LINGERING);
        CHECK_INT(e.output, 0);
        int runs = e.runs;
        CHECK_INT(write(peer, "xyz", 3), 3);
        mote_posix_loop_turn(&loop, 0);
        clock_ms += ms;
        mote_posix_loop_turn(&loop, 0);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.conn.state, ms < 1000 ? MOTE_POSIX_CONN_LINGERING : MOTE_POSIX_CONN_CLOSED);
        CHECK_INT(e.conn.bytes_in, 3);
        CHECK_INT(e.runs, runs);
        CHECK_INT(e.taken + (size_t)e.eofs + (size_t)e.goodbyes, 0);
        if (ms < 1000) {
            mote_posix_loop_turn(&loop, 5000);
            CHECK_INT(waited_ms, 1);
        }
        end();
    }
}

/* One that has ended, and whose peer reads nothing, is ticked as one that goes on, and its stall is
 * looked for at its time: the loop sleeps meanwhile. */
static void an_end_that_nobody_reads(void)
{
    begin();
    e.next_ms = 700;
    e.ends = true;
    e.output = 1 << 20;
    loop.stall_ms = 1000;
    mote_posix_flush(&e.conn);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_ENDING);
    int ticks = e.ticks;
    clock_ms += 400;
    mote_posix_loop_turn(&loop, 0); /* it learns of the time */
    mote_posix_hurry(&e.conn);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.ticks, ticks + 1);
    mote_posix_loop_turn(&loop, 0);
    mote_posix_loop_turn(&loop, 9000);
    CHECK_INT(waited_ms, 600);
    for (int i = 0; i < 4; i++)
        mote_posix_loop_turn(&loop, 9000);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    CHECK_INT(e.eofs, 0);
    end();
}

/* The time in ms, whatever is behind them. */
static void a_ms_is_a_million_ns(void)
{
    static const long ns[] = {0, 1, 999999};

    for (size_t i = 0; i < 3; i++) {
        clock_ms = 7999;
        clock_ns = ns[i];
        clock_step_ns = 0;
        CHECK_INT(mote_posix_now_ms(), 7999);
        clock_ms = 7000;
        CHECK_INT(mote_posix_now_ms(), 7000);
    }
    clock_ns = 0;
}

/* A spin lasts as long as it is to, when nothing comes, and is not begun without a reason. */
static void a_spin_ends(void)
{
    begin();
    mote_posix_loop_turn(&loop, 1000); /* nobody was active: it sleeps */
    CHECK_INT(write(peer, "x", 1), 1);
    while (e.taken < 1)
        mote_posix_loop_turn(&loop, 0);
    moves_are(EAGAIN, 0);
    mote_posix_loop_turn(&loop, 1000); /* nor does one spin that is not told to */
    CHECK_INT(move_calls, 0);
    is_scripted = false;
    loop.last_active = NULL;
    loop.spin_us = 50;
    waited_ms = -2;
    move_calls = 0;
    mote_posix_loop_turn(&loop, 1000);
    CHECK_INT(waited_ms, 1000);
    CHECK_INT(write(peer, "x", 1), 1);
    mote_posix_loop_turn(&loop, 0); /* each 16th time all are looked at */
    while (e.taken < 2)
        mote_posix_loop_turn(&loop, 0);
    moves_are(EAGAIN, 0);
    clock_step_ns = 10000;
    waited_ms = -2;
    mote_posix_loop_turn(&loop, 1000);
    CHECK_INT(waited_ms, 1000); /* and then it sleeps */
    /* the time is looked at once before, and twice for each read */
    CHECK_INT(move_calls, 3);
    move_calls = 0;
    mote_posix_loop_turn(&loop, 0); /* who does not wait does not spin */
    CHECK_INT(move_calls, 0);
    clock_step_ns = 0;
    moves_are(ECONNRESET, 0); /* it has gone: that is something */
    waited_ms = -2;
    loop.spins = 0;
    mote_posix_loop_turn(&loop, 1000);
    CHECK_INT(move_calls, 1);
    CHECK_INT(waited_ms, -2);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CUT);
    end();
}

/* Waits longer than poll() can say are for ever. */
static void a_wait_fits_an_int(void)
{
    static const struct {
        uint32_t ms;
        int waits;
    } rows[] = {{0, 0}, {1, 1}, {0x7fffffff, 0x7fffffff}, {0x80000000, -1}, {UINT32_MAX, -1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_INT(mote_posix_loop_init(&loop), 0);
        CHECK_INT(mote_posix_loop_turn(&loop, rows[i].ms), 0);
        CHECK_INT(waited_ms, rows[i].waits);
        mote_posix_loop_end(&loop);
    }
    clock_ms = 1000;
}

/* The end of a peer that has said all: what is ready leaves, and it is no failure. */
static void what_is_ready_leaves_at_the_end(void)
{
    char bytes[16];

    begin();
    e.output = 5;
    shutdown(peer, SHUT_WR);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(read(peer, bytes, sizeof bytes), 5);
    CHECK_INT(e.eofs, 1);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CUT); /* the engine goes on: it is cut */
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.goodbyes, 1);
    CHECK_INT(e.eofs, 2);
    end();
    begin();
    e.ends_with_eof = true;
    shutdown(peer, SHUT_WR);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_OVER);
    CHECK(e.eofs == 1 && e.goodbyes == 0);
    end();
}

int main(void)
{
    for (size_t i = 0; i < 12; i++)
        polled.ready[i] = -1;
    RUN(a_loop_begins_whatever_its_memory_was);
    RUN(nothing_is_left_of_a_connection);
    RUN(what_cannot_be_watched_says_so);
    RUN(output_takes_turns);
    RUN(each_errno_of_send);
    RUN(each_errno_of_recv);
    RUN(what_is_left_is_read_so_often);
    RUN(a_goodbye_takes_a_second);
    RUN(an_end_that_nobody_reads);
    RUN(a_ms_is_a_million_ns);
    RUN(a_spin_ends);
    RUN(a_wait_fits_an_int);
    RUN(what_is_ready_leaves_at_the_end);
    return test_summary();
}
