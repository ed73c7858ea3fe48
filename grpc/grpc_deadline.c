/* Deadlines of calls, of both roles (PROTOCOL-HTTP2, Timeout), and the time of a connection. */
#include "grpc_internal.h"

/* A deadline is looked for then. As all calls are looked at, a peer with many of them cannot have
 * that at each of its deadlines: at most 64 a millisecond, so that of 640 one may end 10 ms late.
 */
static void look_at(mote_grpc *g, uint64_t deadline_ms)
{
    uint64_t least = g->now_ms + g->reach / 64;

    if (MOTE_HAS_MANY_CALLS && deadline_ms < least)
        deadline_ms = least;
    if (deadline_ms < g->next_deadline_ms)
        g->next_deadline_ms = deadline_ms;
}

void mote_grpc_set_deadline(mote_grpc_call *call, uint64_t ms)
{
    mote_grpc *g = call->grpc;

    call->deadline_ms = g->now_ms + ms;
    look_at(g, call->deadline_ms);
}

static void expire_calls(mote_grpc *g)
{
    g->next_deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < g->reach; i++) {
        mote_grpc_call *call = &g->calls[i];
        if (call->local == MOTE_GRPC_LOCAL_FREE || mote_grpc_decided(call))
            continue;
        if (call->deadline_ms <= g->now_ms)
            mote_grpc_call_fail(call, MOTE_GRPC_DEADLINE_EXCEEDED, MOTE_TEXT("deadline exceeded"));
        else
            look_at(g, call->deadline_ms);
    }
}

uint32_t mote_grpc_tick(mote_grpc *g, uint64_t now_ms)
{
    uint32_t next = mote_h2_tick(&g->h2, now_ms);

    MOTE_CHECK_THAT(mote_grpc_valid(g));
    g->now_ms = now_ms;
    if (now_ms >= g->next_deadline_ms)
        expire_calls(g);
    if (g->next_deadline_ms - now_ms < next)
        next = (uint32_t)(g->next_deadline_ms - now_ms);
    return g->scan_for != MOTE_GRPC_SCAN_OVER || g->ends > 0 ? 0 : next;
}

void mote_grpc_clock(mote_grpc *g, uint64_t now_ms)
{
    MOTE_CHECK_THAT(mote_grpc_valid(g));
    g->now_ms = now_ms;
}

uint64_t mote_grpc_time_left(const mote_grpc_call *call)
{
    uint64_t now = call->grpc->now_ms;

    if (call->deadline_ms == UINT64_MAX)
        return UINT64_MAX;
    return call->deadline_ms > now ? call->deadline_ms - now : 0;
}

uint32_t mote_grpc_timeout_for(const mote_grpc_call *call)
{
    uint64_t left = mote_grpc_time_left(call);

    if (left == UINT64_MAX)
        return 0;
    if (left == 0)
        return 1;
    return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

/* PROTOCOL-HTTP2, Timeout: at most 8 digits and a unit */
int mote_grpc_parse_timeout(const char *value, size_t len, uint64_t *ms)
{
    uint32_t factor = 1, part = 1; /* of a millisecond */
    uint64_t n;

    if (len < 2 || len > 9 || !mote_h2_decimal(value, len - 1, &n))
        return -1;
    switch (value[len - 1]) {
    case 'H':
        factor = 3600000;
        break;
    case 'M':
        factor = 60000;
        break;
    case 'S':
        factor = 1000;
        break;
    case 'm':
        break;
    case 'u':
        part = 1000;
        break;
    case 'n':
        part = 1000000;
        break;
    default:
        return -1;
    }
    *ms = ((uint32_t)n + part - 1) / part * (uint64_t)factor;
    return 0;
}

size_t mote_grpc_format_timeout(uint32_t ms, char out[9])
{
    char unit = 'm';
    char digits[8];
    size_t n = 0, len = 0;

    if (ms > 99999999) {
        ms = ms / 1000 + 1;
        unit = 'S';
    }
    do {
        digits[n++] = (char)('0' + ms % 10);
        ms /= 10;
    } while (ms > 0);
    while (n > 0)
        out[len++] = digits[--n];
    out[len++] = unit;
    return len;
}
