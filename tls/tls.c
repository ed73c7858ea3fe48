/*
 * Connections. mbedTLS asks for bytes and gives bytes through two callbacks. The input is the span
 * that the caller has given. Records are not copied: mbedTLS is told to wait (WANT_WRITE) with
 * each, which so stays in its buffer until the transport has taken it; then mbedTLS is called again
 * as it was before, and hears that all was written. Only small ones are copied and taken at once:
 * the short messages of a handshake go out together so, and alerts, which mbedTLS 3.6 would write
 * again and again if told to wait.
 */
#include "tls_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- bytes --------------------------------------------------------------------------------- */

static int give(void *tls, const unsigned char *buf, size_t len)
{
    mote_tls *t = tls;
    size_t written = t->out_pos;

    t->out_pos = 0;
    if (written > 0) {
        t->out_len = 0;
        return (int)written;
    }
    if (t->out_len == 0 && len <= sizeof t->small - t->small_len) {
        memcpy(t->small + t->small_len, buf, len);
        t->small_len = (uint8_t)(t->small_len + len);
        return (int)len;
    }
    t->out = buf;
    t->out_len = len;
    return MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int take_record(void *tls, unsigned char *buf, size_t len)
{
    mote_tls *t = tls;

    if (t->in_len == 0)
        return t->ended ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
    if (len > t->in_len)
        len = t->in_len;
    memcpy(buf, t->in, len);
    t->in += len;
    t->in_len -= len;
    return (int)len;
}

static void offer(mote_tls *t, const uint8_t *in, size_t len)
{
    t->in = in;
    t->in_len = len;
}

/* ---- errors -------------------------------------------------------------------------------- */

static int tls_fail(mote_tls *t, int error, const char *text)
{
    if (t->error == 0) {
        t->error = error;
        if (text)
            snprintf(t->text, sizeof t->text, "%s", text);
    }
    return t->error;
}

static int fail_with(mote_tls *t, int r)
{
    const char *alpn = mote_tls_alpn_text(t, r), *use = mote_tls_use_text(t);

    if (t->error != 0)
        return t->error;
    if (r == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return tls_fail(t, MOTE_TLS_CLOSED, "the peer has closed the connection");
    if (t->late)
        return tls_fail(t, MOTE_TLS_ERR_HANDSHAKE, "the TLS handshake took too long");
    if (t->ended)
        return tls_fail(t, MOTE_TLS_ERR_CUT, "the transport has ended without close_notify");
    if (r == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
        return tls_fail(t, MOTE_TLS_ERR_VERIFY,
                        t->text[0] ? NULL : "the certificate is not accepted");
    if (t->life == TLS_HANDSHAKE && use)
        return tls_fail(t, MOTE_TLS_ERR_VERIFY, use);
    if (alpn)
        return tls_fail(t, MOTE_TLS_ERR_ALPN, alpn);
    if (t->context->server && t->life == TLS_HANDSHAKE && r == TLS_NO_COMMON_SUITE)
        return tls_fail(t, MOTE_TLS_ERR_SUITE,
                        "INADEQUATE_SECURITY: no cipher suite in common that RFC 9113 permits");
    if (!mote_tls_explain(t, r))
        mote_tls_put_result(r, t->text, sizeof t->text);
    return tls_fail(t, t->life == TLS_HANDSHAKE ? MOTE_TLS_ERR_HANDSHAKE : MOTE_TLS_ERR_RECORD,
                    NULL);
}

static bool is_wait(int r)
{
    return r == MBEDTLS_ERR_SSL_WANT_READ || r == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* ---- life ---------------------------------------------------------------------------------- */

int mote_tls_init(mote_tls **tls, mote_tls_context *context, const char *host_name, void *memory,
                  size_t size)
{
    mote_tls *t = memory;

    *tls = NULL;
    if (size < sizeof *t || (!context->server && (!host_name || !*host_name)))
        return MOTE_TLS_ERR_CONFIG;
    memset(t, 0, sizeof *t);
    t->context = context;
    memset(t->valid_from, '0', sizeof t->valid_from);
    memset(t->valid_to, '9', sizeof t->valid_to);
    mbedtls_ssl_init(&t->ssl);
    mbedtls_ssl_set_bio(&t->ssl, t, give, take_record, NULL);
    mbedtls_ssl_set_verify(&t->ssl, mote_tls_verify, t);
    if (mbedtls_ssl_setup(&t->ssl, &context->config) != 0 ||
        (!context->server && mote_tls_set_peer_name(t, host_name) < 0)) {
        mote_tls_end(t);
        return MOTE_TLS_ERR_CONFIG;
    }
    *tls = t;
    return 0;
}

void mote_tls_end(mote_tls *t)
{
    if (t)
        mbedtls_ssl_free(&t->ssl);
}

/* ---- handshake ----------------------------------------------------------------------------- */

static void go_on(mote_tls *t)
{
    int r = mote_tls_shake_hands(t);

    if (is_wait(r) && !(t->ended && r == MBEDTLS_ERR_SSL_WANT_READ))
        return;
    if (r != 0) {
        fail_with(t, r);
        return;
    }
    t->life = TLS_OPEN;
    if (!mote_tls_agreed_alpn(t))
        tls_fail(t, MOTE_TLS_ERR_ALPN, NULL);
}

int mote_tls_handshake(mote_tls *t, const uint8_t *in, size_t len, size_t *used)
{
    offer(t, in, len);
    if (t->error == 0 && t->life == TLS_HANDSHAKE)
        go_on(t);
    *used = len - t->in_len;
    offer(t, NULL, 0);
    return t->error;
}

bool mote_tls_ready(const mote_tls *t)
{
    return t->life != TLS_HANDSHAKE;
}

/* ---- data ---------------------------------------------------------------------------------- */

/* A ticket of TLS 1.3 may come between records of data, and mbedTLS tells of it in place of what it
 * was asked for. */
static bool is_ticket(mote_tls *t, int r)
{
    bool is = tls_is_new_ticket(r);

    t->has_ticket = t->has_ticket || is;
    return is;
}

static int read_plain(mote_tls *t, uint8_t *out, size_t cap)
{
    int r;

    do
        r = mbedtls_ssl_read(&t->ssl, out, cap);
    while (is_ticket(t, r));
    return r;
}

static int write_plain(mote_tls *t, const uint8_t *in, size_t len)
{
    int r;

    do
        r = mbedtls_ssl_write(&t->ssl, in, len);
    while (is_ticket(t, r));
    return r;
}

static void send_close_notify(mote_tls *t)
{
    t->life = TLS_SAID_GOODBYE;
    mbedtls_ssl_close_notify(&t->ssl);
}

/* The transport has taken a record: mbedTLS goes on with what it was doing. */
static void record_left(mote_tls *t)
{
    if (t->error < 0 && t->writing == 0) {
        t->out_len = t->out_pos = 0; /* an alert: nothing follows */
    } else if (t->life == TLS_HANDSHAKE) {
        go_on(t);
    } else if (t->life != TLS_OPEN && t->writing == 0) {
        mbedtls_ssl_close_notify(&t->ssl);
    } else {
        while (is_ticket(t, mbedtls_ssl_write(&t->ssl, t->out, t->writing)) && t->out_len > 0)
            ; /* only the length is looked at, as the record is there */
        if (t->out_len == 0)
            t->writing = 0;
    }
    if (t->life == TLS_CLOSING && t->error == 0 && t->out_len == 0)
        send_close_notify(t);
}

static void settle_state(mote_tls *t)
{
    if (t->out_len > 0 && t->out_pos == t->out_len)
        record_left(t);
}

int mote_tls_read(mote_tls *t, const uint8_t *in, size_t len, size_t *used, uint8_t *out,
                  size_t cap)
{
    int r = 0;

    offer(t, in, len);
    if (t->error == 0 && t->life == TLS_HANDSHAKE)
        go_on(t);
    if (t->error == 0 && t->life != TLS_HANDSHAKE) {
        r = read_plain(t, out, cap);
        if (is_wait(r) && !t->ended)
            r = 0;
        else if (r <= 0)
            r = fail_with(t, r == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : r);
    }
    *used = len - t->in_len;
    offer(t, NULL, 0);
    settle_state(t);
    return t->error < 0 ? t->error : r;
}

int mote_tls_write(mote_tls *t, const uint8_t *in, size_t len)
{
    if (t->error < 0)
        return t->error;
    if (t->life != TLS_OPEN || t->out_len > 0)
        return 0;
    int most = mbedtls_ssl_get_max_out_record_payload(&t->ssl);
    if (most > 0 && len > (size_t)most)
        len = (size_t)most;
    int r = write_plain(t, in, len);
    if (r == MBEDTLS_ERR_SSL_WANT_WRITE) {
        t->writing = len; /* they lie in the record */
        return (int)len;
    }
    return r >= 0 ? r : is_wait(r) ? 0 : fail_with(t, r);
}

const uint8_t *mote_tls_peek(mote_tls *t, size_t *len)
{
    if (t->small_len > 0) {
        *len = (size_t)(t->small_len - t->small_pos);
        return t->small + t->small_pos;
    }
    *len = t->out_len - t->out_pos;
    return *len > 0 ? t->out + t->out_pos : NULL;
}

void mote_tls_ack(mote_tls *t, size_t len)
{
    if (t->small_len > 0) {
        t->small_pos = (uint8_t)(t->small_pos + len);
        if (t->small_pos == t->small_len)
            t->small_pos = t->small_len = 0;
        return;
    }
    t->out_pos += len;
    settle_state(t);
}

void mote_tls_late(mote_tls *t)
{
    t->late = t->life == TLS_HANDSHAKE;
    mote_tls_eof(t);
}

void mote_tls_eof(mote_tls *t)
{
    t->ended = true;
}

void mote_tls_close(mote_tls *t)
{
    if (t->life != TLS_OPEN || t->error < 0)
        return;
    t->life = TLS_CLOSING;
    if (t->out_len == 0)
        send_close_notify(t);
}

const char *mote_tls_error(const mote_tls *t)
{
    return t->text;
}
