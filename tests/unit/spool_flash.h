/* A flash that power cuts, rot and failures happen to, a ring on it, and what is known of it. */
#ifndef SPOOL_FLASH_H
#define SPOOL_FLASH_H

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

static inline bool is_cut(void)
{
    if (operations++ == cut_at)
        off = true;
    return off;
}

static inline int read_flash(void *context, size_t at, uint8_t *to, size_t len)
{
    CHECK(context == flash && at + len <= SIZE);
    if (off || reads++ == read_fails_at)
        return CUT;
    memcpy(to, flash + at, len);
    return 0;
}

static inline void garbage(uint8_t *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)test_random(&seed);
}

static inline int program(void *context, size_t at, const uint8_t *from, size_t len)
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

static inline int erase(void *context, size_t at)
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

static inline void power_on(void)
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

static inline void begin(size_t unit_size, uint64_t cut)
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
static inline size_t make_message(uint32_t id, uint8_t message[40])
{
    size_t len = 4 + id * 7 % 30;

    memcpy(message, &id, 4);
    for (size_t i = 4; i < len; i++)
        message[i] = (uint8_t)(id + i);
    return len;
}

static inline int put(void)
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
static inline uint64_t look(uint64_t *first, uint64_t *last)
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

static inline void acknowledge(uint64_t sequence)
{
    o.sent_sequence = o.next_sequence - 1; /* as mote_outbox_send() does, see test_outbox.c */
    if (sequence > acknowledged)
        acknowledged = sequence;
    CHECK(mote_outbox_acknowledge(&o, sequence));
}

/* Nothing that was put is missing, and nothing else is there but what was being put. */
static inline void check_after_mount(void)
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
static inline void mount(uint64_t cut_after)
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
static inline bool work(unsigned steps)
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
static inline bool live(size_t unit_size, uint64_t at)
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

static inline void no_cut_loses_or_doubles_anything(void)
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

static uint64_t syncs; /* how often it was told to make durable what was written */

#endif
