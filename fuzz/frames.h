/*
 * The text form of a conversation of HTTP/2: one side's bytes, to be read, edited and written back.
 * What is printed and parsed again gives the same bytes, whatever they are; text of one's own need
 * not say any length.
 *
 *   preface
 *   SETTINGS
 *     set MAX_FRAME_SIZE 16384
 *   HEADERS stream=1 flags=END_STREAM|END_HEADERS
 *     index 2                            # :method: GET
 *     plain 4 "/books"                   # :path: /books
 *     add "x-trace" ~"17"                # a name; ~ is Huffman code; remembered
 *     never 23 "secret"                  # never indexed
 *   DATA stream=3 pad=4 flags=PADDED
 *     prefix 0 5                         # of a message of gRPC: flag and length
 *     data "hello"
 *   WINDOW_UPDATE stream=3 increment=100
 *
 * A frame begins at the margin: its type (or type=0x2f), then what is not 0 of stream, flags, pad,
 * exclusive, depends, weight, promised, last, code and increment; `length=` only where it lies. Its
 * payload stands below it, indented: set, index, add, plain, never, size, prefix, data, hex. What
 * has no form is `hex`; `rest 00` are bytes behind the last frame. `choices 00 01` are bytes before
 * the conversation that choose options of a target. # begins a comment.
 */
#ifndef MOTE_FRAMES_H
#define MOTE_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { MOTE_FRAMES_MAX = 1 << 20 }; /* bytes of a conversation */

/* Prints a conversation; its first `choices` bytes are not part of it. */
void mote_frames_print(FILE *out, const uint8_t *in, size_t len, size_t choices);

/* One frame, and what stands below it, as the fields of a line: no comments, no ends of lines. `in`
 * begins at a frame header. */
void mote_frames_print_one(FILE *out, const uint8_t *in, size_t len);

/* The bytes of a text; returns how many. SIZE_MAX: a line is wrong, *line says which one (from 1)
 * and *why what is wrong with it (static). */
size_t mote_frames_parse(const char *text, uint8_t *out, size_t room, size_t *line,
                         const char **why);

/* Where the next frame begins, at `at` or behind: the end of the frame (or preface) that begins at
 * `at`; `len` at most. Sets *whole to whether all of it is there. */
size_t mote_frames_next(const uint8_t *in, size_t len, size_t at, int *whole);

#endif
