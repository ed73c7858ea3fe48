/* From "host:port" to addresses, within a time limit. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A number above 65,535 is no port, and none has a sign or a blank before it: getaddrinfo() takes
 * them, and cuts them. Names of services, which have a letter (RFC 6335 5.1), are its business. */
static bool port_ok(const char *port)
{
    size_t digits = strspn(port, "0123456789");
    bool name = (port[digits] | 0x20) >= 'a' && (port[digits] | 0x20) <= 'z';

    return name ||
           (port[digits] == '\0' && digits > 0 && digits < 10 && strtol(port, NULL, 10) <= 65535);
}

/* Splits "host:port" or "[v6]:port". */
static int split(const char *address, char host[256], const char **port)
{
    const char *colon = strrchr(address, ':');
    const char *start = address, *end = colon;

    if (!colon || (size_t)(colon - address) >= 256)
        return mote_posix_failed("address", address, "is not host:port");
    if (!port_ok(colon + 1))
        return mote_posix_failed("address", address, "has no port from 0 to 65535");
    if (end > start && *start == '[' && end[-1] == ']') {
        start++;
        end--;
    }
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    *port = colon + 1;
    return 0;
}

/* A name, or an address in digits, for which the resolver is not asked. */
static int look_up_flags(const char *host, const char *port, int flags, struct addrinfo **list)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};

    return getaddrinfo(host[0] ? host : NULL, port, &hints, list);
}

/* ---- names: getaddrinfo() has no time limit, so a thread waits for it ------------------------ */

enum { LOOKUPS = 4, RESOLVE_MS = 100, LOOKUP_STACK = 256 * 1024 };

/*
 * ASKED --> ANSWERED     the thread has put the result in
 * ASKED --> ABANDONED    the caller has gone: the thread frees it, whenever its answer comes
 */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    enum { ASKED, ANSWERED, ABANDONED } state;
    int flags, result;
    struct addrinfo *list;
    char host[256], port[32];
} lookup;

static atomic_int lookups; /* that run: an abandoned one is counted until it has its answer */

static void free_lookup(lookup *l)
{
    pthread_cond_destroy(&l->answered);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void *look_up(void *context)
{
    lookup *l = context;
    struct addrinfo *list = NULL;
    int result = look_up_flags(l->host, l->port, l->flags, &list);

    atomic_fetch_sub(&lookups, 1);
    pthread_mutex_lock(&l->lock);
    bool abandoned = l->state == ABANDONED;
    l->state = ANSWERED;
    l->result = result;
    l->list = list;
    pthread_cond_signal(&l->answered);
    pthread_mutex_unlock(&l->lock);
    if (abandoned) {
        if (result == 0)
            freeaddrinfo(list);
        free_lookup(l);
    }
    return NULL;
}

/* NULL: no memory, or too many of them wait. */
static lookup *ask(const char *host, const char *port, int flags)
{
    lookup *l = calloc(1, sizeof *l);
    pthread_attr_t attributes;
    pthread_condattr_t clock;
    pthread_t thread;

    if (!l)
        return NULL;
    l->flags = flags;
    snprintf(l->host, sizeof l->host, "%s", host);
    snprintf(l->port, sizeof l->port, "%s", port);
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&l->answered, &clock);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, LOOKUP_STACK);
    sigset_t all, before; /* signals are for the others: their waits end */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool begun = atomic_fetch_add(&lookups, 1) < LOOKUPS &&
                 pthread_create(&thread, &attributes, look_up, l) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    pthread_condattr_destroy(&clock);
    if (begun)
        return l;
    atomic_fetch_sub(&lookups, 1);
    free_lookup(l);
    return NULL;
}

/* Whether the answer came by then; a signal to stop is looked for as well. */
static bool await(lookup *l, uint64_t until)
{
    for (uint64_t now = mote_posix_now_ms();
         l->state == ASKED && now < until && !mote_posix_stopped; now = mote_posix_now_ms()) {
        uint64_t at = until - now < RESOLVE_MS ? until : now + RESOLVE_MS;
        struct timespec t = {.tv_sec = (time_t)(at / 1000), .tv_nsec = (long)(at % 1000) * 1000000};
        pthread_cond_timedwait(&l->answered, &l->lock, &t);
    }
    return l->state == ANSWERED;
}

int mote_posix_resolve(const char *address, int flags, uint64_t until_ms, struct addrinfo **list)
{
    char host[256] = "";
    const char *port = NULL;

    if (split(address, host, &port) < 0)
        return -1;
    if (look_up_flags(host, port, flags | AI_NUMERICHOST, list) == 0)
        return 0;
    lookup *l = ask(host, port, flags);
    if (!l)
        return mote_posix_failed("look up", address, "too many names are being looked up");
    pthread_mutex_lock(&l->lock);
    bool answered = await(l, until_ms);
    if (!answered)
        l->state = ABANDONED;
    pthread_mutex_unlock(&l->lock);
    if (!answered)
        return mote_posix_failed("look up", address, "timed out: the resolver has not answered");
    int result = l->result;
    *list = l->list;
    free_lookup(l);
    return result == 0 ? 0 : mote_posix_failed("address", address, gai_strerror(result));
}
