/* Certificates and keys as they are given: PEM or DER, with words for what is wrong with them. */
#include "tls_internal.h"

#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>

#include <string.h>

/* PEM that comes without the NUL which mbedTLS wants behind it is copied; *copy is then to be
 * freed. */
static mote_tls_span with_end(mote_tls_span span, uint8_t **copy)
{
    const char *text = span.data;

    *copy = NULL;
    if (span.len < 11 || memcmp(text, "-----BEGIN", 10) != 0 || text[span.len - 1] == '\0')
        return span;
    *copy = mbedtls_calloc(1, span.len + 1);
    if (!*copy)
        return span;
    memcpy(*copy, span.data, span.len);
    return (mote_tls_span){*copy, span.len + 1};
}

static void drop_copy(uint8_t *copy, size_t len)
{
    if (copy)
        mbedtls_platform_zeroize(copy, len);
    mbedtls_free(copy);
}

/* A file that went through a shell or a JSON string: its lines end with the two characters \ and n.
 */
static bool has_written_newlines(mote_tls_span span)
{
    const char *text = span.data;

    for (size_t i = 0; i + 1 < span.len; i++) {
        if (text[i] == '\\' && text[i + 1] == 'n')
            return true;
    }
    return false;
}

/* < 0: nothing could be read; > 0: so many of a bundle could not, which leaves the others. */
static int parse_certificates(mbedtls_x509_crt *crt, mote_tls_span span)
{
    uint8_t *copy;
    mote_tls_span pem = with_end(span, &copy);
    int r = mbedtls_x509_crt_parse(crt, pem.data, pem.len);

    drop_copy(copy, pem.len);
    return r;
}

static int parse_key(mote_tls_context *c, mote_tls_span span)
{
    uint8_t *copy;
    mote_tls_span pem = with_end(span, &copy);
    int r = tls_parse_key(&c->key, &c->random, pem);

    drop_copy(copy, pem.len);
    return r;
}

static const char *key_text(int error, mote_tls_span span)
{
    if (error == MBEDTLS_ERR_PK_PASSWORD_REQUIRED || error == MBEDTLS_ERR_PK_PASSWORD_MISMATCH)
        return "the key cannot be read: it is encrypted with a password; decrypt it first";
    if (has_written_newlines(span))
        return "the key cannot be read: it has \\n where its lines should end";
    return "the key cannot be read";
}

static const char *load_key(mote_tls_context *c, const mote_tls_config *config)
{
    if (config->signer)
        return mote_tls_set_signer(c, config->signer);
    if (config->psa_key != 0)
        return mote_tls_set_psa_key(c, config->psa_key);
    if (config->key.len == 0)
        return NULL;
    int r = parse_key(c, config->key);
    if (r != 0)
        return key_text(r, config->key);
    return tls_key_fits(&c->cert.pk, &c->key, &c->random)
               ? NULL
               : "the key does not belong to the certificate";
}

const char *mote_tls_load_credentials(mote_tls_context *c, const mote_tls_config *config)
{
    /* One root of a bundle that this build of mbedTLS does not know does not take the others away.
     */
    if (config->ca.len > 0 && parse_certificates(&c->ca, config->ca) < 0)
        return has_written_newlines(config->ca) ? "the CA certificates cannot be read: they have "
                                                  "\\n where their lines should end"
                                                : "the CA certificates cannot be read";
    if (config->cert.len > 0 && parse_certificates(&c->cert, config->cert) != 0)
        return has_written_newlines(config->cert)
                   ? "the certificate cannot be read: it has \\n where its lines should end"
                   : "the certificate cannot be read";
    if (config->server && config->cert.len > 0 && !tls_is_for_servers(&c->cert))
        return "the certificate is not for a server: see its key usage and extended key usage";
    return load_key(c, config);
}
