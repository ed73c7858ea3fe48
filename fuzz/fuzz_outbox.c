/* An outbox in memory, or in a flash that loses power, fails, and rots. What was put is there, as
 * it was put, under its number and in order, until it was released or dropped; no number is given
 * twice; a unit is programmed once between two erases; and the ledger of outbox.h adds up.
 *
 * An input: the ring (kind, unit, sector, sectors), then what happens, a byte each and what it
 * needs. What becomes of bytes that are cut short follows from a number in the input. */
#include "../grpc/services/outbox.h"
#include "fuzz.h"

enum { MOST = 6 * 512, NUMBERS = 4200, CUT = -99, MESSAGE = 300 };

static struct {
    uint8_t bytes[MOST];
    bool programmed[MOST], fresh[MOST]; /* since it was erased; since sync() */
    bool weak[6];                       /* its erase was cut: it reads blank until the next start */
    mote_outbox_storage storage;
    uint32_t random;
    int cut_in; /* operations until power is lost; < 0: never */
    int fails;  /* so many of the next operations fail */
    bool off, rotten;
    unsigned failures; /* operations that ended badly */
} flash;

/* By number: which message was put, and whether it must be there. */
static struct {
    uint32_t id;
    bool safe;
} known[NUMBERS];
static mote_outbox o;
static uint8_t ring[256];
static uint32_t ids;
static uint64_t released, read_last, left, epoch, maybe;

static const uint8_t *in, *in_end;

static unsigned next_byte(void)
{
    return in < in_end ? *in++ : 0;
}

static uint32_t some(void)
{
    flash.random = flash.random * 1664525 + 1013904223;
    return flash.random >> 16;
}

/* ---- the flash ----------------------------------------------------------------------------- */

static int read_flash(void *context, size_t at, uint8_t *to, size_t len)
{
    ASSERT(context == &flash && len <= o.size && at <= o.size - len);
    if (flash.off)
        return CUT;
    memcpy(to, flash.bytes + at, len);
    return 0;
}

/* How an operation ends: false, badly. */
static bool goes_well(void)
{
    if (flash.cut_in >= 0 && flash.cut_in-- == 0)
        flash.off = true;
    else if (flash.fails > 0)
        flash.fails--;
    else
        return true;
    flash.failures++;
    return false;
}

static void garbage(size_t at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        flash.bytes[at + i] = (uint8_t)some();
}

static int program_flash(void *context, size_t at, const uint8_t *from, size_t len)
{
    size_t unit = flash.storage.unit, sector = flash.storage.sector;

    ASSERT(context == &flash && len > 0 && at % unit == 0 && len % unit == 0);
    ASSERT(at / sector == (at + len - 1) / sector && at + len <= o.size);
    if (flash.off)
        return CUT;
    bool well = goes_well();
    size_t done = well ? len : some() % (len / unit + 1) * unit;
    for (size_t i = 0; i < done; i++) {
        ASSERT(!flash.programmed[at + i] && !flash.weak[at / sector]);
        flash.programmed[at + i] = flash.fresh[at + i] = true;
        flash.bytes[at + i] = from[i];
    }
    if (done < len && some() % 2) { /* torn */
        garbage(at + done, unit);
        memset(flash.programmed + at + done, true, unit);
    }
    return well ? 0 : CUT;
}

static int erase_flash(void *context, size_t at)
{
    size_t sector = flash.storage.sector;

    ASSERT(context == &flash && at % sector == 0 && at < o.size);
    if (flash.off)
        return CUT;
    bool well = goes_well();
    unsigned how = well ? 2 : some() % 3; /* hardly begun, torn, reads blank */
    flash.weak[at / sector] = !well && how == 2;
    if (how == 1)
        garbage(at, sector);
    if (how == 2)
        memset(flash.bytes + at, 0xff, sector);
    memset(flash.programmed + at, !well, sector);
    memset(flash.fresh + at, false, sector);
    return well ? 0 : CUT;
}

static int sync_flash(void *context)
{
    ASSERT(context == &flash);
    if (flash.off || !goes_well())
        return CUT;
    memset(flash.fresh, false, sizeof flash.fresh);
    return 0;
}

/* What was not made durable may be lost, unit by unit. */
static void power_returns(void)
{
    size_t unit = flash.storage.unit;

    for (size_t at = 0; flash.storage.sync && at < o.size; at += unit)
        if (flash.fresh[at] && some() % 2)
            memset(flash.bytes + at, 0xff, unit);
    memset(flash.fresh, false, sizeof flash.fresh);
    for (size_t s = 0; s < flash.storage.sectors; s++)
        if (flash.weak[s] && some() % 2)
            garbage(s * flash.storage.sector, flash.storage.sector);
    flash.off = false;
    flash.cut_in = -1;
    flash.fails = 0;
}

/* ---- what is known ------------------------------------------------------------------------- */

static size_t make_message(uint32_t id, uint8_t *to)
{
    size_t len = 4 + id * 37 % (id % 5 ? 30 : MESSAGE - 4);

    memcpy(to, &id, 4);
    for (size_t i = 4; i < len; i++)
        to[i] = (uint8_t)(id + i);
    return len;
}

static void check_message(uint64_t number, const uint8_t *message, size_t len)
{
    uint8_t wanted[MESSAGE];
    uint32_t id;

    ASSERT(len >= 4);
    memcpy(&id, message, 4);
    ASSERT(id > 0 && id <= ids && number < NUMBERS);
    ASSERT(flash.rotten || id == known[number].id);
    ASSERT(len == make_message(id, wanted) && memcmp(message, wanted, len) == 0);
}

/* All that is there, from the oldest on: nothing that must be is missing. */
static uint64_t look(void)
{
    mote_outbox_place at = mote_outbox_oldest(&o);
    uint64_t count = 0, last = 0, expected = at.sequence;
    uint8_t message[MESSAGE];
    size_t len;
    int r;

    while ((r = mote_outbox_read(&o, &at, message, sizeof message, &len)) > 0) {
        ASSERT(at.sequence > last && at.sequence < mote_outbox_sequence(&o));
        check_message(at.sequence, message, len);
        for (; expected < at.sequence; expected++)
            ASSERT(flash.rotten || !known[expected].safe);
        expected = at.sequence + 1;
        last = at.sequence;
        count++;
        ASSERT(mote_outbox_next(&o, &at) == 0);
    }
    ASSERT(r == 0);
    for (; expected < mote_outbox_sequence(&o); expected++)
        ASSERT(flash.rotten || !known[expected].safe);
    read_last = last > read_last ? last : read_last;
    return count;
}

static void check_ledger(uint64_t count)
{
    bool holds = o.held && o.first_sequence < mote_outbox_sequence(&o); /* it may have expired */

    ASSERT(flash.rotten || count + o.unsure + holds == mote_outbox_count(&o));
    ASSERT(flash.rotten ||
           left + mote_outbox_count(&o) + o.dropped == mote_outbox_sequence(&o) - 1);
}

/* ---- what happens -------------------------------------------------------------------------- */

static void put(void)
{
    uint8_t message[MESSAGE];
    uint64_t number = mote_outbox_sequence(&o);
    size_t len = make_message(++ids, message);
    unsigned failures = flash.failures;

    if (number + 1 >= NUMBERS)
        return;
    int r = mote_outbox_put(&o, message, len);
    ASSERT(r == 0 || r == MOTE_AGAIN || r == MOTE_GRPC_ERR_SPACE || (o.storage && r == CUT));
    ASSERT(r != CUT || flash.off || flash.failures > failures);
    ASSERT(mote_outbox_sequence(&o) == number + (r == 0) ||
           (r == CUT && mote_outbox_sequence(&o) == number + 1));
    if (r != 0 && r != CUT)
        return;
    known[number].id = ids; /* perhaps */
    known[number].safe = r == 0;
    maybe += r != 0;
}

static void release(uint64_t number)
{
    uint64_t before = mote_outbox_count(&o);

    mote_outbox_release(&o, number);
    left += before - mote_outbox_count(&o);
    released = number > released ? number : released;
}

/* What is there of what must be; after a start that is what was there before it. */
static void start(unsigned cuts)
{
    uint64_t floor = o.first_sequence, next = mote_outbox_sequence(&o);
    enum mote_outbox_policy policy = o.policy;
    int r;

    for (int tries = 0;; tries++) {
        power_returns();
        flash.cut_in = tries < 3 && cuts >> 2 * tries & 1 ? (int)(cuts >> 4) : -1;
        r = mote_outbox_mount(&o, &flash.storage, policy, epoch ? epoch + 1 : 7);
        if (r != CUT)
            break;
        ASSERT(tries < 4);
    }
    ASSERT(r == 0);
    flash.cut_in = -1;
    if (!flash.rotten) {
        ASSERT(epoch == 0 || o.epoch == epoch);
        ASSERT(o.first_sequence <= floor || o.first_sequence <= released + 1 ||
               o.acknowledged <= released);
        ASSERT(o.next_sequence > read_last && o.next_sequence <= next + 1);
        for (uint64_t n = floor; n < next; n++)
            ASSERT(!known[n].safe || n < o.next_sequence);
        for (uint64_t n = floor > released ? floor : released + 1; n < o.first_sequence; n++)
            ASSERT(!known[n].safe);
        ASSERT(policy != MOTE_OUTBOX_REFUSE || o.dropped <= maybe);
    }
    epoch = o.epoch;
    left = mote_outbox_sequence(&o) - 1 - mote_outbox_count(&o) - o.dropped;
}

static void step(unsigned what)
{
    unsigned n = what >> 3;
    size_t at;

    switch (what & 7) {
    case 0:
    case 1:
        put();
        return;
    case 2:
        if (read_last >= o.first_sequence) /* of what was read, some */
            release(read_last - n % (read_last - o.first_sequence + 1));
        return;
    case 3:
        mote_outbox_rewind(&o);
        return;
    case 4:
        flash.cut_in = (int)n;
        flash.random += next_byte();
        return;
    case 5:
        flash.fails = (int)(n & 3);
        return;
    case 6:
        if (o.storage)
            start(n << 3 | next_byte());
        return;
    default:
        if (n == 0 && o.storage && !flash.off) {
            at = (next_byte() << 8 | next_byte()) % o.size;
            flash.bytes[at] ^= (uint8_t)(1 + next_byte());
            flash.rotten = true;
            start(0); /* it is seen when messages are found again */
        } else if (n < 4 && o.first_sequence + n <= mote_outbox_sequence(&o)) {
            mote_outbox_expire(&o, o.first_sequence + n);
        }
    }
}

static void begin(unsigned kind)
{
    unsigned sizes = next_byte();
    bool stored = (kind & 1) != 0;

    memset(&flash, 0, sizeof flash);
    memset(known, 0, sizeof known);
    ids = 0;
    released = read_last = left = epoch = maybe = 0;
    mote_outbox_init(&o, ring, 8 + sizes % 248,
                     kind & 2 ? MOTE_OUTBOX_DROP_OLDEST : MOTE_OUTBOX_REFUSE, 7);
    if (!stored)
        return;
    flash.storage = (mote_outbox_storage){.context = &flash,
                                          .unit = (size_t)1 << sizes % 7,
                                          .sector = (size_t)128 << sizes / 8 % 3,
                                          .sectors = 4 + sizes / 64 % 3,
                                          .read = read_flash,
                                          .program = program_flash,
                                          .erase = erase_flash,
                                          .sync = kind & 4 ? sync_flash : NULL};
    flash.random = kind;
    o.size = flash.storage.sector * flash.storage.sectors;
    garbage(0, o.size);
    memset(flash.programmed, true, sizeof flash.programmed);
    start(kind >> 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    in = data;
    in_end = data + size;
    begin(next_byte());
    while (in < in_end) {
        step(next_byte());
        if (!flash.off)
            check_ledger(look());
    }
    if (o.storage) {
        start(0);
        check_ledger(look());
        put(); /* it goes on */
        check_ledger(look());
    }
    return 0;
}
