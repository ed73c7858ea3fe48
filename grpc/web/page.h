/*
 * page: a server serves a page of its own, from flash, on the port on which the page then calls:
 * a table of files, each answered to a GET of its path, whatever the query. It stands before a door
 * (web.h, connect.h), which gets all else. Who does not link it pays nothing.
 *
 *     static const mote_page_file files[] = {{"/", "text/html; charset=utf-8", html, html_len},
 *                                            {"/app.js", "text/javascript", js, js_len}};
 *     static const mote_page page = {.ways = &mote_connect_ways, .files = files, .file_count = 2};
 *     static const mote_connect_config connect = {
 *         .web = {.origins = origins, .origin_count = 1, .hosts = hosts, .host_count = 1,
 *                 .page = &page}, ...};
 *     static const mote_grpc_door door = MOTE_PAGE_DOOR(&mote_connect, &connect);
 *     grpc.user_size += MOTE_CONNECT_STATE;
 *
 * A file has the content-security-policy of the page: script, style and data come from this server
 * alone, and no other page may frame it. So script and style are files of their own. It is asked
 * for again each time (cache-control: no-cache), since it belongs to the program that serves it.
 * Its header fields take 400 bytes of tx_size. A page of a foreign origin, and one of another host
 * than `hosts`, gets 403.
 */
#ifndef MOTE_PAGE_H
#define MOTE_PAGE_H

#include "web.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *path; /* "/", "/app.js" */
    const char *type; /* its content-type */
    const void *content;
    size_t len; /* not 0 */
} mote_page_file;

typedef struct mote_page {
    const mote_grpc_door_ways *ways; /* of the door behind: &mote_connect_ways, or
                                        &mote_grpc_door_engine for mote_web */
    const mote_page_file *files;
    size_t file_count;  /* 255 at the most */
    const char *policy; /* NULL: "default-src 'self'; base-uri 'none'; form-action 'none';
                           frame-ancestors 'none'" */
} mote_page;

extern const mote_grpc_door_ways mote_page_ways;

/* The door of a server: `protocol` is that of the door behind, &mote_connect or &mote_web, `config`
 * is its config, and all stay with it. */
#define MOTE_PAGE_DOOR(protocol, config)                                                           \
    {                                                                                              \
        &mote_page_ways, protocol, config                                                          \
    }

#ifdef __cplusplus
}
#endif
#endif
