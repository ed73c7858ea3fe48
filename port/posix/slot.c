/* Connections of a worker: their order, their memory, and their handlers. */
#define _GNU_SOURCE
#include "slot_internal.h"
#include "../../grpc/rest.h"

#include <stdio.h>

/* ---- their order --------------------------------------------------------------------------- */

/* Where slots in this state stand in an order; NULL: in none. */
static mote_posix_timer **order_of(mote_posix_worker *owner, enum mote_posix_slot_state state)
{
    return state == SLOT_NEW ? &owner->new_ones : state == SLOT_RESTING ? &owner->resting : NULL;
}

void mote_posix_slot_become(mote_posix_worker *owner, mote_posix_slot *s,
                            enum mote_posix_slot_state state, uint64_t at)
{
    mote_posix_timer **from = order_of(owner, s->state), **to = order_of(owner, state);

    if (from)
        mote_posix_timer_remove(from, &s->place);
    s->state = state;
    if (to)
        mote_posix_timer_add(to, &s->place, at);
}

static mote_posix_slot *slot_of(void *grpc)
{
    return (mote_posix_slot *)((uint8_t *)grpc - offsetof(mote_posix_slot, grpc));
}

mote_posix_conn *mote_posix_conn_of(const mote_grpc_call *call)
{
    return &slot_of(call->grpc)->conn;
}

/* ---- memory that is lent (grpc/rest.h) ----------------------------------------------------- */

/* There are as many loans as connections. */
void mote_posix_slot_work(mote_posix_slot *s)
{
    mote_posix_worker *owner = s->conn.user;

    if (s->loan)
        return;
    s->loan = mote_posix_loan_take(&owner->loans);
    mote_grpc_lend(&s->grpc, s->loan);
    mote_posix_kept_free(&owner->loans, s->kept, s->kept_size);
    s->kept = NULL;
}

/* Whoever has had no input for a while, and nothing to do, gives its memory back. Returns the ms
 * until that may be so. */
static uint32_t may_rest(mote_posix_slot *s)
{
    enum { REST_MS = 1000 };
    mote_posix_worker *owner = s->conn.user;
    uint64_t quiet_ms = owner->loop->now_ms - s->input_ms;

    if (!mote_grpc_at_rest(&s->grpc))
        return UINT32_MAX;
    if (quiet_ms < REST_MS)
        return (uint32_t)(REST_MS - quiet_ms);
    s->kept_size = (uint32_t)mote_grpc_rest_size(&s->grpc);
    s->kept = mote_posix_keep(&owner->loans, s->kept_size);
    if (!s->kept)
        return REST_MS;
    mote_grpc_rest(&s->grpc, s->kept);
    mote_posix_loan_give(&owner->loans, s->loan, true);
    s->loan = NULL;
    return UINT32_MAX;
}

void mote_posix_slot_give_back(mote_posix_slot *s)
{
    mote_posix_worker *owner = s->conn.user;

    if (s->loan)
        mote_posix_loan_give(&owner->loans, s->loan, s->grpc.h2.active == 0);
    else
        mote_posix_kept_free(&owner->loans, s->kept, s->kept_size);
    s->loan = s->kept = NULL;
}

/* ---- handlers, with a look at the clock ---------------------------------------------------- */

static void tell_slow(const mote_posix_worker *owner, const mote_grpc_method *method, uint64_t ms)
{
    const mote_grpc_config *g = &owner->grpc;
    const char *service = "";

    for (size_t i = 0; i < g->service_count; i++) {
        const mote_grpc_service *s = &g->services[i];
        if (method >= s->methods && method < s->methods + s->method_count)
            service = s->name;
    }
    owner->loop->slow++;
    if (owner->config->slow)
        owner->config->slow(g->context, service, method->name, (uint32_t)ms);
    else
        fprintf(stderr, "mote: /%s/%s held all others up for %llu ms\n", service, method->name,
                (unsigned long long)ms);
}

/* *clock_ms: the time now, and afterwards. */
static void dispatch(mote_posix_slot *s, const mote_grpc_event *ev, uint64_t *clock_ms)
{
    mote_posix_worker *owner = s->conn.user;
    const mote_grpc_method *method = ev->call ? ev->call->method : NULL;
    uint64_t before = *clock_ms;

    if (s->state == SLOT_NEW && ev->type == MOTE_GRPC_MESSAGE)
        mote_posix_slot_become(owner, s, SLOT_KNOWN, 0);
    mote_grpc_dispatch(&s->grpc, ev);
    *clock_ms = mote_posix_now_ms();
    if (method && *clock_ms - before >= owner->config->slow_ms)
        tell_slow(owner, method, *clock_ms - before);
}

static void begin_to_rest(mote_posix_slot *s)
{
    if (s->life.state != MOTE_GRPC_LIFE_DRAINS)
        mote_posix_slot_become(s->conn.user, s, SLOT_RESTING, s->conn.progress_ms);
}

static enum mote_posix_input slot_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    uint64_t clock_ms = mote_posix_now_ms();
    mote_grpc_event ev;
    int r;

    if (len == 0 && !slot_of(self)->loan)
        return MOTE_POSIX_TOOK_ALL;
    mote_posix_slot_work(slot_of(self));
    if (len > 0)
        slot_of(self)->input_ms = slot_of(self)->conn.loop->now_ms;
    while ((r = mote_grpc_recv(self, in, len, used, &ev)) > 0) {
        if (*used > 0)
            in += *used;
        len -= *used;
        dispatch(slot_of(self), &ev, &clock_ms);
    }
    if (slot_of(self)->state == SLOT_KNOWN && mote_grpc_active(self) == 0)
        begin_to_rest(slot_of(self));
    return r < 0 ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
}

static uint32_t slot_tick(void *self, uint64_t now_ms)
{
    mote_posix_slot *s = slot_of(self);

    mote_posix_slot_work(s);
    uint32_t next = mote_grpc_tick(&s->grpc, now_ms);
    uint32_t life = mote_grpc_life_tick(&s->life, &s->grpc, now_ms);
    uint32_t rest = may_rest(s);
    next = next < life ? next : life;
    return next < rest ? next : rest;
}

/* One that rests has nothing to say. */
static const uint8_t *slot_peek(void *self, size_t *len)
{
    *len = 0;
    return slot_of(self)->loan ? mote_grpc_peek(self, len) : NULL;
}

static void slot_eof(void *self)
{
    mote_posix_slot_work(slot_of(self));
    mote_grpc_recv_eof(self);
}

static void slot_clock(void *self, uint64_t now_ms)
{
    mote_posix_slot_work(slot_of(self));
    mote_grpc_clock(self, now_ms);
}

const mote_posix_engine mote_posix_slot_engine = {
    slot_input, slot_peek, mote_posix_grpc_ack, slot_tick, slot_eof, NULL, slot_clock};
