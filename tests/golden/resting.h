/* A connection that rests whenever it can, and goes on with other memory. */
#ifndef RESTING_H
#define RESTING_H

#include "../../grpc/rest.h"

#include <stdlib.h>
#include <string.h>

static size_t rests; /* how often one has */

/* Gives its memory back, which is wiped, and gets it again; what it keeps lies in a block of
 * exactly that size, so that a sanitizer sees what goes beyond it. */
static void rest_and_go_on(mote_grpc *g, void *memory, size_t size)
{
    if (!mote_grpc_at_rest(g))
        return;
    void *kept = malloc(mote_grpc_rest_size(g));
    if (!kept)
        abort();
    mote_grpc_rest(g, kept);
    memset(memory, 0, size);
    mote_grpc_lend(g, memory);
    free(kept);
    rests++;
}

#endif
