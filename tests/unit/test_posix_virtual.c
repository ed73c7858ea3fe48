/* Sockets and the loop over a scripted kernel: the clock, poll(), connect(), accept4(), recv() and
 * send() say what a row says, so that each errno and each limit at -1, 0 and +1 is met at once and
 * on every machine. */
#define _DEFAULT_SOURCE
#include "../../port/posix/posix_internal.h"
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- the kernel --------------------------------------------------------------------------------
 */

static uint64_t clock_ms = 1000;

int clock_gettime(clockid_t which, struct timespec *t)
{
    (void)which;
    *t = (struct timespec){.tv_sec = (time_t)(clock_ms / 1000),
                           .tv_nsec = (long)(clock_ms % 1000) * 1000000};
    return 0;
}

/* Of the last poll(): what it was asked, and what it says. */
static struct {
    nfds_t count;
    int fd, timeout_ms, calls;
    short events;
    int ready[12];   /* of each call: the index that is ready then, or -1: the time passes */
    int begun[12];   /* of each call: connections that were under way */
    uint64_t at[12]; /* when it was asked */
} polled;

enum { ALL_OF = 16 }; /* and a bit for each that is ready */

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    int at = polled.calls < 12 ? polled.ready[polled.calls] : -1;

    if (polled.calls < 12) {
        polled.begun[polled.calls] = (int)count - 1;
        polled.at[polled.calls] = clock_ms;
    }
    polled.calls++;
    polled.count = count;
    polled.fd = fds ? fds[0].fd : -1;
    polled.events = fds ? fds[0].events : 0;
    polled.timeout_ms = timeout;
    for (nfds_t i = 0; fds && i < count; i++)
        fds[i].revents =
            (int)i == at || (at >= ALL_OF && (at - ALL_OF) >> i & 1) ? fds[i].events : 0;
    if (at < 0 && timeout > 0)
        clock_ms += (uint64_t)timeout;
    return at >= 0;
}

static int moves_error; /* of recv() and send(); 0: none */
static ssize_t moves;   /* what they say then */
static bool is_scripted;

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
    if (!is_scripted)
        return syscall(SYS_recvfrom, fd, buf, len, flags, NULL, NULL);
    errno = moves_error;
    return moves_error ? -1 : moves;
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
    if (!is_scripted)
        return syscall(SYS_sendto, fd, buf, len, flags, NULL, 0);
    errno = moves_error;
    return moves_error ? -1 : moves;
}

/* Addresses, each of which answers as its last byte says: connect() and SO_ERROR. */
enum { ANSWERS = 0, SILENT = 1, REFUSES = 2, REFUSES_AT_ONCE = 3, NO_SOCKET = 4 };
static int how_of_fd[64], order[16], begun_count;

int connect(int fd, const struct sockaddr *a, socklen_t len)
{
    int how = ntohs(((const struct sockaddr_in *)a)->sin_port) % 10;

    (void)len;
    order[begun_count++ % 16] = ntohs(((const struct sockaddr_in *)a)->sin_port) / 10;
    how_of_fd[fd % 64] = how;
    errno = how == REFUSES_AT_ONCE ? ECONNREFUSED : EINPROGRESS;
    return -1;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    (void)level, (void)name, (void)len;
    *(int *)value = how_of_fd[fd % 64] == REFUSES ? ECONNREFUSED : 0;
    return 0;
}

/* "names.test": those of `listed`, in their order. */
static const int *listed;
static size_t listed_count;

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **list)
{
    static struct addrinfo items[16];
    static struct sockaddr_in addresses[16];

    (void)port, (void)hints;
    if (!host || strcmp(host, "names.test") != 0)
        return EAI_NONAME;
    for (size_t i = 0; i < listed_count; i++) {
        addresses[i] = (struct sockaddr_in){
            .sin_family = AF_INET, .sin_port = htons((uint16_t)(i * 10 + (size_t)listed[i]))};
        items[i] = (struct addrinfo){.ai_family = AF_INET,
                                     .ai_addr = (struct sockaddr *)&addresses[i],
                                     .ai_addrlen = sizeof addresses[i],
                                     .ai_next = i + 1 < listed_count ? &items[i + 1] : NULL};
    }
    *list = items;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

static int accepts[8]; /* what accept4() says, one after the other: an errno, or 0: a socket; -1:
                          the last again */
static int accept_calls, far_side[8];

int accept4(int listener, struct sockaddr *a, socklen_t *len, int flags);
int accept4(int listener, struct sockaddr *a, socklen_t *len, int flags)
{
    int pair[2], i = accept_calls < 7 ? accept_calls : 7;

    (void)listener, (void)a, (void)len, (void)flags;
    accept_calls++;
    errno = accepts[i];
    if (accepts[i] != 0)
        return -1;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    far_side[i] = pair[1];
    return pair[0];
}

static bool no_epoll;

int epoll_create1(int flags)
{
    errno = EMFILE;
    return no_epoll ? -1 : (int)syscall(SYS_epoll_create1, flags);
}

static int waited_ms;

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    int n = (int)syscall(SYS_epoll_pwait, epoll, events, most, 0, NULL, 0);

    waited_ms = timeout;
    if (n == 0 && timeout > 0)
        clock_ms += (uint64_t)timeout;
    return n;
}

/* ---- a transport
 * --------------------------------------------------------------------------------- */

static void each_errno_is_told_or_waited_for(void)
{
    static const struct {
        int error, result;
        const char *text;
    } rows[] = {{0, 7, NULL},
                {EAGAIN, 0, NULL},
                {EINTR, 0, NULL},
                {ECONNRESET, -1, "Connection reset by peer"},
                {EPIPE, -1, "Broken pipe"},
                {ETIMEDOUT, -1, "Connection timed out"},
                {EBADF, -1, "Bad file descriptor"},
                {ENOTCONN, -1, "Transport endpoint is not connected"},
                {EHOSTUNREACH, -1, "No route to host"},
                {ENETUNREACH, -1, "Network is unreachable"},
                {ENOMEM, -1, "Cannot allocate memory"},
                {ENOBUFS, -1, "No buffer space available"}};
    int fd = -1;
    mote_io io = mote_posix_io(&fd);
    uint8_t bytes[8];
    char text[128];

    is_scripted = true;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        bool writes = i % 2;
        moves_error = rows[i / 2].error;
        moves = 7;
        mote_posix_failed("before", NULL, "x");
        CHECK_INT(writes ? io.write(io.context, bytes, 8) : io.read(io.context, bytes, 8),
                  rows[i / 2].result);
        snprintf(text, sizeof text, "%s: %s", writes ? "write" : "read",
                 rows[i / 2].text ? rows[i / 2].text : "");
        CHECK(strcmp(io.error(io.context), rows[i / 2].text ? text : "before: x") == 0);
        mote_posix_stopped = 1;
        if (rows[i / 2].result == 0) {
            CHECK_INT(writes ? io.write(io.context, bytes, 8) : io.read(io.context, bytes, 8), -1);
            snprintf(text, sizeof text, "%s: the program was told to stop",
                     writes ? "write" : "read");
            CHECK(strcmp(io.error(io.context), text) == 0);
        }
        mote_posix_stopped = 0;
    }
    moves_error = 0;
    moves = 0; /* the end of a transport is no failure: it has no text */
    CHECK_INT(io.read(io.context, bytes, 8), -1);
    CHECK(strcmp(io.error(io.context), "") == 0);
    CHECK_INT(io.write(io.context, bytes, 0), 0);
    is_scripted = false;
}

static void a_wait_is_for_what_is_asked_and_as_long(void)
{
    static const struct {
        uint64_t more_ms;
        int timeout_ms;
    } rows[] = {
        {0, 0}, {1, 1}, {0x7ffffffe, 0x7ffffffe}, {0x7fffffff, 0x7fffffff}, {0x80000000, -1}};
    int fd = 5;
    mote_io io = mote_posix_io(&fd);

    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        memset(&polled, 0, sizeof polled);
        io.wait(io.context, i % 2, clock_ms + rows[i / 2].more_ms);
        CHECK_INT(polled.fd, 5);
        CHECK_INT(polled.events, i % 2 ? POLLIN | POLLOUT : POLLIN);
        CHECK_INT(polled.timeout_ms, rows[i / 2].timeout_ms);
        io.wait(io.context, i % 2, clock_ms - 1); /* it has passed */
        CHECK_INT(polled.timeout_ms, 0);
    }
}

/* A thread that is woken has heard it: the next wait is one. */
static void a_thread_is_woken_once(void)
{
    mote_io io = mote_posix_io(&(int){5});
    eventfd_t count;

    for (int ready = 0; ready < 3; ready++) {
        mote_posix_thread_fd = eventfd(0, EFD_NONBLOCK);
        eventfd_write(mote_posix_thread_fd, 1);
        memset(&polled, 0, sizeof polled);
        polled.ready[0] = ready;
        io.wait(io.context, false, clock_ms + 10);
        CHECK_INT(polled.count, 3);
        CHECK_INT(eventfd_read(mote_posix_thread_fd, &count), ready == 2 ? -1 : 0);
        close(mote_posix_thread_fd);
        mote_posix_thread_fd = -1;
    }
}

/* ---- connecting
 * ---------------------------------------------------------------------------------- */

/* RFC 8305 5: the next address is tried beside one that does not answer, after 250 ms, or at once
 * where it has failed. */
static void addresses_are_tried_beside_each_other(void)
{
    static const struct {
        int kinds[10], count;
        size_t first;
        uint32_t timeout_ms;
        int ready[12];        /* as of poll() */
        int order[10], begun; /* which were tried, and how many */
        uint64_t took_ms;
        const char *error; /* NULL: connected */
    } rows[] = {
        {{ANSWERS}, 1, 0, 1000, {0}, {0}, 1, 0, NULL},
        {{SILENT, ANSWERS}, 2, 0, 1000, {-1, 1}, {0, 1}, 2, 250, NULL},
        {{SILENT, ANSWERS}, 2, 1, 1000, {0}, {1}, 1, 0, NULL},
        {{SILENT, ANSWERS}, 2, 3, 1000, {0}, {1}, 1, 0, NULL},
        {{REFUSES, ANSWERS}, 2, 0, 1000, {0, 0}, {0, 1}, 2, 0, NULL},
        {{REFUSES_AT_ONCE, ANSWERS}, 2, 0, 1000, {0}, {0, 1}, 2, 0, NULL},
        {{SILENT, SILENT, ANSWERS}, 3, 0, 1000, {-1, -1, 2}, {0, 1, 2}, 3, 500, NULL},
        {{SILENT, REFUSES, ANSWERS}, 3, 0, 1000, {-1, 1, -1, 1}, {0, 1, 2}, 3, 500, NULL},
        {{REFUSES, REFUSES, ANSWERS}, 3, 0, 1000, {-1, ALL_OF + 3, 0}, {0, 1, 2}, 3, 250, NULL},
        {{REFUSES, REFUSES},
         2,
         0,
         1000,
         {0, 0},
         {0, 1},
         2,
         0,
         "connect names.test:1: Connection refused"},
        {{SILENT}, 1, 0, 1000, {-1}, {0}, 1, 1000, "connect names.test:1: Connection timed out"},
        {{SILENT, SILENT},
         2,
         0,
         249,
         {-1},
         {0},
         1,
         249,
         "connect names.test:1: Connection timed out"},
        {{SILENT, SILENT},
         2,
         0,
         1000,
         {-1, -1},
         {0, 1},
         2,
         1000,
         "connect names.test:1: Connection timed out"},
        {{SILENT, SILENT, SILENT, SILENT, SILENT, SILENT, SILENT, SILENT, SILENT, ANSWERS},
         10,
         0,
         5000,
         {-1, -1, -1, -1, -1, -1, -1, -1},
         {0, 1, 2, 3, 4, 5, 6, 7},
         8,
         5000,
         "connect names.test:1: Connection timed out"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t before = clock_ms;
        listed = rows[i].kinds;
        listed_count = (size_t)rows[i].count;
        memset(&polled, 0, sizeof polled);
        memcpy(polled.ready, rows[i].ready, sizeof polled.ready);
        begun_count = 0;
        int lowest = open("/dev/null", O_RDONLY); /* what is opened is closed again */
        close(lowest);
        int fd = mote_posix_connect_from("names.test:1", rows[i].first, rows[i].timeout_ms);
        if ((fd < 0) != (rows[i].error != NULL) || begun_count != rows[i].begun ||
            clock_ms - before != rows[i].took_ms)
            printf("row %zu: %d, %d begun, %llu ms, %s\n", i, fd, begun_count,
                   (unsigned long long)(clock_ms - before), mote_posix_error());
        CHECK((fd < 0) == (rows[i].error != NULL));
        CHECK_INT(begun_count, rows[i].begun);
        for (int k = 0; k < rows[i].begun; k++)
            CHECK_INT(order[k], rows[i].order[k]);
        CHECK_INT(clock_ms - before, rows[i].took_ms);
        if (rows[i].error)
            CHECK(strcmp(mote_posix_error(), rows[i].error) == 0);
        if (fd >= 0) {
            CHECK_INT(how_of_fd[fd % 64], ANSWERS);
            close(fd);
        }
        int again = open("/dev/null", O_RDONLY);
        CHECK_INT(again, lowest);
        close(again);
    }
}

/* ---- the loop
 * -------------------------------------------------------------------------------------- */

static mote_posix_loop loop;
static int taken, wants_room = 1;

static int take(void *context, int fd)
{
    (void)context;
    taken++;
    close(fd);
    return 0;
}

static bool room(void *context)
{
    (void)context;
    return wants_room;
}

/* Who has gone meanwhile is passed over; without descriptors or memory it looks again in 100 ms,
 * and not before. */
static void each_errno_of_accept(void)
{
    static const struct {
        int says[4], calls, taken;
        enum mote_posix_ears ears;
    } rows[] = {{{0, 0, EAGAIN}, 3, 2, MOTE_POSIX_LISTENING},
                {{EAGAIN}, 1, 0, MOTE_POSIX_LISTENING},
                {{EINTR, 0, EAGAIN}, 3, 1, MOTE_POSIX_LISTENING},
                {{ECONNABORTED, 0, EAGAIN}, 3, 1, MOTE_POSIX_LISTENING},
                {{EMFILE}, 1, 0, MOTE_POSIX_FULL},
                {{ENFILE}, 1, 0, MOTE_POSIX_FULL},
                {{ENOMEM}, 1, 0, MOTE_POSIX_FULL},
                {{ENOBUFS}, 1, 0, MOTE_POSIX_FULL},
                {{0, EMFILE}, 2, 1, MOTE_POSIX_FULL}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int listener = eventfd(1, EFD_NONBLOCK);
        CHECK_INT(mote_posix_loop_init(&loop), 0);
        CHECK_INT(loop.listener, -1);
        CHECK_INT(mote_posix_loop_listen(&loop, listener, take, NULL), 0);
        loop.room = room;
        memcpy(accepts, rows[i].says, sizeof rows[i].says);
        accept_calls = taken = 0;
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(accept_calls, rows[i].calls);
        CHECK_INT(taken, rows[i].taken);
        CHECK_INT(loop.ears, rows[i].ears);
        for (int k = 0; k < rows[i].calls; k++) {
            if (rows[i].says[k] == 0)
                close(far_side[k]);
        }
        if (rows[i].ears == MOTE_POSIX_FULL) {
            mote_posix_loop_turn(&loop, 1000); /* it waits as long as its ears are closed */
            CHECK_INT(waited_ms, 100);
            CHECK_INT(loop.ears, MOTE_POSIX_FULL);
            loop.ears_ms++;
            mote_posix_loop_turn(&loop, 0);
            CHECK_INT(loop.ears, MOTE_POSIX_FULL);
            clock_ms++;
            mote_posix_loop_turn(&loop, 0);
            memset(accepts, 0, sizeof accepts);
            accepts[0] = EAGAIN;
            accept_calls = 0;
            mote_posix_loop_turn(&loop, 0);
            CHECK_INT(loop.ears, MOTE_POSIX_LISTENING);
        }
        mote_posix_loop_end(&loop);
    }
}

/* An engine that says what it is told to, and counts. */
typedef struct {
    mote_posix_conn conn;
    size_t output;
    uint32_t next_ms;
    int ticks;
    uint64_t ticked_ms;
    size_t at_once; /* it takes so many bytes and speaks; 0: all */
    char heard[64];
    size_t heard_len;
} engine;

static engine e;
static int peer;

static enum mote_posix_input input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    engine *x = self;
    size_t n = x->at_once > 0 && len > x->at_once ? x->at_once : len;

    if (n > 0 && x->heard_len + n <= sizeof x->heard)
        memcpy(x->heard + x->heard_len, in, n);
    x->heard_len += n;
    if (n == len)
        return MOTE_POSIX_TOOK_ALL;
    *used = n;
    x->output++;
    return MOTE_POSIX_OUTPUT_FIRST;
}

static const uint8_t *peek(void *self, size_t *len)
{
    static const uint8_t bytes[1 << 20];

    *len = ((engine *)self)->output;
    return *len > 0 ? bytes : NULL;
}

static void ack(void *self, size_t len)
{
    ((engine *)self)->output -= len;
}

static uint32_t tick(void *self, uint64_t now_ms)
{
    engine *x = self;

    x->ticks++;
    x->ticked_ms = now_ms;
    return x->next_ms;
}

static void eof(void *self)
{
    (void)self;
}

static const mote_posix_engine functions = {input, peek, ack, tick, eof, NULL, NULL};

static void begin(uint32_t next_ms)
{
    int pair[2];

    memset(&e, 0, sizeof e);
    e.next_ms = next_ms;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    peer = pair[1];
    CHECK_INT(mote_posix_loop_init(&loop), 0);
    CHECK_INT(mote_posix_loop_add(&loop, &e.conn, pair[0], &functions, &e), 0);
    mote_posix_loop_turn(&loop, 0);
}

static void end_all(void)
{
    mote_posix_loop_end(&loop);
    close(peer);
}

/* Neither before its time nor behind it; one that wants none is asked in a ms. */
static void an_engine_has_its_time_to_the_millisecond(void)
{
    static const uint32_t wants[] = {0, 1, 2, 100, 5000};

    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
        begin(wants[i]);
        int ticks = e.ticks;
        uint64_t at = clock_ms;
        for (int k = 0; k < 3; k++) {
            mote_posix_loop_turn(&loop, 60000);
            CHECK_INT(waited_ms, wants[i] ? wants[i] : 1);
            mote_posix_loop_turn(&loop, 0);
            CHECK_INT(e.ticks, ++ticks);
            at += wants[i] ? wants[i] : 1;
            CHECK_INT(e.ticked_ms, at);
        }
        end_all();
    }
}

/* A peer that takes nothing is waited for 60 s, or as long as the user says, from when it last took
 * some. */
static void a_peer_that_reads_nothing_is_waited_for(void)
{
    static const uint32_t limits[] = {60000, 1, 250};

    for (size_t i = 0; i < 2 * sizeof limits / sizeof limits[0]; i++) {
        static uint8_t bytes[1 << 16];
        bool asks = i % 2; /* the engine wants its time in between */
        uint32_t limit = limits[i / 2];
        begin(asks ? limit / 2 + 1 : UINT32_MAX);
        if (i / 2 > 0)
            loop.stall_ms = limit;
        else
            CHECK_INT(loop.stall_ms, 60000);
        e.output = 1 << 20;
        mote_posix_flush(&e.conn);
        CHECK(e.conn.writing && e.output > 0);
        clock_ms += limit - 1;
        mote_posix_loop_turn(&loop, 0);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.conn.state, MOTE_POSIX_CONN_OPEN);
        while (read(peer, bytes, sizeof bytes) > 0)
            ;
        mote_posix_loop_turn(&loop, 0); /* progress */
        e.output = 1 << 20;
        mote_posix_flush(&e.conn);
        clock_ms += limit - 1;
        mote_posix_loop_turn(&loop, 0);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.conn.state, MOTE_POSIX_CONN_OPEN);
        clock_ms += 1;
        for (int k = 0; k < 3; k++)
            mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
        CHECK_INT(loop.conn_count, 0);
        end_all();
    }
}

/* A place that is used again begins as a new one. */
static void a_connection_begins_anew(void)
{
    static uint8_t bytes[1 << 16];
    int pair[2];

    begin(UINT32_MAX);
    e.output = 1 << 20;
    mote_posix_flush(&e.conn);
    CHECK(e.conn.writing && e.conn.bytes_out > 0);
    mote_posix_close(&e.conn);
    e.output = 0;
    mote_posix_loop_turn(&loop, 0);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    close(peer);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    peer = pair[1];
    clock_ms += 5;
    e.output = 1 << 20;
    CHECK_INT(mote_posix_loop_add(&loop, &e.conn, pair[0], &functions, &e), 0);
    CHECK(e.conn.writing);
    CHECK_INT(e.conn.bytes_in, 0);
    uint64_t first = e.conn.bytes_out;
    CHECK_INT(first, (1 << 20) - e.output);
    CHECK(read(peer, bytes, sizeof bytes) > 0);
    while (read(peer, bytes, sizeof bytes) > 0)
        ;
    mote_posix_loop_turn(&loop, 0);
    CHECK(e.conn.bytes_out > first); /* the kernel was asked to tell of room */
    CHECK_INT(write(peer, "abc", 3), 3);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.conn.bytes_in, 3);
    end_all();
}

static void what_an_engine_has_left_comes_again(void)
{
    static const char text[] = "each byte once, and in its order";

    for (size_t at_once = 1; at_once < sizeof text; at_once++) {
        begin(UINT32_MAX);
        e.at_once = at_once;
        CHECK_INT(write(peer, text, sizeof text), sizeof text);
        mote_posix_loop_turn(&loop, 0);
        CHECK_INT(e.heard_len, sizeof text);
        CHECK(memcmp(e.heard, text, sizeof text) == 0);
        CHECK_INT(e.conn.bytes_out, (sizeof text - 1) / at_once);
        end_all();
    }
}

/* What the peer had said before it left is read and counted, though nothing can be sent. */
static void what_the_peer_had_said_counts(void)
{
    begin(UINT32_MAX);
    CHECK_INT(write(peer, "abc", 3), 3);
    close(peer);
    e.output = 1;
    mote_posix_flush(&e.conn);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_BROKEN);
    mote_posix_loop_turn(&loop, 0);
    CHECK_INT(e.conn.state, MOTE_POSIX_CONN_CLOSED);
    CHECK_INT(e.conn.bytes_in, 3);
    CHECK(e.heard_len == 3 && memcmp(e.heard, "abc", 3) == 0);
    mote_posix_loop_end(&loop);
}

static void a_loop_without_a_descriptor_says_why(void)
{
    no_epoll = true;
    CHECK_INT(mote_posix_loop_init(&loop), -1);
    CHECK(strcmp(mote_posix_error(), "epoll : Too many open files") == 0);
    no_epoll = false;
}

/* A loop that may spin looks where bytes came from last, and each 16th time at all. */
static void a_spin_sees_what_comes(void)
{
    begin(UINT32_MAX);
    loop.spin_us = 50;
    CHECK_INT(write(peer, "a", 1), 1);
    mote_posix_loop_turn(&loop, 0);
    while (e.conn.bytes_in < 1)
        mote_posix_loop_turn(&loop, 0);
    for (unsigned i = 2; i < 40; i++) {
        CHECK_INT(write(peer, "a", 1), 1);
        waited_ms = -2;
        clock_ms += 3;
        mote_posix_loop_turn(&loop, 1000);
        CHECK_INT(e.conn.bytes_in, i);
        CHECK_INT(e.ticked_ms, clock_ms);
        CHECK_INT(waited_ms, loop.spins % 16 == 0 ? 0 : -2);
    }
    end_all();
}

int main(void)
{
    for (size_t i = 0; i < 12; i++)
        polled.ready[i] = -1;
    RUN(each_errno_is_told_or_waited_for);
    RUN(a_wait_is_for_what_is_asked_and_as_long);
    RUN(a_thread_is_woken_once);
    RUN(addresses_are_tried_beside_each_other);
    RUN(each_errno_of_accept);
    RUN(an_engine_has_its_time_to_the_millisecond);
    RUN(a_peer_that_reads_nothing_is_waited_for);
    RUN(a_connection_begins_anew);
    RUN(what_an_engine_has_left_comes_again);
    RUN(what_the_peer_had_said_counts);
    RUN(a_loop_without_a_descriptor_says_why);
    RUN(a_spin_sees_what_comes);
    return test_summary();
}
