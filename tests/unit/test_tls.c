/* TLS between two objects in memory: every split, cut and corruption, sessions, shared keys, pins,
 * keys that stay where they are. `test_tls FOLDER`: of the certificates that tests/tls.sh makes. */
#include "../../port/posix/tls.h"
#include "../../tls/tls_internal.h"
#include "../test.h"

#include <mbedtls/sha256.h>

#include <stdlib.h>

enum { WIRE = 1 << 16, DATA = 20000, SESSION = 4096 };

/* ---- two sides and a wire ------------------------------------------------------------------ */

typedef struct {
    uint8_t bytes[WIRE];
    size_t len;
    uint64_t passed; /* bytes that have gone through */
} wire;

typedef struct {
    mote_tls_context *context;
    mote_tls *tls;
    uint64_t context_memory[MOTE_TLS_CONTEXT_MEMORY / 8], memory[MOTE_TLS_MEMORY / 8];
    uint8_t received[DATA];
    size_t received_len, sent_len;
    int error;
} side;

static side client, server;
static wire to_server, to_client;
static size_t chunk;              /* the most that is moved at once; 0: all */
static uint64_t cut_at, break_at; /* byte of the wire that is lost with all after it, or changed */
static wire *hurt;                /* the wire that this happens to */
static uint8_t message[DATA];
static const char *folder;

static mote_tls_span file(const char *name)
{
    static char memory[16][16384];
    static int next;
    char path[512], *to = memory[next++ % 16];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s is missing\n", path);
        exit(1);
    }
    size_t n = fread(to, 1, 16383, f);
    to[n] = '\0';
    fclose(f);
    return (mote_tls_span){to, n + 1};
}

static const char *prepare_context(side *s, mote_tls_config config)
{
    const char *why = NULL;

    mote_tls_context_end(s->context);
    int r = mote_tls_context_init(&s->context, &config, s->context_memory, sizeof s->context_memory,
                                  &why);
    CHECK((r == 0) == (why == NULL));
    return why;
}

static void open_side(side *s, const char *host_name)
{
    mote_tls_end(s->tls);
    s->error = 0;
    s->received_len = s->sent_len = 0;
    CHECK_INT(mote_tls_init(&s->tls, s->context, host_name, s->memory, sizeof s->memory), 0);
}

static void begin(void)
{
    to_server.len = to_client.len = 0;
    to_server.passed = to_client.passed = 0;
    chunk = 0;
    hurt = NULL;
    open_side(&server, NULL);
    open_side(&client, "localhost");
}

static bool write_some(side *s, wire *w)
{
    size_t len;
    const uint8_t *out = mote_tls_peek(s->tls, &len);

    if (!out)
        return false;
    len = len < WIRE - w->len ? len : WIRE - w->len;
    if (chunk > 0 && len > chunk)
        len = chunk;
    memcpy(w->bytes + w->len, out, len);
    for (size_t i = 0; hurt == w && i < len; i++) {
        if (w->passed + i == break_at)
            w->bytes[w->len + i] ^= 0x20;
    }
    w->passed += len;
    w->len += len;
    mote_tls_ack(s->tls, len);
    return len > 0;
}

static bool read_some(side *s, wire *w)
{
    size_t used, len = chunk > 0 && w->len > chunk ? chunk : w->len;
    int r = mote_tls_read(s->tls, w->bytes, len, &used, s->received + s->received_len,
                          DATA - s->received_len);

    memmove(w->bytes, w->bytes + used, w->len - used);
    w->len -= used;
    if (r > 0)
        s->received_len += (size_t)r;
    else if (r < 0)
        s->error = r;
    return used > 0 || r > 0;
}

static bool send_some(side *s, size_t len)
{
    int r =
        s->sent_len < len ? mote_tls_write(s->tls, message + s->sent_len, len - s->sent_len) : 0;

    s->sent_len += r > 0 ? (size_t)r : 0;
    return r > 0;
}

/* Moves until nothing moves. A wire that is cut ends there. */
static void run(size_t client_sends, size_t server_sends)
{
    bool moved = true, before = true;

    while (moved || before) {
        before = moved;
        moved = write_some(&client, &to_server);
        moved |= write_some(&server, &to_client);
        for (int i = 0; i < 2; i++) {
            wire *w = i ? &to_client : &to_server;
            side *from = i ? &server : &client, *to = i ? &client : &server;
            if (hurt == w && cut_at < w->passed) {
                size_t gone = (size_t)(w->passed - cut_at);
                w->len = w->len > gone ? w->len - gone : 0;
                moved |= to->error == 0 && read_some(to, w);
                mote_tls_eof(to->tls);
                mote_tls_eof(from->tls);
            }
            moved |= to->error == 0 && read_some(to, w);
        }
        moved |= send_some(&client, client_sends);
        moved |= send_some(&server, server_sends);
    }
}

/* What has arrived is what was sent, from its beginning. */
static bool is_prefix(const side *s)
{
    return memcmp(s->received, message, s->received_len) == 0;
}

static bool ready(void)
{
    return client.error == 0 && server.error == 0 && mote_tls_ready(client.tls) &&
           mote_tls_ready(server.tls);
}

static mote_tls_config plain_server(void)
{
    return (mote_tls_config){
        .server = true, .cert = file("server.pem"), .key = file("server.key"), .session_s = 100};
}

static mote_tls_config plain_client(void)
{
    return (mote_tls_config){.ca = file("good.pem")};
}

static void prepare(void)
{
    CHECK(prepare_context(&server, plain_server()) == NULL);
    CHECK(prepare_context(&client, plain_client()) == NULL);
}

/* ---- data ---------------------------------------------------------------------------------- */

static void data_goes_both_ways_at_every_split(void)
{
    static const size_t chunks[] = {0, 1, 2, 3, 5, 17, 100, 1000};

    prepare();
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        begin();
        chunk = chunks[i];
        run(17000, 5000);
        CHECK(ready());
        CHECK_INT(server.received_len, 17000);
        CHECK_INT(client.received_len, 5000);
        CHECK(is_prefix(&server) && is_prefix(&client));
    }
}

static void records_have_every_size(void)
{
    size_t sizes = 0;

    prepare();
    begin();
    run(0, 0);
    for (size_t n = 1; n <= 16384; n = n < 300 ? n + 1 : n * 3 / 2) {
        client.sent_len = server.received_len = 0;
        run(n, 0);
        sizes += server.received_len == n && is_prefix(&server);
        CHECK_INT(server.received_len, n);
    }
    CHECK(sizes > 300);
}

/* mbedTLS demands the same bytes again; who writes more meanwhile must not lose them. */
static void a_write_waits_for_the_record_before(void)
{
    size_t len;

    prepare();
    begin();
    run(0, 0);
    CHECK_INT(mote_tls_write(client.tls, message, 1000), 1000);
    CHECK_INT(mote_tls_write(client.tls, message + 1000, 500), 0);
    CHECK(mote_tls_peek(client.tls, &len) && len > 1000 && len < 1100);
    client.sent_len = 1000;
    run(1500, 0);
    CHECK_INT(server.received_len, 1500);
    CHECK(is_prefix(&server));
}

/* ---- ends ---------------------------------------------------------------------------------- */

static void a_goodbye_is_told_from_a_cut(void)
{
    prepare();
    begin();
    run(100, 0);
    mote_tls_close(client.tls);
    run(100, 0);
    CHECK_INT(server.error, MOTE_TLS_CLOSED);
    CHECK(strstr(mote_tls_error(server.tls), "closed"));
    CHECK_INT(mote_tls_write(client.tls, message, 1), 0);
    begin();
    run(0, 100);
    mote_tls_write(server.tls, message, 50); /* said before the goodbye */
    mote_tls_close(server.tls);
    run(0, 0);
    CHECK_INT(client.received_len, 150);
    CHECK_INT(client.error, MOTE_TLS_CLOSED);
    begin();
    run(100, 0);
    mote_tls_eof(server.tls);
    run(100, 0);
    CHECK_INT(server.error, MOTE_TLS_ERR_CUT);
    CHECK(strstr(mote_tls_error(server.tls), "without close_notify"));
    CHECK_INT(mote_tls_write(server.tls, message, 1), MOTE_TLS_ERR_CUT);
}

static void hurt_at_every_byte(wire *w, bool cutting)
{
    uint64_t all;
    unsigned wrong = 0, quiet = 0, unheard = 0;

    begin();
    run(100, 100);
    all = w->passed;
    CHECK(all > 100 && ready());
    for (uint64_t at = 0; at < all; at++) {
        begin();
        hurt = w;
        cut_at = cutting ? at : UINT64_MAX;
        break_at = cutting ? UINT64_MAX : at;
        run(100, 100);
        side *hears = w == &to_server ? &server : &client;
        wrong += !is_prefix(&client) || !is_prefix(&server);
        /* a length that has grown waits for bytes that do not come: only the end shows that */
        if (!cutting && hears->error == 0) {
            mote_tls_eof(hears->tls);
            run(100, 100);
        }
        /* signatures differ in length, so that the last bytes may not exist */
        quiet += at < w->passed && hears->error == 0 && client.error == 0;
        unheard += !cutting && hears->error != 0 && hears->error != MOTE_TLS_ERR_CUT &&
                   hears->error != MOTE_TLS_CLOSED && client.error == 0 && server.error == 0;
        CHECK(hears->received_len <= 100);
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(unheard, 0);
    /* what both sides may not notice: versions of records, and an alert level */
    CHECK(quiet <= (cutting ? 0 : all / 50 + 16));
}

static void a_cut_at_every_byte_is_an_error_on_both_sides(void)
{
    prepare();
    hurt_at_every_byte(&to_server, true);
    hurt_at_every_byte(&to_client, true);
}

static void a_changed_byte_never_becomes_data(void)
{
    prepare();
    hurt_at_every_byte(&to_server, false);
    hurt_at_every_byte(&to_client, false);
}

static void a_changed_record_ends_with_an_alert(void)
{
    prepare();
    begin();
    run(0, 0);
    hurt = &to_server;
    cut_at = UINT64_MAX;
    break_at = to_server.passed + 30;
    run(100, 0);
    CHECK_INT(server.error, MOTE_TLS_ERR_RECORD);
    CHECK_INT(server.received_len, 0);
    CHECK_INT(client.error, MOTE_TLS_ERR_RECORD); /* the alert has arrived */
    CHECK(strstr(mote_tls_error(client.tls), "alert"));
}

/* ---- sessions ------------------------------------------------------------------------------ */

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
#if MOTE_TLS_3
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
    CHECK_INT(mote_tls_resume(client.tls, session, 0), MOTE_TLS_ERR_CONFIG);
    run(10, 10);
    CHECK(ready() && !mote_tls_resumed(client.tls));
}

/* ---- who is who ---------------------------------------------------------------------------- */

static void names_and_times_are_checked(void)
{
    static const struct {
        const char *cert, *key, *host, *text;
    } cases[] = {
        {"server.pem", "server.key", "example.com",
         "the certificate of CN=server is for another host name than example.com"},
        {"stranger.pem", "stranger.key", "localhost",
         "the certificate of CN=stranger is by nobody who is trusted"},
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

#if MOTE_TLS_3
    mbedtls_sha256(span->p, span->len, pin.sha256, 0);
#else
    mbedtls_sha256_ret(span->p, span->len, pin.sha256, 0);
#endif
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
    CHECK(strstr(mote_tls_error(server.tls), "CN=stranger is by nobody who is trusted"));
    CHECK_INT(server.received_len, 0);
    theirs.cert = file("client.pem");
    theirs.key = file("client.key");
    CHECK(prepare_context(&client, theirs) == NULL);
    begin();
    run(10, 10);
    CHECK(ready() && server.received_len == 10);
}

/* ---- shared keys --------------------------------------------------------------------------- */

static size_t find_psk(void *context, const uint8_t *identity, size_t len, uint8_t *key, size_t cap)
{
    (void)context;
    if (len != 8 || memcmp(identity, "sensor-7", 8) != 0 || cap < 16)
        return 0;
    memcpy(key, "0123456789abcdef", 16);
    return 16;
}

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
static mbedtls_ctr_drbg_context element_random;
static mbedtls_entropy_context element_entropy;
static int signatures;

static int sign(void *context, int sha, const uint8_t *digest, size_t len, uint8_t *signature,
                size_t cap, size_t *n)
{
    mbedtls_md_type_t md = sha == 512   ? MBEDTLS_MD_SHA512
                           : sha == 384 ? MBEDTLS_MD_SHA384
                                        : MBEDTLS_MD_SHA256;

    CHECK(context == &element);
    signatures++;
#if MOTE_TLS_3
    return mbedtls_pk_sign(&element, md, digest, len, signature, cap, n, mbedtls_ctr_drbg_random,
                           &element_random);
#else
    (void)cap;
    return mbedtls_pk_sign(&element, md, digest, len, signature, n, mbedtls_ctr_drbg_random,
                           &element_random);
#endif
}

static void put_key_into_element(const char *name)
{
    mote_tls_span pem = file(name);

    mbedtls_pk_free(&element);
    mbedtls_pk_init(&element);
#if MOTE_TLS_3
    CHECK_INT(mbedtls_pk_parse_key(&element, pem.data, pem.len, NULL, 0, mbedtls_ctr_drbg_random,
                                   &element_random),
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

static void a_key_may_stay_in_a_secure_element(void)
{
    static mote_tls_signer signer = {&element, sign, 2048};

    mbedtls_entropy_init(&element_entropy);
    mbedtls_ctr_drbg_init(&element_random);
    mbedtls_ctr_drbg_seed(&element_random, mbedtls_entropy_func, &element_entropy, NULL, 0);
    with_signer(&signer, "rsa.pem", "rsa.key");
    signer.rsa_bits = 0;
#if MOTE_TLS_3
    mote_tls_config ours = plain_server();
    ours.key.len = 0;
    ours.signer = &signer;
    CHECK(strstr(prepare_context(&server, ours), "psa_key"));
#else
    with_signer(&signer, "server.pem", "server.key");
#endif
    mbedtls_pk_free(&element);
    mbedtls_ctr_drbg_free(&element_random);
    mbedtls_entropy_free(&element_entropy);
}

#if MOTE_TLS_3 && defined(MBEDTLS_USE_PSA_CRYPTO)
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
    mote_tls_context_end(server.context);
    server.context = NULL;
    psa_destroy_key(id);
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

/* ---- in a loop ----------------------------------------------------------------------------- */

static bool inner_ended;

static int inner_input(void *self, const uint8_t *in, size_t len)
{
    (void)self, (void)in, (void)len;
    return inner_ended ? -1 : 0;
}

static const uint8_t *inner_peek(void *self, size_t *len)
{
    (void)self;
    *len = 0;
    return NULL;
}

static void inner_ack(void *self, size_t len)
{
    (void)self, (void)len;
}

static uint32_t inner_tick(void *self, uint64_t now_ms)
{
    (void)self, (void)now_ms;
    return UINT32_MAX;
}

static void inner_eof(void *self)
{
    (void)self;
    inner_ended = true;
}

static void a_stalled_handshake_ends(void)
{
    static const mote_posix_engine inner = {inner_input, inner_peek, inner_ack,
                                            inner_tick,  inner_eof,  NULL};
    static uint64_t memory[1024];
    const mote_posix_engine *engine = &inner;
    static const uint8_t half[] = {22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3};
    void *self = &inner_ended;

    CHECK(prepare_context(&server, plain_server()) == NULL);
    mote_posix_tls_config config = {.context = server.context, .handshake_ms = 500};
    mote_posix_security security = mote_posix_tls_security(&config);
    CHECK(security.size <= sizeof memory);
    CHECK_INT(security.wrap(security.context, memory, &engine, &self), 0);
    CHECK_INT(engine->tick(self, 1000), 500);
    CHECK_INT(engine->input(self, half, sizeof half), 0);
    CHECK_INT(engine->tick(self, 1400), 100);
    CHECK_INT(engine->input(self, NULL, 0), 0);
    engine->tick(self, 1500);
    CHECK(engine->input(self, NULL, 0) < 0);
    CHECK(inner_ended);
    security.unwrap(self);
}

int main(int argc, char **argv)
{
    folder = argc > 1 ? argv[1] : ".";
    for (size_t i = 0; i < DATA; i++)
        message[i] = (uint8_t)(i * 7 + i / 251);
    RUN(data_goes_both_ways_at_every_split);
    RUN(records_have_every_size);
    RUN(a_write_waits_for_the_record_before);
    RUN(a_goodbye_is_told_from_a_cut);
    if (argc < 3) { /* "quick": not again with another build */
        RUN(a_cut_at_every_byte_is_an_error_on_both_sides);
        RUN(a_changed_byte_never_becomes_data);
    }
    RUN(a_changed_record_ends_with_an_alert);
    RUN(a_session_is_resumed_by_a_ticket);
    RUN(a_session_is_resumed_by_its_id);
    RUN(a_broken_session_is_refused_at_once);
    RUN(names_and_times_are_checked);
    RUN(verification_can_only_be_turned_off_loudly);
    RUN(pins_are_trusted_and_nothing_else);
    RUN(servers_may_ask_for_certificates);
    RUN(shared_keys_take_the_place_of_certificates);
    RUN(a_key_may_stay_in_a_secure_element);
#if MOTE_TLS_3 && defined(MBEDTLS_USE_PSA_CRYPTO)
    RUN(a_key_may_stay_with_psa);
#endif
    RUN(records_are_as_short_as_the_client_asks);
    RUN(a_wrong_config_says_what_is_wrong);
    RUN(a_stalled_handshake_ends);
    mote_tls_end(client.tls);
    client.tls = NULL;
    RUN(a_client_without_a_host_name_does_not_start);
    mote_tls_end(server.tls);
    mote_tls_context_end(server.context);
    mote_tls_context_end(client.context);
    return test_summary();
}
