#ifndef PEER_SERVICE_H
#define PEER_SERVICE_H

#include "peer.mote.h"

/* The largest answer that a request may ask for. */
#ifndef PEER_MAX_MESSAGE
#define PEER_MAX_MESSAGE (4 << 20)
#endif

/* User memory of a call. */
typedef struct {
    uint32_t count, sent, wanted, size;
    uint32_t answered;
    char initial[64], trailing[64];
    size_t initial_len, trailing_len;
} peer_state;

extern const mote_grpc_service peer_services[1];

#endif
