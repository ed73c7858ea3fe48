/*
 * Sessions that a client saves and resumes. With TLS 1.2 a resumed handshake looks at no
 * certificate, so what was saved says what it was trusted for: a digest over the host name and all
 * settings of the context that decide whom it trusts, the time at which the first certificate of
 * the chain expires, and the session itself. It is a HMAC: under the caller's key it also shows
 * that nobody has written the session but us.
 *
 *     "MTS1" | YYYYMMDDHHMMSS | HMAC-SHA-256 | session as mbedTLS writes it
 */
#include "tls_internal.h"

#include <stdio.h>
#include <string.h>

enum { SESSION_MAGIC = 4, SESSION_HEADER = SESSION_MAGIC + TLS_TIME + TLS_DIGEST };

void mote_tls_add(mote_tls_hmac *hmac, const void *data, size_t len)
{
    const uint8_t size[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                             (uint8_t)len};

    tls_hmac_add(hmac, size, sizeof size);
    if (len > 0)
        tls_hmac_add(hmac, data, len);
}

bool mote_tls_same_digest(const uint8_t *a, const uint8_t *b)
{
    uint8_t differs = 0;

    for (size_t i = 0; i < TLS_DIGEST; i++)
        differs = (uint8_t)(differs | (a[i] ^ b[i]));
    return differs == 0;
}

int mote_tls_digest_trust(mote_tls_context *c, const mote_tls_config *config)
{
    const uint8_t flags[] = {c->accepts_any, c->pinned_any_name, c->pinned_any_time, c->has_ca,
                             (uint8_t)c->time};
    mote_tls_hmac hmac;
    int r = mote_tls_hmac_begin(&hmac, (mote_tls_span){NULL, 0});

    if (r == 0) {
        mote_tls_add(&hmac, flags, sizeof flags);
        mote_tls_add(&hmac, config->psk_identity.data, config->psk_identity.len);
        for (size_t i = 0; i < c->pin_count; i++)
            mote_tls_add(&hmac, c->pins[i].sha256, sizeof c->pins[i].sha256);
        mote_tls_add(&hmac, NULL, 0);
        for (const mbedtls_x509_crt *crt = &c->ca; crt && crt->raw.len > 0; crt = crt->next)
            mote_tls_add(&hmac, crt->raw.p, crt->raw.len);
        r = mote_tls_hmac_end(&hmac, c->trusts);
    }
    return r;
}

#if defined(MBEDTLS_SSL_CLI_C)
static const char magic[SESSION_MAGIC] = {'M', 'T', 'S', '1'};

static int digest_session(const mote_tls *t, const char *valid_to, const uint8_t *session,
                          size_t len, uint8_t out[TLS_DIGEST])
{
    mote_tls_hmac hmac;
    int r = mote_tls_hmac_begin(&hmac, t->context->session_key);

    if (r == 0) {
        mote_tls_add(&hmac, t->context->trusts, TLS_DIGEST);
        mote_tls_add(&hmac, t->host_name, strlen(t->host_name));
        mote_tls_add(&hmac, valid_to, TLS_TIME);
        mote_tls_add(&hmac, session, len);
        r = mote_tls_hmac_end(&hmac, out);
    }
    return r;
}

static int refuse_session(mote_tls *t, const char *text)
{
    snprintf(t->text, sizeof t->text, "%s", text);
    return MOTE_TLS_ERR_CONFIG;
}

static int load_session(mote_tls *t, const uint8_t *session, size_t len)
{
    mbedtls_ssl_session s;

    mbedtls_ssl_session_init(&s);
    int r = mbedtls_ssl_session_load(&s, session, len);
    if (r == 0)
        r = mote_tls_rename_session(t, &s);
    if (r == 0)
        r = mbedtls_ssl_set_session(&t->ssl, &s);
    mbedtls_ssl_session_free(&s);
    return r;
}

int mote_tls_resume(mote_tls *t, const void *session, size_t len)
{
    const uint8_t *p = session;
    const char *valid_to = (const char *)p + SESSION_MAGIC;
    uint8_t digest[TLS_DIGEST];

    if (t->context->server || len <= SESSION_HEADER || memcmp(p, magic, SESSION_MAGIC) != 0)
        return refuse_session(t, "the saved session is broken, or not of this version");
    if (digest_session(t, valid_to, p + SESSION_HEADER, len - SESSION_HEADER, digest) != 0 ||
        !mote_tls_same_digest(digest, p + SESSION_MAGIC + TLS_TIME))
        return refuse_session(
            t, "the saved session is broken, or was made for another host, CA, pin or key");
    if (mote_tls_is_over(t->context, valid_to))
        return refuse_session(t, "the certificate of the saved session has expired");
    if (load_session(t, p + SESSION_HEADER, len - SESSION_HEADER) != 0)
        return refuse_session(t, "the saved session was written by another version of mbedTLS");
    memcpy(t->valid_to, valid_to, TLS_TIME);
    t->offered_session = true;
    return 0;
}

static bool is_resumable(const mote_tls *t)
{
    return tls_is_1_3(&t->ssl) ? t->has_ticket : t->life != TLS_HANDSHAKE && !t->context->server;
}

int mote_tls_save_session(mote_tls *t, void *out, size_t cap)
{
    mbedtls_ssl_session s;
    uint8_t *p = out;
    size_t len = 0;
    int r;

    if (!is_resumable(t))
        return 0;
    if (cap <= SESSION_HEADER)
        return MOTE_TLS_ERR_CONFIG;
    mbedtls_ssl_session_init(&s);
    r = mbedtls_ssl_get_session(&t->ssl, &s);
    if (r == 0)
        r = mbedtls_ssl_session_save(&s, p + SESSION_HEADER, cap - SESSION_HEADER, &len);
    mbedtls_ssl_session_free(&s);
    if (r == MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL)
        return MOTE_TLS_ERR_CONFIG;
    if (r != 0)
        return 0;
    memcpy(p, magic, SESSION_MAGIC);
    memcpy(p + SESSION_MAGIC, t->valid_to, TLS_TIME);
    if (digest_session(t, t->valid_to, p + SESSION_HEADER, len, p + SESSION_MAGIC + TLS_TIME) != 0)
        return 0;
    return (int)(SESSION_HEADER + len);
}
#else
int mote_tls_resume(mote_tls *t, const void *session, size_t len)
{
    (void)t, (void)session, (void)len;
    return MOTE_TLS_ERR_CONFIG;
}

int mote_tls_save_session(mote_tls *t, void *out, size_t cap)
{
    (void)t, (void)out, (void)cap;
    return 0;
}
#endif

bool mote_tls_resumed(const mote_tls *t)
{
    return t->life != TLS_HANDSHAKE && t->offered_session && !t->saw_certificate &&
           !t->exchanged_keys;
}
