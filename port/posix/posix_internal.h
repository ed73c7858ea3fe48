#ifndef MOTE_POSIX_INTERNAL_H
#define MOTE_POSIX_INTERNAL_H

#include "../../hpack/mote_check.h"
#include "posix.h"

/* host.c: readable for ever once a signal has come; -1: signals are not caught. Whoever looks at
 * mote_posix_stopped and then waits for this, too, misses none. */
int mote_posix_wake_fd(void);

/* host.c: what ends the waits of this thread for bytes, an eventfd, which they read; -1: nothing
 * does. */
extern _Thread_local int mote_posix_thread_fd;

/* error.c: sets the text of mote_posix_error(), to "WHAT ABOUT: WHY"; about may be NULL; with
 * what NULL there is no text. Returns -1. */
int mote_posix_failed(const char *what, const char *about, const char *why);

/* error.c: the text of mote_posix_error() as another thread has left it. Returns -1. */
int mote_posix_failed_as(const char *text);

/* What there is of the last connection: none, one that has been of no use yet, one that has. */
enum mote_posix_redial_has { MOTE_POSIX_HAS_NONE, MOTE_POSIX_HAS_NEW, MOTE_POSIX_HAS_USED };
/* dial.c: keeps one connection open, by gRPC's back-off (connection-backoff.md). */
typedef struct {
    mote_posix_dial dial;
    mote_backoff backoff;
    uint64_t not_before_ms;
    enum mote_posix_redial_has had; /* at the last look */
} mote_posix_redial;
/* Goes on with it, in a loop; returns a connected socket, or -1: not now. *wait_ms: until it is to
 * be looked at again, unless a turn ends before. */
int mote_posix_redial_look(mote_posix_redial *r, mote_posix_loop *loop, const char *address,
                           enum mote_posix_redial_has has, uint32_t *wait_ms);

/* loop.c: whoever writes to this eventfd ends a turn. -1: it cannot be watched. */
int mote_posix_loop_woken_by(mote_posix_loop *loop, int fd);

/* As mote_posix_connect(); of the addresses of a name, that with the number `first`, modulo how
 * many there are, is tried first. */
int mote_posix_connect_from(const char *address, size_t first, uint32_t timeout_ms);

struct addrinfo;

/* resolve.c: the addresses of "host:port" or "[v6]:port", for freeaddrinfo(); flags as of
 * getaddrinfo(). 0, or -1 with a text: also when the resolver has not answered by until_ms
 * (UINT64_MAX: no limit). */
int mote_posix_resolve(const char *address, int flags, uint64_t until_ms, struct addrinfo **list);

/* engine.c: of mote_posix_engine, where self is a mote_grpc. */
const uint8_t *mote_posix_grpc_peek(void *self, size_t *len);
void mote_posix_grpc_ack(void *self, size_t len);
void mote_posix_grpc_eof(void *self);
void mote_posix_grpc_clock(void *self, uint64_t now_ms);

/* ears.c: tells the kernel, unless the loop is DEAF; and takes all who wait, or becomes FULL. */
void mote_posix_set_ears(mote_posix_loop *loop, enum mote_posix_ears ears);
void mote_posix_accept_all(mote_posix_loop *loop);

/* timers.c: a heap of times is its earliest one; NULL: there is none. A timer is added when it is
 * in no heap, and removed when it is in this one. */
void mote_posix_timer_add(mote_posix_timer **heap, mote_posix_timer *t, uint64_t at_ms);
void mote_posix_timer_remove(mote_posix_timer **heap, mote_posix_timer *t);
/* For MOTE_CHECK_THAT(): each is linked as it should be, none is before the one above it, and there
 * are so many. */
bool mote_posix_timers_valid(const mote_posix_timer *heap, size_t count);

/* trace.c: without effect unless mote_posix_trace() was called. */
void mote_posix_trace_begin(int fd); /* a new socket */

#endif
