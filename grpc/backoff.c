/* The gRPC document connection-backoff.md. */
#include "life.h"

enum { FIRST_MS = 1000, MOST_MS = 120000, JITTER = 5 /* a fifth */ };

uint32_t mote_backoff_jitter(uint32_t ms, uint32_t random)
{
    uint32_t jitter = ms / JITTER * 2 + ms % JITTER * 2 / JITTER; /* both ways */

    return ms - ms / JITTER + (uint32_t)(random * (jitter + 1ull) >> 32);
}

uint32_t mote_backoff_next(mote_backoff *b, uint32_t random)
{
    uint32_t ms = b->next_ms ? b->next_ms : b->first_ms ? b->first_ms : FIRST_MS;
    uint32_t most = b->most_ms ? b->most_ms : MOST_MS;

    b->next_ms = ms * 8ull / 5 < most ? (uint32_t)(ms * 8ull / 5) : most;
    return mote_backoff_jitter(ms, random);
}
