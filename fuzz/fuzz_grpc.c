/* A connection, server or client, and a hostile peer: pieces agree with the whole in events and in
 * output, windows stay in range, and every call ends once the transport does.
 * First byte: bit 0 client, bit 1 the preface is there, bits 2-3 buffer sizes, bit 4 time passes;
 * second: chunk size; the rest: what the peer sends. */
#include "../grpc/grpc.h"
#include "../tests/peers/peer_service.h"
#include "fuzz.h"

enum { CALLS = 4, MEMORY = 1 << 16 };

static mote_grpc grpc;
static uint64_t memory[MEMORY / 8];

/* What a run did: events and output, each in order. How they interleave is up to the chunks. */
typedef struct {
    fuzz_log events, output;
    bool
        blocked; /* a handler waited: how often it is offered an event is up to the output's pace */
} run_log;

static void take_output(run_log *log)
{
    size_t len;
    const uint8_t *p;

    while ((p = mote_grpc_peek(&grpc, &len))) {
        fuzz_put(&log->output, p, len);
        mote_grpc_ack(&grpc, len);
    }
}

static void check_windows(void)
{
    ASSERT(grpc.h2.recv_window >= 0);
    ASSERT(grpc.h2.budget <= grpc.h2.config.budget);
    ASSERT(grpc.h2.active <= CALLS);
    for (size_t i = 0; i < CALLS; i++) {
        ASSERT(grpc.calls[i].rx_pos <= grpc.calls[i].rx_len);
        ASSERT(grpc.calls[i].rx_len <= grpc.config.rx_size);
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
        fuzz_put_number(&log->events, (uint32_t)ev.len);
        fuzz_put(&log->events, ev.data, ev.data ? ev.len : 0);
        if (grpc.config.server)
            mote_grpc_dispatch(&grpc, &ev);
        log->blocked |= grpc.waiting > 0;
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
            mote_grpc_send(call, mote_grpc_bytes_source, NULL, &message, i ? MOTE_GRPC_LAST : 0);
    }
}

static void run(const uint8_t *data, size_t size, uint8_t mode, size_t chunk, run_log *log)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    static const uint32_t rx[] = {64, 300, 4096, 1000}, tx[] = {256, 512, 4096, 2048};
    mote_grpc_config config = {.server = !(mode & 1),
                               .max_calls = CALLS,
                               .slots = 8,
                               .rx_size = rx[mode >> 2 & 3],
                               .tx_size = tx[mode >> 2 & 3],
                               .table_size = mode & 1 ? 0 : 4096,
                               .field_size = 256,
                               .user_size = sizeof(peer_state),
                               .services = peer_services,
                               .service_count = 1,
                               .authority = "fuzz"};
    int r = 0;

    memset(memory, 0, sizeof memory);
    ASSERT(mote_grpc_init(&grpc, &config, memory, sizeof memory) == 0);
    mote_grpc_tick(&grpc, 1);
    if (mode & 1)
        start_calls();
    take_output(log);
    if (mode & 2)
        r = feed((const uint8_t *)preface + (mode & 1 ? 24 : 0), mode & 1 ? 9 : 33, log);
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

    if (size < 2)
        return 0;
    whole.blocked = pieces.blocked = false;
    whole.events.len = whole.output.len = pieces.events.len = pieces.output.len = 0;
    run(data + 2, size - 2, data[0], SIZE_MAX, &whole);
    run(data + 2, size - 2, data[0], 1 + data[1] % 64u, &pieces);
    if (whole.blocked || pieces.blocked)
        return 0;
    ASSERT(fuzz_same(&whole.events, &pieces.events));
    ASSERT(fuzz_same(&whole.output, &pieces.output));
    return 0;
}
