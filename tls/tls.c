/* The adapter. mbedTLS asks for bytes and gives bytes through two callbacks; the input is the span
 * that the caller has given, the output a buffer that holds a record and a flight of a handshake.
 */
#include "tls.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OVERHEAD = 512, OUT = 2 * (MOTE_TLS_RECORD + OVERHEAD), TEXT = 256 };

struct mote_tls_context {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt ca, cert;
    mbedtls_pk_context key;
    mbedtls_ssl_config config;
    bool server;
};

struct mote_tls {
    mbedtls_ssl_context ssl;
    mote_tls_context *context;
    const uint8_t *in;
    size_t in_len;
    size_t head, tail; /* of `out` */
    bool ready, ended;
    int error;
    char text[TEXT];
    uint8_t out[OUT];
};

/* RFC 9113 9.2.2: TLS 1.2 with ephemeral keys and authenticated encryption. */
static const int suites[] = {
#if MBEDTLS_VERSION_MAJOR >= 3
    0x1301, /* TLS_AES_128_GCM_SHA256 */
    0x1302, /* TLS_AES_256_GCM_SHA384 */
    0x1303, /* TLS_CHACHA20_POLY1305_SHA256 */
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
    0};

static const char *protocols[] = {"h2", NULL};

/* ---- context ------------------------------------------------------------------------------- */

static int parse_key(mote_tls_context *c, mote_tls_span key)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_key(&c->key, key.data, key.len, NULL, 0, mbedtls_ctr_drbg_random,
                                &c->random);
#else
    return mbedtls_pk_parse_key(&c->key, key.data, key.len, NULL, 0);
#endif
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
    if (config->key.len > 0 && parse_key(c, config->key) != 0)
        return "the key cannot be read";
    if ((config->cert.len > 0) != (config->key.len > 0))
        return "a certificate needs its key, and a key its certificate";
    if (config->server && config->cert.len == 0)
        return "a server needs a certificate";
    if (!config->server && config->ca.len == 0 && !config->dangerously_accept_any_certificate)
        return "a client needs CA certificates";
    return NULL;
}

static const char *configure(mote_tls_context *c, const mote_tls_config *config)
{
    int verify = MBEDTLS_SSL_VERIFY_REQUIRED;

    if (mbedtls_ssl_config_defaults(&c->config,
                                    config->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return "out of memory";
    mbedtls_ssl_conf_rng(&c->config, mbedtls_ctr_drbg_random, &c->random);
    mbedtls_ssl_conf_ciphersuites(&c->config, suites);
    mbedtls_ssl_conf_min_version(&c->config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3); /* TLS 1.2 */
    if ((config->server && config->ca.len == 0) || config->dangerously_accept_any_certificate)
        verify = MBEDTLS_SSL_VERIFY_NONE;
    mbedtls_ssl_conf_authmode(&c->config, verify);
    mbedtls_ssl_conf_ca_chain(&c->config, &c->ca, NULL);
    if (config->cert.len > 0 && mbedtls_ssl_conf_own_cert(&c->config, &c->cert, &c->key) != 0)
        return "the key does not fit the certificate";
    if (mbedtls_ssl_conf_alpn_protocols(&c->config, protocols) != 0)
        return "out of memory";
#if defined(MBEDTLS_SSL_RENEGOTIATION)
    mbedtls_ssl_conf_renegotiation(&c->config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
    return NULL;
}

int mote_tls_context_new(mote_tls_context **context, const mote_tls_config *config,
                         const char **why)
{
    mote_tls_context *c = calloc(1, sizeof *c);

    *context = c;
    *why = "out of memory";
    if (!c)
        return MOTE_TLS_ERR_CONFIG;
    c->server = config->server;
    mbedtls_entropy_init(&c->entropy);
    mbedtls_ctr_drbg_init(&c->random);
    mbedtls_x509_crt_init(&c->ca);
    mbedtls_x509_crt_init(&c->cert);
    mbedtls_pk_init(&c->key);
    mbedtls_ssl_config_init(&c->config);
#if MBEDTLS_VERSION_MAJOR >= 3
    psa_crypto_init();
#endif
    *why = load(c, config);
    if (!*why)
        *why = configure(c, config);
    if (!*why)
        return 0;
    mote_tls_context_free(c);
    *context = NULL;
    return MOTE_TLS_ERR_CONFIG;
}

void mote_tls_context_free(mote_tls_context *c)
{
    if (!c)
        return;
    mbedtls_ssl_config_free(&c->config);
    mbedtls_pk_free(&c->key);
    mbedtls_x509_crt_free(&c->cert);
    mbedtls_x509_crt_free(&c->ca);
    mbedtls_ctr_drbg_free(&c->random);
    mbedtls_entropy_free(&c->entropy);
    free(c);
}

/* ---- bytes --------------------------------------------------------------------------------- */

static int give(void *context, const unsigned char *buf, size_t len)
{
    mote_tls *t = context;

    if (t->head > 0 && OUT - t->tail < len) {
        memmove(t->out, t->out + t->head, t->tail - t->head);
        t->tail -= t->head;
        t->head = 0;
    }
    if (OUT - t->tail < len)
        len = OUT - t->tail;
    if (len == 0)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    memcpy(t->out + t->tail, buf, len);
    t->tail += len;
    return (int)len;
}

static int take(void *context, unsigned char *buf, size_t len)
{
    mote_tls *t = context;

    if (t->in_len == 0)
        return t->ended ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
    if (len > t->in_len)
        len = t->in_len;
    memcpy(buf, t->in, len);
    t->in += len;
    t->in_len -= len;
    return (int)len;
}

static size_t room(const mote_tls *t)
{
    return OUT - (t->tail - t->head);
}

/* ---- errors -------------------------------------------------------------------------------- */

static int fail(mote_tls *t, int error, const char *text)
{
    if (t->error == 0) {
        t->error = error;
        snprintf(t->text, sizeof t->text, "%s", text);
    }
    return t->error;
}

/* Which check of the certificate has failed. */
static int fail_verification(mote_tls *t)
{
    static const struct {
        uint32_t flag;
        const char *text;
    } checks[] = {
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, "the certificate is for another host name"},
        {MBEDTLS_X509_BADCERT_EXPIRED, "the certificate has expired"},
        {MBEDTLS_X509_BADCERT_FUTURE, "the certificate is not yet valid: check the clock"},
        {MBEDTLS_X509_BADCERT_REVOKED, "the certificate is revoked"},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "the certificate is by nobody who is trusted"},
        {MBEDTLS_X509_BADCERT_MISSING, "there is no certificate"},
    };
    uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (flags != UINT32_MAX && flags & checks[i].flag)
            return fail(t, MOTE_TLS_ERR_VERIFY, checks[i].text);
    }
    return fail(t, MOTE_TLS_ERR_VERIFY, "the certificate is not accepted");
}

static int fail_with(mote_tls *t, int r)
{
    char text[128];

    if (r == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return fail(t, MOTE_TLS_CLOSED, "the peer has closed the connection");
    if (t->ended)
        return fail(t, MOTE_TLS_ERR_CUT, "the transport has ended without close_notify");
    if (r == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
        return fail_verification(t);
#if MBEDTLS_VERSION_MAJOR >= 3
    if (r == MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL)
#else
    if (r == MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO && t->context->server)
#endif
        return fail(t, MOTE_TLS_ERR_ALPN, "the client does not offer h2, or its hello is broken");
    mbedtls_strerror(r, text, sizeof text);
    return fail(t, t->ready ? MOTE_TLS_ERR_RECORD : MOTE_TLS_ERR_HANDSHAKE, text);
}

static bool is_wait(int r)
{
    return r == MBEDTLS_ERR_SSL_WANT_READ || r == MBEDTLS_ERR_SSL_WANT_WRITE
#if MBEDTLS_VERSION_MAJOR >= 3
           || r == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
#endif
        ;
}

/* ---- connection ---------------------------------------------------------------------------- */

int mote_tls_new(mote_tls **tls, mote_tls_context *context, const char *host_name)
{
    mote_tls *t = calloc(1, sizeof *t);

    *tls = t;
    if (!t)
        return MOTE_TLS_ERR_CONFIG;
    t->context = context;
    mbedtls_ssl_init(&t->ssl);
    mbedtls_ssl_set_bio(&t->ssl, t, give, take, NULL);
    if ((!context->server && (!host_name || !*host_name)) ||
        mbedtls_ssl_setup(&t->ssl, &context->config) != 0 ||
        (!context->server && mbedtls_ssl_set_hostname(&t->ssl, host_name) != 0)) {
        mote_tls_free(t);
        *tls = NULL;
        return MOTE_TLS_ERR_CONFIG;
    }
    return 0;
}

void mote_tls_free(mote_tls *t)
{
    if (!t)
        return;
    mbedtls_ssl_free(&t->ssl);
    free(t);
}

static int finish_handshake(mote_tls *t)
{
    int r = mbedtls_ssl_handshake(&t->ssl);

    if (is_wait(r) && !t->ended)
        return 0;
    if (r != 0)
        return fail_with(t, r);
    const char *chosen = mbedtls_ssl_get_alpn_protocol(&t->ssl);
    t->ready = true;
    if (!chosen || strcmp(chosen, "h2") != 0)
        return fail(t, MOTE_TLS_ERR_ALPN, "the peer has not chosen the protocol h2");
    return 0;
}

static void offer(mote_tls *t, const uint8_t *in, size_t len)
{
    t->in = in;
    t->in_len = len;
}

int mote_tls_handshake(mote_tls *t, const uint8_t *in, size_t len, size_t *used)
{
    offer(t, in, len);
    if (t->error == 0 && !t->ready)
        finish_handshake(t);
    *used = len - t->in_len;
    offer(t, NULL, 0);
    return t->error;
}

int mote_tls_read(mote_tls *t, const uint8_t *in, size_t len, size_t *used, uint8_t *out,
                  size_t cap)
{
    int r = 0;

    offer(t, in, len);
    if (t->error == 0 && !t->ready)
        finish_handshake(t);
    if (t->error == 0 && t->ready) {
        r = mbedtls_ssl_read(&t->ssl, out, cap);
        if (is_wait(r) && !t->ended)
            r = 0;
        else if (r <= 0)
            r = fail_with(t, r == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : r);
    }
    *used = len - t->in_len;
    offer(t, NULL, 0);
    return t->error < 0 ? t->error : r;
}

void mote_tls_eof(mote_tls *t)
{
    t->ended = true;
}

int mote_tls_write(mote_tls *t, const uint8_t *in, size_t len)
{
    if (t->error < 0)
        return t->error;
    if (!t->ready)
        return 0;
    if (len > MOTE_TLS_RECORD)
        len = MOTE_TLS_RECORD;
    if (room(t) < len + OVERHEAD) /* so that a record is never cut */
        return 0;
    int r = mbedtls_ssl_write(&t->ssl, in, len);
    if (r >= 0)
        return r;
    return is_wait(r) ? 0 : fail_with(t, r);
}

const uint8_t *mote_tls_peek(mote_tls *t, size_t *len)
{
    *len = t->tail - t->head;
    return *len > 0 ? t->out + t->head : NULL;
}

void mote_tls_ack(mote_tls *t, size_t len)
{
    t->head += len;
    if (t->head == t->tail)
        t->head = t->tail = 0;
}

bool mote_tls_ready(const mote_tls *t)
{
    return t->ready;
}

void mote_tls_close(mote_tls *t)
{
    if (t->ready && t->error == 0)
        mbedtls_ssl_close_notify(&t->ssl);
}

const char *mote_tls_error(const mote_tls *t)
{
    return t->text;
}
