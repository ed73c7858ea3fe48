/* HTTP/2: with -DMOTE_CHECK a program that breaks the rules of h2.h is stopped where it does. */
#include "../../h2/h2_internal.h"
#include "h2_harness.h"

#ifdef MOTE_CHECK
#include "stops.h"

static mote_h2_stream *stream; /* stream 1 of a client, its request sent */

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
