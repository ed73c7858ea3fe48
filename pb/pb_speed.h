/* How encoder and decoder are compiled on hosts. */
#ifndef MOTE_PB_SPEED_H
#define MOTE_PB_SPEED_H

/* More is inlined than by -O2. And GCC would put two members into one register, to move them at
 * once, and wait for the stores of their halves. */
#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3,no-tree-slp-vectorize")
#endif

#endif
