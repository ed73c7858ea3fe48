/*
 * The golden conversations of tests/golden, replayed in little memory on a board, or on this
 * machine: the checksum of all events and of all output must be the same on both, for every size of
 * the pieces in which input comes and output goes. Prints "NAME CHECKSUM", or "NAME 0" when sizes
 * differ.
 */
#include "../peers/peer_service.h"

enum { CALLS = 2, RX = 256, TX = 384, TABLE = 256, FIELD = 128, SLOTS = 8, PIECE = 64 };

#ifdef __STDC_HOSTED__
#if __STDC_HOSTED__
#define HOST
#endif
#endif

#ifdef HOST
#include <stdio.h>
#include <stdlib.h>

static FILE *files[64];

static int host_open(const char *name)
{
    static int count;

    files[count] = fopen(name, "rb");
    return files[count] ? count++ : -1;
}
static size_t host_read(int file, void *to, size_t len)
{
    return fread(to, 1, len, files[file]);
}
static void host_rewind(int file)
{
    rewind(files[file]);
}
static void host_print(const char *name, uint32_t n)
{
    printf("%s %u\n", name, (unsigned)n);
}
static void host_exit(void)
{
    exit(0);
}
#else
#include "semihosting.h"
#endif

static mote_grpc grpc;
static uint64_t
    memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, TABLE, FIELD, SLOTS, sizeof(peer_state)) / 8];
static uint32_t sum;

static void add(const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ p[i]) * 16777619u;
}

static void add_number(uint32_t n)
{
    const uint8_t bytes[] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};

    add(bytes, sizeof bytes);
}

static void add_event(const mote_grpc_event *ev)
{
    add_number(ev->type);
    add_number(ev->call ? (uint32_t)(ev->call - grpc.calls) : 0);
    if (ev->type == MOTE_GRPC_METADATA) {
        add(ev->name, ev->name_len);
        add(ev->value, ev->value_len);
    } else if (ev->type == MOTE_GRPC_STATUS || ev->type == MOTE_GRPC_CLOSED) {
        add_number((uint32_t)ev->code);
        add(ev->message, ev->message_len);
    } else {
        add(ev->data, ev->len);
    }
}

static void take_output(size_t at_most)
{
    size_t len;
    const uint8_t *out;

    while ((out = mote_grpc_peek(&grpc, &len))) {
        len = len < at_most ? len : at_most;
        add(out, len);
        mote_grpc_ack(&grpc, len);
    }
}

static int feed(const uint8_t *in, size_t len, size_t ack)
{
    mote_grpc_event ev;
    size_t used;
    int r;

    while ((r = mote_grpc_recv(&grpc, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        add_event(&ev);
        mote_grpc_dispatch(&grpc, &ev);
        take_output(ack);
    }
    take_output(ack);
    return r;
}

static uint32_t replay(int file, size_t piece, size_t ack)
{
    static const mote_grpc_config config = {.server = true,
                                            .max_calls = CALLS,
                                            .slots = SLOTS,
                                            .rx_size = RX,
                                            .tx_size = TX,
                                            .dynamic = &mote_hpack_dynamic_table,
                                            .coder = &mote_hpack_huffman_coder,
                                            .table_size = TABLE,
                                            .field_size = FIELD,
                                            .user_size = sizeof(peer_state),
                                            .services = peer_services,
                                            .service_count = 1};
    uint8_t in[PIECE];
    size_t n;
    int r = 0;

    sum = 2166136261u;
    host_rewind(file);
    mote_grpc_init(&grpc, &config, memory, sizeof memory);
    mote_grpc_tick(&grpc, 1000);
    take_output(ack);
    while (r >= 0 && (n = host_read(file, in, piece)) > 0)
        r = feed(in, n, ack);
    for (int i = 0; i < 20 && r >= 0; i++)
        r = feed(NULL, 0, ack);
    return sum ? sum : 1;
}

static void run(const char *name)
{
    int file = host_open(name);
    uint32_t wanted = file < 0 ? 0 : replay(file, PIECE, PIECE);

    for (size_t piece = 1; wanted > 0 && piece < PIECE; piece++) {
        if (replay(file, piece, piece % 3 ? PIECE : 1) != wanted)
            wanted = 0;
    }
    host_print(name, wanted);
}

int main(void)
{
    run("grpcio.server.in");
    run("curl.server.in");
    run("nghttp.server.in");
    host_exit();
    return 0;
}
