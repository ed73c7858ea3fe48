#ifndef MOTE_POSIX_INTERNAL_H
#define MOTE_POSIX_INTERNAL_H

#include "posix.h"

/* host.c: readable for ever once a signal has come; -1: signals are not caught. Whoever looks at
 * mote_posix_stopped and then waits for this, too, misses none. */
int mote_posix_wake_fd(void);

/* error.c: sets the text of mote_posix_error(), to "WHAT ABOUT: WHY"; about may be NULL; with
 * what NULL there is no text. Returns -1. */
int mote_posix_failed(const char *what, const char *about, const char *why);

struct addrinfo;

/* resolve.c: the addresses of "host:port" or "[v6]:port", for freeaddrinfo(); flags as of
 * getaddrinfo(). 0, or -1 with a text: also when the resolver has not answered by until_ms
 * (UINT64_MAX: no limit). */
int mote_posix_resolve(const char *address, int flags, uint64_t until_ms, struct addrinfo **list);

/* trace.c: without effect unless mote_posix_trace() was called. */
void mote_posix_trace_begin(int fd); /* a new socket */

#endif
