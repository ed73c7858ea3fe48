#ifndef MOTE_POSIX_INTERNAL_H
#define MOTE_POSIX_INTERNAL_H

#include "../../hpack/mote_check.h"
#include "posix.h"

#include <pthread.h>
#include <sys/socket.h>

/* Whether loops wait by poll(), which each POSIX system has, in place of epoll, which is Linux's:
 * chosen by -DMOTE_POSIX_POLL=1. */
#ifndef MOTE_POSIX_POLL
#ifdef __linux__
#define MOTE_POSIX_POLL 0
#else
#define MOTE_POSIX_POLL 1
#endif
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: mote_posix_catch_signals() ignores SIGPIPE */
#endif

/* How often the program was told to stop: what a signal writes, and all threads read. */
static inline int mote_posix_stops(void)
{
    return __atomic_load_n(&mote_posix_stopped, __ATOMIC_RELAXED);
}

/* host.c: a thread that gets no signals. 0, or an error of errno. */
int mote_posix_thread(pthread_t *thread, void *(*run)(void *context), void *context);

/* host.c: readable for ever once a signal has come; -1: signals are not caught. Whoever looks at
 * mote_posix_stopped and then waits for this, too, misses none. */
int mote_posix_wake_fd(void);

/* host.c: what ends the waits of this thread for bytes, a bell, which they hush; -1: nothing
 * does. */
extern _Thread_local int mote_posix_thread_fd;

/* error.c: sets the text of mote_posix_error(), to "WHAT ABOUT: WHY"; about may be NULL; with
 * what NULL there is no text. Returns -1. */
int mote_posix_failed(const char *what, const char *about, const char *why);

/* error.c: the text of mote_posix_error() as another thread has left it. Returns -1. */
int mote_posix_failed_as(const char *text);

/* What there is of the last connection: none, one that has been of no use yet, one that has. */
enum mote_posix_redial_has { MOTE_POSIX_HAS_NONE, MOTE_POSIX_HAS_NEW, MOTE_POSIX_HAS_USED };
/* dial.c: keeps one connection open, by gRPC's back-off (connection-backoff.md). */
typedef struct {
    mote_posix_dial dial;
    mote_backoff backoff;
    uint64_t not_before_ms;
    enum mote_posix_redial_has had; /* at the last look */
} mote_posix_redial;
/* Goes on with it, in a loop; returns a connected socket, or -1: not now. *wait_ms: until it is to
 * be looked at again, unless a turn ends before. */
int mote_posix_redial_look(mote_posix_redial *r, mote_posix_loop *loop, const char *address,
                           enum mote_posix_redial_has has, uint32_t *wait_ms);

/* loop.c: whoever rings this bell ends a turn: the first time, or (RINGS) each time, and then it is
 * this loop's alone. -1: it cannot be watched. */
int mote_posix_loop_woken_by(mote_posix_loop *loop, int fd, unsigned what);

/* system.c: as socket() and accept(), and neither blocks nor is inherited. */
int mote_posix_socket(int family);
int mote_posix_accept_socket(int listener);

/* system.c: a bell is heard by who waits for bell[0], until it is hushed. -1: there is no
 * descriptor. Threads and signal handlers ring it. */
int mote_posix_bell(int bell[2]);
void mote_posix_bell_free(const int bell[2]);
void mote_posix_ring(const int bell[2]);
void mote_posix_hush(int fd);

/* system.c: false: there is none. */
bool mote_posix_system_random(uint32_t *number);
/* How many this process may use. */
size_t mote_posix_core_count(void);
/* Whose process is at the other end of a Unix socket; false: it is not known. */
bool mote_posix_peer_user(int fd, unsigned long *user);

/* watch_epoll.c, watch_poll.c: what a loop waits for: input, and what is said here. */
enum {
    MOTE_POSIX_WATCH_OUT = 1,    /* room for output */
    MOTE_POSIX_WATCH_SHARED = 2, /* a listener of other loops, too: one is woken for who comes */
    MOTE_POSIX_WATCH_ONCE = 4,   /* a bell that is rung once */
    MOTE_POSIX_WATCH_RINGS = 8,  /* a bell of this loop */
    MOTE_POSIX_HAPPENINGS = 256
};
typedef struct {
    void *tag;
    bool in, out; /* `in`: or an end, or an error */
} mote_posix_happening;
int mote_posix_watch_begin(mote_posix_loop *loop);
void mote_posix_watch_end(mote_posix_loop *loop);
/* 0; -1 and errno. */
int mote_posix_watch(mote_posix_loop *loop, int fd, unsigned what, void *tag);
int mote_posix_watch_other(mote_posix_loop *loop, int fd, unsigned what, void *tag);
int mote_posix_watch_stop(mote_posix_loop *loop, int fd);
/* The descriptor is about to be closed, and it is nobody else's. */
void mote_posix_watch_closes(mote_posix_loop *loop, int fd);
/* How many have happened, at most MOTE_POSIX_HAPPENINGS; -1 and errno. */
int mote_posix_watch_wait(mote_posix_loop *loop, mote_posix_happening *happened, int most,
                          int timeout_ms);

/* As mote_posix_connect(); of the addresses of a name, that with the number `first`, modulo how
 * many there are, is tried first. */
int mote_posix_connect_from(const char *address, size_t first, uint32_t timeout_ms);

/* socket.c: "unix:/path"; and its address: 0, or -1 with a text. */
struct sockaddr_un;
bool mote_posix_is_unix(const char *address);
int mote_posix_unix_address(const char *address, struct sockaddr_un *un);

/* listen.c: as mote_posix_listen(), and `count` of them. 0: sockets at one address, among which the
 * kernel deals connections out; 1: where that cannot be, descriptors of one socket; -1: none. */
int mote_posix_listen_each(const char *address, int *listeners, size_t count);

/* loans.c: memory of the connections of a worker, as grpc/rest.h has it. Zero at first. */
enum { MOTE_POSIX_WARM_LOANS = 16, MOTE_POSIX_SHELVES = 112 };
typedef struct {
    uint8_t *memory; /* of all loans; the first `made` of them were lent */
    size_t loan_size, count, made;
    void *warm[MOTE_POSIX_WARM_LOANS]; /* those that are not lent, the last one first; with pages */
    void **cold;                       /* and without */
    size_t warm_count, cold_count;
    uint8_t *kept; /* blocks, as far as they were used */
    size_t kept_size, kept_used;
    void *shelves[MOTE_POSIX_SHELVES]; /* blocks of each size that are free, one behind the other */
} mote_posix_loans;
/* `count` loans of `loan` bytes, and room for as many blocks of `kept` bytes. -1: no memory. */
int mote_posix_loans_begin(mote_posix_loans *l, size_t count, size_t loan, size_t kept);
void mote_posix_loans_end(mote_posix_loans *l);
/* One of those that are not lent, of which there is one; zero, or as it was given back. */
void *mote_posix_loan_take(mote_posix_loans *l);
/* Gives it back; not clean: it is not as mote_grpc_lend() wants it. */
void mote_posix_loan_give(mote_posix_loans *l, void *loan, bool clean);
/* A block, and back again by the size that was asked for. NULL: there is none of this size, though
 * of others there may be. */
void *mote_posix_keep(mote_posix_loans *l, size_t size);
void mote_posix_kept_free(mote_posix_loans *l, void *block, size_t size);

/* system.c: pages of mote_posix_memory() are zero, and take no memory until they are touched. */
void mote_posix_make_zero(void *pages, size_t size);

/* What the workers of a server have in common, which changes only at the end. */
typedef struct {
    mote_posix_server config; /* with defaults */
    int wake[2];              /* a bell that ends a turn of each; -1: there is but one worker */
    bool failed;              /* one has; atomic */
} mote_posix_crew;

/*
 * server.c: a worker. Zero at first, but for what is above the line. Its cache lines are its own.
 *
 *   IDLE -- mote_posix_worker_begin() --> LISTENING -- mote_posix_worker_run() --> IDLE
 */
enum mote_posix_worker_state { MOTE_POSIX_WORKER_IDLE, MOTE_POSIX_WORKER_LISTENING };
typedef struct {
    _Alignas(128) const mote_posix_server *config;
    mote_posix_crew *crew;
    mote_grpc_config grpc;
    const mote_posix_security *security;
    mote_posix_mailbox *mailbox;
    size_t connections; /* at the most */
    int listener;       /* -1: there is none, or the loop has it */
    bool shares;        /* which is another one's too */
    /* ---- */
    pthread_t thread;
    enum mote_posix_worker_state state;
    mote_posix_loop *loop;
    uint8_t *slots;
    mote_posix_timer *free, *new_ones, *resting;
    uint64_t came; /* connections, ever */
    size_t slot_size, made;
    mote_posix_loans loans;
    size_t used, leaving; /* slots that are not FREE; those of them that are LEAVING */
    uint64_t looked_ms;   /* when an idle one was last looked for */
    uint64_t told_ms;     /* when one was last told to go */
    mote_posix_redial redial;
} mote_posix_worker;

/* Gets its memory and its loop; -1 with a text. It listens from here on. */
int mote_posix_worker_begin(mote_posix_worker *w);
/* Serves until the program is told to stop, or another worker has failed: 0, or -1. */
int mote_posix_worker_run(mote_posix_worker *w);
/* Gives back what it has, however far it has come. */
void mote_posix_worker_end(mote_posix_worker *w);
/* What a connection takes beside its slot while it is at work. */
size_t mote_posix_call_memory(const mote_grpc_config *g);

struct addrinfo;

/* resolve.c: the addresses of "host:port" or "[v6]:port", for freeaddrinfo(); flags as of
 * getaddrinfo(). 0, or -1 with a text: also when the resolver has not answered by until_ms
 * (UINT64_MAX: no limit). */
int mote_posix_resolve(const char *address, int flags, uint64_t until_ms, struct addrinfo **list);

/* mailbox.c: opens the letters that are there; and the last ones, and takes no more. */
void mote_posix_open_mailbox(mote_posix_mailbox *m);
void mote_posix_close_mailbox(mote_posix_mailbox *m);

/* engine.c: of mote_posix_engine, where self is a mote_grpc. */
const uint8_t *mote_posix_grpc_peek(void *self, size_t *len);
void mote_posix_grpc_ack(void *self, size_t len);
void mote_posix_grpc_eof(void *self);
void mote_posix_grpc_clock(void *self, uint64_t now_ms);

/* ears.c: tells the kernel, unless the loop is DEAF; and takes all who wait, or becomes FULL. */
void mote_posix_set_ears(mote_posix_loop *loop, enum mote_posix_ears ears);
void mote_posix_accept_all(mote_posix_loop *loop);

/* timers.c: a heap of times is its earliest one; NULL: there is none. A timer is added when it is
 * in no heap, and removed when it is in this one. */
void mote_posix_timer_add(mote_posix_timer **heap, mote_posix_timer *t, uint64_t at_ms);
void mote_posix_timer_remove(mote_posix_timer **heap, mote_posix_timer *t);
/* For MOTE_CHECK_THAT(): each is linked as it should be, none is before the one above it, and there
 * are so many. */
bool mote_posix_timers_valid(const mote_posix_timer *heap, size_t count);

/* trace.c: without effect unless mote_posix_trace() was called. */
void mote_posix_trace_begin(int fd); /* a new socket */

#endif
