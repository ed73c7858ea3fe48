/*
 * Store and forward: a fixed ring of samples that a device keeps until they are acknowledged.
 *
 * Samples get consecutive sequence numbers. They leave the ring when the collector has stored them;
 * after a reconnect, sending starts again behind the last acknowledged one.
 */
#ifndef EXAMPLES_STORE_H
#define EXAMPLES_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_policy {
    STORE_DROP_OLDEST, /* a new sample pushes out the oldest one, which is counted as dropped */
    STORE_BLOCK        /* a new sample is refused, and the application waits */
};

typedef struct {
    uint64_t sequence;
    int64_t time_ms;
    double value;
    uint8_t metric; /* index into the application's list of names */
} store_item;

typedef struct {
    store_item *items; /* the caller's memory */
    size_t capacity, count, first;
    uint64_t next_sequence; /* of the next sample; starts at 1 */
    uint64_t send_from;     /* sequence number that is sent next */
    uint64_t dropped;
    enum store_policy policy;
} store;

void store_init(store *s, store_item *items, size_t capacity, enum store_policy policy);

/* Adds a sample; false when the ring is full and the policy is to block. */
bool store_put(store *s, int64_t time_ms, uint8_t metric, double value);

/* The next sample to send, or NULL; store_sent() moves on to the one after it. */
const store_item *store_next(const store *s);
void store_sent(store *s);

/* All samples up to `sequence` are safe. */
void store_acknowledge(store *s, uint64_t sequence);

/* A new connection: sends again whatever is not acknowledged. */
void store_rewind(store *s);

#endif
