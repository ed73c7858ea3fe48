/* Sockets over a scripted kernel. */
#include "scripted_kernel.h"

#include "../../port/posix/mailbox.h"

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
        if (rows[i].kinds[rows[i].first % (size_t)rows[i].count] != REFUSES_AT_ONCE)
            CHECK_INT(polled.begun[0], 1); /* and what a signal wakes */
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

/* Each address of a dialer has its part of the time that is left. */
static void the_time_of_a_dialer_is_shared(void)
{
    static const int silent[] = {SILENT};
    static const char *const addresses[] = {"names.test:1", "names.test:1", "names.test:1"};
    static const uint64_t limits[] = {3000, 1000, 1};

    listed = silent;
    listed_count = 1;
    for (size_t i = 0; i < 2 * sizeof limits / sizeof limits[0]; i++) {
        mote_posix_dialer d = {.fd = -1, .addresses = addresses, .count = i % 2 ? 3 : 1};
        mote_io io = mote_posix_dialer_io(&d);
        uint64_t before = clock_ms;
        memset(&polled, 0, sizeof polled);
        memset(polled.ready, 0xff, sizeof polled.ready);
        CHECK_INT(io.connect(io.context, before + limits[i / 2]), -1);
        CHECK_INT(clock_ms - before, limits[i / 2]);
        CHECK_INT(d.next, d.count);
        if (limits[i / 2] > 1)
            CHECK_INT(polled.timeout_ms,
                      limits[i / 2] / d.count + (d.count > 1 && limits[i / 2] % 3));
        CHECK_INT(io.connect(io.context, clock_ms - 1), -1); /* it is late already */
        CHECK_INT(clock_ms - before, limits[i / 2]);
    }
}

/* Whoever waits for letters waits so long; a time that poll() cannot say is for ever. */
static void letters_are_waited_for(void)
{
    static const struct {
        uint32_t timeout_ms;
        int waits;
    } rows[] = {
        {0, 0},           {1, 1},          {0x7ffffffe, 0x7ffffffe}, {0x7fffffff, 0x7fffffff},
        {0x80000000, -1}, {UINT32_MAX, -1}};
    mote_posix_mailbox box;

    CHECK_INT(mote_posix_mailbox_init(&box), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&polled, 0, sizeof polled);
        memset(polled.ready, 0xff, sizeof polled.ready);
        CHECK(mote_posix_mailbox_next(&box, rows[i].timeout_ms) == NULL);
        CHECK_INT(polled.timeout_ms, rows[i].waits);
        CHECK(polled.count == 1 && polled.fd == box.wake[0] && polled.events == POLLIN);
    }
    memset(&polled, 0, sizeof polled); /* woken for letters that were taken before: once more */
    polled.ready[1] = -1;
    mote_posix_ring(box.wake);
    CHECK(mote_posix_mailbox_next(&box, 10) == NULL);
    CHECK_INT(polled.calls, 2);
    eventfd_t count;
    CHECK(eventfd_read(box.wake[0], &count) < 0); /* it was hushed */
    mote_posix_mailbox_free(&box);
}

int main(void)
{
    for (size_t i = 0; i < 12; i++)
        polled.ready[i] = -1;
    RUN(each_errno_is_told_or_waited_for);
    RUN(a_wait_is_for_what_is_asked_and_as_long);
    RUN(a_thread_is_woken_once);
    RUN(addresses_are_tried_beside_each_other);
    RUN(the_time_of_a_dialer_is_shared);
    RUN(letters_are_waited_for);
    return test_summary();
}
