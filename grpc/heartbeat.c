/* Whether the application at the other end is there: what PINGs cannot say behind a proxy. */
#include "life.h"

enum { HEARTBEAT_TIMEOUT_MS = 20000 };

void mote_heartbeat_heard(mote_heartbeat *h, uint64_t now_ms)
{
    h->state = MOTE_HEARTBEAT_RESTS;
    h->since_ms = now_ms;
}

void mote_heartbeat_asked(mote_heartbeat *h, uint64_t now_ms)
{
    h->state = MOTE_HEARTBEAT_ASKED;
    h->since_ms = now_ms;
}

uint32_t mote_heartbeat_tick(mote_heartbeat *h, uint64_t now_ms)
{
    bool asked = h->state >= MOTE_HEARTBEAT_ASKED;
    uint32_t limit = asked             ? h->timeout_ms ? h->timeout_ms : HEARTBEAT_TIMEOUT_MS
                     : h->every_ms > 0 ? h->every_ms
                                       : UINT32_MAX;
    uint64_t since = now_ms - h->since_ms, slept = now_ms - h->now_ms;

    h->now_ms = now_ms;
    if (limit == UINT32_MAX)
        return UINT32_MAX;
    if (since < limit)
        return (uint32_t)(limit - since);
    if (asked && slept >= limit && h->state != MOTE_HEARTBEAT_LOST)
        return 1; /* the answer may be there, and was not read yet */
    h->state = asked ? MOTE_HEARTBEAT_LOST : MOTE_HEARTBEAT_DUE;
    return UINT32_MAX;
}
