/* HTTP/2: with -DMOTE_CHECK a program that breaks the rules of h2.h is stopped where it does. */
#include "../../h2/h2_internal.h"
#include "h2_harness.h"

/* ---- invariants ----------------------------------------------------------------------------- */

/* Whether the invariants hold after a change, which is then taken back. */
#define AFTER(change, holds)                                                                       \
    do {                                                                                           \
        mote_h2 kept = h2;                                                                         \
        mote_h2_stream kept_streams[STREAMS];                                                      \
        memcpy(kept_streams, streams, sizeof streams);                                             \
        CHECK(mote_h2_valid(&h2));                                                                 \
        change;                                                                                    \
        CHECK(mote_h2_valid(&h2) == (holds));                                                      \
        memcpy(streams, kept_streams, sizeof streams);                                             \
        h2 = kept;                                                                                 \
    } while (0)
#define BREAKS(change) AFTER(change, false)
#define KEEPS(change)  AFTER(change, true)

static void a_transmit_buffer_has_its_bounds(void)
{
    size_t len;

    start(false);
    CHECK_INT(mote_h2_ping(&h2), 0);
    BREAKS(h2.tx.bytes = NULL);
    BREAKS(h2.tx.size = MOTE_H2_TX_MIN - 1);
    KEEPS(h2.tx.size = MOTE_H2_TX_MIN);
    KEEPS(h2.tx.head = h2.tx.tail - 1);
    BREAKS(h2.tx.head = h2.tx.tail); /* what is empty begins anew */
    BREAKS(h2.tx.head = h2.tx.tail + 1);
    KEEPS(h2.tx.tail = TX);
    BREAKS(h2.tx.tail = TX + 1);
    start(true);
    frame_hex(1, 4, 1, GET);
    feed_raw();
    CHECK(mote_h2_reserve(&h2, &streams[0], 1, &len) != NULL);
    CHECK_INT(mote_h2_commit(&h2, &streams[0], 1, false), 0);
    BREAKS(h2.tx.frame = 2); /* shorter than its header */
    BREAKS(h2.tx.head = 1);  /* offered while it grows */
    BREAKS(h2.tx.owner = &streams[1]);
}

static void a_frame_in_progress_has_its_bounds(void)
{
    start(true);
    KEEPS(h2.frame.fixed_len = 8);
    BREAKS(h2.frame.fixed_len = 9);
    KEEPS((h2.frame.phase = MOTE_H2_AWAIT_PREFACE, h2.frame.fixed_len = 23));
    BREAKS((h2.frame.phase = MOTE_H2_AWAIT_PREFACE, h2.frame.fixed_len = 24));
    KEEPS(h2.frame.stream = &streams[STREAMS - 1]);
    BREAKS(h2.frame.stream = &streams[STREAMS]);
    frame(0x55, 0, 0, in + 4096, 100);
    in_len -= 50;
    feed_raw();
    CHECK_INT(h2.frame.remaining, 50);
    KEEPS(h2.frame.remaining = 100);
    BREAKS(h2.frame.remaining = 101);
    KEEPS(h2.frame.length = MAX_FRAME);
    BREAKS(h2.frame.length = MAX_FRAME + 1);
    KEEPS(h2.frame.pad = 50);
    BREAKS(h2.frame.pad = 51);
    BREAKS(h2.frame.fixed_len = 9);
    KEEPS((h2.frame.type = MOTE_H2_FRAME_SETTINGS, h2.frame.fixed_len = 5));
    BREAKS((h2.frame.type = MOTE_H2_FRAME_SETTINGS, h2.frame.fixed_len = 6));
    BREAKS(h2.block.id = 1); /* inside of a block there are no frames but its own */
    start(false);
    BREAKS(h2.frame.phase = MOTE_H2_AWAIT_PREFACE); /* a server sends none */
}

static void a_block_has_its_bounds(void)
{
    start(true);
    frame_hex(1, 1, 1, "82");
    feed_raw();
    CHECK_INT(h2.block.id, 1);
    KEEPS(h2.block.code = MOTE_H2_HTTP_1_1_REQUIRED);
    BREAKS(h2.block.code = MOTE_H2_HTTP_1_1_REQUIRED + 1);
    KEEPS(h2.block.status = 999);
    BREAKS(h2.block.status = 1000);
    KEEPS(h2.block.bytes = BLOCK_FACTOR * 16384 + 3);
    BREAKS(h2.block.bytes = BLOCK_FACTOR * 16384 + 4);
    BREAKS(h2.block.id = 0x80000001);
}

static void a_section_that_is_written_has_its_bounds(void)
{
    mote_h2_stream *s;

    start(false);
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    mote_h2_headers_begin(&h2, s);
    BREAKS(h2.section.stream = &streams[STREAMS]);
    BREAKS(h2.section.error = 1);
    KEEPS(h2.section.error = MOTE_HPACK_ERR_SPACE);
    BREAKS(h2.section.start++);
    BREAKS((h2.section.start++, h2.section.error = MOTE_HPACK_ERR_SPACE));
    KEEPS((h2.section.start++, h2.section.error = MOTE_H2_AGAIN)); /* it was not begun */
    BREAKS((h2.tx.owner = s, h2.tx.frame = 0));
    CHECK_INT(mote_h2_headers_end(&h2, true), 0);
}

static void a_stream_is_what_its_state_says(void)
{
    start(true);
    frame_hex(1, 4, 1, GET);
    frame_hex(0, 0, 1, "0102");
    feed_raw();
    mote_h2_stream *s = &streams[0];
    BREAKS(s->id = 0);
    BREAKS(s->id = 2);
    BREAKS(s->id = 3); /* above what the peer has opened */
    BREAKS(s->state = MOTE_H2_STATE_CLOSED);
    BREAKS(s->state = MOTE_H2_STATE_IDLE);       /* of a server */
    BREAKS(s->state = MOTE_H2_STATE_RESET_OWED); /* and nobody knows that it owes */
    KEEPS((s->state = MOTE_H2_STATE_RESET_OWED, h2.owing_streams = 1));
    KEEPS((s->flags |= STREAM_CREDIT_OWED, h2.owing_streams = 1));
    BREAKS((s->flags |= STREAM_CREDIT_OWED, h2.owing_streams = 1, s->credit = 0));
    BREAKS((s->flags |= STREAM_CREDIT_OWED, h2.owing_streams = 1,
            s->state = MOTE_H2_STATE_RESET_OWED));
    BREAKS(s->credit = 3); /* more than has arrived */
    BREAKS(s->recv_window++);
    KEEPS(s->recv_window--);
    BREAKS(streams[1].flags = STREAM_BLOCKED);
    BREAKS(h2.active = 2);
}

/* Ids 1, 9 and 17 have the same slot of four: they lie one behind the other. */
static void a_stream_lies_within_reach_of_its_slot(void)
{
    start(true);
    for (uint32_t id = 1; id <= 17; id += 8)
        frame_hex(1, 4, id, GET);
    feed_raw();
    CHECK_INT(h2.reach, 2);
    BREAKS(h2.reach = 1);
    CHECK(mote_h2_stream_find(&h2, 17) == &streams[2]);
    h2.reach = 1; /* beyond it nothing is looked at */
    CHECK(mote_h2_stream_find(&h2, 17) == NULL);
    CHECK(mote_h2_stream_find(&h2, 9) == &streams[1]);
    h2.reach = 2;
    for (size_t i = 0; i < 3; i++)
        mote_h2_reset(&h2, &streams[i], MOTE_H2_CANCEL);
    drain();
    frame_hex(1, 4, 19, GET);
    feed_raw();
    CHECK_INT(h2.reach, 0); /* an empty table begins anew */
    CHECK(mote_h2_stream_find(&h2, 19) == &streams[1]);
}

static void a_connection_is_what_its_life_says(void)
{
    start(true);
    BREAKS(h2.life = MOTE_H2_FAILED);
    BREAKS(h2.error = MOTE_H2_ERR_PEER);
    KEEPS((h2.life = MOTE_H2_FAILED, h2.error = MOTE_H2_ERR_PEER));
    BREAKS(h2.stream_count = 0);
    BREAKS(h2.streams = NULL);
    KEEPS(h2.budget = h2.budget_max);
    BREAKS(h2.budget = h2.budget_max + 1);
    KEEPS(h2.reach = 3);
    KEEPS(h2.pings = MOTE_H2_PINGS);
    BREAKS(h2.pings = MOTE_H2_PINGS + 1);
    KEEPS(h2.asked = 2);
    BREAKS(h2.asked = 3);
    KEEPS(h2.late_bytes = h2.connection_window);
    BREAKS(h2.late_bytes = h2.connection_window + 1);
    KEEPS(h2.late_frames = h2.stream_count);
    BREAKS(h2.late_frames = (uint16_t)(h2.stream_count + 1));
    KEEPS(h2.peer_max_frame = 0xffffff);
    BREAKS(h2.peer_max_frame = 0x1000000);
    BREAKS(h2.peer_max_frame = 0);
    KEEPS(h2.send_window = 0);
    BREAKS(h2.send_window = -1);
    BREAKS(h2.recv_window--);
    BREAKS((h2.recv_window = -1, h2.credit = 65536));
    KEEPS((h2.recv_window = 0, h2.credit = 65535));
    KEEPS(h2.peer_window = 0x7fffffff);
    BREAKS(h2.peer_window = 0x80000000);
    KEEPS(h2.stream_window = 0x7fffffff);
    BREAKS(h2.stream_window = 0x80000000);
    KEEPS((h2.owed = OWE_REFUSED, h2.refused_first = h2.refused_last = 3));
    BREAKS((h2.owed = OWE_REFUSED, h2.refused_first = 5, h2.refused_last = 3));
    BREAKS(h2.decoder.error = MOTE_HPACK_ERR_SPACE);
    BREAKS(h2.encoder.slot_count = UINT16_MAX);
}

#ifdef MOTE_CHECK
#include <sys/wait.h>
#include <unistd.h>

static mote_h2_stream *stream; /* stream 1 of a client, its request sent */

/* True when `use` does not return. */
static bool stops(void (*use)(void))
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        use();
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return status != 0;
}

static void request_goes_on(void)
{
    static const mote_hpack_field get = MOTE_HPACK_STATIC(2), root = MOTE_HPACK_STATIC(4),
                                  http = MOTE_HPACK_STATIC(6);

    start(false);
    CHECK_INT(mote_h2_open(&h2, &stream), 0);
    mote_h2_headers_begin(&h2, stream);
    mote_h2_put(&h2, &get);
    mote_h2_put(&h2, &http);
    mote_h2_put(&h2, &root);
    CHECK_INT(mote_h2_headers_end(&h2, false), 0);
    drain();
}

/* ---- what was offered ----------------------------------------------------------------------- */

static size_t offered;

static void ack(void)
{
    mote_h2_ack(&h2, offered);
}

static void no_more_is_acknowledged_than_was_offered(void)
{
    start(false);
    CHECK_INT(mote_h2_ping(&h2), 0);
    CHECK(mote_h2_peek(&h2, &offered) != NULL);
    CHECK_INT(offered, 17);
    CHECK(!stops(ack));
    offered++;
    CHECK(stops(ack));
}

static void a_frame_that_grows_was_not_offered(void)
{
    size_t len;

    request_goes_on();
    CHECK(mote_h2_reserve(&h2, stream, 1, &len) != NULL);
    CHECK_INT(mote_h2_commit(&h2, stream, 1, false), 0);
    offered = 1;
    CHECK(stops(ack));
}

/* ---- what was reserved ---------------------------------------------------------------------- */

static size_t reserved;

static void commit(void)
{
    mote_h2_commit(&h2, stream, reserved, false);
}

static void no_more_is_committed_than_was_reserved(void)
{
    request_goes_on();
    CHECK(mote_h2_reserve(&h2, stream, 1, &reserved) != NULL);
    CHECK_INT(reserved, TX - 9);
    CHECK(!stops(commit));
    reserved++;
    CHECK(stops(commit));
}

static void no_more_is_committed_than_the_window_allows(void)
{
    request_goes_on();
    stream->send_window = 10;
    CHECK(mote_h2_reserve(&h2, stream, 1, &reserved) != NULL);
    CHECK_INT(reserved, 10);
    CHECK(!stops(commit));
    reserved++;
    CHECK(stops(commit));
}

static void no_more_is_committed_than_the_frame_takes(void)
{
    request_goes_on();
    CHECK(mote_h2_reserve(&h2, stream, 1, &reserved) != NULL);
    CHECK_INT(mote_h2_commit(&h2, stream, 1, false), 0);
    CHECK(mote_h2_reserve(&h2, stream, 1, &reserved) != NULL);
    CHECK_INT(reserved, TX - 10);
    CHECK(!stops(commit));
    reserved++;
    CHECK(stops(commit));
}

/* ---- what was delivered --------------------------------------------------------------------- */

static size_t delivered;

static void consume(void)
{
    mote_h2_consume(&h2, stream, delivered);
}

static void no_more_is_consumed_than_was_delivered(void)
{
    mote_h2_event ev = {0};
    size_t used, at = 0;

    request_goes_on();
    frame_hex(1, 4, 1, "88");
    frame_hex(0, 8, 1, "02 010203 0000"); /* padding is not delivered, nor what is yet to come */
    while (ev.type != MOTE_H2_DATA) {
        size_t len = ev.type == MOTE_H2_HEADERS ? 9 + 3 : in_len - at;
        CHECK(mote_h2_recv(&h2, in + at, len, &used, &ev) > 0);
        at += used;
    }
    delivered = ev.len;
    CHECK_INT(delivered, 2);
    CHECK(!stops(consume));
    delivered++;
    CHECK(stops(consume));
}

/* ---- order ---------------------------------------------------------------------------------- */

static void ping(void)
{
    mote_h2_ping(&h2);
}

static void nothing_comes_between_the_fields_of_a_section(void)
{
    start(false);
    CHECK_INT(mote_h2_open(&h2, &stream), 0);
    CHECK(!stops(ping));
    mote_h2_headers_begin(&h2, stream);
    CHECK(stops(ping));
    CHECK_INT(mote_h2_headers_end(&h2, true), 0);
    CHECK(!stops(ping));
}

static void put(void)
{
    static const mote_hpack_field get = MOTE_HPACK_STATIC(2);

    mote_h2_put(&h2, &get);
}

static void a_field_needs_a_section(void)
{
    start(false);
    CHECK(stops(put));
}

static void need(void)
{
    mote_h2_stream foreign = {0};

    mote_h2_need(&h2, &foreign, 1);
}

static void a_stream_is_one_of_the_connection(void)
{
    start(false);
    CHECK(stops(need));
}

/* ---- each way in ---------------------------------------------------------------------------- */

static void use_recv(void)
{
    mote_h2_event ev;
    size_t used;

    mote_h2_recv(&h2, in, 0, &used, &ev);
}

static void use_peek(void)
{
    size_t len;

    mote_h2_peek(&h2, &len);
}

static void use_ack(void)
{
    mote_h2_ack(&h2, 0);
}

static void use_tick(void)
{
    mote_h2_tick(&h2, 1);
}

static void use_shutdown(void)
{
    mote_h2_shutdown(&h2);
}

static void use_fail(void)
{
    mote_h2_fail(&h2, MOTE_H2_INTERNAL_ERROR, "text");
}

static void use_eof(void)
{
    mote_h2_recv_eof(&h2);
}

static void use_open(void)
{
    mote_h2_stream *s;

    mote_h2_open(&h2, &s);
}

static void use_reserve(void)
{
    size_t len;

    mote_h2_reserve(&h2, stream, 1, &len);
}

static void use_commit(void)
{
    mote_h2_commit(&h2, stream, 0, true);
}

static void use_reset(void)
{
    mote_h2_reset(&h2, stream, MOTE_H2_CANCEL);
}

static void use_consume(void)
{
    mote_h2_consume(&h2, stream, 0);
}

static void use_need(void)
{
    mote_h2_need(&h2, stream, 1);
}

static void use_begin(void)
{
    mote_h2_headers_begin(&h2, stream);
}

static void use_value(void)
{
    static const mote_hpack_field get = MOTE_HPACK_STATIC(2);

    mote_h2_put_value(&h2, &get, "a", 1);
}

static void use_literal(void)
{
    mote_h2_put_literal(&h2, "a", 1, "b", 1, 0);
}

static void use_space(void)
{
    mote_h2_value_space(&h2, 1);
}

static void use_no_content(void)
{
    mote_h2_expect_no_content(&h2);
}

static void use_end(void)
{
    mote_h2_headers_end(&h2, true);
}

static void use_refuse(void)
{
    mote_h2_headers_refuse(&h2, MOTE_H2_AGAIN);
}

static void (*const outside[])(void) = {
    use_recv, use_peek,   use_ack,   ping,        use_tick, use_shutdown, use_fail,   use_eof,
    use_open, use_commit, use_reset, use_consume, use_need, use_begin,    use_reserve};
static void (*const inside[])(void) = {put,     use_value, use_literal, use_space, use_no_content,
                                       use_end, use_refuse};

/* What is broken is seen by whatever is called next, and what is called at a wrong time as well. */
static void each_way_in_checks(void)
{
    enum {
        OUTSIDE = sizeof outside / sizeof outside[0],
        INSIDE = sizeof inside / sizeof inside[0]
    };

    for (size_t i = 0; i < OUTSIDE + INSIDE; i++) {
        bool section = i >= OUTSIDE;
        void (*use)(void) = section ? inside[i - OUTSIDE] : outside[i];
        request_goes_on();
        if (section)
            mote_h2_headers_begin(&h2, stream);
        if (stops(use)) {
            printf("%zu stops without a reason\n", i);
            test_ok = false;
        }
        h2.tx.size = 0;
        if (!stops(use)) {
            printf("%zu goes on with a broken connection\n", i);
            test_ok = false;
        }
        request_goes_on();
        if (!section)
            mote_h2_headers_begin(&h2, stream);
        if (!stops(use)) {
            printf("%zu goes on %s of a section\n", i, section ? "outside" : "inside");
            test_ok = false;
        }
    }
}
#endif

int main(void)
{
    RUN(a_transmit_buffer_has_its_bounds);
    RUN(a_frame_in_progress_has_its_bounds);
    RUN(a_block_has_its_bounds);
    RUN(a_section_that_is_written_has_its_bounds);
    RUN(a_stream_is_what_its_state_says);
    RUN(a_stream_lies_within_reach_of_its_slot);
    RUN(a_connection_is_what_its_life_says);
#ifdef MOTE_CHECK
    RUN(no_more_is_acknowledged_than_was_offered);
    RUN(a_frame_that_grows_was_not_offered);
    RUN(no_more_is_committed_than_was_reserved);
    RUN(no_more_is_committed_than_the_window_allows);
    RUN(no_more_is_committed_than_the_frame_takes);
    RUN(no_more_is_consumed_than_was_delivered);
    RUN(nothing_comes_between_the_fields_of_a_section);
    RUN(a_field_needs_a_section);
    RUN(a_stream_is_one_of_the_connection);
    RUN(each_way_in_checks);
#endif
    return test_summary();
}
