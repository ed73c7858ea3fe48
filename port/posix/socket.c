/* Sockets: their addresses, connecting with a time limit, and a transport over one. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- addresses ----------------------------------------------------------------------------- */

bool mote_posix_is_unix(const char *address)
{
    return strncmp(address, "unix:", 5) == 0;
}

int mote_posix_unix_address(const char *address, struct sockaddr_un *un)
{
    memset(un, 0, sizeof *un);
    un->sun_family = AF_UNIX;
    if (address[5] == '\0') /* it would be an abstract name, open to all of the machine */
        return mote_posix_failed("address", address, "no path behind unix:");
    if (strlen(address + 5) >= sizeof un->sun_path)
        return mote_posix_failed("address", address, "path too long");
    strcpy(un->sun_path, address + 5);
    return 0;
}

/* "host:port" in numbers; an IPv4 address that an IPv6 socket has mapped (RFC 4291 2.5.5.2) is
 * written as IPv4. `otherwise`: what is written where there is none. */
static const char *put_address(const struct sockaddr_storage *a, char out[128],
                               const char *otherwise)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;
    const struct sockaddr_in *four = (const struct sockaddr_in *)a;
    bool mapped = a->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
    char host[64], port[16];
    socklen_t len = a->ss_family == AF_INET6 ? sizeof *six : sizeof *four;

    if ((a->ss_family != AF_INET6 && a->ss_family != AF_INET) ||
        getnameinfo((const struct sockaddr *)a, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return strcpy(out, otherwise);
    if (mapped)
        snprintf(out, 128, "%s:%s", strrchr(host, ':') + 1, port);
    else
        snprintf(out, 128, a->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return out;
}

const char *mote_posix_address(int fd, char out[128])
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;

    memset(&a, 0, sizeof a);
    if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return strcpy(out, "?");
    if (a.ss_family != AF_UNIX)
        return put_address(&a, out, "?");
    snprintf(out, 128, "unix:%.110s", ((struct sockaddr_un *)&a)->sun_path);
    return out;
}

const char *mote_posix_peer_address(const mote_posix_conn *conn, char out[128])
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    unsigned long user;

    memset(&a, 0, sizeof a);
    if (getpeername(conn->fd, (struct sockaddr *)&a, &len) < 0)
        return strcpy(out, "");
    if (a.ss_family != AF_UNIX || !mote_posix_peer_user(conn->fd, &user))
        return put_address(&a, out, "");
    snprintf(out, 128, "unix:uid=%lu", user);
    return out;
}

/* ---- connecting ---------------------------------------------------------------------------- */

/* Waits for a socket, and no longer than until a signal comes or another thread wakes this one: as
 * poll(), which says 0 as well when it was that; without a socket (-1) it is a sleep. */
static int wait_for(int fd, short events, uint64_t until_ms)
{
    struct pollfd p[] = {{.fd = fd, .events = events},
                         {.fd = mote_posix_wake_fd(), .events = POLLIN},
                         {.fd = mote_posix_thread_fd, .events = POLLIN}};
    uint64_t now = mote_posix_now_ms(), ms = now < until_ms ? until_ms - now : 0;
    int r = poll(p, 3, ms > 0x7fffffff ? -1 : (int)ms);

    if (r > 0 && p[2].revents != 0)
        mote_posix_hush(mote_posix_thread_fd);
    return r > 0 && p[0].revents == 0 ? 0 : r;
}

enum { ATTEMPTS = 8, NEXT_ADDRESS_MS = 250 }; /* RFC 8305 5 */

/* Attempts to connect that run side by side. */
typedef struct {
    struct pollfd fds[ATTEMPTS + 1]; /* and what a signal wakes */
    nfds_t count;
    int error; /* of the last one that has failed */
} race;

/* Begins one more. */
static void enter_wait(race *r, const struct addrinfo *a)
{
    int fd = mote_posix_socket(a->ai_family);

    if (fd >= 0 &&
        (connect(fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS || errno == EINTR)) {
        r->fds[r->count++] = (struct pollfd){.fd = fd, .events = POLLOUT};
        return;
    }
    r->error = errno;
    if (fd >= 0)
        close(fd);
}

/* What is decided by then: a connected socket; -1: none, and r->count says how many are
 * still on their way. */
static int look(race *r, uint64_t until)
{
    uint64_t now = mote_posix_now_ms(), ms = now < until ? until - now : 0;

    r->fds[r->count] = (struct pollfd){.fd = mote_posix_wake_fd(), .events = POLLIN};
    if (poll(r->fds, r->count + 1, ms > 0x7fffffff ? -1 : (int)ms) <= 0)
        return -1;
    for (nfds_t i = 0; i < r->count; i++) {
        int fd = r->fds[i].fd, error = 0;
        socklen_t len = sizeof error;
        if (r->fds[i].revents == 0)
            continue;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
        r->fds[i--] = r->fds[--r->count];
        if (error == 0)
            return fd;
        r->error = error;
        close(fd);
    }
    return -1;
}

static size_t address_count(const struct addrinfo *list)
{
    size_t n = 0;

    for (; list; list = list->ai_next)
        n++;
    return n;
}

static const struct addrinfo *address_at(const struct addrinfo *list, size_t i)
{
    while (i-- > 0)
        list = list->ai_next;
    return list;
}

/* Each address, from that with the number `first` on and around, has NEXT_ADDRESS_MS, or until it
 * has failed, before the next one is tried beside it. The first that answers; -1 and errno. */
static int connect_any(const struct addrinfo *list, size_t first, uint64_t until)
{
    race r = {.error = EADDRNOTAVAIL};
    uint64_t next = 0;
    size_t begun = 0, n = address_count(list);
    int fd = -1, on = 1;

    while (fd < 0 && (begun < n || r.count > 0)) {
        uint64_t now = mote_posix_now_ms();
        if (begun < n && r.count < ATTEMPTS && (r.count == 0 || now >= next)) {
            enter_wait(&r, address_at(list, (first % n + begun++) % n));
            next = now + NEXT_ADDRESS_MS;
        }
        uint64_t look_until = begun < n && r.count < ATTEMPTS && next < until ? next : until;
        if (r.count > 0)
            fd = look(&r, mote_posix_stops() ? now : look_until);
        if (fd < 0 && (mote_posix_now_ms() >= until || mote_posix_stops())) {
            r.error = mote_posix_stops() ? EINTR : r.count > 0 ? ETIMEDOUT : r.error;
            break;
        }
    }
    while (r.count > 0)
        close(r.fds[--r.count].fd);
    if (fd >= 0) /* without effect on a Unix socket */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    errno = r.error;
    return fd;
}

int mote_posix_connect_from(const char *address, size_t first, uint32_t timeout_ms)
{
    uint64_t until = mote_posix_now_ms() + timeout_ms;
    struct sockaddr_un un;
    struct addrinfo *list;
    int fd = -1;

    if (mote_posix_is_unix(address)) {
        if (mote_posix_unix_address(address, &un) < 0)
            return -1;
        fd = connect_any(&(struct addrinfo){.ai_family = AF_UNIX,
                                            .ai_addr = (struct sockaddr *)&un,
                                            .ai_addrlen = sizeof un},
                         0, until);
    } else {
        if (mote_posix_resolve(address, 0, until, &list) < 0)
            return -1;
        fd = connect_any(list, first, until);
        freeaddrinfo(list);
    }
    mote_posix_trace_begin(fd);
    if (fd >= 0)
        return fd;
    return mote_posix_failed("connect", address,
                             mote_posix_stops() ? "the program was told to stop" : strerror(errno));
}

int mote_posix_connect(const char *address, uint32_t timeout_ms)
{
    return mote_posix_connect_from(address, 0, timeout_ms);
}

int mote_posix_accept_one(int listener, uint32_t timeout_ms)
{
    uint64_t until = mote_posix_now_ms() + timeout_ms;
    int on = 1;

    for (;;) {
        int fd = mote_posix_accept_socket(listener);
        if (fd >= 0) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            mote_posix_trace_begin(fd);
            return fd;
        }
        bool nobody = errno == EAGAIN || errno == ECONNABORTED || errno == EPROTO; /* or gone */
        int r = nobody && !mote_posix_stops() ? wait_for(listener, POLLIN, until) : -1;
        if (mote_posix_stops() && r <= 0)
            return mote_posix_failed("accept", "", "the program was told to stop");
        if (r == 0 || (r < 0 && errno != EINTR))
            return mote_posix_failed("accept", "", r == 0 ? "time-out" : strerror(errno));
    }
}

/* ---- a transport for straight-line code ---------------------------------------------------- */

/* What recv() and send() say, as mote_io does. A signal to stop ends the transport as well. */
static int moved(const char *what, ssize_t n)
{
    if (n >= 0)
        return (int)n;
    if ((errno == EAGAIN || errno == EINTR) && !mote_posix_stops())
        return 0;
    return mote_posix_failed(what, NULL,
                             mote_posix_stops() ? "the program was told to stop" : strerror(errno));
}

static int io_read(void *context, uint8_t *buf, size_t cap)
{
    int fd = *(int *)context;
    ssize_t n = recv(fd, buf, cap, 0);

    if (n == 0) {
        return mote_posix_failed(NULL, NULL, NULL);
    }
    mote_posix_trace_bytes(fd, false, buf, n > 0 ? (size_t)n : 0);
    return moved("read", n);
}

static int io_write(void *context, const uint8_t *buf, size_t len)
{
    int fd = *(int *)context;
    ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

    mote_posix_trace_bytes(fd, true, buf, n > 0 ? (size_t)n : 0);
    return moved("write", n);
}

static void io_wait(void *context, bool writing, uint64_t until_ms)
{
    wait_for(*(int *)context, writing ? POLLIN | POLLOUT : POLLIN, until_ms);
}

static uint64_t io_now(void *context)
{
    (void)context;
    return mote_posix_now_ms();
}

static uint32_t io_random(void *context)
{
    (void)context;
    return mote_posix_random();
}

static const char *io_error(void *context)
{
    (void)context;
    return mote_posix_error();
}

mote_io mote_posix_io(int *fd)
{
    return (mote_io){.context = fd,
                     .read = io_read,
                     .write = io_write,
                     .wait = io_wait,
                     .now_ms = io_now,
                     .error = io_error,
                     .random = io_random};
}

static void dialer_close(void *context)
{
    mote_posix_dialer *d = context;

    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

/* Each address has its part of the time that is left. What a name stands for takes turns as well:
 * one that takes connections, and is of no use, is not tried first again. */
static int dialer_connect(void *context, uint64_t until_ms)
{
    mote_posix_dialer *d = context;

    dialer_close(d);
    for (size_t left = d->count; left > 0 && d->fd < 0; left--) {
        uint64_t now = mote_posix_now_ms(), ms = now < until_ms ? (until_ms - now) / left : 0;
        size_t at = d->next++;
        d->fd = mote_posix_connect_from(d->addresses[at % d->count], at / d->count,
                                        ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX);
    }
    return d->fd < 0 ? -1 : 0;
}

/* The socket is the dialer's first member, so the other functions serve both. */
mote_io mote_posix_dialer_io(mote_posix_dialer *dialer)
{
    mote_io io = mote_posix_io(&dialer->fd);

    io.context = dialer;
    io.connect = dialer_connect;
    io.close = dialer_close;
    return io;
}
