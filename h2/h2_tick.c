/* Time: the peer's SETTINGS ACK is due, and the budget grows again. */
#include "h2_internal.h"

/* Of a time its low half is kept: only differences matter, and one of 49 days or more does no harm
 * when it looks shorter. */
static void refill(mote_h2 *c, uint32_t now_ms)
{
    uint32_t gain = (now_ms - c->refill_ms) / REFILL_MS;

    if (gain == 0)
        return;
    c->refill_ms += gain * REFILL_MS; /* what is left of it counts the next time */
    c->budget = gain < c->budget_max - c->budget ? c->budget + gain : c->budget_max;
}

uint32_t mote_h2_tick(mote_h2 *c, uint64_t now_ms)
{
    uint32_t now = (uint32_t)now_ms;

    CHECK_CONNECTION(c);
    if (c->refill_ms == 0) /* the first time */
        c->settings_ms = c->refill_ms = now;
    if (c->life == MOTE_H2_FAILED)
        return UINT32_MAX;
    refill(c, now);
    if (c->settings_timeout_ms == 0)
        return UINT32_MAX;
    if (now - c->settings_ms >= c->settings_timeout_ms) { /* RFC 9113 6.5.3 */
        mote_h2_fatal(c, MOTE_H2_ERR_TIMEOUT, MOTE_H2_SETTINGS_TIMEOUT,
                      MOTE_TEXT("no acknowledgement of SETTINGS in time"));
        return UINT32_MAX;
    }
    uint32_t left = c->settings_timeout_ms - (now - c->settings_ms);
    return left < UINT32_MAX ? left : UINT32_MAX - 1;
}
