/* How long unary calls take that come at a fixed rate: each is counted from the moment at which it
 * was due, so that a server that stops for a while is charged with all who wait meanwhile.
 *   latency client ADDRESS CONNECTIONS RATE SECONDS   grpc.testing.BenchmarkService/UnaryCall
 *   latency bytes ADDRESS CONNECTIONS RATE SECONDS OUT IN   OUT bytes are answered by IN bytes
 *   latency server OUT IN                                   by this, a bare epoll loop
 * The client prints the 50th, 99th and 99.9th percentile in microseconds, calls a second, and the
 * bytes of a call in each direction. */
#define _POSIX_C_SOURCE 200809L
#include "../../port/posix/posix.h"
#include "../interop/interop.mote.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CALLS = 64,
    RX = 1024,
    TX = 4096,
    TABLE = 4096,
    FIELD = 512,
    SIZE = 32,
    MOST = 1024,
    MEMORY = MOTE_GRPC_MEMORY(CALLS, RX, TX, TABLE, FIELD, 16, sizeof(uint64_t))
};

static void fail(const char *why)
{
    fprintf(stderr, "latency: error: %s\n", why);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- the load ------------------------------------------------------------------------------ */

/* One of the connections: calls, or bytes whose answers come in their order. */
typedef struct {
    mote_posix_client client;
    mote_grpc_config config;
    mote_posix_conn conn;
    uint64_t due_ns[CALLS]; /* of bytes: a ring */
    uint32_t begun, ended;
    size_t out, in; /* bytes that wait to leave; of an answer that has begun */
} caller;

static mote_posix_loop loop;
static caller *callers;
static uint32_t *took_us; /* of each call */
static size_t call_count, begun, ended, bytes_out, bytes_in;
static uint8_t zeros[1 << 16];

static void count_call(caller *c, uint64_t due_ns)
{
    took_us[ended++] = (uint32_t)((now_ns() - due_ns) / 1000);
    c->ended++;
}

static void on_event(void *context, const mote_grpc_event *ev)
{
    grpc_testing_SimpleResponse r;
    uint64_t arena_memory[32];
    mote_pb_arena arena;
    caller *c = context;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        mote_pb_arena_init(&arena, arena_memory, sizeof arena_memory);
        if (mote_pb_decode(&grpc_testing_SimpleResponse_decoder, &r, ev->data, ev->len, &arena,
                           NULL) < 0 ||
            !r.payload || r.payload->body.len != SIZE)
            fail("a response is wrong");
    }
    if (ev->type != MOTE_GRPC_STATUS)
        return;
    if (ev->code != 0) {
        fprintf(stderr, "code %d: %.*s\n", ev->code, (int)ev->message_len, ev->message);
        fail("a call fails");
    }
    count_call(c, *(uint64_t *)ev->call->user);
}

static void start_call(caller *c, uint64_t due_ns)
{
    static const mote_hpack_field path =
        MOTE_HPACK_FIELD(":path", "/grpc.testing.BenchmarkService/UnaryCall");
    static const mote_grpc_source source = {mote_pb_encode_part, mote_pb_strerror,
                                            &grpc_testing_SimpleRequest_encoder};
    grpc_testing_Payload payload = {.body = {zeros, SIZE}};
    grpc_testing_SimpleRequest ask = {.response_size = SIZE, .payload = &payload};
    mote_grpc_request request = {.path = &path};
    mote_grpc_call *call;

    int r = mote_grpc_start(&c->client.grpc, &request, &call);
    if (r == 0)
        r = mote_grpc_send(call, &source, &ask, MOTE_GRPC_LAST);
    if (r < 0)
        fail(mote_strerror(r));
    memcpy(call->user, &due_ns, sizeof due_ns);
}

static enum mote_posix_input take_bytes(void *self, const uint8_t *in, size_t len, size_t *used)
{
    caller *c = self;

    (void)in;
    (void)used;
    for (c->in += len; c->in >= bytes_in; c->in -= bytes_in)
        count_call(c, c->due_ns[c->ended % CALLS]);
    return MOTE_POSIX_TOOK_ALL;
}

static const uint8_t *peek_bytes(void *self, size_t *len)
{
    caller *c = self;

    *len = c->out < sizeof zeros ? c->out : sizeof zeros;
    return c->out > 0 ? zeros : NULL;
}

static void ack_bytes(void *self, size_t len)
{
    caller *c = self;

    c->out -= len;
}

static uint32_t no_time(void *self, uint64_t now_ms)
{
    (void)self;
    (void)now_ms;
    return UINT32_MAX;
}

static void cut(void *self)
{
    (void)self;
    fail("a connection has ended");
}

static const mote_posix_engine bytes_engine = {
    .input = take_bytes, .peek = peek_bytes, .ack = ack_bytes, .tick = no_time, .eof = cut};

static void begin_caller(caller *c, const char *address)
{
    c->config = (mote_grpc_config){.max_calls = CALLS,
                                   .slots = 16,
                                   .rx_size = RX,
                                   .tx_size = TX,
                                   .dynamic = &mote_hpack_dynamic_table,
                                   .coder = &mote_hpack_huffman_coder,
                                   .table_size = TABLE,
                                   .field_size = FIELD,
                                   .user_size = sizeof(uint64_t),
                                   .context = c,
                                   .authority = MOTE_GRPC_AUTHORITY("localhost")};
    int fd = mote_posix_connect(address, 5000);

    if (fd < 0)
        fail(mote_posix_error());
    c->client.on_event = on_event;
    if (!bytes_in && mote_grpc_init(&c->client.grpc, &c->config, malloc(MEMORY), MEMORY) < 0)
        fail("the client does not begin");
    if (mote_posix_loop_add(&loop, &c->conn, fd, bytes_in ? &bytes_engine : &mote_posix_grpc_client,
                            bytes_in ? (void *)c : &c->client) < 0)
        fail(mote_posix_error());
}

/* Those that are due and find room: a connection with all its calls open keeps what is due to it,
 * and who comes after. */
static void start_due(size_t connections, uint64_t start_ns, double gap_ns)
{
    while (begun < call_count) {
        uint64_t due_ns = start_ns + (uint64_t)((double)begun * gap_ns);
        caller *c = &callers[begun % connections];
        if (due_ns > now_ns() || c->begun - c->ended == CALLS)
            return;
        if (bytes_in) {
            c->due_ns[c->begun % CALLS] = due_ns;
            c->out += bytes_out;
        } else {
            start_call(c, due_ns);
        }
        c->begun++;
        begun++;
        mote_posix_flush(&c->conn);
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void load(const char *address, size_t connections, double rate, double seconds)
{
    enum { WARM = 4 }; /* calls of each connection, before */
    double gap_ns = 1e9 / rate;
    uint64_t sent = 0, received = 0;
    size_t measured = (size_t)(rate * seconds);

    callers = calloc(connections, sizeof *callers);
    took_us = malloc((measured + WARM * connections) * sizeof *took_us);
    if (!callers || !took_us || measured == 0 || connections > MOST ||
        mote_posix_loop_init(&loop) < 0)
        fail("too much");
    for (size_t i = 0; i < connections; i++)
        begin_caller(&callers[i], address);
    for (int warm = 1; warm >= 0; warm--) {
        call_count = warm ? WARM * connections : measured;
        begun = ended = 0;
        for (size_t i = 0; i < connections; i++) {
            sent -= callers[i].conn.bytes_out;
            received -= callers[i].conn.bytes_in;
        }
        uint64_t start_ns = now_ns();
        while (ended < call_count) {
            start_due(connections, start_ns, gap_ns);
            mote_posix_loop_turn(&loop, 0);
        }
        seconds = (double)(now_ns() - start_ns) / 1e9;
        for (size_t i = 0; i < connections; i++) {
            sent += callers[i].conn.bytes_out;
            received += callers[i].conn.bytes_in;
        }
        if (warm)
            sent = received = 0;
    }
    qsort(took_us, measured, sizeof *took_us, by_size);
    printf("%u %u %u %.0f %zu %zu\n", took_us[measured / 2], took_us[measured * 99 / 100],
           took_us[measured * 999 / 1000], (double)measured / seconds,
           (size_t)((sent + measured / 2) / measured),
           (size_t)((received + measured / 2) / measured));
}

/* ---- a bare loop: what any server has to do ------------------------------------------------ */

/* Answers what has come whole: `have[fd]` bytes of the next one are there. */
static void answer(int fd, size_t *have)
{
    static uint8_t in[1 << 16];
    ssize_t n = read(fd, in, sizeof in);

    if (n <= 0) {
        close(fd);
        *have = 0;
        return;
    }
    *have += (size_t)n;
    size_t owed = *have / bytes_out * bytes_in;
    *have %= bytes_out;
    for (size_t len; owed > 0; owed -= len) {
        len = owed < sizeof zeros ? owed : sizeof zeros;
        if (write(fd, zeros, len) != (ssize_t)len)
            fail("the socket is full");
    }
}

static void serve(void)
{
    static size_t have[1 << 16];
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof name;
    struct epoll_event events[64], e = {.events = EPOLLIN};
    int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), on = 1;

    if (bind(listener, (struct sockaddr *)&name, size) < 0 || listen(listener, 1024) < 0 ||
        getsockname(listener, (struct sockaddr *)&name, &size) < 0)
        fail("no listener");
    e.data.fd = listener;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    printf("listening on 127.0.0.1:%u\n", ntohs(name.sin_port));
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd != listener) {
                answer(events[i].data.fd, &have[events[i].data.fd]);
                continue;
            }
            e.data.fd = accept(listener, NULL, NULL);
            setsockopt(e.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e);
        }
    }
}

int main(int argc, char **argv)
{
    bool bytes = argc == 8 && strcmp(argv[1], "bytes") == 0;
    bool server = argc == 4 && strcmp(argv[1], "server") == 0;

    if (bytes || server) {
        bytes_out = strtoul(argv[argc - 2], NULL, 10);
        bytes_in = strtoul(argv[argc - 1], NULL, 10);
    } else if (argc != 6 || strcmp(argv[1], "client") != 0) {
        fail("usage: latency client ADDRESS CONNECTIONS RATE SECONDS | latency bytes ADDRESS "
             "CONNECTIONS RATE SECONDS OUT IN | latency server OUT IN");
    }
    if (server)
        serve();
    load(argv[2], strtoul(argv[3], NULL, 10), atof(argv[4]), atof(argv[5]));
    return 0;
}
