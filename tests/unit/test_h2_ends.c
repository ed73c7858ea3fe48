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

int main(void)
{
    RUN(a_stream_that_the_peer_has_never_seen_goes_without_a_word);
    RUN(a_stream_is_reset_by_the_peer_while_its_frame_still_grows);
    RUN(credit_of_a_stream_that_has_ended_is_not_given_back);
    RUN(every_error_has_its_text);
    return test_summary();
}
