/* What the collector asks of its machine: descriptors, and the options' units. */
#ifndef EXAMPLES_HOST_H
#define EXAMPLES_HOST_H

#include "../../port/posix/posix.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What is printed is lost where nobody takes it (a full pipe, Ctrl-S): the service goes on. Opened
 * anew, so that others who print to the same place are not concerned. */
static inline void never_wait_for_output(int fd)
{
    char name[32];
    struct stat s;

    if (fstat(fd, &s) < 0 || (!S_ISFIFO(s.st_mode) && !isatty(fd)))
        return;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int own = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) {
        dup2(own, fd);
        close(own);
    }
}

/* Each device needs a descriptor; and without the standard ones a socket would take their place. */
static inline void prepare_descriptors(void)
{
    struct rlimit limit;
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = dup(fd);
    close(fd);
    never_wait_for_output(STDOUT_FILENO);
    never_wait_for_output(STDERR_FILENO);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit of the file's size is an error like a full disk */
    signal(SIGPIPE, SIG_IGN);
}

static inline bool read_duration(const char *text, uint64_t *ms)
{
    static const struct {
        char unit;
        uint64_t ms;
    } units[] = {{'d', 86400000}, {'h', 3600000}, {'m', 60000}, {'s', 1000}};
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (end[0] == units[i].unit && end[1] == '\0' && n > 0 && n <= 36500 && text[0] != '-') {
            *ms = n * units[i].ms;
            return true;
        }
    }
    return false;
}

#endif
