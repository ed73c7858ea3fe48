/* What a loop waits for, by epoll. */
#define _GNU_SOURCE
#include "posix_internal.h"

#if !MOTE_POSIX_POLL

#include <sys/epoll.h>
#include <unistd.h>

int mote_posix_watch_begin(mote_posix_loop *loop)
{
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll < 0 ? -1 : 0;
}

void mote_posix_watch_end(mote_posix_loop *loop)
{
    close(loop->epoll);
}

/* A bell is not hushed: it may be another loop's, too, and each ring ends a wait. */
static int tell_epoll(const mote_posix_loop *loop, int how, int fd, unsigned what, void *tag)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = tag};

    if (what & MOTE_POSIX_WATCH_OUT)
        e.events |= EPOLLOUT;
    if (what & MOTE_POSIX_WATCH_SHARED)
        e.events |= EPOLLEXCLUSIVE;
    if (what & (MOTE_POSIX_WATCH_ONCE | MOTE_POSIX_WATCH_RINGS))
        e.events |= EPOLLET;
    return epoll_ctl(loop->epoll, how, fd, &e);
}

int mote_posix_watch(mote_posix_loop *loop, int fd, unsigned what, void *tag)
{
    return tell_epoll(loop, EPOLL_CTL_ADD, fd, what, tag);
}

int mote_posix_watch_other(mote_posix_loop *loop, int fd, unsigned what, void *tag)
{
    return tell_epoll(loop, EPOLL_CTL_MOD, fd, what, tag);
}

int mote_posix_watch_stop(mote_posix_loop *loop, int fd)
{
    return tell_epoll(loop, EPOLL_CTL_DEL, fd, 0, NULL);
}

/* It forgets by itself. */
void mote_posix_watch_closes(mote_posix_loop *loop, int fd)
{
    (void)loop, (void)fd;
}

int mote_posix_watch_wait(mote_posix_loop *loop, mote_posix_happening *happened, int most,
                          int timeout_ms)
{
    struct epoll_event events[MOTE_POSIX_HAPPENINGS];
    int n = epoll_wait(loop->epoll, events, most, timeout_ms);

    for (int i = 0; i < n; i++) {
        happened[i].tag = events[i].data.ptr;
        happened[i].in = (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
        happened[i].out = (events[i].events & EPOLLOUT) != 0;
    }
    return n;
}

#endif
