#include "collector_view.h"

#include <stdio.h>

enum { DRAW_MS = 200, PRINT_MS = 1000 };

static uint64_t total_received(const device *devices, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += devices[i].received;
    return sum;
}

static double sample_at(const metric *m, uint64_t i)
{
    return m->history[i % HISTORY];
}

/* The last values as a line of blocks, from the least to the greatest of them. */
static void print_sparkline(const metric *m)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    uint64_t first = m->count > HISTORY ? m->count - HISTORY : 0;
    double low = sample_at(m, first), high = low;

    for (uint64_t i = first; i < m->count; i++) {
        low = sample_at(m, i) < low ? sample_at(m, i) : low;
        high = sample_at(m, i) > high ? sample_at(m, i) : high;
    }
    for (uint64_t i = first; i < m->count; i++) {
        double share = high > low ? (sample_at(m, i) - low) / (high - low) : 0;
        fputs(blocks[(int)(share * 7.0)], stdout);
    }
}

static void print_devices(const view_state *v, const device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < devices[i].metric_count; j++) {
            const metric *m = &devices[i].metrics[j];
            printf("%-12s %-14s %14.2f  ", devices[i].name, m->name, m->latest);
            if (!v->plain)
                print_sparkline(m);
            printf(v->plain ? "\n" : "\x1b[K\n");
        }
    }
}

/* Bytes received on all connections, those that are closed included. */
static void count_bytes(view_state *v, mote_posix_loop *loop)
{
    for (mote_posix_conn *c = loop->conns; c; c = c->next) {
        v->bytes += c->bytes_in;
        c->bytes_in = 0;
    }
}

static double bytes_per_sample(const view_state *v, uint64_t received)
{
    uint64_t fresh = received - v->received_at_start;

    return fresh ? (double)v->bytes / (double)fresh : 0;
}

void view_show(view_state *v, const device *devices, size_t count, mote_posix_loop *loop)
{
    uint64_t received = total_received(devices, count);
    uint64_t passed = loop->now_ms - v->shown_ms;

    if (!v->started) {
        v->started = true;
        v->received_at_start = received;
    }
    count_bytes(v, loop);
    if (passed < (v->plain ? PRINT_MS : DRAW_MS))
        return;
    double rate =
        v->shown_ms ? 1000.0 * (double)(received - v->shown_received) / (double)passed : 0;
    v->shown_ms = loop->now_ms;
    v->shown_received = received;
    if (!v->plain)
        printf("\x1b[H\x1b[2J");
    print_devices(v, devices, count);
    printf("%zu devices, %llu samples, %.0f samples/s, %.1f bytes/sample\n", count,
           (unsigned long long)received, rate, bytes_per_sample(v, received));
    fflush(stdout);
}

void view_summary(const view_state *v, const device *devices, size_t count, size_t connection_size)
{
    uint64_t received = total_received(devices, count), lost = 0, dropped = 0;

    for (size_t i = 0; i < count; i++) {
        lost += devices[i].lost;
        dropped += devices[i].dropped;
    }
    printf("collector: received %llu, lost %llu, dropped by devices %llu, "
           "%.1f bytes/sample received, %zu bytes of RAM per connection\n",
           (unsigned long long)received, (unsigned long long)lost, (unsigned long long)dropped,
           bytes_per_sample(v, received), connection_size);
}
