/* The matrix of two connections through TLS, of which each has a handshake and records of its own;
 * and a connection that breaks and is made again. Of the cells a seventh is run; all of them with
 * the word "whole" after the folder. */
#include "../../port/posix/tls.h"
#include "../../tls/tls.h"
#include "spare_matrix.h"

#include <stdlib.h>

enum { SERVER, CLIENT, SIDES, PLAIN = 512 };

static mote_tls_context *contexts[SIDES];
static uint64_t context_memory[SIDES][MOTE_TLS_CONTEXT_MEMORY / 8];
static mote_posix_tls_config config_of_client;

/* One of the two servers' side of TLS. */
static struct {
    mote_io script; /* the server behind it */
    mote_tls *tls;
    uint64_t memory[MOTE_TLS_MEMORY / 8];
    mote_posix_tls_io client;
} sides[PEERS];

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

static size_t side_of(const void *context)
{
    return (size_t)((const peer *)context - peers);
}

static int secret_dial(void *context, uint64_t until_ms)
{
    size_t i = side_of(context);
    int r = sides[i].script.connect(context, until_ms);

    mote_tls_end(sides[i].tls);
    sides[i].tls = NULL;
    return r < 0 ? r
                 : mote_tls_init(&sides[i].tls, contexts[SERVER], NULL, sides[i].memory,
                                 sizeof sides[i].memory);
}

static int secret_take(void *context, const uint8_t *buf, size_t len)
{
    size_t i = side_of(context), used, at = 0;
    uint8_t clear[PLAIN];
    int r;

    if (!peers[i].open)
        return -1;
    do {
        r = mote_tls_read(sides[i].tls, buf + at, len - at, &used, clear, sizeof clear);
        at += used;
        if (r > 0)
            CHECK_INT(sides[i].script.write(context, clear, (size_t)r), r);
    } while (r > 0 || (r == 0 && used > 0 && at < len));
    return r < 0 ? -1 : (int)at;
}

static int secret_give(void *context, uint8_t *buf, size_t cap)
{
    size_t i = side_of(context), len;
    uint8_t clear[PLAIN];
    int n = 0;

    while (mote_tls_ready(sides[i].tls) && !mote_tls_peek(sides[i].tls, &len) &&
           (n = sides[i].script.read(context, clear, sizeof clear)) > 0)
        CHECK_INT(mote_tls_write(sides[i].tls, clear, (size_t)n), n);
    const uint8_t *out = mote_tls_peek(sides[i].tls, &len);
    if (!out || !peers[i].open)
        return peers[i].open ? 0 : -1;
    len = len < cap ? len : cap;
    memcpy(buf, out, len);
    mote_tls_ack(sides[i].tls, len);
    return (int)len;
}

static mote_io through_tls(size_t i, mote_io io)
{
    mote_io inner = io;

    sides[i].script = io;
    inner.read = secret_give;
    inner.write = secret_take;
    inner.connect = secret_dial;
    mote_posix_tls_end(&sides[i].client);
    CHECK_INT(mote_posix_tls_begin(&sides[i].client, &config_of_client, inner), 0);
    return mote_posix_tls_transport(&sides[i].client);
}

static void every_wait_on_the_spare_through_tls_ends(void)
{
    every_wait_on_the_spare_ends();
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
    broken = "the transport has ended without close_notify";
    every = argc > 2 && strcmp(argv[2], "whole") == 0 ? 1 : 7;
    RUN(an_end_that_nobody_has_read_holds_up_no_call);
    RUN(every_wait_on_the_spare_through_tls_ends);
    for (size_t i = 0; i < PEERS; i++) {
        mote_posix_tls_end(&sides[i].client);
        mote_tls_end(sides[i].tls);
    }
    mote_tls_context_end(contexts[SERVER]);
    mote_tls_context_end(contexts[CLIENT]);
    return test_summary();
}
