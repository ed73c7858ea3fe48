/* Connecting beside a loop: in a thread, since looking up a name blocks. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * BEGUN --> FINISHED     the thread has put the result in
 * BEGUN --> FORGOTTEN    nobody looks any more: the thread closes and frees, when it has a result
 */
typedef struct mote_posix_dialling {
    pthread_mutex_t lock;
    enum { BEGUN, FINISHED, FORGOTTEN } state;
    uint32_t timeout_ms;
    size_t first;
    int fd;      /* -1: none */
    int wake[2]; /* a bell; -1: none */
    char why[256];
    char address[];
} dialling;

static void free_dialling(dialling *d)
{
    mote_posix_bell_free(d->wake);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static void free_result(dialling *d)
{
    if (d->fd >= 0)
        close(d->fd);
    free_dialling(d);
}

static void *dial(void *context)
{
    dialling *d = context;
    int fd = mote_posix_connect_from(d->address, d->first, d->timeout_ms);

    pthread_mutex_lock(&d->lock);
    bool abandoned = d->state == FORGOTTEN;
    d->state = FINISHED;
    d->fd = fd;
    snprintf(d->why, sizeof d->why, "%s", mote_posix_error());
    if (d->wake[0] >= 0 && !abandoned)
        mote_posix_ring(d->wake);
    pthread_mutex_unlock(&d->lock);
    if (abandoned)
        free_result(d);
    return NULL;
}

/* NULL: no memory, or no descriptor to wake the loop by. */
static dialling *new_dialling(mote_posix_loop *loop, const char *address, size_t first,
                              uint32_t timeout_ms)
{
    size_t len = strlen(address) + 1;
    dialling *d = calloc(1, sizeof *d + len);

    if (!d)
        return NULL;
    memcpy(d->address, address, len);
    d->first = first;
    d->timeout_ms = timeout_ms;
    d->fd = -1;
    if (!loop || mote_posix_bell(d->wake) < 0)
        d->wake[0] = d->wake[1] = -1;
    pthread_mutex_init(&d->lock, NULL);
    if (!loop ||
        (d->wake[0] >= 0 && mote_posix_loop_woken_by(loop, d->wake[0], MOTE_POSIX_WATCH_ONCE) == 0))
        return d;
    free_dialling(d);
    return NULL;
}

/* Signals are for the other threads: their waits end. */
static int start_dialling(dialling *d)
{
    pthread_t thread;
    int r = mote_posix_thread(&thread, dial, d);

    if (r == 0)
        pthread_detach(thread);
    return r;
}

void mote_posix_dial_begin(mote_posix_dial *d, mote_posix_loop *loop, const char *address,
                           uint32_t timeout_ms)
{
    dialling *new = new_dialling(loop, address, d->first, timeout_ms);
    int r = new ? start_dialling(new) : errno;

    d->state = r == 0 ? MOTE_POSIX_DIAL_BUSY : MOTE_POSIX_DIAL_DONE;
    d->dialling = r == 0 ? new : NULL;
    if (r == 0)
        return;
    mote_posix_failed("connect", address, strerror(r));
    if (new)
        free_dialling(new);
}

enum mote_posix_dial_state mote_posix_dial_look(mote_posix_dial *d, int *fd)
{
    enum mote_posix_dial_state state = d->state;
    dialling *under_way = d->dialling;

    if (state == MOTE_POSIX_DIAL_BUSY) {
        pthread_mutex_lock(&under_way->lock);
        if (under_way->state == FINISHED)
            state = MOTE_POSIX_DIAL_DONE;
        pthread_mutex_unlock(&under_way->lock);
    }
    if (state != MOTE_POSIX_DIAL_DONE)
        return state;
    *fd = under_way ? under_way->fd : -1;
    if (under_way) {
        mote_posix_failed_as(under_way->why);
        free_dialling(under_way);
    }
    *d = (mote_posix_dial){.first = d->first + 1}; /* the next time */
    return state;
}

void mote_posix_dial_forget(mote_posix_dial *d)
{
    dialling *under_way = d->dialling;

    *d = (mote_posix_dial){.first = d->first};
    if (!under_way)
        return;
    pthread_mutex_lock(&under_way->lock);
    bool answered = under_way->state == FINISHED;
    under_way->state = FORGOTTEN;
    pthread_mutex_unlock(&under_way->lock);
    if (answered)
        free_result(under_way);
}

/* ---- one connection that is kept open ------------------------------------------------------- */

enum { BEGIN_MS = 20000 };

static uint32_t begin_again(mote_posix_redial *r, mote_posix_loop *loop, const char *address,
                            uint64_t now)
{
    if (now < r->not_before_ms)
        return (uint32_t)(r->not_before_ms - now);
    r->not_before_ms = now + mote_backoff_next(&r->backoff, mote_posix_random());
    mote_posix_dial_begin(&r->dial, loop, address, BEGIN_MS);
    return r->dial.state == MOTE_POSIX_DIAL_BUSY ? UINT32_MAX : 0;
}

/* The back-off begins anew where the other end was of use, or the connection has lived for as long
 * as the back-off was. One that takes connections and closes them, as a balancer without servers
 * does, is not asked at once again. */
int mote_posix_redial_look(mote_posix_redial *r, mote_posix_loop *loop, const char *address,
                           enum mote_posix_redial_has has, uint32_t *wait_ms)
{
    uint64_t now = mote_posix_now_ms();
    bool has_lived = r->had != MOTE_POSIX_HAS_NONE && now >= r->not_before_ms;
    int fd = -1;

    *wait_ms = UINT32_MAX;
    if (has == MOTE_POSIX_HAS_USED || has_lived)
        r->backoff = (mote_backoff){0};
    enum mote_posix_dial_state state = mote_posix_dial_look(&r->dial, &fd);
    r->had = fd >= 0 ? MOTE_POSIX_HAS_NEW : has;
    if (fd < 0 && state != MOTE_POSIX_DIAL_BUSY && has == MOTE_POSIX_HAS_NONE)
        *wait_ms = begin_again(r, loop, address, now);
    return fd;
}
