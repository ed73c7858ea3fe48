/* Connecting beside a loop: a turn ends when it is done, and whoever has given it up is told of
 * nothing, and keeps nothing. */
#define _GNU_SOURCE
#include "../../port/posix/posix.h"
#include "../test.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static mote_posix_loop loop;
static mote_posix_dial d;
static char address[128];

/* A listener, or who is deaf: its address is taken, and nobody listens. */
static int begin(bool listens)
{
    int fd = mote_posix_listen("127.0.0.1:0");

    CHECK(fd >= 0);
    mote_posix_address(fd, address);
    if (!listens)
        close(fd);
    CHECK_INT(mote_posix_loop_init(&loop), 0);
    return fd;
}

static void end(int listener)
{
    if (listener >= 0)
        close(listener);
    mote_posix_loop_end(&loop);
}

/* The turns have no other reason to end: a minute would pass. */
static enum mote_posix_dial_state await(int *fd)
{
    enum mote_posix_dial_state state;

    while ((state = mote_posix_dial_look(&d, fd)) == MOTE_POSIX_DIAL_BUSY)
        mote_posix_loop_turn(&loop, 60000);
    return state;
}

static void a_turn_ends_when_it_is_done(void)
{
    int listener = begin(true), fd = -1;
    char name[128];
    uint64_t begun = mote_posix_now_ms();

    CHECK_INT(mote_posix_dial_look(&d, &fd), MOTE_POSIX_DIAL_IDLE);
    strcpy(name, address);
    mote_posix_dial_begin(&d, &loop, name, 5000);
    memset(name, 'x', sizeof name); /* it has been copied */
    CHECK_INT(await(&fd), MOTE_POSIX_DIAL_DONE);
    CHECK(mote_posix_now_ms() - begun < 30000);
    CHECK(fd >= 0);
    CHECK_INT(mote_posix_dial_look(&d, &fd), MOTE_POSIX_DIAL_IDLE);
    int other = mote_posix_accept_one(listener, 5000);
    CHECK(other >= 0);
    close(other);
    close(fd);
    end(listener);
}

/* Why is known by the thread that connects; it is told to who asks. */
static void what_has_failed_says_why(void)
{
    int fd = 7;
    char why[256];

    begin(false);
    mote_posix_dial_begin(&d, &loop, address, 5000);
    CHECK_INT(await(&fd), MOTE_POSIX_DIAL_DONE);
    CHECK_INT(fd, -1);
    snprintf(why, sizeof why, "connect %s: Connection refused", address);
    CHECK_TEXT(strcmp(mote_posix_error(), why) == 0);
    mote_posix_dial_begin(&d, NULL, "nothing", 5000);
    while (mote_posix_dial_look(&d, &fd) == MOTE_POSIX_DIAL_BUSY)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    CHECK_TEXT(strcmp(mote_posix_error(), "address nothing: is not host:port") == 0);
    end(-1);
}

static void without_a_descriptor_it_has_failed_at_once(void)
{
    struct rlimit all;
    int fd = 7;

    begin(false);
    getrlimit(RLIMIT_NOFILE, &all);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, all.rlim_max});
    mote_posix_dial_begin(&d, &loop, address, 5000);
    setrlimit(RLIMIT_NOFILE, &all);
    CHECK_INT(mote_posix_dial_look(&d, &fd), MOTE_POSIX_DIAL_DONE);
    CHECK_INT(fd, -1);
    CHECK(strstr(mote_posix_error(), strerror(EMFILE)) != NULL);
    CHECK_INT(mote_posix_dial_look(&d, &fd), MOTE_POSIX_DIAL_IDLE);
    end(-1);
}

static int descriptors(void)
{
    DIR *all = opendir("/proc/self/fd");
    int n = 0;

    while (all && readdir(all))
        n++;
    if (all)
        closedir(all);
    return n;
}

/* Given up before it is done, or when it is and nobody has looked: the other end sees it closed,
 * and no descriptor is left. */
static void what_is_given_up_is_closed(void)
{
    uint8_t byte;

    for (int done = 0; done < 2; done++) {
        int listener = begin(true), before = descriptors();
        mote_posix_dial_begin(&d, &loop, address, 5000);
        int other = done ? mote_posix_accept_one(listener, 5000) : -1;
        if (done)
            mote_posix_loop_turn(&loop, 60000); /* it is told that it is done */
        mote_posix_dial_forget(&d);
        memset(&d, 0x55, sizeof d); /* it may go */
        if (!done)
            other = mote_posix_accept_one(listener, 5000);
        CHECK(other >= 0);
        CHECK_INT(poll(&(struct pollfd){.fd = other, .events = POLLIN}, 1, 5000), 1);
        CHECK_INT(recv(other, &byte, 1, 0), 0);
        close(other);
        for (int i = 0; i < 5000 && descriptors() != before; i++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        CHECK_INT(descriptors(), before);
        d = (mote_posix_dial){0};
        end(listener);
    }
    mote_posix_dial_forget(&d); /* IDLE: nothing */
}

int main(void)
{
    RUN(a_turn_ends_when_it_is_done);
    RUN(what_has_failed_says_why);
    RUN(without_a_descriptor_it_has_failed_at_once);
    RUN(what_is_given_up_is_closed);
    return test_summary();
}
