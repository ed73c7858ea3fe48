/* posix: HTTP/1.1 beside HTTP/2 on the port of a server (grpc/web/http1.h), without TLS. */
#ifndef MOTE_POSIX_HTTP1_H
#define MOTE_POSIX_HTTP1_H

#include "posix.h"
#include "../../grpc/web/http1.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For mote_posix_server.security: each connection may also speak HTTP/1.1. It proves and hides
 * nothing. Takes MOTE_HTTP1_MEMORY and 500 bytes a connection. */
mote_posix_security mote_posix_http1(void);

#ifdef __cplusplus
}
#endif
#endif
