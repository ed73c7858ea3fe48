/* A point as a metric of its own (metrics.proto, Metric). */
#include "otlp_internal.h"

enum { DELTA = 1, CUMULATIVE = 2 }; /* AggregationTemporality */

static int encode_metric(const mote_otlp_Metric *metric, uint8_t *out, size_t cap, size_t *len)
{
    return out ? mote_otlp_Metric_encode(metric, out, cap, len)
               : mote_otlp_Metric_size(metric, len);
}

static int encode_histogram(const mote_otlp_point *p, mote_otlp_Metric *metric, uint8_t *out,
                            size_t cap, size_t *len)
{
    const mote_otlp_about *about = p->about;
    mote_otlp_HistogramDataPoint point = {.start_time_unix_nano = p->start_unix_nano,
                                          .time_unix_nano = p->unix_nano,
                                          .count = p->count,
                                          .sum = {true, p->value.d},
                                          .bucket_counts = {p->counts, about->bound_count + 1},
                                          .explicit_bounds = {about->bounds, about->bound_count},
                                          .attributes = {about->attributes, about->attribute_count},
                                          .min = {p->count > 0, p->min},
                                          .max = {p->count > 0, p->max}};
    mote_otlp_Histogram histogram = {{&point, 1}, p->delta ? DELTA : CUMULATIVE};

    metric->histogram = &histogram;
    return encode_metric(metric, out, cap, len);
}

static int encode_number(const mote_otlp_point *p, mote_otlp_Metric *metric, uint8_t *out,
                         size_t cap, size_t *len)
{
    const mote_otlp_about *about = p->about;
    bool gauge = about->kind == MOTE_OTLP_GAUGE_INT || about->kind == MOTE_OTLP_GAUGE_DOUBLE;
    mote_otlp_NumberDataPoint point = {.start_time_unix_nano = gauge ? 0 : p->start_unix_nano,
                                       .time_unix_nano = p->unix_nano,
                                       .attributes = {about->attributes, about->attribute_count}};
    mote_otlp_Gauge of_gauge = {{&point, 1}};
    mote_otlp_Sum sum = {{&point, 1}, p->delta ? DELTA : CUMULATIVE, about->monotonic};

    if (about->kind == MOTE_OTLP_SUM || about->kind == MOTE_OTLP_GAUGE_INT)
        mote_otlp_NumberDataPoint_set_as_int(&point, p->value.i);
    else
        mote_otlp_NumberDataPoint_set_as_double(&point, p->value.d);
    metric->gauge = gauge ? &of_gauge : NULL;
    metric->sum = gauge ? NULL : &sum;
    return encode_metric(metric, out, cap, len);
}

int mote_otlp_encode_point(const mote_otlp_point *p, uint8_t *out, size_t cap, size_t *len)
{
    mote_otlp_Metric metric = {
        .name = p->about->name, .description = p->about->description, .unit = p->about->unit};

    return p->about->kind == MOTE_OTLP_HISTOGRAM_DOUBLE
               ? encode_histogram(p, &metric, out, cap, len)
               : encode_number(p, &metric, out, cap, len);
}
