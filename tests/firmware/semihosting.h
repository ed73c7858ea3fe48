/* Files and text of the machine that runs the emulator. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stddef.h>
#include <stdint.h>

enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE0 = 4, SYS_READ = 6, SYS_SEEK = 10, SYS_EXIT = 24 };

static inline int semihosting(int operation, const void *argument)
{
#ifdef __riscv
    register int r0 __asm__("a0") = operation;
    register const void *r1 __asm__("a1") = argument;

    __asm__ volatile(".option push\n.option norvc\n.balign 16\nslli x0, x0, 0x1f\nebreak\nsrai x0, "
                     "x0, 7\n.option pop"
                     : "+r"(r0)
                     : "r"(r1)
                     : "memory");
#else
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
#endif
    return r0;
}

/* A file for reading, or < 0. */
static inline int host_open(const char *name)
{
    size_t len = 0;

    while (name[len] != '\0')
        len++;
    const uintptr_t open[] = {(uintptr_t)name, 1 /* rb */, len};
    return semihosting(SYS_OPEN, open);
}

/* How many bytes were read. */
static inline size_t host_read(int file, void *to, size_t len)
{
    const uintptr_t read[] = {(uintptr_t)file, (uintptr_t)to, len};

    return len - (size_t)semihosting(SYS_READ, read);
}

static inline void host_rewind(int file)
{
    const uintptr_t seek[] = {(uintptr_t)file, 0};

    semihosting(SYS_SEEK, seek);
}

/* Prints "name N\n". */
static inline void host_print(const char *name, uint32_t n)
{
    char text[48], digits[10];
    size_t len = 0, count = 0;

    while (*name && len < 32)
        text[len++] = *name++;
    text[len++] = ' ';
    do
        digits[count++] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    while (count > 0)
        text[len++] = digits[--count];
    text[len++] = '\n';
    text[len] = '\0';
    semihosting(SYS_WRITE0, text);
}

static inline void host_exit(void)
{
    semihosting(SYS_EXIT, (const void *)0x20026); /* the application has ended */
}

#endif
