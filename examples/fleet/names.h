/* What names may be, where they enter; and how anything that a peer has said is printed. */
#ifndef EXAMPLES_NAMES_H
#define EXAMPLES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

/* Text of others, for a line on a terminal: what is no printable ASCII becomes \xNN, a backslash
 * two of them. At most 300 bytes are shown. */
static inline void print_text(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len && i < 300; i++) {
        if (text[i] == '\\')
            fputs("\\\\", out);
        else if (text[i] >= ' ' && text[i] <= '~')
            fputc(text[i], out);
        else
            fprintf(out, "\\x%02x", (unsigned)(uint8_t)text[i]);
    }
}

#endif
