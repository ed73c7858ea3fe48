#include "collector_view.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LAST_WORDS_MS = 2000,
    DRAW_MS = 200,
    PRINT_MS = 1000,
    DEVICES = 16,
    METRICS = 8,
    HISTORY = 32
};

typedef struct {
    char name[METRIC_NAME + 1];
    double history[HISTORY]; /* a ring */
    uint64_t count;
} metric;

/* The first sources that have sent something. */
static struct shown {
    source *source;
    metric metrics[METRICS];
    size_t metric_count;
} shown[DEVICES];
static size_t shown_count;

static metric *find_metric(struct shown *d, const char *name, size_t len)
{
    for (size_t i = 0; i < d->metric_count; i++) {
        if (strlen(d->metrics[i].name) == len && memcmp(d->metrics[i].name, name, len) == 0)
            return &d->metrics[i];
    }
    if (d->metric_count == METRICS || len > METRIC_NAME)
        return NULL;
    memcpy(d->metrics[d->metric_count].name, name, len);
    return &d->metrics[d->metric_count++];
}

void view_sample(source *s, const mote_telemetry_Sample *sample)
{
    if (!s->shown && shown_count < DEVICES) {
        shown[shown_count] = (struct shown){.source = s};
        s->shown = &shown[shown_count++];
    }
    metric *m = s->shown ? find_metric(s->shown, sample->metric.data, sample->metric.len) : NULL;
    if (m)
        m->history[m->count++ % HISTORY] = sample->value;
}

/* ---- a table ------------------------------------------------------------------------------- */

static double sample_at(const metric *m, uint64_t i)
{
    return m->history[i % HISTORY];
}

/* The last values as a line of blocks, from the least to the greatest of them. What is no number,
 * or infinite, or has no place between them, is a blank. */
static void print_sparkline(const metric *m)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    uint64_t first = m->count > HISTORY ? m->count - HISTORY : 0;
    double low = INFINITY, high = -INFINITY;

    for (uint64_t i = first; i < m->count; i++) {
        if (isfinite(sample_at(m, i))) {
            low = sample_at(m, i) < low ? sample_at(m, i) : low;
            high = sample_at(m, i) > high ? sample_at(m, i) : high;
        }
    }
    for (uint64_t i = first; i < m->count; i++) {
        double share = high > low ? (sample_at(m, i) / 2 - low / 2) / (high / 2 - low / 2) : 0;
        fputs(isfinite(sample_at(m, i)) && share >= 0 && share <= 1 ? blocks[(int)(share * 7)]
                                                                    : " ",
              stdout);
    }
}

static void print_devices(const view_state *v)
{
    for (size_t i = 0; i < shown_count; i++) {
        for (size_t j = 0; j < shown[i].metric_count; j++) {
            const metric *m = &shown[i].metrics[j];
            printf("%-12s %-14s %14.2f  ", shown[i].source->device, m->name,
                   sample_at(m, m->count - 1));
            if (!v->plain)
                print_sparkline(m);
            printf(v->plain ? "\n" : "\x1b[K\n");
        }
    }
}

/* ---- counts -------------------------------------------------------------------------------- */

view_state view_totals(const view_state *v)
{
    view_state t = *v;

    t.fresh += store_counts.fresh;
    t.fresh_stored += store_counts.fresh_stored;
    t.fresh_told += store_counts.fresh_told;
    t.missing += store_counts.missing;
    t.duplicates += store_counts.duplicates;
    return t;
}

/* Bytes received on all connections of devices, those that are closed included. */
void view_count(view_state *v, mote_posix_loop *loop)
{
    for (mote_posix_conn *c = loop->conns; c; c = c->next) {
        v->bytes += c->grpc ? c->bytes_in : 0; /* the dashboard's are no samples */
        c->bytes_in = 0;
    }
}

static double bytes_per_sample(const view_state *t)
{
    return t->fresh ? (double)t->bytes / (double)t->fresh : 0;
}

void view_show(view_state *v, mote_posix_loop *loop)
{
    uint64_t passed = loop->now_ms - v->shown_ms;

    if (passed < (v->plain ? PRINT_MS : DRAW_MS))
        return;
    if (poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, 0) == 0)
        return; /* nobody takes it: the service goes on */
    view_state t = view_totals(v);
    double rate = v->shown_ms && t.fresh >= v->shown_fresh
                      ? 1000.0 * (double)(t.fresh - v->shown_fresh) / (double)passed
                      : 0;
    v->shown_ms = loop->now_ms;
    v->shown_fresh = t.fresh;
    if (!v->plain)
        printf("\x1b[H\x1b[2J");
    print_devices(v);
    printf("%zu devices, %llu samples, %.0f samples/s, %.1f bytes/sample\n", sources_count(),
           (unsigned long long)t.fresh, rate, bytes_per_sample(&t));
    fflush(stdout);
}

void view_forget(view_state *v)
{
    *v = view_totals(v);
    v->fresh = v->fresh_stored; /* the devices keep the others, and send them again */
    shown_count = 0;
}

void view_summary(view_state *v, size_t connection_size)
{
    view_state t = view_totals(v);

    poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, LAST_WORDS_MS);
    printf(
        "collector: received %llu, stored %llu, acknowledged %llu, doubled and thrown away %llu, "
        "missing %llu, commits %llu, %.1f bytes/sample received, %zu bytes of RAM per connection\n",
        (unsigned long long)t.fresh, (unsigned long long)t.fresh_stored,
        (unsigned long long)t.fresh_told, (unsigned long long)t.duplicates,
        (unsigned long long)t.missing, (unsigned long long)store_commits(), bytes_per_sample(&t),
        connection_size);
}
