/* A server in one call, in a process of its own: what it says of handlers that take long. */
#define _GNU_SOURCE
#include "../../port/posix/posix.h"
#include "../test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int news[2]; /* from the server's process */

static void tell(void *context, const char *service, const char *method, uint32_t ms)
{
    CHECK(context == news);
    dprintf(news[1], "%s/%s %s\n", service, method, ms >= 60 && ms < 1000 ? "about 60 ms" : "?");
}

static void ready(const char *address)
{
    dprintf(news[1], "%s\n", address);
}

static int sleeps(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes answer = {ev->data, ev->len};

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (ev->len == 4)
        usleep(60000);
    return mote_grpc_answer(call, &mote_grpc_bytes_source, &answer);
}

static int other(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    return ev->type == MOTE_GRPC_MESSAGE ? MOTE_GRPC_UNIMPLEMENTED : 0;
}

/* Says who calls. */
static int who(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes answer = {ev->data, ev->len};
    char address[128];

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    dprintf(news[1], "%s\n", mote_posix_peer_address(mote_posix_conn_of(call), address));
    return mote_grpc_answer(call, &mote_grpc_bytes_source, &answer);
}

static const mote_grpc_method first[] = {{.name = "Other", .handler = other}};
static const mote_grpc_method second[] = {{.name = "Other", .handler = other},
                                          {.name = "Sleeps", .handler = sleeps},
                                          {.name = "Who", .handler = who}};
static const mote_grpc_service services[] = {{"a.First", first, 1, false},
                                             {"a.Second", second, 3, false}};

static mote_posix_server server_at(const char *address, uint32_t slow_ms)
{
    return (mote_posix_server){.address = address,
                               .grpc = {.max_calls = 2,
                                        .slots = 4,
                                        .rx_size = 256,
                                        .tx_size = 512,
                                        .table_size = 4096,
                                        .field_size = 256,
                                        .services = services,
                                        .service_count = 2,
                                        .context = news},
                               .max_connections = 4,
                               .ready = ready,
                               .slow_ms = slow_ms,
                               .slow = tell};
}

static pid_t serve(const char *address, uint32_t slow_ms)
{
    mote_posix_server server = server_at(address, slow_ms);
    pid_t child = fork();

    if (child == 0)
        _exit(mote_posix_serve(&server) == 0 && test_ok ? 0 : 1);
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

static char own_address[128]; /* of the socket of the last call */

static int call(const char *address, const char *message)
{
    static const mote_hpack_field sleeps_path = MOTE_HPACK_FIELD(":path", "/a.Second/Sleeps"),
                                  who_path = MOTE_HPACK_FIELD(":path", "/a.Second/Who");
    static uint64_t memory[MOTE_GRPC_MEMORY(1, 256, 512, 0, 256, 4, 0) / 8];
    static uint8_t input[256];
    static mote_channel channel;
    mote_grpc_config config = {.max_calls = 1,
                               .slots = 4,
                               .rx_size = 256,
                               .tx_size = 512,
                               .field_size = 256,
                               .authority = MOTE_GRPC_AUTHORITY("a")};
    mote_grpc_request request = {.path = strcmp(message, "who?") == 0 ? &who_path : &sleeps_path,
                                 .timeout_ms = 10000};
    mote_grpc_bytes bytes = {(const uint8_t *)message, strlen(message)};
    mote_grpc_call *open;
    int fd = mote_posix_connect(address, 5000);

    mote_posix_address(fd, own_address);
    mote_channel_init(&channel, &config, memory, sizeof memory, input, sizeof input,
                      mote_posix_io(&fd));
    int r = mote_channel_start(&channel, &request, &open);
    if (r == 0)
        r = mote_channel_send(open, &mote_grpc_bytes_source, &bytes, MOTE_GRPC_LAST);
    mote_status status = r == 0 ? mote_channel_finish(open) : (mote_status){.code = -1};
    close(fd);
    return status.code;
}

static void handlers_that_take_long_are_told_of(void)
{
    char address[128];
    int status;

    CHECK_INT(pipe(news), 0);
    pid_t child = serve("127.0.0.1:0", 50);
    snprintf(address, sizeof address, "%s", line());
    CHECK_INT(call(address, "quick"), 0);
    CHECK_INT(call(address, "slow"), 0);
    CHECK_INT(call(address, "quick"), 0);
    kill(child, SIGTERM);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(news[1]);
    CHECK(strcmp(line(), "a.Second/Sleeps about 60 ms") == 0);
    CHECK(strcmp(line(), "") == 0); /* no other one */
    close(news[0]);
}

static void nothing_is_told_below_the_limit(void)
{
    char address[128];
    int status;

    CHECK_INT(pipe(news), 0);
    pid_t child = serve("127.0.0.1:0", 5000);
    snprintf(address, sizeof address, "%s", line());
    CHECK_INT(call(address, "slow"), 0);
    kill(child, SIGTERM);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(news[1]);
    CHECK(strcmp(line(), "") == 0);
    close(news[0]);
}

/* In numbers, as the caller's socket has them; of a Unix socket the user. */
static void a_handler_can_ask_who_calls(void)
{
    char folder[] = "/tmp/mote-who.XXXXXX", path[64], user[64], four[64];

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "unix:%s/socket", folder);
    snprintf(user, sizeof user, "unix:uid=%lu", (unsigned long)getuid());
    const char *const addresses[] = {"127.0.0.1:0", "[::1]:0", ":0", path};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        char address[128];
        int status;
        CHECK_INT(pipe(news), 0);
        pid_t child = serve(addresses[i], 5000);
        snprintf(address, sizeof address, "%s", line());
        const char *port = strrchr(address, ':');
        if (i == 2) /* by IPv4 to a socket for both */
            snprintf(four, sizeof four, "127.0.0.1%s", port);
        CHECK_INT(call(i == 2 ? four : address, "who?"), 0);
        CHECK(strcmp(line(), i == 3 ? user : own_address) == 0);
        CHECK(i == 3 || strncmp(own_address, i == 1 ? "[::1]:" : "127.0.0.1:", 6) == 0);
        kill(child, SIGTERM);
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        close(news[0]);
        close(news[1]);
    }
    rmdir(folder);
}

static void *serve_in_a_thread(void *server)
{
    CHECK_INT(mote_posix_serve(server), 0);
    return NULL;
}

/* Nothing is shared: each has its loop, its slots, and calls of its own. */
static void several_serve_in_one_process(void)
{
    enum { SERVERS = 3 };
    char addresses[SERVERS][128];
    int status;

    CHECK_INT(pipe(news), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(30); /* a failure is no standstill */
        mote_posix_server servers[SERVERS];
        pthread_t threads[SERVERS];
        for (int i = 0; i < SERVERS; i++) {
            servers[i] = server_at("127.0.0.1:0", 5000);
            pthread_create(&threads[i], NULL, serve_in_a_thread, &servers[i]);
        }
        for (int i = 0; i < SERVERS; i++)
            pthread_join(threads[i], NULL);
        _exit(test_ok ? 0 : 1);
    }
    for (int i = 0; i < SERVERS; i++)
        snprintf(addresses[i], sizeof addresses[i], "%s", line());
    for (int i = 0; i < 3 * SERVERS; i++)
        CHECK_INT(call(addresses[i % SERVERS], "quick"), 0);
    kill(child, SIGTERM);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(news[0]);
    close(news[1]);
}

/* Pages of this process, and the next free descriptor. */
static long pages(int *fd)
{
    long n = -1;
    FILE *f = fopen("/proc/self/statm", "r");

    *fd = f ? fileno(f) : -1;
    if (!f || fscanf(f, "%ld", &n) != 1)
        n = -1;
    if (f)
        fclose(f);
    return n;
}

static void a_server_that_has_ended_keeps_nothing(void)
{
    mote_posix_server server = server_at("127.0.0.1:0", 5000);
    int before_fd, after_fd, status;

    server.quiet = true;
    server.ready = NULL;
    pid_t child = fork();
    if (child == 0) {
        alarm(30); /* a failure is no standstill */
        mote_posix_stopped = 1;
        CHECK_INT(mote_posix_serve(&server), 0);
        long before = pages(&before_fd);
        for (int i = 0; i < 20; i++)
            CHECK_INT(mote_posix_serve(&server), 0);
        CHECK_INT(pages(&after_fd), before);
        CHECK_INT(after_fd, before_fd);
        _exit(test_ok ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void)
{
    RUN(several_serve_in_one_process);
    RUN(a_server_that_has_ended_keeps_nothing);
    RUN(a_handler_can_ask_who_calls);
    RUN(handlers_that_take_long_are_told_of);
    RUN(nothing_is_told_below_the_limit);
    return test_summary();
}
