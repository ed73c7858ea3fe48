/* The matrix of all waits of a server through TLS: what it waits for, it waits for no longer when
 * records lie between, whatever they are cut into. And the waits that only a handshake has. */
#include "../../port/posix/tls.h"
#include "served_matrix.h"

#include <stdlib.h>

enum { SERVER, CLIENT, SIDES };

static mote_tls_context *contexts[SIDES];
static uint64_t context_memory[SIDES][MOTE_TLS_CONTEXT_MEMORY / 8];
static uint64_t client_memory[MOTE_TLS_MEMORY / 8], wrap_memory[MOTE_TLS_MEMORY / 8 + 512];
static mote_tls *client;
static mote_posix_tls_config config_of_server;
static mote_posix_security security;
static void *wrapped;
static size_t piece;    /* the most bytes of records that come at once; 0: all */
static size_t stops_at; /* the client says so many bytes of its handshake, and no more; 0: all */
static size_t spoken;

static mote_tls_span file(const char *folder, const char *name)
{
    static char files[3][16384];
    static int next;
    char *to = files[next++], path_of[512];

    snprintf(path_of, sizeof path_of, "%s/%s", folder, name);
    FILE *f = fopen(path_of, "rb");
    if (!f) {
        fprintf(stderr, "%s is missing\n", path_of);
        exit(1);
    }
    size_t n = fread(to, 1, sizeof files[0] - 1, f);
    fclose(f);
    return (mote_tls_span){to, n + 1};
}

/* The records of the client, in pieces. */
static void to_records(void)
{
    const uint8_t *out;
    size_t len;

    while (!ended && (out = mote_tls_peek(client, &len))) {
        if (stops_at > 0 && spoken >= stops_at)
            return;
        len = piece > 0 && len > piece ? piece : len;
        if (stops_at > 0 && len > stops_at - spoken)
            len = stops_at - spoken;
        spoken += len;
        run_engine(out, len);
        mote_tls_ack(client, len);
    }
}

/* ... and those of the server. */
static void tls_from(void)
{
    uint8_t plain[4096];
    const uint8_t *out;
    size_t len, used;

    while ((out = engine->peek(self, &len))) {
        len = piece > 0 && len > piece ? piece : len;
        size_t at = 0;
        int r;
        do {
            r = mote_tls_read(client, out + at, len - at, &used, plain, sizeof plain);
            at += used;
            if (r > 0)
                hear(plain, (size_t)r);
        } while (r > 0 || (r == 0 && used > 0 && at < len));
        engine->ack(self, len);
        run_engine(NULL, 0);
        to_records();
    }
}

static void tls_to(const uint8_t *bytes, size_t len)
{
    CHECK_INT(mote_tls_write(client, bytes, len), (int)len);
    to_records();
}

static void tls_open(void)
{
    mote_tls_end(client);
    if (wrapped)
        security.unwrap(wrapped);
    client = NULL;
    spoken = 0;
    plain_open();
    CHECK(security.size <= sizeof wrap_memory);
    CHECK_INT(security.wrap(security.context, wrap_memory, &engine, &self), 0);
    wrapped = self;
    CHECK_INT(
        mote_tls_init(&client, contexts[CLIENT], "localhost", client_memory, sizeof client_memory),
        0);
    size_t used;
    CHECK_INT(mote_tls_handshake(client, NULL, 0, &used), 0);
    for (int turns = 0; turns < 8; turns++) {
        to_records();
        tls_from();
    }
    CHECK(stops_at > 0 || mote_tls_ready(client));
}

static void every_wait_through_tls_ends(void)
{
    bool ok = true;

    for (piece = 0; piece < 4; piece += 3) {
        every_wait_of_a_server_ends();
        ok = ok && test_ok;
    }
    piece = 0;
    test_ok = ok;
}

/* A client that stops in its handshake, or drips it, has as long as the limit says; and who comes
 * afterwards is served. */
static void a_handshake_ends_in_time(void)
{
    static const struct {
        uint32_t handshake_ms, ms;
    } limits[] = {{5000, 5000}, {0, 20000}};
    static const size_t stops[] = {1, 5, 6, 100, 200};

    for (size_t i = 0; i < 2 * 2 * sizeof stops / sizeof stops[0]; i++) {
        bool drips = i & 1;
        config_of_server.handshake_ms = limits[i / 2 % 2].handshake_ms;
        stops_at = stops[i / 4];
        begin(SAYS_NOTHING);
        while (!ended && now < 60000) {
            pass_until("never", 200);
            stops_at += drips && stops_at < 210;
            to_records();
        }
        CHECK_INT(now, START + limits[i / 2 % 2].ms);
        CHECK(strcmp(mote_posix_tls_error(self), "the TLS handshake took too long") == 0);
        stops_at = 0;
        a_wait(NO_ANSWER);
    }
    config_of_server.handshake_ms = 0;
}

/* ... and one that needs most of it has all of its time for SETTINGS as well. */
static void a_slow_handshake_is_not_taken_off_what_follows(void)
{
    stops_at = 5;
    begin(NO_ACK);
    pass_until("never", 19000);
    CHECK(!ended);
    stops_at = 0;
    for (int turns = 0; turns < 8; turns++) {
        to_records();
        tls_from();
    }
    CHECK(mote_tls_ready(client));
    connect_until_stop();
    pass_until("no acknowledgement of SETTINGS in time", 60000);
    CHECK_INT(now, START + 19000 + 10000);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "build/test/tls", *why = NULL;
    mote_tls_config of_server = {
        .server = true, .cert = file(folder, "server.pem"), .key = file(folder, "server.key")};
    mote_tls_config of_client = {.ca = file(folder, "good.pem")};

    CHECK_INT(mote_tls_context_init(&contexts[SERVER], &of_server, context_memory[SERVER],
                                    sizeof context_memory[SERVER], &why),
              0);
    CHECK_INT(mote_tls_context_init(&contexts[CLIENT], &of_client, context_memory[CLIENT],
                                    sizeof context_memory[CLIENT], &why),
              0);
    config_of_server = (mote_posix_tls_config){.context = contexts[SERVER]};
    security = mote_posix_tls_security(&config_of_server);
    layer = (link_layer){tls_open, tls_to, tls_from};
    RUN(every_wait_through_tls_ends);
    RUN(a_handshake_ends_in_time);
    RUN(a_slow_handshake_is_not_taken_off_what_follows);
    mote_tls_end(client);
    security.unwrap(wrapped);
    mote_tls_context_end(contexts[SERVER]);
    mote_tls_context_end(contexts[CLIENT]);
    return test_summary();
}
