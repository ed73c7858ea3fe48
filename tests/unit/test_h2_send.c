/* HTTP/2: what the user may send, when it is refused, and why. */
#include "h2_harness.h"

static const mote_hpack_field ok = MOTE_HPACK_STATIC(8);

/* ---- errors are sticky --------------------------------------------------------------------- */

static void after_a_fatal_error_every_call_returns_it(void)
{
    mote_h2_stream *s, *other;
    size_t len;

    start(false);
    s = open_stream();
    CHECK(s != NULL);
    CHECK_TEXT(strcmp(mote_h2_error_text(&h2), "") == 0);
    mote_h2_fail(&h2, MOTE_H2_INTERNAL_ERROR, "out of order");
    mote_h2_fail(&h2, MOTE_H2_CANCEL, "the first one counts");
    CHECK_INT(mote_h2_error(&h2), MOTE_H2_ERR_CLOSED);
    CHECK_INT(mote_h2_error_code(&h2), MOTE_H2_INTERNAL_ERROR);
    CHECK_TEXT(strcmp(mote_h2_error_text(&h2), "out of order") == 0);
    CHECK_INT(mote_h2_open(&h2, &other), MOTE_H2_ERR_CLOSED);
    CHECK(!mote_h2_can_open(&h2));
    mote_h2_headers_begin(&h2, s);
    mote_h2_put(&h2, &ok);
    mote_h2_put_value(&h2, &ok, "1", 1);
    mote_h2_put_literal(&h2, "a", 1, "b", 1, 0);
    CHECK_INT(mote_h2_headers_end(&h2, false), MOTE_H2_ERR_CLOSED);
    CHECK(mote_h2_reserve(&h2, s, 1, &len) == NULL);
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), MOTE_H2_ERR_CLOSED);
    CHECK_INT(mote_h2_ping(&h2), MOTE_H2_ERR_CLOSED);
    mote_h2_consume(&h2, s, 1);
    mote_h2_need(&h2, s, 1);
    mote_h2_shutdown(&h2);
    CHECK_INT(mote_h2_recv_eof(&h2), MOTE_H2_ERR_CLOSED);
    CHECK_INT(mote_h2_tick(&h2, 1), UINT32_MAX);
    drain();
    CHECK(strcmp(said(), "GOAWAY 2") == 0);
}

/* Of a section; the stream that it would have opened is gone with it, and nothing is sent. */
static void the_first_error_of_a_section_is_its_result(void)
{
    static char longest[16384];
    static const struct {
        bool too_large;
        int refused[2], result;
    } cases[] = {{false, {-1, 0}, -1},
                 {false, {-1, -2}, -1},
                 {true, {-1, 0}, MOTE_H2_ERR_TOO_LARGE},
                 {true, {0, 0}, MOTE_H2_ERR_TOO_LARGE}};
    mote_h2_stream *s;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(false);
        drain();
        out_len = 0;
        CHECK_INT(mote_h2_open(&h2, &s), 0);
        mote_h2_headers_begin(&h2, s);
        if (cases[i].too_large)
            mote_h2_put_literal(&h2, "a", 1, longest, sizeof longest, 0);
        for (int j = 0; j < 2 && cases[i].refused[j] < 0; j++)
            mote_h2_headers_refuse(&h2, cases[i].refused[j]);
        CHECK_INT(mote_h2_headers_end(&h2, true), cases[i].result);
        drain();
        CHECK_INT(out_len, 0);
        CHECK_INT(h2.active, 0);
    }
}

static void the_text_of_a_goaway_is_cut_at_64_bytes(void)
{
    start(false);
    out_len = 0;
    mote_h2_fail(&h2, MOTE_H2_NO_ERROR,
                 "0123456789012345678901234567890123456789012345678901234567890123456789");
    drain();
    CHECK_INT(out_len, 9 + 8 + 64);
}

static void the_end_of_the_transport_is_an_error_like_any_other(void)
{
    start(false);
    CHECK_INT(mote_h2_recv_eof(&h2), MOTE_H2_ERR_CLOSED);
    CHECK_TEXT(strcmp(mote_h2_error_text(&h2), "the peer closed the transport") == 0);
    CHECK_INT(mote_h2_recv_eof(&h2), MOTE_H2_ERR_CLOSED);
}

/* Of the stream's window and the connection's: who asked for more than there is hears of the next
 * byte, and nobody else. */
static void who_was_refused_is_told(void)
{
    for (unsigned i = 0; i < 6; i++) {
        bool of_connection = i % 2;
        size_t min = 99 + i / 2, len;
        start(false);
        frame_hex(4, 0, 0, of_connection ? "" : "000400000064");
        feed_raw();
        mote_h2_stream *s = open_stream();
        if (of_connection)
            h2.send_window = 100;
        CHECK((mote_h2_reserve(&h2, s, min, &len) != NULL) == (min <= 100));
        events[0] = '\0';
        frame_hex(8, 0, of_connection ? 0 : 1, "00000001");
        feed_raw();
        const char *told = of_connection ? "WRITABLE 0\n" : "WRITABLE 1\n";
        CHECK(strcmp(events, min <= 100 ? "" : told) == 0);
    }
}

static void wire_codes_have_names(void)
{
    CHECK_TEXT(strcmp(mote_h2_code_name(MOTE_H2_ENHANCE_YOUR_CALM), "ENHANCE_YOUR_CALM") == 0);
    CHECK_TEXT(strcmp(mote_h2_code_name(14), "unknown error code") == 0);
    CHECK_TEXT(strcmp(mote_h2_strerror(0), "no error") == 0);
    CHECK_TEXT(strcmp(mote_h2_strerror(MOTE_H2_AGAIN),
                      "h2: not now: no window, no stream or no space in the transmit buffer") == 0);
    CHECK_TEXT(strcmp(mote_h2_strerror(MOTE_H2_ERR_CLOSED), "h2: the peer closed the transport") ==
               0);
    CHECK_TEXT(strcmp(mote_h2_strerror(-299), "unknown error") == 0);
}

/* ---- header sections ----------------------------------------------------------------------- */

static void nothing_follows_the_end_of_a_stream(void)
{
    mote_h2_stream *s;
    size_t len;

    start(false);
    s = open_stream();
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), 0);
    mote_h2_headers_begin(&h2, s);
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_H2_ERR_STATE);
    CHECK(mote_h2_reserve(&h2, s, 1, &len) == NULL);
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), MOTE_H2_ERR_STATE);
}

static void a_client_may_send_trailers(void)
{
    mote_h2_stream *s;

    start(false);
    s = open_stream();
    drain();
    out_len = 0;
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, "b", 1, 0);
    CHECK_INT(mote_h2_headers_end(&h2, true), 0);
    drain();
    CHECK(out[3] == 1 && out[4] == 5 && out[8] == 1);
    CHECK_INT(h2.next_id, 3);
}

static void trailers_that_do_not_fit_leave_the_stream_as_it_was(void)
{
    static char value[8000];
    mote_h2_stream *s;

    start(false);
    s = open_stream();
    memset(value, 'x', sizeof value);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, value, sizeof value, 0);
    mote_h2_put(&h2, &ok); /* after an error nothing more is tried */
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_AGAIN);
    drain();
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, value, sizeof value, 0);
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_H2_ERR_TOO_LARGE);
    CHECK_INT(h2.active, 1);
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), 0);
}

/* A value that is built in the transmit buffer needs twice its size for a moment. */
static void a_value_may_be_built_in_the_transmit_buffer(void)
{
    static const mote_hpack_field name = MOTE_HPACK_FIELD("x-built", "");
    mote_h2_stream *s;

    start(false);
    s = open_stream();
    drain();
    out_len = 0;
    mote_h2_headers_begin(&h2, s);
    uint8_t *value = mote_h2_value_space(&h2, 1000);
    CHECK(value != NULL);
    memset(value, 'x', 1000);
    mote_h2_put_value(&h2, &name, (char *)value, 1000);
    CHECK(mote_h2_value_space(&h2, 2000) == NULL);
    CHECK(mote_h2_value_space(&h2, 1) == NULL); /* the section has failed */
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_H2_ERR_TOO_LARGE);
    mote_h2_headers_begin(&h2, s);
    value = mote_h2_value_space(&h2, 1000);
    memset(value, 'x', 1000);
    mote_h2_put_value(&h2, &name, (char *)value, 1000);
    CHECK_INT(mote_h2_headers_end(&h2, true), 0);
    drain();
    CHECK(out_len > 800); /* 7 bits for each x */
}

static void a_block_needs_space_for_its_frame_headers(void)
{
    static char value[4000];
    mote_h2_stream *s;
    size_t room;

    start(false);
    s = open_stream();
    while (mote_h2_reserve(&h2, s, 1, &room)) /* no room for even one frame header */
        mote_h2_commit(&h2, s, room, false);
    mote_h2_headers_begin(&h2, s);
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_AGAIN);
    if (!MOTE_CUTS)
        return;
    /* The block itself fits, but not the CONTINUATION that it must be cut into. */
    start(false);
    h2.peer_max_frame = 2000;
    memset(value, '\x01', sizeof value);
    s = open_stream();
    drain();
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, value, 4000, 0);
    mote_h2_put_literal(&h2, "b", 1, value, TX - 9 - 4000 - 6 - 5 - 5, 0);
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_H2_ERR_TOO_LARGE);
}

static void content_is_expected_unless_it_was_said(void)
{
    static const mote_hpack_field post = MOTE_HPACK_FIELD(":method", "POST");
    mote_h2_stream *s;

    start(false);
    mote_h2_open(&h2, &s);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put(&h2, &post);
    mote_h2_headers_end(&h2, true);
    drain();
    frame_hex(1, 5, 1, "88 0f0d 0139");
    expect("content is missing", "RST 1 1");
}

static void a_shrunken_table_is_said_first(void)
{
    start(false);
    frame_hex(4, 0, 0, "000100000000"); /* HEADER_TABLE_SIZE 0 */
    feed_raw();
    out_len = 0;
    open_stream();
    drain();
    CHECK(out[9] == 0x20);
}

/* ---- streams ------------------------------------------------------------------------------- */

static void stream_ids_are_used_once(void)
{
    mote_h2_stream *s;

    start(false);
    h2.next_id = 0x7fffffff;
    s = open_stream();
    CHECK(s && s->id == 0x7fffffff);
    CHECK_INT(mote_h2_open(&h2, &s), MOTE_H2_ERR_GOAWAY);
}

static void a_client_has_as_many_streams_as_slots(void)
{
    mote_h2_stream *s;

    start(false);
    for (int i = 0; i < STREAMS; i++)
        CHECK(open_stream() != NULL);
    CHECK(!mote_h2_can_open(&h2));
    CHECK_INT(mote_h2_open(&h2, &s), MOTE_AGAIN);
}

/* Runs 40 streams to their end, so that nothing is remembered of what was before them. */
static void run_many_streams(void)
{
    for (int i = 0; i < 40; i++) {
        mote_h2_stream *s = open_stream();
        uint32_t id = s->id;
        mote_h2_commit(&h2, s, 0, true);
        drain();
        frame_hex(1, 5, id, "88");
        feed_raw();
        out_len = 0;
    }
}

/* The answer to a request that was cancelled long ago may still come. */
static void headers_on_a_stream_closed_long_ago_are_ignored(void)
{
    start(false);
    run_many_streams();
    uint32_t before = h2.budget;
    frame_hex(1, 5, 1, "88");
    expect("long closed", "");
    CHECK_INT(h2.budget, before - 1);
}

static void an_old_stream_can_still_be_reset(void)
{
    mote_h2_stream *s;

    start(false);
    s = open_stream();
    run_many_streams();
    mote_h2_reset(&h2, s, MOTE_H2_CANCEL);
    mote_h2_reset(&h2, s, MOTE_H2_CANCEL);
    drain();
    CHECK(strcmp(said(), "RST 1 8") == 0);
    frame_hex(0, 0, 1, "00"); /* forgotten, but it may be late */
    expect("content", "RST 1 8");
}

static void both_sides_done_needs_no_reset(void)
{
    start(true);
    frame_hex(1, 5, 1, GET);
    feed_raw();
    mote_h2_headers_begin(&h2, &streams[0]);
    mote_h2_put(&h2, &ok);
    mote_h2_headers_end(&h2, true);
    mote_h2_reset(&h2, &streams[0], MOTE_H2_NO_ERROR);
    drain();
    CHECK(strcmp(said(), "") == 0);
}

int main(void)
{
    RUN(after_a_fatal_error_every_call_returns_it);
    RUN(the_first_error_of_a_section_is_its_result);
    RUN(the_text_of_a_goaway_is_cut_at_64_bytes);
    RUN(the_end_of_the_transport_is_an_error_like_any_other);
    RUN(who_was_refused_is_told);
    RUN(wire_codes_have_names);
    RUN(nothing_follows_the_end_of_a_stream);
    RUN(a_client_may_send_trailers);
    RUN(trailers_that_do_not_fit_leave_the_stream_as_it_was);
    RUN(a_value_may_be_built_in_the_transmit_buffer);
    RUN(a_block_needs_space_for_its_frame_headers);
    RUN(content_is_expected_unless_it_was_said);
    RUN(a_shrunken_table_is_said_first);
    RUN(stream_ids_are_used_once);
    RUN(a_client_has_as_many_streams_as_slots);
    RUN(headers_on_a_stream_closed_long_ago_are_ignored);
    RUN(an_old_stream_can_still_be_reset);
    RUN(both_sides_done_needs_no_reset);
    return test_summary();
}
