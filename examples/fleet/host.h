/* What the collector asks of its machine: descriptors, and the options' units. */
#ifndef EXAMPLES_HOST_H
#define EXAMPLES_HOST_H

#include "../common/output.h"
#include "../../port/posix/posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* Each device needs a descriptor. */
static inline void prepare_descriptors(void)
{
    struct rlimit limit;

    keep_standard_descriptors();
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit of the file's size is an error like a full disk */
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
