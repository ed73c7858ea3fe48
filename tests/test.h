/* A tiny test harness. A test is a function; RUN calls it and counts it; CHECK notes a failure and
 * goes on. main() ends with `return test_summary();`. With ONLY=NAME in the environment no other
 * test is run. */
#ifndef MOTE_TEST_H
#define MOTE_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_passed, test_failed;
static bool test_ok;

/* What users read. -DMOTE_NO_TEXTS leaves texts out: such assertions are counted, no more. */
#ifdef MOTE_NO_TEXTS
static int test_texts;
#define CHECK_TEXT(condition) ((void)sizeof(condition), (void)test_texts++)
#else
#define CHECK_TEXT(condition) CHECK(condition)
#endif

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            test_ok = false;                                                                       \
        }                                                                                          \
    } while (0)

#define CHECK_INT(actual, expected)                                                                \
    do {                                                                                           \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                \
        if (actual_ != expected_) {                                                                \
            printf("%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual, actual_,          \
                   expected_);                                                                     \
            test_ok = false;                                                                       \
        }                                                                                          \
    } while (0)

#define RUN(test)                                                                                  \
    do {                                                                                           \
        if (!test_is_wanted(#test))                                                                \
            break;                                                                                 \
        test_ok = true;                                                                            \
        test();                                                                                    \
        if (!test_ok)                                                                              \
            printf("FAIL %s\n", #test);                                                            \
        test_ok ? test_passed++ : test_failed++;                                                   \
    } while (0)

static inline bool test_is_wanted(const char *name)
{
    const char *only = getenv("ONLY");

    return !only || strcmp(only, name) == 0;
}

static inline int test_summary(void)
{
#ifdef MOTE_NO_TEXTS
    if (test_texts > 0)
        printf("assertions on texts left out: %d\n", test_texts);
#endif
    printf("%d passed, %d failed\n", test_passed, test_failed);
    return test_failed > 0;
}

/* Bytes from hexadecimal text; blanks are skipped. */
static inline size_t unhex(const char *text, uint8_t *out)
{
    size_t n = 0;
    unsigned value;

    for (; *text; text++) {
        if (*text == ' ')
            continue;
        if (sscanf(text, "%2x", &value) != 1)
            abort();
        out[n++] = (uint8_t)value;
        text++;
    }
    return n;
}

/* A small generator with a fixed sequence for each seed. */
static inline uint32_t test_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

#endif
