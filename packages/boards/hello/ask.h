/* What the examples for boards ask: how warm it is in the kitchen, by hello.proto, over whatever
 * transport they bring. */
#ifndef ASK_H
#define ASK_H

#include "mote.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Once, with the transport, which stays. */
void ask_begin(mote_io io);

/* Connects when it must. A status of gRPC, 0: *celsius is the answer; otherwise *text says why,
 * until the next call. */
int ask(double *celsius, char text[96]);

#ifdef __cplusplus
}
#endif
#endif
