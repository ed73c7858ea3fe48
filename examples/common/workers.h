/* --workers=N for the servers whose handlers share nothing that changes. */
#ifndef EXAMPLES_WORKERS_H
#define EXAMPLES_WORKERS_H

#include "secure.h"

static const char *workers_text;

#define WORKERS_OPTION                                                                             \
    OPTION("--workers", &workers_text, "threads that serve; 0: one for each core (1)")

/* TLS of one worker: its connections are of its thread. */
typedef struct {
    mote_posix_tls_config config;
    mote_posix_security security;
} workers_tls;

static inline int workers_own(void *context, unsigned number, mote_posix_own *own)
{
    (void)context;
    if (!own->security || number == 0)
        return 0;
    workers_tls *tls = mote_posix_memory(1, sizeof *tls);
    if (!tls)
        return -1;
    tls->config = secure_config;
    tls->config.context =
        mote_posix_tls_context(true, tls_options.ca, tls_options.cert, tls_options.key);
    tls->security = mote_posix_tls_security(&tls->config);
    own->security = &tls->security;
    return tls->config.context ? 0 : -1;
}

/* After the options were read, and secure_server() was asked. */
static inline void workers_use(mote_posix_server *server)
{
    const char *text = workers_text ? workers_text : "1";
    int n = strlen(text) <= 4 ? atoi(text) : -1;

    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0' || n < 0 ||
        n > MOTE_POSIX_MOST_WORKERS) {
        fprintf(stderr, "error: --workers is not 0 to %d\n", MOTE_POSIX_MOST_WORKERS);
        exit(2);
    }
    server->workers = n == 0 ? MOTE_POSIX_EVERY_CORE : n;
    server->own = workers_own;
}

#endif
