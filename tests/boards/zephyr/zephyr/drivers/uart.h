/* A UART whose other end is mote-serial (the environment says where that is), which dials the
 * server of the command line. Interrupts come while the sample sleeps. */
#ifndef ZEPHYR_DOUBLE_UART_H
#define ZEPHYR_DOUBLE_UART_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/un.h>

#include "../../../double.h"

struct device {
    int fd;
    void (*callback)(const struct device *, void *);
};
static struct device double_uart;
#define DT_CHOSEN(name)     0
#define DEVICE_DT_GET(node) (&double_uart + (node))

static inline int uart_irq_update(const struct device *d)
{
    return d->fd > 0;
}

static inline int uart_irq_rx_ready(const struct device *d)
{
    struct pollfd p = {.fd = d->fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

static inline int uart_fifo_read(const struct device *d, uint8_t *bytes, int n)
{
    return (int)recv(d->fd, bytes, (size_t)(n < 4 ? n : 4), MSG_DONTWAIT);
}

static inline void uart_poll_out(const struct device *d, unsigned char byte)
{
    send(d->fd, &byte, 1, MSG_NOSIGNAL);
}

static void double_interrupts(void)
{
    if (double_uart.callback)
        double_uart.callback(&double_uart, NULL);
}

static inline void uart_irq_callback_user_data_set(const struct device *d,
                                                   void (*callback)(const struct device *, void *),
                                                   void *data)
{
    (void)d, (void)data;
    double_uart.callback = callback;
}

static inline void uart_irq_rx_enable(const struct device *d)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    char line[128], dial[96];

    (void)d;
    snprintf(at.sun_path, sizeof at.sun_path, "%s/line.%d",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
    snprintf(line, sizeof line, "--line=unix:%s", at.sun_path);
    snprintf(dial, sizeof dial, "--dial=%s:%d", double_host, double_port);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 1) != 0)
        exit(98);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(96);
        execl(getenv("MOTE_SERIAL"), "mote-serial", line, dial, (char *)NULL);
        _exit(97);
    }
    double_uart.fd = accept(listener, NULL, NULL);
    unlink(at.sun_path);
    double_wakes = double_interrupts;
}

#endif
