/*
 * rest: a connection that waits for its peer needs little memory. A host with many of them lends
 * the rest of it while there is something to do. Part of h2/h2.h.
 *
 *   AT WORK -- mote_h2_rest(), once mote_h2_at_rest() --> RESTING -- mote_h2_lend() --> AT WORK
 *
 * A connection begins at work, with the spans of its config. While it rests, it has its struct and
 * one block, which holds what its two HPACK tables hold; functions that only read the struct
 * (mote_h2_error(), mote_h2_ready()) may be called, and of the others mote_h2_at_rest() and
 * mote_h2_lend() alone. Whether it rested meanwhile changes no event and no byte of its output.
 *
 * What its peer was promised stays so: windows and the limit of streams are those of the config,
 * and whoever cannot lend leaves the input where it is, as if it had not come yet.
 */
#ifndef MOTE_H2_REST_H
#define MOTE_H2_REST_H

#include "h2.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether it can rest: no stream is open, no frame or header block is in progress, and nothing
 * waits to be written or is owed. A connection that has failed never can. */
bool mote_h2_at_rest(const mote_h2 *c);

/* Bytes of the block that it keeps; for the next mote_h2_rest(). */
size_t mote_h2_rest_size(const mote_h2 *c);

/* Rests, with a block of mote_h2_rest_size() bytes that is aligned as a pointer. All spans of its
 * config are the caller's again, and all slots for streams are free. */
void mote_h2_rest(mote_h2 *c, void *kept);

/* Goes on with other spans: streams, tx, table, scratch and slots of `spans`, each as large as in
 * the config that it began with. Streams are zero, or as a connection with as many of them left
 * them when it came to rest. The block is the caller's again. */
void mote_h2_lend(mote_h2 *c, const mote_h2_config *spans);

#ifdef __cplusplus
}
#endif
#endif
