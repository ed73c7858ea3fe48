/* Listening: TCP over IPv4 and IPv6, Unix sockets, and several sockets at one address. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { HOLD_TRIES = 100, HOLD_MS = 10, BACKLOG = 1024 };

/* A socket that is closed on an error, which stays in errno. */
static int drop(int fd)
{
    int saved = errno;

    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

static int listen_on(const struct sockaddr *a, socklen_t len, int family, bool beside)
{
    int fd = mote_posix_socket(family);
    int on = 1, off = 0;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6) /* the wildcard serves IPv4 as well */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (beside && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        return drop(fd);
    return bind(fd, a, len) == 0 && listen(fd, BACKLOG) == 0 ? fd : drop(fd);
}

/* Does nobody answer on it? A file, a link and a socket that is in use are somebody's. */
static bool is_left_over(const struct sockaddr_un *un)
{
    struct stat s;
    int fd = mote_posix_socket(AF_UNIX);
    bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)un, sizeof *un) < 0 &&
                   errno == ECONNREFUSED;

    if (fd >= 0)
        close(fd);
    return refused && lstat(un->sun_path, &s) == 0 && S_ISSOCK(s.st_mode);
}

/* Holds the folder of a path, so that of two that find the same left-over socket one replaces it.
 * -1: another one is doing so. */
static int hold_folder(const char *path)
{
    char folder[sizeof((struct sockaddr_un *)0)->sun_path + 1];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < HOLD_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        poll(NULL, 0, HOLD_MS);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Replaces a socket that a server which was killed has left, and nothing else. */
static int listen_unix(const char *address)
{
    struct sockaddr_un un;

    if (mote_posix_unix_address(address, &un) < 0)
        return -1;
    int folder = hold_folder(un.sun_path);
    int fd = listen_on((struct sockaddr *)&un, sizeof un, AF_UNIX, false), why = errno;
    if (fd < 0 && why == EADDRINUSE && folder >= 0 && is_left_over(&un)) {
        unlink(un.sun_path);
        fd = listen_on((struct sockaddr *)&un, sizeof un, AF_UNIX, false);
        why = errno;
    }
    if (folder >= 0)
        close(folder);
    return fd >= 0 ? fd : mote_posix_failed("listen", address, strerror(why));
}

int mote_posix_listen(const char *address)
{
    struct addrinfo *list;
    int fd = -1;

    if (mote_posix_is_unix(address))
        return listen_unix(address);
    if (mote_posix_resolve(address, AI_PASSIVE, UINT64_MAX, &list) < 0)
        return -1;
    /* The IPv6 wildcard first: it takes both protocols. */
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        if (a->ai_family == AF_INET6)
            fd = listen_on(a->ai_addr, a->ai_addrlen, a->ai_family, false);
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = listen_on(a->ai_addr, a->ai_addrlen, a->ai_family, false);
    if (fd < 0)
        mote_posix_failed("listen", address, strerror(errno));
    freeaddrinfo(list);
    return fd;
}

/* ---- one for each worker ------------------------------------------------------------------- */

/* A socket at the address of another one, beside it: the kernel deals connections out to both. */
static int listen_beside(int first)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;

    memset(&a, 0, sizeof a);
    if (getsockname(first, (struct sockaddr *)&a, &len) < 0)
        return -1;
    return listen_on((struct sockaddr *)&a, len, a.ss_family, true);
}

/* Whether others may listen beside a socket that has its address already, so that two programs by
 * mistake do not share it. Unix sockets cannot; where it is not Linux, they would not share fairly.
 */
static bool lets_others_in(int first, const char *address)
{
#ifdef __linux__
    int on = 1;

    return !mote_posix_is_unix(address) &&
           setsockopt(first, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
#else
    (void)first, (void)address;
    return false;
#endif
}

int mote_posix_listen_each(const char *address, int *listeners, size_t count)
{
    size_t made = 1;

    if ((listeners[0] = mote_posix_listen(address)) < 0)
        return -1;
    bool beside = count > 1 && lets_others_in(listeners[0], address);
    while (made < count) {
        int fd = beside ? listen_beside(listeners[0]) : fcntl(listeners[0], F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            break;
        listeners[made++] = fd;
    }
    if (made == count)
        return count > 1 && !beside;
    mote_posix_failed("listen", address, strerror(errno));
    while (made > 0)
        close(listeners[--made]);
    return -1;
}
