/*
 * Checks of invariants, for all layers.
 *
 * A type with an invariant has a function that says whether it holds (mote_hpack_decoder_valid()).
 * The invariant is written down there and nowhere else, so that it serves as the assumption and the
 * goal of a proof. Every public function checks it at its start, and also what its caller promises:
 *
 *     MOTE_CHECK_THAT(mote_hpack_decoder_valid(d));
 *
 * Without -DMOTE_CHECK the condition is compiled and not evaluated: it costs nothing. With it a
 * condition that does not hold ends the program at once, before it does harm. A test or a proof may
 * define MOTE_CHECK_FAILED(text) to something else on the command line of the compiler.
 */
#ifndef MOTE_CHECK_H
#define MOTE_CHECK_H

#ifdef MOTE_CHECK
#ifndef MOTE_CHECK_FAILED
#define MOTE_CHECK_FAILED(text) __builtin_trap()
#endif
#define MOTE_CHECK_THAT(condition) ((condition) ? (void)0 : (void)(MOTE_CHECK_FAILED(#condition)))
#else
#define MOTE_CHECK_THAT(condition) ((void)sizeof((condition) ? 1 : 0))
#endif

#endif
