/*
 * snapshot: a fuzz target that begins behind what it has done once: the handshake, the SETTINGS, or
 * half of a message. A state of mote is plain memory (no pointer leads out of what the program
 * gave to it), so taking it is a copy, and restoring it a copy back.
 *
 *     static mote_grpc grpc;                        // what changes while an input runs
 *     static uint64_t memory[8192];
 *     static mote_snapshot snapshot;
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *     {
 *         if (!mote_snapshot_is_taken(&snapshot)) {
 *             prepare();                            // init, preface, SETTINGS, half of a call
 *             mote_snapshot_add(&snapshot, &grpc, sizeof grpc);
 *             mote_snapshot_add(&snapshot, memory, sizeof memory);
 *             mote_snapshot_take(&snapshot);
 *         }
 *         mote_snapshot_restore(&snapshot);
 *         run(data, size);
 *         return 0;
 *     }
 *
 * Rules.
 *   - Addresses: a part is restored where it was. Parts are static, or were allocated before and
 *     are never freed; pointers between them stay right, and so do those to what is constant.
 *   - All that an input changes and the next one reads is a part: the engine, its memory, what the
 *     handlers keep (of the program too: counters, a clock, a store). What is forgotten shows as an
 *     input that fails in the fuzzer and not when it is replayed alone.
 *   - TLS: mote_tls lies in the memory that was given to it, but mbedTLS takes more from calloc()
 * as the handshake goes on, and frees it: restoring half of that ends in a double free. Either
 *     begin behind TLS, with the plain text, which is what a fuzzer can change; or build mbedTLS
 *     with tls/preset.h and a static pool, and make the pool, and mbedTLS's allocator in it, parts.
 *   - Red zones of the address sanitizer (MOTE_ASAN) do not move; the parts are copied without
 *     looking at them.
 *   - With fuzz/mutator.h, say mote_mutator_context() what was said before, so that header blocks
 * go on with the table as it was left.
 *
 * AFL++: the same function in persistent mode (afl-clang-fast -fsanitize=fuzzer, or a loop of
 * __AFL_LOOP around it): the first input takes the snapshot, all others restore it.
 */
#ifndef MOTE_SNAPSHOT_H
#define MOTE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MOTE_SNAPSHOT_PARTS = 16 };

typedef struct {
    void *at;
    size_t size;
} mote_snapshot_part;

/* All zero: nothing was added. */
typedef struct {
    mote_snapshot_part parts[MOTE_SNAPSHOT_PARTS];
    size_t count;
    uint8_t *copy; /* of all parts, one behind the other; NULL: not taken */
} mote_snapshot;

/* Copies without looking at red zones. */
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 8)
__attribute__((no_sanitize("address")))
#endif
static inline void
mote_snapshot_copy(void *to, const void *from, size_t size)
{
#if defined(__SANITIZE_ADDRESS__)
#define MOTE_SNAPSHOT_SLOWLY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MOTE_SNAPSHOT_SLOWLY 1
#endif
#endif
#ifdef MOTE_SNAPSHOT_SLOWLY /* memcpy() would look */
    volatile unsigned char *out = (volatile unsigned char *)to;
    const unsigned char *in = (const unsigned char *)from;
    const size_t *in_words = (const size_t *)from;
    volatile size_t *out_words = (volatile size_t *)to;
    size_t words = ((uintptr_t)to | (uintptr_t)from) % sizeof(size_t) ? 0 : size / sizeof(size_t);
    for (size_t i = 0; i < words; i++)
        out_words[i] = in_words[i];
    for (size_t i = words * sizeof(size_t); i < size; i++)
        out[i] = in[i];
#else
    memcpy(to, from, size);
#endif
}

/* One more part, before mote_snapshot_take(). More than MOTE_SNAPSHOT_PARTS end the program. */
static inline void mote_snapshot_add(mote_snapshot *s, void *at, size_t size)
{
    if (s->count == MOTE_SNAPSHOT_PARTS)
        abort();
    s->parts[s->count].at = at;
    s->parts[s->count++].size = size;
}

static inline bool mote_snapshot_is_taken(const mote_snapshot *s)
{
    return s->copy != NULL;
}

/* Copies all parts as they are now; what was taken before is forgotten. The memory comes from
 * malloc() once and is never given back; where there is none the program ends. */
static inline void mote_snapshot_take(mote_snapshot *s)
{
    size_t total = 0;

    for (size_t i = 0; i < s->count; i++)
        total += (s->parts[i].size + 15) / 16 * 16;
    if (!s->copy)
        s->copy = (uint8_t *)malloc(total + 1);
    if (!s->copy)
        abort();
    total = 0;
    for (size_t i = 0; i < s->count; i++) {
        mote_snapshot_copy(s->copy + total, s->parts[i].at, s->parts[i].size);
        total += (s->parts[i].size + 15) / 16 * 16;
    }
}

/* All parts as they were when the snapshot was taken. */
static inline void mote_snapshot_restore(const mote_snapshot *s)
{
    size_t total = 0;

    for (size_t i = 0; i < s->count; i++) {
        mote_snapshot_copy(s->parts[i].at, s->copy + total, s->parts[i].size);
        total += (s->parts[i].size + 15) / 16 * 16;
    }
}

#ifdef __cplusplus
}
#endif
#endif
