/* What names may be, where they enter. */
#ifndef EXAMPLES_NAMES_H
#define EXAMPLES_NAMES_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
