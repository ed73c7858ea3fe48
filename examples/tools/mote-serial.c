/*
 * A bridge between a serial line and TCP, so that ordinary gRPC programs talk to a device.
 *
 *   mote-serial --line=/dev/ttyUSB0 --listen=127.0.0.1:50051    clients call the device
 *   mote-serial --line=/dev/ttyUSB0 --dial=collector:50050      the device calls a server
 *
 * The line is a serial device, or where an emulator offers one: HOST:PORT or unix:/path. One
 * connection at a time, in the frames of serial.h: with --dial the device begins it, with --listen
 * each client does. Noise closes the connection. So that nobody keeps the others out, a client is
 * closed when it has not sent HTTP/2's preface within 10 s, when it takes nothing for 10 s, or when
 * nothing has passed on its connection for --idle seconds; and while another client waits, one that
 * has had --turn seconds is told to go (GOAWAY), and closed 10 s later, told or not.
 *
 * What the device says beside its frames, such as a boot log, goes to standard output. A line that
 * ends, as where a cable is pulled, is opened again when it is back.
 */
#define _DEFAULT_SOURCE
#define OPTIONS_COMMON OPTIONS_TRACE
#include "../common/options.h"
#include "../common/output.h"
#include "../../port/posix/posix.h"
#include "../../port/serial/serial.h"
#include "serial_line.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum {
    PIECE = 4096,
    CONSOLE = 256,
    RETRY_MS = 200,
    CONNECT_MS = 5000,
    PREFACE = 24,
    PATIENCE_MS = 10000
};

/* An option that is a number, and its range. */
typedef struct {
    const char *name, *text;
    unsigned long least, most, value;
} number;

static number baud = {"--baud", NULL, 50, 4000000, 115200};
static number sync_ms = {"--sync", NULL, 1, 60000, MOTE_SERIAL_SYNC_MS};
static number idle_s = {"--idle", NULL, 1, 1000000, 300}, turn_s = {"--turn", NULL, 1, 1000000, 5};
static number dtr = {"--dtr", NULL, 0, 1, 2}, rts = {"--rts", NULL, 0, 1, 2}; /* 2: as it is */

static int line = -1, peer = -1, listener = -1;
static const char *line_name, *dial, *line_fault;
static uint64_t reopen_ms, deaf_until_ms; /* the next looks at the line and at the listener */
static mote_serial serial;
static uint8_t waiting[PIECE]; /* from the peer, for the line: [waiting_pos, waiting_len) */
static size_t waiting_pos, waiting_len;
static uint64_t peer_begin_ms, peer_moved_ms; /* when it came, and when bytes passed last */
static size_t peer_said;                      /* bytes, no more than PREFACE are counted */

/* What the server says passes in frames of HTTP/2 (RFC 9113 4.1), between which something can be
 * said in its place. */
static struct {
    uint8_t head[9];
    size_t head_len, left, frames; /* of the head and of the payload; frames that have passed */
} said;
static uint64_t asked_ms; /* when the client was asked to go, as others wait; 0: it was not */

static enum serial_level level_of(const number *n)
{
    return n->value == 0 ? SERIAL_LOW : n->value == 1 ? SERIAL_HIGH : SERIAL_AS_IT_IS;
}

/* ---- the line ------------------------------------------------------------------------------ */

static int open_line(void)
{
    const char *why = NULL;
    int fd = line_name[0] == '/' ? serial_line_open(line_name, (unsigned)baud.value, level_of(&dtr),
                                                    level_of(&rts), &why)
                                 : mote_posix_connect(line_name, CONNECT_MS);

    reopen_ms = mote_posix_now_ms() + RETRY_MS;
    if (fd < 0)
        line_fault = why ? why : mote_posix_error();
    return fd;
}

/* A device that was unplugged comes back. */
static void reopen_line(void)
{
    if (mote_posix_now_ms() < reopen_ms || (line = open_line()) < 0)
        return;
    fprintf(stderr, "mote-serial: the line is there again\n");
    serial = (mote_serial){.sync_ms = (uint16_t)sync_ms.value};
}

/* A line of what the board says beside its frames; noise has bytes that no text has. */
static void print_console(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (((uint8_t)*c < ' ' && *c != '\t' && *c != '\033') || *c == 0x7f)
            return;
    }
    print_line(stdout, "board: %s", text);
    fflush(stdout);
}

static void on_text(const uint8_t *text, size_t len)
{
    static char console[CONSOLE];
    static size_t console_len;

    for (size_t i = 0; i < len; i++) {
        bool ends = text[i] == '\n' || text[i] == '\r';
        if (!ends)
            console[console_len++] = (char)text[i];
        if (console_len == 0 || (!ends && console_len < CONSOLE - 1))
            continue;
        console[console_len] = '\0';
        print_console(console);
        console_len = 0;
    }
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
    asked_ms = 0;
    memset(&said, 0, sizeof said);
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
    else if (now_ms - peer_moved_ms >= idle_s.value * 1000)
        give_up("nothing has passed for a long time");
    else if (asked_ms > 0 && now_ms - asked_ms >= PATIENCE_MS)
        give_up("others wait for their turn");
}

/* A client has come: the next connection of the line is its. */
static void accept_peer(void)
{
    begin_peer(mote_posix_accept_one(listener, 0));
    if (peer >= 0)
        mote_serial_open(&serial);
    else /* no descriptor or memory for it now: not again at once */
        deaf_until_ms = mote_posix_now_ms() + RETRY_MS;
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

static void follow(const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t n = said.left < len ? said.left : len;
        said.left -= n;
        bytes += n;
        len -= n;
        if (said.left > 0 || len == 0)
            return;
        said.head[said.head_len++] = *bytes++;
        len--;
        if (said.head_len == sizeof said.head) {
            said.left = (size_t)said.head[0] << 16 | (size_t)said.head[1] << 8 | said.head[2];
            said.head_len = 0;
            said.frames++;
        }
    }
}

/* A client that has had its turn while others wait is asked to end its calls, and to come again. */
static void end_turn(uint64_t now_ms)
{
    static const uint8_t goaway[17] = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff};
    struct pollfd others = {.fd = listener, .events = POLLIN};

    if (listener < 0 || peer < 0 || asked_ms > 0 || now_ms - peer_begin_ms < turn_s.value * 1000 ||
        poll(&others, 1, 0) <= 0)
        return;
    if (said.frames == 0 || said.left > 0 ||
        said.head_len > 0) { /* it would be inside of a frame */
        if (now_ms - peer_begin_ms >= turn_s.value * 1000 + PATIENCE_MS)
            give_up("others wait for their turn");
        return;
    }
    asked_ms = now_ms;
    to_peer(goaway, sizeof goaway);
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
    else if (ev->type == MOTE_SERIAL_TEXT)
        on_text(ev->data, ev->len);
    else if (ev->type != MOTE_SERIAL_DATA)
        end_peer();
    else if (peer >= 0) {
        to_peer(ev->data, ev->len);
        follow(ev->data, ev->len);
    }
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

/* The line has ended: it may come again. */
static void lose_line(void)
{
    close(line);
    line = -1;
    end_peer();
    fprintf(stderr, "mote-serial: the line has ended\n");
}

/* False: nothing can be waited for. */
static bool turn(void)
{
    size_t len;
    bool idle = waiting_pos == waiting_len;
    short out = mote_serial_peek(&serial, &len) || !idle ? POLLOUT : 0;
    bool listens = line >= 0 && peer < 0 && mote_posix_now_ms() >= deaf_until_ms;
    struct pollfd p[] = {{.fd = line, .events = (short)(POLLIN | out)},
                         {.fd = idle ? peer : -1, .events = POLLIN},
                         {.fd = listens ? listener : -1, .events = POLLIN}};

    if (poll(p, 3, serial.sync_ms < RETRY_MS ? serial.sync_ms : RETRY_MS) < 0)
        return errno == EINTR;
    if (line < 0) {
        reopen_line();
        return true;
    }
    mote_serial_tick(&serial, mote_posix_now_ms());
    time_out_peer(mote_posix_now_ms());
    end_turn(mote_posix_now_ms());
    if ((p[0].revents & ~POLLOUT) && !read_line()) {
        lose_line();
        return true;
    }
    if (p[1].revents && peer == p[1].fd && peer >= 0)
        read_peer();
    if (p[2].revents && peer < 0)
        accept_peer();
    if (!write_line())
        lose_line();
    return true;
}

/* Ends the program when one is not in its range. */
static void read_number(number *n)
{
    char *end;

    if (!n->text)
        return;
    n->value = strtoul(n->text, &end, 10);
    if (*n->text < '0' || *n->text > '9' || *end != '\0' || n->value < n->least ||
        n->value > n->most) {
        fprintf(stderr, "mote-serial: error: %s=%s is not %lu to %lu\n", n->name, n->text, n->least,
                n->most);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    const char *listen = NULL;
    char address[128];
    const option options[] = {
        OPTION("--line", &line_name, "/dev/..., HOST:PORT or unix:/path"),
        OPTION("--baud", &baud.text, "of a serial device (115200)"),
        OPTION("--dtr", &dtr.text, "0 or 1: the level of DTR (as the system leaves it)"),
        OPTION("--rts", &rts.text, "0 or 1: the level of RTS"),
        OPTION("--listen", &listen, "where gRPC clients connect"),
        OPTION("--dial", &dial, "the gRPC server that the device calls"),
        OPTION("--idle", &idle_s.text, "s without a byte that end a connection (300)"),
        OPTION("--turn", &turn_s.text, "s after which a client makes room for one that waits (5)"),
        OPTION("--sync", &sync_ms.text, "ms of silence after which a lost frame is noticed (500)"),
        OPTIONS_END};

    keep_standard_descriptors();
    parse_options(argc, argv, "mote-serial: brings gRPC programs to a device on a serial line",
                  options);
    if (!line_name || !listen == !dial) {
        fprintf(stderr, "mote-serial: error: --line, and either --listen or --dial (see --help)\n");
        return 2;
    }
    number *const numbers[] = {&baud, &sync_ms, &idle_s, &turn_s, &dtr, &rts};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        read_number(numbers[i]);
    mote_posix_catch_signals();
    serial.sync_ms = (uint16_t)sync_ms.value;
    line = open_line();
    listener = listen ? mote_posix_listen(listen) : -1;
    if (line < 0 || (listen && listener < 0)) {
        fprintf(stderr, "mote-serial: error: %s%s%s\n", line < 0 ? line_name : "",
                line < 0 ? ": " : "", line < 0 ? line_fault : mote_posix_error());
        return 1;
    }
    if (listen) {
        printf("listening on %s\n", mote_posix_address(listener, address));
        fflush(stdout);
    }
    while (!mote_posix_stopped && turn())
        ;
    return mote_posix_stopped ? 0 : 1;
}
