/* mote's side of the benchmark: mote.bench.Bench on one thread. */
#include "../../examples/common/options.h"
#include "../../port/posix/posix.h"
#include "bench.mote.h"

typedef struct {
    uint32_t count, wanted;
    uint64_t sum;
} state;

static int send_sample(mote_grpc_call *call, const bench_Sample *s)
{
    return mote_grpc_send(
        call,
        &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, &bench_sample_encoder}, s,
        0);
}

static int get_sample(bench_Sample *s, const mote_grpc_event *ev)
{
    return mote_pb_decode(&bench_sample_decoder, s, ev->data, ev->len, NULL, NULL);
}

/* Unary and Chat: each sample comes back with the next sequence number. */
static int answer(mote_grpc_call *call, const mote_grpc_event *ev)
{
    bench_Sample s;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if (get_sample(&s, ev) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        s.sequence++;
        return send_sample(call, &s);
    }
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

static int upload(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *u = call->user;
    bench_Sample s;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if (get_sample(&s, ev) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        u->count++;
        u->sum += s.sequence;
    }
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    bench_Summary summary = {u->count, u->sum};
    return mote_grpc_answer(
        call,
        &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, &bench_summary_encoder},
        &summary);
}

static int subscribe(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *u = call->user;
    bench_Query q;
    int r;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if (mote_pb_decode(&bench_query_decoder, &q, ev->data, ev->len, NULL, NULL) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        u->wanted = q.count;
    }
    if (ev->type != MOTE_GRPC_HALF_CLOSE && ev->type != MOTE_GRPC_WRITABLE)
        return 0;
    for (; u->count < u->wanted; u->count++) {
        bench_Sample s = {1700000000000 + u->count, 20.5, 0.25f, u->count,
                          MOTE_PB_STRING("temperature0")};
        if ((r = send_sample(call, &s)) < 0)
            return r == MOTE_AGAIN ? 0 : r;
    }
    r = mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    return r == MOTE_AGAIN ? 0 : r;
}

static const mote_grpc_method methods[] = {{"Unary", answer, NULL, NULL, NULL, false, false},
                                           {"Upload", upload, NULL, NULL, NULL, false, false},
                                           {"Subscribe", subscribe, NULL, NULL, NULL, false, false},
                                           {"Chat", answer, NULL, NULL, NULL, false, false}};
static const mote_grpc_service services[] = {{"mote.bench.Bench", methods, 4, false}};

int main(int argc, char **argv)
{
    mote_posix_server server = {.address = "127.0.0.1:0",
                                .max_connections = 64,
                                .grpc = {.max_calls = 128,
                                         .slots = 16,
                                         .rx_size = 65536,
                                         .tx_size = 65536,
                                         .table_size = 4096,
                                         .field_size = 4096,
                                         .user_size = sizeof(state),
                                         .connection_window = 1 << 20,
                                         .services = services,
                                         .service_count = 1}};
    const char *spin = "0";
    const option options[] = {OPTION("--spin", &spin, "microseconds to look before it sleeps"),
                              OPTION("--address", &server.address, "where to listen"), OPTIONS_END};

    parse_options(argc, argv, "mote_server: the benchmark's server", options);
    server.spin_us = (uint32_t)atoi(spin);
    return mote_posix_serve(&server) < 0;
}
