/*
 * channel: a client for straight-line code. Its calls block; it connects by itself where the
 * transport can, and makes unary calls again where a policy says so. Part of grpc/grpc.h, whose
 * conventions hold.
 */
#ifndef MOTE_CHANNEL_H
#define MOTE_CHANNEL_H

#include "../grpc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reconnecting -------------------------------------------------------------------------- */

/* Waits between attempts to connect (the gRPC document connection-backoff.md): 1 s, then 1.6 times
 * as long each time, to 120 s; each differs by up to a fifth at random. All zero: before the first
 * attempt, and after one that has succeeded. */
typedef struct {
    uint32_t next_ms; /* 0: the first */
} mote_backoff;

/* How long to wait from the start of this attempt to the next one. `random` is any number. */
uint32_t mote_backoff_next(mote_backoff *b, uint32_t random);

/* ---- a blocking client --------------------------------------------------------------------- */

/* A transport for straight-line code. Both return the bytes moved, 0 for none within timeout_ms, or
 * < 0 when it has ended. */
typedef struct {
    void *context;
    int (*read)(void *context, uint8_t *buf, size_t cap, uint32_t timeout_ms);
    int (*write)(void *context, const uint8_t *buf, size_t len, uint32_t timeout_ms);
    uint64_t (*now_ms)(void *context);
    /* For channels that connect by themselves; both or neither may be NULL. Opens the transport
     * anew, within timeout_ms: tries each address that it knows in turn. 0, or < 0. */
    int (*connect)(void *context, uint32_t timeout_ms);
    void (*sleep)(void *context, uint32_t ms);
} mote_io;

/* When unary calls are made again (gRPC proposal A6). Constant; channels may share it. */
typedef struct {
    unsigned max_attempts; /* the first one included; 2 to 5 */
    uint32_t initial_backoff_ms, max_backoff_ms;
    uint32_t backoff_multiplier; /* in hundredths: 160 is 1.6 times */
    uint32_t codes;              /* a bit for each status code: 1u << MOTE_GRPC_UNAVAILABLE */
    uint32_t max_tokens;         /* throttling: retries stop below half of them; 0: none */
    uint32_t token_ratio;        /* of a success, in thousandths of a token */
} mote_grpc_retry;

/* What a channel is doing (connectivity-semantics-and-api.md). */
enum mote_channel_state {
    MOTE_CHANNEL_IDLE,
    MOTE_CHANNEL_CONNECTING,
    MOTE_CHANNEL_READY,
    MOTE_CHANNEL_TRANSIENT_FAILURE /* a wait between attempts */
};

struct mote_channel;

/* The end of a call. The text is valid until the next call on the channel. */
typedef struct {
    int code; /* enum mote_grpc_code */
    const char *message;
    size_t message_len;
} mote_status;

typedef mote_status mote_channel_unary_function(struct mote_channel *ch,
                                                const mote_grpc_request *request,
                                                const mote_grpc_source *source, const void *message,
                                                const uint8_t **response, size_t *len);

/* A client connection whose calls block. One thread at a time. */
typedef struct mote_channel {
    mote_grpc grpc; /* first, so that a call leads to its channel */
    mote_grpc_config config;
    mote_io io;
    uint8_t *in;
    size_t in_size, in_pos, in_len;
    /* Gets each field of metadata as it arrives (MOTE_GRPC_METADATA); may be NULL. `context` is
     * that of the config. To be set after mote_channel_init(). */
    void (*on_metadata)(void *context, const mote_grpc_event *ev);
    /* Gets each change of state, and why (a static text); may be NULL, as above. */
    void (*on_state)(void *context, int state, const char *why);
    mote_grpc_life *life; /* NULL: none */
    uint32_t random;      /* a seed that differs from device to device */
    /* private */
    const mote_grpc_retry *retry;
    mote_channel_unary_function *unary; /* NULL: once */
    void *memory;
    size_t memory_size;
    mote_backoff backoff;
    uint64_t attempt_ms; /* earliest time of the next attempt to connect */
    uint32_t tokens;     /* thousandths */
    int32_t pushback_ms;
    uint8_t state; /* enum mote_channel_state */
    bool throttled, committed, unseen;
} mote_channel;

/* All bytes of a blocking client, `in` of them for input. */
#define MOTE_RAM_CHANNEL(calls, rx, tx, table, field, slots, user, in)                             \
    (sizeof(mote_channel) + MOTE_GRPC_MEMORY(calls, rx, tx, table, field, slots, user) + (in))

/* A status for an error of grpc or h2: UNAVAILABLE with the text of mote_grpc_strerror(); one of a
 * code and a static text, such as those of messages that cannot be decoded; and the status that
 * MOTE_GRPC_STATUS carries. */
mote_status mote_status_of_error(int error);
mote_status mote_status_of(int code, const char *text);
mote_status mote_status_of_event(const mote_grpc_event *ev);

/* Prepares a channel: memory as for mote_grpc_init(), `in` for input of any size from 1 byte. The
 * config is copied. */
int mote_channel_init(mote_channel *ch, const mote_grpc_config *config, void *memory,
                      size_t memory_size, void *in, size_t in_size, mote_io io);

/* Starts a call; waits while too many are open. A channel whose io can connect does so first when
 * there is no connection, or the server takes no more calls on it and all of them have ended. 0 or
 * an error. */
int mote_channel_start(mote_channel *ch, const mote_grpc_request *request, mote_grpc_call **call);

/* Sends a message and waits for flow control. 0, or < 0: the call is over, see _recv(). */
int mote_channel_send(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                      unsigned flags);
int mote_channel_half_close(mote_grpc_call *call);

/*
 * Waits for the next event of this call: START, MESSAGE, CHUNK or STATUS; events of other calls
 * wait in their buffers. Returns 1; after STATUS the call is gone. Never fails: a broken transport
 * is a STATUS as well. Views are valid until the next call on the channel.
 */
int mote_channel_recv(mote_grpc_call *call, mote_grpc_event *ev);

/* Half-closes and waits for the end of a call with a single response. *response is a view of the
 * message that is valid until the next call on the channel. A server that says OK without one, or
 * with more, has not implemented the method: UNIMPLEMENTED. The call is gone. */
mote_status mote_channel_collect(mote_grpc_call *call, const uint8_t **response, size_t *len);

/* A unary call: once, unless mote_channel_set_retry() was called. *response as from
 * mote_channel_collect(). */
mote_channel_unary_function mote_channel_unary;

/* Unary calls are made again as the policy says (NULL: not by a policy), and at once when the
 * server has not seen them (RFC 9113 8.7). */
void mote_channel_set_retry(mote_channel *ch, const mote_grpc_retry *policy);

/* Waits for the status, skipping what else arrives. The call is gone. */
mote_status mote_channel_finish(mote_grpc_call *call);

/* Writes what is ready and reads what is there, for at most timeout_ms; for calls that wait for
 * something outside of the channel. 0 or the sticky error. */
int mote_channel_poll(mote_channel *ch, uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
