/* What the files of this folder share. */
#ifndef MOTE_TLS_INTERNAL_H
#define MOTE_TLS_INTERNAL_H

#include "mbedtls_versions_internal.h"

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

/* What a build of mbedTLS must have, and what it may leave out, as Zephyr and ESP-IDF do by
 * default. */
#if !defined(MBEDTLS_SSL_ALPN)
#error "tls: HTTP/2 needs ALPN (RFC 9113 3.2): build mbedTLS with MBEDTLS_SSL_ALPN"
#endif
#if !defined(MBEDTLS_X509_CRT_PARSE_C)
#error "tls: build mbedTLS with MBEDTLS_X509_CRT_PARSE_C"
#endif
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_TICKET_C) &&                       \
    defined(MBEDTLS_SSL_SRV_C)
#define MOTE_TLS_TICKETS 1
#else
#define MOTE_TLS_TICKETS 0
#endif
#if defined(MBEDTLS_SSL_CACHE_C) && defined(MBEDTLS_SSL_SRV_C)
#define MOTE_TLS_CACHE 1
#else
#define MOTE_TLS_CACHE 0
#endif

/* Whether it has a clock of its own, by which it judges certificates. */
#if defined(MBEDTLS_HAVE_TIME_DATE)
#define MOTE_TLS_TIME 1
#else
#define MOTE_TLS_TIME 0
#endif

/* Whether servers learn who has which shared key. */
#if MOTE_TLS_PSK && defined(MBEDTLS_SSL_SRV_C)
#define MOTE_TLS_PSK_SERVER 1
#else
#define MOTE_TLS_PSK_SERVER 0
#endif

enum {
    TLS_TEXT = 256,
    TLS_SMALL = 128,
    TLS_DIGEST = 32,
    TLS_TIME = 14,
    TLS_MAX_PSK = 64,
    TLS_NO_ADDRESS = 255
};

struct mote_tls_context {
    mote_tls_random random;
    mbedtls_x509_crt ca, cert;
    mbedtls_pk_context key;
    mbedtls_ssl_config config;
#if MOTE_TLS_TICKETS
    mbedtls_ssl_ticket_context tickets;
#endif
#if MOTE_TLS_CACHE
    mbedtls_ssl_cache_context sessions;
#endif
    const mote_tls_pin *pins;
    size_t pin_count;
    size_t (*find_psk)(void *context, const uint8_t *identity, size_t len, uint8_t *key,
                       size_t cap);
    void *psk_context;
    mote_tls_span session_key;
    uint8_t ticket_key[TLS_DIGEST]; /* server: random */
    struct mote_tls *shaking;       /* whose handshake mbedTLS is called for */
    uint8_t trusts[TLS_DIGEST]; /* of all that decides whom a client trusts, but the host name */
    enum mote_tls_time time;
    uint64_t (*clock_s)(void *context);
    void *clock_context;
    uint64_t floor_s, learned_s, learned_at; /* what a server has said, and the clock then */
    bool server, has_ca, accepts_any, pinned_any_name, pinned_any_time;
};

/*
 *   HANDSHAKE -> OPEN -> CLOSING -> SAID_GOODBYE
 *                  '--------------------^
 */
enum tls_life {
    TLS_HANDSHAKE,
    TLS_OPEN,
    TLS_CLOSING,      /* close_notify leaves after the record that is leaving */
    TLS_SAID_GOODBYE, /* nothing more is written; the peer may still speak */
};

struct mote_tls {
    mbedtls_ssl_context ssl; /* first, so that it leads back */
    mote_tls_context *context;
    const char *host_name;
    uint8_t address[16]; /* of a host name that is an IP address: address_len bytes */
    uint8_t address_len; /* 0: it is a name; TLS_NO_ADDRESS: neither, which no certificate has */
    const uint8_t *in;
    size_t in_len;
    uint8_t small_len, small_pos; /* of `small`, which leaves first */
    const uint8_t *out;           /* a record in mbedTLS's buffer that waits for the transport */
    size_t out_len, out_pos;
    size_t writing; /* plain bytes of that record, which mbedTLS wants to be offered again */
    enum tls_life life;
    int error;  /* sticky; apart from `life`, as a session can be saved after it */
    bool ended; /* the transport has */
    bool late;  /* the handshake was not over in time */
    bool saw_certificate, offered_session;
    bool exchanged_keys; /* of TLS 1.2, as the short handshake of a resumed session does not */
    bool has_ticket;     /* of TLS 1.3: without one the session is of no use */
    /* YYYYMMDDHHMMSS: when the last certificate of the chain begins, and the first one expires */
    char valid_from[TLS_TIME], valid_to[TLS_TIME];
    uint8_t small[TLS_SMALL];
    char text[TLS_TEXT]; /* of the error, or of a certificate that is not accepted */
    uint8_t identity[MOTE_TLS_PEER_NAME]; /* of the shared key that was given last */
    uint8_t identity_len;
    bool long_identity; /* it is one that does not fit */
};

static inline bool tls_has_psk(const mote_tls_config *config)
{
    return config->psk.len > 0 || config->find_psk;
}

/* alpn.c (RFC 7301): what is offered and accepted: 0, or an error of mbedTLS. After the handshake:
 * true when h2 was agreed on; otherwise the peer is told, and the text says what it has chosen. And
 * the text of a result of mbedTLS that is about ALPN, otherwise NULL. */
int mote_tls_set_alpn(mote_tls_context *c);
bool mote_tls_agreed_alpn(mote_tls *tls);
const char *mote_tls_alpn_text(const mote_tls *tls, int result);

/* alert.c: whether a result of mbedTLS is this alert; and words for a result, in the text: false:
 * there are none. */
bool mote_tls_got_alert(const mote_tls *tls, int result, unsigned alert);
bool mote_tls_explain(mote_tls *tls, int result);

/* credentials.c: reads CA certificates, certificate and key of a config: NULL, or what is wrong. */
const char *mote_tls_load_credentials(mote_tls_context *c, const mote_tls_config *config);

/* psk.c: sets what a config says of shared keys: NULL, or what is wrong. Server: the key of an
 * identity, at most TLS_MAX_PSK bytes: its length, 0: there is none. */
const char *mote_tls_set_psk(mote_tls_context *c, const mote_tls_config *config);
size_t mote_tls_find_key(const mote_tls_context *c, const uint8_t *identity, size_t len,
                         uint8_t *key);

/* peer_name.c: whom a client wants to reach. 0, or MOTE_TLS_ERR_CONFIG. */
int mote_tls_set_peer_name(mote_tls *tls, const char *host_name);
/* True when the certificate names the address that was asked for. */
bool mote_tls_names_address(const mote_tls *tls, const mbedtls_x509_crt *crt);

/* verify.c: mbedtls_ssl_set_verify(): names of addresses, pins, and a text that says which check of
 * which certificate failed. */
int mote_tls_verify(void *tls, mbedtls_x509_crt *crt, int depth, uint32_t *flags);
const char *mote_tls_use_text(const mote_tls *t); /* NULL: that is no fault of the peer's */
/* SHA-256 of a part of a certificate: false: there is no memory. */
bool mote_tls_digest(const mbedtls_x509_buf *span, uint8_t out[32]);

/* time.c: what is known of the time, which is then in `out` as YYYYMMDDHHMMSS. */
enum mote_tls_knowledge { TLS_TIME_UNKNOWN, TLS_TIME_AT_LEAST, TLS_TIME_KNOWN };
enum mote_tls_knowledge mote_tls_now(const mote_tls_context *c, char out[TLS_TIME]);
/* Whether what a session was trusted for has an end (as YYYYMMDDHHMMSS) that has passed. */
bool mote_tls_is_over(const mote_tls_context *c, const char valid_to[TLS_TIME]);
/* A certificate of the peer's chain: its dates are noted, and held against the time. */
void mote_tls_judge_dates(mote_tls *tls, const mbedtls_x509_crt *crt, uint32_t *flags);
/* The date that is the trouble, beside that of today. */
void mote_tls_put_dates(const mote_tls *tls, const mbedtls_x509_time *when, char *out, size_t cap);

/* session.c: the digest of what a client trusts. 0, or an error of mbedTLS. */
int mote_tls_digest_trust(mote_tls_context *c, const mote_tls_config *config);
/* To what a digest is of, with its length in front, so that what follows cannot be taken for a part
 * of it. */
void mote_tls_add(mote_tls_hmac *hmac, const void *data, size_t len);
/* In a time that does not depend on where they differ. */
bool mote_tls_same_digest(const uint8_t *a, const uint8_t *b);

/* ticket.c: mbedtls_ssl_conf_session_tickets_cb() of a context. */
int mote_tls_write_ticket(void *context, const mbedtls_ssl_session *session, unsigned char *start,
                          const unsigned char *end, size_t *len, uint32_t *lifetime);
int mote_tls_read_ticket(void *context, mbedtls_ssl_session *session, unsigned char *buf,
                         size_t len);

#endif
