/* Taking over what a ring in storage holds after a start. */
#include "spool_internal.h"

/* The sector with the highest serial; found->serial is 0: there is none. */
static int find_newest(const mote_outbox *o, size_t *newest, mote_spool_header *found)
{
    mote_spool_header h;
    int r = 0;

    found->serial = 0;
    for (size_t sector = 0; r == 0 && sector < o->size; sector += o->storage->sector) {
        r = mote_spool_read_header(o, sector, &h);
        if (r == 0 && h.serial > found->serial) {
            *found = h;
            *newest = sector;
        }
    }
    return r;
}

static size_t sector_before(const mote_outbox *o, size_t sector)
{
    return (sector ? sector : o->size) - o->storage->sector;
}

static bool follows(const mote_spool_header *h, const mote_spool_header *before, uint32_t by)
{
    return before->serial > 0 && before->serial + by == h->serial && before->epoch == h->epoch;
}

/* Back from the newest sector, as long as they are of one ring and in turn: a header between two of
 * them may be one that cannot be read any more. */
static int find_oldest(const mote_outbox *o, size_t newest, const mote_spool_header *of_newest,
                       size_t *oldest)
{
    mote_spool_header h = *of_newest, before;
    uint32_t by = 1;

    *oldest = newest;
    for (size_t sector = sector_before(o, newest); sector != newest;
         sector = sector_before(o, sector)) {
        int r = mote_spool_read_header(o, sector, &before);
        if (r < 0 || (!follows(&h, &before, by) && (before.serial > 0 || by > 1)))
            return r;
        by = before.serial > 0 ? 1 : 2;
        if (by > 1)
            continue;
        *oldest = sector;
        h = before;
    }
    return 0;
}

/* The records of a sector: what the next number is, and what is acknowledged. */
static int scan(mote_outbox *o, size_t sector)
{
    mote_spool_record rec;
    mote_spool_header h;
    size_t at = mote_spool_records_of(o, sector);
    int r = mote_spool_read_header(o, sector, &h);

    if (r < 0)
        return r;
    if (h.serial > 0 && h.kept - 1 > o->acknowledged) /* or dropped: they are gone */
        o->acknowledged = h.kept - 1;
    if (h.serial > 0 && h.first > o->next_sequence)
        o->next_sequence = h.first;
    while ((r = mote_spool_read_readable(o, &at, &o->next_sequence, &rec)) == 0 && rec.valid) {
        if (rec.acknowledged > o->acknowledged && rec.acknowledged < o->next_sequence)
            o->acknowledged = rec.acknowledged;
        o->next_sequence++;
        at += mote_spool_align(o, SPOOL_RECORD + rec.len);
    }
    return r;
}

/* Finds the first message that is not acknowledged; and counts those that are there: what is
 * missing among them cannot be read any more. */
static int find_messages(mote_outbox *o)
{
    uint64_t count = 0;
    int r = mote_spool_find_place(o, &o->first, &o->first_sequence);

    while (r == 0 && o->first_sequence < o->next_sequence && o->first_sequence <= o->acknowledged)
        r = mote_spool_after(o, &o->first, &o->first_sequence);
    o->send = o->first;
    for (o->send_sequence = o->first_sequence; r == 0 && o->send_sequence < o->next_sequence;
         count++)
        r = mote_spool_after(o, &o->send, &o->send_sequence);
    if (r < 0)
        return r;
    o->gap = (uint32_t)(o->next_sequence - o->first_sequence - count);
    o->dropped = o->next_sequence - 1 - o->acknowledged - count;
    mote_outbox_rewind(o);
    return 0;
}

/* The sector behind the newest may be a newer one, whose header cannot be read any more: its first
 * record says so. */
static int find_newer(mote_outbox *o, size_t *newest, mote_spool_header *of_newest)
{
    size_t sector = mote_spool_sector_after(o, *newest);
    mote_spool_record rec = {0};
    mote_spool_header h;
    int r = mote_spool_read_header(o, sector, &h);

    if (r == 0 && h.serial == 0)
        r = mote_spool_read_record(o, mote_spool_records_of(o, sector), o->next_sequence, &rec);
    if (r < 0 || h.serial > 0 || !rec.valid)
        return r;
    *newest = sector;
    of_newest->serial++;
    o->used = sector + o->storage->sector;
    return scan(o, sector);
}

/* A ring that is there, in the sectors from `oldest` to `newest`. */
static int take_over(mote_outbox *o, size_t oldest, size_t *newest, mote_spool_header *of_newest)
{
    mote_spool_header h;
    size_t next = mote_spool_sector_after(o, *newest); /* may be erased: nothing was kept there */
    int r = mote_spool_read_header(o, oldest, &h);

    o->first = mote_spool_records_of(o, oldest);
    o->first_sequence = o->next_sequence = h.first;
    o->acknowledged = h.first - 1;
    if (of_newest->kept < h.first && oldest != next && oldest != mote_spool_sector_after(o, next))
        o->acknowledged = of_newest->kept - 1; /* a header is lost, and all before it */
    o->used = *newest + o->storage->sector;    /* nothing is written there any more */
    for (size_t sector = oldest; r == 0; sector = mote_spool_sector_after(o, sector)) {
        r = scan(o, sector);
        if (sector == *newest)
            break;
    }
    if (r == 0)
        r = find_newer(o, newest, of_newest);
    o->sent_sequence = o->next_sequence - 1; /* perhaps */
    return r != 0 ? r : find_messages(o);
}

int mote_outbox_mount(mote_outbox *o, const mote_outbox_storage *storage,
                      enum mote_outbox_policy policy, uint64_t epoch)
{
    size_t newest = 0, oldest;
    mote_spool_header h;
    int r;

    mote_outbox_init(o, NULL, storage->sector * storage->sectors, policy, epoch);
    o->storage = storage;
    o->log = &mote_spool_log;
    if (storage->unit == 0 || storage->unit > SPOOL_CHUNK ||
        (storage->unit & (storage->unit - 1)) || storage->sector % storage->unit ||
        storage->sector < (size_t)2 * SPOOL_CHUNK || storage->sectors < 4 ||
        storage->sectors > (SIZE_MAX - SPOOL_CHUNK) / storage->sector) /* no place wraps */
        return MOTE_GRPC_ERR_CONFIG;
    /* What is read may be sent: it must be durable. */
    if ((r = mote_spool_make_durable(storage)) < 0 || (r = find_newest(o, &newest, &h)) < 0)
        return r;
    o->used = o->first = o->send = o->size;
    if (h.serial == 0)
        return mote_spool_begin_sector(o, 0, 1);
    o->epoch = h.epoch;
    if ((r = find_oldest(o, newest, &h, &oldest)) < 0 ||
        (r = take_over(o, oldest, &newest, &h)) < 0)
        return r;
    return mote_spool_next_is_free(o, 0)
               ? mote_spool_begin_sector(o, mote_spool_sector_after(o, newest), h.serial + 1)
               : 0;
}
