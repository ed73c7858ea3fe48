/* TLS between an engine and its socket: an engine itself, around the other one. */
#include "posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- files --------------------------------------------------------------------------------- */

/* A PEM file with a NUL behind it. */
static mote_tls_span read_file(const char *name)
{
    mote_tls_span span = {NULL, 0};
    FILE *f = name ? fopen(name, "rb") : NULL;
    char *text = f ? calloc(1, 1 << 20) : NULL;

    if (text) {
        span.data = text;
        span.len = fread(text, 1, (1 << 20) - 1, f) + 1;
    }
    if (f)
        fclose(f);
    if (name && !text)
        fprintf(stderr, "error: %s cannot be read\n", name);
    return span;
}

mote_tls_context *mote_posix_tls_context(bool server, const char *ca, const char *cert,
                                         const char *key)
{
    mote_tls_config config = {
        .server = server, .ca = read_file(ca), .cert = read_file(cert), .key = read_file(key)};
    mote_tls_context *context = NULL;
    const char *why;

    if ((ca && !config.ca.data) || (cert && !config.cert.data) || (key && !config.key.data))
        return NULL;
    if (mote_tls_context_new(&context, &config, &why) < 0)
        fprintf(stderr, "error: TLS: %s\n", why);
    free((void *)config.ca.data);
    free((void *)config.cert.data);
    free((void *)config.key.data);
    return context;
}

/* ---- the loop ------------------------------------------------------------------------------ */

typedef struct {
    const mote_posix_engine *inner;
    void *self;
    mote_tls *tls;
    bool ended, closing;
    uint8_t plain[MOTE_TLS_RECORD];
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
        e->inner->ack(e->self, (size_t)n);
    }
    if (e->closing)
        mote_tls_close(e->tls);
    e->closing = false;
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
    size_t used;
    int r;

    do {
        r = mote_tls_read(e->tls, in, len, &used, e->plain, sizeof e->plain);
        if (in)
            in += used;
        len -= used;
        if (r > 0)
            e->inner->input(e->self, e->plain, (size_t)r);
    } while (r > 0 || (r == 0 && used > 0 && len > 0));
    if (r < 0)
        end_inner(e);
    int inner = e->inner->input(e->self, NULL, 0);
    if (inner < 0 && !e->ended) {
        e->ended = true;
        e->closing = true;
    }
    pump(e);
    return r < 0 || inner < 0 ? -1 : 0;
}

static const uint8_t *tls_peek(void *self, size_t *len)
{
    tls_engine *e = self;

    pump(e);
    return mote_tls_peek(e->tls, len);
}

static void tls_ack(void *self, size_t len)
{
    tls_engine *e = self;

    mote_tls_ack(e->tls, len);
}

static uint32_t tls_tick(void *self, uint64_t now_ms)
{
    tls_engine *e = self;

    return e->inner->tick(e->self, now_ms);
}

static void tls_eof(void *self)
{
    tls_engine *e = self;

    mote_tls_eof(e->tls);
}

static const mote_posix_engine engine = {tls_input, tls_peek, tls_ack, tls_tick, tls_eof};

static int wrap(void *context, const mote_posix_engine **outer, void **self)
{
    tls_engine *e = calloc(1, sizeof *e);

    if (!e || mote_tls_new(&e->tls, context, NULL) < 0) {
        free(e);
        return -1;
    }
    e->inner = *outer;
    e->self = *self;
    *outer = &engine;
    *self = e;
    return 0;
}

static void unwrap(void *self)
{
    tls_engine *e = self;

    mote_tls_free(e->tls);
    free(e);
}

mote_posix_security mote_posix_tls_server(mote_tls_context *context)
{
    return (mote_posix_security){context, wrap, unwrap};
}

/* ---- blocking ------------------------------------------------------------------------------ */

int mote_posix_tls_begin(mote_posix_tls_io *t, mote_tls_context *context, const char *host_name,
                         mote_io inner)
{
    memset(t, 0, sizeof *t);
    t->inner = inner;
    return mote_tls_new(&t->tls, context, host_name);
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

    if (n < 0)
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
        if (r != 0)
            return r;
        if (t->len == 0 && !fill(t, timeout_ms))
            return 0;
    }
}

static int tls_io_write(void *context, const uint8_t *buf, size_t len, uint32_t timeout_ms)
{
    mote_posix_tls_io *t = context;
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
    int n = mote_tls_write(t->tls, buf, len);
    return flush(t, timeout_ms) < 0 ? -1 : n;
}

static uint64_t tls_io_now(void *context)
{
    mote_posix_tls_io *t = context;

    return t->inner.now_ms(t->inner.context);
}

mote_io mote_posix_tls_transport(mote_posix_tls_io *t)
{
    return (mote_io){
        .context = t, .read = tls_io_read, .write = tls_io_write, .now_ms = tls_io_now};
}

void mote_posix_tls_end(mote_posix_tls_io *t)
{
    mote_tls_close(t->tls);
    flush(t, 1000);
    mote_tls_free(t->tls);
    t->tls = NULL;
}
