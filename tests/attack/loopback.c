/* Each attack against the real programs over the loopback:
 *
 *   attack_loopback server PROGRAM   starts h2_server and attacks it
 *   attack_loopback client PROGRAM   is a hostile server for h2_client
 *   attack_loopback table PROGRAM    what requests to h2_server take beside each attack
 *   attack_loopback calls PROGRAM    what calls of unary_server take
 *
 * The address space of the program does not grow, its processor time and what it sends back stay
 * within bounds of the attacking bytes, no file descriptor is left over, and another connection is
 * served all the while. */
#include "loopback.h"

/* ---- the other connection ------------------------------------------------------------------ */

static int victim = -1;
static uint64_t served = 140; /* bytes of an answer, at the least */
static attack_output politely;

static void start_victim(void)
{
    victim = connect_to_program();
    politely.len = 0;
    politely.id = 1;
    attack_preface(&politely);
    if (send(victim, politely.bytes, politely.len, MSG_NOSIGNAL) < 0)
        give_up("victim");
}

/* A request, and its page within PATIENCE_MS. */
static bool victim_is_served(void)
{
    uint64_t until = now_ms() + PATIENCE_MS;
    listener l = {0};
    size_t sent = 0;

    politely.len = 0;
    attack_get(&politely, politely.id);
    attack_credit(&politely);
    politely.id += 2;
    while (!l.closed && now_ms() < until && (sent < politely.len || l.bytes < served))
        sent += exchange(victim, &l, politely.bytes + sent, politely.len - sent, true, 100);
    return !l.closed && l.bytes >= served;
}

/* ---- attacks on the server ----------------------------------------------------------------- */

static attack_output out;

/* One connection: the attack until the program ends it, or until all is sent. Returns the bytes. */
static uint64_t attack_once(const attack *a, listener *l)
{
    uint64_t total = 0, until = now_ms() + PATIENCE_MS;
    bool reads = !(a->flags & UNREAD);
    unsigned pieces = 0;
    int fd = connect_to_program();

    out.len = 0;
    out.id = 1;
    attack_preface(&out);
    if (a->open)
        a->open(&out);
    while (!l->closed && now_ms() < until && (a->end == STALLS || total < ATTACK_MAX)) {
        if (out.len == 0 && a->more)
            a->more(&out);
        size_t n = exchange(fd, l, out.bytes, out.len, reads, out.len > 0 ? 20 : 100);
        memmove(out.bytes, out.bytes + n, out.len - n);
        out.len -= n;
        total += n;
        if (++pieces % 64 == 1)
            CHECK(victim_is_served());
        if (a->end == STALLS && l->bytes > 0 && victim_is_served() && l->goaway)
            break;
    }
    while (reads && a->end < SURVIVES && !l->closed && now_ms() < until)
        exchange(fd, l, NULL, 0, true, 100); /* the GOAWAY may still be on its way */
    close(fd);
    return total;
}

static void attack_server(const attack *a)
{
    uint64_t cpu = proc("schedstat", ""), memory = proc("status", "VmSize:");
    uint64_t sent = 0, back = 0;

    for (int i = 0; i < (a->end == STALLS ? 1 : CONNECTIONS); i++) {
        listener l = {0};
        sent += attack_once(a, &l);
        back += l.bytes;
        if (a->flags & UNREAD)
            continue; /* it is not there to hear the GOAWAY */
        if (a->end < SURVIVES)
            CHECK(l.goaway && l.code == a->end);
        if (a->end == SURVIVES)
            CHECK(!l.goaway && !l.closed);
        if (a->end == STALLS)
            CHECK(l.goaway || l.bytes > 0);
    }
    CHECK(victim_is_served());
    cpu = proc("schedstat", "") - cpu;
    CHECK_INT(proc("status", "VmSize:"), memory);
    CHECK(back <= sent * a->back + CONNECTIONS * 8192);
    if (a->end != STALLS) /* there the program is asked again and again meanwhile */
        CHECK(cpu <= sent * NS_PER_BYTE + 200000000);
    printf("%-34s server %9llu bytes, %6.1f ns and %5.2f bytes back for each\n", a->name,
           (unsigned long long)sent, (double)cpu / (double)sent, (double)back / (double)sent);
}

/* Sockets that are opened and dropped: at once, after half a preface, or with a reset. */
static void connect_and_abort(void)
{
    struct linger now = {1, 0};

    for (int i = 0; i < 3000; i++) {
        int fd = connect_to_program();
        if (i % 3 == 1)
            send(fd, "PRI * HTTP/2.0\r\n", 16, MSG_NOSIGNAL);
        if (i % 3 == 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
        if (i % 500 == 0)
            CHECK(victim_is_served());
    }
}

/* Connections that say nothing, or half of what they should: a time-out ends them. */
static void half_open(void)
{
    enum { COUNT = 200 };
    static int fds[COUNT];
    listener l = {0};

    for (int i = 0; i < COUNT; i++) {
        fds[i] = connect_to_program();
        if (i % 2)
            send(fds[i], "PRI * HTTP/2.0\r\n", 16, MSG_NOSIGNAL);
    }
    CHECK(victim_is_served());
    for (uint64_t until = now_ms() + PATIENCE_MS; !l.closed && now_ms() < until;)
        exchange(fds[COUNT - 1], &l, NULL, 0, true, 100);
    CHECK(l.closed);
    start_victim(); /* the first one has been idle */
    CHECK(victim_is_served());
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
}

static void storm(const char *name, void (*attack_)(void))
{
    uint64_t memory = proc("status", "VmSize:");
    unsigned files = open_files();

    close(victim);
    start_victim();
    test_ok = true;
    attack_();
    for (int i = 0; i < 100 && open_files() > files; i++)
        usleep(100000);
    CHECK(open_files() <= files);
    CHECK_INT(proc("status", "VmSize:"), memory);
    printf("%s%s\n", test_ok ? "" : "FAIL ", name);
    test_ok ? test_passed++ : test_failed++;
}

/* Starts a server and learns its port. */
static void start_server(const char *path, const char *const arguments[2])
{
    int fds[2];
    char line[128] = "";

    if (pipe(fds) != 0)
        give_up("pipe");
    program = fork();
    if (program == 0) {
        dup2(fds[1], 1);
        execl(path, path, arguments[0], arguments[1], (char *)NULL);
        _exit(127);
    }
    for (size_t n = 0; n + 1 < sizeof line && !strchr(line, '\n'); n++) {
        if (read(fds[0], line + n, 1) != 1)
            give_up(path);
    }
    port = atoi(strrchr(line, ':') + 1);
}

static const char *const h2_server[] = {"--port=0", "--timeout=1"};
static const char *const grpc_server[] = {"--address=127.0.0.1:0", NULL};

static void attacks_on_server(const char *path)
{
    start_server(path, h2_server);
    start_victim();
    CHECK(victim_is_served());
    for (size_t i = 0; i < attack_count; i++) {
        if (!(attacks[i].sides & ON_SERVER))
            continue;
        close(victim);
        start_victim();
        test_ok = true;
        attack_server(&attacks[i]);
        if (!test_ok)
            printf("FAIL %s, server\n", attacks[i].name);
        test_ok ? test_passed++ : test_failed++;
    }
    storm("connect_and_abort", connect_and_abort);
    storm("half_open", half_open);
    kill(program, SIGTERM);
    int status;
    waitpid(program, &status, 0);
    test_ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    test_ok ? test_passed++ : test_failed++;
}

/* ---- attacks on the client ----------------------------------------------------------------- */

static int listen_here(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 8) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        give_up("listen");
    port = ntohs(address.sin_port);
    return fd;
}

static void start_client(const char *path)
{
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    program = fork();
    if (program == 0) {
        freopen("/dev/null", "w", stdout);
        freopen("/dev/null", "w", stderr);
        execl(path, path, "--timeout=1", url, (char *)NULL);
        _exit(127);
    }
}

static void attack_client(const attack *a, int here, const char *path)
{
    struct rusage use;
    listener l = {0};
    uint64_t sent = 0, until;
    int status;

    start_client(path);
    int fd = accept(here, NULL, NULL);
    until = now_ms() + PATIENCE_MS;
    l.left = 24; /* the preface is no frame: skip it like a payload */
    l.header_len = 9;
    out.len = 0;
    out.on_client = true;
    attack_preface(&out);
    if (a->open)
        a->open(&out);
    while (!l.closed && now_ms() < until) {
        if (out.len == 0 && a->more)
            a->more(&out);
        size_t n = exchange(fd, &l, out.bytes, out.len, true, out.len > 0 ? 20 : 100);
        memmove(out.bytes, out.bytes + n, out.len - n);
        out.len -= n;
        sent += n;
    }
    close(fd);
    wait4(program, &status, 0, &use);
    uint64_t cpu = (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000u +
                   (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000u;
    CHECK(l.closed);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (a->flags & ANSWERS ? 0 : 1));
    if (a->end < SURVIVES && l.goaway)
        CHECK_INT(l.code, a->end);
    CHECK(use.ru_maxrss < 16384); /* KiB; a quiet run takes about 2,000 */
    CHECK(cpu <= sent * NS_PER_BYTE + 200000000);
    CHECK(l.bytes <= sent * a->back + 8192);
    printf("%-34s client %9llu bytes, %ld KiB, %5.2f bytes back for each\n", a->name,
           (unsigned long long)sent, use.ru_maxrss, (double)l.bytes / (double)sent);
}

static void attacks_on_client(const char *path)
{
    int here = listen_here();

    for (size_t i = 0; i < attack_count; i++) {
        if (!(attacks[i].sides & ON_CLIENT))
            continue;
        test_ok = true;
        attack_client(&attacks[i], here, path);
        if (!test_ok)
            printf("FAIL %s, client\n", attacks[i].name);
        test_ok ? test_passed++ : test_failed++;
    }
}

/* ---- what a request takes beside an attack -------------------------------------------------- */

enum { REQUESTS = 500 };

static int in_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Another process attacks, again and again; without an attack it only takes a processor. */
static pid_t start_attacker(const attack *a)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    if (a)
        start_victim(); /* of its own */
    for (;;) {
        listener l = {0};
        if (a)
            attack_once(a, &l);
    }
}

static void write_row(const char *name, pid_t attacker)
{
    static uint64_t us[REQUESTS];
    uint64_t cpu, begin;

    usleep(100000);
    close(victim);
    start_victim();
    CHECK(victim_is_served());
    cpu = proc("schedstat", "");
    begin = now_us();
    for (size_t i = 0; i < REQUESTS; i++) {
        uint64_t t = now_us();
        CHECK(victim_is_served());
        us[i] = now_us() - t;
        usleep(500);
    }
    cpu = (proc("schedstat", "") - cpu) / 10 / (now_us() - begin);
    qsort(us, REQUESTS, sizeof us[0], in_order);
    printf("%s\t%llu\t%llu\t%llu\t%llu\n", name, (unsigned long long)us[REQUESTS / 2],
           (unsigned long long)us[REQUESTS * 99 / 100], (unsigned long long)us[REQUESTS - 1],
           (unsigned long long)cpu);
    if (attacker > 0) {
        kill(attacker, SIGKILL);
        waitpid(attacker, NULL, 0);
    }
}

static void table(const char *path, const char *const arguments[2])
{
    start_server(path, arguments);
    start_victim();
    printf("attack\tp50, us\tp99, us\tlongest, us\tserver, %% of a processor\n");
    write_row("none", 0);
    write_row("none, and a busy processor", start_attacker(NULL));
    for (size_t i = 0; i < attack_count; i++) {
        if (attacks[i].sides & ON_SERVER)
            write_row(attacks[i].name, start_attacker(&attacks[i]));
    }
    kill(program, SIGTERM);
    waitpid(program, NULL, 0);
}

/* The same for unary_server: a call of gRPC. */
static void table_of_calls(const char *path)
{
    attack_calls("/mote.tour.Tour/Latest", "\n\x04news");
    served = 60;
    table(path, grpc_server);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 4096);
    if (argc == 3 && strcmp(argv[1], "server") == 0)
        attacks_on_server(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "client") == 0)
        attacks_on_client(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "table") == 0)
        return table(argv[2], h2_server), !test_ok;
    else if (argc == 3 && strcmp(argv[1], "calls") == 0)
        return table_of_calls(argv[2]), !test_ok;
    else
        return fprintf(stderr, "usage: attack_loopback server|client|table|calls PROGRAM\n"), 2;
    return test_summary();
}
