/* A proxy that writes down what both sides say: see recorder.h. */
#define _GNU_SOURCE

#include "frames.h"
#include "recorder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool mote_record_save(const char *folder, const char *side, unsigned long n, const uint8_t *bytes,
                      size_t len)
{
    char path[1024];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s-%lu", folder, side, n);
    f = fopen(path, "wb");
    if (!f)
        return false;
    bool written = fwrite(bytes, 1, len, f) == len;
    return fclose(f) == 0 && written;
}

/* What one side says; `bytes` holds the first MiB of it. */
typedef struct {
    int from, to;
    bool ended;
    size_t len;
    uint8_t bytes[MOTE_FRAMES_MAX];
} direction;

static bool write_whole(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void pass_on(direction *d)
{
    uint8_t bytes[16384];
    ssize_t n = recv(d->from, bytes, sizeof bytes, 0);

    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0) {
        shutdown(d->to, SHUT_WR);
        d->ended = true;
        return;
    }
    size_t kept = (size_t)n < sizeof d->bytes - d->len ? (size_t)n : sizeof d->bytes - d->len;
    memcpy(d->bytes + d->len, bytes, kept);
    d->len += kept;
    d->ended = !write_whole(d->to, bytes, (size_t)n);
}

static void pass_all(direction *client, direction *server)
{
    while (!client->ended || !server->ended) {
        struct pollfd p[2] = {{client->ended ? -1 : client->from, POLLIN, 0},
                              {server->ended ? -1 : server->from, POLLIN, 0}};
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return;
        if (p[0].revents)
            pass_on(client);
        if (p[1].revents)
            pass_on(server);
    }
}

static int connect_to(const mote_differ_address *a)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int fd = -1;

    if (getaddrinfo(a->host, a->port, &hints, &list) != 0)
        return -1;
    for (struct addrinfo *i = list; i && fd < 0; i = i->ai_next) {
        fd = socket(i->ai_family, i->ai_socktype, i->ai_protocol);
        if (fd >= 0 && connect(fd, i->ai_addr, i->ai_addrlen) < 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

static const char *record(int client, const mote_differ_address *address, const char *folder,
                          unsigned long n)
{
    static direction said, answered;
    int server = connect_to(address);

    if (server < 0)
        return "no connection to the server";
    said.from = answered.to = client;
    said.to = answered.from = server;
    said.len = answered.len = 0;
    said.ended = answered.ended = false;
    pass_all(&said, &answered);
    close(server);
    return mote_record_save(folder, "client", n, said.bytes, said.len) &&
                   mote_record_save(folder, "server", n, answered.bytes, answered.len)
               ? NULL
               : "cannot write into the folder";
}

static int listen_on(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return -1;
    printf("listening on 127.0.0.1:%u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

const char *mote_record_proxy(const char *port, const mote_differ_address *server,
                              const char *folder, unsigned long connections)
{
    int listener = listen_on(port), client;
    const char *why = NULL;

    if (listener < 0)
        return "cannot listen on this port";
    for (unsigned long n = 1; n <= connections && !why; n++) {
        do
            client = accept(listener, NULL, NULL);
        while (client < 0 && (errno == EINTR || errno == ECONNABORTED));
        if (client < 0)
            return "cannot accept a connection";
        why = record(client, server, folder, n);
        close(client);
    }
    close(listener);
    return why;
}
