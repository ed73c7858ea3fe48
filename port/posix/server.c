/* A gRPC server in one call: listener, connection slots, and a graceful end. */
#define _GNU_SOURCE
#include "posix.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the gRPC engine ----------------------------------------------------------------------- */

static enum mote_posix_input grpc_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    (void)used;
    return mote_grpc_serve(self, in, len) < 0 ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
}

static const uint8_t *grpc_peek(void *self, size_t *len)
{
    return mote_grpc_peek(self, len);
}

static void grpc_ack(void *self, size_t len)
{
    mote_grpc_ack(self, len);
}

static uint32_t grpc_tick(void *self, uint64_t now_ms)
{
    return mote_grpc_tick(self, now_ms);
}

static void grpc_eof(void *self)
{
    mote_grpc_recv_eof(self);
}

const mote_posix_engine mote_posix_grpc_server = {grpc_input, grpc_peek, grpc_ack,
                                                  grpc_tick,  grpc_eof,  NULL};

static enum mote_posix_input client_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    mote_posix_client *client = self;
    mote_grpc_event ev;
    int r;

    while ((r = mote_grpc_recv(&client->grpc, in, len, used, &ev)) > 0) {
        if (*used > 0)
            in += *used;
        len -= *used;
        client->on_event(client->grpc.config->context, &ev);
    }
    return r < 0 ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
}

/* mote_posix_client begins with its mote_grpc, so the other functions serve both. */
const mote_posix_engine mote_posix_grpc_client = {client_input, grpc_peek, grpc_ack,
                                                  grpc_tick,    grpc_eof,  NULL};

/* ---- connection slots ---------------------------------------------------------------------- */

/* One connection: the struct, and behind it the memory of its calls. */
typedef struct slot {
    mote_posix_conn conn;
    struct slot *next_free;
    mote_grpc grpc;
    mote_grpc_life life;
} slot;

static uint32_t life_tick(void *self, uint64_t now_ms)
{
    slot *s = (slot *)((uint8_t *)self - offsetof(slot, grpc));
    uint32_t next = mote_grpc_tick(&s->grpc, now_ms);
    uint32_t life = mote_grpc_life_tick(&s->life, &s->grpc, now_ms);

    return next < life ? next : life;
}

static const mote_posix_engine life_server = {grpc_input, grpc_peek, grpc_ack,
                                              life_tick,  grpc_eof,  NULL};

typedef struct {
    const mote_posix_server *config;
    mote_grpc_config grpc;
    mote_posix_loop *loop;
    uint8_t *slots;
    slot *free;
    size_t slot_size, made;
    mote_backoff redial;
    uint64_t redial_ms;
} server;

static size_t memory_size(const mote_grpc_config *g)
{
    return MOTE_GRPC_MEMORY(g->max_calls, g->rx_size, g->tx_size, g->table_size, g->field_size,
                            g->slots, g->user_size);
}

size_t mote_posix_connection_size(const mote_grpc_config *config)
{
    return MOTE_GRPC_ALIGN(sizeof(slot)) + memory_size(config);
}

static void release(mote_posix_conn *conn)
{
    slot *s = (slot *)conn;
    server *owner = conn->user;

    if (owner->config->security && conn->self)
        owner->config->security->unwrap(conn->self);
    conn->self = NULL;
    s->next_free = owner->free;
    owner->free = s;
}

static int accept_conn(void *context, int fd)
{
    server *owner = context;
    slot *s = owner->free;

    if (s)
        owner->free = s->next_free;
    else if (owner->made < owner->config->max_connections)
        s = (slot *)(owner->slots + owner->slot_size * owner->made++);
    else
        return -1;
    uint32_t generation = s->grpc.generation; /* of the connection that was here before */
    mote_grpc_init(&s->grpc, &owner->grpc, (uint8_t *)s + MOTE_GRPC_ALIGN(sizeof(slot)),
                   memory_size(&owner->grpc));
    s->grpc.generation = generation;
    s->conn.closed = release;
    s->conn.user = owner;
    s->conn.grpc = &s->grpc;
    const mote_posix_engine *engine = &mote_posix_grpc_server;
    void *self = &s->grpc;
    if (owner->config->life) {
        s->life = *owner->config->life;
        engine = &life_server;
    }
    const mote_posix_security *security = owner->config->security;
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

static void drain(mote_posix_loop *loop)
{
    uint64_t until = mote_posix_now_ms() + 1000;

    for (mote_posix_conn *conn = loop->conns; conn; conn = conn->next) {
        mote_grpc_shutdown(conn->grpc);
        mote_posix_flush(conn);
    }
    while (loop->conns && mote_posix_now_ms() < until) {
        for (mote_posix_conn *conn = loop->conns; conn; conn = conn->next) {
            if (mote_grpc_active(conn->grpc) == 0)
                mote_posix_close(conn);
        }
        if (mote_posix_loop_turn(loop, 10) < 0)
            return;
    }
}

static int check(const server *s)
{
    static mote_grpc probe;
    size_t size = memory_size(&s->grpc);
    void *memory = mote_posix_memory(1, size);
    int r = memory ? mote_grpc_init(&probe, &s->grpc, memory, size) : -1;

    if (r < 0)
        fprintf(stderr, "error: %s\n", r == -1 ? "out of memory" : mote_strerror(r));
    return r;
}

enum { CONNECT_MS = 20000, WAKE_MS = 100 };

/* Keeps one connection to the caller of this server open (connection-backoff.md). */
static void redial(server *s)
{
    uint64_t now = mote_posix_now_ms();

    if (s->loop->conns) {
        s->redial = (mote_backoff){0};
        s->redial_ms = 0;
        return;
    }
    if (now < s->redial_ms)
        return;
    s->redial_ms = now + mote_backoff_next(&s->redial, (uint32_t)now * 2654435761u);
    int fd = mote_posix_connect(s->config->dial, CONNECT_MS);
    if (fd >= 0 && accept_conn(s, fd) < 0)
        close(fd);
}

static int run(server *s)
{
    const mote_posix_server *config = s->config;

    while (!mote_posix_stopped) {
        if (config->dial)
            redial(s);
        if (mote_posix_loop_turn(s->loop, config->turn_ms ? config->turn_ms : UINT32_MAX) < 0)
            return -1;
        if (config->turn)
            config->turn(config->grpc.context, s->loop);
    }
    drain(s->loop);
    return 0;
}

int mote_posix_serve(const mote_posix_server *config)
{
    static mote_posix_loop loop;
    mote_posix_server c = *config;
    server s = {.config = &c, .grpc = config->grpc, .loop = &loop};
    char address[128];

    if (c.max_connections == 0)
        c.max_connections = 1024;
    s.grpc.server = true;
    s.slot_size =
        mote_posix_connection_size(&s.grpc) + (c.security ? MOTE_GRPC_ALIGN(c.security->size) : 0);
    if (check(&s) < 0)
        return -1;
    s.slots = mote_posix_memory(c.max_connections, s.slot_size);
    int listener = c.dial ? -1 : mote_posix_listen(c.address);
    if ((listener < 0 && !c.dial) || !s.slots || mote_posix_loop_init(&loop) < 0) {
        fprintf(stderr, "error: %s\n", s.slots ? mote_posix_error() : "out of memory");
        return -1;
    }
    if (c.dial && (c.turn_ms == 0 || c.turn_ms > WAKE_MS))
        c.turn_ms = WAKE_MS;
    loop.spin_us = c.spin_us;
    mote_posix_catch_signals();
    if (!c.dial) {
        mote_posix_loop_listen(&loop, listener, accept_conn, &s);
        mote_posix_address(listener, address);
    }
    if (c.dial) {
        c.quiet = true;
    } else if (c.ready) {
        c.ready(address);
    } else if (!c.quiet) {
        printf("listening on %s\n", address);
        fflush(stdout);
    }
    int r = run(&s);
    mote_posix_loop_end(&loop);
    return r;
}
