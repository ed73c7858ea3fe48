/* Whole numbers of many bits, for the decimals of doubles. */
#ifndef MOTE_PB_JSON_NUMBER_H
#define MOTE_PB_JSON_NUMBER_H

#include "json.h"

/* Doubles are doubles in registers too (float.h's FLT_EVAL_METHOD, which compilers define), so that
 * one operation is one rounding. Where this is not known, whole numbers do it all. */
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ == 0
enum { MOTE_PB_EXACT_DOUBLES = 1 };
#else
enum { MOTE_PB_EXACT_DOUBLES = 0 };
#endif

/* 768 digits, a factor of 10^-1113 on the other side, and 64 bits to divide: mote_pb_json_real().
 */
enum { BIG_WORDS = 120 };

typedef struct {
    unsigned count;        /* words that are used: the last one is not 0 */
    uint32_t w[BIG_WORDS]; /* the lowest first */
} mote_pb_big;

void mote_pb_big_set(mote_pb_big *b, uint64_t value);
/* b = b * factor + add */
void mote_pb_big_multiply(mote_pb_big *b, uint32_t factor, uint32_t add);
/* b = b * 5^exponent */
void mote_pb_big_scale(mote_pb_big *b, unsigned exponent);
void mote_pb_big_shift(mote_pb_big *b, unsigned bits);
unsigned mote_pb_big_bits(const mote_pb_big *b);
/* < 0, 0, > 0 */
int mote_pb_big_compare(const mote_pb_big *a, const mote_pb_big *b);
/* a + b beside c; < 0, 0, > 0 */
int mote_pb_big_compare_sum(const mote_pb_big *a, const mote_pb_big *b, const mote_pb_big *c);
/* a -= b, which is not larger */
void mote_pb_big_subtract(mote_pb_big *a, const mote_pb_big *b);
/* Bits of the last word before its first one that is set. */
unsigned mote_pb_big_zeros(const mote_pb_big *b);
/* a / b, which is below 2^32, where b has no such zeros; a becomes the rest. */
uint32_t mote_pb_big_divide(mote_pb_big *a, const mote_pb_big *b);

#endif
