/* A connection, server or client, and a hostile peer: pieces agree with the whole in events and in
 * output, windows stay in range, and every call ends once the transport does.
 * FUZZ_CLIENT chooses the role at compile time: fuzz_server and fuzz_client are made from this
 * file. First byte: bit 1 the preface is there, bits 2-3 buffer sizes, bit 4 time passes; second:
 * chunk size; third: not used here (see fuzz_h2.c); the rest: what the peer sends. */
#include "../grpc/grpc.h"
#include "../tests/peers/peer_service.h"
#include "fuzz.h"

#ifndef FUZZ_CLIENT
#define FUZZ_CLIENT 0
#endif

enum { CALLS = 4, MEMORY = 1 << 16 };
FUZZ_CHOICES(3)

static mote_grpc grpc;
static uint64_t memory[MEMORY / 8];

/* What a run did: events and output, each in order. How they interleave is up to the chunks. */
typedef struct {
    fuzz_log events, output;
    bool blocked; /* a handler waited: how often it is asked is up to the output's pace */
    bool full;    /* no space: slots and answers depend on when output is taken */
} run_log;

static void take_output(run_log *log)
{
    size_t len;
    const uint8_t *p;

    log->full |= mote_h2_tx_space(&grpc.h2) < 64;
    while ((p = mote_grpc_peek(&grpc, &len))) {
        fuzz_put(&log->output, p, len);
        mote_grpc_ack(&grpc, len);
    }
}

static void check_windows(void)
{
    ASSERT(grpc.h2.recv_window >= 0);
    ASSERT(grpc.h2.budget <= grpc.h2.budget_max);
    ASSERT(grpc.h2.active <= CALLS);
    for (size_t i = 0; i < grpc.reach; i++) {
        ASSERT(grpc.calls[i].rx_pos <= grpc.calls[i].rx_len);
        ASSERT(grpc.calls[i].rx_len <= grpc.config->rx_size);
    }
}

static int feed(const uint8_t *in, size_t len, run_log *log)
{
    static const uint8_t nothing;
    mote_grpc_event ev;
    size_t at = 0, used;
    int r;

    in = len > 0 ? in : &nothing;
    while ((r = mote_grpc_recv(&grpc, in + at, len - at, &used, &ev)) > 0) {
        at += used;
        fuzz_put_number(&log->events, ev.type);
        if (ev.type == MOTE_GRPC_STATUS || ev.type == MOTE_GRPC_CLOSED)
            fuzz_put_number(&log->events, (uint32_t)ev.code);
        fuzz_put_number(&log->events, (uint32_t)ev.len);
        fuzz_put(&log->events, ev.data, ev.data ? ev.len : 0);
        if (grpc.config->server)
            mote_grpc_dispatch(&grpc, &ev);
        log->blocked |= grpc.waiting[0] + grpc.waiting[1] + grpc.waiting[2] > 0;
        check_windows();
        take_output(log);
    }
    take_output(log);
    return r;
}

static void start_calls(void)
{
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/mote.peer.Peer/Bidi");
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    mote_grpc_request request = {.path = &path};
    mote_grpc_call *call;

    for (int i = 0; i < 3; i++) {
        if (mote_grpc_start(&grpc, &request, &call) == 0)
            mote_grpc_send(call, &mote_grpc_bytes_source, &message, i ? MOTE_GRPC_LAST : 0);
    }
}

static void run(const uint8_t *data, size_t size, uint8_t mode, size_t chunk, run_log *log)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    static const uint32_t rx[] = {64, 300, 4096, 1000}, tx[] = {256, 512, 4096, 2048};
    static mote_grpc_config config;
    int r = 0;

    config = (mote_grpc_config){.server = !FUZZ_CLIENT,
                                .max_calls = CALLS,
                                .slots = 8,
                                .rx_size = rx[mode >> 2 & 3],
                                .tx_size = tx[mode >> 2 & 3],
                                .dynamic = FUZZ_CLIENT ? &mote_hpack_dynamic_table : NULL,
                                .coder = &mote_hpack_huffman_coder,
                                .table_size = FUZZ_CLIENT ? 0 : 4096,
                                .field_size = 256,
                                .user_size = sizeof(peer_state),
                                .services = peer_services,
                                .service_count = 1,
                                .authority = MOTE_GRPC_AUTHORITY("fuzz")};
    fuzz_fill(memory, 0, sizeof memory);
    ASSERT(mote_grpc_init(&grpc, &config, memory, sizeof memory) == 0);
    mote_grpc_tick(&grpc, 1);
    if (FUZZ_CLIENT)
        start_calls();
    take_output(log);
    if (mode & 2)
        r = feed((const uint8_t *)preface + (FUZZ_CLIENT ? 24 : 0), FUZZ_CLIENT ? 9 : 33, log);
    for (size_t at = 0; at < size && r >= 0; at += chunk) {
        r = feed(data + at, size - at < chunk ? size - at : chunk, log);
        if (chunk > size - at)
            break;
    }
    if (mode & 16) {
        mote_grpc_tick(&grpc, 3600000);
        feed(NULL, 0, log);
    }
    mote_grpc_recv_eof(&grpc);
    feed(NULL, 0, log);
    ASSERT(mote_grpc_active(&grpc) == 0);
    fuzz_put_number(&log->events, (uint32_t)r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static run_log whole, pieces;

    if (size < 3)
        return 0;
    whole.blocked = pieces.blocked = whole.full = pieces.full = false;
    whole.events.len = whole.output.len = pieces.events.len = pieces.output.len = 0;
    run(data + 3, size - 3, data[0], SIZE_MAX, &whole);
    run(data + 3, size - 3, data[0], 1 + data[1] % 64u, &pieces);
    if (whole.blocked || pieces.blocked)
        return 0;
    ASSERT(whole.full || pieces.full || fuzz_same(&whole.events, &pieces.events));
    ASSERT(whole.full || pieces.full || fuzz_same(&whole.output, &pieces.output));
    return 0;
}
