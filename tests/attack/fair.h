/* A server and a client of many calls on one connection, by which bytes and steps are counted, not
 * timed: the library is built with -fsanitize-coverage=trace-pc, by which each basic block that is
 * run is a step. */
#ifndef FAIR_H
#define FAIR_H

#include "../../grpc/grpc.h"
#include "../test.h"

enum { CALLS = 1000, RX = 16384, TX = 4096, SIZES = 4, MEMORY = CALLS * (RX + 256) + (1 << 17) };

static mote_grpc client, server;
static uint64_t client_memory[MEMORY / 8], server_memory[MEMORY / 8];
static mote_grpc_call *open_calls[CALLS];
static uint64_t received[CALLS], messages, runs, encoded;

/* ---- steps ----------------------------------------------------------------------------------- */

static uint64_t steps, *counter = &steps;
void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
    ++*counter;
}

/* ---- a service ------------------------------------------------------------------------------- */

static size_t sizes[CALLS]; /* of the messages of each call */

static int write_zeros(const void *type, const void *message, size_t offset, uint8_t *out,
                       size_t cap, size_t *total)
{
    size_t len = *(const size_t *)message;
    size_t n = *total > 0 ? cap : len <= cap ? len : 0;

    (void)type, (void)offset;
    encoded += n;
    if (n > 0)
        memset(out, 0, n);
    *total = len;
    return 0;
}

static const mote_grpc_source zeros = {write_zeros, mote_grpc_strerror, NULL};

/* Sends for as long as there is room. */
static void send_all(mote_grpc_call *call, const size_t *size)
{
    runs++;
    while (mote_grpc_send(call, &zeros, size, 0) == 0)
        ;
}

static unsigned number_of(const mote_grpc_call *call)
{
    return *(const uint16_t *)call->user;
}

static uint8_t weights[CALLS];

/* The message says which call it is; from then on it is answered without end. */
static int down(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_MESSAGE) {
        memcpy(call->user, ev->data, 2);
        mote_grpc_set_weight(call, weights[number_of(call)]);
    }
    if (ev->type == MOTE_GRPC_MESSAGE || ev->type == MOTE_GRPC_WRITABLE)
        send_all(call, &sizes[number_of(call)]);
    return 0;
}

/* The first message says which call it is; the others are counted. */
static int up(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_MESSAGE && ev->len == 2) {
        memcpy(call->user, ev->data, 2);
    } else if (ev->type == MOTE_GRPC_MESSAGE) {
        received[number_of(call)] += ev->len;
        messages++;
    }
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

static const mote_grpc_method methods[] = {{.name = "Down", .handler = down},
                                           {.name = "Up", .handler = up}};
static const mote_grpc_service service = {"f.F", methods, 2, false};
static const mote_hpack_field paths[] = {MOTE_HPACK_FIELD(":path", "/f.F/Down"),
                                         MOTE_HPACK_FIELD(":path", "/f.F/Up")};

static void on_client(const mote_grpc_event *ev, bool uploads)
{
    size_t i = ev->call ? *(uint16_t *)ev->call->user : 0;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        received[i] += ev->len;
        messages++;
    } else if (ev->type == MOTE_GRPC_WRITABLE && uploads) {
        send_all(ev->call, &sizes[i]);
    }
}

/* ---- the wire -------------------------------------------------------------------------------- */

static size_t write_size; /* what a transport takes at a time, at the most */

static void client_takes(const uint8_t *in, size_t len, bool uploads)
{
    mote_grpc_event ev;
    size_t used;

    while (mote_grpc_recv(&client, in, len, &used, &ev) > 0) {
        in = used > 0 ? in + used : in;
        len -= used;
        on_client(&ev, uploads);
    }
}

/* What one says the other hears, and the one that speaks goes on. */
static bool carry(mote_grpc *from, bool uploads)
{
    size_t len;
    const uint8_t *out = mote_grpc_peek(from, &len);

    if (!out)
        return false;
    len = len < write_size ? len : write_size;
    if (from == &server)
        client_takes(out, len, uploads);
    else
        mote_grpc_serve(&server, out, len);
    mote_grpc_ack(from, len);
    if (from == &server)
        mote_grpc_serve(&server, NULL, 0);
    else
        client_takes(NULL, 0, uploads);
    return true;
}

static void connect(void)
{
    static mote_grpc_config config = {.max_calls = CALLS,
                                      .rx_size = RX,
                                      .tx_size = TX,
                                      .field_size = 256,
                                      .slots = 8,
                                      .user_size = 2,
                                      .authority = MOTE_GRPC_AUTHORITY("f")};
    static mote_grpc_config serving;

    serving = config;
    serving.server = true;
    serving.table_size = 4096;
    serving.services = &service;
    serving.service_count = 1;
    write_size = TX;
    CHECK_INT(mote_grpc_init(&client, &config, client_memory, sizeof client_memory), 0);
    CHECK_INT(mote_grpc_init(&server, &serving, server_memory, sizeof server_memory), 0);
    while (carry(&client, false) || carry(&server, false))
        ;
}

static void start(unsigned i, bool uploads)
{
    mote_grpc_request request = {.path = &paths[uploads]};
    uint16_t number = (uint16_t)i;
    mote_grpc_bytes message = {(const uint8_t *)&number, sizeof number};

    CHECK_INT(mote_grpc_start(&client, &request, &open_calls[i]), 0);
    memcpy(open_calls[i]->user, &number, sizeof number);
    CHECK_INT(mote_grpc_send(open_calls[i], &mote_grpc_bytes_source, &message, 0), 0);
    while (carry(&client, uploads))
        ;
}

/* All begin at once; a server's answers begin with the requests. */
static void start_all(unsigned streams, bool uploads)
{
    for (unsigned i = 0; i < streams; i++)
        start(i, uploads);
    for (unsigned i = 0; uploads && i < streams; i++)
        send_all(open_calls[i], &sizes[i]);
}

#endif
