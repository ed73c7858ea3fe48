/*
 * FreeRTOS 10.4 or later: tasks share a connection (grpc/channel/agent.h), and a line whose bytes
 * pass two stream buffers is a transport. Sockets are those of the TCP stack: port/lwip/task.h is
 * lwIP's, and docs/porting.md has one for BSD's names.
 *
 * FreeRTOSConfig.h: configSUPPORT_STATIC_ALLOCATION, configUSE_MUTEXES and
 * configUSE_TASK_NOTIFICATIONS are 1. Tasks sleep on one of their notifications, the last one,
 * unless MOTE_FREERTOS_NOTIFICATION names another: nothing else of the program gives or takes it.
 */
#ifndef MOTE_FREERTOS_H
#define MOTE_FREERTOS_H

#include "../../grpc/channel/agent.h"

#ifdef ESP_PLATFORM
#include <freertos/FreeRTOS.h>
#include <freertos/semphr.h>
#include <freertos/stream_buffer.h>
#include <freertos/task.h>
#else
#include <FreeRTOS.h>
#include <semphr.h>
#include <stream_buffer.h>
#include <task.h>
#endif

#ifndef MOTE_FREERTOS_NOTIFICATION
#define MOTE_FREERTOS_NOTIFICATION (configTASK_NOTIFICATION_ARRAY_ENTRIES - 1)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* `now_ms` of a mote_io: the ticks since the start, with their overflows. From any task. */
uint64_t mote_freertos_now_ms(void *unused);

/* ---- an agent ----------------------------------------------------------------------------------
 */

/* An agent with what it needs of the system; all functions of agent.h take &f->agent. */
typedef struct {
    mote_agent agent;
    /* private */
    StaticSemaphore_t memory;
    SemaphoreHandle_t lock;
    TaskHandle_t owner;
    void (*wake)(void *context);
    void *context;
} mote_freertos_agent;

/* Prepares an agent for a channel, before the scheduler starts or after. `wake` with `context` ends
 * the wait of its transport, from any task, as mote_lwip_task_wake() does; NULL: the transport is a
 * mote_freertos_line. */
void mote_freertos_agent_init(mote_freertos_agent *f, mote_channel *channel,
                              void (*wake)(void *context), void *context);

/* mote_agent_run(), in the task that calls. */
void mote_freertos_agent_run(mote_freertos_agent *f);

/* ---- a line, such as a UART --------------------------------------------------------------------
 */

/* Set before there are interrupts; stays with the transport. The buffers are for one direction
 * each: xStreamBufferCreateStatic(), trigger level 1. */
typedef struct {
    StreamBufferHandle_t rx, tx;
    /* There are bytes in tx: begins to send, where nothing is being sent; NULL: the interrupt looks
     * by itself. */
    void (*send)(void *context);
    void *context;
    TaskHandle_t owner; /* whom interrupts wake: the task that uses the transport */
} mote_freertos_line;

/* The transport, for one task, which is the owner where there is an agent. It has no connect and no
 * close. */
mote_io mote_freertos_line_io(mote_freertos_line *line);

/* For interrupts. Bytes that have arrived: what did not fit is lost, and the number of those that
 * did is returned. Bytes to send: how many there are now, at most cap. *woken becomes pdTRUE when
 * portYIELD_FROM_ISR() is due. */
size_t mote_freertos_line_arrived(mote_freertos_line *line, const uint8_t *bytes, size_t len,
                                  BaseType_t *woken);
size_t mote_freertos_line_leaving(mote_freertos_line *line, uint8_t *bytes, size_t cap,
                                  BaseType_t *woken);

#ifdef __cplusplus
}
#endif
#endif
