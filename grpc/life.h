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

/*
 * How long a connection lives, beside it: keepalive by PING, idle time-out, maximum age. The first
 * members are for the user, the others begin as zero. Clients should not ask more often than the
 * server permits, which is every 5 minutes unless agreed otherwise (gRPC proposal A8).
 */
typedef struct {
    uint32_t keepalive_ms; /* after such a silence the peer is asked; 0: never */
    uint32_t
        keepalive_timeout_ms; /* without an answer for so long, the connection fails; 0: 20 s */
    bool keepalive_without_calls;
    uint32_t idle_ms;          /* without calls for so long, it is drained; 0: never */
    uint32_t max_age_ms;       /* so old, it is drained, up to a tenth sooner or later as `random`
                                  has it (gRPC proposal A9); 0: never */
    uint32_t max_age_grace_ms; /* and open calls end after so long; 0: never */
    uint32_t random; /* any number, that differs from connection to connection; 0: no jitter */
    bool born, asked, draining;
    uint64_t now_ms, born_ms, heard_ms, asked_ms, idle_since_ms, drain_ms;
} mote_grpc_life;

/* To be called beside mote_grpc_tick(), with the same time, and followed like it. Returns the ms
 * until it must be called again. */
uint32_t mote_grpc_life_tick(mote_grpc_life *l, mote_grpc *g, uint64_t now_ms);

/* Ends the connection as its age does, now: the peer is told (GOAWAY), the calls that are open go
 * on, and with the last of them it is over. Without effect when that is so already. */
void mote_grpc_life_drain(mote_grpc_life *l, mote_grpc *g, uint64_t now_ms);

/* The server has said too_many_pings (GOAWAY with ENHANCE_YOUR_CALM): ask half as often. */
void mote_grpc_life_calm(mote_grpc_life *l);

#ifdef __cplusplus
}
#endif
#endif
