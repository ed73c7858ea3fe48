/* A program under attack: what the kernel says of it, and sockets to it. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#define _GNU_SOURCE
#include "../test.h"
#include "attacks.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS = 4, /* for each attack on the server, one after the other */
    ATTACK_MAX = 1 << 22,
    NS_PER_BYTE = 2000, /* system calls of the program included */
    PATIENCE_MS = 10000
};

static int port;
static pid_t program;

static inline uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static inline void give_up(const char *what)
{
    fprintf(stderr, "attack_loopback: error: %s: %s\n", what, strerror(errno));
    if (program > 0)
        kill(program, SIGKILL);
    exit(2);
}

/* ---- what the kernel says of the program --------------------------------------------------- */

/* A number behind a key in a file of /proc/PID; without a key the first one. */
static inline uint64_t proc(const char *file, const char *key)
{
    char path[64], line[256];
    uint64_t value = 0;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)program, file);
    FILE *f = fopen(path, "r");
    if (!f)
        give_up(path);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, key, strlen(key)) == 0) {
            value = strtoull(line + strlen(key), NULL, 10);
            break;
        }
    }
    fclose(f);
    return value;
}

static inline unsigned open_files(void)
{
    char path[64];
    unsigned n = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)program);
    DIR *dir = opendir(path);
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

/* ---- sockets ------------------------------------------------------------------------------- */

static inline struct sockaddr_in loopback(int to_port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)to_port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline int connect_to_program(void)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        give_up("connect");
    return fd;
}

/* What a peer says: frames are followed only to find a GOAWAY and to count bytes. */
typedef struct {
    uint8_t header[9];
    unsigned header_len, at;
    uint32_t left, code;
    uint64_t bytes;
    bool goaway, closed;
} listener;

static inline void listen_to(listener *l, const uint8_t *in, size_t len)
{
    l->bytes += len;
    for (size_t i = 0; i < len; i++) {
        if (l->header_len < 9) {
            l->header[l->header_len++] = in[i];
            l->left = (uint32_t)l->header[0] << 16 | (uint32_t)l->header[1] << 8 | l->header[2];
            l->at = 0;
        } else {
            if (l->header[3] == 7 && l->at >= 4 && l->at < 8)
                l->code = l->code << 8 | in[i];
            l->goaway |= l->header[3] == 7 && l->at == 7;
            l->at++;
            l->left--;
        }
        if (l->header_len == 9 && l->left == 0)
            l->header_len = 0;
    }
}

/* Sends what it can of a piece and reads what has come. */
static inline size_t exchange(int fd, listener *l, const uint8_t *out, size_t len, bool reads,
                              int wait_ms)
{
    static uint8_t in[65536];
    struct pollfd p = {fd, (short)((reads ? POLLIN : 0) | (len > 0 ? POLLOUT : 0)), 0};
    ssize_t n = 0;

    if (poll(&p, 1, wait_ms) <= 0)
        return 0;
    if (p.revents & POLLIN) {
        n = recv(fd, in, sizeof in, MSG_DONTWAIT);
        if (n > 0)
            listen_to(l, in, (size_t)n);
        else if (n == 0 || errno != EAGAIN)
            l->closed = true;
    } else if (p.revents & (POLLHUP | POLLERR)) {
        l->closed = true;
    }
    n = 0;
    if (!l->closed && (p.revents & POLLOUT)) {
        n = send(fd, out, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            l->closed = true;
    }
    return n > 0 ? (size_t)n : 0;
}

#endif
