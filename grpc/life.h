/*
 * life: how long a connection lives, beside it. Part of grpc/grpc.h, whose conventions hold; who
 * does not link it pays nothing.
 */
#ifndef MOTE_LIFE_H
#define MOTE_LIFE_H

#include "grpc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reconnecting -------------------------------------------------------------------------- */

/* Waits between attempts to connect (the gRPC document connection-backoff.md): first_ms, then 1.6
 * times as long each time, to most_ms; each differs by up to a fifth at random. next_ms is zero
 * before the first attempt, and after one that was of use. */
typedef struct {
    uint32_t first_ms; /* 0: 1 s */
    uint32_t most_ms;  /* 0: 120 s */
    uint32_t next_ms;
} mote_backoff;

/* How long to wait from the start of this attempt to the next one. `random` is any number. */
uint32_t mote_backoff_next(mote_backoff *b, uint32_t random);

/* As long as `ms`, or up to a fifth more or less. `random` is any number. */
uint32_t mote_backoff_jitter(uint32_t ms, uint32_t random);

/* ---- the life of a connection -------------------------------------------------------------- */

/*
 * A client's life begins with each attempt to connect and ends with the connection; a server's
 * begins with the first mote_grpc_life_tick().
 *
 *   NONE -- mote_grpc_life_begin() --> BEGINS -- the peer's SETTINGS --> LIVES --> DRAINS
 *   NONE -- mote_grpc_life_tick() of a server ------------------------->
 *   any of them -- mote_grpc_life_end() --> NONE
 */
enum mote_grpc_life_state {
    MOTE_GRPC_LIFE_NONE,
    MOTE_GRPC_LIFE_BEGINS,
    MOTE_GRPC_LIFE_LIVES,
    MOTE_GRPC_LIFE_DRAINS /* no new calls: with the last one that is open it is over */
};

/*
 * Keepalive. What a program that was busy has yet to read goes before a judgement: the time-out
 * counts from the tick after the one that has sent the PING, and behind it there is one more.
 *
 *   QUIET -- a silence of keepalive_ms: PING --> ASKS --> WAITS -- keepalive_timeout_ms --> LATE
 *     ^                                           |         |                              |  |
 *     +------------- any frame of the peer -------+---------+------------------------------+  |
 *                                                         it fails <-- the next tick ---------+
 */
enum mote_grpc_keepalive {
    MOTE_GRPC_KEEPALIVE_QUIET,
    MOTE_GRPC_KEEPALIVE_ASKS,
    MOTE_GRPC_KEEPALIVE_WAITS, /* since asked_ms */
    MOTE_GRPC_KEEPALIVE_LATE
};

/*
 * How long a connection lives, beside it: the time to connect, keepalive by PING, idle time-out,
 * maximum age; and when to connect again. The first members are for the user, the others begin as
 * zero. One object serves a client for all its connections, and keeps what it learns over them.
 *
 * Clients should not ask more often than the server permits, which is every 5 minutes unless agreed
 * otherwise (gRPC proposal A8); a server that was asked too often says too_many_pings (GOAWAY with
 * ENHANCE_YOUR_CALM), and keepalive_ms is doubled.
 */
typedef struct {
    uint32_t connect_ms;   /* a client's, from its beginning to the peer's SETTINGS, whatever it
                              takes the transport to be ready; 0: 20 s */
    uint32_t keepalive_ms; /* after such a silence the peer is asked; 0: never */
    uint32_t
        keepalive_timeout_ms; /* without an answer for so long, the connection fails; 0: 20 s */
    bool keepalive_without_calls;
    uint32_t idle_ms;          /* without calls for so long, it is drained; 0: never */
    uint32_t max_age_ms;       /* so old, it is drained, up to a tenth sooner or later as `random`
                                  has it (gRPC proposal A9); 0: never */
    uint32_t max_age_grace_ms; /* and open calls end after so long; 0: never */
    uint32_t random; /* any number, that differs from device to device; 0: no jitter of the age */
    mote_backoff backoff; /* of a client */
    enum mote_grpc_life_state state;
    enum mote_grpc_keepalive keepalive;
    uint64_t now_ms, born_ms, heard_ms, asked_ms, idle_since_ms, drain_ms, attempt_ms;
} mote_grpc_life;

/* A client begins to connect. The connection is prepared (mote_grpc_init()) before or afterwards.
 */
void mote_grpc_life_begin(mote_grpc_life *l, uint64_t now_ms);

/* A client's connection has ended, or was not had. Returns the ms until the next attempt is due: an
 * attempt that was of use, since its connection has lived until then or a call has succeeded, is
 * followed at once. */
uint32_t mote_grpc_life_end(mote_grpc_life *l, mote_grpc *g, uint64_t now_ms);

/* The connection is of use, as a call has succeeded: whenever it ends, the next attempt is due at
 * once, and waits begin anew. */
static inline void mote_grpc_life_of_use(mote_grpc_life *l)
{
    l->attempt_ms = 0;
}

/* To be called beside mote_grpc_tick(), with the same time, and followed like it; a client's from
 * the beginning on, when its transport is not ready yet. What has arrived is to be read first.
 * Returns the ms until it must be called again. */
uint32_t mote_grpc_life_tick(mote_grpc_life *l, mote_grpc *g, uint64_t now_ms);

/* Ends the connection as its age does, now: the peer is told (GOAWAY), the calls that are open go
 * on, and with the last of them it is over. Without effect when that is so already. */
void mote_grpc_life_drain(mote_grpc_life *l, mote_grpc *g, uint64_t now_ms);

/* ---- heartbeats ---------------------------------------------------------------------------- */

enum mote_heartbeat_state {
    MOTE_HEARTBEAT_RESTS, /* the other application was heard of late, or is never asked */
    MOTE_HEARTBEAT_DUE,   /* it is to be asked: mote_heartbeat_asked() once that is said */
    MOTE_HEARTBEAT_ASKED, /* its answer is awaited */
    MOTE_HEARTBEAT_LOST   /* it has not come */
};

/*
 * Whether the application at the other end is there. A PING ends at the first hop, and a proxy
 * answers it whatever has become of the server behind; to a proxy that waits for messages it is
 * none. So the question is a message of the application, on a call that is open, and so is the
 * answer; what these are, the two applications agree on. The first two members are for the user,
 * the others begin as zero.
 */
typedef struct {
    uint32_t every_ms;   /* after such a silence it is asked; 0: never. Proxies end calls on which
                            nothing is said for 60 s as a rule */
    uint32_t timeout_ms; /* without an answer for so long, it is lost; 0: 20 s */
    enum mote_heartbeat_state state;
    uint64_t since_ms, now_ms; /* when it was heard, or asked */
} mote_heartbeat;

/* The other application was heard, with whatever it had to say; or the call begins. */
void mote_heartbeat_heard(mote_heartbeat *h, uint64_t now_ms);

/* It has been asked now. */
void mote_heartbeat_asked(mote_heartbeat *h, uint64_t now_ms);

/* Sets the state, after what has arrived is read. Returns the ms until it must be called again:
 * UINT32_MAX: not before one of the others; as with mote_grpc_life_tick(), a program that slept for
 * all the time of an answer gets one more turn to read it. */
uint32_t mote_heartbeat_tick(mote_heartbeat *h, uint64_t now_ms);

/* ---- clocks -------------------------------------------------------------------------------- */

/* A clock of 32 bits, as millis() and HAL_GetTick() are, which begins again after 49.7 days: the
 * time without that, as every function here wants it. It is to be asked more often than that. */
typedef struct {
    uint32_t last, high;
} mote_clock;

static inline uint64_t mote_clock_ms(mote_clock *c, uint32_t ticks)
{
    c->high += ticks < c->last;
    c->last = ticks;
    return (uint64_t)c->high << 32 | ticks;
}

/* A call that has just started goes on in the place of one whose end was told: under its pointer,
 * with its generation, by which handles find it. For grpc/channel. */
void mote_grpc_take_over(mote_grpc_call *from, mote_grpc_call *ended, uint32_t generation);

/* The receive buffer of a call slot that was not used, or not since the last call ended; NULL: all
 * were. For grpc/channel. */
uint8_t *mote_grpc_spare_memory(const mote_grpc *g);

#ifdef __cplusplus
}
#endif
#endif
