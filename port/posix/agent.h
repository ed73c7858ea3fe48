/* posix: POSIX threads share a connection, by grpc/channel/agent.h. */
#ifndef MOTE_POSIX_AGENT_H
#define MOTE_POSIX_AGENT_H

#include "posix.h"
#include "../../grpc/channel/agent.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An agent with what it needs of the system; all functions of agent.h take &p->agent. */
typedef struct {
    mote_agent agent;
    /* private */
    pthread_mutex_t lock;
    int wake[2]; /* a bell */
} mote_posix_agent;

/* Prepares an agent for a channel, whose transport is mote_posix_dialer_io(), mote_posix_io() or
 * one over them, as through TLS. 0, or -1: the system has no descriptor left, see
 * mote_posix_error(). Calls may be started from here on. */
int mote_posix_agent_init(mote_posix_agent *p, mote_channel *channel);

/* mote_agent_run(), in the thread that calls. */
void mote_posix_agent_run(mote_posix_agent *p);

/* Gives back what mote_posix_agent_init() took: after mote_posix_agent_run() has returned and each
 * call has ended. */
void mote_posix_agent_free(mote_posix_agent *p);

#ifdef __cplusplus
}
#endif
#endif
