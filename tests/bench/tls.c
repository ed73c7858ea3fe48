/* What TLS costs: mbedTLS by itself over a socket, and handshakes of the adapter in memory.
 *   tls raw-server CERT KEY        prints "listening on ADDRESS", then takes connections one by one
 *   tls raw-client ADDRESS CA MEBIBYTES    prints MiB a second
 *   tls handshakes CA CERT KEY COUNT       prints full and resumed ones a second, both sides in one
 * thread */
#include "../../port/posix/tls.h"
#include "../../tls/tls_internal.h"

#include <mbedtls/net_sockets.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static uint8_t data[MIB];

static double now(void)
{
    struct timespec t;

    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *why)
{
    fprintf(stderr, "tls: error: %s\n", why);
    exit(1);
}

/* ---- mbedTLS by itself --------------------------------------------------------------------- */

/* Set up as the adapter does it: the same suites, curves and versions. */
static void start(mbedtls_ssl_context *ssl, mbedtls_net_context *net, mote_tls_context *context,
                  bool client)
{
    /* Tickets are the adapter's, which looks at its own connections. */
    if (!client)
        mbedtls_ssl_conf_session_tickets_cb(&context->config, NULL, NULL, NULL);
    mbedtls_ssl_init(ssl);
    if (mbedtls_ssl_setup(ssl, &context->config) != 0 ||
        (client && mbedtls_ssl_set_hostname(ssl, "localhost") != 0))
        fail("out of memory");
    mbedtls_ssl_set_bio(ssl, net, mbedtls_net_send, mbedtls_net_recv, NULL);
    if (mbedtls_ssl_handshake(ssl) != 0)
        fail("handshake");
}

static void raw_server(const char *cert, const char *key)
{
    mote_tls_context *context = mote_posix_tls_context(true, NULL, cert, key);
    int listener = mote_posix_listen("127.0.0.1:0");
    char address[128];

    if (!context || listener < 0)
        fail(mote_posix_error());
    printf("listening on %s\n", mote_posix_address(listener, address));
    fflush(stdout);
    for (;;) {
        mbedtls_net_context net;
        mbedtls_ssl_context ssl;
        net.fd = mote_posix_accept_one(listener, UINT32_MAX);
        mbedtls_net_set_block(&net);
        start(&ssl, &net, context, false);
        int n;
        do /* to the goodbye, which is answered */
            n = mbedtls_ssl_read(&ssl, data, sizeof data);
        while (n > 0);
        mbedtls_ssl_close_notify(&ssl);
        mbedtls_ssl_free(&ssl);
        mbedtls_net_free(&net);
    }
}

static void raw_client(const char *address, const char *ca, int mebibytes)
{
    mote_tls_context *context = mote_posix_tls_context(false, ca, NULL, NULL);
    mbedtls_net_context net = {.fd = mote_posix_connect(address, 5000)};
    mbedtls_ssl_context ssl;

    if (!context || net.fd < 0)
        fail(mote_posix_error());
    mbedtls_net_set_block(&net);
    start(&ssl, &net, context, true);
    double begun = now();
    for (int i = 0; i < mebibytes; i++) {
        for (size_t at = 0; at < MIB;) {
            int n = mbedtls_ssl_write(&ssl, data + at, MIB - at);
            if (n <= 0)
                fail("write");
            at += (size_t)n;
        }
    }
    mbedtls_ssl_close_notify(&ssl);
    while (mbedtls_ssl_read(&ssl, data, sizeof data) > 0)
        ;
    printf("%.0f\n", mebibytes / (now() - begun));
}

/* ---- handshakes ---------------------------------------------------------------------------- */

static uint64_t memory[2][MOTE_TLS_MEMORY / 8];
static uint8_t wire[2][1 << 16];
static size_t waiting[2];

static void step(mote_tls *tls, int i)
{
    const uint8_t *out;
    uint8_t plain[64];
    size_t used, len;

    if (mote_tls_read(tls, wire[i], waiting[i], &used, plain, sizeof plain) < 0)
        fail(mote_tls_error(tls));
    memmove(wire[i], wire[i] + used, waiting[i] - used);
    waiting[i] -= used;
    while ((out = mote_tls_peek(tls, &len))) {
        memcpy(wire[!i] + waiting[!i], out, len);
        waiting[!i] += len;
        mote_tls_ack(tls, len);
    }
}

static double handshakes(mote_tls_context *client, mote_tls_context *server, int count, bool resume)
{
    static uint8_t session[8192];
    static int session_len;
    double begun = now();

    for (int i = 0; i < count; i++) {
        mote_tls *tls[2];
        waiting[0] = waiting[1] = 0;
        mote_tls_init(&tls[0], client, "localhost", memory[0], sizeof memory[0]);
        mote_tls_init(&tls[1], server, NULL, memory[1], sizeof memory[1]);
        if (resume && mote_tls_resume(tls[0], session, (size_t)session_len) < 0)
            fail("no session");
        for (int turns = 0;
             !mote_tls_ready(tls[0]) || !mote_tls_ready(tls[1]) || waiting[0] || waiting[1];
             turns++) {
            step(tls[turns & 1], turns & 1);
            if (turns > 50)
                fail("the handshake does not end");
        }
        if (resume && !mote_tls_resumed(tls[0]))
            fail("the session was not resumed");
        if (!resume && i + 1 == count)
            session_len = mote_tls_save_session(tls[0], session, sizeof session);
        mote_tls_end(tls[0]);
        mote_tls_end(tls[1]);
    }
    return count / (now() - begun);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "raw-server") == 0) {
        raw_server(argv[2], argv[3]);
    } else if (argc == 5 && strcmp(argv[1], "raw-client") == 0) {
        raw_client(argv[2], argv[3], atoi(argv[4]));
    } else if (argc == 6 && strcmp(argv[1], "handshakes") == 0) {
        mote_tls_context *client = mote_posix_tls_context(false, argv[2], NULL, NULL);
        mote_tls_context *server = mote_posix_tls_context(true, NULL, argv[3], argv[4]);
        double full = handshakes(client, server, atoi(argv[5]), false);
        printf("%.0f %.0f\n", full, handshakes(client, server, atoi(argv[5]), true));
    } else {
        fail("usage: see the source");
    }
    return 0;
}
