/* posix: TLS (tls/tls.h) for the loop, the server and the blocking transport. */
#ifndef MOTE_POSIX_TLS_H
#define MOTE_POSIX_TLS_H

#include "../port/posix/posix.h"
#include "tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Certificates from PEM files; NULL: none. NULL on error, with a text on standard error. */
mote_tls_context *mote_posix_tls_context(bool server, const char *ca, const char *cert,
                                         const char *key);

/* For mote_posix_server.security. */
mote_posix_security mote_posix_tls_server(mote_tls_context *context);

/* A transport through TLS over another one; *t must stay where it is. The handshake takes place as
 * the first bytes are written or read. */
typedef struct {
    mote_io inner;
    mote_tls *tls;
    size_t pos, len;
    uint8_t in[4096];
} mote_posix_tls_io;
/* 0, or MOTE_TLS_ERR_CONFIG. mote_posix_tls_end() says goodbye and frees. */
int mote_posix_tls_begin(mote_posix_tls_io *t, mote_tls_context *context, const char *host_name,
                         mote_io inner);
mote_io mote_posix_tls_transport(mote_posix_tls_io *t);
void mote_posix_tls_end(mote_posix_tls_io *t);

#ifdef __cplusplus
}
#endif
#endif
