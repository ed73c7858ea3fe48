/*
 * Load for a collector: load ADDRESS DEVICES RATE SECONDS. DEVICES devices, each with a connection
 * of its own, make RATE samples a second in all; prints how many were acknowledged in a second, and
 * how long a sample waited for its acknowledgement. With RATE 0 each sends what the collector
 * takes.
 */
#define _GNU_SOURCE
#include "../../examples/fleet/sensor_core.h"
#include "../../port/posix/posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { RX = 256, TX = 2048, FIELD = 256, SLOTS = 8, RING = 16384, TIMES = 512, BUCKETS = 100000 };

typedef struct {
    mote_posix_conn conn;
    mote_posix_client client;
    mote_grpc_config config;
    sensor_core sensor;
    char name[32];
    uint64_t seen;           /* acknowledged when it was looked at */
    uint64_t made_ms[TIMES]; /* of the last samples, by number */
    uint64_t memory[MOTE_GRPC_MEMORY(SENSOR_CALLS, RX, TX, 0, FIELD, SLOTS, 0) / 8];
    uint8_t ring[RING];
} device;

static mote_posix_loop loop;
static uint64_t waits[BUCKETS]; /* by ms */
static uint64_t acknowledged, refused, broken;

static void on_event(void *context, const mote_grpc_event *ev)
{
    device *d = context;

    sensor_event(&d->sensor, ev);
    uint64_t now = mote_posix_now_ms();
    for (; d->seen < d->sensor.samples.acknowledged; acknowledged++) {
        uint64_t ms = now - d->made_ms[++d->seen % TIMES];
        waits[ms < BUCKETS ? ms : BUCKETS - 1]++;
    }
}

static void on_closed(mote_posix_conn *conn)
{
    (void)conn;
    broken++;
}

static int begin(device *d, const char *address, unsigned number)
{
    int fd = mote_posix_connect(address, 5000);

    if (fd < 0)
        return -1;
    snprintf(d->name, sizeof d->name, "load-%u", number);
    sensor_init(&d->sensor, d->name, d->ring, RING, MOTE_OUTBOX_REFUSE,
                (uint64_t)getpid() << 32 | (number + 1));
    d->config = (mote_grpc_config){.max_calls = SENSOR_CALLS,
                                   .rx_size = RX,
                                   .tx_size = TX,
                                   .field_size = FIELD,
                                   .slots = SLOTS,
                                   .authority = mote_grpc_authority(address),
                                   .context = d};
    mote_grpc_init(&d->client.grpc, &d->config, d->memory, sizeof d->memory);
    d->client.on_event = on_event;
    d->conn.closed = on_closed;
    return mote_posix_loop_add(&loop, &d->conn, fd, &mote_posix_grpc_client, &d->client);
}

static void make_samples(device *d, unsigned count, uint64_t now)
{
    for (; count > 0; count--) {
        uint64_t number = mote_outbox_sequence(&d->sensor.samples);
        if (mote_outbox_count(&d->sensor.samples) + 1 >= TIMES ||
            !sensor_put(&d->sensor, "load", (double)number, (int64_t)now)) {
            refused += count;
            return;
        }
        d->made_ms[number % TIMES] = now;
    }
}

static uint64_t percentile(double share)
{
    uint64_t below = 0, ms = 0;

    for (; ms < BUCKETS; ms++) {
        below += waits[ms];
        if ((double)below >= share * (double)acknowledged)
            break;
    }
    return ms;
}

int main(int argc, char **argv)
{
    unsigned count = argc > 4 ? (unsigned)atoi(argv[2]) : 0;
    double rate = argc > 4 ? atof(argv[3]) : 0, seconds = argc > 4 ? atof(argv[4]) : 0;
    device *devices = mote_posix_memory(count, sizeof *devices);
    struct rlimit limit;

    if (count == 0 || !devices || mote_posix_loop_init(&loop) < 0)
        return 2;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned i = 0; i < count; i++) {
        if (begin(&devices[i], argv[1], i) < 0) {
            fprintf(stderr, "load: %s\n", mote_posix_error());
            return 1;
        }
    }
    uint64_t start = mote_posix_now_ms(), end = start + (uint64_t)(seconds * 1000), now;
    double made = 0;
    unsigned next = 0;
    while ((now = mote_posix_now_ms()) < end) {
        double left = rate > 0 ? rate * (double)(now - start) / 1000 - made : 64.0 * count;
        uint64_t due = left > 0 ? (uint64_t)left : 0;
        unsigned each = rate > 0 ? 4 : 64; /* a device makes some at a time, as they do */
        for (; due >= each; due -= each, made += each, next = (next + 1) % count)
            make_samples(&devices[next], each, now);
        for (unsigned i = 0; i < count; i++) {
            sensor_work(&devices[i].sensor, &devices[i].client.grpc, now);
            mote_posix_flush(&devices[i].conn);
        }
        mote_posix_loop_turn(&loop, 5);
    }
    printf("%u devices, %.0f samples/s acknowledged, p50 %llu ms, p99 %llu ms, most %llu ms, %llu "
           "refused by full rings, %llu connections broken\n",
           count, (double)acknowledged / seconds, (unsigned long long)percentile(0.5),
           (unsigned long long)percentile(0.99), (unsigned long long)percentile(1),
           (unsigned long long)refused, (unsigned long long)broken);
    return 0;
}
