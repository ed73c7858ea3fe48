/* What scripts of conversations are made of: see wire.c. */
#ifndef WIRE_H
#define WIRE_H

#include "../../h2/h2.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the words of a line --------------------------------------------------------------------- */

/* KEY, KEY=VALUE or VALUE (then the key is ""). A value is a word, "text" with \xNN, hex:00ff, or
 * 100*"text". Key and value end with NUL as well. */
typedef struct {
    const char *key;
    const uint8_t *value; /* NULL: a key alone */
    size_t len;
} wire_word;

enum { WIRE_WORDS = 80 };

typedef struct {
    wire_word words[WIRE_WORDS];
    size_t count;
} wire_line;

bool wire_has(const wire_line *l, const char *key);
const wire_word *wire_find(const wire_line *l, const char *key); /* NULL: not there */
uint32_t wire_number(const wire_line *l, const char *key, uint32_t otherwise);
/* The word at a place, as a number or as it is. */
uint32_t wire_at(const wire_line *l, size_t place);
const char *wire_text_at(const wire_line *l, size_t place);

/* ---- what is noted --------------------------------------------------------------------------- */

/* Events and results of a line come first, then the frames that it caused. */
void wire_event(const char *format, ...);
void wire_frame_out(const char *format, ...);
/* Bytes as text with escapes; long ones are cut and summed up. Static storage, used in turn. */
const char *wire_show(const void *bytes, size_t len);
uint32_t wire_sum(uint32_t sum, const void *bytes, size_t len);
enum { WIRE_SUM = (int)2166136261u };

/* Content that comes in pieces of any size is noted as one. */
void wire_content(const char *what, const void *bytes, size_t len, size_t offset);

/* ---- frames ---------------------------------------------------------------------------------- */

void wire_frames_reset(void);
/* Appends the frame that a line describes, and returns its length. */
size_t wire_frame(const wire_line *l, uint8_t *out);
/* Output of the engine, in pieces of any size. */
void wire_output(const uint8_t *bytes, size_t len);
extern unsigned wire_blocks; /* header blocks that were sent */
/* All that an engine offers, in pieces of wire_ack; or what a transport takes of it at once. */
void wire_take(const uint8_t *(*peek)(size_t *len), void (*ack)(size_t len));
void wire_take_once(const uint8_t *(*peek)(size_t *len), void (*ack)(size_t len), size_t most);
/* The error of a connection, once, where `r` is one. */
void wire_error(const mote_h2 *h2, int r);

/* ---- lean builds (wire_lean.c) ----------------------------------------------------------------
 */

/* False for a scenario of what this build leaves out. */
bool wire_runs_here(const char *scenario, size_t len);
/* The same line; *texts counts those that lack a text which this build leaves out. */
bool wire_same(const char *expected, const char *got, int *texts);

/* ---- engines --------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    void (*start)(const wire_line *l); /* the line that names it */
    void (*feed)(const uint8_t *in, size_t len);
    void (*act)(const char *what, const wire_line *l);
    bool whole; /* what it says depends on how input is cut */
} wire_engine;

extern const wire_engine wire_h2, wire_grpc, wire_parts, wire_channel;

extern size_t wire_chunk; /* input comes in pieces of so many bytes; 0: as a whole */
extern size_t wire_ack;   /* output is taken so many bytes at a time; 0: all */

#endif
