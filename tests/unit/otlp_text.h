/* Requests of OTLP as text, a line for each metric or log record, read by other tables than those
 * that wrote them. */
#ifndef OTLP_TEXT_H
#define OTLP_TEXT_H

#include "../../grpc/services/otlp.h"
#include "../test.h"

#include <stdarg.h>

static char otlp_lines[8192];
static size_t otlp_end;
static uint64_t otlp_memory[2048];

static inline void otlp_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(otlp_lines + otlp_end, sizeof otlp_lines - otlp_end, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof otlp_lines - otlp_end)
        abort();
    otlp_end += (size_t)n;
}

static inline void otlp_say_attributes(const mote_otlp_KeyValue *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const mote_otlp_AnyValue *v = items[i].value;
        otlp_say(" %.*s=", (int)items[i].key.len, items[i].key.data);
        if (v && mote_otlp_AnyValue_get_string_value(v))
            otlp_say("%.*s", (int)v->value.is.string_value.len, v->value.is.string_value.data);
        else if (v && mote_otlp_AnyValue_get_int_value(v))
            otlp_say("%lld", (long long)v->value.is.int_value);
        else
            otlp_say("?");
    }
}

static inline void otlp_say_number(const mote_otlp_NumberDataPoint *p)
{
    otlp_say(" %llu..%llu:", (unsigned long long)p->start_time_unix_nano,
             (unsigned long long)p->time_unix_nano);
    if (mote_otlp_NumberDataPoint_get_as_int(p))
        otlp_say(" %lld", (long long)p->value.is.as_int);
    if (mote_otlp_NumberDataPoint_get_as_double(p))
        otlp_say(" %.2f", p->value.is.as_double);
    otlp_say_attributes(p->attributes.items, p->attributes.count);
}

static inline void otlp_say_histogram(const mote_otlp_Histogram *h)
{
    const mote_otlp_HistogramDataPoint *p = h->data_points.items;

    otlp_say(" histogram %d %llu..%llu:", h->aggregation_temporality,
             (unsigned long long)p->start_time_unix_nano, (unsigned long long)p->time_unix_nano);
    otlp_say(" %llu sum %.2f", (unsigned long long)p->count, p->sum.value);
    if (p->min.has && p->max.has)
        otlp_say(" %.2f to %.2f", p->min.value, p->max.value);
    for (size_t i = 0; i < p->bucket_counts.count; i++) {
        if (i < p->explicit_bounds.count)
            otlp_say(" %llu<=%.1f", (unsigned long long)p->bucket_counts.items[i],
                     p->explicit_bounds.items[i]);
        else
            otlp_say(" %llu", (unsigned long long)p->bucket_counts.items[i]);
    }
    otlp_say_attributes(p->attributes.items, p->attributes.count);
}

static inline void otlp_say_metric(const uint8_t *data, size_t len)
{
    mote_pb_arena arena;
    mote_otlp_Metric m;

    mote_pb_arena_init(&arena, otlp_memory, sizeof otlp_memory);
    if (mote_otlp_Metric_decode(&m, data, len, &arena) < 0) {
        otlp_say("no metric\n");
        return;
    }
    otlp_say("%.*s %.*s \"%.*s\"", (int)m.name.len, m.name.data, (int)m.unit.len, m.unit.data,
             (int)m.description.len, m.description.data);
    if (m.gauge) {
        otlp_say(" gauge");
        otlp_say_number(m.gauge->data_points.items);
    }
    if (m.sum) {
        otlp_say(" sum %d%s", m.sum->aggregation_temporality, m.sum->is_monotonic ? " up" : "");
        otlp_say_number(m.sum->data_points.items);
    }
    if (m.histogram)
        otlp_say_histogram(m.histogram);
    otlp_say("\n");
}

static inline void otlp_say_log(const uint8_t *data, size_t len)
{
    mote_pb_arena arena;
    mote_otlp_LogRecord l;

    mote_pb_arena_init(&arena, otlp_memory, sizeof otlp_memory);
    if (mote_otlp_LogRecord_decode(&l, data, len, &arena) < 0) {
        otlp_say("no log record\n");
        return;
    }
    otlp_say("%llu %d", (unsigned long long)l.time_unix_nano, l.severity_number);
    if (l.body && mote_otlp_AnyValue_get_string_value(l.body))
        otlp_say(" \"%.*s\"", (int)l.body->value.is.string_value.len,
                 l.body->value.is.string_value.data);
    otlp_say_attributes(l.attributes.items, l.attributes.count);
    otlp_say("\n");
}

/* Each field of that number, of the bytes of a message. */
typedef void otlp_visit(const uint8_t *data, size_t len);
static inline void otlp_each(const uint8_t *data, size_t len, uint32_t number, otlp_visit *visit)
{
    mote_pb_splitter s;
    mote_pb_piece piece;
    size_t used;

    mote_pb_splitter_init(&s, NULL, 0);
    for (size_t at = 0; at < len && mote_pb_split(&s, data + at, len - at, &used, &piece) == 1;
         at += used)
        if (piece.number == number)
            visit(piece.data, piece.len);
}

static otlp_visit *otlp_say_item;

static inline void otlp_say_scope(const uint8_t *data, size_t len)
{
    mote_pb_arena arena;
    mote_otlp_Scope s;

    mote_pb_arena_init(&arena, otlp_memory, sizeof otlp_memory);
    if (mote_otlp_Scope_decode(&s, data, len, &arena) == 0)
        otlp_say("scope %.*s %.*s\n", (int)s.name.len, s.name.data, (int)s.version.len,
                 s.version.data);
}

static inline void otlp_say_resource(const uint8_t *data, size_t len)
{
    mote_pb_arena arena;
    mote_otlp_Resource r;

    mote_pb_arena_init(&arena, otlp_memory, sizeof otlp_memory);
    if (mote_otlp_Resource_decode(&r, data, len, &arena) < 0)
        return;
    otlp_say("resource");
    otlp_say_attributes(r.attributes.items, r.attributes.count);
    otlp_say("\n");
}

static inline void otlp_say_scope_items(const uint8_t *data, size_t len)
{
    otlp_each(data, len, 1, otlp_say_scope);
    otlp_each(data, len, 2, otlp_say_item);
}

static inline void otlp_say_resource_items(const uint8_t *data, size_t len)
{
    otlp_each(data, len, 1, otlp_say_resource);
    otlp_each(data, len, 2, otlp_say_scope_items);
}

/* The request that leaves, written in parts of `part` bytes; 0: as a whole. */
static uint8_t otlp_bytes[16384];
static inline size_t otlp_write(const mote_otlp_exporter *x, size_t part)
{
    size_t total = 0, at = 0, cap = part > 0 ? part : sizeof otlp_bytes;
    int r = mote_otlp_source.write(mote_otlp_source.type, &x->message, 0, otlp_bytes, cap, &total);

    for (at = total <= cap ? total : 0; r == 0 && at < total; at += cap) {
        cap = cap < total - at ? cap : total - at;
        r = mote_otlp_source.write(mote_otlp_source.type, &x->message, at, otlp_bytes + at, cap,
                                   &total);
    }
    return r < 0 ? 0 : total;
}

static inline const char *otlp_request(const mote_otlp_exporter *x, otlp_visit *item)
{
    size_t len = otlp_write(x, 0);

    otlp_say_item = item;
    otlp_end = 0;
    otlp_lines[0] = '\0';
    otlp_each(otlp_bytes, len, 1, otlp_say_resource_items);
    return otlp_lines;
}

static inline bool otlp_is(const char *actual, const char *expected)
{
    if (strcmp(actual, expected) != 0)
        printf("--- is\n%s--- not\n%s", actual, expected);
    return strcmp(actual, expected) == 0;
}

/* A ledger as text: recorded, and what became of these. */
static inline const char *otlp_ledger(const mote_otlp_exporter *x)
{
    static char text[160];
    mote_otlp_ledger l = mote_otlp_ledger_of(x);
    const struct {
        const char *name;
        uint64_t count;
    } parts[] = {{"sent", l.sent},       {"waiting", l.waiting},   {"replaced", l.replaced},
                 {"dropped", l.dropped}, {"rejected", l.rejected}, {"failed", l.failed}};
    int n = snprintf(text, sizeof text, "%llu:", (unsigned long long)l.recorded);

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].count > 0)
            n += snprintf(text + n, sizeof text - (size_t)n, " %llu %s",
                          (unsigned long long)parts[i].count, parts[i].name);
    return mote_otlp_valid(x) ? text : "does not add up";
}

#define CHECK_LEDGER(x, expected)                                                                  \
    do {                                                                                           \
        if (strcmp(otlp_ledger(x), expected) != 0) {                                               \
            printf("%s:%d: the ledger is \"%s\", not \"%s\"\n", __FILE__, __LINE__,                \
                   otlp_ledger(x), expected);                                                      \
            test_ok = false;                                                                       \
        }                                                                                          \
    } while (0)

#endif
