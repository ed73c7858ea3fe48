/* A program for a board whose line is nowhere: it is linked, and not run. */
#include "ask.h"

static int io_read(void *context, uint8_t *buf, size_t cap)
{
    return (void)context, (void)buf, (void)cap, 0;
}

static int io_write(void *context, const uint8_t *buf, size_t len)
{
    return (void)context, (void)buf, (int)len;
}

static uint64_t io_now(void *context)
{
    return (void)context, 0;
}

int main(void)
{
    double celsius;
    char text[96];

    ask_begin((mote_io){.read = io_read, .write = io_write, .now_ms = io_now});
    return ask(&celsius, text);
}
