/* What the fuzz targets share. Each target is one LLVMFuzzerTestOneInput; fuzz/standalone.c replays
 * files through it where there is no libFuzzer. A broken invariant ends the program. */
#ifndef MOTE_FUZZ_H
#define MOTE_FUZZ_H

#include "mutator.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Told to the mutator, where it is linked: inputs begin with so many bytes that choose. */
#pragma weak mote_mutator_use
#define FUZZ_CHOICES(bytes)                                                                        \
    int LLVMFuzzerInitialize(int *argc, char ***argv)                                              \
    {                                                                                              \
        static const mote_mutator_config config = {.choices = (bytes)};                            \
        (void)argc;                                                                                \
        (void)argv;                                                                                \
        if (mote_mutator_use)                                                                      \
            mote_mutator_use(&config);                                                             \
        return 0;                                                                                  \
    }

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Memory as it was at the start: no red zones, all of it one byte. */
#ifdef MOTE_RED_ZONES
#include <sanitizer/asan_interface.h>
#define FUZZ_PERMIT(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#else
#define FUZZ_PERMIT(at, size) ((void)0)
#endif
static inline void fuzz_fill(void *memory, int byte, size_t size)
{
    FUZZ_PERMIT(memory, size);
    memset(memory, byte, size);
}

/* A log of bytes that two runs are compared by. */
typedef struct {
    uint8_t bytes[1 << 18];
    size_t len;
} fuzz_log;

static inline void fuzz_put(fuzz_log *log, const void *data, size_t len)
{
    if (len <= sizeof log->bytes - log->len && len > 0) {
        memcpy(log->bytes + log->len, data, len);
        log->len += len;
    }
}

static inline void fuzz_put_number(fuzz_log *log, uint32_t n)
{
    fuzz_put(log, &n, sizeof n);
}

static inline int fuzz_same(const fuzz_log *a, const fuzz_log *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

#endif
