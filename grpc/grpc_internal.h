#ifndef MOTE_GRPC_INTERNAL_H
#define MOTE_GRPC_INTERNAL_H

#include "../h2/mote_features.h"
#include "../hpack/mote_check.h"
#include "door.h"

/* mote_grpc_call.facts: what is independent of its states */
enum {
    FACT_READ = 1,          /* server: its content is read by the door */
    FACT_UNSEEN = 2,        /* client: the server has not processed the call */
    FACT_STATUS = 4,        /* client: grpc-status was seen */
    FACT_POST = 8,          /* server: :method is POST */
    FACT_GRPC = 16,         /* content-type is application/grpc */
    FACT_BAD_ENCODING = 32, /* client: the server's grpc-encoding is unknown */
    FACT_MESSAGE = 64,      /* a whole message was delivered */
    FACT_RESPONSE = 128,    /* server: a response was sent */
    FACT_ANSWERED = 256,    /* server: status OK follows the end of the request */
    FACT_REFUSED = 512,     /* server: the request was refused by its header fields */
    FACT_WRITABLE = 1024,   /* WRITABLE is to be told */
    FACT_TURN = 2048,       /* it need no longer wait */
    FACT_FINISHES = 4096,   /* server: its end was tried, and waits for room */
    FACT_DOOR = 8192,       /* server: it came through the door of the config */
    FACT_PACKED = 16384,    /* and what is sent to it is packed */
    FACT_TRAILING = 32768   /* and a part of its trailers was sent */
};

/* How a stream ends, beside the wire codes of RST_STREAM. */
enum {
    STREAM_STATUS = 0x100, /* server: by the status, as soon as there is room */
    STREAM_GONE            /* it has ended already */
};

enum { PREFIX_SIZE = 5 };
/* What is counted with its prefix must fit 32 bits, as its length must. */
#define LARGEST_MESSAGE (UINT32_MAX - PREFIX_SIZE)

/* What a header field means to this layer; also the memo of a dynamic table entry. */
enum {
    FIELD_UNSEEN,
    FIELD_OTHER,
    FIELD_METHOD_POST,
    FIELD_TYPE_GRPC,
    FIELD_TYPE_BAD,
    FIELD_TYPE_OTHER, /* gRPC, but not protobuf */
    FIELD_TIMEOUT,
    FIELD_STATUS,
    FIELD_MESSAGE,
    FIELD_ENCODING, /* an unknown one */
    FIELD_IGNORED,
    FIELD_UNKNOWN_SERVICE,
    FIELD_UNKNOWN_METHOD,                               /* of a known service */
    FIELD_CODEC,                                        /* + number of the codec */
    FIELD_ACCEPT = FIELD_CODEC + MOTE_GRPC_CODECS,      /* + a bit for each codec */
    FIELD_PATH = FIELD_ACCEPT + (1 << MOTE_GRPC_CODECS) /* + number of the method */
};

/* Which side this is; a constant where only one is built. */
static inline bool mote_grpc_serves(const mote_grpc *g)
{
    return MOTE_SERVES(&g->h2);
}

/* Slots for calls: as many as h2 has for streams. */
static inline size_t mote_grpc_slots(const mote_grpc *g)
{
    return g->h2.stream_count;
}

/* What a server takes of requests and sends as responses; of a client's calls NULL, a constant
 * where no server is built. */
static inline const mote_grpc_method *mote_grpc_method_of(const mote_grpc_call *call)
{
    return mote_grpc_serves(call->grpc) ? call->method : NULL;
}

/* Whether the request is one of gRPC: others get an answer in plain HTTP. */
static inline bool mote_grpc_is_grpc(const mote_grpc_call *call)
{
    return (call->facts & (FACT_POST | FACT_GRPC)) == (FACT_POST | FACT_GRPC);
}

/* Only a server begins with its headers. */
static inline bool mote_grpc_owes_headers(const mote_grpc_call *call)
{
    return MOTE_MAY_SERVE && call->local == MOTE_GRPC_LOCAL_HEADERS;
}

/* Only a server owes a status. */
static inline bool mote_grpc_owes_status(const mote_grpc_call *call)
{
    return MOTE_MAY_SERVE &&
           (call->local == MOTE_GRPC_LOCAL_OWED || call->local == MOTE_GRPC_LOCAL_OWED_ALONE);
}

/* Whether a call came through the door, or, with FACT_READ, through one that reads its content;
 * those of a client did not, a constant where no server is built. */
static inline bool mote_grpc_came_by(const mote_grpc_call *call, unsigned fact)
{
    return MOTE_HAS_DOOR && (call->facts & fact);
}

/* From the user memory, and from the receive buffer, of one call to those of the next. */
static inline size_t mote_grpc_user_step(const mote_grpc_config *c)
{
    return MOTE_GRPC_ALIGN((size_t)c->user_size) + MOTE_GRPC_RED_ZONE;
}

static inline size_t mote_grpc_rx_step(const mote_grpc_config *c)
{
    return MOTE_GRPC_ALIGN((size_t)c->rx_size) + MOTE_GRPC_PLACE + 2 * MOTE_GRPC_RED_ZONE;
}

/* grpc_call.c */
mote_grpc_call *mote_grpc_call_new(mote_grpc *g, mote_h2_stream *stream);
void mote_grpc_call_release(mote_grpc_call *call);
void mote_grpc_call_wait(mote_grpc_call *call, enum mote_grpc_obstacle obstacle);
/* Its obstacle is gone, for now. */
bool mote_grpc_may_go_on(const mote_grpc_call *call);
/* Whether one that may go on waits for room, in its turn, as others do. Otherwise a peer that opens
 * a window just when there is room, but less than half, would hold all of them up. */
bool mote_grpc_queues(mote_grpc_call *call);
void mote_grpc_call_unwait(mote_grpc_call *call);
/* What the call has waited for may be there: it gets its turn. */
void mote_grpc_wake(mote_grpc_call *call);
/* All calls are looked at in turn, as long as there is something for them. */
void mote_grpc_scan_for(mote_grpc *g, enum mote_grpc_scan what);
size_t mote_grpc_text_length(const char *text); /* NULL: 0 */
/* Ends a call, from here, with a code and a static text (NULL: none); `how` its stream ends is a
 * wire code or STREAM_... What was decided before stays, unless it is a status that could not be
 * sent. */
void mote_grpc_call_end(mote_grpc_call *call, int code, const char *text, unsigned how);
/* Ends it for what its peer has sent: by a server's status, or a client's RST_STREAM. */
void mote_grpc_call_fail(mote_grpc_call *call, int code, const char *text);
/* Takes the stream away from under the call; without effect on one that has ended. */
void mote_grpc_call_reset(mote_grpc_call *call, uint32_t wire_code);

/* grpc_deadline.c */
void mote_grpc_set_deadline(mote_grpc_call *call, uint64_t ms);
int mote_grpc_parse_timeout(const char *value, size_t len, uint64_t *ms); /* 0 or -1 */
size_t mote_grpc_format_timeout(uint32_t ms, char out[9]);

/* grpc_valid.c: the invariants, for MOTE_CHECK_THAT() */
bool mote_grpc_valid(const mote_grpc *g);
bool mote_grpc_sorted(const mote_grpc_config *c); /* each service that says so is */

/* grpc_fields.c */
extern const mote_hpack_field mote_grpc_content_type, mote_grpc_status_200;
/* RFC 9110 5.5: white space at the ends is no part of a value. */
void mote_grpc_trim(mote_hpack_field_view *f);
/* The same of a field, but for grpc-message, of which every byte counts. */
void mote_grpc_trim_field(mote_h2_event *h);
unsigned mote_grpc_classify(const mote_grpc *g, const mote_h2_event *h);
unsigned mote_grpc_find_method(const mote_grpc *g, const char *path, size_t len);
const mote_grpc_method *mote_grpc_method_at(const mote_grpc *g, unsigned number);

/* grpc_metadata.c */
bool mote_grpc_is_value(const char *value, size_t len);
/* Of :path and :authority: printable ASCII without blanks and "#" (RFC 3986 2). */
bool mote_grpc_is_visible(const char *value, size_t len);
/* Of a client's config: what it says with each request may be said. */
bool mote_grpc_speaks(const mote_grpc_config *config);
int mote_grpc_check_list(mote_grpc *g, const mote_grpc_metadata *metadata, size_t count);
void mote_grpc_put_list(mote_h2 *h2, const mote_grpc_metadata *metadata, size_t count);

/* 0, or why a field of it may not be sent; then it is g->refused. */
static inline int mote_grpc_check_metadata(mote_grpc *g, const mote_grpc_metadata *metadata,
                                           size_t count)
{
    MOTE_CHECK_THAT(metadata || count == 0);
    if (count == 0)
        return 0;
    return MOTE_SENDS_METADATA ? mote_grpc_check_list(g, metadata, count) : MOTE_GRPC_ERR_CONFIG;
}

static inline void mote_grpc_put_metadata(mote_h2 *h2, const mote_grpc_metadata *metadata,
                                          size_t count)
{
    if (MOTE_SENDS_METADATA && count > 0)
        mote_grpc_put_list(h2, metadata, count);
}

/* grpc_status.c */
int mote_grpc_code_of_http(unsigned status);
int mote_grpc_code_of_reset(uint32_t wire_code);

/* grpc_text.c */
size_t mote_grpc_percent_decode(const char *in, size_t len, char *out, size_t cap);
/* Bytes of the percent-encoded text; *len is set to what of it fits `cap` of them. */
size_t mote_grpc_percent_size(const char *in, size_t *len, size_t cap);
void mote_grpc_percent_encode(const char *in, size_t len, char *out);

/* grpc_codec.c */
void mote_grpc_put_codec(mote_grpc_call *call);
/* What a field about compression says of the call: false when `what` is no such field. */
bool mote_grpc_codec_field(mote_grpc_call *call, unsigned what);
unsigned mote_grpc_classify_encoding(const mote_grpc *g, const char *value, size_t len);
unsigned mote_grpc_classify_accept(const mote_grpc *g, const char *value, size_t len);
/* A compressed message in place of what it was: false when the call has failed. */
bool mote_grpc_decompress(mote_grpc_call *call, mote_grpc_event *ev);

/* grpc_send.c */
/* Of the prefix, from byte `at`, as much as there is room for; how many bytes. */
size_t mote_grpc_put_prefix(uint8_t *out, size_t room, size_t at, size_t len, uint8_t flag);

/* The length that a prefix says. */
static inline uint32_t mote_grpc_length_in(const uint8_t *prefix)
{
    return (uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 | (uint32_t)prefix[3] << 8 |
           prefix[4];
}

/* grpc_message.c */
/* The next message of a call from its buffer or the content at hand: true when *ev is filled. */
bool mote_grpc_next_message(mote_grpc_call *call, mote_grpc_event *ev);
/* Moves up to `len` bytes of what is at hand to the buffer; false: the call has failed. */
bool mote_grpc_store(mote_grpc_call *call, size_t len);
/* Passes `len` bytes of the buffer, or of what is at hand. */
void mote_grpc_pass(mote_grpc_call *call, size_t len, enum mote_grpc_where where);
/* The same of an event, which holds their credit; false: the call has failed, for one that may not
 * be. */
bool mote_grpc_hold(mote_grpc_call *call, size_t len, enum mote_grpc_where where);
/* So many bytes are done with: the peer may send as many again. */
void mote_grpc_give_back(mote_grpc_call *call, size_t len);
/* The peer has ended inside of a message. */
bool mote_grpc_message_cut(const mote_grpc_call *call);
/* The event that held credit is done. */
void mote_grpc_message_done(mote_grpc_call *call);
/* It is brought back: its bytes and what is at hand behind them wait in the call's buffer. */
void mote_grpc_message_keep(mote_grpc_call *call);
/* Content for a call that cannot take it now. */
void mote_grpc_message_store(mote_grpc_call *call);

/* grpc_deliver.c */
/* The end of a call: true when *ev is filled. */
bool mote_grpc_next_end(mote_grpc *g, mote_grpc_event *ev);
/* The next event of the call that is being delivered; false: it has no more. */
bool mote_grpc_deliver(mote_grpc *g, mote_grpc_event *ev);
/* The event that was delivered last is done, unless it was brought back. */
void mote_grpc_conclude(mote_grpc *g);
/* The next call that has something to tell begins to be delivered: false when there is none. */
bool mote_grpc_scan(mote_grpc *g);

/* grpc_client.c, grpc_server.c */
void mote_grpc_client_field(mote_grpc_call *call, const mote_h2_event *h, unsigned what);
void mote_grpc_client_headers(mote_grpc_call *call, const mote_h2_event *h);
void mote_grpc_client_end(mote_grpc_call *call); /* the stream ended in good order */
void mote_grpc_server_field(mote_grpc_call *call, const mote_h2_event *h, unsigned what);
void mote_grpc_server_headers(mote_grpc_call *call, const mote_h2_event *h);
/* A :path is this, or says that it is unknown. */
void mote_grpc_server_path(mote_grpc_call *call, const mote_hpack_field_view *f, unsigned what);

/* grpc_words.c */
/* A text that is built: what there is no room for is left out; NUL stands at its end. */
typedef struct {
    char *at, *end;
} mote_grpc_words;
void mote_grpc_put_words(mote_grpc_words *w, const char *text, size_t len);
void mote_grpc_put_word(mote_grpc_words *w, const char *text);
void mote_grpc_put_number(mote_grpc_words *w, uint64_t value);
/* Texts of the end of a call, which lie in its receive buffer: nothing of it is delivered any more.
 * "WHAT NAME"; and "WHAT VALUE LIMIT_NAME LIMIT of the client". */
#ifdef MOTE_NO_TEXTS
static inline const char *mote_grpc_name_it(mote_grpc_call *call, const char *what,
                                            const char *name, size_t len)
{
    (void)call, (void)what, (void)name, (void)len;
    return NULL;
}
static inline const char *mote_grpc_count_it(mote_grpc_call *call, const char *what, uint64_t value,
                                             const char *limit_name, uint64_t limit)
{
    (void)call, (void)what, (void)value, (void)limit_name, (void)limit;
    return NULL;
}
static inline const char *mote_grpc_limit_it(mote_grpc_call *call, const char *limit_name,
                                             uint64_t limit)
{
    (void)call, (void)limit_name, (void)limit;
    return NULL;
}
static inline const char *mote_grpc_limit_of_fields(mote_grpc_call *call)
{
    (void)call;
    return NULL;
}
#else
const char *mote_grpc_name_it(mote_grpc_call *call, const char *what, const char *name, size_t len);
const char *mote_grpc_count_it(mote_grpc_call *call, const char *what, uint64_t value,
                               const char *limit_name, uint64_t limit);
/* "LIMIT_NAME LIMIT of the client", where how much it was depends on how the input was cut. */
const char *mote_grpc_limit_it(mote_grpc_call *call, const char *limit_name, uint64_t limit);
/* Which limit of a header section was passed. */
const char *mote_grpc_limit_of_fields(mote_grpc_call *call);
#endif

/* grpc_trailers.c */
/* Sends the headers: 0, and the call goes on, or owes the rest. */
int mote_grpc_begin_response(mote_grpc_call *call, const mote_grpc_metadata *metadata,
                             size_t count);
/* Sends the status that is owed, or waits for room. */
void mote_grpc_settle(mote_grpc_call *call);
int mote_grpc_parse_code(const char *value, size_t len);

#endif
