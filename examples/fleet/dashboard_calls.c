/* The dashboard's methods: who watches is told what has changed since it was told last; a bit of
 * time for each, and no queue. */
#define _POSIX_C_SOURCE 200809L
#include "dashboard.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    WATCHERS = 16,
    PART = 16, /* devices of one message */
    REPLIES = 8,
    PASS_MS = 1000,
    INTERVAL_LEAST = 10,
    INTERVAL_MOST = 86400000
};

static const char *token_file;

/* ---- watching ------------------------------------------------------------------------------ */

/* A message, with all that it points to: a part of it may have left, so it stays as it is. */
typedef struct {
    mote_dashboard_Update update;
    mote_dashboard_Totals totals;
    mote_dashboard_Device devices[PART];
    mote_dashboard_Metric metrics[PART][FLEET_METRICS];
    char names[PART][DEVICE_NAME + 1];
    char metric_names[PART][FLEET_METRICS][METRIC_NAME + 1];
} part;

/*
 * A watcher goes through all devices again and again, and tells those that have changed since it
 * began the last time.
 *
 *   RESTS -- it is time --> PASSES -- the last device --> RESTS
 */
static struct watcher {
    mote_grpc_handle call; /* of one that is over: free */
    uint64_t since_ms, begun_ms;
    size_t next; /* device */
    part part;
    enum { RESTS, PASSES } state;
    bool telling; /* the part, of which some may have left */
} watchers[WATCHERS];

static void copy_device(part *p, size_t at, size_t index, uint64_t now_ms)
{
    const fleet_device *d = &fleet[index];

    memcpy(p->names[at], d->name, sizeof d->name);
    for (size_t i = 0; i < d->metric_count; i++) {
        memcpy(p->metric_names[at][i], d->metrics[i]->name, sizeof d->metrics[i]->name);
        p->metrics[at][i] =
            (mote_dashboard_Metric){mote_pb_cstring(p->metric_names[at][i]), d->metrics[i]->last};
    }
    p->devices[at] = (mote_dashboard_Device){
        .number = (uint32_t)index + 1,
        .name = mote_pb_cstring(p->names[at]),
        .connected = d->connected,
        .silent_ms =
            (uint32_t)(now_ms - d->heard_ms < UINT32_MAX ? now_ms - d->heard_ms : UINT32_MAX),
        .samples = d->samples,
        .dropped = d->dropped,
        .missing = d->missing,
        .waiting = (uint32_t)(d->waiting < UINT32_MAX ? d->waiting : UINT32_MAX),
        .acknowledge_ms = d->acknowledge_ms,
        .interval_ms = d->interval_ms,
        .metrics = {p->metrics[at], d->metric_count}};
}

/* The next devices of a pass; without any left, how it stands. */
static void fill(struct watcher *w, const mote_dashboard_Totals *totals, uint64_t now_ms)
{
    part *p = &w->part;
    size_t n = 0;

    for (; n < PART && w->next < fleet_count; w->next++) {
        if (fleet[w->next].changed_ms >= w->since_ms)
            copy_device(p, n++, w->next, now_ms);
    }
    p->totals = *totals;
    p->update = (mote_dashboard_Update){
        .totals = &p->totals, .devices = {p->devices, n}, .more = w->next < fleet_count};
    if (p->update.more)
        return;
    w->state = RESTS;
    w->since_ms = w->begun_ms;
}

static bool is_due(struct watcher *w, uint64_t now_ms)
{
    if (w->state == RESTS && (w->begun_ms == 0 || now_ms - w->begun_ms >= PASS_MS)) {
        w->state = PASSES;
        w->begun_ms = now_ms;
        w->next = 0;
    }
    return w->state == PASSES;
}

/* Whether something was said. What finds no room is said when the next part is due. */
static bool tell(struct watcher *w, mote_grpc_call *call, const mote_dashboard_Totals *totals,
                 uint64_t now_ms)
{
    bool said = false;

    while (w->telling || is_due(w, now_ms)) {
        if (!w->telling)
            fill(w, totals, now_ms);
        int r = mote_dashboard_Dashboard_Watch_write(call, &w->part.update);
        w->telling = r < 0;
        if (r < 0 && r != MOTE_AGAIN)
            mote_grpc_finish(call, MOTE_GRPC_INTERNAL, "an update is too large");
        if (r < 0)
            return said || r != MOTE_AGAIN;
        said = true;
    }
    return said;
}

void dashboard_tell(const mote_dashboard_Totals *totals, uint64_t now_ms,
                    void (*done)(mote_grpc *grpc))
{
    for (size_t i = 0; i < WATCHERS; i++) {
        mote_grpc_call *call = mote_grpc_find(watchers[i].call);
        if (call && tell(&watchers[i], call, totals, now_ms))
            done(call->grpc);
    }
}

bool dashboard_is_watched_by(const mote_grpc *grpc)
{
    for (size_t i = 0; i < WATCHERS; i++) {
        if (watchers[i].call.grpc == grpc && mote_grpc_find(watchers[i].call))
            return true;
    }
    return false;
}

static int watch(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    for (size_t i = 0; i < WATCHERS; i++) {
        if (mote_grpc_find(watchers[i].call))
            continue;
        watchers[i].call = mote_grpc_handle_of(call);
        watchers[i].state = RESTS;
        watchers[i].telling = false;
        watchers[i].since_ms = watchers[i].begun_ms = 0;
        return 0;
    }
    return mote_grpc_finish(call, MOTE_GRPC_RESOURCE_EXHAUSTED, "too many watch the dashboard");
}

/* ---- what was ------------------------------------------------------------------------------ */

/* A reply, with all that it points to: it stays as it is while a part of it has left. */
static struct recent_reply {
    mote_grpc_handle call; /* of one that is over: free */
    size_t count;
    mote_dashboard_Series series[FLEET_METRICS];
    char names[FLEET_METRICS][METRIC_NAME + 1];
    uint32_t ages_ms[FLEET_METRICS][FLEET_HISTORY];
    double values[FLEET_METRICS][FLEET_HISTORY];
} replies[REPLIES];

static void copy_metric(struct recent_reply *r, const fleet_metric *m, uint64_t now_ms)
{
    uint64_t first = m->count > FLEET_HISTORY ? m->count - FLEET_HISTORY : 0;
    size_t n = 0, at = r->count++;

    memcpy(r->names[at], m->name, sizeof m->name);
    for (uint64_t i = first; i < m->count; i++, n++) {
        r->ages_ms[at][n] = (uint32_t)(now_ms - m->history[i % FLEET_HISTORY].at_ms);
        r->values[at][n] = m->history[i % FLEET_HISTORY].value;
    }
    r->series[at] = (mote_dashboard_Series){.metric = mote_pb_cstring(r->names[at]),
                                            .ages_ms = {r->ages_ms[at], n},
                                            .values = {r->values[at], n}};
}

/* The one that this call has; NULL: none. */
static struct recent_reply *reply_of(const mote_grpc_call *call)
{
    for (size_t i = 0; i < REPLIES; i++) {
        if (mote_grpc_find(replies[i].call) == call)
            return &replies[i];
    }
    return NULL;
}

/* A free one; without, whoever does not read its reply loses it, each in turn. */
static struct recent_reply *take_reply(const mote_grpc_call *call)
{
    static size_t turn;
    struct recent_reply *r = reply_of(NULL);

    r = r ? r : &replies[turn++ % REPLIES];
    r->call = mote_grpc_handle_of(call);
    r->count = 0;
    return r;
}

static int recent(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_dashboard_RecentRequest request;

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    struct recent_reply *r = reply_of(call);
    if (!r) {
        if (mote_dashboard_Dashboard_Recent_read(ev, &request, NULL) < 0)
            return mote_grpc_finish(call, MOTE_GRPC_INVALID_ARGUMENT,
                                    "this is not a RecentRequest");
        const fleet_device *d = fleet_find(request.device.data, request.device.len);
        if (!d)
            return mote_grpc_finish(call, MOTE_GRPC_NOT_FOUND, "the dashboard has no such device");
        r = take_reply(call);
        for (size_t i = 0; i < d->metric_count; i++)
            copy_metric(r, d->metrics[i], call->grpc->now_ms);
    }
    return mote_dashboard_Dashboard_Recent_answer(
        call, &(mote_dashboard_RecentReply){.series = {r->series, r->count}});
}

/* ---- commands ------------------------------------------------------------------------------ */

/* User memory of a call. */
typedef struct {
    char token[TOKEN + 1];
    bool over; /* it was refused */
} dashboard_call;

_Static_assert(sizeof(dashboard_call) <= DASHBOARD_CALL, "user memory of a call");

/* NULL: it has one; or why not. */
static const char *read_token(const char *file, char token[TOKEN + 2])
{
    struct stat s;
    FILE *f = fopen(file, "re");

    if (!f)
        return strerror(errno);
    bool own = fstat(fileno(f), &s) == 0 && !(s.st_mode & (S_IRWXG | S_IRWXO));
    bool read = fgets(token, TOKEN + 2, f) != NULL;
    fclose(f);
    if (!own)
        return "others may read it: chmod 600";
    size_t len = read ? strcspn(token, "\r\n") : 0;
    memset(token + len, 0, TOKEN + 2 - len); /* CR LF as well: it is compared whole */
    return len >= TOKEN_LEAST ? NULL : "it has no token of 16 characters or more";
}

const char *dashboard_token(const char *file)
{
    char token[TOKEN + 2];

    token_file = file;
    return file ? read_token(file, token) : NULL;
}

/* The file is read each time: it may be replaced. NULL: it is the token; or why not. */
static const char *stranger(const dashboard_call *state)
{
    char token[TOKEN + 2] = "";
    unsigned differs = 0;

    if (!token_file)
        return "commands need --web-token=FILE of the collector";
    bool ok = !read_token(token_file, token);
    for (size_t i = 0; i < sizeof state->token; i++)
        differs |= (unsigned)(uint8_t)state->token[i] ^ (uint8_t)token[i];
    return ok && differs == 0 ? NULL : "this is not the token of the dashboard";
}

static int refuse(mote_grpc_call *call, int code, const char *why)
{
    dashboard_call *state = call->user;

    state->over = true;
    return mote_grpc_finish(call, code, why);
}

static int take_command(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_dashboard_CommandRequest request;
    const char *why = stranger(call->user);

    if (why)
        return refuse(call, MOTE_GRPC_UNAUTHENTICATED, why);
    if (mote_dashboard_Dashboard_Command_read(ev, &request, NULL) < 0)
        return refuse(call, MOTE_GRPC_INVALID_ARGUMENT, "this is not a CommandRequest");
    if (request.interval_ms < INTERVAL_LEAST || request.interval_ms > INTERVAL_MOST)
        return refuse(call, MOTE_GRPC_INVALID_ARGUMENT, "interval_ms is not 10 to 86400000");
    fleet_device *d = fleet_find(request.device.data, request.device.len);
    if (!d)
        return refuse(call, MOTE_GRPC_NOT_FOUND, "the dashboard has no such device");
    d->interval_ms = request.interval_ms;
    d->changed_ms = call->grpc->now_ms;
    return mote_dashboard_Dashboard_Command_answer(
        call, &(mote_dashboard_CommandReply){.connected = d->connected});
}

static int command(mote_grpc_call *call, const mote_grpc_event *ev)
{
    dashboard_call *state = call->user;

    if (ev->type == MOTE_GRPC_METADATA && ev->name_len == 13 &&
        memcmp(ev->name, "authorization", 13) == 0 &&
        !token_take(ev->value, ev->value_len, state->token))
        state->token[0] = '\0';
    return ev->type == MOTE_GRPC_MESSAGE && !state->over ? take_command(call, ev) : 0;
}

static const mote_grpc_method dashboard_methods[] =
    mote_dashboard_Dashboard_METHODS(watch, recent, command);
const mote_grpc_service dashboard_services[1] = {
    mote_dashboard_Dashboard_SERVICE(dashboard_methods)};
