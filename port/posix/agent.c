/* The agent's lock, sleep and wake: a mutex, a condition for each thread, a bell. */
#define _GNU_SOURCE
#include "agent.h"
#include "posix_internal.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void agent_lock(void *context)
{
    pthread_mutex_lock(&((mote_posix_agent *)context)->lock);
}

static void agent_unlock(void *context)
{
    pthread_mutex_unlock(&((mote_posix_agent *)context)->lock);
}

/* What a thread sleeps on. */
static void *agent_self(void *context)
{
    static _Thread_local pthread_cond_t woken;
    static _Thread_local bool ready;
    pthread_condattr_t clock;

    (void)context;
    if (!ready) {
        pthread_condattr_init(&clock);
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
        pthread_cond_init(&woken, &clock);
        pthread_condattr_destroy(&clock);
        ready = true;
    }
    return &woken;
}

static void agent_sleep(void *context, uint64_t until_ms)
{
    mote_posix_agent *p = context;
    pthread_cond_t *woken = agent_self(context);
    struct timespec at = {.tv_sec = (time_t)(until_ms / 1000),
                          .tv_nsec = (long)(until_ms % 1000) * 1000000};

    if (until_ms == UINT64_MAX)
        pthread_cond_wait(woken, &p->lock);
    else
        pthread_cond_timedwait(woken, &p->lock, &at);
}

static void agent_notify(void *context, void *task)
{
    (void)context;
    pthread_cond_signal(task);
}

static void agent_wake(void *context)
{
    mote_posix_ring(((mote_posix_agent *)context)->wake);
}

int mote_posix_agent_init(mote_posix_agent *p, mote_channel *channel)
{
    mote_agent_os os = {p,           agent_lock,   agent_unlock, agent_self,
                        agent_sleep, agent_notify, agent_wake};

    mote_agent_init(&p->agent, channel, os);
    if (mote_posix_bell(p->wake) < 0)
        return mote_posix_failed("agent", NULL, strerror(errno));
    pthread_mutex_init(&p->lock, NULL);
    return 0;
}

void mote_posix_agent_run(mote_posix_agent *p)
{
    mote_posix_thread_fd = p->wake[0];
    mote_agent_run(&p->agent);
    mote_posix_thread_fd = -1;
}

void mote_posix_agent_free(mote_posix_agent *p)
{
    mote_posix_bell_free(p->wake);
    pthread_mutex_destroy(&p->lock);
}
