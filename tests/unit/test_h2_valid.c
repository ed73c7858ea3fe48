/* HTTP/2: the invariants of h2_valid.c hold in each state, and a change of any member breaks them.
 */
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
    KEEPS(h2.tx.frame = h2.tx.tail - FRAME_HEADER_SIZE);
    BREAKS(h2.tx.frame = h2.tx.tail - FRAME_HEADER_SIZE + 1); /* shorter than its header */
    BREAKS(h2.tx.head = 1);                                   /* offered while it grows */
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

static void a_state_of_one_role_is_not_reached_by_the_other(void)
{
    for (int server = 0; server < 2; server++) {
        mote_h2_stream *s = NULL;
        if (server)
            start(true);
        else
            s = start_client();
        AFTER(h2.quiet = true, server);
        AFTER(h2.life = MOTE_H2_ANNOUNCED, server);
        AFTER(h2.block.host_len = 1, server);
        AFTER((h2.owed = OWE_REFUSED, h2.refused_first = h2.refused_last = 3), server);
        AFTER(h2.asked = 2, server);
        AFTER(h2.block.flags = BLOCK_CONNECT, server);
        AFTER(h2.block.flags = BLOCK_REFUSED, server);
        AFTER(h2.sweep = 1, !server);
        if (s)
            BREAKS(s->flags |= STREAM_CONNECT);
    }
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

int main(void)
{
    RUN(a_transmit_buffer_has_its_bounds);
    RUN(a_frame_in_progress_has_its_bounds);
    RUN(a_block_has_its_bounds);
    RUN(a_section_that_is_written_has_its_bounds);
    RUN(a_stream_is_what_its_state_says);
    RUN(a_stream_lies_within_reach_of_its_slot);
    RUN(a_state_of_one_role_is_not_reached_by_the_other);
    RUN(a_connection_is_what_its_life_says);
    return test_summary();
}
