/* TLS: who the peer is, in both roles, by certificates and shared keys. */
#include "tls_harness.h"

static mote_tls_peer peer;

static const char *proof_name(enum mote_tls_proof proof)
{
    static const char *const names[] = {"unproven", "certificate", "shared key"};

    return names[proof];
}

/* What is known of a peer, in one line: "PROOF NAME|SUBJECT|NAMES". */
static const char *told_of(const mote_tls *tls)
{
    static char line[1500];

    mote_tls_get_peer(tls, &peer);
    size_t n = (size_t)snprintf(line, sizeof line, "%s %s|%s|", proof_name(peer.proof), peer.name,
                                peer.subject);
    for (const char *s = peer.names; *s; s += strlen(s) + 1)
        n += (size_t)snprintf(line + n, sizeof line - n, "%s ", s);
    return line;
}

static void check_told(const mote_tls *tls, const char *expected)
{
    const char *told = told_of(tls);

    if (strcmp(told, expected) != 0) {
        printf("told:     %s\nexpected: %s\n", told, expected);
        test_ok = false;
    }
}

static bool is(const char *name)
{
    return mote_tls_peer_is(&peer, name, strlen(name));
}

/* ---- certificates -------------------------------------------------------------------------- */

static void meet(const char *cert, const char *key, bool no_tls13)
{
    mote_tls_config ours = plain_server(), theirs = plain_client();

    ours.ca = file("good.pem");
    ours.no_tls13 = no_tls13;
    theirs.cert = file(cert);
    theirs.key = file(key);
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    begin();
    mote_tls_get_peer(server.tls, &peer);
    CHECK_INT(peer.proof, MOTE_TLS_UNPROVEN); /* not before the handshake */
    run(10, 10);
    CHECK(ready());
}

/* `is` and `is_not`: names, one behind the other with a blank between. */
static void certificates_say_who_has_them(void)
{
    static const struct {
        const char *cert, *key, *told, *is, *is_not;
    } cases[] = {
        {"client.pem", "client.key", "certificate client|CN=client|DNS:client ", "client",
         "clien client1 Client DNS:client CN=client"},
        {"door.pem", "door.key",
         "certificate door|CN=door|URI:urn:dev:door-1 DNS:door-1.example IP:192.0.2.7 "
         "IP:2001:db8:0:0:0:0:0:7 ",
         "urn:dev:door-1 door-1.example", "door door-1 192.0.2.7 IP:192.0.2.7"},
        {"mailed.pem", "mailed.key", "certificate mailed|CN=mailed|", "mailed", "door-1"},
        {"plain.pem", "plain.key", "certificate door-1|O=Doors, CN=door-1|", "door-1",
         "Doors door"},
        {"twins.pem", "twins.key", "certificate |CN=door-1, CN=door-2|", "", "door-1 door-2"},
        {"nameless.pem", "nameless.key", "certificate |O=door-1|", "", "door-1"},
    };

    for (int no_tls13 = 0; no_tls13 < 2; no_tls13++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            char names[128];
            meet(cases[i].cert, cases[i].key, no_tls13);
            check_told(server.tls, cases[i].told);
            snprintf(names, sizeof names, "%s", cases[i].is);
            for (char *name = strtok(names, " "); name; name = strtok(NULL, " "))
                CHECK(is(name));
            snprintf(names, sizeof names, "%s", cases[i].is_not);
            for (char *name = strtok(names, " "); name; name = strtok(NULL, " "))
                CHECK(!is(name));
            CHECK(!is(""));
            check_told(client.tls, "certificate server|CN=server|DNS:localhost ");
        }
    }
}

/* A comma or a line break in a value makes no other name of it. */
static void a_value_is_no_syntax(void)
{
    meet("comma.pem", "comma.key", true);
    mote_tls_get_peer(server.tls, &peer);
    CHECK(strcmp(peer.name, "door-2") == 0 && is("door-2") && !is("door-1"));
    meet("torn.pem", "torn.key", true);
    mote_tls_get_peer(server.tls, &peer);
    CHECK_INT(peer.proof, MOTE_TLS_CERTIFICATE);
    CHECK(peer.name[0] == '\0' && !is("door-1") && !is("door-1\ndoor-2"));
    CHECK(!strchr(peer.subject, '\n'));
}

static void the_digest_is_that_of_the_certificate(void)
{
    mbedtls_x509_crt crt;
    mote_tls_span pem = file("client.pem");
    uint8_t digest[32];

    meet("client.pem", "client.key", false);
    mote_tls_get_peer(server.tls, &peer);
    mbedtls_x509_crt_init(&crt);
    CHECK_INT(mbedtls_x509_crt_parse(&crt, pem.data, pem.len), 0);
    CHECK(mote_tls_digest(&crt.raw, digest) && memcmp(digest, peer.sha256, 32) == 0);
    mbedtls_x509_crt_free(&crt);
}

/* Who is not asked is nobody, and who accepts everybody knows nobody. */
static void what_is_not_checked_proves_nothing(void)
{
    mote_tls_config theirs = {.dangerously_accept_any_certificate = true};

    theirs.cert = file("client.pem");
    theirs.key = file("client.key");
    CHECK(prepare_context(&server, plain_server()) == NULL);
    CHECK(prepare_context(&client, theirs) == NULL);
    begin();
    run(10, 10);
    CHECK(ready());
    check_told(server.tls, "unproven ||");
    check_told(client.tls, "unproven ||");
    CHECK(!is("client") && !is("server"));
}

/* ---- shared keys --------------------------------------------------------------------------- */

static size_t find_psk(void *context, const uint8_t *identity, size_t len, uint8_t *key, size_t cap)
{
    (void)context;
    if (len < 7 || memcmp(identity, "sensor-", 7) != 0 || cap < 16)
        return 0;
    memcpy(key, "0123456789abcdef", 16);
    return 16;
}

static void shared_keys_say_whose_they_are(void)
{
    static const char *const identities[] = {"sensor-7", "sensor-8", "sensor-\n"};

    for (size_t i = 0; i < 12; i++) {
        const char *identity = identities[i % 3];
        bool finds = i % 2;
        mote_tls_config ours = {.server = true}, theirs = {0};
        theirs.psk = (mote_tls_span){"0123456789abcdef", 16};
        theirs.psk_identity = (mote_tls_span){identity, 8};
        if (finds)
            ours.find_psk = find_psk;
        else
            ours.psk = theirs.psk, ours.psk_identity = theirs.psk_identity;
        ours.no_tls13 = i >= 6;
        CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
        begin();
        run(10, 10);
        CHECK(ready());
        mote_tls_get_peer(server.tls, &peer);
        CHECK_INT(peer.proof, MOTE_TLS_SHARED_KEY);
        CHECK(strcmp(peer.name, i % 3 == 2 ? "" : identity) == 0);
        CHECK(i % 3 == 2 ? !is(identity) : is(identity) && !is("sensor-9"));
    }
}

static void a_wrong_shared_key_is_nobody(void)
{
    static const char *const keys[] = {"0123456789abcdeX", "0123456789abcde"};

    for (size_t i = 0; i < 4; i++) {
        mote_tls_config ours = {.server = true, .find_psk = find_psk, .no_tls13 = i >= 2},
                        theirs = {.psk = {keys[i % 2], strlen(keys[i % 2])},
                                  .psk_identity = {"sensor-7", 8}};
        CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
        begin();
        run(10, 10);
        CHECK(server.error != 0);
        check_told(server.tls, "unproven ||");
    }
}

#if MOTE_TLS_MBEDTLS >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
/* A client of TLS 1.3 that names a shared key, which it need not have, and permits no exchange by
 * which the server uses shared keys: mbedTLS asks for the key, checks nothing, and goes on with the
 * server's certificate. */
static void who_names_a_shared_key_has_not_proven_it(void)
{
    static const struct {
        int modes;
        bool has_key;
        const char *told;
    } cases[] = {
        {(int)MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK, false, "unproven ||"},
        {(int)MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK, true, "unproven ||"},
        {(int)MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL, true, "shared key sensor-7||"},
        {0, true, "unproven ||"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mote_tls_config ours = plain_server(), theirs = plain_client();
        ours.find_psk = find_psk;
        theirs.psk =
            (mote_tls_span){cases[i].has_key ? "0123456789abcdef" : "a wrong key 1234", 16};
        theirs.psk_identity = (mote_tls_span){"sensor-7", 8};
        CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
        mbedtls_ssl_conf_tls13_key_exchange_modes(
            &client.context->config,
            cases[i].modes | (int)MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
        begin();
        run(10, 10);
        CHECK(ready());
        check_told(server.tls, cases[i].told);
    }
}
#endif

/* ---- resumed sessions ---------------------------------------------------------------------- */

static uint8_t session[SESSION];

static int save(mote_tls_config ours, mote_tls_config theirs)
{
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    begin();
    run(10, 10);
    CHECK(ready());
    return mote_tls_save_session(client.tls, session, sizeof session);
}

static mote_tls_config asks_for_certificates(bool no_tls13)
{
    mote_tls_config ours = plain_server();

    ours.ca = file("good.pem");
    ours.no_tls13 = no_tls13;
    return ours;
}

/* With TLS 1.3 it is a full handshake, as the certificate would not be kept. */
static void a_resumed_session_is_whose_it_was(void)
{
    for (int no_tls13 = 0; no_tls13 < 2; no_tls13++) {
        mote_tls_config theirs = plain_client();
        theirs.cert = file("client.pem");
        theirs.key = file("client.key");
        int n = save(asks_for_certificates(no_tls13), theirs);
        begin();
        mote_tls_resume(client.tls, session, (size_t)n);
        run(10, 10);
        CHECK(ready());
        CHECK(mote_tls_resumed(client.tls) == (no_tls13 || MOTE_TLS_MBEDTLS < 3));
        check_told(server.tls, "certificate client|CN=client|DNS:client ");
        check_told(client.tls, "certificate server|CN=server|DNS:localhost ");
    }
}

/* What is not kept with the session is not guessed. */
static void who_resumes_with_a_shared_key_is_nobody(void)
{
    mote_tls_config ours = {.server = true, .find_psk = find_psk, .session_s = 100},
                    theirs = {.psk = {"0123456789abcdef", 16}, .psk_identity = {"sensor-7", 8}};

    ours.no_tls13 = true;
    int n = save(ours, theirs);
    CHECK(n > 0);
    check_told(server.tls, "shared key sensor-7||");
    begin();
    CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), 0);
    run(10, 10);
    CHECK(ready() && mote_tls_resumed(client.tls));
    check_told(server.tls, "unproven ||");
    theirs.psk_identity.data = "sensor-8"; /* whose session it is not */
    CHECK(prepare_context(&client, theirs) == NULL);
    begin();
    CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), MOTE_TLS_ERR_CONFIG);
}

#if !defined(MBEDTLS_SSL_KEEP_PEER_CERTIFICATE)
/* As with tls/preset.h, which saves its memory. */
static void a_certificate_that_is_not_kept_proves_nothing(void)
{
    meet("client.pem", "client.key", false);
    check_told(server.tls, "unproven ||");
    check_told(client.tls, "unproven ||");
}
#endif

int main(int argc, char **argv)
{
    tls_begin_tests(argc > 1 ? argv[1] : ".");
#if defined(MBEDTLS_SSL_KEEP_PEER_CERTIFICATE)
    RUN(certificates_say_who_has_them);
    RUN(a_value_is_no_syntax);
    RUN(the_digest_is_that_of_the_certificate);
    RUN(a_resumed_session_is_whose_it_was);
#else
    RUN(a_certificate_that_is_not_kept_proves_nothing);
#endif
    RUN(what_is_not_checked_proves_nothing);
    RUN(shared_keys_say_whose_they_are);
    RUN(a_wrong_shared_key_is_nobody);
#if MOTE_TLS_MBEDTLS >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
    RUN(who_names_a_shared_key_has_not_proven_it);
#endif
    RUN(who_resumes_with_a_shared_key_is_nobody);
    return tls_end_tests();
}
