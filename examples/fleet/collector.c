/*
 * The collector: takes samples from many devices, stores them, and shows what comes in.
 *
 * Samples are appended to a file, and acknowledged once they are written, so that a collector that
 * is killed and started again knows which ones it has. A sample that comes twice is stored once.
 */
#define _POSIX_C_SOURCE 200809L
#include "../../port/posix/posix.h"
#include "collector_view.h"
#include "../common/secure.h"
#include "telemetry.mote.h"

#include <unistd.h>

enum { CALLS = 8, RX = 4096, TX = 4096, FIELD = 1024, SLOTS = 8, TURN_MS = 50 };

/* What a call needs to know; zero when it starts. */
typedef struct {
    device *device;
    uint64_t received;
    bool answered;
} call_state;

static device devices[MAX_DEVICES];
static size_t device_count;
static FILE *file;
static const char *interval;
static view_state view;

/* ---- devices ------------------------------------------------------------------------------- */

static device *find_device(const char *name, size_t len)
{
    for (size_t i = 0; i < device_count; i++) {
        if (strlen(devices[i].name) == len && memcmp(devices[i].name, name, len) == 0)
            return &devices[i];
    }
    if (len == 0 || len >= sizeof devices[0].name || device_count == MAX_DEVICES)
        return NULL;
    memcpy(devices[device_count].name, name, len);
    return &devices[device_count++];
}

static metric *find_metric(device *d, const char *name, size_t len)
{
    for (size_t i = 0; i < d->metric_count; i++) {
        if (strlen(d->metrics[i].name) == len && memcmp(d->metrics[i].name, name, len) == 0)
            return &d->metrics[i];
    }
    if (len == 0 || len >= sizeof d->metrics[0].name || d->metric_count == MAX_METRICS)
        return NULL;
    memcpy(d->metrics[d->metric_count].name, name, len);
    return &d->metrics[d->metric_count++];
}

/* Takes a sample once; false when it was there already. */
static bool take(device *d, uint64_t sequence, const char *name, size_t len, double value)
{
    metric *m = find_metric(d, name, len);

    if (sequence <= d->last_sequence)
        return false;
    d->lost += sequence - d->last_sequence - 1;
    d->last_sequence = sequence;
    d->received++;
    if (m) {
        m->history[m->count++ % HISTORY] = value;
        m->latest = value;
    }
    return true;
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Reads what an earlier run has stored. A last line that was cut by a kill is removed. */
static bool load(const char *path)
{
    char line[256], name[DEVICE_NAME], text[METRIC_NAME];
    unsigned long long sequence;
    long long time_ms;
    double value;
    long good = 0;

    file = fopen(path, "a+");
    if (!file)
        return false;
    rewind(file);
    while (fgets(line, sizeof line, file) && strchr(line, '\n')) {
        good = ftell(file);
        if (sscanf(line, "%63s %llu %lld %31s %lf", name, &sequence, &time_ms, text, &value) != 5)
            continue;
        device *d = find_device(name, strlen(name));
        if (d)
            take(d, sequence, text, strlen(text), value);
    }
    return fflush(file) == 0 && ftruncate(fileno(file), good) == 0;
}

static void store(const device *d, const mote_telemetry_Sample *s)
{
    if (file)
        fprintf(file, "%s %llu %lld %.*s %.9g\n", d->name, (unsigned long long)s->sequence,
                (long long)s->time_ms, (int)s->metric.len, s->metric.data, s->value);
}

/* ---- Upload -------------------------------------------------------------------------------- */

static int on_sample(call_state *state, const mote_grpc_event *ev)
{
    mote_telemetry_Sample s;

    if (!state->device)
        return MOTE_GRPC_INVALID_ARGUMENT; /* no device-id */
    if (mote_telemetry_Telemetry_Upload_read(ev, &s, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    state->received++;
    if (take(state->device, s.sequence, s.metric.data, s.metric.len, s.value))
        store(state->device, &s);
    return 0;
}

static int finish_upload(mote_grpc_call *call, call_state *state)
{
    mote_telemetry_UploadSummary summary = {.received = state->received};
    int r = state->answered ? 0 : mote_telemetry_Telemetry_Upload_write(call, &summary);

    if (r < 0)
        return r;
    state->answered = true;
    return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
}

static int upload(mote_grpc_call *call, const mote_grpc_event *ev)
{
    call_state *state = call->user;

    switch (ev->type) {
    case MOTE_GRPC_METADATA:
        if (ev->name_len == 9 && memcmp(ev->name, "device-id", 9) == 0)
            state->device = find_device(ev->value, ev->value_len);
        return 0;
    case MOTE_GRPC_MESSAGE:
        return on_sample(state, ev);
    case MOTE_GRPC_HALF_CLOSE:
        return finish_upload(call, state);
    default:
        return 0;
    }
}

/* ---- Control ------------------------------------------------------------------------------- */

/* What the device must be told is the difference between what is stored and what it knows, so a
 * command that finds no room is simply sent later. */
static void tell(device *d)
{
    mote_telemetry_Command command = {
        .is = {mote_telemetry_Command_acknowledged, {.acknowledged = d->last_sequence}}};

    if (!d->control || (d->greeted && d->told_sequence == d->last_sequence))
        return;
    if (mote_telemetry_Telemetry_Control_write(d->control, &command) < 0)
        return;
    d->told_sequence = d->last_sequence;
    if (!d->greeted && interval) {
        mote_telemetry_Command pace = {
            .is = {mote_telemetry_Command_interval_ms, {.interval_ms = (uint32_t)atoi(interval)}}};
        mote_telemetry_Telemetry_Control_write(d->control, &pace);
    }
    d->greeted = true;
}

static int on_report(mote_grpc_call *call, call_state *state, const mote_grpc_event *ev)
{
    mote_telemetry_Report report;

    if (mote_telemetry_Telemetry_Control_read(ev, &report, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    device *d = find_device(report.device.data, report.device.len);
    if (!d)
        return MOTE_GRPC_RESOURCE_EXHAUSTED;
    state->device = d;
    d->dropped = report.dropped;
    d->control = call;
    d->greeted = false;
    tell(d);
    return 0;
}

static int control(mote_grpc_call *call, const mote_grpc_event *ev)
{
    call_state *state = call->user;

    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        return on_report(call, state, ev);
    case MOTE_GRPC_HALF_CLOSE:
    case MOTE_GRPC_CLOSED:
        if (state->device && state->device->control == call)
            state->device->control = NULL;
        return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
    default:
        return 0;
    }
}

static const mote_grpc_method methods[] = mote_telemetry_Telemetry_METHODS(upload, control);
static const mote_grpc_service services[] = {mote_telemetry_Telemetry_SERVICE(methods)};

/* ---- turns --------------------------------------------------------------------------------- */

static void each_turn(void *context, mote_posix_loop *loop)
{
    (void)context;
    if (file)
        fflush(file); /* before it is acknowledged */
    for (size_t i = 0; i < device_count; i++)
        tell(&devices[i]);
    for (mote_posix_conn *conn = loop->conns; conn; conn = conn->next)
        mote_posix_flush(conn);
    view_show(&view, devices, device_count, loop);
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    mote_posix_server server = {.address = "127.0.0.1:50050",
                                .grpc = {.max_calls = CALLS,
                                         .slots = SLOTS,
                                         .rx_size = RX,
                                         .tx_size = TX,
                                         .table_size = 4096,
                                         .field_size = FIELD,
                                         .user_size = sizeof(call_state),
                                         .services = services,
                                         .service_count = 1},
                                .turn = each_turn,
                                .turn_ms = TURN_MS};
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              OPTION("--store", &path, "file that keeps the samples"),
                              OPTION("--interval", &interval, "ms between readings to ask for"),
                              SWITCH("--plain", &view.plain, "plain lines, no live table"),
                              OPTIONS_END};

    parse_options(argc, argv, "collector: takes samples from sensors", options);
    if (path && !load(path)) {
        fprintf(stderr, "collector: error: %s cannot be opened\n", path);
        return 1;
    }
    view.plain |= !isatty(STDOUT_FILENO);
    server.quiet = !view.plain;
    server.security = secure_server();
    if (mote_posix_serve(&server) < 0)
        return 1;
    if (file && fclose(file) != 0) {
        fprintf(stderr, "collector: error: %s cannot be written\n", path);
        return 1;
    }
    view_summary(&view, devices, device_count, mote_posix_connection_size(&server.grpc));
    return 0;
}
