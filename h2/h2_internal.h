#ifndef MOTE_H2_INTERNAL_H
#define MOTE_H2_INTERNAL_H

#include "../hpack/mote_check.h"
#include "mote_features.h"
#include "h2.h"

#include <string.h>

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

/* mote_h2_stream.flags: facts beside its state */
enum {
    STREAM_GOT_HEADERS = 1, /* the final ones, not 1xx */
    STREAM_CREDIT_OWED = 2,
    STREAM_HAS_LENGTH = 4,  /* content_length counts */
    STREAM_BLOCKED = 8,     /* the user was refused for lack of window */
    STREAM_NO_CONTENT = 16, /* response to HEAD */
    STREAM_ENDING = 32,     /* the frame that ends the peer's side has begun */
    STREAM_CONNECT = 64     /* a tunnel: nothing but DATA follows */
};

/* mote_h2.owed */
enum {
    OWE_PING = 1,
    OWE_PINGS = 3, /* how many: of the user, and of a shutdown */
    OWE_GOAWAY = 4,
    OWE_WINDOW = 8,
    OWE_REFUSED = 16
};

/* mote_h2_block.flags */
enum {
    BLOCK_TRAILERS = 1,
    BLOCK_REGULAR = 2, /* a regular field was seen: no pseudo-header field may follow */
    BLOCK_TRUNCATED = 4,
    BLOCK_END_STREAM = 8,
    BLOCK_REFUSED = 16, /* no slot: the stream is refused at the end of the block */
    BLOCK_CONNECT = 32,
    BLOCK_HAS_LENGTH = 64,
    BLOCK_HAS_HOST = 128
};

enum {
    PREFACE_SIZE = 24,
    FRAME_HEADER_SIZE = 9,
    PING_SIZE = 8,
    DEFAULT_WINDOW = 65535,
    MAX_FRAME = 16384, /* ours: SETTINGS_MAX_FRAME_SIZE stays at its default */
    MAX_WINDOW = 0x7fffffff,
    /* Of the longest padding, its length and 5 bytes of content (RFC 9113 6.1). */
    PADDED_ROOM = MAX_WINDOW - MOTE_H2_WINDOW_MAX,
    /* Streams that a client may open free of charge before it knows our limit, though those beyond
     * the limit are refused (RFC 9113 6.5.2 recommends a limit of no less than 100). */
    FREE_STREAMS = 100,
    /* Bytes of one compressed block, as a multiple of the largest list: Huffman code can be longer
     * than what it stands for, so a list within its limit may take up to four times as much. */
    BLOCK_FACTOR = 4
};

/*
 * The budget: what each legal-but-odd event costs. It starts at config.budget and regains
 * 1 every REFILL_MS and with each stream that ends in good order.
 */
enum {
    COST_PING = 1,
    COST_SETTINGS = 1,
    COST_SETTINGS_ENTRIES = 1, /* for every 16 entries of one frame */
    COST_SETTINGS_WINDOWS = 1, /* for every 1,024 streams, when their windows change */
    COST_RESET = 1,            /* RST_STREAM received for a stream in use */
    COST_STREAM_ERROR = 2,     /* an error of the peer that costs a stream */
    COST_REFUSED = 1,
    COST_INTERIM = 1, /* a 1xx response */
    COST_EMPTY = 1,   /* DATA, HEADERS or CONTINUATION that carries nothing */
    COST_IGNORED = 1, /* PRIORITY, unknown frames, frames on closed streams that nothing excuses */
    COST_TRUNCATED = 8,
    REFILL_MS = 10
};

/*
 * Names: mote_h2_on_X...() receive a frame of type X, or a part of it. Like mote_h2_recv() they
 * return 1 when c->event is filled, 0, or < 0 when the connection has failed. What sends is public,
 * or is called mote_h2_tx_...() and mote_h2_flush().
 */

/* h2_valid.c: the invariants */
bool mote_h2_tx_valid(const mote_h2_tx *tx);
bool mote_h2_frame_valid(const mote_h2 *c);
bool mote_h2_block_valid(const mote_h2 *c);
bool mote_h2_section_valid(const mote_h2 *c);
bool mote_h2_stream_valid(const mote_h2 *c, const mote_h2_stream *s);
bool mote_h2_has_slot(const mote_h2 *c, const mote_h2_stream *s); /* s is one of its slots */
bool mote_h2_valid(const mote_h2 *c);                             /* all of them */
/* Content that was delivered to the user and not consumed. */
int64_t mote_h2_held(const mote_h2 *c, const mote_h2_stream *s);

/* What public functions expect: that nothing is amiss, and that no header section is begun. */
#define CHECK_CONNECTION(c) MOTE_CHECK_THAT(mote_h2_valid(c) && !(c)->section.stream)
#define CHECK_STREAM(c, s)                                                                         \
    MOTE_CHECK_THAT(mote_h2_valid(c) && !(c)->section.stream && mote_h2_has_slot(c, s))
#define CHECK_SECTION(c) MOTE_CHECK_THAT(mote_h2_valid(c) && (c)->section.stream)

/* h2_init.c */
extern const char mote_h2_preface[PREFACE_SIZE];

/* h2_stream.c: slots */
mote_h2_stream *mote_h2_stream_find(mote_h2 *c, uint32_t id);
mote_h2_stream *mote_h2_stream_add(mote_h2 *c, uint32_t id); /* NULL: all are in use */
void mote_h2_stream_remove(mote_h2 *c, mote_h2_stream *s);
bool mote_h2_stream_is_idle(const mote_h2 *c, uint32_t id);
bool mote_h2_stream_was_opened(const mote_h2 *c, uint32_t id);   /* one of the last 32 */
bool mote_h2_stream_was_reset(const mote_h2 *c, uint32_t id);    /* by us, one of the last 32 */
bool mote_h2_stream_is_forgotten(const mote_h2 *c, uint32_t id); /* not one of the last 32 */
void mote_h2_stream_note_opened(mote_h2 *c, uint32_t id);
/* A stream is closed by us while the peer may still send so much on it. */
void mote_h2_expect_late(mote_h2 *c, int32_t window);
/* END_STREAM was sent or received: the stream is half-closed (local) or (remote) by it. */
void mote_h2_stream_end(mote_h2 *c, mote_h2_stream *s, enum mote_h2_stream_state half);

/* h2_tx.c: the transmit buffer */
uint8_t *mote_h2_tx_room(mote_h2 *c, size_t len); /* contiguous space at the end, or NULL */
/* A frame whose payload is to be filled in, or NULL: no room. */
uint8_t *mote_h2_tx_frame(mote_h2 *c, unsigned type, unsigned flags, uint32_t id, size_t len);
/* A frame of 4 bytes; false: no room. */
bool mote_h2_tx_word(mote_h2 *c, unsigned type, uint32_t id, uint32_t value);
void mote_h2_frame_header(uint8_t *p, size_t len, unsigned type, unsigned flags, uint32_t id);

/* h2_owed.c */
bool mote_h2_flush(mote_h2 *c); /* writes what is owed; true: nothing is owed any more */
void mote_h2_owe(mote_h2 *c, mote_h2_stream *s); /* a stream that owed nothing does from now on */

/* h2_error.c */
/* Ends the connection; returns `error`. */
int mote_h2_fatal(mote_h2 *c, enum mote_h2_error error, uint32_t code, const char *text);
/* Ends it for an error of the peer. */
int mote_h2_peer_error(mote_h2 *c, uint32_t code, const char *text);
/* The same with "TEXT: VALUE". */
#ifdef MOTE_NO_TEXTS
static inline int mote_h2_peer_error_of(mote_h2 *c, uint32_t code, const char *text, uint32_t value)
{
    (void)text, (void)value;
    return mote_h2_peer_error(c, code, NULL);
}
#else
int mote_h2_peer_error_of(mote_h2 *c, uint32_t code, const char *text, uint32_t value);
#endif
/* Takes `cost` from the budget: 0, or < 0 when it is used up. */
int mote_h2_charge(mote_h2 *c, uint32_t cost);

/* h2_late.c: what a legal peer sends on streams that we have closed */
/* The frame is late: 0, or < 0 as mote_h2_charge(). */
int mote_h2_late_frame(mote_h2 *c);

/* h2_rst_stream.c */
/* Ends a stream for an error of the peer: 1 with c->event filled, or < 0. */
int mote_h2_stream_error(mote_h2 *c, mote_h2_stream *s, uint32_t code);
int mote_h2_on_rst_stream(mote_h2 *c);

/* h2_window_update.c */
bool mote_h2_in_its_data(const mote_h2 *c, const mote_h2_stream *s);
void mote_h2_credit_stream(mote_h2 *c, mote_h2_stream *s);
void mote_h2_credit_connection(mote_h2 *c, uint32_t len);
/* Whether a window would exceed 2^31-1 by an increment of no more than that. */
bool mote_h2_overflows(const mote_h2_stream *s, uint32_t increment);
int mote_h2_on_window_update(mote_h2 *c);

/* h2_data_recv.c */
int mote_h2_on_data(mote_h2 *c);
int mote_h2_on_data_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used);
int mote_h2_on_data_end(mote_h2 *c);

/* h2_headers_recv.c: HEADERS and CONTINUATION; h2_fields.c */
int mote_h2_on_headers(mote_h2 *c);
int mote_h2_on_continuation(mote_h2 *c);
int mote_h2_on_block_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used);
int mote_h2_on_block_end(mote_h2 *c);
/* Checks a field of the block in progress: its kind, or 0 when the message is malformed. */
unsigned mote_h2_check_field(mote_h2 *c, mote_hpack_field_view *f);
/* Checks what must be there at the end of a block: false when the message is malformed. */
bool mote_h2_check_section(const mote_h2 *c);
/* A field has come: it may lie where the host was kept. */
void mote_h2_spare_host(mote_h2 *c, const mote_hpack_field_view *f);

/* h2_repeat.c: header blocks that repeat, where MOTE_HAS_REPEATS */
/* Whether a block, of which `fragment` bytes are left and `len` are here, is known: then it has
 * come to its end, and its fields are still to be told. */
bool mote_h2_repeat_known(mote_h2 *c, const uint8_t *block, size_t fragment, size_t len);
int mote_h2_repeat_tell(mote_h2 *c);                 /* 1: of one of them; 0: there is none */
void mote_h2_repeat_note(mote_h2 *c, unsigned kind); /* a field is told for the first time */
void mote_h2_repeat_end(mote_h2 *c);
/* Fills what is told of a field beside its view. */
void mote_h2_tell_field(mote_h2 *c, unsigned kind);

/* h2_grammar.c: names of fields; and what a server lets in, each kind of text with its grammar */
bool mote_h2_is_name(const char *s, size_t len);
bool mote_h2_is_method(const char *s, size_t len);
bool mote_h2_is_scheme(const char *s, size_t len);
bool mote_h2_is_path(const char *s, size_t len);
bool mote_h2_is_authority(const char *s, size_t len);

/* h2_settings.c */
void mote_h2_tx_settings(mote_h2 *c); /* ours, into an empty buffer */
int mote_h2_on_settings(mote_h2 *c);
int mote_h2_on_settings_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used);
int mote_h2_on_settings_end(mote_h2 *c);

/* h2_ping.c, h2_goaway.c, h2_priority.c, h2_push_promise.c */
int mote_h2_on_ping(mote_h2 *c);
int mote_h2_on_goaway(mote_h2 *c);
/* Reports the streams that the peer's GOAWAY excludes, one by one. */
int mote_h2_sweep(mote_h2 *c);
int mote_h2_on_priority(mote_h2 *c);
int mote_h2_on_push_promise(mote_h2 *c);

/* One store where the processor can. */
static inline void mote_h2_put32(uint8_t *p, uint32_t v)
{
#if defined __GNUC__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
#else
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
#endif
}

/* One load where the processor can, at any address, and then never a call. */
#ifdef __ARM_FEATURE_UNALIGNED
static inline __attribute__((always_inline)) uint32_t mote_h2_get32(const uint8_t *p)
#else
static inline uint32_t mote_h2_get32(const uint8_t *p)
#endif
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What a frame says in fixed places is gathered until there are `size` bytes of it; how many were
 * taken. */
MOTE_HEADER_APART size_t mote_h2_gather(mote_h2_frame *f, size_t size, const uint8_t *in,
                                        size_t len)
{
    size_t n = size - f->fixed_len;

    n = n < len ? n : len;
    memcpy(f->fixed + f->fixed_len, in, n);
    f->fixed_len = (uint8_t)(f->fixed_len + n);
    return n;
}

#endif
