/*
 * A ring in storage, as a log: sectors are used in turn, each begins with a header, and records
 * follow, one for each message.
 *
 *   header: magic, serial (4 bytes each; one more than that of the sector before), epoch, the
 * number of the first message, that of the oldest one in any sector that is kept (8 each), checksum
 * (4); 36 bytes record: length (2), numbers between the message's own and the highest that is
 * acknowledged (2; 0xffff: at least as many, which tells nothing), checksum of these, the epoch,
 * the number and the message (4); then the message
 *
 * All begin with a unit. Integers are least significant byte first. A sector is erased before it is
 * written, however blank it reads, for a torn erase may read blank once; and what follows the last
 * record of a sector that was being written when power was lost is never written to: each start
 * begins a sector of its own.
 */
#include "outbox.h"

#include <string.h>

enum {
    MAGIC = 0x65746f6d,
    HEADER = 36,
    RECORD = 8,
    SPOOL_CHUNK = 64,
    SPARE = 1,
    FAR_BEHIND = 0xffff
};

/* ---- bytes --------------------------------------------------------------------------------- */

static void put_int(uint8_t *out, uint64_t n, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        out[i] = (uint8_t)(n >> 8 * i);
}

static uint64_t get_int(const uint8_t *in, unsigned len)
{
    uint64_t n = 0;

    while (len-- > 0)
        n = n << 8 | in[len];
    return n;
}

/* CRC-32 as Ethernet has it, a bit at a time. */
static uint32_t checksum(uint32_t crc, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        crc ^= in[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return crc;
}

/* A record is bound to its ring and its number, so that nothing older can be taken for it. */
static uint32_t begin_checksum(const mote_outbox *o, uint64_t sequence, const uint8_t *record)
{
    uint8_t bytes[16];

    put_int(bytes, o->epoch, 8);
    put_int(bytes + 8, sequence, 8);
    return checksum(checksum(0xffffffff, bytes, sizeof bytes), record, 4);
}

static size_t align(const mote_outbox *o, size_t n)
{
    size_t unit = o->storage->unit;

    return (n + unit - 1) & ~(unit - 1);
}

/* The sector of a record at `at`, or that a record before it ends; never a sector's begin itself.
 */
static size_t sector_of(const mote_outbox *o, size_t at)
{
    return (at - 1) - (at - 1) % o->storage->sector;
}

static size_t sector_after(const mote_outbox *o, size_t sector)
{
    size_t next = sector + o->storage->sector;

    return next == o->size ? 0 : next;
}

/* Where the records of a sector begin. */
static size_t records_of(const mote_outbox *o, size_t sector)
{
    return sector + align(o, HEADER);
}

static int read_bytes(const mote_outbox *o, size_t at, uint8_t *to, size_t len)
{
    return len ? o->storage->read(o->storage->context, at, to, len) : 0;
}

static int make_durable(const mote_outbox_storage *s)
{
    return s->sync ? s->sync(s->context) : 0;
}

/* Programs two spans as one, in whole units. */
static int program(const mote_outbox *o, size_t at, const uint8_t *head, size_t head_len,
                   const uint8_t *rest, size_t len)
{
    uint8_t chunk[SPOOL_CHUNK];
    size_t total = head_len + len;
    int r = 0;

    for (size_t done = 0; r == 0 && done < total; done += SPOOL_CHUNK) {
        size_t n = 0;
        memset(chunk, 0xff, sizeof chunk);
        for (; n < SPOOL_CHUNK && done + n < total; n++)
            chunk[n] = done + n < head_len ? head[done + n] : rest[done + n - head_len];
        r = o->storage->program(o->storage->context, at + done, chunk, align(o, n));
    }
    return r == 0 ? make_durable(o->storage) : r;
}

/* ---- headers ------------------------------------------------------------------------------- */

typedef struct {
    uint32_t serial; /* 0: this is no header */
    uint64_t epoch, first, kept;
} header;

static int read_header(const mote_outbox *o, size_t sector, header *h)
{
    uint8_t bytes[HEADER];
    int r = read_bytes(o, sector, bytes, sizeof bytes);

    *h = (header){.serial = (uint32_t)get_int(bytes + 4, 4),
                  .epoch = get_int(bytes + 8, 8),
                  .first = get_int(bytes + 16, 8),
                  .kept = get_int(bytes + 24, 8)};
    if (r < 0 || get_int(bytes, 4) != MAGIC ||
        get_int(bytes + 32, 4) != checksum(0xffffffff, bytes, 32))
        h->serial = 0;
    return r;
}

/* Begins a sector, which holds nothing that is kept. */
static int begin_sector(mote_outbox *o, size_t sector, uint32_t serial)
{
    uint8_t bytes[HEADER] = {0};
    int r = o->storage->erase(o->storage->context, sector);

    put_int(bytes, MAGIC, 4);
    put_int(bytes + 4, serial, 4);
    put_int(bytes + 8, o->epoch, 8);
    put_int(bytes + 16, o->next_sequence, 8);
    put_int(bytes + 24, o->first_sequence, 8);
    put_int(bytes + 32, checksum(0xffffffff, bytes, 32), 4);
    if (r == 0)
        r = program(o, sector, bytes, sizeof bytes, bytes, 0);
    if (r < 0)
        return r;
    o->used = records_of(o, sector);
    o->held = false;
    if (o->first_sequence == o->next_sequence)
        o->first = o->used;
    if (o->send_sequence == o->next_sequence)
        o->send = o->used;
    return 0;
}

/* ---- records ------------------------------------------------------------------------------- */

typedef struct {
    bool valid;
    size_t len;
    uint64_t acknowledged;
} record;

/* What is further behind than can be written is not known by this record: nothing is. */
static uint64_t acknowledged_by(uint64_t sequence, unsigned behind)
{
    return behind < FAR_BEHIND ? sequence - 1 - behind : 0;
}

static int read_record(const mote_outbox *o, size_t at, uint64_t sequence, record *rec)
{
    uint8_t bytes[RECORD], chunk[SPOOL_CHUNK];
    size_t end = sector_of(o, at) + o->storage->sector;
    int r;

    *rec = (record){0};
    if (at + RECORD > end || at == o->used)
        return 0;
    if ((r = read_bytes(o, at, bytes, sizeof bytes)) < 0)
        return r;
    rec->len = (size_t)get_int(bytes, 2);
    rec->acknowledged = acknowledged_by(sequence, (unsigned)get_int(bytes + 2, 2));
    if (rec->len > end - at - RECORD)
        return 0;
    uint32_t crc = begin_checksum(o, sequence, bytes);
    for (size_t done = 0, n; done < rec->len; done += n) {
        n = rec->len - done < SPOOL_CHUNK ? rec->len - done : SPOOL_CHUNK;
        if ((r = read_bytes(o, at + RECORD + done, chunk, n)) < 0)
            return r;
        crc = checksum(crc, chunk, n);
    }
    rec->valid = crc == get_int(bytes + 4, 4);
    return 0;
}

static int reads_blank(const mote_outbox *o, size_t at, bool *blank)
{
    uint8_t bytes[RECORD];
    int r = read_bytes(o, at, bytes, sizeof bytes);

    *blank = true;
    for (size_t i = 0; r == 0 && i < sizeof bytes; i++)
        *blank = *blank && bytes[i] == 0xff;
    return r;
}

/* The same, or of the one behind it where this one cannot be read any more: then *at and *sequence
 * are the other's. */
static int read_readable(const mote_outbox *o, size_t *at, uint64_t *sequence, record *rec)
{
    size_t end = sector_of(o, *at) + o->storage->sector, behind = *at;
    bool blank = true;
    int r = read_record(o, *at, *sequence, rec);

    if (r < 0 || rec->valid || *at == o->used || *at + RECORD > end ||
        (r = reads_blank(o, *at, &blank)) < 0 || blank)
        return r;
    do {
        behind += o->storage->unit;
        r = behind < end ? read_record(o, behind, *sequence + 1, rec) : 0;
    } while (r == 0 && !rec->valid && behind < end && behind != o->used);
    if (r == 0 && rec->valid) {
        *at = behind;
        ++*sequence;
    }
    return r;
}

/* From a place behind a record, or at the begin of a sector's records, to the next record that is
 * there, over sectors that have no more; or to where the next new one will be. */
static int find_place(const mote_outbox *o, size_t *at, uint64_t *sequence)
{
    record rec;
    header h;
    int r;

    for (;;) {
        size_t sector = sector_of(o, *at);
        if ((r = read_readable(o, at, sequence, &rec)) < 0 || rec.valid || *at == o->used)
            return r;
        if (sector == sector_of(o, o->used)) {
            *at = o->used; /* what cannot be read any more is passed over */
            *sequence = o->next_sequence;
            return 0;
        }
        sector = sector_after(o, sector);
        if ((r = read_header(o, sector, &h)) < 0)
            return r;
        *at = records_of(o, sector);
        if (h.serial > 0 && h.first > *sequence)
            *sequence = h.first;
    }
}

static int after(const mote_outbox *o, size_t *at, uint64_t *sequence)
{
    uint8_t length[2];
    size_t next = *at;
    uint64_t number = *sequence + 1;
    int r = read_bytes(o, next, length, sizeof length);

    next += align(o, RECORD + (size_t)get_int(length, 2));
    if (r == 0)
        r = find_place(o, &next, &number);
    if (r < 0)
        return r;
    *at = next;
    *sequence = number;
    return 0;
}

static int read_message(const mote_outbox *o, size_t offset, uint8_t *out, size_t cap,
                        size_t *total)
{
    uint8_t length[2];
    int r;

    if (*total == 0) {
        if ((r = read_bytes(o, o->send, length, sizeof length)) < 0)
            return r;
        *total = (size_t)get_int(length, 2);
        if (*total > cap)
            return 0;
        cap = *total;
    }
    return read_bytes(o, o->send + RECORD + offset, out, cap);
}

/* ---- writing ------------------------------------------------------------------------------- */

/* The sector behind the one that is being written, and so many spare ones, hold nothing. */
static bool next_is_free(const mote_outbox *o, int spare)
{
    size_t oldest = sector_of(o, o->first_sequence < o->next_sequence ? o->first : o->used);
    size_t sector = sector_after(o, sector_of(o, o->used));

    for (; spare >= 0 && sector != oldest; spare--)
        sector = sector_after(o, sector);
    return spare < 0;
}

static int room(mote_outbox *o, size_t len)
{
    size_t need = align(o, RECORD + len), sector = sector_of(o, o->used);
    header h;
    int r;

    if (need > o->storage->sector - align(o, HEADER))
        return MOTE_GRPC_ERR_SPACE;
    if (need <= sector + o->storage->sector - o->used)
        return 0;
    if (!next_is_free(o, SPARE))
        return MOTE_AGAIN;
    if ((r = read_header(o, sector, &h)) < 0)
        return r;
    return begin_sector(o, sector_after(o, sector), h.serial + 1);
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
    record rec;

    o->used = sector_of(o, at) + o->storage->sector;
    if (read_record(o, at, o->next_sequence, &rec) == 0 && rec.valid) {
        o->next_sequence++;
        o->held = true;
    } else {
        give_up_number(o);
    }
    room(o, 0);
}

static int append(mote_outbox *o, const uint8_t *message, size_t len)
{
    uint8_t bytes[RECORD];
    uint64_t behind = o->next_sequence - 1 - o->acknowledged;
    int r;

    put_int(bytes, len, 2);
    put_int(bytes + 2, behind < FAR_BEHIND ? behind : FAR_BEHIND, 2);
    put_int(bytes + 4, checksum(begin_checksum(o, o->next_sequence, bytes), message, len), 4);
    r = program(o, o->used, bytes, sizeof bytes, message, len);
    if (r < 0)
        give_up_sector(o);
    else
        o->used += align(o, RECORD + len);
    return r;
}

static const mote_outbox_log the_log = {room, append, read_message, after};

/* ---- mounting ------------------------------------------------------------------------------ */

/* The sector with the highest serial; found->serial is 0: there is none. */
static int find_newest(const mote_outbox *o, size_t *newest, header *found)
{
    header h;
    int r = 0;

    found->serial = 0;
    for (size_t sector = 0; r == 0 && sector < o->size; sector += o->storage->sector) {
        r = read_header(o, sector, &h);
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

static bool follows(const header *h, const header *before, uint32_t by)
{
    return before->serial > 0 && before->serial + by == h->serial && before->epoch == h->epoch;
}

/* Back from the newest sector, as long as they are of one ring and in turn: a header between two of
 * them may be one that cannot be read any more. */
static int find_oldest(const mote_outbox *o, size_t newest, const header *of_newest, size_t *oldest)
{
    header h = *of_newest, before;
    uint32_t by = 1;

    *oldest = newest;
    for (size_t sector = sector_before(o, newest); sector != newest;
         sector = sector_before(o, sector)) {
        int r = read_header(o, sector, &before);
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
    record rec;
    header h;
    size_t at = records_of(o, sector);
    int r = read_header(o, sector, &h);

    if (r < 0)
        return r;
    if (h.serial > 0 && h.kept - 1 > o->acknowledged) /* or dropped: they are gone */
        o->acknowledged = h.kept - 1;
    if (h.serial > 0 && h.first > o->next_sequence)
        o->next_sequence = h.first;
    while ((r = read_readable(o, &at, &o->next_sequence, &rec)) == 0 && rec.valid) {
        if (rec.acknowledged > o->acknowledged && rec.acknowledged < o->next_sequence)
            o->acknowledged = rec.acknowledged;
        o->next_sequence++;
        at += align(o, RECORD + rec.len);
    }
    return r;
}

/* Finds the first message that is not acknowledged; and counts those that are there: what is
 * missing among them cannot be read any more. */
static int find_messages(mote_outbox *o)
{
    uint64_t count = 0;
    int r = find_place(o, &o->first, &o->first_sequence);

    while (r == 0 && o->first_sequence < o->next_sequence && o->first_sequence <= o->acknowledged)
        r = after(o, &o->first, &o->first_sequence);
    o->send = o->first;
    for (o->send_sequence = o->first_sequence; r == 0 && o->send_sequence < o->next_sequence;
         count++)
        r = after(o, &o->send, &o->send_sequence);
    if (r < 0)
        return r;
    o->gap = (uint32_t)(o->next_sequence - o->first_sequence - count);
    o->dropped = o->next_sequence - 1 - o->acknowledged - count;
    mote_outbox_rewind(o);
    return 0;
}

/* The sector behind the newest may be a newer one, whose header cannot be read any more: its first
 * record says so. */
static int find_newer(mote_outbox *o, size_t *newest, header *of_newest)
{
    size_t sector = sector_after(o, *newest);
    record rec = {0};
    header h;
    int r = read_header(o, sector, &h);

    if (r == 0 && h.serial == 0)
        r = read_record(o, records_of(o, sector), o->next_sequence, &rec);
    if (r < 0 || h.serial > 0 || !rec.valid)
        return r;
    *newest = sector;
    of_newest->serial++;
    o->used = sector + o->storage->sector;
    return scan(o, sector);
}

/* A ring that is there, in the sectors from `oldest` to `newest`. */
static int take_over(mote_outbox *o, size_t oldest, size_t *newest, header *of_newest)
{
    header h;
    size_t next = sector_after(o, *newest); /* may be erased: nothing was kept there */
    int r = read_header(o, oldest, &h);

    o->first = records_of(o, oldest);
    o->first_sequence = o->next_sequence = h.first;
    o->acknowledged = h.first - 1;
    if (of_newest->kept < h.first && oldest != next && oldest != sector_after(o, next))
        o->acknowledged = of_newest->kept - 1; /* a header is lost, and all before it */
    o->used = *newest + o->storage->sector;    /* nothing is written there any more */
    for (size_t sector = oldest; r == 0; sector = sector_after(o, sector)) {
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
    header h;
    int r;

    mote_outbox_init(o, NULL, storage->sector * storage->sectors, policy, epoch);
    o->storage = storage;
    o->log = &the_log;
    if (storage->unit == 0 || storage->unit > SPOOL_CHUNK ||
        (storage->unit & (storage->unit - 1)) || storage->sector % storage->unit ||
        storage->sector < (size_t)2 * SPOOL_CHUNK || storage->sectors < 4)
        return MOTE_GRPC_ERR_CONFIG;
    /* What is read may be sent: it must be durable. */
    if ((r = make_durable(storage)) < 0 || (r = find_newest(o, &newest, &h)) < 0)
        return r;
    o->used = o->first = o->send = o->size;
    if (h.serial == 0)
        return begin_sector(o, 0, 1);
    o->epoch = h.epoch;
    if ((r = find_oldest(o, newest, &h, &oldest)) < 0 ||
        (r = take_over(o, oldest, &newest, &h)) < 0)
        return r;
    return next_is_free(o, 0) ? begin_sector(o, sector_after(o, newest), h.serial + 1) : 0;
}
