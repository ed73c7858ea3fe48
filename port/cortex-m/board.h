/*
 * What firmware needs of a board: a line of bytes and the time. Each uart_*.c is for a board (or a
 * family) that QEMU emulates; all are polled, so that nothing happens behind the application's
 * back.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

/* Called once, before main(). */
void board_init(void);

/* Bytes that have arrived, at most `cap`; 0: none. Never waits. */
size_t board_read(uint8_t *in, size_t cap);

/* Sends these bytes, each as soon as the line takes it. */
void board_write(const uint8_t *out, size_t len);

/* Milliseconds since the start. */
uint64_t board_now_ms(void);

/* Start-up calls it first: paints the stack, and sets all variables. */
void board_prepare_memory(void);

/* Bytes of the stack that were used so far: it was painted at the start. */
size_t board_stack_used(void);

/* Writes what the program takes, as "sensor: flash 26136, RAM 2296, stack 152 of 63240". */
void board_report(const char *program);

#endif
