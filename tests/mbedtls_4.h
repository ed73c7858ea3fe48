/* A double of mbedTLS 4 over 3.6, by what its documents say: programs are compiled with -include of
 * this file, see version 4, cannot use what it has removed, and run on 3.6. No registry has version
 * 4 itself; docs/tls.md says when it was tried last. */
#ifndef MOTE_TESTS_MBEDTLS_4_H
#define MOTE_TESTS_MBEDTLS_4_H

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>

/* Some of its results are PSA's. */
#undef MBEDTLS_ERR_SSL_ALLOC_FAILED
#define MBEDTLS_ERR_SSL_ALLOC_FAILED PSA_ERROR_INSUFFICIENT_MEMORY

#undef MBEDTLS_VERSION_MAJOR
#define MBEDTLS_VERSION_MAJOR 4

/* Without a generator. */
#define RANDOM mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE
static inline int double_parse_key(mbedtls_pk_context *pk, const unsigned char *key, size_t len,
                                   const unsigned char *password, size_t n)
{
    return mbedtls_pk_parse_key(pk, key, len, password, n, RANDOM);
}

static inline int double_check_pair(const mbedtls_pk_context *public_key,
                                    const mbedtls_pk_context *key)
{
    return mbedtls_pk_check_pair(public_key, key, RANDOM);
}

static inline int double_sign(mbedtls_pk_context *pk, mbedtls_md_type_t md,
                              const unsigned char *hash, size_t len, unsigned char *out, size_t cap,
                              size_t *n)
{
    return mbedtls_pk_sign(pk, md, hash, len, out, cap, n, RANDOM);
}

/* By PSA's names. */
static inline int double_ticket_setup(mbedtls_ssl_ticket_context *t, psa_algorithm_t algorithm,
                                      psa_key_type_t type, psa_key_bits_t bits, uint32_t lifetime)
{
    if (algorithm != PSA_ALG_GCM || type != PSA_KEY_TYPE_AES || bits != 256)
        return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    return mbedtls_ssl_ticket_setup(t, RANDOM, MBEDTLS_CIPHER_AES_256_GCM, lifetime);
}

static inline int double_wrap_psa(mbedtls_pk_context *pk, mbedtls_svc_key_id_t key)
{
#if defined(MBEDTLS_USE_PSA_CRYPTO)
    return mbedtls_pk_setup_opaque(pk, key);
#else
    (void)pk, (void)key;
    return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
#endif
}

/* A config has PSA's generator, and tells of each ticket of TLS 1.3. */
static inline int double_defaults(mbedtls_ssl_config *config, int endpoint, int transport,
                                  int preset)
{
    int r = mbedtls_ssl_config_defaults(config, endpoint, transport, preset);

    mbedtls_ssl_conf_rng(config, RANDOM);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
    return r;
}

#define mbedtls_pk_parse_key        double_parse_key
#define mbedtls_pk_check_pair       double_check_pair
#define mbedtls_pk_sign             double_sign
#define mbedtls_pk_wrap_psa         double_wrap_psa
#define mbedtls_ssl_ticket_setup    double_ticket_setup
#define mbedtls_ssl_config_defaults double_defaults

/* What it has removed, as far as anybody here has used it. */
#undef MBEDTLS_TLS_DHE_PSK_WITH_AES_128_CCM
#undef MBEDTLS_TLS_DHE_PSK_WITH_AES_128_GCM_SHA256
#pragma GCC poison mbedtls_ctr_drbg_context mbedtls_ctr_drbg_free mbedtls_ctr_drbg_init            \
    mbedtls_ctr_drbg_random mbedtls_ctr_drbg_seed
#pragma GCC poison mbedtls_entropy_context mbedtls_entropy_free mbedtls_entropy_func               \
    mbedtls_entropy_init mbedtls_f_rng_t
#pragma GCC poison mbedtls_md_hmac mbedtls_md_hmac_finish mbedtls_md_hmac_reset                    \
    mbedtls_md_hmac_starts mbedtls_md_hmac_update
#pragma GCC poison mbedtls_pk_can_do mbedtls_pk_debug mbedtls_pk_decrypt mbedtls_pk_encrypt        \
    mbedtls_pk_get_type mbedtls_pk_info_from_type
#pragma GCC poison mbedtls_pk_setup mbedtls_pk_setup_opaque mbedtls_pk_setup_rsa_alt mbedtls_pk_ec \
    mbedtls_pk_rsa
#pragma GCC poison mbedtls_sha256 mbedtls_sha256_finish mbedtls_sha256_init mbedtls_sha256_starts  \
    mbedtls_sha256_update
#pragma GCC poison mbedtls_sha512 mbedtls_ssl_conf_curves mbedtls_ssl_conf_max_version             \
    mbedtls_ssl_conf_min_version mbedtls_ssl_conf_rng
#pragma GCC poison mbedtls_ssl_conf_sig_hashes mbedtls_ssl_conf_dh_param_bin                       \
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets

#endif
