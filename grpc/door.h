/*
 * door: how calls of another protocol come to the methods of a server, as those of browsers do
 * (grpc/web/web.h). A protocol knows its requests by their header fields, writes fields of its own
 * into responses, may pack what content is made of, and has its trailers in content. It is an
 * interface, so that it is not linked where none comes: without one, such requests are answered
 * with 415.
 *
 * Functions of a protocol are called for a server's calls alone. What it has of a call is
 * mote_grpc_door_state(): bytes that are zero at first.
 */
#ifndef MOTE_DOOR_H
#define MOTE_DOOR_H

#include "grpc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a header field of a request is to a protocol. */
enum MOTE_GRPC_ENUM8 mote_grpc_door_field {
    MOTE_GRPC_DOOR_OTHER,  /* nothing */
    MOTE_GRPC_DOOR_TAKEN,  /* its own: nobody else sees it */
    MOTE_GRPC_DOOR_CALL,   /* the content-type of its calls */
    MOTE_GRPC_DOOR_PACKED, /* the same, and content is packed in both directions */
    MOTE_GRPC_DOOR_FOREIGN /* that of its calls with messages that are not protobuf */
};

/* How far it is in packed content. */
enum MOTE_GRPC_ENUM8 mote_grpc_door_content {
    MOTE_GRPC_DOOR_WHOLE,  /* between two groups */
    MOTE_GRPC_DOOR_MIDWAY, /* in a group, of which a part is missing */
    MOTE_GRPC_DOOR_HELD,   /* there are bytes for which there was no room */
    MOTE_GRPC_DOOR_BROKEN  /* it is not what it should be; nothing more is unpacked */
};

/* The end of a call, as the source of trailers gets it. */
typedef struct {
    const char *message; /* message_len bytes, not percent-encoded */
    const mote_grpc_metadata *metadata;
    size_t message_len, count;
    int code;
} mote_grpc_end;

/* What the engine does for a door; linked with one alone. mote_grpc_door_engine is for protocols
 * that are like gRPC but for their trailers; others have ways of their own, by what stands at the
 * end. */
typedef struct {
    /* A field of a request; true: it is done with. */
    bool (*take_field)(mote_grpc_call *call, const mote_h2_event *h);
    /* A request that is none of a call is answered: true. */
    bool (*answer)(mote_grpc_call *call);
    /* What mote_grpc_send(), once a message may be sent, and mote_grpc_finish_with() do; the end
     * that is NULL is the one that the call owes. */
    int (*send)(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                unsigned flags);
    int (*end)(mote_grpc_call *call, const mote_grpc_end *end);
    /* Of packed content: the next message, or none; and all that is at hand waits in the buffer. */
    bool (*next)(mote_grpc_call *call, mote_grpc_event *ev);
    void (*store)(mote_grpc_call *call);
    /* NULL, or: the headers of a response: 0, the call goes on; 1: they are sent as usual; or an
     * error. */
    int (*begin)(mote_grpc_call *call, const mote_grpc_metadata *metadata, size_t count);
    void (*release)(mote_grpc_call *call); /* NULL, or: the call has ended, whoever ended it */
} mote_grpc_door_ways;
extern const mote_grpc_door_ways mote_grpc_door_engine;

/* A protocol of calls, as mote_web. */
typedef struct {
    uint32_t state_size;       /* bytes of a call's user_size that it takes, the last ones */
    uint8_t group;             /* so many bytes of content are packed together: */
    uint8_t packed_group;      /* that many then */
    const char *broken;        /* why a call ends whose content cannot be unpacked */
    mote_grpc_source trailers; /* of a const mote_grpc_end *: content with which a call ends,
                                  behind a prefix with the flag 0x80 */
    enum mote_grpc_door_field (*field)(mote_grpc_call *call, const mote_h2_event *h);
    /* The header section of a request is complete: the HTTP status that it gets for an answer, or
     * NULL: it goes on. The same whenever it is asked. */
    const char *(*answer)(const mote_grpc_call *call);
    /* Puts its fields into the section of a response, behind :status; `status` is that of an
     * answer, NULL in the response to a call. */
    void (*put_fields)(mote_grpc_call *call, const char *status);
    /* Packs `len` bytes where they lie, and returns how many they are then. */
    size_t (*pack)(uint8_t *bytes, size_t len);
    /* Unpacks up to `cap` bytes of content, passes what of it is used, gives back to the peer what
     * it has shrunk by, and returns how many there are. */
    size_t (*unpack)(mote_grpc_call *call, const uint8_t **in, size_t *len, uint8_t *out,
                     size_t cap);
    enum mote_grpc_door_content (*content)(const mote_grpc_call *call);
} mote_grpc_protocol;

typedef struct mote_grpc_door {
    const mote_grpc_door_ways *ways; /* &mote_grpc_door_engine */
    const mote_grpc_protocol *protocol;
    const void *config; /* of the protocol */
} mote_grpc_door;

/* What a protocol has of a call. */
static inline void *mote_grpc_door_state(const mote_grpc_call *call)
{
    const mote_grpc_config *c = call->grpc->config;

    return (uint8_t *)call->user + c->user_size - c->door->protocol->state_size;
}

/* ---- for protocols with ways of their own --------------------------------------------------- */

/* The request is a call, whatever its method and type; `next` and `store` read its content. */
void mote_grpc_door_accept(mote_grpc_call *call);

/* The method that is called is that of this path. */
void mote_grpc_door_find(mote_grpc_call *call, const mote_hpack_field_view *path);

/* It ends with DEADLINE_EXCEEDED in so many ms. */
void mote_grpc_door_deadline(mote_grpc_call *call, uint64_t ms);

/* It ends with a code and a static text (NULL: none). */
void mote_grpc_door_fail(mote_grpc_call *call, int code, const char *text);

/* The request is none of a call: `end` is called once there is room, and answers it with an HTTP
 * status and the protocol's fields: 0, MOTE_AGAIN or an error. */
void mote_grpc_door_refuse(mote_grpc_call *call);
int mote_grpc_door_answer(mote_grpc_call *call, const char *status);

/* Of an encoding: the codec's number + 1, 0: none is needed, > MOTE_GRPC_CODECS: an unknown one;
 * and of a list of them a bit for each. */
unsigned mote_grpc_door_codec(const mote_grpc *g, const char *value, size_t len);
unsigned mote_grpc_door_codecs(const mote_grpc *g, const char *value, size_t len);

/* The message of the event, which is compressed by codec rx_codec, in place of what it was; false:
 * the call has failed. */
bool mote_grpc_door_decompress(mote_grpc_call *call, mote_grpc_event *ev);

/* The next message behind a prefix, as gRPC has it: true when *ev is filled; content waits in the
 * buffer; and the event is not told after all. */
bool mote_grpc_door_message(mote_grpc_call *call, mote_grpc_event *ev);
void mote_grpc_door_store(mote_grpc_call *call);
void mote_grpc_door_give_up(mote_grpc_call *call);

/* A message without a prefix is the event. */
void mote_grpc_door_told(mote_grpc_call *call);

/* Content on its way: a message, or what stands at the end. */
typedef struct {
    const mote_grpc_source *source;
    const void *message;
    uint8_t flag; /* of its prefix */
    bool last;    /* nothing follows */
    bool bare;    /* there is no prefix; it is not empty */
} mote_grpc_parcel;

/* As mote_grpc_send(), which see: 0, MOTE_AGAIN or an error. */
int mote_grpc_door_send(mote_grpc_call *call, const mote_grpc_parcel *it);

/* 0: `len` bytes of content, at most half of the transmit buffer, can leave now; MOTE_AGAIN: the
 * call waits for what is in their way; or an error. */
int mote_grpc_door_has_room(mote_grpc_call *call, size_t len);

/* The end as gRPC has it, in trailers: 0, MOTE_AGAIN or an error. */
int mote_grpc_door_trailers(mote_grpc_call *call, const mote_grpc_end *end);

/* MOTE_AGAIN of a header section: the call waits for room. Returns r. */
int mote_grpc_door_wait(mote_grpc_call *call, int r);

#ifdef __cplusplus
}
#endif
#endif
