/* termios2 has rates of any number; its header and <termios.h> do not go together. */
#define _GNU_SOURCE
#include "serial_line.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...);

enum { LINE_DTR = 0x002, LINE_RTS = 0x004 }; /* of TIOCMBIS and TIOCMBIC */

static int set_rate_and_form(int fd, unsigned baud)
{
    struct termios2 t;

    if (ioctl(fd, TCGETS2, &t) < 0)
        return -1;
    t.c_iflag = 0;
    t.c_oflag = 0;
    t.c_lflag = 0;
    t.c_cflag = CS8 | CLOCAL | CREAD | BOTHER | BOTHER << IBSHIFT;
    t.c_ispeed = t.c_ospeed = baud;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    return ioctl(fd, TCSETS2, &t);
}

static int set_level(int fd, int which, enum serial_level level)
{
    if (level == SERIAL_AS_IT_IS)
        return 0;
    return ioctl(fd, level == SERIAL_HIGH ? TIOCMBIS : TIOCMBIC, &which);
}

int serial_line_open(const char *name, unsigned baud, enum serial_level dtr, enum serial_level rts,
                     const char **why)
{
    int fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0 && ioctl(fd, TIOCEXCL) == 0 && set_rate_and_form(fd, baud) == 0 &&
        set_level(fd, LINE_DTR, dtr) == 0 && set_level(fd, LINE_RTS, rts) == 0)
        return fd;
    *why = errno == EBUSY ? "another program uses it" : strerror(errno);
    if (fd >= 0)
        close(fd);
    return -1;
}
