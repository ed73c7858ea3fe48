/*
 * A device that serves: its pins and sensors, health checking, and reflection from flash, so that
 * grpcurl and other tools can list and call it. Behind NAT it dials out, and serves on the
 * connection that it has opened: plain gRPC, only the roles of TCP are reversed (device_caller).
 *
 *   device [--address=127.0.0.1:50051 | --dial=HOST:PORT] [--metrics=127.0.0.1:9464]
 */
#include "../grpc/services/services.h"
#include "../port/posix/posix.h"
#include "device.mote.h"
#include "metrics.h"
#include "secure.h"

enum { CHANNELS = 4, PERIOD_MS = 500 };

static int32_t values[CHANNELS] = {20, 55, 1013, 0};
static mote_grpc_counters counters;

static mote_device_Reading reading_of(uint32_t channel)
{
    return (mote_device_Reading){channel, values[channel], mote_posix_now_ms()};
}

static mote_health_entry entries[] = {{"", MOTE_HEALTH_SERVING},
                                      {"mote.device.Device", MOTE_HEALTH_SERVING}};

/* ---- mote.device.Device -------------------------------------------------------------------- */

static int read_channel(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_device_Channel request;

    if (ev->type == MOTE_GRPC_HALF_CLOSE)
        return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (mote_device_Device_Read_read(ev, &request, NULL) < 0 || request.number >= CHANNELS)
        return mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "channels are 0 to 3");
    mote_device_Reading reading = reading_of(request.number);
    return mote_device_Device_Read_write(call, &reading);
}

static int set_channel(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_device_Setting setting;
    mote_device_Done done = {0};

    if (ev->type == MOTE_GRPC_HALF_CLOSE)
        return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (mote_device_Device_Set_read(ev, &setting, NULL) < 0 || setting.channel >= CHANNELS)
        return mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "channels are 0 to 3");
    values[setting.channel] = setting.value;
    /* Channel 3 is an alarm: a negative value means that the device is not well. */
    entries[1].status = values[3] < 0 ? MOTE_HEALTH_NOT_SERVING : MOTE_HEALTH_SERVING;
    return mote_device_Device_Set_write(call, &done);
}

/* User memory of a watcher. */
typedef struct {
    bool watching;
    uint32_t channel;
    uint64_t due_ms;
} watcher;

static int watch_channel(mote_grpc_call *call, const mote_grpc_event *ev)
{
    watcher *w = call->user;
    mote_device_Channel request;

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (mote_device_Device_Watch_read(ev, &request, NULL) < 0 || request.number >= CHANNELS)
        return mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "channels are 0 to 3");
    *w = (watcher){true, request.number, 0};
    return 0;
}

/* A reading for each watcher whose time has come; one that has no room gets the next one. */
static void send_readings(mote_grpc *g, uint64_t now_ms)
{
    for (size_t i = 0; i < g->config.max_calls; i++) {
        mote_grpc_call *call = &g->calls[i];
        watcher *w = call->user;
        if (!call->stream || !w->watching || now_ms < w->due_ms)
            continue;
        mote_device_Reading reading = reading_of(w->channel);
        mote_device_Device_Watch_write(call, &reading);
        w->due_ms = now_ms + PERIOD_MS;
    }
}

static void each_turn(void *context, mote_posix_loop *loop)
{
    (void)context;
    for (mote_posix_conn *conn = loop->conns; conn; conn = conn->next) {
        send_readings(conn->grpc, loop->now_ms);
        mote_health_push(conn->grpc);
        mote_posix_flush(conn);
    }
    metrics_turn(loop, &counters);
}

/* ---- services ------------------------------------------------------------------------------ */

static const mote_health health = {entries, 2};
static const mote_pb_file *const files[] = {&device_file, &mote_health_file, &mote_reflection_file,
                                            &mote_v1alpha_reflection_v1alpha_file};
static const mote_grpc_service services[4];
static const mote_reflection reflection = {services, 4, files, 4};

static const mote_grpc_method device_methods[] =
    mote_device_Device_METHODS(read_channel, set_channel, watch_channel);
static const mote_grpc_method health_methods[] = MOTE_HEALTH_METHODS(&health);
static const mote_grpc_method reflection_methods[] = MOTE_REFLECTION_METHODS(&reflection);
static const mote_grpc_service services[4] = {mote_device_Device_SERVICE(device_methods),
                                              MOTE_HEALTH_SERVICE(health_methods),
                                              MOTE_REFLECTION_SERVICE(reflection_methods),
                                              MOTE_REFLECTION_SERVICE_V1ALPHA(reflection_methods)};

int main(int argc, char **argv)
{
    const char *metrics = NULL;
    mote_posix_server server = {.address = "127.0.0.1:50051",
                                .grpc = {.max_calls = 8,
                                         .slots = 8,
                                         .rx_size = 1024,
                                         .tx_size = 4096,
                                         .table_size = 4096,
                                         .field_size = 1024,
                                         .user_size = sizeof(watcher),
                                         .counters = &counters,
                                         .services = services,
                                         .service_count = 4},
                                .max_connections = 64,
                                .turn = each_turn,
                                .turn_ms = 100};
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              OPTION("--dial", &server.dial, "connect to there instead"),
                              OPTION("--metrics", &metrics, "where Prometheus may ask"),
                              OPTIONS_END};

    parse_options(argc, argv, "device: serves mote.device.Device", options);
    if (metrics && !metrics_listen(metrics))
        return 1;
    server.security = server.dial ? secure_client(server.dial) : secure_server();
    return mote_posix_serve(&server) < 0;
}
