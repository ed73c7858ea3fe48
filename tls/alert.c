/* Why the peer, or mbedTLS, has given up, in words: alerts (RFC 8446 6), and limits of mbedTLS. */
#include "tls_internal.h"

#include <stdio.h>

/* The description of the alert that has just come. */
static unsigned last_alert(const mote_tls *t)
{
    const unsigned char *message = t->ssl.MOTE_TLS_MEMBER(in_msg);

    return message ? message[1] : 0;
}

bool mote_tls_got_alert(const mote_tls *t, int r, unsigned alert)
{
    return r == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && last_alert(t) == alert;
}

static const char *alert_name(unsigned alert)
{
    static const struct {
        uint8_t alert;
        const char *name;
    } names[] = {{10, "unexpected_message"},
                 {20, "bad_record_mac"},
                 {22, "record_overflow"},
                 {40, "handshake_failure"},
                 {42, "bad_certificate"},
                 {43, "unsupported_certificate"},
                 {44, "certificate_revoked"},
                 {45, "certificate_expired"},
                 {46, "certificate_unknown"},
                 {47, "illegal_parameter"},
                 {48, "unknown_ca"},
                 {49, "access_denied"},
                 {50, "decode_error"},
                 {51, "decrypt_error"},
                 {70, "protocol_version"},
                 {71, "insufficient_security"},
                 {80, "internal_error"},
                 {86, "inappropriate_fallback"},
                 {90, "user_canceled"},
                 {109, "missing_extension"},
                 {110, "unsupported_extension"},
                 {112, "unrecognized_name"},
                 {113, "bad_certificate_status_response"},
                 {115, "unknown_psk_identity"},
                 {116, "certificate_required"},
                 {120, "no_application_protocol"}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].alert == alert)
            return names[i].name;
    }
    return "that has no name here";
}

/* What mbedTLS cannot do, by what it says of it. */
static const char *limit_text(const mote_tls *t, int r)
{
    bool shaking = t->life == TLS_HANDSHAKE;

    if (r == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE && !shaking)
        return "mbedTLS does not take this message after the handshake, as KeyUpdate (RFC 8446 "
               "4.6.3): let the peer send none, or use TLS 1.2";
    if (shaking &&
        (r == MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE || r == MBEDTLS_ERR_SSL_BAD_INPUT_DATA))
        return "mbedTLS cannot take a message of the handshake, as a chain of certificates that is "
               "longer than a record: let the peer send a shorter one";
    return NULL;
}

bool mote_tls_explain(mote_tls *t, int r)
{
    const char *limit = limit_text(t, r);
    unsigned alert = last_alert(t);

    if (r == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
        snprintf(t->text, sizeof t->text, "the peer has sent the alert %u, %s", alert,
                 alert_name(alert));
    else if (limit)
        snprintf(t->text, sizeof t->text, "%s", limit);
    return limit || r == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
}
