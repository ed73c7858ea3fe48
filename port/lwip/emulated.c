/*
 * In place of a source of random numbers, which the boards that QEMU emulates do not have: what is
 * "random" is no secret. A device reads its hardware generator.
 */
#include "net.h"

#ifdef __riscv
#define TICKS 0x0200bff8 /* MTIME */
#else
#define TICKS 0xe000e018 /* SysTick */
#endif

int mbedtls_hardware_poll(void *context, unsigned char *out, size_t len, size_t *used);
int mbedtls_hardware_poll(void *context, unsigned char *out, size_t len, size_t *used)
{
    static uint32_t state = 0x6d6f7465;
    const volatile uint32_t *ticks = (const volatile uint32_t *)TICKS;

    (void)context;
    for (size_t i = 0; i < len; i++) {
        state = (state ^ *ticks) * 1664525u + 1013904223u;
        out[i] = (uint8_t)(state >> 24);
    }
    *used = len;
    return 0;
}

void mote_lwip_entropy(void *out, size_t len)
{
    size_t used;

    mbedtls_hardware_poll(NULL, out, len, &used);
}
