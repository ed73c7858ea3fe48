/* TLS: who is trusted by which settings, shared keys, keys that stay where they are, wrong
 * settings. */
#include "tls_harness.h"

#include <mbedtls/sha256.h>

/* ---- who is who ---------------------------------------------------------------------------- */

static void names_and_times_are_checked(void)
{
    static const struct {
        const char *cert, *key, *host, *text;
    } cases[] = {
        {"server.pem", "server.key", "example.com",
         "the certificate of CN=server is for another host name than example.com"},
        {"stranger.pem", "stranger.key", "localhost",
         "the certificate of CN=stranger is not signed by a trusted CA"},
        {"expired.pem", "expired.key", "localhost", "the certificate of CN=expired has expired (2"},
        {"future.pem", "future.key", "localhost",
         "the certificate of CN=future is not yet valid (2"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mote_tls_config ours = plain_server();
        ours.cert = file(cases[i].cert);
        ours.key = file(cases[i].key);
        CHECK(prepare_context(&server, ours) == NULL);
        CHECK(prepare_context(&client, plain_client()) == NULL);
        begin();
        open_side(&client, cases[i].host);
        run(10, 10);
        CHECK_INT(client.error, MOTE_TLS_ERR_VERIFY);
        CHECK(strstr(mote_tls_error(client.tls), cases[i].text));
        CHECK(server.error != 0 && server.received_len == 0);
    }
    CHECK(strstr(mote_tls_error(client.tls), "; the clock says 20"));
}

static void verification_can_only_be_turned_off_loudly(void)
{
    mote_tls_config ours = plain_server(), theirs = {.dangerously_accept_any_certificate = true};

    ours.cert = file("stranger.pem");
    ours.key = file("stranger.key");
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    begin();
    open_side(&client, "example.com");
    run(10, 10);
    CHECK(ready());
    CHECK(strstr(prepare_context(&client, (mote_tls_config){0}), "CA certificates"));
}

static mote_tls_pin pin_of(const mbedtls_x509_buf *span)
{
    mote_tls_pin pin;

    CHECK_INT(
        mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), span->p, span->len, pin.sha256),
        0);
    return pin;
}

static int with_pins(const mote_tls_pin *pins, size_t count, bool ca)
{
    mote_tls_config theirs = {.pins = pins, .pin_count = count};

    if (ca)
        theirs.ca = file("good.pem");
    CHECK(prepare_context(&client, theirs) == NULL);
    begin();
    run(10, 10);
    return ready() ? 0 : client.error;
}

static void pins_are_trusted_and_nothing_else(void)
{
    mbedtls_x509_crt crt;
    mote_tls_span pem = file("server.pem");

    mbedtls_x509_crt_init(&crt);
    CHECK_INT(mbedtls_x509_crt_parse(&crt, pem.data, pem.len), 0);
    mote_tls_pin pins[] = {{{0}}, pin_of(&crt.raw), pin_of(&crt.pk_raw)};
    mbedtls_x509_crt_free(&crt);
    CHECK(prepare_context(&server, plain_server()) == NULL);
    CHECK_INT(with_pins(pins, 1, true), MOTE_TLS_ERR_VERIFY);
    CHECK(strstr(mote_tls_error(client.tls), "CN=server is not a pinned one"));
    CHECK_INT(with_pins(pins, 1, false), MOTE_TLS_ERR_VERIFY);
    CHECK_INT(with_pins(pins, 2, false), 0);
    CHECK_INT(with_pins(pins, 2, true), 0);
    CHECK_INT(with_pins(pins + 2, 1, false), 0);
    open_side(&client, "example.com"); /* a pinned certificate must still name the host */
    open_side(&server, NULL);
    run(10, 10);
    CHECK_INT(client.error, MOTE_TLS_ERR_VERIFY);
}

static void servers_may_ask_for_certificates(void)
{
    mote_tls_config ours = plain_server(), theirs = plain_client();

    ours.ca = file("good.pem");
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    begin();
    run(10, 10);
    CHECK(server.error != 0 && server.received_len == 0);
    theirs.cert = file("stranger.pem");
    theirs.key = file("stranger.key");
    CHECK(prepare_context(&client, theirs) == NULL);
    begin();
    run(10, 10);
    CHECK_INT(server.error, MOTE_TLS_ERR_VERIFY);
    CHECK(strstr(mote_tls_error(server.tls), "CN=stranger is not signed by a trusted CA"));
    CHECK_INT(server.received_len, 0);
    theirs.cert = file("client.pem");
    theirs.key = file("client.key");
    CHECK(prepare_context(&client, theirs) == NULL);
    begin();
    run(10, 10);
    CHECK(ready() && server.received_len == 10);
}

static size_t find_psk(void *context, const uint8_t *identity, size_t len, uint8_t *key, size_t cap)
{
    (void)context;
    if (len != 8 || memcmp(identity, "sensor-7", 8) != 0 || cap < 16)
        return 0;
    memcpy(key, "0123456789abcdef", 16);
    return 16;
}

/* ---- the table: who is trusted by which settings -------------------------------------------- */

enum { RIGHT_PIN, WRONG_PIN, NO_PIN };

typedef struct {
    const char *what, *ca;
    int pin;
    bool any_name, any_time, any;
} settings;

static const settings all_settings[] = {
    {"a CA", "good.pem", NO_PIN, 0, 0, 0},
    {"another CA", "other.pem", NO_PIN, 0, 0, 0},
    {"a CA and a pin", "good.pem", RIGHT_PIN, 0, 0, 0},
    {"a CA and a wrong pin", "good.pem", WRONG_PIN, 0, 0, 0},
    {"another CA and a pin", "other.pem", RIGHT_PIN, 0, 0, 0},
    {"a pin", NULL, RIGHT_PIN, 0, 0, 0},
    {"a wrong pin", NULL, WRONG_PIN, 0, 0, 0},
    {"a pin for any name", NULL, RIGHT_PIN, true, 0, 0},
    {"a pin at any time", NULL, RIGHT_PIN, 0, true, 0},
    {"a CA and a pin for any name", "good.pem", RIGHT_PIN, true, 0, 0},
    {"anything", NULL, NO_PIN, 0, 0, true},
};
enum { SETTINGS = sizeof all_settings / sizeof all_settings[0] };

/* What is said of a server, for each of the settings: '.' it is trusted; otherwise why it is not:
 * its Name, its siGner, its Pin, its Time. */
static const struct {
    const char *cert, *key, *host, *expected;
} servers[] = {
    {"server.pem", "server.key", "localhost", ".G.PG.P...."},
    {"server.pem", "server.key", "localhost.", ".G.PG.P...."},
    {"server.pem", "server.key", "example.com", "NNNNNNN.N.."},
    {"stranger.pem", "stranger.key", "localhost", "G.GP..P..G."},
    {"expired.pem", "expired.key", "localhost", "TTTTTTTT.T."},
    {"future.pem", "future.key", "localhost", "TTTTTTTT.T."},
    {"address.pem", "address.key", "127.0.0.1", ".G.PG.P...."},
    {"address.pem", "address.key", "::1", ".G.PG.P...."},
    {"address.pem", "address.key", "[::1]", ".G.PG.P...."},
    {"address.pem", "address.key", "0:0::0:1", ".G.PG.P...."},
    {"address.pem", "address.key", "[fe80::1%eth0]", ".G.PG.P...."},
    {"address.pem", "address.key", "::7f00:1", "NNNNNNN.N.."},
    {"address.pem", "address.key", "127.0.0.2", "NNNNNNN.N.."},
    {"address.pem", "address.key", "localhost", "NNNNNNN.N.."},
    {"wild.pem", "wild.key", "127.0.0.1", "NNNNNNN.N.."}, /* names are no addresses */
    {"wild.pem", "wild.key", "127.0.0.1.", "NNNNNNN.N.."},
    {"wild.pem", "wild.key", "1.0.0.1.", "NNNNNNN.N.."},
    {"wild.pem", "wild.key", "0177.0.0.1", "NNNNNNN.N.."},
    {"wild.pem", "wild.key", "127.0.0.01", "NNNNNNN.N.."},
    {"wild.pem", "wild.key", "127.1", "NNNNNNN.N.."},
    {"wild.pem", "wild.key", "127.0x1", "NNNNNNN.N.."},
};

static mote_tls_pin pin_of_file(const char *name)
{
    mote_tls_span pem = file(name);
    mbedtls_x509_crt crt;

    mbedtls_x509_crt_init(&crt);
    CHECK_INT(mbedtls_x509_crt_parse(&crt, pem.data, pem.len), 0);
    mote_tls_pin pin = pin_of(&crt.pk_raw);
    mbedtls_x509_crt_free(&crt);
    return pin;
}

static mote_tls_config config_of(const settings *s, const char *cert)
{
    static mote_tls_pin pin;
    mote_tls_config config = {.dangerously_accept_any_certificate = s->any,
                              .pinned_any_name = s->any_name,
                              .pinned_any_time = s->any_time};

    if (s->ca)
        config.ca = file(s->ca);
    pin = s->pin == RIGHT_PIN ? pin_of_file(cert) : (mote_tls_pin){{1}};
    config.pins = s->pin == NO_PIN ? NULL : &pin;
    config.pin_count = s->pin != NO_PIN;
    return config;
}

static char reason_of(const side *s)
{
    static const struct {
        const char *text;
        char reason;
    } reasons[] = {{"is for another host name than", 'N'},
                   {"is not signed by a trusted CA", 'G'},
                   {"is not a pinned one", 'P'},
                   {"has expired (2", 'T'},
                   {"is not yet valid (2", 'T'}};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (s->error == MOTE_TLS_ERR_VERIFY && strstr(mote_tls_error(s->tls), reasons[i].text))
            return reasons[i].reason;
    }
    return '?';
}

static void connect_to(const char *host)
{
    begin();
    open_side(&client, host);
    run(10, 10);
}

static void servers_are_trusted_by_the_table(void)
{
    for (size_t i = 0; i < 2 * sizeof servers / sizeof servers[0]; i++) {
        size_t row = i / 2;
        mote_tls_config ours = plain_server();
        ours.no_tls13 = i % 2;
        ours.cert = file(servers[row].cert);
        ours.key = file(servers[row].key);
        CHECK(prepare_context(&server, ours) == NULL);
        for (size_t s = 0; s < SETTINGS; s++) {
            mote_tls_config theirs = config_of(&all_settings[s], servers[row].cert);
            theirs.no_tls13 = i % 2;
            CHECK(prepare_context(&client, theirs) == NULL);
            connect_to(servers[row].host);
            char got = ready() ? '.' : reason_of(&client);
            if (got != servers[row].expected[s])
                printf("%s at %s, trusting %s: %c (%s)\n", servers[row].cert, servers[row].host,
                       all_settings[s].what, got, mote_tls_error(client.tls));
            CHECK(got == servers[row].expected[s]);
            CHECK(got == '.' || server.received_len == 0);
        }
    }
}

/* The other role: which clients a server lets in. */
static void clients_are_trusted_by_the_table(void)
{
    static const struct {
        const char *cert, *key, *expected; /* '-': no certificate */
    } clients[] = {{"client.pem", "client.key", ".G.PG.P...."},
                   {"stranger.pem", "stranger.key", "G.GP..P..G."},
                   {"expired.pem", "expired.key", "TTTTTTTT.T."},
                   {NULL, NULL, "----------."}};

    for (size_t i = 0; i < 2 * sizeof clients / sizeof clients[0]; i++) {
        size_t row = i / 2;
        for (size_t s = 0; s < SETTINGS; s++) {
            mote_tls_config ours =
                config_of(&all_settings[s], clients[row].cert ? clients[row].cert : "client.pem");
            mote_tls_config theirs = plain_client();
            ours.server = true;
            ours.cert = file("server.pem");
            ours.key = file("server.key");
            ours.no_tls13 = theirs.no_tls13 = i % 2;
            if (clients[row].cert) {
                theirs.cert = file(clients[row].cert);
                theirs.key = file(clients[row].key);
            }
            CHECK(prepare_context(&server, ours) == NULL);
            CHECK(prepare_context(&client, theirs) == NULL);
            connect_to("localhost");
            bool in = server.error == 0 && mote_tls_ready(server.tls) && server.received_len == 10;
            char got = in ? '.' : !clients[row].cert ? '-' : reason_of(&server);
            if (got != clients[row].expected[s])
                printf("client %s, a server trusting %s: %c (%s)\n",
                       clients[row].cert ? clients[row].cert : "none", all_settings[s].what, got,
                       mote_tls_error(server.tls));
            CHECK(got == clients[row].expected[s]);
            CHECK(got == '.' || server.received_len == 0);
        }
    }
}

static const mote_tls_span session_keys[] = {{NULL, 0}, {"one key", 7}, {"another", 7}};

static mote_tls_config config_with_key(size_t s, size_t key, bool tls12)
{
    mote_tls_config config = config_of(&all_settings[s], "server.pem");

    config.no_tls13 = tls12;
    config.session_key = session_keys[key];
    return config;
}

static int session_made_with(size_t s, size_t key, bool tls12, uint8_t session[SESSION])
{
    mote_tls_config ours = plain_server();

    ours.no_tls13 = tls12;
    CHECK(prepare_context(&server, ours) == NULL &&
          prepare_context(&client, config_with_key(s, key, tls12)) == NULL);
    connect_to("localhost");
    int n = mote_tls_save_session(client.tls, session, SESSION);
    CHECK(n > 0);
    return n;
}

/* What is refused is not resumed: the certificate is looked at, by the other settings. */
static void refused_elsewhere(const uint8_t *session, size_t len, size_t s, size_t k, bool tls12)
{
    for (size_t other = 0; other < SETTINGS; other++) {
        for (size_t key = 0; key < 3; key++) {
            bool same = other == s && key == k;
            CHECK(prepare_context(&client, config_with_key(other, key, tls12)) == NULL);
            begin();
            CHECK_INT(mote_tls_resume(client.tls, session, len), same ? 0 : MOTE_TLS_ERR_CONFIG);
            CHECK(same || strstr(mote_tls_error(client.tls), "another host, CA, pin or key"));
            if (key == 0 && k == 0) {
                run(10, 10);
                CHECK(ready() == (servers[0].expected[other] == '.'));
                CHECK(!ready() || mote_tls_resumed(client.tls) == same);
            }
        }
    }
}

/* Torn, or changed at any byte, or for another host. */
static void refused_when_changed(const uint8_t *session, size_t len, size_t s, size_t k)
{
    static uint8_t changed[SESSION];

    CHECK(prepare_context(&client, config_with_key(s, k, false)) == NULL);
    begin();
    open_side(&client, "example.com");
    CHECK_INT(mote_tls_resume(client.tls, session, len), MOTE_TLS_ERR_CONFIG);
    for (size_t i = 0; i < len; i++) {
        memcpy(changed, session, len);
        changed[i] ^= 1;
        open_side(&client, "localhost");
        CHECK_INT(mote_tls_resume(client.tls, changed, len), MOTE_TLS_ERR_CONFIG);
        CHECK_INT(mote_tls_resume(client.tls, session, i), MOTE_TLS_ERR_CONFIG);
    }
    open_side(&client, "localhost");
    CHECK_INT(mote_tls_resume(client.tls, session, len), 0);
}

/* A saved session opens only what it was made for: the same settings, the same host. */
static void a_session_is_resumed_only_under_the_trust_it_was_made_with(void)
{
    static uint8_t session[SESSION];

    for (size_t i = 0; i < SETTINGS * (MOTE_TLS_MBEDTLS < 3 ? 1 : 2); i++) {
        size_t s = i % SETTINGS;
        for (size_t k = 0; k < 2 && servers[0].expected[s] == '.'; k++) {
            int n = session_made_with(s, k, i < SETTINGS, session);
            refused_elsewhere(session, (size_t)n, s, k, i < SETTINGS);
            refused_when_changed(session, (size_t)n, s, k);
        }
    }
}

static void contradictions_are_errors(void)
{
    static const mote_tls_pin pin;
    static const mote_tls_signer signer = {NULL, NULL, 0};
    static const char long_key[100];
    mote_tls_config good = plain_client(), ours = plain_server(), c;
    mote_tls_context *context;
    const char *why;

    CHECK_INT(mote_tls_context_init(&context, &good, client.context_memory, 100, &why),
              MOTE_TLS_ERR_CONFIG);
    CHECK(strcmp(why, "memory: MOTE_TLS_CONTEXT_MEMORY bytes are needed") == 0);

#define REFUSED(change, text)                                                                      \
    do {                                                                                           \
        c = good;                                                                                  \
        change;                                                                                    \
        const char *why_ = prepare_context(&client, c);                                            \
        CHECK(why_ &&strstr(why_, text));                                                          \
    } while (0)
    REFUSED(c.dangerously_accept_any_certificate = true, "contradicts a CA and pins");
    REFUSED(
        (c.ca.len = 0, c.pins = &pin, c.pin_count = 1, c.dangerously_accept_any_certificate = true),
        "contradicts a CA and pins");
    REFUSED(c.pin_count = 1, "pin_count without pins");
    REFUSED(c.pinned_any_name = true, "pinned_any_name and pinned_any_time need pins");
    REFUSED(c.pinned_any_time = true, "pinned_any_name and pinned_any_time need pins");
    REFUSED(c.session_s = 1, "session_s is for servers");
    REFUSED(c.ca.len = 0, "a client needs CA certificates, pins or a shared key");
    REFUSED((c = ours, c.max_fragment = 512), "max_fragment and session_key are for clients");
    REFUSED((c = ours, c.session_key = (mote_tls_span){"k", 1}), "session_key are for clients");
    REFUSED(c.find_psk = find_psk, "find_psk is for servers");
    REFUSED(c.psk = ((mote_tls_span){"0123456789abcdef", 16}), "a shared key needs its identity");
    REFUSED((c.psk = (mote_tls_span){long_key, sizeof long_key}, c.psk_identity = c.psk),
            "the shared key is too long, or there is no memory for it");
    REFUSED(c.cert = file("client.pem"), "a certificate needs its key");
    REFUSED((c = ours, c.cert.len = c.key.len = 0), "a server needs a certificate or a shared key");
    REFUSED((c = ours, c.signer = &signer), "exclude each other");
    REFUSED((c = ours, c.psk = (mote_tls_span){"k", 1}, c.find_psk = find_psk),
            "exclude each other");
#undef REFUSED
}

/* ---- credentials as people have them --------------------------------------------------------- */

static void credentials_say_what_is_wrong_with_them(void)
{
    mote_tls_config ours = plain_server(), theirs = plain_client();
    static char text[16384], bundle[40000];

    ours.key = file("client.key");
    CHECK(strstr(prepare_context(&server, ours), "does not belong to the certificate"));
    ours.key = file("locked.key");
    CHECK(strstr(prepare_context(&server, ours), "encrypted with a password"));
    mote_tls_span key = file("server.key");
    size_t n = 0;
    for (size_t i = 0; i < key.len; i++) {
        char ch = ((const char *)key.data)[i];
        text[n++] = ch == '\n' ? '\\' : ch;
        if (ch == '\n')
            text[n++] = 'n';
    }
    ours.key = (mote_tls_span){text, n};
    CHECK(strstr(prepare_context(&server, ours), "\\n where its lines should end"));
    /* PEM without the NUL behind it */
    ours = plain_server();
    ours.cert.len--;
    ours.key.len--;
    theirs.ca.len--;
    CHECK(prepare_context(&server, ours) == NULL && prepare_context(&client, theirs) == NULL);
    connect_to("localhost");
    CHECK(ready());
    /* a bundle with a root that cannot be read, before and behind the one that counts */
    static const char broken[] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    mote_tls_span ca = file("good.pem");
    n = (size_t)snprintf(bundle, sizeof bundle, "%s%s%s", broken, (const char *)ca.data, broken);
    theirs.ca = (mote_tls_span){bundle, n + 1};
    CHECK(prepare_context(&client, theirs) == NULL);
    connect_to("localhost");
    CHECK(ready());
    theirs.ca = (mote_tls_span){broken, sizeof broken};
    CHECK(strstr(prepare_context(&client, theirs), "the CA certificates cannot be read"));
}

int main(int argc, char **argv)
{
    tls_begin_tests(argc > 1 ? argv[1] : ".");
    RUN(names_and_times_are_checked);
    RUN(verification_can_only_be_turned_off_loudly);
    RUN(pins_are_trusted_and_nothing_else);
    RUN(servers_may_ask_for_certificates);
    RUN(servers_are_trusted_by_the_table);
    RUN(clients_are_trusted_by_the_table);
    RUN(a_session_is_resumed_only_under_the_trust_it_was_made_with);
    RUN(contradictions_are_errors);
    RUN(credentials_say_what_is_wrong_with_them);
    mote_tls_end(client.tls);
    return tls_end_tests();
}
