/*
 * posix: sockets, time and an event loop for mote on a host: over epoll on Linux; over poll() with
 * -DMOTE_POSIX_POLL=1, and on other systems.
 *
 * Addresses are written "host:port", "[v6]:port", ":port" (all interfaces; for clients loopback) or
 * "unix:/path". Functions that fail return -1 and leave a text in mote_posix_error().
 * This folder may allocate (mmap, once for each connection slot); the core does not.
 */
#ifndef MOTE_POSIX_H
#define MOTE_POSIX_H

#include "../../grpc/channel/channel.h"

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why the last call in this thread failed, as "connect 127.0.0.1:1: Connection refused". */
const char *mote_posix_error(void);

/* For programs: the text of an error of hpack, h2, grpc or pb; never NULL. Static storage. */
const char *mote_strerror(int code);

/* Milliseconds of the monotonic clock. */
uint64_t mote_posix_now_ms(void);
/* For waits that differ, and not for secrets: early after the start of a machine the kernel has no
 * random numbers, and it is made of the clock, the process and where that lies. */
uint32_t mote_posix_random(void);

/* A listening socket; -1 on error. Port 0 picks a free one. At "unix:/path" a socket on which
 * nobody answers is replaced; one that is in use, a file or a link is an error. */
int mote_posix_listen(const char *address);

/* The address that a socket is bound to, as text. */
const char *mote_posix_address(int fd, char out[128]);

/* A connected, non-blocking socket, with TCP_NODELAY, within timeout_ms in all, or -1. A name is
 * looked up by a thread that is left behind when it has no answer by then (four of them at the
 * most). Its addresses are tried in turn; after 250 ms the next one is tried beside it (RFC 8305).
 */
int mote_posix_connect(const char *address, uint32_t timeout_ms);

/*
 * A connect beside a loop: it takes place in a thread, as looking up a name blocks. Zero at first.
 *
 *   IDLE -- mote_posix_dial_begin() --> BUSY -- connected, or not --> DONE -- _look() --> IDLE
 *     ^                                  |                             |
 *     +----- mote_posix_dial_forget() ---+-----------------------------+
 */
enum mote_posix_dial_state { MOTE_POSIX_DIAL_IDLE, MOTE_POSIX_DIAL_BUSY, MOTE_POSIX_DIAL_DONE };
typedef struct mote_posix_loop mote_posix_loop;
typedef struct mote_posix_mailbox mote_posix_mailbox; /* mailbox.h */
typedef struct {
    enum mote_posix_dial_state state;     /* BUSY until it is looked at */
    struct mote_posix_dialling *dialling; /* of the thread; not NULL exactly when BUSY */
    size_t first; /* of the addresses of a name, modulo their number: which one is tried first */
} mote_posix_dial;

/* As mote_posix_connect(), whose parameters these are; only when IDLE. `address` is not needed
 * after the return. A turn of `loop` under way ends when it is DONE; NULL: nobody is woken. */
void mote_posix_dial_begin(mote_posix_dial *d, mote_posix_loop *loop, const char *address,
                           uint32_t timeout_ms);

/* How far it is. DONE is said once; then *fd is the socket, now the caller's, or -1: it failed, and
 * mote_posix_error() says why. */
enum mote_posix_dial_state mote_posix_dial_look(mote_posix_dial *d, int *fd);

/* Gives it up: a socket that it has, or gets, is closed. */
void mote_posix_dial_forget(mote_posix_dial *d);

/* Waits for a connection to a listening socket, for at most timeout_ms: a socket as
 * mote_posix_connect() makes one, or -1. */
int mote_posix_accept_one(int listener, uint32_t timeout_ms);

/* A transport over a connected socket, for mote_channel. *fd must stay where it is. */
mote_io mote_posix_io(int *fd);

/* A transport that connects, and connects again when it is gone: to the first address in the list
 * that can be reached, beginning with the one behind the last; and so with those of a name. */
typedef struct {
    int fd;                       /* begins as -1 */
    const char *const *addresses; /* as for mote_posix_connect() */
    size_t count;
    size_t next; /* begins as 0 */
} mote_posix_dialer;
mote_io mote_posix_dialer_io(mote_posix_dialer *dialer);

/* Memory for n objects of a size, zeroed, aligned to a page and touched lazily; NULL on error. */
void *mote_posix_memory(size_t count, size_t size);

/* From now on prints the frames of all sockets to standard error, as `nghttp -v` does. */
void mote_posix_trace(void);

/* For what passes inside of a socket, as in TLS: a number for a new connection, and its bytes.
 * Without effect unless frames are printed. */
int mote_posix_trace_inner(void);
void mote_posix_trace_bytes(int number, bool sent, const uint8_t *bytes, size_t len);

/* How often SIGINT and SIGTERM have come since mote_posix_catch_signals() was called: 0 to 2. Loops
 * that are begun after that, and transports, wait no longer when one comes. Where the kernel has no
 * descriptor left to wake them by, the signals are not caught, and end the program. */
extern volatile sig_atomic_t mote_posix_stopped;
void mote_posix_catch_signals(void);

/* ---- connections --------------------------------------------------------------------------- */

/* What an engine says of its input. */
enum mote_posix_input {
    MOTE_POSIX_TOOK_ALL,     /* and goes on */
    MOTE_POSIX_OUTPUT_FIRST, /* it stopped at *used: what it has to say must leave before it takes
                                the rest (TLS in its handshake) */
    MOTE_POSIX_ENDED         /* it has ended, well or not, and each of its calls was told: what
                                it still says leaves, then the transport is closed. Sticky */
};

/*
 * What an engine offers to a transport that calls it: docs/transports.md. `self` is the engine's
 * object. All functions return at once.
 */
typedef struct {
    /* Takes bytes that arrived, all of them unless it says OUTPUT_FIRST, which alone sets *used.
     * With len 0 (`in` may be NULL): does what tick(), ack(), eof() or calls of its user have
     * caused. `in` is not needed after the return. */
    enum mote_posix_input (*input)(void *self, const uint8_t *in, size_t len, size_t *used);
    /* Bytes to write next, *len of them; NULL: none. Valid until the next function but ack(); the
     * same bytes are offered until they are acknowledged, possibly with more behind them. */
    const uint8_t *(*peek)(void *self, size_t *len);
    /* The first `len` of these bytes were written. Follow it with input(): there is room. */
    void (*ack)(void *self, size_t len);
    /* Takes the time, in ms from any origin, never backwards; how many ms until it wants it again,
     * UINT32_MAX: never. Follow it with input(). */
    uint32_t (*tick)(void *self, uint64_t now_ms);
    /* The transport has ended, however; also more than once, and after ENDED. Follow it with
     * input(), which tells each call. */
    void (*eof)(void *self);
    /* The transport is about to be closed, though the engine has not ended: last words are what
     * peek() offers now. NULL: it has none. */
    void (*close)(void *self);
    /* Takes the time of what input() is about to get, and judges nothing by it: what is late may be
     * in those bytes, and tick() follows. NULL: it learns the time by tick() alone. */
    void (*clock)(void *self, uint64_t now_ms);
} mote_posix_engine;

/* Puts an engine around another one, as for TLS: *engine and *self are replaced. 0, or -1. `memory`
 * holds `size` bytes until unwrap(). */
typedef struct {
    void *context;
    size_t size;
    int (*wrap)(void *context, void *memory, const mote_posix_engine **engine, void **self);
    void (*unwrap)(void *self);
    bool one_thread; /* all its connections are of one thread, as those of a TLS context are */
} mote_posix_security;

/* A gRPC server: self is a mote_grpc *. */
extern const mote_posix_engine mote_posix_grpc_server;

/* A gRPC client whose events go to a function; self is a mote_posix_client *. */
typedef struct {
    mote_grpc grpc;
    void (*on_event)(void *context, const mote_grpc_event *ev); /* context of the config */
} mote_posix_client;
extern const mote_posix_engine mote_posix_grpc_client;

/*
 * The life of a connection in a loop.
 *
 *   CLOSED -- mote_posix_loop_add() --> OPEN -- the engine has ended --> ENDING
 *     ^ ^                               |  |                              |  |
 *     | |     it takes no more output   |  |  mote_posix_close(), the     |  |  all its output
 *     | |         BROKEN <--------------+  |  peer's end, an error, or    |  |  has left: FIN
 *     | |           | what has come        |  the peer reads no more      |  |
 *     | |           v is read              v                              v  |
 *     | +---- end of the turn --------- CUT                       LINGERING  |
 *     |                                                                   |  |
 *     |                             the peer's end, an error, a second    |  | as from OPEN
 *     |                             or mote_posix_close()                 v  v
 *     +------ end of the turn -------------------------------------------- OVER
 *
 * In CUT the engine has yet to be told that the transport has ended, and may have last words. From
 * ENDING on input is thrown away; it is read, since a close with unread input would make the
 * kernel reset the connection and lose what the engine has said.
 */
enum mote_posix_conn_state {
    MOTE_POSIX_CONN_CLOSED,
    MOTE_POSIX_CONN_OPEN,
    MOTE_POSIX_CONN_ENDING,
    MOTE_POSIX_CONN_LINGERING,
    MOTE_POSIX_CONN_CUT,
    MOTE_POSIX_CONN_OVER,
    MOTE_POSIX_CONN_BROKEN
};

/* A place in the order of a loop's times, for the loop alone; zero: in none. */
typedef struct mote_posix_timer {
    uint64_t at_ms;
    struct mote_posix_timer *child, *next, *previous;
} mote_posix_timer;

/* One connection of a loop, zero before its first use. The members may be read. */
typedef struct mote_posix_conn {
    const mote_posix_engine *engine;
    void *self;
    mote_posix_loop *loop;
    struct mote_posix_conn *next, *previous;
    void (*closed)(struct mote_posix_conn *conn); /* may reuse the object; may be NULL */
    void *user;
    mote_grpc *grpc; /* of mote_posix_serve(); without an open call it may rest (grpc/rest.h) */
    mote_posix_timer timer; /* not later than due_ms */
    uint64_t due_ms;        /* next tick */
    uint64_t progress_ms;   /* last time that output moved, or began to wait */
    uint64_t bytes_in, bytes_out;
    int fd;
    enum mote_posix_conn_state state;
    bool writing; /* output waits for room in the socket (EPOLLOUT); in any state */
} mote_posix_conn;

/* Called for each accepted socket; takes it over, or returns -1 to have it closed. */
typedef int mote_posix_accept(void *context, int fd);

/*
 * Whether a loop accepts.
 *
 *   DEAF -- mote_posix_loop_listen() --> LISTENING -- no file descriptor, or no room --> FULL
 *     ^                                   |  ^                                           |
 *     +---- mote_posix_loop_deafen() -----+  +---- a connection has ended, or 100 ms ----+
 *                                 (from FULL as well)
 */
enum mote_posix_ears { MOTE_POSIX_DEAF, MOTE_POSIX_LISTENING, MOTE_POSIX_FULL };

struct mote_posix_loop {
    int epoll, listener; /* listener: -1 exactly when DEAF; epoll: -1 where poll() is used */
    void *polled;        /* what is watched by poll() */
    enum mote_posix_ears ears;
    mote_posix_accept *accept;
    void *accept_context;
    /* Asked before each accept; false: who connects waits in the backlog of the listener, for 100
       ms or until a connection has ended. NULL: always. */
    bool (*room)(void *accept_context);
    bool shares; /* the socket is the listener of other loops as well: they take turns */
    mote_posix_conn *conns, *last_active;
    mote_posix_timer
        *timers; /* of all connections: what is due is found without a look at others */
    size_t conn_count;
    unsigned spins;
    unsigned accepts; /* in one turn at most; 0: 256 */
    uint64_t now_ms;
    uint64_t ears_ms;            /* when FULL: the next try */
    mote_posix_mailbox *mailbox; /* NULL: none */
    uint64_t slow;               /* handlers that have held up all others, of mote_posix_serve() */
    uint32_t stall_ms;           /* a connection whose output does not move for so long is closed;
                                    60,000 */
    uint32_t spin_us; /* looks again and again for so long before it sleeps: trades processor time
                         for latency; 0 */
    uint8_t in[1 << 18]; /* shared: an engine uses up its input at once */
};

int mote_posix_loop_init(mote_posix_loop *loop);
/* Accepts connections from now on. The listener belongs to the loop; -1, with a text, when it
 * cannot be watched: then it is closed. */
int mote_posix_loop_listen(mote_posix_loop *loop, int listener, mote_posix_accept *accept,
                           void *context);
/* Closes the listener: whoever connects from now on is refused, and may go elsewhere. */
void mote_posix_loop_deafen(mote_posix_loop *loop);
/* Takes a connected socket into the loop. `conn` belongs to it until `closed` is called. -1: it
 * cannot be watched; the socket is still the caller's, and `closed` is not called. */
int mote_posix_loop_add(mote_posix_loop *loop, mote_posix_conn *conn, int fd,
                        const mote_posix_engine *engine, void *self);
/* Waits for at most timeout_ms and handles what has happened; not where a connection has been
 * closed, or had input, before it could wait. -1 on error. */
int mote_posix_loop_turn(mote_posix_loop *loop, uint32_t timeout_ms);
/* Lets the engine work and writes what it has: to be called after sending outside of its handlers.
 * Without effect unless the connection is OPEN or ENDING. */
void mote_posix_flush(mote_posix_conn *conn);
/* Ticks the engine in the next turn, whatever time it has asked for. */
void mote_posix_hurry(mote_posix_conn *conn);
/* Closes at the end of this turn; without effect where that is already so. */
void mote_posix_close(mote_posix_conn *conn);
/* Closes everything. */
void mote_posix_loop_end(mote_posix_loop *loop);

/* ---- a gRPC server in one call ------------------------------------------------------------- */

/*
 * Workers: a server on several cores. Each is a thread with a loop, a listener, connections and
 * counters of its own, and a connection stays with the worker that has accepted it. On the path of
 * a message nothing is shared, so that there is no lock. What that asks of a program:
 *
 * - Handlers, `turn` and `slow` are called in the threads of all workers, at the same time. What
 *   they share is constant, or the program locks it, or each worker has its own (`own`).
 * - A call, its connection and its loop are touched in the thread of their worker alone: in its
 *   handlers and in its `turn`. Other threads answer calls by a mailbox (mailbox.h).
 * - `own` and `ready` are called in the thread of mote_posix_serve(), before any worker begins.
 *
 * The kernel deals connections out by the addresses of both ends (SO_REUSEPORT); at a Unix socket
 * the workers that have nothing to do take turns.
 */
enum { MOTE_POSIX_EVERY_CORE = -1, MOTE_POSIX_MOST_WORKERS = 1024 };

/* What a worker may have for itself; it begins as what all have. */
typedef struct {
    void *context; /* of its handlers, its `turn` and its `slow`: grpc.context */
    const mote_posix_security *security;
    mote_posix_mailbox *mailbox; /* its letters are opened by the worker; NULL: none (mailbox.h) */
} mote_posix_own;

typedef struct {
    const char *address;
    const char *dial;       /* in place of listening: connects to this address, again and again, and
                               serves on the connection that it has opened */
    mote_grpc_config grpc;  /* server is set by the call */
    size_t max_connections; /* 0: 1024; of all workers, each of which has its even part */
    int workers; /* 0, 1: the thread that calls; MOTE_POSIX_EVERY_CORE: one for each core that this
                    process may use */
    /* Called for each worker, from number 0 on; -1: the server does not start. NULL: all have the
       same. */
    int (*own)(void *context, unsigned number, mote_posix_own *own);
    uint32_t spin_us;                   /* as in mote_posix_loop */
    bool quiet;                         /* does not print "listening on ADDRESS" */
    void (*ready)(const char *address); /* in place of that line; may be NULL */
    /* After each turn, also while the server ends; may be NULL. It may add connections of the
       application to the loop, which count for none of the limits here and are told nothing of the
       end: they are waited for as calls are, unless `turn` closes them, and then closed. */
    void (*turn)(void *context, mote_posix_loop *loop);
    uint32_t turn_ms;           /* at least this often; 0: only when something happens */
    const mote_grpc_life *life; /* keepalive and ages of each connection; NULL: a peer
                                   that is silent for 5 minutes is asked if it is there */
    uint32_t drain_ms;          /* calls have so long to end once it is to stop; 0: 10,000 */
    uint32_t slow_ms;           /* a handler that takes longer is reported; 0: 100 */
    /* Reports such a handler; NULL: a line on standard error does. */
    void (*slow)(void *context, const char *service, const char *method, uint32_t ms);
    const mote_posix_security *security; /* NULL: none; mote_posix_tls_security() of
                                            port/posix/tls.h */
} mote_posix_server;

/* Serves until SIGINT or SIGTERM; then the listeners are closed, and each connection ends when its
 * calls have, or drain_ms later, or at a second signal. 0, or -1 on error, which is printed: also
 * when one worker has failed, which ends the others so. Each thread may have a server
 * of its own: they share nothing but the signal, which ends all. When slots of a worker run short,
 * its connections that have sent no request give way, and then idle ones. */
int mote_posix_serve(const mote_posix_server *server);

/* The connection of a call of such a server, for its handlers. */
mote_posix_conn *mote_posix_conn_of(const mote_grpc_call *call);

/* Who calls: the address of the peer of a connection, as "192.0.2.1:5000", "[::1]:5000", or
 * "unix:uid=1000" (the user whose process it is); "" when the socket does not know it. What the
 * peer has proven of itself is in mote_posix_tls_peer() of port/posix/tls.h. */
const char *mote_posix_peer_address(const mote_posix_conn *conn, char out[128]);

/* Bytes of memory of one connection of such a server while it is at work. A second after its last
 * input and the end of its last call it gives all but a KiB, and what its HPACK table holds, to the
 * others. */
size_t mote_posix_connection_size(const mote_grpc_config *config);

#ifdef __cplusplus
}
#endif
#endif
