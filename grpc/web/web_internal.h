#ifndef MOTE_WEB_INTERNAL_H
#define MOTE_WEB_INTERNAL_H

#include "web.h"

enum { WEB_NONE, WEB_OPTIONS, WEB_PREFLIGHT, WEB_BINARY, WEB_TEXT, WEB_CONNECT, WEB_PAGE };
enum { ORIGIN_NONE, ORIGIN_FIRST, ORIGIN_FOREIGN = 255 };

/* What is known of a call; bytes, since they need not be aligned. */
typedef struct {
    uint8_t kind;     /* WEB_ */
    uint8_t origin;   /* number of its origin in the list + ORIGIN_FIRST */
    uint8_t group[3]; /* bits of a group of base64 that is not complete, or its bytes */
    uint8_t chars;    /* how many of its characters there were */
    uint8_t held;     /* of the last group: bytes that had no room, the last ones of `group` */
    uint8_t broken;
} web_state;

/* web.c */
bool mote_web_is(const mote_hpack_field_view *f, const char *text);
/* Skips `text`, in any case of its letters; the same place where it is not there. */
size_t mote_web_skip(const mote_hpack_field_view *f, size_t at, const char *text);
enum mote_grpc_door_field mote_web_field(mote_grpc_call *call, const mote_h2_event *h);
const char *mote_web_answer(const mote_grpc_call *call);
void mote_web_put_fields(mote_grpc_call *call, const char *status);
/* What a page may know of a response. */
void mote_web_put_origin(mote_grpc_call *call);

/* web_base64.c */
size_t mote_web_pack(uint8_t *bytes, size_t len);
size_t mote_web_unpack(mote_grpc_call *call, const uint8_t **in, size_t *len, uint8_t *out,
                       size_t cap);
enum mote_grpc_door_content mote_web_content(const mote_grpc_call *call);

/* web_trailers.c */
int mote_web_write_trailers(const void *type, const void *end, size_t offset, uint8_t *out,
                            size_t cap, size_t *total);

#endif
