/* TLS between two objects in memory. Programs get the folder with the certificates that
 * tests/certificates.sh makes as their argument. */
#ifndef TLS_HARNESS_H
#define TLS_HARNESS_H

#include "../../tls/tls_internal.h"
#include "../test.h"

#include <stdlib.h>

enum { WIRE = 1 << 16, DATA = 20000, SESSION = 4096 };

/* ---- two sides and a wire ------------------------------------------------------------------ */

typedef struct {
    uint8_t bytes[WIRE];
    size_t len;
    uint64_t passed; /* bytes that have gone through */
} wire;

typedef struct {
    mote_tls_context *context;
    mote_tls *tls;
    uint64_t context_memory[MOTE_TLS_CONTEXT_MEMORY / 8], memory[MOTE_TLS_MEMORY / 8];
    uint8_t received[DATA];
    size_t received_len, sent_len;
    int error;
} side;

static side client, server;
static wire to_server, to_client;
static size_t chunk;              /* the most that is moved at once; 0: all */
static uint64_t cut_at, break_at; /* byte of the wire that is lost with all after it, or changed */
static wire *hurt;                /* the wire that this happens to */
static uint8_t message[DATA];
static const char *folder;

static inline mote_tls_span file(const char *name)
{
    static char memory[16][16384];
    static int next;
    char path[512], *to = memory[next++ % 16];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s is missing\n", path);
        exit(1);
    }
    size_t n = fread(to, 1, 16383, f);
    to[n] = '\0';
    fclose(f);
    return (mote_tls_span){to, n + 1};
}

static inline const char *prepare_context(side *s, mote_tls_config config)
{
    const char *why = NULL;

    mote_tls_context_end(s->context);
    int r = mote_tls_context_init(&s->context, &config, s->context_memory, sizeof s->context_memory,
                                  &why);
    CHECK((r == 0) == (why == NULL));
    return why;
}

static inline void open_side(side *s, const char *host_name)
{
    mote_tls_end(s->tls);
    s->error = 0;
    s->received_len = s->sent_len = 0;
    CHECK_INT(mote_tls_init(&s->tls, s->context, host_name, s->memory, sizeof s->memory), 0);
}

static inline void begin(void)
{
    to_server.len = to_client.len = 0;
    to_server.passed = to_client.passed = 0;
    chunk = 0;
    hurt = NULL;
    open_side(&server, NULL);
    open_side(&client, "localhost");
}

static inline bool write_some(side *s, wire *w)
{
    size_t len;
    const uint8_t *out = mote_tls_peek(s->tls, &len);

    if (!out)
        return false;
    len = len < WIRE - w->len ? len : WIRE - w->len;
    if (chunk > 0 && len > chunk)
        len = chunk;
    memcpy(w->bytes + w->len, out, len);
    for (size_t i = 0; hurt == w && i < len; i++) {
        if (w->passed + i == break_at)
            w->bytes[w->len + i] ^= 0x20;
    }
    w->passed += len;
    w->len += len;
    mote_tls_ack(s->tls, len);
    return len > 0;
}

static bool read_some(side *s, wire *w)
{
    size_t used, len = chunk > 0 && w->len > chunk ? chunk : w->len;
    int r = mote_tls_read(s->tls, w->bytes, len, &used, s->received + s->received_len,
                          DATA - s->received_len);

    memmove(w->bytes, w->bytes + used, w->len - used);
    w->len -= used;
    if (r > 0)
        s->received_len += (size_t)r;
    else if (r < 0)
        s->error = r;
    return used > 0 || r > 0;
}

static bool send_some(side *s, size_t len)
{
    int r =
        s->sent_len < len ? mote_tls_write(s->tls, message + s->sent_len, len - s->sent_len) : 0;

    s->sent_len += r > 0 ? (size_t)r : 0;
    return r > 0;
}

/* Moves until nothing moves. A wire that is cut ends there. */
static inline void run(size_t client_sends, size_t server_sends)
{
    bool moved = true, before = true;

    while (moved || before) {
        before = moved;
        moved = write_some(&client, &to_server);
        moved |= write_some(&server, &to_client);
        for (int i = 0; i < 2; i++) {
            wire *w = i ? &to_client : &to_server;
            side *from = i ? &server : &client, *to = i ? &client : &server;
            if (hurt == w && cut_at < w->passed) {
                size_t gone = (size_t)(w->passed - cut_at);
                w->len = w->len > gone ? w->len - gone : 0;
                moved |= to->error == 0 && read_some(to, w);
                mote_tls_eof(to->tls);
                mote_tls_eof(from->tls);
            }
            moved |= to->error == 0 && read_some(to, w);
        }
        moved |= send_some(&client, client_sends);
        moved |= send_some(&server, server_sends);
    }
}

/* What has arrived is what was sent, from its beginning. */
static inline bool is_prefix(const side *s)
{
    return memcmp(s->received, message, s->received_len) == 0;
}

static inline bool ready(void)
{
    return client.error == 0 && server.error == 0 && mote_tls_ready(client.tls) &&
           mote_tls_ready(server.tls);
}

static inline mote_tls_config plain_server(void)
{
    return (mote_tls_config){
        .server = true, .cert = file("server.pem"), .key = file("server.key"), .session_s = 100};
}

static inline mote_tls_config plain_client(void)
{
    return (mote_tls_config){.ca = file("good.pem")};
}

static inline void prepare(void)
{
    CHECK(prepare_context(&server, plain_server()) == NULL);
    CHECK(prepare_context(&client, plain_client()) == NULL);
}

static inline void tls_begin_tests(const char *certificates)
{
    folder = certificates;
    for (size_t i = 0; i < DATA; i++)
        message[i] = (uint8_t)(i * 7 + i / 251);
}

static inline int tls_end_tests(void)
{
    mote_tls_end(server.tls);
    mote_tls_context_end(server.context);
    mote_tls_context_end(client.context);
    return test_summary();
}

#endif
