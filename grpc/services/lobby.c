/* Messages that wait for their number, before an outbox. Each lies behind its head, all in the
 * order of their coming and without a gap, so that the one behind another one is younger. The last
 * LOBBY_SPARE bytes of the memory stay free: a number is written behind a message for as long as it
 * takes to put that. */
#include "outbox.h"

#include <string.h>

enum { LOBBY_SPARE = 16, LOBBY_HEAD = 12, LOBBY_LARGEST = 0xffff - LOBBY_SPARE };

typedef struct {
    uint64_t until_ms; /* 0: always */
    uint16_t len;
    uint8_t priority;
} lobby_head;

static lobby_head lobby_head_at(const mote_outbox_lobby *l, size_t at)
{
    lobby_head h;
    const uint8_t *p = l->memory + at;

    memcpy(&h.until_ms, p, 8);
    memcpy(&h.len, p + 8, 2);
    h.priority = p[10];
    return h;
}

static size_t lobby_size_at(const mote_outbox_lobby *l, size_t at)
{
    return LOBBY_HEAD + (size_t)lobby_head_at(l, at).len;
}

static size_t lobby_room(const mote_outbox_lobby *l)
{
    return l->size > LOBBY_SPARE ? l->size - LOBBY_SPARE : 0;
}

static void leave_lobby(mote_outbox_lobby *l, size_t at)
{
    size_t n = lobby_size_at(l, at);

    memmove(l->memory + at, l->memory + at + n, l->used - at - n);
    l->used -= n;
    l->waiting--;
}

/* ---- coming -------------------------------------------------------------------------------- */

/* Below this priority messages may go for a new one of `priority`. With DROP_NEWEST it is itself
 * the newest of its own. */
static unsigned limit_for(const mote_outbox_lobby *l, uint8_t priority)
{
    return priority + (l->policy == MOTE_OUTBOX_DROP_OLDEST ? 1u : 0u);
}

/* Who goes first: of the lowest priority the oldest, or the newest. There is one: obtainable(). */
static size_t find_victim(const mote_outbox_lobby *l, uint8_t priority)
{
    size_t found = l->used;
    unsigned lowest = limit_for(l, priority);

    for (size_t at = 0; at < l->used; at += lobby_size_at(l, at)) {
        lobby_head h = lobby_head_at(l, at);
        bool as_low = l->policy == MOTE_OUTBOX_DROP_NEWEST && found < l->used;
        if (h.priority < lowest || (as_low && h.priority == lowest)) {
            lowest = h.priority;
            found = at;
        }
    }
    return found;
}

/* The bytes that would be free when all had gone that may go for a message of this priority. */
static size_t obtainable(const mote_outbox_lobby *l, uint8_t priority)
{
    size_t n = lobby_room(l) - l->used;

    for (size_t at = 0; at < l->used; at += lobby_size_at(l, at)) {
        if (l->policy != MOTE_OUTBOX_REFUSE &&
            lobby_head_at(l, at).priority < limit_for(l, priority))
            n += lobby_size_at(l, at);
    }
    return n;
}

int mote_outbox_lobby_put(mote_outbox_lobby *l, const uint8_t *message, size_t len,
                          uint8_t priority, uint64_t until_ms)
{
    uint16_t length = (uint16_t)len;

    if (len > LOBBY_LARGEST || LOBBY_HEAD + len > lobby_room(l))
        return MOTE_GRPC_ERR_SPACE;
    if (LOBBY_HEAD + len > obtainable(l, priority)) {
        l->refused++;
        return MOTE_AGAIN;
    }
    for (; LOBBY_HEAD + len > lobby_room(l) - l->used; l->dropped++)
        leave_lobby(l, find_victim(l, priority));
    uint8_t *p = l->memory + l->used;
    memcpy(p, &until_ms, 8);
    memcpy(p + 8, &length, 2);
    p[10] = priority;
    memcpy(p + LOBBY_HEAD, message, len);
    l->used += LOBBY_HEAD + len;
    l->put++;
    l->waiting++;
    return 0;
}

void mote_outbox_lobby_expire(mote_outbox_lobby *l, uint64_t now_ms)
{
    for (size_t at = 0; at < l->used;) {
        lobby_head h = lobby_head_at(l, at);
        bool over = h.until_ms > 0 && now_ms >= h.until_ms;
        if (over)
            leave_lobby(l, at);
        else
            at += lobby_size_at(l, at);
        l->expired += over;
    }
}

/* ---- going --------------------------------------------------------------------------------- */

static size_t find_next(const mote_outbox_lobby *l)
{
    size_t found = 0;

    for (size_t at = 0; at < l->used; at += lobby_size_at(l, at)) {
        int more = lobby_head_at(l, at).priority - lobby_head_at(l, found).priority;
        if (more > 0 || (more == 0 && l->first == MOTE_OUTBOX_NEWEST_FIRST))
            found = at;
    }
    return found;
}

static size_t write_varint(uint8_t *to, uint64_t value)
{
    size_t n = 0;

    for (; value > 0x7f; value >>= 7)
        to[n++] = (uint8_t)(value | 0x80);
    to[n++] = (uint8_t)value;
    return n;
}

/* Its number goes behind the message for so long, over what lies there. */
static int go_over(mote_outbox_lobby *l, mote_outbox *o, size_t at)
{
    uint8_t kept[LOBBY_SPARE], *end = l->memory + at + lobby_size_at(l, at);
    uint64_t number = mote_outbox_sequence(o);
    size_t n = 0;

    memcpy(kept, end, LOBBY_SPARE);
    if (l->sequence_field > 0) {
        n = write_varint(end, (uint64_t)l->sequence_field << 3);
        n += write_varint(end + n, number);
    }
    int r = mote_outbox_put(o, l->memory + at + LOBBY_HEAD, lobby_head_at(l, at).len + n);
    memcpy(end, kept, LOBBY_SPARE);
    bool moved = mote_outbox_sequence(o) != number;
    o->refused -= r == MOTE_AGAIN; /* it waits here */
    l->moved += moved;
    l->overtaken += moved && at > 0;
    l->dropped += r == MOTE_GRPC_ERR_SPACE;
    if (moved || r == MOTE_GRPC_ERR_SPACE)
        leave_lobby(l, at);
    return r;
}

int mote_outbox_lobby_send(mote_outbox_lobby *l, mote_outbox *o, mote_grpc_call *call,
                           uint64_t now_ms)
{
    int r = mote_outbox_send(o, call);

    mote_outbox_lobby_expire(l, now_ms);
    while (r == 0 && l->waiting > 0) {
        r = go_over(l, o, find_next(l));
        if (r == 0)
            r = mote_outbox_send(o, call);
    }
    return r;
}
