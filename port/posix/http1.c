/* HTTP/1.1 before the engine of a server in a loop: grpc/web/http1.h. */
#include "http1.h"

#include <stddef.h>

typedef struct {
    mote_http1 http1;
    const mote_posix_engine *engine;
    void *self;
    uint64_t memory[MOTE_HTTP1_MEMORY / sizeof(uint64_t)];
} http1_conn;

static bool behind_input(void *self, const uint8_t *in, size_t len)
{
    http1_conn *c = self;
    size_t used;

    return c->engine->input(c->self, in, len, &used) != MOTE_POSIX_ENDED;
}

static const uint8_t *behind_peek(void *self, size_t *len)
{
    http1_conn *c = self;

    return c->engine->peek(c->self, len);
}

static void behind_ack(void *self, size_t len)
{
    http1_conn *c = self;

    c->engine->ack(c->self, len);
}

static const mote_http1_engine http1_behind = {behind_input, behind_peek, behind_ack};

static enum mote_posix_input http1_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    int r = mote_http1_recv(&((http1_conn *)self)->http1, in, len, used);

    if (r < 0)
        return MOTE_POSIX_ENDED;
    return r > 0 ? MOTE_POSIX_OUTPUT_FIRST : MOTE_POSIX_TOOK_ALL;
}

static const uint8_t *http1_peek(void *self, size_t *len)
{
    return mote_http1_peek(&((http1_conn *)self)->http1, len);
}

static void http1_ack(void *self, size_t len)
{
    mote_http1_ack(&((http1_conn *)self)->http1, len);
}

static uint32_t http1_tick(void *self, uint64_t now_ms)
{
    http1_conn *c = self;
    uint32_t next = c->engine->tick(c->self, now_ms);
    uint32_t own = mote_http1_tick(&c->http1, now_ms);

    return next < own ? next : own;
}

static void http1_eof(void *self)
{
    http1_conn *c = self;

    c->engine->eof(c->self);
}

static void http1_clock(void *self, uint64_t now_ms)
{
    http1_conn *c = self;

    if (c->engine->clock)
        c->engine->clock(c->self, now_ms);
    c->http1.now_ms = now_ms;
}

static const mote_posix_engine http1_engine = {.input = http1_input,
                                               .peek = http1_peek,
                                               .ack = http1_ack,
                                               .tick = http1_tick,
                                               .eof = http1_eof,
                                               .clock = http1_clock};

static int wrap_http1(void *context, void *memory, const mote_posix_engine **engine, void **self)
{
    http1_conn *c = memory;

    (void)context;
    c->engine = *engine;
    c->self = *self;
    *engine = &http1_engine;
    *self = c;
    return mote_http1_init(&c->http1, &http1_behind, c, c->memory, sizeof c->memory);
}

static void unwrap_http1(void *self)
{
    (void)self;
}

mote_posix_security mote_posix_http1(void)
{
    return (mote_posix_security){NULL, sizeof(http1_conn), wrap_http1, unwrap_http1, false};
}
