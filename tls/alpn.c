/* ALPN (RFC 7301): h2 is offered, and nothing else will do (RFC 9113 3.2). */
#include "tls_internal.h"

#include <stdio.h>
#include <string.h>

int mote_tls_set_alpn(mote_tls_context *c)
{
    static const char *protocols[] = {"h2", NULL};

    return mbedtls_ssl_conf_alpn_protocols(&c->config, protocols);
}

bool mote_tls_agreed_alpn(mote_tls *t)
{
    const char *chosen = mbedtls_ssl_get_alpn_protocol(&t->ssl);

    if (chosen && strcmp(chosen, "h2") == 0)
        return true;
    snprintf(t->text, sizeof t->text, "the peer has chosen %s%s in place of the protocol h2 (ALPN)",
             chosen ? "" : "nothing", chosen ? chosen : "");
    mbedtls_ssl_send_alert_message(&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                   MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL);
    return false;
}

const char *mote_tls_alpn_text(const mote_tls *t, int r)
{
    /* by which a server says that it does not speak h2 (RFC 7301 3.2) */
    if (mote_tls_got_alert(t, r, MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL))
        return "the peer does not speak the protocol h2: it has sent the alert "
               "no_application_protocol (ALPN)";
    return r == TLS_NO_COMMON_PROTOCOL && t->context->server
               ? "the client does not offer h2, or its hello is broken"
               : NULL;
}
