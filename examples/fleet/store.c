#define _GNU_SOURCE
#include "host.h"
#include "store_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>

enum { APPLICATION = 0x6d6f7465, VERSION = 1 }; /* "mote" */

static const char schema[] =
    "BEGIN;"
    "CREATE TABLE sources(id INTEGER PRIMARY KEY, device TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " last INTEGER NOT NULL, dropped INTEGER NOT NULL, seen_ms INTEGER NOT NULL);"
    "CREATE TABLE samples(source INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL, metric TEXT NOT NULL, value REAL);"
    "CREATE UNIQUE INDEX samples_without_epoch ON samples(source, sequence) WHERE source < 0;"
    "CREATE VIEW readings AS SELECT device, epoch, sequence, time_ms, metric, value"
    " FROM samples JOIN sources ON source = id;"
    "PRAGMA application_id = 1836020837; PRAGMA user_version = 1;"
    "COMMIT;";

/* A store of before there was retention, or tags. */
static const char add_tables[] =
    "CREATE TABLE IF NOT EXISTS marks(at_ms INTEGER NOT NULL, row INTEGER NOT NULL,"
    " source INTEGER NOT NULL, sequence INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS tags(device TEXT NOT NULL, tag TEXT NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY(device, tag)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS clocks(source INTEGER NOT NULL, first INTEGER NOT NULL,"
    " zero_ms INTEGER NOT NULL, PRIMARY KEY(source, first)) WITHOUT ROWID;";

static const char *const texts[STATEMENTS] = {
    "INSERT INTO samples VALUES(?, ?, ?, ?, ?)",
    "SELECT 1 FROM samples WHERE source = ? AND sequence = ? AND time_ms = ? AND metric = ?"
    " AND value IS ? AND source < 0",
    "INSERT INTO sources VALUES(?, ?, ?, 0, 0, 0)",
    "UPDATE sources SET last = ?, dropped = ?, seen_ms = ? WHERE id = ?",
    "INSERT INTO marks SELECT ?, rowid, source, sequence FROM samples ORDER BY rowid DESC LIMIT 1",
    /* A dump, or VACUUM, may have given a row another number: such a mark counts for nothing. */
    "SELECT max(row) FROM marks JOIN samples AS s ON s.rowid = row AND s.source = marks.source"
    " AND s.sequence = marks.sequence WHERE at_ms <= ?",
    "DELETE FROM samples WHERE rowid IN"
    " (SELECT rowid FROM samples WHERE rowid < ? ORDER BY rowid LIMIT ?)",
    "DELETE FROM marks WHERE at_ms <= ? AND row < ?",
    "DELETE FROM sources WHERE id IN (SELECT id FROM sources WHERE seen_ms < ? LIMIT 10000)",
    "DELETE FROM tags WHERE device NOT IN (SELECT device FROM sources)",
    "DELETE FROM tags WHERE device = ?", "INSERT INTO tags VALUES(?, ?, ?)",
    "INSERT OR REPLACE INTO clocks VALUES(?, ?, ?)",
    /* A device that starts ever again keeps its last 64 clocks. */
    "DELETE FROM clocks WHERE source = ?1 AND first <="
    " (SELECT first FROM clocks WHERE source = ?1 ORDER BY first DESC LIMIT 1 OFFSET 64)",
    "SELECT zero_ms FROM clocks WHERE source = ? AND first = ?",
    "DELETE FROM clocks WHERE source NOT IN (SELECT id FROM sources)", "BEGIN IMMEDIATE", "COMMIT"};

source_counts store_counts;
static sqlite3 *db;
sqlite3_stmt *store_statements[STATEMENTS];
static int lock = -1;
static bool batch;
uint64_t store_batch_size;
static source *dirty;
static int log_pages; /* in the log */
static int64_t highest_id, lowest_id;
static uint64_t commits;
static char reason[300];
int store_log_mib = 256;

bool store_is_open(void)
{
    return db != NULL;
}

const char *store_error(void)
{
    return reason;
}

bool store_has_batch(void)
{
    return batch;
}

uint64_t store_commits(void)
{
    return commits;
}

uint64_t store_now_ms(void)
{
    static uint64_t start_ms;
    struct timespec now;

    if (start_ms == 0) {
        timespec_get(&now, TIME_UTC);
        start_ms = (uint64_t)now.tv_sec * 1000 - mote_posix_now_ms();
    }
    return start_ms + mote_posix_now_ms();
}

/* ---- the end ------------------------------------------------------------------------------- */

void store_close(void)
{
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(store_statements[i]);
        store_statements[i] = NULL;
    }
    sqlite3_close_v2(db); /* rolls back */
    db = NULL;
    if (lock >= 0)
        close(lock);
    lock = -1;
    batch = false;
    store_batch_size = 0;
    store_old_begin();
    while (dirty) {
        dirty->dirty = false;
        dirty = dirty->next_dirty;
    }
}

int store_failed(const char *what)
{
    int kind = db ? sqlite3_errcode(db) & 0xff : 0;
    int code = kind == SQLITE_IOERR || kind == SQLITE_FULL ? sqlite3_system_errno(db) : 0;

    snprintf(reason, sizeof reason, "%s: %s%s%s", what, db ? sqlite3_errmsg(db) : "out of memory",
             code ? ": " : "", code ? strerror(code) : "");
    store_close();
    return -1;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int take_lock(const char *path)
{
    char name[4096];
    int n = snprintf(name, sizeof name, "%s.lock", path);

    lock = n < (int)sizeof name ? open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644) : -1;
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    snprintf(reason, sizeof reason,
             lock >= 0 && errno == EWOULDBLOCK ? "another collector uses %s"
                                               : "the lock file %s.lock cannot be opened: %s",
             path, strerror(errno));
    store_close();
    return -1;
}

/* The number that a statement gives; < 0: it fails. */
static int64_t number(const char *text)
{
    sqlite3_stmt *s;
    int64_t n = -1;

    if (sqlite3_prepare_v2(db, text, -1, &s, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    return sqlite3_finalize(s) == SQLITE_OK ? n : -1;
}

/* Readers keep the log from beginning anew. It is not to fill the disk: beyond the limit nothing is
 * stored until they leave, and the devices keep their samples meanwhile. */
static int check_log(void)
{
    enum { PAGE = 4096, BUSY_MS = 1000 };

    if (log_pages < store_log_mib * (1048576 / PAGE))
        return 0;
    sqlite3_busy_timeout(db, 0);
    int r = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(db, BUSY_MS);
    if (r == SQLITE_OK) {
        log_pages = 0;
        return 0;
    }
    if ((r & 0xff) != SQLITE_BUSY)
        return store_failed("the log cannot be copied into the database");
    snprintf(reason, sizeof reason,
             "somebody reads the database for so long that its log has grown to %d MiB",
             log_pages / (1048576 / PAGE));
    store_close();
    return -1;
}

/* After each commit. */
static int on_commit(void *context, sqlite3 *handle, const char *name, int pages)
{
    enum { OFTEN = 1000 };

    (void)context;
    log_pages = pages;
    if (pages >= OFTEN)
        sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

/* What was written before an error may be there or not; only what goes through a checkpoint is
 * known to be on the disk. */
static int prepare_file(const char *path)
{
    int64_t tables = number("SELECT count(*) FROM sqlite_master");

    if (tables < 0)
        return store_failed(path);
    if (tables > 0 && (number("PRAGMA application_id") != APPLICATION ||
                       number("PRAGMA user_version") != VERSION)) {
        snprintf(reason, sizeof reason, "%s is a database of another program or version", path);
        store_close();
        return -1;
    }
    if (sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", NULL, NULL,
                     NULL) != SQLITE_OK ||
        (tables == 0 && sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK) ||
        sqlite3_exec(db, add_tables, NULL, NULL, NULL) != SQLITE_OK)
        return store_failed(path);
    if (sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log_pages, NULL) !=
        SQLITE_OK)
        return store_failed(path);
    sqlite3_wal_hook(db, on_commit, NULL);
    return check_log();
}

/* Numbers that this program may have written. A `last` beyond them would acknowledge samples that
 * are not here; such a row counts for nothing, and its device is a new one. */
static bool is_sane(const source *row)
{
    enum { ROOM = 1 << 20 }; /* for ids of others */

    return row->id > INT64_MIN + ROOM && row->id < INT64_MAX - ROOM && row->stored <= INT64_MAX &&
           row->dropped <= INT64_MAX && row->seen_ms <= INT64_MAX;
}

/* Of devices without an epoch only the last incarnation is of interest. */
static int load(void (*known)(const source *row))
{
    sqlite3_stmt *s;

    highest_id = lowest_id = 0;
    if (sqlite3_prepare_v2(
            db,
            "SELECT id, device, epoch, last, dropped, seen_ms FROM sources WHERE epoch <> 0"
            " OR id IN (SELECT min(id) FROM sources WHERE epoch = 0 GROUP BY device)",
            -1, &s, NULL) != SQLITE_OK)
        return store_failed("the sources cannot be read");
    while (sqlite3_step(s) == SQLITE_ROW) {
        source row = {.id = sqlite3_column_int64(s, 0),
                      .epoch = (uint64_t)sqlite3_column_int64(s, 2),
                      .stored = (uint64_t)sqlite3_column_int64(s, 3),
                      .dropped = (uint64_t)sqlite3_column_int64(s, 4),
                      .seen_ms = (uint64_t)sqlite3_column_int64(s, 5)};
        const char *device = (const char *)sqlite3_column_text(s, 1);
        if (device && name_is_valid(device, strlen(device), DEVICE_NAME) && is_sane(&row)) {
            memcpy(row.device, device, strlen(device));
            known(&row);
        }
        highest_id = row.id > highest_id ? row.id : highest_id;
        lowest_id = row.id < lowest_id ? row.id : lowest_id;
    }
    return sqlite3_finalize(s) == SQLITE_OK ? 0 : store_failed("the sources cannot be read");
}

int store_open(const char *path, void (*known)(const source *row))
{
    store_now_ms(); /* begins */
    if (take_lock(path) < 0)
        return -1;
    if (sqlite3_open_v2(path, &db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
                        NULL) != SQLITE_OK)
        return store_failed(path);
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, 1000);
    if (prepare_file(path) < 0)
        return -1;
    for (int i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &store_statements[i],
                               NULL) != SQLITE_OK)
            return store_failed(path);
    }
    return load(known);
}

/* ---- rows ---------------------------------------------------------------------------------- */

int store_run(int which, int count, ...)
{
    sqlite3_stmt *s = store_statements[which];
    va_list values;

    va_start(values, count);
    for (int i = 1; i <= count; i++)
        sqlite3_bind_int64(s, i, va_arg(values, sqlite3_int64));
    va_end(values);
    int r = sqlite3_step(s);
    int end = sqlite3_reset(s);
    return end == SQLITE_OK ? r : end;
}

int store_begin(void)
{
    if (batch)
        return 0;
    if (check_log() < 0)
        return -1;
    if (store_run(BEGIN, 0) != SQLITE_DONE)
        return store_failed("a batch cannot begin");
    batch = true;
    return 0;
}

static void set_dirty(source *s)
{
    if (s->dirty)
        return;
    s->dirty = true;
    s->next_dirty = dirty;
    dirty = s;
}

static int new_row(source *s)
{
    int64_t id = s->epoch ? highest_id + 1 : lowest_id - 1;

    sqlite3_bind_text(store_statements[NEW_SOURCE], 2, s->device, -1, SQLITE_STATIC);
    sqlite3_bind_int64(store_statements[NEW_SOURCE], 3, (sqlite3_int64)s->epoch);
    if (store_run(NEW_SOURCE, 1, (sqlite3_int64)id) != SQLITE_DONE)
        return store_failed("a source cannot be added");
    s->id = id;
    if (s->epoch)
        highest_id = id;
    else
        lowest_id = id;
    return 0;
}

static void bind_value(int which, const mote_telemetry_Sample *sample)
{
    sqlite3_bind_text(store_statements[which], 4, sample->metric.data, (int)sample->metric.len,
                      SQLITE_STATIC);
    sqlite3_bind_double(store_statements[which], 5, sample->value);
}

/* ---- boards that do not know the time of day ------------------------------------------------- */

static int write_clock(source *s)
{
    if (s->clock_first > 0 &&
        (store_run(ADD_CLOCK, 3, (sqlite3_int64)s->id, (sqlite3_int64)s->clock_first,
                   (sqlite3_int64)s->clock_ms) != SQLITE_DONE ||
         store_run(DROP_CLOCKS, 1, (sqlite3_int64)s->id) != SQLITE_DONE))
        return store_failed("a clock cannot be added");
    s->clock_new = false;
    return 0;
}

/* When the clock was 0 that began with this sample. 1, 0: it was never heard, or -1. */
static int clock_zero(const source *s, uint64_t first, int64_t *zero)
{
    sqlite3_stmt *find = store_statements[FIND_CLOCK];

    *zero = s->clock_ms;
    if (first == s->clock_first)
        return 1;
    sqlite3_bind_int64(find, 1, (sqlite3_int64)s->id);
    sqlite3_bind_int64(find, 2, (sqlite3_int64)first);
    bool heard = sqlite3_step(find) == SQLITE_ROW;
    if (heard)
        *zero = sqlite3_column_int64(find, 0);
    return sqlite3_reset(find) == SQLITE_OK ? heard : store_failed("the clocks cannot be read");
}

/* The time of day of a sample, by the clock of the start of the board in which it was taken. Where
 * that was never heard, it was taken before the last start, and gets the time of that. */
static int time_of(const source *s, const mote_telemetry_Sample *sample, int64_t *time_ms)
{
    bool current = sample->before_start == 0 && sample->sequence >= s->clock_first;
    uint64_t first = current ? s->clock_first : sample->before_start + 1;
    int64_t zero;

    *time_ms = sample->time_ms;
    if (first == 0)
        return 0; /* it knows */
    int heard = clock_zero(s, first, &zero);
    if (heard < 0)
        return -1;
    if (!heard)
        *time_ms = s->clock_first ? s->clock_ms : (int64_t)store_now_ms();
    else if (__builtin_add_overflow(zero, sample->time_ms, time_ms))
        *time_ms = zero;
    return 0;
}

int store_add(source *s, const mote_telemetry_Sample *sample)
{
    int64_t time_ms;

    if (store_begin() < 0 || (s->id == 0 && new_row(s) < 0) ||
        (s->clock_new && write_clock(s) < 0) || time_of(s, sample, &time_ms) < 0)
        return -1;
    bind_value(ADD, sample);
    if (store_run(ADD, 3, (sqlite3_int64)s->id, (sqlite3_int64)sample->sequence,
                  (sqlite3_int64)time_ms) != SQLITE_DONE)
        return store_failed("a sample cannot be added");
    store_batch_size++;
    set_dirty(s);
    return 0;
}

int store_has(const source *s, const mote_telemetry_Sample *sample, bool *is)
{
    bind_value(HAS, sample);
    int r = store_run(HAS, 3, (sqlite3_int64)s->id, (sqlite3_int64)sample->sequence,
                      (sqlite3_int64)sample->time_ms);

    *is = r == SQLITE_ROW;
    return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : store_failed("the samples cannot be read");
}

static int write_tags(const source *s)
{
    const char *text = s->tags ? s->tags : "";
    size_t len = strlen(text);
    tag t;

    sqlite3_bind_text(store_statements[CLEAR_TAGS], 1, s->device, -1, SQLITE_STATIC);
    if (store_run(CLEAR_TAGS, 0) != SQLITE_DONE)
        return store_failed("tags cannot be replaced");
    while (len > 0 && take_tag(&text, &len, &t)) {
        sqlite3_bind_text(store_statements[ADD_TAG], 1, s->device, -1, SQLITE_STATIC);
        sqlite3_bind_text(store_statements[ADD_TAG], 2, t.key, (int)t.key_len, SQLITE_STATIC);
        sqlite3_bind_text(store_statements[ADD_TAG], 3, t.value, (int)t.value_len, SQLITE_STATIC);
        if (store_run(ADD_TAG, 0) != SQLITE_DONE)
            return store_failed("a tag cannot be added");
    }
    return 0;
}

static int update(source *s)
{
    s->seen_ms = store_now_ms();
    if (store_run(UPDATE_SOURCE, 4, (sqlite3_int64)s->accepted, (sqlite3_int64)s->dropped,
                  (sqlite3_int64)s->seen_ms, (sqlite3_int64)s->id) != SQLITE_DONE)
        return store_failed("a source cannot be updated");
    if (s->tags_new && write_tags(s) < 0)
        return -1;
    s->tags_new = false;
    return s->clock_new ? write_clock(s) : 0;
}

int store_touch(source *s)
{
    if (s->id == 0)
        return 0;
    return store_begin() < 0 || update(s) < 0 ? -1 : 0;
}

int store_renew(source *s)
{
    if (store_begin() < 0 || (s->dirty && update(s) < 0))
        return -1;
    s->accepted = s->stored = s->told = 0;
    return new_row(s);
}

/* ---- the end of a batch ------------------------------------------------------------------------
 */

int store_commit(void)
{
    if (!batch)
        return 0;
    for (source *s = dirty; s; s = s->next_dirty) {
        if (update(s) < 0)
            return -1;
    }
    if (store_run(COMMIT, 0) != SQLITE_DONE)
        return store_failed("a batch cannot be committed");
    batch = false;
    store_batch_size = 0;
    commits++;
    for (; dirty; dirty = dirty->next_dirty) {
        dirty->dirty = false;
        dirty->stored = dirty->accepted;
        count_stored(dirty);
    }
    return 0;
}
