/* The counters of a server as text, for Prometheus: GET over plain HTTP/1.1. Nobody waits for those
 * who ask: whoever has said nothing gives way to those who come later, or is closed after a while.
 */
#ifndef EXAMPLES_METRICS_H
#define EXAMPLES_METRICS_H

#include "../../port/posix/posix.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { METRICS_SEATS = 16, METRICS_LOOK_MS = 20, METRICS_SILENT_MS = 2000 };

static int metrics_socket = -1;

/* Those who have connected and not yet asked; each newcomer takes the seat that was taken longest
 * ago. */
static struct {
    int fd; /* 0: free */
    uint64_t begin_ms;
} metrics_seats[METRICS_SEATS];
static size_t metrics_next;

static inline bool metrics_listen(const char *address)
{
    metrics_socket = mote_posix_listen(address);
    if (metrics_socket < 0)
        fprintf(stderr, "error: %s\n", mote_posix_error());
    return metrics_socket >= 0;
}

static inline size_t metrics_line(char *to, size_t cap, const char *name, uint64_t value)
{
    return (size_t)snprintf(to, cap, "# TYPE %s counter\n%s %llu\n", name, name,
                            (unsigned long long)value);
}

static inline size_t metrics_text(char *to, size_t cap, const mote_grpc_counters *c, uint64_t in,
                                  uint64_t out)
{
    size_t n = metrics_line(to, cap, "grpc_server_started_total", c->calls_started);

    n += metrics_line(to + n, cap - n, "grpc_server_succeeded_total", c->calls_succeeded);
    n += metrics_line(to + n, cap - n, "grpc_server_failed_total", c->calls_failed);
    n += metrics_line(to + n, cap - n, "grpc_server_msg_received_total", c->messages_received);
    n += metrics_line(to + n, cap - n, "grpc_server_msg_sent_total", c->messages_sent);
    n += metrics_line(to + n, cap - n, "mote_open_connections_bytes_in", in);
    n += metrics_line(to + n, cap - n, "mote_open_connections_bytes_out", out);
    return n;
}

static inline void metrics_answer(int fd, const mote_posix_loop *loop, const mote_grpc_counters *c)
{
    char body[2048], answer[2300];
    uint64_t in = 0, out = 0;

    for (const mote_posix_conn *conn = loop->conns; conn; conn = conn->next) {
        in += conn->bytes_in;
        out += conn->bytes_out;
    }
    size_t len = metrics_text(body, sizeof body, c, in, out);
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                     len, body);
    send(fd, answer, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Frees the seat of one that has asked, has gone, or has been silent for too long. */
static inline void metrics_look(size_t seat, const mote_posix_loop *loop,
                                const mote_grpc_counters *c)
{
    char request[4096];
    int fd = metrics_seats[seat].fd;

    if (fd == 0)
        return;
    ssize_t n = recv(fd, request, sizeof request, MSG_DONTWAIT);
    if (n > 0)
        metrics_answer(fd, loop, c);
    else if (n < 0 && (errno == EAGAIN || errno == EINTR) &&
             loop->now_ms - metrics_seats[seat].begin_ms < METRICS_SILENT_MS)
        return;
    close(fd);
    metrics_seats[seat].fd = 0;
}

static inline void metrics_seat(int fd, const mote_posix_loop *loop, const mote_grpc_counters *c)
{
    size_t seat = metrics_next++ % METRICS_SEATS;

    metrics_look(seat, loop, c);
    if (metrics_seats[seat].fd > 0)
        close(metrics_seats[seat].fd);
    metrics_seats[seat].fd = fd;
    metrics_seats[seat].begin_ms = loop->now_ms;
}

/* Answers those who have asked; to be called after each turn of the loop. Never waits. */
static inline void metrics_turn(const mote_posix_loop *loop, const mote_grpc_counters *c)
{
    static uint64_t looked_ms;
    int fd;

    if (metrics_socket < 0 || loop->now_ms - looked_ms < METRICS_LOOK_MS)
        return;
    looked_ms = loop->now_ms;
    for (size_t i = 0; i < METRICS_SEATS; i++)
        metrics_look(i, loop, c);
    for (int i = 0; i < METRICS_SEATS; i++) {
        if ((fd = accept4(metrics_socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
            break;
        metrics_seat(fd, loop, c);
    }
}

#endif
