/* HTTP/2: what a legal peer may have sent before it heard that we have closed a stream is free, as
 * far as it was granted; what is beyond has its price (RFC 9113 5.1, 6.8, 6.9). */
#include "h2_harness.h"

enum { WINDOW = 100 };

static const mote_hpack_field ok = MOTE_HPACK_STATIC(8);
static bool held; /* the transport takes nothing */

/* ---- who has closed the stream, and when ------------------------------------------------------
 */

/* A server of 4 streams, whose windows are 100 bytes; acknowledged or not. */
static void begin(bool acknowledged)
{
    mote_h2_config config = config_of(true);

    config.initial_window = WINDOW;
    in_len = out_len = 0;
    events[0] = '\0';
    held = false;
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    frame(4, 0, 0, NULL, 0);
    if (acknowledged)
        frame(4, 1, 0, NULL, 0);
    feed_raw();
}

static void receive(void)
{
    size_t at = 0, used;
    mote_h2_event ev;

    if (!held) {
        feed_raw();
        return;
    }
    while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0)
        at += used;
    in_len = 0;
}

static void request(uint32_t id, unsigned flags)
{
    frame_hex(1, 4 | flags, id, GET);
    feed_raw();
}

static void respond(mote_h2_stream *s, size_t content)
{
    size_t room;

    mote_h2_headers_begin(&h2, s);
    mote_h2_put(&h2, &ok);
    CHECK_INT(mote_h2_headers_end(&h2, false), 0);
    memset(mote_h2_reserve(&h2, s, content, &room), 'x', content);
    CHECK_INT(mote_h2_commit(&h2, s, content, true), 0);
    drain();
}

static void is_reset(void)
{
    begin(true);
    request(1, 0);
    mote_h2_reset(&h2, &streams[0], MOTE_H2_CANCEL);
    drain();
}

static void awaits_its_reset(void)
{
    size_t room;

    begin(true);
    request(1, 0);
    request(3, 0);
    mote_h2_headers_begin(&h2, &streams[1]);
    mote_h2_put(&h2, &ok);
    mote_h2_headers_end(&h2, false);
    while (mote_h2_reserve(&h2, &streams[1], 1, &room))
        mote_h2_commit(&h2, &streams[1], room, false);
    mote_h2_reset(&h2, &streams[0], MOTE_H2_CANCEL);
    CHECK_INT(streams[0].state, MOTE_H2_STATE_RESET_OWED);
    held = true;
}

static void is_answered_early(void)
{
    begin(true);
    request(1, 0);
    respond(&streams[0], 10);
    mote_h2_reset(&h2, &streams[0], MOTE_H2_NO_ERROR);
    drain();
}

/* 1 to 7 fill the slots, 9 came before the client knew that there are four; 1 is another's name. */
static void is_refused(void)
{
    begin(false);
    for (uint32_t id = 1; id <= 9; id += 2)
        request(id, 0);
    CHECK(strcmp(said(), "RST 9 7") == 0);
}

static void is_above_the_goaway(void)
{
    begin(true);
    request(1, 0);
    mote_h2_shutdown(&h2);
    drain();
    frame_hex(6, 1, 0, "6d6f746570696e67");
    feed_raw();
    request(3, 0);
    CHECK(strcmp(said(), "GOAWAY 0") == 0);
}

static void is_reset_by_a_client(void)
{
    mote_h2_config config = config_of(false);
    mote_h2_stream *s;

    begin(true);
    config.initial_window = WINDOW;
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    frame(4, 0, 0, NULL, 0);
    frame(4, 1, 0, NULL, 0);
    feed_raw();
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    mote_h2_headers_begin(&h2, s);
    CHECK_INT(mote_h2_headers_end(&h2, true), 0);
    drain();
    mote_h2_reset(&h2, s, MOTE_H2_CANCEL);
    drain();
}

/* Its request had ended: nothing but an RST_STREAM may be under way. */
static void is_answered(void)
{
    begin(true);
    request(1, 1);
    respond(&streams[0], 10);
}

/* The peer's own fault. */
static void broke_a_rule(void)
{
    begin(true);
    request(1, 0);
    frame_hex(8, 0, 1, "00000000");
    feed_raw();
    CHECK(strcmp(said(), "RST 1 1") == 0);
}

/* ---- what comes then, and its price ------------------------------------------------------------
 */

static uint32_t price(void)
{
    uint32_t before = h2.budget;

    receive();
    CHECK_INT(h2.error, 0);
    return before - h2.budget;
}

static void content(uint32_t id, unsigned bytes, unsigned of_frames)
{
    static const uint8_t zeros[WINDOW];

    for (unsigned n; bytes > 0; bytes -= n) {
        n = bytes < of_frames ? bytes : of_frames;
        frame(0, 0, id, zeros, n);
    }
}

typedef struct {
    const char *what;
    void (*closed)(void);
    uint32_t id;
    unsigned content, frames, returned; /* bytes, frames and credit that are free */
    bool blocks;                        /* HEADERS are an error of the connection otherwise */
} late;

static const late cases[] = {
    {"reset by a server", is_reset, 1, WINDOW, 1, 0, true},
    {"a reset that waits for room", awaits_its_reset, 1, WINDOW, 1, 4000, true},
    {"answered before the request has ended", is_answered_early, 1, WINDOW, 1, 10, true},
    {"refused before the limit was known", is_refused, 9, 65535 - 1000, 1, 0, true},
    {"above our GOAWAY", is_above_the_goaway, 3, WINDOW, 1, 0, true},
    {"reset by a client", is_reset_by_a_client, 1, WINDOW, 1, 0, true},
    {"answered", is_answered, 1, 0, 1, 10, false},
    {"the peer's own fault", broke_a_rule, 1, 0, 0, 0, true},
};

static void check(const late *l, const char *of, uint32_t actual, uint32_t expected)
{
    if (actual == expected)
        return;
    printf("%s: %s costs %u, not %u\n", l->what, of, actual, expected);
    test_ok = false;
}

#define EACH_CASE(l) for (const late *l = cases; l < cases + sizeof cases / sizeof cases[0]; l++)

static void content_within_the_window_is_free(void)
{
    EACH_CASE(l)
    {
        if (l->content == 0)
            continue;
        l->closed();
        content(l->id, WINDOW, 1);
        check(l, "content in frames of a byte", price(), 0);
        if (l->content > WINDOW)
            continue;
        content(l->id, 1, 1);
        check(l, "a byte more", price(), 1);
    }
}

static void content_of_no_bytes_has_its_price(void)
{
    EACH_CASE(l)
    {
        l->closed();
        frame(0, 0, l->id, NULL, 0);
        frame(0, 0, l->id, NULL, 0);
        /* each as a frame that is ignored, and as one that is empty */
        check(l, "two empty DATA", price(), 4);
    }
}

static void one_block_is_free(void)
{
    EACH_CASE(l)
    {
        if (!l->blocks)
            continue;
        l->closed();
        frame_hex(1, 5, l->id, "0001610162");
        check(l, "a header block", price(), 1 - l->frames);
        frame_hex(1, 5, l->id, "0001610162");
        check(l, "another one", price(), 1);
    }
}

/* grpc's clients end what they say so. */
static void one_end_without_content_is_free(void)
{
    EACH_CASE(l)
    {
        if (l->content == 0 && l->frames > 0)
            continue; /* it had ended */
        l->closed();
        frame(0, 1, l->id, NULL, 0);
        check(l, "empty DATA that ends it", price(), 1 - l->frames);
        frame(0, 1, l->id, NULL, 0);
        check(l, "another one", price(), 1);
    }
}

/* A server may have said all of it: its first block, content, its end. */
static void a_whole_answer_is_free(void)
{
    EACH_CASE(l)
    {
        bool client = l->closed == is_reset_by_a_client;
        if (!l->blocks)
            continue;
        l->closed();
        frame_hex(1, 4, l->id, "88");
        check(l, "a block without an end", price(), client || l->frames == 1 ? 0 : 1);
        content(l->id, l->content > 0 && l->content <= WINDOW ? WINDOW - 5 : 0, 10);
        check(l, "content", price(), 0);
        frame_hex(1, 5, l->id, "0001610162");
        check(l, "the end", price(), client ? 0 : 1);
        frame_hex(3, 0, l->id, "00000000");
        check(l, "RST_STREAM behind it", price(), l->frames == 1 ? 0 : 1);
        for (int i = 0; i < 2; i++) {
            frame_hex(1, 4, l->id, "88");
            check(l, "another block without an end", price(), 1);
        }
    }
}

static void one_reset_is_free(void)
{
    EACH_CASE(l)
    {
        l->closed();
        frame_hex(3, 0, l->id, "00000008");
        check(l, "RST_STREAM", price(), 1 - l->frames);
    }
}

static void credit_for_what_was_sent_is_free(void)
{
    EACH_CASE(l)
    {
        l->closed();
        for (unsigned i = 0; i < l->returned; i++)
            frame_hex(8, 0, l->id, "00000001");
        check(l, "credit of a byte for each", price(), 0);
        frame_hex(8, 0, l->id, "00100000");
        check(l, "credit for nothing", price(), 1);
    }
}

/* ---- the bound is state -----------------------------------------------------------------------
 */

/* What is granted again and again and never used does not pile up. */
static void what_is_free_stays_within_the_connections_window(void)
{
    begin(true);
    for (uint32_t id = 1; id < 4000; id += 2) {
        request(id, 0);
        mote_h2_reset(&h2, &streams[id / 2 % STREAMS], MOTE_H2_CANCEL);
        drain();
        out_len = 0;
    }
    CHECK_INT(h2.late_bytes, 65535);
    CHECK_INT(h2.late_frames, STREAMS);
}

/* grpc-go streams on while its call is refused: 3,000 frames of 6 bytes. */
static void a_stream_of_small_messages_that_is_refused_costs_its_neighbour_nothing(void)
{
    start(true);
    request(1, 0);
    request(3, 0);
    mote_h2_reset(&h2, &streams[1], MOTE_H2_NO_ERROR);
    drain();
    content(3, 18000, 6);
    check(&cases[0], "3,000 frames of 6 bytes", price(), 0);
    CHECK_INT(streams[0].id, 1);
}

/* ... of a stream that is older than the ids that are remembered. */
static void a_stream_that_was_open_for_long_is_late_as_well(void)
{
    begin(true);
    request(1, 0);
    for (uint32_t id = 3; id < 203; id += 2) {
        request(id, 1);
        respond(mote_h2_receiving(&streams[0]) ? &streams[id / 2 % STREAMS] : NULL, 1);
        out_len = 0;
        if ((id + 2) / 2 % STREAMS == 0)
            id += 2;
    }
    out_len = 0;
    mote_h2_reset(&h2, &streams[0], MOTE_H2_CANCEL);
    drain();
    content(1, WINDOW, 1);
    check(&cases[0], "content of an old stream", price(), 0);
    CHECK(strcmp(said(), "RST 1 8") == 0);
    for (unsigned left = h2.late_frames; left > 0; left--) {
        frame_hex(1, 5, 1, "0001610162");
        check(&cases[0], "trailers of an old stream", price(), 0);
    }
    frame_hex(1, 5, 1, "0001610162"); /* more than there were streams */
    CHECK_INT(feed_raw(), MOTE_H2_ERR_PEER);
    CHECK_TEXT(strcmp(mote_h2_error_text(&h2), "stream ids do not increase") == 0);
}

/* A client may open so many before it knows our limit, and no more. */
static void streams_beyond_the_limit_are_free_until_it_is_known(void)
{
    uint32_t before;

    begin(false);
    before = h2.budget;
    for (uint32_t id = 1; id < 200; id += 2)
        request(id, 1);
    CHECK_INT(before - h2.budget, 0);
    request(201, 1);
    CHECK_INT(before - h2.budget, 1);
    begin(true);
    before = h2.budget;
    for (uint32_t id = 1; id < 11; id += 2)
        request(id, 1);
    CHECK_INT(before - h2.budget, 1);
}

static void streams_above_the_goaway_are_free_as_many_as_may_be_open(void)
{
    is_above_the_goaway();
    uint32_t before = h2.budget;
    for (uint32_t id = 5; id <= 9; id += 2)
        request(id, 1);
    CHECK_INT(before - h2.budget, 0);
    request(11, 1);
    CHECK_INT(before - h2.budget, 1);
    CHECK_INT(h2.error, 0);
}

/* ---- PING -------------------------------------------------------------------------------------
 */

static void the_answer_of_another_ping_does_not_end_the_announcement(void)
{
    begin(true);
    CHECK_INT(mote_h2_ping(&h2), 0);
    drain();
    mote_h2_shutdown(&h2);
    CHECK_INT(mote_h2_ping(&h2), MOTE_AGAIN);
    drain();
    frame_hex(6, 1, 0, "6d6f746570696e67");
    feed_raw();
    CHECK_INT(h2.life, MOTE_H2_ANNOUNCED);
    request(1, 1);
    CHECK(strstr(events, "HEADERS 1 end") != NULL);
    frame_hex(6, 1, 0, "6d6f746570696e67");
    feed_raw();
    CHECK_INT(h2.life, MOTE_H2_DRAINING);
    CHECK_INT(h2.goaway_last, 1);
}

static void an_answer_to_what_was_not_yet_asked_ends_nothing(void)
{
    awaits_its_reset();
    mote_h2_shutdown(&h2);
    frame_hex(6, 1, 0, "6d6f746570696e67");
    check(&cases[1], "an answer without a question", price(), 1);
    CHECK_INT(h2.life, MOTE_H2_ANNOUNCED);
}

int main(void)
{
    RUN(content_within_the_window_is_free);
    RUN(content_of_no_bytes_has_its_price);
    RUN(one_block_is_free);
    RUN(one_end_without_content_is_free);
    RUN(a_whole_answer_is_free);
    RUN(one_reset_is_free);
    RUN(credit_for_what_was_sent_is_free);
    RUN(what_is_free_stays_within_the_connections_window);
    RUN(a_stream_of_small_messages_that_is_refused_costs_its_neighbour_nothing);
    RUN(a_stream_that_was_open_for_long_is_late_as_well);
    RUN(streams_beyond_the_limit_are_free_until_it_is_known);
    RUN(streams_above_the_goaway_are_free_as_many_as_may_be_open);
    RUN(the_answer_of_another_ping_does_not_end_the_announcement);
    RUN(an_answer_to_what_was_not_yet_asked_ends_nothing);
    return test_summary();
}
