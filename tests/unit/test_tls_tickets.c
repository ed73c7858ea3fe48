/* TLS: who resumes a session is looked at again, by what has changed since. */
#include "tls_harness.h"

#include <mbedtls/platform.h>

#include <time.h>

enum { DAY = 86400, KEY = 16 };

static uint64_t clock_now;
static char keys[2][KEY + 1]; /* of sensor-7, as the server and the client have it */
static bool is_known;         /* the server knows sensor-7 */
static mote_tls_pin pins[1];
static uint8_t session[SESSION];
static int session_len;

static uint64_t clock_s(void *context)
{
    (void)context;
    return clock_now;
}

static size_t find_psk(void *context, const uint8_t *identity, size_t len, uint8_t *key, size_t cap)
{
    (void)context;
    if (!is_known || len < 8 || memcmp(identity, "sensor-7", 8) != 0 || cap < KEY)
        return 0;
    memcpy(key, keys[0], KEY);
    return KEY;
}

static mote_tls_pin pin_of_file(const char *name)
{
    mote_tls_span pem = file(name);
    mote_tls_pin pin = {{0}};
    mbedtls_x509_crt crt;

    mbedtls_x509_crt_init(&crt);
    CHECK(mbedtls_x509_crt_parse(&crt, pem.data, pem.len) == 0 &&
          mote_tls_digest(&crt.pk_raw, pin.sha256));
    mbedtls_x509_crt_free(&crt);
    return pin;
}

/* ---- who the client is, and what the server asks for ---------------------------------------- */

enum asks { NOTHING, CA, CA_BY_FLOOR, PIN, PIN_AT_ANY_TIME, KEYS, LONG_KEYS, ASKS };

static mote_tls_config server_that_asks(enum asks asks, bool tls12)
{
    mote_tls_config c = plain_server();

    c.no_tls13 = tls12;
    c.clock_s = clock_s;
    if (asks == CA || asks == CA_BY_FLOOR)
        c.ca = file("good.pem");
    if (asks == CA_BY_FLOOR)
        c.time = MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK, c.floor_s = (uint64_t)time(NULL);
    if (asks == PIN || asks == PIN_AT_ANY_TIME)
        c.pins = pins, c.pin_count = 1, c.pinned_any_time = asks == PIN_AT_ANY_TIME;
    if (asks >= KEYS)
        c = (mote_tls_config){
            .server = true, .find_psk = find_psk, .session_s = 100, .no_tls13 = tls12};
    return c;
}

static mote_tls_config client_for(enum asks asks, const char *cert)
{
    static char name[32], long_name[200];
    mote_tls_config c = plain_client();

    snprintf(name, sizeof name, "%s.pem", cert);
    snprintf(long_name, sizeof long_name, "sensor-7%0150d", 0);
    if (asks >= KEYS)
        return (mote_tls_config){.psk = {keys[1], KEY},
                                 .psk_identity = {asks == LONG_KEYS ? long_name : "sensor-7",
                                                  asks == LONG_KEYS ? 158 : 8}};
    if (asks != NOTHING) {
        c.cert = file(name);
        snprintf(name, sizeof name, "%s.key", cert);
        c.key = file(name);
    }
    return c;
}

static void first_meeting(enum asks asks, const char *cert, bool tls12)
{
    char name[32];

    snprintf(name, sizeof name, "%s.pem", cert);
    pins[0] = pin_of_file(name);
    clock_now = asks == CA_BY_FLOOR ? 0 : (uint64_t)time(NULL);
    memcpy(keys[0], "0123456789abcdef", KEY);
    memcpy(keys[1], keys[0], KEY);
    is_known = true;
    CHECK(prepare_context(&server, server_that_asks(asks, tls12)) == NULL);
    CHECK(prepare_context(&client, client_for(asks, cert)) == NULL);
    begin();
    run(10, 10);
    CHECK(ready());
    session_len = mote_tls_save_session(client.tls, session, sizeof session);
}

/* 'R': resumed; 'F': let in by a full handshake; '-': not let in. */
static char second_meeting(void)
{
    begin();
    if (session_len > 0)
        CHECK_INT(mote_tls_resume(client.tls, session, (size_t)session_len), 0);
    run(10, 10);
    bool in = server.error == 0 && server.received_len == 10;
    CHECK(in || server.received_len == 0);
    return !in ? '-' : mote_tls_resumed(client.tls) ? 'R' : 'F';
}

/* ---- the table ------------------------------------------------------------------------------ */

enum change {
    NO_CHANGE,
    CERTIFICATE_EXPIRED, /* 30 days later */
    AUTHORITY_EXPIRED,   /* 10 days later, which is the end of an authority of "brief" alone */
    ANOTHER_PIN,
    KEY_REPLACED,
    KEY_REPLACED_ON_BOTH_SIDES,
    KEY_TAKEN_BACK,
    ANOTHER_CONTEXT,
    CHANGES
};

static void change(enum change what, enum asks asks, const char *cert, bool tls12)
{
    uint64_t now = (uint64_t)time(NULL);

    if (what == CERTIFICATE_EXPIRED)
        clock_now = now + 30u * DAY;
    if (what == AUTHORITY_EXPIRED)
        clock_now = now + 10u * DAY;
    if (what == ANOTHER_PIN)
        pins[0].sha256[0] ^= 1;
    if (what == KEY_REPLACED || what == KEY_REPLACED_ON_BOTH_SIDES)
        keys[0][0] = 'x';
    if (what == KEY_REPLACED_ON_BOTH_SIDES)
        keys[1][0] = 'x';
    if (what == KEY_TAKEN_BACK)
        is_known = false;
    if (what == ANOTHER_CONTEXT)
        CHECK(prepare_context(&server, server_that_asks(asks, tls12)) == NULL);
    CHECK(what != KEY_REPLACED_ON_BOTH_SIDES ||
          prepare_context(&client, client_for(asks, cert)) == NULL);
}

/* One character for each change, as second_meeting() says it. With TLS 1.3 who has to prove who it
 * is makes a full handshake each time. */
static void who_resumes_is_looked_at_again(void)
{
    static const struct {
        enum asks asks;
        const char *cert, *tls12, *tls13;
    } rows[] = {
        {NOTHING, "client", "RRRRRRRF", "RRRRRRRF"},
        {CA, "client", "R-RRRRRF", "F-FFFFFF"},
        {CA, "brief", "R--RRRRF", "F--FFFFF"},
        {CA_BY_FLOOR, "client", "R-RRRRRF", "F-FFFFFF"},
        {PIN, "client", "R-R-RRRF", "F-F-FFFF"},
        {PIN_AT_ANY_TIME, "client", "RRR-RRRF", "FFF-FFFF"},
        {KEYS, "client", "RRRR-F-F", "FFFF-F-F"},
        {LONG_KEYS, "client", "FFFF-F-F", "FFFF-F-F"},
    };

    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        size_t row = i / 2;
        bool tls12 = i % 2 || MOTE_TLS_MBEDTLS < 3;
        const char *expected = tls12 ? rows[row].tls12 : rows[row].tls13;
        for (enum change what = NO_CHANGE; what < CHANGES; what++) {
            first_meeting(rows[row].asks, rows[row].cert, tls12);
            change(what, rows[row].asks, rows[row].cert, tls12);
            char got = second_meeting();
            if (got != expected[what])
                printf("row %zu, TLS 1.%d, change %d: %c\n", row, tls12 ? 2 : 3, (int)what, got);
            CHECK(got == expected[what]);
        }
    }
}

/* A session by its id is in the server's memory as mbedTLS keeps it. */
static void by_its_id_resumes_only_who_proves_nothing(void)
{
    for (enum asks asks = NOTHING; asks < ASKS; asks++) {
        first_meeting(asks, "client", true);
        mbedtls_ssl_conf_session_tickets(&client.context->config,
                                         MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
        session_len = 0;
        CHECK_INT(second_meeting(), 'F');
        session_len = mote_tls_save_session(client.tls, session, sizeof session);
        CHECK_INT(second_meeting(), asks == NOTHING ? 'R' : 'F');
    }
}

/* ---- hostile tickets ------------------------------------------------------------------------ */

/* The ticket in a session of the client's, as it is sent. */
static mbedtls_ssl_session load(void)
{
    mbedtls_ssl_session s;
    size_t header = 4 + TLS_TIME + TLS_DIGEST;

    mbedtls_ssl_session_init(&s);
    CHECK_INT(mbedtls_ssl_session_load(&s, session + header, (size_t)session_len - header), 0);
    return s;
}

static char meet_with(const mbedtls_ssl_session *s)
{
    begin();
    CHECK_INT(mbedtls_ssl_set_session(&client.tls->ssl, s), 0);
    client.tls->offered_session = true;
    run(10, 10);
    bool in = server.error == 0 && server.received_len == 10;
    return !in ? '-' : mote_tls_resumed(client.tls) ? 'R' : 'F';
}

/* Each bit and each length of what is ours, and some of what is mbedTLS's. */
static void a_changed_ticket_is_none(void)
{
    static const enum asks asked[] = {CA, KEYS};

    for (size_t k = 0; k < 2; k++) {
        first_meeting(asked[k], "client", true);
        mbedtls_ssl_session s = load();
        size_t len = s.MOTE_TLS_MEMBER(ticket_len);
        unsigned char *ticket = s.MOTE_TLS_MEMBER(ticket);
        CHECK_INT(meet_with(&s), 'R');
        for (size_t i = 0; i<len; i += len - i> 64 ? 16 : 1) {
            ticket[i] ^= (unsigned char)(1u << i % 8);
            CHECK_INT(meet_with(&s), 'F');
            ticket[i] ^= (unsigned char)(1u << i % 8);
            s.MOTE_TLS_MEMBER(ticket_len) = i;
            CHECK_INT(meet_with(&s), 'F');
            s.MOTE_TLS_MEMBER(ticket_len) = len;
        }
        mbedtls_ssl_session_free(&s);
    }
}

#if MOTE_TLS_MBEDTLS >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
/* The ticket of TLS 1.3 goes over the wire, for all to see. In TLS 1.2 it would stand for a session
 * with the master secret of zeros. */
static void a_ticket_of_another_version_is_none(void)
{
    first_meeting(NOTHING, "client", true);
    mbedtls_ssl_session ours = load();
    first_meeting(NOTHING, "client", false);
    mbedtls_ssl_session stolen = load();
    mote_tls_config tls12 = plain_client();

    tls12.no_tls13 = true;
    CHECK(prepare_context(&client, tls12) == NULL);
    mbedtls_free(ours.MBEDTLS_PRIVATE(ticket));
    ours.MBEDTLS_PRIVATE(ticket) = stolen.MBEDTLS_PRIVATE(ticket);
    ours.MBEDTLS_PRIVATE(ticket_len) = stolen.MBEDTLS_PRIVATE(ticket_len);
    memset(ours.MBEDTLS_PRIVATE(master), 0, sizeof ours.MBEDTLS_PRIVATE(master));
    CHECK_INT(meet_with(&ours), 'F');
    stolen.MBEDTLS_PRIVATE(ticket) = NULL;
    mbedtls_ssl_session_free(&ours);
    mbedtls_ssl_session_free(&stolen);
}
#endif

int main(int argc, char **argv)
{
    tls_begin_tests(argc > 1 ? argv[1] : ".");
    RUN(who_resumes_is_looked_at_again);
    RUN(by_its_id_resumes_only_who_proves_nothing);
    RUN(a_changed_ticket_is_none);
#if MOTE_TLS_MBEDTLS >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
    RUN(a_ticket_of_another_version_is_none);
#endif
    return tls_end_tests();
}
