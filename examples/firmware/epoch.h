/* A random number that names a start of the board. These boards are emulated and have no source of
 * randomness, but their clock is that of a busy machine: how often one can look at it in a
 * millisecond differs. A device reads its hardware generator here, or adds 1 to a number in flash;
 * with a number that comes again, its samples may be taken for those of an earlier start. */
#ifndef EPOCH_H
#define EPOCH_H

#include "../../port/cortex-m/board.h"

static inline uint64_t emulated_board_epoch(void)
{
    uint64_t epoch = 0;

    for (uint64_t start = board_now_ms(), now = start; now < start + 20;) {
        now = board_now_ms();
        epoch = (epoch ^ now) * 6364136223846793005u + 1442695040888963407u;
    }
    return epoch ? epoch : 1;
}

#endif
