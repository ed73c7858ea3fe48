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
    END_STREAM = 1,
    END_HEADERS = 4,
    PADDED = 8,
    PRIORITY_FLAG = 32,
    MAGIC = 24,
    FRAME_HEADER = 9,
    MAX_FRAMES = 256,
    MAX_BYTES = 1 << 18
};

typedef struct {
    uint8_t type, flags;
    uint32_t id;
    uint8_t *payload;
    size_t len;
    uint32_t more; /* what the length says beyond `len`, modulo 2^24: 0 unless it lies */
} frame;

/* A conversation taken apart. Bytes that frames point to are never freed, only used up. */
typedef struct {
    const mote_mutator_config *config;
    uint32_t random;
    bool magic;
    frame frames[MAX_FRAMES];
    size_t count;
    size_t cut; /* bytes that are missing at the end */
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

static inline void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* A number at which things tend to break. */
uint32_t mote_mutator_number(conversation *c);

/* The fuzzer's own mutations: libFuzzer's where it is, else some of ours. Returns the new size. */
size_t mote_mutator_plain(conversation *c, uint8_t *data, size_t size, size_t max_size);

/* The same for bytes of a conversation, which may move and grow. */
void mote_mutator_plain_bytes(conversation *c, uint8_t **data, size_t *len);

/* ---- frames: mutator_frames.c */

void mote_mutator_parse(conversation *c, const uint8_t *in, size_t len);
size_t mote_mutator_print(const conversation *c, uint8_t *out, size_t cap);
/* A frame without payload; NULL: there are too many. */
frame *mote_mutator_insert(conversation *c, size_t at);
/* Content of DATA and HEADERS, without padding and priority. */
uint8_t *mote_mutator_content(const frame *f, size_t *len);
/* The highest id that has been used, here and in the context. */
uint32_t mote_mutator_last_id(const conversation *c);
void mote_mutator_change_frames(conversation *c);

/* ---- what is wrong on purpose: mutator_damage.c */

void mote_mutator_damage(conversation *c);

/* ---- header blocks: mutator_headers.c */

/* Changes a field of a header block and writes this block and all later ones again, so that what
 * they refer to in the table is right. */
void mote_mutator_change_headers(conversation *c);
/* A stream's frames once more, as a new stream at the end. */
void mote_mutator_repeat_call(conversation *c);
/* The method of a stream; NULL: none is known. */
const mote_mutator_method *mote_mutator_method_of(conversation *c, uint32_t id);
/* The client's words? */
bool mote_mutator_requests(conversation *c);
uint32_t mote_mutator_context_id(void);

/* ---- messages: mutator_messages.c, mutator_pb.c */

void mote_mutator_change_messages(conversation *c);
/* Changes a protobuf message; *data and *len become those of the new one. */
void mote_mutator_change_pb(conversation *c, const mote_pb_message *type, uint8_t **data,
                            size_t *len);

#endif
