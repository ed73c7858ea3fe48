/* Certificates, keys and what connections may agree on. */
#include "tls_internal.h"

#include <string.h>

_Static_assert(sizeof(mote_tls_context) <= MOTE_TLS_CONTEXT_MEMORY, "MOTE_TLS_CONTEXT_MEMORY");
_Static_assert(sizeof(mote_tls) <= MOTE_TLS_MEMORY, "MOTE_TLS_MEMORY");

/* ---- what is given ------------------------------------------------------------------------- */

static bool has_key(const mote_tls_config *config)
{
    return config->key.len > 0 || config->signer || config->psa_key != 0;
}

static const char *check_keys(const mote_tls_config *config)
{
    if ((config->cert.len > 0) != has_key(config))
        return "a certificate needs its key, and a key its certificate";
    if ((config->key.len > 0) + (config->signer != NULL) + (config->psa_key != 0) > 1)
        return "key, signer and psa_key exclude each other";
    if (config->psk.len > 0 && config->find_psk)
        return "psk and find_psk exclude each other";
    if (config->psk.len > 0 && config->psk_identity.len == 0)
        return "a shared key needs its identity";
    if (!MOTE_TLS_PSK && tls_has_psk(config))
        return "this mbedTLS has no shared keys (PSK)";
    return NULL;
}

/* Settings that contradict each other are errors: none of them is ignored without a word. */
static const char *check_trust(const mote_tls_config *config)
{
    bool asks = config->ca.len > 0 || config->pin_count > 0;

    if (config->dangerously_accept_any_certificate && tls_has_psk(config))
        return "dangerously_accept_any_certificate contradicts a shared key: leave one out";
    if (config->dangerously_accept_any_certificate && asks)
        return "dangerously_accept_any_certificate contradicts a CA and pins: leave one out";
    if (config->pin_count > 0 && !config->pins)
        return "pin_count without pins";
    if ((config->pinned_any_name || config->pinned_any_time) && config->pin_count == 0)
        return "pinned_any_name and pinned_any_time need pins";
    if (!config->server && !asks && !tls_has_psk(config) &&
        !config->dangerously_accept_any_certificate)
        return "a client needs CA certificates, pins or a shared key";
    return NULL;
}

static const char *check_role(const mote_tls_config *config)
{
    if (config->server && config->cert.len == 0 && !tls_has_psk(config))
        return "a server needs a certificate or a shared key";
    if (config->server && config->cert.len == 0 && config->ca.len + config->pin_count > 0)
        return "a server that asks for certificates needs its own";
    if (!config->server && config->find_psk)
        return "find_psk is for servers";
    if (!config->server && config->session_s > 0)
        return "session_s is for servers: a client saves sessions by mote_tls_save_session()";
    if (config->server && (config->max_fragment > 0 || config->session_key.len > 0))
        return "max_fragment and session_key are for clients";
    return NULL;
}

/* Devices without a clock say how they judge dates; no build judges none without a word. */
static const char *check_time(const mote_tls_config *config)
{
    bool of_clock = config->time == MOTE_TLS_TIME_OF_CLOCK;

    if (of_clock && config->floor_s > 0)
        return "floor_s needs MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK or _UNTIL_LEARNED";
    if (!of_clock && config->floor_s == 0)
        return "a time without a clock needs its floor_s, as the time of the build";
    if (config->server && config->time == MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED)
        return "a time is learned by clients alone";
    if (!MOTE_TLS_TIME && of_clock && !config->clock_s && config->ca.len + config->pin_count > 0 &&
        !config->pinned_any_time)
        return "this mbedTLS has no clock: give clock_s, a floor, or pins for any time";
    return NULL;
}

static const char *check_config(const mote_tls_config *config)
{
    const char *why = check_keys(config);

    why = why ? why : check_role(config);
    why = why ? why : check_trust(config);
    return why ? why : check_time(config);
}

/* ---- what may be agreed on ----------------------------------------------------------------- */

/* Who has to prove who it is, resumes by what is looked at again: a ticket, and none of TLS 1.3, in
 * which mbedTLS keeps no certificate, and which with a shared key is no shorter than the key. */
static const char *set_sessions(mote_tls_context *c, const mote_tls_config *config)
{
    bool asks = config->ca.len > 0 || config->pin_count > 0 || tls_has_psk(config);

    (void)c, (void)asks;
    if (!config->server || config->session_s == 0)
        return NULL;
    if (!MOTE_TLS_TICKETS && !MOTE_TLS_CACHE)
        return "this mbedTLS resumes no sessions: build it with tickets or a session cache";
#if MOTE_TLS_TICKETS
    if (!mote_tls_put_random(&c->random, c->ticket_key, sizeof c->ticket_key) ||
        tls_set_up_tickets(&c->tickets, &c->random, config->session_s) != 0)
        return "tickets cannot be set up";
    mbedtls_ssl_conf_session_tickets_cb(&c->config, mote_tls_write_ticket, mote_tls_read_ticket, c);
    if (asks)
        tls_no_new_tickets(&c->config);
#endif
#if MOTE_TLS_CACHE
    if (asks)
        return NULL;
#if defined(MBEDTLS_HAVE_TIME)
    mbedtls_ssl_cache_set_timeout(&c->sessions, (int)config->session_s);
#endif
    mbedtls_ssl_conf_session_cache(&c->config, &c->sessions, mbedtls_ssl_cache_get,
                                   mbedtls_ssl_cache_set);
#endif
    return NULL;
}

static const char *set_fragment(mote_tls_context *c, uint16_t bytes)
{
    (void)c;
    if (bytes == 0)
        return NULL;
#if defined(MBEDTLS_SSL_MAX_FRAGMENT_LENGTH)
    /* 512 is 2 to the power of 9, which has the code 1 */
    for (unsigned char code = 1; code <= 4; code++) {
        if (bytes == 256u << code)
            return mbedtls_ssl_conf_max_frag_len(&c->config, code) == 0 ? NULL : "max_fragment";
    }
    return "max_fragment is 512, 1024, 2048 or 4096";
#else
    return "this mbedTLS has no max_fragment: build it with MBEDTLS_SSL_MAX_FRAGMENT_LENGTH";
#endif
}

static int verify_mode(const mote_tls_config *config)
{
    bool asked = config->ca.len > 0 || config->pin_count > 0;

    if (config->dangerously_accept_any_certificate || (config->server && !asked))
        return MBEDTLS_SSL_VERIFY_NONE;
    return MBEDTLS_SSL_VERIFY_REQUIRED;
}

static const char *configure(mote_tls_context *c, const mote_tls_config *config)
{
    const char *why;

    if (mbedtls_ssl_config_defaults(&c->config,
                                    config->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return "out of memory";
    mote_tls_set_terms(c, config);
    mbedtls_ssl_conf_authmode(&c->config, verify_mode(config));
    mbedtls_ssl_conf_ca_chain(&c->config, &c->ca, NULL);
    if (config->cert.len > 0 && mbedtls_ssl_conf_own_cert(&c->config, &c->cert, &c->key) != 0)
        return "out of memory";
    if (mote_tls_set_alpn(c) != 0)
        return "out of memory";
#if defined(MBEDTLS_SSL_RENEGOTIATION)
    mbedtls_ssl_conf_renegotiation(&c->config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
    why = mote_tls_set_psk(c, config);
    why = why ? why : set_sessions(c, config);
    return why ? why : set_fragment(c, config->max_fragment);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void prepare(mote_tls_context *c, const mote_tls_config *config)
{
    memset(c, 0, sizeof *c);
    c->server = config->server;
    c->has_ca = config->ca.len > 0;
    c->pins = config->pins;
    c->pin_count = config->pin_count;
    c->find_psk = config->find_psk;
    c->psk_context = config->psk_context;
    c->session_key = config->session_key;
    c->time = config->time;
    c->clock_s = config->clock_s;
    c->clock_context = config->clock_context;
    c->floor_s = config->floor_s;
    c->accepts_any = config->dangerously_accept_any_certificate;
    c->pinned_any_name = config->pinned_any_name;
    c->pinned_any_time = config->pinned_any_time;
    mbedtls_x509_crt_init(&c->ca);
    mbedtls_x509_crt_init(&c->cert);
    mbedtls_pk_init(&c->key);
    mbedtls_ssl_config_init(&c->config);
#if MOTE_TLS_TICKETS
    mbedtls_ssl_ticket_init(&c->tickets);
#endif
#if MOTE_TLS_CACHE
    mbedtls_ssl_cache_init(&c->sessions);
#endif
}

int mote_tls_context_init(mote_tls_context **context, const mote_tls_config *config, void *memory,
                          size_t size, const char **why)
{
    mote_tls_context *c = memory;

    *context = NULL;
    *why = check_config(config);
    if (size < sizeof *c)
        *why = "memory: MOTE_TLS_CONTEXT_MEMORY bytes are needed";
    if (*why)
        return MOTE_TLS_ERR_CONFIG;
    prepare(c, config);
    *why = mote_tls_begin_random(&c->random);
    if (!*why)
        *why = mote_tls_load_credentials(c, config);
    if (!*why)
        *why = configure(c, config);
    if (!*why && mote_tls_digest_trust(c, config) != 0)
        *why = "this mbedTLS has no SHA-256";
    if (*why) {
        mote_tls_context_end(c);
        return MOTE_TLS_ERR_CONFIG;
    }
    *context = c;
    return 0;
}

void mote_tls_context_end(mote_tls_context *c)
{
    if (!c)
        return;
#if MOTE_TLS_CACHE
    mbedtls_ssl_cache_free(&c->sessions);
#endif
#if MOTE_TLS_TICKETS
    mbedtls_ssl_ticket_free(&c->tickets);
#endif
    mbedtls_ssl_config_free(&c->config);
    mbedtls_pk_free(&c->key);
    mbedtls_x509_crt_free(&c->cert);
    mbedtls_x509_crt_free(&c->ca);
    tls_end_random(&c->random);
}
