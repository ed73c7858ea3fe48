/* What an event costs the loop beside 1, 100 and 10,000 quiet connections: a double of the kernel,
 * whose clock moves as told, and basic blocks are counted. A heap of times may cost its logarithm.
 */
#define _GNU_SOURCE
#include "../../port/posix/posix_internal.h"
#define MOST_ENTRIES 10000
#include "rows.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { FIRST_FD = 10, FDS = MOST + 16, LISTENER = 5, EPOLL = 6, KEEPALIVE_MS = 300000 };

/* ---- a double of the kernel ----------------------------------------------------------------- */

static uint64_t now_ms = 1;
static void *watched[FIRST_FD + FDS]; /* by descriptor: what the loop has named it */
static bool has_input[FIRST_FD + FDS], has_gone[FIRST_FD + FDS];
static int next_fd, free_fds[FDS], free_count, connects;
static struct epoll_event ready[2 * FDS];
static int ready_count;

uint64_t mote_posix_now_ms(void)
{
    return now_ms;
}

int mote_posix_wake_fd(void)
{
    return -1;
}

static int new_fd(void)
{
    return free_count > 0 ? free_fds[--free_count] : next_fd++;
}

int epoll_create1(int flags)
{
    (void)flags;
    return EPOLL;
}

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    (void)epoll, (void)what;
    watched[fd] = event->data.ptr;
    return 0;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    int n = ready_count < most ? ready_count : most;

    (void)epoll;
    if (n == 0)
        now_ms += (uint64_t)(timeout < 0 ? 0 : timeout);
    memcpy(events, ready, (size_t)n * sizeof *events);
    ready_count -= n;
    memmove(ready, ready + n, (size_t)ready_count * sizeof *ready);
    return n;
}

int accept4(int listener, struct sockaddr *restrict a, socklen_t *restrict len, int flags)
{
    (void)listener, (void)a, (void)len, (void)flags;
    errno = EAGAIN;
    return connects > 0 ? connects--, new_fd() : -1;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    (void)fd, (void)level, (void)option, (void)value, (void)len;
    return 0;
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    (void)len, (void)flags;
    if (has_input[fd]) {
        has_input[fd] = false;
        *(uint8_t *)bytes = 'x';
        return 1;
    }
    errno = EAGAIN;
    return has_gone[fd] ? 0 : -1;
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    (void)fd, (void)bytes, (void)flags;
    return (ssize_t)len;
}

int shutdown(int fd, int how)
{
    (void)fd, (void)how;
    return 0;
}

int close(int fd)
{
    if (fd < FIRST_FD)
        return 0;
    has_gone[fd] = false;
    free_fds[free_count++] = fd;
    return 0;
}

static void happens(int fd)
{
    ready[ready_count++] = (struct epoll_event){.events = EPOLLIN, .data.ptr = watched[fd]};
}

/* ---- connections: each echoes a byte, and wants its time each next_ms ------------------------ */

typedef struct {
    mote_posix_conn conn;
    uint32_t next_ms;
    size_t output;
    unsigned ticks;
    bool gone;
} peer;

static mote_posix_loop loop;
static peer peers[FDS];
static peer *free_peers[FDS];
static int free_peer_count;
static unsigned ends;

static enum mote_posix_input input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    peer *p = self;

    (void)in, (void)used;
    p->output += len;
    return p->gone ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
}

static const uint8_t *peek(void *self, size_t *len)
{
    *len = ((peer *)self)->output;
    return *len > 0 ? (const uint8_t *)"x" : NULL;
}

static void ack(void *self, size_t len)
{
    ((peer *)self)->output -= len;
}

static uint32_t tick(void *self, uint64_t at_ms)
{
    (void)at_ms;
    ((peer *)self)->ticks++;
    return ((peer *)self)->next_ms;
}

static void eof(void *self)
{
    ((peer *)self)->gone = true;
}

static const mote_posix_engine functions = {input, peek, ack, tick, eof, NULL, NULL};

static void closed(mote_posix_conn *conn)
{
    free_peers[free_peer_count++] = (peer *)conn;
    ends++;
}

static int accepted(void *context, int fd)
{
    peer *p = free_peers[--free_peer_count];

    (void)context;
    memset(p, 0, sizeof *p);
    p->conn.closed = closed;
    p->next_ms = KEEPALIVE_MS;
    return mote_posix_loop_add(&loop, &p->conn, fd, &functions, p);
}

static void turn(void)
{
    mote_posix_loop_turn(&loop, UINT32_MAX);
}

/* So many that say nothing, each since another time. */
static void be_quiet(unsigned count)
{
    ready_count = free_count = free_peer_count = connects = 0;
    next_fd = FIRST_FD;
    for (int i = FDS - 1; i >= 0; i--)
        free_peers[free_peer_count++] = &peers[i];
    CHECK_INT(mote_posix_loop_init(&loop), 0);
    CHECK_INT(mote_posix_loop_listen(&loop, LISTENER, accepted, NULL), 0);
    for (unsigned i = 0; i < count; i++) {
        connects = 1;
        happens(LISTENER);
        turn();
        now_ms += i % 7;
    }
    CHECK_INT(loop.conn_count, count);
    turn();
    ends = 0;
}

/* ---- what happens beside them --------------------------------------------------------------- */

enum { EVENTS = 1000 };

static void connect_and_close(unsigned count)
{
    for (int i = 0; i < EVENTS; i++) {
        connects = 1;
        happens(LISTENER);
        turn();
        mote_posix_conn *conn = loop.conns; /* the newest */
        has_gone[conn->fd] = true;
        happens(conn->fd);
        turn();
        turn();
        now_ms++;
        sent += 2;
    }
    CHECK_INT(ends, EVENTS);
    CHECK_INT(loop.conn_count, count);
}

static void say_a_byte(unsigned count)
{
    (void)count;
    for (int i = 0; i < EVENTS; i++) {
        has_input[peers[0].conn.fd] = true;
        happens(peers[0].conn.fd);
        turn();
        now_ms++;
        sent++;
    }
    CHECK_INT(peers[0].conn.bytes_out, EVENTS);
}

static void want_the_time(unsigned count)
{
    unsigned before = peers[0].ticks;

    (void)count;
    peers[0].next_ms = 1;
    mote_posix_hurry(&peers[0].conn);
    for (int i = 0; i < EVENTS; i++) {
        turn();
        sent++;
    }
    CHECK_INT(peers[0].ticks - before, EVENTS);
}

static void hurry_each(unsigned count)
{
    for (unsigned i = 0; i < EVENTS; i++) {
        mote_posix_hurry(&peers[i * 7 % count].conn);
        turn();
        sent++;
    }
}

/* Some hours of rest: they cost what their keepalives do. */
static void rest(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        peers[i].ticks = 0;
    for (uint64_t until = now_ms + 12ull * KEEPALIVE_MS; now_ms < until;)
        turn();
    for (unsigned i = 0; i < count; i++) {
        CHECK(peers[i].ticks >= 11 && peers[i].ticks <= 13);
        sent += peers[i].ticks;
    }
}

/* The machine has slept: what has become due meanwhile is asked once. */
static void lose_a_day(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        peers[i].ticks = 0;
    loop.now_ms = now_ms += 24ull * 3600 * 1000;
    turn();
    for (unsigned i = 0; i < count; i++)
        CHECK_INT(peers[i].ticks, 1);
    sent += count;
}

static const attack_row rows[] = {
    {"who connects and closes, each", be_quiet, connect_and_close, 400},
    {"who says a byte", be_quiet, say_a_byte, 400},
    {"who wants the time in each millisecond", be_quiet, want_the_time, 400},
    {"each that is hurried in turn", be_quiet, hurry_each, 400},
    {"a keepalive", be_quiet, rest, 400},
    {"a clock that has lost a day, each", be_quiet, lose_a_day, 400},
};

static void an_event_costs_no_more_beside_many(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        costs_no_more_with_entries(&rows[i]);
        mote_posix_loop_end(&loop);
    }
}

int main(void)
{
    RUN(an_event_costs_no_more_beside_many);
    return test_summary();
}
