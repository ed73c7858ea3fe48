/* The two calls of a sensor and its store, wherever it runs: on a host (sensor.c) or on a board
 * (firmware/sensor.c). */
#ifndef EXAMPLES_SENSOR_CORE_H
#define EXAMPLES_SENSOR_CORE_H

#include "../../grpc/life.h"
#include "../../grpc/services/outbox.h"

/* Two calls at once; and the readings' interval in ms that a collector may command. */
enum { SENSOR_CALLS = 2, SENSOR_INTERVAL_LEAST = 10, SENSOR_INTERVAL_MOST = 86400000 };

/* In ms: to connect and to hear of the peer; the longest wait between attempts; the silence of a
 * collector that owes an answer; the one of a proxy that owes nothing, as gRPC's servers do not
 * want more frequent PINGs; that of a collector, before a proxy takes it for the end; and what
 * calls have to live for when they end, and others begin, on their connection. */
enum {
    SENSOR_CONNECT_MS = 5000,
    SENSOR_BACKOFF_MS = 10000,
    SENSOR_SILENCE_MS = 10000,
    SENSOR_KEEPALIVE_MS = 300000,
    SENSOR_HEARTBEAT_MS = 45000,
    SENSOR_CALLS_MS = 5000
};

/* Where a sensor is in its life: to end it, set SENSOR_FINISHING. */
enum sensor_life {
    SENSOR_SAMPLING,
    SENSOR_FINISHING, /* no more samples: the upload ends when all are acknowledged */
    SENSOR_DONE       /* and it has ended so */
};

/* How far a connection has come. A call that ends leads to SENSOR_BROKEN, and from there
 * sensor_begin() to SENSOR_GREETS, on a new connection; but where only calls have ended, which had
 * been of use, as a proxy ends those that are old or silent, others begin on the connection. */
enum sensor_link {
    SENSOR_GREETS,   /* our report is to be said */
    SENSOR_REPORTED, /* it is under way: the collector owes its first acknowledgement */
    SENSOR_UPLOADS,  /* it has come: samples go out */
    SENSOR_ENDED,    /* a call has ended, the other one follows; then SENSOR_GREETS or _BROKEN */
    SENSOR_BROKEN    /* the connection is of no use */
};

typedef struct {
    const char *name;
    const char *tags;  /* "key=value,key=value" (telemetry.proto), or NULL */
    uint64_t clock_ms; /* of a board that does not know the time of day: its own clock, by which it
                          takes its samples, as it is now; 0: their time is that of day */
    uint64_t first;    /* the number of its first sample since it started */
    mote_outbox samples;
    uint64_t dropped; /* of them, as the report says that is under way */
    uint32_t interval_ms;
    uint64_t stored; /* by the last upload */
    enum sensor_life life;
    enum sensor_link link;
    mote_grpc_call *control, *upload;
    mote_heartbeat heartbeat; /* Reports, and the answers to them */
    bool answered;            /* something has come since the last turn */
    uint32_t looked_ms;       /* when `heard` was last looked at, its low bits */
    uint64_t begun_ms;        /* the calls of now */
    uint64_t heard_ms; /* when the last answer came, or none was owed; 0: on no connection yet */
    uint64_t heard;    /* the number that it acknowledged */
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
void sensor_begin(sensor_core *s, uint64_t now_ms);
void sensor_event(sensor_core *s, const mote_grpc_event *ev);
/* Bytes of the connection; false: it has failed. */
bool sensor_hear(sensor_core *s, mote_grpc *g, const uint8_t *in, size_t len);
void sensor_work(sensor_core *s, mote_grpc *g, uint64_t now_ms);

/* The collector has owed an answer for SENSOR_SILENCE_MS, its first acknowledgement, that of what
 * was sent, or that of a heartbeat: the path is dead; or it is SENSOR_BROKEN. To be asked in each
 * turn of a connection; who did not for as long was asleep, and that is no silence of the peer. */
bool sensor_is_stuck(sensor_core *s, uint64_t now_ms);

#endif
