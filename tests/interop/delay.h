/* Calls that wait for a time: their handler has returned MOTE_AGAIN, and is asked again then. */
#ifndef INTEROP_DELAY_H
#define INTEROP_DELAY_H

#include "../../port/posix/posix.h"

enum { MAX_DELAYS = 4096 };

typedef struct {
    mote_grpc_call *call;
    uint64_t due_ms;
} delay;

static delay delays[MAX_DELAYS];
static size_t delay_count;

static inline void delay_cancel(const mote_grpc_call *call)
{
    for (size_t i = 0; i < delay_count; i++) {
        if (delays[i].call == call)
            delays[i--] = delays[--delay_count];
    }
}

/* The result is for the handler to return. */
static inline int delay_until(mote_grpc_call *call, uint64_t due_ms)
{
    delay_cancel(call);
    if (delay_count == MAX_DELAYS)
        return MOTE_GRPC_RESOURCE_EXHAUSTED;
    delays[delay_count++] = (delay){call, due_ms};
    return MOTE_AGAIN;
}

/* After each turn of the loop. */
static inline void delay_turn(mote_posix_loop *loop)
{
    bool due = false;
    uint64_t now = mote_posix_now_ms();

    for (size_t i = 0; i < delay_count; i++) {
        if (delays[i].due_ms > now)
            continue;
        mote_grpc_resume(delays[i].call);
        delays[i--] = delays[--delay_count];
        due = true;
    }
    for (mote_posix_conn *conn = loop->conns; due && conn; conn = conn->next) {
        mote_grpc_serve(conn->grpc, NULL, 0);
        mote_posix_flush(conn);
    }
}

#endif
