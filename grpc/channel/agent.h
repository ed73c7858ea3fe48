/*
 * agent: several tasks use one connection. One task, the owner, runs mote_agent_run() and is alone
 * with the channel; the others put their calls into its list, and sleep until they are answered.
 * Nothing of the engine is locked. What it needs of an operating system is mote_agent_os, which
 * port/posix/agent.h gives for POSIX threads and port/freertos/freertos.h for FreeRTOS.
 *
 *     static mote_agent agent;                         one task:   mote_agent_run(&agent);
 *
 *     uint8_t bytes[64];                               any other:
 *     mote_agent_call call = {.buffer = bytes, .size = sizeof bytes};
 *     mote_status status = mote_agent_unary(&agent, &call,
 *         &(mote_grpc_request){.path = &hello_Thermometer_Read_path, .timeout_ms = 5000},
 *         &hello_Thermometer_Read_request, &question);
 *     if (status.code == MOTE_GRPC_OK)
 *         hello_Reading_decode(&reading, bytes, call.len, NULL);
 *
 * The list is made of the calls themselves, in the memory of their tasks, so that it is never full:
 * a call waits in it while there is no connection, while max_calls are open, and while the server
 * permits no more, until its deadline.
 */
#ifndef MOTE_AGENT_H
#define MOTE_AGENT_H

#include "channel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the agent needs of an operating system. */
typedef struct {
    void *context;
    /* One task at a time. Held while calls are looked at and a message is copied or encoded, never
     * while anything is waited for. */
    void (*lock)(void *context);
    void (*unlock)(void *context);
    /* The task that calls; never NULL. */
    void *(*self)(void *context);
    /* Called, and returns, with the lock held; gives it up to sleep until there was a notify() for
     * this task, also one before it slept, or until_ms has come (UINT64_MAX: never). May return
     * early. */
    void (*sleep)(void *context, uint64_t until_ms);
    void (*notify)(void *context, void *task); /* called with the lock held */
    /* Ends `wait` of the channel's mote_io, also the next one if there is none now. From any task.
     */
    void (*wake)(void *context);
} mote_agent_os;

/*
 * Where a call is:
 *
 *   NEW -- start --> WAITS -- there is room on a connection --> OPEN -- status --> ENDED
 *                      |  ^                                       |                  ^
 *                      |  +-- no server has seen it (unary) ------+                  |
 *                      +-- deadline, cancel, no connection, the agent's end ---------+
 */
enum mote_agent_state { MOTE_AGENT_NEW, MOTE_AGENT_WAITS, MOTE_AGENT_OPEN, MOTE_AGENT_ENDED };

/* What its task has given to the owner to send. */
enum mote_agent_sending {
    MOTE_AGENT_SENDS_NOTHING,
    MOTE_AGENT_SENDS_MESSAGE,
    MOTE_AGENT_SENDS_END
};

/* Its buffer: the task reads it; it is for the next message; it has one that the task has not seen.
 */
enum mote_agent_inbox { MOTE_AGENT_HELD, MOTE_AGENT_WANTED, MOTE_AGENT_FULL };

enum { MOTE_AGENT_TEXT = 96 }; /* of a status, the longest that is kept */

/* A call, in the memory of its task, from mote_agent_start() until mote_agent_finish(). */
typedef struct mote_agent_call {
    uint8_t *buffer; /* for the user: where messages arrive, each in place of the last */
    size_t size;     /* one that is larger ends the call with RESOURCE_EXHAUSTED */
    size_t len;      /* of the message in the buffer */
    /* private */
    struct mote_agent *agent;
    struct mote_agent_call *next;
    void *task; /* that sleeps for it; NULL: none */
    mote_grpc_call *call;
    mote_grpc_request request;
    uint64_t deadline_ms;
    const mote_grpc_source *source;
    const void *message;
    unsigned flags;
    int error; /* of the last message */
    enum mote_agent_state state;
    enum mote_agent_sending sending;
    enum mote_agent_inbox inbox;
    bool unary, repeated, cancelled;
    mote_backoff pace; /* where a server refuses it again and again: the next time it is made */
    uint64_t not_before_ms;
    int code;
    size_t text_len;
    char text[MOTE_AGENT_TEXT];
} mote_agent_call;

/* RUNS -- mote_agent_stop() --> STOPS -- mote_agent_run() returns --> OVER */
enum mote_agent_life { MOTE_AGENT_RUNS, MOTE_AGENT_STOPS, MOTE_AGENT_OVER };

typedef struct mote_agent {
    mote_channel *channel;
    mote_agent_os os;
    uint32_t poll_ms; /* for a transport whose wait cannot be woken: it waits no longer than this;
                         0: it can */
    /* private */
    mote_agent_call *calls; /* in the order of their start */
    enum mote_agent_life life;
    bool connected;            /* when the owner looked last */
    char why[MOTE_AGENT_TEXT]; /* ...it was not */
} mote_agent;

/* ---- the owner ------------------------------------------------------------------------------- */

/* An agent for a channel (mote_channel_init()) without a spare. now_ms of its mote_io is called by
 * all tasks; everything else of it, on_metadata and on_state too, by the owner alone. Calls may be
 * started before the owner runs. */
void mote_agent_init(mote_agent *a, mote_channel *channel, mote_agent_os os);

/* Carries the calls until mote_agent_stop(); connects when a call needs it, and again. Then calls
 * that have not ended do so with UNAVAILABLE, and the channel is closed. */
void mote_agent_run(mote_agent *a);

/* From any task: calls that wait have ended when it returns, and so does each that is started
 * later; the owner ends the others as soon as an attempt to connect is over. */
void mote_agent_stop(mote_agent *a);

/* ---- the other tasks ------------------------------------------------------------------------- */

/* A unary call; the response is call->buffer, call->len. When no server has seen it, it is made
 * again: once (gRPC proposal A6), or with wait_for_ready until its deadline. A server that says OK
 * without a response, or with more than one, has not implemented it: UNIMPLEMENTED. The text of the
 * status lies in the call. The message, and what the request points to, stay until it returns, and
 * no longer. */
mote_status mote_agent_unary(mote_agent *a, mote_agent_call *call, const mote_grpc_request *request,
                             const mote_grpc_source *from, const void *message);

/* Starts a call, and waits for nothing. Its timeout_ms counts from here. What the request points to
 * stays until a function below has returned. Messages leave as they are, without its codec. */
void mote_agent_start(mote_agent *a, mote_agent_call *call, const mote_grpc_request *request);

/* Waits until the message is in the transmit buffer, all of it; flags: MOTE_GRPC_LAST. 0;
 * MOTE_GRPC_ERR_STATE: the call is over, see mote_agent_finish(), or has sent its last message; or
 * an error of mote_grpc_send(): this message cannot be sent, and the call is over for this reason.
 */
int mote_agent_send(mote_agent_call *call, const mote_grpc_source *from, const void *message,
                    unsigned flags);

/* No message follows. 0, or MOTE_GRPC_ERR_STATE as above. */
int mote_agent_half_close(mote_agent_call *call);

/* Waits for the next message, which is call->buffer, call->len, until the next function of this
 * call: true; false: there are no more, and the call has ended. */
bool mote_agent_recv(mote_agent_call *call);

/* Waits for the end, and skips messages. Each call that was started needs this once; then its
 * memory is free. */
mote_status mote_agent_finish(mote_agent_call *call);

/* Ends a call with CANCELLED, from any task: at once where it waits, otherwise as soon as the owner
 * has told the server. Without effect when it has ended; it must have been started, and not
 * finished. */
void mote_agent_cancel(mote_agent_call *call);

#ifdef __cplusplus
}
#endif
#endif
