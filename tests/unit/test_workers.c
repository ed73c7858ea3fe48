/* A server on several threads, in a process of its own: who is served by whom, and how it ends. */
#define _GNU_SOURCE
#include "../../port/posix/posix_internal.h"
#include "../test.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3, MOST = 2000 };
static int fleet = 48; /* connections at once; FLEET of the environment, up to MOST */

static int news[2], gate[2]; /* from the server's process; to a handler that waits there */

/* What a worker has for itself. */
typedef struct {
    unsigned number, calls;
} desk;
static desk desks[WORKERS];

static void ready(const char *address)
{
    dprintf(news[1], "%s\n", address);
}

static int own_desk(void *context, unsigned number, mote_posix_own *own)
{
    (void)context;
    desks[number].number = number;
    own->context = &desks[number];
    return 0;
}

/* Answers with the number of the worker, and how many calls it has had. */
static int who(mote_grpc_call *call, const mote_grpc_event *ev)
{
    desk *mine = call->grpc->config->context;
    uint8_t text[3];
    mote_grpc_bytes answer = {text, sizeof text};
    char byte;

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (ev->len == 4) {
        dprintf(news[1], "held up\n");
        CHECK_INT(read(gate[0], &byte, 1), 1);
    }
    text[0] = (uint8_t)mine->number;
    mine->calls++;
    text[1] = (uint8_t)mine->calls;
    text[2] = (uint8_t)(mine->calls >> 8);
    return mote_grpc_answer(call, &mote_grpc_bytes_source, &answer);
}

/* Goes on for ever. */
static int stays(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    if (ev->type == MOTE_GRPC_MESSAGE)
        dprintf(news[1], "stays\n");
    return 0;
}

static const mote_grpc_method methods[] = {{.name = "Stays", .handler = stays},
                                           {.name = "Who", .handler = who}};
static const mote_grpc_service service = {"w.W", methods, 2, false};

static mote_posix_server server_at(const char *address, int workers)
{
    return (mote_posix_server){.address = address,
                               .grpc = {.max_calls = 2,
                                        .slots = 4,
                                        .rx_size = 256,
                                        .tx_size = 512,
                                        .table_size = 4096,
                                        .field_size = 256,
                                        .services = &service,
                                        .service_count = 1},
                               .max_connections = WORKERS * MOST,
                               .ready = ready,
                               .workers = workers,
                               .slow_ms = 60000,
                               .own = own_desk};
}

static pid_t serve(const mote_posix_server *server)
{
    pid_t child = fork();

    if (child == 0) {
        alarm(60); /* a failure is no standstill */
        int r = mote_posix_serve(server);
        _exit(r < 0 ? 1 : test_ok ? 0 : 2);
    }
    return child;
}

/* The next line of news, without its end. */
static const char *line(void)
{
    static char text[256];
    size_t n = 0;

    while (n < sizeof text - 1 && read(news[0], text + n, 1) == 1 && text[n] != '\n')
        n++;
    text[n] = '\0';
    return text;
}

static int end_of(pid_t child)
{
    int status;

    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char address[128];

static pid_t begin(mote_posix_server server)
{
    CHECK_INT(pipe(news), 0);
    CHECK_INT(pipe(gate), 0);
    pid_t child = serve(&server);
    snprintf(address, sizeof address, "%s", line());
    return child;
}

static void end(pid_t child, int expected)
{
    CHECK_INT(end_of(child), expected);
    for (int i = 0; i < 2; i++) {
        close(news[i]);
        close(gate[i]);
    }
}

/* A client, and its connection. */
typedef struct {
    int fd;
    mote_channel channel;
    uint64_t memory[MOTE_GRPC_MEMORY(1, 256, 512, 0, 256, 4, 0) / 8];
    uint8_t input[256];
    mote_grpc_call *call;
} client;
static client clients[MOST];

static void connect_client(client *c)
{
    static const mote_grpc_config config = {.max_calls = 1,
                                            .slots = 4,
                                            .rx_size = 256,
                                            .tx_size = 512,
                                            .field_size = 256,
                                            .authority = MOTE_GRPC_AUTHORITY("a")};

    c->fd = mote_posix_connect(address, 5000);
    CHECK(c->fd >= 0);
    mote_channel_init(&c->channel, &config, c->memory, sizeof c->memory, c->input, sizeof c->input,
                      mote_posix_io(&c->fd));
}

static void ask(client *c, const mote_hpack_field *path, const char *message)
{
    mote_grpc_request request = {.path = path, .timeout_ms = 30000};
    mote_grpc_bytes bytes = {(const uint8_t *)message, strlen(message)};

    CHECK_INT(mote_channel_start(&c->channel, &request, &c->call), 0);
    CHECK_INT(mote_channel_send(c->call, &mote_grpc_bytes_source, &bytes, MOTE_GRPC_LAST), 0);
}

static const mote_hpack_field who_path = MOTE_HPACK_FIELD(":path", "/w.W/Who"),
                              stays_path = MOTE_HPACK_FIELD(":path", "/w.W/Stays");

static int status_of(client *c)
{
    return mote_channel_finish(c->call).code;
}

/* Which worker has answered; *count: of how many calls that is the last. */
static unsigned answered_by(client *c, unsigned *count)
{
    const uint8_t *m = NULL;
    size_t len = 0;
    mote_status status = mote_channel_collect(c->call, &m, &len);

    CHECK_INT(status.code, MOTE_GRPC_OK);
    CHECK_INT(len, 3);
    unsigned number = len == 3 ? m[0] : UINT8_MAX;
    *count = len == 3 ? m[1] | (unsigned)m[2] << 8 : 0;
    return number;
}

static unsigned call_who(client *c, unsigned *count)
{
    ask(c, &who_path, "who");
    return answered_by(c, count);
}

static void stop(pid_t child, int connected)
{
    kill(child, SIGTERM);
    for (int i = 0; i < connected; i++)
        close(clients[i].fd);
}

/* A connection stays with its worker, and each worker counts for itself. */
static void a_fleet_is_spread(const char *at)
{
    pid_t child = begin(server_at(at, WORKERS));
    unsigned by[MOST], calls[WORKERS] = {0}, count;

    for (int i = 0; i < fleet && test_ok; i++) {
        connect_client(&clients[i]);
        by[i] = call_who(&clients[i], &count);
        CHECK(by[i] < WORKERS);
        CHECK_INT(count, ++calls[by[i] % WORKERS]);
    }
    for (int i = 0; i < fleet && test_ok; i++) {
        CHECK_INT(call_who(&clients[i], &count), by[i]);
        CHECK_INT(count, ++calls[by[i] % WORKERS]);
    }
    /* One has none in 10^8 runs. Of a Unix socket all take who comes, and on a busy machine the
     * first may have taken all of them before the others have begun. */
    for (int i = 0; i < WORKERS && !MOTE_POSIX_POLL && at[0] != 'u'; i++)
        CHECK(calls[i] > 0);
    stop(child, fleet);
    end(child, 0);
}

static void connections_are_spread_over_workers(void)
{
    char folder[] = "/tmp/mote-workers.XXXXXX", path[64];

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "unix:%s/socket", folder);
    const char *const addresses[] = {"127.0.0.1:0", "[::1]:0", path};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        a_fleet_is_spread(addresses[i]);
    unlink(path + 5);
    rmdir(folder);
}

/* Of a Unix socket all workers take, in turns: a connection waits for none that is busy. */
static void who_is_held_up_holds_up_its_own_connections_alone(void)
{
    char folder[] = "/tmp/mote-workers.XXXXXX", path[64];
    unsigned count;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "unix:%s/socket", folder);
    pid_t child = begin(server_at(path, 2));
    connect_client(&clients[0]);
    ask(&clients[0], &who_path, "wait");
    CHECK(strcmp(line(), "held up") == 0);
    for (int i = 1; i < 5; i++) {
        connect_client(&clients[i]);
        ask(&clients[i], &who_path, "who");
    }
    unsigned other = answered_by(&clients[1], &count);
    for (int i = 2; i < 5; i++)
        CHECK_INT(answered_by(&clients[i], &count), other);
    CHECK_INT(write(gate[1], "g", 1), 1);
    CHECK_INT(answered_by(&clients[0], &count), 1 - other);
    stop(child, 5);
    end(child, 0);
    unlink(path + 5);
    rmdir(folder);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Calls of all workers go on until the limit, or a second signal, and no longer. */
static void calls_may_end_until_the_limit(void)
{
    enum { BUSY = 12 };

    for (int signals = 1; signals <= 2; signals++) {
        mote_posix_server server = server_at("127.0.0.1:0", WORKERS);
        server.drain_ms = signals == 1 ? 100 : 1000000;
        pid_t child = begin(server);
        for (int i = 0; i < BUSY; i++) {
            connect_client(&clients[i]);
            ask(&clients[i], &stays_path, "");
            CHECK(strcmp(line(), "stays") == 0);
        }
        kill(child, SIGTERM);
        if (signals == 2) {
            int fd; /* it heard the first one: nobody is let in any more */
            while ((fd = mote_posix_connect(address, 1000)) >= 0)
                close(fd);
            kill(child, SIGTERM);
        }
        for (int i = 0; i < BUSY; i++) {
            CHECK_INT(status_of(&clients[i]), MOTE_GRPC_UNAVAILABLE);
            close(clients[i].fd);
        }
        end(child, 0);
    }
}

static void break_one(void *context, mote_posix_loop *loop)
{
    desk *mine = context;

    if (mine->number == 1 && mine->calls > 0)
        close(loop->epoll);
}

static void one_that_fails_ends_all(void)
{
    mote_posix_server server = server_at("127.0.0.1:0", WORKERS);
    unsigned count;

    server.turn = break_one;
    pid_t child = begin(server);
    do
        connect_client(&clients[0]);
    while (call_who(&clients[0], &count) != 1 && close(clients[0].fd) == 0);
    end(child, 1);
    close(clients[0].fd);
}

/* ---- what does not start --------------------------------------------------------------------- */

static bool no_threads;

/* Refuses threads, as a system that has no more. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return no_threads ? EAGAIN : real(thread, attributes, run, context);
}

static int no_desk(void *context, unsigned number, mote_posix_own *own)
{
    (void)context, (void)own;
    if (number == 1)
        fprintf(stderr, "there is no desk\n");
    return number == 1 ? -1 : 0;
}

/* What a server that does not start has printed; "": it has started. */
static const char *why(mote_posix_server server)
{
    static char text[256];
    int errors[2];
    ssize_t n = 0;

    CHECK_INT(pipe(errors), 0);
    CHECK_INT(pipe(news), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        dup2(errors[1], STDERR_FILENO);
        mote_posix_catch_signals(); /* it keeps a descriptor */
        mote_posix_stopped = 1;     /* one that starts ends */
        int before = dup(0), after;
        close(before);
        int r = mote_posix_serve(&server);
        after = dup(0);
        _exit(r < 0 && after == before ? 1 : r == 0 ? 0 : 2);
    }
    int status = end_of(child);
    close(errors[1]);
    n = read(errors[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    close(errors[0]);
    close(news[0]);
    close(news[1]);
    CHECK_INT(status, *text ? 1 : 0);
    return text;
}

static void what_cannot_be_is_an_error(void)
{
    static const mote_posix_security secret = {.one_thread = true}, open = {.one_thread = false};
    mote_posix_server server = server_at("127.0.0.1:0", -2);

    CHECK(strstr(why(server), "workers: -2 is not 0 to 1024"));
    server.workers = MOTE_POSIX_MOST_WORKERS + 1;
    CHECK(strstr(why(server), "workers: 1025 is not 0 to 1024"));
    server.workers = WORKERS;
    server.dial = address;
    CHECK(strstr(why(server), "dials has one connection"));
    server.dial = NULL;
    server.security = &secret;
    CHECK(strstr(why(server), "cannot share a TLS context"));
    server.security = &open;
    CHECK(strcmp(why(server), "") == 0);
    server.security = NULL;
    server.address = "nowhere";
    CHECK(strstr(why(server), "error: "));
    server.address = "127.0.0.1:0";
    server.own = no_desk;
    CHECK(strcmp(why(server), "there is no desk\n") == 0);
    server.own = NULL;
    no_threads = true;
    CHECK(strstr(why(server), "workers: Resource temporarily unavailable"));
    no_threads = false;
}

static unsigned desks_made;

static int count_desk(void *context, unsigned number, mote_posix_own *own)
{
    (void)context, (void)own;
    CHECK_INT(number, desks_made++);
    return 0;
}

/* Those that this process may use are fewer than there are. */
static void each_core_has_a_worker(void)
{
    cpu_set_t cores;
    pid_t child = fork();

    if (child == 0) {
        alarm(60);
        mote_posix_stopped = 1;
        for (int i = 0, want = 1; i < 2; i++) {
            mote_posix_server server = server_at("127.0.0.1:0", MOTE_POSIX_EVERY_CORE);
            server.own = count_desk;
            server.ready = NULL;
            server.quiet = true;
            sched_getaffinity(0, sizeof cores, &cores);
            want = i == 0 ? CPU_COUNT(&cores) : 1;
            if (i == 1) {
                CPU_ZERO(&cores);
                CPU_SET(sched_getcpu(), &cores);
                CHECK_INT(sched_setaffinity(0, sizeof cores, &cores), 0);
            }
            desks_made = 0;
            CHECK_INT(mote_posix_serve(&server), 0);
            CHECK_INT(desks_made, want);
        }
        _exit(test_ok ? 0 : 1);
    }
    CHECK_INT(end_of(child), 0);
}

int main(void)
{
    const char *many = getenv("FLEET");

    if (many && atoi(many) > 0 && atoi(many) <= MOST)
        fleet = atoi(many);
    RUN(connections_are_spread_over_workers);
    RUN(who_is_held_up_holds_up_its_own_connections_alone);
    RUN(calls_may_end_until_the_limit);
    if (!MOTE_POSIX_POLL) /* what is closed there is an epoll */
        RUN(one_that_fails_ends_all);
    RUN(what_cannot_be_is_an_error);
    RUN(each_core_has_a_worker);
    return test_summary();
}
