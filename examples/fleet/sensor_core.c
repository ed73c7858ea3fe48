/* What a sensor says and hears. */
#include "sensor_core.h"

#include "telemetry.mote.h"

enum { LARGEST_SAMPLE = 80 };

static const mote_heartbeat heartbeat = {.every_ms = SENSOR_HEARTBEAT_MS,
                                         .timeout_ms = SENSOR_SILENCE_MS};

void sensor_init(sensor_core *s, const char *name, void *ring, size_t size, int policy,
                 uint64_t epoch)
{
    *s = (sensor_core){.name = name, .interval_ms = 100, .first = 1, .heartbeat = heartbeat};
    mote_outbox_init(&s->samples, ring, size, (enum mote_outbox_policy)policy, epoch);
}

int sensor_mount(sensor_core *s, const char *name, const mote_outbox_storage *storage, int policy,
                 uint64_t epoch)
{
    *s = (sensor_core){.name = name, .interval_ms = 100, .heartbeat = heartbeat};
    int r = mote_outbox_mount(&s->samples, storage, (enum mote_outbox_policy)policy, epoch);
    s->first = mote_outbox_sequence(&s->samples);
    return r;
}

bool sensor_put(sensor_core *s, const char *metric, double value, int64_t time_ms)
{
    mote_telemetry_Sample sample = {.sequence = mote_outbox_sequence(&s->samples),
                                    .time_ms = time_ms,
                                    .metric = mote_pb_cstring(metric),
                                    .value = value,
                                    .before_start = s->clock_ms > 0 ? s->first - 1 : 0};
    uint8_t bytes[LARGEST_SAMPLE];
    size_t len;

    return mote_telemetry_Sample_encode(&sample, bytes, sizeof bytes, &len) == 0 &&
           mote_outbox_put(&s->samples, bytes, len) == 0;
}

void sensor_begin(sensor_core *s, uint64_t now_ms)
{
    s->control = s->upload = NULL;
    s->link = SENSOR_GREETS;
    s->begun_ms = now_ms;
    mote_heartbeat_heard(&s->heartbeat, now_ms);
    s->heard_ms = 0;
    mote_outbox_rewind(&s->samples);
}

/* ---- what is heard ------------------------------------------------------------------------- */

static void on_command(sensor_core *s, const mote_grpc_event *ev)
{
    mote_telemetry_Command command;
    uint32_t interval;

    if (mote_telemetry_Telemetry_Control_take(ev, &command, NULL) < 0)
        return;
    s->answered = true;
    interval = command.is.is.interval_ms;
    if (command.is.which == mote_telemetry_Command_acknowledged) {
        mote_outbox_acknowledge(&s->samples, command.is.is.acknowledged);
        if (s->link == SENSOR_REPORTED)
            s->link = SENSOR_UPLOADS;
    } else if (command.is.which == mote_telemetry_Command_interval_ms &&
               interval >= SENSOR_INTERVAL_LEAST && interval <= SENSOR_INTERVAL_MOST) {
        s->interval_ms = interval;
    }
}

void sensor_event(sensor_core *s, const mote_grpc_event *ev)
{
    mote_telemetry_UploadSummary summary;

    if (ev->type == MOTE_GRPC_MESSAGE && ev->call == s->control)
        on_command(s, ev);
    if (ev->type == MOTE_GRPC_MESSAGE && ev->call == s->upload &&
        mote_telemetry_Telemetry_Upload_take(ev, &summary, NULL) == 0)
        s->stored = summary.received;
    if (ev->type != MOTE_GRPC_STATUS)
        return;
    if (ev->call == s->upload && ev->code == MOTE_GRPC_OK && s->life == SENSOR_FINISHING)
        s->life = SENSOR_DONE;
    else if (s->link != SENSOR_BROKEN)
        s->link = s->link >= SENSOR_UPLOADS ? SENSOR_ENDED : SENSOR_BROKEN;
    if (ev->call == s->control)
        s->control = NULL;
    else
        s->upload = NULL;
}

bool sensor_hear(sensor_core *s, mote_grpc *g, const uint8_t *in, size_t len)
{
    mote_grpc_event ev;
    size_t used;
    int r;

    while ((r = mote_grpc_recv(g, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        sensor_event(s, &ev);
    }
    return r == 0 && s->link != SENSOR_BROKEN;
}

/* ---- what is said -------------------------------------------------------------------------- */

static void write_number(char digits[16], uint64_t number)
{
    for (unsigned i = 0; i < 16; i++)
        digits[i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
}

/* Of no use is a connection that takes no more calls, since its peer has said so (GOAWAY). */
static void start(sensor_core *s, mote_grpc *g, const mote_grpc_request *request,
                  mote_grpc_call **call)
{
    int r = mote_grpc_start(g, request, call);

    if (r < 0 && r != MOTE_AGAIN)
        s->link = SENSOR_BROKEN;
}

static void start_control(sensor_core *s, mote_grpc *g)
{
    char clock[32];
    mote_grpc_metadata about[2];
    mote_grpc_request ctl = {.path = &mote_telemetry_Telemetry_Control_path, .metadata = about};

    if (s->clock_ms > 0) {
        write_number(clock, s->clock_ms);
        write_number(clock + 16, s->first);
        about[ctl.metadata_count++] = (mote_grpc_metadata){"device-clock", clock, 12, sizeof clock};
    }
    if (s->tags)
        about[ctl.metadata_count++] =
            (mote_grpc_metadata){"device-tags", s->tags, 11, mote_pb_cstring(s->tags).len};
    start(s, g, &ctl, &s->control);
}

static void start_upload(sensor_core *s, mote_grpc *g)
{
    char epoch[16];
    mote_grpc_metadata id[] = {{"device-id", s->name, 9, mote_pb_cstring(s->name).len},
                               {"device-epoch", epoch, 12, sizeof epoch}};
    mote_grpc_request up = {
        .path = &mote_telemetry_Telemetry_Upload_path, .metadata = id, .metadata_count = 2};

    write_number(epoch, s->samples.epoch);
    start(s, g, &up, &s->upload);
}

/* The first one, and each heartbeat. One of which a part was sent is sent to its end as it was. */
static bool send_report(sensor_core *s)
{
    mote_telemetry_Report report = {
        .device = mote_pb_cstring(s->name), .dropped = s->dropped, .epoch = s->samples.epoch};

    if (s->control && s->control->tx_sent == 0)
        s->dropped = report.dropped = s->samples.dropped;
    return s->control && mote_telemetry_Telemetry_Control_offer(s->control, &report) == 0;
}

/* One of the calls has ended: so does the other, and then both begin again. */
static void begin_again(sensor_core *s, uint64_t now_ms)
{
    if (s->control)
        mote_grpc_cancel(s->control);
    if (s->upload)
        mote_grpc_cancel(s->upload);
    if (s->control || s->upload)
        return;
    if (now_ms - s->begun_ms >= SENSOR_CALLS_MS)
        sensor_begin(s, now_ms);
    else
        s->link = SENSOR_BROKEN;
}

/* A heartbeat when it is due, on a connection that has come so far. */
static void beat(sensor_core *s, uint64_t now_ms)
{
    if (s->answered || s->link != SENSOR_UPLOADS)
        mote_heartbeat_heard(&s->heartbeat, now_ms);
    s->answered = false;
    mote_heartbeat_tick(&s->heartbeat, now_ms);
    if (s->heartbeat.state == MOTE_HEARTBEAT_DUE && send_report(s))
        mote_heartbeat_asked(&s->heartbeat, now_ms);
}

void sensor_work(sensor_core *s, mote_grpc *g, uint64_t now_ms)
{
    if (s->link == SENSOR_ENDED)
        begin_again(s, now_ms);
    if (s->link >= SENSOR_ENDED)
        return;
    if (!s->control)
        start_control(s, g);
    if (s->control && !s->upload && s->link == SENSOR_UPLOADS)
        start_upload(s, g);
    if (s->link == SENSOR_GREETS && send_report(s))
        s->link = SENSOR_REPORTED;
    beat(s, now_ms);
    if (s->upload)
        mote_outbox_send(&s->samples, s->upload);
    if (s->life == SENSOR_FINISHING && s->upload && mote_outbox_count(&s->samples) == 0)
        mote_grpc_half_close(s->upload);
}

bool sensor_is_stuck(sensor_core *s, uint64_t now_ms)
{
    bool owed = s->link != SENSOR_UPLOADS || mote_outbox_count(&s->samples) > 0;

    if (!owed || s->heard_ms == 0 || s->heard != s->samples.acknowledged)
        s->heard_ms = now_ms;
    else if ((uint32_t)now_ms - s->looked_ms >=
             SENSOR_SILENCE_MS) /* it slept: what was said is unread */
        s->heard_ms += (uint32_t)now_ms - s->looked_ms;
    s->looked_ms = (uint32_t)now_ms;
    s->heard = s->samples.acknowledged;
    return now_ms - s->heard_ms >= SENSOR_SILENCE_MS || s->link == SENSOR_BROKEN ||
           s->heartbeat.state == MOTE_HEARTBEAT_LOST;
}
