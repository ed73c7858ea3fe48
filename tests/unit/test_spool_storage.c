/* The outbox in storage: what is made durable, what stands there, and storage that is torn, stale
 * or hostile. */
#include "spool_flash.h"

/* ---- what was written and not made durable ------------------------------------------------- */

static uint64_t sync_fails_at, sync_fails_until;
static uint8_t durable[SIZE];

static int sync_or_fail(void *context)
{
    (void)context;
    if (syncs++ >= sync_fails_at && syncs <= sync_fails_until)
        return CUT;
    memcpy(durable, flash, SIZE);
    return 0;
}

/* The highest number that may be on its way. */
static uint64_t sendable(void)
{
    return o.next_sequence - 1 - o.held;
}

/* Work in which some syncs fail. Whatever that leaves, the books balance, what can be read is kept,
 * and no number that may have been sent is given again when power is lost then. */
static void sync_fails(uint64_t at, uint64_t times)
{
    uint64_t first, last, most = 0;

    begin(1, UINT64_MAX);
    storage.sync = sync_or_fail;
    syncs = 0;
    sync_fails_at = at;
    sync_fails_until = at + times;
    CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
    for (unsigned i = 0; i < 30; i++) {
        put();
        next = o.next_sequence;
        most = sendable() > most ? sendable() : most;
        CHECK_INT(look(&first, &last), mote_outbox_count(&o));
        CHECK_INT(o.dropped, 0);
        CHECK(!o.held || times > 1); /* the next header makes it safe, at once */
        if (syncs > sync_fails_at && syncs <= sync_fails_until)
            CHECK_INT(o.held, last == o.next_sequence - 1 && last > 0 && o.used % SECTOR == 0);
    }
    CHECK(syncs > sync_fails_until && !o.held);
    uint64_t given = o.next_sequence;
    memcpy(flash, durable, SIZE); /* power is lost */
    mount(UINT64_MAX - operations);
    CHECK_INT(o.next_sequence, given);
    CHECK_INT(most, given - 1);
}

/* Power is lost while the storage fails: the number of what was not durable is given again, and
 * it had not been sent. */
static void sync_fails_until_power_is_lost(uint64_t at)
{
    begin(1, UINT64_MAX);
    storage.sync = sync_or_fail;
    syncs = 0;
    sync_fails_at = at;
    sync_fails_until = UINT64_MAX;
    CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
    for (unsigned i = 0; i < 30; i++)
        put();
    uint64_t most = sendable();
    CHECK(syncs > at);
    sync_fails_at = UINT64_MAX;
    memcpy(flash, durable, SIZE);
    mount(UINT64_MAX - operations);
    CHECK_INT(o.next_sequence, most + 1);
}

static void a_sync_that_fails_gives_no_number_twice(void)
{
    for (uint64_t at = 2; at < 20; at++) {
        for (uint64_t times = 1; times < 6; times++)
            sync_fails(at, times);
        sync_fails_until_power_is_lost(at);
    }
    begin(1, UINT64_MAX);
    storage.sync = sync_or_fail;
    sync_fails_at = syncs = 0;
    sync_fails_until = UINT64_MAX;
    CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), CUT);
}

static void sizes_that_do_not_fit_are_refused(void)
{
    begin(1, UINT64_MAX);
    for (int i = 0; i < 5; i++) {
        mote_outbox_storage wrong = storage;
        wrong.unit = i == 0 ? 0 : i == 1 ? 3 : i == 2 ? 128 : 8;
        wrong.sector = i == 3 ? 100 : SECTOR;
        wrong.sectors = i == 4 ? 3 : SECTORS;
        CHECK_INT(mote_outbox_mount(&o, &wrong, MOTE_OUTBOX_REFUSE, EPOCH), MOTE_GRPC_ERR_CONFIG);
    }
}

/* ---- what stands in storage, by the drawing in spool_internal.h
 * --------------------------------------- */

static size_t put_le(uint8_t *to, uint64_t n, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(n >> 8 * i);
    return len;
}

/* CRC-32 with the polynomial written the other way round than there. */
static uint32_t crc_of(const uint8_t *p, size_t len)
{
    uint32_t crc = 0xffffffff, mirrored = 0;

    for (size_t bit = 0; bit < 8 * len; bit++) {
        uint32_t out = crc >> 31 ^ (p[bit / 8] >> bit % 8 & 1u);
        crc = crc << 1 ^ (out ? 0x04c11db7 : 0);
    }
    for (int i = 0; i < 32; i++)
        mirrored |= (crc >> i & 1) << (31 - i);
    return mirrored;
}

typedef struct {
    uint32_t serial;
    uint64_t epoch, first, kept;
} numbers;

static void draw_header(numbers n, uint8_t header[36])
{
    put_le(header, 0x65746f6d, 4); /* "mote" */
    put_le(header + 4, n.serial, 4);
    put_le(header + 8, n.epoch, 8);
    put_le(header + 16, n.first, 8);
    put_le(header + 24, n.kept, 8);
    put_le(header + 32, crc_of(header, 32), 4);
}

static size_t draw_record(uint64_t epoch, uint64_t sequence, uint64_t behind, const char *message,
                          uint8_t *record)
{
    uint8_t bound[20 + 64];
    size_t len = strlen(message);

    put_le(bound, epoch, 8);
    put_le(bound + 8, sequence, 8);
    put_le(bound + 16, len, 2);
    put_le(bound + 18, behind, 2);
    memcpy(bound + 20, message, len);
    memcpy(record, bound + 16, 4);
    put_le(record + 4, crc_of(bound, 20 + len), 4);
    memcpy(record + 8, message, len);
    return 8 + len;
}

static bool has_header(size_t sector, numbers n)
{
    uint8_t wanted[36];

    draw_header(n, wanted);
    return memcmp(flash + sector * SECTOR, wanted, sizeof wanted) == 0;
}

static const numbers of_every_width[] = {
    {1, 1, 2, 1},
    {0xff, 0xff, 0xff, 0xfe},
    {0x100, 0x100, 0x100, 0xff},
    {0x123456, 0x12345678, 0x89abcdef, 0x89ab0000},
    {0x1000000, 0x100000000, 0x1000000000000, 0xffffffffffff},
    {7, 7, 100000, 100000 - 0xfffe},
    {7, 7, 100000, 100000 - 0xffff},
    {0xfffffff0, UINT64_MAX, UINT64_MAX - 9, UINT64_MAX - 70000},
};

/* A ring of two sectors, drawn by hand, of which the second has one record. */
static void numbers_of_every_width_are_read_and_written(void)
{
    uint8_t wanted[100];

    begin(1, UINT64_MAX);
    CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, 0x1122334455667788), 0);
    CHECK(has_header(0, (numbers){1, 0x1122334455667788, 1, 1}));
    CHECK_INT(o.used, 36);
    for (size_t i = 0; i < sizeof of_every_width / sizeof of_every_width[0]; i++) {
        numbers n = of_every_width[i], older = {n.serial, n.epoch, n.kept, n.kept};
        older.first -= n.kept > 9 ? 5 : 0;
        older.kept = older.first;
        uint64_t sequence = n.first + 1;
        begin(1, UINT64_MAX);
        draw_header(older, flash + 2 * SECTOR);
        n.serial++;
        draw_header(n, flash + 3 * SECTOR);
        memset(flash + 3 * SECTOR + 36, 0xff, SECTOR - 36);
        draw_record(n.epoch, n.first, n.first - n.kept < 0xffff ? n.first - n.kept : 0xffff, "one",
                    flash + 3 * SECTOR + 36);
        CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, 7), 0);
        CHECK(o.epoch == n.epoch && o.next_sequence == sequence && o.acknowledged == n.kept - 1);
        CHECK_INT(mote_outbox_count(&o), 1);
        CHECK(o.dropped == n.first - n.kept);
        n = (numbers){n.serial + 1, n.epoch, sequence, n.first};
        CHECK(has_header(4, n));
        uint64_t behind = sequence - of_every_width[i].kept;
        size_t len =
            draw_record(n.epoch, sequence, behind < 0xffff ? behind : 0xffff, "two", wanted);
        CHECK_INT(mote_outbox_put(&o, (const uint8_t *)"two", 3), 0);
        CHECK(memcmp(flash + 4 * SECTOR + 36, wanted, len) == 0);
    }
}

/* A header is one when each of its bytes is right, and a record likewise. */
static void a_byte_that_is_wrong_ends_a_ring_or_a_message(void)
{
    for (size_t at = 0; at < 36 + 11; at++) {
        numbers n = {5, 6, 7, 7};
        begin(1, UINT64_MAX);
        draw_header(n, flash + SECTOR);
        memset(flash + SECTOR + 36, 0xff, SECTOR - 36);
        draw_record(6, 7, 0, "one", flash + SECTOR + 36);
        flash[SECTOR + at] ^= 0x10;
        CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, 99), 0);
        CHECK_INT(o.epoch, at < 36 ? 99 : 6);
        CHECK_INT(mote_outbox_sequence(&o), at < 36 ? 1 : 7);
        CHECK_INT(mote_outbox_count(&o), 0);
    }
}

/* ---- storage that is torn, stale or hostile ----------------------------------------------------
 */

/* How many of the numbers from 1 on are there, each with the content that was put under it. */
static uint64_t intact(bool there[MOST])
{
    uint64_t sequence = o.first_sequence, count = 0;
    mote_outbox copy = o;

    memset(there, 0, MOST * sizeof there[0]);
    copy.send = o.first;
    while (sequence < o.next_sequence) {
        uint8_t message[40], wanted[40];
        size_t total = 0;
        CHECK_INT(copy.log->read(&copy, 0, message, sizeof message, &total), 0);
        CHECK(sequence < MOST && content[sequence] != 0 && !there[sequence]);
        CHECK_INT(total, make_message(content[sequence], wanted));
        CHECK(total <= sizeof message && memcmp(message, wanted, total) == 0);
        there[sequence] = true;
        count++;
        CHECK_INT(copy.log->after(&copy, &copy.send, &sequence), 0);
    }
    return count;
}

/* One bit of any byte is wrong: what is read is what was put, one message is missing at the most,
 * and that one is counted. Two places say less than there is to know: the newest message may be one
 * whose writing was cut short, and the oldest sector one that was being erased. */
static void any_bit_may_be_wrong(void)
{
    static uint8_t good[SIZE];
    static bool there[MOST];

    for (size_t u = 0; u < 2; u++) {
        begin(u ? 8 : 1, UINT64_MAX);
        mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH);
        for (int i = 0; i < 27; i++)
            CHECK_INT(put(), 0);
        uint64_t before = next - 1;
        size_t end = o.used,
               last = end - (8 + make_message(content[before], good) + unit - 1) / unit * unit;
        memcpy(good, flash, SIZE);
        for (size_t at = 0; at < SIZE; at++) {
            memcpy(flash, good, SIZE);
            memset(programmed, false, sizeof programmed);
            flash[at] ^= (uint8_t)(1u << at % 8);
            CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
            bool newest = at >= last && at < end, oldest = at < 36;
            uint64_t count = intact(there),
                     put_before = before - (newest && o.next_sequence == before);
            CHECK_INT(count, mote_outbox_count(&o));
            CHECK_INT(o.next_sequence, put_before + 1);
            CHECK_INT(o.acknowledged + count + o.dropped, put_before);
            CHECK(count + 1 >= before || oldest);
            CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
            CHECK_INT(intact(there), count); /* and so it stays */
            CHECK_INT(o.next_sequence, put_before + 1);
        }
    }
}

/* What two headers beside each other take with them is counted as well. */
static void messages_that_are_lost_with_headers_are_counted(void)
{
    static bool there[MOST];

    begin(1, UINT64_MAX);
    mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH);
    for (int i = 0; i < 27; i++)
        CHECK_INT(put(), 0);
    flash[SECTOR] ^= 1;
    flash[2 * SECTOR] ^= 1;
    CHECK_INT(mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH), 0);
    uint64_t count = intact(there);
    CHECK_INT(o.next_sequence, 28);
    CHECK_INT(o.acknowledged, 0);
    CHECK(count > 0 && count < 9);
    CHECK_INT(count + o.dropped, 27);
    CHECK_INT(count, mote_outbox_count(&o));
}

/* Sectors wear alike, and messages are written once. */
static void wear(void)
{
    static const size_t units[] = {1, 8, 32};

    for (size_t u = 0; u < 3; u++) {
        uint64_t bytes = 0;
        uint8_t message[40];
        begin(units[u], UINT64_MAX);
        mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH);
        for (uint32_t i = 1; i < 10000; i++) {
            size_t len = make_message(i % 1000, message);
            CHECK_INT(mote_outbox_put(&o, message, len), 0);
            bytes += len;
            acknowledge(i);
        }
        printf("unit %2zu: %.2f bytes programmed for each byte, %llu erases of %d bytes for a "
               "million messages of %.0f bytes\n",
               unit, (double)bytes_programmed / (double)bytes, (unsigned long long)erases * 100,
               SECTOR, (double)bytes / 9999);
        CHECK(bytes_programmed < 4 * bytes);
    }
}

int main(void)
{
    RUN(a_sync_that_fails_gives_no_number_twice);
    RUN(sizes_that_do_not_fit_are_refused);
    RUN(numbers_of_every_width_are_read_and_written);
    RUN(a_byte_that_is_wrong_ends_a_ring_or_a_message);
    RUN(any_bit_may_be_wrong);
    RUN(messages_that_are_lost_with_headers_are_counted);
    RUN(wear);
    return test_summary();
}
