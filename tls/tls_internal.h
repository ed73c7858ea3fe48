/* What the files of this folder share. */
#ifndef MOTE_TLS_INTERNAL_H
#define MOTE_TLS_INTERNAL_H

#include "tls.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_MAJOR >= 3
#define MOTE_TLS_3 1
#else
#define MOTE_TLS_3 0
#endif

struct mote_tls_context {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt ca, cert;
    mbedtls_pk_context key;
    mbedtls_ssl_config config;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_cache_context sessions;
    const mote_tls_pin *pins;
    size_t pin_count;
    size_t (*find_psk)(void *context, const uint8_t *identity, size_t len, uint8_t *key,
                       size_t cap);
    void *psk_context;
    bool server, has_ca, accepts_any;
};

enum { TLS_TEXT = 256, TLS_SMALL = 128 };

struct mote_tls {
    mbedtls_ssl_context ssl;
    mote_tls_context *context;
    const char *host_name;
    const uint8_t *in;
    size_t in_len;
    uint8_t small_len, small_pos; /* of `small`, which leaves first */
    const uint8_t *out;           /* a record in mbedTLS's buffer that waits for the transport */
    size_t out_len, out_pos;
    size_t writing; /* plain bytes of that record, which mbedTLS wants to be offered again */
    bool ready, ended, closing, said_goodbye, saw_certificate, offered_session;
    int error;
    uint8_t small[TLS_SMALL];
    char text[TLS_TEXT]; /* of the error, or of a certificate that is not accepted */
};

/* mbedtls_ssl_set_verify(): pins, and a text that says which check of which certificate failed. */
int mote_tls_verify(void *tls, mbedtls_x509_crt *crt, int depth, uint32_t *flags);

/* The key of the context stays with a signer. 0, or < 0: there is no way with this mbedTLS. */
int mote_tls_set_signer(mote_tls_context *c, const mote_tls_signer *signer);

#endif
