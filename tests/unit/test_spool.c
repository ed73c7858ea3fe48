/* A ring in storage: simulated flash on which each program and each erase is cut short, at each
 * place, with any bits left behind; then it is mounted again, and cut again. */
#include "../../grpc/services/outbox.h"
#include "../test.h"

enum { SECTOR = 256, SECTORS = 6, SIZE = SECTOR * SECTORS, MOST = 2000, EPOCH = 99, CUT = -99 };

/* ---- flash --------------------------------------------------------------------------------- */

static uint8_t flash[SIZE];
static bool programmed[SIZE];
static bool weak[SECTORS]; /* an erase was cut: it reads blank until power is lost again */
static uint64_t operations, cut_at, erases, bytes_programmed;
static bool off, fails;
static uint64_t reads, read_fails_at = UINT64_MAX;
static uint32_t seed;
static size_t unit;

static bool is_cut(void)
{
    if (operations++ == cut_at)
        off = true;
    return off;
}

static int read_flash(void *context, size_t at, uint8_t *to, size_t len)
{
    CHECK(context == flash && at + len <= SIZE);
    if (off || reads++ == read_fails_at)
        return CUT;
    memcpy(to, flash + at, len);
    return 0;
}

static void garbage(uint8_t *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)test_random(&seed);
}

static int program(void *context, size_t at, const uint8_t *from, size_t len)
{
    (void)context;
    CHECK(len > 0 && at % unit == 0 && len % unit == 0 && at / SECTOR == (at + len - 1) / SECTOR);
    if (off || fails)
        return CUT;
    bool cut = is_cut();
    size_t units = cut ? test_random(&seed) % (len / unit + 1) : len / unit;
    for (size_t i = 0; i < units * unit; i++) {
        CHECK(!programmed[at + i] && !weak[at / SECTOR]);
        programmed[at + i] = true;
        flash[at + i] = from[i];
    }
    bytes_programmed += len;
    if (cut && units * unit < len) {
        garbage(flash + at + units * unit, unit);
        memset(programmed + at + units * unit, true, unit);
    }
    return cut ? CUT : 0;
}

static int erase(void *context, size_t at)
{
    (void)context;
    CHECK(at % SECTOR == 0 && at < SIZE);
    if (off || fails)
        return CUT;
    bool cut = is_cut();
    unsigned how = cut ? test_random(&seed) % 3 : 2; /* 0: hardly begun; 1: torn; 2: reads blank */
    erases++;
    weak[at / SECTOR] = cut && how == 2;
    if (how == 1)
        garbage(flash + at, SECTOR);
    if (how == 2)
        memset(flash + at, 0xff, SECTOR);
    memset(programmed + at, cut, SECTOR);
    return cut ? CUT : 0;
}

static void power_on(void)
{
    off = false;
    for (size_t s = 0; s < SECTORS; s++)
        if (weak[s] && test_random(&seed) % 2)
            garbage(flash + s * SECTOR, SECTOR);
}

/* ---- a ring and what is known of it -------------------------------------------------------- */

static mote_outbox_storage storage;
static mote_outbox o;
static uint32_t content[MOST]; /* by number: of messages that were put; 0: of none */
static uint64_t next, acknowledged, ids;

static void begin(size_t unit_size, uint64_t cut)
{
    unit = unit_size;
    storage = (mote_outbox_storage){flash, unit, SECTOR, SECTORS, read_flash, program, erase, NULL};
    memset(content, 0, sizeof content);
    memset(programmed, true, sizeof programmed);
    memset(weak, 0, sizeof weak);
    garbage(flash, SIZE);
    next = 1;
    operations = acknowledged = erases = bytes_programmed = ids = 0;
    cut_at = cut;
    off = fails = false;
}

/* A message is its id and then up to 29 bytes that follow from it. */
static size_t make_message(uint32_t id, uint8_t message[40])
{
    size_t len = 4 + id * 7 % 30;

    memcpy(message, &id, 4);
    for (size_t i = 4; i < len; i++)
        message[i] = (uint8_t)(id + i);
    return len;
}

static int put(void)
{
    uint8_t message[40];
    uint32_t id = (uint32_t)++ids;
    int r = mote_outbox_put(&o, message, make_message(id, message));

    if (r == 0)
        content[next++] = id;
    else if (r == CUT)
        content[next] = id; /* perhaps */
    return r;
}

/* The messages that are there, each as it was put, in order; how many. */
static uint64_t look(uint64_t *first, uint64_t *last)
{
    uint64_t sequence = o.first_sequence, count = 0;
    mote_outbox copy = o;

    copy.send = o.first;
    for (*first = *last = 0; sequence < o.next_sequence; count++) {
        uint8_t message[40], wanted[40];
        size_t total = 0;
        CHECK_INT(copy.log->read(&copy, 0, message, sizeof message, &total), 0);
        CHECK_INT(total, make_message(content[sequence], wanted));
        CHECK(total <= sizeof message && memcmp(message, wanted, total) == 0);
        *first = *first ? *first : sequence;
        *last = sequence;
        if (copy.log->after(&copy, &copy.send, &sequence) < 0)
            return 0;
    }
    return count;
}

static void acknowledge(uint64_t sequence)
{
    o.sent_sequence = o.next_sequence - 1; /* as mote_outbox_send() does, see test_outbox.c */
    if (sequence > acknowledged)
        acknowledged = sequence;
    CHECK(mote_outbox_acknowledge(&o, sequence));
}

/* Nothing that was put is missing, and nothing else is there but what was being put. */
static void check_after_mount(void)
{
    uint64_t first, last, count = look(&first, &last);

    CHECK_INT(o.epoch, EPOCH);
    CHECK(o.next_sequence == next || (o.next_sequence == next + 1 && content[next]));
    CHECK(o.acknowledged <= acknowledged);
    CHECK_INT(o.acknowledged + count, o.next_sequence - 1);
    CHECK_INT(count, mote_outbox_count(&o));
    CHECK(count == 0 || (first == o.acknowledged + 1 && last == o.next_sequence - 1));
    CHECK_INT(o.dropped, 0);
    next = o.next_sequence;
}

/* Mounts, and again where that was cut short. */
static void mount(uint64_t cut_after)
{
    int r;

    cut_at = operations + cut_after;
    while ((r = mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH)) == CUT) {
        power_on();
        cut_at = UINT64_MAX;
    }
    CHECK_INT(r, 0);
    cut_at = UINT64_MAX;
}

/* Some work: false, where it was cut short. */
static bool work(unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        int r = put();
        if (r == CUT)
            return false;
        CHECK(r == 0 || r == MOTE_AGAIN);
        if (i % 5 == 4 && o.next_sequence > 8)
            acknowledge(o.next_sequence - 1 - i % 7);
        if (r == MOTE_AGAIN)
            acknowledge(o.next_sequence - 1);
    }
    return true;
}

/* One life with a cut at an operation, and shorter ones after it, each with one of its own. False:
 * that operation was never reached. */
static bool live(size_t unit_size, uint64_t at)
{
    seed = (uint32_t)at * 977 + 1;
    begin(unit_size, at);
    bool cut = mote_outbox_mount(&o, &storage, MOTE_OUTBOX_REFUSE, EPOCH) == CUT || !work(120);
    for (unsigned again = 0; cut && again < 4; again++) {
        power_on();
        mount(again); /* the first three are cut while they mount */
        check_after_mount();
        cut_at = operations + 1 + again * 5;
        work(60);
        cut_at = UINT64_MAX;
    }
    power_on();
    mount(UINT64_MAX - operations);
    check_after_mount();
    return cut;
}

static void no_cut_loses_or_doubles_anything(void)
{
    static const size_t units[] = {1, 8, 32};
    uint64_t cuts = 0;

    for (size_t u = 0; u < 3; u++) {
        uint64_t at = 0;
        while (live(units[u], at))
            at++;
        cuts += at;
    }
    printf("%llu operations were cut\n", (unsigned long long)cuts);
    CHECK(cuts > 300);
}

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

static uint64_t syncs;

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
    RUN(numbers_and_epoch_go_on);
    RUN(a_full_ring_refuses_or_drops_a_sector);
    RUN(a_record_that_rots_is_counted);
    RUN(a_record_that_rots_later_is_counted_once);
    RUN(each_read_that_fails_is_told);
    RUN(what_is_written_is_synced);
    RUN(a_write_that_fails_costs_a_number);
    RUN(a_sync_that_fails_gives_no_number_twice);
    RUN(sizes_that_do_not_fit_are_refused);
    RUN(numbers_of_every_width_are_read_and_written);
    RUN(a_byte_that_is_wrong_ends_a_ring_or_a_message);
    RUN(no_cut_loses_or_doubles_anything);
    RUN(any_bit_may_be_wrong);
    RUN(messages_that_are_lost_with_headers_are_counted);
    RUN(wear);
    return test_summary();
}
