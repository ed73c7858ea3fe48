/* Time: the peer's SETTINGS ACK is due, and the budget grows again. */
#include "h2_internal.h"

static void refill(mote_h2 *c)
{
    uint64_t passed = c->now_ms - c->refill_ms;
    uint32_t gain = (passed < UINT32_MAX ? (uint32_t)passed : UINT32_MAX) / REFILL_MS;

    if (gain == 0)
        return;
    c->refill_ms = c->now_ms;
    c->budget = gain < c->budget_max - c->budget ? c->budget + gain : c->budget_max;
}

uint32_t mote_h2_tick(mote_h2 *c, uint64_t now_ms)
{
    CHECK_CONNECTION(c);
    if (c->now_ms == 0) {
        c->settings_ms =
            c->settings_ms == UINT64_MAX ? UINT64_MAX : now_ms + c->settings_timeout_ms;
        c->refill_ms = now_ms;
    }
    c->now_ms = now_ms;
    if (c->life == MOTE_H2_FAILED)
        return UINT32_MAX;
    refill(c);
    if (c->settings_ms == UINT64_MAX)
        return UINT32_MAX;
    if (now_ms >= c->settings_ms) { /* RFC 9113 6.5.3 */
        mote_h2_fatal(c, MOTE_H2_ERR_TIMEOUT, MOTE_H2_SETTINGS_TIMEOUT,
                      MOTE_TEXT("no acknowledgement of SETTINGS in time"));
        return UINT32_MAX;
    }
    uint64_t left = c->settings_ms - now_ms;
    return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX - 1;
}
