/*
 * channel: a client for straight-line code. Its calls block; it connects by itself where the
 * transport can, and makes unary calls again where a policy says so. Part of grpc/grpc.h, whose
 * conventions hold.
 */
#ifndef MOTE_CHANNEL_H
#define MOTE_CHANNEL_H

#include "../life.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a transport --------------------------------------------------------------------------- */

/*
 * A transport for straight-line code: bytes, a clock, and one function in which time passes.
 * docs/transports.md says how to write one.
 */
typedef struct {
    void *context;
    /* Neither waits. The bytes moved; 0: none now; < 0: the transport has ended. */
    int (*read)(void *context, uint8_t *buf, size_t cap);
    int (*write)(void *context, const uint8_t *buf, size_t len);
    /* Lets time pass until there is something to read, or (`writing`) room to write, or `until_ms`
     * of the clock has come, UINT64_MAX: never. It may return early. Also without a connection. */
    void (*wait)(void *context, bool writing, uint64_t until_ms);
    uint64_t (*now_ms)(void *context); /* any origin, never backwards */
    /* The others may be NULL. Opens the transport anew, in place of what is open; gives up at
     * `until_ms`. 0, or < 0. NULL: it is open, and when it has ended the channel has as well. */
    int (*connect)(void *context, uint64_t until_ms);
    /* Closes it: last words leave as far as there is room. */
    void (*close)(void *context);
    /* Why the last function has failed, as "connect 127.0.0.1:1: Connection refused"; "": not
     * known. Valid until the next function. */
    const char *(*error)(void *context);
    /* A number that differs from device to device and from start to start, by which the waits
     * between attempts differ. NULL: `random` of the channel, or what the clock says. */
    uint32_t (*random)(void *context);
} mote_io;

/* ---- a blocking client --------------------------------------------------------------------- */

/* Errors -600..-699, which mote_channel_status() makes a status of. */
#define MOTE_CHANNEL_ERRORS(X)                                                                     \
    X(MOTE_CHANNEL_ERR_DEADLINE, -600, "the deadline has passed")                                  \
    X(MOTE_CHANNEL_ERR_CONNECT, -601, "there is no connection")                                    \
    X(MOTE_CHANNEL_ERR_CALLS, -602,                                                                \
      "all calls that the channel has room for are open (max_calls)")                              \
    X(MOTE_CHANNEL_ERR_GOAWAY, -603,                                                               \
      "the server takes no new calls until those that are open end")                               \
    X(MOTE_CHANNEL_ERR_SHUTDOWN, -604, "the channel is closed")                                    \
    X(MOTE_CHANNEL_ERR_PACKING, -605,                                                              \
      "the call has a codec, and the channel no memory to compress in: set packing, packing_size") \
    X(MOTE_CHANNEL_ERR_NO_CALL, -606, "the call has not started, or its end was told")

enum mote_channel_error {
#define MOTE_CHANNEL_ENUM(name, code, text) name = code,
    MOTE_CHANNEL_ERRORS(MOTE_CHANNEL_ENUM)
#undef MOTE_CHANNEL_ENUM
};

/* When unary calls are made again (gRPC proposal A6). Constant; channels may share it. */
typedef struct {
    unsigned max_attempts; /* the first one included; 2 to 5 */
    uint32_t initial_backoff_ms, max_backoff_ms;
    uint32_t backoff_multiplier; /* in hundredths: 160 is 1.6 times */
    uint32_t codes;              /* a bit for each status code: 1u << MOTE_GRPC_UNAVAILABLE */
    uint32_t max_tokens;         /* throttling: retries stop below half of them; 0: none */
    uint32_t token_ratio;        /* of a success, in thousandths of a token */
} mote_grpc_retry;

/* The text of an error of a channel, or of one below it; never NULL. Static. */
const char *mote_channel_strerror(int error);

/*
 * What a channel is doing (the gRPC document connectivity-semantics-and-api.md):
 *
 *               a call begins             SETTINGS arrive
 *      IDLE ------------------> CONNECTING ------------> READY
 *       ^                         |    ^                 |  |
 *       |         attempt failed, |    | a call, and     |  | ended before
 *       |   or ended too early    v    | the wait is over|  | it was of use
 *       |                 TRANSIENT_FAILURE <------------+--+
 *       +------------------------------------------------+
 *          takes no more calls (GOAWAY); or ended after it was of use
 *
 * A connection was of use when a call has succeeded on it, or it has lived for the wait that the
 * attempt has begun; then the waits begin anew. SHUTDOWN: mote_channel_close() was called, or a
 * transport that cannot connect again has ended.
 */
enum mote_channel_state {
    MOTE_CHANNEL_IDLE,
    MOTE_CHANNEL_CONNECTING,
    MOTE_CHANNEL_READY,
    MOTE_CHANNEL_TRANSIENT_FAILURE,
    MOTE_CHANNEL_SHUTDOWN
};

/* What a blocking function waits for, and what the status says when its deadline passes there. */
#define MOTE_CHANNEL_WAITS(X)                                                                      \
    X(MOTE_WAITS_FOR_ATTEMPT, "the wait before the next attempt to connect is not over")           \
    X(MOTE_WAITS_FOR_CONNECTION, "connecting took too long")                                       \
    X(MOTE_WAITS_FOR_SETTINGS, "connected, but the server has not sent its SETTINGS")              \
    X(MOTE_WAITS_FOR_CALLS, "the server takes no new calls, and open ones have not ended")         \
    X(MOTE_WAITS_FOR_STREAM, "the server permits no more calls at once")                           \
    X(MOTE_WAITS_FOR_ROOM, "the transport takes no more bytes")                                    \
    X(MOTE_WAITS_FOR_WINDOW, "the server's flow-control window is closed")                         \
    X(MOTE_WAITS_FOR_SERVER, "the server has not answered")

enum mote_channel_wait {
#define MOTE_CHANNEL_ENUM(name, text) name,
    MOTE_CHANNEL_WAITS(MOTE_CHANNEL_ENUM)
#undef MOTE_CHANNEL_ENUM
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

/*
 * A place is free; or, of the call that it was given to:
 *
 *   KEPT -- no server has seen it, a new call begins --> REPEATS -- what was sent has left --> KEPT
 *     |
 *     +-- none can begin --> FAILED, until that end was told
 */
enum mote_replay_state { MOTE_REPLAY_KEPT, MOTE_REPLAY_REPEATS, MOTE_REPLAY_FAILED };

/* A place for a call that is made again while no server has seen it. */
typedef struct {
    void *memory; /* what it has sent so far is kept here: metadata, and messages as encoded */
    size_t size;
    /* private */
    mote_grpc_call *call; /* NULL: none */
    uint32_t generation;
    uint32_t began;
    enum mote_replay_state state;
    unsigned made;
    uint64_t until_ms;
    mote_backoff pace;
    mote_grpc_request request;
    size_t messages, used; /* where messages begin and end in `memory` */
    mote_status end;       /* FAILED: it could not be made again */
} mote_replay;

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
    /* Gets each change of state, and why (a text for this call); may be NULL, as above. */
    void (*on_state)(void *context, int state, const char *why);
    /* Where messages of calls with a codec are compressed: as a rule twice the largest as encoded;
     * one that does not fit is sent as it is. To be set after mote_channel_init(). */
    void *packing;
    size_t packing_size;
    /* Another channel to the same server, with memory and a transport of its own, or NULL. A call
     * begins there while this one waits for its open calls to end, as the server takes no new ones
     * (GOAWAY, or the last stream id); without it the call waits with them. Every function of a
     * call finds its channel; mote_channel_next(), _poll() and _flush() are for one of them. While
     * one of the two is waited for, the other is looked at each second: it answers PINGs. */
    struct mote_channel *spare;
    mote_grpc_life *life; /* NULL: none */
    uint32_t random;      /* a seed, as mote_io's random; 0: it is asked when the first is needed */
    /* private */
    struct mote_channel *beside; /* whose spare it is */
    const mote_grpc_retry *retry;
    mote_channel_unary_function *unary; /* NULL: once */
    void *memory;
    size_t memory_size;
    const char *why;     /* why the state is what it is */
    uint64_t read_ms;    /* what had arrived by then was read: it goes before time-outs */
    uint64_t row_ms;     /* since when reads find something */
    uint64_t attempt_ms; /* earliest time of the next attempt to connect */
    mote_backoff backoff;
    uint32_t tokens; /* thousandths */
    int32_t pushback_ms;
    enum mote_channel_state state;
    enum mote_channel_wait waits_for;
    bool open;       /* the transport is, as far as is known */
    bool write_ends; /* a write has failed; what there is to read is read first */
    bool throttled, committed, unseen;
    uint32_t written, began; /* bytes that have left; and when the last unary call began */
    mote_grpc_event parked;  /* looked at, and left where it waits: not on the stack of who waits */
    const struct mote_channel_replayer *replayer; /* NULL: calls are not made again */
    mote_replay *replays;
    size_t replay_count;
} mote_channel;

/* All bytes of a blocking client with a MOTE_GRPC_LAYOUT(), `in` of them for input. */
#define MOTE_RAM_CHANNEL(name, in) (sizeof(mote_channel) + (size_t)name##_memory_size + (in))

/*
 * A status for an error that a function of this channel has returned: DEADLINE_EXCEEDED and what
 * was waited for; UNAVAILABLE and why there is no connection; INTERNAL and the name of the field of
 * metadata that may not be sent; or as mote_status_of_error(). The text is valid until the next
 * call on the channel.
 */
mote_status mote_channel_status(mote_channel *ch, int error);

/* The status of an error: RESOURCE_EXHAUSTED for what is larger than a limit, UNAUTHENTICATED for a
 * token without TLS, UNAVAILABLE for a connection that has ended, INTERNAL for the others, with the
 * text of mote_grpc_strerror(). mote_status_of() makes one of a code and a static text, and
 * mote_status_of_event() gives the one that MOTE_GRPC_STATUS carries. */
mote_status mote_status_of_error(int error);
mote_status mote_status_of(int code, const char *text);
mote_status mote_status_of_event(const mote_grpc_event *ev);

/* Prepares a channel: memory as for mote_grpc_init(), `in` for input of any size from 1 byte. The
 * config is copied. */
int mote_channel_init(mote_channel *ch, const mote_grpc_config *config, void *memory,
                      size_t memory_size, void *in, size_t in_size, mote_io io);

/*
 * Starts a call. Waits, within timeout_ms, until the channel is READY, the server permits one more
 * call and there is room for its headers; grpc-timeout is what is left then. Without
 * wait_for_ready it does not wait beyond an attempt to connect that has failed. 0, or an error, of
 * which mote_channel_status() makes a status; then *call is NULL, and the functions below say
 * MOTE_CHANNEL_ERR_NO_CALL of it, as of a call whose STATUS was told:
 *   MOTE_CHANNEL_ERR_CALLS     max_calls are open: no waiting helps, as one thread finishes them
 *   MOTE_CHANNEL_ERR_GOAWAY    the server takes no more calls on this connection, and those that
 *                              are open have ended, but were not finished
 *   MOTE_CHANNEL_ERR_DEADLINE, MOTE_CHANNEL_ERR_CONNECT, MOTE_CHANNEL_ERR_SHUTDOWN
 *   or one of mote_grpc_start()
 */
int mote_channel_start(mote_channel *ch, const mote_grpc_request *request, mote_grpc_call **call);

enum {
    MOTE_CHANNEL_MORE = 0x80, /* a message follows at once: this one may leave with it */
    MOTE_CHANNEL_PLAIN = 0x40 /* it is not compressed, although the call has a codec */
};

/*
 * Sends a message, compressed where the call has a codec, and waits for flow control. It is no view
 * of an event of this channel, as what arrives while it waits takes that memory: copy it. What the
 * transport takes has left when it returns, unless flags say MOTE_CHANNEL_MORE. 0; or < 0: the call
 * is over, and _recv(), _collect() or _finish() say why. One whose message cannot be sent is over
 * as well, as nobody is to take it for complete: MOTE_CHANNEL_ERR_PACKING, or an error of
 * mote_grpc_send() or of the codec. Only behind its last message, or the half-close, it goes on:
 * MOTE_GRPC_ERR_STATE.
 */
int mote_channel_send(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                      unsigned flags);
int mote_channel_half_close(mote_grpc_call *call);

/* Cancels, and tells the server at once. The status follows from _recv() or _finish(). */
void mote_channel_cancel(mote_grpc_call *call);

/*
 * Waits for the next event of this call: START, MESSAGE, CHUNK or STATUS; events of other calls
 * wait in their buffers. Returns 1; after STATUS the call is gone. Never fails: a broken transport
 * is a STATUS as well. Views are valid until the next call on the channel.
 */
int mote_channel_recv(mote_grpc_call *call, mote_grpc_event *ev);

/* The same for at most timeout_ms: 0 when nothing has come. */
int mote_channel_recv_within(mote_grpc_call *call, mote_grpc_event *ev, uint32_t timeout_ms);

/* The next event of any call (ev->call says which), within timeout_ms: 1; 0: nothing has come; or
 * the sticky error when every call was told. */
int mote_channel_next(mote_channel *ch, mote_grpc_event *ev, uint32_t timeout_ms);

/* Half-closes and waits for the end of a call with a single response. *response is a view of the
 * message that is valid until the next call on the channel. A server that says OK without one, or
 * with more, has not implemented the method: UNIMPLEMENTED. The call is gone. */
mote_status mote_channel_collect(mote_grpc_call *call, const uint8_t **response, size_t *len);

/* A unary call. One that no server has seen (GOAWAY, REFUSED_STREAM: RFC 9113 8.7; or the
 * transport ended before any of it had left) is made again:
 * once, with wait_for_ready until the deadline; others as mote_channel_set_retry() says. Calls that
 * begin with mote_channel_start() are where mote_channel_set_replay() has given them places;
 * otherwise `unseen` of their last event tells that they may be.
 * *response as from mote_channel_collect(). */
mote_channel_unary_function mote_channel_unary;

/* Unary calls are made again as the policy says (NULL: not by a policy), and up to five times when
 * no server has seen them. */
void mote_channel_set_retry(mote_channel *ch, const mote_grpc_retry *policy);

/*
 * From then on calls that begin with mote_channel_start() are made again as well, under the same
 * conditions and in the place of the old one: the same pointer. Each takes one of the `count`
 * places, which the caller gives, with their `memory`, for the life of the channel: its fields of
 * metadata and its messages are kept there until the server has answered, or for as long as there
 * is room. Whoever waits in mote_channel_send(), _half_close(), _recv(), _collect() or _finish()
 * does not hear of it; _recv_within() and _next(), whose time is their own, tell the end, `unseen`.
 * So does every function when more was sent than there is room for, when the call reads in chunks,
 * or when a new connection would have to wait for other calls to end. count 0: none.
 */
void mote_channel_set_replay(mote_channel *ch, mote_replay *places, size_t count);

/* Waits for the status, skipping what else arrives. The call is gone. */
mote_status mote_channel_finish(mote_grpc_call *call);

/* Writes what is ready and reads what is there, for at most timeout_ms; for calls that wait for
 * something outside of the channel. 0 or the sticky error. */
int mote_channel_poll(mote_channel *ch, uint32_t timeout_ms);

/* Writes all that waits to be sent, within timeout_ms. 0, MOTE_AGAIN, or the sticky error. */
int mote_channel_flush(mote_channel *ch, uint32_t timeout_ms);

/* ---- for a loop that carries several calls, such as agent.h --------------------------------- */

/* One step towards READY, which takes an attempt to connect (20 s at the most), or a turn that
 * waits for at most timeout_ms. 0: READY; MOTE_AGAIN: not yet; MOTE_CHANNEL_ERR_SHUTDOWN;
 * MOTE_CHANNEL_ERR_CONNECT: without wait_for_ready, the wait after a failed attempt is not over;
 * MOTE_CHANNEL_ERR_GOAWAY: the server takes no more calls on this connection, and those that are
 * open are to be finished first; or an error of mote_grpc_init(). Knows no spare. */
int mote_channel_step(mote_channel *ch, bool wait_for_ready, uint32_t timeout_ms);

/* Starts a call now, timeout_ms being what is left of its time. 0; MOTE_AGAIN: the channel is not
 * READY, max_calls are open, the server permits no more of them, or there is no room; or an error
 * of mote_grpc_start(). */
int mote_channel_offer(mote_channel *ch, const mote_grpc_request *request, mote_grpc_call **call);

/* At most one turn, which waits for at most timeout_ms, and the next event of any call: 1; 0: none
 * yet, and whoever waits to send may try again; or the sticky error when every call was told. An
 * event that was deferred comes again after mote_grpc_resume(). */
int mote_channel_advance(mote_channel *ch, mote_grpc_event *ev, uint32_t timeout_ms);

/* Ends the channel and its spare: open calls end with CANCELLED, GOAWAY leaves within timeout_ms,
 * and the transport is closed, where it has that function. */
void mote_channel_close(mote_channel *ch, uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
