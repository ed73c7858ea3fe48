/* Functions that are not inlined, although a compiler might do it. */
#ifndef MOTE_APART_H
#define MOTE_APART_H

/* For flash, or for the stack of its callers. */
#ifdef __GNUC__
#define MOTE_APART __attribute__((noinline))
#else
#define MOTE_APART
#endif

/* The same only where the compiler is told to save bytes: it inlines what is called once, even
 * where that costs registers and short offsets, and so bytes. Each use was found by measuring. */
#ifdef __OPTIMIZE_SIZE__
#define MOTE_SMALL_APART MOTE_APART
#else
#define MOTE_SMALL_APART
#endif

/* What is inlined there wherever it is called, as the function below it is smaller alone. */
#if defined __OPTIMIZE_SIZE__ && defined __GNUC__
#define MOTE_SMALL_INLINE inline __attribute__((always_inline))
#else
#define MOTE_SMALL_INLINE
#endif

/* A short function of a header, which is inlined but there. */
#if defined __OPTIMIZE_SIZE__ && defined __GNUC__
#define MOTE_HEADER_APART static __attribute__((noinline, unused))
#else
#define MOTE_HEADER_APART static inline
#endif

#endif
