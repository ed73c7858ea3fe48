/* TLS between an engine and its socket: an engine itself, around the other one. */
#include "tls.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { HANDSHAKE_MS = 20000, FILE_MAX = 1 << 20, SESSION_S = 3600 };

/* So many bytes that bring nothing are read before whoever reads looks at the clock again. */
enum { TURN = 65536 };

static uint32_t limit_of(const mote_posix_tls_config *config)
{
    return config->handshake_ms ? config->handshake_ms : HANDSHAKE_MS;
}

/* ---- sessions ------------------------------------------------------------------------------ */

static int begin_session(mote_tls **tls, const mote_posix_tls_config *config, void *memory,
                         size_t size)
{
    int r = mote_tls_init(tls, config->context, config->host_name, memory, size);
    const mote_posix_tls_session *s = config->session;

    if (r == 0 && s && s->len > 0 && s->len <= sizeof s->bytes) /* it may come from a file */
        mote_tls_resume(*tls, s->bytes, s->len);
    return r;
}

/* After a handshake, and with TLS 1.3 after that: true once it is kept. */
static bool save_session(mote_tls *tls, const mote_posix_tls_config *config)
{
    mote_posix_tls_session *s = config->session;
    int n = s && mote_tls_ready(tls) ? mote_tls_save_session(tls, s->bytes, sizeof s->bytes) : 0;

    if (n <= 0)
        return false;
    s->len = (size_t)n;
    if (s->changed)
        s->changed(s->context, s);
    return true;
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

/*
 * What is due to the engine within, and to the peer.
 *
 *   OPEN -- close() --> LEAVING    goodbye when the engine's output has left
 *    |                    |
 *    +--------------------+--> OVER    the engine has ended, or was told that TLS has; goodbye as
 *                                      from LEAVING
 */
enum tls_state { TLS_TALKING, TLS_LEAVING, TLS_GONE };

typedef struct {
    const mote_posix_engine *inner;
    void *self;
    const mote_posix_tls_config *config;
    mote_tls *tls;
    uint64_t begun_ms;
    int trace; /* number of the connection */
    enum tls_state state;
    bool saved; /* its session */
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
    if (e->state != TLS_TALKING)
        mote_tls_close(e->tls);
}

static void run_inner(tls_engine *e, const uint8_t *plain, size_t len)
{
    size_t used;

    mote_posix_trace_bytes(e->trace, false, plain, len);
    if (e->state != TLS_GONE && e->inner->input(e->self, plain, len, &used) == MOTE_POSIX_ENDED)
        e->state = TLS_GONE;
}

static void end_inner(tls_engine *e)
{
    if (e->state != TLS_GONE)
        e->inner->eof(e->self);
    run_inner(e, NULL, 0);
    e->state = TLS_GONE;
}

static enum mote_posix_input tls_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    tls_engine *e = self;
    uint8_t plain[MOTE_TLS_RECORD];
    size_t at = 0, n;
    bool ran = false;
    int r;

    do {
        r = mote_tls_read(e->tls, in ? in + at : NULL, len - at, &n, plain, sizeof plain);
        at += n;
        if (r > 0)
            run_inner(e, plain, (size_t)r);
        ran = ran || r > 0;
    } while (r > 0 || (r == 0 && n > 0 && at < len));
    *used = at;
    e->saved = e->saved || save_session(e->tls, e->config);
    if (r == 0 && at < len)
        return MOTE_POSIX_OUTPUT_FIRST;
    if (r < 0)
        end_inner(e);
    else if (!ran)
        run_inner(e, NULL, 0);
    pump(e);
    return e->state == TLS_GONE ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
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

/* A handshake that stalls ends as if the transport had. To a server the time begins behind it, so
 * that a slow client has all of it, and then all that SETTINGS may take; a client's calls have
 * deadlines. */
static uint32_t tls_tick(void *self, uint64_t now_ms)
{
    tls_engine *e = self;
    bool ready = mote_tls_ready(e->tls), server = !e->config->host_name;
    uint32_t next = ready || !server ? e->inner->tick(e->self, now_ms) : UINT32_MAX;

    if (ready)
        return next;
    if (e->begun_ms == 0)
        e->begun_ms = now_ms;
    uint64_t passed = now_ms - e->begun_ms;
    if (passed >= limit_of(e->config)) {
        mote_tls_late(e->tls);
        return next;
    }
    uint32_t left = (uint32_t)(limit_of(e->config) - passed);
    return next < left ? next : left;
}

static void tls_clock(void *self, uint64_t now_ms)
{
    tls_engine *e = self;

    if (e->inner->clock)
        e->inner->clock(e->self, now_ms);
}

static void tls_eof(void *self)
{
    tls_engine *e = self;

    mote_tls_eof(e->tls);
}

static void tls_close(void *self)
{
    tls_engine *e = self;

    if (e->state == TLS_TALKING)
        e->state = TLS_LEAVING;
    pump(e);
}

static const mote_posix_engine engine = {tls_input, tls_peek,  tls_ack,  tls_tick,
                                         tls_eof,   tls_close, tls_clock};

static int wrap(void *context, void *memory, const mote_posix_engine **outer, void **self)
{
    const mote_posix_tls_config *config = context;
    tls_engine *e = memory;

    memset(e, 0, sizeof *e);
    if (begin_session(&e->tls, config, e->memory, sizeof e->memory) < 0)
        return -1;
    e->config = config;
    e->trace = mote_posix_trace_inner();
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

void mote_posix_tls_peer(const mote_posix_conn *conn, mote_tls_peer *peer)
{
    const tls_engine *e = conn->self;

    if (conn->engine == &engine)
        mote_tls_get_peer(e->tls, peer);
    else
        *peer = (mote_tls_peer){0};
}

mote_posix_security mote_posix_tls_security(const mote_posix_tls_config *config)
{
    return (mote_posix_security){(void *)config, sizeof(tls_engine), wrap, unwrap, true};
}

/* ---- a transport for straight-line code ---------------------------------------------------- */

static uint64_t now_of(mote_posix_tls_io *t)
{
    return t->inner.now_ms(t->inner.context);
}

static int begin_tls(mote_posix_tls_io *t)
{
    t->pos = t->len = t->owed = 0;
    t->begun_ms = now_of(t);
    t->trace = mote_posix_trace_inner();
    t->saved = false;
    return begin_session(&t->tls, t->config, t->memory, sizeof t->memory);
}

int mote_posix_tls_begin(mote_posix_tls_io *t, const mote_posix_tls_config *config, mote_io inner)
{
    memset(t, 0, sizeof *t);
    t->inner = inner;
    t->config = config;
    return begin_tls(t);
}

/* Writes the records that are ready, as far as there is room: false: the transport has failed. */
static bool push_output(mote_posix_tls_io *t)
{
    const uint8_t *out;
    size_t len;

    while ((out = mote_tls_peek(t->tls, &len))) {
        int n = t->inner.write(t->inner.context, out, len);
        if (n <= 0)
            return n == 0;
        mote_tls_ack(t->tls, (size_t)n);
    }
    return true;
}

/* More bytes from the transport, of as many as a turn has left: false: none now. The end is told to
 * TLS, and that a handshake takes too long once what has arrived of it is used. */
static bool fill_input(mote_posix_tls_io *t, size_t *turn)
{
    size_t cap = *turn < sizeof t->in ? *turn : sizeof t->in;
    int n = cap > 0 ? t->inner.read(t->inner.context, t->in, cap) : 0;
    bool late = n == 0 && !mote_tls_ready(t->tls) && now_of(t) - t->begun_ms >= limit_of(t->config);

    if (n < 0)
        mote_tls_eof(t->tls);
    else if (late)
        mote_tls_late(t->tls);
    t->pos = 0;
    t->len = n > 0 ? (size_t)n : 0;
    *turn -= t->len;
    return n != 0 || late;
}

static int tls_io_read(void *context, uint8_t *buf, size_t cap)
{
    mote_posix_tls_io *t = context;
    size_t turn = TURN;

    for (;;) {
        size_t used;
        int r = mote_tls_read(t->tls, t->in + t->pos, t->len, &used, buf, cap);
        t->pos += used;
        t->len -= used;
        push_output(t);
        t->saved = t->saved || save_session(t->tls, t->config);
        mote_posix_trace_bytes(t->trace, false, buf, r > 0 ? (size_t)r : 0);
        if (r != 0)
            return r;
        if (t->len == 0 && !fill_input(t, &turn))
            return 0;
    }
}

/* 1: ready; 0: not yet; -1: failed. */
static int shake_hands(mote_posix_tls_io *t)
{
    size_t used, turn = TURN;

    while (!mote_tls_ready(t->tls)) {
        int r = mote_tls_handshake(t->tls, t->in + t->pos, t->len, &used);
        t->pos += used;
        t->len -= used;
        if (!push_output(t) || r < 0)
            return -1;
        if (!mote_tls_ready(t->tls) && t->len == 0 && !fill_input(t, &turn))
            return 0;
    }
    return 1;
}

/* What is written has left as records: until then it is offered again, and so whoever waits until
 * all has left waits for that. */
static int tls_io_write(void *context, const uint8_t *buf, size_t len)
{
    mote_posix_tls_io *t = context;
    int r = shake_hands(t);

    if (r <= 0)
        return r;
    if (!push_output(t))
        return -1;
    if (t->owed == 0) {
        int n = mote_tls_write(t->tls, buf, len);
        mote_posix_trace_bytes(t->trace, true, buf, n > 0 ? (size_t)n : 0);
        if (n <= 0)
            return n;
        t->owed = (size_t)n;
        if (!push_output(t))
            return -1;
    }
    size_t left, owed = t->owed;
    if (mote_tls_peek(t->tls, &left))
        return 0;
    t->owed = 0;
    return (int)owed;
}

/* In a handshake there is room to write when the peer has spoken. */
static void tls_io_wait(void *context, bool writing, uint64_t until_ms)
{
    mote_posix_tls_io *t = context;
    size_t len;
    uint64_t limit_ms = t->begun_ms + limit_of(t->config);
    bool shaking = t->tls && !mote_tls_ready(t->tls);

    if (shaking && limit_ms < until_ms)
        until_ms = limit_ms;
    t->inner.wait(t->inner.context,
                  t->tls && (mote_tls_peek(t->tls, &len) || (writing && !shaking)), until_ms);
}

static uint64_t tls_io_now(void *context)
{
    return now_of(context);
}

static int tls_io_connect(void *context, uint64_t until_ms)
{
    mote_posix_tls_io *t = context;
    int r = t->inner.connect(t->inner.context, until_ms);

    mote_tls_end(t->tls);
    t->tls = NULL;
    if (r < 0 || begin_tls(t) < 0)
        return -1;
    while ((r = shake_hands(t)) == 0 && now_of(t) < until_ms)
        tls_io_wait(t, false, until_ms);
    if (r == 0) { /* it is over, and says why */
        mote_tls_late(t->tls);
        shake_hands(t);
    }
    return r == 1 ? 0 : -1;
}

static uint32_t tls_io_random(void *context)
{
    mote_posix_tls_io *t = context;

    return t->inner.random(t->inner.context);
}

/* The certificate's fault says more than that the transport has ended. */
static const char *tls_io_error(void *context)
{
    mote_posix_tls_io *t = context;
    const char *text = t->tls ? mote_tls_error(t->tls) : "";

    return *text || !t->inner.error ? text : t->inner.error(t->inner.context);
}

static void tls_io_close(void *context)
{
    mote_posix_tls_io *t = context;

    if (t->tls) {
        mote_tls_close(t->tls);
        push_output(t);
    }
    if (t->inner.close)
        t->inner.close(t->inner.context);
}

mote_io mote_posix_tls_transport(mote_posix_tls_io *t)
{
    return (mote_io){.context = t,
                     .read = tls_io_read,
                     .write = tls_io_write,
                     .wait = tls_io_wait,
                     .now_ms = tls_io_now,
                     .connect = t->inner.connect ? tls_io_connect : NULL,
                     .close = tls_io_close,
                     .error = tls_io_error,
                     .random = t->inner.random ? tls_io_random : NULL};
}

void mote_posix_tls_end(mote_posix_tls_io *t)
{
    if (!t->tls)
        return;
    mote_tls_close(t->tls);
    push_output(t);
    mote_tls_end(t->tls);
    t->tls = NULL;
}
