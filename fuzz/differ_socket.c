/* A server behind a socket: see differ.h. */
#define _GNU_SOURCE

#include "differ.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A conversation that is under way. */
typedef struct {
    int fd;
    const uint8_t *in; /* still to be written */
    size_t left;
    uint8_t *out;
    size_t len, room;
    bool closed;
} talk;

static int connect_to(const mote_differ_address *a)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *i;
    int fd = -1;

    if (getaddrinfo(a->host, a->port, &hints, &list) != 0)
        return -1;
    for (i = list; i && fd < 0; i = i->ai_next) {
        fd = socket(i->ai_family, i->ai_socktype, i->ai_protocol);
        if (fd >= 0 && connect(fd, i->ai_addr, i->ai_addrlen) < 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

/* One that closes before it has read all may cut what it has said: the write's error is no end. */
static void write_some(talk *t)
{
    ssize_t n = send(t->fd, t->in, t->left, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        t->left = 0;
    if (n > 0) {
        t->in += n;
        t->left -= (size_t)n;
    }
}

static void read_some(talk *t)
{
    ssize_t n = recv(t->fd, t->out + t->len, t->room - t->len, MSG_DONTWAIT);

    if (n > 0)
        t->len += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        t->closed = true;
}

static size_t ended_streams(const mote_differ_answer *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->count; i++)
        n += a->streams[i].ended || a->streams[i].reset;
    return n;
}

/* Whether it has said as much as was expected, and the last PING was answered. */
static bool is_done(const talk *t, const mote_differ_answer *expected)
{
    static mote_differ_answer a;

    if (t->left > 0 || !expected || !expected->done)
        return false;
    mote_differ_read(&a, t->out, t->len, false);
    return a.done && ended_streams(&a) >= ended_streams(expected) &&
           a.settings_acks >= expected->settings_acks;
}

size_t mote_differ_socket(void *address, const uint8_t *in, size_t len, uint8_t *out, size_t room,
                          bool *closed, const mote_differ_answer *expected)
{
    const mote_differ_address *a = address;
    talk t = {connect_to(a), in, len, out, 0, room, false};

    if (t.fd < 0)
        return SIZE_MAX;
    while (!t.closed && t.len < room && !is_done(&t, expected)) {
        struct pollfd p = {t.fd, (short)(POLLIN | (t.left > 0 ? POLLOUT : 0)), 0};
        int n = poll(&p, 1, a->quiet_ms);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        if (p.revents & POLLOUT)
            write_some(&t);
        if (p.revents & (POLLIN | POLLHUP | POLLERR))
            read_some(&t);
    }
    close(t.fd);
    *closed = t.closed;
    return t.len;
}
