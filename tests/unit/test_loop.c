/* The event loop: which state follows on what, and when the engine runs. The engine is scripted;
 * the peer is the other end of a pair of sockets. */
#define _GNU_SOURCE
#include "../../port/posix/posix_internal.h"
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MUCH = 1 << 20, STALL_MS = 30 };

typedef struct {
    mote_posix_conn conn; /* first, as closed() gets it */
    size_t output;        /* bytes that are still to be said */
    size_t taken;         /* bytes that were taken */
    size_t at_once;       /* it takes so many, and then speaks first; 0: all */
    int runs, idle_runs;  /* of input(): with bytes, and without */
    int eofs, goodbyes, closed;
    uint32_t next_ms; /* what tick() returns; 0: never */
    char order[16];   /* of clock(), input() with bytes and tick(), a letter each */
    bool ends, mute, ended;
} engine;

static mote_posix_loop loop;
static engine e;
static int peer;

static void note(engine *x, char what)
{
    size_t n = strlen(x->order);

    if (n + 1 < sizeof x->order)
        x->order[n] = what;
}

static enum mote_posix_input input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    engine *x = self;

    (void)in;
    (len > 0 ? &x->runs : &x->idle_runs)[0]++;
    if (len > 0)
        note(x, 'i');
    if (x->ended)
        return MOTE_POSIX_ENDED;
    if (x->at_once > 0 && len > x->at_once) {
        *used = x->at_once;
        x->taken += x->at_once;
        x->output += x->mute ? 0 : 1;
        return MOTE_POSIX_OUTPUT_FIRST;
    }
    x->taken += len;
    x->ended = x->ends || x->eofs > 0;
    if (x->ends)
        x->output += 3;
    return x->ended ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
}

static const uint8_t *peek(void *self, size_t *len)
{
    static const uint8_t bytes[MUCH];

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

    (void)now_ms;
    note(x, 't');
    return x->next_ms > 0 ? x->next_ms : UINT32_MAX;
}

static void clock_of(void *self, uint64_t now_ms)
{
    (void)now_ms;
    note(self, 'c');
}

static void eof(void *self)
{
    ((engine *)self)->eofs++;
}

static void goodbye(void *self)
{
    ((engine *)self)->goodbyes++;
    ((engine *)self)->output += 5;
}

static void closed(mote_posix_conn *conn)
{
    ((engine *)conn)->closed++;
}

static const mote_posix_engine functions = {input, peek, ack, tick, eof, goodbye, clock_of};

static void begin(void)
{
    int pair[2];

    memset(&e, 0, sizeof e);
    e.conn.closed = closed;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    peer = pair[1];
    CHECK_INT(mote_posix_loop_init(&loop), 0);
    loop.stall_ms = STALL_MS;
    CHECK_INT(mote_posix_loop_add(&loop, &e.conn, pair[0], &functions, &e), 0);
    mote_posix_loop_turn(&loop, 0);
    mote_posix_loop_turn(&loop, 0);
    e.idle_runs = 0;
}

static void end(void)
{
    mote_posix_loop_end(&loop);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    CHECK_INT(e.closed, 1);
    CHECK_INT(e.conn.fd, -1);
    if (peer >= 0)
        close(peer);
}

/* Everything that is there to read: how many bytes. */
static size_t read_all(void)
{
    static uint8_t bytes[65536];
    size_t total = 0;

    for (ssize_t n; (n = read(peer, bytes, sizeof bytes)) > 0;)
        total += (size_t)n;
    return total;
}

/* ---- the drawing ---------------------------------------------------------------------------- */

/* What can happen, a letter each. */
static void act(char what)
{
    switch (what) {
    case 'i': /* a byte of input */
        CHECK_INT(write(peer, "x", 1), 1);
        break;
    case 'n': /* the engine ends when it runs next, and says 3 bytes */
        e.ends = true;
        break;
    case 'm': /* it has much to say */
        e.output += MUCH - e.output;
        break;
    case 'f':
        mote_posix_flush(&e.conn);
        return;
    case 'c':
        mote_posix_close(&e.conn);
        return;
    case 'g': /* the peer says a byte and goes, before the next turn */
        CHECK_INT(write(peer, "x", 1), 1);
        close(peer);
        peer = -1;
        return;
    case 'o': /* the engine has something to say */
        e.output++;
        return;
    case 'p': /* the peer sends no more */
        shutdown(peer, SHUT_WR);
        break;
    case 'P': /* the peer has gone */
        close(peer);
        peer = -1;
        break;
    case 'r':
        read_all();
        break;
    case 's': /* longer than a stall lasts */
        nanosleep(&(struct timespec){.tv_nsec = 2L * STALL_MS * 1000000}, NULL);
        mote_posix_loop_turn(&loop, 0);
        break;
    default: /* a turn */
        break;
    }
    mote_posix_loop_turn(&loop, 0);
}

static void each_arrow_of_the_drawing_and_no_other(void)
{
    /* Acts and the states that they lead to: CLOSED, OPEN, ENDING, LINGERING, CUT (X), OVER (V),
     * BROKEN. */
    static const struct {
        const char *acts, *states;
        int eofs, goodbyes;
    } rows[] = {
        {"i", "O", 0, 0},           {"if", "OO", 0, 0},
        {"c.", "XC", 1, 1},         {"cc.", "XXC", 1, 1},
        {"cf.", "XXC", 1, 1},       {"c.c", "XCC", 1, 1},
        {"c.f", "XCC", 1, 1},       {"gof.", "OOBC", 1, 1},
        {"gofc", "OOBX", 0, 0},     {"gofc.", "OOBXC", 1, 1},
        {"gofff.", "OOBBBC", 1, 1}, {"gn.", "OVC", 0, 0},
        {"p.", "VC", 1, 0},         {"P.", "VC", 1, 0},
        {"mP.", "OVC", 1, 0},       {"mfP.", "OOXC", 1, 1},
        {"mfs", "OOC", 1, 1},       {"mfr", "OOO", 0, 0},
        {"nf", "OL", 0, 0},         {"ni", "OL", 0, 0},
        {"nfi", "OLL", 0, 0},       {"nff", "OLL", 0, 0},
        {"nfp.", "OLVC", 0, 0},     {"nfP.", "OLVC", 0, 0},
        {"nfc.", "OLVC", 0, 0},     {"nmf", "OOE", 0, 0},
        {"nmfi", "OOEE", 0, 0},     {"nmfr.....", "OOE.....L", 0, 0},
        {"nmfc.", "OOEVC", 0, 0},   {"nmfp.", "OOEVC", 1, 0},
        {"nmfP.", "OOEVC", 0, 0},   {"nmfs", "OOEC", 0, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        for (size_t n = 0; rows[i].acts[n]; n++) {
            if (rows[i].acts[n] == '.' && e.conn.state == MOTE_POSIX_CONN_ENDING)
                read_all();
            act(rows[i].acts[n]);
            char is = "COELXVB"[e.conn.state];
            if (rows[i].states[n] != '.' && rows[i].states[n] != is) {
                printf("%s: %c after %zu acts, not %s\n", rows[i].acts, is, n + 1, rows[i].states);
                CHECK(!"the state");
            }
        }
        CHECK_INT(e.eofs, rows[i].eofs);
        CHECK_INT(e.goodbyes, rows[i].goodbyes);
        end();
    }
}

/* Whatever ends the loop, an engine that has not ended is told, and no other. */
static void the_end_of_the_loop_is_told(void)
{
    begin();
    end();
    CHECK(e.ended && e.eofs == 1 && e.goodbyes == 1 && e.idle_runs == 1);
    begin();
    act('n');
    act('f');
    end();
    CHECK(e.ended && e.eofs == 0 && e.goodbyes == 0 && e.idle_runs == 1);
}

/* ---- when the engine runs ------------------------------------------------------------------- */

/* Input costs one run, and each piece that has left one more, as there is room. Its end is a
 * result, and not looked for by another run. */
static void the_engine_runs_once_for_each_cause(void)
{
    begin();
    act('i');
    CHECK(e.runs == 1 && e.idle_runs == 0 && e.taken == 1);
    e.output = 100;
    act('i');
    CHECK(e.runs == 2 && e.idle_runs == 1);
    CHECK_INT(read_all(), 100);
    act('f');
    CHECK(e.runs == 2 && e.idle_runs == 2);
    act('n');
    act('i');
    CHECK(e.runs == 3 && e.idle_runs == 2);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_LINGERING);
    CHECK_INT(read_all(), 3);
    act('i');
    CHECK(e.runs == 3 && e.idle_runs == 2 && e.taken == 3);
    end();
    CHECK(e.runs == 3 && e.idle_runs == 2);
}

/* An engine that speaks before it listens on gets the rest when its output has left; one that has
 * nothing to say would be asked for ever. */
static void output_first_is_heeded(void)
{
    begin();
    e.at_once = 3;
    CHECK_INT(write(peer, "0123456789", 10), 10);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.taken, 10);
    CHECK_INT(read_all(), 3);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_OPEN);
    end();
    begin();
    e.at_once = 3;
    e.mute = true;
    CHECK_INT(write(peer, "0123456789", 10), 10);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.taken, 3);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CUT);
    end();
}

/* The loop was held up, by a handler of another connection, until after the time at which the
 * engine wanted to judge: it judges when it has what was there to read, whether the loop learns
 * of the time or of the bytes first. */
static void reads_go_before_judgements(void)
{
    for (int time_first = 0; time_first < 2; time_first++) {
        begin();
        e.next_ms = 1;
        act('i');
        memset(e.order, 0, sizeof e.order);
        CHECK_INT(write(peer, "x", 1), 1);
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
        if (time_first)
            loop.now_ms = mote_posix_now_ms();
        mote_posix_loop_turn(&loop, 0);
        CHECK_TEXT(strncmp(e.order, "cit", 3) == 0);
        end();
    }
}

/* The peer has answered and left; that the next bytes do not go out any more is no reason to
 * lose what had come. An engine that ends by it is not told of the end. */
static void what_had_come_is_read_though_nothing_can_be_sent(void)
{
    static const uint8_t answer[100000];

    for (int ends = 0; ends < 2; ends++) {
        begin();
        CHECK_INT(write(peer, answer, sizeof answer), sizeof answer);
        close(peer);
        peer = -1;
        e.output = 7;
        act('f');
        CHECK_INT(e.conn.state, MOTE_POSIX_CONN_BROKEN);
        CHECK_INT(e.taken, 0);
        e.ends = ends;
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
        CHECK_INT(e.taken, sizeof answer);
        CHECK_INT(e.eofs, !ends);
        CHECK_INT(e.goodbyes, !ends);
        end();
    }
}

static int waited_ms; /* of the last wait: for how long, at the most */
int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    return (int)syscall(SYS_epoll_pwait, epoll, events, most, waited_ms = timeout, NULL, 0);
}

/* What its handlers have done is for the caller to see. */
static void a_turn_that_had_input_does_not_wait(void)
{
    for (int has_input = 0; has_input < 2; has_input++) {
        begin();
        act('i');
        CHECK(!has_input || write(peer, "x", 1) == 1);
        mote_posix_hurry(&e.conn);
        mote_posix_loop_turn(&loop, 2);
        CHECK_INT(waited_ms, has_input ? 0 : 2);
        end();
    }
}

/* ---- what the kernel refuses ----------------------------------------------------------------- */

static int refused; /* one of EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL; 0: none */

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    if (what != refused)
        return (int)syscall(SYS_epoll_ctl, epoll, what, fd, event);
    errno = ENOMEM;
    return -1;
}

static void a_loop_that_cannot_hear_of_signals_does_not_begin(void)
{
    refused = EPOLL_CTL_ADD;
    CHECK_INT(mote_posix_loop_init(&loop), -1);
    CHECK(strstr(mote_posix_error(), "epoll") && strstr(mote_posix_error(), strerror(ENOMEM)));
    refused = 0;
}

/* When to write on would never be known, or it would be said again and again. */
static void a_connection_that_cannot_be_watched_ends(void)
{
    begin();
    refused = EPOLL_CTL_MOD;
    e.output = MUCH;
    act('f');
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CUT);
    act('.');
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    refused = 0;
    end();
    begin();
    e.output = MUCH;
    act('f');
    refused = EPOLL_CTL_MOD;
    for (int i = 0; i < 100 && e.conn.state == MOTE_POSIX_CONN_OPEN; i++)
        act('r');
    act('.');
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    refused = 0;
    end();
}

static bool there_is_room;

static bool room(void *context)
{
    (void)context;
    return there_is_room;
}

static int accept_none(void *context, int fd)
{
    (void)context, (void)fd;
    return -1;
}

/* What could not be said is said again: no listener is deaf for ever, or awake. */
static void ears_are_what_the_kernel_was_told(void)
{
    char address[128];

    begin();
    loop.room = room;
    int listener = mote_posix_listen("127.0.0.1:0");
    CHECK_INT(mote_posix_loop_listen(&loop, listener, accept_none, NULL), 0);
    int fd = mote_posix_connect(mote_posix_address(listener, address), 1000);
    CHECK(fd >= 0);
    there_is_room = false;
    refused = EPOLL_CTL_DEL;
    mote_posix_loop_turn(&loop, 10);
    CHECK_INT(loop.ears, MOTE_POSIX_LISTENING);
    refused = 0;
    mote_posix_loop_turn(&loop, 10);
    CHECK_INT(loop.ears, MOTE_POSIX_FULL);
    there_is_room = true;
    refused = EPOLL_CTL_ADD;
    loop.ears_ms = 0; /* it looks at its ears again */
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(loop.ears, MOTE_POSIX_FULL);
    refused = 0;
    loop.ears_ms = 0;
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(loop.ears, MOTE_POSIX_LISTENING);
    close(fd);
    end();
}

/* ---- signals --------------------------------------------------------------------------------- */

/* Without a descriptor to wake loops by, a signal ends the program at once, and none is lost. */
static void signals_are_not_caught_by_halves(void)
{
    struct rlimit all, none;
    struct sigaction now;
    pid_t child = fork();

    if (child == 0) {
        getrlimit(RLIMIT_NOFILE, &all);
        none = (struct rlimit){0, all.rlim_max};
        setrlimit(RLIMIT_NOFILE, &none);
        mote_posix_catch_signals();
        sigaction(SIGTERM, NULL, &now);
        bool left_alone = now.sa_handler == SIG_DFL;
        setrlimit(RLIMIT_NOFILE, &all);
        mote_posix_catch_signals();
        sigaction(SIGTERM, NULL, &now);
        _exit(left_alone && now.sa_handler != SIG_DFL ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void)
{
    RUN(signals_are_not_caught_by_halves); /* first: nothing has caught them yet */
    mote_posix_catch_signals();
    RUN(each_arrow_of_the_drawing_and_no_other);
    RUN(the_end_of_the_loop_is_told);
    RUN(the_engine_runs_once_for_each_cause);
    RUN(output_first_is_heeded);
    RUN(reads_go_before_judgements);
    if (!MOTE_POSIX_POLL) { /* over doubles of epoll */
        RUN(a_turn_that_had_input_does_not_wait);
        RUN(a_loop_that_cannot_hear_of_signals_does_not_begin);
        RUN(a_connection_that_cannot_be_watched_ends);
        RUN(ears_are_what_the_kernel_was_told);
    }
    RUN(what_had_come_is_read_though_nothing_can_be_sent);
    return test_summary();
}
