/* Time: the peer's SETTINGS ACK is due, what it has begun must end, and the budget grows again. */
#include "h2_internal.h"

/* Only the low half of a time is kept: only differences matter, and one of 49 days or more does no
 * harm when it looks shorter. */
static void refill(mote_h2 *c, uint32_t now_ms)
{
    uint32_t gain = (now_ms - c->refill_ms) / REFILL_MS;

    if (gain == 0)
        return;
    c->refill_ms += gain * REFILL_MS; /* what is left of it counts the next time */
    c->budget = gain < c->budget_max - c->budget ? c->budget + gain : c->budget_max;
}

/* Whoever has not looked has not read either: of a longer pause, what of it does not count. */
static uint32_t unseen(const mote_h2 *c, uint32_t now_ms)
{
    uint32_t pause_ms = now_ms - c->refill_ms;

    return pause_ms >= MOTE_H2_LOOK_MS + REFILL_MS ? pause_ms - MOTE_H2_LOOK_MS : 0;
}

/* The next look at a time-out. When nothing is left of it, the connection fails. */
static uint32_t left_of(mote_h2 *c, uint32_t timeout_ms, uint32_t gone_ms, uint32_t code,
                        const char *text)
{
    if (gone_ms < timeout_ms)
        return timeout_ms - gone_ms < MOTE_H2_LOOK_MS ? timeout_ms - gone_ms : MOTE_H2_LOOK_MS;
    mote_h2_fatal(c, MOTE_H2_ERR_TIMEOUT, code, text);
    return UINT32_MAX;
}

/* Whether the peer has begun a frame or a header block: then its last byte is due. */
static bool has_begun(const mote_h2 *c)
{
    return c->frame.phase == MOTE_H2_IN_FRAME || c->frame.fixed_len > 0 || c->block.id != 0;
}

/* Whether a message waits for bytes that a frame with the longest padding could not bring: a peer
 * that begins to pad there would wait as well (RFC 9113 6.9.1). Late, it is taken for one. A client
 * alone has deadlines for that, and saves the code. */
static bool is_short_of_padding(mote_h2 *c, uint32_t now_ms)
{
    bool late = c->begun_ms != 0 && now_ms - c->begun_ms >= MOTE_H2_LOOK_MS, is_short = false;

    if (!MOTE_MAY_SERVE || !c->frame.tight || c->frame.pads)
        return false;
    for (size_t i = 0; i < c->stream_count; i++) {
        mote_h2_stream *s = &c->streams[i];
        if (s->need == 0 || s->recv_window >= (int32_t)s->need + PADDED_ROOM ||
            !mote_h2_receiving(s))
            continue;
        is_short = true;
        c->frame.pads = late;
        mote_h2_credit_stream(c, s);
    }
    c->frame.tight = is_short;
    return is_short;
}

uint32_t mote_h2_tick(mote_h2 *c, uint64_t now_ms)
{
    uint32_t now = (uint32_t)now_ms, next = UINT32_MAX;

    CHECK_CONNECTION(c);
    if (c->refill_ms == 0) /* the first time */
        c->settings_ms = c->refill_ms = now;
    if (c->life == MOTE_H2_FAILED)
        return UINT32_MAX;
    uint32_t unseen_ms = unseen(c, now);
    refill(c, now);
    c->settings_ms += unseen_ms;
    if (c->settings_timeout_ms > 0) /* RFC 9113 6.5.3 */
        next = left_of(c, c->settings_timeout_ms, now - c->settings_ms, MOTE_H2_SETTINGS_TIMEOUT,
                       MOTE_TEXT("no acknowledgement of SETTINGS in time"));
    if (c->life == MOTE_H2_FAILED)
        return next;
    if (!has_begun(c) && !is_short_of_padding(c, now)) {
        if (MOTE_MAY_SERVE)
            c->begun_ms = 0;
        return next;
    }
    c->begun_ms = c->begun_ms == 0 ? now : c->begun_ms + unseen_ms;
    uint32_t left =
        left_of(c, MOTE_H2_FRAME_TIMEOUT_MS, now - c->begun_ms, MOTE_H2_ENHANCE_YOUR_CALM,
                MOTE_TEXT("a frame or a header block without end"));
    return left < next ? left : next;
}
