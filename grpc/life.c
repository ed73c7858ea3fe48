/* How long a connection lives: keepalive (the gRPC documents keepalive.md, proposal A8), idle
 * time-out and maximum age (proposal A9). Beside the connection, so that who does not link it pays
 * nothing. */
#include "life.h"
#include "grpc_internal.h"

enum {
    LIFE_CONNECT_MS = 20000, /* connection-backoff.md, MIN_CONNECT_TIMEOUT */
    KEEPALIVE_TIMEOUT_MS = 20000,
    LARGEST_KEEPALIVE_MS = 0x7fffffff
};

static uint32_t until(uint64_t due_ms, uint64_t now_ms)
{
    uint64_t left = due_ms > now_ms ? due_ms - now_ms : 0;

    return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX - 1;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A server that has said too_many_pings is asked half as often. */
static void heed(mote_grpc_life *l, mote_grpc *g)
{
    if (g->h2.calmed && l->keepalive_ms > 0)
        l->keepalive_ms =
            l->keepalive_ms < LARGEST_KEEPALIVE_MS / 2 ? 2 * l->keepalive_ms : LARGEST_KEEPALIVE_MS;
    g->h2.calmed = false;
}

/* ---- a client's connections ---------------------------------------------------------------- */

static void be_born(mote_grpc_life *l, uint64_t now_ms)
{
    l->keepalive = MOTE_GRPC_KEEPALIVE_QUIET;
    l->now_ms = l->born_ms = l->heard_ms = l->idle_since_ms = now_ms;
}

void mote_grpc_life_begin(mote_grpc_life *l, uint64_t now_ms)
{
    be_born(l, now_ms);
    l->state = MOTE_GRPC_LIFE_BEGINS;
    l->random = l->random * 1664525u + 1013904223u;
    l->attempt_ms = now_ms + mote_backoff_next(&l->backoff, l->random);
}

uint32_t mote_grpc_life_end(mote_grpc_life *l, mote_grpc *g, uint64_t now_ms)
{
    bool was_of_use = l->state >= MOTE_GRPC_LIFE_LIVES && now_ms >= l->attempt_ms;

    heed(l, g);
    if (was_of_use)
        l->backoff.next_ms = 0;
    l->state = MOTE_GRPC_LIFE_NONE;
    return until(l->attempt_ms, now_ms);
}

/* Until the peer's SETTINGS are there, whatever is missing. Whoever ticks before it reads gets one
 * more look: they may have come since the last one, at `looked_ms`. */
static uint32_t connecting(mote_grpc_life *l, mote_grpc *g, uint64_t looked_ms)
{
    uint64_t limit = l->born_ms + (l->connect_ms ? l->connect_ms : LIFE_CONNECT_MS);

    if (l->state == MOTE_GRPC_LIFE_BEGINS && mote_h2_ready(&g->h2))
        l->state = MOTE_GRPC_LIFE_LIVES;
    if (l->state != MOTE_GRPC_LIFE_BEGINS)
        return UINT32_MAX;
    if (l->now_ms < limit)
        return until(limit, l->now_ms);
    if (looked_ms >= limit)
        mote_h2_fail(&g->h2, MOTE_H2_NO_ERROR,
                     "connecting: the peer's SETTINGS did not come in time");
    return 1;
}

/* ---- keepalive ----------------------------------------------------------------------------- */

/* A peer that was asked: 1 is "at once, but after what has come is read". */
static uint32_t wait_for_pong(mote_grpc_life *l, mote_grpc *g)
{
    uint64_t limit =
        l->asked_ms + (l->keepalive_timeout_ms ? l->keepalive_timeout_ms : KEEPALIVE_TIMEOUT_MS);

    if (l->now_ms < limit)
        return until(limit, l->now_ms);
    if (l->keepalive == MOTE_GRPC_KEEPALIVE_LATE)
        mote_h2_fail(&g->h2, MOTE_H2_NO_ERROR, "keepalive: the peer does not answer");
    l->keepalive = MOTE_GRPC_KEEPALIVE_LATE;
    return 1;
}

/* A peer from which nothing has come for keepalive_ms is asked; one that does not answer is gone.
 */
static uint32_t keepalive(mote_grpc_life *l, mote_grpc *g)
{
    if (g->h2.heard) {
        g->h2.heard = 0;
        l->heard_ms = l->now_ms;
        l->keepalive = MOTE_GRPC_KEEPALIVE_QUIET;
    }
    if (l->keepalive_ms == 0 || (g->active == 0 && !l->keepalive_without_calls))
        return UINT32_MAX;
    if (l->keepalive > MOTE_GRPC_KEEPALIVE_ASKS)
        return wait_for_pong(l, g);
    l->asked_ms = l->now_ms;
    if (l->keepalive == MOTE_GRPC_KEEPALIVE_ASKS) {
        l->keepalive = MOTE_GRPC_KEEPALIVE_WAITS;
        return wait_for_pong(l, g);
    }
    if (l->now_ms - l->heard_ms < l->keepalive_ms)
        return until(l->heard_ms + l->keepalive_ms, l->now_ms);
    mote_h2_ping(&g->h2); /* if one is unanswered already, it serves as well */
    l->keepalive = MOTE_GRPC_KEEPALIVE_ASKS;
    return 1;
}

/* ---- ages ---------------------------------------------------------------------------------- */

void mote_grpc_life_drain(mote_grpc_life *l, mote_grpc *g, uint64_t now_ms)
{
    if (l->state == MOTE_GRPC_LIFE_DRAINS)
        return;
    if (l->state == MOTE_GRPC_LIFE_NONE)
        be_born(l, now_ms);
    mote_grpc_shutdown(g);
    l->state = MOTE_GRPC_LIFE_DRAINS;
    l->drain_ms = now_ms;
}

/* In the middle where random is 0. */
static uint64_t age_limit(const mote_grpc_life *l)
{
    uint32_t tenth = l->max_age_ms / 10;

    return (uint64_t)l->max_age_ms - tenth +
           (2 * (uint64_t)tenth * (l->random ^ 0x80000000u) >> 32);
}

static uint32_t age(mote_grpc_life *l, mote_grpc *g)
{
    uint32_t next = UINT32_MAX;
    uint64_t limit = age_limit(l);

    if (l->max_age_ms > 0 && l->state != MOTE_GRPC_LIFE_DRAINS) {
        if (l->now_ms - l->born_ms >= limit)
            mote_grpc_life_drain(l, g, l->now_ms);
        else
            next = until(l->born_ms + limit, l->now_ms);
    }
    if (g->active > 0)
        l->idle_since_ms = l->now_ms;
    if (l->idle_ms > 0 && g->active == 0 && l->state != MOTE_GRPC_LIFE_DRAINS) {
        if (l->now_ms - l->idle_since_ms >= l->idle_ms)
            mote_grpc_life_drain(l, g, l->now_ms);
        else
            next = least(next, until(l->idle_since_ms + l->idle_ms, l->now_ms));
    }
    return next;
}

/* A server that has announced its end, and whose peer has heard it, gets no more requests;
 * otherwise some may be on their way. */
static bool is_drained(const mote_grpc_life *l, const mote_grpc *g)
{
    enum { LINGER_MS = 1000 };

    return g->active == 0 && ((g->config->server && g->h2.life == MOTE_H2_DRAINING) ||
                              l->now_ms - l->drain_ms >= LINGER_MS);
}

/* Once the calls are over, or their grace is, the connection ends. */
static uint32_t end_drained(mote_grpc_life *l, mote_grpc *g)
{
    enum { LOOK_MS = 100 };
    uint64_t since = l->now_ms - l->drain_ms;
    const char *why = NULL;

    if (l->state != MOTE_GRPC_LIFE_DRAINS)
        return UINT32_MAX;
    if (is_drained(l, g))
        why = "drained";
    else if (l->max_age_grace_ms > 0 && since >= l->max_age_grace_ms)
        why = "the connection has reached its age";
    if (!why)
        return l->max_age_grace_ms > since ? least(LOOK_MS, (uint32_t)(l->max_age_grace_ms - since))
                                           : LOOK_MS;
    mote_h2_fail(&g->h2, MOTE_H2_NO_ERROR, why);
    return 0;
}

uint32_t mote_grpc_life_tick(mote_grpc_life *l, mote_grpc *g, uint64_t now_ms)
{
    if (l->state == MOTE_GRPC_LIFE_NONE) {
        be_born(l, now_ms);
        l->state = g->config->server ? MOTE_GRPC_LIFE_LIVES : MOTE_GRPC_LIFE_BEGINS;
    }
    uint64_t looked_ms = l->now_ms;
    l->now_ms = now_ms;
    heed(l, g);
    if (mote_h2_error(&g->h2) < 0)
        return UINT32_MAX;
    uint32_t next = least(connecting(l, g, looked_ms), keepalive(l, g));
    next = least(next, age(l, g));
    return least(next, end_drained(l, g));
}
