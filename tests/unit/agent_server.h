/* A server in memory, at the other end of what an agent dials. */
#ifndef AGENT_SERVER_H
#define AGENT_SERVER_H

#define _GNU_SOURCE
#include "../../port/posix/agent.h"
#include "../test.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

enum { CALLS = 3, RX = 64, TX = 256, THREADS = 8 };

/* ---- a server in memory ---------------------------------------------------------------------- */

static mote_grpc server;
static uint64_t server_memory[MOTE_GRPC_MEMORY(8, RX, 512, 4096, 128, 8, 16) / 8];
static unsigned dials;
static int refusals; /* attempts that fail */
static bool connected, slow_dial;
static sem_t never_began, dialling, may_dial; /* Never was called; an attempt to connect */
/* What the line does next: as another thread says, as the owner does. */
enum { FINE, CUT, LEAVES_OPEN_CALLS, REFUSES_NEXT_CALL, REFUSES_EACH_CALL, REFUSES_STREAMS };
static atomic_int line;
static unsigned refused_streams;

static inline int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes same = {ev->data, ev->len};

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (atomic_load(&line) == REFUSES_STREAMS) { /* and stays */
        refused_streams++;
        mote_h2_reset(&server.h2, call->stream, MOTE_H2_REFUSED_STREAM);
        return 0;
    }
    return mote_grpc_answer(call, &mote_grpc_bytes_source, &same);
}

/* The sum of the bytes of all messages. */
static inline int sum(mote_grpc_call *call, const mote_grpc_event *ev)
{
    uint32_t *total = call->user;

    for (size_t i = 0; ev->type == MOTE_GRPC_MESSAGE && i < ev->len; i++)
        *total += ev->data[i];
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    mote_grpc_bytes bytes = {(const uint8_t *)total, sizeof *total};
    return mote_grpc_answer(call, &mote_grpc_bytes_source, &bytes);
}

static inline int never(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    if (ev->type == MOTE_GRPC_START)
        sem_post(&never_began);
    return 0;
}

/* The numbers from 1 to 100, as fast as they are taken. */
static inline int numbers(mote_grpc_call *call, const mote_grpc_event *ev)
{
    uint8_t *n = call->user;

    if (ev->type != MOTE_GRPC_HALF_CLOSE && ev->type != MOTE_GRPC_WRITABLE)
        return 0;
    while (*n < 100) {
        uint8_t next = (uint8_t)(*n + 1);
        int r = mote_grpc_send(call, &mote_grpc_bytes_source, &(mote_grpc_bytes){&next, 1}, 0);
        if (r < 0)
            return r;
        *n = next;
    }
    return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
}

static inline int twice(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes one = {(const uint8_t *)"x", 1};

    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    mote_grpc_send(call, &mote_grpc_bytes_source, &one, 0);
    mote_grpc_send(call, &mote_grpc_bytes_source, &one, 0);
    return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
}

static inline int nothing(mote_grpc_call *call, const mote_grpc_event *ev)
{
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

static inline int words(mote_grpc_call *call, const mote_grpc_event *ev)
{
    return ev->type == MOTE_GRPC_HALF_CLOSE
               ? mote_grpc_finish(call, MOTE_GRPC_ABORTED, "not on a Monday")
               : 0;
}

#define METHOD(n, h)                                                                               \
    {                                                                                              \
        .name = n, .handler = h                                                                    \
    }
static const mote_grpc_method methods[] = {METHOD("Echo", echo),   METHOD("Sum", sum),
                                           METHOD("Never", never), METHOD("Numbers", numbers),
                                           METHOD("Twice", twice), METHOD("Nothing", nothing),
                                           METHOD("Words", words)};
static const mote_grpc_service services[] = {{"a.B", methods, 7, false}};
static mote_grpc_config server_config;

static inline int io_connect(void *context, uint64_t until_ms)
{
    (void)context;
    (void)until_ms;
    dials++;
    if (slow_dial) {
        sem_post(&dialling);
        while (sem_wait(&may_dial) < 0 && errno == EINTR)
            ;
    }
    if (refusals > 0)
        return refusals--, -1;
    server_config = (mote_grpc_config){.server = true,
                                       .max_calls = 8,
                                       .slots = 8,
                                       .rx_size = RX,
                                       .tx_size = 512,
                                       .table_size = 4096,
                                       .field_size = 128,
                                       .user_size = 16,
                                       .services = services,
                                       .service_count = 1};
    connected = true;
    return mote_grpc_init(&server, &server_config, server_memory, sizeof server_memory);
}

static inline void io_close(void *context)
{
    (void)context;
    connected = false;
}

static inline int io_write(void *context, const uint8_t *buf, size_t len)
{
    (void)context;
    if (!connected)
        return -1;
    len = len < 50 ? len : 50; /* a line that is slow */
    int does = atomic_load(&line);
    if (does == REFUSES_NEXT_CALL || does == REFUSES_EACH_CALL) {
        if (does == REFUSES_NEXT_CALL)
            atomic_store(&line, FINE);
        mote_h2_fail(&server.h2, MOTE_H2_NO_ERROR, "bye");
    }
    mote_grpc_serve(&server, buf, len);
    return (int)len;
}

static inline int io_read(void *context, uint8_t *buf, size_t cap)
{
    size_t len;
    const uint8_t *out;

    (void)context;
    if (atomic_load(&line) == CUT) {
        atomic_store(&line, FINE);
        connected = false;
    }
    if (!connected)
        return -1;
    if (atomic_load(&line) == LEAVES_OPEN_CALLS) {
        atomic_store(&line, FINE);
        mote_grpc_shutdown(&server);
    }
    mote_grpc_serve(&server, NULL, 0);
    out = mote_grpc_peek(&server, &len);
    len = !out ? 0 : len < cap ? len : cap;
    if (len > 0)
        memcpy(buf, out, len);
    mote_grpc_ack(&server, len);
    return (int)len;
}

static inline uint64_t io_now(void *context)
{
    (void)context;
    return mote_posix_now_ms();
}

static const char *io_error(void *context)
{
    (void)context;
    return connected ? "" : "the line is down";
}

#endif
