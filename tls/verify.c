/* Certificates: names of addresses, pins, and words for what is wrong with one. */
#include "tls_internal.h"

#include <mbedtls/md.h>

#include <stdio.h>
#include <string.h>

/* ---- pins ---------------------------------------------------------------------------------- */

bool mote_tls_digest(const mbedtls_x509_buf *span, uint8_t out[32])
{
    const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);

    return sha256 && mbedtls_md(sha256, span->p, span->len, out) == 0;
}

static bool is_pinned(const mote_tls_context *c, const mbedtls_x509_buf *span)
{
    uint8_t digest[32];

    if (!mote_tls_digest(span, digest))
        return false;
    for (size_t i = 0; i < c->pin_count; i++) {
        if (memcmp(c->pins[i].sha256, digest, sizeof digest) == 0)
            return true;
    }
    return false;
}

/* ---- words --------------------------------------------------------------------------------- */

/* Which check has failed, the telling ones first. */
static const char *reason(uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *text;
    } checks[] = {
        {MBEDTLS_X509_BADCERT_FUTURE, "is not yet valid"},
        {MBEDTLS_X509_BADCERT_EXPIRED, "has expired"},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, "is for another host name than"},
        {MBEDTLS_X509_BADCERT_REVOKED, "is revoked"},
        {MBEDTLS_X509_BADCERT_OTHER, "is not a pinned one"},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "is not signed by a trusted CA"},
        {MBEDTLS_X509_BADCERT_BAD_KEY, "has a weak key"},
        {MBEDTLS_X509_BADCERT_BAD_MD, "is signed with a weak hash"},
        {MBEDTLS_X509_BADCERT_BAD_PK, "is signed with a weak algorithm"},
    };

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (flags & checks[i].flag)
            return checks[i].text;
    }
    return "is not accepted";
}

static void describe(mote_tls *t, const mbedtls_x509_crt *crt, uint32_t flags)
{
    char name[96] = "nobody", more[100] = "";
    int r = mbedtls_x509_dn_gets(name, sizeof name, &crt->subject);

    if (flags & MBEDTLS_X509_BADCERT_FUTURE)
        mote_tls_put_dates(t, &crt->valid_from, more, sizeof more);
    else if (flags & MBEDTLS_X509_BADCERT_EXPIRED)
        mote_tls_put_dates(t, &crt->valid_to, more, sizeof more);
    else if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)
        snprintf(more, sizeof more, " %s", t->host_name);
    snprintf(t->text, sizeof t->text, "the certificate of %s %s%s", r < 0 ? "?" : name,
             reason(flags), more);
}

/* What a pin says of the peer's own certificate, and what it makes unimportant. */
static void check_pins(const mote_tls_context *c, const mbedtls_x509_crt *crt, uint32_t *flags)
{
    if (!is_pinned(c, &crt->raw) && !is_pinned(c, &crt->pk_raw)) {
        *flags |= MBEDTLS_X509_BADCERT_OTHER;
        return;
    }
    if (!c->has_ca)
        *flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    if (c->pinned_any_name)
        *flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
    if (c->pinned_any_time)
        *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
}

int mote_tls_verify(void *tls, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    mote_tls *t = tls;
    const mote_tls_context *c = t->context;

    t->saw_certificate = true;
    mote_tls_judge_dates(t, crt, flags);
    if (depth == 0 && t->address_len > 0 && !mote_tls_names_address(t, crt))
        *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    if (c->pin_count > 0 && depth == 0)
        check_pins(c, crt, flags);
    else if (c->pin_count > 0 && !c->has_ca)
        *flags = 0; /* only the pinned certificate counts */
    else if (c->pin_count > 0 && c->pinned_any_time)
        *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    if (*flags != 0)
        describe(t, crt, *flags);
    return 0;
}

/* mbedTLS looks at what a certificate is for when mote_tls_verify() has returned. */
const char *mote_tls_use_text(const mote_tls *t)
{
    uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);

    if (flags == UINT32_MAX || /* there was no certificate */
        !(flags & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE)))
        return NULL;
    return "the peer's certificate is not for this use: see its key usage and extended key usage";
}
