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

/* What the engine does for a door; linked with one alone. There is one implementation. */
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
     * NULL: it goes on. */
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

#ifdef __cplusplus
}
#endif
#endif
