/* Connecting beside a loop: in a thread, since looking up a name blocks. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <pthread.h>

static void *dial(void *context)
{
    mote_posix_dial *d = context;

    d->fd = mote_posix_connect_from(d->address, d->first, d->timeout_ms);
    __atomic_store_n(&d->state, MOTE_POSIX_DIAL_DONE, __ATOMIC_RELEASE);
    return NULL;
}

void mote_posix_dial_begin(mote_posix_dial *d, const char *address, uint32_t timeout_ms)
{
    pthread_t thread;

    d->address = address;
    d->timeout_ms = timeout_ms;
    d->fd = -1;
    d->state = MOTE_POSIX_DIAL_BUSY;
    if (pthread_create(&thread, NULL, dial, d) == 0)
        pthread_detach(thread);
    else
        d->state = MOTE_POSIX_DIAL_DONE;
}

enum mote_posix_dial_state mote_posix_dial_look(mote_posix_dial *d, int *fd)
{
    enum mote_posix_dial_state state =
        (enum mote_posix_dial_state)__atomic_load_n(&d->state, __ATOMIC_ACQUIRE);

    if (state == MOTE_POSIX_DIAL_DONE) {
        *fd = d->fd;
        d->first++; /* the next time */
        d->state = MOTE_POSIX_DIAL_IDLE;
    }
    return state;
}

enum { BEGIN_MS = 20000 };

static int begin_again(mote_posix_redial *r, const char *address, uint64_t now)
{
    r->not_before_ms = now + mote_backoff_next(&r->backoff, mote_posix_random());
    mote_posix_dial_begin(&r->dial, address, BEGIN_MS);
    return -1;
}

/* The back-off begins anew where the other end was of use, or the connection has lived for as long
 * as the back-off was. One that takes connections and closes them, as a balancer without servers
 * does, is not asked at once again. */
int mote_posix_redial_look(mote_posix_redial *r, const char *address,
                           enum mote_posix_redial_has has)
{
    uint64_t now = mote_posix_now_ms();
    int fd = -1;

    if (has == MOTE_POSIX_HAS_USED || (has == MOTE_POSIX_HAS_NEW && now >= r->not_before_ms))
        r->backoff = (mote_backoff){0};
    if (mote_posix_dial_look(&r->dial, &fd) == MOTE_POSIX_DIAL_IDLE && has == MOTE_POSIX_HAS_NONE &&
        now >= r->not_before_ms)
        return begin_again(r, address, now);
    return fd;
}
