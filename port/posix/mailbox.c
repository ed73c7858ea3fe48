/* Letters between threads: a list that all push to, and that its owner takes as a whole. */
#include "mailbox.h"
#include "posix_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static mote_posix_letter closed_for_ever; /* `newest` of a mailbox whose loop has ended */

int mote_posix_mailbox_init(mote_posix_mailbox *m)
{
    *m = (mote_posix_mailbox){0};
    return mote_posix_bell(m->wake) == 0 ? 0 : mote_posix_failed("mailbox", NULL, strerror(errno));
}

void mote_posix_mailbox_free(mote_posix_mailbox *m)
{
    mote_posix_bell_free(m->wake);
}

/* Who takes letters out takes all of them, so that none is put behind one that has gone and come
 * again. Who finds it closed sees what its loop did before, as how calls have ended. */
int mote_posix_mailbox_put(mote_posix_mailbox *m, mote_posix_letter *letter)
{
    mote_posix_letter *seen = __atomic_load_n(&m->newest, __ATOMIC_ACQUIRE);
    int saved = errno;

    do {
        if (seen == &closed_for_ever)
            return -1;
        letter->next = seen;
    } while (!__atomic_compare_exchange_n(&m->newest, &seen, letter, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    if (!seen)
        mote_posix_ring(m->wake);
    errno = saved;
    return 0;
}

/* All that was put in, the oldest first, and what is put in then. */
static mote_posix_letter *take_letters(mote_posix_mailbox *m, mote_posix_letter *then)
{
    mote_posix_letter *l = __atomic_exchange_n(&m->newest, then, __ATOMIC_ACQ_REL), *oldest = NULL;

    while (l) {
        mote_posix_letter *before = l->next;
        l->next = oldest;
        oldest = l;
        l = before;
    }
    return oldest;
}

static void open_letters(mote_posix_letter *l)
{
    for (mote_posix_letter *next; l; l = next) {
        next = l->next;
        l->open(l);
    }
}

void mote_posix_open_mailbox(mote_posix_mailbox *m)
{
    open_letters(take_letters(m, NULL));
}

void mote_posix_close_mailbox(mote_posix_mailbox *m)
{
    open_letters(take_letters(m, &closed_for_ever));
}

/* A wake may be of letters that were taken before it was read. False: it is time to give up. */
static bool wait_for_letters(mote_posix_mailbox *m, uint64_t until_ms)
{
    struct pollfd put = {.fd = m->wake[0], .events = POLLIN};
    uint64_t now = mote_posix_now_ms(), ms = now < until_ms ? until_ms - now : 0;

    if (poll(&put, 1, ms > 0x7fffffff ? -1 : (int)ms) <= 0)
        return false;
    mote_posix_hush(m->wake[0]);
    return true;
}

mote_posix_letter *mote_posix_mailbox_next(mote_posix_mailbox *m, uint32_t timeout_ms)
{
    uint64_t until = timeout_ms == UINT32_MAX ? UINT64_MAX : mote_posix_now_ms() + timeout_ms;

    while (!m->oldest && !(m->oldest = take_letters(m, NULL))) {
        if (!wait_for_letters(m, until))
            return NULL;
    }
    mote_posix_letter *l = m->oldest;
    m->oldest = l->next;
    return l;
}
