/* What the doubles of Arduino and Zephyr share: the server is told on the command line, what the
 * example says goes to stdout, and its first long sleep ends the program, with the status that it
 * has told. */
#ifndef BOARD_DOUBLE_H
#define BOARD_DOUBLE_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char double_host[64], double_said[256];
static int double_port;
static void (*double_wakes)(void); /* what happens while it sleeps */

static inline void double_take(int argc, char **argv)
{
    if (argc != 2 || sscanf(argv[1], "%63[^:]:%d", double_host, &double_port) != 2)
        exit(99);
}

__attribute__((format(printf, 1, 2))) static inline void double_say(const char *format, ...)
{
    size_t len = strlen(double_said);
    va_list list;

    va_start(list, format);
    vsnprintf(double_said + len, sizeof double_said - len, format, list);
    va_end(list);
}

static inline void double_sleep(int ms)
{
    int code = 0;

    if (ms >= 5000) {
        fputs(double_said, stdout);
        fflush(stdout);
        sscanf(double_said, "error %d:", &code);
        _exit(code);
    }
    poll(NULL, 0, ms);
    if (double_wakes)
        double_wakes();
}

static inline long long double_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
