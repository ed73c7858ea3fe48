/* All in which mbedTLS 2.28, 3 and 4 differ. */
#include "tls_internal.h"

#include <mbedtls/error.h>
#include <mbedtls/platform.h>

#include <stdio.h>
#include <string.h>
#if MOTE_TLS_MBEDTLS < 4
#include <mbedtls/rsa.h>
#endif
#if MOTE_TLS_MBEDTLS < 3
#include <mbedtls/pk_internal.h>
#endif

/* ---- results -------------------------------------------------------------------------------- */

#if MOTE_TLS_MBEDTLS < 4
void mote_tls_put_result(int r, char *out, size_t cap)
{
    mbedtls_strerror(r, out, cap);
}
#else
static const char *result_text(int r)
{
    switch (r) {
    case PSA_ERROR_INSUFFICIENT_MEMORY:
        return "mbedTLS has no memory left";
    case PSA_ERROR_INSUFFICIENT_ENTROPY:
        return "PSA has no entropy";
    case PSA_ERROR_INVALID_SIGNATURE:
        return "a signature of the peer is wrong";
    case PSA_ERROR_NOT_SUPPORTED:
        return "PSA was built without what the peer asks for";
    case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
        return "mbedTLS does not know the kind of the peer's key, as Ed25519";
    default:
        return NULL;
    }
}

void mote_tls_put_result(int r, char *out, size_t cap)
{
    const char *text = result_text(r);

    if (text)
        snprintf(out, cap, "%s", text);
    else if (r < -128 && r > -160) /* another one of PSA's */
        snprintf(out, cap, "PSA has said %d", r);
    else
        mbedtls_strerror(r, out, cap);
}
#endif

/* ---- random numbers ------------------------------------------------------------------------- */

static bool begin_psa(void)
{
#if MOTE_TLS_PSA
    return psa_crypto_init() == PSA_SUCCESS;
#else
    return true;
#endif
}

const char *mote_tls_begin_random(mote_tls_random *r)
{
#if MOTE_TLS_MBEDTLS < 4
    mbedtls_entropy_init(&r->entropy);
    mbedtls_ctr_drbg_init(&r->generator);
    if (!begin_psa())
        return "PSA cannot be initialised";
    if (mbedtls_ctr_drbg_seed(&r->generator, mbedtls_entropy_func, &r->entropy, NULL, 0) != 0)
        return "no entropy";
    return NULL;
#else
    (void)r;
    return begin_psa() ? NULL : "PSA cannot be initialised";
#endif
}

bool mote_tls_put_random(mote_tls_random *r, uint8_t *out, size_t len)
{
#if MOTE_TLS_MBEDTLS < 4
    return mbedtls_ctr_drbg_random(&r->generator, out, len) == 0;
#else
    (void)r;
    return psa_generate_random(out, len) == PSA_SUCCESS;
#endif
}

/* ---- HMAC-SHA-256 --------------------------------------------------------------------------- */

#if MOTE_TLS_MBEDTLS < 4
int mote_tls_hmac_begin(mote_tls_hmac *h, mote_tls_span key)
{
    static const unsigned char none[1];
    const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);

    mbedtls_md_init(h);
    int r = sha256 ? mbedtls_md_setup(h, sha256, 1) : MBEDTLS_ERR_MD_FEATURE_UNAVAILABLE;
    if (r == 0)
        r = mbedtls_md_hmac_starts(h, key.len > 0 ? key.data : none, key.len);
    if (r != 0)
        mbedtls_md_free(h);
    return r;
}

int mote_tls_hmac_end(mote_tls_hmac *h, uint8_t out[32])
{
    int r = mbedtls_md_hmac_finish(h, out);

    mbedtls_md_free(h);
    return r;
}
#else
/* PSA has no keys without bytes. One that is zero is the same: HMAC fills keys up with zeros (RFC
 * 2104 2). */
int mote_tls_hmac_begin(mote_tls_hmac *h, mote_tls_span key)
{
    static const uint8_t zero[1];
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;

    h->operation = psa_mac_operation_init();
    psa_set_key_type(&attributes, PSA_KEY_TYPE_HMAC);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attributes, PSA_ALG_HMAC(PSA_ALG_SHA_256));
    psa_status_t r = psa_import_key(&attributes, key.len > 0 ? key.data : zero,
                                    key.len > 0 ? key.len : 1, &h->key);
    if (r != PSA_SUCCESS)
        return (int)r;
    r = psa_mac_sign_setup(&h->operation, h->key, PSA_ALG_HMAC(PSA_ALG_SHA_256));
    if (r != PSA_SUCCESS)
        psa_destroy_key(h->key);
    return (int)r;
}

int mote_tls_hmac_end(mote_tls_hmac *h, uint8_t out[32])
{
    size_t n;
    psa_status_t r = psa_mac_sign_finish(&h->operation, out, 32, &n);

    psa_mac_abort(&h->operation);
    psa_destroy_key(h->key);
    return (int)r;
}
#endif

/* ---- the key of a context ------------------------------------------------------------------- */

const char *mote_tls_set_psa_key(mote_tls_context *c, uint32_t psa_key)
{
#if MOTE_TLS_MBEDTLS >= 4
    if (mbedtls_pk_wrap_psa(&c->key, (mbedtls_svc_key_id_t)psa_key) == 0)
        return NULL;
    return "PSA has no such key as psa_key";
#elif MOTE_TLS_MBEDTLS == 3 && defined(MBEDTLS_USE_PSA_CRYPTO)
    if (mbedtls_pk_setup_opaque(&c->key, (mbedtls_svc_key_id_t)psa_key) == 0)
        return NULL;
    return "PSA has no such key as psa_key";
#else
    (void)c, (void)psa_key;
    return "this mbedTLS takes no psa_key: it needs MBEDTLS_USE_PSA_CRYPTO";
#endif
}

/* ---- signers -------------------------------------------------------------------------------- */

/* mbedTLS asks for signatures in its own ways: for RSA by a documented one in versions 2 and 3, for
 * elliptic curves by a table of functions that version 3 has closed; and version 4 asks PSA alone.
 */
#if MOTE_TLS_MBEDTLS < 4
static int bits_of(mbedtls_md_type_t md)
{
    return md == MBEDTLS_MD_SHA512 ? 512 : md == MBEDTLS_MD_SHA384 ? 384 : 256;
}

static bool is_sha2(mbedtls_md_type_t md)
{
    return md == MBEDTLS_MD_SHA256 || md == MBEDTLS_MD_SHA384 || md == MBEDTLS_MD_SHA512;
}

static size_t rsa_length(void *context)
{
    const mote_tls_signer *s = context;

    return s->rsa_bits / 8;
}

static int rsa_decrypt(void *context, size_t *olen, const unsigned char *in, unsigned char *out,
                       size_t cap)
{
    (void)context, (void)olen, (void)in, (void)out, (void)cap;
    return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE; /* no suite that needs it is offered */
}

static int rsa_sign(const mote_tls_signer *s, mbedtls_md_type_t md, const unsigned char *hash,
                    unsigned char *sig)
{
    size_t n = 0;

    if (!is_sha2(md))
        return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
    int r =
        s->sign(s->context, bits_of(md), hash, (size_t)bits_of(md) / 8, sig, s->rsa_bits / 8u, &n);
    return r < 0 || n != s->rsa_bits / 8u ? MBEDTLS_ERR_RSA_PRIVATE_FAILED : 0;
}

#if MOTE_TLS_MBEDTLS == 3
static int rsa_decrypt_alt(void *context, size_t *olen, const unsigned char *in, unsigned char *out,
                           size_t cap)
{
    return rsa_decrypt(context, olen, in, out, cap);
}

static int rsa_sign_alt(void *context, mbedtls_f_rng_t *rng, void *random, mbedtls_md_type_t md,
                        unsigned hash_len, const unsigned char *hash, unsigned char *sig)
{
    (void)rng, (void)random, (void)hash_len;
    return rsa_sign(context, md, hash, sig);
}
#else
static int rsa_decrypt_alt(void *context, int mode, size_t *olen, const unsigned char *in,
                           unsigned char *out, size_t cap)
{
    (void)mode;
    return rsa_decrypt(context, olen, in, out, cap);
}

static int rsa_sign_alt(void *context, int (*rng)(void *, unsigned char *, size_t), void *random,
                        int mode, mbedtls_md_type_t md, unsigned hash_len,
                        const unsigned char *hash, unsigned char *sig)
{
    (void)rng, (void)random, (void)mode, (void)hash_len;
    return rsa_sign(context, md, hash, sig);
}
#endif

#if MOTE_TLS_MBEDTLS < 3
static size_t ec_bits(const void *context)
{
    (void)context;
    return 256;
}

static int ec_can_do(mbedtls_pk_type_t type)
{
    return type == MBEDTLS_PK_ECKEY || type == MBEDTLS_PK_ECDSA;
}

static int ec_sign(void *context, mbedtls_md_type_t md, const unsigned char *hash, size_t hash_len,
                   unsigned char *sig, size_t *sig_len, int (*rng)(void *, unsigned char *, size_t),
                   void *random)
{
    const mote_tls_signer *s = context;

    (void)rng, (void)random;
    if (!is_sha2(md))
        return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
    if (s->sign(s->context, bits_of(md), hash, hash_len, sig, MBEDTLS_PK_SIGNATURE_MAX_SIZE,
                sig_len) < 0)
        return MBEDTLS_ERR_PK_HW_ACCEL_FAILED;
    return 0;
}

static void ec_free(void *context)
{
    (void)context; /* the caller's */
}

static const mbedtls_pk_info_t ec_info = {.type = MBEDTLS_PK_ECKEY,
                                          .name = "EC",
                                          .get_bitlen = ec_bits,
                                          .can_do = ec_can_do,
                                          .sign_func = ec_sign,
                                          .ctx_free_func = ec_free};

static const char *set_ec_signer(mote_tls_context *c, void *signer)
{
    c->key.pk_info = &ec_info;
    c->key.pk_ctx = signer;
    return NULL;
}
#else
static const char *set_ec_signer(mote_tls_context *c, void *signer)
{
    (void)c, (void)signer;
    return "this mbedTLS takes a signer for RSA alone: use psa_key";
}
#endif

const char *mote_tls_set_signer(mote_tls_context *c, const mote_tls_signer *signer)
{
    void *context = (void *)signer; /* mbedTLS only hands it on */

    if (signer->rsa_bits == 0)
        return set_ec_signer(c, context);
    mbedtls_pk_setup_rsa_alt(&c->key, context, rsa_decrypt_alt, rsa_sign_alt, rsa_length);
    return NULL;
}
#else
const char *mote_tls_set_signer(mote_tls_context *c, const mote_tls_signer *signer)
{
    (void)c, (void)signer;
    return "this mbedTLS takes no signer: use psa_key";
}
#endif

/* ---- what may be agreed on ------------------------------------------------------------------ */

/* RFC 9113 9.2.2: TLS 1.2 with ephemeral keys and authenticated encryption. ChaCha20 first:
 * mbedTLS's GCM is slower even with AES instructions, and two to three times without them. */
#if MOTE_TLS_MBEDTLS >= 3
#define TLS_1_3_SUITES                                                                             \
    0x1303,     /* TLS_CHACHA20_POLY1305_SHA256 */                                                 \
        0x1301, /* TLS_AES_128_GCM_SHA256 */                                                       \
        0x1302, /* TLS_AES_256_GCM_SHA384 */
#else
#define TLS_1_3_SUITES /* version 2 takes numbers that it does not know for a fault */
#endif
#define CERTIFICATE_SUITES                                                                         \
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,                                         \
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,                                       \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,                                           \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,                                             \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,                                           \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM
/* Those of finite fields are gone from version 4. */
#if MOTE_TLS_MBEDTLS < 4
#define PSK_SUITES                                                                                 \
    MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,                                           \
        MBEDTLS_TLS_DHE_PSK_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_DHE_PSK_WITH_AES_128_CCM
#else
#define PSK_SUITES MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256
#endif
static const int certificate_suites[] = {TLS_1_3_SUITES CERTIFICATE_SUITES, 0};
static const int psk_suites[] = {TLS_1_3_SUITES PSK_SUITES, 0};
static const int all_suites[] = {TLS_1_3_SUITES CERTIFICATE_SUITES, PSK_SUITES, 0};

/* The quick ones first. */
#if MOTE_TLS_MBEDTLS >= 3
static const uint16_t tls_groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#else
static const mbedtls_ecp_group_id tls_groups[] = {
    MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
    MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_ECP_DP_NONE};
#endif

#if MOTE_TLS_MBEDTLS >= 3
/* PKCS #1 v1.5 before PSS: 3.6.6 cannot verify PSS in TLS 1.2 (Mbed-TLS/mbedtls#10668), which
 * servers with an RSA certificate choose when it comes first. TLS 1.3 takes PSS all the same. */
static const uint16_t signature_algorithms[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,    MBEDTLS_TLS1_3_SIG_NONE};
#endif

/* Of its own, or what it trusts. */
static bool knows_certificates(const mote_tls_config *config)
{
    return config->cert.len > 0 || config->ca.len > 0 || config->pin_count > 0;
}

static void set_suites(mote_tls_context *c, const mote_tls_config *config)
{
    mbedtls_ssl_conf_ciphersuites(&c->config, !tls_has_psk(config)         ? certificate_suites
                                              : knows_certificates(config) ? all_suites
                                                                           : psk_suites);
}

#if MOTE_TLS_MBEDTLS >= 3
static void set_versions(mote_tls_context *c, const mote_tls_config *config)
{
    mbedtls_ssl_conf_min_tls_version(&c->config, MBEDTLS_SSL_VERSION_TLS1_2);
    if (config->no_tls13 || config->signer) /* RSA-PSS of TLS 1.3 is not what a signer does */
        mbedtls_ssl_conf_max_tls_version(&c->config, MBEDTLS_SSL_VERSION_TLS1_2);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    mbedtls_ssl_conf_tls13_key_exchange_modes(
        &c->config, tls_has_psk(config) && !knows_certificates(config)
                        ? MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL
                        : MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
#endif
#if MOTE_TLS_MBEDTLS == 3 && defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_CLI_C) && \
    defined(MBEDTLS_SSL_PROTO_TLS1_3)
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        &c->config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
}

void mote_tls_set_terms(mote_tls_context *c, const mote_tls_config *config)
{
#if MOTE_TLS_MBEDTLS == 3
    mbedtls_ssl_conf_rng(&c->config, mbedtls_ctr_drbg_random, &c->random.generator);
#endif
    set_suites(c, config);
    mbedtls_ssl_conf_groups(&c->config, tls_groups);
    mbedtls_ssl_conf_sig_algs(&c->config, signature_algorithms);
    set_versions(c, config);
}
#else
void mote_tls_set_terms(mote_tls_context *c, const mote_tls_config *config)
{
    mbedtls_ssl_conf_rng(&c->config, mbedtls_ctr_drbg_random, &c->random.generator);
    set_suites(c, config);
    mbedtls_ssl_conf_curves(&c->config, tls_groups);
    mbedtls_ssl_conf_min_version(&c->config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3); /* TLS 1.2 */
}
#endif

/* ---- handshake ------------------------------------------------------------------------------ */

/* A server of TLS 1.3 asks for the key of an identity before it knows whether the client lets it be
 * used (RFC 8446 4.2.9). If not, no binder is looked at, and the server goes on to its certificate:
 * then the client has named an identity, and proven nothing. In TLS 1.2 the key comes later. */
static void note_step(mote_tls *t)
{
    int state = t->ssl.MOTE_TLS_MEMBER(state);

    if (t->context->server && state == MBEDTLS_SSL_SERVER_CERTIFICATE)
        t->identity_len = 0, t->long_identity = false;
    t->exchanged_keys = t->exchanged_keys || state == MBEDTLS_SSL_CLIENT_KEY_EXCHANGE;
}

int mote_tls_shake_hands(mote_tls *t)
{
    int r = 0;

    t->context->shaking = t;
    while (r == 0 && t->ssl.MOTE_TLS_MEMBER(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
        note_step(t);
        r = mbedtls_ssl_handshake_step(&t->ssl);
    }
    return r;
}

/* ---- sessions ------------------------------------------------------------------------------- */

#if MOTE_TLS_MBEDTLS >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3) &&                                  \
    defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_SERVER_NAME_INDICATION) &&         \
    defined(MBEDTLS_SSL_CLI_C)
int mote_tls_rename_session(const mote_tls *t, mbedtls_ssl_session *s)
{
    char **name = &s->MBEDTLS_PRIVATE(hostname);
    const char *own = t->address_len > 0 ? NULL : t->ssl.MBEDTLS_PRIVATE(hostname);
    size_t size = own ? strlen(own) + 1 : 0;

    if (!*name)
        return 0;
    mbedtls_free(*name);
    *name = own ? mbedtls_calloc(1, size) : NULL;
    if (own && !*name)
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    if (own)
        memcpy(*name, own, size);
    return 0;
}
#else
int mote_tls_rename_session(const mote_tls *t, mbedtls_ssl_session *s)
{
    (void)t, (void)s;
    return 0;
}
#endif
