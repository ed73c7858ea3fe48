#ifndef ZEPHYR_DOUBLE_RING_BUFFER_H
#define ZEPHYR_DOUBLE_RING_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_buf {
    uint8_t *bytes;
    uint32_t size, at, len;
};
#define RING_BUF_DECLARE(name, n)                                                                  \
    static uint8_t name##_bytes[n];                                                                \
    static struct ring_buf name = {name##_bytes, n, 0, 0}

static inline uint32_t ring_buf_put(struct ring_buf *r, const uint8_t *data, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n && r->len < r->size; i++, r->len++)
        r->bytes[(r->at + r->len) % r->size] = data[i];
    return i;
}

static inline uint32_t ring_buf_get(struct ring_buf *r, uint8_t *data, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n && r->len > 0; i++, r->len--, r->at = (r->at + 1) % r->size)
        data[i] = r->bytes[r->at];
    return i;
}

static inline bool ring_buf_is_empty(const struct ring_buf *r)
{
    return r->len == 0;
}

#endif
