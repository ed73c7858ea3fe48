/*
 * trace: what passes over a connection, for people, in the manner of `nghttp -v`. It looks at the
 * bytes from outside, so a connection without it pays nothing, and it serves any two peers.
 */
#ifndef MOTE_H2_TRACE_H
#define MOTE_H2_TRACE_H

#include "h2.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Gets a line without its end. */
typedef void mote_h2_trace_sink(void *context, const char *line, size_t len);

enum { MOTE_H2_TRACE_TABLE = 4096, MOTE_H2_TRACE_FIELD = 2048, MOTE_H2_TRACE_LINE = 512 };

/* One direction. Private. */
typedef struct {
    mote_hpack_decoder decoder;
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(MOTE_H2_TRACE_TABLE) / 2];
    char scratch[MOTE_H2_TRACE_FIELD];
    uint32_t remaining, pad, skip;
    uint8_t header[9], small[8];
    uint8_t preface, have, small_len, pad_due;
    bool broken; /* header blocks can no longer be decoded */
} mote_h2_trace_side;

typedef struct {
    mote_h2_trace_side sides[2];
    mote_h2_trace_sink *sink;
    void *context;
    char line[MOTE_H2_TRACE_LINE];
    size_t len;
} mote_h2_tracer;

/* `server`: we are the server, so the preface is received. About 18 KiB; lines are cut at 512
 * bytes, fields beyond 2,048 bytes and settings of a larger HPACK table are not shown. */
void mote_h2_trace_init(mote_h2_tracer *t, bool server, mote_h2_trace_sink *sink, void *context);

/* Bytes that were sent or received, in pieces of any size. */
void mote_h2_trace(mote_h2_tracer *t, bool sent, const uint8_t *bytes, size_t len);

#ifdef __cplusplus
}
#endif
#endif
