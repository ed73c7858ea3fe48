/* UART of the nRF51: an event for each byte, which is cleared before the byte is read. */
#include "board.h"

enum {
    START_RX = 0,
    START_TX = 0x008 / 4,
    RX_READY = 0x108 / 4,
    TX_READY = 0x11c / 4,
    ENABLE = 0x500 / 4,
    RXD = 0x518 / 4,
    TXD = 0x51c / 4,
    BAUD = 0x524 / 4
};
#define UART ((volatile uint32_t *)BOARD_UART)

void board_init(void)
{
    UART[BAUD] = 0x01d7e000; /* 115,200 */
    UART[ENABLE] = 4;
    UART[START_RX] = 1;
    UART[START_TX] = 1;
}

size_t board_read(uint8_t *in, size_t cap)
{
    size_t n = 0;

    while (n < cap && UART[RX_READY]) {
        UART[RX_READY] = 0;
        in[n++] = (uint8_t)UART[RXD];
    }
    return n;
}

void board_write(const uint8_t *out, size_t len)
{
    while (len-- > 0) {
        UART[TX_READY] = 0;
        UART[TXD] = *out++;
        while (!UART[TX_READY])
            ;
    }
}
