/* Event loop for many connections: epoll, level-triggered, one input buffer for all. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    TURN_EVENTS = 256,
    WRITES_PER_TURN = 64,
    STALL_MS = 60000,
    LINGER_MS = 1000,
    FULL_MS = 100 /* until the next try when file descriptors are used up */
};

int mote_posix_loop_init(mote_posix_loop *loop)
{
    memset(loop, 0, offsetof(mote_posix_loop, in));
    loop->listener = -1;
    loop->stall_ms = STALL_MS;
    loop->now_ms = mote_posix_now_ms();
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll < 0 ? -1 : 0;
}

void mote_posix_loop_listen(mote_posix_loop *loop, int listener, mote_posix_accept *accept,
                            void *context)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};

    loop->listener = listener;
    loop->accept = accept;
    loop->accept_context = context;
    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, listener, &e);
}

/* Without file descriptors a waiting connection would wake the loop again and again. */
static void set_full(mote_posix_loop *loop, bool full)
{
    struct epoll_event e = {.events = full ? 0 : EPOLLIN, .data.ptr = NULL};

    loop->full = full;
    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, loop->listener, &e);
}

/* The loop as a whole looks at its connections again at the earliest of their times. */
static void schedule(mote_posix_conn *conn, uint64_t due_ms)
{
    conn->due_ms = due_ms;
    if (due_ms < conn->loop->due_ms)
        conn->loop->due_ms = due_ms;
}

int mote_posix_loop_add(mote_posix_loop *loop, mote_posix_conn *conn, int fd,
                        const mote_posix_engine *engine, void *self)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = conn};

    conn->loop = loop;
    conn->engine = engine;
    conn->self = self;
    conn->fd = fd;
    mote_posix_trace_begin(fd);
    conn->writing = conn->finished = conn->dead = false;
    conn->bytes_in = conn->bytes_out = 0;
    conn->progress_ms = loop->now_ms;
    schedule(conn, loop->now_ms);
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
        return -1;
    conn->previous = NULL;
    conn->next = loop->conns;
    if (conn->next)
        conn->next->previous = conn;
    loop->conns = conn;
    mote_posix_flush(conn);
    return 0;
}

void mote_posix_close(mote_posix_conn *conn)
{
    conn->dead = true;
    schedule(conn, 0);
}

static void say_goodbye(mote_posix_conn *conn)
{
    size_t len;
    const uint8_t *out;

    if (!conn->engine->close || conn->finished)
        return;
    conn->engine->close(conn->self);
    while ((out = conn->engine->peek(conn->self, &len))) {
        ssize_t n = send(conn->fd, out, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        conn->engine->ack(conn->self, (size_t)n);
    }
}

static void end_conn(mote_posix_conn *conn)
{
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        conn->loop->conns = conn->next;
    if (conn->next)
        conn->next->previous = conn->previous;
    if (conn->loop->last_active == conn)
        conn->loop->last_active = NULL;
    say_goodbye(conn);
    conn->engine->eof(conn->self); /* whatever has ended it, each call is told */
    conn->engine->input(conn->self, NULL, 0);
    close(conn->fd);
    conn->fd = -1;
    if (conn->closed)
        conn->closed(conn);
}

static void want_write(mote_posix_conn *conn, bool on)
{
    struct epoll_event e = {.events = on ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = conn};

    if (conn->writing == on)
        return;
    conn->writing = on;
    epoll_ctl(conn->loop->epoll, EPOLL_CTL_MOD, conn->fd, &e);
}

/* The engine is done. What it has said must reach the peer: a close with unread input would make
 * the kernel reset the connection, so input is read and thrown away until the peer closes. */
static void finish(mote_posix_conn *conn)
{
    if (!conn->finished) {
        conn->finished = true;
        schedule(conn, conn->loop->now_ms + LINGER_MS);
        shutdown(conn->fd, SHUT_WR);
    }
}

static bool failed(mote_posix_conn *conn)
{
    return conn->engine->input(conn->self, NULL, 0) < 0;
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
                mote_posix_close(conn);
            return false;
        }
        mote_posix_trace_bytes(conn->fd, true, out, (size_t)n);
        conn->engine->ack(conn->self, (size_t)n);
        conn->bytes_out += (uint64_t)n;
        conn->progress_ms = conn->loop->now_ms;
        conn->engine->input(conn->self, NULL, 0); /* room: handlers that wait may go on */
    }
    return false; /* the other connections have their turn */
}

void mote_posix_flush(mote_posix_conn *conn)
{
    if (conn->dead || conn->finished)
        return;
    bool done, over;
    size_t len;
    do { /* what has left makes room for more, which an engine around another one tells of late */
        done = write_all(conn);
        over = done && failed(conn);
    } while (done && conn->engine->peek(conn->self, &len));
    want_write(conn, !done);
    if (over)
        finish(conn);
}

/* An engine that must speak before it listens on (TLS in its handshake) leaves input: what it has
 * to say fits the socket, or the peer does not play by the rules. */
static void hand_over(mote_posix_conn *conn, const uint8_t *in, size_t len)
{
    uint64_t written;
    int left;

    while ((left = conn->engine->input(conn->self, in, len)) > 0) {
        in += len - (size_t)left;
        len = (size_t)left;
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
    loop->last_active = conn;
    ssize_t n = recv(conn->fd, loop->in, sizeof loop->in, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        conn->bytes_in += (uint64_t)n;
        mote_posix_trace_bytes(conn->fd, false, loop->in, (size_t)n);
        if (conn->finished)
            return;
        conn->engine->tick(conn->self, loop->now_ms);
        hand_over(conn, loop->in, (size_t)n);
        mote_posix_flush(conn);
        if (!conn->finished && !conn->dead)
            schedule(conn, loop->now_ms + conn->engine->tick(conn->self, loop->now_ms));
        return;
    }
    if (n == 0 && !conn->finished) { /* half-closed: what is ready still goes out */
        conn->engine->eof(conn->self);
        conn->engine->input(conn->self, NULL, 0);
        write_all(conn);
    }
    mote_posix_close(conn);
}

static void accept_all(mote_posix_loop *loop)
{
    int on = 1;

    for (int i = 0; i < TURN_EVENTS; i++) {
        int fd = accept4(loop->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE)
                set_full(loop, true);
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (loop->accept(loop->accept_context, fd) < 0)
            close(fd);
    }
}

static void tick(mote_posix_conn *conn)
{
    mote_posix_loop *loop = conn->loop;
    size_t len;

    if (conn->finished) {
        mote_posix_close(conn);
        return;
    }
    uint32_t next = conn->engine->tick(conn->self, loop->now_ms);
    schedule(conn, loop->now_ms + (next ? next : 1));
    conn->engine->input(conn->self, NULL, 0);
    mote_posix_flush(conn);
    if (conn->finished || !conn->writing || !conn->engine->peek(conn->self, &len))
        return;
    if (loop->now_ms - conn->progress_ms >= loop->stall_ms)
        mote_posix_close(conn); /* the peer has stopped reading */
    else if (conn->due_ms > conn->progress_ms + loop->stall_ms)
        schedule(conn, conn->progress_ms + loop->stall_ms);
}

/* Ticks what is due and closes what is dead; returns the ms until the next tick. */
static uint64_t walk(mote_posix_loop *loop)
{
    if (loop->now_ms < loop->due_ms)
        return loop->due_ms - loop->now_ms;
    loop->due_ms = UINT64_MAX;
    if (loop->full)
        set_full(loop, false);
    for (mote_posix_conn *conn = loop->conns, *after; conn; conn = after) {
        after = conn->next;
        if (!conn->dead && conn->due_ms <= loop->now_ms)
            tick(conn);
        if (conn->dead)
            end_conn(conn);
        else if (conn->due_ms < loop->due_ms)
            loop->due_ms = conn->due_ms;
    }
    return loop->due_ms > loop->now_ms ? loop->due_ms - loop->now_ms : 0;
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
        if (!conn || conn->dead)
            return false;
        seen = conn->bytes_in;
        loop->now_ms = mote_posix_now_ms();
        on_input(conn);
        if (conn->dead || conn->bytes_in != seen)
            return true;
    } while (now_us() < until);
    return false;
}

static int wait_events(mote_posix_loop *loop, struct epoll_event *events, uint64_t wait_ms)
{
    /* Each spin is followed by a look at all the others, so none of them waits for long. */
    if (loop->spin_us > 0 && wait_ms > 0 && spin(loop))
        wait_ms = 0;
    if (wait_ms == 0 && loop->spin_us > 0 && ++loop->spins % 16 != 0)
        return 0;
    return epoll_wait(loop->epoll, events, TURN_EVENTS, wait_ms > 0x7fffffff ? -1 : (int)wait_ms);
}

int mote_posix_loop_turn(mote_posix_loop *loop, uint32_t timeout_ms)
{
    struct epoll_event events[TURN_EVENTS];
    uint64_t wait = walk(loop);

    if (loop->full && wait > FULL_MS) {
        loop->due_ms = loop->now_ms + FULL_MS;
        wait = FULL_MS;
    }
    if (timeout_ms < wait)
        wait = timeout_ms;
    int n = wait_events(loop, events, wait);
    if (n < 0 && errno != EINTR)
        return -1;
    loop->now_ms = mote_posix_now_ms();
    for (int i = 0; i < n; i++) {
        mote_posix_conn *conn = events[i].data.ptr;
        if (!conn) {
            accept_all(loop);
            continue;
        }
        if (!conn->dead && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
            on_input(conn);
        if (!conn->dead && (events[i].events & EPOLLOUT))
            mote_posix_flush(conn);
    }
    return 0;
}

void mote_posix_loop_end(mote_posix_loop *loop)
{
    while (loop->conns)
        end_conn(loop->conns);
    if (loop->listener >= 0)
        close(loop->listener);
    close(loop->epoll);
}
