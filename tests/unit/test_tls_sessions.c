/* TLS sessions: resumption, and what is stored of them where others write. */
#include "tls_harness.h"

#include <mbedtls/md.h>

#include "../../port/posix/tls.h"

/* ---- sessions ------------------------------------------------------------------------------ */

/* What a peer says when it gives up is told by its name. */
static void alerts_have_names(void)
{
    static const struct {
        unsigned char alert;
        const char *text;
    } alerts[] = {{10, "10, unexpected_message"},
                  {20, "20, bad_record_mac"},
                  {22, "22, record_overflow"},
                  {40, "40, handshake_failure"},
                  {42, "42, bad_certificate"},
                  {43, "43, unsupported_certificate"},
                  {44, "44, certificate_revoked"},
                  {45, "45, certificate_expired"},
                  {46, "46, certificate_unknown"},
                  {47, "47, illegal_parameter"},
                  {48, "48, unknown_ca"},
                  {49, "49, access_denied"},
                  {50, "50, decode_error"},
                  {51, "51, decrypt_error"},
                  {70, "70, protocol_version"},
                  {71, "71, insufficient_security"},
                  {80, "80, internal_error"},
                  {86, "86, inappropriate_fallback"},
                  {90, "90, user_canceled"},
                  {109, "109, missing_extension"},
                  {110, "110, unsupported_extension"},
                  {112, "112, unrecognized_name"},
                  {113, "113, bad_certificate_status_response"},
                  {115, "115, unknown_psk_identity"},
                  {116, "116, certificate_required"},
                  {99, "99, that has no name here"}};
    char expected[100];

    prepare();
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        begin();
        run(10, 10);
        CHECK(ready());
        mbedtls_ssl_send_alert_message(&server.tls->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                       alerts[i].alert);
        run(10, 10);
        snprintf(expected, sizeof expected, "the peer has sent the alert %s", alerts[i].text);
        CHECK_INT(client.error, MOTE_TLS_ERR_RECORD);
        if (strcmp(mote_tls_error(client.tls), expected) != 0)
            printf("%s: %s\n", expected, mote_tls_error(client.tls));
        CHECK(strcmp(mote_tls_error(client.tls), expected) == 0);
    }
}

#if MOTE_TLS_MBEDTLS >= 4
/* Version 4 hands through what PSA says, and has no words for it. */
static void results_of_psa_have_words(void)
{
    static const struct {
        int result;
        const char *text;
    } results[] = {{PSA_ERROR_INSUFFICIENT_MEMORY, "mbedTLS has no memory left"},
                   {MBEDTLS_ERR_SSL_ALLOC_FAILED, "mbedTLS has no memory left"},
                   {PSA_ERROR_INSUFFICIENT_ENTROPY, "PSA has no entropy"},
                   {PSA_ERROR_INVALID_SIGNATURE, "a signature of the peer is wrong"},
                   {PSA_ERROR_NOT_SUPPORTED, "PSA was built without what the peer asks for"},
                   {MBEDTLS_ERR_PK_UNKNOWN_PK_ALG,
                    "mbedTLS does not know the kind of the peer's key, as Ed25519"},
                   {MBEDTLS_ERR_SSL_INVALID_MAC, "SSL - Verification of the message MAC failed"}};
    char text[100], number[32];

    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        mote_tls_put_result(results[i].result, text, sizeof text);
        if (strcmp(text, results[i].text) != 0)
            printf("%d: %s\n", results[i].result, text);
        CHECK(strcmp(text, results[i].text) == 0);
    }
    mote_tls_put_result(PSA_ERROR_COMMUNICATION_FAILURE, text, sizeof text);
    snprintf(number, sizeof number, "PSA has said %d", -145);
    CHECK(strcmp(text, number) == 0);
}
#endif

static void resume(bool tls12)
{
    static uint8_t session[SESSION], other[50];
    mote_tls_config ours = plain_server(), theirs = plain_client();

    ours.no_tls13 = theirs.no_tls13 = tls12;
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    begin();
    CHECK_INT(mote_tls_save_session(client.tls, session, sizeof session), 0);
    run(10, 10);
    CHECK(ready() && !mote_tls_resumed(client.tls));
    uint64_t full = to_client.passed;
    int n = mote_tls_save_session(client.tls, session, sizeof session);
    CHECK(n > 100);
    CHECK(mote_tls_save_session(client.tls, other, 50) <= 0); /* version 3 gives it once */

    CHECK(prepare_context(&client, theirs) == NULL); /* as after deep sleep */
    begin();
    CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), 0);
    run(100, 100);
    CHECK(ready() && mote_tls_resumed(client.tls));
    CHECK(is_prefix(&server) && server.received_len == 100 && client.received_len == 100);
    CHECK(to_client.passed + 300 < full); /* no certificate went over the wire */

    CHECK(prepare_context(&server, ours) == NULL); /* has forgotten everything */
    begin();
    CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), 0);
    run(100, 100);
    CHECK(ready() && !mote_tls_resumed(client.tls));
    CHECK_INT(server.received_len, 100);
}

static void a_session_is_resumed_by_a_ticket(void)
{
    resume(true);
#if MOTE_TLS_MBEDTLS >= 3
    resume(false);
#endif
}

static void a_session_is_resumed_by_its_id(void)
{
    static uint8_t session[SESSION];
    mote_tls_config ours = plain_server(), theirs = plain_client();

    ours.no_tls13 = theirs.no_tls13 = true;
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    mbedtls_ssl_conf_session_tickets(&client.context->config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    begin();
    run(10, 10);
    int n = mote_tls_save_session(client.tls, session, sizeof session);
    begin();
    CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), 0);
    run(100, 100);
    CHECK(ready() && mote_tls_resumed(client.tls));
    CHECK_INT(server.received_len, 100);
}

/* RFC 9113 9.2.2: suites of RFC 7540's list are none for us. */
static void a_client_with_forbidden_suites_is_told_so(void)
{
    static const int suites[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, 0};
    mote_tls_config ours = plain_server(), theirs = plain_client();

    ours.no_tls13 = theirs.no_tls13 = true;
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    mbedtls_ssl_conf_ciphersuites(&client.context->config, suites);
    begin();
    run(10, 10);
    CHECK(!ready());
    CHECK_INT(server.error, MOTE_TLS_ERR_SUITE);
    CHECK_TEXT(strcmp(mote_tls_error(server.tls),
                      "INADEQUATE_SECURITY: no cipher suite in common that RFC 9113 permits") == 0);
}

static void a_broken_session_is_refused_at_once(void)
{
    static uint8_t session[SESSION];

    prepare();
    begin();
    run(10, 10);
    int n = mote_tls_save_session(client.tls, session, sizeof session);
    begin();
    CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n / 2), MOTE_TLS_ERR_CONFIG);
    session[0] ^= 0xff;
    CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), MOTE_TLS_ERR_CONFIG);
    CHECK(strcmp(mote_tls_error(client.tls),
                 "the saved session is broken, or not of this version") == 0);
    CHECK_INT(mote_tls_resume(client.tls, session, 0), MOTE_TLS_ERR_CONFIG);
    run(10, 10);
    CHECK(ready() && !mote_tls_resumed(client.tls));
}

/* ---- sessions in storage that others write -----------------------------------------------------
 */

enum { MAGIC = 4, HEADER = MAGIC + TLS_TIME + TLS_DIGEST };

static void add(mote_tls_hmac *hmac, const void *data, size_t len)
{
    const uint8_t size[4] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len};

    tls_hmac_add(hmac, size, sizeof size);
    tls_hmac_add(hmac, data, len);
}

/* As who knows how it is done makes a session that is none look like one: without session_key there
 * is no secret in it. */
static void forge(uint8_t *session, size_t len)
{
    mote_tls_hmac hmac;

    CHECK_INT(mote_tls_hmac_begin(&hmac, (mote_tls_span){NULL, 0}), 0);
    add(&hmac, client.context->trusts, TLS_DIGEST);
    add(&hmac, "localhost", 9);
    add(&hmac, session + MAGIC, TLS_TIME);
    add(&hmac, session + HEADER, len - HEADER);
    CHECK_INT(mote_tls_hmac_end(&hmac, session + MAGIC + TLS_TIME), 0);
}

/* Takes a forged one, and goes on with the handshake if it is not refused. */
static void resume_forged(uint8_t *session, size_t len, bool handshake)
{
    static bool taken = true; /* the last one: then another connection is needed */
    if (handshake)
        begin();
    else if (taken)
        open_side(&client, "localhost");
    forge(session, len);
    client.tls->text[0] = '\0';
    int r = mote_tls_resume(client.tls, session, len);
    CHECK(r == 0 || r == MOTE_TLS_ERR_CONFIG);
    CHECK((r == 0) == (mote_tls_error(client.tls)[0] == '\0'));
    taken = r == 0;
    if (r == 0 && handshake) {
        run(10, 10);
        CHECK(ready() || client.error != 0 || server.error != 0);
        CHECK(!ready() || (is_prefix(&client) && is_prefix(&server)));
    }
}

static void a_hostile_session_is_an_error_or_ends_the_handshake(void)
{
    static uint8_t session[SESSION], other[SESSION];

    for (int tls12 = MOTE_TLS_MBEDTLS >= 3 ? 0 : 1; tls12 < 2; tls12++) {
        mote_tls_config ours = plain_server();
        ours.no_tls13 = tls12;
        CHECK(prepare_context(&server, ours) == NULL);
        CHECK(prepare_context(&client, plain_client()) == NULL);
        begin();
        run(10, 10);
        size_t n = (size_t)mote_tls_save_session(client.tls, session, sizeof session);
        CHECK(ready() && n > HEADER && n < SESSION);
        for (size_t i = HEADER; i < n; i++) { /* each byte, and each length */
            memcpy(other, session, n);
            other[i] ^= (uint8_t)(1u << i % 8);
            resume_forged(other, n, i % 128 == 0 || i < HEADER + 8 || i + 8 > n);
            memcpy(other, session, n);
            resume_forged(other, i, false);
        }
        memcpy(other, session, n);
        memcpy(other + HEADER, "\3\0\0\0\0", 5); /* of a version that there never was */
        begin();
        forge(other, n);
        CHECK_INT(mote_tls_resume(client.tls, other, n), MOTE_TLS_ERR_CONFIG);
        CHECK(strcmp(mote_tls_error(client.tls),
                     "the saved session was written by another version of mbedTLS") == 0);
        memcpy(other, session, n);
        memcpy(other + MAGIC, "20200101000000", TLS_TIME);
        forge(other, n);
        CHECK_INT(mote_tls_resume(client.tls, other, n), MOTE_TLS_ERR_CONFIG);
        CHECK(strcmp(mote_tls_error(client.tls),
                     "the certificate of the saved session has expired") == 0);
    }
}

int main(int argc, char **argv)
{
    tls_begin_tests(argc > 1 ? argv[1] : ".");
    RUN(alerts_have_names);
#if MOTE_TLS_MBEDTLS >= 4
    RUN(results_of_psa_have_words);
#endif
    RUN(a_session_is_resumed_by_a_ticket);
    RUN(a_session_is_resumed_by_its_id);
    RUN(a_client_with_forbidden_suites_is_told_so);
    RUN(a_broken_session_is_refused_at_once);
    RUN(a_hostile_session_is_an_error_or_ends_the_handshake);
    mote_tls_end(client.tls);
    return tls_end_tests();
}
