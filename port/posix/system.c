/* What systems differ in: sockets that do not block, what wakes a thread, cores, who is at the
 * other end of a Unix socket. Linux has calls for it; elsewhere it is made of what POSIX has. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/random.h>
#endif
#if !MOTE_POSIX_POLL
#include <sys/eventfd.h>
#endif

/* Not inherited by programs that are started, and without waiting. */
static int prepare_socket(int fd)
{
    if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

int mote_posix_socket(int family)
{
#ifdef __linux__
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
    return prepare_socket(socket(family, SOCK_STREAM, 0));
#endif
}

int mote_posix_accept_socket(int listener)
{
#ifdef __linux__
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    return prepare_socket(accept(listener, NULL, NULL));
#endif
}

void mote_posix_make_zero(void *pages, size_t size)
{
#ifdef __linux__
    if (madvise(pages, size, MADV_DONTNEED) == 0)
        return;
#else
    if (mmap(pages, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED)
        return;
#endif
    memset(pages, 0, size);
}

int mote_posix_bell(int bell[2])
{
#if MOTE_POSIX_POLL
    if (pipe(bell) < 0)
        return -1;
    if (prepare_socket(bell[0]) < 0) {
        close(bell[1]);
        return -1;
    }
    if (prepare_socket(bell[1]) >= 0)
        return 0;
    close(bell[0]);
    return -1;
#else
    (void)prepare_socket;
    bell[0] = bell[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return bell[0] < 0 ? -1 : 0;
#endif
}

void mote_posix_bell_free(const int bell[2])
{
    if (bell[1] != bell[0])
        close(bell[1]);
    if (bell[0] >= 0)
        close(bell[0]);
}

/* A pipe that is full is heard, too. */
void mote_posix_ring(const int bell[2])
{
    uint64_t one = 1;

    if (write(bell[1], &one, sizeof one) < 0)
        return;
}

void mote_posix_hush(int fd)
{
    char rings[256];

    while (read(fd, rings, sizeof rings) == sizeof rings)
        ;
}

bool mote_posix_system_random(uint32_t *number)
{
#ifdef __linux__
    return getrandom(number, sizeof *number, GRND_NONBLOCK) == sizeof *number;
#else
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && read(fd, number, sizeof *number) == sizeof *number;

    if (fd >= 0)
        close(fd);
    return ok;
#endif
}

size_t mote_posix_core_count(void)
{
    long all = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t cores;

    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        return (size_t)CPU_COUNT(&cores);
#endif
    return all > 0 ? (size_t)all : 1;
}

bool mote_posix_peer_user(int fd, unsigned long *user)
{
#ifdef SO_PEERCRED
    struct ucred who;
    socklen_t len = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
        return false;
    *user = who.uid;
    return true;
#else
    (void)fd, (void)user;
    return false;
#endif
}
