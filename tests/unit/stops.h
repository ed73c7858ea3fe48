/* Whether a program that breaks a rule is stopped where it does (-DMOTE_CHECK). */
#ifndef STOPS_H
#define STOPS_H

#include "../test.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* True when `use` does not return. */
static bool stops(void (*use)(void))
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* it leaves no core */
        close(STDERR_FILENO);
        use();
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return status != 0;
}

#endif
