/* HTTP/2: limits of the configuration, and what happens beyond them. */
#include "h2_harness.h"

/* ---- first words --------------------------------------------------------------------------- */

static void the_preface_is_magic_and_settings(void)
{
    for (int server = 0; server < 2; server++) {
        mote_h2_config config = config_of(server);
        size_t magic = server ? 0 : 24;
        mote_h2_init(&h2, &config);
        out_len = 0;
        drain();
        CHECK(server || memcmp(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24) == 0);
        CHECK(out[magic + 3] == 4 && out[magic + 4] == 0 && out[magic + 8] == 0);
    }
}

/* Every bit that RFC 9113 leaves undefined is 0 in every frame that a conversation brings about. */
static void frames_leave_undefined_bits_at_zero(void)
{
    static const uint8_t defined[] = {0x9, 0x2d, 0, 0, 1, 0xc, 1, 0, 0, 4};
    mote_h2_stream *s = start_client();

    mote_h2_reset(&h2, s, MOTE_H2_CANCEL);
    mote_h2_ping(&h2);
    frame_hex(6, 0, 0, "ffffffffffffffff");
    frame_hex(4, 0, 0, "");
    feed_raw();
    mote_h2_open(&h2, &s);
    mote_h2_headers_begin(&h2, s);
    mote_h2_headers_end(&h2, false);
    mote_h2_shutdown(&h2);
    drain();
    unsigned seen = 0;
    for (size_t at = 0; at + 9 <= out_len; seen++) {
        CHECK(out[at + 3] < 10 && (out[at + 4] & ~defined[out[at + 3]]) == 0);
        CHECK((out[at + 5] & 0x80) == 0);
        at += 9 + ((size_t)out[at] << 16 | (size_t)out[at + 1] << 8 | out[at + 2]);
    }
    CHECK_INT(seen, 6);
}

static void settings_are_applied_in_order_then_acknowledged(void)
{
    start(false);
    frame_hex(4, 0, 0, "000400000001 000400000007 000300000005 000300000003");
    feed_raw();
    CHECK_INT(h2.peer_window, 7);
    CHECK_INT(h2.peer_max_streams, 3);
    CHECK(out_len == 9 && out[3] == 4 && out[4] == 1);
}

static void cookies_may_come_in_crumbs(void)
{
    mote_h2_event ev;
    size_t at = 0, used;
    char crumbs[64] = "";

    start(true);
    frame_hex(1, 5, 1, GET " 0f11 03 613d31 0f11 03 623d32");
    while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0) {
        at += used;
        if (ev.type == MOTE_H2_FIELD && ev.field.name_len == 6)
            strncat(crumbs, ev.field.value, ev.field.value_len);
    }
    CHECK(strcmp(crumbs, "a=1b=2") == 0);
}

/* ---- windows ------------------------------------------------------------------------------- */

/* RFC 9113 6.9.2, 6.9.3: content that was sent before the smaller window was known is legal, and
 * leaves a window below zero. */
static void a_window_may_become_negative(void)
{
    static uint8_t content[5000];
    mote_h2_config config = config_of(true);

    config.initial_window = 1000;
    mote_h2_init(&h2, &config);
    in_len = out_len = 0;
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    frame(4, 0, 0, NULL, 0);
    frame_hex(1, 4, 1, GET);
    frame(0, 0, 1, content, sizeof content);
    frame(4, 1, 0, NULL, 0);
    size_t at = 0, used;
    mote_h2_event ev;
    while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0)
        at += used; /* nothing is consumed */
    CHECK_INT(streams[0].recv_window, 1000 - 5000);
    in_len = 0;
    frame(0, 0, 1, NULL, 0);
    expect("an empty frame is always legal", "");
    frame(0, 0, 1, content, 1);
    expect("DATA below a negative window", "RST 1 3");
}

/* A few hundred bytes of memory, and frames of 16,384: no frame is ever held. */
static void a_client_with_little_memory_takes_the_largest_frames(void)
{
    static uint8_t content[16384], small_tx[MOTE_H2_TX_MIN];
    static char small_scratch[32];
    mote_h2_config config = {.streams = streams,
                             .stream_count = 1,
                             .tx = small_tx,
                             .tx_size = sizeof small_tx,
                             .scratch = small_scratch,
                             .scratch_size = sizeof small_scratch};
    mote_h2_stream *s;

    mote_h2_init(&h2, &config);
    in_len = out_len = 0;
    events[0] = '\0';
    drain();
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    mote_h2_headers_begin(&h2, s);
    CHECK_INT(mote_h2_headers_end(&h2, true), 0);
    frame(4, 0, 0, NULL, 0);
    frame_hex(1, 4, 1, "88");
    for (int i = 0; i < 5; i++)
        frame(0, i == 4, 1, content, sizeof content);
    CHECK_INT(feed_raw(), 0);
    CHECK(strstr(events, "end") != NULL);
}

/* Padding is no content, but it counts, and the engine gives it back by itself. */
static void padding_counts_and_is_given_back(void)
{
    static uint8_t padded[256] = {255};

    start(true);
    frame_hex(1, 4, 1, GET);
    for (int i = 0; i < 300; i++) { /* more than the window, were it not given back */
        h2.budget = 100;            /* frames that carry nothing have their price */
        frame(0, 8, 1, padded, sizeof padded);
        feed_raw();
    }
    CHECK_INT(mote_h2_error(&h2), 0);
    CHECK(strstr(events, "RESET") == NULL);
    CHECK(streams[0].recv_window + (int32_t)streams[0].credit == 65535);
}

/* Of what is owed to a peer that takes nothing there is an end, beside the budget. */
static void settings_without_end_are_ended(void)
{
    mote_h2_event ev;
    size_t used;
    int r = 0;

    start(true);
    for (unsigned i = 0; r >= 0 && i < 70000; i++) {
        h2.budget = 100;
        in_len = 0;
        frame(4, 0, 0, NULL, 0);
        for (size_t at = 0; (r = mote_h2_recv(&h2, in + at, in_len - at, &used, &ev)) > 0;)
            at += used;
    }
    CHECK_INT(r, MOTE_H2_ERR_CALM);
    CHECK_TEXT(strcmp(mote_h2_error_text(&h2), "SETTINGS without end") == 0);
}

/* ---- header lists -------------------------------------------------------------------------- */

static void a_field_longer_than_the_scratch_is_reported(void)
{
    uint8_t block[4096];
    size_t len = unhex(GET " 0001 61 7f 8a10", block); /* value of 127 + 2058 bytes */

    start(true);
    memset(block + len, 'x', 127 + 2058);
    len += 127 + 2058;
    frame(1, 5, 1, block, len);
    feed_raw();
    CHECK(strcmp(events, "HEADERS 1 end truncated\n") == 0);
    CHECK_INT(mote_h2_error(&h2), 0);
}

static void content_length_of_a_refused_stream_is_read_over(void)
{
    start(true);
    for (uint32_t id = 1; id <= 2 * STREAMS - 1; id += 2)
        frame_hex(1, 4, id, GET);
    frame_hex(1, 4, 2 * STREAMS + 1, GET " 0f0d 0139");
    expect("refused", "RST 9 7");
}

/* Of what a closed stream is given back: what was sent and not yet given is legal, and no more. */
static void late_credit_has_its_limit(void)
{
    static const struct {
        uint32_t sent, increment, price, left;
    } rows[] = {{0, 0, 1, 0}, {0, 1, 1, 0}, {1, 1, 0, 0}, {1, 2, 1, 1},
                {9, 0, 1, 9}, {9, 8, 0, 1}, {9, 9, 0, 0}, {9, 10, 1, 9}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char hex[9];
        start(true);
        frame_hex(1, 4, 1, GET);
        frame_hex(3, 0, 1, "00000008");
        expect("a stream and its end", "");
        uint32_t budget = h2.budget;
        h2.unreturned = rows[i].sent;
        snprintf(hex, sizeof hex, "%08x", rows[i].increment);
        frame_hex(8, 0, 1, hex);
        expect("late WINDOW_UPDATE", "");
        CHECK_INT(budget - h2.budget, rows[i].price);
        CHECK_INT(h2.unreturned, rows[i].left);
    }
}

static void what_is_not_given_back_is_counted_to_its_limit(void)
{
    static const struct {
        uint32_t before;
        size_t len;
        uint32_t after;
    } rows[] = {{0, 10, 10},
                {UINT32_MAX - 11, 10, UINT32_MAX - 1},
                {UINT32_MAX - 10, 10, UINT32_MAX},
                {UINT32_MAX - 9, 10, UINT32_MAX},
                {UINT32_MAX, 1, UINT32_MAX}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t room;
        start(true);
        frame_hex(1, 4, 1, GET);
        expect("a request", "");
        mote_h2_headers_begin(&h2, &streams[0]);
        mote_h2_headers_end(&h2, false);
        h2.unreturned = rows[i].before;
        CHECK(mote_h2_reserve(&h2, &streams[0], rows[i].len, &room) != NULL);
        CHECK_INT(mote_h2_commit(&h2, &streams[0], rows[i].len, false), 0);
        CHECK_INT(h2.unreturned, rows[i].after);
    }
}

/* Each field of a response comes with its status, and none of a request has one. */
static void a_field_knows_the_status(void)
{
    for (int server = 0; server < 2; server++) {
        static const uint16_t expected[2][4] = {{204, 204, 204}, {0, 0, 0, 0}};
        mote_h2_stream *s;
        mote_h2_event ev;
        size_t at = 0, used, n = 0;
        start(server);
        if (!server)
            CHECK_INT(mote_h2_open(&h2, &s), 0);
        if (!server) {
            static const mote_hpack_field get = MOTE_HPACK_STATIC(2);
            mote_h2_headers_begin(&h2, s);
            mote_h2_put(&h2, &get);
            CHECK_INT(mote_h2_headers_end(&h2, false), 0);
        }
        frame_hex(1, 4, 1, server ? GET : "89 0001610162 0001630164");
        while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0) {
            at += used;
            if (ev.type == MOTE_H2_FIELD)
                CHECK_INT(ev.status, expected[server][n++]);
        }
        CHECK_INT(n, server ? 4 : 3);
    }
}

/* The limit of lists was told to the peer, and a response beyond it has its price; the length of a
 * field was not, and one that is too long has none. A stream that ends well earns 1. */
static void a_response_pays_for_its_list_and_not_for_a_long_field(void)
{
    enum { SHORT, LONG_FIELD, LONG_LIST };
    static uint8_t block[8192];

    for (int which = SHORT; which <= LONG_LIST; which++) {
        size_t len = unhex("88", block);
        start_client();
        while (which == LONG_LIST && len < 1000)
            block[len++] = 0x90; /* accept-encoding: gzip, deflate */
        if (which == LONG_FIELD) {
            len += unhex("0001617fd10e", block + len); /* a: of 2,000 bytes */
            memset(block + len, 'x', 2000);
            len += 2000;
        }
        uint32_t budget = h2.budget;
        frame(1, 5, 1, block, len);
        feed_raw();
        CHECK_INT(mote_h2_error(&h2), 0);
        CHECK(strcmp(events, which == SHORT ? "HEADERS 0 end\n" : "HEADERS 0 end truncated\n") ==
              0);
        CHECK_INT((int)(h2.budget - budget), which == LONG_LIST ? 1 - 8 : 1);
    }
}

/* A connection whose SETTINGS were missed waits for nothing more, not for the rest of a frame
 * either. */
static void who_missed_settings_does_not_wait_for_a_frame(void)
{
    mote_h2_config config = config_of(false);

    in_len = 0;
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    mote_h2_tick(&h2, 1000);
    frame_hex(4, 0, 0, "");
    frame_hex(6, 0, 0, "0102030405060708");
    in_len -= 3;
    feed_raw();
    mote_h2_tick(&h2, 1100);
    for (uint64_t t = 2000; t < 12000; t += MOTE_H2_LOOK_MS)
        mote_h2_tick(&h2, t);
    CHECK_INT(mote_h2_error(&h2), MOTE_H2_ERR_TIMEOUT);
    CHECK_INT(mote_h2_error_code(&h2), MOTE_H2_SETTINGS_TIMEOUT);
}

int main(void)
{
    RUN(the_preface_is_magic_and_settings);
    RUN(frames_leave_undefined_bits_at_zero);
    RUN(settings_are_applied_in_order_then_acknowledged);
    RUN(cookies_may_come_in_crumbs);
    RUN(a_client_with_little_memory_takes_the_largest_frames);
    RUN(padding_counts_and_is_given_back);
    RUN(settings_without_end_are_ended);
    RUN(a_window_may_become_negative);
    RUN(a_field_longer_than_the_scratch_is_reported);
    RUN(content_length_of_a_refused_stream_is_read_over);
    RUN(late_credit_has_its_limit);
    RUN(a_field_knows_the_status);
    RUN(what_is_not_given_back_is_counted_to_its_limit);
    RUN(a_response_pays_for_its_list_and_not_for_a_long_field);
    RUN(who_missed_settings_does_not_wait_for_a_frame);
    return test_summary();
}
