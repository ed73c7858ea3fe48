/* Connecting beside a loop, looking names up, and a server that dials, over a scripted kernel whose
 * threads run at once. */
#include "worker_harness.h"

#include <pthread.h>

static int thread_error, joined, detached;
static size_t stack_size;
static bool all_blocked; /* in the last thread: signals are for the others */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context)
{
    sigset_t now;

    if (thread_error != 0)
        return thread_error;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    all_blocked = sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGINT) == 1;
    if (attributes)
        pthread_attr_getstacksize(attributes, &stack_size);
    *thread = pthread_self();
    run(context);
    return 0;
}

int pthread_detach(pthread_t thread)
{
    (void)thread;
    detached++;
    return 0;
}

int pthread_join(pthread_t thread, void **result)
{
    (void)thread, (void)result;
    joined++;
    return 0;
}

static int far_end = -1; /* of the last socket */
static bool no_sockets;

/* Each socket is an end of a pair, which connect() says is on its way. */
int socket(int family, int type, int protocol)
{
    int pair[2];

    (void)family, (void)protocol;
    errno = EMFILE;
    if (no_sockets || socketpair(AF_UNIX, type, 0, pair) < 0)
        return -1;
    far_end = pair[1];
    return pair[0];
}

static uint32_t random_number;

ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
    (void)flags;
    memcpy(bytes, &random_number, len);
    return (ssize_t)len;
}

static int next_descriptor(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

static const int one[] = {ANSWERS}, refusing[] = {REFUSES}, two[] = {ANSWERS, ANSWERS};

static void names_are(const int *kinds, size_t count)
{
    listed = kinds;
    listed_count = count;
    begun_count = 0;
    memset(&polled, 0, sizeof polled);
}

/* ---- beside a loop ----------------------------------------------------------------------------
 */

static mote_posix_loop loop;

static void a_dial_is_done_once(void)
{
    mote_posix_dial d = {0};
    int fd = 7;
    char byte;

    CHECK_INT(mote_posix_loop_init(&loop), 0);
    int before = next_descriptor();
    for (size_t i = 0; i < 4; i++) {
        names_are(two, 2);
        mote_posix_dial_begin(&d, i % 2 ? &loop : NULL, "names.test:1", 1000);
        CHECK(all_blocked);
        CHECK_INT(detached, i + 1);
        CHECK_INT(d.state, MOTE_POSIX_DIAL_BUSY);
        CHECK_INT(order[0], i % 2); /* those of a name take turns */
        uint64_t now = clock_ms;
        mote_posix_loop_turn(&loop, 500);
        CHECK_INT(clock_ms - now, i % 2 ? 0 : 500); /* the bell has ended the turn */
        CHECK_INT(mote_posix_dial_look(&d, &fd), MOTE_POSIX_DIAL_DONE);
        CHECK(fd >= 0 && d.state == MOTE_POSIX_DIAL_IDLE && !d.dialling);
        CHECK_INT(d.first, i + 1);
        CHECK_INT(write(fd, "x", 1), 1);
        CHECK_INT(read(far_end, &byte, 1), 1);
        close(fd);
        close(far_end);
        fd = 7;
        CHECK_INT(mote_posix_dial_look(&d, &fd), MOTE_POSIX_DIAL_IDLE);
        CHECK_INT(fd, 7);
        CHECK_INT(next_descriptor(), before);
    }
    mote_posix_loop_end(&loop);
}

/* What it waits for is limited by its time, and whatever fails says so. */
static void a_dial_that_fails_says_why(void)
{
    mote_posix_dial d = {0};
    int fd = 7, before = next_descriptor();

    names_are(refusing, 1);
    mote_posix_dial_begin(&d, NULL, "names.test:1", 1000);
    mote_posix_failed("before", NULL, "x");
    CHECK_INT(mote_posix_dial_look(&d, &fd), MOTE_POSIX_DIAL_DONE);
    CHECK_INT(fd, -1);
    CHECK_TEXT(strcmp(mote_posix_error(), "connect names.test:1: Connection refused") == 0);
    close(far_end);
    names_are(one, 1);
    memset(polled.ready, 0xff, sizeof polled.ready);
    uint64_t now = clock_ms;
    mote_posix_dial_begin(&d, NULL, "names.test:1", 700);
    CHECK_INT(clock_ms - now, 700);
    CHECK_INT(mote_posix_dial_look(&d, &fd), MOTE_POSIX_DIAL_DONE);
    CHECK_TEXT(strcmp(mote_posix_error(), "connect names.test:1: Connection timed out") == 0);
    close(far_end);
    thread_error = EAGAIN; /* no thread */
    mote_posix_dial_begin(&d, NULL, "names.test:1", 700);
    thread_error = 0;
    CHECK_TEXT(
        strcmp(mote_posix_error(), "connect names.test:1: Resource temporarily unavailable") == 0);
    CHECK_INT(d.state, MOTE_POSIX_DIAL_DONE);
    CHECK(!d.dialling);
    CHECK_INT(mote_posix_dial_look(&d, &fd), MOTE_POSIX_DIAL_DONE);
    CHECK_INT(fd, -1);
    CHECK_INT(next_descriptor(), before);
}

static void what_is_forgotten_is_closed(void)
{
    mote_posix_dial d = {0};
    int before = next_descriptor();
    char byte;

    names_are(one, 1);
    d.first = 3;
    mote_posix_dial_begin(&d, NULL, "names.test:1", 1000);
    mote_posix_dial_forget(&d);
    CHECK(d.state == MOTE_POSIX_DIAL_IDLE && !d.dialling);
    CHECK_INT(d.first, 3);
    CHECK_INT(read(far_end, &byte, 1), 0);
    close(far_end);
    mote_posix_dial_forget(&d);
    CHECK_INT(next_descriptor(), before);
}

/* ---- again and again --------------------------------------------------------------------------
 */

/* The wait is what is left of the back-off: from the beginning of an attempt to that of the next.
 */
static void the_next_attempt_has_its_time(void)
{
    mote_posix_redial r = {0};
    uint32_t wait_ms;
    static const uint32_t steps[] = {1000, 1600, 2560}; /* less a fifth: the random number is 0 */

    random_number = 0;
    clock_ms = 90000;
    for (size_t i = 0; i < 3; i++) {
        names_are(refusing, 1);
        uint64_t now = clock_ms;
        CHECK_INT(mote_posix_redial_look(&r, NULL, "names.test:1", MOTE_POSIX_HAS_NONE, &wait_ms),
                  -1);
        close(far_end);
        CHECK_INT(wait_ms, UINT32_MAX); /* it is under way */
        uint64_t length = r.not_before_ms - now;
        CHECK(length >= steps[i] * 79 / 100 && length <= steps[i] * 81 / 100);
        CHECK_INT(mote_posix_redial_look(&r, NULL, "names.test:1", MOTE_POSIX_HAS_NONE, &wait_ms),
                  -1);
        CHECK_INT(wait_ms, length); /* it has failed */
        clock_ms += length - 1;
        CHECK_INT(mote_posix_redial_look(&r, NULL, "names.test:1", MOTE_POSIX_HAS_NONE, &wait_ms),
                  -1);
        CHECK_INT(wait_ms, 1);
        CHECK_INT(r.dial.state, MOTE_POSIX_DIAL_IDLE);
        clock_ms += 1;
    }
    thread_error = EAGAIN; /* what has failed at once is looked at at once */
    CHECK_INT(mote_posix_redial_look(&r, NULL, "names.test:1", MOTE_POSIX_HAS_NONE, &wait_ms), -1);
    CHECK_INT(wait_ms, 0);
    thread_error = 0;
    names_are(one, 1);
    memset(polled.ready, 0xff, sizeof polled.ready);
    mote_posix_redial silent = {0};
    uint64_t now = clock_ms;
    mote_posix_redial_look(&silent, NULL, "names.test:1", MOTE_POSIX_HAS_NONE, &wait_ms);
    CHECK_INT(clock_ms - now, 20000); /* an attempt has so long */
    close(far_end);
    mote_posix_dial_forget(&silent.dial);
}

static unsigned looks;
static enum mote_posix_redial_has has[9];
static int waited[9];

/* What the server has told of its connection, turn by turn; and what happens then. */
static void see_turn(void *context, mote_posix_loop *of)
{
    (void)context;
    has[looks] = w.redial.had;
    waited[looks] = waited_ms;
    switch (looks++) {
    case 1: /* it has connected; and so has the application, which is none of its */
        clients[0] = far_end;
        add_others(of);
        CHECK_INT(w.used, 1);
        break;
    case 2:
        for (size_t i = 0; i < 8; i++)
            accepts[i] = EAGAIN;
        ask(0, "/a.A/S", 1);
        break;
    case 4:
        leave(0);
        break;
    case 7: /* one that is its own has not hidden that */
        mote_posix_stopped = 1;
        mote_posix_close(&others.conn);
        break;
    default:
        break;
    }
}

static void a_server_keeps_its_connection(void)
{
    names_are(one, 1);
    prepare(1);
    config.dial = "names.test:1";
    config.turn = see_turn;
    w.listener = -1;
    CHECK_INT(mote_posix_worker_begin(&w), 0);
    CHECK(!w.loop->accept);
    CHECK_INT(mote_posix_worker_run(&w), 0);
    static const int had[] = {MOTE_POSIX_HAS_NONE, MOTE_POSIX_HAS_NEW,  MOTE_POSIX_HAS_NEW,
                              MOTE_POSIX_HAS_USED, MOTE_POSIX_HAS_USED, MOTE_POSIX_HAS_USED,
                              MOTE_POSIX_HAS_USED, MOTE_POSIX_HAS_NONE};
    for (unsigned i = 0; i < 8; i++)
        CHECK_INT(has[i], had[i]);
    CHECK_INT(waited[0], -1); /* until the bell */
    CHECK_INT(waited[4], -1); /* for whatever comes */
    CHECK_INT(waited[6], 0);  /* it has gone */
    CHECK_INT(waited[7], -1); /* for the next attempt, behind which the back-off begins anew */
    CHECK_INT(w.redial.not_before_ms - clock_ms, 800);
    CHECK_INT(looks, 9);
    CHECK_INT(messages, 1);
    CHECK_INT(others.closed, 1);
    close(others.far_end);
    mote_posix_stopped = 0;
    mote_posix_worker_end(&w);
}

/* Without a socket there is neither a listener nor a connection. */
static void without_sockets_it_is_told(void)
{
    no_sockets = true;
    names_are(two, 2);
    CHECK_INT(mote_posix_listen("names.test:1"), -1);
    CHECK_TEXT(strcmp(mote_posix_error(), "listen names.test:1: Too many open files") == 0);
    CHECK_INT(mote_posix_listen("unix:none"), -1);
    CHECK_TEXT(strcmp(mote_posix_error(), "listen unix:none: Too many open files") == 0);
    CHECK_INT(mote_posix_connect("names.test:1", 1000), -1);
    CHECK_TEXT(strcmp(mote_posix_error(), "connect names.test:1: Too many open files") == 0);
    no_sockets = false;
}

/* ---- names ------------------------------------------------------------------------------------
 */

static void a_name_is_split(void)
{
    static const struct {
        const char *address, *text; /* NULL: it is looked up, and is none */
    } rows[] = {
        {"names.test", "address names.test: is not host:port"},
        {"names.test:", "address names.test:: has no port from 0 to 65535"},
        {"names.test:65536", "address names.test:65536: has no port from 0 to 65535"},
        {"names.test:000065535", NULL},
        {"names.test:0000065535", "address names.test:0000065535: has no port from 0 to 65535"},
        {"names.test:a", NULL},
        {"names.test:Z", NULL},
        {"names.test:1z", NULL},
        {"names.test:`", "address names.test:`: has no port from 0 to 65535"},
        {"names.test:{", "address names.test:{: has no port from 0 to 65535"},
        {"names.test:@", "address names.test:@: has no port from 0 to 65535"},
        {"names.test:[", "address names.test:[: has no port from 0 to 65535"},
        {"[names.test]:1", NULL}, /* without the brackets */
        {"[names.test:1", "address [names.test:1: Name or service not known"},
        {"names.test]:1", "address names.test]:1: Name or service not known"},
        {":1", "address :1: Name or service not known"}};
    struct addrinfo *list;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        names_are(one, 1);
        int r = mote_posix_resolve(rows[i].address, 0, UINT64_MAX, &list);
        CHECK_INT(r, rows[i].text ? -1 : 0);
        if (rows[i].text)
            CHECK_TEXT(strcmp(mote_posix_error(), rows[i].text) == 0);
    }
    char longest[300];
    memset(longest, 'a', sizeof longest);
    strcpy(longest + 255, ":1");
    CHECK_INT(mote_posix_resolve(longest, 0, UINT64_MAX, &list), -1);
    CHECK(strstr(mote_posix_error(), "is not host:port") == NULL); /* none has this name */
    strcpy(longest + 255, "a:1");
    CHECK_INT(mote_posix_resolve(longest, 0, UINT64_MAX, &list), -1);
    CHECK(strstr(mote_posix_error(), "is not host:port") != NULL || strlen(longest) > 240);
}

/* A thread for each, with a stack of 256 KiB; without threads it is told. */
static void a_thread_looks_it_up(void)
{
    struct addrinfo *list = NULL;

    names_are(two, 2);
    asks_for_names = true;
    stack_size = 0;
    for (int i = 0; i < 6; i++) { /* none is counted that has ended */
        CHECK_INT(mote_posix_resolve("names.test:1", 0, UINT64_MAX, &list), 0);
        CHECK(list && list->ai_next && all_blocked);
    }
    CHECK_INT(stack_size, 256 * 1024);
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    CHECK_INT(sigismember(&now, SIGTERM), 0);
    thread_error = EAGAIN;
    for (int i = 0; i < 6; i++) {
        CHECK_INT(mote_posix_resolve("names.test:1", 0, UINT64_MAX, &list), -1);
        CHECK_TEXT(strcmp(mote_posix_error(),
                          "look up names.test:1: too many names are being looked up") == 0);
    }
    thread_error = 0;
    CHECK_INT(mote_posix_resolve("names.test:1", 0, UINT64_MAX, &list), 0);
    asks_for_names = false;
}

int main(void)
{
    RUN(a_dial_is_done_once);
    RUN(a_dial_that_fails_says_why);
    RUN(what_is_forgotten_is_closed);
    RUN(the_next_attempt_has_its_time);
    RUN(a_server_keeps_its_connection);
    RUN(without_sockets_it_is_told);
    RUN(a_name_is_split);
    RUN(a_thread_looks_it_up);
    return test_summary();
}
