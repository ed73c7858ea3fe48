/* HTTP/2: preface, life cycle, limits, windows, floods, and restoring from memory. */
#include "h2_harness.h"

static void garbage_instead_of_a_preface_is_told(void)
{
    mote_h2_config config = config_of(true);

    out_len = 0;
    mote_h2_init(&h2, &config);
    in_len = (size_t)sprintf((char *)in, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_INT(feed_raw(), MOTE_H2_ERR_PEER);
    CHECK(strcmp(said(), "GOAWAY 1") == 0);
    CHECK_TEXT(strcmp(mote_h2_error_text(&h2), "no HTTP/2 connection preface") == 0);
}

static void the_first_frame_must_be_settings(void)
{
    mote_h2_config config = config_of(true);

    out_len = 0;
    mote_h2_init(&h2, &config);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    frame_hex(6, 0, 0, "0000000000000000");
    CHECK_INT(feed_raw(), MOTE_H2_ERR_PEER);
    CHECK(strcmp(said(), "GOAWAY 1") == 0);
    CHECK_INT(feed_raw(), MOTE_H2_ERR_PEER); /* sticky */
}

static void settings_without_ack_time_out(void)
{
    mote_h2_config config = config_of(true);

    mote_h2_init(&h2, &config);
    for (uint64_t t = 1000; t <= 10000; t += MOTE_H2_LOOK_MS)
        CHECK_INT(mote_h2_tick(&h2, t), 1000);
    mote_h2_tick(&h2, 11000);
    CHECK_INT(mote_h2_error(&h2), MOTE_H2_ERR_TIMEOUT);
    CHECK_INT(mote_h2_error_code(&h2), MOTE_H2_SETTINGS_TIMEOUT);
}

static void a_config_without_memory_is_refused(void)
{
    mote_h2_config config = config_of(true);

    config.tx_size = MOTE_H2_TX_MIN - 1;
    CHECK_INT(mote_h2_init(&h2, &config), MOTE_H2_ERR_CONFIG);
    config = config_of(true);
    config.stream_count = 0;
    CHECK_INT(mote_h2_init(&h2, &config), MOTE_H2_ERR_CONFIG);
    config = config_of(true);
    config.scratch = NULL;
    CHECK_INT(mote_h2_init(&h2, &config), MOTE_H2_ERR_CONFIG);
    config = config_of(true);
    config.connection_window = 1000;
    CHECK_INT(mote_h2_init(&h2, &config), MOTE_H2_ERR_CONFIG);
}

/* Promise 8: what is not configured is limited all the same. */
static void every_limit_has_a_safe_default(void)
{
    mote_h2_config config = config_of(true);

    CHECK_INT(mote_h2_init(&h2, &config), 0);
    CHECK_INT(h2.max_list_size, MOTE_H2_LIST_SIZE_DEFAULT);
    CHECK_INT(h2.budget_max, MOTE_H2_BUDGET_DEFAULT);
    CHECK_INT(h2.settings_timeout_ms, MOTE_H2_SETTINGS_TIMEOUT_MS);
    CHECK_INT(h2.initial_window, 65535);
    CHECK_INT(h2.connection_window, 65535);
}

/* ---- client -----------------------------------------------------------------------------------
 */

static void goaway_ends_the_streams_above_its_last_id(void)
{
    mote_h2_stream *s;

    start_client();
    frame_hex(7, 0, 0, "00000000 00000000");
    feed_raw();
    CHECK(strcmp(events, "GOAWAY 0\nRESET 0\n") == 0);
    CHECK_INT(mote_h2_open(&h2, &s), MOTE_H2_ERR_GOAWAY);
}

static void the_peers_stream_limit_is_kept(void)
{
    mote_h2_stream *s;

    start_client();
    frame_hex(4, 0, 0, "000300000001");
    feed_raw();
    CHECK_INT(mote_h2_open(&h2, &s), MOTE_AGAIN);
    frame_hex(1, 5, 1, "88");
    feed_raw();
    CHECK_INT(mote_h2_open(&h2, &s), 0);
}

static void response_to_head_may_announce_content(void)
{
    static const mote_hpack_field head = MOTE_HPACK_FIELD(":method", "HEAD");
    static const mote_hpack_field root = MOTE_HPACK_STATIC(4), http = MOTE_HPACK_STATIC(6);
    mote_h2_stream *s;

    start(false);
    mote_h2_open(&h2, &s);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put(&h2, &head);
    mote_h2_expect_no_content(&h2);
    mote_h2_put(&h2, &http);
    mote_h2_put(&h2, &root);
    mote_h2_headers_end(&h2, true);
    frame_hex(1, 5, 1, "88 0f0d 0139");
    expect("HEAD", "");
    CHECK(strcmp(events, "HEADERS 0 end\n") == 0);
}

/* ---- streams and windows ------------------------------------------------------------------- */

static void streams_beyond_the_limit_are_refused_and_the_others_go_on(void)
{
    start(true);
    for (uint32_t id = 1; id <= 2 * STREAMS + 1; id += 2)
        frame_hex(1, 4, id, GET);
    frame_hex(0, 1, 2 * STREAMS + 1, "00"); /* content of the refused one is ignored */
    frame_hex(0, 1, 1, "00");
    expect("refused", "RST 9 7");
    CHECK(strstr(events, "DATA 0 end") || strstr(events, "DATA 1 end"));
    CHECK_INT(mote_h2_error(&h2), 0);
}

static void content_beyond_the_window_ends_the_stream(void)
{
    static uint8_t content[16384];

    start(true);
    mote_h2_config config = config_of(true);
    config.initial_window = 1000;
    mote_h2_init(&h2, &config);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    frame(4, 0, 0, NULL, 0);
    frame_hex(1, 4, 1, GET);
    frame(0, 0, 1, content, 5000); /* before the ACK the window is 65,535 */
    frame(4, 1, 0, NULL, 0);
    frame_hex(1, 4, 3, GET);
    frame(0, 0, 3, content, 1001);
    expect("window", "RST 3 3");
    CHECK(strstr(events, "DATA 1") != NULL);
}

static void content_that_is_not_consumed_gives_no_credit(void)
{
    static uint8_t content[16384];
    mote_h2_event ev;
    size_t at = 0, used;

    start(true);
    frame_hex(1, 4, 1, GET);
    for (int i = 0; i < 4; i++) /* one byte more than the stream's window */
        frame(0, 0, 1, content, sizeof content);
    while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0)
        at += used;
    drain();
    CHECK(strcmp(said(), "RST 1 3") == 0);
}

/* A window below the need of the user is filled up at once, whatever little there is to give. */
static void what_the_user_waits_for_is_given_back_at_once(void)
{
    start(true);
    frame_hex(1, 4, 1, GET);
    frame_hex(0, 0, 1, "01");
    feed_raw();
    CHECK_INT(streams[0].credit, 1);
    mote_h2_need(&h2, &streams[0], 65534);
    drain();
    CHECK_INT(out_len, 0);
    mote_h2_need(&h2, &streams[0], 65535);
    drain();
    CHECK_INT(out_len, 13);
    CHECK(memcmp(out, "\0\0\4\10\0\0\0\0\1\0\0\0\1", 13) == 0);
    CHECK_INT(streams[0].recv_window, 65535);
}

static void the_connections_window_is_enforced(void)
{
    start(true);
    frame_hex(1, 4, 1, GET);
    feed_raw();
    h2.connection_window = 3; /* as if it had been so small */
    h2.recv_window = 3;
    frame_hex(0, 0, 1, "01020304");
    expect("connection window", "GOAWAY 3");
}

static size_t send_all(mote_h2_stream *s, size_t len)
{
    size_t sent = 0, room;

    while (sent < len && mote_h2_reserve(&h2, s, 1, &room)) {
        size_t n = len - sent < room ? len - sent : room;
        CHECK_INT(mote_h2_commit(&h2, s, n, false), 0);
        sent += n;
    }
    return sent;
}

static void sending_stops_exactly_at_the_window(void)
{
    mote_h2_stream *s;
    size_t sent = 0, n;

    start(true);
    frame_hex(4, 0, 0, "000400000064"); /* 100 */
    frame_hex(1, 5, 1, GET);
    feed_raw();
    s = &streams[0];
    mote_h2_headers_begin(&h2, s);
    CHECK_INT(mote_h2_headers_end(&h2, false), 0);
    CHECK_INT(send_all(s, 1000), 100);
    drain();
    frame_hex(4, 0, 0, "000400000032"); /* 50: the window is now -50 */
    frame_hex(8, 0, 1, "00000031");     /* -1 */
    feed_raw();
    CHECK_INT(send_all(s, 1000), 0);
    frame_hex(8, 0, 1, "00000003"); /* 2 */
    feed_raw();
    CHECK(strstr(events, "WRITABLE 1") != NULL);
    CHECK_INT(send_all(s, 1000), 2);
    frame_hex(8, 0, 1, "7fffff00");
    feed_raw();
    while ((n = send_all(s, 100000)) > 0) {
        sent += n;
        drain();
        out_len = 0;
    }
    CHECK_INT(sent, 65535 - 102); /* the connection's window */
}

static void pieces_of_a_stream_share_a_frame(void)
{
    mote_h2_stream *s;

    start(true);
    frame_hex(1, 5, 1, GET);
    feed_raw();
    s = &streams[0];
    mote_h2_headers_begin(&h2, s);
    mote_h2_headers_end(&h2, false);
    drain();
    out_len = 0;
    for (int i = 0; i < 10; i++)
        send_all(s, 7);
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), 0);
    drain();
    CHECK_INT(out_len, 9 + 70);
    CHECK(out[2] == 70 && out[4] == 1); /* one frame, with END_STREAM */
}

static void a_large_block_is_cut_into_continuations(void)
{
    static uint8_t large_tx[65536];
    static char value[20000];
    mote_h2_config config = config_of(false);
    mote_h2_stream *s;

    if (!MOTE_CUTS)
        return;
    config.tx = large_tx;
    config.tx_size = sizeof large_tx;
    mote_h2_init(&h2, &config);
    out_len = 0;
    drain();
    out_len = 0;
    memset(value, '\x01', sizeof value); /* 28 bits in Huffman code, so it stays as it is */
    mote_h2_open(&h2, &s);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, value, sizeof value, 0);
    mote_h2_put_literal(&h2, "b", 1, value, sizeof value, 0);
    CHECK_INT(mote_h2_headers_end(&h2, true), 0);
    drain();
    CHECK(out[0] == 0 && out[1] == 0x40 && out[2] == 0 && out[3] == 1 && out[4] == 1);
    CHECK(out[9 + 16384 + 3] == 9 && out[9 + 16384 + 4] == 0);
    CHECK(out[2 * (9 + 16384) + 3] == 9 && out[2 * (9 + 16384) + 4] == 4);
}

static void headers_that_do_not_fit_are_not_sent_at_all(void)
{
    static char value[8000];
    mote_h2_stream *s;

    start(false);
    memset(value, 'x', sizeof value);
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, value, sizeof value, 0);
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_H2_ERR_TOO_LARGE);
    drain();
    CHECK_INT(out_len, 0);
    CHECK_INT(h2.active, 0);
    start_client(); /* and with output in the buffer it is "not now" */
    CHECK_INT(mote_h2_ping(&h2), 0);
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, value, sizeof value, 0);
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_AGAIN);
}

/* Padding may be cut as well, and is neither content nor part of a header block. */
static void padding_may_arrive_in_pieces(void)
{
    uint8_t copy[256];

    for (size_t chunk = 1; chunk < 60; chunk++) {
        size_t content = 0, used;
        mote_h2_event ev;
        start(true);
        frame_hex(1, 0xc, 1, "14 " GET " 0000000000000000000000000000000000000000");
        frame_hex(0, 9, 1, "14 6162 8686868686868686868686868686868686868686");
        size_t len = in_len;
        memcpy(copy, in, len);
        in_len = 0;
        for (size_t at = 0; at < len; at += chunk) {
            size_t n = len - at < chunk ? len - at : chunk, i = 0;
            while (mote_h2_recv(&h2, copy + at + i, n - i, &used, &ev) > 0) {
                i += used;
                content += ev.type == MOTE_H2_DATA ? ev.len : 0;
                note(&ev);
            }
        }
        CHECK_INT(content, 2);
        CHECK_INT(mote_h2_error(&h2), 0);
        CHECK(strstr(events, "HEADERS 1\n") && strstr(events, " end\n"));
    }
}

/* ---- state, not queues --------------------------------------------------------------------- */

/* Feeds a frame again and again without taking output: memory stays, and the budget ends it. */
static unsigned flood(unsigned type, unsigned flags, const char *payload, bool fresh_ids)
{
    unsigned n = 0;
    uint32_t id = fresh_ids ? 1 : 0;
    mote_h2_event ev;
    size_t used, at;

    start(true);
    while (h2.error == 0 && n < 100000) {
        in_len = 0;
        frame_hex(type, flags, id, payload);
        if (fresh_ids && type == 1)
            frame_hex(3, 0, id, "00000008");
        for (at = 0; mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0;)
            at += used;
        id += fresh_ids ? 2 : 0;
        n++;
    }
    return n;
}

static void floods_meet_the_budget(void)
{
    CHECK(flood(6, 0, "0000000000000000", false) < 2000);
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
    CHECK(flood(4, 0, "", false) < 2000);
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
    CHECK(flood(1, 5, GET, true) < 2000); /* rapid reset */
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
    CHECK(flood(0x55, 0, "", false) < 2000);
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
}

static void a_header_block_without_end_meets_its_limit(void)
{
    static uint8_t fragment[16384];
    unsigned n = 0;

    start(true);
    frame_hex(1, 1, 1, "82");
    feed_raw();
    memset(fragment, 0x82, sizeof fragment);
    while (h2.error == 0 && n++ < 100) {
        frame(9, 0, 1, fragment, sizeof fragment);
        feed_raw();
    }
    CHECK(n < 10);
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
}

static void a_header_list_above_the_limit_is_reported_not_fatal(void)
{
    uint8_t block[16384];
    size_t len = unhex(GET, block);

    start(true);
    while (len < 16000)      /* each :method-like reference counts 32 bytes and more */
        block[len++] = 0x90; /* accept-encoding: gzip, deflate */
    frame(1, 5, 1, block, 2000);
    feed_raw();
    CHECK(strcmp(events, "HEADERS 1 end truncated\n") == 0);
    CHECK_INT(mote_h2_error(&h2), 0);
}

static void time_refills_the_budget(void)
{
    start(true);
    mote_h2_tick(&h2, 1000);
    for (int i = 0; i < 500; i++)
        frame_hex(0x55, 0, 0, "");
    feed_raw();
    CHECK_INT(h2.budget, 499); /* the SETTINGS of the start cost 1 */
    mote_h2_tick(&h2, 3000);
    CHECK_INT(h2.budget, 699);
    mote_h2_tick(&h2, 100000);
    CHECK_INT(h2.budget, 1000);
}

static void a_server_drains_gracefully(void)
{
    start(true);
    frame_hex(1, 4, 1, GET);
    feed_raw();
    mote_h2_shutdown(&h2);
    drain();
    CHECK(strcmp(said(), "GOAWAY 0") == 0);
    frame_hex(1, 4, 3, GET); /* on its way before the GOAWAY was seen */
    frame_hex(6, 1, 0, "0000000000000000");
    feed_raw();
    CHECK(strcmp(said(), "GOAWAY 0") == 0);
    CHECK(out[out_len - 5] == 3); /* last stream id */
    events[0] = '\0';
    frame_hex(1, 4, 5, GET);
    frame_hex(0, 1, 1, "00");
    feed_raw();
    CHECK(strcmp(events, "DATA 1\nDATA 1 end\n") == 0); /* 5 is ignored, 1 goes on */
    CHECK_INT(mote_h2_error(&h2), 0);
}

static void a_copy_of_the_memory_restores_a_connection(void)
{
    static uint8_t copy[sizeof h2 + sizeof streams + sizeof tx + sizeof table];
    static uint8_t first[4096];
    size_t first_len;

    start(true);
    frame_hex(1, 4, 1, GET);
    feed_raw();
    memcpy(copy, &h2, sizeof h2);
    memcpy(copy + sizeof h2, streams, sizeof streams);
    memcpy(copy + sizeof h2 + sizeof streams, tx, sizeof tx);
    memcpy(copy + sizeof h2 + sizeof streams + sizeof tx, table, sizeof table);
    for (int round = 0; round < 2; round++) {
        out_len = 0;
        events[0] = '\0';
        frame_hex(6, 0, 0, "0102030405060708");
        frame_hex(1, 5, 3, "82 86 84 be");
        feed_raw();
        CHECK(strcmp(events, "HEADERS 3 end\n") == 0);
        if (round == 0) {
            memcpy(first, out, out_len);
            first_len = out_len;
            memcpy(&h2, copy, sizeof h2);
            memcpy(streams, copy + sizeof h2, sizeof streams);
            memcpy(tx, copy + sizeof h2 + sizeof streams, sizeof tx);
            memcpy(table, copy + sizeof h2 + sizeof streams + sizeof tx, sizeof table);
        } else {
            CHECK(out_len == first_len && memcmp(out, first, out_len) == 0);
        }
    }
}

int main(void)
{
    RUN(garbage_instead_of_a_preface_is_told);
    RUN(the_first_frame_must_be_settings);
    RUN(settings_without_ack_time_out);
    RUN(a_config_without_memory_is_refused);
    RUN(every_limit_has_a_safe_default);
    RUN(goaway_ends_the_streams_above_its_last_id);
    RUN(the_peers_stream_limit_is_kept);
    RUN(response_to_head_may_announce_content);
    RUN(streams_beyond_the_limit_are_refused_and_the_others_go_on);
    RUN(content_beyond_the_window_ends_the_stream);
    RUN(content_that_is_not_consumed_gives_no_credit);
    RUN(what_the_user_waits_for_is_given_back_at_once);
    RUN(the_connections_window_is_enforced);
    RUN(sending_stops_exactly_at_the_window);
    RUN(pieces_of_a_stream_share_a_frame);
    RUN(a_large_block_is_cut_into_continuations);
    RUN(headers_that_do_not_fit_are_not_sent_at_all);
    RUN(padding_may_arrive_in_pieces);
    RUN(floods_meet_the_budget);
    RUN(a_header_block_without_end_meets_its_limit);
    RUN(a_header_list_above_the_limit_is_reported_not_fatal);
    RUN(time_refills_the_budget);
    RUN(a_server_drains_gracefully);
    RUN(a_copy_of_the_memory_restores_a_connection);
    return test_summary();
}
