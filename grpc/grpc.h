/*
 * grpc: gRPC over HTTP/2, client or server, without I/O (the gRPC document PROTOCOL-HTTP2).
 *
 * Conventions: see hpack/hpack.h and h2/h2.h. In addition:
 *   - All memory of a connection is one span, carved at init; MOTE_GRPC_STORAGE() states its size.
 *   - Every call that was seen ends with exactly one event, whoever ended it: MOTE_GRPC_STATUS
 *     (client) or MOTE_GRPC_CLOSED (server). A mote_grpc_call * is valid from mote_grpc_start() or
 *     its first event until the next mote_grpc_recv() after that. What must outlive a handler is
 *     kept as a mote_grpc_handle.
 *   - MOTE_AGAIN is "not now". A server's handler returns it to be offered the same event again,
 *     as soon as output has room; the peer is held back by flow control meanwhile.
 */
#ifndef MOTE_GRPC_H
#define MOTE_GRPC_H

#include "../h2/h2.h"
#include "metadata.h"
#include "status.h"
#include "storage.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An enum of one byte, where the compiler can. */
#ifdef __GNUC__
#define MOTE_GRPC_ENUM8 __attribute__((packed))
#else
#define MOTE_GRPC_ENUM8
#endif

enum MOTE_GRPC_ENUM8 mote_grpc_event_type {
    MOTE_GRPC_NOTHING,    /* no event: mote_grpc_recv() has not returned 1 */
    MOTE_GRPC_METADATA,   /* one field: name, value, trailing. Cannot be deferred. */
    MOTE_GRPC_START,      /* server: the call begins; client: the server's headers are there */
    MOTE_GRPC_MESSAGE,    /* a whole message: data, len */
    MOTE_GRPC_CHUNK,      /* a piece of a message that is larger than the receive buffer: data,
                             len, offset, total; only for methods that ask for it */
    MOTE_GRPC_HALF_CLOSE, /* server: the client sends no more */
    MOTE_GRPC_WRITABLE,   /* sending may go on after MOTE_AGAIN */
    MOTE_GRPC_STATUS,     /* client: the end: code, message */
    MOTE_GRPC_CLOSED,     /* server: the end, by whomever: code, message. Cannot be deferred. */
    MOTE_GRPC_GOAWAY      /* client: no new calls on this connection; call is NULL, code is the
                             wire code (enum mote_h2_code) */
};

typedef struct mote_grpc_call mote_grpc_call;

/* An event. Besides type, call, data and len, only members whose comment names the type are set:
 * those of different types share their place. METADATA: name, value; the value of a -bin field is
 * still base64. STATUS, CLOSED: code (enum mote_grpc_code), message: its text, percent-decoded. */
typedef struct {
    enum mote_grpc_event_type type;
    bool trailing;   /* METADATA */
    bool compressed; /* MESSAGE: it arrived compressed; data is decompressed */
    bool unseen; /* STATUS: the server has not seen the call; it may be made again (RFC 9113 8.7) */
    mote_grpc_call *call;
    const uint8_t *data; /* message or chunk */
    size_t len;
    union {
        const char *name, *message;
    };
    union {
        size_t name_len, message_len, offset; /* CHUNK: offset: bytes before this one */
    };
    union {
        const char *value;
        size_t total; /* CHUNK: bytes of the whole message */
    };
    union {
        size_t value_len;
        int code; /* GOAWAY: enum mote_h2_code */
    };
} mote_grpc_event;

/* Where the bytes of a delivered event lie. */
enum MOTE_GRPC_ENUM8 mote_grpc_where {
    MOTE_GRPC_NOWHERE,  /* it has none, or they are done with */
    MOTE_GRPC_IN_INPUT, /* right before `rest` */
    MOTE_GRPC_IN_BUFFER /* right before rx_pos of the call */
};

/* How messages larger than the receive buffer are taken, as an interface, so that it is not linked
 * where none comes. There is one implementation. */
typedef struct {
    /* A message of `len` bytes begins. */
    void (*start)(mote_grpc_call *call, uint32_t len, enum mote_grpc_where where);
    /* Its next piece is the event, of the `have` bytes at p; false: the call has failed. */
    bool (*next)(mote_grpc_call *call, mote_grpc_event *ev, const uint8_t *p, size_t have,
                 enum mote_grpc_where where);
} mote_grpc_chunking;
extern const mote_grpc_chunking mote_grpc_chunks;

/* A method of a server: gets every event of its calls. Returns 0; MOTE_AGAIN to be offered the
 * event again when there is room for output; a status code > 0 to end the call with it; < 0 to end
 * it with INTERNAL and the text of that error: of grpc, h2 or hpack, or what `strerror` of the
 * method says. */
typedef int mote_grpc_handler(mote_grpc_call *call, const mote_grpc_event *ev);

typedef struct {
    const char *name; /* "Upload" */
    mote_grpc_handler *handler;
    const void *data;                  /* free for the handler: call->method->data */
    const char *(*strerror)(int code); /* of errors that the handler returns and that are not
                                          grpc's, as mote_pb_strerror(); NULL: they have no text */
    const mote_grpc_chunking *chunks;  /* &mote_grpc_chunks: messages beyond the receive buffer
                                          arrive as MOTE_GRPC_CHUNK; NULL: they end the call */
    bool single;          /* one request: a call with none or with more ends with UNIMPLEMENTED
                             (statuscodes.md, cardinality violations) */
    bool single_response; /* a second one is refused with MOTE_GRPC_ERR_STATE */
} mote_grpc_method;

typedef struct {
    const char *name; /* "mote.telemetry.Telemetry" */
    const mote_grpc_method *methods;
    size_t method_count;
    bool sorted; /* methods, by the bytes of their names: one of many is found by a few looks */
} mote_grpc_service;

/* A compression of messages (PROTOCOL-HTTP2, Message-Encoding). Both functions set *n to the length
 * of the result and return 0, MOTE_GRPC_ERR_SPACE or MOTE_GRPC_ERR_CODEC. */
typedef struct {
    mote_hpack_field encoding; /* MOTE_HPACK_FIELD("grpc-encoding", "gzip") */
    int (*compress)(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n);
    int (*decompress)(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n);
} mote_grpc_codec;

enum { MOTE_GRPC_CODECS = 3 };

/* The codecs of a connection, the best first. */
typedef struct {
    const mote_grpc_codec *codec[MOTE_GRPC_CODECS];
    size_t count;
    mote_hpack_field accept; /* MOTE_HPACK_FIELD("grpc-accept-encoding", "identity,gzip") */
} mote_grpc_codecs;

/*
 * Where a call is: what either side has still to say, and what the user was told.
 *
 *   local:   FREE -> HEADERS ---> OPEN -----> ENDED  ENDED: half-closed, status sent, or reset
 *                       |          |           ^
 *                  OWED_ALONE     OWED         |     OWED: a server's status waits for room;
 *                       +----------+-----------+     ALONE: without headers before it
 *
 *   remote:  HEADERS -> OPEN -> ENDED                ENDED: END_STREAM; a client has its status
 *               |        |        |
 *               +--------+--------+-> OVER           OVER: the end was decided here
 *
 *   told:    NOTHING -> FIELDS -> STARTED -> HALF_CLOSED
 *
 * The end is told when remote is OVER and local ENDED; to a client also when remote is ENDED and
 * all messages are told. Then the call is FREE.
 */
enum MOTE_GRPC_ENUM8 mote_grpc_local {
    MOTE_GRPC_LOCAL_FREE,
    MOTE_GRPC_LOCAL_HEADERS,
    MOTE_GRPC_LOCAL_OPEN,
    MOTE_GRPC_LOCAL_OWED_ALONE,
    MOTE_GRPC_LOCAL_OWED,
    MOTE_GRPC_LOCAL_ENDED
};
enum MOTE_GRPC_ENUM8 mote_grpc_remote {
    MOTE_GRPC_REMOTE_HEADERS,
    MOTE_GRPC_REMOTE_OPEN,
    MOTE_GRPC_REMOTE_ENDED,
    MOTE_GRPC_REMOTE_OVER
};
enum MOTE_GRPC_ENUM8 mote_grpc_told {
    MOTE_GRPC_TOLD_NOTHING,
    MOTE_GRPC_TOLD_FIELDS,
    MOTE_GRPC_TOLD_STARTED,
    MOTE_GRPC_TOLD_HALF_CLOSED
};
/* What a call waits for until there is room for output. */
enum MOTE_GRPC_ENUM8 mote_grpc_wait {
    MOTE_GRPC_WAIT_NONE,
    MOTE_GRPC_WAIT_ROOM,    /* to send */
    MOTE_GRPC_WAIT_DEFERRED /* to be offered its event again */
};

/* What stands in its way. */
enum MOTE_GRPC_ENUM8 mote_grpc_obstacle {
    MOTE_GRPC_FOR_ROOM,       /* half of the transmit buffer is free when it is gone */
    MOTE_GRPC_FOR_WINDOW,     /* of its stream */
    MOTE_GRPC_FOR_CONNECTION, /* the connection's window */
    MOTE_GRPC_OBSTACLES
};

/* A call. `user` may be used freely: it points to user_size bytes that are zero at the start. */
struct mote_grpc_call {
    enum mote_grpc_local local;
    enum mote_grpc_remote remote;
    enum mote_grpc_told told;
    enum mote_grpc_wait wait;
    uint16_t facts;
    int16_t code;
    union {
        uint16_t http_status; /* client: of the response */
        uint8_t turns[2];     /* server: at a time (0: one), and how many of them it has had */
    };
    uint16_t text_len;
    void *user;
    void *owner;            /* free for the application */
    mote_h2_stream *stream; /* NULL: it has ended */
    union {
        const mote_grpc_method *method;   /* server */
        const mote_grpc_chunking *chunks; /* client: of its request */
    };
    struct mote_grpc *grpc;
    uint8_t *rx;
    uint32_t rx_pos, rx_len; /* received bytes that wait in rx: [rx_pos, rx_len) */
    uint32_t tx_sent;        /* bytes of the message in progress that were sent */
    uint32_t tx_total;       /* of so many, without the prefix */
    uint32_t chunk_left;     /* bytes of a chunked message that are still to come */
    uint32_t chunk_total;
    uint32_t generation;              /* differs from call to call of a connection; never 0 */
    uint8_t rx_codec, tx_codec;       /* number of the codec + 1; 0: none */
    enum mote_grpc_obstacle obstacle; /* while it waits */
    uint8_t accepts;                  /* codecs that the peer takes, a bit for each */
    union {
        const char *text;          /* status text */
        mote_grpc_call *next_free; /* FREE: the slot that is taken after it; NULL: none */
    };
    uint64_t deadline_ms;
};

/* A call that is remembered beyond its handler. All zero: none. */
typedef struct {
    struct mote_grpc *grpc;
    uint32_t generation;
    uint16_t index;
} mote_grpc_handle;

/* What has happened on connections; they may share one. As wide as the machine. */
typedef struct {
    size_t calls_started;
    size_t calls_succeeded; /* ended with OK */
    size_t calls_failed;    /* ended in another way */
    size_t messages_sent;
    size_t messages_received;
} mote_grpc_counters;

/* The authority of a config: of a string literal, and of a text that stays where it is, as
 * "host:port"; of an address "unix:PATH" it is "localhost". */
#define MOTE_GRPC_AUTHORITY(text) MOTE_HPACK_NAMED(1, ":authority", text)
mote_hpack_field mote_grpc_authority(const char *text);

typedef struct {
    bool server;
    bool tls;           /* client: the scheme is https */
    uint16_t max_calls; /* concurrent calls */
    uint16_t slots;     /* header fields that the encoder remembers; 8 to 16 make calls cheap */
    bool strict;        /* values with blanks at their ends are malformed (RFC 9113 8.2.1) */
    uint32_t rx_size;   /* receive buffer and window of each call: largest message + 5 */
    uint32_t tx_size;   /* transmit buffer of the connection; no size is above MOTE_GRPC_SIZE_MAX */
    uint32_t table_size; /* HPACK table for receiving: 4096 for a server; a client may have 0 */
    const mote_hpack_dynamic *dynamic; /* client: &mote_hpack_dynamic_table where table_size is
                                          not 0; MOTE_GRPC_SIZES() sets it. A server has it by
                                          itself, on hosts one that knows header blocks again */
    const mote_hpack_coder *coder;     /* &mote_hpack_huffman_coder where long values are sent
                                                again and again, as tokens, metadata or texts of a
                                                status; or NULL */
    uint32_t field_size;               /* longest header field */
    uint32_t user_size;                /* bytes per call for the application */
    uint32_t send_limit;               /* largest message that is sent, as encoded; 0: 2^32 - 6 */
    const mote_grpc_service *services; /* server */
    size_t service_count;
    mote_hpack_field authority;         /* client: MOTE_GRPC_AUTHORITY("host:port") */
    const mote_hpack_field *user_agent; /* client: MOTE_HPACK_NAMED(58, "user-agent", "..."); NULL:
                                           "grpc-c-mote/0.1" */
    uint32_t connection_window, budget; /* 0: 65,535; see mote_h2_config */
    const mote_grpc_codecs *codecs;     /* NULL: no compression */
    void *message;                /* where messages are decompressed; connections of one thread may
                                     share it: a view of it is valid until the next
                                     mote_grpc_recv() on any of them */
    size_t message_size;          /* the largest message, decompressed */
    mote_grpc_counters *counters; /* NULL: nothing is counted */
    const mote_grpc_credentials *credentials; /* client; NULL: none */
    void *context;                            /* free for the application: mote_grpc_context() */
    const struct mote_grpc_door *door; /* server: of calls that are not gRPC (door.h); or NULL */
} mote_grpc_config;

enum { MOTE_GRPC_RX_MIN = 16 }; /* least rx_size */

/* What is being delivered: the event that was reported last, and what of its call's content is at
 * hand behind it. */
typedef struct {
    mote_grpc_call *call;  /* NULL: none */
    mote_grpc_call *ended; /* its end was reported last, by whatever call the content is */
    const uint8_t *rest;
    size_t rest_len;
    uint32_t held;              /* bytes of the event, its prefix included; credit is held back */
    enum mote_grpc_where where; /* NOWHERE exactly when held is 0 */
    enum mote_grpc_event_type type; /* of the event; NOTHING: it is done, or was brought back */
} mote_grpc_delivery;

/* Why calls are looked at: the first of them may use up what is there, and that is all then. */
enum MOTE_GRPC_ENUM8 mote_grpc_scan {
    MOTE_GRPC_SCAN_OVER, /* they are not */
    MOTE_GRPC_SCAN_ROOM,
    MOTE_GRPC_SCAN_CONNECTION, /* its window */
    MOTE_GRPC_SCAN_ALL         /* each may have its own reason */
};

typedef struct mote_grpc {
    mote_h2 h2;
    const mote_grpc_config *config;
    mote_grpc_call *calls;
    mote_grpc_call *free; /* of those within `reach` the one that was given back last; NULL: none */
    mote_grpc_delivery delivery;
    uint8_t failed; /* all calls were told that the connection is over */
    enum mote_grpc_scan scan_for;
    uint16_t active;                       /* calls in use */
    uint16_t reach;                        /* all of them are among the first so many */
    uint16_t waiting[MOTE_GRPC_OBSTACLES]; /* of those, calls that wait, and what for */
    uint16_t ends;                         /* calls that are OVER and do not wait: to be told */
    uint16_t next_end;                     /* where they are looked for */
    uint16_t scan, scan_stop;              /* calls are looked at in turn, from one to the other */
    uint32_t generation; /* of the newest call. Whoever prepares a connection anew in the place
                            of another sets it to the old value, and no handle is mistaken */
    const mote_grpc_metadata *refused; /* private: of the last list that was looked at */
    uint64_t now_ms;
    uint64_t next_deadline_ms; /* when they are looked at: see grpc_deadline.c */
} mote_grpc;

/* ---- life cycle ---------------------------------------------------------------------------- */

/* Prepares a connection in `memory`. The config stays with it: it may be in flash, and connections
 * may share it. 0, MOTE_GRPC_ERR_CONFIG or MOTE_H2_ERR_CONFIG. */
int mote_grpc_init(mote_grpc *g, const mote_grpc_config *config, void *memory, size_t memory_size);

/* Why mote_grpc_init() refuses these, as "tx_size is 64: at least 128"; "" when it does not. The
 * result is `out`. Costs nothing unless it is called, and has its words with MOTE_NO_TEXTS too. */
enum { MOTE_GRPC_CONFIG_TEXT = 96 };
const char *mote_grpc_config_text(const mote_grpc_config *config, const void *memory,
                                  size_t memory_size, char out[MOTE_GRPC_CONFIG_TEXT]);

/* Takes bytes from the transport; one event per call. Returns 1: *ev is filled; 0: the input is
 * used up; < 0: the connection has failed and every call was told (sticky). *used says how much
 * was consumed; `in` must stay unchanged until a call returns 0. With len 0 it delivers what time,
 * output space or mote_grpc_cancel() have caused. */
int mote_grpc_recv(mote_grpc *g, const uint8_t *in, size_t len, size_t *used, mote_grpc_event *ev);

/* The application cannot take the last event now: it will be offered again when there is room for
 * output, or after mote_grpc_resume(). Must be called before the next mote_grpc_recv(). */
void mote_grpc_defer(mote_grpc *g);
void mote_grpc_resume(mote_grpc_call *call);

/* Server: calls the method's handler, and does what its result says; that of CLOSED is not used. */
void mote_grpc_dispatch(mote_grpc *g, const mote_grpc_event *ev);

/* Server: receives and dispatches until the input is used up. Returns 0 or the sticky error. */
int mote_grpc_serve(mote_grpc *g, const uint8_t *in, size_t len);

/* The transport has ended; the next mote_grpc_recv() tells every call. */
void mote_grpc_recv_eof(mote_grpc *g);

/* Output: as mote_h2_peek() and mote_h2_ack(). */
const uint8_t *mote_grpc_peek(mote_grpc *g, size_t *len);
void mote_grpc_ack(mote_grpc *g, size_t len);

/* Takes the time in ms (any origin, never backwards). Returns the ms until it must be called again
 * (UINT32_MAX: never). Follow it with mote_grpc_recv() or _serve() with len 0, for the events.
 * _clock() ends nothing: a loop that may be late calls it, reads, and calls mote_grpc_tick(). */
uint32_t mote_grpc_tick(mote_grpc *g, uint64_t now_ms);
void mote_grpc_clock(mote_grpc *g, uint64_t now_ms);

/* Graceful end: no new calls, the open ones go on. */
void mote_grpc_shutdown(mote_grpc *g);

/* Calls that are open, or whose end is still to be told; and those whose end is not yet decided. */
size_t mote_grpc_active(const mote_grpc *g);
size_t mote_grpc_running(const mote_grpc *g);

/* Whether it is decided how the call ends; what it has received, and its end, may still follow. */
bool mote_grpc_decided(const mote_grpc_call *call);

/* What to keep of a call beyond its handler; and the call again, or NULL once it is gone. The
 * mote_grpc itself must still be there. */
mote_grpc_handle mote_grpc_handle_of(const mote_grpc_call *call);
mote_grpc_call *mote_grpc_find(mote_grpc_handle handle);

void *mote_grpc_context(const mote_grpc_call *call);

/* ---- sending, both roles ------------------------------------------------------------------- */

/*
 * Where the bytes of a message come from. `write` is asked in one of two ways:
 *   *total is 0: write the whole message if it fits `cap` bytes, otherwise nothing; in both cases
 *     set *total to its length;
 *   otherwise *total is what it said before: write exactly the bytes [offset, offset + cap), and
 *     set *total to the length of this message if that is known by then: another message than
 *     the one that was begun is an error.
 * It returns 0 or an error < 0, which mote_grpc_send() hands on and `strerror` has a text for.
 * Generated code has one for each kind of message: mote_pb_encode_part(), mote_pb_strerror().
 */
typedef struct {
    int (*write)(const void *type, const void *message, size_t offset, uint8_t *out, size_t cap,
                 size_t *total);
    const char *(*strerror)(int code);
    const void *type;
} mote_grpc_source;

/* A message that is plain bytes: it is a const mote_grpc_bytes *. */
typedef struct {
    const uint8_t *data;
    size_t len;
} mote_grpc_bytes;
extern const mote_grpc_source mote_grpc_bytes_source;

enum {
    MOTE_GRPC_LAST = 1,      /* client: no message follows; sets END_STREAM on this one */
    MOTE_GRPC_COMPRESSED = 2 /* the bytes come from mote_grpc_compress() */
};

/* Sends a message straight into the transmit buffer. Returns 0: all of it is on its way;
 * MOTE_AGAIN: not yet, repeat with the same message (a part may have been sent);
 * MOTE_GRPC_ERR_STATE: the call is over or NULL, or this is a second response where one is due;
 * MOTE_GRPC_ERR_MIXED: a part of a message of another length was sent; MOTE_GRPC_ERR_LIMIT or an
 * error of the source, and then nothing was sent. */
int mote_grpc_send(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                   unsigned flags);

/* Encodes a message and compresses it with the codec of the call, in `memory`: as a rule twice the
 * encoded size suffices. *out is then sent by mote_grpc_send(call, &mote_grpc_bytes_source, out,
 * MOTE_GRPC_COMPRESSED); the memory must stay until that has returned 0. Returns 0;
 * MOTE_GRPC_ERR_STATE: the call has no codec; MOTE_GRPC_ERR_SPACE; or an error of the source. */
int mote_grpc_compress(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                       void *memory, size_t size, mote_grpc_bytes *out);

/* ---- client -------------------------------------------------------------------------------- */

typedef struct {
    const mote_hpack_field *path; /* MOTE_HPACK_NAMED(4, ":path", "/package.Service/Method") */
    uint32_t timeout_ms;          /* 0: none */
    const mote_grpc_metadata *metadata;
    size_t metadata_count;
    const mote_grpc_chunking *chunks; /* &mote_grpc_chunks: messages beyond the receive buffer
                                         arrive as MOTE_GRPC_CHUNK; NULL: they end the call */
    const mote_grpc_codec *codec;     /* of compressed messages, one of the config; NULL: none */
    bool wait_for_ready; /* mote_channel_start(): waits, within timeout_ms, while there is no
                            connection; otherwise it fails when the last attempt has failed */
    bool more; /* mote_channel_start(): a message follows at once, with which the headers leave */
} mote_grpc_request;

/* Starts a call. 0; MOTE_AGAIN (no room, or too many calls at once); MOTE_GRPC_ERR_PATH; an error
 * of its metadata, see mote_grpc_metadata (MOTE_GRPC_ERR_VALUE also of the token); or an error of
 * h2. */
int mote_grpc_start(mote_grpc *g, const mote_grpc_request *request, mote_grpc_call **call);

/* Half-closes: no message follows. 0, MOTE_AGAIN or MOTE_GRPC_ERR_STATE. */
int mote_grpc_half_close(mote_grpc_call *call);

/* Cancels: the server is told, and MOTE_GRPC_STATUS with CANCELLED follows from _recv(). */
void mote_grpc_cancel(mote_grpc_call *call);

/* The same with another code and a static text. */
void mote_grpc_abandon(mote_grpc_call *call, int code, const char *text);

/* ---- server -------------------------------------------------------------------------------- */

/* Sends initial metadata now rather than with the first message. 0, MOTE_AGAIN, or an error. */
int mote_grpc_send_headers(mote_grpc_call *call, const mote_grpc_metadata *metadata, size_t count);

/* Chooses the first codec that the client takes, for the messages of this call that are compressed;
 * before the headers are sent. NULL: there is none, or it is too late. */
const mote_grpc_codec *mote_grpc_choose_codec(mote_grpc_call *call);

/*
 * The only response and the end, status OK: both or neither. When the request has not yet ended the
 * status follows its end by itself, and what the handler would still be told of it is only CLOSED.
 * 0, MOTE_AGAIN, or an error as of mote_grpc_send().
 */
int mote_grpc_answer(mote_grpc_call *call, const mote_grpc_source *source, const void *message);

/*
 * Ends a call with a status; `message` is UTF-8 text (NULL: none) that is percent-encoded on the
 * wire. 0: it is on its way, and MOTE_GRPC_CLOSED follows; MOTE_AGAIN, never without a text: only
 * the same end may be tried from then on; MOTE_GRPC_ERR_STATE: the call is over; or one of h2.
 */
int mote_grpc_finish(mote_grpc_call *call, int code, const char *message);
int mote_grpc_finish_with(mote_grpc_call *call, int code, const char *message, size_t message_len,
                          const mote_grpc_metadata *metadata, size_t count);

/* Calls that wait for room take turns; a turn is from a half to all of the transmit buffer. A call
 * of this weight has so many turns at a time (0 is 1). It counts here alone: no peer is told. */
void mote_grpc_set_weight(mote_grpc_call *call, uint8_t weight);

/* Milliseconds until the deadline of the call, UINT64_MAX when it has none. */
uint64_t mote_grpc_time_left(const mote_grpc_call *call);

/* The timeout_ms of a call that is made on behalf of this one: what is left of its deadline, at
 * least 1; 0 (none) when it has no deadline. */
uint32_t mote_grpc_timeout_for(const mote_grpc_call *call);

#ifdef __cplusplus
}
#endif
#endif
