/* What a service prints does not stop it, and lands nowhere else. */
#ifndef EXAMPLES_OUTPUT_H
#define EXAMPLES_OUTPUT_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
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

/* Where a standard descriptor is closed a socket or a line would take its place, and hear what is
 * printed. A pipe that nobody reads any more is no reason to end. */
static inline void keep_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = dup(fd);
    close(fd);
    never_wait_for_output(STDOUT_FILENO);
    never_wait_for_output(STDERR_FILENO);
    signal(SIGPIPE, SIG_IGN);
}

#endif
