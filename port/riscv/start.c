/* Start-up, time and UART (16550) of QEMU's riscv32 virt. */
#include "../cortex-m/board.h"

int main(void);

#define MTIME ((volatile uint32_t *)0x0200bff8)
#define UART  ((volatile uint8_t *)BOARD_UART)
enum { DATA = 0, LINE_STATUS = 5, RX_READY = 1, TX_EMPTY = 1 << 5 };

__attribute__((section(".vectors"), naked, used)) void board_reset(void);
void board_reset(void)
{
    __asm__ volatile(".option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
                     "la sp, board_stack_top\ncall board_prepare_memory\ncall board_init\n"
                     "call main\n1: j 1b");
}

void board_init(void)
{
    /* works as it is */
}

uint64_t board_now_ms(void)
{
    uint32_t high, low;

    do {
        high = MTIME[1];
        low = MTIME[0];
    } while (high != MTIME[1]);
    return ((uint64_t)high << 32 | low) / (BOARD_HZ / 1000);
}

size_t board_read(uint8_t *in, size_t cap)
{
    size_t n = 0;

    while (n < cap && UART[LINE_STATUS] & RX_READY)
        in[n++] = UART[DATA];
    return n;
}

void board_write(const uint8_t *out, size_t len)
{
    while (len-- > 0) {
        while (!(UART[LINE_STATUS] & TX_EMPTY))
            ;
        UART[DATA] = *out++;
    }
}
