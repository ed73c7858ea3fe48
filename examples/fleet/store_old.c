/* Retention: samples that came too long ago go, and then what is known of those who sent them. */
#include "store_internal.h"

static struct {
    uint64_t marked_ms, looked_ms; /* when a mark was last set, and old ones were last looked for */
    uint64_t added;                /* rows since that mark */
    int64_t below;                 /* rows below this one are to go; 0: none */
} old;

void store_old_begin(void)
{
    old.below = 0;
}

/* The number of the last row that was there at a time is noted now and then, so that rows have an
 * age by when they came, whatever time their device says. */
static int set_mark(uint64_t keep_ms, uint64_t now_ms)
{
    enum { MARKS = 64 };

    if (old.added == 0 || now_ms - old.marked_ms < keep_ms / MARKS)
        return 0;
    if (store_begin() < 0)
        return -1;
    if (store_run(MARK, 1, (sqlite3_int64)now_ms) != SQLITE_DONE)
        return store_failed("a mark cannot be set");
    old.marked_ms = now_ms;
    old.added = 0;
    return 0;
}

static int look_for_old(uint64_t keep_ms, uint64_t now_ms)
{
    enum { LOOK_MS = 1000 };
    sqlite3_stmt *s = store_statements[OLD_ROW];

    if (now_ms - old.looked_ms < LOOK_MS)
        return 0;
    old.looked_ms = now_ms;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)(now_ms - keep_ms));
    int r = sqlite3_step(s);
    old.below = r == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    return sqlite3_reset(s) == SQLITE_OK && r == SQLITE_ROW
               ? 0
               : store_failed("the marks cannot be read");
}

/* More than come, and never many at once. The last row of all stays, so that no number of a row is
 * given again. */
static int forget_some(uint64_t keep_ms, uint64_t now_ms)
{
    enum { STEP = 1000 };

    if (old.below == 0)
        return 0;
    if (store_begin() < 0)
        return -1;
    if (store_run(FORGET, 2, (sqlite3_int64)old.below,
                  (sqlite3_int64)(2 * store_batch_size + STEP)) != SQLITE_DONE)
        return store_failed("old samples cannot be deleted");
    if (sqlite3_changes(sqlite3_db_handle(store_statements[FORGET])) > 0)
        return 0;
    if (store_run(FORGET_MARKS, 2, (sqlite3_int64)(now_ms - keep_ms), (sqlite3_int64)old.below) !=
        SQLITE_DONE)
        return store_failed("old marks cannot be deleted");
    old.below = 0;
    return 0;
}

int store_forget(uint64_t keep_ms, uint64_t now_ms)
{
    old.added += store_batch_size;
    if (set_mark(keep_ms, now_ms) < 0 || look_for_old(keep_ms, now_ms) < 0)
        return -1;
    return forget_some(keep_ms, now_ms);
}

int store_expire(uint64_t before_ms, bool *more)
{
    if (store_begin() < 0)
        return -1;
    if (store_run(EXPIRE, 1, (sqlite3_int64)before_ms) != SQLITE_DONE)
        return store_failed("old sources cannot be deleted");
    *more = sqlite3_changes(sqlite3_db_handle(store_statements[FORGET])) > 0;
    if (*more &&
        (store_run(EXPIRE_TAGS, 0) != SQLITE_DONE || store_run(EXPIRE_CLOCKS, 0) != SQLITE_DONE))
        return store_failed("old tags and clocks cannot be deleted");
    return 0;
}
