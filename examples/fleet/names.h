/* What names may be, where they enter. */
#ifndef EXAMPLES_NAMES_H
#define EXAMPLES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DEVICE_NAME = 63, METRIC_NAME = 31 };

/* 1 to `most` of A-Z a-z 0-9 _ . : / - (telemetry.proto). */
static inline bool name_is_valid(const char *name, size_t len, size_t most)
{
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '-' && c <= ':') ||
              c == '_'))
            return false;
    }
    return len > 0 && len <= most;
}

/* 16 hexadecimal digits, not all 0. */
static inline bool read_epoch(const char *text, size_t len, uint64_t *epoch)
{
    *epoch = 0;
    for (size_t i = 0; i < len; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, text[i]);
        if (!at || text[i] == '\0')
            return false;
        *epoch = *epoch << 4 | (uint64_t)(at - digits);
    }
    return len == 16 && *epoch != 0;
}

#endif
