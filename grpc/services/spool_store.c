/* Sectors and records as they lie in storage: the drawing is in spool_internal.h. */
#include "spool_internal.h"

#include <string.h>

enum { MAGIC = 0x65746f6d, FAR_BEHIND = 0xffff };

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

size_t mote_spool_align(const mote_outbox *o, size_t n)
{
    size_t unit = o->storage->unit;

    return (n + unit - 1) & ~(unit - 1);
}

size_t mote_spool_sector_of(const mote_outbox *o, size_t at)
{
    return (at - 1) - (at - 1) % o->storage->sector;
}

size_t mote_spool_sector_after(const mote_outbox *o, size_t sector)
{
    size_t next = sector + o->storage->sector;

    return next == o->size ? 0 : next;
}

size_t mote_spool_records_of(const mote_outbox *o, size_t sector)
{
    return sector + mote_spool_align(o, SPOOL_HEADER);
}

int mote_spool_read_bytes(const mote_outbox *o, size_t at, uint8_t *to, size_t len)
{
    return len ? o->storage->read(o->storage->context, at, to, len) : 0;
}

int mote_spool_make_durable(const mote_outbox_storage *s)
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
        r = o->storage->program(o->storage->context, at + done, chunk, mote_spool_align(o, n));
    }
    return r == 0 ? mote_spool_make_durable(o->storage) : r;
}

/* ---- headers ------------------------------------------------------------------------------- */

int mote_spool_read_header(const mote_outbox *o, size_t sector, mote_spool_header *h)
{
    uint8_t bytes[SPOOL_HEADER];
    int r = mote_spool_read_bytes(o, sector, bytes, sizeof bytes);

    *h = (mote_spool_header){.serial = (uint32_t)get_int(bytes + 4, 4),
                             .epoch = get_int(bytes + 8, 8),
                             .first = get_int(bytes + 16, 8),
                             .kept = get_int(bytes + 24, 8)};
    if (r < 0 || get_int(bytes, 4) != MAGIC ||
        get_int(bytes + 32, 4) != checksum(0xffffffff, bytes, 32))
        h->serial = 0;
    return r;
}

int mote_spool_begin_sector(mote_outbox *o, size_t sector, uint32_t serial)
{
    uint8_t bytes[SPOOL_HEADER] = {0};
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
    o->used = mote_spool_records_of(o, sector);
    o->held = false;
    if (o->first_sequence == o->next_sequence)
        o->first = o->used;
    if (o->send_sequence == o->next_sequence)
        o->send = o->used;
    return 0;
}

/* ---- records ------------------------------------------------------------------------------- */

/* What is further behind than can be written is not known by this record: nothing is. */
static uint64_t acknowledged_by(uint64_t sequence, unsigned behind)
{
    return behind < FAR_BEHIND ? sequence - 1 - behind : 0;
}

int mote_spool_read_record(const mote_outbox *o, size_t at, uint64_t sequence,
                           mote_spool_record *rec)
{
    uint8_t bytes[SPOOL_RECORD], chunk[SPOOL_CHUNK];
    size_t end = mote_spool_sector_of(o, at) + o->storage->sector;
    int r;

    *rec = (mote_spool_record){0};
    if (at + SPOOL_RECORD > end || at == o->used)
        return 0;
    if ((r = mote_spool_read_bytes(o, at, bytes, sizeof bytes)) < 0)
        return r;
    rec->len = (size_t)get_int(bytes, 2);
    rec->acknowledged = acknowledged_by(sequence, (unsigned)get_int(bytes + 2, 2));
    if (rec->len > end - at - SPOOL_RECORD)
        return 0;
    uint32_t crc = begin_checksum(o, sequence, bytes);
    for (size_t done = 0, n; done < rec->len; done += n) {
        n = rec->len - done < SPOOL_CHUNK ? rec->len - done : SPOOL_CHUNK;
        if ((r = mote_spool_read_bytes(o, at + SPOOL_RECORD + done, chunk, n)) < 0)
            return r;
        crc = checksum(crc, chunk, n);
    }
    rec->valid = crc == get_int(bytes + 4, 4);
    return 0;
}

static int reads_blank(const mote_outbox *o, size_t at, bool *blank)
{
    uint8_t bytes[SPOOL_RECORD];
    int r = mote_spool_read_bytes(o, at, bytes, sizeof bytes);

    *blank = true;
    for (size_t i = 0; r == 0 && i < sizeof bytes; i++)
        *blank = *blank && bytes[i] == 0xff;
    return r;
}

int mote_spool_read_readable(const mote_outbox *o, size_t *at, uint64_t *sequence,
                             mote_spool_record *rec)
{
    size_t end = mote_spool_sector_of(o, *at) + o->storage->sector, behind = *at;
    bool blank = true;
    int r = mote_spool_read_record(o, *at, *sequence, rec);

    if (r < 0 || rec->valid || *at == o->used || *at + SPOOL_RECORD > end ||
        (r = reads_blank(o, *at, &blank)) < 0 || blank)
        return r;
    do {
        behind += o->storage->unit;
        r = behind < end ? mote_spool_read_record(o, behind, *sequence + 1, rec) : 0;
    } while (r == 0 && !rec->valid && behind < end && behind != o->used);
    if (r == 0 && rec->valid) {
        *at = behind;
        ++*sequence;
    }
    return r;
}

int mote_spool_read_length(const mote_outbox *o, size_t at, size_t *len)
{
    uint8_t length[2] = {0};
    int r = mote_spool_read_bytes(o, at, length, sizeof length);

    *len = (size_t)get_int(length, 2);
    return r;
}

int mote_spool_write_record(const mote_outbox *o, const uint8_t *message, size_t len)
{
    uint8_t bytes[SPOOL_RECORD];
    uint64_t behind = o->next_sequence - 1 - o->acknowledged;

    put_int(bytes, len, 2);
    put_int(bytes + 2, behind < FAR_BEHIND ? behind : FAR_BEHIND, 2);
    put_int(bytes + 4, checksum(begin_checksum(o, o->next_sequence, bytes), message, len), 4);
    return program(o, o->used, bytes, sizeof bytes, message, len);
}
