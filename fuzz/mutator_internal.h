#ifndef MOTE_MUTATOR_INTERNAL_H
#define MOTE_MUTATOR_INTERNAL_H

#include "mutator.h"

#include <stdbool.h>
#include <string.h>

enum {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
    END_HEADERS = 4,
    PADDED = 8,
    PRIORITY_FLAG = 32,
    MAGIC = 24,
    MAX_FRAMES = 256,
    MAX_BYTES = 1 << 18
};

typedef struct {
    uint8_t type, flags;
    uint32_t id;
    uint8_t *payload;
    size_t len;
} frame;

/* A conversation taken apart. Bytes that frames point to are never freed, only used up. */
typedef struct {
    uint32_t random;
    bool magic;
    frame frames[MAX_FRAMES];
    size_t count;
    uint8_t bytes[MAX_BYTES];
    size_t used;
} conversation;

/* A number below n, by chance. */
static inline uint32_t roll(conversation *c, uint32_t n)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 17;
    c->random ^= c->random << 5;
    return n > 0 ? c->random % n : 0;
}

static inline uint8_t *take_bytes(conversation *c, size_t len)
{
    if (MAX_BYTES - c->used < len)
        return NULL;
    c->used += len;
    return c->bytes + c->used - len;
}

/* Changes a field of a header block and writes this block and all later ones again, so that what
 * they refer to in the table is right (mutator_headers.c). */
void mote_mutator_change_headers(conversation *c);

#endif
