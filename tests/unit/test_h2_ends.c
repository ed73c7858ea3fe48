/* HTTP/2: streams that end while something of theirs is still on its way, and the names of errors.
 */
#include "h2_harness.h"

/* A server with streams 1 and 3, whose requests go on. */
static mote_h2_stream *serve_two(mote_h2_stream **other)
{
    start(true);
    frame_hex(1, 4, 1, GET);
    frame_hex(1, 4, 3, GET);
    CHECK_INT(feed_raw(), 0);
    *other = NULL;
    mote_h2_stream *s = NULL;
    for (size_t i = 0; i < STREAMS; i++) {
        if (streams[i].id == 1)
            s = &streams[i];
        if (streams[i].id == 3)
            *other = &streams[i];
    }
    CHECK(s && *other);
    return s;
}

static void answer(mote_h2_stream *s)
{
    static const mote_hpack_field ok = MOTE_HPACK_STATIC(8);

    mote_h2_headers_begin(&h2, s);
    mote_h2_put(&h2, &ok);
    CHECK_INT(mote_h2_headers_end(&h2, false), 0);
    drain();
    out_len = 0;
}

/* What was collected in `in`, without taking any output. */
static int receive(mote_h2_event *ev)
{
    size_t used;
    int r = mote_h2_recv(&h2, in, in_len, &used, ev);

    in_len = 0;
    return r;
}

static void a_stream_that_the_peer_has_never_seen_goes_without_a_word(void)
{
    mote_h2_stream *s, *again;

    start(false);
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    uint32_t id = s->id;
    mote_h2_reset(&h2, s, MOTE_H2_CANCEL);
    drain();
    CHECK_INT(out_len, 0);
    CHECK_INT(s->id, 0);
    CHECK_INT(mote_h2_open(&h2, &again), 0);
    CHECK_INT(again->id, id);
}

static void a_stream_is_reset_by_the_peer_while_its_frame_still_grows(void)
{
    mote_h2_stream *s, *other;
    mote_h2_event ev;
    size_t room;

    s = serve_two(&other);
    answer(s);
    answer(other);
    memset(mote_h2_reserve(&h2, s, 3, &room), 'a', 3);
    CHECK_INT(mote_h2_commit(&h2, s, 3, false), 0);
    frame_hex(3, 0, 1, "00000008");
    CHECK_INT(receive(&ev), 1);
    CHECK_INT(ev.type, MOTE_H2_RESET);
    memset(mote_h2_reserve(&h2, other, 2, &room), 'b', 2); /* in a frame of its own */
    CHECK_INT(mote_h2_commit(&h2, other, 2, false), 0);
    drain();
    static const uint8_t expected[] = {0, 0, 3, 0, 0, 0, 0, 0, 1, 'a', 'a', 'a',
                                       0, 0, 2, 0, 0, 0, 0, 0, 3, 'b', 'b'};
    CHECK_INT(out_len, sizeof expected);
    CHECK(memcmp(out, expected, sizeof expected) == 0);
}

static void credit_of_a_stream_that_has_ended_is_not_given_back(void)
{
    static uint8_t content[16384];
    mote_h2_stream *s, *other;
    mote_h2_event ev;
    size_t room;

    s = serve_two(&other);
    answer(other);
    for (int i = 0; i < 3; i++) {
        frame(0, 0, 1, content, sizeof content);
        CHECK_INT(receive(&ev), 1);
        CHECK_INT(ev.len, sizeof content);
        CHECK_INT(receive(&ev), 0); /* the end of the frame */
    }
    drain();
    while (mote_h2_reserve(&h2, other, 1, &room)) /* until the buffer is full */
        CHECK_INT(mote_h2_commit(&h2, other, room, false), 0);
    mote_h2_consume(&h2, s, 3 * sizeof content);
    CHECK_INT(h2.owing_streams, 1);
    frame_hex(3, 0, 1, "00000008");
    CHECK_INT(receive(&ev), 1);
    CHECK_INT(ev.type, MOTE_H2_RESET);
    CHECK_INT(h2.owing_streams, 0);
    out_len = 0;
    drain();
    for (size_t at = 0; at + 9 <= out_len;) { /* no WINDOW_UPDATE for it */
        CHECK(!(out[at + 3] == 8 && out[at + 8] == 1));
        at += 9 + ((size_t)out[at] << 16 | (size_t)out[at + 1] << 8 | out[at + 2]);
    }
}

static void every_error_has_its_text(void)
{
#define SAME(name, code, text) CHECK_TEXT(strcmp(mote_h2_strerror(code), text) == 0);
    MOTE_H2_ERRORS(SAME)
#undef SAME
    CHECK_TEXT(strcmp(mote_h2_strerror(0), "no error") == 0);
    CHECK_TEXT(strcmp(mote_h2_strerror(-199), "unknown error") == 0);
    CHECK_TEXT(strcmp(mote_h2_strerror(-299), "unknown error") == 0);
}

/* ---- what lies behind the last slot is no stream --------------------------------------------- */

/* A connection of one slot less; the last one looks like a stream that all of it is about. */
static const mote_h2_stream *start_before_a_stranger(bool server)
{
    mote_h2_config config = config_of(server);

    config.stream_count = STREAMS - 1;
    config.initial_window = 1000;
    in_len = out_len = 0;
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = server ? 24 : 0;
    frame(4, 0, 0, NULL, 0);
    feed_raw();
    streams[STREAMS - 1] = (mote_h2_stream){
        .id = 7, .state = MOTE_H2_STATE_OPEN, .need = 1000, .credit = 500, .flags = 1};
    return &streams[STREAMS - 1];
}

static void no_walk_goes_beyond_the_last_slot(void)
{
    const mote_h2_stream *s = start_before_a_stranger(true);
    mote_h2_stream stranger = *s;

    frame(4, 1, 0, NULL, 0); /* our window is acknowledged */
    for (uint32_t id = 1; id <= 5; id += 2)
        frame_hex(1, 4, id, GET);
    feed_raw();
    frame_hex(4, 0, 0, "000400001000"); /* the peer's window */
    frame_hex(8, 0, 7, "00000001");     /* idle */
    CHECK_INT(feed_raw(), MOTE_H2_ERR_PEER);
    CHECK(memcmp(s, &stranger, sizeof stranger) == 0);

    start_before_a_stranger(true);
    frame(4, 1, 0, NULL, 0);
    frame_hex(1, 4, 1, GET);
    feed_raw();
    mote_h2_tick(&h2, 1);
    mote_h2_need(&h2, &streams[0], 900); /* with padding that does not fit */
    for (uint64_t now = 1000; now <= 4000; now += 500)
        mote_h2_tick(&h2, now);
    CHECK(h2.frame.pads);
    CHECK(memcmp(s, &stranger, sizeof stranger) == 0);

    start_before_a_stranger(false);
    frame_hex(7, 0, 0, "0000000000000000");
    frame(4, 1, 0, NULL, 0);
    CHECK_INT(feed_raw(), 0);
    CHECK(memcmp(s, &stranger, sizeof stranger) == 0);
}

int main(void)
{
    RUN(a_stream_that_the_peer_has_never_seen_goes_without_a_word);
    RUN(a_stream_is_reset_by_the_peer_while_its_frame_still_grows);
    RUN(credit_of_a_stream_that_has_ended_is_not_given_back);
    RUN(every_error_has_its_text);
    RUN(no_walk_goes_beyond_the_last_slot);
    return test_summary();
}
