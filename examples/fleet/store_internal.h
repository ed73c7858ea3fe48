/* What the files of the store share. */
#ifndef EXAMPLES_STORE_INTERNAL_H
#define EXAMPLES_STORE_INTERNAL_H

#include "store.h"

#include <sqlite3.h>

enum store_statement {
    ADD,
    HAS,
    NEW_SOURCE,
    UPDATE_SOURCE,
    MARK,
    OLD_ROW,
    FORGET,
    FORGET_MARKS,
    EXPIRE,
    EXPIRE_TAGS,
    CLEAR_TAGS,
    ADD_TAG,
    ADD_CLOCK,
    DROP_CLOCKS,
    FIND_CLOCK,
    EXPIRE_CLOCKS,
    BEGIN,
    COMMIT,
    STATEMENTS
};
extern sqlite3_stmt *store_statements[STATEMENTS];
extern uint64_t store_batch_size; /* samples that were added since the last commit */

/* Keeps the reason, and closes; -1. */
int store_failed(const char *what);

/* Runs a statement with the integers that are given; SQLITE_ROW, or SQLITE_DONE. */
int store_run(int which, int count, ...);

/* Begins a batch where there is none. 0, or -1. */
int store_begin(void);

/* The store was closed: what is old is looked for anew. */
void store_old_begin(void);

#endif
