/* What names may be, where they enter. */
#ifndef EXAMPLES_NAMES_H
#define EXAMPLES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DEVICE_NAME = 63, METRIC_NAME = 31, TAGS = 16, TAGS_LENGTH = 511 };

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

/* 16 hexadecimal digits. */
static inline bool read_number(const char *text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, text[i]);
        if (!at || text[i] == '\0')
            return false;
        *number = *number << 4 | (uint64_t)(at - digits);
    }
    return true;
}

/* They are not all 0. */
static inline bool read_epoch(const char *text, size_t len, uint64_t *epoch)
{
    *epoch = 0;
    return len == 16 && read_number(text, epoch) && *epoch != 0;
}

typedef struct {
    const char *key, *value;
    size_t key_len, value_len;
} tag;

/* Takes the first of "key=value,key=value" off the text. False: it is none. */
static inline bool take_tag(const char **text, size_t *len, tag *t)
{
    const char *comma = memchr(*text, ',', *len);
    size_t own = comma ? (size_t)(comma - *text) : *len;
    const char *equals = memchr(*text, '=', own);

    if (!equals || (comma && own + 1 == *len))
        return false;
    *t = (tag){*text, equals + 1, (size_t)(equals - *text), own - 1 - (size_t)(equals - *text)};
    *text += own + (comma != NULL);
    *len -= own + (comma != NULL);
    return name_is_valid(t->key, t->key_len, METRIC_NAME) &&
           name_is_valid(t->value, t->value_len, DEVICE_NAME);
}

/* At most TAGS of them, each with a key of its own, in TAGS_LENGTH bytes. */
static inline bool tags_are_valid(const char *text, size_t len)
{
    tag seen[TAGS];
    size_t count = 0;

    if (len > TAGS_LENGTH)
        return false;
    for (; len > 0; count++) {
        if (count == TAGS || !take_tag(&text, &len, &seen[count]))
            return false;
        for (size_t i = 0; i < count; i++) {
            if (seen[i].key_len == seen[count].key_len &&
                memcmp(seen[i].key, seen[count].key, seen[i].key_len) == 0)
                return false;
        }
    }
    return true;
}

#endif
