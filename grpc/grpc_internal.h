#ifndef MOTE_GRPC_INTERNAL_H
#define MOTE_GRPC_INTERNAL_H

#include "../h2/mote_features.h"
#include "grpc.h"

/* mote_grpc_call.flags */
enum {
    CALL_ACTIVE = 1,
    CALL_HEADERS_SENT = 2,
    CALL_LOCAL_END = 4,  /* the last message, or the status, is sent */
    CALL_REMOTE_END = 8, /* nothing more arrives */
    CALL_WAITING = 16,   /* a send or a deferred event waits for room */
    CALL_DEFERRED = 32,  /* nothing is delivered until there is room */
    CALL_CHUNKS = 64,
    CALL_STATUS_OWED = 128, /* server: the status was decided but not yet sent */
    CALL_UNSEEN = 256,      /* client: the server has not processed it */
    CALL_GOT_STATUS = 512,  /* client: grpc-status was seen */
    CALL_DROP = 1024,       /* whatever still arrives is dropped */
    CALL_METHOD_OK = 2048,  /* server: :method is POST */
    CALL_TYPE_OK = 4096,    /* content-type is application/grpc */
    CALL_TELL = 8192,       /* server: the handler learns of the status that is owed */
    CALL_BAD_ENCODING = 16384,
    CALL_GOT_MESSAGE = 32768,
    /* server: a request was delivered */ /* client: the server's grpc-encoding is unknown */
};

/* mote_grpc_call.pending: events in the order in which they are delivered */
enum {
    PENDING_START = 1,
    PENDING_HALF_CLOSE = 2,
    PENDING_END = 4, /* STATUS or CLOSED */
    PENDING_WRITABLE = 8
};

enum { PREFIX_SIZE = 5 };

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
    FIELD_UNKNOWN_PATH,
    FIELD_CODEC,                                        /* + number of the codec */
    FIELD_ACCEPT = FIELD_CODEC + MOTE_GRPC_CODECS,      /* + a bit for each codec */
    FIELD_PATH = FIELD_ACCEPT + (1 << MOTE_GRPC_CODECS) /* + number of the method */
};

/* grpc_call.c */
mote_grpc_call *mote_grpc_call_new(mote_grpc *g, mote_h2_stream *stream);
void mote_grpc_call_release(mote_grpc_call *call);
void mote_grpc_call_wait(mote_grpc_call *call);
void mote_grpc_call_unwait(mote_grpc_call *call);
/* Ends the call locally: an END event with this code will be delivered; static text. */
void mote_grpc_call_end(mote_grpc_call *call, int code, const char *text);
/* Takes the stream away from under the call. */
void mote_grpc_call_reset(mote_grpc_call *call, uint32_t wire_code);

/* grpc_fields.c */
unsigned mote_grpc_classify(const mote_grpc *g, const mote_h2_event *h);
const mote_grpc_method *mote_grpc_method_at(const mote_grpc *g, unsigned number);
int mote_grpc_parse_timeout(const char *value, size_t len, uint64_t *ms); /* 0 or -1 */
size_t mote_grpc_format_timeout(uint32_t ms, char out[9]);

/* grpc_status.c */
int mote_grpc_code_of_http(unsigned status);
int mote_grpc_code_of_reset(uint32_t wire_code);
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

/* grpc_message.c */
/* The next message of a call from its buffer or the content at hand: 1 when *ev is filled. */
int mote_grpc_next_message(mote_grpc_call *call, mote_grpc_event *ev);
/* The peer has ended inside of a message. */
bool mote_grpc_message_cut(const mote_grpc_call *call);
/* Ends the call for an error of the peer's messages. */
void mote_grpc_message_fail(mote_grpc_call *call, int code, const char *text);
/* Content for a call that cannot take it now. */
void mote_grpc_message_store(mote_grpc_call *call);
/* The event that held credit is done. */
void mote_grpc_message_done(mote_grpc_call *call);
/* The event is brought back: what is at hand moves to the call's buffer. */
void mote_grpc_message_keep(mote_grpc_call *call, const mote_grpc_event *ev);

/* grpc_client.c, grpc_server.c */
void mote_grpc_client_field(mote_grpc_call *call, const mote_h2_event *h, unsigned what);
void mote_grpc_client_headers(mote_grpc_call *call, const mote_h2_event *h);
void mote_grpc_client_end(mote_grpc_call *call); /* the stream ended in good order */
void mote_grpc_server_field(mote_grpc_call *call, const mote_h2_event *h, unsigned what);
void mote_grpc_server_headers(mote_grpc_call *call, const mote_h2_event *h);
/* Sends a status that is owed: true when it is done. */
bool mote_grpc_server_settle(mote_grpc_call *call);

#endif
