/* Who the peer is, as far as the handshake has proven it. */
#include "tls_internal.h"

#include <mbedtls/oid.h>

#include <stdio.h>
#include <string.h>

enum { SAN_DNS = 2, SAN_URI = 6, SAN_IP = 7, SAN_KIND = 0x1f };

/* ---- texts --------------------------------------------------------------------------------- */

static bool is_printable(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] == 0x7f)
            return false;
    }
    return len > 0;
}

/* A name counts only when it is there once: a peer with two of them could be taken for either. */
static void put_common_name(const mbedtls_x509_crt *crt, char out[MOTE_TLS_PEER_NAME + 1])
{
    bool found = false;

    for (const mbedtls_x509_name *n = &crt->subject; n; n = n->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) != 0)
            continue;
        memset(out, 0, MOTE_TLS_PEER_NAME + 1);
        if (!found && n->val.len <= MOTE_TLS_PEER_NAME && is_printable(n->val.p, n->val.len))
            memcpy(out, n->val.p, n->val.len);
        found = true;
    }
}

static void put_ip(const uint8_t *p, size_t len, char out[64])
{
    size_t n = (size_t)snprintf(out, 64, "IP:");

    for (size_t i = 0; i < len; i += len == 4 ? 1 : 2)
        n += (size_t)snprintf(out + n, 64 - n, len == 4 ? "%s%u" : "%s%x",
                              i == 0     ? ""
                              : len == 4 ? "."
                                         : ":",
                              len == 4 ? p[i] : (unsigned)p[i] << 8 | p[i + 1]);
}

/* Adds "KIND:value" to the list, whole or not at all. */
static void add_name(mote_tls_peer *peer, size_t *at, const char *kind, const uint8_t *p,
                     size_t len)
{
    size_t kind_len = strlen(kind), room = MOTE_TLS_PEER_NAMES - *at;

    if (!is_printable(p, len) || kind_len + len >= room)
        return;
    memcpy(peer->names + *at, kind, kind_len);
    memcpy(peer->names + *at + kind_len, p, len);
    *at += kind_len + len + 1;
}

static void put_names(const mbedtls_x509_crt *crt, mote_tls_peer *peer)
{
    size_t at = 0;
    char address[64];

    for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s && s->buf.p; s = s->next) {
        int kind = s->buf.tag & SAN_KIND;
        peer->has_names |= kind == SAN_DNS || kind == SAN_URI;
        if (kind == SAN_DNS || kind == SAN_URI)
            add_name(peer, &at, kind == SAN_DNS ? "DNS:" : "URI:", s->buf.p, s->buf.len);
        if (kind == SAN_IP && (s->buf.len == 4 || s->buf.len == 16)) {
            put_ip(s->buf.p, s->buf.len, address);
            add_name(peer, &at, "", (const uint8_t *)address, strlen(address));
        }
    }
}

/* ---- proofs -------------------------------------------------------------------------------- */

static void describe_certificate(const mbedtls_x509_crt *crt, mote_tls_peer *peer)
{
    int n = mbedtls_x509_dn_gets(peer->subject, sizeof peer->subject, &crt->subject);

    if (n <= 0 || !is_printable((const uint8_t *)peer->subject, (size_t)n))
        memset(peer->subject, 0, sizeof peer->subject);
    put_common_name(crt, peer->name);
    put_names(crt, peer);
    if (mote_tls_digest(&crt->raw, peer->sha256))
        peer->proof = MOTE_TLS_CERTIFICATE;
}

void mote_tls_get_peer(const mote_tls *t, mote_tls_peer *peer)
{
    const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&t->ssl);

    memset(peer, 0, sizeof *peer);
    if (!mote_tls_ready(t))
        return;
    if (crt && !t->context->accepts_any && mbedtls_ssl_get_verify_result(&t->ssl) == 0) {
        describe_certificate(crt, peer);
        return;
    }
    if (crt || t->identity_len == 0)
        return;
    peer->proof = MOTE_TLS_SHARED_KEY;
    if (is_printable(t->identity, t->identity_len))
        memcpy(peer->name, t->identity, t->identity_len);
}

static bool is_called(const char *text, const char *name, size_t len)
{
    return strlen(text) == len && memcmp(text, name, len) == 0;
}

bool mote_tls_peer_is(const mote_tls_peer *peer, const char *name, size_t len)
{
    if (peer->proof == MOTE_TLS_UNPROVEN || len == 0)
        return false;
    if (!peer->has_names)
        return is_called(peer->name, name, len);
    for (const char *s = peer->names; *s; s += strlen(s) + 1) {
        if (strncmp(s, "IP:", 3) != 0 && is_called(s + 4, name, len))
            return true;
    }
    return false;
}
