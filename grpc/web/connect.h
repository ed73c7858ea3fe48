/*
 * connect: a server takes calls of the Connect protocol (connectrpc.com/docs/protocol), beside
 * those of gRPC and of gRPC-Web, on the same port and by the same handlers: browsers with
 * connect-web, and curl. Messages are binary or JSON; a handler sees neither: JSON is read and
 * written here, by the tables of pb/json. Who does not link it pays nothing.
 *
 *   unary    POST, application/json or application/proto; GET,
 * ?connect=v1&encoding=json&message=... for methods that say idempotency_level = NO_SIDE_EFFECTS.
 * An error is an HTTP status and {"code": ..., "message": ..., "details": [...]}; trailing metadata
 * are fields "trailer-NAME". streams  POST, application/connect+json or +proto: messages behind a
 * prefix as in gRPC, and the end as one with the flag 2. Browsers send one request; other clients
 * may send many. events   GET of a server's stream with "accept: text/event-stream": each message
 * as JSON is an event; the last one is of the type "end" and has what stands at a stream's end.
 *
 *     static const mote_connect_service *const services[] = {&telemetry_Telemetry_CONNECT};
 *     static uint64_t scratch[512], places[4][128];
 *     static const mote_connect_config config = {
 *         .web = {.origins = origins, .origin_count = 1},
 *         .services = services, .service_count = 1,
 *         .scratch = scratch, .scratch_size = sizeof scratch,
 *         .places = places, .place_size = sizeof places[0], .place_count = 4};
 *     static const mote_grpc_door door = MOTE_CONNECT_DOOR(&config);
 *     grpc.door = &door;
 *     grpc.user_size += MOTE_CONNECT_STATE;
 *
 * gRPC and gRPC-Web take messages in JSON here as well: application/grpc+json,
 * application/grpc-web+json.
 *
 * The tables are written by protoc-gen-mote with --mote_opt=connect. A method that is in no table
 * is UNIMPLEMENTED here. Compression is that of the config, by content-encoding for unary calls and
 * by connect-content-encoding for streams. The request of a unary call, and the message of a GET,
 * are at most rx_size bytes.
 */
#ifndef MOTE_CONNECT_H
#define MOTE_CONNECT_H

#include "../../pb/json/json.h"
#include "web.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of user_size that it takes from the end of each call's. */
enum { MOTE_CONNECT_STATE = 32, MOTE_CONNECT_PLACE_MIN = 64, MOTE_CONNECT_SCRATCH_MIN = 512 };

/* A method, as its .proto file has it. */
typedef struct {
    const char *name;
    mote_pb_json_known request, response; /* the tables of both messages */
    bool streams;                         /* requests, responses, or both */
    bool safe; /* idempotency_level = NO_SIDE_EFFECTS: a GET may call it */
} mote_connect_method;

typedef struct {
    const char *name; /* "package.Service" */
    const mote_connect_method *methods;
    size_t method_count;
} mote_connect_service;

/* Memory of it is for the connections of one thread. */
typedef struct {
    mote_web_config web; /* which pages may call, by which protocol ever */
    const mote_connect_service *const *services;
    size_t service_count;
    const mote_pb_json_options *json; /* NULL: no type of an Any is known, unknown names are skipped
                                       */
    /* Where messages are translated: one half for a request, one for a response. A half holds a
     * message in binary form, as a struct with all that it points to, and the JSON of an error. */
    void *scratch; /* aligned as uint64_t is */
    size_t scratch_size;
    /* Where responses of unary calls wait for their end, with their metadata: `place_count` of
     * `place_size` bytes, a multiple of 8, zero at first. A call has one from the end of its
     * request, or from headers that are sent before, to its own; without one left it ends with
     * UNAVAILABLE (or MOTE_GRPC_ERR_LIMIT of these headers). A message in JSON of a stream that is
     * cut by a window or the transmit buffer has one until all of it has left, and is translated
     * once; without one, or where it is longer, it is translated anew for each part, and parts are
     * then an eighth of it (at most a quarter of the transmit buffer, or 8 KiB): who opens its
     * window by less waits. Who does not take a response keeps its place until the call ends: give
     * calls deadlines. */
    void *places;
    size_t place_size, place_count;
} mote_connect_config;

extern const mote_grpc_protocol mote_connect;
extern const mote_grpc_door_ways mote_connect_ways;

/* The door of a server: `config` is a const mote_connect_config *, and both stay with it. */
#define MOTE_CONNECT_DOOR(config)                                                                  \
    {                                                                                              \
        &mote_connect_ways, &mote_connect, config                                                  \
    }

#ifdef __cplusplus
}
#endif
#endif
