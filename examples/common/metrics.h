/* Counters of a program as text, for Prometheus: GET over plain HTTP/1.1. Nobody waits for those
 * who ask: whoever has said nothing gives way to those who come later, or is closed after a while.
 */
#ifndef EXAMPLES_METRICS_H
#define EXAMPLES_METRICS_H

#include "../../port/posix/posix.h"

#include <errno.h>
#include <poll.h>
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

/* What is answered. What has no room in it is left out. */
typedef struct {
    char text[4096];
    size_t len;
} metrics_page;

static inline void metrics_line(metrics_page *p, const char *name, const char *type, uint64_t value)
{
    int n = snprintf(p->text + p->len, sizeof p->text - p->len, "# TYPE %s %s\n%s %llu\n", name,
                     type, name, (unsigned long long)value);

    if (n > 0 && (size_t)n < sizeof p->text - p->len)
        p->len += (size_t)n;
}

static inline void metrics_count(metrics_page *p, const char *name, uint64_t value)
{
    metrics_line(p, name, "counter", value);
}

static inline void metrics_gauge(metrics_page *p, const char *name, uint64_t value)
{
    metrics_line(p, name, "gauge", value);
}

/* Calls and messages of a server, as totals of the program: never a line for each stream. */
static inline void metrics_calls(metrics_page *p, const mote_grpc_counters *counters)
{
    metrics_count(p, "grpc_server_started_total", counters->calls_started);
    metrics_count(p, "grpc_server_succeeded_total", counters->calls_succeeded);
    metrics_count(p, "grpc_server_failed_total", counters->calls_failed);
    metrics_count(p, "grpc_server_msg_received_total", counters->messages_received);
    metrics_count(p, "grpc_server_msg_sent_total", counters->messages_sent);
}

static inline void metrics_answer(int fd, const metrics_page *page)
{
    char answer[sizeof page->text + 256];
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%.*s",
                     page->len, (int)page->len, page->text);

    send(fd, answer, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Frees the seat of one that has asked, has gone, or has been silent for too long. */
static inline void metrics_look(size_t seat, uint64_t now_ms, const metrics_page *page)
{
    char request[4096];
    int fd = metrics_seats[seat].fd;

    if (fd == 0)
        return;
    ssize_t n = recv(fd, request, sizeof request, MSG_DONTWAIT);
    if (n > 0)
        metrics_answer(fd, page);
    else if (n < 0 && (errno == EAGAIN || errno == EINTR) &&
             now_ms - metrics_seats[seat].begin_ms < METRICS_SILENT_MS)
        return;
    close(fd);
    metrics_seats[seat].fd = 0;
}

static inline void metrics_seat(int fd, uint64_t now_ms, const metrics_page *page)
{
    size_t seat = metrics_next++ % METRICS_SEATS;

    metrics_look(seat, now_ms, page);
    if (metrics_seats[seat].fd > 0)
        close(metrics_seats[seat].fd);
    metrics_seats[seat].fd = fd;
    metrics_seats[seat].begin_ms = now_ms;
}

/* Whether somebody has come, has asked, or has been silent for too long. */
static inline bool metrics_have_work(uint64_t now_ms)
{
    struct pollfd fds[METRICS_SEATS + 1] = {{.fd = metrics_socket, .events = POLLIN}};
    bool late = false;

    for (size_t i = 0; i < METRICS_SEATS; i++) {
        bool taken = metrics_seats[i].fd > 0;
        fds[i + 1] = (struct pollfd){.fd = taken ? metrics_seats[i].fd : -1, .events = POLLIN};
        late = late || (taken && now_ms - metrics_seats[i].begin_ms >= METRICS_SILENT_MS);
    }
    return poll(fds, METRICS_SEATS + 1, 0) > 0 || late;
}

/* Whether it is time to answer those who have asked, so that a page is made for somebody; to be
 * asked in each turn. */
static inline bool metrics_are_due(uint64_t now_ms)
{
    static uint64_t looked_ms;

    if (metrics_socket < 0 || now_ms - looked_ms < METRICS_LOOK_MS)
        return false;
    looked_ms = now_ms;
    return metrics_have_work(now_ms);
}

/* Answers them. Never waits. */
static inline void metrics_answer_all(uint64_t now_ms, const metrics_page *page)
{
    int fd;

    for (size_t i = 0; i < METRICS_SEATS; i++)
        metrics_look(i, now_ms, page);
    for (int i = 0; i < METRICS_SEATS; i++) {
        if ((fd = accept4(metrics_socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
            break;
        metrics_seat(fd, now_ms, page);
    }
}

#endif
