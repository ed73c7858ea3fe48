/* A double of the kernel for port/posix: descriptors that are ready when a test says so, and a
 * clock that moves as it does, or when there is nothing to wait for but the time. */
#ifndef ATTACK_KERNEL_H
#define ATTACK_KERNEL_H

#include "../../port/posix/posix_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { FIRST_FD = 10, FDS = 10016, LISTENER = 5, EPOLL = 6 };

static uint64_t now_ms = 1;
static void *watched[FIRST_FD + FDS]; /* by descriptor: what the loop has named it */
static bool has_input[FIRST_FD + FDS], has_gone[FIRST_FD + FDS];
static int next_fd, free_fds[FDS], free_count, connects;
static struct epoll_event ready[2 * FDS];
static int ready_count;
static const char *says = "x"; /* each with input, once */
static size_t says_len = 1;
static bool talks;         /* who connects says it at once */
static void (*idle)(void); /* nothing happens, unless it sees to it */

static void happens(int fd)
{
    ready[ready_count++] = (struct epoll_event){.events = EPOLLIN, .data.ptr = watched[fd]};
}

uint64_t mote_posix_now_ms(void)
{
    return now_ms;
}

int mote_posix_wake_fd(void)
{
    return -1;
}

static int new_fd(void)
{
    return free_count > 0 ? free_fds[--free_count] : next_fd++;
}

int epoll_create1(int flags)
{
    (void)flags;
    return EPOLL;
}

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    (void)epoll;
    watched[fd] = event->data.ptr;
    if (what == EPOLL_CTL_ADD && fd >= FIRST_FD && talks) {
        has_input[fd] = true;
        happens(fd);
    }
    return 0;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    if (ready_count == 0 && idle)
        idle();
    int n = ready_count < most ? ready_count : most;
    (void)epoll;
    if (n == 0)
        now_ms += (uint64_t)(timeout < 0 ? 0 : timeout);
    memcpy(events, ready, (size_t)n * sizeof *events);
    ready_count -= n;
    memmove(ready, ready + n, (size_t)ready_count * sizeof *ready);
    return n;
}

int accept4(int listener, struct sockaddr *restrict a, socklen_t *restrict len, int flags)
{
    (void)listener, (void)a, (void)len, (void)flags;
    errno = EAGAIN;
    return connects > 0 ? connects--, new_fd() : -1;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    (void)fd, (void)level, (void)option, (void)value, (void)len;
    return 0;
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    (void)len, (void)flags;
    if (has_input[fd]) {
        has_input[fd] = false;
        memcpy(bytes, says, says_len);
        return (ssize_t)says_len;
    }
    errno = EAGAIN;
    return has_gone[fd] ? 0 : -1;
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    (void)fd, (void)bytes, (void)flags;
    return (ssize_t)len;
}

int shutdown(int fd, int how)
{
    (void)fd, (void)how;
    return 0;
}

int close(int fd)
{
    if (fd < FIRST_FD)
        return 0;
    has_gone[fd] = false;
    free_fds[free_count++] = fd;
    return 0;
}
static void reset_kernel(void)
{
    ready_count = free_count = connects = 0;
    next_fd = FIRST_FD;
    memset(has_input, 0, sizeof has_input);
    memset(has_gone, 0, sizeof has_gone);
}

#endif
