/* A ring in storage: simulated flash on which each program and each erase is cut short, at each
 * place, with any bits left behind; then it is mounted again, and cut again. */
#include "spool_flash.h"

/* ---- without cuts -------------------------------------------------------------------------- */

static void numbers_and_epoch_go_on(void)
{
    uint64_t first, last;

    begin(8, UINT64_MAX);
    CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
    for (int i = 0; i < 10; i++)
        CHECK_INT(put(), 0);
    acknowledge(4);
    CHECK_INT(put(), 0); /* notes that */
    CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, 12345), 0);
    CHECK_INT(o.epoch, EPOCH);
    CHECK_INT(mote_outbox_sequence(&o), 12);
    CHECK_INT(look(&first, &last), 7);
    CHECK_INT(first, 5);
    CHECK(mote_outbox_acknowledge(&o, 11)); /* it may have been sent before */
    CHECK(!mote_outbox_acknowledge(&o, 12));
    CHECK_INT(mote_outbox_count(&o), 0);
}

static void a_full_ring_refuses_or_drops_a_sector(void)
{
    uint64_t first, last;

    for (int drop = 0; drop < 2; drop++) {
        begin(1, UINT64_MAX);
        mote_outbox_mount(&o, &storage, drop ? MOTE_OUTBOX_DROP_OLDEST : MOTE_OUTBOX_REFUSE, EPOCH);
        for (int i = 0; i < 200; i++)
            CHECK(put() == 0 || !drop);
        CHECK(drop ? o.dropped > 100 : o.refused > 100);
        uint64_t count = look(&first, &last);
        CHECK(count > 30);
        CHECK_INT(count, mote_outbox_count(&o));
        CHECK_INT(last, o.next_sequence - 1);
        CHECK_INT(count + o.dropped, o.next_sequence - 1);
        CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_DROP_OLDEST, EPOCH), 0);
        CHECK(o.used % SECTOR != 0); /* one was spared for this start */
        CHECK_INT(mote_outbox_count(&o), count);
        CHECK_INT(o.acknowledged + look(&first, &last) + o.dropped, o.next_sequence - 1);
    }
    static uint8_t large[SECTOR];
    CHECK_INT(mote_outbox_put(&o, large, sizeof large), MOTE_GRPC_ERR_SPACE);
}

static void a_record_that_rots_is_counted(void)
{
    uint64_t first, last;

    begin(1, UINT64_MAX);
    mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH);
    for (int i = 0; i < 30; i++)
        CHECK_INT(put(), 0);
    flash[SECTOR + 100] ^= 1; /* in the second sector */
    CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
    CHECK_INT(mote_outbox_sequence(&o), 31);
    uint64_t count = look(&first, &last);
    CHECK(o.dropped > 0 && o.dropped < 12);
    CHECK_INT(count + o.dropped, 30);
    CHECK_INT(mote_outbox_count(&o), count);
    acknowledge(30);
    CHECK_INT(mote_outbox_count(&o), 0);
    CHECK_INT(o.gap, 0);
}

/* With a gap that is known since the start in front of it, or without one, or with one behind it.
 */
static void a_record_that_rots_later_is_counted_once(void)
{
    static const struct {
        size_t at_start, later; /* sectors */
    } rot[] = {{1, 2}, {2, 1}, {1, 1}, {0, 2}, {0, 1}, {2, 2}};

    for (size_t i = 0; i < sizeof rot / sizeof rot[0]; i++) {
        uint64_t first, last;
        begin(1, UINT64_MAX);
        mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH);
        for (int n = 0; n < 30; n++)
            CHECK_INT(put(), 0);
        if (rot[i].at_start)
            flash[rot[i].at_start * SECTOR + 100] ^= 1;
        CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
        CHECK_INT(o.dropped, 30 - look(&first, &last));
        flash[rot[i].later * SECTOR + 60] ^= 1;
        uint64_t left = look(&first, &last);
        acknowledge(30);
        CHECK_INT(o.dropped, 30 - left);
        CHECK_INT(o.gap, 0);
        CHECK_INT(mote_outbox_count(&o), 0);
    }
}

/* Once each, in the order in which they are made; what was there is there afterwards. */
static void each_read_that_fails_is_told(void)
{
    uint64_t first, last, at = 0;
    int r = CUT;

    for (; r == CUT && at < 1000; at++) {
        begin(8, UINT64_MAX);
        mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH);
        for (int n = 0; n < 30; n++)
            CHECK_INT(put(), 0);
        acknowledge(7);
        CHECK_INT(put(), 0);
        reads = 0;
        read_fails_at = at;
        r = mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH);
        CHECK_INT(r, reads > at ? CUT : 0);
        read_fails_at = UINT64_MAX;
        CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
        CHECK_INT(look(&first, &last), 24);
        CHECK_INT(first, 8);
    }
    CHECK(at > 60 && at < 1000);
    begin(8, UINT64_MAX); /* what is put needs the header of its sector at times */
    mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH);
    reads = read_fails_at = 0;
    while ((r = put()) == 0)
        ;
    read_fails_at = UINT64_MAX;
    CHECK_INT(r, CUT);
    uint64_t count = mote_outbox_count(&o);
    CHECK_INT(look(&first, &last), count);
    CHECK_INT(put(), 0);
    CHECK_INT(mote_outbox_count(&o), count + 1);
}

static int sync_flash(void *context)
{
    CHECK(context == flash);
    syncs++;
    return fails ? CUT : 0;
}

/* Storage that writes later: each record and each header is asked for, and that it failed is told.
 */
static void what_is_written_is_synced(void)
{
    begin(1, UINT64_MAX);
    storage.sync = sync_flash;
    syncs = 0;
    CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
    CHECK_INT(syncs, 2); /* what there may be, and the first header */
    CHECK_INT(put(), 0);
    CHECK_INT(syncs, 3);
    uint64_t before = erases;
    while (erases == before)
        CHECK_INT(put(), 0);
    CHECK_INT(syncs, o.next_sequence - 1 + erases + 1);
    before = syncs;
    fails = true; /* what is not written is not synced */
    CHECK_INT(put(), CUT);
    CHECK_INT(syncs, before);
}

static void a_write_that_fails_costs_a_number(void)
{
    uint64_t first, last;

    begin(1, UINT64_MAX);
    mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH);
    CHECK_INT(put(), 0);
    fails = true;
    CHECK_INT(put(), CUT);
    fails = false;
    next++;
    CHECK_INT(put(), 0);
    CHECK_INT(o.dropped, 1);
    CHECK_INT(look(&first, &last), 2);
    CHECK_INT(mote_outbox_count(&o), 2);
    CHECK_INT(last, 3);
    acknowledge(3);
    fails = true; /* with an empty ring */
    CHECK_INT(put(), CUT);
    fails = false;
    next++;
    CHECK_INT(mote_outbox_count(&o), 0);
    CHECK_INT(put(), 0);
    CHECK_INT(look(&first, &last), 1);
    CHECK_INT(last, 5);
}

int main(void)
{
    RUN(numbers_and_epoch_go_on);
    RUN(a_full_ring_refuses_or_drops_a_sector);
    RUN(a_record_that_rots_is_counted);
    RUN(a_record_that_rots_later_is_counted_once);
    RUN(each_read_that_fails_is_told);
    RUN(what_is_written_is_synced);
    RUN(a_write_that_fails_costs_a_number);
    RUN(no_cut_loses_or_doubles_anything);
    return test_summary();
}
