/* Keys that stay where they are. mbedTLS asks for signatures in its own ways: for RSA by a
 * documented one in both versions, for elliptic curves by a table of functions that version 3 has
 * closed. */
#include "tls_internal.h"

#include <mbedtls/rsa.h>

#include <string.h>
#if !MOTE_TLS_3
#include <mbedtls/pk_internal.h>
#endif

static int bits_of(mbedtls_md_type_t md)
{
    return md == MBEDTLS_MD_SHA512 ? 512 : md == MBEDTLS_MD_SHA384 ? 384 : 256;
}

static bool is_sha2(mbedtls_md_type_t md)
{
    return md == MBEDTLS_MD_SHA256 || md == MBEDTLS_MD_SHA384 || md == MBEDTLS_MD_SHA512;
}

/* ---- RSA ----------------------------------------------------------------------------------- */

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

#if MOTE_TLS_3
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

/* ---- elliptic curves ----------------------------------------------------------------------- */

#if !MOTE_TLS_3
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
#endif

int mote_tls_set_signer(mote_tls_context *c, const mote_tls_signer *signer)
{
    void *context = (void *)signer; /* mbedTLS only hands it on */

    if (signer->rsa_bits > 0)
        return mbedtls_pk_setup_rsa_alt(&c->key, context, rsa_decrypt_alt, rsa_sign_alt,
                                        rsa_length);
#if MOTE_TLS_3
    (void)context;
    return -1;
#else
    c->key.pk_info = &ec_info;
    c->key.pk_ctx = context;
    return 0;
#endif
}
