/* The matrix of all waits through TLS: what a blocking client waits for, it waits for no longer
 * when records lie between, whatever they are cut into. And the waits that only a handshake has.
 * Of the cells a third is run; all of them with the word "whole" after the folder. */
#include "../../port/posix/tls.h"
#include "../../tls/tls_internal.h"
#include "waits_matrix.h"

#include <stdlib.h>

enum { SERVER, CLIENT, SIDES, PLAIN = 64 };

static mote_tls_context *contexts[SIDES];
static uint64_t context_memory[SIDES][MOTE_TLS_CONTEXT_MEMORY / 8];
static uint64_t peer_memory[MOTE_TLS_MEMORY / 8];
static mote_tls *peer;
static mote_io script; /* the server behind it */
static mote_posix_tls_io secret;
static mote_posix_tls_config config_of_client;
static size_t piece;       /* the most bytes of records that come at once; 0: all */
static size_t stops_at;    /* the server says so many bytes of its handshake, and no more */
static uint64_t shakes_ms; /* between two bytes of it */
static uint64_t dripped_ms, spoken;
static uint64_t oversleeps_ms; /* the next wait ends so much later: all comes in that time */
static enum { QUIET, FROM_THE_START, WHEN_READY } floods; /* with alerts that mean nothing */

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

static int secret_dial(void *context, uint64_t until_ms)
{
    int r = script.connect(context, until_ms);

    spoken = dripped_ms = 0;
    mote_tls_end(peer);
    peer = NULL;
    if (r < 0)
        return r;
    return mote_tls_init(&peer, contexts[SERVER], NULL, peer_memory, sizeof peer_memory);
}

/* The server reads; a record is taken whole, or not at all. */
static int secret_take(void *context, const uint8_t *buf, size_t len)
{
    uint8_t plain[4096];
    size_t used, at = 0;
    int r;

    if (server == NO_ROOM && heard_len > 0) /* it has taken the preface and SETTINGS */
        return 0;
    do {
        r = mote_tls_read(peer, buf + at, len - at, &used, plain, sizeof plain);
        at += used;
        if (r > 0)
            CHECK_INT(script.write(context, plain, (size_t)r), r);
    } while (r > 0 || (r == 0 && used > 0 && at < len));
    return r < 0 ? -1 : (int)at;
}

/* Warnings of no consequence, as many as fit, a millisecond a read. */
static int secret_flood(uint8_t *buf, size_t cap)
{
    static const uint8_t warning[] = {21, 3, 3, 0, 2, 1, 100};
    size_t at = 0, len = sizeof warning;
    const uint8_t *out = warning;

    now++;
    for (;;) {
        if (floods == WHEN_READY) {
            CHECK_INT(mbedtls_ssl_send_alert_message(&peer->ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                                     MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION),
                      0);
            out = mote_tls_peek(peer, &len);
        }
        if (!out || len > cap - at)
            return (int)at;
        memcpy(buf + at, out, len);
        at += len;
        if (floods == WHEN_READY)
            mote_tls_ack(peer, len);
    }
}

/* What the server says becomes records. */
static int secret_give(void *context, uint8_t *buf, size_t cap)
{
    uint8_t plain[PLAIN];
    size_t len;
    int n;

    while (mote_tls_ready(peer) && !mote_tls_peek(peer, &len) &&
           (n = script.read(context, plain, sizeof plain)) > 0)
        CHECK_INT(mote_tls_write(peer, plain, (size_t)n), n);
    const uint8_t *out = mote_tls_peek(peer, &len);
    if (floods == FROM_THE_START || (floods == WHEN_READY && mote_tls_ready(peer) && !out))
        return secret_flood(buf, cap);
    if (!out || oversleeps_ms > 0 || (stops_at > 0 && spoken >= stops_at) ||
        (shakes_ms > 0 && now < dripped_ms + shakes_ms))
        return 0;
    len = piece > 0 && len > piece ? piece : len < cap ? len : cap;
    if (stops_at > 0 && len > stops_at - spoken)
        len = stops_at - spoken;
    len = shakes_ms > 0 ? 1 : len;
    memcpy(buf, out, len);
    mote_tls_ack(peer, len);
    spoken += len;
    dripped_ms = now;
    return (int)len;
}

static void secret_wait(void *context, bool writing, uint64_t until_ms)
{
    script.wait(context, writing, until_ms);
    now += oversleeps_ms;
    oversleeps_ms = 0;
}

static mote_io through_tls(mote_io plain)
{
    mote_io inner = plain;

    script = plain;
    inner.read = secret_give;
    inner.write = secret_take;
    inner.connect = secret_dial;
    inner.wait = secret_wait;
    mote_posix_tls_end(&secret);
    CHECK_INT(mote_posix_tls_begin(&secret, &config_of_client, inner), 0);
    return mote_posix_tls_transport(&secret);
}

static void every_wait_through_tls_ends_at_the_deadline(void)
{
    piece = 0;
    every_wait_ends_at_the_deadline();
    piece = 3;
    every = every > 1 ? 7 : 1;
    every_wait_ends_at_the_deadline();
    piece = 0;
}

/* A handshake that stops at any byte, or comes a byte each 200 ms, is a connection that takes too
 * long; and when the server has come to its senses, the next call works. */
static void a_handshake_ends_at_the_deadline(void)
{
    static const size_t stops[] = {0, 1, 5, 100, 700};

    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        stops_at = stops[i];
        shakes_ms = stops[i] == 0 ? 200 : 0;
        begin(WORKS);
        check_status(
            unary(LIMIT, true), MOTE_GRPC_DEADLINE_EXCEEDED,
            "deadline exceeded: connecting took too long (the TLS handshake took too long)");
        CHECK_INT(now, 1000 + LIMIT);
        CHECK_INT(heard_len, 0);
        stops_at = shakes_ms = 0;
        check_status(unary(LIMIT, true), MOTE_GRPC_OK, "");
    }
}

/* What is said to have left has left, and not into the buffer of TLS. */
static void what_is_flushed_has_left(void)
{
    begin(WORKS);
    CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
    CHECK_INT(mote_channel_flush(&channel, 1000), 0);
    uint64_t at = now;
    size_t len = heard_len;
    server = NO_ROOM;
    CHECK_INT(mote_h2_ping(&channel.grpc.h2), 0);
    CHECK_INT(mote_channel_flush(&channel, 700), MOTE_AGAIN);
    CHECK_INT(now, at + 700);
    CHECK_INT(heard_len, len);
    server = WORKS;
    CHECK_INT(mote_channel_flush(&channel, 1000), 0);
    CHECK_INT(heard_len, len + 17);
    CHECK_INT(now, at + 700);
}

/* A handshake whose limit went by while the program was busy is judged by what has arrived by then,
 * in however many reads. */
static void what_has_arrived_of_a_handshake_is_used(void)
{
    static const uint64_t late[] = {0, 19999, 20000, 25000};

    for (size_t i = 0; i < sizeof late / sizeof late[0] * 2; i++) {
        piece = i % 2 ? 3 : 0;
        begin(WORKS);
        oversleeps_ms = late[i / 2];
        check_status(unary(0, false), MOTE_GRPC_OK, "");
        CHECK(now - 1000 - late[i / 2] <= 100);
        mote_channel_close(&channel, 0);
    }
    piece = 0;
}

/* Records that bring nothing, as fast as they are read, hold up no deadline, and a handshake no
 * longer than its limit. */
static void records_without_content_keep_nobody(void)
{
    floods = FROM_THE_START;
    begin(WORKS);
    CHECK_INT(unary(LIMIT, true).code, MOTE_GRPC_DEADLINE_EXCEEDED);
    CHECK(now >= 1000 + LIMIT && now <= 1000 + LIMIT + 40);
    begin(WORKS);
    CHECK_INT(unary(0, false).code, MOTE_GRPC_UNAVAILABLE);
    CHECK(now <= 21000 + 40);
    for (way by = UNARY; by < WAYS; by++) {
        floods = QUIET;
        begin(WORKS);
        CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
        floods = WHEN_READY;
        server = NO_ANSWER;
        uint64_t at = now;
        CHECK_INT(call_by(by).code, MOTE_GRPC_DEADLINE_EXCEEDED);
        CHECK(now >= at + LIMIT && now <= at + LIMIT + 40 + MOTE_CHANNEL_CATCH_UP_MS);
    }
    floods = QUIET;
    begin(WORKS);
    check_status(unary(LIMIT, true), MOTE_GRPC_OK, "");
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "build/test/tls", *why = NULL;
    mote_tls_config of_server = {.server = true,
                                 .cert = file(folder, "server.pem"),
                                 .key = file(folder, "server.key"),
                                 .session_s = 100};
    mote_tls_config of_client = {.ca = file(folder, "good.pem")};

    CHECK_INT(mote_tls_context_init(&contexts[SERVER], &of_server, context_memory[SERVER],
                                    sizeof context_memory[SERVER], &why),
              0);
    CHECK_INT(mote_tls_context_init(&contexts[CLIENT], &of_client, context_memory[CLIENT],
                                    sizeof context_memory[CLIENT], &why),
              0);
    config_of_client =
        (mote_posix_tls_config){.context = contexts[CLIENT], .host_name = "localhost"};
    layer = through_tls;
    every = argc > 2 && strcmp(argv[2], "whole") == 0 ? 1 : 3;
    RUN(every_wait_through_tls_ends_at_the_deadline);
    every = every > 1 ? 39 : 3;
    RUN(a_byte_at_a_time_is_an_answer_or_too_slow);
    RUN(a_server_that_never_stops_talking_keeps_nobody);
    RUN(what_returns_has_left);
    RUN(without_time_what_is_there_is_read);
    RUN(an_answer_that_was_there_in_time_is_taken);
    RUN(what_is_flushed_has_left);
    RUN(a_handshake_ends_at_the_deadline);
    RUN(what_has_arrived_of_a_handshake_is_used);
    RUN(records_without_content_keep_nobody);
    mote_posix_tls_end(&secret);
    mote_tls_end(peer);
    mote_tls_context_end(contexts[SERVER]);
    mote_tls_context_end(contexts[CLIENT]);
    return test_summary();
}
