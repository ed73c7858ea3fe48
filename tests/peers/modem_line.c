#define _GNU_SOURCE
#include "modem_line.h"
#include "modem.h"
#include "../../port/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

/* ---- the modem ------------------------------------------------------------------------------ */

static int net = -1;

/* To "HOST",PORT... : 0, or the number of an error. */
static int dial(const char *to)
{
    char host[100] = "", address[128];
    int port = 0;

    if (net >= 0)
        close(net);
    sscanf(to, "\"%99[^\"]\",%d", host, &port);
    snprintf(address, sizeof address, "%s:%d", host, port);
    net = mote_posix_connect(address, 5000);
    return net >= 0 ? 0 : 566;
}

static void hang_up(modem *m)
{
    close(net);
    net = -1;
    if (m->dialed)
        modem_peer_closes(m);
}

static void to_net(modem *m)
{
    size_t sent = 0;

    while (net >= 0 && sent < m->to_net_len) {
        struct pollfd p = {.fd = net, .events = POLLOUT};
        poll(&p, 1, -1);
        ssize_t n = write(net, m->to_net + sent, m->to_net_len - sent);
        if (n > 0)
            sent += (size_t)n;
        else if (errno != EAGAIN)
            hang_up(m);
    }
    m->to_net_len = 0;
}

static void from_net(modem *m)
{
    uint8_t bytes[4096];
    ssize_t n = read(net, bytes, sizeof bytes);

    if (n > 0)
        modem_from_net(m, bytes, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        hang_up(m);
}

/* False: the other side is closed. */
static bool on_line(modem *m, int line)
{
    uint8_t bytes[256];
    ssize_t n = m->says_len < MODEM_SAYS / 4 ? read(line, bytes, sizeof bytes) : 0;

    if (n > 0)
        modem_hear(m, bytes, (size_t)n);
    if (n < 0 && errno != EAGAIN)
        return false;
    if (m->says_len > 0 && (n = write(line, m->says, m->says_len)) > 0) {
        memmove(m->says, m->says + n, m->says_len - (size_t)n);
        m->says_len -= (size_t)n;
    }
    return true;
}

static void be_modem(int line, bool quectel)
{
    static modem m;
    bool open;

    m = (modem){.quectel = quectel, .echo = true, .dial = dial, .news = "+CREG: 1"};
    do {
        bool room = m.from_net_len < MODEM_NET / 2;
        struct pollfd p[] = {{.fd = line, .events = m.says_len > 0 ? POLLIN | POLLOUT : POLLIN},
                             {.fd = room ? net : -1, .events = POLLIN}};
        poll(p, 2, -1);
        if (p[1].revents && p[1].fd == net)
            from_net(&m);
        open = on_line(&m, line);
        if (m.to_take == 0 && m.to_net_len > 0)
            to_net(&m);
        if (!m.dialed && net >= 0)
            hang_up(&m);
    } while (open);
}

/* ---- the line ------------------------------------------------------------------------------- */

int modem_line_open(bool quectel)
{
    int far_side = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    struct termios t;

    if (far_side < 0 || grantpt(far_side) < 0 || unlockpt(far_side) < 0)
        return -1;
    int line = open(ptsname(far_side), O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (line < 0 || tcgetattr(line, &t) < 0)
        return -1;
    cfmakeraw(&t);
    tcsetattr(line, TCSANOW, &t);
    if (fork() == 0) {
        close(line);
        be_modem(far_side, quectel);
        _exit(0);
    }
    close(far_side);
    return line;
}

static int moved(ssize_t n)
{
    return n >= 0 ? (int)n : errno == EAGAIN || errno == EINTR ? 0 : -1;
}

static int line_read(void *context, uint8_t *buf, size_t cap)
{
    return moved(read(*(int *)context, buf, cap));
}

static int line_write(void *context, const uint8_t *buf, size_t len)
{
    return moved(write(*(int *)context, buf, len));
}

static void line_wait(void *context, bool writing, uint64_t until_ms)
{
    struct pollfd p = {.fd = *(int *)context, .events = writing ? POLLIN | POLLOUT : POLLIN};
    uint64_t now = mote_posix_now_ms(), ms = now < until_ms ? until_ms - now : 0;

    poll(&p, 1, ms > 1000 ? 1000 : (int)ms);
}

static uint64_t line_now(void *context)
{
    (void)context;
    return mote_posix_now_ms();
}

mote_io modem_line_io(int *fd)
{
    return (mote_io){.context = fd,
                     .read = line_read,
                     .write = line_write,
                     .wait = line_wait,
                     .now_ms = line_now};
}
