/* Input that ends where memory does: a read of one byte more stops the program. Include it first.
 */
#ifndef MOTE_GUARD_H
#define MOTE_GUARD_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { GUARD_MOST = 1 << 20, GUARD_PAGE = 1 << 16 };

/* A copy of `len` bytes, in one place: the next copy takes it. Their end is that of a page. */
static inline uint8_t *guarded(const void *bytes, size_t len)
{
    static uint8_t *end;

    if (!end) {
        uint8_t *p = mmap(NULL, GUARD_MOST + GUARD_PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED || mprotect(p + GUARD_MOST, GUARD_PAGE, PROT_NONE) != 0) {
            perror("guard");
            exit(2);
        }
        end = p + GUARD_MOST;
    }
    if (len > GUARD_MOST)
        abort();
    return len > 0 ? memcpy(end - len, bytes, len) : end;
}

#endif
