/* What a device serves, wherever it runs: on a host (device.c) or on a board (firmware/device.c).
 */
#include "device_service.h"

#include "../../grpc/services/services.h"

enum { CHANNELS = 4, PERIOD_MS = 500 };

static int32_t values[CHANNELS] = {20, 55, 1013, 0};

static mote_device_Reading reading_of(const mote_grpc_call *call, uint32_t channel)
{
    return (mote_device_Reading){channel, values[channel], call->grpc->now_ms};
}

static mote_health_entry entries[] = {{"", MOTE_HEALTH_SERVING},
                                      {"mote.device.Device", MOTE_HEALTH_SERVING}};

/* ---- mote.device.Device -------------------------------------------------------------------- */

static int read_channel(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_device_Channel request;

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (mote_device_Device_Read_read(ev, &request, NULL) < 0 || request.number >= CHANNELS)
        return mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "channels are 0 to 3");
    mote_device_Reading reading = reading_of(call, request.number);
    return mote_device_Device_Read_answer(call, &reading);
}

static int set_channel(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_device_Setting setting;
    mote_device_Done done = {0};

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (mote_device_Device_Set_read(ev, &setting, NULL) < 0 || setting.channel >= CHANNELS)
        return mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "channels are 0 to 3");
    values[setting.channel] = setting.value;
    /* Channel 3 is an alarm: a negative value means that the device is not well. */
    entries[1].status = values[3] < 0 ? MOTE_HEALTH_NOT_SERVING : MOTE_HEALTH_SERVING;
    return mote_device_Device_Set_answer(call, &done);
}

static int watch_channel(mote_grpc_call *call, const mote_grpc_event *ev)
{
    device_watcher *w = call->user;
    mote_device_Channel request;

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (mote_device_Device_Watch_read(ev, &request, NULL) < 0 || request.number >= CHANNELS)
        return mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "channels are 0 to 3");
    *w = (device_watcher){.watching = true, .channel = request.number};
    return 0;
}

/* A reading for each watcher whose time has come. One for which there is no room is told later, to
 * its end; whoever is slow misses those between. */
static void send_readings(mote_grpc *g, uint64_t now_ms)
{
    for (size_t i = 0; i < g->reach; i++) {
        mote_grpc_call *call = &g->calls[i];
        device_watcher *w = call->user;
        if (!call->stream || !w->watching || (!w->telling && now_ms < w->due_ms))
            continue;
        if (!w->telling) {
            w->reading = reading_of(call, w->channel);
            w->due_ms = now_ms + PERIOD_MS;
        }
        w->telling = mote_device_Device_Watch_write(call, &w->reading) < 0;
    }
}

void device_turn(mote_grpc *g, uint64_t now_ms)
{
    send_readings(g, now_ms);
    mote_health_push(g);
}

/* ---- services ------------------------------------------------------------------------------ */

static const mote_health health = {entries, 2};
static const mote_pb_file *const files[] = {&device_file, &mote_health_file, &mote_reflection_file,
                                            &mote_reflection_v1alpha_file};
static const mote_reflection reflection = {device_services, DEVICE_SERVICES, files, 4};

static const mote_grpc_method device_methods[] =
    mote_device_Device_METHODS(read_channel, set_channel, watch_channel);
static const mote_grpc_method health_methods[] = MOTE_HEALTH_METHODS(&health);
static const mote_grpc_method reflection_methods[] = MOTE_REFLECTION_METHODS(&reflection);
const mote_grpc_service device_services[DEVICE_SERVICES] = {
    mote_device_Device_SERVICE(device_methods), MOTE_HEALTH_SERVICE(health_methods),
    MOTE_REFLECTION_SERVICE(reflection_methods),
    MOTE_REFLECTION_SERVICE_V1ALPHA(reflection_methods)};
