/* A worker of a gRPC server: its loop, its connection slots, and a graceful end. */
#define _GNU_SOURCE
#include "mailbox.h"
#include "posix_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- connection slots ---------------------------------------------------------------------- */

/*
 * A slot of a connection.
 *
 *   FREE -- accepted --> NEW -- a request has come --> KNOWN -- no call is under way --> RESTING
 *                         |                              ^                                |
 *                         |                              +--- looked at, and is busy, ----+
 *                         |                                   or told to go
 *                         +-- slots run short --> LEAVING           (from each: closed --> FREE)
 *
 * The NEW ones stand in the order in which they came, and the oldest gives way first: whoever
 * connects and asks for nothing keeps nobody out. The RESTING ones stand in the order of their last
 * output. Both move on while they stand there: a place is put right when it is the first.
 */
enum slot_state { SLOT_FREE, SLOT_NEW, SLOT_KNOWN, SLOT_RESTING, SLOT_LEAVING };

/* One connection: the struct, and behind it the memory of its calls. */
typedef struct slot {
    mote_posix_conn conn;
    enum slot_state state;
    mote_posix_timer place; /* NEW, RESTING: among their like; FREE: `next` is the next free one */
    mote_grpc grpc;
    mote_grpc_life life;
} slot;

static slot *at_place(mote_posix_timer *place)
{
    return (slot *)((uint8_t *)place - offsetof(slot, place));
}

/* Where slots in this state stand in an order; NULL: in none. */
static mote_posix_timer **order_of(mote_posix_worker *owner, enum slot_state state)
{
    return state == SLOT_NEW ? &owner->new_ones : state == SLOT_RESTING ? &owner->resting : NULL;
}

/* The place of a slot in the order of its new state, which may be the old one, is by `at`. */
static void become(mote_posix_worker *owner, slot *s, enum slot_state state, uint64_t at)
{
    mote_posix_timer **from = order_of(owner, s->state), **to = order_of(owner, state);

    if (from)
        mote_posix_timer_remove(from, &s->place);
    s->state = state;
    if (to)
        mote_posix_timer_add(to, &s->place, at);
}

static slot *slot_of(void *grpc)
{
    return (slot *)((uint8_t *)grpc - offsetof(slot, grpc));
}

mote_posix_conn *mote_posix_conn_of(const mote_grpc_call *call)
{
    return &slot_of(call->grpc)->conn;
}

/* ---- handlers, with a look at the clock ---------------------------------------------------- */

static void tell_slow(const mote_posix_worker *owner, const mote_grpc_method *method, uint64_t ms)
{
    const mote_grpc_config *g = &owner->grpc;
    const char *service = "";

    for (size_t i = 0; i < g->service_count; i++) {
        const mote_grpc_service *s = &g->services[i];
        if (method >= s->methods && method < s->methods + s->method_count)
            service = s->name;
    }
    owner->loop->slow++;
    if (owner->config->slow)
        owner->config->slow(g->context, service, method->name, (uint32_t)ms);
    else
        fprintf(stderr, "mote: /%s/%s held all others up for %llu ms\n", service, method->name,
                (unsigned long long)ms);
}

/* *clock_ms: the time now, and afterwards. */
static void dispatch(slot *s, const mote_grpc_event *ev, uint64_t *clock_ms)
{
    mote_posix_worker *owner = s->conn.user;
    const mote_grpc_method *method = ev->call ? ev->call->method : NULL;
    uint64_t before = *clock_ms;

    if (s->state == SLOT_NEW && ev->type == MOTE_GRPC_MESSAGE)
        become(owner, s, SLOT_KNOWN, 0);
    mote_grpc_dispatch(&s->grpc, ev);
    *clock_ms = mote_posix_now_ms();
    if (method && *clock_ms - before >= owner->config->slow_ms)
        tell_slow(owner, method, *clock_ms - before);
}

static void begin_to_rest(slot *s)
{
    if (s->life.state != MOTE_GRPC_LIFE_DRAINS)
        become(s->conn.user, s, SLOT_RESTING, s->conn.progress_ms);
}

static enum mote_posix_input slot_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    uint64_t clock_ms = mote_posix_now_ms();
    mote_grpc_event ev;
    int r;

    while ((r = mote_grpc_recv(self, in, len, used, &ev)) > 0) {
        if (*used > 0)
            in += *used;
        len -= *used;
        dispatch(slot_of(self), &ev, &clock_ms);
    }
    if (slot_of(self)->state == SLOT_KNOWN && mote_grpc_active(self) == 0)
        begin_to_rest(slot_of(self));
    return r < 0 ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
}

static uint32_t slot_tick(void *self, uint64_t now_ms)
{
    slot *s = slot_of(self);
    uint32_t next = mote_grpc_tick(&s->grpc, now_ms);
    uint32_t life = mote_grpc_life_tick(&s->life, &s->grpc, now_ms);

    return next < life ? next : life;
}

static const mote_posix_engine slot_engine = {
    slot_input, mote_posix_grpc_peek, mote_posix_grpc_ack, slot_tick, mote_posix_grpc_eof,
    NULL,       mote_posix_grpc_clock};

/* ---- who comes, and who goes --------------------------------------------------------------- */

size_t mote_posix_call_memory(const mote_grpc_config *g)
{
    return MOTE_GRPC_MEMORY(g->max_calls, g->rx_size, g->tx_size, g->table_size, g->field_size,
                            g->slots, g->user_size);
}

size_t mote_posix_connection_size(const mote_grpc_config *config)
{
    return MOTE_GRPC_ALIGN(sizeof(slot)) + mote_posix_call_memory(config);
}

static void release(mote_posix_conn *conn)
{
    slot *s = (slot *)conn;
    mote_posix_worker *owner = conn->user;

    if (owner->security && conn->self)
        owner->security->unwrap(conn->self);
    conn->self = NULL;
    if (s->state == SLOT_LEAVING)
        owner->leaving--;
    become(owner, s, SLOT_FREE, 0);
    s->place.next = owner->free;
    owner->free = &s->place;
    owner->used--;
}

/* Of the first one: whether it has said nothing for the longest time. One that has gets its place
 * anew, and loses it when it is busy; that is paid for by what it has said. */
static bool rests_longest(mote_posix_worker *owner, slot *s)
{
    bool is_idle = mote_grpc_active(&s->grpc) == 0 && s->life.state != MOTE_GRPC_LIFE_DRAINS;

    if (is_idle && s->conn.progress_ms <= s->place.at_ms)
        return true;
    become(owner, s, is_idle ? SLOT_RESTING : SLOT_KNOWN, s->conn.progress_ms);
    return false;
}

static void send_away(mote_posix_worker *owner, slot *s)
{
    become(owner, s, SLOT_KNOWN, 0);
    owner->told_ms = owner->looked_ms;
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
        slot *s = at_place(owner->resting);
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
    slot *s = at_place(owner->new_ones);
    become(owner, s, SLOT_LEAVING, 0);
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

static slot *take_slot(mote_posix_worker *owner)
{
    slot *s;

    make_slot_room(owner);
    if (is_full(owner))
        return NULL;
    if (owner->free) {
        s = at_place(owner->free);
        owner->free = s->place.next;
        s->place.next = NULL;
    } else {
        s = (slot *)(owner->slots + owner->slot_size * owner->made++);
    }
    owner->used++;
    become(owner, s, SLOT_NEW, owner->came++);
    return s;
}

static int accept_conn(void *context, int fd)
{
    mote_posix_worker *owner = context;
    slot *s = take_slot(owner);

    if (!s)
        return -1;
    uint32_t generation = s->grpc.generation; /* of the connection that was here before */
    mote_grpc_init(&s->grpc, &owner->grpc, (uint8_t *)s + MOTE_GRPC_ALIGN(sizeof(slot)),
                   mote_posix_call_memory(&owner->grpc));
    s->grpc.generation = generation;
    s->life = *owner->config->life;
    s->life.random = mote_posix_random();
    s->conn.closed = release;
    s->conn.user = owner;
    s->conn.grpc = &s->grpc;
    const mote_posix_engine *engine = &slot_engine;
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
        if (!conn->grpc) { /* of the program */
            mote_posix_close(conn);
            continue;
        }
        mote_grpc_life_drain(&((slot *)conn)->life, conn->grpc, loop->now_ms);
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
    const slot *last = (const slot *)s->loop->conns;
    uint32_t wait_ms;
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

int mote_posix_worker_begin(mote_posix_worker *s)
{
    size_t security = s->security ? MOTE_GRPC_ALIGN(s->security->size) : 0;

    s->slot_size = mote_posix_connection_size(&s->grpc) + security;
    s->slots = mote_posix_memory(s->connections, s->slot_size);
    s->loop = mote_posix_memory(1, sizeof *s->loop);
    if (!s->slots || !s->loop)
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
}
