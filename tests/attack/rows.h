/* Attacks whose work is counted at three sizes of what a server keeps: each is a row of a table,
 * and basic blocks are counted (build/counted), so that nothing depends on the machine. */
#ifndef ATTACK_ROWS_H
#define ATTACK_ROWS_H

#include "../test.h"

#ifndef MOST_ENTRIES
#define MOST_ENTRIES 1000
#endif
enum { MOST = MOST_ENTRIES, PER_MS = 1250 };

static uint64_t sent, steps; /* bytes of the attack, or events; blocks */

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

typedef struct {
    const char *name;
    void (*make)(unsigned count); /* the entries */
    void (*attack)(unsigned count);
    uint64_t most; /* blocks for a byte, or an event, at any size */
} attack_row;

static inline void costs_no_more_with_entries(const attack_row *row)
{
    static const unsigned counts[] = {1, 100, MOST};

    for (size_t k = 0; k < 3; k++) {
        row->make(counts[k]);
        sent = steps = 0;
        row->attack(counts[k]);
        printf("%-40s %5u entries: %7llu steps for 1,000\n", row->name, counts[k],
               (unsigned long long)(steps * 1000 / sent));
        CHECK(steps <= row->most * sent);
    }
}

#endif
