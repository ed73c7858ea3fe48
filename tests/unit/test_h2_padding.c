/* HTTP/2: padding counts against windows (RFC 9113 6.1, 6.9.1), and stalls no message for that. */
#include "h2_harness.h"

static void ask(uint32_t id, unsigned flags)
{
    frame_hex(1, 4 | flags, id, GET);
    feed_raw();
}

/* Frames of 5 bytes and 255 of padding need 261 of the window: a message whose beginning is kept
 * by the user goes on as long as the memory allows it. */
static void padding_does_not_stall_a_message(void)
{
    for (int server = 0; server < 2; server++) {
        mote_h2_stream *s;
        if (server) {
            start(true);
            ask(1, 0);
            s = &streams[0];
        } else {
            s = start_client();
            frame_hex(1, 4, 1, "88");
            feed_raw();
        }
        h2.initial_window = h2.stream_window = 4096; /* as if it had been announced so */
        s->recv_window = 4096;
        unsigned sent = 0;
        while (sent < 2205 && s->recv_window >= 261 && h2.recv_window >= 261) {
            static const uint8_t padded[261] = {255};
            size_t at = 0, used;
            mote_h2_event ev;
            frame(0, 8, 1, padded, sizeof padded);
            while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0) {
                at += used;
                if (ev.type == MOTE_H2_DATA && ev.len > 0)
                    mote_h2_need(&h2, s, 2205 - (sent += (unsigned)ev.len));
            }
            in_len = 0;
            drain();
            out_len = 0;
        }
        CHECK_INT(sent, 2205);
    }
}

/* And so much as a padded frame is lent beyond the window at the most; what the user takes pays it
 * back, first of all. */
static void what_is_lent_is_paid_back(void)
{
    static const uint8_t padded[261] = {255};
    mote_h2_event ev;
    size_t at = 0, used;

    start(true);
    ask(1, 0);
    mote_h2_stream *s = &streams[0];
    h2.initial_window = h2.stream_window = 4096;
    s->recv_window = 4096;
    frame(0, 8, 1, padded, sizeof padded);
    while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0)
        at += used;
    for (int again = 0; again < 2; again++) {
        mote_h2_need(&h2, s, 4000); /* and 261 for a padded frame; 4,091 are there */
        drain();
        CHECK_INT(s->lent, 170);
        CHECK_INT(s->recv_window, 4261);
        CHECK_INT(s->credit, 0);
    }
    mote_h2_consume(&h2, s, 3);
    CHECK_INT(s->lent, 167);
    CHECK_INT(s->credit, 0);
    mote_h2_need(&h2, s, 4095); /* 95 more: 262 in all */
    CHECK_INT(s->lent, 167);
    mote_h2_need(&h2, s, 4094);
    drain();
    CHECK_INT(s->lent, 261);
    CHECK_INT(s->recv_window, 4355);
    CHECK_INT(mote_h2_error(&h2), 0);
}

/* Who may begin to pad gets room on streams without any, a second later, and on no others. */
static void only_streams_that_are_short_are_lent_for_padding(void)
{
    start(true);
    ask(1, 0);
    ask(3, 0);
    mote_h2_stream *tight = &streams[0], *roomy = &streams[1];
    tight->recv_window = roomy->recv_window = 1000;
    mote_h2_tick(&h2, 10);
    mote_h2_need(&h2, roomy, 1000 - 261);
    CHECK_INT(h2.frame.tight, false);
    mote_h2_need(&h2, tight, 1000 - 260);
    CHECK_INT(h2.frame.tight, true);
    for (uint64_t ms = 20; ms <= 1020; ms += 500) {
        CHECK_INT(mote_h2_tick(&h2, ms), 1000);
        drain();
        CHECK_INT(tight->recv_window, ms < 1020 ? 1000 : 1001);
        CHECK_INT(roomy->recv_window, 1000);
    }
    CHECK_INT(tight->lent, 1);
}

/* Room that was lent before SETTINGS was acknowledged is there beside the largest window. */
static void no_window_exceeds_what_a_window_may_be(void)
{
    static const uint8_t padded[261] = {255};

    start(true);
    h2.initial_window = MOTE_H2_WINDOW_MAX; /* as if it had been configured so */
    ask(1, 0);
    mote_h2_stream *s = &streams[0];
    frame(0, 8, 1, padded, sizeof padded);
    feed_raw();
    mote_h2_need(&h2, s, 65535);
    drain();
    CHECK_INT(s->lent, 261);
    CHECK_INT(s->credit, 0);
    CHECK_INT(s->recv_window, 65535 + 261);
    frame(4, 1, 0, NULL, 0);
    feed_raw();
    CHECK_INT(s->recv_window, 0x7fffffff);
    CHECK_INT(mote_h2_error(&h2), 0);
}

int main(void)
{
    RUN(padding_does_not_stall_a_message);
    RUN(what_is_lent_is_paid_back);
    RUN(only_streams_that_are_short_are_lent_for_padding);
    RUN(no_window_exceeds_what_a_window_may_be);
    return test_summary();
}
