/* mote.device.Device with health checking and reflection: pins and sensors that can be read, set
 * and watched. */
#ifndef EXAMPLES_DEVICE_SERVICE_H
#define EXAMPLES_DEVICE_SERVICE_H

#include "../../grpc/grpc.h"
#include "device.mote.h"

/* User memory of a call. */
typedef struct {
    bool watching;
    bool telling; /* this reading, a part of which may have been sent */
    uint32_t channel;
    uint64_t due_ms;
    mote_device_Reading reading;
} device_watcher;

enum { DEVICE_SERVICES = 4, DEVICE_USER = sizeof(device_watcher) };

extern const mote_grpc_service device_services[DEVICE_SERVICES];

/* To be called from time to time for each connection: sends what watchers wait for. */
void device_turn(mote_grpc *g, uint64_t now_ms);

#endif
