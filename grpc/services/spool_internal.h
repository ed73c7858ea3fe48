/*
 * A ring in storage: sectors are used in turn. Each begins with a header, and records follow, one
 * for each message.
 *
 *   header, 36 bytes: magic (4), serial (4): one more than that of the sector before, epoch (8),
 *                     number of the first message (8), number of the oldest message that is kept
 *                     in any sector (8), checksum of these (4)
 *   record, 8 bytes:  length (2), numbers between the message's own and the highest that is
 *                     acknowledged (2; 0xffff: at least as many, which tells nothing), checksum
 *                     of these, the epoch, the number and the message (4); then the message
 *
 * All begin with a unit. Integers are least significant byte first. A sector is erased before it is
 * written, however blank it reads, for a torn erase may read blank once. What follows the last
 * record of a sector that was being written when power was lost is never written to: each start
 * begins a sector of its own.
 *
 * spool_store.c reads and writes headers and records, spool.c goes from message to message and adds
 * new ones, spool_mount.c finds the messages again after a start.
 */
#ifndef MOTE_SPOOL_INTERNAL_H
#define MOTE_SPOOL_INTERNAL_H

#include "outbox.h"

enum { SPOOL_HEADER = 36, SPOOL_RECORD = 8, SPOOL_CHUNK = 64 };

typedef struct {
    uint32_t serial; /* 0: this is no header */
    uint64_t epoch, first, kept;
} mote_spool_header;

typedef struct {
    bool valid;
    size_t len;
    uint64_t acknowledged;
} mote_spool_record;

/* ---- storage: each returns 0 or an error of the storage ------------------------------------- */

/* Whole units. */
size_t mote_spool_align(const mote_outbox *o, size_t n);

/* The sector of a record at `at`, or that a record before it ends; never where a sector begins.
 */
size_t mote_spool_sector_of(const mote_outbox *o, size_t at);

size_t mote_spool_sector_after(const mote_outbox *o, size_t sector);

/* Where the records of a sector begin. */
size_t mote_spool_records_of(const mote_outbox *o, size_t sector);

int mote_spool_read_header(const mote_outbox *o, size_t sector, mote_spool_header *h);

/* Begins a sector, which holds nothing that is kept. */
int mote_spool_begin_sector(mote_outbox *o, size_t sector, uint32_t serial);

/* Whether there is a record with this number. */
int mote_spool_read_record(const mote_outbox *o, size_t at, uint64_t sequence,
                           mote_spool_record *rec);

/* The same, or of the one behind it where this one cannot be read any more: then *at and *sequence
 * are the other's. */
int mote_spool_read_readable(const mote_outbox *o, size_t *at, uint64_t *sequence,
                             mote_spool_record *rec);

/* Of a record that is there. */
int mote_spool_read_length(const mote_outbox *o, size_t at, size_t *len);
int mote_spool_read_bytes(const mote_outbox *o, size_t at, uint8_t *to, size_t len);

/* What was written is not lost with power. */
int mote_spool_make_durable(const mote_outbox_storage *s);

/* A record with the next number, behind the others. */
int mote_spool_write_record(const mote_outbox *o, const uint8_t *message, size_t len);

/* ---- messages ------------------------------------------------------------------------------- */

extern const mote_outbox_log mote_spool_log;

/* From a place behind a record, or where a sector's records begin, to the next record that is
 * there, over sectors that have no more; or to where the next new one will be. */
int mote_spool_find_place(const mote_outbox *o, size_t *at, uint64_t *sequence);

/* From a record to the next one. */
int mote_spool_after(const mote_outbox *o, size_t *at, uint64_t *sequence);

/* The sector behind the one that is being written, and so many spare ones, hold nothing. */
bool mote_spool_next_is_free(const mote_outbox *o, int spare);

#endif
