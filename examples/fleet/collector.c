/*
 * The collector: takes samples from many devices, stores them, and shows what comes in.
 *
 * Samples go into an SQLite database (store.h), and are acknowledged once a commit has made them
 * safe: the number that a device is told is one that only the commit moves. One commit serves all
 * devices; what comes while it runs is the next batch. When the store fails (a full disk, an error,
 * a file that is damaged), all calls end with UNAVAILABLE, the devices keep what they have, and the
 * store is opened again, once a second, until it works.
 */
#define _POSIX_C_SOURCE 200809L
#include "../../port/posix/posix.h"
#include "../common/secure.h"
#include "collector_about.h"
#include "collector_calls.h"
#include "collector_view.h"
#include "dashboard.h"
#include "host.h"
#include "tokens.h"

#include <unistd.h>

enum {
    CALLS = 8,
    RX = 4096,
    TX = 4096,
    FIELD = 1024,
    SLOTS = 8,
    TURN_MS = 50,
    COMMIT_MS = 50, /* a batch is at least so long, so that few devices do not cause many commits */
    REOPEN_MS = 1000,
    INTERVAL_LEAST = 10,
    INTERVAL_MOST = 86400000
};

static const char *path; /* of the store; NULL: none */
static uint32_t interval_ms;
static view_state view;
static uint64_t committed_ms, reopen_ms;
static uint64_t keep_ms; /* 0: for ever */
static uint64_t remember_ms = UINT64_C(90) * 86400000;

static void say(const char *text)
{
    print_line(stderr, "collector: %s", text);
}

/* ---- the store ----------------------------------------------------------------------------- */

/* Nothing that was taken since the last commit is kept here or acknowledged: the devices have it.
 */
static void store_failed(void)
{
    say(store_error());
    say("nothing is acknowledged until the store can be opened again");
    view_forget(&view);
    for (call_state *state = calls; state; state = state->next) {
        state->source = NULL;
        calls_end(state, MOTE_GRPC_UNAVAILABLE, "the store takes nothing now");
    }
    sources_clear();
    reopen_ms = mote_posix_now_ms() + REOPEN_MS;
}

static void reopen(uint64_t now_ms)
{
    static char last[300];

    if (now_ms < reopen_ms)
        return;
    reopen_ms = now_ms + REOPEN_MS;
    if (store_open(path, sources_known) == 0) {
        say("the store is open again");
        last[0] = '\0';
        return;
    }
    sources_clear();
    if (strcmp(last, store_error()) != 0) /* each reason once */
        say(store_error());
    snprintf(last, sizeof last, "%s", store_error());
}

/* The first thing after listening. */
static void open_store(const char *address)
{
    if (path && store_open(path, sources_known) < 0) {
        say(store_error());
        exit(1);
    }
    if (!path)
        say("there is no --store: samples are shown, and not kept");
    if (dashboard_is_on())
        fleet_begin(mote_posix_now_ms());
    if (view.plain)
        printf("listening on %s\n", address);
    if (dashboard_is_on())
        printf("dashboard on %s\n", dashboard_address());
    fflush(stdout);
}

/* Without a store all that is taken is as safe as it will ever be. */
static void keep_nothing(void)
{
    for (source *s = sources_first(); s; s = sources_after(s)) {
        s->stored = s->accepted;
        count_stored(s);
    }
}

/* ---- Upload -------------------------------------------------------------------------------- */

/* A device without epochs has begun anew if it says something else under a number that is taken. */
static int renew_if_other(source *s, const mote_telemetry_Sample *sample)
{
    bool same = true;

    if (s->epoch != 0 || !path || sample->sequence > s->accepted)
        return 0;
    if (store_has(s, sample, &same) < 0)
        return -1;
    return same ? 0 : store_renew(s);
}

static int take(source *s, const mote_telemetry_Sample *sample)
{
    if (renew_if_other(s, sample) < 0)
        return -1;
    if (sample->sequence <= s->accepted) {
        store_counts.duplicates++;
        return 0;
    }
    if (path && store_add(s, sample) < 0)
        return -1;
    uint64_t missing = sample->sequence - s->accepted - 1;
    store_counts.missing += missing;
    s->accepted = sample->sequence;
    s->fresh++;
    store_counts.fresh++;
    view_sample(s, sample);
    if (dashboard_is_on())
        fleet_sample(s, sample, missing, mote_posix_now_ms());
    return 0;
}

static int on_sample(mote_grpc_call *call, call_state *state, const mote_grpc_event *ev)
{
    mote_telemetry_Sample s;

    if (mote_telemetry_Telemetry_Upload_read(ev, &s, NULL) < 0)
        return calls_refuse(state, call, MOTE_GRPC_INVALID_ARGUMENT, "this is not a Sample");
    if (s.sequence == 0 || s.sequence > INT64_MAX ||
        !name_is_valid(s.metric.data, s.metric.len, METRIC_NAME))
        return calls_refuse(state, call, MOTE_GRPC_INVALID_ARGUMENT,
                            "the sequence is not 1 to 2^63-1, or the metric has no valid name");
    if (s.before_start >= s.sequence)
        return calls_refuse(state, call, MOTE_GRPC_INVALID_ARGUMENT,
                            "before_start is not below the sequence");
    state->received++;
    if (take(state->source, &s) < 0)
        store_failed();
    return 0;
}

static int begin_upload(mote_grpc_call *call, call_state *state)
{
    const char *why = calls_stranger(call, state, state->device, strlen(state->device));
    source *s;

    if (path && !store_is_open())
        return calls_refuse(state, call, MOTE_GRPC_UNAVAILABLE, "the store takes nothing now");
    if (!state->device[0])
        return calls_refuse(state, call, MOTE_GRPC_INVALID_ARGUMENT, "device-id is missing");
    if (why)
        return calls_refuse(state, call, MOTE_GRPC_UNAUTHENTICATED, why);
    s = calls_find(call, state->device, strlen(state->device), state->epoch);
    if (!s)
        return calls_refuse(state, call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            "there are too many devices");
    state->kind = UPLOAD;
    calls_enter(state, call);
    calls_bind(state, s);
    return 0;
}

/* "Received" is what no loss of power takes away: the summary waits for the commit. */
static int finish_upload(call_state *state)
{
    state->kind = UPLOAD_OWED;
    state->told = state->source->accepted;
    calls_sum_up(state);
    return 0;
}

static int upload(mote_grpc_call *call, const mote_grpc_event *ev)
{
    call_state *state = call->user;

    if (state->ending && ev->type != MOTE_GRPC_CLOSED)
        return state->call ? calls_try_to_end(state) : 0;
    switch (ev->type) {
    case MOTE_GRPC_METADATA:
        return calls_metadata(state, ev);
    case MOTE_GRPC_START:
        return begin_upload(call, state);
    case MOTE_GRPC_MESSAGE:
        return on_sample(call, state, ev);
    case MOTE_GRPC_HALF_CLOSE:
        return finish_upload(state);
    case MOTE_GRPC_CLOSED:
        calls_leave(state);
        return 0;
    default:
        return 0;
    }
}

/* ---- Control ------------------------------------------------------------------------------- */

/* The first report says whose call it is; the others are heartbeats. */
static int begin_control(mote_grpc_call *call, call_state *state,
                         const mote_telemetry_Report *report)
{
    source *s = calls_find(call, report->device.data, report->device.len, report->epoch);

    if (!s)
        return calls_refuse(state, call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            "there are too many devices");
    calls_enter(state, call);
    calls_bind(state, s);
    s->told = 0;
    if (calls_about(state, s) && path && store_touch(s) < 0)
        store_failed();
    return 0;
}

static int on_report(mote_grpc_call *call, call_state *state, const mote_grpc_event *ev)
{
    mote_telemetry_Report report;

    if (mote_telemetry_Telemetry_Control_read(ev, &report, NULL) < 0)
        return calls_refuse(state, call, MOTE_GRPC_INVALID_ARGUMENT, "this is not a Report");
    if (!name_is_valid(report.device.data, report.device.len, DEVICE_NAME))
        return calls_refuse(state, call, MOTE_GRPC_INVALID_ARGUMENT,
                            "the device has no valid name");
    const char *why = calls_stranger(call, state, report.device.data, report.device.len);
    if (why)
        return calls_refuse(state, call, MOTE_GRPC_UNAUTHENTICATED, why);
    if (path && !store_is_open())
        return calls_refuse(state, call, MOTE_GRPC_UNAVAILABLE, "the store takes nothing now");
    int r = state->source ? 0 : begin_control(call, state, &report);
    state->kind = CONTROL_SILENT;
    if (!state->source)
        return r;
    state->source->dropped = report.dropped;
    calls_tell(state, fleet_interval(state->source, interval_ms));
    return 0;
}

static int control(mote_grpc_call *call, const mote_grpc_event *ev)
{
    call_state *state = call->user;

    if (state->ending && ev->type != MOTE_GRPC_CLOSED)
        return state->call ? calls_try_to_end(state) : 0;
    switch (ev->type) {
    case MOTE_GRPC_METADATA:
        return calls_metadata(state, ev);
    case MOTE_GRPC_MESSAGE:
        return on_report(call, state, ev);
    case MOTE_GRPC_HALF_CLOSE:
        return calls_refuse(state, call, MOTE_GRPC_OK, NULL);
    case MOTE_GRPC_CLOSED:
        calls_leave(state);
        return 0;
    default:
        return 0;
    }
}

static const mote_grpc_method methods[] = mote_telemetry_Telemetry_METHODS(upload, control);
const mote_grpc_service collector_services[COLLECTOR_SERVICES] = {
    mote_telemetry_Telemetry_SERVICE(methods), MOTE_HEALTH_SERVICE(collector_health_methods),
    MOTE_REFLECTION_SERVICE(collector_reflection_methods),
    MOTE_REFLECTION_SERVICE_V1ALPHA(collector_reflection_methods)};

/* ---- turns --------------------------------------------------------------------------------- */

static void tell_all(mote_posix_loop *loop)
{
    for (call_state *state = calls, *next; state; state = next) {
        next = state->next;
        if (state->ending)
            calls_try_to_end(state);
        else if (state->kind == UPLOAD_OWED)
            calls_sum_up(state);
        else if (state->kind != UPLOAD)
            calls_tell(state, fleet_interval(state->source, interval_ms));
    }
    for (mote_posix_conn *conn = loop->conns; conn; conn = conn->next)
        mote_posix_flush(conn);
}

/* All that is stored is acknowledged; then the devices are told to go elsewhere, or to come again.
 */
static void end_all_calls(mote_posix_loop *loop)
{
    for (call_state *state = calls; state; state = state->next) {
        if (!state->ending)
            calls_end(state, MOTE_GRPC_UNAVAILABLE, "the collector ends");
    }
    tell_all(loop);
}

/* Tokens and certificates are read again when their files have changed; the calls of a device whose
 * token is gone end. */
static void refresh(uint64_t now)
{
    secure_refresh(now);
    if (!calls_tokens || !tokens_refresh(calls_tokens, now))
        return;
    say("the tokens were read again");
    for (call_state *state = calls; state; state = state->next) {
        const char *device = state->source ? state->source->device : "";
        if (!state->ending && calls_stranger(state->call, state, device, strlen(device)))
            calls_end(state, MOTE_GRPC_UNAUTHENTICATED, "this is no longer a token of the device");
    }
}

/* What is old goes, a little at each commit, and then what is known of those who sent it. */
static int forget_old(void)
{
    enum { LOOKS = 64, LOOK_MS = 1000 };
    static uint64_t looked_ms;
    uint64_t now = store_now_ms();
    bool more = false;

    if (keep_ms == 0)
        return 0;
    if (store_forget(keep_ms, now) < 0)
        return -1;
    if (now - looked_ms < LOOK_MS + remember_ms / LOOKS)
        return 0;
    looked_ms = now;
    if (sources_expire(now - keep_ms - remember_ms) < 0 ||
        store_expire(now - keep_ms - remember_ms, &more) < 0)
        return -1;
    if (more)
        looked_ms = now - remember_ms / LOOKS;
    return 0;
}

static void each_turn(void *context, mote_posix_loop *loop)
{
    uint64_t now = mote_posix_now_ms();

    (void)context;
    refresh(now);
    if (now - committed_ms >= COMMIT_MS) {
        if (path && !store_is_open())
            reopen(now);
        else if (!path)
            keep_nothing();
        else if (forget_old() < 0 || store_commit() < 0)
            store_failed();
        tell_all(loop);
        if (mote_posix_stopped)
            end_all_calls(loop);
        view_count(&view, loop);
        if (dashboard_is_on())
            fleet_look(loop->now_ms);
        collector_is_well(loop, !path || store_is_open());
        committed_ms = mote_posix_now_ms();
    }
    view_show(&view, loop);
    collector_metrics(&view, loop);
    dashboard_turn(&view, loop, !path || store_is_open());
}

/* The options that are numbers. False: one is not in its range, which has been said. */
static bool take_numbers(const char *interval, const char *keep, const char *remember,
                         const char *log, const char *devices)
{
    interval_ms = interval ? (uint32_t)strtoul(interval, NULL, 10) : 0;
    if (interval && (interval_ms < INTERVAL_LEAST || interval_ms > INTERVAL_MOST)) {
        fprintf(stderr, "collector: error: --interval is not %d to %d ms\n", INTERVAL_LEAST,
                INTERVAL_MOST);
        return false;
    }
    if ((keep && !read_duration(keep, &keep_ms)) ||
        (remember && !read_duration(remember, &remember_ms)) ||
        (log && (store_log_mib = atoi(log)) < 1)) {
        fprintf(stderr,
                "collector: error: --keep is not like 30d, 12h, 90m or 60s, or --remember, or "
                "--log is not a number of MiB\n");
        return false;
    }
    if (devices && (sources_most = strtoul(devices, NULL, 10)) == 0) {
        fprintf(stderr, "collector: error: --devices is not a number of devices\n");
        return false;
    }
    return true;
}

/* Who a device is: by its certificate, by its token. */
static bool knows_devices(void)
{
    if (calls_identity &&
        (strcmp(calls_identity, "cert") != 0 || !tls_options.on || !tls_options.ca)) {
        fprintf(stderr,
                "collector: error: --identity is not cert, or --tls and --ca are missing\n");
        return false;
    }
    return !calls_tokens || tokens_load(calls_tokens) == 0;
}

int main(int argc, char **argv)
{
    const char *interval = NULL, *keep = NULL, *log = NULL, *devices = NULL;
    const char *remember = NULL, *metrics = NULL, *web = NULL, *web_token = NULL;
    mote_posix_server server = {.address = "127.0.0.1:50050",
                                .grpc = {.max_calls = CALLS,
                                         .counters = &collector_counters,
                                         .slots = SLOTS,
                                         .rx_size = RX,
                                         .tx_size = TX,
                                         .table_size = 4096,
                                         .field_size = FIELD,
                                         .user_size = sizeof(call_state),
                                         .services = collector_services,
                                         .service_count = COLLECTOR_SERVICES},
                                .max_connections = 20000,
                                .ready = open_store,
                                .turn = each_turn,
                                .turn_ms = TURN_MS};
    const option options[] = {
        OPTION("--address", &server.address, "where to listen"),
        OPTION("--store", &path, "SQLite database that keeps the samples"),
        OPTION("--tokens", &calls_tokens, "file with the token of each device: DEVICE TOKEN"),
        OPTION("--identity", &calls_identity,
               "cert: a device is who its certificate says (with --ca)"),
        OPTION("--keep", &keep, "how long samples are kept: 30d, 12h, 90m or 60s (for ever)"),
        OPTION("--remember", &remember,
               "how long a silent device is known when its samples are gone (90d)"),
        OPTION("--metrics", &metrics, "where Prometheus reads the counters"),
        OPTION("--web", &web, "where browsers find the dashboard: PORT of loopback, or ADDRESS"),
        OPTION("--web-token", &web_token, "file with the token that its commands need"),
        OPTION_LIST("--web-host", dashboard_host, "a further NAME:PORT by which browsers find it"),
        OPTION("--devices", &devices, "how many devices may be known (1000000)"),
        OPTION("--log", &log, "MiB of log for those who read it (256)"),
        OPTION("--interval", &interval, "ms between readings to ask for"),
        SWITCH("--plain", &view.plain, "plain lines, no live table"),
        OPTIONS_END};

    prepare_descriptors();
    parse_options(argc, argv, "collector: takes samples from sensors", options);
    if (!take_numbers(interval, keep, remember, log, devices))
        return 2;
    if (!knows_devices())
        return 2;
    view.plain |= !isatty(STDOUT_FILENO);
    if (metrics && !collector_metrics_at(metrics))
        return 1;
    if (web && dashboard_at(web, web_token) < 0)
        return 1;
    server.security = secure_server();
    if (mote_posix_serve(&server) < 0)
        return 1;
    bool ok = !path || (store_is_open() && store_commit() == 0);
    if (!ok)
        say(store_error());
    view_summary(&view, mote_posix_connection_size(&server.grpc));
    store_close();
    return ok && fflush(stdout) == 0 ? 0 : 1;
}
