#ifndef MOTE_POSIX_INTERNAL_H
#define MOTE_POSIX_INTERNAL_H

#include "posix.h"

/* host.c: readable for ever once a signal has come; -1: signals are not caught. Whoever looks at
 * mote_posix_stopped and then waits for this, too, misses none. */
int mote_posix_wake_fd(void);

/* socket.c: sets the text of mote_posix_error(); -1. */
int mote_posix_failed(const char *what, const char *about, const char *why);

/* trace.c: without effect unless mote_posix_trace() was called. */
void mote_posix_trace_begin(int fd); /* a new socket */

#endif
