/*
 * A bridge between a serial line and TCP, so that ordinary gRPC programs talk to a device.
 *
 *   mote-serial --line=/dev/ttyUSB0 --listen=127.0.0.1:50051    clients call the device
 *   mote-serial --line=/dev/ttyUSB0 --dial=collector:50050      the device calls a server
 *
 * The line is a serial device, or where an emulator offers one: HOST:PORT or unix:/path. One
 * connection at a time, in the frames of serial.h: with --dial the device begins it, with --listen
 * each client does. What noise touches is closed. So that nobody keeps the others out, a client is
 * closed that has not said HTTP/2's preface 10 s after it came, that takes nothing for 10 s, or on
 * whose connection nothing has passed for --idle seconds.
 */
#define _DEFAULT_SOURCE
#include "../common/options.h"
#include "../../port/posix/posix.h"
#include "../../port/serial/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

enum { PIECE = 4096, RETRY_MS = 200, CONNECT_MS = 5000, PREFACE = 24, PATIENCE_MS = 10000 };

static int line = -1, peer = -1, listener = -1;
static const char *line_name, *dial, *baud = "115200";
static mote_serial serial;
static uint8_t waiting[PIECE]; /* from the peer, for the line: [waiting_pos, waiting_len) */
static size_t waiting_pos, waiting_len;
static uint64_t peer_begin_ms, peer_moved_ms; /* when it came, and when bytes passed last */
static size_t peer_said;                      /* bytes, no more than PREFACE are counted */
static uint64_t idle_ms = 300000;

/* ---- the line ------------------------------------------------------------------------------ */

static speed_t speed_of(const char *text)
{
    static const struct {
        int baud;
        speed_t speed;
    } speeds[] = {{9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600},
                  {115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600}};

    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        if (speeds[i].baud == atoi(text))
            return speeds[i].speed;
    }
    fprintf(stderr, "mote-serial: error: --baud=%s is none of 9600 to 921600\n", text);
    exit(2);
}

static int open_device(const char *name)
{
    struct termios t;
    int fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || tcgetattr(fd, &t) < 0) {
        fprintf(stderr, "mote-serial: error: %s: %s\n", name, strerror(errno));
        return -1;
    }
    cfmakeraw(&t);
    cfsetspeed(&t, speed_of(baud));
    t.c_cflag |= CLOCAL | CREAD;
    tcsetattr(fd, TCSANOW, &t);
    return fd;
}

static int open_line(void)
{
    if (line_name[0] == '/')
        return open_device(line_name);
    int fd = mote_posix_connect(line_name, CONNECT_MS);
    if (fd < 0)
        fprintf(stderr, "mote-serial: error: %s\n", mote_posix_error());
    return fd;
}

/* ---- the peer ------------------------------------------------------------------------------ */

/* Ends the connection on both sides. */
static void end_peer(void)
{
    if (peer >= 0)
        close(peer);
    peer = -1;
    waiting_pos = waiting_len = 0;
    mote_serial_close(&serial);
}

static void begin_peer(int fd)
{
    peer = fd;
    peer_begin_ms = peer_moved_ms = mote_posix_now_ms();
    peer_said = 0;
}

/* Says why, and ends the connection. */
static void give_up(const char *why)
{
    fprintf(stderr, "mote-serial: a connection was closed: %s\n", why);
    end_peer();
}

static void time_out_peer(uint64_t now_ms)
{
    if (peer < 0)
        return;
    if (listener >= 0 && peer_said < PREFACE && now_ms - peer_begin_ms >= PATIENCE_MS)
        give_up("the client has said nothing");
    else if (now_ms - peer_moved_ms >= idle_ms)
        give_up("nothing has passed for a long time");
}

/* A client has come: the next connection of the line is its. */
static void accept_peer(void)
{
    begin_peer(mote_posix_accept_one(listener, 0));
    if (peer >= 0)
        mote_serial_open(&serial);
}

/* The device has begun a connection. */
static void dial_peer(void)
{
    if (peer >= 0)
        close(peer);
    waiting_pos = waiting_len = 0;
    begin_peer(mote_posix_connect(dial, CONNECT_MS));
    if (peer < 0) {
        fprintf(stderr, "mote-serial: %s\n", mote_posix_error());
        end_peer();
        return;
    }
    printf("the device calls %s\n", dial);
    fflush(stdout);
}

/* Writes all of it. The line waits meanwhile, so a peer that takes nothing is closed. */
static void to_peer(const uint8_t *bytes, size_t len)
{
    uint64_t begin = mote_posix_now_ms();

    while (len > 0 && peer >= 0 && !mote_posix_stopped) {
        ssize_t n = write(peer, bytes, len);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
            begin = peer_moved_ms = mote_posix_now_ms();
        } else if (errno != EAGAIN && errno != EINTR) {
            end_peer();
        } else if (mote_posix_now_ms() - begin >= PATIENCE_MS) {
            give_up("the peer takes nothing");
        } else {
            struct pollfd p = {.fd = peer, .events = POLLOUT};
            poll(&p, 1, RETRY_MS);
        }
    }
}

static void read_peer(void)
{
    ssize_t n = read(peer, waiting, sizeof waiting);

    waiting_pos = 0;
    waiting_len = n > 0 ? (size_t)n : 0;
    if (n > 0) {
        peer_said = waiting_len < PREFACE - peer_said ? peer_said + waiting_len : PREFACE;
        peer_moved_ms = mote_posix_now_ms();
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        end_peer();
    }
}

/* ---- both ---------------------------------------------------------------------------------- */

static void on_event(const mote_serial_event *ev)
{
    if (ev->type == MOTE_SERIAL_BEGINS && dial)
        dial_peer();
    else if (ev->type == MOTE_SERIAL_DATA)
        to_peer(ev->data, ev->len);
    else
        end_peer();
}

/* False: the line has ended. */
static bool read_line(void)
{
    uint8_t bytes[PIECE];
    ssize_t n = read(line, bytes, sizeof bytes);
    const uint8_t *in = bytes;
    size_t len = n > 0 ? (size_t)n : 0;
    mote_serial_event ev;

    while (mote_serial_receive(&serial, &in, &len, &ev))
        on_event(&ev);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool write_line(void)
{
    size_t len;
    const uint8_t *out;

    for (;;) {
        if (waiting_pos < waiting_len)
            waiting_pos +=
                mote_serial_send(&serial, waiting + waiting_pos, waiting_len - waiting_pos);
        if (!(out = mote_serial_peek(&serial, &len)))
            return true;
        ssize_t n = write(line, out, len);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        mote_serial_ack(&serial, (size_t)n);
    }
}

static bool turn(void)
{
    size_t len;
    bool idle = waiting_pos == waiting_len;
    short out = mote_serial_peek(&serial, &len) || !idle ? POLLOUT : 0;
    struct pollfd p[] = {{.fd = line, .events = (short)(POLLIN | out)},
                         {.fd = idle ? peer : -1, .events = POLLIN},
                         {.fd = peer < 0 ? listener : -1, .events = POLLIN}};

    if (poll(p, 3, RETRY_MS) < 0)
        return errno == EINTR;
    mote_serial_tick(&serial, mote_posix_now_ms());
    time_out_peer(mote_posix_now_ms());
    if ((p[0].revents & ~POLLOUT) && !read_line())
        return false;
    if (p[1].revents && peer == p[1].fd && peer >= 0)
        read_peer();
    if (p[2].revents && peer < 0)
        accept_peer();
    return write_line();
}

int main(int argc, char **argv)
{
    const char *listen = NULL, *idle = NULL;
    char address[128];
    const option options[] = {
        OPTION("--line", &line_name, "/dev/..., HOST:PORT or unix:/path"),
        OPTION("--baud", &baud, "of a serial device (115200)"),
        OPTION("--listen", &listen, "where gRPC clients connect"),
        OPTION("--dial", &dial, "the gRPC server that the device calls"),
        OPTION("--idle", &idle, "s without a byte that end a connection (300)"),
        OPTIONS_END};

    parse_options(argc, argv, "mote-serial: brings gRPC programs to a device on a serial line",
                  options);
    if (!line_name || !listen == !dial) {
        fprintf(stderr, "mote-serial: error: --line, and either --listen or --dial (see --help)\n");
        return 2;
    }
    if (idle && (idle_ms = strtoull(idle, NULL, 10) * 1000) == 0) {
        fprintf(stderr, "mote-serial: error: --idle=%s is no number of seconds\n", idle);
        return 2;
    }
    mote_posix_catch_signals();
    line = open_line();
    listener = listen ? mote_posix_listen(listen) : -1;
    if (line < 0 || (listen && listener < 0)) {
        if (line >= 0)
            fprintf(stderr, "mote-serial: error: %s\n", mote_posix_error());
        return 1;
    }
    if (listen) {
        printf("listening on %s\n", mote_posix_address(listener, address));
        fflush(stdout);
    }
    while (!mote_posix_stopped && turn())
        ;
    if (!mote_posix_stopped)
        fprintf(stderr, "mote-serial: error: the line has ended\n");
    return mote_posix_stopped ? 0 : 1;
}
