/* What the dashboard keeps of each device, in memory that is bounded: its counts, and of its first
 * metrics the last value of each second. */
#ifndef EXAMPLES_FLEET_H
#define EXAMPLES_FLEET_H

#include "collector_calls.h"

enum { FLEET_DEVICES = 4096, FLEET_METRICS = 8, FLEET_HISTORY = 120 };

typedef struct {
    char name[METRIC_NAME + 1];
    double last;
    uint64_t count; /* seconds of which there is a value, in a ring */
    struct {
        uint64_t at_ms;
        double value;
    } history[FLEET_HISTORY];
} fleet_metric;

typedef struct {
    char name[DEVICE_NAME + 1]; /* "": nobody's */
    uint64_t changed_ms;
    uint64_t heard_ms; /* its last sample; before that, when it was first seen */
    uint64_t samples, missing, dropped, waiting;
    uint64_t owed_ms, owed_number, owed_epoch; /* a sample that is to be acknowledged; 0: none */
    uint32_t acknowledge_ms;
    uint32_t interval_ms; /* that it was commanded; 0: none */
    uint32_t round;       /* when it was last seen to be connected */
    uint32_t next;        /* in the chain of its bucket, + 1 */
    bool connected;
    fleet_metric *metrics[FLEET_METRICS];
    size_t metric_count;
} fleet_device;

extern fleet_device fleet[FLEET_DEVICES];
extern size_t fleet_count;                     /* of those that have been used */
extern uint32_t fleet_connected, fleet_hidden; /* devices; those for which there was no room */

/* The device of this name; NULL: there is none. */
fleet_device *fleet_find(const char *name, size_t len);

/* Devices that the store knows, before any has called. */
void fleet_begin(uint64_t now_ms);

/* A sample has come, behind so many that are missing. */
void fleet_sample(source *s, const mote_telemetry_Sample *sample, uint64_t missing,
                  uint64_t now_ms);

/* Looks at the calls of devices: who is there, and what was acknowledged. To be called as often as
 * devices are told. */
void fleet_look(uint64_t now_ms);

/* The interval that the device was commanded, or another one. */
uint32_t fleet_interval(source *s, uint32_t otherwise);

#endif
