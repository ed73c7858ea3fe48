/* The ears of a loop: its listener, and when it is worth to be heard. */
#define _GNU_SOURCE
#include "posix_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS = 256, /* in one turn */
    FULL_MS = 100  /* until the next try when there is no file descriptor or no room */
};

/* Of the loops that share a listener one is woken for each who comes. Such a watch cannot be
 * changed, so that a loop which is full watches no more. */
static int watch(mote_posix_loop *loop, int listener)
{
    return mote_posix_watch(loop, listener, MOTE_POSIX_WATCH_SHARED, NULL);
}

int mote_posix_loop_listen(mote_posix_loop *loop, int listener, mote_posix_accept *accept,
                           void *context)
{
    if (watch(loop, listener) < 0) {
        mote_posix_failed("listen", "", strerror(errno));
        close(listener);
        return -1;
    }
    loop->listener = listener;
    loop->ears = MOTE_POSIX_LISTENING;
    loop->accept = accept;
    loop->accept_context = context;
    return 0;
}

/* The socket may live on, in the listener of another loop, and so be watched for ever. */
void mote_posix_loop_deafen(mote_posix_loop *loop)
{
    if (loop->ears == MOTE_POSIX_LISTENING)
        mote_posix_watch_stop(loop, loop->listener);
    if (loop->ears != MOTE_POSIX_DEAF)
        close(loop->listener);
    loop->listener = -1;
    loop->ears = MOTE_POSIX_DEAF;
}

/* Without room for it a waiting connection would wake the loop again and again. What fails is tried
 * again, at the next connection or in 100 ms. */
void mote_posix_set_ears(mote_posix_loop *loop, enum mote_posix_ears ears)
{
    if (loop->ears == MOTE_POSIX_DEAF)
        return;
    loop->ears_ms = loop->now_ms + FULL_MS;
    if (loop->ears == ears)
        return;
    if ((ears == MOTE_POSIX_FULL ? mote_posix_watch_stop(loop, loop->listener)
                                 : watch(loop, loop->listener)) == 0)
        loop->ears = ears;
}

/* The kernel wakes who has watched for the longest time. */
static void go_behind_the_others(mote_posix_loop *loop)
{
    if (loop->shares && mote_posix_watch_stop(loop, loop->listener) == 0 &&
        watch(loop, loop->listener) < 0)
        loop->ears = MOTE_POSIX_FULL; /* and so it is tried again */
}

void mote_posix_accept_all(mote_posix_loop *loop)
{
    int on = 1;

    for (unsigned i = 0; i < (loop->accepts ? loop->accepts : ACCEPTS); i++) {
        if (loop->room && !loop->room(loop->accept_context)) {
            mote_posix_set_ears(loop, MOTE_POSIX_FULL);
            return;
        }
        int fd = mote_posix_accept_socket(loop->listener);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            if (errno != EAGAIN) /* no descriptors or memory now, or worse: not again at once */
                mote_posix_set_ears(loop, MOTE_POSIX_FULL);
            else
                go_behind_the_others(loop);
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (loop->accept(loop->accept_context, fd) < 0)
            close(fd);
    }
}
