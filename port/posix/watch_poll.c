/* What a loop waits for, by poll(): where there is no epoll. The work of a wait grows with the
 * number of connections. */
#define _GNU_SOURCE
#include "posix_internal.h"

#if MOTE_POSIX_POLL

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

typedef struct {
    void *tag;
    unsigned what;
} watched;

/* `fds` and `of` go together: `count` of each. places[fd] - 1 is where a descriptor stands in them;
 * 0: it does not. */
typedef struct {
    struct pollfd *fds;
    watched *of;
    size_t *places;
    size_t count, room, place_count;
    size_t first; /* who is looked at first, in turns: no more than `most` are told of at once */
} poll_set;

int mote_posix_watch_begin(mote_posix_loop *loop)
{
    loop->polled = calloc(1, sizeof(poll_set));
    loop->epoll = -1;
    return loop->polled ? 0 : -1;
}

void mote_posix_watch_end(mote_posix_loop *loop)
{
    poll_set *s = loop->polled;

    free(s->fds);
    free(s->of);
    free(s->places);
    free(s);
    loop->polled = NULL;
}

static bool grow(void **array, size_t *room, size_t needed, size_t size)
{
    size_t more = *room > 0 ? *room : FIRST_ROOM;

    while (more < needed)
        more *= 2;
    void *grown = realloc(*array, more * size);
    if (!grown)
        return false;
    *array = grown;
    *room = more;
    return true;
}

static bool has_place_for(poll_set *s, size_t fd)
{
    size_t before = s->place_count;

    if (fd < before)
        return true;
    if (!grow((void **)&s->places, &s->place_count, fd + 1, sizeof *s->places))
        return false;
    memset(s->places + before, 0, (s->place_count - before) * sizeof *s->places);
    return true;
}

static bool has_room_for_one(poll_set *s)
{
    size_t room = s->room;

    return s->count < s->room || (grow((void **)&s->fds, &room, s->count + 1, sizeof *s->fds) &&
                                  grow((void **)&s->of, &s->room, s->count + 1, sizeof *s->of));
}

static void set_watched(poll_set *s, size_t i, unsigned what, void *tag)
{
    s->fds[i].events = POLLIN | (what & MOTE_POSIX_WATCH_OUT ? POLLOUT : 0);
    s->fds[i].revents = 0;
    s->of[i] = (watched){tag, what};
}

/* A number that stands there is of a bell that was closed: its own watch takes its place. */
int mote_posix_watch(mote_posix_loop *loop, int fd, unsigned what, void *tag)
{
    poll_set *s = loop->polled;

    if (!has_place_for(s, (size_t)fd) || (s->places[fd] == 0 && !has_room_for_one(s))) {
        errno = ENOMEM;
        return -1;
    }
    if (s->places[fd] == 0) {
        s->fds[s->count].fd = fd;
        s->places[fd] = ++s->count;
    }
    set_watched(s, s->places[fd] - 1, what, tag);
    return 0;
}

int mote_posix_watch_other(mote_posix_loop *loop, int fd, unsigned what, void *tag)
{
    poll_set *s = loop->polled;

    set_watched(s, s->places[fd] - 1, what, tag);
    return 0;
}

/* The last one takes its place. */
int mote_posix_watch_stop(mote_posix_loop *loop, int fd)
{
    poll_set *s = loop->polled;
    size_t at = (size_t)fd < s->place_count ? s->places[fd] : 0;

    if (at == 0)
        return 0;
    s->count--;
    s->fds[at - 1] = s->fds[s->count];
    s->of[at - 1] = s->of[s->count];
    s->places[s->fds[at - 1].fd] = at;
    s->places[fd] = 0;
    return 0;
}

void mote_posix_watch_closes(mote_posix_loop *loop, int fd)
{
    mote_posix_watch_stop(loop, fd);
}

/* Of one that has something to say; false: it is not watched any more, and another one is here. */
static bool tell(mote_posix_loop *loop, size_t i, mote_posix_happening *h)
{
    poll_set *s = loop->polled;
    struct pollfd p = s->fds[i];

    *h = (mote_posix_happening){s->of[i].tag, (p.revents & ~POLLOUT) != 0,
                                (p.revents & POLLOUT) != 0};
    if (s->of[i].what & MOTE_POSIX_WATCH_RINGS)
        mote_posix_hush(p.fd);
    if (!(s->of[i].what & MOTE_POSIX_WATCH_ONCE))
        return true;
    mote_posix_watch_stop(loop, p.fd);
    return false;
}

int mote_posix_watch_wait(mote_posix_loop *loop, mote_posix_happening *happened, int most,
                          int timeout_ms)
{
    poll_set *s = loop->polled;
    int n = poll(s->fds, (nfds_t)s->count, timeout_ms), told = 0;

    if (n <= 0)
        return n;
    s->first = s->first < s->count ? s->first : 0;
    for (size_t looked = 0, i = s->first; looked < s->count && told < n && told < most; looked++) {
        bool stays = s->fds[i].revents == 0 || tell(loop, i, &happened[told++]);
        i += stays;
        i = i < s->count ? i : 0;
        s->first = i;
    }
    return told;
}

#endif
