/*
 * A client (-DCLIENT), a server (-DSERVER) or both, whose flash tests/size.sh measures: what a
 * sensor and what it is called for need of mote, on a line of bytes. Without either: what is not
 * mote's.
 */
#include "../../examples/fleet/telemetry.mote.h"
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

#if defined CLIENT || defined SERVER
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
static uint64_t client_memory[CLIENT_MEMORY / 8];

static void run_client(uint8_t *in, size_t len)
{
    static const mote_grpc_config config = {.max_calls = 1,
                                            .rx_size = RX,
                                            .tx_size = TX,
                                            .field_size = FIELD,
                                            .slots = 8,
                                            .authority = "collector"};
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
static mote_grpc server;
static uint64_t server_memory[SERVER_MEMORY / 8];

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
    static const mote_grpc_config config = {.server = true,
                                            .max_calls = 1,
                                            .rx_size = RX,
                                            .tx_size = 256,
                                            .table_size = 256,
                                            .field_size = 128,
                                            .slots = 8,
                                            .services = services,
                                            .service_count = 1};
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
        line_write(in, len);
    }
}
