/* What a host gives to a program: the clock, memory, signals. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint64_t mote_posix_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint32_t mote_posix_random(void)
{
    uint32_t number;
    struct timespec t;

    if (mote_posix_system_random(&number))
        return number;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint32_t)t.tv_nsec * 2654435761u ^ (uint32_t)t.tv_sec ^ (uint32_t)getpid() << 16 ^
           (uint32_t)((uintptr_t)&number >> 4);
}

void *mote_posix_memory(size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *p = mmap(NULL, total ? total : 1, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

int mote_posix_thread(pthread_t *thread, void *(*run)(void *context), void *context)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

volatile sig_atomic_t mote_posix_stopped;

_Thread_local int mote_posix_thread_fd = -1;

static int wake[2] = {-1, -1}; /* a bell; [0] is set last, and atomic */

/* Several threads may begin to serve: one of them makes it. */
static void make_wake(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int made[2];

    pthread_mutex_lock(&lock);
    if (mote_posix_wake_fd() < 0 && mote_posix_bell(made) == 0) {
        wake[1] = made[1];
        __atomic_store_n(&wake[0], made[0], __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
}

int mote_posix_wake_fd(void)
{
    return __atomic_load_n(&wake[0], __ATOMIC_ACQUIRE);
}

static void stop(int signal)
{
    int saved = errno;

    (void)signal;
    __atomic_store_n(&mote_posix_stopped, mote_posix_stops() == 0 ? 1 : 2, __ATOMIC_RELAXED);
    mote_posix_ring(wake);
    errno = saved;
}

void mote_posix_catch_signals(void)
{
    struct sigaction action = {.sa_handler = stop}; /* no SA_RESTART: waits are interrupted */

    if (mote_posix_wake_fd() < 0)
        make_wake();
    if (mote_posix_wake_fd() < 0)
        return;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}
