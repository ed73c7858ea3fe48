/* USART1 of the STM32F1, 115,200 baud at 24 MHz. */
#include "board.h"

enum { SR = 0, DR = 1, BRR = 2, CR1 = 3, RX_READY = 1 << 5, TX_EMPTY = 1 << 7 };
#define UART    ((volatile uint32_t *)BOARD_UART)
#define APB2ENR (*(volatile uint32_t *)0x40021018)

void board_init(void)
{
    APB2ENR |= 1 << 14 | 1 << 2; /* clocks of USART1 and of its pins */
    UART[BRR] = BOARD_HZ / 115200;
    UART[CR1] = 1 << 13 | 1 << 3 | 1 << 2;
}

size_t board_read(uint8_t *in, size_t cap)
{
    size_t n = 0;

    while (n < cap && UART[SR] & RX_READY)
        in[n++] = (uint8_t)UART[DR];
    return n;
}

void board_write(const uint8_t *out, size_t len)
{
    while (len-- > 0) {
        while (!(UART[SR] & TX_EMPTY))
            ;
        UART[DR] = *out++;
    }
}
