/* The set-ups that tests/size.sh measures: one call, messages of 128 bytes both ways. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "../../grpc/grpc.h"

enum {
    RX = 133,  /* a message of 128 bytes and its prefix */
    TX = 160,  /* the same in a DATA frame; the header block of the request */
    FIELD = 64 /* the longest field of responses in use: grpc-accept-encoding of gRPC C++ */
};

#define CLIENT_MEMORY MOTE_GRPC_MEMORY(1, RX, TX, 0, FIELD, 8, 0)
#define CLIENT_RAM    MOTE_RAM_CLIENT(1, RX, TX, 0, FIELD, 8, 0)
/* Requests bring a user-agent, and use the table. */
#define SERVER_MEMORY MOTE_GRPC_MEMORY(1, RX, 256, 256, 128, 8, 0)
#define SERVER_RAM    MOTE_RAM_SERVER(1, RX, 256, 256, 128, 8, 0)

#endif
