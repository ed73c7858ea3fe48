/* All in which mbedTLS 2.28, 3 and 4 differ is here and in mbedtls_versions.c. The other files use
 * what the three share: tests/tls_names.txt lists it, and `make house` holds them to it. */
#ifndef MOTE_TLS_MBEDTLS_VERSIONS_INTERNAL_H
#define MOTE_TLS_MBEDTLS_VERSIONS_INTERNAL_H

#include "tls.h"

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>

#define MOTE_TLS_MBEDTLS MBEDTLS_VERSION_MAJOR

/* The random numbers, SHA-256 and keys of version 4 are PSA's. Version 3 may be built with PSA,
 * which TLS 1.3 needs. */
#if MOTE_TLS_MBEDTLS >= 4 || (MOTE_TLS_MBEDTLS == 3 && defined(MBEDTLS_PSA_CRYPTO_CLIENT))
#define MOTE_TLS_PSA 1
#include <psa/crypto.h>
#else
#define MOTE_TLS_PSA 0
#endif

#if MOTE_TLS_MBEDTLS < 4
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#if !defined(MBEDTLS_ENTROPY_C) || !defined(MBEDTLS_CTR_DRBG_C)
#error                                                                                             \
    "tls: build mbedTLS with MBEDTLS_ENTROPY_C and MBEDTLS_CTR_DRBG_C, over an entropy source of the board"
#endif
#endif

/* Whether it was built with shared keys. */
#if defined(MBEDTLS_KEY_EXCHANGE_SOME_PSK_ENABLED) ||                                              \
    defined(MBEDTLS_SSL_HANDSHAKE_WITH_PSK_ENABLED)
#define MOTE_TLS_PSK 1
#else
#define MOTE_TLS_PSK 0
#endif

/* A member that a later version calls private, and has all the same. */
#if MOTE_TLS_MBEDTLS >= 3
#define MOTE_TLS_MEMBER(name) MBEDTLS_PRIVATE(name)
#else
#define MOTE_TLS_MEMBER(name) name
#endif

/* What the versions call the same thing. */
enum tls_result {
#if MOTE_TLS_MBEDTLS >= 3
    TLS_NO_COMMON_SUITE = MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE,
    TLS_NO_COMMON_PROTOCOL = MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL
#else
    TLS_NO_COMMON_SUITE = MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN,
    TLS_NO_COMMON_PROTOCOL = MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO /* or another fault in it */
#endif
};

/* A result in words. Those of PSA, which version 4 hands through, are not among mbedTLS's. */
void mote_tls_put_result(int result, char *out, size_t cap);

/* Whether a result says that a ticket of TLS 1.3 has come, in place of what was asked for. */
static inline bool tls_is_new_ticket(int result)
{
#if MOTE_TLS_MBEDTLS >= 3
    return result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
    (void)result;
    return false;
#endif
}

static inline bool tls_is_1_3(const mbedtls_ssl_context *ssl)
{
#if MOTE_TLS_MBEDTLS >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
    return mbedtls_ssl_get_version_number(ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
#else
    (void)ssl;
    return false;
#endif
}

/* Whether a session is of the version that a connection has agreed on: mbedTLS 3.6 would go on in
 * TLS 1.2 with one of TLS 1.3, which has no master secret: that of zeros. */
static inline bool tls_same_version(const mbedtls_ssl_context *ssl, const mbedtls_ssl_session *s)
{
#if MOTE_TLS_MBEDTLS >= 3
    return s->MBEDTLS_PRIVATE(tls_version) == ssl->MBEDTLS_PRIVATE(tls_version);
#else
    (void)ssl, (void)s;
    return true;
#endif
}

/* Whether a server may show the certificate (RFC 5280 4.2.1.3, 4.2.1.12): with the suites of HTTP/2
 * its key signs. mbedTLS's server passes over those that do not suit. */
static inline bool tls_is_for_servers(const mbedtls_x509_crt *crt)
{
    bool suits = true;

#if MOTE_TLS_MBEDTLS >= 3 || defined(MBEDTLS_X509_CHECK_KEY_USAGE)
    suits = mbedtls_x509_crt_check_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0;
#endif
#if MOTE_TLS_MBEDTLS >= 3 || defined(MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE)
    static const char server_auth[] = {0x2b, 6, 1, 5, 5, 7, 3, 1};
    suits = suits &&
            mbedtls_x509_crt_check_extended_key_usage(crt, server_auth, sizeof server_auth) == 0;
#endif
    (void)crt;
    return suits;
}

/* ---- random numbers ------------------------------------------------------------------------- */

/* Those of a context; of version 4 PSA's alone. */
#if MOTE_TLS_MBEDTLS < 4
typedef struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context generator;
} mote_tls_random;
#else
typedef struct {
    char unused;
} mote_tls_random;
#endif

/* Before anything else is done with mbedTLS, and after all: NULL, or what is wrong. */
const char *mote_tls_begin_random(mote_tls_random *random);

/* False: there are none. */
bool mote_tls_put_random(mote_tls_random *random, uint8_t *out, size_t len);

static inline void tls_end_random(mote_tls_random *r)
{
#if MOTE_TLS_MBEDTLS < 4
    mbedtls_ctr_drbg_free(&r->generator);
    mbedtls_entropy_free(&r->entropy);
#else
    (void)r;
#endif
}

/* ---- HMAC-SHA-256 --------------------------------------------------------------------------- */

#if MOTE_TLS_MBEDTLS < 4
typedef mbedtls_md_context_t mote_tls_hmac;
#else
typedef struct {
    psa_mac_operation_t operation;
    mbedtls_svc_key_id_t key;
} mote_tls_hmac;
#endif

/* 0, or an error of mbedTLS, after which there is nothing to end. */
int mote_tls_hmac_begin(mote_tls_hmac *hmac, mote_tls_span key);
int mote_tls_hmac_end(mote_tls_hmac *hmac, uint8_t out[32]);

/* A fault comes out at the end. */
static inline void tls_hmac_add(mote_tls_hmac *h, const void *data, size_t len)
{
#if MOTE_TLS_MBEDTLS < 4
    mbedtls_md_hmac_update(h, data, len);
#else
    (void)psa_mac_update(&h->operation, data, len);
#endif
}

/* ---- the key of a context ------------------------------------------------------------------- */

/* 0, or an error of mbedTLS. */
static inline int tls_parse_key(mbedtls_pk_context *key, mote_tls_random *r, mote_tls_span pem)
{
#if MOTE_TLS_MBEDTLS == 3
    return mbedtls_pk_parse_key(key, pem.data, pem.len, NULL, 0, mbedtls_ctr_drbg_random,
                                &r->generator);
#else
    (void)r;
    return mbedtls_pk_parse_key(key, pem.data, pem.len, NULL, 0);
#endif
}

/* Whether a key is that of a certificate. */
static inline bool tls_key_fits(const mbedtls_pk_context *of, mbedtls_pk_context *key,
                                mote_tls_random *r)
{
#if MOTE_TLS_MBEDTLS == 3
    return mbedtls_pk_check_pair(of, key, mbedtls_ctr_drbg_random, &r->generator) == 0;
#else
    (void)r;
    return mbedtls_pk_check_pair(of, key) == 0;
#endif
}

/* It stays with a signer, or with PSA. NULL, or why there is no way with this version. */
const char *mote_tls_set_signer(mote_tls_context *c, const mote_tls_signer *signer);
const char *mote_tls_set_psa_key(mote_tls_context *c, uint32_t psa_key);

/* ---- TLS ------------------------------------------------------------------------------------ */

/* What may be agreed on: versions, suites, groups, signatures. */
void mote_tls_set_terms(mote_tls_context *c, const mote_tls_config *config);

/* Tickets that last for so many seconds. 0, or an error of mbedTLS. */
static inline int tls_set_up_tickets(mbedtls_ssl_ticket_context *tickets, mote_tls_random *r,
                                     uint32_t seconds)
{
#if MOTE_TLS_MBEDTLS < 4
    return mbedtls_ssl_ticket_setup(tickets, mbedtls_ctr_drbg_random, &r->generator,
                                    MBEDTLS_CIPHER_AES_256_GCM, seconds);
#else
    (void)r;
    return mbedtls_ssl_ticket_setup(tickets, PSA_ALG_GCM, PSA_KEY_TYPE_AES, 256, seconds);
#endif
}

/* None are sent with TLS 1.3. */
static inline void tls_no_new_tickets(mbedtls_ssl_config *config)
{
#if MOTE_TLS_MBEDTLS >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3) &&                                  \
    defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_SRV_C)
    mbedtls_ssl_conf_new_session_tickets(config, 0);
#else
    (void)config;
#endif
}

/* Goes on with the handshake. 0, or a result of mbedTLS. */
int mote_tls_shake_hands(mote_tls *tls);

/* In a session of TLS 1.3 mbedTLS keeps the host name, and believes that it ends with a NUL, which
 * a saved one may not: that of the connection takes its place. 0, or an error of mbedTLS. */
int mote_tls_rename_session(const mote_tls *tls, mbedtls_ssl_session *session);

#endif
