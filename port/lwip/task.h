/*
 * TCP by lwIP with an operating system (NO_SYS 0, LWIP_NETCONN 1; 2.1 or later), for a task: a
 * transport that connects by itself and whose wait other tasks can end. Works with whatever system
 * lwIP was ported to, as it sleeps on lwIP's own semaphores. LWIP_DNS finds names. Without a
 * system: net.h.
 */
#ifndef MOTE_LWIP_TASK_H
#define MOTE_LWIP_TASK_H

#include "../../grpc/life.h"
#include "../../grpc/channel/channel.h"

#include <lwip/api.h>
#include <lwip/sys.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CLOSED -- connect --> CONNECTING -- lwIP says so --> OPEN; CONNECTING -- error --> CLOSED;
 * any -- close --> CLOSED */
enum mote_lwip_task_state { MOTE_LWIP_TASK_CLOSED, MOTE_LWIP_TASK_CONNECTING, MOTE_LWIP_TASK_OPEN };

/* A name is not looked up, is being looked up, is known, is not to be found. */
enum mote_lwip_name { MOTE_LWIP_NO_NAME, MOTE_LWIP_ASKED, MOTE_LWIP_FOUND, MOTE_LWIP_NOT_FOUND };

/* A connection of a task. Begins as zero but for host and port, and stays where it is for ever. */
typedef struct mote_lwip_task {
    const char *host; /* for the user: a name, or an address in digits */
    u16_t port;
    /* private */
    struct mote_lwip_task *next;
    struct netconn *conn;
    struct pbuf *in; /* has arrived, from in_at on not yet read */
    u16_t in_at;
    sys_sem_t woken;
    ip_addr_t address;
    enum mote_lwip_task_state state;
    enum mote_lwip_name name;
    mote_clock clock;
    char text[96];
} mote_lwip_task;

/* Prepares it, once, after tcpip_init(). 0, or -1: lwIP has no semaphore left. */
int mote_lwip_task_begin(mote_lwip_task *t);

/* The transport. Its functions are for one task, but for now_ms. */
mote_io mote_lwip_task_io(mote_lwip_task *t);

/* Ends its wait, from any task: `wake` of an agent (grpc/channel/agent.h). */
void mote_lwip_task_wake(void *t);

#ifdef __cplusplus
}
#endif
#endif
