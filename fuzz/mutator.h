/*
 * Mutations of HTTP/2 conversations that keep their structure: frame lengths stay true, header
 * blocks decode, streams have plausible ids. What one side of a connection says is the input: for a
 * server the client's preface and frames, for a client the frames alone.
 *
 *   libFuzzer   link fuzz/mutator.c and the files of hpack/ with the target
 *   AFL++       AFL_CUSTOM_MUTATOR_LIBRARY=build/libmote-mutator.so (make mutator)
 *
 * Some targets keep a few bytes of choices before the conversation. Their number is the environment
 * variable MOTE_MUTATOR_PREFIX, or the macro of that name at compile time (0); they are mutated as
 * plain bytes.
 */
#ifndef MOTE_MUTATOR_H
#define MOTE_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer: changes data[0, size) in place; returns the new size, at most max_size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* libFuzzer: frames of one conversation, then frames of another. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed);

/* AFL++'s interface for custom mutators. */
void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *other,
                       size_t other_size, size_t max_size);
void afl_custom_deinit(void *state);

#endif
