/*
 * A modem and the network behind it: lwIP's PPP and TCP at this end of a line, whose other end is a
 * board. modem PORT LOST: it says which terminal is for the board; a connection to any address goes
 * on to 127.0.0.1:PORT; one byte in LOST is thrown away, in both directions (0: none).
 *
 * The first call is answered BUSY, and what it says comes in pieces and with an echo, as modems do.
 * A signal USR1 ends the link as a network does (LCP), and NO CARRIER follows; with USR2 nothing
 * arrives any more at either end, until the board calls again.
 */
#define _GNU_SOURCE
#include "../../../port/lwip/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <lwip/init.h>
#include <lwip/tcp.h>
#include <netif/ppp/pppos.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 8, PIECE = 512 };

static int line;
static unsigned lost_in, calls;
static uint16_t port;
static volatile sig_atomic_t terminate, cut;
static struct netif interface;
static ppp_pcb *ppp;
static enum { COMMANDS, DATA, DEAD } mode;

static struct connection {
    struct tcp_pcb *pcb; /* NULL: the board has ended its side, or all is over */
    int fd;              /* -1: this place is free */
} connections[CONNECTIONS];

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void mote_lwip_entropy(void *out, size_t len)
{
    for (uint8_t *p = out; len-- > 0;)
        *p++ = (uint8_t)rand();
}

/* ---- the line ------------------------------------------------------------------------------ */

/* Both ends: this one here, and the board's, which stays open so that boards may come and go. */
static bool open_terminal(void)
{
    struct termios raw;
    int board;

    line = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (line < 0 || grantpt(line) < 0 || unlockpt(line) < 0)
        return false;
    board = open(ptsname(line), O_RDWR | O_NOCTTY);
    if (board < 0 || tcgetattr(board, &raw) < 0)
        return false;
    cfmakeraw(&raw);
    tcsetattr(board, TCSANOW, &raw);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("line %s\n", ptsname(line));
    return true;
}

static void write_line(const void *bytes, size_t len)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t n = write(line, p, len);
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = line, .events = POLLOUT}, 1, 10);
        else if (n < 0)
            exit(1);
        p += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

/* What is left of the bytes. */
static size_t lose(uint8_t *bytes, size_t len)
{
    size_t kept = 0;

    for (size_t i = 0; i < len; i++) {
        bytes[kept] = bytes[i];
        kept += lost_in == 0 || (unsigned)rand() % lost_in != 0;
    }
    return kept;
}

static u32_t output(ppp_pcb *pcb, u8_t *data, u32_t len, void *context)
{
    uint8_t copy[PIECE];

    (void)pcb;
    (void)context;
    for (u32_t at = 0; mode == DATA && at < len; at += PIECE) {
        size_t n = len - at < PIECE ? len - at : PIECE;
        memcpy(copy, data + at, n);
        write_line(copy, lose(copy, n));
    }
    return len;
}

static void on_status(ppp_pcb *pcb, int code, void *context)
{
    (void)pcb;
    (void)context;
    printf("link %d\n", code);
    if (code != PPPERR_NONE && mode == DATA) {
        write_line("\r\nNO CARRIER\r\n", 14);
        mode = COMMANDS;
    }
}

static void answer_call(void)
{
    ip4_addr_t here, there;

    IP4_ADDR(&here, 10, 64, 64, 1);
    IP4_ADDR(&there, 10, 64, 64, 2);
    write_line("ATD*99#\r\r\nCONN", 14); /* the echo */
    if (calls++ == 0) {
        write_line("\r\nBUSY\r\n", 8);
        return;
    }
    usleep(20000);
    write_line("ECT 150000000\r\n", 15);
    ppp_set_ipcp_ouraddr(ppp, &here);
    ppp_set_ipcp_hisaddr(ppp, &there);
    mode = DATA;
    printf("call %u\n", calls);
    ppp_listen(ppp);
}

/* Bytes that are no data: the last ones of them are a command, or not. */
static void hear_commands(const uint8_t *in, size_t len)
{
    static char last[8];

    for (size_t i = 0; i < len && mode != DATA; i++) {
        memmove(last, last + 1, 7);
        last[7] = (char)in[i];
        if (memcmp(last, "ATD*99#\r", 8) == 0)
            answer_call();
    }
}

static void read_line(void)
{
    uint8_t bytes[PIECE];
    ssize_t n = read(line, bytes, sizeof bytes);

    if (n <= 0)
        return;
    if (mode == DATA)
        pppos_input(ppp, bytes, (int)lose(bytes, (size_t)n));
    else
        hear_commands(bytes, (size_t)n);
}

/* ---- the network --------------------------------------------------------------------------- */

static void drop(struct connection *c)
{
    close(c->fd);
    c->fd = -1;
    c->pcb = NULL;
}

static err_t on_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct connection *c = context;

    (void)error;
    if (!p) {
        shutdown(c->fd, SHUT_WR);
        return ERR_OK;
    }
    for (struct pbuf *q = p; q; q = q->next) {
        if (write(c->fd, q->payload, q->len) != q->len)
            fprintf(stderr, "modem: the collector does not take it\n");
    }
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static void on_error(void *context, err_t error)
{
    (void)error;
    drop(context);
}

static err_t on_accept(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct connection *c = connections;

    (void)context;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (c < connections + CONNECTIONS && c->fd >= 0)
        c++;
    if (error != ERR_OK || c == connections + CONNECTIONS)
        return ERR_MEM;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) {
        drop(c);
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    c->pcb = pcb;
    tcp_arg(pcb, c);
    tcp_recv(pcb, on_received);
    tcp_err(pcb, on_error);
    return ERR_OK;
}

/* What the collector says. */
static void carry(struct connection *c)
{
    char bytes[PIECE];
    size_t room = tcp_sndbuf(c->pcb) < PIECE ? tcp_sndbuf(c->pcb) : PIECE;
    ssize_t n = room > 0 ? recv(c->fd, bytes, room, MSG_DONTWAIT | MSG_PEEK) : -1;

    if (n > 0 && tcp_write(c->pcb, bytes, (u16_t)n, TCP_WRITE_FLAG_COPY) == ERR_OK) {
        n = recv(c->fd, bytes, (size_t)n, 0);
        tcp_output(c->pcb);
    } else if (n == 0 || (n < 0 && room > 0 && errno != EAGAIN)) {
        struct tcp_pcb *pcb = c->pcb;
        tcp_arg(pcb, NULL);
        tcp_recv(pcb, NULL);
        tcp_err(pcb, NULL);
        drop(c);
        if (tcp_close(pcb) != ERR_OK)
            tcp_abort(pcb);
    }
}

/* ---- what tests ask for -------------------------------------------------------------------- */

static void on_signal(int number)
{
    if (number == SIGUSR1)
        terminate = 1;
    else
        cut = 1;
}

static void obey(void)
{
    if (terminate && mode == DATA)
        ppp_close(ppp, 0);
    if (cut && mode == DATA) {
        mode = DEAD;
        ppp_close(ppp, 1);
    }
    terminate = cut = 0;
}

int main(int argc, char **argv)
{
    struct tcp_pcb *listener;

    if (argc != 3 || !open_terminal())
        return 2;
    port = (uint16_t)atoi(argv[1]);
    lost_in = (unsigned)atoi(argv[2]);
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, on_signal);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < CONNECTIONS; i++)
        connections[i].fd = -1;
    lwip_init();
    ppp = pppos_create(&interface, output, on_status, NULL);
    listener = tcp_new();
    if (!ppp || tcp_bind(listener, IP_ADDR_ANY, port) != ERR_OK ||
        !(listener = tcp_listen(listener)))
        return 1;
    tcp_accept(listener, on_accept);
    for (;;) {
        poll(&(struct pollfd){.fd = line, .events = POLLIN}, 1, 5);
        read_line();
        obey();
        for (int i = 0; i < CONNECTIONS; i++) {
            if (connections[i].fd >= 0)
                carry(&connections[i]);
        }
        mote_lwip_tick(now_ms());
    }
}
