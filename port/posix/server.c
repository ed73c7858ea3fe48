/* A worker of a gRPC server: its loop, who gets a connection slot, and a graceful end. */
#define _GNU_SOURCE
#include "mailbox.h"
#include "slot_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- who comes, and who goes --------------------------------------------------------------- */

size_t mote_posix_call_memory(const mote_grpc_config *g)
{
    return MOTE_GRPC_MEMORY(g->max_calls, g->rx_size, g->tx_size, g->table_size, g->field_size,
                            g->slots, g->user_size);
}

size_t mote_posix_connection_size(const mote_grpc_config *config)
{
    return MOTE_GRPC_ALIGN(sizeof(mote_posix_slot)) + mote_posix_call_memory(config);
}

static void release(mote_posix_conn *conn)
{
    mote_posix_slot *s = (mote_posix_slot *)conn;
    mote_posix_worker *owner = conn->user;

    if (owner->security && conn->self)
        owner->security->unwrap(conn->self);
    conn->self = NULL;
    mote_posix_slot_give_back(s);
    if (s->state == SLOT_LEAVING)
        owner->leaving--;
    mote_posix_slot_become(owner, s, SLOT_FREE, 0);
    s->place.next = owner->free;
    owner->free = &s->place;
    owner->used--;
}

/* Of the first one: whether it has said nothing for the longest time. One that has gets its place
 * anew, and loses it when it is busy; that is paid for by what it has said. */
static bool rests_longest(mote_posix_worker *owner, mote_posix_slot *s)
{
    bool is_idle = mote_grpc_active(&s->grpc) == 0 && s->life.state != MOTE_GRPC_LIFE_DRAINS;

    if (is_idle && s->conn.progress_ms <= s->place.at_ms)
        return true;
    mote_posix_slot_become(owner, s, is_idle ? SLOT_RESTING : SLOT_KNOWN, s->conn.progress_ms);
    return false;
}

static void send_away(mote_posix_worker *owner, mote_posix_slot *s)
{
    mote_posix_slot_become(owner, s, SLOT_KNOWN, 0);
    owner->told_ms = owner->looked_ms;
    mote_posix_slot_work(s);
    mote_grpc_life_drain(&s->life, &s->grpc, owner->loop->now_ms);
    mote_posix_hurry(&s->conn);
    mote_posix_flush(&s->conn);
}

/* They are told first, as their next requests may be on their way. */
static void send_idle_away(mote_posix_worker *owner)
{
    enum { ROUND_MS = 5, LOOKS = 256, MOST = 8 };
    unsigned told = 0;

    if (owner->loop->now_ms - owner->looked_ms < ROUND_MS)
        return;
    owner->looked_ms = owner->loop->now_ms;
    for (int i = 0; i < LOOKS && told < MOST && owner->resting; i++) {
        mote_posix_slot *s = mote_posix_slot_at(owner->resting);
        if (!rests_longest(owner, s))
            continue;
        send_away(owner, s);
        told++;
    }
}

/* Slots that are kept free for those who come, in one turn. */
static size_t reserve_of(size_t most)
{
    return (most + 7) / 8;
}

/* Before the last slots are taken somebody gives way: who has asked for nothing, or who is idle. */
static void make_slot_room(mote_posix_worker *owner)
{
    size_t most = owner->connections, reserve = reserve_of(most);

    if (most == 1 || owner->used - owner->leaving + reserve < most)
        return;
    if (!owner->new_ones) {
        send_idle_away(owner);
        return;
    }
    mote_posix_slot *s = mote_posix_slot_at(owner->new_ones);
    mote_posix_slot_become(owner, s, SLOT_LEAVING, 0);
    owner->leaving++;
    mote_posix_close(&s->conn);
}

static bool is_full(const mote_posix_worker *owner)
{
    return !owner->free && owner->made == owner->connections;
}

/* Somebody has been told to go, and has had no time to do so. */
static bool is_one_leaving(const mote_posix_worker *owner)
{
    enum { GOING_MS = 1500 };

    return owner->leaving > 0 || owner->loop->now_ms - owner->told_ms < GOING_MS;
}

/* Whoever comes while others are on their way out waits for them. Where all are busy it is sent
 * away at once, and may go elsewhere. */
static bool server_has_room(void *context)
{
    mote_posix_worker *owner = context;
    struct pollfd comes = {.fd = owner->loop->listener, .events = POLLIN};

    if (!is_full(owner))
        return true;
    if (!is_one_leaving(owner) && poll(&comes, 1, 0) > 0)
        make_slot_room(owner);
    return !is_one_leaving(owner);
}

static mote_posix_slot *take_slot(mote_posix_worker *owner)
{
    mote_posix_slot *s;

    make_slot_room(owner);
    if (is_full(owner))
        return NULL;
    if (owner->free) {
        s = mote_posix_slot_at(owner->free);
        owner->free = s->place.next;
        s->place.next = NULL;
    } else {
        s = (mote_posix_slot *)(owner->slots + owner->slot_size * owner->made++);
    }
    owner->used++;
    mote_posix_slot_become(owner, s, SLOT_NEW, owner->came++);
    return s;
}

static int accept_conn(void *context, int fd)
{
    mote_posix_worker *owner = context;
    mote_posix_slot *s = take_slot(owner);

    if (!s)
        return -1;
    uint32_t generation = s->grpc.generation; /* of the connection that was here before */
    s->loan = mote_posix_loan_take(&owner->loans);
    s->input_ms = owner->loop->now_ms;
    mote_grpc_init(&s->grpc, &owner->grpc, s->loan, mote_posix_call_memory(&owner->grpc));
    s->grpc.generation = generation;
    s->life = *owner->config->life;
    s->life.random = mote_posix_random();
    s->conn.closed = release;
    s->conn.user = owner;
    s->conn.grpc = &s->grpc;
    const mote_posix_engine *engine = &mote_posix_slot_engine;
    void *self = &s->grpc;
    const mote_posix_security *security = owner->security;
    s->conn.self = NULL;
    if ((security &&
         security->wrap(security->context,
                        (uint8_t *)s + owner->slot_size - MOTE_GRPC_ALIGN(security->size), &engine,
                        &self) < 0) ||
        mote_posix_loop_add(owner->loop, &s->conn, fd, engine, self) < 0) {
        release(&s->conn);
        return -1;
    }
    return 0;
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Nobody new is let in, and each connection ends by the rule of its life: the peer is told, its
 * calls go on, and what it begins meanwhile is either served or refused as not processed. A second
 * signal ends it at once, as the limit does. */
static void drain(mote_posix_worker *owner)
{
    mote_posix_loop *loop = owner->loop;
    const mote_posix_server *config = owner->config;
    uint64_t until = mote_posix_now_ms() + config->drain_ms;

    mote_posix_loop_deafen(loop);
    for (mote_posix_conn *conn = loop->conns; conn; conn = conn->next) {
        if (conn->closed != release) /* the application's, in the same loop */
            continue;
        mote_posix_slot_work((mote_posix_slot *)conn);
        mote_grpc_life_drain(&((mote_posix_slot *)conn)->life, conn->grpc, loop->now_ms);
        mote_posix_hurry(conn);
        mote_posix_flush(conn);
    }
    while (loop->conns && mote_posix_now_ms() < until && mote_posix_stops() < 2) {
        if (mote_posix_loop_turn(loop, 10) < 0)
            return;
        if (config->turn)
            config->turn(owner->grpc.context, loop);
    }
}

/* Keeps one connection to the caller of this server open; returns how long a turn may wait. */
static uint32_t redial(mote_posix_worker *s)
{
    const mote_posix_conn *conn = s->loop->conns;
    uint32_t wait_ms;

    while (conn && conn->closed != release) /* the application's, in the same loop */
        conn = conn->next;
    const mote_posix_slot *last = (const mote_posix_slot *)conn;
    int fd = mote_posix_redial_look(&s->redial, s->loop, s->config->dial,
                                    !last                     ? MOTE_POSIX_HAS_NONE
                                    : last->state == SLOT_NEW ? MOTE_POSIX_HAS_NEW
                                                              : MOTE_POSIX_HAS_USED,
                                    &wait_ms);

    if (fd < 0)
        return wait_ms;
    if (accept_conn(s, fd) == 0)
        return UINT32_MAX;
    close(fd);
    return 0;
}

static bool is_told_to_stop(const mote_posix_worker *s)
{
    return mote_posix_stops() > 0 || __atomic_load_n(&s->crew->failed, __ATOMIC_RELAXED);
}

static void end_loop(mote_posix_worker *s)
{
    if (s->state == MOTE_POSIX_WORKER_IDLE)
        return;
    mote_posix_dial_forget(&s->redial.dial);
    mote_posix_loop_end(s->loop);
    s->state = MOTE_POSIX_WORKER_IDLE;
}

int mote_posix_worker_run(mote_posix_worker *s)
{
    const mote_posix_server *config = s->config;
    uint32_t turn_ms = config->turn_ms ? config->turn_ms : UINT32_MAX;
    int r = 0;

    while (!is_told_to_stop(s)) {
        uint32_t wait_ms = config->dial ? redial(s) : UINT32_MAX;
        if ((r = mote_posix_loop_turn(s->loop, wait_ms < turn_ms ? wait_ms : turn_ms)) < 0)
            break;
        if (config->turn)
            config->turn(s->grpc.context, s->loop);
    }
    if (r == 0)
        drain(s);
    end_loop(s);
    return r;
}

/* The listener is the loop's from here on. */
static int listen_in_loop(mote_posix_worker *s)
{
    int listener = s->listener;

    s->listener = -1;
    return listener < 0 ? 0 : mote_posix_loop_listen(s->loop, listener, accept_conn, s);
}

static int hear_of_crew(mote_posix_worker *s)
{
    if (s->crew->wake[0] < 0 ||
        mote_posix_loop_woken_by(s->loop, s->crew->wake[0], MOTE_POSIX_WATCH_ONCE) == 0)
        return 0;
    return mote_posix_failed("epoll", "", strerror(errno));
}

/* The most that a connection keeps while it rests. */
static size_t kept_memory(const mote_grpc_config *g)
{
    enum { ROUND = 64 };

    return g->slots * sizeof(mote_hpack_slot) + MOTE_HPACK_TABLE_MEMORY((size_t)g->table_size) +
           ROUND;
}

int mote_posix_worker_begin(mote_posix_worker *s)
{
    size_t security = s->security ? MOTE_GRPC_ALIGN(s->security->size) : 0;

    s->slot_size = MOTE_GRPC_ALIGN(sizeof(mote_posix_slot)) + security;
    s->slots = mote_posix_memory(s->connections, s->slot_size);
    s->loop = mote_posix_memory(1, sizeof *s->loop);
    if (!s->slots || !s->loop ||
        mote_posix_loans_begin(&s->loans, s->connections, mote_posix_call_memory(&s->grpc),
                               kept_memory(&s->grpc)) < 0)
        return mote_posix_failed("worker", NULL, "out of memory");
    if (mote_posix_loop_init(s->loop) < 0)
        return -1;
    s->state = MOTE_POSIX_WORKER_LISTENING;
    s->loop->spin_us = s->config->spin_us;
    s->loop->accepts = (unsigned)reserve_of(s->connections);
    s->loop->room = server_has_room;
    s->loop->shares = s->shares;
    if (s->mailbox && mote_posix_loop_mailbox(s->loop, s->mailbox) < 0)
        return -1;
    return listen_in_loop(s) < 0 ? -1 : hear_of_crew(s);
}

void mote_posix_worker_end(mote_posix_worker *s)
{
    end_loop(s);
    if (s->listener >= 0)
        close(s->listener);
    if (s->slots)
        munmap(s->slots, s->connections * s->slot_size);
    if (s->loop)
        munmap(s->loop, sizeof *s->loop);
    mote_posix_loans_end(&s->loans);
}
