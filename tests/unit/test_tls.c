/* TLS: data at every split, cut and corruption, ends, sessions, a handshake in a loop that stalls.
 */
#include "tls_harness.h"

#include "../../port/posix/tls.h"

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

/* ---- in a loop ----------------------------------------------------------------------------- */

static bool inner_ended;

static enum mote_posix_input inner_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    (void)self, (void)in, (void)len, (void)used;
    return inner_ended ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
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

static uint64_t inner_time;

static void inner_clock(void *self, uint64_t now_ms)
{
    (void)self;
    inner_time = now_ms;
}

static const mote_posix_engine inner = {inner_input, inner_peek, inner_ack,  inner_tick,
                                        inner_eof,   NULL,       inner_clock};

static void a_stalled_handshake_ends(void)
{
    static uint64_t memory[1024];
    const mote_posix_engine *engine = &inner;
    static const uint8_t half[] = {22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3};
    void *self = &inner_ended;
    size_t used;

    CHECK(prepare_context(&server, plain_server()) == NULL);
    mote_posix_tls_config config = {.context = server.context, .handshake_ms = 500};
    mote_posix_security security = mote_posix_tls_security(&config);
    CHECK(security.size <= sizeof memory);
    CHECK_INT(security.wrap(security.context, memory, &engine, &self), 0);
    CHECK_INT(engine->tick(self, 1000), 500);
    CHECK_INT(engine->input(self, half, sizeof half, &used), MOTE_POSIX_TOOK_ALL);
    CHECK_INT(engine->tick(self, 1400), 100);
    engine->clock(self, 1600); /* tells the time, and ends nothing */
    CHECK_INT(inner_time, 1600);
    CHECK_INT(engine->input(self, NULL, 0, &used), MOTE_POSIX_TOOK_ALL);
    engine->tick(self, 1500);
    CHECK_INT(engine->input(self, NULL, 0, &used), MOTE_POSIX_ENDED);
    CHECK(inner_ended);
    security.unwrap(self);
}

/* ---- sessions that a client keeps by itself ------------------------------------------------ */

static unsigned changes;

static void session_changed(void *context, const mote_posix_tls_session *session)
{
    CHECK(context == &changes && session->len > 100);
    changes++;
}

/* The client's engine in a loop, against the server of the harness: the bytes that it said. */
static uint64_t shake_hands_in_a_loop(mote_posix_tls_config *config)
{
    static uint64_t memory[1024];
    static struct {
        uint8_t bytes[WIRE];
        size_t len;
    } in;
    mote_posix_security security = mote_posix_tls_security(config);
    const mote_posix_engine *engine = &inner;
    void *self = &inner_ended;
    const uint8_t *out;
    size_t len, used;

    begin();
    in.len = 0;
    inner_ended = false;
    CHECK_INT(security.wrap(security.context, memory, &engine, &self), 0);
    for (int i = 0; i < 20; i++) {
        while ((out = engine->peek(self, &len))) {
            memcpy(to_server.bytes + to_server.len, out, len);
            to_server.len += len;
            engine->ack(self, len);
        }
        while (read_some(&server, &to_server))
            continue;
        send_some(&server, 10); /* behind it, with TLS 1.3, comes the session */
        while (write_some(&server, &to_client))
            continue;
        memcpy(in.bytes, to_client.bytes, to_client.len);
        in.len = to_client.len;
        to_client.len = 0;
        CHECK(engine->input(self, in.bytes, in.len, &used) != MOTE_POSIX_ENDED);
        CHECK_INT(used, in.len);
    }
    CHECK(mote_tls_ready(server.tls));
    security.unwrap(self);
    return to_client.passed;
}

/* The same for straight-line code. */
static int straight_read(void *context, uint8_t *buf, size_t cap)
{
    (void)context;
    while (write_some(&server, &to_client))
        continue;
    size_t n = to_client.len < cap ? to_client.len : cap;
    memcpy(buf, to_client.bytes, n);
    memmove(to_client.bytes, to_client.bytes + n, to_client.len - n);
    to_client.len -= n;
    return (int)n;
}

static int straight_write(void *context, const uint8_t *buf, size_t len)
{
    (void)context;
    memcpy(to_server.bytes + to_server.len, buf, len);
    to_server.len += len;
    while (read_some(&server, &to_server))
        continue;
    send_some(&server, 10);
    return (int)len;
}

static void straight_wait(void *context, bool writing, uint64_t until_ms)
{
    (void)context, (void)writing, (void)until_ms;
}

static uint64_t straight_now(void *context)
{
    return (void)context, 1000;
}

/* A server that is reached and says nothing, in a time of its own. */
static uint64_t silent_ms;

static int silent_read(void *context, uint8_t *buf, size_t cap)
{
    return (void)context, (void)buf, (void)cap, 0;
}

static int silent_write(void *context, const uint8_t *buf, size_t len)
{
    return (void)context, (void)buf, (int)len;
}

static void silent_wait(void *context, bool writing, uint64_t until_ms)
{
    (void)context, (void)writing;
    CHECK(until_ms != UINT64_MAX);
    silent_ms = until_ms < silent_ms + 100 ? until_ms : silent_ms + 100;
}

static uint64_t silent_now(void *context)
{
    return (void)context, silent_ms;
}

static int silent_connect(void *context, uint64_t until_ms)
{
    return (void)context, (void)until_ms, 0;
}

static void a_stalled_handshake_of_straight_code_says_so(void)
{
    static mote_posix_tls_io io;
    static const uint64_t until[] = {1700, 9000}, ends[] = {1700, 1500};
    const mote_io under = {.read = silent_read,
                           .write = silent_write,
                           .wait = silent_wait,
                           .now_ms = silent_now,
                           .connect = silent_connect};

    CHECK(prepare_context(&client, plain_client()) == NULL);
    for (int i = 0; i < 2; i++) {
        mote_posix_tls_config config = {
            .context = client.context, .host_name = "localhost", .handshake_ms = i ? 500 : 5000};
        silent_ms = 1000;
        CHECK_INT(mote_posix_tls_begin(&io, &config, under), 0);
        mote_io over = mote_posix_tls_transport(&io);
        CHECK_INT(over.connect(over.context, until[i]), -1);
        CHECK_INT(silent_ms, ends[i]);
        CHECK_TEXT(strcmp(over.error(over.context), "the TLS handshake took too long") == 0);
        mote_posix_tls_end(&io);
    }
}

static uint64_t shake_hands_straight(mote_posix_tls_config *config)
{
    static mote_posix_tls_io io;
    const mote_io under = {.read = straight_read,
                           .write = straight_write,
                           .wait = straight_wait,
                           .now_ms = straight_now};
    uint8_t bytes[100];

    begin();
    CHECK_INT(mote_posix_tls_begin(&io, config, under), 0);
    mote_io over = mote_posix_tls_transport(&io);
    for (int i = 0; i < 20; i++) {
        CHECK(over.write(over.context, (const uint8_t *)"x", 1) >= 0);
        CHECK(over.read(over.context, bytes, sizeof bytes) >= 0);
    }
    mote_posix_tls_end(&io);
    return to_client.passed;
}

/* What lies in a file: `len` bytes of it are there, and it says that there are `said`. */
static void keep_in_file(mote_posix_tls_session *session, size_t len, size_t said)
{
    uint8_t bytes[sizeof session->bytes] = {0};
    FILE *f = tmpfile();

    CHECK(f && fwrite(session->bytes, 1, len, f) == len);
    rewind(f);
    CHECK_INT(fread(bytes, 1, sizeof bytes, f), len);
    fclose(f);
    memcpy(session->bytes, bytes, sizeof bytes);
    session->len = said;
}

/* Torn, of another length or version: a full handshake, and what it leaves is kept instead. */
static void a_session_from_a_bad_file_is_none(void)
{
    static uint64_t (*const ways[])(mote_posix_tls_config *) = {shake_hands_in_a_loop,
                                                                shake_hands_straight};
    enum { WHOLE, HALF, EMPTY, NO_SAID, ONE_LESS, ONE_MORE, BEYOND, ALL, OTHER_VERSION, BAD };

    CHECK(prepare_context(&server, plain_server()) == NULL &&
          prepare_context(&client, plain_client()) == NULL);
    for (size_t way = 0; way < 2; way++) {
        mote_posix_tls_session session = {.changed = session_changed, .context = &changes};
        mote_posix_tls_config config = {
            .context = client.context, .host_name = "localhost", .session = &session};
        uint64_t full = ways[way](&config);
        for (int bad = WHOLE; bad < BAD; bad++) {
            size_t n = session.len, most = sizeof session.bytes;
            const size_t files[BAD][2] = {
                [WHOLE] = {n, n},         [HALF] = {n / 2, n},     [EMPTY] = {0, n},
                [NO_SAID] = {n, 0},       [ONE_LESS] = {n, n - 1}, [ONE_MORE] = {n, n + 1},
                [BEYOND] = {n, most + 1}, [ALL] = {n, SIZE_MAX},   [OTHER_VERSION] = {n, n}};
            keep_in_file(&session, files[bad][0], files[bad][1]);
            session.bytes[3] ^= bad == OTHER_VERSION; /* "MTS1" */
            changes = 0;
            uint64_t passed = ways[way](&config);
            CHECK(bad == WHOLE ? passed + 300 < full : passed + 50 > full);
            CHECK(session.len > 100 && session.len < most);
            CHECK(bad == WHOLE || changes == 1);
        }
    }
}

/* A full handshake, then short ones until the server has forgotten; kept only where wanted. */
static void a_client_resumes_by_itself(void)
{
    static uint64_t (*const ways[])(mote_posix_tls_config *) = {shake_hands_in_a_loop,
                                                                shake_hands_straight};

    for (size_t way = 0; way < 2; way++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            mote_posix_tls_session session = {.changed = session_changed, .context = &changes};
            mote_tls_config ours = plain_server(), theirs = plain_client();
            ours.no_tls13 = theirs.no_tls13 = tls12;
            CHECK(prepare_context(&server, ours) == NULL &&
                  prepare_context(&client, theirs) == NULL);
            mote_posix_tls_config config = {
                .context = client.context, .host_name = "localhost", .session = &session};
            changes = 0;
            uint64_t full = ways[way](&config);
            CHECK(changes == 1 && session.len > 100);
            for (int i = 0; i < 3; i++) /* no certificate goes over the wire */
                CHECK(ways[way](&config) + 300 < full);
            config.session = NULL;
            CHECK(ways[way](&config) + 50 > full);
            config.session = &session;
            CHECK(prepare_context(&server, ours) == NULL); /* has forgotten everything */
            CHECK(ways[way](&config) + 50 > full);
            CHECK(ways[way](&config) + 300 < full);
        }
    }
}

/* A client may cut its hello, as those do that hide the name in it (RFC 8446 5.1). mbedTLS takes it
 * since 3.6, where the first record has the header of the message; docs/tls.md says so. */
static void a_hello_in_two_records(void)
{
    size_t hello = 65; /* at least; it is longer the more suites this mbedTLS has */
    prepare();
    for (size_t at = 1; at < hello; at += at < 8 ? 1 : 33) {
        bool takes = MBEDTLS_VERSION_NUMBER >= 0x03060000 && at >= 4;
        begin(), read_some(&client, &to_client), write_some(&client, &to_server);
        uint8_t *first = to_server.bytes, *second = first + 5 + at;
        size_t left = (hello = to_server.len - 5) - at;
        CHECK(hello > 64 && first[0] == 22);
        memmove(second + 5, second, left);
        memcpy(second, first, 3);
        first[3] = 0, first[4] = (uint8_t)at;
        second[3] = (uint8_t)(left >> 8), second[4] = (uint8_t)left;
        to_server.len += 5;
        run(5, 5);
        CHECK_INT(ready(), takes);
        if (takes)
            CHECK(server.received_len == 5 && is_prefix(&server) && client.received_len == 5);
        else
            CHECK(strcmp(mote_tls_error(server.tls),
                         MBEDTLS_VERSION_NUMBER < 0x03000000
                             ? "the client does not offer h2, or its hello is broken"
                             : "SSL - An invalid SSL record was received") == 0);
    }
}

int main(int argc, char **argv)
{
    tls_begin_tests(argc > 1 ? argv[1] : ".");
    RUN(data_goes_both_ways_at_every_split);
    RUN(a_hello_in_two_records);
    RUN(records_have_every_size);
    RUN(a_write_waits_for_the_record_before);
    RUN(a_goodbye_is_told_from_a_cut);
    if (argc < 3) { /* "quick": not again with another build */
        RUN(a_cut_at_every_byte_is_an_error_on_both_sides);
        RUN(a_changed_byte_never_becomes_data);
    }
    RUN(a_changed_record_ends_with_an_alert);
    RUN(a_stalled_handshake_ends);
    RUN(a_stalled_handshake_of_straight_code_says_so);
    RUN(a_client_resumes_by_itself);
    RUN(a_session_from_a_bad_file_is_none);
    mote_tls_end(client.tls);
    return tls_end_tests();
}
