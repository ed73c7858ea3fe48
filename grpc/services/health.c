/* grpc.health.v1.Health. A watcher's state is the number of its entry, what it was told last and
 * what it is being told, all in the call's `owner`; what it is owed follows from them. */
#include "health.mote.h"
#include "services.h"

#include <string.h>

enum { MOST_LISTED = 16, NO_ENTRY = 0xffff, NOTHING = 0xf };

static size_t find_service(const mote_health *h, mote_pb_string service)
{
    for (size_t i = 0; i < h->count; i++) {
        mote_pb_string name = mote_pb_cstring(h->entries[i].service);
        if (name.len == service.len &&
            (name.len == 0 || memcmp(name.data, service.data, name.len) == 0)) /* no NULL */
            return i;
    }
    return NO_ENTRY;
}

static int read_health_entry(mote_grpc_call *call, const mote_grpc_event *ev, size_t *entry)
{
    mote_HealthCheckRequest request;
    int r = mote_Health_Check_read(ev, &request, NULL);

    if (r < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    *entry = find_service(call->method->data, request.service);
    return 0;
}

int mote_health_check(mote_grpc_call *call, const mote_grpc_event *ev)
{
    const mote_health *h = call->method->data;
    size_t entry;
    int r;

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if ((r = read_health_entry(call, ev, &entry)) != 0)
        return r;
    if (entry == NO_ENTRY)
        return mote_grpc_finish(call, MOTE_GRPC_NOT_FOUND, "unknown service");
    mote_HealthCheckResponse response = {h->entries[entry].status};
    return mote_Health_Check_answer(call, &response);
}

/* ---- watching ------------------------------------------------------------------------------ */

/* Never NULL. A status that is being told may have been sent in part: it is sent to its end,
 * whatever the entry says meanwhile. */
static void *watch_state(size_t entry, unsigned telling, unsigned told)
{
    return (void *)((entry + 1) << 8 | telling << 4 | told);
}

static unsigned current(const mote_health *h, size_t entry)
{
    return entry == NO_ENTRY ? MOTE_HEALTH_SERVICE_UNKNOWN : (unsigned)h->entries[entry].status;
}

/* 0, or MOTE_AGAIN: a WRITABLE event follows. */
static int tell(mote_grpc_call *call)
{
    uintptr_t state = (uintptr_t)call->owner;
    size_t entry = (state >> 8) - 1;
    unsigned telling = state >> 4 & 0xf, told = state & 0xf;
    int r = 0;

    while (r == 0 && (telling != NOTHING || told != current(call->method->data, entry))) {
        if (telling == NOTHING)
            telling = current(call->method->data, entry);
        mote_HealthCheckResponse response = {(int32_t)telling};
        r = mote_Health_Watch_write(call, &response);
        told = r == 0 ? telling : told;
        telling = r == 0 ? NOTHING : telling;
    }
    call->owner = watch_state(entry, telling, told);
    return r;
}

int mote_health_watch(mote_grpc_call *call, const mote_grpc_event *ev)
{
    size_t entry;
    int r;

    if (ev->type == MOTE_GRPC_MESSAGE && !call->owner) { /* it may be offered again */
        if ((r = read_health_entry(call, ev, &entry)) != 0)
            return r;
        call->owner = watch_state(entry, NOTHING, NOTHING);
    }
    if (ev->type == MOTE_GRPC_MESSAGE || ev->type == MOTE_GRPC_WRITABLE)
        return tell(call);
    return 0; /* it lasts until the client ends it */
}

void mote_health_push(mote_grpc *g)
{
    for (size_t i = 0; i < g->reach; i++) {
        mote_grpc_call *call = &g->calls[i];
        if (call->stream && call->method && call->method->handler == mote_health_watch &&
            call->owner)
            tell(call);
    }
}

/* ---- listing ------------------------------------------------------------------------------- */

int mote_health_list(mote_grpc_call *call, const mote_grpc_event *ev)
{
    const mote_health *h = call->method->data;
    mote_HealthListResponse_StatusesEntry entries[MOST_LISTED];
    mote_HealthCheckResponse states[MOST_LISTED];
    mote_HealthListResponse response = {{entries, 0}};

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    for (size_t i = 0; i < h->count && i < MOST_LISTED; i++) {
        states[i].status = h->entries[i].status;
        entries[i].key = mote_pb_cstring(h->entries[i].service);
        entries[i].value = &states[i];
        response.statuses.count++;
    }
    return mote_Health_List_answer(call, &response);
}
