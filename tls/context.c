/* Certificates, keys and what connections may agree on. */
#include "tls_internal.h"

#include <string.h>
#if MOTE_TLS_3
#include <psa/crypto.h>
#endif

_Static_assert(sizeof(mote_tls_context) <= MOTE_TLS_CONTEXT_MEMORY, "MOTE_TLS_CONTEXT_MEMORY");
_Static_assert(sizeof(mote_tls) <= MOTE_TLS_MEMORY, "MOTE_TLS_MEMORY");

/* RFC 9113 9.2.2: TLS 1.2 with ephemeral keys and authenticated encryption. */
#if MOTE_TLS_3
#define TLS_1_3_SUITES                                                                             \
    0x1301,     /* TLS_AES_128_GCM_SHA256 */                                                       \
        0x1302, /* TLS_AES_256_GCM_SHA384 */                                                       \
        0x1303, /* TLS_CHACHA20_POLY1305_SHA256 */
#else
#define TLS_1_3_SUITES /* version 2 takes numbers that it does not know for a fault */
#endif
#define CERTIFICATE_SUITES                                                                         \
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,                                               \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,                                             \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,                                           \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,                                             \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,                                     \
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,                                       \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM
#define PSK_SUITES                                                                                 \
    MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,                                           \
        MBEDTLS_TLS_DHE_PSK_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_DHE_PSK_WITH_AES_128_CCM
static const int certificate_suites[] = {TLS_1_3_SUITES CERTIFICATE_SUITES, 0};
static const int psk_suites[] = {TLS_1_3_SUITES PSK_SUITES, 0};
static const int all_suites[] = {TLS_1_3_SUITES CERTIFICATE_SUITES, PSK_SUITES, 0};

/* The quick ones first. */
#if MOTE_TLS_3
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#else
static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                              MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_SECP521R1,
                                              MBEDTLS_ECP_DP_NONE};
#endif

static const char *protocols[] = {"h2", NULL};

enum { MAX_PSK = 64 };

/* ---- what is given ------------------------------------------------------------------------- */

static bool has_psk(const mote_tls_config *config)
{
    return config->psk.len > 0 || config->find_psk;
}

static bool has_key(const mote_tls_config *config)
{
    return config->key.len > 0 || config->signer || config->psa_key != 0;
}

static int parse_key(mote_tls_context *c, mote_tls_span key)
{
#if MOTE_TLS_3
    return mbedtls_pk_parse_key(&c->key, key.data, key.len, NULL, 0, mbedtls_ctr_drbg_random,
                                &c->random);
#else
    return mbedtls_pk_parse_key(&c->key, key.data, key.len, NULL, 0);
#endif
}

static const char *load_key(mote_tls_context *c, const mote_tls_config *config)
{
    if (config->signer)
        return mote_tls_set_signer(c, config->signer) == 0
                   ? NULL
                   : "this mbedTLS takes a signer for RSA alone: use psa_key";
    if (config->psa_key != 0) {
#if MOTE_TLS_3 && defined(MBEDTLS_USE_PSA_CRYPTO)
        if (mbedtls_pk_setup_opaque(&c->key, (mbedtls_svc_key_id_t)config->psa_key) == 0)
            return NULL;
#endif
        return "this mbedTLS takes no psa_key: it needs MBEDTLS_USE_PSA_CRYPTO";
    }
    return config->key.len > 0 && parse_key(c, config->key) != 0 ? "the key cannot be read" : NULL;
}

static const char *check(const mote_tls_config *config)
{
    if ((config->cert.len > 0) != has_key(config))
        return "a certificate needs its key, and a key its certificate";
    if (config->server && config->cert.len == 0 && !has_psk(config))
        return "a server needs a certificate or a shared key";
    if (config->psk.len > 0 && config->psk_identity.len == 0)
        return "a shared key needs its identity";
    if (!config->server && config->find_psk)
        return "find_psk is for servers";
    if (!config->server && config->ca.len == 0 && config->pin_count == 0 && !has_psk(config) &&
        !config->dangerously_accept_any_certificate)
        return "a client needs CA certificates, pins or a shared key";
    return NULL;
}

static const char *load(mote_tls_context *c, const mote_tls_config *config)
{
    if (mbedtls_ctr_drbg_seed(&c->random, mbedtls_entropy_func, &c->entropy, NULL, 0) != 0)
        return "no entropy";
    if (config->ca.len > 0 && mbedtls_x509_crt_parse(&c->ca, config->ca.data, config->ca.len) != 0)
        return "the CA certificates cannot be read";
    if (config->cert.len > 0 &&
        mbedtls_x509_crt_parse(&c->cert, config->cert.data, config->cert.len) != 0)
        return "the certificate cannot be read";
    return load_key(c, config);
}

/* ---- what may be agreed on ----------------------------------------------------------------- */

/* mbedTLS asks for the key of an identity. */
static int give_psk(void *context, mbedtls_ssl_context *ssl, const unsigned char *identity,
                    size_t len)
{
    mote_tls_context *c = context;
    uint8_t key[MAX_PSK];
    size_t n = c->find_psk(c->psk_context, identity, len, key, sizeof key);

    return n == 0 || n > sizeof key ? -1 : mbedtls_ssl_set_hs_psk(ssl, key, n);
}

static const char *set_psk(mote_tls_context *c, const mote_tls_config *config)
{
    if (config->find_psk) {
        mbedtls_ssl_conf_psk_cb(&c->config, give_psk, c);
        return NULL;
    }
    if (config->psk.len > 0 &&
        mbedtls_ssl_conf_psk(&c->config, config->psk.data, config->psk.len,
                             config->psk_identity.data, config->psk_identity.len) != 0)
        return "the shared key is too long, or memory is out";
    return NULL;
}

static void set_versions(mote_tls_context *c, const mote_tls_config *config)
{
#if MOTE_TLS_3
    mbedtls_ssl_conf_min_tls_version(&c->config, MBEDTLS_SSL_VERSION_TLS1_2);
    if (config->no_tls13 || config->signer) /* RSA-PSS of TLS 1.3 is not what a signer does */
        mbedtls_ssl_conf_max_tls_version(&c->config, MBEDTLS_SSL_VERSION_TLS1_2);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    mbedtls_ssl_conf_tls13_key_exchange_modes(
        &c->config, has_psk(config) && config->cert.len == 0 && config->ca.len == 0
                        ? MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL
                        : MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
#endif
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_CLI_C) &&                          \
    defined(MBEDTLS_SSL_PROTO_TLS1_3)
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        &c->config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
#else
    (void)config;
    mbedtls_ssl_conf_min_version(&c->config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3); /* TLS 1.2 */
#endif
}

static const char *set_sessions(mote_tls_context *c, const mote_tls_config *config)
{
    if (!config->server || config->session_s == 0)
        return NULL;
    if (mbedtls_ssl_ticket_setup(&c->tickets, mbedtls_ctr_drbg_random, &c->random,
                                 MBEDTLS_CIPHER_AES_256_GCM, config->session_s) != 0)
        return "tickets cannot be set up";
    mbedtls_ssl_conf_session_tickets_cb(&c->config, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &c->tickets);
    mbedtls_ssl_cache_set_timeout(&c->sessions, (int)config->session_s);
    mbedtls_ssl_conf_session_cache(&c->config, &c->sessions, mbedtls_ssl_cache_get,
                                   mbedtls_ssl_cache_set);
    return NULL;
}

static const char *set_fragment(mote_tls_context *c, uint16_t bytes)
{
    switch (bytes) {
    case 0:
        return NULL;
    case 512:
    case 1024:
    case 2048:
    case 4096:
        /* 512 is 2 to the power of 9, which has the code 1 */
        for (unsigned char code = 1; code <= 4; code++) {
            if (bytes == 256u << code)
                mbedtls_ssl_conf_max_frag_len(&c->config, code);
        }
        return NULL;
    default:
        return "max_fragment is 512, 1024, 2048 or 4096";
    }
}

static int verify_mode(const mote_tls_config *config)
{
    bool asked = config->ca.len > 0 || config->pin_count > 0;

    if (config->dangerously_accept_any_certificate || (config->server && !asked))
        return MBEDTLS_SSL_VERIFY_NONE;
    return MBEDTLS_SSL_VERIFY_REQUIRED;
}

static const char *configure(mote_tls_context *c, const mote_tls_config *config)
{
    const char *why;

    if (mbedtls_ssl_config_defaults(&c->config,
                                    config->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return "out of memory";
    mbedtls_ssl_conf_rng(&c->config, mbedtls_ctr_drbg_random, &c->random);
    mbedtls_ssl_conf_ciphersuites(&c->config, !has_psk(config) ? certificate_suites
                                              : config->cert.len > 0 || config->ca.len > 0
                                                  ? all_suites
                                                  : psk_suites);
#if MOTE_TLS_3
    mbedtls_ssl_conf_groups(&c->config, groups);
#else
    mbedtls_ssl_conf_curves(&c->config, groups);
#endif
    mbedtls_ssl_conf_authmode(&c->config, verify_mode(config));
    mbedtls_ssl_conf_ca_chain(&c->config, &c->ca, NULL);
    if (config->cert.len > 0 && mbedtls_ssl_conf_own_cert(&c->config, &c->cert, &c->key) != 0)
        return "the key does not fit the certificate";
    if (mbedtls_ssl_conf_alpn_protocols(&c->config, protocols) != 0)
        return "out of memory";
#if defined(MBEDTLS_SSL_RENEGOTIATION)
    mbedtls_ssl_conf_renegotiation(&c->config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
    set_versions(c, config);
    why = set_psk(c, config);
    why = why ? why : set_sessions(c, config);
    return why ? why : set_fragment(c, config->max_fragment);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void prepare(mote_tls_context *c, const mote_tls_config *config)
{
    memset(c, 0, sizeof *c);
    c->server = config->server;
    c->has_ca = config->ca.len > 0;
    c->pins = config->pins;
    c->pin_count = config->pin_count;
    c->find_psk = config->find_psk;
    c->psk_context = config->psk_context;
    mbedtls_entropy_init(&c->entropy);
    mbedtls_ctr_drbg_init(&c->random);
    mbedtls_x509_crt_init(&c->ca);
    mbedtls_x509_crt_init(&c->cert);
    mbedtls_pk_init(&c->key);
    mbedtls_ssl_config_init(&c->config);
    mbedtls_ssl_ticket_init(&c->tickets);
    mbedtls_ssl_cache_init(&c->sessions);
}

int mote_tls_context_init(mote_tls_context **context, const mote_tls_config *config, void *memory,
                          size_t size, const char **why)
{
    mote_tls_context *c = memory;

    *context = NULL;
    *why = check(config);
    if (size < sizeof *c)
        *why = "memory: MOTE_TLS_CONTEXT_MEMORY bytes are needed";
    if (*why)
        return MOTE_TLS_ERR_CONFIG;
#if MOTE_TLS_3
    if (psa_crypto_init() != PSA_SUCCESS) {
        *why = "PSA cannot be initialised";
        return MOTE_TLS_ERR_CONFIG;
    }
#endif
    prepare(c, config);
    *why = load(c, config);
    if (!*why)
        *why = configure(c, config);
    if (*why) {
        mote_tls_context_end(c);
        return MOTE_TLS_ERR_CONFIG;
    }
    *context = c;
    return 0;
}

void mote_tls_context_end(mote_tls_context *c)
{
    if (!c)
        return;
    mbedtls_ssl_cache_free(&c->sessions);
    mbedtls_ssl_ticket_free(&c->tickets);
    mbedtls_ssl_config_free(&c->config);
    mbedtls_pk_free(&c->key);
    mbedtls_x509_crt_free(&c->cert);
    mbedtls_x509_crt_free(&c->ca);
    mbedtls_ctr_drbg_free(&c->random);
    mbedtls_entropy_free(&c->entropy);
}
