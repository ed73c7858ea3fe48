/*
 * A client (-DCLIENT), a server (-DSERVER) or both, whose flash tests/size.sh measures: what a
 * sensor and what it is called for need of mote, on a line of bytes. -DDELIVERY is a client that
 * loses nothing, with what MQTT has with QoS 1: samples stay in an outbox until they are
 * acknowledged, PINGs find a dead peer, and calls are made again after a growing pause. Without any
 * of these: what is not mote's.
 */
#include "../../examples/fleet/telemetry.mote.h"
#include "../../grpc/channel/channel.h"
#include "../../grpc/services/outbox.h"
#include "../../grpc/web/web.h"
#include "reference.h"

/* The board: registers, so that nothing is optimized away. */
#define REGISTER(n) (*(volatile uint32_t *)(0x40000000u + 4u * (n)))

static size_t line_read(uint8_t *in, size_t cap)
{
    size_t n = 0;

    while (n < cap && REGISTER(0))
        in[n++] = (uint8_t)REGISTER(1);
    return n;
}

static void line_write(const uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        REGISTER(1) = out[i];
}

#if defined CLIENT || defined SERVER || defined DELIVERY
static void write_some(mote_grpc *g)
{
    size_t len;
    const uint8_t *out = mote_grpc_peek(g, &len);

    if (out) {
        line_write(out, len);
        mote_grpc_ack(g, len);
    }
}
#endif

#ifdef CLIENT
static mote_grpc client;
static uint64_t client_memory[client_memory_size / 8];

static void run_client(uint8_t *in, size_t len)
{
    static const mote_grpc_config config = {MOTE_GRPC_SIZES(client),
                                            .authority = MOTE_GRPC_AUTHORITY("collector")};
    static const mote_grpc_request request = {.path = &mote_telemetry_Telemetry_Control_path};
    static mote_grpc_call *call;
    mote_grpc_event ev;
    mote_telemetry_Command command;
    mote_telemetry_Report report = {.dropped = REGISTER(2)};
    size_t used;
    int r;

    if (!client.calls)
        mote_grpc_init(&client, &config, client_memory, sizeof client_memory);
    mote_grpc_tick(&client, REGISTER(3));
    while ((r = mote_grpc_recv(&client, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        if (ev.type == MOTE_GRPC_MESSAGE &&
            mote_telemetry_Telemetry_Control_take(&ev, &command, NULL) == 0)
            REGISTER(4) = command.is.is.interval_ms;
        if (ev.type == MOTE_GRPC_STATUS)
            call = NULL;
    }
    if (r < 0)
        client.calls = NULL;
    else if (call || mote_grpc_start(&client, &request, &call) == 0)
        mote_telemetry_Telemetry_Control_offer(call, &report);
    write_some(&client);
}
#endif

#ifdef SERVER
#ifdef WEB
static const char *const origins[] = {"http://device.local"};
static const mote_web_config web = {.origins = origins, .origin_count = 1};
static const mote_grpc_door door = MOTE_WEB_DOOR(&web);
#define DOOR .door = &door
#else
#define DOOR .door = NULL
#endif

static mote_grpc server;
static uint64_t server_memory[server_memory_size / 8];

static int upload(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_telemetry_Sample sample;
    mote_telemetry_UploadSummary summary = {.received = REGISTER(5)};

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if (mote_telemetry_Telemetry_Upload_read(ev, &sample, NULL) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        REGISTER(5) = (uint32_t)sample.sequence;
    } else if (ev->type == MOTE_GRPC_HALF_CLOSE) {
        mote_telemetry_Telemetry_Upload_write(call, &summary);
        return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    }
    return 0;
}

static int control(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_telemetry_Command command = {.is.which = mote_telemetry_Command_interval_ms,
                                      .is.is.interval_ms = REGISTER(4)};

    return ev->type == MOTE_GRPC_MESSAGE ? mote_telemetry_Telemetry_Control_write(call, &command)
                                         : 0;
}

static void run_server(const uint8_t *in, size_t len)
{
    static const mote_grpc_method methods[] = mote_telemetry_Telemetry_METHODS(upload, control);
    static const mote_grpc_service services[] = {mote_telemetry_Telemetry_SERVICE(methods)};
    static const mote_grpc_config config = {
        .server = true, MOTE_GRPC_SIZES(server), .services = services, .service_count = 1, DOOR};
    mote_grpc_event ev;
    size_t used;
    int r;

    if (!server.calls)
        mote_grpc_init(&server, &config, server_memory, sizeof server_memory);
    mote_grpc_tick(&server, REGISTER(3));
    while ((r = mote_grpc_recv(&server, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        mote_grpc_dispatch(&server, &ev);
    }
    if (r < 0)
        server.calls = NULL;
    write_some(&server);
}
#endif

#ifdef DELIVERY
static mote_grpc sender;
static uint64_t sender_memory[sender_memory_size / 8];
static mote_outbox outbox;
static uint8_t ring[1024];
static mote_backoff backoff;

static void put_sample(void)
{
    mote_telemetry_Sample sample = {.sequence = mote_outbox_sequence(&outbox),
                                    .time_ms = REGISTER(3),
                                    .metric = mote_pb_cstring("temperature"),
                                    .value = (double)REGISTER(5)};
    uint8_t bytes[128];
    size_t n;

    if (mote_telemetry_Sample_encode(&sample, bytes, sizeof bytes, &n) == 0)
        mote_outbox_put(&outbox, bytes, n);
}

static void on_command(const mote_grpc_event *ev)
{
    mote_telemetry_Command command;

    backoff = (mote_backoff){0};
    if (mote_telemetry_Telemetry_Control_take(ev, &command, NULL) < 0)
        return;
    if (command.is.which == mote_telemetry_Command_acknowledged)
        mote_outbox_acknowledge(&outbox, command.is.is.acknowledged);
    else
        REGISTER(4) = command.is.is.interval_ms;
}

static bool hear(const uint8_t *in, size_t len)
{
    mote_grpc_event ev;
    size_t used;
    int r;

    while ((r = mote_grpc_recv(&sender, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        if (ev.type == MOTE_GRPC_MESSAGE)
            on_command(&ev);
        if (ev.type == MOTE_GRPC_STATUS)
            return false;
    }
    return r == 0;
}

static void run_delivery(const uint8_t *in, size_t len)
{
    static const mote_grpc_config config = {MOTE_GRPC_SIZES(sender),
                                            .authority = MOTE_GRPC_AUTHORITY("collector")};
    static const mote_grpc_request up = {.path = &mote_telemetry_Telemetry_Upload_path};
    static const mote_grpc_request down = {.path = &mote_telemetry_Telemetry_Control_path};
    static mote_grpc_life life;
    static mote_grpc_call *upload, *control;
    static uint64_t again_ms;
    uint64_t now_ms = REGISTER(3);

    if (!outbox.memory)
        mote_outbox_init(&outbox, ring, sizeof ring, MOTE_OUTBOX_DROP_OLDEST, REGISTER(6));
    put_sample();
    if (!sender.calls) {
        if (now_ms < again_ms)
            return;
        mote_grpc_init(&sender, &config, sender_memory, sizeof sender_memory);
        life = (mote_grpc_life){.keepalive_ms = 300000};
        upload = control = NULL;
        mote_outbox_rewind(&outbox);
    }
    mote_grpc_tick(&sender, now_ms);
    mote_grpc_life_tick(&life, &sender, now_ms);
    if (!hear(in, len)) {
        sender.calls = NULL;
        again_ms = now_ms + mote_backoff_next(&backoff, REGISTER(7));
        return;
    }
    if (!control)
        mote_grpc_start(&sender, &down, &control);
    if (upload || mote_grpc_start(&sender, &up, &upload) == 0)
        mote_outbox_send(&outbox, upload);
    write_some(&sender);
}
#endif

int main(void)
{
    for (;;) {
        uint8_t in[16];
        size_t len = line_read(in, sizeof in);
#ifdef CLIENT
        run_client(in, len);
#endif
#ifdef SERVER
        run_server(in, len);
#endif
#ifdef DELIVERY
        run_delivery(in, len);
#endif
        line_write(in, len);
    }
}
