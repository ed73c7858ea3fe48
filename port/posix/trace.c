/* --trace: what passes over every socket of this program, to standard error. */
#define _GNU_SOURCE
#include "../../h2/trace.h"
#include "posix_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { SOCKETS = 4096, INNER = 4096 };

static bool on;
static uint64_t begin_ms;
static mote_h2_tracer *tracers[SOCKETS + INNER]; /* by file descriptor, and by number */
static mote_h2_tracer hidden;                    /* of a socket whose frames cannot be seen */

void mote_posix_trace(void)
{
    on = true;
    begin_ms = mote_posix_now_ms();
}

static void print_line(void *context, const char *line, size_t len)
{
    uint64_t ms = mote_posix_now_ms() - begin_ms;

    fprintf(stderr, "[%3llu.%03llu] %d: %.*s\n", (unsigned long long)ms / 1000,
            (unsigned long long)ms % 1000, (int)((mote_h2_tracer **)context - tracers), (int)len,
            line);
}

void mote_posix_trace_begin(int fd)
{
    if (on && fd >= 0 && fd < SOCKETS + INNER) {
        if (tracers[fd] != &hidden)
            free(tracers[fd]);
        tracers[fd] = NULL;
    }
}

int mote_posix_trace_inner(void)
{
    static unsigned next;

    if (!on)
        return -1;
    int number = SOCKETS + (int)(__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % INNER);
    mote_posix_trace_begin(number);
    return number;
}

/* The preface is 24 bytes that begin with "PRI", so the first bytes tell who is the client. */
void mote_posix_trace_bytes(int fd, bool sent, const uint8_t *bytes, size_t len)
{
    if (!on || fd < 0 || fd >= SOCKETS + INNER || len == 0 || tracers[fd] == &hidden)
        return;
    if (!tracers[fd] && bytes[0] != 'P' && bytes[0] != 0) {
        tracers[fd] = &hidden; /* neither a preface nor SETTINGS: TLS */
        return;
    }
    if (!tracers[fd]) {
        tracers[fd] = malloc(sizeof **tracers);
        if (!tracers[fd])
            return;
        mote_h2_trace_init(tracers[fd], (bytes[0] == 'P') != sent, print_line, &tracers[fd]);
    }
    mote_h2_trace(tracers[fd], sent, bytes, len);
}
