/*
 * A bridge between a serial line and TCP, so that ordinary gRPC programs talk to a device.
 *
 *   mote-serial --line=/dev/ttyUSB0 --listen=127.0.0.1:50051    clients call the device
 *   mote-serial --line=/dev/ttyUSB0 --dial=collector:50050      the device calls a server
 *
 * The line is a serial device, or where an emulator offers one: HOST:PORT or unix:/path. One
 * connection at a time. For --dial each preface of the device begins a new connection; for --listen
 * each client does, and when it leaves, the device is told by a preface that nothing follows.
 */
#define _DEFAULT_SOURCE
#include "../../examples/options.h"
#include "../posix/posix.h"
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

enum { PIECE = 4096, QUIET_MS = 30, RETRY_MS = 200, CONNECT_MS = 5000 };

static int line = -1, peer = -1, listener = -1;
static const char *line_name, *dial, *baud = "115200";
static mote_serial_sync preface;

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

/* Writes all of it, however long that takes; false: the other end is gone. */
static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0 && !mote_posix_stopped) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n < 0) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            poll(&p, 1, RETRY_MS);
            continue;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool can_read(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, timeout_ms) > 0;
}

/* Throws away what the device still says to someone who has left. */
static void discard(void)
{
    uint8_t bytes[PIECE];

    while (can_read(line, QUIET_MS) && read(line, bytes, sizeof bytes) > 0)
        ;
}

/* ---- the peer ------------------------------------------------------------------------------ */

static void end_peer(void)
{
    close(peer);
    peer = -1;
    if (!dial)
        write_all(line, mote_serial_preface, sizeof mote_serial_preface);
}

static void accept_peer(void)
{
    int fd = mote_posix_accept_one(listener, 0);

    if (fd < 0)
        return;
    discard();
    peer = fd;
}

/* The device has begun a connection: to the server, with the preface it has sent. */
static void dial_peer(void)
{
    if (peer >= 0)
        close(peer);
    peer = mote_posix_connect(dial, CONNECT_MS);
    if (peer < 0)
        fprintf(stderr, "mote-serial: %s\n", mote_posix_error());
    else if (!write_all(peer, mote_serial_preface, sizeof mote_serial_preface))
        end_peer();
}

static void to_peer(const uint8_t *bytes, size_t len)
{
    if (peer >= 0 && !write_all(peer, bytes, len))
        end_peer();
}

static void on_piece(const mote_serial_piece *piece)
{
    if (piece->begins)
        dial_peer();
    else
        to_peer(piece->data, piece->len);
}

/* What the device says; with --dial, its prefaces are looked for. */
static void from_line(const uint8_t *bytes, size_t len)
{
    mote_serial_piece piece;

    if (!dial)
        to_peer(bytes, len);
    while (dial && mote_serial_next(&preface, &bytes, &len, &piece))
        on_piece(&piece);
}

static bool turn(void)
{
    struct pollfd p[] = {{.fd = line, .events = POLLIN},
                         {.fd = peer, .events = POLLIN},
                         {.fd = peer < 0 ? listener : -1, .events = POLLIN}};
    uint8_t bytes[PIECE];
    mote_serial_piece piece;
    ssize_t n;

    int ready = poll(p, 3, preface.held > 0 ? MOTE_SERIAL_IDLE_MS : 1000);
    if (ready < 0)
        return errno == EINTR;
    if (ready == 0 && mote_serial_idle(&preface, &piece))
        on_piece(&piece);
    if (p[0].revents) {
        n = read(line, bytes, sizeof bytes);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n > 0)
            from_line(bytes, (size_t)n);
    }
    if (p[1].revents && peer == p[1].fd) {
        n = read(peer, bytes, sizeof bytes);
        if (n > 0 && !write_all(line, bytes, (size_t)n))
            return false;
        if (n == 0 || (n < 0 && errno != EAGAIN))
            end_peer();
    }
    if (p[2].revents)
        accept_peer();
    return true;
}

int main(int argc, char **argv)
{
    const char *listen = NULL;
    char address[128];
    const option options[] = {OPTION("--line", &line_name, "/dev/..., HOST:PORT or unix:/path"),
                              OPTION("--baud", &baud, "of a serial device (115200)"),
                              OPTION("--listen", &listen, "where gRPC clients connect"),
                              OPTION("--dial", &dial, "the gRPC server that the device calls"),
                              OPTIONS_END};

    parse_options(argc, argv, "mote-serial: brings gRPC programs to a device on a serial line",
                  options);
    if (!line_name || !listen == !dial) {
        fprintf(stderr, "mote-serial: error: --line, and either --listen or --dial (see --help)\n");
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
