/* What a connection of a server takes of resident memory: counted, not timed. FIGURES=1 prints it,
 * for docs/memory.md. */
#define _GNU_SOURCE
#include "../../port/posix/posix.h"
#include "../test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONNECTIONS = 900, RX = 256, TX = 512, PAUSE_US = 1500000 };

static int news[2]; /* from the server's process */

static void ready(const char *address)
{
    dprintf(news[1], "%s\n", address);
}

static int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes answer = {ev->data, ev->len};

    return ev->type == MOTE_GRPC_MESSAGE ? mote_grpc_send(call, &mote_grpc_bytes_source, &answer, 0)
           : ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL)
                                              : 0;
}

static const mote_grpc_method methods[] = {{.name = "Echo", .handler = echo}};
static const mote_grpc_service service = {"m.M", methods, 1, false};

/* With the sizes of a server of many calls and large messages. */
static pid_t serve(char address[128])
{
    mote_posix_server server = {.address = "127.0.0.1:0",
                                .grpc = {.max_calls = 128,
                                         .slots = 16,
                                         .rx_size = 1 << 14,
                                         .tx_size = 1 << 14,
                                         .table_size = 4096,
                                         .field_size = 1024,
                                         .user_size = 64,
                                         .services = &service,
                                         .service_count = 1},
                                .max_connections = 2 * CONNECTIONS,
                                .ready = ready};
    pid_t child = fork();

    if (child == 0) {
        alarm(60); /* a failure is no standstill */
        _exit(mote_posix_serve(&server) == 0 ? 0 : 1);
    }
    close(news[1]); /* one that ends says nothing, and is not waited for */
    ssize_t n = read(news[0], address, 127);
    CHECK(n > 0);
    address[n > 0 ? n - 1 : 0] = '\0';
    return child;
}

/* Resident bytes of a process. */
static long resident(pid_t process)
{
    char path[64];
    long total = 0, pages = 0;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)process);
    FILE *f = fopen(path, "r");
    CHECK(f && fscanf(f, "%ld %ld", &total, &pages) == 2);
    if (f)
        fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* ---- clients ------------------------------------------------------------------------------- */

typedef struct {
    mote_channel channel;
    mote_grpc_call *call;
    int fd;
    uint64_t memory[MOTE_GRPC_MEMORY(1, RX, TX, 0, 128, 8, 0) / 8];
    uint8_t input[128];
} caller;

static caller callers[CONNECTIONS + 1];

static void connect_to(caller *c, const char *address)
{
    mote_grpc_config config = {.max_calls = 1,
                               .slots = 8,
                               .rx_size = RX,
                               .tx_size = TX,
                               .field_size = 128,
                               .authority = MOTE_GRPC_AUTHORITY("m")};

    c->fd = mote_posix_connect(address, 5000);
    CHECK(c->fd >= 0);
    CHECK_INT(mote_channel_init(&c->channel, &config, c->memory, sizeof c->memory, c->input,
                                sizeof c->input, mote_posix_io(&c->fd)),
              0);
}

/* Calls, and has the first answer. */
static void start(caller *c)
{
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/m.M/Echo");
    mote_grpc_request request = {.path = &path, .timeout_ms = 30000};
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    mote_grpc_event ev = {0};

    CHECK_INT(mote_channel_start(&c->channel, &request, &c->call), 0);
    CHECK_INT(mote_channel_send(c->call, &mote_grpc_bytes_source, &message, 0), 0);
    while (ev.type != MOTE_GRPC_MESSAGE && ev.type != MOTE_GRPC_STATUS &&
           mote_channel_recv(c->call, &ev) == 1) {}
    CHECK_INT(ev.type, MOTE_GRPC_MESSAGE);
}

static void finish(caller *c)
{
    CHECK_INT(mote_channel_half_close(c->call), 0);
    CHECK_INT(mote_channel_finish(c->call).code, MOTE_GRPC_OK);
}

/* ---- what they cost ------------------------------------------------------------------------ */

static pid_t server;
static long before;

/* Bytes for each connection, at the most so many. */
static void expect_at_most(const char *what, long most)
{
    long each = (resident(server) - before) / CONNECTIONS;

    if (getenv("FIGURES") || each > most)
        printf("%s\t%ld\n", what, each);
    CHECK(each <= most);
}

static void a_connection_takes_memory_while_it_uses_it(void)
{
    char address[128];

    CHECK_INT(pipe(news), 0);
    server = serve(address);
    if (!test_ok)
        return;
    connect_to(&callers[CONNECTIONS], address);
    start(&callers[CONNECTIONS]);
    finish(&callers[CONNECTIONS]);
    usleep(PAUSE_US);
    before = resident(server);
    for (size_t i = 0; i < CONNECTIONS; i++)
        connect_to(&callers[i], address);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        start(&callers[i]);
        finish(&callers[i]);
    }
    usleep(PAUSE_US);
    expect_at_most("a call one after the other, and rest", 3072);
    for (size_t i = 0; i < CONNECTIONS; i++)
        start(&callers[i]);
    usleep(PAUSE_US);
    expect_at_most("an open, quiet stream", 40960);
    for (size_t i = 0; i < CONNECTIONS; i++)
        finish(&callers[i]);
    usleep(PAUSE_US);
    expect_at_most("all of them at once, and rest", 3072);
    kill(server, SIGTERM);
    for (size_t i = 0; i <= CONNECTIONS; i++)
        close(callers[i].fd);
    int status = -1;
    CHECK_INT(waitpid(server, &status, 0), server);
    CHECK_INT(status, 0);
}

int main(void)
{
    if (access("/proc/self/statm", R_OK) == 0)
        RUN(a_connection_takes_memory_while_it_uses_it);
    return test_summary();
}
