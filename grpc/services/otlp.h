/*
 * otlp: what a device counts, measures and logs goes to any backend of OpenTelemetry, by OTLP/gRPC
 * (the OpenTelemetry Protocol 1.x). It costs nothing unless it is linked; who sends no logs does
 * not link them.
 *
 *     MOTE_OTLP_COUNTER(readings, "device.readings", "{reading}", "since the start",
 * MOTE_OTLP_PLAIN); MOTE_OTLP_GAUGE(temperature, "device.temperature", "Cel", "of the board",
 * MOTE_OTLP_PLAIN); static mote_otlp_instrument *const instruments[] = {&readings.base,
 * &temperature.base}; MOTE_OTLP_STORAGE(storage, record = 256, ring = 1024);
 *     ...
 *     mote_otlp_add(&readings, 1);                      whenever something is to be told
 *     mote_otlp_set(&temperature, 21.5);
 *     mote_otlp_collect(&metrics, unix_nano);           as often as there shall be points
 *     while (mote_otlp_begin(&metrics.exporter, now_ms) == 0) {            and to send them
 *         st = mote_channel_unary(&channel, &metrics.exporter.request, &mote_otlp_source,
 *                                 &metrics.exporter.message, &response, &len);
 *         mote_otlp_end(&metrics.exporter, st.code, response, len, now_ms);
 *     }
 *
 * docs/otlp.md has a whole program. Nothing here is a clock, a heap or a list that grows: times are
 * arguments, instruments are static, and a point waits where its instrument is or in an outbox.
 *
 * What waits where. A cumulative point has all that older ones have: it waits beside its
 * instrument, and the newer one takes the place of the older one. Gauges, delta points and log
 * records have something to say that no later one has: each waits in the outbox, a ring in RAM or
 * in flash, as it is encoded.
 *
 * The ledger, at any time: `recorded` is `sent` + `waiting` + `replaced` + `dropped` + `rejected` +
 * `failed`. A call whose answer was lost is made again, so a point may arrive twice, and never less
 * often than the ledger says.
 *
 * Not for more than one thread, and not for interrupts: whoever counts in one keeps the number, and
 * adds it later. Conventions: see grpc/grpc.h.
 */
#ifndef MOTE_OTLP_H
#define MOTE_OTLP_H

#include "../grpc.h"
#include "../life.h"
#include "otlp.mote.h"
#include "outbox.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- instruments --------------------------------------------------------------------------- */

/* What an instrument is: how OTLP calls it and its points. */
enum mote_otlp_kind {
    MOTE_OTLP_SUM,        /* of int64 */
    MOTE_OTLP_SUM_DOUBLE, /* of double */
    MOTE_OTLP_GAUGE_INT,
    MOTE_OTLP_GAUGE_DOUBLE,
    MOTE_OTLP_HISTOGRAM_DOUBLE
};

/* What is constant of an instrument, in flash. An instrument has one point at a time: several with
 * the same name and other attributes are the points of one metric. */
typedef struct {
    mote_pb_string name, unit, description; /* UCUM has the units: "s", "Cel", "By", "{reading}" */
    enum mote_otlp_kind kind;
    bool monotonic;       /* of a sum: it never goes down */
    const double *bounds; /* of a histogram: upper bounds, inclusive, ascending */
    size_t bound_count;
    const mote_otlp_KeyValue *attributes;
    size_t attribute_count;
} mote_otlp_about;

typedef union {
    int64_t i;
    double d;
} mote_otlp_number;

/* Where the point beside an instrument is:
 *
 *   NONE -- mote_otlp_collect() --> WAITS -- mote_otlp_begin() --> LEAVES -- it was taken --> NONE
 *                                     ^                               |
 *                                     +---------- not yet ------------+
 */
enum mote_otlp_slot { MOTE_OTLP_NONE, MOTE_OTLP_WAITS, MOTE_OTLP_LEAVES };

/* The part that all have in common, for the list of instruments. Private. */
typedef struct {
    const mote_otlp_about *about;
    bool touched; /* it has something to tell */
    enum mote_otlp_slot slot;
    mote_otlp_number value, kept; /* now, and that of the point that waits */
    uint64_t start_unix_nano;     /* since when it counts; 0: as its exporter */
    uint64_t kept_unix_nano;
} mote_otlp_instrument;

/* A type for each way to use one, so that no other compiles. */
typedef struct {
    mote_otlp_instrument base;
} mote_otlp_sum;
typedef struct {
    mote_otlp_instrument base;
} mote_otlp_sum_double;
typedef struct {
    mote_otlp_instrument base;
} mote_otlp_gauge_int;
typedef struct {
    mote_otlp_instrument base;
} mote_otlp_gauge;
typedef struct {
    mote_otlp_instrument base; /* its value is the sum */
    uint64_t *counts;          /* of each bucket, now and in the point that waits */
    double min, max, kept_min, kept_max;
} mote_otlp_histogram;

/* Attributes of an instrument: none, or those of an array of mote_otlp_KeyValue. */
#define MOTE_OTLP_PLAIN       NULL, 0
#define MOTE_OTLP_WITH(array) array, sizeof(array) / sizeof((array)[0])

/* A constant attribute, for such an array: a text, or an integer. */
#define MOTE_OTLP_TEXT(key, text)                                                                  \
    {                                                                                              \
        MOTE_PB_STRING_INIT(key), &(const mote_otlp_AnyValue)                                      \
        {                                                                                          \
            {                                                                                      \
                mote_otlp_AnyValue_string_value_NUMBER,                                            \
                {                                                                                  \
                    .string_value = MOTE_PB_STRING_INIT(text)                                      \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
#define MOTE_OTLP_INTEGER(key, number)                                                             \
    {                                                                                              \
        MOTE_PB_STRING_INIT(key), &(const mote_otlp_AnyValue)                                      \
        {                                                                                          \
            {                                                                                      \
                mote_otlp_AnyValue_int_value_NUMBER,                                               \
                {                                                                                  \
                    .int_value = (number)                                                          \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

/* Static instruments: a variable, and the names of OTLP, as literals. A counter never goes down. */
#define MOTE_OTLP_DEFINE(type, variable, kind, monotonic, name, unit, text, ...)                   \
    static const mote_otlp_about variable##_about = {MOTE_PB_STRING_INIT(name),                    \
                                                     MOTE_PB_STRING_INIT(unit),                    \
                                                     MOTE_PB_STRING_INIT(text),                    \
                                                     kind,                                         \
                                                     monotonic,                                    \
                                                     NULL,                                         \
                                                     0,                                            \
                                                     __VA_ARGS__};                                 \
    static type variable = {{.about = &variable##_about}}
#define MOTE_OTLP_COUNTER(variable, name, unit, text, attributes)                                  \
    MOTE_OTLP_DEFINE(mote_otlp_sum, variable, MOTE_OTLP_SUM, true, name, unit, text, attributes)
#define MOTE_OTLP_COUNTER_DOUBLE(variable, name, unit, text, attributes)                           \
    MOTE_OTLP_DEFINE(mote_otlp_sum_double, variable, MOTE_OTLP_SUM_DOUBLE, true, name, unit, text, \
                     attributes)
#define MOTE_OTLP_UP_DOWN_COUNTER(variable, name, unit, text, attributes)                          \
    MOTE_OTLP_DEFINE(mote_otlp_sum, variable, MOTE_OTLP_SUM, false, name, unit, text, attributes)
#define MOTE_OTLP_GAUGE(variable, name, unit, text, attributes)                                    \
    MOTE_OTLP_DEFINE(mote_otlp_gauge, variable, MOTE_OTLP_GAUGE_DOUBLE, false, name, unit, text,   \
                     attributes)
#define MOTE_OTLP_GAUGE_OF_INT(variable, name, unit, text, attributes)                             \
    MOTE_OTLP_DEFINE(mote_otlp_gauge_int, variable, MOTE_OTLP_GAUGE_INT, false, name, unit, text,  \
                     attributes)
/* With a `static const double` array of its bounds. */
#define MOTE_OTLP_HISTOGRAM(variable, name, unit, text, bound_array, attributes)                   \
    static const mote_otlp_about variable##_about = {MOTE_PB_STRING_INIT(name),                    \
                                                     MOTE_PB_STRING_INIT(unit),                    \
                                                     MOTE_PB_STRING_INIT(text),                    \
                                                     MOTE_OTLP_HISTOGRAM_DOUBLE,                   \
                                                     false,                                        \
                                                     bound_array,                                  \
                                                     MOTE_OTLP_BOUNDS(bound_array),                \
                                                     attributes};                                  \
    static uint64_t variable##_counts[MOTE_OTLP_COUNTS(MOTE_OTLP_BOUNDS(bound_array))];            \
    static mote_otlp_histogram variable = {                                                        \
        {.about = &variable##_about}, variable##_counts, 0, 0, 0, 0}
#define MOTE_OTLP_BOUNDS(array)  (sizeof(array) / sizeof(double))
#define MOTE_OTLP_COUNTS(bounds) ((size_t)2 * ((bounds) + 1))

/* Adds to a sum. False: it is a counter and n is negative (or not a number), and nothing is added.
 * Adding 0 tells that it is there. */
bool mote_otlp_add(mote_otlp_sum *s, int64_t n);
bool mote_otlp_add_double(mote_otlp_sum_double *s, double n);

/* The value of a gauge from now on. It becomes a point once, by the next mote_otlp_collect(). */
void mote_otlp_set(mote_otlp_gauge *g, double value);
void mote_otlp_set_int(mote_otlp_gauge_int *g, int64_t value);

/* One more value of a histogram. False: it is not a number, and is not counted. */
bool mote_otlp_observe(mote_otlp_histogram *h, double value);

/* ---- an exporter --------------------------------------------------------------------------- */

enum mote_otlp_temporality {
    MOTE_OTLP_CUMULATIVE, /* sums and histograms say all since the start: what is lost on the way is
                             in the next one */
    MOTE_OTLP_DELTA       /* counters and histograms say what has come since the last point; sums
                             that go down stay cumulative */
};

/* Constant; exporters may share it. */
typedef struct {
    const mote_otlp_KeyValue *resource; /* attributes of what sends: "service.name" at least */
    size_t resource_count;
    const mote_otlp_Scope *scope; /* of the program or library that has the instruments; or NULL */
    mote_otlp_instrument *const *instruments;
    size_t instrument_count;
    enum mote_otlp_temporality temporality;
    uint32_t timeout_ms;                /* of a call; 0: 10 s, as OTLP has it */
    const mote_grpc_codec *codec;       /* &mote_grpc_gzip, where the connection has it; or NULL */
    const mote_grpc_metadata *metadata; /* of each call, as a token */
    size_t metadata_count;
    size_t request_size;        /* largest request, in bytes before compression; 0: 65,536 */
    uint32_t first_ms, most_ms; /* between attempts: see mote_backoff */
} mote_otlp_config;

/* What has become of points or log records. */
typedef struct {
    uint64_t recorded; /* that were made */
    uint64_t sent;     /* taken by the receiver */
    uint64_t waiting;  /* not known to have been taken */
    uint64_t replaced; /* a newer cumulative one took the place */
    uint64_t dropped;  /* there was no room, or no storage */
    uint64_t rejected; /* the receiver took the others of the request (partial success) */
    uint64_t failed; /* the receiver will never take them: a status that forbids another attempt */
} mote_otlp_ledger;

/* What a call has come to. */
enum mote_otlp_outcome {
    MOTE_OTLP_SENT,    /* all was taken; `text` may have a warning */
    MOTE_OTLP_PARTIAL, /* but for so many, `rejected`; `text` says why */
    MOTE_OTLP_LATER,   /* none of it, and it waits for another attempt */
    MOTE_OTLP_REFUSED  /* none of it ever: it is gone, and counted as failed */
};

enum { MOTE_OTLP_RECORD_MIN = 128 }; /* least `record`: details of a status are read in it */

typedef struct mote_otlp_signal mote_otlp_signal;

/*
 * Metrics or logs on their way. It does no I/O: between mote_otlp_begin(), which returns 0, and
 * mote_otlp_end() the first two members are for a unary call on any connection, whose fields of
 * metadata go to mote_otlp_metadata(). Members with a comment may be read.
 */
typedef struct {
    mote_grpc_request request; /* of the call */
    mote_pb_large message;     /* of the call, with &mote_otlp_source */
    mote_pb_string text;       /* what the last response said; a view into it */
    uint64_t rejected;         /* of the last response */
    bool leaves;               /* a call is being made */
    uint64_t retry_ms;         /* the earliest time of the next one */
    /* private */
    const mote_otlp_signal *signal;
    const mote_otlp_config *config;
    mote_outbox *outbox;
    uint8_t *record;
    size_t record_size;
    mote_otlp_ledger ledger;
    uint64_t dropped_before; /* by the outbox, before this exporter */
    mote_backoff backoff;
    uint32_t random;
    uint32_t delay_ms;     /* that the receiver asks for */
    bool delayed;          /* it has asked for one, be it 0 */
    size_t slots, records; /* that leave: of instruments, and of the outbox up to `last` */
    uint64_t last;
    mote_outbox_place at; /* in the outbox: of the record with index `at_index` */
    size_t at_index;
    size_t held_index, held_len; /* what is in `record`; SIZE_MAX: nothing that leaves */
    mote_pb_walk walk;
    uint64_t walk_memory[MOTE_PB_WALK_SIZE(mote_otlp_Request_DEPTH, 4) / sizeof(uint64_t) + 1];
    mote_otlp_Request body;
    mote_otlp_ResourceItems of_resource;
    mote_otlp_ScopeItems of_scope;
    mote_otlp_Resource resource;
} mote_otlp_exporter;

/* The source of the message of an exporter. */
extern const mote_grpc_source mote_otlp_source;

/* Fixes what leaves next: as much of what waits as a request holds, what waits beside instruments
 * first, then from the outbox the oldest first. 0: make the call; MOTE_AGAIN: nothing waits, or it
 * is not the time yet (mote_otlp_wait_ms()); MOTE_GRPC_ERR_STATE: a call is being made; or an error
 * of the outbox's storage. */
int mote_otlp_begin(mote_otlp_exporter *x, uint64_t now_ms);

/* Each field of metadata of the call, or of any other one: the receiver may say there when to try
 * again (google.rpc.RetryInfo in grpc-status-details-bin). */
void mote_otlp_metadata(mote_otlp_exporter *x, const mote_grpc_event *ev);

/*
 * The call has ended with this status (enum mote_grpc_code) and, where that is OK, this response.
 * As OTLP has it, CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE and DATA_LOSS
 * are tried again, RESOURCE_EXHAUSTED only when the receiver says when (up to an hour, which is
 * what it is believed), with waits that grow; others never. A response that cannot be read is one
 * without content. MOTE_OTLP_REFUSED also where no call is being made.
 */
enum mote_otlp_outcome mote_otlp_end(mote_otlp_exporter *x, int code, const uint8_t *response,
                                     size_t len, uint64_t now_ms);

/* Milliseconds until mote_otlp_begin() is worth while; UINT32_MAX: nothing waits, or a call is
 * being made. */
uint32_t mote_otlp_wait_ms(const mote_otlp_exporter *x, uint64_t now_ms);

mote_otlp_ledger mote_otlp_ledger_of(const mote_otlp_exporter *x);

/* The invariant: see hpack/mote_check.h. */
bool mote_otlp_valid(const mote_otlp_exporter *x);

/* The memory of an exporter: `record` bytes for the largest point or log record, as encoded, and
 * `ring` for those that wait, 2 more each. MOTE_OTLP_RECORD() is what an init function takes; the
 * outbox is begun before it, in name_ring_memory or in storage. */
#define MOTE_OTLP_STORAGE(name, a, b)                                                              \
    enum { name##_##a, name##_##b };                                                               \
    static mote_outbox name##_outbox;                                                              \
    static uint8_t name##_record_memory[name##_record], name##_ring_memory[name##_ring]
#define MOTE_OTLP_RECORD(name) name##_record_memory, sizeof name##_record_memory

/* The RAM bill, for a static assertion: of an exporter (mote_otlp_metrics, mote_otlp_logs) with
 * such a storage, and of a histogram. That of any other instrument is its sizeof. */
#define MOTE_RAM_OTLP(type, name)                                                                  \
    (sizeof(type) + sizeof(mote_outbox) + (size_t)name##_record + (size_t)name##_ring)
#define MOTE_RAM_OTLP_HISTOGRAM(bounds)                                                            \
    (sizeof(mote_otlp_histogram) + sizeof(uint64_t) * MOTE_OTLP_COUNTS(bounds))

/* ---- metrics ------------------------------------------------------------------------------- */

typedef struct {
    mote_otlp_exporter exporter;
} mote_otlp_metrics;

/*
 * Prepares one. The config and all that it names stay. `outbox` was begun (mote_outbox_init(), or
 * _mount(): what it holds is sent) and is for this exporter alone; NULL: gauges wait beside their
 * instruments as well, the newer one in place of the older one, and nothing is delta. `unix_nano`
 * is the time from which sums count, in ns since 1970. `random` is any number, that differs from
 * device to device. 0; MOTE_GRPC_ERR_SPACE: the point of an instrument is larger than
 * `record_size`; MOTE_GRPC_ERR_CONFIG: that is below MOTE_OTLP_RECORD_MIN, a request does not hold
 * one record, or it is delta without an outbox; or an error of mote_pb_size().
 */
int mote_otlp_metrics_init(mote_otlp_metrics *m, const mote_otlp_config *config,
                           mote_outbox *outbox, void *record, size_t record_size,
                           uint64_t unix_nano, uint32_t random);

/*
 * Makes a point of each instrument that has something to tell: sums and histograms that were ever
 * used; where they are delta, and gauges, if they were since their last point. A sum or histogram
 * for which there is no room, or whose last point is just leaving, is part of the next one, and is
 * not counted here; a gauge for which there is none is dropped. 0; or the error of the first that
 * had no room: one of mote_outbox_put().
 */
int mote_otlp_collect(mote_otlp_metrics *m, uint64_t unix_nano);

/* ---- logs ---------------------------------------------------------------------------------- */

/* SeverityNumber: the first one of each range. */
enum mote_otlp_severity {
    MOTE_OTLP_TRACE = 1,
    MOTE_OTLP_DEBUG = 5,
    MOTE_OTLP_INFO = 9,
    MOTE_OTLP_WARN = 13,
    MOTE_OTLP_ERROR = 17,
    MOTE_OTLP_FATAL = 21
};

typedef struct {
    mote_otlp_exporter exporter;
} mote_otlp_logs;

/* Prepares one: as mote_otlp_metrics_init(), of whose config it uses no instruments. It needs an
 * outbox, of its own: MOTE_GRPC_ERR_CONFIG without. */
int mote_otlp_logs_init(mote_otlp_logs *l, const mote_otlp_config *config, mote_outbox *outbox,
                        void *record, size_t record_size, uint32_t random);

/* A log record waits; it is encoded at once. 0; MOTE_AGAIN: the outbox is full and refuses, or is
 * just being read; MOTE_GRPC_ERR_SPACE: it is larger than `record_size` or the outbox;
 * MOTE_PB_ERR_UTF8; or an error of the outbox's storage. It is in the ledger in any case. */
int mote_otlp_log_record(mote_otlp_logs *l, const mote_otlp_LogRecord *record);

/* The same of a text. */
int mote_otlp_log(mote_otlp_logs *l, uint64_t unix_nano, enum mote_otlp_severity severity,
                  mote_pb_string text);

#ifdef __cplusplus
}
#endif
#endif
