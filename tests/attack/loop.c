/* What an event costs the loop beside 1, 100 and 10,000 quiet connections: a double of the kernel,
 * whose clock moves as told, and basic blocks are counted. A heap of times may cost its logarithm.
 */
#define _GNU_SOURCE
#define MOST_ENTRIES 10000
#include "kernel.h"
#include "rows.h"

enum { KEEPALIVE_MS = 300000 };

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
    reset_kernel();
    free_peer_count = 0;
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
