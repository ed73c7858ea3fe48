/*
 * Preloaded into a sensor or a collector, so that system calls fail as a test wants (tests/fleet/).
 *
 * FAIL_AT="CALL:ERRNO:N ..." lets the Nth call of this name fail, counted from the start; N = 0:
 * each; with 1000 for ERRNO the program is killed there. While there is a file $FAIL_WHILE, what it
 * says in this form holds as well. The wall clock goes wrong by the seconds that $CLOCK_SHIFT
 * holds. At its end the program writes to $FAIL_COUNT how often each was called. $CUT_LOG keeps
 * what was written to files and when it was made durable, so that a loss of power can be played
 * (power.py).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CALLS(X)                                                                                   \
    X(open)                                                                                        \
    X(read)                                                                                        \
    X(write)                                                                                       \
    X(fsync)                                                                                       \
    X(ftruncate)                                                                                   \
    X(fcntl)                                                                                       \
    X(flock)                                                                                       \
    X(fstat)                                                                                       \
    X(unlink)                                                                                      \
    X(mmap)                                                                                        \
    X(socket)                                                                                      \
    X(bind)                                                                                        \
    X(listen)                                                                                      \
    X(accept)                                                                                      \
    X(connect)                                                                                     \
    X(send)                                                                                        \
    X(recv)                                                                                        \
    X(setsockopt)                                                                                  \
    X(epoll_create)                                                                                \
    X(epoll_ctl)                                                                                   \
    X(epoll_wait)                                                                                  \
    X(getrandom)

#define AS_NUMBER(name) CALL_##name,
#define AS_TEXT(name)   #name,
enum call { CALLS(AS_NUMBER) CALL_COUNT };
static const char *const names[] = {CALLS(AS_TEXT)};
static unsigned counts[CALL_COUNT];
enum { KILL = 1000 };

static int asked_for(const char *text, enum call call)
{
    char name[32];
    int code, used;
    unsigned nth;

    while (text && sscanf(text, "%31[^:]:%d:%u %n", name, &code, &nth, &used) == 3) {
        if (strcmp(name, names[call]) == 0 && (nth == 0 || nth == counts[call]))
            return code;
        text += used;
    }
    return 0;
}

/* What a file holds that a variable names; by system calls alone: those of the library are ours. */
static const char *text_of(const char *variable, char text[256])
{
    const char *name = getenv(variable);
    long fd = name ? syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC) : -1;
    long n = fd >= 0 ? syscall(SYS_read, fd, text, 255) : 0;

    if (fd >= 0)
        syscall(SYS_close, fd);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static int fails(enum call call)
{
    int before = errno;
    char text[256];

    counts[call]++;
    int code = asked_for(getenv("FAIL_AT"), call);
    if (code == 0)
        code = asked_for(text_of("FAIL_WHILE", text), call);
    if (code == KILL)
        kill(getpid(), SIGKILL);
    errno = code ? code : before;
    return code != 0;
}

__attribute__((destructor)) static void write_counts(void)
{
    FILE *f = getenv("FAIL_COUNT") ? fopen(getenv("FAIL_COUNT"), "w") : NULL;

    for (int i = 0; f && i < CALL_COUNT; i++)
        fprintf(f, "%s %u\n", names[i], counts[i]);
    if (f)
        fclose(f);
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

/* ---- what was written ----------------------------------------------------------------- */

/* What was done, to which file, where; of a write, the bytes follow. power.py reads it. */
typedef struct {
    char kind[8]; /* write, size, sync, unlink */
    uint64_t at, len;
    char path[256];
} record;

static void note(const char *kind, const char *path, uint64_t at, const void *bytes, size_t len)
{
    const char *name = getenv("CUT_LOG");
    record r = {.at = at, .len = len};

    if (!name)
        return;
    snprintf(r.kind, sizeof r.kind, "%s", kind);
    snprintf(r.path, sizeof r.path, "%s", path);
    long log = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    syscall(SYS_write, log, &r, sizeof r);
    syscall(SYS_write, log, bytes, len);
    syscall(SYS_close, log);
}

static void note_file(const char *kind, int fd, uint64_t at, const void *bytes, size_t len)
{
    char link[64], path[256] = "";

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (syscall(SYS_readlink, link, path, sizeof path - 1) > 0)
        note(kind, path, at, bytes, len);
}

/* ---- the wall clock ------------------------------------------------------------------------ */

static void shift(struct timespec *t)
{
    char text[256];

    t->tv_sec += strtol(text_of("CLOCK_SHIFT", text), NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int r = (int)syscall(SYS_clock_gettime, clock, t);

    if (clock == CLOCK_REALTIME)
        shift(t);
    return r;
}

int timespec_get(struct timespec *t, int base)
{
    syscall(SYS_clock_gettime, CLOCK_REALTIME, t);
    shift(t);
    return base;
}

/* ---- the calls ----------------------------------------------------------------------------- */

static int open_file(const char *path, int flags, mode_t mode)
{
    return fails(CALL_open) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list more;

    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return open_file(path, flags, mode);
}

ssize_t pread(int fd, void *data, size_t len, off_t at)
{
    return fails(CALL_read) ? -1 : syscall(SYS_pread64, fd, data, len, at);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (fails(CALL_write))
        return -1;
    note_file("write", fd, (uint64_t)at, data, len);
    return syscall(SYS_pwrite64, fd, data, len, at);
}

static int sync_file(int fd, long number)
{
    if (fails(CALL_fsync))
        return -1;
    int r = (int)syscall(number, fd);
    if (r == 0)
        note_file("sync", fd, 0, NULL, 0);
    return r;
}

int fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int ftruncate(int fd, off_t size)
{
    if (fails(CALL_ftruncate))
        return -1;
    note_file("size", fd, (uint64_t)size, NULL, 0);
    return (int)syscall(SYS_ftruncate, fd, size);
}

int fcntl(int fd, int what, ...)
{
    va_list more;

    va_start(more, what);
    void *argument = va_arg(more, void *);
    va_end(more);
    return fails(CALL_fcntl) ? -1 : (int)syscall(SYS_fcntl, fd, what, argument);
}

int flock(int fd, int what)
{
    return fails(CALL_flock) ? -1 : (int)syscall(SYS_flock, fd, what);
}

int fstat(int fd, struct stat *out)
{
    return fails(CALL_fstat) ? -1 : REAL("fstat", int (*)(int, struct stat *))(fd, out);
}

int unlink(const char *path)
{
    if (fails(CALL_unlink))
        return -1;
    note("unlink", path, 0, NULL, 0);
    return (int)syscall(SYS_unlink, path);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    return fails(CALL_mmap) ? (void *)-1 /* MAP_FAILED */
                            : (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);
}

int socket(int domain, int type, int protocol)
{
    return fails(CALL_socket) ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
    return fails(CALL_bind) ? -1 : (int)syscall(SYS_bind, fd, address, len);
}

int listen(int fd, int backlog)
{
    return fails(CALL_listen) ? -1 : (int)syscall(SYS_listen, fd, backlog);
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    return fails(CALL_accept) ? -1 : (int)syscall(SYS_accept4, fd, address, len, flags);
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return fails(CALL_connect) ? -1 : (int)syscall(SYS_connect, fd, address, len);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    return fails(CALL_send) ? -1 : syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    return fails(CALL_recv) ? -1 : syscall(SYS_recvfrom, fd, data, len, flags, NULL, NULL);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return fails(CALL_setsockopt) ? -1 : (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

int epoll_create1(int flags)
{
    return fails(CALL_epoll_create) ? -1 : (int)syscall(SYS_epoll_create1, flags);
}

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    return fails(CALL_epoll_ctl) ? -1 : (int)syscall(SYS_epoll_ctl, epoll, what, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    return fails(CALL_epoll_wait) ? -1
                                  : REAL("epoll_wait", int (*)(int, struct epoll_event *, int,
                                                               int))(epoll, events, most, timeout);
}

ssize_t getrandom(void *to, size_t len, unsigned flags)
{
    return fails(CALL_getrandom) ? -1 : syscall(SYS_getrandom, to, len, flags);
}

/* The same for programs that were built for large files, as SQLite is. */
#define ALSO(name, other) extern __typeof__(other) name __attribute__((alias(#other)))
ALSO(open64, open);
ALSO(pread64, pread);
ALSO(pwrite64, pwrite);
ALSO(ftruncate64, ftruncate);
ALSO(fcntl64, fcntl);
ALSO(mmap64, mmap);
int fstat64(int fd, struct stat64 *out)
{
    return fstat(fd, (struct stat *)out);
}
