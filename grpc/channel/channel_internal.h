#ifndef MOTE_CHANNEL_INTERNAL_H
#define MOTE_CHANNEL_INTERNAL_H

#include "channel.h"

#define MOTE_CHANNEL_FOREVER UINT64_MAX

enum { MOTE_CHANNEL_CATCH_UP_MS = 20 }; /* to read what a socket holds takes less */
enum { MOTE_GRPC_NO_RETRY = -1, MOTE_GRPC_NO_PUSHBACK = -2 }; /* pushback_ms */

/* channel.c: what all the others are made of */
uint64_t mote_channel_now(mote_channel *ch);
/* now + ms, where 0 is no limit. */
uint64_t mote_channel_until(mote_channel *ch, uint32_t timeout_ms);
/* One turn: time-outs, output, input; and when there is none, a wait until `until_ms`. */
void mote_channel_turn(mote_channel *ch, uint64_t until_ms);
/* Writes what the transport takes now. */
void mote_channel_write(mote_channel *ch);
/* The next event of this call, or of any (NULL): 1; 0: none without a turn; < 0: the connection is
 * over, and every call was told. Events of other calls wait. */
int mote_channel_take(mote_channel *ch, const mote_grpc_call *call, mote_grpc_event *ev);
/* All events wait: 0, or the sticky error. */
int mote_channel_park(mote_channel *ch);
/* Lets time pass. */
void mote_channel_pause(mote_channel *ch, uint64_t until_ms);

/* state.c */
void mote_channel_set_state(mote_channel *ch, enum mote_channel_state state, const char *why);
/* The connection has ended, or takes no more calls. */
void mote_channel_lose(mote_channel *ch, const char *why);
/* The transport's own words, where it has some. */
const char *mote_channel_reason(mote_channel *ch, const char *otherwise);

/* connect.c */
/* Waits until calls can be started: 0, or MOTE_CHANNEL_ERR_DEADLINE, _CONNECT, _SHUTDOWN. */
int mote_channel_connect(mote_channel *ch, bool wait_for_ready, uint64_t until_ms);
uint32_t mote_channel_random(mote_channel *ch);

/* call.c: the same with the time at which the deadline passes; nothing is written. *ch becomes the
 * channel of the call: its spare, as may be. */
int mote_channel_begin(mote_channel **ch, const mote_grpc_request *request, uint64_t until_ms,
                       mote_grpc_call **call);

/* replay.c, where it is used: calls that were started, and are made again. */
typedef struct mote_channel_replayer {
    void (*started)(mote_channel *ch, mote_grpc_call *call, const mote_grpc_request *request,
                    uint64_t until_ms);
    /* A message has been sent, or (source NULL) the call was half-closed. */
    void (*sent)(mote_channel *ch, mote_grpc_call *call, const mote_grpc_source *source,
                 const void *message, unsigned flags);
    /* Of a call whose end is *ev, or, NULL, waits to be told: true: it was made again, and goes on.
     * False: *ev is told, which may be another end by now. */
    bool (*again)(mote_channel *ch, mote_grpc_call *call, mote_grpc_event *ev);
} mote_channel_replayer;

/* status.c */
const char *mote_channel_wait_text(enum mote_channel_wait waits_for);
/* A message of the call cannot be sent, so it has no good end: it is cancelled, with the status of
 * that error: true. False where it is over, or has sent its last message. */
bool mote_channel_refuse(mote_grpc_call *call, const mote_grpc_source *source, int error);

/* unary.c */
mote_status mote_channel_unary_once(mote_channel *ch, const mote_grpc_request *request,
                                    uint64_t until_ms, const mote_grpc_source *source,
                                    const void *message, const uint8_t **response, size_t *len);

/* Before a call that no server has seen, `unseen` times so far, is made again on a connection that
 * has refused it: at once for the first time, then after waits that grow. 0, or
 * MOTE_CHANNEL_ERR_DEADLINE. */
int mote_channel_pace(mote_channel *ch, unsigned unseen, mote_backoff *pace, uint64_t until_ms);

#endif
