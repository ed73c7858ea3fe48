/* Connections that rest: what keeps one from it, and that one without tables rests as well. */
#include "h2_harness.h"

#include "../../h2/h2_internal.h"
#include "../../h2/rest.h"

/* ---- what keeps it from rest --------------------------------------------------------------- */

#define HINDERED_BY(member, value)                                                                 \
    do {                                                                                           \
        mote_h2 saved_ = h2;                                                                       \
        h2.member = (value);                                                                       \
        CHECK(!mote_h2_at_rest(&h2));                                                              \
        h2 = saved_;                                                                               \
        CHECK(mote_h2_at_rest(&h2));                                                               \
    } while (0)

static void each_thing_that_is_begun_or_owed(void)
{
    CHECK_INT(start(true), 0);
    CHECK(mote_h2_at_rest(&h2));
    HINDERED_BY(life, MOTE_H2_FAILED);
    HINDERED_BY(active, 1);
    HINDERED_BY(sweep, 1);
    HINDERED_BY(owed, 1);
    HINDERED_BY(acks, 1);
    HINDERED_BY(pings, 1);
    HINDERED_BY(tx.head, h2.tx.tail + 1);
    HINDERED_BY(block.id, 1);
    HINDERED_BY(frame.phase, MOTE_H2_IN_FRAME);
    HINDERED_BY(section.stream, &streams[0]);
}

/* The same by bytes of a peer: each is behind what has come to rest. */
static void each_frame_that_a_peer_leaves_open(void)
{
    static const struct {
        unsigned type, flags, id;
        const char *payload;
        bool rests;
    } frames[] = {{6, 0, 0, "0102030405060708", true}, /* answered, and the answer is gone */
                  {4, 0, 0, "", true},
                  {1, 4, 1, GET, false},   /* goes on */
                  {1, 5, 1, GET, false},   /* has no response yet */
                  {1, 1, 1, GET, false},   /* a block that goes on */
                  {9, 0, 0, "00", false}}; /* CONTINUATION of nothing is fatal */

    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        CHECK_INT(start(true), 0);
        frame_hex(frames[i].type, frames[i].flags, frames[i].id, frames[i].payload);
        size_t all = in_len;
        in_len = 8; /* not even its header is there: nothing of it is in progress but its bytes */
        CHECK_INT(feed_raw(), 0);
        memmove(in, in + 8, all - 8);
        in_len = all - 8;
        feed_raw();
        CHECK_INT(mote_h2_at_rest(&h2), frames[i].rests);
    }
}

/* ---- with little to keep ------------------------------------------------------------------- */

static void one_without_tables_keeps_nothing(void)
{
    mote_h2_config config = config_of(false);
    uint64_t kept[1] = {0};

    config.table = NULL;
    config.dynamic = NULL;
    config.table_size = 0;
    config.slots = NULL;
    config.slot_count = 0;
    in_len = out_len = 0;
    events[0] = '\0';
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    frame(4, 0, 0, NULL, 0);
    frame(4, 1, 0, NULL, 0);
    CHECK_INT(feed_raw(), 0);
    CHECK(mote_h2_at_rest(&h2));
    CHECK_INT(mote_h2_rest_size(&h2), 0);
    mote_h2_rest(&h2, kept);
    memset(tx, 0xa5, sizeof tx);
    memset(scratch, 0xa5, sizeof scratch);
    mote_h2_lend(&h2, &config);
    out_len = 0;
    events[0] = '\0';
    frame_hex(6, 0, 0, "0102030405060708");
    CHECK_INT(feed_raw(), 0);
    CHECK(out_len == 17 && memcmp(out, "\0\0\10\6\1\0\0\0\0\1\2\3\4\5\6\7\10", 17) == 0);
    CHECK(mote_h2_at_rest(&h2));
}

int main(void)
{
    RUN(each_thing_that_is_begun_or_owed);
    RUN(each_frame_that_a_peer_leaves_open);
    RUN(one_without_tables_keeps_nothing);
    return test_summary();
}
