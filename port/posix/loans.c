/*
 * Memory of a worker's connections (grpc/rest.h): loans for those that are at work, and blocks for
 * what the others keep. All of it is mapped at the start, and touched when it is used: loans that
 * are given back are lent again first, so that few of them have pages.
 */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <string.h>
#include <sys/mman.h>

/* ---- loans --------------------------------------------------------------------------------- */

int mote_posix_loans_begin(mote_posix_loans *l, size_t count, size_t loan, size_t kept)
{
    enum { PAGE = 1 << 16 }; /* the largest there is */

    l->count = count;
    l->loan_size = (loan + PAGE - 1) / PAGE * PAGE;
    l->kept_size = count * kept;
    l->memory = mote_posix_memory(count, l->loan_size);
    l->cold = mote_posix_memory(count, sizeof *l->cold);
    l->kept = mote_posix_memory(count, kept);
    return l->memory && l->cold && l->kept ? 0 : -1;
}

void mote_posix_loans_end(mote_posix_loans *l)
{
    if (l->memory)
        munmap(l->memory, l->count * l->loan_size);
    if (l->cold)
        munmap(l->cold, l->count * sizeof *l->cold);
    if (l->kept)
        munmap(l->kept, l->kept_size);
    memset(l, 0, sizeof *l);
}

void *mote_posix_loan_take(mote_posix_loans *l)
{
    MOTE_CHECK_THAT(l->warm_count + l->cold_count > 0 || l->made < l->count);
    if (l->warm_count > 0)
        return l->warm[--l->warm_count];
    if (l->cold_count > 0)
        return l->cold[--l->cold_count];
    return l->memory + l->loan_size * l->made++;
}

void mote_posix_loan_give(mote_posix_loans *l, void *loan, bool clean)
{
    if (clean && l->warm_count < MOTE_POSIX_WARM_LOANS) {
        l->warm[l->warm_count++] = loan;
        return;
    }
    mote_posix_make_zero(loan, l->loan_size);
    l->cold[l->cold_count++] = loan;
}

/* ---- what is kept -------------------------------------------------------------------------- */

/* Blocks come in 16 sizes up to 1 KiB, and then in 8 for each doubling. */
static size_t shelf_of(size_t *size)
{
    enum { UNIT = 64 };
    size_t units = (*size + UNIT - 1) / UNIT, step = 0;

    units = units > 0 ? units : 1;
    while ((units - 1) >> step >= 16)
        step++;
    units = (units - 1) >> step; /* of 1 << step units each, less one */
    *size = ((units + 1) << step) * UNIT;
    return step == 0 ? units : 8 * step + units;
}

void *mote_posix_keep(mote_posix_loans *l, size_t size)
{
    size_t shelf = shelf_of(&size);
    void *block;

    if (shelf >= MOTE_POSIX_SHELVES)
        return NULL;
    if ((block = l->shelves[shelf])) {
        memcpy(&l->shelves[shelf], block, sizeof block);
        return block;
    }
    if (l->kept_size - l->kept_used < size)
        return NULL;
    l->kept_used += size;
    return l->kept + l->kept_used - size;
}

void mote_posix_kept_free(mote_posix_loans *l, void *block, size_t size)
{
    size_t shelf = shelf_of(&size);

    memcpy(block, &l->shelves[shelf], sizeof block);
    l->shelves[shelf] = block;
}
