/* A server in one call over a scripted kernel whose threads run at once: what is left open, what is
 * an error and how it is told, and what each worker has. */
#define _GNU_SOURCE
#include "worker_harness.h"

#include <pthread.h>
#include <sched.h>

static int threads, joined, thread_error, fails_at;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context)
{
    (void)attributes;
    if (thread_error != 0 && threads + 1 == fails_at)
        return thread_error;
    threads++;
    *thread = pthread_self();
    run(context);
    return 0;
}

int pthread_join(pthread_t thread, void **result)
{
    (void)thread, (void)result;
    joined++;
    return 0;
}

static int cores; /* -1: it is not known */

int sched_getaffinity(pid_t process, size_t size, cpu_set_t *set)
{
    (void)process;
    memset(set, 0, size);
    for (int i = 0; i < cores; i++)
        CPU_SET(i * 2, set);
    return cores < 0 ? -1 : 0;
}

static int next_descriptor(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

/* ---- what is served ---------------------------------------------------------------------------
 */

static mote_posix_server server;
static int contexts[8];
static unsigned owned;
static const mote_posix_security *securities[8];
static int own_fails_at;

static int own_of(void *context, unsigned number, mote_posix_own *mine)
{
    CHECK(context == &own && mine->context == &own && mine->security == server.security);
    CHECK_INT(number, owned);
    CHECK(!mine->mailbox);
    owned++;
    mine->context = &contexts[number % 8];
    mine->security = securities[number % 8];
    return (int)number + 1 == own_fails_at ? -1 : 0;
}

static struct {
    unsigned turns, accepts, breaks_at;
    void *context;
    bool shares, listens;
} seen;

static void see(void *context, mote_posix_loop *loop)
{
    if (seen.turns++ == 0) {
        seen.accepts = loop->accepts;
        seen.context = context;
        seen.shares = loop->shares;
        seen.listens = loop->listener >= 0;
    }
    mote_posix_stopped = seen.breaks_at == 0;
    if (seen.turns == seen.breaks_at)
        close(loop->epoll);
}

static char was_ready[128];

static void ready(const char *address)
{
    strcpy(was_ready, address);
}

static void open_server(void)
{
    static const int all_interfaces[] = {ANSWERS};

    listed = all_interfaces;
    listed_count = 1;
    prepare(1);
    server = (mote_posix_server){.address = "names.test:0",
                                 .grpc = w.grpc,
                                 .own = own_of,
                                 .turn = see,
                                 .ready = ready,
                                 .turn_ms = 10};
    server.grpc.server = false;
    server.grpc.context = &own;
    memset(securities, 0, sizeof securities);
    memset(&seen, 0, sizeof seen);
    for (size_t i = 0; i < 8; i++)
        accepts[i] = EAGAIN;
    owned = 0;
    threads = joined = thread_error = own_fails_at = accept_calls = 0;
    was_ready[0] = '\0';
}

/* What it says to a stream meanwhile. */
static char said[512];

static int serve_and_hear(int stream)
{
    int pipes[2], before = dup(stream);

    CHECK_INT(pipe(pipes), 0);
    fflush(stdout);
    dup2(pipes[1], stream);
    int r = mote_posix_serve(&server);
    fflush(stdout);
    dup2(before, stream);
    close(before);
    close(pipes[1]);
    ssize_t n = read(pipes[0], said, sizeof said - 1);
    said[n > 0 ? n : 0] = '\0';
    close(pipes[0]);
    mote_posix_stopped = 0;
    return r;
}

/* ---- how many, and who has what ---------------------------------------------------------------
 */

static void each_worker_has_its_part(void)
{
    static const struct {
        int workers, cores;
        size_t most;
        unsigned count, accepts;
    } rows[] = {{0, 4, 0, 1, 128},  {1, 4, 0, 1, 128}, {2, 4, 0, 2, 64}, {3, 4, 0, 3, 43},
                {3, 4, 100, 3, 5},  {1, 4, 8, 1, 1},   {1, 4, 9, 1, 2},  {-1, 3, 0, 3, 43},
                {-1, 1, 0, 1, 128}, {4, 1, 1, 4, 1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_server();
        int before = next_descriptor();
        server.workers = rows[i].workers;
        server.max_connections = rows[i].most;
        cores = rows[i].cores;
        CHECK_INT(serve_and_hear(STDERR_FILENO), 0);
        CHECK(strcmp(said, "") == 0);
        CHECK_INT(owned, rows[i].count);
        CHECK_INT(threads, rows[i].count - 1);
        CHECK_INT(joined, rows[i].count - 1);
        CHECK_INT(seen.accepts, rows[i].accepts);
        CHECK(seen.context == &contexts[rows[i].count > 1 ? 1 : 0]);
        CHECK(seen.listens && !seen.shares);
        CHECK_INT(seen.turns, 1);
        CHECK(strncmp(was_ready, "0.0.0.0:", 8) == 0 && atoi(was_ready + 8) > 0);
        CHECK_INT(next_descriptor(), before);
    }
}

/* One that dials has one connection, and listens to nobody. */
static void one_that_dials_has_one_worker(void)
{
    static const int workers[] = {0, 1, MOTE_POSIX_EVERY_CORE};

    for (size_t i = 0; i < 3; i++) {
        open_server();
        server.dial = "names.test:1";
        server.workers = workers[i];
        cores = 3;
        CHECK_INT(serve_and_hear(STDERR_FILENO), 0);
        CHECK(strcmp(said, "") == 0 && was_ready[0] == '\0');
        CHECK_INT(owned, 1);
        CHECK_INT(seen.turns, 1);
        CHECK(!seen.listens);
        CHECK_INT(joined, 0);
    }
}

/* Where the cores of this process are not known, there is one at least. */
static void cores_are_counted(void)
{
    cores = 5;
    CHECK_INT(mote_posix_core_count(), 5);
    cores = -1;
    CHECK_INT(mote_posix_core_count(), sysconf(_SC_NPROCESSORS_ONLN));
}

/* Of a Unix socket the workers have one in common. */
static void a_unix_socket_is_shared(void)
{
    char folder[] = "/tmp/mote-workers.XXXXXX", path[64];

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "unix:%s/socket", folder);
    for (int workers = 1; workers < 4; workers++) {
        open_server();
        server.address = path;
        server.workers = workers;
        CHECK_INT(serve_and_hear(STDERR_FILENO), 0);
        CHECK_INT(seen.shares, workers > 1);
        CHECK(strcmp(was_ready, path) == 0);
        unlink(path + 5);
    }
    rmdir(folder);
}

static void it_says_where_it_listens(void)
{
    char line[64];

    for (int way = 0; way < 3; way++) {
        open_server();
        server.ready = way == 2 ? ready : NULL;
        server.quiet = way == 1;
        CHECK_INT(serve_and_hear(STDOUT_FILENO), 0);
        if (way > 0)
            CHECK(strcmp(said, "") == 0);
        else
            CHECK(sscanf(said, "listening on 0.0.0.0:%63[0-9]", line) == 1 &&
                  strlen(said) == strlen("listening on 0.0.0.0:") + strlen(line) + 1);
    }
}

/* ---- what is left open ------------------------------------------------------------------------
 */

static uint64_t began_ms, moved_ms;
static unsigned pings, slow_count;

/* As if one had connected. */
static void let_in(mote_posix_loop *loop)
{
    int pair[2];

    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    clients[0] = pair[1];
    w.loop = loop;
    CHECK_INT(loop->accept(loop->accept_context, pair[0]), 0);
}

/* A client that says it is there, and nothing else; the clock moves as it is told. */
static void move_clock(void *context, mote_posix_loop *loop)
{
    uint8_t bytes[512];

    (void)context;
    if (seen.turns++ == 0) {
        let_in(loop);
        began_ms = clock_ms;
        CHECK_INT(write(clients[0], "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33), 33);
        CHECK_INT(write(clients[0], "\0\0\0\4\1\0\0\0\0", 9), 9);
        return;
    }
    ssize_t n = read(clients[0], bytes, sizeof bytes);
    for (ssize_t i = 0; i + 9 <= n; i += 9 + (bytes[i + 1] << 8 | bytes[i + 2]))
        pings += bytes[i + 3] == 6;
    if (pings > 0 && moved_ms == 0)
        moved_ms = clock_ms - began_ms;
    if (pings > 0 || seen.turns > 40000)
        mote_posix_stopped = 2;
}

static void a_silent_peer_is_asked_after_five_minutes(void)
{
    open_server();
    server.turn = move_clock;
    CHECK_INT(serve_and_hear(STDERR_FILENO), 0);
    CHECK_INT(pings, 1);
    CHECK_INT(moved_ms, 300001); /* from its first tick on */
    leave(0);
}

static void tell_slow(void *context, const char *service, const char *method, uint32_t ms)
{
    (void)context, (void)service, (void)method, (void)ms;
    slow_count++;
}

/* A call that stays, whose handler takes so long; then it is to stop. */
static void call_and_stop(void *context, mote_posix_loop *loop)
{
    (void)context;
    if (seen.turns++ > 0)
        return;
    let_in(loop);
    ask(0, "/a.A/S", 1);
    began_ms = clock_ms;
    mote_posix_stopped = 1;
}

static void limits_that_are_left_open(void)
{
    static const struct {
        uint32_t drain_ms, slow_ms, takes_ms;
        uint64_t drains;
        unsigned slow;
    } rows[] = {
        {0, 0, 99, 10000, 0}, {0, 0, 100, 10000, 1}, {70, 50, 49, 70, 0}, {70, 50, 50, 70, 1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_server();
        server.turn = call_and_stop;
        server.drain_ms = rows[i].drain_ms;
        server.slow_ms = rows[i].slow_ms;
        server.slow = tell_slow;
        takes_ms = rows[i].takes_ms;
        slow_count = 0;
        CHECK_INT(serve_and_hear(STDERR_FILENO), 0);
        CHECK_INT(messages, 1);
        CHECK_INT(slow_count, rows[i].slow);
        CHECK_INT(clock_ms - began_ms, rows[i].drains);
        leave(0);
    }
}

/* ---- what does not start ----------------------------------------------------------------------
 */

static void what_does_not_start_says_why(void)
{
    static const mote_posix_security alone = {.context = &contexts[0], .one_thread = true},
                                     same = {.context = &contexts[0], .one_thread = true},
                                     other = {.context = &contexts[1], .one_thread = true},
                                     open = {.context = &contexts[0], .one_thread = false};
    static const struct {
        int workers;
        const char *dial, *address;
        size_t rx_size;
        const mote_posix_security *of[3];
        int own_fails_at, threads, fails_at;
        const char *says;
        unsigned owned;
        int joined;
    } rows[] = {
        {-2,
         NULL,
         "names.test:0",
         64,
         {0},
         0,
         0,
         0,
         "error: workers: -2 is not 0 to 1024, nor MOTE_POSIX_EVERY_CORE\n",
         0,
         0},
        {1025,
         NULL,
         "names.test:0",
         64,
         {0},
         0,
         0,
         0,
         "error: workers: 1025 is not 0 to 1024, nor MOTE_POSIX_EVERY_CORE\n",
         0,
         0},
        {2,
         "a:1",
         "names.test:0",
         64,
         {0},
         0,
         0,
         0,
         "error: workers: a server that dials has one connection, and so one\n",
         0,
         0},
        {3, NULL, "nowhere", 64, {0}, 0, 0, 0, "error: address nowhere: is not host:port\n", 3, 0},
        {3,
         NULL,
         "names.test:0",
         64,
         {&alone, &other, &same},
         0,
         0,
         0,
         "error: workers: they cannot share a TLS context; `own` gives one to each\n",
         3,
         0},
        {2,
         NULL,
         "names.test:0",
         64,
         {&alone, &same},
         0,
         0,
         0,
         "error: workers: they cannot share a TLS context; `own` gives one to each\n",
         2,
         0},
        {3, NULL, "names.test:0", 64, {&alone, &other, NULL}, 0, 0, 0, "", 3, 2},
        {3, NULL, "names.test:0", 64, {&open, &open, &alone}, 0, 0, 0, "", 3, 2},
        {3, NULL, "names.test:0", 64, {&alone, &open, NULL}, 0, 0, 0, "", 3, 2},
        {3, NULL, "names.test:0", 64, {0}, 2, 0, 0, "", 2, -1},
        {3,
         NULL,
         "names.test:0",
         64,
         {0},
         0,
         EAGAIN,
         1,
         "error: workers: Resource temporarily unavailable\n",
         3,
         0},
        {3,
         NULL,
         "names.test:0",
         64,
         {0},
         0,
         EAGAIN,
         2,
         "error: workers: Resource temporarily unavailable\n",
         3,
         1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_server();
        int before = next_descriptor();
        server.workers = rows[i].workers;
        server.dial = rows[i].dial;
        server.address = rows[i].address;
        server.grpc.rx_size = rows[i].rx_size;
        memcpy(securities, rows[i].of, sizeof rows[i].of);
        own_fails_at = rows[i].own_fails_at;
        thread_error = rows[i].threads;
        fails_at = rows[i].fails_at;
        bool starts = rows[i].says[0] == '\0' && rows[i].joined >= 0;
        CHECK_INT(serve_and_hear(STDERR_FILENO), starts ? 0 : -1);
        if (strcmp(said, rows[i].says) != 0)
            printf("row %zu: %s", i, said);
        CHECK_TEXT(strcmp(said, rows[i].says) == 0);
        CHECK_INT(owned, rows[i].owned);
        CHECK_INT(joined, rows[i].joined > 0 ? rows[i].joined : 0);
        CHECK_INT(next_descriptor(), before);
    }
    open_server();
    server.grpc.tx_size = 3;
    CHECK_INT(serve_and_hear(STDERR_FILENO), -1);
    CHECK_TEXT(strncmp(said, "error: config: tx_size", 22) == 0);
    CHECK_INT(owned, 0);
}

/* One that fails ends the others, and the call says so. */
static void one_that_fails_is_told(void)
{
    for (int workers = 1; workers < 4; workers++) {
        open_server();
        server.workers = workers;
        seen.breaks_at = 1;
        CHECK_INT(serve_and_hear(STDERR_FILENO), -1);
        CHECK_INT(seen.turns, 1);
        CHECK_INT(joined, workers - 1);
    }
}

int main(void)
{
    mote_posix_catch_signals();
    for (size_t i = 0; i < 12; i++)
        polled.ready[i] = -1;
    RUN(each_worker_has_its_part);
    RUN(one_that_dials_has_one_worker);
    RUN(cores_are_counted);
    RUN(a_unix_socket_is_shared);
    RUN(it_says_where_it_listens);
    RUN(a_silent_peer_is_asked_after_five_minutes);
    RUN(limits_that_are_left_open);
    RUN(what_does_not_start_says_why);
    RUN(one_that_fails_is_told);
    return test_summary();
}
