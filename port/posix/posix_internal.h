#ifndef MOTE_POSIX_INTERNAL_H
#define MOTE_POSIX_INTERNAL_H

#include "posix.h"

/* trace.c: without effect unless mote_posix_trace() was called. */
void mote_posix_trace_begin(int fd); /* a new socket */

#endif
