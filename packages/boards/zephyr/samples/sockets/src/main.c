/* Asks a server of gRPC for a temperature every five seconds, over Zephyr's sockets. hello.mote.c
 * is what protoc-gen-mote made of hello.proto with --mote_opt=runtime=mote.h. */
#include "ask.h"

#include <zephyr/kernel.h>
#include <zephyr/net/socket.h>

#include <errno.h>

#ifndef SERVER
#define SERVER "192.0.2.2"
#endif
#ifndef PORT
#define PORT 50051
#endif

static int fd = -1;
static const char *why = "";

static uint64_t io_now(void *context)
{
    (void)context;
    return (uint64_t)k_uptime_get();
}

static int moved(int n, const char *what)
{
    if (n >= 0)
        return n;
    why = what;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
}

static int io_read(void *context, uint8_t *buf, size_t cap)
{
    int n = (int)zsock_recv(fd, buf, cap, ZSOCK_MSG_DONTWAIT);

    (void)context;
    if (n > 0)
        return n;
    why = "the server has closed the connection";
    return n == 0 ? -1 : moved(n, "recv");
}

static int io_write(void *context, const uint8_t *buf, size_t len)
{
    (void)context;
    return moved((int)zsock_send(fd, buf, len, ZSOCK_MSG_DONTWAIT), "send");
}

static void io_wait(void *context, bool writing, uint64_t until_ms)
{
    struct zsock_pollfd p = {.fd = fd,
                             .events = writing ? ZSOCK_POLLIN | ZSOCK_POLLOUT : ZSOCK_POLLIN};
    uint64_t now = io_now(context), left = until_ms > now ? until_ms - now : 0;

    left = left < 1000 ? left : 1000;
    if (fd < 0)
        k_msleep((int32_t)left);
    else
        zsock_poll(&p, 1, (int)left);
}

static void io_close(void *context)
{
    (void)context;
    if (fd >= 0)
        zsock_close(fd);
    fd = -1;
}

/* Waits as long as Zephyr's TCP does (CONFIG_NET_SOCKETS_CONNECT_TIMEOUT). */
static int io_connect(void *context, uint64_t until_ms)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(PORT)};

    (void)until_ms;
    io_close(context);
    why = "connect";
    zsock_inet_pton(AF_INET, SERVER, &server.sin_addr);
    fd = zsock_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    return fd >= 0 && zsock_connect(fd, (struct sockaddr *)&server, sizeof server) == 0 ? 0 : -1;
}

static const char *io_error(void *context)
{
    (void)context;
    return why;
}

int main(void)
{
    mote_io io = {.read = io_read,
                  .write = io_write,
                  .wait = io_wait,
                  .now_ms = io_now,
                  .connect = io_connect,
                  .close = io_close,
                  .error = io_error};
    double celsius;
    char text[96];

    ask_begin(io);
    for (;;) {
        int code = ask(&celsius, text);
        if (code == MOTE_GRPC_OK)
            printk("%d.%d degrees\n", (int)celsius, (int)(celsius * 10) % 10);
        else
            printk("error %d: %s\n", code, text);
        k_msleep(5000);
    }
    return 0;
}
