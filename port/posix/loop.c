/* Event loop for many connections: level-triggered, one input buffer for all. */
#define _GNU_SOURCE
#include "mailbox.h"
#include "posix_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WRITES_PER_TURN = 64, STALL_MS = 60000, GOODBYE_MS = 1000 };

/* A ring ends one wait, also one that comes right before it begins. */
int mote_posix_loop_woken_by(mote_posix_loop *loop, int fd, unsigned what)
{
    return mote_posix_watch(loop, fd, what, loop);
}

int mote_posix_loop_mailbox(mote_posix_loop *loop, mote_posix_mailbox *m)
{
    if (mote_posix_loop_woken_by(loop, m->wake[0], MOTE_POSIX_WATCH_RINGS) < 0)
        return mote_posix_failed("epoll", "", strerror(errno));
    loop->mailbox = m;
    return 0;
}

int mote_posix_loop_init(mote_posix_loop *loop)
{
    memset(loop, 0, offsetof(mote_posix_loop, in));
    loop->listener = -1;
    loop->stall_ms = STALL_MS;
    loop->now_ms = mote_posix_now_ms();
    if (mote_posix_watch_begin(loop) < 0)
        return mote_posix_failed("epoll", "", strerror(errno));
    if (mote_posix_wake_fd() < 0 ||
        mote_posix_loop_woken_by(loop, mote_posix_wake_fd(), MOTE_POSIX_WATCH_ONCE) == 0)
        return 0;
    mote_posix_failed("epoll", "", strerror(errno));
    mote_posix_watch_end(loop);
    return -1;
}

/* A later time costs nothing: the timer is set to it when it has run out. One that runs is in the
 * heap whenever no turn is under way. */
static void schedule(mote_posix_conn *conn, uint64_t due_ms)
{
    conn->due_ms = due_ms;
    if (!conn->timer.previous || due_ms >= conn->timer.at_ms)
        return;
    mote_posix_timer_remove(&conn->loop->timers, &conn->timer);
    mote_posix_timer_add(&conn->loop->timers, &conn->timer, due_ms);
}

static mote_posix_conn *conn_of(mote_posix_timer *t)
{
    return (mote_posix_conn *)((uint8_t *)t - offsetof(mote_posix_conn, timer));
}

int mote_posix_loop_add(mote_posix_loop *loop, mote_posix_conn *conn, int fd,
                        const mote_posix_engine *engine, void *self)
{
    conn->loop = loop;
    conn->engine = engine;
    conn->self = self;
    conn->fd = fd;
    mote_posix_trace_begin(fd);
    conn->writing = false;
    conn->bytes_in = conn->bytes_out = 0;
    conn->progress_ms = loop->now_ms;
    if (mote_posix_watch(loop, fd, 0, conn) < 0)
        return -1;
    conn->state = MOTE_POSIX_CONN_OPEN;
    conn->previous = NULL;
    conn->next = loop->conns;
    if (conn->next)
        conn->next->previous = conn;
    loop->conns = conn;
    loop->conn_count++;
    conn->due_ms = loop->now_ms;
    mote_posix_timer_add(&loop->timers, &conn->timer, conn->due_ms);
    mote_posix_flush(conn);
    return 0;
}

void mote_posix_close(mote_posix_conn *conn)
{
    switch (conn->state) {
    case MOTE_POSIX_CONN_OPEN:
    case MOTE_POSIX_CONN_BROKEN:
        conn->state = MOTE_POSIX_CONN_CUT;
        break;
    case MOTE_POSIX_CONN_ENDING:
    case MOTE_POSIX_CONN_LINGERING:
        conn->state = MOTE_POSIX_CONN_OVER;
        break;
    default:
        return;
    }
    schedule(conn, 0);
}

void mote_posix_hurry(mote_posix_conn *conn)
{
    schedule(conn, 0);
}

/* To be closed at the end of this turn. */
static bool is_doomed(const mote_posix_conn *conn)
{
    return conn->state >= MOTE_POSIX_CONN_CUT;
}

/* Lets the engine work: on bytes that arrived, or on what time, room or an end have caused. */
static enum mote_posix_input run_conn(mote_posix_conn *conn, const uint8_t *in, size_t len,
                                      size_t *used)
{
    enum mote_posix_input r = conn->engine->input(conn->self, in, len, used);

    if (r == MOTE_POSIX_ENDED && conn->state == MOTE_POSIX_CONN_OPEN)
        conn->state = MOTE_POSIX_CONN_ENDING;
    return r;
}

static void work(mote_posix_conn *conn)
{
    size_t used;

    run_conn(conn, NULL, 0, &used);
}

static void say_goodbye(mote_posix_conn *conn)
{
    size_t len;
    const uint8_t *out;

    if (!conn->engine->close)
        return;
    conn->engine->close(conn->self);
    while ((out = conn->engine->peek(conn->self, &len))) {
        ssize_t n = send(conn->fd, out, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        conn->engine->ack(conn->self, (size_t)n);
    }
}

/* What the peer had said before it left: an answer, or why it goes. */
static void read_the_rest(mote_posix_conn *conn)
{
    enum { READS = 16 }; /* of 256 KiB; one that goes on for ever is no better for it */
    mote_posix_loop *loop = conn->loop;
    size_t used;

    for (int i = 0; i < READS && conn->state == MOTE_POSIX_CONN_BROKEN; i++) {
        ssize_t n = recv(conn->fd, loop->in, sizeof loop->in, MSG_DONTWAIT);
        if (n <= 0)
            return;
        conn->bytes_in += (uint64_t)n;
        mote_posix_trace_bytes(conn->fd, false, loop->in, (size_t)n);
        enum mote_posix_input r = run_conn(conn, loop->in, (size_t)n, &used);
        if (r != MOTE_POSIX_TOOK_ALL)
            conn->state = r == MOTE_POSIX_ENDED ? MOTE_POSIX_CONN_OVER : MOTE_POSIX_CONN_CUT;
    }
}

static void leave_loop(mote_posix_conn *conn)
{
    mote_posix_loop *loop = conn->loop;

    *(conn->previous ? &conn->previous->next : &loop->conns) = conn->next;
    if (conn->next)
        conn->next->previous = conn->previous;
    loop->conn_count--;
    loop->ears_ms = 0; /* there may be room */
    if (loop->last_active == conn)
        loop->last_active = NULL;
    if (conn->timer.previous)
        mote_posix_timer_remove(&loop->timers, &conn->timer);
}

static void end_conn(mote_posix_conn *conn)
{
    read_the_rest(conn);
    leave_loop(conn);
    mote_posix_close(conn); /* it may be open: the loop itself ends */
    if (conn->state == MOTE_POSIX_CONN_CUT) {
        say_goodbye(conn);
        conn->engine->eof(conn->self);
        work(conn);
    }
    mote_posix_watch_closes(conn->loop, conn->fd);
    close(conn->fd);
    conn->fd = -1;
    conn->state = MOTE_POSIX_CONN_CLOSED;
    if (conn->closed)
        conn->closed(conn);
}

static void want_write(mote_posix_conn *conn, bool on)
{
    if (conn->writing == on)
        return;
    conn->writing = on;
    conn->progress_ms = conn->loop->now_ms;
    if (mote_posix_watch_other(conn->loop, conn->fd, on ? MOTE_POSIX_WATCH_OUT : 0, conn) < 0)
        mote_posix_close(conn); /* it would stand still, or wake the loop again and again */
}

/* The engine has ended, and all that it has said has left. */
static void linger(mote_posix_conn *conn)
{
    conn->state = MOTE_POSIX_CONN_LINGERING;
    schedule(conn, conn->loop->now_ms + GOODBYE_MS);
    shutdown(conn->fd, SHUT_WR);
}

/* The socket takes no more output for ever. */
static void broke(mote_posix_conn *conn)
{
    if (conn->state != MOTE_POSIX_CONN_OPEN) {
        mote_posix_close(conn);
        return;
    }
    conn->state = MOTE_POSIX_CONN_BROKEN;
    schedule(conn, 0);
}

/* Writes until the socket or the engine has no more; false: the socket takes no more now. */
static bool write_all(mote_posix_conn *conn)
{
    for (int i = 0; i < WRITES_PER_TURN; i++) {
        size_t len;
        const uint8_t *out = conn->engine->peek(conn->self, &len);
        if (!out)
            return true;
        ssize_t n = send(conn->fd, out, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            if (errno != EAGAIN)
                broke(conn);
            return false;
        }
        mote_posix_trace_bytes(conn->fd, true, out, (size_t)n);
        conn->engine->ack(conn->self, (size_t)n);
        conn->bytes_out += (uint64_t)n;
        conn->progress_ms = conn->loop->now_ms;
        if (conn->state == MOTE_POSIX_CONN_OPEN)
            work(conn); /* there is room: handlers that wait may go on */
    }
    return false; /* the other connections have their turn */
}

/* The engine wants its time in next_ms; output that waits is looked at when it may have stalled. */
static void schedule_tick(mote_posix_conn *conn, uint32_t next_ms)
{
    uint64_t due_ms = conn->loop->now_ms + next_ms;
    uint64_t stalled_ms = conn->progress_ms + conn->loop->stall_ms;

    schedule(conn, conn->writing && stalled_ms < due_ms ? stalled_ms : due_ms);
}

/* After the engine has worked. */
static void flush(mote_posix_conn *conn)
{
    if (conn->state != MOTE_POSIX_CONN_OPEN && conn->state != MOTE_POSIX_CONN_ENDING)
        return;
    bool done = write_all(conn);
    want_write(conn, !done);
    if (!done && conn->due_ms > conn->progress_ms + conn->loop->stall_ms)
        schedule(conn, conn->progress_ms + conn->loop->stall_ms);
    if (done && conn->state == MOTE_POSIX_CONN_ENDING)
        linger(conn);
}

void mote_posix_flush(mote_posix_conn *conn)
{
    if (conn->state == MOTE_POSIX_CONN_OPEN)
        work(conn);
    flush(conn);
}

/* An engine that must speak before it listens on (TLS in its handshake) leaves input: what it has
 * to say fits the socket, or the peer does not play by the rules. */
static void hand_over(mote_posix_conn *conn, const uint8_t *in, size_t len)
{
    uint64_t written;
    size_t used;

    while (run_conn(conn, in, len, &used) == MOTE_POSIX_OUTPUT_FIRST) {
        in += used;
        len -= used;
        written = conn->bytes_out;
        if (!write_all(conn) || conn->bytes_out == written) {
            mote_posix_close(conn);
            return;
        }
    }
}

static void on_input(mote_posix_conn *conn)
{
    mote_posix_loop *loop = conn->loop;
    ssize_t n = recv(conn->fd, loop->in, sizeof loop->in, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        loop->last_active = conn;
        conn->bytes_in += (uint64_t)n;
        mote_posix_trace_bytes(conn->fd, false, loop->in, (size_t)n);
        if (conn->state != MOTE_POSIX_CONN_OPEN)
            return;
        if (conn->engine->clock)
            conn->engine->clock(conn->self, loop->now_ms);
        hand_over(conn, loop->in, (size_t)n);
        flush(conn);
        if (conn->state == MOTE_POSIX_CONN_OPEN)
            schedule_tick(conn, conn->engine->tick(conn->self, loop->now_ms));
        return;
    }
    /* Half-closed: what is ready still leaves. */
    if (n == 0 && conn->state != MOTE_POSIX_CONN_LINGERING) {
        conn->engine->eof(conn->self);
        work(conn);
        write_all(conn);
    }
    mote_posix_close(conn);
}

static void tick_conn(mote_posix_conn *conn)
{
    mote_posix_loop *loop = conn->loop;

    if (conn->state == MOTE_POSIX_CONN_LINGERING) {
        mote_posix_close(conn);
        return;
    }
    on_input(conn); /* a handler may have taken long: what is late may be there, or room for it */
    if (conn->writing)
        flush(conn);
    if (is_doomed(conn))
        return;
    uint32_t next = conn->engine->tick(conn->self, loop->now_ms);
    mote_posix_flush(conn);
    if (conn->writing && loop->now_ms - conn->progress_ms >= loop->stall_ms)
        mote_posix_close(conn); /* the peer has stopped reading */
    if (conn->state == MOTE_POSIX_CONN_OPEN || conn->state == MOTE_POSIX_CONN_ENDING)
        schedule_tick(conn, next ? next : 1);
}

/* The connections whose timers have run out, in a list by `next`, out of the heap. */
static mote_posix_timer *take_out(mote_posix_loop *loop)
{
    mote_posix_timer *first = NULL, **end = &first;

    while (loop->timers && loop->timers->at_ms <= loop->now_ms) {
        mote_posix_timer *t = loop->timers;
        mote_posix_timer_remove(&loop->timers, t);
        *end = t;
        end = &t->next;
    }
    return first;
}

/* Ticks what is due and closes what is dead, each once: what they cause to be due at once is for
 * the next turn. True: one was closed, or had input. */
static bool run_timers(mote_posix_loop *loop)
{
    bool happened = false;

    MOTE_CHECK_THAT(mote_posix_timers_valid(loop->timers, loop->conn_count));
    for (mote_posix_timer *t = take_out(loop), *after; t; t = after) {
        mote_posix_conn *conn = conn_of(t);
        uint64_t seen = conn->bytes_in;
        after = t->next;
        t->next = NULL;
        if (!is_doomed(conn) && conn->due_ms <= loop->now_ms)
            tick_conn(conn);
        happened = happened || is_doomed(conn) || conn->bytes_in != seen;
        if (is_doomed(conn))
            end_conn(conn);
        else
            mote_posix_timer_add(&loop->timers, t, conn->due_ms);
    }
    return happened;
}

/* How long to wait, at the most, for something else to happen. */
static uint64_t next_ms(const mote_posix_loop *loop)
{
    uint64_t at = loop->timers ? loop->timers->at_ms : UINT64_MAX;

    if (loop->ears == MOTE_POSIX_FULL && loop->ears_ms < at)
        at = loop->ears_ms;
    return at > loop->now_ms ? at - loop->now_ms : 0;
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Looks at the connection that was active last, where the next input is likely: a read costs less
 * than asking first. True: something has happened, there or elsewhere. */
static bool spin(mote_posix_loop *loop)
{
    uint64_t until = now_us() + loop->spin_us;
    uint64_t seen;

    do {
        mote_posix_conn *conn = loop->last_active;
        if (!conn || is_doomed(conn))
            return false;
        seen = conn->bytes_in;
        loop->now_ms = mote_posix_now_ms();
        on_input(conn);
        if (is_doomed(conn) || conn->bytes_in != seen)
            return true;
    } while (now_us() < until);
    return false;
}

static int wait_events(mote_posix_loop *loop, mote_posix_happening *events, uint64_t wait_ms)
{
    /* Each spin is followed by a look at all the others, so none of them waits for long. */
    if (loop->spin_us > 0 && wait_ms > 0 && spin(loop))
        wait_ms = 0;
    if (wait_ms == 0 && loop->spin_us > 0 && ++loop->spins % 16 != 0)
        return 0;
    return mote_posix_watch_wait(loop, events, MOTE_POSIX_HAPPENINGS,
                                 wait_ms > 0x7fffffff ? -1 : (int)wait_ms);
}

int mote_posix_loop_turn(mote_posix_loop *loop, uint32_t timeout_ms)
{
    mote_posix_happening events[MOTE_POSIX_HAPPENINGS];
    bool happened = run_timers(loop);

    if (loop->ears == MOTE_POSIX_FULL && loop->now_ms >= loop->ears_ms)
        mote_posix_set_ears(loop, MOTE_POSIX_LISTENING);
    uint64_t wait = happened ? 0 : next_ms(loop); /* the caller may have something to do about it */
    int n = wait_events(loop, events, timeout_ms < wait ? timeout_ms : wait);
    if (n < 0 && errno != EINTR)
        return -1;
    loop->now_ms = mote_posix_now_ms();
    for (int i = 0; i < n; i++) {
        mote_posix_conn *conn = events[i].tag;
        if (events[i].tag == loop)
            continue; /* a signal, a dial, or letters */
        if (!conn) {
            mote_posix_accept_all(loop);
            continue;
        }
        if (!is_doomed(conn) && events[i].in)
            on_input(conn);
        if (!is_doomed(conn) && events[i].out)
            flush(conn);
    }
    if (loop->mailbox && __atomic_load_n(&loop->mailbox->newest, __ATOMIC_RELAXED))
        mote_posix_open_mailbox(loop->mailbox);
    return 0;
}

void mote_posix_loop_end(mote_posix_loop *loop)
{
    while (loop->conns)
        end_conn(loop->conns);
    if (loop->mailbox)
        mote_posix_close_mailbox(loop->mailbox);
    mote_posix_loop_deafen(loop);
    mote_posix_watch_end(loop);
}
