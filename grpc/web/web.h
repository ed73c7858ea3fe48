/*
 * web: browsers call the methods of a server, without a proxy: gRPC-Web (the gRPC document
 * PROTOCOL-WEB) over HTTP/2, on the port and by the handlers of gRPC. Unary calls and server
 * streaming; application/grpc-web, +proto, and application/grpc-web-text in base64. Who does not
 * link it pays nothing.
 *
 *     static const char *const origins[] = {"https://dash.example"};
 *     static const mote_web_config web = {.origins = origins, .origin_count = 1};
 *     static const mote_grpc_door door = MOTE_WEB_DOOR(&web);
 *     config.door = &door;
 *     config.user_size += MOTE_WEB_STATE;
 *
 * CORS (the Fetch standard, 3.2): a page may call when its origin is in the list, also that of the
 * server itself. A preflight of such an origin gets 204. Any other origin gets 403, before a
 * handler is told of a START, to whatever it asks, calls of plain gRPC as well; so a page of a
 * foreign name that has been made to lead here (DNS rebinding) gets nothing. Who sends no origin is
 * no browser, and is served. Cookies and other credentials of a browser are not asked for: a token
 * is sent as metadata.
 *
 * Where a GET is answered (connect.h, page.h) `hosts` must be given against DNS rebinding: a page
 * that asks its own host by GET sends no origin, and its host is all that it cannot choose.
 *
 * The status of a call is always the last piece of its content, and never in header fields. A
 * message in base64 may have 3 bytes less than another: rx_size - 8; its response comes in groups
 * of 4 bytes, and waits for a window of that. Where the end of a call would follow a part of a
 * message, the stream is reset instead.
 */
#ifndef MOTE_WEB_H
#define MOTE_WEB_H

#include "../door.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of user_size that it takes from the end of each call's. */
enum { MOTE_WEB_STATE = 8 };

typedef struct {
    const char *const *origins; /* as browsers write them: "https://name", "http://name:8080"; 253
                                   at the most. "*": every one, and "null" */
    size_t origin_count;
    const char *request_headers;  /* what a page may send; NULL: "*, authorization", and where
                                     browsers are older than that "*", their names */
    const char *response_headers; /* what it may read; NULL: "*" */
    /* The hosts by which it is reached, as browsers write them: "name:8080", without the port of
     * the scheme; "*" is none. Any other gets 403. None: any host. */
    const char *const *hosts;
    size_t host_count;
    const struct mote_page *page; /* files that are served (page.h); NULL: none */
} mote_web_config;

extern const mote_grpc_protocol mote_web;

/* The door of a server: `config` is a const mote_web_config *, and both stay with it. */
#define MOTE_WEB_DOOR(config)                                                                      \
    {                                                                                              \
        &mote_grpc_door_engine, &mote_web, config                                                  \
    }

#ifdef __cplusplus
}
#endif
#endif
