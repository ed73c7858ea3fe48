/*
 * h2: an HTTP/2 connection (RFC 9113), client or server, without I/O.
 *
 * The engine in four calls:
 *   mote_h2_recv()  bytes that arrived -> one event
 *   mote_h2_peek()  bytes to write next
 *   mote_h2_ack()   how many of them were written
 *   mote_h2_tick()  the time
 *
 * Conventions: see hpack/hpack.h. In addition:
 *   - All memory comes with the config and stays with the connection until the caller drops both.
 *   - A connection is plain memory: copied out and back to the same address, it is restored.
 *   - Errors of a connection are sticky: after a fatal one every call returns it. Output goes on
 *     until mote_h2_peek() returns NULL, so that the peer receives the GOAWAY; then close.
 *   - A mote_h2_stream * is valid from its first event (or mote_h2_open()) until both directions
 *     have ended, or MOTE_H2_RESET was reported, or mote_h2_reset() was called. In an event it is
 *     valid until the next call.
 *   - A role, and texts, can be left out at compile time: mote_features.h.
 */
#ifndef MOTE_H2_H
#define MOTE_H2_H

#include "../hpack/hpack.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors -200..-299. MOTE_H2_AGAIN is no failure: nothing has changed, call again when
 * mote_h2_ack() has freed space, or after MOTE_H2_WRITABLE. */
#define MOTE_H2_ERRORS(X)                                                                          \
    X(MOTE_H2_AGAIN, -200, "h2: not now: no window, no stream or no space in the transmit buffer") \
    X(MOTE_H2_ERR_CONFIG, -201, "h2: config: a span is missing or too small")                      \
    X(MOTE_H2_ERR_PEER, -202, "h2: the peer broke the protocol; see mote_h2_error_text()")         \
    X(MOTE_H2_ERR_CALM, -203, "h2: the peer's odd events exceeded the budget")                     \
    X(MOTE_H2_ERR_GOAWAY, -204, "h2: the connection takes no new streams")                         \
    X(MOTE_H2_ERR_STATE, -205, "h2: the stream cannot send this now")                              \
    X(MOTE_H2_ERR_TOO_LARGE, -206, "h2: header block does not fit the transmit buffer")            \
    X(MOTE_H2_ERR_TIMEOUT, -207, "h2: no acknowledgement of SETTINGS in time")                     \
    X(MOTE_H2_ERR_CLOSED, -208, "h2: the peer closed the transport")

enum mote_h2_error {
#define MOTE_H2_ENUM(name, code, text) name = code,
    MOTE_H2_ERRORS(MOTE_H2_ENUM)
#undef MOTE_H2_ENUM
};

#define MOTE_AGAIN MOTE_H2_AGAIN

/* The text of one of these codes. Static, never NULL; "" with -DMOTE_NO_TEXTS. */
const char *mote_h2_strerror(int code);

/* Wire error codes (RFC 9113 7). */
enum mote_h2_code {
    MOTE_H2_NO_ERROR = 0x0,
    MOTE_H2_PROTOCOL_ERROR = 0x1,
    MOTE_H2_INTERNAL_ERROR = 0x2,
    MOTE_H2_FLOW_CONTROL_ERROR = 0x3,
    MOTE_H2_SETTINGS_TIMEOUT = 0x4,
    MOTE_H2_STREAM_CLOSED = 0x5,
    MOTE_H2_FRAME_SIZE_ERROR = 0x6,
    MOTE_H2_REFUSED_STREAM = 0x7,
    MOTE_H2_CANCEL = 0x8,
    MOTE_H2_COMPRESSION_ERROR = 0x9,
    MOTE_H2_CONNECT_ERROR = 0xa,
    MOTE_H2_ENHANCE_YOUR_CALM = 0xb,
    MOTE_H2_INADEQUATE_SECURITY = 0xc,
    MOTE_H2_HTTP_1_1_REQUIRED = 0xd
};

/*
 * The life of a stream, as RFC 9113 5.1 draws it in figure 2. Push is off, so none is reserved.
 *
 *                      CLOSED             the slot is free
 *      mote_h2_open() /      \
 *                    v        \
 *                  IDLE        | HEADERS received (server)
 *        HEADERS sent \       /
 *                      v     v
 *                       OPEN
 *     END_STREAM sent  /    \  END_STREAM received
 *                     v      v
 *     HALF_CLOSED_LOCAL      HALF_CLOSED_REMOTE
 *                     \      /
 *  END_STREAM received v    v END_STREAM sent
 *                      CLOSED
 *
 *  OPEN, HALF_CLOSED_*   mote_h2_reset(), an error of the peer  ->  RESET_OWED
 *  RESET_OWED            RST_STREAM is written                  ->  CLOSED
 *  all but CLOSED        RST_STREAM received, or the peer's GOAWAY excludes it  ->  CLOSED
 */
enum mote_h2_stream_state {
    MOTE_H2_STATE_CLOSED,
    MOTE_H2_STATE_IDLE, /* client: its first header section is not yet written */
    MOTE_H2_STATE_OPEN,
    MOTE_H2_STATE_HALF_CLOSED_LOCAL,
    MOTE_H2_STATE_HALF_CLOSED_REMOTE,
    MOTE_H2_STATE_RESET_OWED /* over for both; the slot waits for its RST_STREAM to be written */
};

/* A stream slot. `user` is free for the user; id and state may be read; the rest is private. */
typedef struct {
    void *user;
    uint32_t id; /* 0: free */
    int32_t send_window;
    int32_t recv_window; /* bytes that the peer may still send */
    uint32_t credit;     /* bytes taken by the user and not yet returned to the peer */
    uint32_t need;       /* bytes that the user waits for */
    enum mote_h2_stream_state state : 8;
    uint8_t flags;
    uint16_t lent; /* bytes returned before the user has taken any, for the padding of the peer */
    union {
        uint64_t content_length; /* what remains of it, when announced */
        uint32_t reset_code;     /* RESET_OWED: of the RST_STREAM */
    };
} mote_h2_stream;

/* Which known field a MOTE_H2_FIELD event carries, so that no string need be compared. */
enum mote_h2_kind {
    MOTE_H2_KIND_OTHER = 1,
    MOTE_H2_KIND_METHOD,
    MOTE_H2_KIND_SCHEME,
    MOTE_H2_KIND_AUTHORITY,
    MOTE_H2_KIND_PATH,
    MOTE_H2_KIND_STATUS,
    MOTE_H2_KIND_CONTENT_LENGTH,
    MOTE_H2_KIND_TE,
    MOTE_H2_KIND_BLANK_ENDS /* as OTHER; the value has white space at an end, as may be */
};

/* Looks up a field's name in a list, in which each name stands behind its length and a byte for the
 * answer: "\002\010te\004\001host". Returns that byte, or `otherwise`: it is not there. */
unsigned mote_h2_look_up(const char *names, const mote_hpack_field_view *f, unsigned otherwise);
/* Reads a number in decimal digits, one at least; false: it is none, or has more than 64 bits. */
bool mote_h2_decimal(const char *text, size_t len, uint64_t *value);

enum mote_h2_event_type {
    MOTE_H2_NOTHING,  /* no event: mote_h2_recv() has not returned 1 */
    MOTE_H2_FIELD,    /* one field of a header section: field, kind */
    MOTE_H2_HEADERS,  /* the header section is complete: trailers, end_stream, status, truncated */
    MOTE_H2_DATA,     /* a piece of content: data, len, to be given back with _consume(); or the
                         end of it: end_stream, len 0 */
    MOTE_H2_RESET,    /* the stream has ended early: code, remote */
    MOTE_H2_WRITABLE, /* a send window has opened; stream is NULL for the connection's */
    MOTE_H2_SETTINGS, /* the peer's SETTINGS have been applied; len: by how much all streams'
                         windows have grown */
    MOTE_H2_PONG,     /* the answer to mote_h2_ping() */
    MOTE_H2_GOAWAY    /* the peer takes no new streams: code, last_id */
};

/* Members of different types share their place: those that are not named for a type are not set. */
typedef struct {
    enum mote_h2_event_type type : 8;
    enum mote_h2_kind kind : 8; /* FIELD */
    bool end_stream, trailers;
    bool truncated;  /* HEADERS: the section was larger than a limit, and fields were dropped */
    bool remote;     /* RESET: the peer sent it; otherwise mote found an error */
    uint16_t status; /* client, HEADERS: the status code; 1xx is followed by another section */
    mote_h2_stream *stream;
    union {
        size_t len;       /* DATA, SETTINGS; 0 otherwise, but for GOAWAY */
        uint32_t last_id; /* GOAWAY */
    };
    union {
        mote_hpack_field_view field; /* FIELD */
        const uint8_t *data;         /* DATA: a view into the input */
        uint32_t code;               /* RESET, GOAWAY */
    };
} mote_h2_event;

/* Least sizes, a largest one, and defaults; MOTE_H2_PINGS: PINGs of the peer whose answers may wait
 * for room. */
enum {
    MOTE_H2_TX_MIN = 128,
    MOTE_H2_REPEATS_SIZE = 5888,  /* of mote_h2_repeating_table */
    MOTE_H2_SMALL_TX_MAX = 16393, /* with -DMOTE_SMALL_TX: a frame and its header */
    MOTE_H2_SCRATCH_MIN = 32,
    MOTE_H2_TABLE_MAX = 65504,             /* of table_size */
    MOTE_H2_WINDOW_MAX = 0x7fffffff - 261, /* of initial_window: padding is lent for above it */
    MOTE_H2_PINGS = 3,
    MOTE_H2_BUDGET_DEFAULT = 1000,
    MOTE_H2_LIST_SIZE_DEFAULT = 16384,
    MOTE_H2_SETTINGS_TIMEOUT_MS = 10000,
    MOTE_H2_FRAME_TIMEOUT_MS =
        60000,             /* a frame, or a header block, from its first byte to its last */
    MOTE_H2_LOOK_MS = 1000 /* so much of a pause between two looks counts against the peer */
};

/* Another one, for servers on hosts (not -DMOTE_HPACK_SMALL, -DMOTE_CLIENT_ONLY): header blocks are
 * known again, if they and it are as they were; events are the same. The scratch is aligned as a
 * uint64_t and has MOTE_H2_REPEATS_SIZE bytes more, from MOTE_H2_REPEATS_AT() on. */
extern const mote_hpack_dynamic mote_h2_repeating_table;
#define MOTE_H2_REPEATS_AT(scratch_size) (((size_t)(scratch_size) + 7) / 8 * 8)

typedef struct {
    bool server;
    mote_h2_stream *streams; /* concurrent streams in either direction */
    size_t stream_count;
    uint8_t *tx; /* transmit buffer, at least MOTE_H2_TX_MIN bytes; a header block must fit */
    size_t tx_size;
    const mote_hpack_dynamic *dynamic; /* &mote_hpack_dynamic_table, or NULL: a server has it by
                                          itself, and a client without a table need not link it */
    void *table;       /* MOTE_HPACK_TABLE_MEMORY(table_size) bytes, aligned for uint16_t */
    size_t table_size; /* announced to the peer; a server that must take any legal first request
                          needs 4096 (RFC 9113 6.5.2), a client may have 0 */
    void *scratch;     /* holds the longest field (name and value), at least MOTE_H2_SCRATCH_MIN; a
                          server's also the authority, if a request may have a Host beside it */
    size_t scratch_size;
    mote_hpack_slot *slots; /* fields that the encoder remembers */
    size_t slot_count;
    const mote_hpack_coder *coder; /* &mote_hpack_huffman_coder: makes what is sent and not
                                      remembered shorter by a fifth. NULL, where that is
                                      little: then it is not linked */
    uint32_t initial_window;       /* per stream, 1..MOTE_H2_WINDOW_MAX; 0: 65,535 */
    uint32_t connection_window;    /* 65,535..2^31-1; 0: 65,535 */
    uint32_t max_list_size;        /* MAX_HEADER_LIST_SIZE; 0: MOTE_H2_LIST_SIZE_DEFAULT */
    uint32_t budget;               /* odd events tolerated; 0: MOTE_H2_BUDGET_DEFAULT */
    uint32_t settings_timeout_ms;  /* 0: MOTE_H2_SETTINGS_TIMEOUT_MS */
    bool blank_ends; /* values of regular fields may begin and end with white space, although
                        RFC 9113 8.2.1 forbids it; for users who trim them (RFC 9110 5.5) */
    bool quiet;      /* server: no event tells of :scheme, :authority, content-length and te, which
                        are checked all the same; for users who do not need them */
} mote_h2_config;

/*
 * The life of a connection. What it expects to receive is another matter (mote_h2_phase), since it
 * may be closed before it has heard anything.
 *
 *   OPEN ------ mote_h2_shutdown() of a server ------> ANNOUNCED -- a round trip --> DRAINING
 *   OPEN ------ mote_h2_shutdown() of a client, or GOAWAY received by it ----------> DRAINING
 *   any of them ------- an error, mote_h2_fail(), the end of the transport --------> FAILED
 */
enum mote_h2_life {
    MOTE_H2_OPEN,
    MOTE_H2_ANNOUNCED, /* the peer was told that the end comes; new streams are still taken */
    MOTE_H2_DRAINING,  /* no new streams; those that are open go on */
    MOTE_H2_FAILED     /* the sticky error is set */
};

/* What the next received byte belongs to.
 *
 *   AWAIT_PREFACE ----> AWAIT_SETTINGS ----> IN_FRAME <----> AWAIT_FRAME
 *   (server)            (client begins here)
 */
enum mote_h2_phase {
    MOTE_H2_AWAIT_PREFACE,  /* RFC 9113 3.4 */
    MOTE_H2_AWAIT_SETTINGS, /* the header of the first frame */
    MOTE_H2_AWAIT_FRAME,    /* a frame header */
    MOTE_H2_IN_FRAME        /* a payload */
};

/* Frame types (RFC 9113 6). */
enum mote_h2_frame_type {
    MOTE_H2_FRAME_DATA,
    MOTE_H2_FRAME_HEADERS,
    MOTE_H2_FRAME_PRIORITY,
    MOTE_H2_FRAME_RST_STREAM,
    MOTE_H2_FRAME_SETTINGS,
    MOTE_H2_FRAME_PUSH_PROMISE,
    MOTE_H2_FRAME_PING,
    MOTE_H2_FRAME_GOAWAY,
    MOTE_H2_FRAME_WINDOW_UPDATE,
    MOTE_H2_FRAME_CONTINUATION,
    MOTE_H2_FRAME_UNKNOWN /* all others (RFC 9113 5.5) */
};

/* The parts of a connection; private. Each has an invariant, written down in h2_valid.c. In all of
 * them bytes come first: small machines reach the beginning of a struct with short instructions. */

/* The frame that is being received. */
typedef struct {
    enum mote_h2_phase phase : 8;
    enum mote_h2_frame_type type : 8;
    uint8_t flags, pad;
    uint8_t fixed_len; /* bytes of the preface, the frame header or a payload's fixed part that were
                          read; of DATA: 1 once its content has begun */
    uint8_t fixed[9];  /* those of them that are needed */
    bool pads;         /* of all frames so far: the peer pads its HEADERS or DATA */
    bool tight;        /* a stream may have no room for padding beside what it needs */
    uint32_t length, remaining, id;
    mote_h2_stream *stream; /* of the frame or header block; NULL: to be ignored */
} mote_h2_frame;

/* The header block that is being received. */
typedef struct {
    uint8_t flags;
    uint8_t pseudo; /* pseudo-header fields that were seen, a bit for each kind; and below them
                       whether the method is OPTIONS (1), the path "*" (2) */
    uint8_t code;   /* error that the stream gets at the end of the block */
    uint16_t status;
    uint16_t
        host_len; /* server: length of the host of the request, kept at the end of the scratch */
    uint32_t id;  /* CONTINUATION is expected for this stream; 0: none */
    uint32_t bytes, list_size;
} mote_h2_block;

/* The transmit buffer: bytes [head, tail) wait for mote_h2_ack(). */
typedef struct {
    uint8_t *bytes;
    size_t size, head, tail;
    mote_h2_stream *owner; /* of the DATA frame at the tail that may still grow; NULL: none */
    size_t frame;          /* where that one begins */
} mote_h2_tx;

/* The header section that is being written, between _headers_begin() and _headers_end(). */
typedef struct {
    mote_h2_stream *stream; /* NULL: none */
    size_t start;           /* of its HEADERS frame, from tx.head */
    int16_t error;          /* of its fields, or 0 */
    uint16_t mark;          /* of the encoder */
} mote_h2_section;

typedef struct {
    bool server, blank_ends, quiet; /* of the config */
    enum mote_h2_life life : 8;
    uint8_t owed;  /* what is owed to the peer, beside acks, streams and refused ones */
    uint8_t pings; /* PINGs of the peer whose answers are owed */
    uint8_t asked; /* our PINGs that are unanswered: of the user, of a shutdown */
    bool talked;   /* DATA was sent since the peer's last PING */
    bool ready;    /* the peer's SETTINGS are there */
    bool heard;    /* a whole frame was received; for the user to clear */
    bool calmed;   /* the peer's GOAWAY said ENHANCE_YOUR_CALM; for the user to clear */
    bool blocked;  /* the user was refused for lack of the connection's window */
    uint16_t stream_count, active;
    uint16_t reach;               /* no stream lies further from the slot that is its own */
    uint16_t sweep;               /* slots that are still to be searched for streams that the
                                     peer's GOAWAY excludes */
    uint16_t acks, owing_streams; /* owed: of SETTINGS; streams with an RST_STREAM or credit */
    uint16_t late_frames;         /* and late_bytes: see h2_late.c */
    int16_t error;                /* enum mote_h2_error; 0: none */
    mote_h2_frame frame;
    mote_h2_block block;
    mote_h2_tx tx;
    mote_h2_stream *streams;
    mote_h2_stream *owing; /* where the next stream that owes something is looked for */
    mote_h2_event *event;  /* to be filled, while mote_h2_recv() runs */
    /* flow control */
    int32_t send_window, recv_window;
    uint32_t credit;
    uint32_t stream_window; /* INITIAL_WINDOW_SIZE that the peer has acknowledged */
    uint32_t peer_max_frame, peer_max_streams, peer_window; /* the peer's settings */
    uint32_t next_window; /* INITIAL_WINDOW_SIZE of the SETTINGS that are being received */
    /* the ids of streams */
    uint32_t last_peer_id, next_id, peer_goaway_id, goaway_last;
    uint32_t last_opened;           /* newest id that either of the two maps knows */
    uint32_t opened_map, reset_map; /* the last 32 ids: was opened; was reset by us */
    uint32_t refused_first, refused_last;
    /* what a legal peer may still send on streams that we have closed: see h2_late.c */
    uint32_t late_bytes;
    uint32_t unreturned; /* bytes of content that were sent, and may be given back late */
    /* from the config, with its defaults filled in */
    uint32_t table_size, initial_window, connection_window, max_list_size, budget_max,
        settings_timeout_ms; /* 0 once ours are acknowledged */
    uint32_t budget;
    uint32_t error_code;
    const char *error_text;
    mote_h2_section section;
    uint8_t ping[MOTE_H2_PINGS][8]; /* of the answers that are owed, the oldest first */
    uint32_t settings_ms;           /* since when the peer owes their acknowledgement */
    uint32_t
        begun_ms; /* when a frame or header block that is in progress was seen first; 0: none */
    uint32_t refill_ms; /* when the budget last grew; 0: there was no time yet */
    mote_hpack_decoder decoder;
    mote_hpack_encoder encoder;
} mote_h2;

/* ---- life cycle ---------------------------------------------------------------------------- */

/* Prepares a connection and its preface (RFC 9113 3.4). 0, or MOTE_H2_ERR_CONFIG. */
int mote_h2_init(mote_h2 *c, const mote_h2_config *config);

/*
 * Takes bytes from the transport. Returns 1: *ev is filled; 0: the input is used up; < 0: fatal,
 * sticky. *used says how many bytes were consumed; call again with the rest while it returns 1.
 * Views in *ev stay valid until the next call on this connection, as long as `in` does.
 */
int mote_h2_recv(mote_h2 *c, const uint8_t *in, size_t len, size_t *used, mote_h2_event *ev);

/* The transport has ended: makes the error MOTE_H2_ERR_CLOSED sticky, if there is none yet. */
int mote_h2_recv_eof(mote_h2 *c);

/* Bytes to write next, *len of them, or NULL. Valid until the next call other than mote_h2_ack().
 * The same bytes are offered again, possibly with more behind them, until they are acknowledged. */
const uint8_t *mote_h2_peek(mote_h2 *c, size_t *len);

/* The first `len` of the offered bytes were written. */
void mote_h2_ack(mote_h2 *c, size_t len);

/* Free space in the transmit buffer, in bytes. */
size_t mote_h2_tx_space(const mote_h2 *c);

/* Whether that is at least half of it: what had to wait for room tries again then. */
bool mote_h2_half_free(const mote_h2 *c);

/* Takes the time, in ms from any origin, never backwards. Returns the ms until it must be called
 * again, UINT32_MAX if that does not matter, or < 0 as int when the connection has failed. Time in
 * which nobody called it does not count against the peer, but for MOTE_H2_LOOK_MS of each pause:
 * what the peer has to say may wait to be read. */
uint32_t mote_h2_tick(mote_h2 *c, uint64_t now_ms);

/* Graceful shutdown (RFC 9113 6.8): no new streams from now on; the open ones go on. The server
 * announces it first and closes the door one round trip later. */
void mote_h2_shutdown(mote_h2 *c);

/* Ends the connection with a GOAWAY of this code; `text` (static) goes along as debug data. */
void mote_h2_fail(mote_h2 *c, uint32_t code, const char *text);

/* The sticky error (0: none), its wire code, and why: a text, never NULL, that lives as long as the
 * connection and its memory. */
int mote_h2_error(const mote_h2 *c);
uint32_t mote_h2_error_code(const mote_h2 *c);
const char *mote_h2_error_text(const mote_h2 *c);

/* Name of a wire error code (RFC 9113 7), as "PROTOCOL_ERROR". Static. */
const char *mote_h2_code_name(uint32_t code);

/* ---- sending ------------------------------------------------------------------------------- */

/* Client: a new stream whose header block must follow at once with mote_h2_headers_begin(). If
 * that block fails, the stream is gone. 0, MOTE_H2_AGAIN (no slot, or the peer's
 * MAX_CONCURRENT_STREAMS), MOTE_H2_ERR_GOAWAY, or the sticky error. */
int mote_h2_open(mote_h2 *c, mote_h2_stream **stream);

/*
 * Writes one header section: begin, any number of fields, end. Nothing else may be called between
 * them. Errors of the fields are kept for mote_h2_headers_end(), which returns 0, MOTE_H2_AGAIN,
 * MOTE_H2_ERR_TOO_LARGE (not even an empty transmit buffer holds it), MOTE_H2_ERR_STATE, or the
 * sticky error; unless it is 0 the section was not sent at all.
 */
void mote_h2_headers_begin(mote_h2 *c, mote_h2_stream *s);
void mote_h2_put(mote_h2 *c, const mote_hpack_field *field);
void mote_h2_put_value(mote_h2 *c, const mote_hpack_field *name, const char *value, size_t len);
void mote_h2_put_literal(mote_h2 *c, const char *name, size_t name_len, const char *value,
                         size_t value_len, unsigned flags);
int mote_h2_headers_end(mote_h2 *c, bool end_stream);

/* The section is not to be sent after all: mote_h2_headers_end() returns this error, unless it has
 * failed before. */
void mote_h2_headers_refuse(mote_h2 *c, int error);

/* Client: to be called within the section of a request with the method HEAD. Its response has no
 * content, whatever its content-length says (RFC 9110 9.3.2, RFC 9113 8.1.1). */
void mote_h2_expect_no_content(mote_h2 *c);

/* Space in the transmit buffer to build a value in, for the mote_h2_put_value() that must follow
 * (with a name of at most 24 bytes). NULL: no room; the section has failed and _headers_end() says
 * how. */
uint8_t *mote_h2_value_space(mote_h2 *c, size_t len);

/*
 * Space for content of a DATA frame, in the transmit buffer. Returns the place and sets *len to
 * the bytes that windows, frame size and buffer allow, at least `min`; or NULL for not now (*len
 * is then 0). Consecutive pieces of a stream share a frame as long as nothing was written between.
 */
uint8_t *mote_h2_reserve(mote_h2 *c, mote_h2_stream *s, size_t min, size_t *len);

/* What keeps content of a stream from being sent: its own window, or the connection's; or neither:
 * then only room in the transmit buffer can be missing. */
enum mote_h2_obstacle {
    MOTE_H2_NO_WINDOW_MISSING,
    MOTE_H2_STREAM_WINDOW,
    MOTE_H2_CONNECTION_WINDOW
};
enum mote_h2_obstacle mote_h2_obstacle(const mote_h2 *c, const mote_h2_stream *s);

/* Sends `len` bytes of the reserved space. len 0 with end_stream needs no reservation. Returns 0,
 * MOTE_H2_AGAIN (only for len 0), MOTE_H2_ERR_STATE, or the sticky error. */
int mote_h2_commit(mote_h2 *c, mote_h2_stream *s, size_t len, bool end_stream);

/* The user is done with `len` bytes of received content: the peer may send as many again. */
void mote_h2_consume(mote_h2 *c, mote_h2_stream *s, size_t len);

/* The user waits for `len` more bytes on this stream: returns withheld credit now if needed. A peer
 * that has padded a frame of this connection is granted room for one with its padding, up to 261
 * bytes beyond the window: it may use them for content as well (RFC 9113 6.1). One that begins to
 * pad where less than that is left of the window is granted it after MOTE_H2_LOOK_MS without a
 * frame; where the server's role is left out, it has to send that frame without padding. */
void mote_h2_need(mote_h2 *c, mote_h2_stream *s, size_t len);

/* Ends a stream with RST_STREAM (RFC 9113 6.4). Without effect on one that has ended. */
void mote_h2_reset(mote_h2 *c, mote_h2_stream *s, uint32_t code);

/* True while the peer has not ended its side of the stream. */
bool mote_h2_receiving(const mote_h2_stream *s);

/* Sends a PING unless one is unanswered; MOTE_H2_PONG reports the answer. 0 or MOTE_H2_AGAIN. */
int mote_h2_ping(mote_h2 *c);

/* True once the peer's SETTINGS, the first frame that it sends (RFC 9113 3.4), have arrived. */
bool mote_h2_ready(const mote_h2 *c);

/* True when new streams can be opened now (client). */
bool mote_h2_can_open(const mote_h2 *c);

#ifdef __cplusplus
}
#endif
#endif
