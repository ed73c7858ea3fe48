// The messages of the codec benchmarks, and how a call is timed.
#ifndef CODEC_MESSAGES_H
#define CODEC_MESSAGES_H

#include "codec.pb.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

static inline double now_ns()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return double(t.tv_sec) * 1e9 + double(t.tv_nsec);
}

static inline void fail(const char *what)
{
    fprintf(stderr, "bench codec: error: %s\n", what);
    exit(1);
}

// Median ns of a call, in 15 turns.
static inline double measure(const std::function<void()> &call, int calls)
{
    std::vector<double> turns;
    for (int turn = 0; turn < 15; turn++) {
        double start = now_ns();
        for (int i = 0; i < calls; i++)
            call();
        turns.push_back((now_ns() - start) / calls);
    }
    std::sort(turns.begin(), turns.end());
    return turns[turns.size() / 2];
}

static inline void fill(codec::Sample *s, unsigned i)
{
    s->set_sequence(100000 + i);
    s->set_time_us(1700000000000000 + i);
    s->set_metric("temperature_" + std::to_string(i % 10));
    s->set_value(20.5 + i);
}

static inline void fill(codec::Report *report)
{
    report->set_device("device-000017");
    report->set_version(7);
    report->set_charging(true);
    report->set_temperature(-12);
    report->set_voltage(3.7f);
    report->set_total(12345.678);
    report->set_uptime(8640000);
    report->set_flags(0xa5a5a5a5);
    report->set_token("0123456789abcdef");
    report->mutable_position()->set_latitude(52.52);
    report->mutable_position()->set_longitude(13.405);
    report->mutable_position()->set_altitude(34.0f);
    for (unsigned i = 0; i < 12; i++) {
        report->add_counters(i * i * 100);
        report->add_readings(float(i) * 0.5f);
    }
}

static inline void fill(codec::Batch *batch)
{
    for (unsigned i = 0; i < 100; i++)
        fill(batch->add_samples(), i);
}

// In the table of sizes computed and bytes written: the faster of the two ways that C++ has.
template <class T> static inline size_t cpp_encode(const T &m, unsigned char *out)
{
    size_t len = m.ByteSizeLong();
    m.SerializeWithCachedSizesToArray(out);
    return len;
}

#endif
