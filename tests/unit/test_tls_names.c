/* Names that are addresses, and what is said of a certificate, function by function. */
#include "tls_harness.h"

/* ---- whom a client wants to reach -------------------------------------------------------------
 */

static void a_name_or_an_address(void)
{
    enum { NAME = 0, REFUSED = -1 };
    static const struct {
        const char *name;
        int is; /* TLS_NO_ADDRESS: like one, and none */
        const char *bytes;
    } rows[] = {
        {"localhost", NAME, ""},
        {"a.example.", NAME, ""},
        {".", REFUSED, ""},
        {"[]", REFUSED, ""},
        {"[", NAME, ""},
        {"[a", NAME, ""},
        {"a]", NAME, ""},
        {"a%b", NAME, ""},
        {"0.0.0.0", 4, "00000000"},
        {"1.20.255.9", 4, "0114ff09"},
        {"[192.0.2.1]", 4, "c0000201"},
        {"255.255.255.255", 4, "ffffffff"},
        {"256.0.0.1", TLS_NO_ADDRESS, ""},
        {"1.2.3.256", TLS_NO_ADDRESS, ""},
        {"01.2.3.4", TLS_NO_ADDRESS, ""},
        {"1.2.3.00", TLS_NO_ADDRESS, ""},
        {"1.2.3.0004", TLS_NO_ADDRESS, ""},
        {"1.2.3", TLS_NO_ADDRESS, ""},
        {"1..2.3", TLS_NO_ADDRESS, ""},
        {"1.2.3.4.", TLS_NO_ADDRESS, ""},
        {"1.2.3.4.5", TLS_NO_ADDRESS, ""},
        {"127.1", TLS_NO_ADDRESS, ""},
        {"7", TLS_NO_ADDRESS, ""},
        {"a.0", TLS_NO_ADDRESS, ""},
        {"a.9", TLS_NO_ADDRESS, ""},
        {"a.0x", TLS_NO_ADDRESS, ""},
        {"a.0X1f", TLS_NO_ADDRESS, ""},
        {"a.0xAf", TLS_NO_ADDRESS, ""},
        {"0x7f", TLS_NO_ADDRESS, ""},
        {"a.0xg", NAME, ""},
        {"a.0x1g", NAME, ""},
        {"a.1x", NAME, ""},
        {"a.1x2", NAME, ""},
        {"a.1b", NAME, ""},
        {"1a", NAME, ""},
        {"a./", NAME, ""},
        {"a.;", NAME, ""},
        {"1.2.3.4a", NAME, ""},
        {"1.2.3.a", NAME, ""},
        {"::", 16, "00000000000000000000000000000000"},
        {"::1", 16, "00000000000000000000000000000001"},
        {"1::", 16, "00010000000000000000000000000000"},
        {"[2001:db8::aF]", 16, "20010db80000000000000000000000af"},
        {"fe80::1%eth0", 16, "fe800000000000000000000000000001"},
        {"[fe80::1%25eth0]", 16, "fe800000000000000000000000000001"},
        {"1:2:3:4:5:6:7:8", 16, "00010002000300040005000600070008"},
        {"1234:5678:9abc:def0:1:22:333:4444", 16, "123456789abcdef00001002203334444"},
        {"1:2:3:4:5:6:7::", 16, "00010002000300040005000600070000"},
        {"::2:3:4:5:6:7:8", 16, "00000002000300040005000600070008"},
        {"1::8", 16, "00010000000000000000000000000008"},
        {"::ffff:192.0.2.1", 16, "00000000000000000000ffffc0000201"},
        {"1:2:3:4:5:6:1.2.3.4", 16, "00010002000300040005000601020304"},
        {"1::1.2.3.4", 16, "00010000000000000000000001020304"},
        {"1:2:3:4:5:6:7:1.2.3.4", TLS_NO_ADDRESS, ""},
        {"1:2:3:4:5:6:7", NAME, ""},
        {"1:2:3:4:5:6:7:8:9", NAME, ""},
        {"1:2:3:4:5:6:7:8::", NAME, ""},
        {"1::2::3", NAME, ""},
        {"12345::", NAME, ""},
        {"1:", NAME, ""},
        {"1:2:3:4:5:6:7:", NAME, ""},
        {":1", NAME, ""},
        {":", NAME, ""},
        {":::", NAME, ""},
        {"1:::2", NAME, ""},
        {"g::", NAME, ""},
        {"::g", NAME, ""},
        {"::`", NAME, ""},
        {"::/", NAME, ""},
        {"1::1.2.3", TLS_NO_ADDRESS, ""},
        {"1;2::", NAME, ""},
    };
    uint8_t bytes[16];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mote_tls *t;
        int r =
            mote_tls_init(&t, client.context, rows[i].name, client.memory, sizeof client.memory);
        int is = r < 0 ? REFUSED : t->address_len;
        if (is != rows[i].is || (is > 0 && is <= 16 && unhex(rows[i].bytes, bytes) == (size_t)is &&
                                 memcmp(bytes, t->address, (size_t)is) != 0)) {
            printf("%s: %d\n", rows[i].name, is);
            CHECK(!"what it is");
        }
        CHECK_INT(r, rows[i].is == REFUSED ? MOTE_TLS_ERR_CONFIG : 0);
        CHECK((t == NULL) == (r < 0));
        CHECK(!t || t->host_name == rows[i].name);
        mote_tls_end(t);
    }
}

/* The longest name has 255 characters. A connection needs its memory, and not a byte more. */
static void names_and_memory_have_a_size(void)
{
    char name[258];
    mote_tls *t;

    for (size_t len = 253; len < sizeof name; len++) {
        memset(name, 'a', len);
        name[len] = '\0';
        CHECK_INT(mote_tls_init(&t, client.context, name, client.memory, sizeof client.memory),
                  len > 255 ? MOTE_TLS_ERR_CONFIG : 0);
        mote_tls_end(t);
    }
    memset(client.memory, 0x55, sizeof client.memory);
    CHECK_INT(mote_tls_init(&t, client.context, "a", client.memory, sizeof(mote_tls) - 1),
              MOTE_TLS_ERR_CONFIG);
    CHECK(!t);
    CHECK_INT(mote_tls_init(&t, client.context, "a", client.memory, sizeof(mote_tls)), 0);
    CHECK(t && !mote_tls_ready(t) && mote_tls_error(t)[0] == '\0' && t->error == 0);
    CHECK(memcmp(t->valid_from, "00000000000000", TLS_TIME) == 0);
    CHECK(memcmp(t->valid_to, "99999999999999", TLS_TIME) == 0);
    mote_tls_end(t);
}

/* ---- what is said of a certificate ------------------------------------------------------------
 */

/* The telling fault first, and of each its words. */
static void each_fault_has_its_words(void)
{
    static const struct {
        uint32_t flags;
        const char *text;
    } rows[] = {{0, ""},
                {MBEDTLS_X509_BADCERT_CN_MISMATCH, "is for another host name than b.test"},
                {MBEDTLS_X509_BADCERT_REVOKED, "is revoked"},
                {MBEDTLS_X509_BADCERT_OTHER, "is not a pinned one"},
                {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "is not signed by a trusted CA"},
                {MBEDTLS_X509_BADCERT_BAD_KEY, "has a weak key"},
                {MBEDTLS_X509_BADCERT_BAD_MD, "is signed with a weak hash"},
                {MBEDTLS_X509_BADCERT_BAD_PK, "is signed with a weak algorithm"},
                {MBEDTLS_X509_BADCERT_NS_CERT_TYPE, "is not accepted"},
                {MBEDTLS_X509_BADCERT_NOT_TRUSTED | MBEDTLS_X509_BADCERT_BAD_MD,
                 "is not signed by a trusted CA"},
                {MBEDTLS_X509_BADCERT_REVOKED | MBEDTLS_X509_BADCERT_CN_MISMATCH,
                 "is for another host name than b.test"}};
    char text[256];
    mote_tls *t;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t flags = rows[i].flags;
        CHECK_INT(mote_tls_init(&t, client.context, "b.test", client.memory, sizeof client.memory),
                  0);
        CHECK_INT(mote_tls_verify(t, &server.context->cert, 0, &flags), 0);
        CHECK_INT(flags, rows[i].flags);
        CHECK(t->saw_certificate);
        snprintf(text, sizeof text, "the certificate of CN=server %s", rows[i].text);
        if (strcmp(mote_tls_error(t), rows[i].flags ? text : "") != 0)
            printf("%s\n", mote_tls_error(t));
        CHECK(strcmp(mote_tls_error(t), rows[i].flags ? text : "") == 0);
        mote_tls_end(t);
    }
}

enum {
    NAME = MBEDTLS_X509_BADCERT_CN_MISMATCH,
    LATE = MBEDTLS_X509_BADCERT_EXPIRED,
    EARLY = MBEDTLS_X509_BADCERT_FUTURE,
    CA = MBEDTLS_X509_BADCERT_NOT_TRUSTED,
    HASH = MBEDTLS_X509_BADCERT_BAD_MD,
    PIN = MBEDTLS_X509_BADCERT_OTHER
};

/* What a pin makes unimportant, of the peer's own certificate and of those above it. */
static void a_pin_counts_for_what_it_says(void)
{
    static const struct {
        int which; /* of two pins the first, the second, that of the key, or none of it */
        bool has_ca, any_name, any_time;
        int depth;
        uint32_t before, after;
    } rows[] = {{0, false, false, false, 0, CA | HASH, HASH},
                {1, false, false, false, 0, CA | NAME | LATE, NAME | LATE},
                {2, false, false, false, 0, CA | EARLY, EARLY},
                {3, false, false, false, 0, 0, PIN},
                {3, false, true, true, 0, CA | NAME | LATE, CA | NAME | LATE | PIN},
                {0, true, false, false, 0, CA | NAME, CA | NAME},
                {0, true, true, false, 0, CA | NAME | LATE, CA | LATE},
                {0, true, false, true, 0, NAME | LATE | EARLY, NAME},
                {0, false, true, true, 0, CA | NAME | LATE | EARLY | HASH, HASH},
                {0, false, false, false, 1, CA | LATE | HASH, 0},
                {3, false, false, false, 1, CA | LATE | HASH, 0},
                {0, true, false, false, 1, CA | LATE | HASH, CA | LATE | HASH},
                {0, true, false, true, 1, CA | LATE | EARLY | HASH, CA | HASH},
                {3, true, false, false, 1, LATE, LATE}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mote_tls_context *c = client.context;
        mote_tls_pin pins[2] = {{{1}}, {{2}}};
        const mbedtls_x509_crt *crt = &server.context->cert;
        uint32_t flags = rows[i].before;
        mote_tls *t;
        if (rows[i].which < 2)
            CHECK(mote_tls_digest(&crt->raw, pins[rows[i].which].sha256));
        if (rows[i].which == 2)
            CHECK(mote_tls_digest(&crt->pk_raw, pins[1].sha256));
        c->pins = pins;
        c->pin_count = 2;
        c->has_ca = rows[i].has_ca;
        c->pinned_any_name = rows[i].any_name;
        c->pinned_any_time = rows[i].any_time;
        CHECK_INT(mote_tls_init(&t, c, "b.test", client.memory, sizeof client.memory), 0);
        CHECK_INT(mote_tls_verify(t, &server.context->cert, rows[i].depth, &flags), 0);
        if (flags != rows[i].after)
            printf("row %zu\n", i);
        CHECK_INT(flags, rows[i].after);
        CHECK_INT(mote_tls_error(t)[0] != '\0', rows[i].after != 0);
        mote_tls_end(t);
    }
    CHECK(prepare_context(&client, plain_client()) == NULL);
}

/* ---- digests, and sessions --------------------------------------------------------------------
 */

static void digests_are_the_same_in_each_byte(void)
{
    uint8_t a[TLS_DIGEST], b[TLS_DIGEST];

    for (size_t i = 0; i < TLS_DIGEST; i++)
        a[i] = b[i] = (uint8_t)(i * 37);
    CHECK(mote_tls_same_digest(a, b));
    for (size_t i = 0; i < 8 * TLS_DIGEST; i++) {
        b[i / 8] ^= (uint8_t)(1u << i % 8);
        CHECK(!mote_tls_same_digest(a, b));
        b[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

/* Two that differ in where a part ends differ, also beyond the first byte of its length. */
static void parts_are_told_apart(void)
{
    static const size_t lengths[][2] = {{1, 2}, {0, 3}, {2, 1}, {255, 1}, {256, 0}, {0, 256}};
    static const uint8_t bytes[256];
    uint8_t made[6][TLS_DIGEST];

    for (size_t i = 0; i < 6; i++) {
        mote_tls_hmac hmac;
        CHECK_INT(mote_tls_hmac_begin(&hmac, (mote_tls_span){NULL, 0}), 0);
        mote_tls_add(&hmac, bytes, lengths[i][0]);
        mote_tls_add(&hmac, bytes, lengths[i][1]);
        CHECK_INT(mote_tls_hmac_end(&hmac, made[i]), 0);
        for (size_t k = 0; k < i; k++)
            CHECK(!mote_tls_same_digest(made[k], made[i]));
    }
}

/* Behind a handshake of its own: mbedTLS 3 and 4 give a session once. */
static int save_in(void *session, size_t room)
{
    begin();
    run(1, 1);
    CHECK(ready());
    return mote_tls_save_session(client.tls, session, room);
}

static void a_session_needs_its_room(void)
{
    enum { HEADER = 4 + TLS_TIME + TLS_DIGEST };
    static uint8_t session[SESSION + 1];
    static const char broken[] = "the saved session is broken, or not of this version";

    begin();
    CHECK_INT(mote_tls_save_session(client.tls, session, SESSION), 0); /* not yet */
    int n = save_in(session, SESSION);
    CHECK(n > HEADER && memcmp(session, "MTS1", 4) == 0);
    CHECK_INT(save_in(session, (size_t)n - 1), MOTE_TLS_ERR_CONFIG);
    CHECK_INT(save_in(session, HEADER + 1), MOTE_TLS_ERR_CONFIG);
    CHECK_INT(save_in(session, HEADER), MOTE_TLS_ERR_CONFIG);
    CHECK_INT(mote_tls_save_session(server.tls, session, SESSION), 0); /* none of a server's */
    CHECK_INT(save_in(session, (size_t)n), n);
    begin();
    CHECK_INT(mote_tls_resume(client.tls, session, HEADER), MOTE_TLS_ERR_CONFIG);
    CHECK(strcmp(mote_tls_error(client.tls), broken) == 0);
    CHECK_INT(mote_tls_resume(server.tls, session, (size_t)n), MOTE_TLS_ERR_CONFIG);
    CHECK(strcmp(mote_tls_error(server.tls), broken) == 0);
    for (size_t i = 0; i < 4; i++) {
        begin();
        session[i] ^= 1;
        CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), MOTE_TLS_ERR_CONFIG);
        CHECK(strcmp(mote_tls_error(client.tls), broken) == 0);
        CHECK(!client.tls->offered_session);
        session[i] ^= 1;
    }
    begin();
    CHECK_INT(mote_tls_resume(client.tls, session, (size_t)n), 0);
    CHECK(client.tls->offered_session && memcmp(client.tls->valid_to, session + 4, TLS_TIME) == 0);
    CHECK(!mote_tls_resumed(client.tls));
    run(1, 1);
    CHECK(ready() && mote_tls_resumed(client.tls));
}

int main(int argc, char **argv)
{
    tls_begin_tests(argc > 1 ? argv[1] : ".");
    prepare();
    RUN(a_name_or_an_address);
    RUN(names_and_memory_have_a_size);
    RUN(each_fault_has_its_words);
    RUN(a_pin_counts_for_what_it_says);
    RUN(digests_are_the_same_in_each_byte);
    RUN(parts_are_told_apart);
    client.tls = NULL;
    RUN(a_session_needs_its_room);
    return tls_end_tests();
}
