/*
 * What metrics and logs have of their own, as an interface, so that who sends no logs does not link
 * them.
 *
 *   otlp_instrument.c  counts and measures
 *   otlp_point.c       a point, as it is encoded
 *   otlp_metrics.c     makes points of instruments
 *   otlp_logs.c        log records
 *   otlp_export.c      what waits becomes requests, and what becomes of these
 *   otlp_answer.c      what responses and details of a status say
 */
#ifndef MOTE_OTLP_INTERNAL_H
#define MOTE_OTLP_INTERNAL_H

#include "otlp.h"

struct mote_otlp_signal {
    mote_hpack_field path;
    /* NULL in what follows: nothing waits beside the outbox. How many points do. */
    size_t (*waiting)(const mote_otlp_exporter *x);
    /* Lets those leave that have room in *room bytes, which it takes off. Returns how many. */
    size_t (*leave)(mote_otlp_exporter *x, size_t *room);
    /* Writes the one that leaves with this index into the record: its length, or an error. */
    int (*write)(mote_otlp_exporter *x, size_t index, size_t *len);
    /* Those that leave were taken, or wait again. */
    void (*settle)(mote_otlp_exporter *x, bool gone);
};

int mote_otlp_exporter_init(mote_otlp_exporter *x, const mote_otlp_signal *signal,
                            const mote_otlp_config *config, mote_outbox *outbox, void *record,
                            size_t record_size, uint32_t random);

/* What an item takes in a request. */
size_t mote_otlp_item_size(size_t len);

/* What is in the record waits in the outbox. 0, or an error: it does not, unless *kept. */
int mote_otlp_put(mote_otlp_exporter *x, size_t len, bool *kept);

/* A point, of an instrument now or of what it keeps, as a metric of its own. */
typedef struct {
    const mote_otlp_about *about;
    mote_otlp_number value;
    const uint64_t *counts; /* of a histogram, as the next three */
    uint64_t count;
    double min, max;
    uint64_t start_unix_nano, unix_nano;
    bool delta;
} mote_otlp_point;

/* Encodes it; `out` NULL: only the size. 0, or an error as of mote_pb_encode(). */
int mote_otlp_encode_point(const mote_otlp_point *p, uint8_t *out, size_t cap, size_t *len);

/* How many values a histogram has counted. */
uint64_t mote_otlp_count(const uint64_t *counts, size_t bound_count);

/* ExportMetricsServiceResponse, ExportLogsServiceResponse: how many the receiver has rejected, and
 * what it says. What cannot be read says nothing. */
uint64_t mote_otlp_read_response(const uint8_t *response, size_t len, mote_pb_string *text);

/* google.rpc.Status: the retry_delay of its RetryInfo in ms, 0 to an hour. False: it has none. */
bool mote_otlp_read_delay(const uint8_t *status, size_t len, uint32_t *delay_ms);

#endif
