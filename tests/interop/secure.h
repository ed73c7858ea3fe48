/* TLS for the programs of this folder, where it is built in. */
#ifndef INTEROP_SECURE_H
#define INTEROP_SECURE_H

#include "../../tls/posix.h"

#include <stdio.h>

#if MOTE_TLS
enum { HAS_TLS = 1 };
#else
enum { HAS_TLS = 0 };
/* What a program without TLS never calls. */
#define mote_posix_tls_context(server, ca, cert, key) ((void)(ca), (void)(cert), (void)(key), NULL)
#define mote_tls_context_new(context, config, why)                                                 \
    ((void)(config), *(context) = NULL, *(why) = "", -1)
#define mote_tls_context_free(context)                  ((void)(context))
#define mote_posix_tls_server(context)                  ((void)(context), (mote_posix_security){0})
#define mote_posix_tls_begin(t, context, host_name, io) ((void)(t), (void)(context), (void)(io), -1)
#define mote_posix_tls_transport(t)                     ((void)(t), (mote_io){0})
#define mote_posix_tls_end(t)                           ((void)(t))
#define mote_tls_error(t)                               ((void)(t), "")
#endif

#endif
