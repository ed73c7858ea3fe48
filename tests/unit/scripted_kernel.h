/* A scripted kernel: the clock, poll(), connect(), accept4(), recv() and send() say what a row
 * says, so that each errno and each limit at -1, 0 and +1 is met at once and on every machine. One
 * file of a program includes it, first of all. */
#ifndef SCRIPTED_KERNEL_H
#define SCRIPTED_KERNEL_H

#define _DEFAULT_SOURCE
#include "../../port/posix/posix_internal.h"
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ms = 1000;
static long clock_ns, clock_step_ns; /* beside the ms, and more with each look; below 10^9 */

int clock_gettime(clockid_t which, struct timespec *t)
{
    (void)which;
    clock_ns += clock_step_ns;
    clock_ms += (uint64_t)clock_ns / 1000000;
    clock_ns %= 1000000;
    *t = (struct timespec){.tv_sec = (time_t)(clock_ms / 1000),
                           .tv_nsec = (long)(clock_ms % 1000) * 1000000 + clock_ns};
    return 0;
}

/* Of the last poll(): what it was asked, and what it says. */
static struct {
    nfds_t count;
    int fd, timeout_ms, calls;
    short events;
    int ready[12];   /* of each call: the index that is ready then, or -1: the time passes */
    int begun[12];   /* of each call: connections that were under way */
    uint64_t at[12]; /* when it was asked */
} polled;

enum { ALL_OF = 16 }; /* and a bit for each that is ready */

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    int at = polled.calls < 12 ? polled.ready[polled.calls] : -1;

    if (polled.calls < 12) {
        polled.begun[polled.calls] = (int)count - 1;
        polled.at[polled.calls] = clock_ms;
    }
    polled.calls++;
    polled.count = count;
    polled.fd = fds ? fds[0].fd : -1;
    polled.events = fds ? fds[0].events : 0;
    polled.timeout_ms = timeout;
    for (nfds_t i = 0; fds && i < count; i++)
        fds[i].revents =
            (int)i == at || (at >= ALL_OF && (at - ALL_OF) >> i & 1) ? fds[i].events : 0;
    if (at < 0 && timeout > 0)
        clock_ms += (uint64_t)timeout;
    return at >= 0;
}

static int moves_error; /* of recv() and send(); 0: none */
static ssize_t moves;   /* what they say then */
static bool is_scripted;
static int move_calls;

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
    if (!is_scripted)
        return syscall(SYS_recvfrom, fd, buf, len, flags, NULL, NULL);
    move_calls++;
    errno = moves_error;
    return moves_error ? -1 : moves;
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
    if (!is_scripted)
        return syscall(SYS_sendto, fd, buf, len, flags, NULL, 0);
    move_calls++;
    errno = moves_error;
    return moves_error ? -1 : moves;
}

/* Addresses, each of which answers as its last byte says: connect() and SO_ERROR. */
enum { ANSWERS = 0, SILENT = 1, REFUSES = 2, REFUSES_AT_ONCE = 3, NO_SOCKET = 4 };
static int how_of_fd[64], order[16], begun_count;

int connect(int fd, const struct sockaddr *a, socklen_t len)
{
    int how = ntohs(((const struct sockaddr_in *)a)->sin_port) % 10;

    (void)len;
    order[begun_count++ % 16] = ntohs(((const struct sockaddr_in *)a)->sin_port) / 10;
    how_of_fd[fd % 64] = how;
    errno = how == REFUSES_AT_ONCE ? ECONNREFUSED : EINPROGRESS;
    return -1;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    (void)level, (void)name, (void)len;
    *(int *)value = how_of_fd[fd % 64] == REFUSES ? ECONNREFUSED : 0;
    return 0;
}

/* "names.test": those of `listed`, in their order. */
static const int *listed;
static size_t listed_count;
static bool asks_for_names; /* by a thread; else they are found at once, as numbers are */

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **list)
{
    static struct addrinfo items[16];
    static struct sockaddr_in addresses[16];

    (void)port;
    if (asks_for_names && (hints->ai_flags & AI_NUMERICHOST))
        return EAI_NONAME;
    if (!host || strcmp(host, "names.test") != 0)
        return EAI_NONAME;
    for (size_t i = 0; i < listed_count; i++) {
        addresses[i] = (struct sockaddr_in){
            .sin_family = AF_INET, .sin_port = htons((uint16_t)(i * 10 + (size_t)listed[i]))};
        items[i] = (struct addrinfo){.ai_family = AF_INET,
                                     .ai_addr = (struct sockaddr *)&addresses[i],
                                     .ai_addrlen = sizeof addresses[i],
                                     .ai_next = i + 1 < listed_count ? &items[i + 1] : NULL};
    }
    *list = items;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

static int accepts[8]; /* what accept4() says, one after the other: an errno, or 0: a socket; -1:
                          the last again */
static int accept_calls, far_side[8];

int accept4(int listener, struct sockaddr *a, socklen_t *len, int flags);
int accept4(int listener, struct sockaddr *a, socklen_t *len, int flags)
{
    int pair[2], i = accept_calls < 7 ? accept_calls : 7;

    (void)listener, (void)a, (void)len, (void)flags;
    accept_calls++;
    errno = accepts[i];
    if (accepts[i] != 0)
        return -1;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    far_side[i] = pair[1];
    return pair[0];
}

static bool no_epoll;

int epoll_create1(int flags)
{
    errno = EMFILE;
    return no_epoll ? -1 : (int)syscall(SYS_epoll_create1, flags);
}

static int waited_ms;

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    int n = (int)syscall(SYS_epoll_pwait, epoll, events, most, 0, NULL, 0);

    waited_ms = timeout;
    if (n == 0 && timeout > 0)
        clock_ms += (uint64_t)timeout;
    return n;
}

#endif
