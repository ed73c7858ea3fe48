/* TLS: shared keys, keys that stay where they are, short records, wrong settings,
 * certificates with faults. */
#include "tls_harness.h"

static size_t find_psk(void *context, const uint8_t *identity, size_t len, uint8_t *key, size_t cap)
{
    (void)context;
    if (len != 8 || memcmp(identity, "sensor-7", 8) != 0 || cap < 16)
        return 0;
    memcpy(key, "0123456789abcdef", 16);
    return 16;
}

/* ---- shared keys --------------------------------------------------------------------------- */

static int with_psk(mote_tls_config ours, const char *identity, const char *key)
{
    mote_tls_config theirs = {.psk = {key, strlen(key)},
                              .psk_identity = {identity, strlen(identity)}};

    theirs.no_tls13 = ours.no_tls13;
    CHECK(prepare_context(&server, ours) == NULL);
    CHECK(prepare_context(&client, theirs) == NULL);
    begin();
    run(100, 100);
    return ready() && server.received_len == 100 ? 0 : -1;
}

static void shared_keys_take_the_place_of_certificates(void)
{
    mote_tls_config one = {
        .server = true, .psk = {"0123456789abcdef", 16}, .psk_identity = {"sensor-7", 8}};
    mote_tls_config many = {.server = true, .find_psk = find_psk};
    mote_tls_config both = plain_server();

    both.find_psk = find_psk;
    for (int tls12 = 0; tls12 < 2; tls12++) {
        one.no_tls13 = many.no_tls13 = both.no_tls13 = tls12;
        CHECK_INT(with_psk(one, "sensor-7", "0123456789abcdef"), 0);
        CHECK_INT(with_psk(many, "sensor-7", "0123456789abcdef"), 0);
        CHECK_INT(with_psk(both, "sensor-7", "0123456789abcdef"), 0);
        CHECK_INT(with_psk(one, "sensor-7", "0123456789abcdeX"), -1);
        CHECK_INT(with_psk(many, "sensor-8", "0123456789abcdef"), -1);
        CHECK_INT(server.received_len, 0);
    }
    CHECK(prepare_context(&client, plain_client()) == NULL); /* the other way in */
    begin();
    run(10, 10);
    CHECK(server.error != 0 || ready());
}

/* ---- keys that stay where they are --------------------------------------------------------- */

static mbedtls_pk_context element; /* the secure element */
static mote_tls_random element_random;
static int signatures;

static int sign(void *context, int sha, const uint8_t *digest, size_t len, uint8_t *signature,
                size_t cap, size_t *n)
{
    mbedtls_md_type_t md = sha == 512   ? MBEDTLS_MD_SHA512
                           : sha == 384 ? MBEDTLS_MD_SHA384
                                        : MBEDTLS_MD_SHA256;

    CHECK(context == &element);
    signatures++;
#if MOTE_TLS_MBEDTLS == 3
    return mbedtls_pk_sign(&element, md, digest, len, signature, cap, n, mbedtls_ctr_drbg_random,
                           &element_random.generator);
#elif MOTE_TLS_MBEDTLS == 2
    (void)cap;
    return mbedtls_pk_sign(&element, md, digest, len, signature, n, mbedtls_ctr_drbg_random,
                           &element_random.generator);
#else
    return mbedtls_pk_sign(&element, md, digest, len, signature, cap, n);
#endif
}

static void put_key_into_element(const char *name)
{
    mote_tls_span pem = file(name);

    mbedtls_pk_free(&element);
    mbedtls_pk_init(&element);
#if MOTE_TLS_MBEDTLS == 3
    CHECK_INT(mbedtls_pk_parse_key(&element, pem.data, pem.len, NULL, 0, mbedtls_ctr_drbg_random,
                                   &element_random.generator),
              0);
#else
    CHECK_INT(mbedtls_pk_parse_key(&element, pem.data, pem.len, NULL, 0), 0);
#endif
}

/* The server's key, then the client's. */
static void with_signer(const mote_tls_signer *signer, const char *cert, const char *key)
{
    mote_tls_config ours = plain_server(), theirs = plain_client();

    put_key_into_element(key);
    ours.cert = file(cert);
    ours.key = (mote_tls_span){NULL, 0};
    ours.signer = signer;
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    signatures = 0;
    begin();
    run(10, 10);
    CHECK(ready() && signatures == 1);
    ours = plain_server();
    ours.ca = file("good.pem");
    theirs.cert = file(cert);
    theirs.signer = signer;
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    begin();
    run(10, 10);
    CHECK(ready() && signatures == 2);
}

static void is_refused(const mote_tls_signer *signer, const char *text)
{
    mote_tls_config ours = plain_server();

    ours.key.len = 0;
    ours.signer = signer;
    CHECK(strcmp(prepare_context(&server, ours), text) == 0);
}

static void a_key_may_stay_in_a_secure_element(void)
{
    static const mote_tls_signer rsa = {&element, sign, 2048}, ec = {&element, sign, 0};

    CHECK(mote_tls_begin_random(&element_random) == NULL);
#if MOTE_TLS_MBEDTLS >= 4
    is_refused(&rsa, "this mbedTLS takes no signer: use psa_key");
    is_refused(&ec, "this mbedTLS takes no signer: use psa_key");
    (void)with_signer;
#elif MOTE_TLS_MBEDTLS == 3
    with_signer(&rsa, "rsa.pem", "rsa.key");
    is_refused(&ec, "this mbedTLS takes a signer for RSA alone: use psa_key");
#else
    with_signer(&rsa, "rsa.pem", "rsa.key");
    with_signer(&ec, "server.pem", "server.key");
    (void)is_refused;
#endif
    mbedtls_pk_free(&element);
    tls_end_random(&element_random);
}

#if MOTE_TLS_MBEDTLS >= 3 && defined(MBEDTLS_USE_PSA_CRYPTO)
/* A key in PSA's keeping, of which only the number is known. */
static void a_key_may_stay_with_psa(void)
{
    mote_tls_config ours = plain_server();
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;

    put_key_into_element("server.key");
    CHECK_INT(mbedtls_pk_get_psa_attributes(&element, PSA_KEY_USAGE_SIGN_HASH, &attributes), 0);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_ANY_HASH));
    CHECK_INT(mbedtls_pk_import_into_psa(&element, &attributes, &id), 0);
    ours.key.len = 0;
    ours.psa_key = id;
    CHECK(prepare_context(&server, ours) == NULL);
    CHECK(prepare_context(&client, plain_client()) == NULL);
    begin();
    run(10, 10);
    CHECK(ready() && server.received_len == 10);
    psa_destroy_key(id);
    CHECK(strcmp(prepare_context(&server, ours), "PSA has no such key as psa_key") == 0);
    mbedtls_pk_free(&element);
}
#endif

/* ---- config -------------------------------------------------------------------------------- */

static size_t longest_record(const wire *w, size_t from)
{
    size_t longest = 0;

    while (from + 5 <= w->len) {
        size_t n = (size_t)w->bytes[from + 3] << 8 | w->bytes[from + 4];
        longest = n > longest ? n : longest;
        from += 5 + n;
    }
    return longest;
}

static void records_are_as_short_as_the_client_asks(void)
{
    mote_tls_config theirs = plain_client();

    theirs.max_fragment = 1024;
    theirs.no_tls13 = true; /* mbedTLS 3.6 has no record_size_limit there by default */
    CHECK(prepare_context(&server, plain_server()) == NULL);
    CHECK(prepare_context(&client, theirs) == NULL);
    begin();
    run(0, 0);
    CHECK(ready());
    size_t sent = 0, longest = 0;
    for (int r; sent < 5000; sent += (size_t)r) { /* server to client, without delivery */
        r = mote_tls_write(server.tls, message + sent, 5000 - sent);
        CHECK(r > 0);
        if (r <= 0)
            return;
        to_client.len = 0;
        while (write_some(&server, &to_client))
            ;
        size_t n = longest_record(&to_client, 0);
        longest = n > longest ? n : longest;
    }
    CHECK(longest > 1024 && longest < 1024 + 64);
    theirs.max_fragment = 1000;
    CHECK(strstr(prepare_context(&client, theirs), "512, 1024, 2048 or 4096"));
}

static void a_wrong_config_says_what_is_wrong(void)
{
    mote_tls_span text = {"nonsense", 9};
    mote_tls_config ours = plain_server();
    const char *why;

    CHECK(
        strstr(prepare_context(&server, (mote_tls_config){.server = true}), "needs a certificate"));
    CHECK(strstr(prepare_context(&client, (mote_tls_config){.ca = text}), "CA certificates"));
    ours.cert = text;
    CHECK(strstr(prepare_context(&server, ours), "the certificate cannot be read"));
    ours = plain_server();
    ours.key = text;
    CHECK(strstr(prepare_context(&server, ours), "the key cannot be read"));
    ours.key.len = 0;
    CHECK(strstr(prepare_context(&server, ours), "needs its key"));
    ours = plain_server();
    CHECK_INT(mote_tls_context_init(&server.context, &ours, server.context_memory, 100, &why),
              MOTE_TLS_ERR_CONFIG);
    CHECK(strstr(why, "memory"));
    CHECK(strstr(prepare_context(&client, (mote_tls_config){.psk = text}), "identity"));
    CHECK(strstr(prepare_context(&client, (mote_tls_config){.find_psk = find_psk}), "servers"));
    ours.psa_key = 1;
    ours.key.len = 0;
    CHECK(prepare_context(&server, ours) != NULL); /* no such key, or no such mbedTLS */
}

static void a_server_that_does_not_speak_h2_says_so(void)
{
    static const char *others[] = {"http/1.1", NULL};
    mote_tls_config ours = plain_server();

    for (int tls12 = 0; tls12 < 2; tls12++) {
        ours.no_tls13 = tls12;
        CHECK(prepare_context(&server, ours) == NULL);
        CHECK(prepare_context(&client, plain_client()) == NULL);
        mbedtls_ssl_conf_alpn_protocols(&server.context->config, others);
        begin();
        run(10, 10);
        CHECK_INT(client.error, MOTE_TLS_ERR_ALPN);
        CHECK(strstr(mote_tls_error(client.tls), "alert no_application_protocol"));
        CHECK(prepare_context(&server, ours) == NULL);
        mbedtls_ssl_conf_alpn_protocols(&client.context->config, others);
        begin();
        run(10, 10);
        CHECK_INT(server.error, MOTE_TLS_ERR_ALPN);
        CHECK(strcmp(mote_tls_error(server.tls),
                     "the client does not offer h2, or its hello is broken") == 0);
        CHECK(prepare_context(&server, ours) == NULL);
        CHECK(prepare_context(&client, plain_client()) == NULL);
        server.context->config.MOTE_TLS_MEMBER(alpn_list) = NULL;
        begin();
        run(10, 10);
        CHECK_INT(client.error, MOTE_TLS_ERR_ALPN);
        CHECK(strcmp(mote_tls_error(client.tls),
                     "the peer has chosen nothing in place of the protocol h2 (ALPN)") == 0);
    }
}

static bool says(const char *why, const char *text)
{
    return why && strcmp(why, text) == 0;
}

/* A shared key takes the place of no setting without a word. */
static void a_shared_key_beside_certificates_is_one_of_both(void)
{
    static const mote_tls_pin pin;
    const mote_tls_span key = {"0123456789abcdef", 16}, name = {"sensor-7", 8};
    mote_tls_config c = {.psk = key, .psk_identity = name, .pins = &pin, .pin_count = 1};

    for (int no_tls13 = 0; no_tls13 < 2; no_tls13++) {
        mote_tls_config ours = plain_server();
        ours.no_tls13 = no_tls13;
        CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, c) == NULL);
        begin();
        run(10, 10);
        CHECK_INT(client.error, MOTE_TLS_ERR_VERIFY); /* it was asked, and is not pinned */
        CHECK(strstr(mote_tls_error(client.tls), "CN=server is not a pinned one"));
    }
    c.pin_count = 0;
    c.dangerously_accept_any_certificate = true;
    CHECK(says(prepare_context(&client, c), "dangerously_accept_any_certificate contradicts "
                                            "a shared key: leave one out"));
    c = (mote_tls_config){.server = true, .psk = key, .psk_identity = name};
    c.pins = &pin;
    c.pin_count = 1;
    CHECK(says(prepare_context(&server, c), "a server that asks for certificates needs its own"));
    c.pin_count = 0;
    c.ca = file("good.pem");
    CHECK(says(prepare_context(&server, c), "a server that asks for certificates needs its own"));
}

static void a_client_without_a_host_name_does_not_start(void)
{
    mote_tls *tls;

    CHECK(prepare_context(&client, plain_client()) == NULL);
    CHECK_INT(mote_tls_init(&tls, client.context, NULL, client.memory, sizeof client.memory),
              MOTE_TLS_ERR_CONFIG);
    CHECK_INT(mote_tls_init(&tls, client.context, "", client.memory, sizeof client.memory),
              MOTE_TLS_ERR_CONFIG);
    CHECK_INT(mote_tls_init(&tls, client.context, "localhost", client.memory, 100),
              MOTE_TLS_ERR_CONFIG);
    CHECK(tls == NULL);
}

/* ---- uses ---------------------------------------------------------------------------------- */

/* What a CA has signed and nobody should take; NULL: it is no fault for that role. */
static void certificates_with_faults_are_told_with_them(void)
{
    static const char use[] = "the peer's certificate is not for this use: see its key usage and "
                              "extended key usage";
    static const char own[] = "the certificate is not for a server: see its key usage and extended "
                              "key usage";
    static const struct {
        const char *cert, *key, *server_at_once, *of_server, *of_client;
    } cases[] = {
        {"small.pem", "small.key", NULL, "CN=small has a weak key", "CN=small has a weak key"},
        {"sha1.pem", "sha1.key", NULL, "CN=sha1 is signed with a weak hash",
         "CN=sha1 is signed with a weak hash"},
        {"of_a_ca.pem", "of_a_ca.key", own, NULL, use},
        {"of_clients.pem", "of_clients.key", own, NULL, NULL},
        {"of_servers.pem", "of_servers.key", NULL, NULL, use},
    };

    for (size_t i = 0; i < 4 * sizeof cases / sizeof cases[0]; i++) {
        bool of_client = i % 2;
        const char *expected = of_client ? cases[i / 4].of_client : cases[i / 4].of_server;
        const char *at_once = of_client ? NULL : cases[i / 4].server_at_once;
        mote_tls_config ours = plain_server(), theirs = plain_client();
        mote_tls_config *faulty = of_client ? &theirs : &ours;
        side *judge = of_client ? &server : &client;
        ours.ca = of_client ? file("good.pem") : ours.ca;
        ours.no_tls13 = theirs.no_tls13 = i / 2 % 2;
        faulty->cert = file(cases[i / 4].cert);
        faulty->key = file(cases[i / 4].key);
        const char *text = prepare_context(&server, ours);
        CHECK(at_once ? text && strcmp(text, at_once) == 0 : !text);
        CHECK(prepare_context(&client, theirs) == NULL);
        if (at_once)
            continue;
        begin();
        run(10, 10);
        CHECK_INT(judge->error, expected ? MOTE_TLS_ERR_VERIFY : 0);
        CHECK(expected ? strstr(mote_tls_error(judge->tls), expected) != NULL : ready());
        CHECK(!expected || !judge->received_len);
    }
}

int main(int argc, char **argv)
{
    tls_begin_tests(argc > 1 ? argv[1] : ".");
    RUN(shared_keys_take_the_place_of_certificates);
    RUN(a_key_may_stay_in_a_secure_element);
#if MOTE_TLS_MBEDTLS >= 3 && defined(MBEDTLS_USE_PSA_CRYPTO)
    RUN(a_key_may_stay_with_psa);
#endif
    RUN(records_are_as_short_as_the_client_asks);
    RUN(a_wrong_config_says_what_is_wrong);
    RUN(certificates_with_faults_are_told_with_them);
    RUN(a_server_that_does_not_speak_h2_says_so);
    RUN(a_shared_key_beside_certificates_is_one_of_both);
    mote_tls_end(client.tls);
    client.tls = NULL;
    RUN(a_client_without_a_host_name_does_not_start);
    return tls_end_tests();
}
