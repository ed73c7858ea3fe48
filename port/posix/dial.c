/* Connecting beside a loop: in a thread, since looking up a name blocks. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <pthread.h>

static void *dial(void *context)
{
    mote_posix_dial *d = context;

    d->fd = mote_posix_connect(d->address, d->timeout_ms);
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
        d->state = MOTE_POSIX_DIAL_IDLE;
    }
    return state;
}
