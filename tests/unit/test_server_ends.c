/* How a worker of a server begins, what its turns wait for, and how it ends. */
#include "worker_harness.h"

#include "../../port/posix/mailbox.h"

/* ---- how it begins, and ends ------------------------------------------------------------------
 */

/* Without somebody at the listener; so many who have a call, and one that rests. */
static void begin_quiet(unsigned busy)
{
    prepare(16);
    w.listener = eventfd(0, EFD_NONBLOCK);
    CHECK_INT(mote_posix_worker_begin(&w), 0);
    for (unsigned k = 0; k <= busy; k++) {
        int pair[2];
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        clients[came++] = pair[1];
        CHECK_INT(w.loop->accept(w.loop->accept_context, pair[0]), 0);
        ask(k, k < busy ? "/a.A/S" : "/a.A/R", 1);
        heard(k);
    }
}

static unsigned turns, stops_at, breaks_at;
static int stops_as;
static uint32_t waits[4];

static void count_turn(void *context, mote_posix_loop *loop)
{
    CHECK(context == &own && loop == w.loop);
    if (turns < 4)
        waits[turns] = (uint32_t)waited_ms;
    if (++turns == stops_at)
        mote_posix_stopped = stops_as;
    if (turns == breaks_at)
        close(loop->epoll);
}

static int run(unsigned stops, int as, unsigned breaks)
{
    config.turn = count_turn;
    w.grpc.context = &own;
    turns = 0;
    stops_at = stops;
    stops_as = as;
    breaks_at = breaks;
    memset(waits, 0, sizeof waits);
    return mote_posix_worker_run(&w);
}

/* Turns end when something happens, when a time has come, and as often as the program says. */
static void a_turn_waits_as_long_as_it_may(void)
{
    static const struct {
        uint32_t turn_ms;
        int waits;
    } rows[] = {{0, -1}, {1, 1}, {7, 7}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        prepare(8);
        w.listener = eventfd(0, EFD_NONBLOCK);
        CHECK_INT(mote_posix_worker_begin(&w), 0);
        config.turn_ms = rows[i].turn_ms;
        CHECK_INT(run(3, 1, 0), 0);
        CHECK_INT(turns, 3); /* nobody is there to be waited for */
        CHECK_INT((int)waits[2], rows[i].waits);
        CHECK_INT(w.state, MOTE_POSIX_WORKER_IDLE);
        mote_posix_worker_end(&w);
    }
}

/* Each is told; calls have until the limit, 10 ms a turn, or until a second signal. */
static void the_end_waits_for_calls(void)
{
    static const struct {
        unsigned busy, stops_at;
        int stopped, as;
        uint64_t ms;
        unsigned turns;
    } rows[] = {{2, 0, 1, 0, 100, 10}, {2, 4, 1, 2, 40, 4}, {2, 0, 2, 0, 0, 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_quiet(rows[i].busy);
        mote_posix_stopped = rows[i].stopped;
        uint64_t before = clock_ms;
        CHECK_INT(run(rows[i].stops_at, rows[i].as, 0), 0);
        CHECK_INT(clock_ms - before, rows[i].ms);
        CHECK_INT(turns, rows[i].turns);
        for (unsigned k = 0; k <= rows[i].busy; k++)
            CHECK_INT(heard(k), SAID_GOAWAY | SAID_END);
        CHECK_INT(w.used, 0);
        mote_posix_stopped = 0;
        end();
    }
}

static unsigned closes_at;

static void close_others(void *context, mote_posix_loop *loop)
{
    (void)context;
    CHECK(loop == w.loop);
    if (++turns == closes_at)
        mote_posix_close(&others.conn);
}

/* It is told nothing of the end, which waits for it as for a call; what is left is closed. */
static void the_application_ends_its_own_connections(void)
{
    static const struct {
        unsigned busy, closes_at; /* 0: never */
        uint64_t ms;
    } rows[] = {{0, 0, 100}, {0, 3, 30}, {1, 3, 100}, {2, 0, 100}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_quiet(rows[i].busy);
        if (rows[i].busy == 0) { /* nobody but it */
            leave(0);
            turn();
            turn();
        }
        add_others(w.loop);
        turn();
        config.turn = close_others;
        turns = 0;
        closes_at = rows[i].closes_at;
        mote_posix_stopped = 1;
        uint64_t before = clock_ms;
        CHECK_INT(mote_posix_worker_run(&w), 0);
        CHECK_INT(clock_ms - before, rows[i].ms);
        CHECK_INT(others.ticks, 1); /* it was not hurried */
        CHECK_INT(others.ends, 1);
        CHECK_INT(others.closed, 1);
        for (unsigned k = 0; rows[i].busy > 0 && k <= rows[i].busy; k++)
            CHECK_INT(heard(k), SAID_GOAWAY | SAID_END);
        CHECK_INT(w.used, 0);
        mote_posix_stopped = 0;
        close(others.far_end);
        end();
    }
}

/* Who rests has gone when its last words have had their time, and is not waited for until the
 * limit. */
static void the_end_waits_for_nobody_who_rests(void)
{
    begin_quiet(0);
    config.drain_ms = 60000;
    mote_posix_stopped = 1;
    CHECK_INT(run(0, 0, 0), 0);
    CHECK(clock_ms - 100000 >= 1000 && clock_ms - 100000 <= 2100);
    CHECK_INT(heard(0), SAID_GOAWAY | SAID_END);
    mote_posix_stopped = 0;
    end();
}

/* Another worker that has failed ends this one as well; a loop that fails ends at once. */
static void who_fails_ends_others(void)
{
    begin_quiet(1);
    crew.failed = true;
    CHECK_INT(run(0, 0, 0), 0);
    CHECK_INT(turns, 10);
    CHECK_INT(heard(0), SAID_GOAWAY | SAID_END);
    end();
    begin_quiet(1);
    CHECK_INT(run(0, 0, 2), -1);
    CHECK_INT(turns, 2);
    CHECK_INT(w.state, MOTE_POSIX_WORKER_IDLE);
    CHECK_INT(heard(0) & SAID_END, SAID_END);
    end();
    begin_quiet(1); /* and while it ends */
    mote_posix_stopped = 1;
    CHECK_INT(run(0, 0, 3), 0);
    CHECK_INT(turns, 3);
    mote_posix_stopped = 0;
    end();
}

static int next_descriptor(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

/* What it begins with, and that nothing of it is left. */
static void a_worker_begins_and_ends(void)
{
    int before = next_descriptor();

    prepare(9);
    w.listener = eventfd(0, EFD_NONBLOCK);
    config.spin_us = 50;
    w.shares = true;
    CHECK_INT(mote_posix_worker_begin(&w), 0);
    CHECK_INT(w.listener, -1);
    CHECK_INT(w.loop->listener, before);
    CHECK_INT(w.loop->spin_us, 50);
    CHECK(w.loop->shares && !w.loop->mailbox);
    CHECK_INT(w.loop->accepts, 2);
    CHECK_INT(w.slot_size + mote_posix_call_memory(&w.grpc), mote_posix_connection_size(&w.grpc));
    CHECK_INT(w.state, MOTE_POSIX_WORKER_LISTENING);
    mote_posix_worker_end(&w);
    CHECK_INT(next_descriptor(), before);
    prepare(9);
    w.listener = eventfd(0, EFD_NONBLOCK); /* it has not come to listen */
    no_epoll = true;
    CHECK_INT(mote_posix_worker_begin(&w), -1);
    no_epoll = false;
    CHECK(strcmp(mote_posix_error(), "epoll : Too many open files") == 0);
    CHECK_INT(w.state, MOTE_POSIX_WORKER_IDLE);
    CHECK_INT(w.listener, before);
    mote_posix_worker_end(&w);
    CHECK_INT(next_descriptor(), before);
    prepare(9);
    w.listener = open("/dev/null", O_RDONLY); /* which epoll refuses */
    CHECK_INT(mote_posix_worker_begin(&w), -1);
    CHECK(strcmp(mote_posix_error(), "listen : Operation not permitted") == 0);
    mote_posix_worker_end(&w);
    CHECK_INT(next_descriptor(), before);
    prepare(SIZE_MAX / 2);
    w.listener = -1;
    CHECK_INT(mote_posix_worker_begin(&w), -1);
    CHECK(strcmp(mote_posix_error(), "worker: out of memory") == 0);
    CHECK(!w.slots && w.loop);
    mote_posix_worker_end(&w);
}

/* Whoever of the crew rings ends a turn; a bell that cannot be watched is an error. */
static void a_worker_hears_of_its_crew(void)
{
    int file = open("/dev/null", O_RDONLY);

    for (int good = 0; good < 2; good++) {
        prepare(8);
        w.listener = -1;
        crew.wake[0] = good ? eventfd(1, EFD_NONBLOCK) : file; /* which epoll refuses */
        CHECK_INT(mote_posix_worker_begin(&w), good ? 0 : -1);
        if (good) {
            CHECK_INT(run(1, 2, 0), 0);
            CHECK_INT(waited_ms, -1);
            CHECK_INT(clock_ms, 100000); /* it has not waited */
            close(crew.wake[0]);
        } else {
            CHECK(strcmp(mote_posix_error(), "epoll : Operation not permitted") == 0);
        }
        mote_posix_stopped = 0;
        mote_posix_worker_end(&w);
    }
    close(file);
}

static unsigned opened;

static void open_letter(mote_posix_letter *letter)
{
    (void)letter;
    opened++;
}

/* Its letters are opened in its turns; those that come later are refused. */
static void a_worker_opens_its_letters(void)
{
    mote_posix_mailbox box;
    mote_posix_letter letter = {.open = open_letter};

    CHECK_INT(mote_posix_mailbox_init(&box), 0);
    prepare(8);
    w.listener = eventfd(0, EFD_NONBLOCK);
    w.mailbox = &box;
    CHECK_INT(mote_posix_worker_begin(&w), 0);
    CHECK_INT(mote_posix_mailbox_put(&box, &letter), 0);
    CHECK_INT(run(1, 2, 0), 0);
    CHECK_INT(opened, 1);
    CHECK_INT(clock_ms, 100000); /* the bell has ended the turn */
    CHECK_INT(mote_posix_mailbox_put(&box, &letter), -1);
    mote_posix_stopped = 0;
    mote_posix_worker_end(&w);
    close(box.wake[0]);
    prepare(8);
    box.wake[0] = open("/dev/null", O_RDONLY);
    w.listener = -1;
    w.mailbox = &box;
    CHECK_INT(mote_posix_worker_begin(&w), -1);
    CHECK(strcmp(mote_posix_error(), "epoll : Operation not permitted") == 0);
    mote_posix_worker_end(&w);
    close(box.wake[0]);
}

int main(void)
{
    for (size_t i = 0; i < 12; i++)
        polled.ready[i] = -1;
    RUN(a_turn_waits_as_long_as_it_may);
    RUN(the_end_waits_for_calls);
    RUN(the_application_ends_its_own_connections);
    RUN(the_end_waits_for_nobody_who_rests);
    RUN(who_fails_ends_others);
    RUN(a_worker_begins_and_ends);
    RUN(a_worker_hears_of_its_crew);
    RUN(a_worker_opens_its_letters);
    return test_summary();
}
