/* Shared keys (RFC 4279, RFC 8446 2.2): that of a client, and those of a server by their
 * identities. */
#include "tls_internal.h"

#include <mbedtls/platform_util.h>

#include <string.h>

#if MOTE_TLS_PSK_SERVER
#define OF_CONFIG(c, member) ((c)->config.MOTE_TLS_MEMBER(member))

/* The one that there is, or the one that the application finds. */
size_t mote_tls_find_key(const mote_tls_context *c, const uint8_t *identity, size_t len,
                         uint8_t *key)
{
    size_t n = OF_CONFIG(c, psk_len);

    if (c->find_psk)
        return c->find_psk(c->psk_context, identity, len, key, TLS_MAX_PSK);
    if (len != OF_CONFIG(c, psk_identity_len) || n > TLS_MAX_PSK ||
        memcmp(OF_CONFIG(c, psk_identity), identity, len) != 0)
        return 0;
    memcpy(key, OF_CONFIG(c, psk), n);
    return n;
}

/* mbedTLS asks for the key of an identity, whose it is from now on: without the key the handshake
 * comes to no end. */
static int give_psk(void *context, mbedtls_ssl_context *ssl, const unsigned char *identity,
                    size_t len)
{
    mote_tls *t = (mote_tls *)ssl; /* its first member */
    uint8_t key[TLS_MAX_PSK];
    size_t n = mote_tls_find_key(context, identity, len, key);
    int r = n == 0 || n > sizeof key ? -1 : mbedtls_ssl_set_hs_psk(ssl, key, n);

    mbedtls_platform_zeroize(key, sizeof key);
    t->identity_len = r == 0 && len <= sizeof t->identity ? (uint8_t)len : 0;
    t->long_identity = r == 0 && t->identity_len == 0;
    memcpy(t->identity, identity, t->identity_len);
    return r;
}
#else
size_t mote_tls_find_key(const mote_tls_context *c, const uint8_t *identity, size_t len,
                         uint8_t *key)
{
    (void)c, (void)identity, (void)len, (void)key;
    return 0;
}
#endif

#if MOTE_TLS_PSK
const char *mote_tls_set_psk(mote_tls_context *c, const mote_tls_config *config)
{
#if MOTE_TLS_PSK_SERVER
    if (config->server && tls_has_psk(config))
        mbedtls_ssl_conf_psk_cb(&c->config, give_psk, c);
#endif
    if (config->psk.len > 0 &&
        mbedtls_ssl_conf_psk(&c->config, config->psk.data, config->psk.len,
                             config->psk_identity.data, config->psk_identity.len) != 0)
        return "the shared key is too long, or there is no memory for it";
    return NULL;
}
#else
const char *mote_tls_set_psk(mote_tls_context *c, const mote_tls_config *config)
{
    (void)c, (void)config;
    return NULL;
}
#endif
