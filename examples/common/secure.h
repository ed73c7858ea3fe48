/* TLS for the examples: --tls with --cert, --key and --ca. */
#ifndef EXAMPLES_SECURE_H
#define EXAMPLES_SECURE_H

#include "../../port/posix/tls.h"
#include "options.h"

#include <sys/stat.h>
#include <time.h>

static mote_posix_tls_session secure_session;
static mote_posix_tls_config secure_config = {.session = &secure_session};
static mote_posix_security secure_engine;
static mote_posix_tls_io secure_transport;
static char secure_host[256];

/* What was asked for on the command line. Ends the program when that fails. */
static inline bool secure_begin(bool server)
{
    if (!tls_options.on)
        return false;
    secure_config.context =
        mote_posix_tls_context(server, tls_options.ca, tls_options.cert, tls_options.key);
    if (!secure_config.context)
        exit(2);
    secure_engine = mote_posix_tls_security(&secure_config);
    return true;
}

/* Certificates and keys whose files were replaced hold for new connections. If one is wrong, that
 * is printed, and the old ones still hold. To be called now and then. */
static inline void secure_refresh(uint64_t now_ms)
{
    static uint64_t looked_ms;
    static uint64_t seen; /* which files they were */
    const char *const names[] = {tls_options.ca, tls_options.cert, tls_options.key};
    uint64_t now = 1;
    struct stat s;

    if (!secure_config.context || now_ms - looked_ms < 1000)
        return;
    looked_ms = now_ms;
    for (size_t i = 0; i < 3; i++) {
        if (names[i] && stat(names[i], &s) == 0)
            now = (now * 31 + (uint64_t)s.st_mtime) * 31 + (uint64_t)s.st_ino;
    }
    mote_tls_context *context =
        seen && now != seen ? mote_posix_tls_context(!secure_config.host_name, tls_options.ca,
                                                     tls_options.cert, tls_options.key)
                            : NULL;
    seen = now;
    if (context) /* the old one stays for those who are connected */
        secure_config.context = context;
}

/* For a server, as its .security: NULL without --tls. With --ca, clients need a certificate. */
static inline const mote_posix_security *secure_server(void)
{
    return secure_begin(true) ? &secure_engine : NULL;
}

/* For those who connect to "host:port", whose name the server's certificate must have. */
static inline const mote_posix_security *secure_client(const char *address)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : strlen(address);

    snprintf(secure_host, sizeof secure_host, "%.*s", (int)len, address);
    secure_config.host_name = secure_host;
    return secure_begin(false) ? &secure_engine : NULL;
}

/* The same for a blocking transport; without an address, for one that was accepted. */
static inline mote_io secure_io(const char *address, mote_io io)
{
    if (!(address ? secure_client(address) : secure_server()))
        return io;
    if (mote_posix_tls_begin(&secure_transport, &secure_config, io) < 0) {
        fprintf(stderr, "error: TLS: %s is not a host name, or there is no memory\n", secure_host);
        exit(2);
    }
    return mote_posix_tls_transport(&secure_transport);
}

/* Says why a blocking transport failed, where TLS knows. */
static inline void secure_report(void)
{
    if (secure_transport.tls && *mote_tls_error(secure_transport.tls))
        print_line(stderr, "TLS: %s", mote_tls_error(secure_transport.tls));
}

#endif
