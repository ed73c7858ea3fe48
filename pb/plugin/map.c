/* A map from texts to numbers, with open addressing. */
#include "generator.h"

#include <string.h>

/* FNV-1a. */
static size_t hash(const char *key, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)key[i]) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32);
}

/* The row of a key, or the free one where it belongs. */
static map_row *map_row_of(const map *m, const char *key, size_t len)
{
    size_t i = hash(key, len) & (m->cap - 1);

    while (m->rows[i].value && (m->rows[i].len != len || memcmp(m->rows[i].key, key, len) != 0))
        i = (i + 1) & (m->cap - 1);
    return &m->rows[i];
}

const void *map_get(const map *m, const char *key, size_t len)
{
    return m->cap ? map_row_of(m, key, len)->value : NULL;
}

static void grow(map *m)
{
    map larger = {.count = m->count, .cap = m->cap ? 2 * m->cap : 64};

    larger.rows = allocate(larger.cap * sizeof *larger.rows);
    for (size_t i = 0; i < m->cap; i++) {
        if (m->rows[i].value)
            *map_row_of(&larger, m->rows[i].key, m->rows[i].len) = m->rows[i];
    }
    *m = larger;
}

void map_set(map *m, const char *key, size_t len, const void *value)
{
    if (2 * m->count >= m->cap)
        grow(m);
    map_row *row = map_row_of(m, key, len);
    m->count += row->value == NULL;
    *row = (map_row){key, len, value};
}
