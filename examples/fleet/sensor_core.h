/* The two calls of a sensor and its store, wherever it runs: on a host (sensor.c) or on a board
 * (firmware/sensor.c). */
#ifndef EXAMPLES_SENSOR_CORE_H
#define EXAMPLES_SENSOR_CORE_H

#include "../../grpc/services/outbox.h"

/* Two calls at once; and the readings' interval in ms that a collector may command. */
enum { SENSOR_CALLS = 2, SENSOR_INTERVAL_LEAST = 10, SENSOR_INTERVAL_MOST = 86400000 };

typedef struct {
    const char *name;
    mote_outbox samples;
    uint32_t interval_ms;
    uint64_t stored;   /* by the last upload */
    bool acknowledged; /* the collector has spoken on this connection */
    bool broken;       /* a call has ended: the connection is of no use */
    bool finishing;    /* no more samples: the upload ends when all are acknowledged */
    bool done;
    mote_grpc_call *control, *upload;
    bool reported;
} sensor_core;

/* The samples are in `ring`; policy: enum mote_outbox_policy; epoch: a random number, not 0. */
void sensor_init(sensor_core *s, const char *name, void *ring, size_t size, int policy,
                 uint64_t epoch);

/* The samples are in storage, with what an earlier start has left there. 0, or an error. */
int sensor_mount(sensor_core *s, const char *name, const mote_outbox_storage *storage, int policy,
                 uint64_t epoch);

/* False: there is no room, and nothing may be dropped. */
bool sensor_put(sensor_core *s, const char *metric, double value, int64_t time_ms);

/* A connection begins; what happens on it; and what can be sent is sent. */
void sensor_begin(sensor_core *s);
void sensor_event(sensor_core *s, const mote_grpc_event *ev);
/* Bytes of the connection; false: it has failed. */
bool sensor_hear(sensor_core *s, mote_grpc *g, const uint8_t *in, size_t len);
void sensor_work(sensor_core *s, mote_grpc *g);

#endif
