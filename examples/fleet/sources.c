#include "sources.h"

#include "../common/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Who brings devices. */
enum { PEER_BUCKETS = 4096 };
typedef struct peer {
    struct peer *next; /* in the chain of its bucket */
    size_t bucket, count;
    char host[PEER_HOST];
} peer;

/* Each is in a chain of its bucket, by the hash of its device, and in the list of all. */
typedef struct entry {
    source s; /* first, so that either is the other */
    struct entry *before, *after;
    peer *by; /* NULL: it is from the store */
} entry;

size_t sources_most = 1000000;
static peer *peers[PEER_BUCKETS];

static source **buckets;
static size_t bucket_count, count;
static entry *oldest, *newest;

/* FNV-1a. A peer may choose names that meet in one bucket: SOURCE_EPOCHS bounds those of one
 * device, and a random start is what keeps others from knowing the buckets (where the program lies,
 * when there are no random numbers yet). */
static uint64_t hash_bytes(const char *device, size_t len)
{
    static uint64_t start;

    if (start == 0 && getrandom(&start, sizeof start, GRND_NONBLOCK) != sizeof start)
        start = (uint64_t)(uintptr_t)&start ^ 14695981039346656037u;
    uint64_t h = start;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)device[i]) * 1099511628211u;
    return h ^ h >> 32;
}

static size_t hash(const char *device, size_t len)
{
    return (size_t)hash_bytes(device, len) & (bucket_count - 1);
}

/* ---- who brings them ------------------------------------------------------------------------- */

/* One that has none left is forgotten. NULL: there is no memory. */
static peer *find_peer(const char *address)
{
    char host[PEER_HOST];

    peer_host(address, host);
    size_t bucket = (size_t)hash_bytes(host, strlen(host)) & (PEER_BUCKETS - 1);
    for (peer *p = peers[bucket]; p; p = p->next) {
        if (strcmp(p->host, host) == 0)
            return p;
    }
    peer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    memcpy(p->host, host, sizeof host);
    p->bucket = bucket;
    p->next = peers[bucket];
    peers[bucket] = p;
    return p;
}

static void drop_peer_if_idle(peer *p)
{
    if (!p || p->count > 0)
        return;
    peer **at = &peers[p->bucket];
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    free(p);
}

static bool has_room(const peer *by)
{
    return count < sources_most && (!by || by->count < sources_most - count);
}

/* ---- the table ------------------------------------------------------------------------------- */

static bool is_device(const source *s, const char *device, size_t len)
{
    return memcmp(s->device, device, len) == 0 && s->device[len] == '\0';
}

static bool grow(void)
{
    size_t old_count = bucket_count;
    source **old = buckets, **wider = calloc(old_count ? 2 * old_count : 256, sizeof(source *));

    if (!wider)
        return old != NULL;
    buckets = wider;
    bucket_count = old_count ? 2 * old_count : 256;
    for (entry *e = oldest; e; e = e->after) {
        size_t i = hash(e->s.device, strlen(e->s.device));
        e->s.next = buckets[i];
        buckets[i] = &e->s;
    }
    free(old);
    return true;
}

static void forget(source *s)
{
    entry *e = (entry *)s;
    source **at = &buckets[hash(s->device, strlen(s->device))];

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    *(e->before ? &e->before->after : &oldest) = e->after;
    *(e->after ? &e->after->before : &newest) = e->before;
    count--;
    if (e->by)
        e->by->count--;
    drop_peer_if_idle(e->by);
    free(s->tags);
    free(e);
}

static bool in_use(const source *s)
{
    return s->control || s->upload || s->dirty || s->shown;
}

/* The newest are in front of a chain. */
static void forget_old_epochs(const char *device, size_t len)
{
    size_t n = 0;

    for (source *s = buckets[hash(device, len)], *next; s; s = next) {
        next = s->next;
        if (is_device(s, device, len) && ++n >= SOURCE_EPOCHS && !in_use(s))
            forget(s);
    }
}

static source *add(const char *device, size_t len, uint64_t epoch, peer *by)
{
    entry *e;

    if (!has_room(by) || (count >= bucket_count && !grow()) || !(e = calloc(1, sizeof *e)))
        return NULL;
    e->by = by;
    if (by)
        by->count++;
    forget_old_epochs(device, len);
    memcpy(e->s.device, device, len);
    e->s.epoch = epoch;
    source **bucket = &buckets[hash(device, len)];
    e->s.next = *bucket;
    *bucket = &e->s;
    e->before = newest;
    *(newest ? &newest->after : &oldest) = e;
    newest = e;
    count++;
    return &e->s;
}

source *sources_find(const char *device, size_t len, uint64_t epoch, const char *address)
{
    if (!name_is_valid(device, len, DEVICE_NAME))
        return NULL;
    for (source *s = buckets ? buckets[hash(device, len)] : NULL; s; s = s->next) {
        if (s->epoch == epoch && is_device(s, device, len))
            return s;
    }
    peer *by = address ? find_peer(address) : NULL;
    source *s = address && !by ? NULL : add(device, len, epoch, by);
    if (!s)
        drop_peer_if_idle(by);
    return s;
}

void sources_release(source *s)
{
    if (s->id == 0 && !in_use(s))
        forget(s);
}

int sources_expire(uint64_t before_ms)
{
    for (source *s = sources_first(), *next; s; s = next) {
        next = sources_after(s);
        if (s->id == 0 || s->seen_ms >= before_ms)
            continue;
        if (!in_use(s))
            forget(s);
        else if (store_touch(s) < 0)
            return -1;
    }
    return 0;
}

void sources_known(const source *row)
{
    source *s = sources_find(row->device, strlen(row->device), row->epoch, NULL);

    if (!s)
        return;
    s->id = row->id;
    s->dropped = row->dropped;
    s->seen_ms = row->seen_ms;
    s->accepted = s->stored = row->stored;
}

source *sources_first(void)
{
    return oldest ? &oldest->s : NULL;
}

source *sources_after(const source *s)
{
    const entry *e = (const entry *)s;

    return e->after ? &e->after->s : NULL;
}

size_t sources_count(void)
{
    return count;
}

void sources_clear(void)
{
    while (newest)
        forget(&newest->s);
    store_counts = (source_counts){0};
}
