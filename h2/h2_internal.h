#ifndef MOTE_H2_INTERNAL_H
#define MOTE_H2_INTERNAL_H

#include "mote_features.h"
#include "h2.h"

/* Frame types (RFC 9113 6). */
enum {
    FRAME_DATA,
    FRAME_HEADERS,
    FRAME_PRIORITY,
    FRAME_RST_STREAM,
    FRAME_SETTINGS,
    FRAME_PUSH_PROMISE,
    FRAME_PING,
    FRAME_GOAWAY,
    FRAME_WINDOW_UPDATE,
    FRAME_CONTINUATION,
    FRAME_UNKNOWN /* all others (RFC 9113 5.5) */
};

/* Frame flags. */
enum {
    FLAG_ACK = 0x1,
    FLAG_END_STREAM = 0x1,
    FLAG_END_HEADERS = 0x4,
    FLAG_PADDED = 0x8,
    FLAG_PRIORITY = 0x20
};

/* Settings (RFC 9113 6.5.2). */
enum {
    SETTING_HEADER_TABLE_SIZE = 1,
    SETTING_ENABLE_PUSH,
    SETTING_MAX_CONCURRENT_STREAMS,
    SETTING_INITIAL_WINDOW_SIZE,
    SETTING_MAX_FRAME_SIZE,
    SETTING_MAX_HEADER_LIST_SIZE
};

/* mote_h2_stream.flags */
enum {
    STREAM_LOCAL_END = 1,
    STREAM_REMOTE_END = 2,
    STREAM_GOT_HEADERS = 8,
    STREAM_RESET_OWED = 16, /* ended; the slot only waits for its RST_STREAM to be written */
    STREAM_CREDIT_OWED = 32,
    STREAM_HAS_LENGTH = 64,  /* content_length counts */
    STREAM_BLOCKED = 128,    /* the user was refused for lack of window */
    STREAM_NO_CONTENT = 256, /* response to HEAD */
    STREAM_ENDING = 512,     /* the frame that ends the peer's side has begun */
    STREAM_CONNECT = 1024    /* a tunnel: nothing but DATA follows */
};

/* mote_h2.owed */
enum {
    OWE_PING_ACK = 1,
    OWE_PING = 2,
    OWE_GOAWAY = 4,
    OWE_WINDOW = 8,
    OWE_REFUSED = 16,
    CONN_BLOCKED = 32 /* not owed to the peer: the user waits for the connection's window */
};

/* mote_h2.phase: what the next byte belongs to */
enum { PHASE_PREFACE, PHASE_FIRST, PHASE_HEADER, PHASE_PAYLOAD };

/* mote_h2.closing */
enum { CLOSING_NO, CLOSING_ANNOUNCED, CLOSING_DONE };

/* mote_h2.block_flags */
enum {
    BLOCK_TRAILERS = 1,
    BLOCK_REGULAR = 2, /* a regular field was seen: no pseudo-header field may follow */
    BLOCK_TRUNCATED = 4,
    BLOCK_END_STREAM = 8,
    BLOCK_REFUSED = 16, /* no slot: the stream is refused at the end of the block */
    BLOCK_CONNECT = 32,
    BLOCK_HAS_LENGTH = 64
};

enum {
    FRAME_HEADER_SIZE = 9,
    PING_SIZE = 8,
    DEFAULT_WINDOW = 65535,
    MAX_FRAME = 16384, /* ours: SETTINGS_MAX_FRAME_SIZE stays at its default */
    MAX_WINDOW = 0x7fffffff
};

/*
 * The budget: what each legal-but-odd event costs. It starts at config.budget and regains
 * 1 every REFILL_MS and with each stream that ends in good order.
 */
enum {
    COST_PING = 1,
    COST_SETTINGS = 1,
    COST_SETTINGS_ENTRIES = 1, /* for every 16 entries of one frame */
    COST_RESET = 1,            /* RST_STREAM received for a stream in use */
    COST_STREAM_ERROR = 2,     /* an error of the peer that costs a stream */
    COST_REFUSED = 1,
    COST_INTERIM = 1, /* a 1xx response */
    COST_EMPTY = 1,   /* DATA, HEADERS or CONTINUATION that carries nothing */
    COST_IGNORED = 1, /* PRIORITY, unknown frames, frames on closed streams */
    COST_TRUNCATED = 8,
    REFILL_MS = 10
};

/* h2_stream.c: slots */
mote_h2_stream *mote_h2_stream_find(mote_h2 *c, uint32_t id);
mote_h2_stream *mote_h2_stream_add(mote_h2 *c, uint32_t id); /* NULL: all are in use */
void mote_h2_stream_remove(mote_h2 *c, mote_h2_stream *s);
bool mote_h2_stream_is_idle(const mote_h2 *c, uint32_t id);
bool mote_h2_stream_was_opened(const mote_h2 *c, uint32_t id); /* one of the last 32 */
bool mote_h2_stream_was_reset(const mote_h2 *c, uint32_t id);  /* by us, one of the last 32 */
void mote_h2_stream_note_opened(mote_h2 *c, uint32_t id);
/* One direction has ended; frees the slot when it was the last. */
void mote_h2_stream_end(mote_h2 *c, mote_h2_stream *s, unsigned side);

/* h2_tx.c: the transmit buffer */
uint8_t *mote_h2_tx_room(mote_h2 *c, size_t len); /* contiguous space at the end, or NULL */
/* A frame whose payload is to be filled in, or NULL: no room. */
uint8_t *mote_h2_tx_frame(mote_h2 *c, unsigned type, unsigned flags, uint32_t id, size_t len);
void mote_h2_frame_header(uint8_t *p, size_t len, unsigned type, unsigned flags, uint32_t id);
bool mote_h2_flush(mote_h2 *c); /* writes what is owed; true: nothing is owed any more */
/* RST_STREAM for a stream without a slot; skipped when there is no room. */
void mote_h2_tx_reset(mote_h2 *c, uint32_t id, uint32_t code);

/* h2_flow.c */
void mote_h2_credit_stream(mote_h2 *c, mote_h2_stream *s);
void mote_h2_credit_connection(mote_h2 *c, uint32_t len);
int mote_h2_data_begin(mote_h2 *c, mote_h2_event *ev);
int mote_h2_data_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used,
                         mote_h2_event *ev);
int mote_h2_data_end(mote_h2 *c, mote_h2_event *ev);

/* h2_headers.c, h2_fields.c */
int mote_h2_headers_begin_frame(mote_h2 *c, mote_h2_event *ev);
int mote_h2_continuation_begin(mote_h2 *c, mote_h2_event *ev);
int mote_h2_headers_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used,
                            mote_h2_event *ev);
int mote_h2_headers_end_frame(mote_h2 *c, mote_h2_event *ev);
/* Checks a field of the block in progress: its kind, or 0 when the message is malformed. */
unsigned mote_h2_check_field(mote_h2 *c, const mote_hpack_field_view *f);
/* Checks what must be there at the end of a block: false when the message is malformed. */
bool mote_h2_check_section(const mote_h2 *c);

/* h2_control.c */
int mote_h2_control_begin(mote_h2 *c, mote_h2_event *ev);
int mote_h2_control_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used,
                            mote_h2_event *ev);
int mote_h2_settings_begin(mote_h2 *c, mote_h2_event *ev);
int mote_h2_settings_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used,
                             mote_h2_event *ev);
int mote_h2_settings_end(mote_h2 *c, mote_h2_event *ev);
int mote_h2_priority_end(mote_h2 *c, mote_h2_event *ev);
int mote_h2_rst_stream_end(mote_h2 *c, mote_h2_event *ev);
int mote_h2_ping_end(mote_h2 *c, mote_h2_event *ev);
int mote_h2_goaway_end(mote_h2 *c, mote_h2_event *ev);
int mote_h2_window_update_end(mote_h2 *c, mote_h2_event *ev);
int mote_h2_push_promise_begin(mote_h2 *c, mote_h2_event *ev);
int mote_h2_unknown_end(mote_h2 *c, mote_h2_event *ev);

/* h2_error.c */
/* Ends the connection; returns `error`. */
int mote_h2_fatal(mote_h2 *c, int error, uint32_t code, const char *text);
/* Ends it for an error of the peer. */
int mote_h2_peer_error(mote_h2 *c, uint32_t code, const char *text);
/* Ends a stream for an error of the peer: 1 with *ev filled, or < 0. */
int mote_h2_stream_error(mote_h2 *c, mote_h2_stream *s, uint32_t code, mote_h2_event *ev);
/* Takes `cost` from the budget: 0, or < 0 when it is used up. */
int mote_h2_charge(mote_h2 *c, uint32_t cost);

static inline uint32_t mote_h2_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void mote_h2_put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

#endif
