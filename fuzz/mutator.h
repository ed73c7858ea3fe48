/*
 * Mutations of HTTP/2 and gRPC conversations that keep their structure: frame lengths stay true,
 * header blocks decode, streams have plausible ids, messages of gRPC have the length that their
 * prefix says, and protobuf fields inside of them that of their keys. Now and then one of these is
 * broken on purpose, and payloads, values or the whole input go through the fuzzer's own mutations.
 * What one side of a connection says is the input: for a server the client's preface and frames,
 * for a client the frames alone.
 *
 *   libFuzzer   link the files fuzz/mutator....c and those of hpack with the target
 *   AFL++       AFL_CUSTOM_MUTATOR_LIBRARY=build/libmote-mutator.so (make mutator); its own
 *               mutations, dictionaries and comparisons work on beside, unless
 *               AFL_CUSTOM_MUTATOR_ONLY is set
 *
 * Without a word from the target the mutator knows HTTP/2 and the prefix of gRPC. A target that
 * wants more says so once, in LLVMFuzzerInitialize().
 */
#ifndef MOTE_MUTATOR_H
#define MOTE_MUTATOR_H

#include "../pb/layout.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is changed, and how often beside the others. */
typedef enum {
    MOTE_MUTATE_FRAMES,   /* made, dropped, repeated, swapped; flags, ids, numbers, padding, cuts */
    MOTE_MUTATE_CALLS,    /* all that was said on a stream is said once more on a new one */
    MOTE_MUTATE_HEADERS,  /* fields of header blocks, which are encoded anew with all later ones */
    MOTE_MUTATE_MESSAGES, /* messages in DATA: fields where a table is given, else bytes */
    MOTE_MUTATE_PAYLOADS, /* the fuzzer's own mutations of one payload */
    MOTE_MUTATE_DAMAGE, /* what no peer may send: false lengths, frames that are cut, and others */
    MOTE_MUTATE_RAW,    /* the fuzzer's own mutations of all of the input, and nothing else */
    MOTE_MUTATE_KINDS
} mote_mutator_kind;

/* The messages of a method. */
typedef struct {
    const char *path;                          /* NULL: all others */
    const mote_pb_message *request, *response; /* T_layout of generated code; NULL: plain bytes */
} mote_mutator_method;

typedef struct {
    uint8_t weights[MOTE_MUTATE_KINDS]; /* in proportion; all 0: 6, 1, 6, 4 (16 with methods), 2, 1,
                                           2 */
    uint32_t frames; /* bit N: frames of type N are changed and made; 0: those of all types */
    const char *const *keep; /* names of header fields that stay as they are; NULL is the last */
    const mote_mutator_method *methods;
    size_t method_count;
    /* Bytes before the conversation that choose options of the target; they are mutated as plain
     * bytes. MOTE_MUTATOR_PREFIX in the environment says so where no config does. */
    size_t choices;
    /* Called with each mutant, which it may change; returns its size, at most max_size. NULL: none.
     * Bytes that choose are left out. */
    size_t (*after)(void *context, uint8_t *data, size_t size, size_t max_size);
    void *context;
} mote_mutator_config;

/* From now on; the config and what it points to must live on. NULL: the defaults. */
void mote_mutator_use(const mote_mutator_config *config);

/*
 * For targets that begin behind a snapshot: what this side has said before, whole frames. Header
 * blocks of mutants then refer to the dynamic table as these frames have left it, and new streams
 * come after theirs. 0; -1: a header block does not decode, and nothing is known of the table.
 * `len` 0 forgets all.
 */
int mote_mutator_context(const uint8_t *said, size_t len);

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

#ifdef __cplusplus
}
#endif
#endif
