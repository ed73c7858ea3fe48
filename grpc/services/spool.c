/* A ring in storage, as a log: what outbox.c does in memory. The drawing is in spool_internal.h. */
#include "spool_internal.h"

enum { SPARE = 1 };

/* ---- from message to message --------------------------------------------------------------- */

int mote_spool_find_place(const mote_outbox *o, size_t *at, uint64_t *sequence)
{
    mote_spool_record rec;
    mote_spool_header h;
    int r;

    for (;;) {
        size_t sector = mote_spool_sector_of(o, *at);
        if ((r = mote_spool_read_readable(o, at, sequence, &rec)) < 0 || rec.valid ||
            *at == o->used)
            return r;
        if (sector == mote_spool_sector_of(o, o->used)) {
            *at = o->used; /* what cannot be read any more is passed over */
            *sequence = o->next_sequence;
            return 0;
        }
        sector = mote_spool_sector_after(o, sector);
        if ((r = mote_spool_read_header(o, sector, &h)) < 0)
            return r;
        *at = mote_spool_records_of(o, sector);
        if (h.serial > 0 && h.first > *sequence)
            *sequence = h.first;
    }
}

int mote_spool_after(const mote_outbox *o, size_t *at, uint64_t *sequence)
{
    size_t len, next = *at;
    uint64_t number = *sequence + 1;
    int r = mote_spool_read_length(o, next, &len);

    next += mote_spool_align(o, SPOOL_RECORD + len);
    if (r == 0)
        r = mote_spool_find_place(o, &next, &number);
    if (r < 0)
        return r;
    *at = next;
    *sequence = number;
    return 0;
}

static int read_message(const mote_outbox *o, size_t offset, uint8_t *out, size_t cap,
                        size_t *total)
{
    if (*total == 0) {
        int r = mote_spool_read_length(o, o->send, total);
        if (r < 0)
            return r;
        if (*total > cap)
            return 0;
        cap = *total;
    }
    return mote_spool_read_bytes(o, o->send + SPOOL_RECORD + offset, out, cap);
}

/* ---- writing ------------------------------------------------------------------------------- */

bool mote_spool_next_is_free(const mote_outbox *o, int spare)
{
    size_t oldest =
        mote_spool_sector_of(o, o->first_sequence < o->next_sequence ? o->first : o->used);
    size_t sector = mote_spool_sector_after(o, mote_spool_sector_of(o, o->used));

    for (; spare >= 0 && sector != oldest; spare--)
        sector = mote_spool_sector_after(o, sector);
    return spare < 0;
}

static int room(mote_outbox *o, size_t len)
{
    size_t need = mote_spool_align(o, SPOOL_RECORD + len),
           sector = mote_spool_sector_of(o, o->used);
    mote_spool_header h;
    int r;

    if (need > o->storage->sector - mote_spool_align(o, SPOOL_HEADER))
        return MOTE_GRPC_ERR_SPACE;
    if (need <= sector + o->storage->sector - o->used)
        return 0;
    if (!mote_spool_next_is_free(o, SPARE))
        return MOTE_AGAIN;
    if ((r = mote_spool_read_header(o, sector, &h)) < 0)
        return r;
    return mote_spool_begin_sector(o, mote_spool_sector_after(o, sector), h.serial + 1);
}

/* A number that nothing has. */
static void give_up_number(mote_outbox *o)
{
    bool none = o->first_sequence == o->next_sequence, sent = o->send_sequence == o->next_sequence;

    o->next_sequence++;
    o->dropped++;
    o->gap += !none;
    if (none) {
        o->first = o->used;
        o->first_sequence++;
    }
    if (sent) {
        o->send = o->used;
        o->send_sequence++;
    }
}

/* It is not known what of a record has been written. One that can be read is a message as others
 * are, but it may be gone when power is lost: it is not sent before the header of the next sector,
 * which has a higher number, is durable. */
static void give_up_sector(mote_outbox *o)
{
    size_t at = o->used;
    mote_spool_record rec;

    o->used = mote_spool_sector_of(o, at) + o->storage->sector;
    if (mote_spool_read_record(o, at, o->next_sequence, &rec) == 0 && rec.valid) {
        o->next_sequence++;
        o->held = true;
    } else {
        give_up_number(o);
    }
    room(o, 0);
}

static int append(mote_outbox *o, const uint8_t *message, size_t len)
{
    int r = mote_spool_write_record(o, message, len);

    if (r < 0)
        give_up_sector(o);
    else
        o->used += mote_spool_align(o, SPOOL_RECORD + len);
    return r;
}

const mote_outbox_log mote_spool_log = {room, append, read_message, mote_spool_after};
