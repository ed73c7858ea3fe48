/*
 * tls: TLS by mbedTLS between an engine and any transport, without I/O of its own: bytes of records
 * go in and out, plain bytes come out and go in. Client and server, with the protocol "h2" required
 * on both sides (RFC 7301) and verification on.
 *
 * This folder alone sees mbedTLS, 2.28, 3 or 4. It allocates nothing itself; mbedTLS does, from a
 * static pool where mbedtls_memory_buffer_alloc_init() was called (examples/tools/tls_pool.c).
 *
 * Conventions: see hpack/hpack.h. In addition: a mote_tls_context and a mote_tls must be ended, for
 * mbedTLS has memory to give back.
 */
#ifndef MOTE_TLS_H
#define MOTE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors -500..-599; mote_tls_error() says more. */
enum mote_tls_error_code {
    MOTE_TLS_ERR_CONFIG = -500,    /* a certificate, key, name or memory is missing or wrong */
    MOTE_TLS_ERR_HANDSHAKE = -501, /* the peers could not agree */
    MOTE_TLS_ERR_VERIFY = -502,    /* the peer's certificate is not accepted */
    MOTE_TLS_ERR_ALPN = -503,      /* the peer does not speak h2 */
    MOTE_TLS_ERR_RECORD = -504,    /* a broken record */
    MOTE_TLS_ERR_CUT = -505,       /* the transport has ended without close_notify */
    MOTE_TLS_CLOSED = -506,        /* a clean end */
    MOTE_TLS_ERR_SUITE = -507      /* no cipher suite in common that RFC 9113 permits, which HTTP/2
                                      calls INADEQUATE_SECURITY */
};

/* ---- memory of mbedTLS --------------------------------------------------------------------- */

/* Gives mbedTLS a static pool in place of the heap, before anything else is called. 0, or
 * MOTE_TLS_ERR_CONFIG: it was built without MBEDTLS_MEMORY_BUFFER_ALLOC_C (see tls/preset.h). */
int mote_tls_pool(void *memory, size_t size);

/* Bytes of the pool in use, with what the allocator needs itself: now, and the most so far. Zero
 * without MBEDTLS_MEMORY_DEBUG. */
typedef struct {
    size_t now, most;
} mote_tls_usage;
mote_tls_usage mote_tls_pool_usage(void);

/* ---- certificates and keys ----------------------------------------------------------------- */

/* Certificates, keys, tickets and random numbers, for any number of connections in one thread. */
typedef struct mote_tls_context mote_tls_context;

/* Spans are PEM (a NUL behind it may be counted) or DER. */
typedef struct {
    const void *data;
    size_t len;
} mote_tls_span;

/* A private key that stays where it is, as in a secure element. */
typedef struct {
    void *context;
    /* Signs a digest of `len` bytes by SHA-256, -384 or -512: a DER signature of ECDSA, or PKCS #1
     * v1.5 with RSA, of *n bytes at most `cap` (RSA: bits / 8, always). 0, or < 0. */
    int (*sign)(void *context, int sha, const uint8_t *digest, size_t len, uint8_t *signature,
                size_t cap, size_t *n);
    uint16_t rsa_bits; /* size of an RSA key; 0: an elliptic curve */
} mote_tls_signer;

/* Digests of what is trusted: SHA-256 of a certificate (DER) or of its SubjectPublicKeyInfo. */
typedef struct {
    uint8_t sha256[32];
} mote_tls_pin;

/* By which time certificates are judged, and saved sessions. */
enum mote_tls_time {
    /* The clock: clock_s, or that of mbedTLS. */
    MOTE_TLS_TIME_OF_CLOCK,
    /* As long as clock_s says less than floor_s, or is NULL: what had expired at floor_s is
     * refused, and when a certificate begins is not looked at. For clocks that are set late, or
     * never. */
    MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK,
    /* The same, until mote_tls_learn_time(); then the time that was learned and what clock_s, which
     * may begin anywhere (as at power-on), has counted since; NULL: it stands still. */
    MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED
};

typedef struct {
    bool server;
    mote_tls_span ca;        /* client: whom to trust; server: clients must have a certificate that
                                one of these has signed */
    mote_tls_span cert, key; /* server: required; client: for a server that asks */
    /* In place of `key`; stays with the context. With mbedTLS 3 for RSA and TLS 1.2 only,
     * with 4 for none: for others give a key of PSA's, by its number, where mbedTLS 3 was built
     * with MBEDTLS_USE_PSA_CRYPTO, as 4 always is. */
    const mote_tls_signer *signer;
    uint32_t psa_key;
    /* The peer's certificate must be one of these, or have such a key; stay with the context. With
     * `ca` both must hold; without, such a certificate is trusted by itself. */
    const mote_tls_pin *pins;
    size_t pin_count;
    bool pinned_any_name; /* a pinned certificate may be for any name: the pin says who it is */
    bool pinned_any_time; /* and of any time: for devices that have no clock */
    enum mote_tls_time time;
    uint64_t (*clock_s)(void *context); /* seconds since 1970 */
    void *clock_context;
    uint64_t floor_s; /* seconds since 1970 that have surely passed, as those of the build */
    /* A shared key (RFC 4279, RFC 8446 2.2), with ephemeral keys; in place of certificates. Servers
     * may have both. */
    mote_tls_span psk, psk_identity;
    /* Server: the key for an identity: its length, at most `cap`; 0: unknown. In place of `psk`. */
    size_t (*find_psk)(void *context, const uint8_t *identity, size_t len, uint8_t *key,
                       size_t cap);
    void *psk_context;
    /* Server: sessions can be resumed for so long, as mbedTLS counts it (MBEDTLS_HAVE_TIME); 0: no.
     * Who has to prove who it is (`ca`, `pins`, a shared key) resumes with TLS 1.2 and a ticket
     * alone, and only as long as the dates of its chain, the pins and its shared key, which
     * find_psk is asked for again, would let it in; otherwise the handshake is a full one. */
    uint32_t session_s;
    uint16_t max_fragment; /* client: asks for records of 512, 1024, 2048 or 4096 bytes (RFC 6066
                              4); 0: does not */
    /* Client: saved sessions carry a HMAC under this key (any length, 32 bytes are good; stays with
     * the context), so that storage which others can write cannot bring one in. Without it they
     * carry a digest, which shows storage that is torn or of another configuration, not an
     * attacker. */
    mote_tls_span session_key;
    bool no_tls13;
    /* Accepts any certificate: everyone on the way can read and change all. Contradicts `ca`,
     * `pins` and a shared key, which is an error. */
    bool dangerously_accept_any_certificate;
} mote_tls_config;

/* Bytes that suffice for a context; aligned as a pointer. Nearly all is for mbedTLS 2.28 built with
 * HAVEGE, as Debian's; without it 3,840 suffice (3,600 where pointers have 32 bits), which you may
 * define for all files of this folder.
 */
#ifndef MOTE_TLS_CONTEXT_MEMORY
#define MOTE_TLS_CONTEXT_MEMORY 40960
#endif

/* The same for a connection; and the longest record. */
enum { MOTE_TLS_MEMORY = 1536, MOTE_TLS_RECORD = 16384 };

/* 0, or MOTE_TLS_ERR_CONFIG with a text in *why (static). The spans of the config need not stay. */
int mote_tls_context_init(mote_tls_context **context, const mote_tls_config *config, void *memory,
                          size_t size, const char **why);
void mote_tls_context_end(mote_tls_context *context);

/* ---- connections --------------------------------------------------------------------------- */

typedef struct mote_tls mote_tls;

/* `host_name` is whom a client wants to reach (required), and stays with the connection; NULL for a
 * server. A name goes into SNI (RFC 6066 3) and must be one of the certificate's (RFC 6125). An IP
 * address, also as "[::1]" or "fe80::1%eth0", goes into no SNI and must be one of the certificate's
 * iPAddress names; wildcards and the common name do not count. 0 or MOTE_TLS_ERR_CONFIG. */
int mote_tls_init(mote_tls **tls, mote_tls_context *context, const char *host_name, void *memory,
                  size_t size);
void mote_tls_end(mote_tls *tls);

/* Client, before the handshake: goes on with a session of mote_tls_save_session(), if the server
 * still knows it; otherwise the handshake is a full one. 0 or MOTE_TLS_ERR_CONFIG, with a text in
 * mote_tls_error(): the bytes are broken, written by another version of mbedTLS, made for another
 * host or other settings of trust (CA, pins, identity of the shared key, flags), under another
 * session_key, or a certificate of that time has expired. The handshake is then a full one. */
int mote_tls_resume(mote_tls *tls, const void *session, size_t len);

/* Client: writes the session, as for flash during deep sleep; its bytes are as secret as the
 * connection, and 250 to 2,050. The length; 0: there is none (yet: with TLS 1.3 it comes after the
 * handshake; mbedTLS 3 and 4 give it once); MOTE_TLS_ERR_CONFIG: it does not fit. */
int mote_tls_save_session(mote_tls *tls, void *out, size_t cap);

/* Client with MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED: the server has said what time it is, in seconds
 * since 1970, by what means you like (the field "date" of an answer, a call). That counts once for
 * the context. 0; MOTE_TLS_ERR_CONFIG, with a text in mote_tls_error(): the context learns no time,
 * or has; the server has shown no certificate (a session was resumed, or by a shared key); or it is
 * not between floor_s and the dates of its chain. */
int mote_tls_learn_time(mote_tls *tls, uint64_t unix_s);

/* Client: true when the handshake was a short one. */
bool mote_tls_resumed(const mote_tls *tls);

/* Goes on with the handshake, with bytes from the transport: *used of them. 0, or the sticky error.
 * Output may be due afterwards, as after each of these functions; while it is, no input is used. */
int mote_tls_handshake(mote_tls *tls, const uint8_t *in, size_t len, size_t *used);

/* True once the handshake is done. */
bool mote_tls_ready(const mote_tls *tls);

/* Bytes from the transport, *used of them, become plain ones: how many were written to `out`; 0: it
 * takes more; < 0: the sticky error. Call it again with the rest until it returns 0 and has used
 * all; where it uses none, output must leave first. Does the handshake as well. */
int mote_tls_read(mote_tls *tls, const uint8_t *in, size_t len, size_t *used, uint8_t *out,
                  size_t cap);

/* Takes plain bytes, at most a record of them, once the record before has left; how many; 0: not
 * now; < 0: the error. */
int mote_tls_write(mote_tls *tls, const uint8_t *in, size_t len);

/* Bytes for the transport, as mote_h2_peek() and mote_h2_ack(): they lie in mbedTLS's own buffer.
 * When all are acknowledged, there may be more. */
const uint8_t *mote_tls_peek(mote_tls *tls, size_t *len);
void mote_tls_ack(mote_tls *tls, size_t len);

/* The transport has ended. */
void mote_tls_eof(mote_tls *tls);

/* The time for the handshake is over: it fails with MOTE_TLS_ERR_HANDSHAKE. */
void mote_tls_late(mote_tls *tls);

/* Says goodbye (close_notify); its bytes are in mote_tls_peek(). */
void mote_tls_close(mote_tls *tls);

/* ---- who the peer is ------------------------------------------------------------------------ */

/* What the peer has proven of itself in the handshake. */
enum mote_tls_proof {
    MOTE_TLS_UNPROVEN,    /* nothing: it was not asked, or is not believed, or TLS is not ready */
    MOTE_TLS_CERTIFICATE, /* that it has the key of this certificate, which is trusted */
    MOTE_TLS_SHARED_KEY   /* that it has the key of this identity */
};

enum { MOTE_TLS_PEER_NAME = 128, MOTE_TLS_PEER_NAMES = 512 };

/* Texts hold no control characters; a value that has some, or does not fit, is left out. */
typedef struct {
    enum mote_tls_proof proof;
    char name[MOTE_TLS_PEER_NAME + 1]; /* the common name, where there is just one; or the
                                          identity of the shared key */
    char subject[MOTE_TLS_PEER_NAMES +
                 1]; /* "C=DE, CN=door": for people, as values may hold commas */
    /* The subjectAltName, as "DNS:door", "URI:urn:dev:door" and "IP:192.0.2.1", each with a NUL
     * behind it, and one more behind the last. */
    char names[MOTE_TLS_PEER_NAMES + 1];
    bool
        has_names; /* it has a DNS name or a URI, told or not: then the common name is for people */
    uint8_t sha256[32]; /* of the certificate (DER) */
} mote_tls_peer;

/* Who the peer is; of a resumed session who it was. A peer that resumes with a shared key is
 * UNPROVEN (leave session_s at 0 where it matters), and so is, to a client, the server of a resumed
 * session of TLS 1.3; and each peer with a certificate where mbedTLS does not keep it
 * (MBEDTLS_SSL_KEEP_PEER_CERTIFICATE, which tls/preset.h leaves out for its memory). */
void mote_tls_get_peer(const mote_tls *tls, mote_tls_peer *peer);

/* Whether a peer has proven that it is called so, to the letter: by a DNS name or URI of its
 * certificate, by the common name of one that has neither (RFC 6125 6.4.4), or by the identity of
 * its key. */
bool mote_tls_peer_is(const mote_tls_peer *peer, const char *name, size_t len);

/* What the error is, as "the certificate of CN=door has expired (2026-01-31; the clock says
 * 2026-11-21)". */
const char *mote_tls_error(const mote_tls *tls);

#ifdef __cplusplus
}
#endif
#endif
