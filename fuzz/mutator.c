/* Structure-aware mutations of HTTP/2 conversations, for libFuzzer and AFL++: see mutator.h. */
#include "mutator_internal.h"

#include <stdlib.h>

#ifndef MOTE_MUTATOR_PREFIX
#define MOTE_MUTATOR_PREFIX 0
#endif

static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* ---- chance ------------------------------------------------------------------------------- */

/* A number at which things tend to break. */
static uint32_t interesting(conversation *c)
{
    static const uint32_t numbers[] = {
        0,     1,     2,          100,       255,        256,        16383,      16384,     16385,
        65535, 65536, 0x00ffffff, 0x1000000, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xffffffff};

    return numbers[roll(c, sizeof numbers / sizeof numbers[0])];
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* ---- taking apart and putting together ----------------------------------------------------- */

static void parse_frames(conversation *c, const uint8_t *in, size_t len)
{
    while (len >= 9 && c->count < MAX_FRAMES) {
        frame *f = &c->frames[c->count];
        size_t size = (size_t)in[0] << 16 | (size_t)in[1] << 8 | in[2];
        f->type = in[3];
        f->flags = in[4];
        f->id = (uint32_t)in[5] << 24 | (uint32_t)in[6] << 16 | (uint32_t)in[7] << 8 | in[8];
        f->len = size < len - 9 ? size : len - 9;
        f->payload = take_bytes(c, f->len);
        if (!f->payload)
            return;
        memcpy(f->payload, in + 9, f->len);
        in += 9 + f->len;
        len -= 9 + f->len;
        c->count++;
    }
}

static void parse(conversation *c, const uint8_t *in, size_t len)
{
    c->count = c->used = 0;
    c->magic = len >= MAGIC && memcmp(in, magic, MAGIC) == 0;
    parse_frames(c, in + (c->magic ? MAGIC : 0), len - (c->magic ? MAGIC : 0));
}

static size_t print(const conversation *c, uint8_t *out, size_t cap)
{
    size_t n = 0;

    if (c->magic && cap >= MAGIC) {
        memcpy(out, magic, MAGIC);
        n = MAGIC;
    }
    for (size_t i = 0; i < c->count && cap - n >= 9 + c->frames[i].len; i++) {
        const frame *f = &c->frames[i];
        out[n] = (uint8_t)(f->len >> 16);
        out[n + 1] = (uint8_t)(f->len >> 8);
        out[n + 2] = (uint8_t)f->len;
        out[n + 3] = f->type;
        out[n + 4] = f->flags;
        put32(out + n + 5, f->id);
        memcpy(out + n + 9, f->payload, f->len);
        n += 9 + f->len;
    }
    return n;
}

static frame *insert_frame(conversation *c, size_t at)
{
    if (c->count == MAX_FRAMES)
        return NULL;
    memmove(&c->frames[at + 1], &c->frames[at], (c->count - at) * sizeof(frame));
    c->count++;
    memset(&c->frames[at], 0, sizeof(frame));
    c->frames[at].payload = c->bytes;
    return &c->frames[at];
}

static void remove_frame(conversation *c, size_t at)
{
    c->count--;
    memmove(&c->frames[at], &c->frames[at + 1], (c->count - at) * sizeof(frame));
}

/* ---- frames -------------------------------------------------------------------------------- */

/* An id that is in use, one like it, a new one, or none. */
static uint32_t plausible_id(conversation *c)
{
    uint32_t last = 0;

    for (size_t i = 0; i < c->count; i++)
        last = c->frames[i].id > last ? c->frames[i].id : last;
    switch (roll(c, 8)) {
    case 0:
        return last + 2;
    case 1:
        return last + 1;
    case 2:
        return 0;
    case 3:
        return last | 1;
    default:
        return c->count > 0 ? c->frames[roll(c, (uint32_t)c->count)].id : 1;
    }
}

static void random_payload(conversation *c, frame *f, size_t len)
{
    f->payload = take_bytes(c, len);
    f->len = f->payload ? len : 0;
    for (size_t i = 0; i < f->len; i++)
        f->payload[i] = (uint8_t)roll(c, 256);
}

/* A frame of any type, of the length that the type has. */
static void new_frame(conversation *c)
{
    static const uint8_t request[] = {0x82, 0x86, 0x84, 0x41, 0x01, 'a'};
    static const uint8_t lens[] = {10, 6, 5, 4, 6, 6, 8, 8, 4, 1};
    frame *f = insert_frame(c, roll(c, (uint32_t)c->count + 1));

    if (!f)
        return;
    f->type = (uint8_t)roll(c, 11);
    f->flags =
        roll(c, 3) ? (uint8_t)(f->type <= HEADERS ? roll(c, 2) | END_HEADERS : roll(c, 2)) : 0;
    f->id = f->type == SETTINGS || f->type == PING || f->type == GOAWAY ? 0 : plausible_id(c);
    random_payload(c, f, f->type < sizeof lens ? lens[f->type] : roll(c, 20));
    if (f->type == HEADERS && f->len == sizeof request)
        memcpy(f->payload, request, sizeof request);
    if (f->type == SETTINGS && f->flags == 1)
        f->len = 0;
    if (f->len == 4)
        put32(f->payload, interesting(c));
    if (f->type == SETTINGS && f->len == 6) {
        f->payload[0] = 0;
        f->payload[1] = (uint8_t)roll(c, 8);
        put32(f->payload + 2, interesting(c));
    }
}

static void change_number(conversation *c, frame *f)
{
    if (f->type == SETTINGS && f->len >= 6)
        put32(f->payload + 6 * roll(c, (uint32_t)f->len / 6) + 2, interesting(c));
    else if ((f->type == WINDOW_UPDATE || f->type == RST_STREAM) && f->len == 4)
        put32(f->payload, interesting(c));
    else if (f->type == GOAWAY && f->len >= 8)
        put32(f->payload + 4 * roll(c, 2), interesting(c));
}

/* Changes, adds or removes bytes; the length of the frame follows. */
static void change_bytes(conversation *c, frame *f)
{
    size_t at = roll(c, (uint32_t)f->len + 1), grow = 1 + roll(c, 1u << roll(c, 9));
    uint8_t *to;

    switch (roll(c, 4)) {
    case 0:
        if (f->len == 0 || !(to = take_bytes(c, f->len + grow)))
            return;
        memcpy(to, f->payload, at);
        memset(to + at, (int)roll(c, 256), grow);
        memcpy(to + at + grow, f->payload + at, f->len - at);
        f->payload = to;
        f->len += grow;
        return;
    case 1:
        f->len = at;
        return;
    default:
        for (uint32_t i = 0; i < grow % 8 && f->len > 0; i++)
            f->payload[roll(c, (uint32_t)f->len)] ^= (uint8_t)(1u << roll(c, 8));
    }
}

/* Padding that fits its frame. */
static void pad(conversation *c, frame *f)
{
    size_t padding = roll(c, 256);
    uint8_t *to = (f->type == DATA || f->type == HEADERS) && !(f->flags & PADDED)
                      ? take_bytes(c, 1 + f->len + padding)
                      : NULL;

    if (!to)
        return;
    to[0] = (uint8_t)padding;
    memcpy(to + 1, f->payload, f->len);
    memset(to + 1 + f->len, 0, padding);
    f->payload = to;
    f->len += 1 + padding;
    f->flags |= PADDED;
}

/* Cuts a header block in two frames. */
static void split_block(conversation *c, size_t at)
{
    frame *f = &c->frames[at], *rest;
    size_t keep = roll(c, (uint32_t)f->len + 1);

    if ((f->type != HEADERS && f->type != CONTINUATION) || (f->flags & (PADDED | PRIORITY_FLAG)))
        return;
    if (!(rest = insert_frame(c, at + 1)))
        return;
    rest->type = CONTINUATION;
    rest->flags = f->flags & END_HEADERS;
    rest->id = f->id;
    rest->payload = f->payload + keep;
    rest->len = f->len - keep;
    f->flags &= (uint8_t)~END_HEADERS;
    f->len = keep;
}

/* ---- one mutation -------------------------------------------------------------------------- */

static void mutate(conversation *c)
{
    size_t at = roll(c, (uint32_t)c->count);
    frame *f = &c->frames[at], *copy;

    switch (c->count > 0 ? roll(c, 13) : 0) {
    case 0:
        new_frame(c);
        break;
    case 1:
        remove_frame(c, at);
        break;
    case 2:
        if ((copy = insert_frame(c, at)))
            *copy = c->frames[at + 1];
        break;
    case 3:
        if (at + 1 < c->count) {
            frame swap = c->frames[at + 1];
            c->frames[at + 1] = *f;
            *f = swap;
        }
        break;
    case 4:
        f->flags ^= (uint8_t)(1u << roll(c, roll(c, 4) ? 3 : 8));
        break;
    case 5:
        f->id = plausible_id(c);
        break;
    case 6:
        change_number(c, f);
        break;
    case 7:
        change_bytes(c, f);
        break;
    case 8:
        pad(c, f);
        break;
    case 9:
        split_block(c, at);
        break;
    default:
        mote_mutator_change_headers(c);
    }
}

/* ---- the interfaces ------------------------------------------------------------------------ */

static size_t prefix_size(void)
{
    const char *text = getenv("MOTE_MUTATOR_PREFIX");

    return text ? strtoul(text, NULL, 10) : MOTE_MUTATOR_PREFIX;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static conversation c;
    size_t prefix = prefix_size();

    if (max_size <= prefix)
        return size;
    for (; size < prefix; size++)
        data[size] = 0;
    c.random = seed * 2654435761u | 1u;
    parse(&c, data + prefix, size - prefix);
    if (prefix > 0 && roll(&c, 8) == 0)
        data[roll(&c, (uint32_t)prefix)] = (uint8_t)roll(&c, 256);
    for (uint32_t n = 2 + roll(&c, 3); n > 0; n--)
        mutate(&c);
    return prefix + print(&c, data + prefix, max_size - prefix);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    static conversation c, d;
    size_t prefix = prefix_size();

    if (a_size < prefix || b_size < prefix || max_size < prefix)
        return 0;
    c.random = seed * 2654435761u | 1u;
    parse(&c, a + prefix, a_size - prefix);
    parse(&d, b + prefix, b_size - prefix);
    c.count = roll(&c, (uint32_t)c.count + 1);
    for (size_t i = roll(&c, (uint32_t)d.count + 1); i < d.count && c.count < MAX_FRAMES; i++)
        c.frames[c.count++] = d.frames[i];
    memcpy(out, a, prefix);
    return prefix + print(&c, out + prefix, max_size - prefix);
}

typedef struct {
    uint8_t *out;
    size_t cap;
    unsigned seed;
} afl_state;

void *afl_custom_init(void *afl, unsigned seed)
{
    afl_state *s = calloc(1, sizeof *s);

    (void)afl;
    if (s)
        s->seed = seed;
    return s;
}

size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *other,
                       size_t other_size, size_t max_size)
{
    afl_state *s = state;

    if (s->cap < max_size) {
        free(s->out);
        s->cap = max_size;
        s->out = malloc(max_size);
        if (!s->out)
            abort();
    }
    s->seed = s->seed * 1664525u + 1013904223u;
    *out = s->out;
    if (other && s->seed >> 29 == 0)
        return LLVMFuzzerCustomCrossOver(data, size, other, other_size, s->out, max_size, s->seed);
    size = size < max_size ? size : max_size;
    memcpy(s->out, data, size);
    return LLVMFuzzerCustomMutator(s->out, size, max_size, s->seed);
}

void afl_custom_deinit(void *state)
{
    free(((afl_state *)state)->out);
    free(state);
}
