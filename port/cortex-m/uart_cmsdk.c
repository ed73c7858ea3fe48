/* CMSDK UART of Arm's MPS boards. */
#include "board.h"

enum { DATA = 0, STATE = 1, CTRL = 2, BAUD = 4, TX_FULL = 1, RX_FULL = 2 };
#define UART ((volatile uint32_t *)BOARD_UART)

void board_init(void)
{
    UART[BAUD] = BOARD_HZ / 115200;
    UART[CTRL] = 3;
}

size_t board_read(uint8_t *in, size_t cap)
{
    size_t n = 0;

    while (n < cap && UART[STATE] & RX_FULL)
        in[n++] = (uint8_t)UART[DATA];
    return n;
}

void board_write(const uint8_t *out, size_t len)
{
    while (len-- > 0) {
        while (UART[STATE] & TX_FULL)
            ;
        UART[DATA] = *out++;
    }
}
