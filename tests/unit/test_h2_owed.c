/* HTTP/2: what is owed to the peer waits in the state while the transmit buffer is full, and comes
 * out later, whole and in order. */
#include "h2_harness.h"

/* A server whose stream 1 has filled the transmit buffer: nothing more can be written. */
static void start_full(void)
{
    size_t room;

    start(true);
    frame_hex(4, 0, 0, "000400100000"); /* the stream's window is no limit */
    frame_hex(1, 4, 1, GET);
    feed_raw();
    out_len = 0;
    events[0] = '\0';
    mote_h2_headers_begin(&h2, &streams[0]);
    mote_h2_headers_end(&h2, false);
    while (mote_h2_reserve(&h2, &streams[0], 1, &room))
        mote_h2_commit(&h2, &streams[0], room, false);
    CHECK_INT(mote_h2_tx_space(&h2), 0);
}

/* Feeds what was collected without taking output. */
static int feed_without_output(void)
{
    size_t at = 0, used;
    mote_h2_event ev;
    int r;

    while ((r = mote_h2_recv(&h2, in + at, in_len - at, &used, &ev)) > 0) {
        at += used;
        note(&ev);
    }
    in_len = 0;
    return r;
}

/* Frames in the output: "TYPE/FLAGS/ID " each, without DATA and the first HEADERS. */
static const char *frames_out(void)
{
    static char text[1024];

    text[0] = '\0';
    for (size_t at = 0; at + 9 <= out_len;) {
        size_t len = (size_t)out[at] << 16 | (size_t)out[at + 1] << 8 | out[at + 2];
        if (out[at + 3] > 1)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%u/%u/%u ", out[at + 3],
                     out[at + 4], out[at + 8]);
        at += 9 + len;
    }
    return text;
}

static void answers_wait_for_space(void)
{
    start_full();
    mote_h2_tick(&h2, 1234);
    mote_h2_tick(&h2, 1244);
    frame_hex(6, 0, 0, "0102030405060708"); /* PING */
    frame_hex(4, 0, 0, "");                 /* SETTINGS, three times */
    frame_hex(4, 0, 0, "");
    frame_hex(4, 0, 0, "");
    feed_without_output();
    CHECK_INT(mote_h2_ping(&h2), 0);
    CHECK_INT(mote_h2_ping(&h2), MOTE_AGAIN);
    drain();
    CHECK(strcmp(frames_out(), "4/1/0 4/1/0 4/1/0 6/1/0 6/0/0 ") == 0);
    CHECK(memcmp(out + out_len - 8 - 17, "\1\2\3\4\5\6\7\x08", 8) == 0);
    CHECK_INT(h2.settings_ms, 1234); /* what lies behind the PINGs */
    CHECK_INT(h2.begun_ms, 0);
    CHECK_INT(h2.refill_ms, 1244);
}

/* Takes at most `n` bytes of output. */
static void take(size_t n)
{
    size_t len;
    const uint8_t *p = mote_h2_peek(&h2, &len);

    if (!p)
        return;
    len = len < n ? len : n;
    if (p)
        memcpy(out + out_len, p, len);
    out_len += len;
    mote_h2_ack(&h2, len);
}

/* Once there is room, one look at the output has all of it, for every subset of what can be owed.
 */
static void all_that_is_owed_comes_with_one_look(void)
{
    static uint8_t content[10000];

    for (unsigned which = 0; which < 1u << 7; which++) {
        start_full();
        if (which & 1)
            frame_hex(4, 0, 0, "");
        if (which & 2)
            frame_hex(6, 0, 0, "0102030405060708");
        for (int k = 0; k < 4 && which & 8; k++)
            frame(0, 0, 1, content, sizeof content);
        for (uint32_t id = 3; id <= 11 && which & 64; id += 2) /* 9 and 11 find no slot */
            frame_hex(1, 5, id, GET);
        feed_without_output();
        if (which & 4)
            CHECK_INT(mote_h2_ping(&h2), 0);
        if (which & 8)
            mote_h2_consume(&h2, &streams[0], 40000);
        if (which & 16)
            mote_h2_reset(&h2, &streams[0], MOTE_H2_CANCEL);
        if (which & 32)
            mote_h2_shutdown(&h2);
        take(TX);
        CHECK(strcmp(frames_out(), "") == 0);
        out_len = 0;
        take(TX);
        char expected[80];
        snprintf(expected, sizeof expected, "%s%s%s%s%s%s%s%s", which & 1 ? "4/1/0 " : "",
                 which & 2 ? "6/1/0 " : "",
                 which & 16  ? "3/0/1 "
                 : which & 8 ? "8/0/1 "
                             : "",
                 which & 64 ? "3/0/9 3/0/11 " : "", which & 8 ? "8/0/0 " : "",
                 which & 32 ? "7/0/0 " : "", which & 4 ? "6/0/0 " : "", which & 32 ? "6/0/0 " : "");
        if (strcmp(frames_out(), expected) != 0) {
            printf("%u: %s, not %s\n", which, frames_out(), expected);
            test_ok = false;
        }
    }
}

/* No credit for a stream on which nothing will come. */
static void who_has_ended_is_granted_nothing(void)
{
    for (int ended = 0; ended < 2; ended++) {
        start(true);
        frame_hex(1, 4, 1, GET);
        frame(0, ended ? 1 : 0, 1, (const uint8_t *)"ten bytes.", 10);
        feed_without_output();
        streams[0].credit = 10;
        drain();
        out_len = 0;
        mote_h2_need(&h2, &streams[0], 1 << 20);
        drain();
        CHECK(strcmp(frames_out(), ended ? "" : "8/0/1 ") == 0);
    }
}

typedef struct {
    const char *what, *answer;
    struct {
        uint8_t type, flags;
        uint32_t id;
        const char *payload;
    } frames[5];
    uint32_t consume; /* content of stream 1 that the user takes afterwards */
} waiting;

/* Whatever is written first takes the space that there is; the rest waits for more. */
static void each_kind_of_answer_can_be_the_one_that_waits(void)
{
    static const waiting cases[] = {
        {"SETTINGS ACK", "4/1/0 4/1/0 ", {{4, 0, 0, ""}, {4, 0, 0, ""}}, 0},
        {"PING ACK", "6/1/0 ", {{6, 0, 0, "0102030405060708"}}, 0},
        {"three PINGs",
         "6/1/0 6/1/0 6/1/0 ",
         {{6, 0, 0, "0102030405060708"},
          {6, 0, 0, "0000000000000000"},
          {6, 0, 0, "0000000000000000"}},
         0},
        {"a fourth PING is dropped",
         "6/1/0 6/1/0 6/1/0 ",
         {{6, 0, 0, "0102030405060708"},
          {6, 0, 0, "0000000000000000"},
          {6, 0, 0, "0000000000000000"},
          {6, 0, 0, "0000000000000000"}},
         0},
        {"stream error", "3/0/1 ", {{8, 0, 1, "00000000"}}, 0},
        {"connection error", "7/0/0 ", {{8, 0, 0, "00000000"}}, 0},
        {"a connection error is all that remains",
         "7/0/0 ",
         {{6, 0, 0, "0102030405060708"}, {8, 0, 1, "00000000"}, {8, 0, 0, "00000000"}},
         0},
        {"credit of stream and connection", "8/0/1 8/0/0 ", {{0, 0, 1, "content"}}, 40000},
        {"credit of a stream that is reset", "3/0/1 8/0/0 ", {{0, 0, 1, "reset"}}, 40000},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t space = 0; space < 60; space++) {
            static uint8_t content[10000];
            start_full();
            for (int j = 0; j < 5 && cases[i].frames[j].payload; j++) {
                if (cases[i].frames[j].type > 0)
                    frame_hex(cases[i].frames[j].type, cases[i].frames[j].flags,
                              cases[i].frames[j].id, cases[i].frames[j].payload);
                else
                    for (int k = 0; k < 4; k++)
                        frame(0, 0, 1, content, sizeof content);
            }
            feed_without_output();
            if (cases[i].consume > 0)
                mote_h2_consume(&h2, &streams[0], cases[i].consume);
            if (cases[i].frames[0].payload[0] == 'r')
                mote_h2_reset(&h2, &streams[0], MOTE_H2_CANCEL);
            take(space);
            take(0);
            drain();
            if (strcmp(frames_out(), cases[i].answer) != 0) {
                printf("%s, %zu bytes free: %s\n", cases[i].what, space, frames_out());
                test_ok = false;
            }
            CHECK(h2.error < 0 || h2.owing_streams == 0);
        }
    }
}

static void refused_streams_wait_as_one_range(void)
{
    for (size_t space = 0; space < 60; space++) {
        start_full();
        for (uint32_t id = 3; id <= 7; id += 2)
            frame_hex(1, 5, id, GET);
        for (uint32_t id = 9; id <= 13; id += 2)
            frame_hex(1, 5, id, GET);
        feed_without_output();
        take(space);
        take(0);
        drain();
        CHECK(strcmp(frames_out(), "3/0/9 3/0/11 3/0/13 ") == 0);
    }
}

static void refused_streams_with_gaps_do_not_fit_the_state(void)
{
    start_full();
    for (uint32_t id = 3; id <= 9; id += 2)
        frame_hex(1, 5, id, GET);
    frame_hex(1, 5, 15, GET);
    CHECK_INT(feed_without_output(), MOTE_H2_ERR_CALM);
}

/* While refusals are owed no stream is accepted, even if a slot has become free: ids stay a range.
 */
static void a_free_slot_waits_until_refusals_are_written(void)
{
    start_full();
    for (uint32_t id = 3; id <= 9; id += 2)
        frame_hex(1, 5, id, GET);
    frame_hex(3, 0, 5, "00000008"); /* frees a slot */
    frame_hex(1, 5, 11, GET);
    feed_without_output();
    drain();
    CHECK(strcmp(frames_out(), "3/0/9 3/0/11 ") == 0);
}

static void frames_for_a_stream_that_awaits_its_reset_are_ignored(void)
{
    static const waiting cases[] = {
        {"DATA", "", {{0, 0, 1, "00"}}, 0},
        {"HEADERS", "", {{1, 5, 1, GET}}, 0},
        {"WINDOW_UPDATE", "", {{8, 0, 1, "00000001"}}, 0},
        {"PRIORITY", "", {{2, 0, 1, "0000000110"}}, 0},
        {"PRIORITY of a wrong length", "", {{2, 0, 1, "00"}}, 0},
        {"GOAWAY", "GOAWAY 0\n", {{7, 0, 0, "0000000000000000"}}, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_full();
        mote_h2_reset(&h2, &streams[0], MOTE_H2_CANCEL);
        mote_h2_reset(&h2, &streams[0], MOTE_H2_INTERNAL_ERROR); /* too late: it is cancelled */
        frame_hex(cases[i].frames[0].type, cases[i].frames[0].flags, cases[i].frames[0].id,
                  cases[i].frames[0].payload);
        feed_without_output();
        CHECK(strcmp(events, cases[i].answer) == 0);
        drain();
        CHECK(strcmp(frames_out(), "3/0/1 ") == 0);
        CHECK(strcmp(said(), "RST 1 8") == 0);
    }
}

static void goaway_skips_a_stream_that_awaits_its_reset(void)
{
    mote_h2_stream *s;
    size_t room;

    start_client();
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    mote_h2_headers_begin(&h2, s);
    CHECK_INT(mote_h2_headers_end(&h2, false), 0);
    while (mote_h2_reserve(&h2, s, 1, &room))
        mote_h2_commit(&h2, s, room, false);
    mote_h2_reset(&h2, s, MOTE_H2_CANCEL);
    frame_hex(7, 0, 0, "0000000100000000");
    feed_without_output();
    CHECK(strcmp(events, "GOAWAY 0\n") == 0); /* stream 1 goes on, stream 3 is reset already */
}

static void content_of_a_stream_that_is_reset_meanwhile_is_skipped(void)
{
    mote_h2_event ev;
    size_t used;

    start_full();
    frame_hex(0, 0, 1, "010203040506");
    CHECK_INT(mote_h2_recv(&h2, in, 11, &used, &ev), 1);
    CHECK_INT(ev.len, 2);
    mote_h2_reset(&h2, &streams[0], MOTE_H2_CANCEL);
    CHECK_INT(mote_h2_recv(&h2, in + 11, 4, &used, &ev), 0);
}

static void settings_beyond_what_can_be_counted_end_the_connection(void)
{
    start_full();
    h2.budget = h2.budget_max = UINT32_MAX;
    for (int i = 0; i < UINT16_MAX; i++) {
        frame_hex(4, 0, 0, "");
        feed_without_output();
    }
    CHECK_INT(mote_h2_error(&h2), 0);
    frame_hex(4, 0, 0, "");
    CHECK_INT(feed_without_output(), MOTE_H2_ERR_CALM);
}

static void a_goaway_of_the_caller_waits_too(void)
{
    for (size_t space = 0; space < 60; space++) {
        start_full();
        mote_h2_ping(&h2);
        mote_h2_shutdown(&h2);
        mote_h2_shutdown(&h2); /* once is enough */
        take(space);
        take(0);
        drain();
        CHECK(strcmp(frames_out(), "7/0/0 6/0/0 6/0/0 ") == 0);
    }
}

/* Two streams owe an RST_STREAM, in either order, and there is room for one of them: the first. */
static void streams_that_owe_have_their_turn(void)
{
    for (int first = 0; first < 2; first++) {
        start_full();
        frame_hex(1, 4, 3, GET);
        feed_without_output();
        mote_h2_reset(&h2, &streams[first], MOTE_H2_CANCEL);
        mote_h2_reset(&h2, &streams[1 - first], MOTE_H2_CANCEL);
        CHECK_INT(h2.owing_streams, 2);
        take(13);
        take(0);
        CHECK_INT(h2.owing_streams, 1);
        take(13);
        take(0);
        CHECK_INT(h2.owing_streams, 0);
        drain();
        CHECK(strcmp(frames_out(), first ? "3/0/3 3/0/1 " : "3/0/1 3/0/3 ") == 0);
    }
}

/* The last that began to owe is reset by its peer: the other is still found, and nothing beyond. */
static void a_stream_that_owes_and_is_gone_hides_no_other(void)
{
    start_full();
    frame_hex(1, 4, 3, GET);
    feed_without_output();
    mote_h2_reset(&h2, &streams[0], MOTE_H2_CANCEL);
    mote_h2_reset(&h2, &streams[1], MOTE_H2_CANCEL);
    frame_hex(3, 0, 3, "00000008");
    feed_without_output();
    CHECK_INT(h2.owing_streams, 1);
    drain();
    CHECK_INT(h2.owing_streams, 0);
    CHECK(strcmp(frames_out(), "3/0/1 ") == 0);
}

/* RFC 9113 6.5.3: the values of one frame are taken in order, and the last one stays. */
static void the_last_window_of_a_settings_frame_counts(void)
{
    start(true);
    frame_hex(1, 4, 1, GET);
    frame_hex(4, 0, 0, "00047fffffff 000400000000 000400000007");
    feed_raw();
    CHECK_INT(mote_h2_error(&h2), 0);
    CHECK_INT(streams[0].send_window, 7);
    CHECK_INT(h2.peer_window, 7);
    frame_hex(4, 0, 0, "000300000007"); /* another one changes nothing */
    frame_hex(1, 4, 3, GET);
    feed_raw();
    CHECK_INT(streams[0].send_window, 7);
    CHECK_INT(streams[1].send_window, 7);
}

int main(void)
{
    RUN(answers_wait_for_space);
    RUN(all_that_is_owed_comes_with_one_look);
    RUN(who_has_ended_is_granted_nothing);
    RUN(each_kind_of_answer_can_be_the_one_that_waits);
    RUN(refused_streams_wait_as_one_range);
    RUN(refused_streams_with_gaps_do_not_fit_the_state);
    RUN(a_free_slot_waits_until_refusals_are_written);
    RUN(frames_for_a_stream_that_awaits_its_reset_are_ignored);
    RUN(goaway_skips_a_stream_that_awaits_its_reset);
    RUN(content_of_a_stream_that_is_reset_meanwhile_is_skipped);
    RUN(settings_beyond_what_can_be_counted_end_the_connection);
    RUN(a_goaway_of_the_caller_waits_too);
    RUN(streams_that_owe_have_their_turn);
    RUN(a_stream_that_owes_and_is_gone_hides_no_other);
    RUN(the_last_window_of_a_settings_frame_counts);
    return test_summary();
}
