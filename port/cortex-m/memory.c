/* Memory at the start, the painted stack, and the four functions of libc that mote calls. */
#include "board.h"

#include <string.h>

extern uint32_t board_flash[], board_data_from[], board_data[], board_data_end[], board_bss[],
    board_bss_end[], board_stack_end[], board_stack_top[];

enum { PAINT = 0x5a5a5a5a };

size_t board_stack_used(void)
{
    size_t all = (uintptr_t)board_stack_top - (uintptr_t)board_stack_end, unused = 0;

    while (unused < all / 4 && board_stack_end[unused] == PAINT)
        unused++;
    return all - 4 * unused;
}

/* The stack is painted below this function's own frame. */
void board_prepare_memory(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0) - 64;

    for (volatile uint32_t *p = board_stack_end; (uintptr_t)p < here; p++)
        *p = PAINT;
    /* The linker knows where these end; for the compiler they are different objects. */
    size_t data = ((uintptr_t)board_data_end - (uintptr_t)board_data) / 4;
    size_t bss = ((uintptr_t)board_bss_end - (uintptr_t)board_bss) / 4;
    for (size_t i = 0; i < data; i++)
        board_data[i] = board_data_from[i];
    for (size_t i = 0; i < bss; i++)
        board_bss[i] = 0;
}

/* ---- what it takes ------------------------------------------------------------------------- */

static void say_text(const char *text)
{
    while (*text)
        board_write((const uint8_t *)text++, 1);
}

static void say_number(const char *name, size_t n)
{
    char digits[11];
    size_t at = sizeof digits - 1;

    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    say_text(name);
    say_text(digits + at);
}

void board_report(const char *program)
{
    size_t data = (uintptr_t)board_data_end - (uintptr_t)board_data;

    say_text(program);
    say_number(": flash ", (uintptr_t)board_data_from - (uintptr_t)board_flash + data);
    say_number(", RAM ", (uintptr_t)board_bss_end - (uintptr_t)board_data);
    say_number(", stack ", board_stack_used());
    say_number(" of ", (uintptr_t)board_stack_top - (uintptr_t)board_stack_end);
    say_text("\r\n");
}

/* ---- memory -------------------------------------------------------------------------------- */

/* The compiler calls these by itself. */
#define USED __attribute__((used))

/* Whether words may be read and written there: everywhere, or at both addresses alike. */
static int in_words(uintptr_t to, uintptr_t from)
{
#ifdef __ARM_FEATURE_UNALIGNED
    (void)to;
    (void)from;
    return 1;
}

typedef uint32_t __attribute__((may_alias, aligned(1))) word;
#else
    return ((to | from) & 3) == 0;
}

typedef uint32_t __attribute__((may_alias)) word;
#endif

USED void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (in_words((uintptr_t)t, (uintptr_t)f)) {
        for (const uint8_t *words = f + (n & ~(size_t)3); f != words; t += 4, f += 4)
            *(word *)t = *(const word *)f;
        n &= 3;
    }
    for (const uint8_t *end = f + n; f != end; t++, f++)
        *t = *f;
    return to;
}

USED void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (t < f)
        return memcpy(to, from, n);
    while (n-- > 0)
        t[n] = f[n];
    return to;
}

USED void *memset(void *to, int c, size_t n)
{
    uint8_t *t = to;

    if (in_words((uintptr_t)t, 0)) {
        uint32_t all = (uint8_t)c * 0x01010101u;
        for (uint8_t *words = t + (n & ~(size_t)3); t != words; t += 4)
            *(word *)t = all;
        n &= 3;
    }
    for (uint8_t *end = t + n; t != end; t++)
        *t = (uint8_t)c;
    return to;
}

USED int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n > 0; n--, x++, y++) {
        if (*x != *y)
            return *x - *y;
    }
    return 0;
}
