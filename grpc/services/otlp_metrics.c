/* Points of instruments: what waits beside them, and what goes to the outbox. */
#include "otlp_internal.h"

#include <string.h>

static bool is_gauge(const mote_otlp_instrument *i)
{
    return i->about->kind == MOTE_OTLP_GAUGE_INT || i->about->kind == MOTE_OTLP_GAUGE_DOUBLE;
}

static mote_otlp_histogram *histogram_of(mote_otlp_instrument *i)
{
    return i->about->kind == MOTE_OTLP_HISTOGRAM_DOUBLE ? (mote_otlp_histogram *)(void *)i : NULL;
}

/* OTLP's delta preference leaves sums that go down as they are. */
static bool is_delta(const mote_otlp_exporter *x, const mote_otlp_instrument *i)
{
    return x->config->temporality == MOTE_OTLP_DELTA && !is_gauge(i) &&
           (i->about->monotonic || i->about->kind == MOTE_OTLP_HISTOGRAM_DOUBLE);
}

static bool waits_beside(const mote_otlp_exporter *x, const mote_otlp_instrument *i)
{
    return is_gauge(i) ? !x->outbox : !is_delta(x, i);
}

static uint64_t counted_by(const mote_otlp_histogram *h, const uint64_t *counts)
{
    return mote_otlp_count(counts, h->base.about->bound_count);
}

/* ---- a point ------------------------------------------------------------------------------- */

static mote_otlp_point point_now(const mote_otlp_exporter *x, mote_otlp_instrument *i,
                                 uint64_t unix_nano)
{
    const mote_otlp_histogram *h = histogram_of(i);

    return (mote_otlp_point){.about = i->about,
                             .value = i->value,
                             .counts = h ? h->counts : NULL,
                             .count = h ? counted_by(h, h->counts) : 0,
                             .min = h ? h->min : 0,
                             .max = h ? h->max : 0,
                             .start_unix_nano = i->start_unix_nano,
                             .unix_nano = unix_nano,
                             .delta = is_delta(x, i)};
}

static mote_otlp_point point_kept(mote_otlp_instrument *i)
{
    const mote_otlp_histogram *h = histogram_of(i);
    const uint64_t *counts = h ? h->counts + i->about->bound_count + 1 : NULL;

    return (mote_otlp_point){.about = i->about,
                             .value = i->kept,
                             .counts = counts,
                             .count = h ? counted_by(h, counts) : 0,
                             .min = h ? h->kept_min : 0,
                             .max = h ? h->kept_max : 0,
                             .start_unix_nano = i->start_unix_nano,
                             .unix_nano = i->kept_unix_nano};
}

/* The point waits beside its instrument, in place of one that does so already. */
static void keep(mote_otlp_exporter *x, mote_otlp_instrument *i, uint64_t unix_nano)
{
    mote_otlp_histogram *h = histogram_of(i);
    size_t buckets = i->about->bound_count + 1;

    x->ledger.recorded++;
    x->ledger.replaced += i->slot == MOTE_OTLP_WAITS;
    i->slot = MOTE_OTLP_WAITS;
    i->kept = i->value;
    i->kept_unix_nano = unix_nano;
    if (h) {
        memcpy(h->counts + buckets, h->counts, buckets * sizeof *h->counts);
        h->kept_min = h->min;
        h->kept_max = h->max;
    }
    i->touched = !is_gauge(i);
}

/* A delta point was made: what follows begins anew. */
static void begin_anew(mote_otlp_instrument *i, uint64_t unix_nano)
{
    mote_otlp_histogram *h = histogram_of(i);

    i->touched = false;
    i->start_unix_nano = unix_nano;
    i->value.i = 0;
    if (i->about->kind != MOTE_OTLP_SUM)
        i->value.d = 0;
    if (h)
        memset(h->counts, 0, (i->about->bound_count + 1) * sizeof *h->counts);
}

/* The point goes to the outbox. */
static int queue(mote_otlp_exporter *x, mote_otlp_instrument *i, uint64_t unix_nano)
{
    mote_otlp_point p = point_now(x, i, unix_nano);
    bool kept = false;
    size_t len;
    int r;

    x->held_index = SIZE_MAX;
    r = mote_otlp_encode_point(&p, x->record, x->record_size, &len);
    if (r == 0)
        r = mote_otlp_put(x, len, &kept);
    x->ledger.recorded += kept || is_gauge(i);
    x->ledger.dropped += !kept && is_gauge(i);
    if (is_gauge(i))
        i->touched = false;
    else if (kept)
        begin_anew(i, unix_nano);
    return r;
}

int mote_otlp_collect(mote_otlp_metrics *m, uint64_t unix_nano)
{
    mote_otlp_exporter *x = &m->exporter;
    int first = 0;

    for (size_t n = 0; n < x->config->instrument_count; n++) {
        mote_otlp_instrument *i = x->config->instruments[n];
        int r = 0;
        if (!i->touched || i->slot == MOTE_OTLP_LEAVES)
            continue;
        if (waits_beside(x, i))
            keep(x, i, unix_nano);
        else
            r = queue(x, i, unix_nano);
        first = first < 0 ? first : r;
    }
    return first;
}

/* ---- for the exporter ---------------------------------------------------------------------- */

static size_t points_waiting(const mote_otlp_exporter *x)
{
    size_t count = 0;

    for (size_t n = 0; n < x->config->instrument_count; n++)
        count += x->config->instruments[n]->slot != MOTE_OTLP_NONE;
    return count;
}

static size_t points_leave(mote_otlp_exporter *x, size_t *room)
{
    size_t count = 0, len;

    for (size_t n = 0; n < x->config->instrument_count; n++) {
        mote_otlp_instrument *i = x->config->instruments[n];
        mote_otlp_point p = point_kept(i);
        if (i->slot != MOTE_OTLP_WAITS || mote_otlp_encode_point(&p, NULL, 0, &len) < 0)
            continue;
        len = mote_otlp_item_size(len);
        if (len > *room)
            break;
        *room -= len;
        i->slot = MOTE_OTLP_LEAVES;
        count++;
    }
    return count;
}

static int point_write(mote_otlp_exporter *x, size_t index, size_t *len)
{
    mote_otlp_instrument *const *i = x->config->instruments;

    for (;; i++) {
        if ((*i)->slot == MOTE_OTLP_LEAVES && index-- == 0)
            break;
    }
    mote_otlp_point p = point_kept(*i);
    return mote_otlp_encode_point(&p, x->record, x->record_size, len);
}

static void points_settle(mote_otlp_exporter *x, bool gone)
{
    for (size_t n = 0; n < x->config->instrument_count; n++) {
        mote_otlp_instrument *i = x->config->instruments[n];
        if (i->slot == MOTE_OTLP_LEAVES)
            i->slot = gone ? MOTE_OTLP_NONE : MOTE_OTLP_WAITS;
    }
}

static const mote_otlp_signal metrics_signal = {
    MOTE_HPACK_NAMED(4, ":path", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"),
    points_waiting, points_leave, point_write, points_settle};

/* The record holds any point of an instrument: all numbers have a fixed length. */
static int fits(const mote_otlp_exporter *x, mote_otlp_instrument *i)
{
    mote_otlp_point p = point_now(x, i, 1);
    size_t len;
    int r;

    p.start_unix_nano = p.count = 1; /* 0 is not sent */
    r = mote_otlp_encode_point(&p, NULL, 0, &len);
    return r == 0 && len > x->record_size ? MOTE_GRPC_ERR_SPACE : r;
}

int mote_otlp_metrics_init(mote_otlp_metrics *m, const mote_otlp_config *config,
                           mote_outbox *outbox, void *record, size_t record_size,
                           uint64_t unix_nano, uint32_t random)
{
    mote_otlp_exporter *x = &m->exporter;
    int r =
        mote_otlp_exporter_init(x, &metrics_signal, config, outbox, record, record_size, random);

    if (r == 0 && !outbox && config->temporality == MOTE_OTLP_DELTA)
        r = MOTE_GRPC_ERR_CONFIG;
    for (size_t n = 0; r == 0 && n < config->instrument_count; n++) {
        mote_otlp_instrument *i = config->instruments[n];
        if (i->start_unix_nano == 0)
            i->start_unix_nano = unix_nano;
        r = fits(x, i);
    }
    return r;
}
