/* Calls of a channel where the server does more than answer: it takes no new ones, cancels at the
 * deadline, leaves while nobody looks; and calls whose messages are compressed. */
#include "channel_pair.h"

/* ---- a server that takes no new calls -------------------------------------------------------- */

/* Its GOAWAY, after a round trip, is there. */
static void goes_away(peer *p)
{
    mote_grpc_shutdown(&p->grpc);
    mote_channel_poll(channel, 1);
    mote_channel_poll(channel, 1);
    CHECK(!mote_h2_can_open(&channel->grpc.h2));
}

static void runs_out_of_ids(peer *p)
{
    (void)p;
    channel->grpc.h2.next_id = 0x80000001u;
}

static void a_new_call_takes_the_spare_while_open_ones_end_on_the_old_connection(void)
{
    static void (*const ends[])(peer *) = {goes_away, runs_out_of_ids};

    for (size_t i = 0; i < 2; i++) {
        begin();
        channel->spare = &channels[1];
        CHECK_INT(unary(), 0);
        mote_grpc_call *old = start_never(0);
        ends[i](&peers[0]);
        CHECK_INT(unary(), 0);
        CHECK_INT(unary(), 0);
        CHECK_INT(peers[0].connects, 1);
        CHECK_INT(peers[1].connects, 1);
        CHECK(now < 1500);
        CHECK_INT(mote_grpc_finish(peers[0].held, MOTE_GRPC_ABORTED, "in good order"), 0);
        check_status(mote_channel_finish(old), MOTE_GRPC_ABORTED, "in good order");
        CHECK_INT(unary(), 0); /* where there is a connection */
        CHECK_INT(peers[0].connects + peers[1].connects, 2);
        mote_channel_close(channel, 100);
        CHECK_INT(channels[0].state, MOTE_CHANNEL_SHUTDOWN);
        CHECK_INT(channels[1].state, MOTE_CHANNEL_SHUTDOWN);
    }
}

static void without_a_spare_it_waits_and_connects_once_they_have_ended(void)
{
    static void (*const ends[])(peer *) = {goes_away, runs_out_of_ids};

    for (size_t i = 0; i < 2; i++) {
        begin();
        CHECK_INT(unary(), 0);
        mote_grpc_call *old = start_never(0);
        ends[i](&peers[0]);
        uint64_t before = now;
        check_status(
            unary_with((mote_grpc_request){.timeout_ms = 3000}), MOTE_GRPC_DEADLINE_EXCEEDED,
            "deadline exceeded: the server takes no new calls, and open ones have not ended");
        CHECK_INT(now, before + 3000);
        mote_grpc_finish(peers[0].held, MOTE_GRPC_ABORTED, "");
        CHECK_INT(mote_channel_finish(old).code, MOTE_GRPC_ABORTED);
        CHECK_INT(unary(), 0);
        CHECK_INT(peers[0].connects, 2);
    }
}

static void the_status_says_what_the_spare_has_waited_for(void)
{
    for (int refuses = 0; refuses < 2; refuses++) {
        begin();
        channel->spare = &channels[1];
        mote_grpc_call *old = start_never(0);
        mote_grpc_event ev;
        CHECK_INT(mote_channel_recv_within(old, &ev, 1), 0); /* it has waited for something else */
        goes_away(&peers[0]);
        peers[1].silent = true;
        peers[1].refuses = refuses;
        check_status(unary_with((mote_grpc_request){.timeout_ms = 3000}),
                     refuses ? MOTE_GRPC_UNAVAILABLE : MOTE_GRPC_DEADLINE_EXCEEDED,
                     refuses ? "no address could be reached"
                             : "deadline exceeded: connected, but the server has not sent its "
                               "SETTINGS");
        mote_channel_cancel(old);
        CHECK_INT(mote_channel_finish(old).code, MOTE_GRPC_CANCELLED);
    }
}

/* ---- the connection that nobody waits for ------------------------------------------------------
 */

/* Blocks for 10 s in each of the ways in which a call can. */
static void blocks_in_recv(mote_grpc_call *call)
{
    mote_grpc_event ev;

    CHECK_INT(mote_channel_recv_within(call, &ev, 10000), 0);
}

static void blocks_in_send(mote_grpc_call *call)
{
    static uint8_t much[128];
    mote_grpc_bytes message = {much, sizeof much};
    int r = 0;

    call->stream->send_window = 0; /* until the deadline */
    while (r == 0)
        r = mote_channel_send(call, &mote_grpc_bytes_source, &message, 0);
    CHECK_INT(r, MOTE_GRPC_ERR_STATE);
}

static void blocks_in_collect(mote_grpc_call *call)
{
    const uint8_t *data;
    size_t len;

    CHECK_INT(mote_channel_collect(call, &data, &len).code, MOTE_GRPC_DEADLINE_EXCEEDED);
}

static void blocks_in_finish(mote_grpc_call *call)
{
    CHECK_INT(mote_channel_finish(call).code, MOTE_GRPC_DEADLINE_EXCEEDED);
}

/* A keepalive PING of the other one is answered within a second. */
static void who_waits_on_one_connection_answers_on_the_other(void)
{
    static void (*const blocks[])(mote_grpc_call *) = {blocks_in_recv, blocks_in_send,
                                                       blocks_in_collect, blocks_in_finish};

    for (size_t i = 0; i < 2 * sizeof blocks / sizeof blocks[0]; i++) {
        bool on_spare = i % 2;
        begin();
        channel->spare = &channels[1];
        mote_grpc_call *old = start_never(10000);
        goes_away(&peers[0]);
        mote_grpc_call *new = start_never(10000);
        CHECK(old->grpc == &channels[0].grpc && new->grpc == &channels[1].grpc);
        peer *other = &peers[on_spare ? 0 : 1];
        uint64_t before = now;
        other->ping_ms = before + 2500;
        step_ms = 20000;
        blocks[i / 2](on_spare ? new : old);
        CHECK_INT(now, before + 10000);
        CHECK(other->pong_ms >= before + 2500 && other->pong_ms <= before + 3500);
    }
}

/* ---- what the socket holds when a call begins ------------------------------------------------ */

static void hold(peer *p, const char *what)
{
    static const char ping[17] = {0, 0, 8, 6}, goaway[17] = {0, 0, 8, 7};

    for (; *what; what++) {
        if (*what == 'F')
            p->open = false;
        else
            memcpy(p->wire + p->wire_len, *what == 'P' ? ping : goaway, 17);
        p->wire_len += *what == 'F' ? 0 : 17;
    }
}

static void what_has_arrived_is_read_before_a_call_begins(void)
{
    static const struct {
        const char *held; /* PING, GOAWAY, FIN; more than one read takes */
        unsigned connects;
    } cases[] = {{"", 1},   {"P", 1},   {"G", 2},          {"F", 2},     {"PF", 2},
                 {"GF", 2}, {"PPG", 2}, {"PPPPPPPPPF", 2}, {"PPPPG", 2}, {"PPPPPPPPPP", 1}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        CHECK_INT(unary(), 0);
        now += 5000; /* the connection was of use */
        hold(&peers[0], cases[i].held);
        CHECK_INT(unary(), 0);
        CHECK_INT(peers[0].connects, cases[i].connects);
    }
}

/* ---- header blocks that do not fit ----------------------------------------------------------- */

static void a_block_that_an_empty_buffer_does_not_hold_ends_at_once(void)
{
    static char value[TX + 100];
    unsigned fit = 0, refused = 0;

    memset(value, '~', sizeof value); /* 14 bits in Huffman code: not shorter */
    for (size_t len = TX - 300; len < sizeof value; len++) {
        mote_grpc_metadata field = {"x", value, 1, len};
        begin();
        mote_status s = unary_with((mote_grpc_request){.metadata = &field, .metadata_count = 1});
        CHECK(s.code == 0 || s.code == MOTE_GRPC_RESOURCE_EXHAUSTED);
        fit += s.code == 0;
        refused += s.code != 0;
        CHECK(refused == 0 || s.code != 0); /* never again, once one was too large */
        CHECK(now <= 1200);                 /* a turn or two */
        CHECK_INT(unary(), 0);
        CHECK_INT(peers[0].connects, 1);
    }
    CHECK(fit > 100 && refused > 100);
}

/* ---- wrong use ---------------------------------------------------------------------------- */

/* The obvious program does not look at what the start returned, or goes on after the end. */
static void a_call_that_is_none_is_told_and_no_wait(void)
{
    static const char text[] = "the call has not started, or its end was told";
    mote_grpc_bytes message = {(const uint8_t *)hello, sizeof hello};
    mote_grpc_request request = {.path = &never_path, .timeout_ms = 500};

    for (int ended = 0; ended < 3; ended++) { /* 2: and another connection has its memory */
        mote_grpc_call *call, *first = NULL;
        mote_grpc_event ev;
        const uint8_t *data;
        size_t len;
        begin();
        if (ended == 2)
            first = start_never(500);
        peers[0].refuses = !ended;
        CHECK_INT(mote_channel_start(channel, &request, &call) < 0, !ended);
        CHECK_INT(call == NULL, !ended);
        if (ended)
            CHECK_INT(mote_channel_finish(call).code, MOTE_GRPC_DEADLINE_EXCEEDED);
        if (ended == 2) {
            CHECK_INT(mote_channel_finish(first).code, MOTE_GRPC_DEADLINE_EXCEEDED);
            peers[0].open = false;
            CHECK_INT(unary_with((mote_grpc_request){.wait_for_ready = true}).code, 0);
            CHECK_INT(peers[0].connects, 2);
        }
        uint64_t before = now;
        check_status(mote_channel_finish(call), MOTE_GRPC_INTERNAL, text);
        check_status(mote_channel_collect(call, &data, &len), MOTE_GRPC_INTERNAL, text);
        CHECK(data == NULL && len == 0);
        CHECK_INT(mote_channel_recv(call, &ev), 1);
        CHECK_INT(ev.type, MOTE_GRPC_STATUS);
        check_status(mote_status_of_event(&ev), MOTE_GRPC_INTERNAL, text);
        CHECK_INT(mote_channel_recv_within(call, &ev, 100), 1);
        check_status(mote_status_of_event(&ev), MOTE_GRPC_INTERNAL, text);
        CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &message, 0),
                  MOTE_CHANNEL_ERR_NO_CALL);
        CHECK_INT(mote_channel_half_close(call), MOTE_CHANNEL_ERR_NO_CALL);
        mote_channel_cancel(call);
        CHECK_INT(now, before);
        peers[0].refuses = false;
        now += 130000; /* the next attempt is due */
        CHECK_INT(unary(), 0);
    }
}

/* ---- the server cancels ---------------------------------------------------------------------- */

/* How the end of a call is told. */
static mote_status end_of(mote_grpc_call *call, bool by_next)
{
    mote_grpc_event ev = {0};

    if (!by_next)
        return mote_channel_finish(call);
    while (mote_channel_next(channel, &ev, 1000) > 0 && ev.type != MOTE_GRPC_STATUS)
        continue;
    return mote_status_of_event(&ev);
}

/* RFC 9113 7: CANCEL is what servers say at the deadline, too; their clock may be ahead of ours.
 * Or they say a status of their own. */
static void a_cancel_at_the_deadline_is_the_deadline(void)
{
    enum { CANCELS = 0, FINISHES = 0x100 };
    static const struct {
        uint32_t timeout_ms, after_ms;
        int says, code;
        const char *text, *end;
    } rows[] = {{3000, 3000, CANCELS, 4, NULL, "deadline exceeded"},
                {3000, 3001, CANCELS, 4, NULL, "deadline exceeded"},
                {3000, 2999, CANCELS, 1, NULL, "the peer has reset the stream: CANCEL"},
                {3000, 0, CANCELS, 1, NULL, "the peer has reset the stream: CANCEL"},
                {0, 3000, CANCELS, 1, NULL, "the peer has reset the stream: CANCEL"},
                {3000, 3000, FINISHES | 4, 4, NULL, "deadline exceeded"},
                {3000, 3000, FINISHES | 4, 4, "mine", "mine"},
                {3000, 2999, FINISHES | 4, 4, NULL, ""},
                {0, 3000, FINISHES | 4, 4, NULL, ""},
                {3000, 3000, FINISHES | 1, 4, NULL, "deadline exceeded"},
                {3000, 3000, FINISHES | 5, 5, NULL, ""},
                {3000, 3000, MOTE_H2_ENHANCE_YOUR_CALM, 8, NULL,
                 "the peer has reset the stream: ENHANCE_YOUR_CALM"}};

    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        begin();
        mote_grpc_call *call = start_never(rows[i / 2].timeout_ms), *held = peers[0].held;
        int says = rows[i / 2].says;
        CHECK(held != NULL);
        now += rows[i / 2].after_ms;
        if (says >= FINISHES)
            mote_grpc_finish(held, says - FINISHES, rows[i / 2].text);
        else
            mote_h2_reset(&peers[0].grpc.h2, held->stream,
                          says == CANCELS ? MOTE_H2_CANCEL : (uint32_t)says);
        check_status(end_of(call, i % 2), rows[i / 2].code, rows[i / 2].end);
    }
}

/* ---- compression ----------------------------------------------------------------------------- */

static const mote_grpc_request gzip = {.timeout_ms = 60000, .codec = &mote_grpc_gzip};

static void the_messages_of_a_call_with_a_codec_are_compressed(void)
{
    static const mote_grpc_retry policy = {.max_attempts = 3,
                                           .initial_backoff_ms = 10,
                                           .max_backoff_ms = 10,
                                           .backoff_multiplier = 100,
                                           .codes = 1u << MOTE_GRPC_UNAVAILABLE};

    begin();
    channel->packing = packing;
    channel->packing_size = sizeof packing;
    CHECK_INT(unary_with(gzip).code, 0);
    CHECK(compressed == 1 && plain == 0);
    CHECK_INT(unary(), 0); /* without one */
    CHECK(compressed == 1 && plain == 1);
    mote_channel_set_retry(channel, &policy);
    failures = 2;
    CHECK_INT(unary_with(gzip).code, 0);
    CHECK(compressed == 4 && plain == 1);
}

static void one_that_has_no_room_to_be_compressed_goes_as_it_is(void)
{
    for (size_t size = 1; size < 2 * sizeof hello; size++) {
        begin();
        channel->packing = packing;
        channel->packing_size = size;
        CHECK_INT(unary_with(gzip).code, 0);
        CHECK(compressed + plain == 1);
        CHECK(size >= sizeof hello || plain == 1);
    }
    CHECK(compressed == 1);
}

static void a_codec_without_memory_is_told(void)
{
    begin();
    check_status(unary_with(gzip), MOTE_GRPC_INTERNAL,
                 "the call has a codec, and the channel no memory to compress in: set packing, "
                 "packing_size");
    CHECK_INT(unary(), 0);
}

static void in_a_stream_a_message_may_be_left_plain(void)
{
    mote_grpc_bytes message = {(const uint8_t *)hello, sizeof hello};
    mote_grpc_request request = gzip;
    mote_grpc_call *call;

    begin();
    channel->packing = packing;
    channel->packing_size = sizeof packing;
    request.path = &unary_path;
    CHECK_INT(mote_channel_start(channel, &request, &call), 0);
    CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &message, MOTE_CHANNEL_PLAIN), 0);
    CHECK(compressed == 0 && plain == 1);
    CHECK_INT(mote_channel_half_close(call), 0);
    CHECK_INT(mote_channel_finish(call).code, 0);
}

int main(void)
{
    RUN(a_new_call_takes_the_spare_while_open_ones_end_on_the_old_connection);
    RUN(without_a_spare_it_waits_and_connects_once_they_have_ended);
    RUN(the_status_says_what_the_spare_has_waited_for);
    RUN(who_waits_on_one_connection_answers_on_the_other);
    RUN(what_has_arrived_is_read_before_a_call_begins);
    RUN(a_block_that_an_empty_buffer_does_not_hold_ends_at_once);
    RUN(a_call_that_is_none_is_told_and_no_wait);
    RUN(a_cancel_at_the_deadline_is_the_deadline);
    if (!MOTE_COMPRESSES)
        return test_summary();
    RUN(the_messages_of_a_call_with_a_codec_are_compressed);
    RUN(one_that_has_no_room_to_be_compressed_goes_as_it_is);
    RUN(a_codec_without_memory_is_told);
    RUN(in_a_stream_a_message_may_be_left_plain);
    return test_summary();
}
