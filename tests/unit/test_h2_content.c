/* HTTP/2: content that the user sends, its windows and its end; PING and the goodbye of a client.
 */
#include "h2_harness.h"

/* ---- content ------------------------------------------------------------------------------- */

static void content_needs_space_beside_its_frame_header(void)
{
    mote_h2_stream *s;
    size_t room;

    for (size_t left = 0; left < 24; left++) {
        start(false);
        s = open_stream();
        drain();
        CHECK(mote_h2_reserve(&h2, s, 0, &room) != NULL);
        CHECK_INT(mote_h2_commit(&h2, s, TX - 9 - left, false), 0);
        size_t len;
        mote_h2_peek(&h2, &len); /* the frame is closed: another one is needed */
        CHECK((mote_h2_reserve(&h2, s, 0, &room) != NULL) == (left > 9));
        CHECK((mote_h2_reserve(&h2, s, 5, &room) != NULL) == (left >= 14));
        CHECK_INT(mote_h2_commit(&h2, s, 0, false), 0); /* nothing to do */
    }
}

static void a_full_frame_is_followed_by_another(void)
{
    mote_h2_stream *s;
    size_t room;

    if (!MOTE_CUTS)
        return;
    start(false);
    h2.peer_max_frame = 100;
    s = open_stream();
    drain();
    out_len = 0;
    for (int i = 0; i < 3; i++) {
        CHECK(mote_h2_reserve(&h2, s, 0, &room) != NULL);
        CHECK_INT(room, 100);
        mote_h2_commit(&h2, s, 100, false);
    }
    CHECK(mote_h2_reserve(&h2, s, 60, &room) != NULL);
    mote_h2_commit(&h2, s, 60, false);
    CHECK(mote_h2_reserve(&h2, s, 41, &room) != NULL); /* 40 are left in the frame */
    CHECK_INT(room, 100);
    drain();
    CHECK_INT(out_len, 3 * 109 + 69);
}

static void a_window_of_nothing_allows_nothing(void)
{
    mote_h2_stream *s;
    size_t room;

    start(false);
    frame_hex(4, 0, 0, "000400000000");
    feed_raw();
    s = open_stream();
    CHECK(mote_h2_reserve(&h2, s, 0, &room) == NULL);
    CHECK(mote_h2_reserve(&h2, s, 1, &room) == NULL);
    frame_hex(8, 0, 1, "00000003");
    feed_raw();
    CHECK(strstr(events, "WRITABLE") != NULL);
    CHECK(mote_h2_reserve(&h2, s, 4, &room) == NULL);
    CHECK(mote_h2_reserve(&h2, s, 3, &room) != NULL);
    h2.send_window = 2;
    CHECK(mote_h2_reserve(&h2, s, 3, &room) == NULL);
    h2.send_window = 0;
    CHECK(mote_h2_reserve(&h2, s, 0, &room) == NULL);
}

static void the_connections_window_opens_for_all(void)
{
    mote_h2_stream *s;
    size_t room;

    start(false);
    frame_hex(4, 0, 0, "000400100000");
    feed_raw();
    s = open_stream();
    while (mote_h2_reserve(&h2, s, 1, &room)) {
        mote_h2_commit(&h2, s, room, false);
        drain();
        out_len = 0;
    }
    CHECK_INT(h2.send_window, 0);
    events[0] = '\0';
    frame_hex(8, 0, 0, "00000010");
    feed_raw();
    CHECK(strcmp(events, "WRITABLE 0\n") == 0);
    CHECK(mote_h2_reserve(&h2, s, 1, &room) != NULL && room == 16);
}

static void the_end_waits_for_space_too(void)
{
    mote_h2_stream *s;
    size_t room;

    start(false);
    s = open_stream();
    while (mote_h2_reserve(&h2, s, 1, &room))
        mote_h2_commit(&h2, s, room, false);
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), 0); /* a flag of the open frame */
    s = open_stream();
    CHECK(s == NULL);
    start(false);
    s = open_stream();
    while (mote_h2_reserve(&h2, s, 1, &room))
        mote_h2_commit(&h2, s, room, false);
    mote_h2_peek(&h2, &room);
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), MOTE_AGAIN);
    mote_h2_ping(&h2);
    mote_h2_ack(&h2, 12); /* room for the frame, but the PING goes first */
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), MOTE_AGAIN);
    drain();
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), 0);
}

static void a_ping_is_answered_by_a_pong(void)
{
    start(false);
    CHECK_INT(mote_h2_ping(&h2), 0);
    CHECK_INT(mote_h2_ping(&h2), MOTE_AGAIN);
    frame_hex(6, 1, 0, "6d6f746570696e67");
    feed_raw();
    CHECK(strcmp(events, "PONG 0\n") == 0);
    CHECK_INT(mote_h2_ping(&h2), 0);
}

/* gRPC's bandwidth probes: a PING for content that was received. */
static void a_ping_for_content_is_free(void)
{
    mote_h2_stream *s;
    size_t room;

    start(false);
    s = open_stream();
    uint32_t before = h2.budget;
    for (int i = 0; i < 5; i++) {
        mote_h2_reserve(&h2, s, 1, &room);
        mote_h2_commit(&h2, s, 1, false);
        drain();
        frame_hex(6, 0, 0, "0000000000000000");
        feed_raw();
    }
    CHECK_INT(h2.budget, before);
    frame_hex(6, 0, 0, "0000000000000000");
    feed_raw();
    CHECK_INT(h2.budget, before - 1);
}

static void a_client_says_goodbye(void)
{
    mote_h2_stream *s;

    start(false);
    out_len = 0;
    mote_h2_shutdown(&h2);
    mote_h2_shutdown(&h2);
    drain();
    CHECK(strcmp(said(), "GOAWAY 0") == 0);
    CHECK_INT(out_len, 17);
    CHECK_INT(mote_h2_open(&h2, &s), MOTE_H2_ERR_GOAWAY);
}

int main(void)
{
    RUN(content_needs_space_beside_its_frame_header);
    RUN(a_full_frame_is_followed_by_another);
    RUN(a_window_of_nothing_allows_nothing);
    RUN(the_connections_window_opens_for_all);
    RUN(the_end_waits_for_space_too);
    RUN(a_ping_is_answered_by_a_pong);
    RUN(a_ping_for_content_is_free);
    RUN(a_client_says_goodbye);
    return test_summary();
}
