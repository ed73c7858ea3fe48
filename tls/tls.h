/*
 * tls: TLS by mbedTLS between an engine and any transport, without I/O of its own: bytes of records
 * go in and out, plain bytes come out and go in. Client and server, with the protocol "h2" required
 * on both sides (RFC 7301) and verification on.
 *
 * This folder alone sees mbedTLS, 2.28 or 3. mbedTLS allocates: give it a static pool with
 * mbedtls_memory_buffer_alloc_init() if there is no heap.
 *
 * Conventions: see hpack/hpack.h. In addition: a mote_tls_context and a mote_tls must be released.
 */
#ifndef MOTE_TLS_H
#define MOTE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors -500..-599; mote_tls_error() says more. */
enum mote_tls_error_code {
    MOTE_TLS_ERR_CONFIG = -500,    /* a certificate, key or name is missing or cannot be read */
    MOTE_TLS_ERR_HANDSHAKE = -501, /* the peers could not agree */
    MOTE_TLS_ERR_VERIFY = -502,    /* the peer's certificate is not accepted */
    MOTE_TLS_ERR_ALPN = -503,      /* the peer does not speak h2 */
    MOTE_TLS_ERR_RECORD = -504,    /* a broken record */
    MOTE_TLS_ERR_CUT = -505,       /* the transport has ended without close_notify */
    MOTE_TLS_CLOSED = -506         /* a clean end */
};

/* Certificates, keys and random numbers, for any number of connections. */
typedef struct mote_tls_context mote_tls_context;

/* Spans are PEM (with the NUL behind it, which counts) or DER. */
typedef struct {
    const void *data;
    size_t len;
} mote_tls_span;

typedef struct {
    bool server;
    mote_tls_span ca;        /* client: whom to trust, required; server: clients must have a
                                certificate by these */
    mote_tls_span cert, key; /* server: required; client: for a server that asks */
    /* Accepts any certificate of a server: everyone on the way can read and change all. */
    bool dangerously_accept_any_certificate;
} mote_tls_config;

/* 0, or MOTE_TLS_ERR_CONFIG with a text in *why (static). The spans need not stay. */
int mote_tls_context_new(mote_tls_context **context, const mote_tls_config *config,
                         const char **why);
void mote_tls_context_free(mote_tls_context *context);

/* A connection. */
typedef struct mote_tls mote_tls;

enum { MOTE_TLS_RECORD = 16384 };

/* `host_name` is whom a client wants to reach (RFC 6066, RFC 6125; required); NULL for a server. 0
 * or MOTE_TLS_ERR_CONFIG. */
int mote_tls_new(mote_tls **tls, mote_tls_context *context, const char *host_name);
void mote_tls_free(mote_tls *tls);

/* Goes on with the handshake, with bytes from the transport: *used of them. 0, or the sticky error.
 * Output may be due afterwards, as after each of these functions. */
int mote_tls_handshake(mote_tls *tls, const uint8_t *in, size_t len, size_t *used);

/* The transport has ended. */
void mote_tls_eof(mote_tls *tls);

/* Bytes from the transport, *used of them, become plain ones: how many were written to `out`; 0: it
 * takes more; < 0: the sticky error. Call it again with the rest until it returns 0 and has used
 * all. Does the handshake as well. */
int mote_tls_read(mote_tls *tls, const uint8_t *in, size_t len, size_t *used, uint8_t *out,
                  size_t cap);

/* Takes plain bytes, as far as there is room for a record; how many; 0: not now; < 0: the error. */
int mote_tls_write(mote_tls *tls, const uint8_t *in, size_t len);

/* Bytes for the transport, as mote_h2_peek() and mote_h2_ack(). */
const uint8_t *mote_tls_peek(mote_tls *tls, size_t *len);
void mote_tls_ack(mote_tls *tls, size_t len);

/* True once the handshake is done. */
bool mote_tls_ready(const mote_tls *tls);

/* Says goodbye (close_notify); its bytes are in mote_tls_peek(). */
void mote_tls_close(mote_tls *tls);

/* What the error is, as "the certificate is not yet valid or has expired". */
const char *mote_tls_error(const mote_tls *tls);

#ifdef __cplusplus
}
#endif
#endif
