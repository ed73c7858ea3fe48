/* Places for calls that stay, of all connections of a server. */
#ifndef EXAMPLES_SEATS_H
#define EXAMPLES_SEATS_H

#include "../../port/posix/posix.h"
#include "peer.h"

#include <string.h>

static inline void seats_host(const mote_grpc_call *call, char host[PEER_HOST])
{
    char address[128];

    peer_host(mote_posix_peer_address(mote_posix_conn_of(call), address), host);
}

/* A free seat, or NULL. A host has at most as many as it leaves to others, so that nobody takes
 * them all, by however many connections. */
static inline mote_grpc_handle *seats_find(mote_grpc_handle *seats, size_t count,
                                           const mote_grpc_call *call)
{
    mote_grpc_handle *free_one = NULL;
    size_t free_count = 0, own = 0;
    char host[PEER_HOST], other[PEER_HOST];

    seats_host(call, host);
    for (size_t i = 0; i < count; i++) {
        const mote_grpc_call *taken = mote_grpc_find(seats[i]);
        if (!taken) {
            free_one = &seats[i];
            free_count++;
            continue;
        }
        seats_host(taken, other);
        own += strcmp(host, other) == 0;
    }
    return own < free_count ? free_one : NULL;
}

#endif
