/* The gRPC document connection-backoff.md. */
#include "channel_internal.h"

enum { INITIAL_MS = 1000, MAX_MS = 120000, JITTER = 5 /* a fifth */ };

uint32_t mote_channel_jitter(uint32_t ms, uint32_t random)
{
    uint32_t jitter = ms / JITTER * 2 + ms % JITTER * 2 / JITTER; /* both ways */

    return ms - ms / JITTER + (uint32_t)(random * (jitter + 1ull) >> 32);
}

uint32_t mote_backoff_next(mote_backoff *b, uint32_t random)
{
    uint32_t ms = b->next_ms ? b->next_ms : INITIAL_MS;

    b->next_ms = ms < MAX_MS * 5 / 8 ? ms * 8 / 5 : MAX_MS;
    return mote_channel_jitter(ms, random);
}
