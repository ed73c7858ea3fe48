/* posix: TLS (tls/tls.h) for the loop, the server and the blocking transport. */
#ifndef MOTE_POSIX_TLS_H
#define MOTE_POSIX_TLS_H

#include "posix.h"
#include "../../tls/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a PEM file into a span for mote_tls_config; mote_posix_tls_free_file() gives it back. An
 * empty span, with a text on standard error, when it cannot be read. */
mote_tls_span mote_posix_tls_file(const char *name);
void mote_posix_tls_free_file(mote_tls_span span);

/* A context with certificates from PEM files; NULL: none. NULL on error, with a text on standard
 * error. Lives until the program ends; sessions can be resumed for an hour. */
mote_tls_context *mote_posix_tls_context(bool server, const char *ca, const char *cert,
                                         const char *key);

/* A client's last session: its next handshake is a short one, where the server still knows it and
 * nothing of what it was trusted for has changed (mote_tls_resume()). Begins as zero, or with what
 * was kept elsewhere, as in a file; what is torn, stale or of another length there is none, and the
 * handshake a full one. Stays with the connections. It is as secret as they are. */
typedef struct mote_posix_tls_session {
    size_t len;
    uint8_t bytes[2304];
    /* There is another one; may be NULL. */
    void (*changed)(void *context, const struct mote_posix_tls_session *session);
    void *context;
} mote_posix_tls_session;

/* How connections are made. Stays with them. */
typedef struct {
    mote_tls_context *context;
    const char *host_name;           /* client: whom to reach; NULL: a server */
    uint32_t handshake_ms;           /* a handshake that takes longer fails; 0: 20,000 */
    mote_posix_tls_session *session; /* client: NULL: each handshake is a full one */
} mote_posix_tls_config;

/* For mote_posix_server.security, and for engines in a loop: wrap() and unwrap(). */
mote_posix_security mote_posix_tls_security(const mote_posix_tls_config *config);

/* What went wrong with such a connection (`self` as wrap() has set it): "" or as mote_tls_error().
 */
const char *mote_posix_tls_error(const void *self);

/* Who the peer of a connection in a loop is: mote_tls_get_peer(). UNPROVEN without TLS. */
void mote_posix_tls_peer(const mote_posix_conn *conn, mote_tls_peer *peer);

/* A transport through TLS over another one; *t must stay where it is. Over one that connects, the
 * handshake is a part of it, so that a channel connects again; otherwise it takes place as the
 * first bytes are written or read. */
typedef struct {
    mote_io inner;
    const mote_posix_tls_config *config;
    mote_tls *tls;
    uint64_t begun_ms;
    int trace;  /* number of the connection */
    bool saved; /* its session */
    size_t pos, len;
    size_t owed; /* plain bytes whose records have not left: they are not written yet */
    uint64_t memory[MOTE_TLS_MEMORY / 8];
    uint8_t in[4096];
} mote_posix_tls_io;
/* 0, or MOTE_TLS_ERR_CONFIG. mote_posix_tls_end() says goodbye; what went wrong is in
 * mote_tls_error(t->tls) until then. */
int mote_posix_tls_begin(mote_posix_tls_io *t, const mote_posix_tls_config *config, mote_io inner);
mote_io mote_posix_tls_transport(mote_posix_tls_io *t);
void mote_posix_tls_end(mote_posix_tls_io *t);

#ifdef __cplusplus
}
#endif
#endif
