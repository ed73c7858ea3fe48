/*
 * TLS without a heap: mbedTLS in a static pool, for one connection. Prints what it took of the
 * pool.
 *
 *   tls_pool --ca=FILE --cert=FILE --key=FILE [--records=BYTES]
 *
 * The client and the server are two processes, each with a pool of its own, on the two ends of a
 * socket. With an mbedTLS that was not built for it (tls/preset.h) it takes the heap, and says so.
 */
#include "../common/secure.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t pool[65536 / 8];
static uint64_t context_memory[MOTE_TLS_CONTEXT_MEMORY / 8];
static mote_posix_tls_io tls;

static int fail(const char *who, const char *why)
{
    fprintf(stderr, "tls_pool: error: %s: %s\n", who, why);
    return 1;
}

static int move(mote_io *io, bool sends, uint8_t *data, size_t len)
{
    uint64_t until_ms = io->now_ms(io->context) + 5000;

    for (size_t at = 0; at < len;) {
        int n = sends ? io->write(io->context, data + at, len - at)
                      : io->read(io->context, data + at, len - at);
        if (n < 0 || (n == 0 && io->now_ms(io->context) >= until_ms))
            return -1;
        if (n == 0)
            io->wait(io->context, sends, until_ms);
        at += (size_t)n;
    }
    return 0;
}

/* One side: the handshake, and a message each way. */
static int talk(int fd, const char *who, bool server, uint16_t records)
{
    mote_tls_config config = {.server = server, .max_fragment = server ? 0 : records};
    mote_posix_tls_config connection = {.host_name = server ? NULL : "localhost"};
    uint8_t data[2000] = {0};
    const char *why;

    bool pooled = mote_tls_pool(pool, sizeof pool) == 0;
    if (server) {
        config.cert = mote_posix_tls_file(tls_options.cert);
        config.key = mote_posix_tls_file(tls_options.key);
    } else {
        config.ca = mote_posix_tls_file(tls_options.ca);
    }
    if (mote_tls_context_init(&connection.context, &config, context_memory, sizeof context_memory,
                              &why) < 0)
        return fail(who, why);
    mote_tls_usage before = mote_tls_pool_usage();
    if (mote_posix_tls_begin(&tls, &connection, mote_posix_io(&fd)) < 0)
        return fail(who, "no memory");
    mote_io io = mote_posix_tls_transport(&tls);
    if (move(&io, !server, data, sizeof data) < 0 || move(&io, server, data, sizeof data) < 0)
        return fail(who, mote_tls_error(tls.tls));
    mote_tls_usage open = mote_tls_pool_usage();
    mote_posix_tls_end(&tls);
    mote_tls_context_end(connection.context);
    if (!pooled)
        printf("%s: works; mbedTLS was built without a pool\n", who);
    else
        printf(
            "%s: certificates and keys %zu, most in the handshake %zu, open %zu, kept at the end "
            "(by PSA) %zu bytes\n",
            who, before.now, open.most, open.now, mote_tls_pool_usage().now);
    return 0;
}

int main(int argc, char **argv)
{
    const char *records = "0";
    const option options[] = {OPTION("--records", &records, "512, 1024, 2048 or 4096"),
                              OPTIONS_END};
    int fds[2], status = 1;

    parse_options(argc, argv, "tls_pool: mbedTLS in a static pool", options);
    if (!tls_options.ca || !tls_options.cert || !tls_options.key)
        return fail("usage", "tls_pool --ca=FILE --cert=FILE --key=FILE");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
        return fail("socketpair", "failed");
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        status = talk(fds[1], "server", true, 0);
        fflush(stdout);
        _exit(status);
    }
    close(fds[1]);
    int r = talk(fds[0], "client", false, (uint16_t)atoi(records));
    waitpid(child, &status, 0);
    return r != 0 || status != 0;
}
