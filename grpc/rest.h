/*
 * rest: connections of a host that borrow their memory, as h2/rest.h has it for HTTP/2. A loan is a
 * span of MOTE_GRPC_MEMORY() bytes, aligned as a uint64_t, as mote_grpc_init() gets one: it is the
 * first one.
 *
 *     mote_grpc_init(&g, &config, loan, loan_size);      at work
 *     ...                                                each mote_grpc_recv() has returned 0
 *     if (mote_grpc_at_rest(&g)) {
 *         kept = allocate(mote_grpc_rest_size(&g));
 *         mote_grpc_rest(&g, kept);                      the loan may be lent to another one
 *     }
 *     ...                                                input has come, or the time of a tick
 *     mote_grpc_lend(&g, another_loan);                  `kept` may be freed
 *
 * A connection with an open call is at work. For who lends, input that waits for a loan is input
 * that has not come yet: it stays in the transport, and nothing of what the windows allow is lost.
 */
#ifndef MOTE_GRPC_REST_H
#define MOTE_GRPC_REST_H

#include "grpc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether it can rest: all of its calls were told their end, and as mote_h2_at_rest(). */
bool mote_grpc_at_rest(const mote_grpc *g);

/* Bytes that it keeps: the fields that its encoder remembers, and the entries of its HPACK table.
 */
size_t mote_grpc_rest_size(const mote_grpc *g);

/* Rests, with mote_grpc_rest_size() bytes that are aligned as a uint64_t. Until it is lent memory
 * only mote_grpc_at_rest(), mote_grpc_active(), mote_grpc_running(), mote_grpc_find() and
 * mote_h2_error() may be called. */
void mote_grpc_rest(mote_grpc *g, void *kept);

/* Goes on with a loan, which is zero, or as a connection with the same sizes left it when it came
 * to rest. */
void mote_grpc_lend(mote_grpc *g, void *loan);

#ifdef __cplusplus
}
#endif
#endif
