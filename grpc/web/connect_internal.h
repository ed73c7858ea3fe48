#ifndef MOTE_CONNECT_INTERNAL_H
#define MOTE_CONNECT_INTERNAL_H

#include "../../h2/mote_features.h"
#include "connect.h"
#include "web_internal.h"

/* What a call is: of Connect, or of gRPC and gRPC-Web with messages in JSON; or nothing of these.
 */
enum {
    CONNECT_NONE,
    CONNECT_UNARY,
    CONNECT_STREAM,
    CONNECT_EVENTS,
    CONNECT_GRPC,
    CONNECT_GRPC_WEB,
    CONNECT_UNCLEAR
};

/* What is wrong with a request. */
enum {
    CONNECT_FINE,
    CONNECT_BAD_TIMEOUT,
    CONNECT_BAD_VERSION,
    CONNECT_BAD_ESCAPE,
    CONNECT_BAD_BASE64,
    CONNECT_NO_MESSAGE,
    CONNECT_NO_ROOM,
    CONNECT_NO_CODEC
};

/* How far the response of a unary call, or the end of a stream, is. */
enum { CONNECT_OPEN, CONNECT_ENDING };

enum { CONNECT_OF_UNARY, CONNECT_OF_STREAM, CONNECT_SIDES };

/* What is known of a call; bytes, since they need not be aligned. */
typedef struct {
    web_state web; /* first */
    uint8_t form, phase, fault;
    uint8_t code;   /* of the end that was tried */
    bool get, post; /* the HTTP method */
    bool json;
    struct {
        uint8_t fault, codec;
        bool json, known; /* its encoding */
    } query;              /* counts for a GET alone */
    bool events;          /* it accepts text/event-stream */
    bool told;            /* the request of a unary call */
    char status[3];       /* of HTTP, what it is answered with; 0: it is a call */
    uint8_t method[2];    /* its number in the tables + 1 */
    uint8_t place[2];     /* number + 1 */
    uint8_t codec[CONNECT_SIDES], accepts[CONNECT_SIDES];
} connect_state;

static inline connect_state *connect_of(const mote_grpc_call *call)
{
    return mote_grpc_door_state(call);
}

static inline bool connect_is_grpc(const connect_state *state)
{
    return state->form == CONNECT_GRPC || state->form == CONNECT_GRPC_WEB;
}

static inline const mote_connect_config *connect_config(const mote_grpc_call *call)
{
    return call->grpc->config->door->config;
}

static inline void connect_keep(uint8_t at[2], size_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

static inline size_t connect_kept(const uint8_t at[2])
{
    return (size_t)at[0] << 8 | at[1];
}

/* Half of the scratch. */
typedef struct {
    uint8_t *memory;
    size_t size;
} connect_half;

static inline connect_half connect_request_half(const mote_connect_config *c)
{
    return (connect_half){c->scratch, c->scratch_size / 16 * 8};
}

static inline connect_half connect_response_half(const mote_connect_config *c)
{
    size_t half = c->scratch_size / 16 * 8;

    return (connect_half){(uint8_t *)c->scratch + half, half};
}

/* connect.c: requests */
const mote_connect_method *mote_connect_method_of(const mote_grpc_call *call); /* NULL: none */
bool mote_connect_take_field(mote_grpc_call *call, const mote_h2_event *h);
bool mote_connect_answer(mote_grpc_call *call);
/* The content-type of a response, and what pages may know of it. */
void mote_connect_put_type(mote_grpc_call *call, bool json);

/* connect_query.c: the query of a GET, whose message comes into the call's buffer */
void mote_connect_read_query(mote_grpc_call *call, const char *query, size_t len);

/* connect_place.c: where the response of a unary call waits */
typedef struct {
    uint32_t taken, metadata_len, len;
    uint8_t compressed, held, pad[2];
} connect_place;
/* That of the call: the one that it has, or a new one; NULL: there is none left. */
connect_place *mote_connect_take_place(mote_grpc_call *call);
connect_place *mote_connect_place_of(const mote_grpc_call *call); /* NULL: it has none */
void mote_connect_leave_place(mote_grpc_call *call);
int mote_connect_hold_metadata(connect_place *p, size_t size, const mote_grpc_metadata *metadata,
                               size_t count);
void mote_connect_put_metadata(const connect_place *p, mote_h2 *h2);
uint8_t *mote_connect_room(connect_place *p, size_t size, size_t *cap);

/* connect_json.c: between JSON and the wire */
/* The JSON of the event becomes a message; false: the call has failed. */
bool mote_connect_from_json(mote_grpc_call *call, mote_grpc_event *ev);
/* A response as a struct, and how it is written. */
typedef struct {
    const mote_pb_json *table;
    const mote_pb_json_options *options;
    mote_pb_arena arena;
    const void *message;
    bool event; /* of text/event-stream */
} connect_text;
int mote_connect_to_json(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                         connect_text *text);
int mote_connect_write_json(const void *type, const void *message, size_t offset, uint8_t *out,
                            size_t cap, size_t *total);

/* connect_error.c */
/* What stands at the end of a call, as JSON in the response's half: of an error, of a stream. */
mote_grpc_bytes mote_connect_error(mote_grpc_call *call, const mote_grpc_end *end);
mote_grpc_bytes mote_connect_end(mote_grpc_call *call, const mote_grpc_end *end);
const char *mote_connect_http_status(int code);
/* grpc-status-details-bin, which is in the JSON */
bool mote_connect_is_details(const mote_grpc_metadata *m);

/* connect_content.c */
extern const mote_hpack_field mote_connect_status;

#endif
