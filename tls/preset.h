/*
 * mbedTLS for small memory: build it, and this folder, with
 *   -DMBEDTLS_USER_CONFIG_FILE='"tls/preset.h"' -DMOTE_TLS_PRESET=16384 (or 4096, or 1024)
 * and mbedTLS 4 with -DTF_PSA_CRYPTO_USER_CONFIG_FILE='"tls/preset.h"' as well.
 *
 * MOTE_TLS_PRESET is the size of the records that fit. With less than 16384 a client must ask for
 * shorter ones (mote_tls_config.max_fragment), and a server depends on clients that do; with 1024
 * the chain of certificates must fit one record, which those of elliptic curves do.
 */
#define MBEDTLS_SSL_IN_CONTENT_LEN MOTE_TLS_PRESET
#if MOTE_TLS_PRESET < 4096
#define MBEDTLS_SSL_OUT_CONTENT_LEN MOTE_TLS_PRESET
#else
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096 /* nobody asks us for more */
#endif

#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_MEMORY_DEBUG

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define MBEDTLS_SSL_RECORD_SIZE_LIMIT /* what max_fragment is for TLS 1.2 (RFC 8449) */
#define MBEDTLS_USE_PSA_CRYPTO        /* so that keys may stay with PSA: mote_tls_config.psa_key */
#else
#undef MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#endif

/* What HTTP/2 has no use for. */
#undef MBEDTLS_SSL_PROTO_DTLS
#undef MBEDTLS_SSL_DTLS_ANTI_REPLAY
#undef MBEDTLS_SSL_DTLS_HELLO_VERIFY
#undef MBEDTLS_SSL_DTLS_CLIENT_PORT_REUSE
#undef MBEDTLS_SSL_DTLS_BADMAC_LIMIT
#undef MBEDTLS_SSL_DTLS_SRTP
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID_COMPAT
#undef MBEDTLS_SSL_COOKIE_C
#undef MBEDTLS_SSL_PROTO_TLS1
#undef MBEDTLS_SSL_PROTO_TLS1_1
#undef MBEDTLS_SSL_CBC_RECORD_SPLITTING
#undef MBEDTLS_SSL_RENEGOTIATION
#undef MBEDTLS_SSL_CONTEXT_SERIALIZATION
#undef MBEDTLS_SSL_TRUNCATED_HMAC
#undef MBEDTLS_SSL_EXPORT_KEYS
#undef MBEDTLS_SSL_ENCRYPT_THEN_MAC
#undef MBEDTLS_KEY_EXCHANGE_RSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_RSA_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_DHE_RSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDH_ECDSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDH_RSA_ENABLED
