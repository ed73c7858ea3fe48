/* TLS between an engine and its socket: an engine itself, around the other one. */
#include "tls.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { HANDSHAKE_MS = 20000, FILE_MAX = 1 << 20, SESSION_S = 3600 };

static uint32_t limit_of(const mote_posix_tls_config *config)
{
    return config->handshake_ms ? config->handshake_ms : HANDSHAKE_MS;
}

/* ---- files --------------------------------------------------------------------------------- */

mote_tls_span mote_posix_tls_file(const char *name)
{
    mote_tls_span span = {NULL, 0};
    FILE *f = fopen(name, "rb");
    char *text = f ? mote_posix_memory(1, FILE_MAX) : NULL;

    if (text)
        span = (mote_tls_span){text, fread(text, 1, FILE_MAX - 1, f) + 1};
    else
        fprintf(stderr, "error: %s cannot be read\n", name);
    if (f)
        fclose(f);
    return span;
}

void mote_posix_tls_free_file(mote_tls_span span)
{
    if (span.data)
        munmap((void *)span.data, FILE_MAX);
}

mote_tls_context *mote_posix_tls_context(bool server, const char *ca, const char *cert,
                                         const char *key)
{
    mote_tls_config config = {.server = server, .session_s = server ? SESSION_S : 0};
    const char *const names[] = {ca, cert, key};
    mote_tls_span *const spans[] = {&config.ca, &config.cert, &config.key};
    void *memory = mote_posix_memory(1, MOTE_TLS_CONTEXT_MEMORY);
    mote_tls_context *context = NULL;
    const char *why = "out of memory";
    bool read = memory != NULL;

    for (size_t i = 0; i < 3; i++) {
        if (names[i])
            *spans[i] = mote_posix_tls_file(names[i]);
        read = read && (!names[i] || spans[i]->data);
    }
    if (read && mote_tls_context_init(&context, &config, memory, MOTE_TLS_CONTEXT_MEMORY, &why) < 0)
        fprintf(stderr, "error: TLS: %s\n", why);
    for (size_t i = 0; i < 3; i++)
        mote_posix_tls_free_file(*spans[i]);
    return context;
}

/* ---- the loop ------------------------------------------------------------------------------ */

typedef struct {
    const mote_posix_engine *inner;
    void *self;
    mote_tls *tls;
    uint64_t begun_ms;
    uint32_t handshake_ms;
    int trace; /* number of the connection */
    bool ended, closing;
    uint64_t memory[MOTE_TLS_MEMORY / 8];
} tls_engine;

/* Plain output of the engine becomes records; pieces that are there together share one. */
static void pump(tls_engine *e)
{
    const uint8_t *out;
    size_t len;

    while ((out = e->inner->peek(e->self, &len))) {
        int n = mote_tls_write(e->tls, out, len);
        if (n <= 0)
            return;
        mote_posix_trace_bytes(e->trace, true, out, (size_t)n);
        e->inner->ack(e->self, (size_t)n);
    }
    if (e->closing)
        mote_tls_close(e->tls);
}

static void end_inner(tls_engine *e)
{
    if (!e->ended)
        e->inner->eof(e->self);
    e->ended = true;
}

static int tls_input(void *self, const uint8_t *in, size_t len)
{
    tls_engine *e = self;
    uint8_t plain[MOTE_TLS_RECORD];
    size_t used;
    int r;

    do {
        r = mote_tls_read(e->tls, in, len, &used, plain, sizeof plain);
        if (in)
            in += used;
        len -= used;
        mote_posix_trace_bytes(e->trace, false, plain, r > 0 ? (size_t)r : 0);
        if (r > 0)
            e->inner->input(e->self, plain, (size_t)r);
    } while (r > 0 || (r == 0 && used > 0 && len > 0));
    if (r == 0 && len > 0)
        return (int)len;
    if (r < 0)
        end_inner(e);
    int inner = e->inner->input(e->self, NULL, 0);
    if (inner < 0) {
        e->ended = true;
        e->closing = true;
    }
    pump(e);
    return r < 0 || inner < 0 ? -1 : 0;
}

static const uint8_t *tls_peek(void *self, size_t *len)
{
    tls_engine *e = self;
    const uint8_t *out = mote_tls_peek(e->tls, len);

    if (!out) {
        pump(e);
        out = mote_tls_peek(e->tls, len);
    }
    return out;
}

static void tls_ack(void *self, size_t len)
{
    tls_engine *e = self;

    mote_tls_ack(e->tls, len);
}

/* A handshake that stalls ends as if the transport had. */
static uint32_t tls_tick(void *self, uint64_t now_ms)
{
    tls_engine *e = self;
    uint32_t next = e->inner->tick(e->self, now_ms);

    if (mote_tls_ready(e->tls))
        return next;
    if (e->begun_ms == 0)
        e->begun_ms = now_ms;
    uint64_t passed = now_ms - e->begun_ms;
    if (passed >= e->handshake_ms) {
        mote_tls_eof(e->tls);
        return next;
    }
    return next < e->handshake_ms - passed ? next : (uint32_t)(e->handshake_ms - passed);
}

static void tls_eof(void *self)
{
    tls_engine *e = self;

    mote_tls_eof(e->tls);
}

static void tls_close(void *self)
{
    tls_engine *e = self;

    e->closing = true;
    pump(e);
}

static const mote_posix_engine engine = {tls_input, tls_peek, tls_ack,
                                         tls_tick,  tls_eof,  tls_close};

static int wrap(void *context, void *memory, const mote_posix_engine **outer, void **self)
{
    const mote_posix_tls_config *config = context;
    tls_engine *e = memory;

    memset(e, 0, sizeof *e);
    if (mote_tls_init(&e->tls, config->context, config->host_name, e->memory, sizeof e->memory) < 0)
        return -1;
    e->trace = mote_posix_trace_inner();
    e->handshake_ms = limit_of(config);
    e->inner = *outer;
    e->self = *self;
    *outer = &engine;
    *self = e;
    return 0;
}

static void unwrap(void *self)
{
    tls_engine *e = self;

    mote_tls_end(e->tls);
}

const char *mote_posix_tls_error(const void *self)
{
    const tls_engine *e = self;

    return mote_tls_error(e->tls);
}

mote_posix_security mote_posix_tls_security(const mote_posix_tls_config *config)
{
    return (mote_posix_security){(void *)config, sizeof(tls_engine), wrap, unwrap};
}

/* ---- blocking ------------------------------------------------------------------------------ */

static uint64_t now_of(mote_posix_tls_io *t)
{
    return t->inner.now_ms(t->inner.context);
}

int mote_posix_tls_begin(mote_posix_tls_io *t, const mote_posix_tls_config *config, mote_io inner)
{
    memset(t, 0, sizeof *t);
    t->inner = inner;
    t->config = config;
    t->begun_ms = now_of(t);
    t->trace = mote_posix_trace_inner();
    return mote_tls_init(&t->tls, config->context, config->host_name, t->memory, sizeof t->memory);
}

static int flush(mote_posix_tls_io *t, uint32_t timeout_ms)
{
    const uint8_t *out;
    size_t len;

    while ((out = mote_tls_peek(t->tls, &len))) {
        int n = t->inner.write(t->inner.context, out, len, timeout_ms);
        if (n <= 0)
            return n;
        mote_tls_ack(t->tls, (size_t)n);
    }
    return 1;
}

/* More bytes from the transport: 1; 0: none within the time; the end is told to TLS. */
static int fill(mote_posix_tls_io *t, uint32_t timeout_ms)
{
    int n = t->inner.read(t->inner.context, t->in, sizeof t->in, timeout_ms);

    if (n < 0 ||
        (n == 0 && !mote_tls_ready(t->tls) && now_of(t) - t->begun_ms >= limit_of(t->config)))
        mote_tls_eof(t->tls);
    t->pos = 0;
    t->len = n > 0 ? (size_t)n : 0;
    return n != 0;
}

static int tls_io_read(void *context, uint8_t *buf, size_t cap, uint32_t timeout_ms)
{
    mote_posix_tls_io *t = context;

    for (;;) {
        size_t used;
        int r = mote_tls_read(t->tls, t->in + t->pos, t->len, &used, buf, cap);
        t->pos += used;
        t->len -= used;
        flush(t, timeout_ms);
        mote_posix_trace_bytes(t->trace, false, buf, r > 0 ? (size_t)r : 0);
        if (r != 0)
            return r;
        if (t->len == 0 && !fill(t, timeout_ms))
            return 0;
    }
}

/* 1: ready; 0: not within the time; -1: failed. */
static int shake_hands(mote_posix_tls_io *t, uint32_t timeout_ms)
{
    size_t used;

    while (!mote_tls_ready(t->tls)) {
        int r = mote_tls_handshake(t->tls, t->in + t->pos, t->len, &used);
        t->pos += used;
        t->len -= used;
        if (flush(t, timeout_ms) < 0 || r < 0)
            return -1;
        if (!mote_tls_ready(t->tls) && t->len == 0 && !fill(t, timeout_ms))
            return 0;
    }
    return 1;
}

static int tls_io_write(void *context, const uint8_t *buf, size_t len, uint32_t timeout_ms)
{
    mote_posix_tls_io *t = context;
    int r = shake_hands(t, timeout_ms);

    if (r <= 0 || (r = flush(t, timeout_ms)) <= 0)
        return r;
    int n = mote_tls_write(t->tls, buf, len);
    mote_posix_trace_bytes(t->trace, true, buf, n > 0 ? (size_t)n : 0);
    return flush(t, timeout_ms) < 0 ? -1 : n;
}

static uint64_t tls_io_now(void *context)
{
    return now_of(context);
}

mote_io mote_posix_tls_transport(mote_posix_tls_io *t)
{
    return (mote_io){
        .context = t, .read = tls_io_read, .write = tls_io_write, .now_ms = tls_io_now};
}

void mote_posix_tls_end(mote_posix_tls_io *t)
{
    if (!t->tls)
        return;
    mote_tls_close(t->tls);
    flush(t, 1000);
    mote_tls_end(t->tls);
    t->tls = NULL;
}
