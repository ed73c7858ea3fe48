/* Start-up of a Cortex-M: vectors and time. */
#include "board.h"

int main(void);

extern uint32_t board_stack_top[];

static volatile uint32_t ticks;

static void on_tick(void)
{
    ticks++;
}

static void stop(void)
{
    for (;;)
        ;
}

uint64_t board_now_ms(void)
{
    static uint32_t seen, turns; /* 49 days each */
    uint32_t now = ticks;

    turns += now < seen;
    seen = now;
    return (uint64_t)turns << 32 | now;
}

static void start_ticks(void)
{
    volatile uint32_t *systick = (volatile uint32_t *)0xe000e010;

    systick[1] = BOARD_HZ / 1000 - 1;
    systick[2] = 0;
    systick[0] = 7;
}

void board_reset(void);
void board_reset(void)
{
    board_prepare_memory();
    start_ticks();
    board_init();
    main();
    stop();
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))board_stack_top,
    board_reset,
    stop,
    stop,
    stop,
    stop,
    stop,
    NULL,
    NULL,
    NULL,
    NULL,
    stop,
    stop,
    NULL,
    stop,
    on_tick};
