/*
 * Header blocks that repeat, for servers on hosts: a client says the same of each call as a rule,
 * and its encoder says it in the same bytes. What such a block means is remembered with its bytes,
 * and told again without a look at its fields.
 *
 *   IDLE -- a block that was seen before, and is not recorded -> RECORDING -- its end -----> IDLE
 *   IDLE -- a block that is recorded -------------------------> TELLING ---- no field left -> IDLE
 *
 * A record holds for a block of the same bytes, while the decoder's table is as it was: whatever
 * changes it, of which there are two calls, is counted. That of a block which changes the table
 * itself never holds.
 */
#include "h2_internal.h"

#include <string.h>

#if MOTE_HAS_REPEATS

enum {
    REPEAT_RECORDS = 4,
    REPEAT_SEEN = 16, /* of 4 bits of a hash */
    REPEAT_FIELDS = 16,
    REPEAT_BYTES = 480,
    REPEAT_LONGEST = 256
};

typedef struct {
    mote_hpack_field_view view;
    mote_hpack_memo memo;
    unsigned kind;
} told_field;

/* What is large, and is touched by those alone that have something to remember. */
typedef struct {
    told_field fields[REPEAT_FIELDS];
    uint8_t bytes[REPEAT_BYTES]; /* of the block, then those of fields that lie in no table */
} repeat_body;

typedef struct {
    uint32_t changes; /* of the table, when one was recorded */
    uint16_t len;     /* of the block that is recorded; 0: none */
    uint16_t used;    /* of the bytes */
    uint16_t fields;
    mote_h2_block block; /* as it was at its end */
    uint64_t content_length;
} repeat_record;

enum repeat_phase { REPEAT_IDLE, REPEAT_RECORDING, REPEAT_TELLING };

typedef struct {
    repeat_body bodies[REPEAT_RECORDS];
    repeat_record records[REPEAT_RECORDS];
    uint32_t seen[REPEAT_SEEN]; /* hashes of blocks that came once */
    uint32_t changes;           /* of the table */
    enum repeat_phase phase;
    unsigned current; /* record */
    unsigned oldest;  /* record, which makes room */
    unsigned next;    /* field to be told */
} repeats;

_Static_assert(sizeof(repeats) <= MOTE_H2_REPEATS_SIZE, "as h2.h says");

static repeats *repeats_of(const mote_hpack_decoder *d)
{
    return (repeats *)(void *)(d->scratch + MOTE_H2_REPEATS_AT(d->scratch_size));
}

/* ---- the table, whose changes are counted ---------------------------------------------------- */

static void init_counted(mote_hpack_decoder *d, void *memory, size_t size)
{
    repeats *r = repeats_of(d);

    mote_hpack_dynamic_table.init(d, memory, size);
    d->dynamic = &mote_h2_repeating_table;
    memset(r->records, 0, sizeof *r - offsetof(repeats, records));
}

static int field_counted(const mote_hpack_decoder *d, size_t index, mote_hpack_field_view *f)
{
    return mote_hpack_dynamic_table.field(d, index, f);
}

static bool name_counted(mote_hpack_decoder *d, size_t index)
{
    return mote_hpack_dynamic_table.name(d, index);
}

static bool add_counted(mote_hpack_decoder *d)
{
    repeats_of(d)->changes++;
    return mote_hpack_dynamic_table.add(d);
}

static void shrink_counted(mote_hpack_decoder *d)
{
    repeats_of(d)->changes++;
    mote_hpack_dynamic_table.shrink(d);
}

const mote_hpack_dynamic mote_h2_repeating_table = {init_counted, field_counted, name_counted,
                                                    add_counted, shrink_counted};

/* ---- records --------------------------------------------------------------------------------- */

static bool remembers(const mote_h2 *c)
{
    return c->decoder.dynamic == &mote_h2_repeating_table;
}

/* So that blocks have the same hash, and so the same luck, on every machine. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define IN_ORDER(word) __builtin_bswap64(word)
#else
#define IN_ORDER(word) (word)
#endif

/* Eight bytes at a time; the last ones may be read twice. Its first bits are the best. */
static uint32_t hash_of_block(const uint8_t *p, size_t len)
{
    uint64_t hash = len, word = 0;

    for (size_t i = 0; i + 8 <= len; i += 8) {
        memcpy(&word, p + i, 8);
        hash = (hash ^ IN_ORDER(word)) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    memcpy(&word, len >= 8 ? p + len - 8 : p, len >= 8 ? 8 : len);
    hash = (hash ^ IN_ORDER(word)) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 32);
}

/* Whether all of a block is here, and nothing of it was looked at; and nothing is amiss. */
static bool is_whole(const mote_h2 *c, size_t fragment, size_t len)
{
    const mote_h2_frame *f = &c->frame;

    return c->block.bytes == 0 && (f->flags & FLAG_END_HEADERS) && f->pad == 0 && fragment <= len &&
           fragment <= REPEAT_LONGEST && f->stream && c->block.code == 0 &&
           !(c->block.flags & BLOCK_TRAILERS) &&
           c->decoder.required == UINT32_MAX; /* no new size of the table must come first */
}

static void begin_record(repeats *r, const uint8_t *block, size_t len)
{
    repeat_record *to = &r->records[r->current];

    to->changes = r->changes;
    to->len = 0;
    to->used = (uint16_t)len;
    to->fields = 0;
    memcpy(r->bodies[r->current].bytes, block, len);
    r->phase = REPEAT_RECORDING;
}

/* The block has come to its end, at once. */
static void recall(mote_h2 *c, const repeat_record *from)
{
    uint8_t end = c->block.flags & BLOCK_END_STREAM;

    c->block = from->block;
    c->block.flags = (uint8_t)((from->block.flags & ~BLOCK_END_STREAM) | end);
    if (c->block.flags & BLOCK_HAS_LENGTH)
        c->frame.stream->content_length = from->content_length;
}

/* The record of a block, or REPEAT_RECORDS. */
static unsigned find_record(const repeats *r, const uint8_t *block, size_t len)
{
    unsigned i = 0;

    for (; i < REPEAT_RECORDS; i++) {
        const repeat_record *at = &r->records[i];
        if (at->len == len && at->changes == r->changes &&
            memcmp(r->bodies[i].bytes, block, len) == 0)
            break;
    }
    return i;
}

bool mote_h2_repeat_known(mote_h2 *c, const uint8_t *block, size_t fragment, size_t len)
{
    if (!remembers(c) || !is_whole(c, fragment, len))
        return false;
    repeats *r = repeats_of(&c->decoder);
    r->current = find_record(r, block, fragment);
    if (r->current < REPEAT_RECORDS) {
        recall(c, &r->records[r->current]);
        r->phase = REPEAT_TELLING;
        r->next = 0;
        return true;
    }
    uint32_t hash = hash_of_block(block, fragment);
    uint32_t *seen = &r->seen[hash >> 28];
    if (*seen == hash) {
        r->current = r->oldest;
        r->oldest = (r->oldest + 1) % REPEAT_RECORDS;
        begin_record(r, block, fragment);
    }
    *seen = hash;
    return false;
}

/* Whether a view stays as it is while the table does. */
static bool lies_in_table(const mote_hpack_field_view *f)
{
    return f->memo || f->full_index > 0;
}

/* Moves a view to the record, where what it means is remembered as with an entry of the table;
 * false: there is no room. */
static bool keep_field(repeat_record *to, repeat_body *body, told_field *t)
{
    mote_hpack_field_view *f = &t->view;
    size_t len = f->name_len + f->value_len;
    char *p = (char *)body->bytes + to->used;

    if (len > (size_t)REPEAT_BYTES - to->used)
        return false;
    memcpy(p, f->name, f->name_len);
    memcpy(p + f->name_len, f->value, f->value_len);
    to->used = (uint16_t)(to->used + len);
    f->name = p;
    f->value = p + f->name_len;
    f->memo = &t->memo;
    memset(&t->memo, 0, sizeof t->memo);
    return true;
}

void mote_h2_repeat_note(mote_h2 *c, unsigned kind)
{
    repeats *r = repeats_of(&c->decoder);

    if (!remembers(c) || r->phase != REPEAT_RECORDING)
        return;
    repeat_record *to = &r->records[r->current];
    repeat_body *body = &r->bodies[r->current];
    told_field *t = &body->fields[to->fields];
    if (to->fields == REPEAT_FIELDS) {
        r->phase = REPEAT_IDLE;
        return;
    }
    t->kind = kind;
    t->view = c->event->field;
    to->fields++;
    if (!lies_in_table(&t->view) && !keep_field(to, body, t))
        r->phase = REPEAT_IDLE;
}

void mote_h2_repeat_end(mote_h2 *c)
{
    repeats *r = repeats_of(&c->decoder);

    if (!remembers(c) || r->phase != REPEAT_RECORDING)
        return;
    repeat_record *to = &r->records[r->current];
    r->phase = REPEAT_IDLE;
    if (!c->frame.stream) /* it has ended meanwhile */
        return;
    to->len = (uint16_t)c->block.bytes;
    to->block = c->block;
    to->content_length = c->frame.stream->content_length;
}

int mote_h2_repeat_tell(mote_h2 *c)
{
    repeats *r = repeats_of(&c->decoder);

    if (!remembers(c) || r->phase != REPEAT_TELLING)
        return 0;
    if (!c->frame.stream || r->next == r->records[r->current].fields) {
        r->phase = REPEAT_IDLE;
        return 0;
    }
    told_field *t = &r->bodies[r->current].fields[r->next++];
    c->event->field = t->view;
    mote_h2_tell_field(c, t->kind);
    return 1;
}

#endif
