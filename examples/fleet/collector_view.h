/* What the collector knows of its devices, and how it shows that. */
#ifndef EXAMPLES_COLLECTOR_VIEW_H
#define EXAMPLES_COLLECTOR_VIEW_H

#include "../../port/posix/posix.h"

enum { MAX_DEVICES = 256, MAX_METRICS = 16, HISTORY = 32, DEVICE_NAME = 64, METRIC_NAME = 32 };

typedef struct {
    char name[METRIC_NAME];
    double latest;
    double history[HISTORY]; /* a ring */
    uint64_t count;
} metric;

typedef struct {
    char name[DEVICE_NAME];
    metric metrics[MAX_METRICS];
    size_t metric_count;
    uint64_t last_sequence; /* the newest that is stored */
    uint64_t told_sequence; /* the newest that the device knows of */
    uint64_t received, lost, dropped;
    mote_grpc_call *control; /* NULL: the device is not connected */
    bool greeted;
} device;

typedef struct {
    int plain;
    uint64_t shown_ms, shown_received;
    uint64_t received_at_start, bytes;
    bool started;
} view_state;

/* Draws at most five times a second, or prints lines once a second when `plain`. */
void view_show(view_state *v, const device *devices, size_t count, mote_posix_loop *loop);
void view_summary(const view_state *v, const device *devices, size_t count, size_t connection_size);

#endif
