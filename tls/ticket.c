/*
 * Tickets of a server (RFC 5077, RFC 8446 4.6.1). Who resumes a session shows no certificate and no
 * shared key, so that trust would be decided once for the life of the session. A ticket carries
 * what can change in that time: when the first certificate of the chain expires, and whose shared
 * key it was; and a HMAC over these, the pins and the shared key as they are now, under a key that
 * nobody has but this context.
 *
 *     ticket of mbedTLS | YYYYMMDDHHMMSS | identity | its length (1) | HMAC-SHA-256
 */
#include "tls_internal.h"

#if MOTE_TLS_TICKETS
#include <mbedtls/platform_util.h>

#include <string.h>

enum { TICKET_FIXED = TLS_TIME + 1 + TLS_DIGEST };

/* What lies behind the ticket of mbedTLS. */
typedef struct {
    const unsigned char *ticket, *valid_to, *identity, *digest;
    size_t ticket_len, identity_len;
} ticket_parts;

/* False: it is none of ours. */
static bool take_apart(const unsigned char *buf, size_t len, ticket_parts *parts)
{
    if (len < TICKET_FIXED)
        return false;
    parts->digest = buf + len - TLS_DIGEST;
    parts->identity_len = parts->digest[-1];
    if (len - TICKET_FIXED < parts->identity_len)
        return false;
    parts->identity = parts->digest - 1 - parts->identity_len;
    parts->valid_to = parts->identity - TLS_TIME;
    parts->ticket = buf;
    parts->ticket_len = (size_t)(parts->valid_to - buf);
    return true;
}

/* False: nobody has such a shared key (any more), or there is no memory. */
static bool digest_ticket(mote_tls_context *c, const ticket_parts *parts, uint8_t out[TLS_DIGEST])
{
    uint8_t key[TLS_MAX_PSK];
    size_t key_len = parts->identity_len > 0
                         ? mote_tls_find_key(c, parts->identity, parts->identity_len, key)
                         : 0;
    mote_tls_hmac hmac;
    bool found = parts->identity_len == 0 || (key_len > 0 && key_len <= sizeof key);

    if (found &&
        mote_tls_hmac_begin(&hmac, (mote_tls_span){c->ticket_key, sizeof c->ticket_key}) == 0) {
        for (size_t i = 0; i < c->pin_count; i++)
            mote_tls_add(&hmac, c->pins[i].sha256, sizeof c->pins[i].sha256);
        mote_tls_add(&hmac, parts->ticket, parts->ticket_len);
        mote_tls_add(&hmac, parts->valid_to, TLS_TIME);
        mote_tls_add(&hmac, parts->identity, parts->identity_len);
        mote_tls_add(&hmac, key, key_len);
        found = mote_tls_hmac_end(&hmac, out) == 0;
    } else {
        found = false;
    }
    mbedtls_platform_zeroize(key, sizeof key);
    return found;
}

int mote_tls_write_ticket(void *context, const mbedtls_ssl_session *session, unsigned char *start,
                          const unsigned char *end, size_t *len, uint32_t *lifetime)
{
    mote_tls_context *c = context;
    const mote_tls *t = c->shaking;
    size_t more = TICKET_FIXED + t->identity_len;
    ticket_parts parts;

    *lifetime = 0;
    if (t->long_identity || (size_t)(end - start) < more)
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    int r = mbedtls_ssl_ticket_write(&c->tickets, session, start, end - more, len, lifetime);
    if (r != 0)
        return r;
    unsigned char *p = start + *len;
    memcpy(p, t->valid_to, TLS_TIME);
    memcpy(p + TLS_TIME, t->identity, t->identity_len);
    p[TLS_TIME + t->identity_len] = t->identity_len;
    *len += more;
    if (!take_apart(start, *len, &parts) || !digest_ticket(c, &parts, start + *len - TLS_DIGEST))
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    return 0;
}

int mote_tls_read_ticket(void *context, mbedtls_ssl_session *session, unsigned char *buf,
                         size_t len)
{
    mote_tls_context *c = context;
    ticket_parts parts;
    uint8_t digest[TLS_DIGEST];

    if (!take_apart(buf, len, &parts) || !digest_ticket(c, &parts, digest) ||
        !mote_tls_same_digest(digest, parts.digest))
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    if (mote_tls_is_over(c, (const char *)parts.valid_to))
        return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
    int r = mbedtls_ssl_ticket_parse(&c->tickets, session, buf, parts.ticket_len);
    return r == 0 && !tls_same_version(&c->shaking->ssl, session) ? MBEDTLS_ERR_SSL_INVALID_MAC : r;
}
#endif
