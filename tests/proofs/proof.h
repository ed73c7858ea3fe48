/* What harnesses for CBMC share: values that can be anything, and memory of any size. */
#ifndef MOTE_PROOF_H
#define MOTE_PROOF_H

#define MOTE_CHECK
#define MOTE_CHECK_FAILED(text) __CPROVER_assert(0, text)

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

size_t nondet_size_t(void);
uint8_t nondet_uint8_t(void);
uint32_t nondet_uint32_t(void);
uint64_t nondet_uint64_t(void);
bool nondet_bool(void);

#define ASSUME(condition) __CPROVER_assume(condition)
#define SHOW(condition)   __CPROVER_assert(condition, #condition)

/* Bytes of any content, `len` of them, and not one more. */
static inline void *any_bytes(size_t len)
{
    void *p = malloc(len);

    ASSUME(p != NULL);
    return p;
}

static inline size_t any_size(size_t most)
{
    size_t n = nondet_size_t();

    ASSUME(n <= most);
    return n;
}

#endif
