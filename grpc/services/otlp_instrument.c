/* What is counted and measured. */
#include "otlp_internal.h"

bool mote_otlp_add(mote_otlp_sum *s, int64_t n)
{
    if (s->base.about->monotonic && n < 0)
        return false;
    s->base.value.i = (int64_t)((uint64_t)s->base.value.i + (uint64_t)n);
    s->base.touched = true;
    return true;
}

bool mote_otlp_add_double(mote_otlp_sum_double *s, double n)
{
    if (n != n || (s->base.about->monotonic && n < 0))
        return false;
    s->base.value.d += n;
    s->base.touched = true;
    return true;
}

void mote_otlp_set(mote_otlp_gauge *g, double value)
{
    g->base.value.d = value;
    g->base.touched = true;
}

void mote_otlp_set_int(mote_otlp_gauge_int *g, int64_t value)
{
    g->base.value.i = value;
    g->base.touched = true;
}

uint64_t mote_otlp_count(const uint64_t *counts, size_t bound_count)
{
    uint64_t all = 0;

    for (size_t i = 0; i <= bound_count; i++)
        all += counts[i];
    return all;
}

bool mote_otlp_observe(mote_otlp_histogram *h, double value)
{
    const mote_otlp_about *about = h->base.about;
    size_t bucket = 0;

    if (value != value)
        return false;
    bool first = mote_otlp_count(h->counts, about->bound_count) == 0;
    if (first || value < h->min)
        h->min = value;
    if (first || value > h->max)
        h->max = value;
    while (bucket < about->bound_count && value > about->bounds[bucket])
        bucket++;
    h->counts[bucket]++;
    h->base.value.d += value;
    h->base.touched = true;
    return true;
}
