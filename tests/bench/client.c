/* The load for the streaming benchmarks, the same for each server. Prints messages per second.
 *   client upload|subscribe|chat ADDRESS COUNT */
#define _POSIX_C_SOURCE 200809L
#include "../../port/posix/posix.h"
#include "bench.mote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CALLS = 1, RX = 65536, TX = 65536, FIELD = 1024, SLOTS = 8 };

static mote_channel channel;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, FIELD, SLOTS, 0) / 8];
static uint8_t input[65536];
static int fd;

static const mote_hpack_field upload_path = MOTE_HPACK_FIELD(":path", "/mote.bench.Bench/Upload"),
                              subscribe_path =
                                  MOTE_HPACK_FIELD(":path", "/mote.bench.Bench/Subscribe"),
                              chat_path = MOTE_HPACK_FIELD(":path", "/mote.bench.Bench/Chat");

/* For round trips the load never sleeps, so that only the server is measured. */
static void spin(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    (void)writing;
    (void)until_ms;
}

static void fail(const char *why)
{
    fprintf(stderr, "client: error: %s\n", why);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static mote_grpc_call *start_call(const mote_hpack_field *path)
{
    mote_grpc_request request = {.path = path};
    mote_grpc_call *call;

    if (mote_channel_start(&channel, &request, &call) < 0)
        fail("the call does not start");
    return call;
}

static bench_Sample sample(uint32_t i)
{
    return (bench_Sample){1700000000000 + i, 20.5, 0.25f, i, MOTE_PB_STRING("temperature0")};
}

static void send_sample(mote_grpc_call *call, uint32_t i)
{
    bench_Sample s = sample(i);

    if (mote_channel_send(
            call,
            &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, &bench_sample_encoder},
            &s, MOTE_CHANNEL_MORE) < 0)
        fail("the call ended early");
}

static void upload(uint32_t count)
{
    mote_grpc_call *call = start_call(&upload_path);
    bench_Summary summary = {0};
    const uint8_t *data;
    size_t len;

    for (uint32_t i = 0; i < count; i++)
        send_sample(call, i);
    mote_status status = mote_channel_collect(call, &data, &len);
    if (status.code != 0 || !data ||
        mote_pb_decode(&bench_summary_decoder, &summary, data, len, NULL, NULL) < 0 ||
        summary.count != count || summary.sum != (uint64_t)count * (count - 1) / 2)
        fail("the summary is wrong");
}

static void subscribe(uint32_t count)
{
    mote_grpc_call *call = start_call(&subscribe_path);
    bench_Query query = {count};
    mote_grpc_event ev;
    bench_Sample s;
    uint32_t n = 0;

    mote_channel_send(
        call,
        &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, &bench_query_encoder},
        &query, MOTE_GRPC_LAST);
    while (mote_channel_recv(call, &ev), ev.type != MOTE_GRPC_STATUS) {
        if (ev.type != MOTE_GRPC_MESSAGE)
            continue;
        if (mote_pb_decode(&bench_sample_decoder, &s, ev.data, ev.len, NULL, NULL) < 0 ||
            s.sequence != n++)
            fail("a sample is wrong");
    }
    if (ev.code != 0 || n != count)
        fail("samples are missing");
}

static void chat(uint32_t count)
{
    mote_grpc_call *call = start_call(&chat_path);
    mote_grpc_event ev;
    bench_Sample s;

    for (uint32_t i = 0; i < count; i++) {
        send_sample(call, i);
        do
            mote_channel_recv(call, &ev);
        while (ev.type == MOTE_GRPC_START);
        if (ev.type != MOTE_GRPC_MESSAGE ||
            mote_pb_decode(&bench_sample_decoder, &s, ev.data, ev.len, NULL, NULL) < 0 ||
            s.sequence != i + 1)
            fail("an answer is wrong");
    }
    mote_channel_half_close(call);
    if (mote_channel_finish(call).code != 0)
        fail("the status is wrong");
}

int main(int argc, char **argv)
{
    mote_grpc_config config = {.max_calls = CALLS,
                               .slots = SLOTS,
                               .rx_size = RX,
                               .tx_size = TX,
                               .dynamic = &mote_hpack_dynamic_table,
                               .coder = &mote_hpack_huffman_coder,
                               .table_size = 4096,
                               .field_size = FIELD,
                               .connection_window = 1 << 20,
                               .authority = MOTE_GRPC_AUTHORITY("localhost")};

    if (argc != 4)
        fail("usage: client upload|subscribe|chat ADDRESS COUNT");
    fd = mote_posix_connect(argv[2], 5000);
    if (fd < 0)
        fail(mote_posix_error());
    mote_io io = mote_posix_io(&fd);
    if (argv[1][0] == 'c')
        io.wait = spin;
    mote_channel_init(&channel, &config, memory, sizeof memory, input, sizeof input, io);
    uint32_t count = (uint32_t)atoi(argv[3]);
    double start = now();
    if (argv[1][0] == 'u')
        upload(count);
    else if (argv[1][0] == 's')
        subscribe(count);
    else
        chat(count);
    printf("%.0f\n", count / (now() - start));
    return 0;
}
