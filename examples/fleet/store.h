/*
 * The store of the collector: an SQLite database, in which a sample is safe (WAL, synchronous=FULL)
 * once store_commit() has returned 0. `sqlite3 samples.db` may read it at any time:
 *
 * - samples (source, sequence, time_ms, metric, value): a row for each sample, in order of arrival.
 *   A value that is not a number is NULL; -0 is 0.
 * - sources (id, device, epoch, last, dropped, seen_ms): a row for each incarnation of a device.
 *   `last` is the highest number that is stored (in the same commit), `dropped` is what the device
 *   says it has dropped, `seen_ms` is when it was last heard. Samples refer to the id, which is
 *   negative for devices without epochs. The row outlives its samples, until nothing was heard of
 * it for a while (store_forget()).
 * - readings (device, epoch, sequence, time_ms, metric, value): both, joined.
 * - tags (device, tag, text): what a device has said of itself last, as site = berlin. So
 *   SELECT * FROM readings JOIN tags USING (device) WHERE tag = 'site' AND text = 'berlin'.
 * - clocks (source, first, zero_ms): of a device that does not know the time of day, for each start
 *   of which the collector has heard, the number of its first sample, and when its clock was 0.
 * - marks (at_ms, row, source, sequence): the last sample that was there at a time, for retention.
 *
 * A lock file beside it (FILE.lock) keeps a second collector out. Nothing is ever repaired or cut:
 * after any error the store is closed, and what the last commit held is read again from what is
 * there when it can be opened again.
 */
#ifndef EXAMPLES_STORE_H
#define EXAMPLES_STORE_H

#include "names.h"
#include "telemetry.mote.h"

/* An incarnation of a device. */
typedef struct source {
    char device[DEVICE_NAME + 1];
    uint64_t epoch;       /* 0: the device does not say one */
    int64_t id;           /* its row; 0: it has none yet */
    uint64_t accepted;    /* the highest number that was taken */
    uint64_t stored;      /* the highest that is committed: only store_commit() moves it */
    uint64_t told;        /* the highest that the device knows to be stored */
    uint64_t dropped;     /* what it says it has dropped */
    uint64_t seen_ms;     /* when its row was last written */
    char *tags;           /* as it has said them; NULL: nothing. Of malloc() */
    bool tags_new;        /* they are to be written with its row */
    int64_t clock_ms;     /* what its time_ms are counted from: it does not know the time of day, */
    uint64_t clock_first; /* since it took the sample with this number; 0: it does know */
    bool clock_new;       /* both are to be written */
    uint64_t fresh;       /* samples that were taken since the start; of those: */
    uint64_t fresh_stored, fresh_told;
    bool dirty; /* its row is to be written by the next commit */
    struct source *next, *next_dirty;
    void *control, *upload; /* its calls, of the collector */
    void *shown;            /* of the view */
    uint32_t number;        /* of the dashboard; 0: it has none yet */
} source;

/* What all sources have counted since the start, those that are known no more included. It is kept
 * as they count, so that whoever asks does not pay for each of a million. */
typedef struct {
    uint64_t fresh, fresh_stored, fresh_told, missing, duplicates;
} source_counts;

extern source_counts store_counts;

/* All that was taken is stored; what is stored is told. */
static inline void count_stored(source *s)
{
    store_counts.fresh_stored += s->fresh - s->fresh_stored;
    s->fresh_stored = s->fresh;
}

static inline void count_told(source *s)
{
    store_counts.fresh_told += s->fresh_stored - s->fresh_told;
    s->fresh_told = s->fresh_stored;
}

/* Opens or creates it, and tells of each source that is there. 0, or -1 with store_error(). */
int store_open(const char *path, void (*known)(const source *row));
bool store_is_open(void);

/* The reason of the last error. */
const char *store_error(void);

/* Adds a sample to the batch. All return 0, or -1: then the store is closed, and all that was added
 * since the last commit is gone. */
int store_add(source *s, const mote_telemetry_Sample *sample);

/* Sets *is: the source has this sample already, with the same time, metric and value. */
int store_has(const source *s, const mote_telemetry_Sample *sample, bool *is);

/* Writes its row, if it has one: it is heard now, and its tags may be others. */
int store_touch(source *s);

/* The source begins a new life under another id: its numbers begin anew. */
int store_renew(source *s);

/* The wall clock at the start, and from then on without its jumps, in ms: nothing is old because
 * somebody has set a clock. */
uint64_t store_now_ms(void);

/* Deletes what came more than keep_ms ago, some of it: to be called before each store_commit().
 * now_ms is store_now_ms(). */
int store_forget(uint64_t keep_ms, uint64_t now_ms);

/* Deletes rows of sources of which nothing was heard since, and tags of devices that have none any
 * more; some of them. True in *more: there are others. None of those that are known to the caller
 * may be among them: it has touched or forgotten them. */
int store_expire(uint64_t before_ms, bool *more);

/* So long may the log be that is kept for somebody who reads the database (256 MiB); beyond it
 * nothing is stored until that is over. */
extern int store_log_mib;

/* Makes the batch safe, and moves `stored` of its sources. Without a batch it does nothing. */
int store_commit(void);
bool store_has_batch(void);

void store_close(void);
uint64_t store_commits(void);

#endif
