/* The POSIX port: addresses, time limits, and transports that fail in every way. */
#define _GNU_SOURCE
#include "../../port/posix/posix_internal.h"
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <dlfcn.h>
#include <netdb.h>
#include <time.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void invalid_addresses_are_told(void)
{
    static const char *const addresses[] = {"nonsense", "127.0.0.1", "127.0.0.1:notaport",
                                            "no.such.host.invalid:1", "127.0.0.1:8x"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        CHECK_INT(mote_posix_connect(addresses[i], 100), -1);
        CHECK(strstr(mote_posix_error(), addresses[i]) != NULL);
        CHECK_INT(mote_posix_listen(addresses[i]), -1);
    }
    CHECK_INT(mote_posix_connect("nonsense", 100), -1);
    CHECK(strcmp(mote_posix_error(), "address nonsense: is not host:port") == 0);
    char path[200] = "unix:/";
    memset(path + 6, 'a', sizeof path - 7);
    CHECK_INT(mote_posix_listen(path), -1);
    CHECK(strstr(mote_posix_error(), "aaa: path too long") != NULL);
    CHECK_INT(mote_posix_listen("unix:"), -1);
    CHECK(strcmp(mote_posix_error(), "address unix:: no path behind unix:") == 0);
    CHECK_INT(mote_posix_connect("unix:", 100), -1);
    CHECK(strcmp(mote_posix_error(), "address unix:: no path behind unix:") == 0);
    CHECK_INT(mote_posix_connect("127.0.0.1:1", 1000), -1);
    CHECK(strstr(mote_posix_error(), "refused") != NULL);
}

/* Numbers that getaddrinfo() would cut, or make others of, and what is no number and no name. */
static void a_port_is_a_number_to_65535_or_a_name(void)
{
    static const char *const ports[] = {"",
                                        "65536",
                                        "131072",
                                        "99999999999999999999",
                                        "0000065535",
                                        "+80",
                                        "+65616",
                                        "-80",
                                        " 80",
                                        "\t65616",
                                        "-4294967216",
                                        "-",
                                        "8 ",
                                        "80:",
                                        "80-",
                                        "80 x",
                                        "80.",
                                        "4294967376",
                                        "-0",
                                        "\xc2\xb2"
                                        "80",
                                        "#"};
    static const char *const hosts[] = {"127.0.0.1:", "[::1]:", ":", "localhost:"};
    char address[64], text[128];

    for (size_t i = 0; i < sizeof ports / sizeof ports[0] * 4; i++) {
        snprintf(address, sizeof address, "%s%s", hosts[i % 4], ports[i / 4]);
        snprintf(text, sizeof text, "address %s: has no port from 0 to 65535", address);
        CHECK_INT(mote_posix_listen(address), -1);
        CHECK_TEXT(strcmp(mote_posix_error(), text) == 0);
        CHECK_INT(mote_posix_connect(address, 100), -1);
        CHECK_TEXT(strcmp(mote_posix_error(), text) == 0);
    }
}

static void a_full_backlog_times_out(void)
{
    int listener = mote_posix_listen("127.0.0.1:0"), fds[16], n = 0;
    char address[128];

    listen(listener, 0);
    mote_posix_address(listener, address);
    uint64_t start = mote_posix_now_ms();
    for (; n < 16; n++) {
        fds[n] = mote_posix_connect(address, 200);
        if (fds[n] < 0)
            break;
    }
    CHECK(n < 16 && strstr(mote_posix_error(), "timed out"));
    char text[256];
    snprintf(text, sizeof text, "connect %s: the program was told to stop", address);
    mote_posix_stopped = 1; /* before it began: no signal ends the wait */
    CHECK_INT(mote_posix_connect(address, 60000), -1);
    CHECK(strcmp(mote_posix_error(), text) == 0);
    mote_posix_stopped = 0;
    CHECK(mote_posix_now_ms() - start < 3000);
    while (n > 0)
        close(fds[--n]);
    close(listener);
}

/* ---- names, with a resolver of our own --------------------------------------------------------
 */

static const char *second_port; /* of "two.test", whose first address has the port that is asked */

static atomic_bool slow_answers;

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* "slow.test" has its answer when `slow_answers` says so; "two.test" has two addresses. */
int getaddrinfo(const char *restrict host, const char *restrict port,
                const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    bool slow = host && strcmp(host, "slow.test") == 0, two = host && strcmp(host, "two.test") == 0;

    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!slow && !two)
        return real(host, port, hints, list);
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    while (slow && !slow_answers)
        pause_ms(2);
    int r = real("127.0.0.1", port, hints, list);
    return r != 0 || slow ? r : real("127.0.0.1", second_port, hints, &(*list)->ai_next);
}

static void a_resolver_without_an_answer_meets_the_deadline(void)
{
    char bound[128], name[64];
    int listener = mote_posix_listen("127.0.0.1:0");

    snprintf(name, sizeof name, "slow.test%s", strrchr(mote_posix_address(listener, bound), ':'));
    for (int i = 0; i < 5; i++) { /* four are left behind, and no fifth */
        uint64_t start = mote_posix_now_ms();
        CHECK_INT(mote_posix_connect(name, 50), -1);
        CHECK(mote_posix_now_ms() - start < 5000); /* however busy the machine is */
        CHECK(strstr(mote_posix_error(), "look up slow.test:") == mote_posix_error());
        CHECK(strstr(mote_posix_error(), i < 4 ? "timed out: the resolver has not answered"
                                               : "too many names are being looked up"));
    }
    slow_answers = true;
    int fd = mote_posix_connect(name, 5000);
    for (int i = 0; i < 1000 && fd < 0; i++) { /* until one of them has ended */
        CHECK(strstr(mote_posix_error(), "too many names are being looked up"));
        pause_ms(5);
        fd = mote_posix_connect(name, 5000);
    }
    CHECK(fd >= 0);
    close(fd);
    close(listener);
}

/* A port that does not answer: its backlog is full. */
static int fill_backlog(int listener, const char *address, int *fds, int max)
{
    int n = 0;

    listen(listener, 0);
    while (n < max && (fds[n] = mote_posix_connect(address, 100)) >= 0)
        n++;
    return n;
}

static void an_address_that_does_not_answer_is_not_waited_for(void)
{
    int hole = mote_posix_listen("127.0.0.1:0"), live = mote_posix_listen("127.0.0.1:0"), fds[16];
    char hole_address[128], live_address[128], name[64];
    int n = fill_backlog(hole, mote_posix_address(hole, hole_address), fds, 16);

    CHECK(n < 16);
    second_port = strrchr(mote_posix_address(live, live_address), ':') + 1;
    snprintf(name, sizeof name, "two.test%s", strrchr(hole_address, ':'));
    uint64_t start = mote_posix_now_ms();
    int fd = mote_posix_connect(name, 5000);
    uint64_t took = mote_posix_now_ms() - start;
    CHECK(fd >= 0 && took >= 240 && took < 1500);
    int accepted = mote_posix_accept_one(live, 1000);
    CHECK(accepted >= 0);
    close(fd);
    close(accepted);
    close(live); /* now the second one refuses: the first has the rest of the time */
    start = mote_posix_now_ms();
    CHECK_INT(mote_posix_connect(name, 600), -1);
    took = mote_posix_now_ms() - start;
    CHECK(took >= 590 && took < 1500);
    CHECK(strstr(mote_posix_error(), "timed out"));
    while (n > 0)
        close(fds[--n]);
    close(hole);
}

static void every_family_listens_and_connects(void)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0", ":0", "unix:socket"};
    char bound[128];

    for (size_t i = 0; i < 4; i++) {
        int listener = mote_posix_listen(addresses[i]);
        CHECK(listener >= 0);
        mote_posix_address(listener, bound);
        if (i == 2) /* all interfaces: connect by the port alone */
            memmove(bound, strrchr(bound, ':'), strlen(strrchr(bound, ':')) + 1);
        int fd = mote_posix_connect(bound, 1000);
        CHECK(fd >= 0);
        close(fd);
        close(listener);
    }
    unlink("socket");
}

/* ---- what is at the place of a Unix socket ------------------------------------------------- */

#define PLACE "place"

static int nothing(void)
{
    return -1;
}

static int left_over(void)
{
    close(mote_posix_listen("unix:" PLACE));
    return -1;
}

static int live(void)
{
    return mote_posix_listen("unix:" PLACE);
}

/* One that nobody accepts from, with a full backlog, is alive. */
static int live_and_full(void)
{
    int fd = mote_posix_listen("unix:" PLACE);

    listen(fd, 0);
    mote_posix_connect("unix:" PLACE, 100);
    return fd;
}

static int datagrams(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = PLACE};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    CHECK_INT(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    return fd;
}

static int file(void)
{
    close(open(PLACE, O_CREAT | O_WRONLY, 0600));
    return -1;
}

static int folder(void)
{
    mkdir(PLACE, 0700);
    return -1;
}

static int fifo(void)
{
    mkfifo(PLACE, 0600);
    return -1;
}

static int link_to_left_over(void)
{
    close(mote_posix_listen("unix:" PLACE "-other"));
    CHECK_INT(symlink(PLACE "-other", PLACE), 0);
    return -1;
}

static int link_to_nothing(void)
{
    CHECK_INT(symlink(PLACE "-none", PLACE), 0);
    return -1;
}

static void only_a_socket_on_which_nobody_answers_is_replaced(void)
{
    static const struct {
        int (*put)(void);
        bool replaced;
    } cases[] = {{nothing, true},         {left_over, true},  {live, false},
                 {live_and_full, false},  {datagrams, false}, {file, false},
                 {folder, false},         {fifo, false},      {link_to_left_over, false},
                 {link_to_nothing, false}};
    struct stat before, after;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int there = cases[i].put();
        lstat(PLACE, &before);
        int fd = mote_posix_listen("unix:" PLACE);
        CHECK_INT(fd >= 0, cases[i].replaced);
        CHECK_INT(lstat(PLACE, &after), 0);
        if (fd < 0) {
            char why[128];
            snprintf(why, sizeof why, "listen unix:" PLACE ": %s", strerror(EADDRINUSE));
            CHECK(strcmp(mote_posix_error(), why) == 0);
            CHECK(before.st_ino == after.st_ino && before.st_mode == after.st_mode);
        }
        close(fd);
        close(there);
        remove(PLACE);
        remove(PLACE "-other");
    }
    CHECK_INT(mote_posix_listen("unix:none/socket"), -1);
    CHECK(strcmp(mote_posix_error(), "listen unix:none/socket: No such file or directory") == 0);
}

/* Of the next connections so many have left when they are accepted. */
static int gone, gone_by;

int accept4(int listener, struct sockaddr *address, socklen_t *len, int flags)
{
    if (gone == 0)
        return (int)syscall(SYS_accept4, listener, address, len, flags);
    gone--;
    errno = gone_by;
    return -1;
}

int accept(int listener, struct sockaddr *address, socklen_t *len)
{
    return accept4(listener, address, len, 0);
}

static void who_has_left_is_not_the_end_of_the_listener(void)
{
    static const int errors[] = {ECONNABORTED, EPROTO, EINTR};
    char address[128];
    int listener = mote_posix_listen("127.0.0.1:0");

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        int fd = mote_posix_connect(mote_posix_address(listener, address), 1000);
        gone = 3;
        gone_by = errors[i];
        int accepted = mote_posix_accept_one(listener, 1000);
        CHECK(fd >= 0 && accepted >= 0);
        CHECK_INT(gone, 0);
        close(fd);
        close(accepted);
        gone = 1; /* and nobody else comes */
        CHECK_INT(mote_posix_accept_one(listener, 1), -1);
        CHECK(strstr(mote_posix_error(), "time-out") != NULL || errors[i] == EINTR);
    }
    gone = 1;
    gone_by = EMFILE;
    CHECK_INT(mote_posix_accept_one(listener, 1000), -1);
    CHECK(strstr(mote_posix_error(), strerror(EMFILE)) != NULL);
    close(listener);
}

/* As early after the start of a machine. */
static bool no_random_numbers;

ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
    if (!no_random_numbers)
        return syscall(SYS_getrandom, bytes, len, flags);
    errno = EAGAIN;
    return -1;
}

/* Containers whose processes have the same number, started by the same program. */
static void waits_differ_without_random_numbers(void)
{
    enum { OFTEN = 200 };
    uint32_t numbers[OFTEN];
    unsigned same = 0;

    no_random_numbers = true;
    for (int i = 0; i < OFTEN; i++) {
        numbers[i] = mote_posix_random();
        for (int j = 0; j < i; j++)
            same += numbers[i] == numbers[j];
    }
    no_random_numbers = false;
    CHECK(same < OFTEN / 10);
    mote_io io = mote_posix_io(&(int){-1});
    CHECK(io.random(io.context) != io.random(io.context));
}

static void a_dialer_tries_its_addresses_in_turn(void)
{
    char live[128];
    int listener = mote_posix_listen("127.0.0.1:0");
    const char *addresses[] = {"127.0.0.1:1", live, "no such host.invalid:1"};
    mote_posix_dialer dialer = {.addresses = addresses, .count = 3, .fd = -1};
    mote_io io = mote_posix_dialer_io(&dialer);
    uint8_t byte = 7;

    CHECK(listener >= 0);
    mote_posix_address(listener, live);
    for (int i = 0; i < 2; i++) { /* also when it begins behind the one that worked last */
        CHECK_INT(io.connect(io.context, io.now_ms(io.context) + 1000), 0);
        int accepted = mote_posix_accept_one(listener, 1000);
        CHECK(accepted >= 0);
        CHECK_INT(io.write(io.context, &byte, 1), 1);
        CHECK_INT(recv(accepted, &byte, 1, 0) == 1 || (sleep(1), recv(accepted, &byte, 1, 0)) == 1,
                  1);
        CHECK_INT(io.read(io.context, &byte, 1), 0);
        close(accepted);
        io.wait(io.context, false, io.now_ms(io.context) + 1000);
        CHECK(io.read(io.context, &byte, 1) < 0);
    }
    CHECK_INT(mote_posix_accept_one(listener, 1), -1);
    close(listener);
    CHECK(io.connect(io.context, io.now_ms(io.context) + 1000) < 0);
    CHECK_INT(dialer.fd, -1);
    uint64_t before = io.now_ms(io.context);
    io.wait(io.context, false, before + 5);
    CHECK(io.now_ms(io.context) >= before + 4);
}

/* A name of two addresses, of which one takes connections and is of no use: it is not the first one
 * for ever, for whoever connects again. */
static void addresses_of_a_name_take_turns(void)
{
    int listeners[] = {mote_posix_listen("127.0.0.1:0"), mote_posix_listen("127.0.0.1:0")};
    char first[128], second[128], name[64];
    const char *addresses[] = {name};
    mote_posix_dialer dialer = {.addresses = addresses, .count = 1, .fd = -1};
    mote_posix_redial redial = {0};
    mote_io io = mote_posix_dialer_io(&dialer);

    second_port = strrchr(mote_posix_address(listeners[1], second), ':') + 1;
    mote_posix_address(listeners[0], first);
    snprintf(name, sizeof name, "two.test%s", strrchr(first, ':'));
    for (int i = 0; i < 8; i++) {
        bool again = i >= 4; /* of a loop */
        uint32_t wait_ms;
        int fd = -1;
        if (again) {
            redial.not_before_ms = 0;
            while ((fd = mote_posix_redial_look(&redial, NULL, name, MOTE_POSIX_HAS_NONE,
                                                &wait_ms)) < 0)
                pause_ms(1);
        } else {
            CHECK_INT(io.connect(io.context, io.now_ms(io.context) + 10000), 0);
        }
        CHECK_INT(mote_posix_accept_one(listeners[1 - i % 2], 0), -1);
        int accepted = mote_posix_accept_one(listeners[i % 2], 10000);
        CHECK(accepted >= 0);
        close(accepted);
        if (fd >= 0)
            close(fd);
    }
    io.close(io.context);
    close(listeners[0]);
    close(listeners[1]);
}

static void who_is_told_to_stop_waits_for_nobody(void)
{
    int listener = mote_posix_listen("127.0.0.1:0");
    uint64_t begin = mote_posix_now_ms();

    mote_posix_stopped = 1;
    CHECK_INT(mote_posix_accept_one(listener, 10000), -1);
    CHECK(mote_posix_now_ms() - begin < 5000);
    CHECK(strcmp(mote_posix_error(), "accept : the program was told to stop") == 0);
    mote_posix_stopped = 0;
    CHECK_INT(mote_posix_accept_one(listener, 1), -1);
    CHECK(strcmp(mote_posix_error(), "accept : time-out") == 0);
    close(listener);
}

int main(void)
{
    char folder[] = "/tmp/mote-posix.XXXXXX";

    if (!mkdtemp(folder) || chdir(folder) < 0)
        return 1;
    mote_posix_catch_signals();
    RUN(invalid_addresses_are_told);
    RUN(a_port_is_a_number_to_65535_or_a_name);
    RUN(who_is_told_to_stop_waits_for_nobody);
    RUN(a_full_backlog_times_out);
    RUN(a_resolver_without_an_answer_meets_the_deadline);
    RUN(an_address_that_does_not_answer_is_not_waited_for);
    RUN(every_family_listens_and_connects);
    RUN(only_a_socket_on_which_nobody_answers_is_replaced);
    RUN(who_has_left_is_not_the_end_of_the_listener);
    RUN(waits_differ_without_random_numbers);
    RUN(a_dialer_tries_its_addresses_in_turn);
    RUN(addresses_of_a_name_take_turns);
    rmdir(folder);
    return test_summary();
}
