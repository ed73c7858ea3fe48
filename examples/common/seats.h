/* Places for calls that stay, of all connections of a server. */
#ifndef EXAMPLES_SEATS_H
#define EXAMPLES_SEATS_H

#include "../../port/posix/posix.h"
#include "peer.h"

#include <string.h>

typedef struct {
    mote_grpc_handle call; /* of a call that is over: the seat is free */
    char host[PEER_HOST];  /* of who has it */
} seat;

/* Gives a free seat to a call; false: there is none for it. A host has at most as many as it leaves
 * to others, so that nobody takes them all, by however many connections. */
static inline bool seats_take(seat *seats, size_t count, const mote_grpc_call *call)
{
    size_t free_count = 0, own = 0, at = 0;
    char address[128], host[PEER_HOST];

    peer_host(mote_posix_peer_address(mote_posix_conn_of(call), address), host);
    for (size_t i = 0; i < count; i++) {
        if (mote_grpc_find(seats[i].call))
            own += strcmp(host, seats[i].host) == 0;
        else if (free_count++ == 0)
            at = i;
    }
    if (own >= free_count)
        return false;
    seats[at].call = mote_grpc_handle_of(call);
    memcpy(seats[at].host, host, sizeof host);
    return true;
}

#endif
