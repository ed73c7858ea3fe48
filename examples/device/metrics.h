/* The counters of a server as text, for Prometheus: GET over plain HTTP/1.1. */
#ifndef EXAMPLES_METRICS_H
#define EXAMPLES_METRICS_H

#include "../../port/posix/posix.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int metrics_socket = -1;

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

/* Answers those who have asked; to be called after each turn of the loop. */
static inline void metrics_turn(const mote_posix_loop *loop, const mote_grpc_counters *c)
{
    char body[2048], answer[2300], request[4096];
    uint64_t in = 0, out = 0;
    int fd;

    while (metrics_socket >= 0 && (fd = accept(metrics_socket, NULL, NULL)) >= 0) {
        for (const mote_posix_conn *conn = loop->conns; conn; conn = conn->next) {
            in += conn->bytes_in;
            out += conn->bytes_out;
        }
        size_t len = metrics_text(body, sizeof body, c, in, out);
        int n = snprintf(answer, sizeof answer,
                         "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
                         "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                         len, body);
        struct pollfd asked = {.fd = fd, .events = POLLIN};
        if (poll(&asked, 1, 50) > 0 && recv(fd, request, sizeof request, MSG_DONTWAIT) > 0)
            send(fd, answer, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
        close(fd);
    }
}

#endif
