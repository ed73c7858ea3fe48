/* A worker of a server over a scripted kernel, its handlers, and its clients. */
#ifndef WORKER_HARNESS_H
#define WORKER_HARNESS_H

#include "scripted_kernel.h"

#include "../../port/posix/slot_internal.h"

enum { MOST = 300 };

static mote_posix_server config;
static mote_posix_crew crew;
static mote_posix_worker w;
static int clients[MOST]; /* the far ends; -1: it was not accepted, or has gone */
static unsigned came;
static int own; /* what handlers get */

/* ---- handlers ---------------------------------------------------------------------------------
 */

static uint32_t takes_ms; /* each of them */
static unsigned messages;
static uint16_t generations[MOST];

static int stays(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    CHECK(mote_posix_conn_of(call)->grpc == call->grpc);
    generations[messages++ % MOST] = (uint16_t)call->grpc->generation;
    clock_ms += takes_ms;
    return 0;
}

static int answers(mote_grpc_call *call, const mote_grpc_event *ev)
{
    stays(call, ev);
    return ev->type == MOTE_GRPC_MESSAGE ? mote_grpc_finish(call, MOTE_GRPC_OK, "") : 0;
}

static const mote_grpc_method methods[] = {{.name = "R", .handler = answers},
                                           {.name = "S", .handler = stays},
                                           {.name = "R", .handler = answers},
                                           {.name = "S", .handler = stays}};
static const mote_grpc_service services[] = {{"b.B", methods + 2, 2, false},
                                             {"a.A", methods, 2, false}};

/* ---- clients ----------------------------------------------------------------------------------
 */

static void turn(void)
{
    for (size_t i = 0; i < 8; i++)
        accepts[i] = EAGAIN;
    accept_calls = 0;
    CHECK_INT(mote_posix_loop_turn(w.loop, 0), 0);
}

static bool says_no_message;

/* A call of "a.A" or "b.B": R, or S. The stream is odd; the first one begins the connection. */
static void ask(unsigned client, const char *path, uint8_t stream)
{
    static const char begin[] =
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0";
    uint8_t bytes[] = "\0\0\x20\1\4\0\0\0\1\x83\x86\x04\x06/a.A/R\x41\x01x\x0f\x10\x10"
                      "application/grpc\0\0\5\0\1\0\0\0\1\0\0\0\0\0";
    size_t len = sizeof bytes - 1 - (says_no_message ? 14 : 0);

    memcpy(bytes + 13, path, 6);
    bytes[8] = bytes[9 + 0x20 + 8] = stream;
    if (stream == 1)
        CHECK_INT(write(clients[client], begin, sizeof begin - 1), sizeof begin - 1);
    CHECK_INT(write(clients[client], bytes, len), len);
    turn();
}

enum { SAID_GOAWAY = 1, SAID_END = 2 };

/* What a client has read since it was last asked. */
static inline int heard(unsigned client)
{
    uint8_t bytes[4096];
    int said = 0;
    ssize_t n;

    while ((n = read(clients[client], bytes, sizeof bytes)) > 0) {
        for (size_t i = 0; i + 9 <= (size_t)n; i += 9 + (bytes[i + 1] << 8 | bytes[i + 2]))
            said |= bytes[i + 3] == 7 ? SAID_GOAWAY : 0;
    }
    return n == 0 ? said | SAID_END : said;
}

static void leave(unsigned client)
{
    if (clients[client] >= 0)
        close(clients[client]);
    clients[client] = -1;
}

/* ---- a connection of the application, in the same loop ------------------------------------------
 */

static struct {
    mote_posix_conn conn;
    uint8_t behind[sizeof(mote_posix_slot) - sizeof(mote_posix_conn)]; /* it is no slot */
    int far_end;
    unsigned ticks, ends, closed;
} others;

static inline enum mote_posix_input others_input(void *self, const uint8_t *in, size_t len,
                                                 size_t *used)
{
    (void)self, (void)in, (void)len, (void)used;
    return MOTE_POSIX_TOOK_ALL;
}

static inline const uint8_t *others_peek(void *self, size_t *len)
{
    (void)self;
    *len = 0;
    return NULL;
}

static inline uint32_t others_tick(void *self, uint64_t now_ms)
{
    (void)self, (void)now_ms;
    others.ticks++;
    return UINT32_MAX;
}

static inline void others_eof(void *self)
{
    (void)self;
    others.ends++;
}

static inline void others_closed(mote_posix_conn *conn)
{
    CHECK(conn == &others.conn);
    others.closed++;
}

static inline void add_others(mote_posix_loop *loop)
{
    static const mote_posix_engine engine = {
        .input = others_input, .peek = others_peek, .tick = others_tick, .eof = others_eof};
    int pair[2];

    memset(&others, 0, sizeof others);
    others.conn.closed = others_closed;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    others.far_end = pair[1];
    CHECK_INT(mote_posix_loop_add(loop, &others.conn, pair[0], &engine, &others), 0);
}

static const mote_grpc_life no_life = {0};

static void prepare(size_t connections)
{
    config = (mote_posix_server){.life = &no_life, .drain_ms = 100, .slow_ms = 100};
    crew = (mote_posix_crew){.wake = {-1, -1}};
    w = (mote_posix_worker){.config = &config,
                            .crew = &crew,
                            .grpc = {.server = true,
                                     .max_calls = 2,
                                     .slots = 4,
                                     .rx_size = 64,
                                     .tx_size = 256,
                                     .table_size = 4096,
                                     .field_size = 64,
                                     .services = services,
                                     .service_count = 2},
                            .connections = connections};
    w.grpc.context = &own;
    clock_ms = 100000;
    came = messages = 0;
    takes_ms = 0;
    mote_posix_stopped = 0;
}

static inline void end(void)
{
    mote_posix_worker_end(&w);
    for (unsigned i = 0; i < came && i < MOST; i++)
        leave(i);
}

#endif
