#include "store.h"

void store_init(store *s, store_item *items, size_t capacity, enum store_policy policy)
{
    *s = (store){
        .items = items, .capacity = capacity, .next_sequence = 1, .send_from = 1, .policy = policy};
}

static uint64_t oldest(const store *s)
{
    return s->next_sequence - s->count;
}

static void remove_oldest(store *s)
{
    s->first = (s->first + 1) % s->capacity;
    s->count--;
    if (s->send_from < oldest(s))
        s->send_from = oldest(s);
}

bool store_put(store *s, int64_t time_ms, uint8_t metric, double value)
{
    if (s->count == s->capacity) {
        if (s->policy == STORE_BLOCK)
            return false;
        remove_oldest(s);
        s->dropped++;
    }
    s->items[(s->first + s->count) % s->capacity] =
        (store_item){s->next_sequence, time_ms, value, metric};
    s->count++;
    s->next_sequence++;
    return true;
}

const store_item *store_next(const store *s)
{
    if (s->send_from >= s->next_sequence)
        return NULL;
    return &s->items[(s->first + (size_t)(s->send_from - oldest(s))) % s->capacity];
}

void store_sent(store *s)
{
    s->send_from++;
}

void store_acknowledge(store *s, uint64_t sequence)
{
    while (s->count > 0 && oldest(s) <= sequence)
        remove_oldest(s);
}

void store_rewind(store *s)
{
    s->send_from = oldest(s);
}
