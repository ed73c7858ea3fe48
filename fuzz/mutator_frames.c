/* HTTP/2 conversations as frames: taken apart, changed, put together. See mutator.h. */
#include "mutator_internal.h"

static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* ---- taking apart and putting together ----------------------------------------------------- */

/* Whether the config lets frames of a type be touched. */
static bool may_change(const conversation *c, uint8_t type)
{
    return c->config->frames == 0 || (type < 32 && c->config->frames >> type & 1);
}

static void parse_frames(conversation *c, const uint8_t *in, size_t len)
{
    while (len >= FRAME_HEADER && c->count < MAX_FRAMES) {
        frame *f = &c->frames[c->count];
        size_t size = (size_t)in[0] << 16 | (size_t)in[1] << 8 | in[2];
        f->type = in[3];
        f->flags = in[4];
        f->id = (uint32_t)in[5] << 24 | (uint32_t)in[6] << 16 | (uint32_t)in[7] << 8 | in[8];
        f->len = size < len - FRAME_HEADER ? size : len - FRAME_HEADER;
        f->more = 0;
        f->payload = take_bytes(c, f->len);
        if (!f->payload)
            return;
        memcpy(f->payload, in + FRAME_HEADER, f->len);
        in += FRAME_HEADER + f->len;
        len -= FRAME_HEADER + f->len;
        c->count++;
    }
}

void mote_mutator_parse(conversation *c, const uint8_t *in, size_t len)
{
    c->count = c->used = c->cut = 0;
    c->magic = len >= MAGIC && memcmp(in, magic, MAGIC) == 0;
    parse_frames(c, in + (c->magic ? MAGIC : 0), len - (c->magic ? MAGIC : 0));
}

size_t mote_mutator_print(const conversation *c, uint8_t *out, size_t cap)
{
    size_t n = 0;

    if (c->magic && cap >= MAGIC) {
        memcpy(out, magic, MAGIC);
        n = MAGIC;
    }
    for (size_t i = 0; i < c->count && cap - n >= FRAME_HEADER + c->frames[i].len; i++) {
        const frame *f = &c->frames[i];
        put32(out + n, (uint32_t)(f->len + f->more) << 8 | f->type);
        out[n + 4] = f->flags;
        put32(out + n + 5, f->id);
        memcpy(out + n + FRAME_HEADER, f->payload, f->len);
        n += FRAME_HEADER + f->len;
    }
    return c->cut < n ? n - c->cut : n;
}

frame *mote_mutator_insert(conversation *c, size_t at)
{
    if (c->count == MAX_FRAMES)
        return NULL;
    memmove(&c->frames[at + 1], &c->frames[at], (c->count - at) * sizeof(frame));
    c->count++;
    memset(&c->frames[at], 0, sizeof(frame));
    c->frames[at].payload = c->bytes;
    return &c->frames[at];
}

uint8_t *mote_mutator_content(const frame *f, size_t *len)
{
    size_t skip =
        (f->flags & PADDED ? 1u : 0u) + (f->type == HEADERS && f->flags & PRIORITY_FLAG ? 5u : 0u);
    size_t padding = f->flags & PADDED && f->len > 0 ? f->payload[0] : 0;

    *len = f->len >= skip + padding ? f->len - skip - padding : 0;
    return f->payload + (f->len >= skip ? skip : 0);
}

uint32_t mote_mutator_last_id(const conversation *c)
{
    uint32_t last = mote_mutator_context_id();

    for (size_t i = 0; i < c->count; i++)
        last = c->frames[i].id > last && c->frames[i].id < 0x80000000 ? c->frames[i].id : last;
    return last;
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
    uint32_t last = mote_mutator_last_id(c);

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
    frame *f = mote_mutator_insert(c, roll(c, (uint32_t)c->count + 1));

    if (!f)
        return;
    do
        f->type = (uint8_t)roll(c, 11);
    while (c->config->frames & 0x7ff && !may_change(c, f->type));
    f->flags =
        roll(c, 3) ? (uint8_t)(f->type <= HEADERS ? roll(c, 2) | END_HEADERS : roll(c, 2)) : 0;
    f->id = f->type == SETTINGS || f->type == PING || f->type == GOAWAY ? 0 : plausible_id(c);
    random_payload(c, f, f->type < sizeof lens ? lens[f->type] : roll(c, 20));
    if (f->type == HEADERS && f->len == sizeof request)
        memcpy(f->payload, request, sizeof request);
    if (f->type == SETTINGS && f->flags == 1)
        f->len = 0;
    if (f->len == 4)
        put32(f->payload, mote_mutator_number(c));
    if (f->type == SETTINGS && f->len == 6) {
        f->payload[0] = 0;
        f->payload[1] = (uint8_t)roll(c, 8);
        put32(f->payload + 2, mote_mutator_number(c));
    }
}

static void change_number(conversation *c, frame *f)
{
    if (f->type == SETTINGS && f->len >= 6)
        put32(f->payload + 6 * roll(c, (uint32_t)f->len / 6) + 2, mote_mutator_number(c));
    else if ((f->type == WINDOW_UPDATE || f->type == RST_STREAM) && f->len == 4)
        put32(f->payload, mote_mutator_number(c));
    else if (f->type == GOAWAY && f->len >= 8)
        put32(f->payload + 4 * roll(c, 2), mote_mutator_number(c));
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
    if (!(rest = mote_mutator_insert(c, at + 1)))
        return;
    rest->type = CONTINUATION;
    rest->flags = f->flags & END_HEADERS;
    rest->id = f->id;
    rest->payload = f->payload + keep;
    rest->len = f->len - keep;
    f->flags &= (uint8_t)~END_HEADERS;
    f->len = keep;
}

/* DATA in two frames; or two that follow each other in one. */
static void cut_data(conversation *c, size_t at)
{
    frame *f = &c->frames[at], *rest;
    size_t keep = roll(c, (uint32_t)f->len + 1);

    if (f->type != DATA || f->flags & PADDED || !(rest = mote_mutator_insert(c, at + 1)))
        return;
    *rest = *f;
    rest->payload += keep;
    rest->len -= keep;
    f->flags &= (uint8_t)~END_STREAM;
    f->len = keep;
}

/* ---- one mutation -------------------------------------------------------------------------- */

static void exchange(conversation *c, size_t at)
{
    frame swap = c->frames[at];

    if (at + 1 >= c->count)
        return;
    c->frames[at] = c->frames[at + 1];
    c->frames[at + 1] = swap;
}

static void repeat(conversation *c, size_t at)
{
    frame *copy = mote_mutator_insert(c, at);

    if (copy)
        *copy = c->frames[at + 1];
}

void mote_mutator_change_frames(conversation *c)
{
    size_t at = roll(c, (uint32_t)c->count);
    frame *f = &c->frames[at];
    uint32_t what = c->count > 0 ? roll(c, 11) : 0;

    if (what > 0 && !may_change(c, f->type))
        return;
    switch (what) {
    case 0:
        new_frame(c);
        break;
    case 1:
        remove_frame(c, at);
        break;
    case 2:
        repeat(c, at);
        break;
    case 3:
        exchange(c, at);
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
        cut_data(c, at);
    }
}
