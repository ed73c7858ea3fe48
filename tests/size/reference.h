/* The set-ups that tests/size.sh measures: one call, messages of 128 bytes both ways. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "../../grpc/grpc.h"

enum {
    RX = 133,  /* a message of 128 bytes and its prefix */
    TX = 160,  /* the same in a DATA frame; the header block of the request */
    FIELD = 64 /* the longest field of responses in use: grpc-accept-encoding of gRPC C++ */
};

MOTE_GRPC_LAYOUT(client, max_calls = 1, slots = 8, rx_size = RX, tx_size = TX, table_size = 0,
                 field_size = FIELD, user_size = 0);
/* With a stream of samples beside it. */
MOTE_GRPC_LAYOUT(sender, max_calls = 2, slots = 8, rx_size = RX, tx_size = TX, table_size = 0,
                 field_size = FIELD, user_size = 0);
/* Requests bring a user-agent, and use the table. */
MOTE_GRPC_LAYOUT(server, max_calls = 1, slots = 8, rx_size = RX, tx_size = 256, table_size = 256,
                 field_size = 128, user_size = 0);
#define CLIENT_RAM MOTE_RAM_CONNECTION(client)
#define SERVER_RAM MOTE_RAM_CONNECTION(server)

#endif
