/*
 * A device that serves: its pins and sensors, health checking, and reflection from flash, so that
 * grpcurl and other tools can list and call it. Behind NAT it dials out, and serves on the
 * connection that it has opened: plain gRPC, only the roles of TCP are reversed (device_caller).
 *
 *   device [--address=127.0.0.1:50051 | --dial=HOST:PORT] [--metrics=127.0.0.1:9464]
 */
#define _GNU_SOURCE
#include "../../port/posix/posix.h"
#include "device_service.h"
#include "../common/metrics.h"
#include "../common/secure.h"

enum { TURN_MS = 100, LEAST_MS = 10 };

static mote_grpc_counters counters;

static void answer_metrics(const mote_posix_loop *loop)
{
    metrics_page page = {.len = 0};
    uint64_t in = 0, out = 0;

    if (!metrics_are_due(loop->now_ms))
        return;
    for (const mote_posix_conn *conn = loop->conns; conn; conn = conn->next) {
        in += conn->bytes_in;
        out += conn->bytes_out;
    }
    metrics_calls(&page, &counters);
    metrics_gauge(&page, "mote_open_connections_bytes_in", in);
    metrics_gauge(&page, "mote_open_connections_bytes_out", out);
    metrics_answer_all(loop->now_ms, &page);
}

/* All connections are looked at by time, and not for each byte that somebody sends. */
static void each_turn(void *context, mote_posix_loop *loop)
{
    static uint64_t next_ms;

    (void)context;
    answer_metrics(loop);
    if (loop->now_ms < next_ms)
        return;
    next_ms = loop->now_ms + LEAST_MS;
    for (mote_posix_conn *conn = loop->conns; conn; conn = conn->next) {
        device_turn(conn->grpc, loop->now_ms);
        mote_posix_flush(conn);
    }
}

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
                                         .user_size = DEVICE_USER,
                                         .counters = &counters,
                                         .services = device_services,
                                         .service_count = DEVICE_SERVICES},
                                .max_connections = 64,
                                .turn = each_turn,
                                .turn_ms = TURN_MS};
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              OPTION("--dial", &server.dial, "connect to there instead"),
                              OPTION("--metrics", &metrics, "where Prometheus reads the counters"),
                              OPTIONS_END};

    parse_options(argc, argv, "device: serves mote.device.Device", options);
    if (metrics && !metrics_listen(metrics))
        return 1;
    server.security = server.dial ? secure_client(server.dial) : secure_server();
    return mote_posix_serve(&server) < 0;
}
