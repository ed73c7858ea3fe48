#ifndef MOTE_HTTP1_INTERNAL_H
#define MOTE_HTTP1_INTERNAL_H

#include "../../hpack/mote_check.h"
#include "http1.h"

enum { HTTP1_FRAME_MAX = 16384 };

/* Flags of frames (RFC 9113 6). */
enum { HTTP1_ACK = 1, HTTP1_END_STREAM = 1, HTTP1_END_HEADERS = 4 };

/* http1_frames.c: what is said to the engine */
void mote_http1_give(mote_http1 *h, const void *bytes, size_t len);
void mote_http1_give_frame(mote_http1 *h, unsigned type, unsigned flags, uint32_t id, size_t len);
void mote_http1_give_word(mote_http1 *h, unsigned type, uint32_t id, uint32_t word);
size_t mote_http1_length(const char *text);
/* The request is complete: the next one may come, if the response is complete as well. */
void mote_http1_end_request(mote_http1 *h);

/* http1_head.c: the head of a request is complete: it goes to the engine, or is refused. */
void mote_http1_take_head(mote_http1 *h);
/* Whether trailers are fields; otherwise they are refused. */
bool mote_http1_takes_trailers(mote_http1 *h);

/* http1_response.c */
/* Adds text that is to leave; without room the connection is over. */
void mote_http1_put(mote_http1 *h, const char *text, size_t len);
#define MOTE_HTTP1_PUT(h, text) mote_http1_put(h, text, sizeof(text) - 1)
/* Reads frames of the engine, until there is something to write. */
void mote_http1_pull(mote_http1 *h);
/* The end of all, with an answer if there was none: "400 Bad Request", and why. */
void mote_http1_refuse(mote_http1 *h, const char *status, const char *why);

#endif
