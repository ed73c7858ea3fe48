/* A gRPC server in one call: its workers, one for each core or as many as it is told. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the caller has left open. */
static void set_crew_defaults(mote_posix_server *c)
{
    enum { CONNECTIONS = 1024, DRAIN_MS = 10000, SLOW_MS = 100 };
    static const mote_grpc_life life = {.keepalive_ms = 300000, .keepalive_without_calls = true};

    c->grpc.server = true;
    c->grpc.coder = &mote_hpack_huffman_coder;
    if (c->max_connections == 0)
        c->max_connections = CONNECTIONS;
    if (!c->life)
        c->life = &life;
    if (c->drain_ms == 0)
        c->drain_ms = DRAIN_MS;
    if (c->slow_ms == 0)
        c->slow_ms = SLOW_MS;
}

/* 0: the server does not start, which has been said. One connection is enough for one that dials.
 */
static size_t worker_count(const mote_posix_server *c)
{
    size_t most = MOTE_POSIX_MOST_WORKERS, n = c->workers == 0 ? 1 : (size_t)c->workers;

    if (c->workers == MOTE_POSIX_EVERY_CORE)
        n = mote_posix_core_count() < most ? mote_posix_core_count() : most;
    if (n > most)
        fprintf(stderr, "error: workers: %d is not 0 to %zu, nor MOTE_POSIX_EVERY_CORE\n",
                c->workers, most);
    if (c->dial && c->workers > 1)
        fprintf(stderr, "error: workers: a server that dials has one connection, and so one\n");
    return n > most || (c->dial && c->workers > 1) ? 0 : c->dial ? 1 : n;
}

static int check_crew_config(const mote_grpc_config *g)
{
    mote_grpc probe;
    size_t size = mote_posix_call_memory(g);
    void *memory = mote_posix_memory(1, size);
    int r = memory ? mote_grpc_init(&probe, g, memory, size) : -1;
    char why[MOTE_GRPC_CONFIG_TEXT] = "out of memory";

    if (r < 0)
        fprintf(stderr, "error: config: %s\n",
                memory ? mote_grpc_config_text(g, memory, size, why) : why);
    if (memory)
        munmap(memory, size);
    return r;
}

/* ---- before they begin --------------------------------------------------------------------- */

/* What is of one thread is no two workers'. */
static bool is_taken(const mote_posix_worker *workers, size_t i)
{
    const mote_posix_security *own = workers[i].security;

    for (size_t j = 0; own && own->one_thread && j < i; j++) {
        const mote_posix_security *other = workers[j].security;
        if (other && other->one_thread && other->context == own->context)
            return true;
    }
    return false;
}

static int own_things(mote_posix_worker *workers, size_t i)
{
    const mote_posix_server *c = workers[i].config;
    mote_posix_own own = {c->grpc.context, c->security, NULL};

    if (c->own && c->own(c->grpc.context, (unsigned)i, &own) < 0)
        return -1;
    workers[i].grpc.context = own.context;
    workers[i].security = own.security;
    workers[i].mailbox = own.mailbox;
    if (!is_taken(workers, i))
        return 0;
    fprintf(stderr, "error: workers: they cannot share a TLS context; `own` gives one to each\n");
    return -1;
}

static int say_why(void)
{
    fprintf(stderr, "error: %s\n", mote_posix_error());
    return -1;
}

static int open_ears(const mote_posix_server *c, mote_posix_worker *workers, size_t count)
{
    int listeners[MOTE_POSIX_MOST_WORKERS];

    if (c->dial)
        return 0;
    int shared = mote_posix_listen_each(c->address, listeners, count);
    if (shared < 0)
        return say_why();
    for (size_t i = 0; i < count; i++) {
        workers[i].listener = listeners[i];
        workers[i].shares = shared == 1;
    }
    return 0;
}

static void tell_ready(const mote_posix_server *c, int listener)
{
    char address[128];

    mote_posix_address(listener, address);
    if (c->ready) {
        c->ready(address);
    } else if (!c->quiet) {
        printf("listening on %s\n", address);
        fflush(stdout);
    }
}

static int begin_all(mote_posix_crew *crew, mote_posix_worker *workers, size_t count)
{
    const mote_posix_server *c = &crew->config;

    for (size_t i = 0; i < count; i++) {
        workers[i] = (mote_posix_worker){.config = c, .crew = crew, .grpc = c->grpc};
        workers[i].connections = (c->max_connections + count - 1) / count;
        workers[i].listener = -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (own_things(workers, i) < 0)
            return -1;
    }
    if (open_ears(c, workers, count) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (mote_posix_worker_begin(&workers[i]) < 0)
            return say_why();
    }
    if (!c->dial)
        tell_ready(c, workers[0].loop->listener);
    return 0;
}

/* ---- at work ------------------------------------------------------------------------------- */

/* Whoever fails ends the others. */
static void fail_crew(mote_posix_crew *crew)
{
    __atomic_store_n(&crew->failed, true, __ATOMIC_RELAXED);
    if (crew->wake[0] >= 0)
        mote_posix_ring(crew->wake);
}

static void *work_as(void *context)
{
    mote_posix_worker *w = context;

    if (mote_posix_worker_run(w) < 0)
        fail_crew(w->crew);
    return NULL;
}

/* Threads for all but the first; how many workers have one. */
static size_t begin_threads(mote_posix_crew *crew, mote_posix_worker *workers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        int error = mote_posix_thread(&workers[i].thread, work_as, &workers[i]);
        if (error == 0)
            continue;
        fprintf(stderr, "error: workers: %s\n", strerror(error));
        fail_crew(crew);
        return i;
    }
    return count;
}

/* The first is this thread. */
static int run_all(mote_posix_crew *crew, mote_posix_worker *workers, size_t count)
{
    size_t begun = begin_threads(crew, workers, count);

    work_as(&workers[0]);
    for (size_t i = 1; i < begun; i++)
        pthread_join(workers[i].thread, NULL);
    return __atomic_load_n(&crew->failed, __ATOMIC_RELAXED) ? -1 : 0;
}

static int serve_crew(mote_posix_crew *crew, size_t count)
{
    mote_posix_worker *workers = mote_posix_memory(count, sizeof *workers);

    if (!workers) {
        fprintf(stderr, "error: out of memory\n");
        return -1;
    }
    int r = begin_all(crew, workers, count);
    r = r == 0 ? run_all(crew, workers, count) : r;
    for (size_t i = 0; i < count; i++)
        mote_posix_worker_end(&workers[i]);
    munmap(workers, count * sizeof *workers);
    return r;
}

int mote_posix_serve(const mote_posix_server *config)
{
    mote_posix_crew crew = {.config = *config, .wake = {-1, -1}};
    size_t count = worker_count(config);

    set_crew_defaults(&crew.config);
    if (count == 0 || check_crew_config(&crew.config.grpc) < 0)
        return -1;
    mote_posix_catch_signals();
    if (count > 1 && mote_posix_bell(crew.wake) < 0) {
        fprintf(stderr, "error: workers: %s\n", strerror(errno));
        return -1;
    }
    int r = serve_crew(&crew, count);
    mote_posix_bell_free(crew.wake);
    return r;
}
