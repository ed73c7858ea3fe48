/* What no peer may send, on purpose: each kind is one that parsers have fallen over. */
#include "mutator_internal.h"

enum { LENGTHS = 1 << 24, FRAME_MAX = 16384 };

/* Makes a frame that says another length than it has. */
static void lie(frame *f, size_t says)
{
    f->more = (uint32_t)((says + LENGTHS - f->len) % LENGTHS);
}

/* 16,385 bytes where 16,384 are allowed, with all of them there. */
static void oversize(conversation *c, frame *f)
{
    uint8_t *to = take_bytes(c, FRAME_MAX + 1);

    if (!to)
        return;
    memset(to, 0, FRAME_MAX + 1);
    memcpy(to, f->payload, f->len < FRAME_MAX ? f->len : FRAME_MAX);
    f->payload = to;
    f->len = FRAME_MAX + 1;
}

/* A pad length that is what the frame has room for, one less or one more. */
static void pad_to_the_end(conversation *c, frame *f)
{
    uint8_t *to = take_bytes(c, f->len + 1);

    if (!to || (f->type != DATA && f->type != HEADERS))
        return;
    if (!(f->flags & PADDED)) {
        memcpy(to + 1, f->payload, f->len);
        f->payload = to;
        f->len++;
        f->flags |= PADDED;
    }
    size_t room = f->len - (f->type == HEADERS && f->flags & PRIORITY_FLAG && f->len > 5 ? 6 : 1);
    f->payload[0] = (uint8_t)(room + roll(c, 3) - 1);
}

/* A header block that goes on elsewhere: on another stream, or never. */
static void stray_continuation(conversation *c, size_t at)
{
    frame *f = &c->frames[at], *stray = mote_mutator_insert(c, at + 1);

    if (!stray)
        return;
    stray->type = CONTINUATION;
    stray->flags = roll(c, 2) ? END_HEADERS : 0;
    stray->id = f->id + 2 * roll(c, 3);
    if (roll(c, 2))
        f->flags &= (uint8_t)~END_HEADERS;
}

/* Streams that are opened in the wrong order, with the id of an older one, or of the other side. */
static void id_goes_back(conversation *c, frame *f)
{
    uint32_t back = 2 * roll(c, 4) + roll(c, 2);

    f->type = roll(c, 2) ? HEADERS : f->type;
    f->id = f->id > back ? f->id - back : roll(c, 4);
}

void mote_mutator_damage(conversation *c)
{
    size_t at = roll(c, (uint32_t)c->count);
    frame *f = &c->frames[at];

    if (c->count == 0 || (c->config->frames && !(c->config->frames >> (f->type & 31) & 1)))
        return;
    switch (roll(c, 9)) {
    case 0: /* the conversation ends inside of its last frame */
        f = &c->frames[c->count - 1];
        c->cut = 1 + roll(c, (uint32_t)(f->len + FRAME_HEADER));
        break;
    case 1:
        lie(f, f->len + 1 + roll(c, 1u << roll(c, 10)));
        break;
    case 2:
        lie(f, roll(c, (uint32_t)f->len));
        break;
    case 3:
        lie(f, roll(c, 2) ? LENGTHS - 1 : FRAME_MAX + 1);
        break;
    case 4:
        oversize(c, f);
        break;
    case 5:
        pad_to_the_end(c, f);
        break;
    case 6:
        stray_continuation(c, at);
        break;
    case 7:
        id_goes_back(c, f);
        break;
    default: /* the reserved bit; a peer must not look at it */
        f->id ^= 0x80000000;
    }
}
