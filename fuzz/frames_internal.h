/* What the printer and the parser of the text form share. */
#ifndef MOTE_FRAMES_INTERNAL_H
#define MOTE_FRAMES_INTERNAL_H

#include "frames.h"

#include <stdbool.h>

typedef struct {
    const char *name;
    uint32_t value;
} frame_word;

enum { FRAME_TYPES = 10, FRAME_CODES = 14, FRAME_SETTINGS = 7 };

extern const char *const mote_frames_types[FRAME_TYPES];
extern const char *const mote_frames_codes[FRAME_CODES];
extern const frame_word mote_frames_settings[FRAME_SETTINGS];

/* Flags of a type, the last one with the value 0. */
const frame_word *mote_frames_flags(uint8_t type);

/* One instruction of a header block (RFC 7541 6). */
typedef enum {
    BLOCK_INDEX, /* 6.1 */
    BLOCK_ADD,   /* 6.2.1 */
    BLOCK_PLAIN, /* 6.2.2 */
    BLOCK_NEVER, /* 6.2.3 */
    BLOCK_SIZE   /* 6.3 */
} block_kind;
extern const char *const mote_frames_block_words[BLOCK_SIZE + 1];

typedef struct {
    const uint8_t *bytes; /* as on the wire */
    size_t len;
    bool huffman;
} block_string;

typedef struct {
    block_kind kind;
    uint32_t number; /* index, of the name for literals (0: the name is a string), or size */
    block_string name, value;
} block_instruction;

/* Writes an integer with a prefix of so many bits; the other bits of the first byte are `first`. */
size_t mote_frames_integer(uint8_t *out, unsigned bits, uint8_t first, uint32_t value);
/* Writes an instruction: bytes, at most 11 beside its strings. */
size_t mote_frames_instruction(uint8_t *out, const block_instruction *i);

#endif
