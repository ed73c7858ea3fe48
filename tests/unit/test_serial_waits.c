/* The matrix of all waits on a serial line: its frames, both ends, and bytes that come in any
 * pieces. */
#include "../../port/serial/serial.h"
#include "waits_matrix.h"

static mote_io script; /* the server behind the line */
static mote_serial near, far;
static uint8_t arrived[MOTE_SERIAL_PAYLOAD];
static size_t arrived_len, arrived_at;
static size_t piece; /* the most bytes of the line that come at once */

/* What one end has to say, up to `most` bytes of the line, to the other: what the server gets is
 * heard, and what the client gets waits. */
static void carry(mote_serial *from, mote_serial *to, void *context)
{
    mote_serial_event ev;
    const uint8_t *out;
    size_t len;

    while ((out = mote_serial_peek(from, &len))) {
        len = len < piece ? len : piece;
        const uint8_t *in = out;
        size_t left = len;
        while (mote_serial_receive(to, &in, &left, &ev)) {
            if (ev.type != MOTE_SERIAL_DATA)
                continue;
            if (to == &far) {
                CHECK_INT(script.write(context, ev.data, ev.len), ev.len);
            } else {
                memcpy(arrived, ev.data, ev.len);
                arrived_len = ev.len;
                arrived_at = 0;
            }
        }
        mote_serial_ack(from, len);
    }
}

static int line_dial(void *context, uint64_t until_ms)
{
    int r = script.connect(context, until_ms);

    arrived_len = arrived_at = 0;
    if (r == 0)
        mote_serial_open(&near);
    carry(&near, &far, context);
    return r;
}

static int line_write(void *context, const uint8_t *buf, size_t len)
{
    size_t n = mote_serial_send(&near, buf, len);

    if (server != NO_ROOM || heard_len == 0)
        carry(&near, &far, context);
    return (int)n;
}

static int line_read(void *context, uint8_t *buf, size_t cap)
{
    uint8_t plain[MOTE_SERIAL_PAYLOAD];

    if (server != NO_ROOM || heard_len == 0)
        carry(&near, &far, context);
    if (arrived_at == arrived_len) {
        int n = script.read(context, plain, sizeof plain);
        if (n <= 0)
            return n;
        CHECK_INT(mote_serial_send(&far, plain, (size_t)n), n);
        carry(&far, &near, context);
    }
    size_t len = arrived_len - arrived_at < cap ? arrived_len - arrived_at : cap;
    memcpy(buf, arrived + arrived_at, len);
    arrived_at += len;
    return (int)len;
}

static mote_io on_a_line(mote_io plain)
{
    mote_io io = plain;

    script = plain;
    io.read = line_read;
    io.write = line_write;
    io.connect = line_dial;
    memset(&near, 0, sizeof near);
    memset(&far, 0, sizeof far);
    return io;
}

static void every_wait_on_a_line_ends_at_the_deadline(void)
{
    piece = MOTE_SERIAL_FRAME;
    every_wait_ends_at_the_deadline();
    piece = 1;
    every = 7;
    every_wait_ends_at_the_deadline();
}

int main(void)
{
    layer = on_a_line;
    RUN(every_wait_on_a_line_ends_at_the_deadline);
    piece = MOTE_SERIAL_FRAME;
    RUN(a_byte_at_a_time_is_an_answer_or_too_slow);
    RUN(a_server_that_never_stops_talking_keeps_nobody);
    RUN(what_returns_has_left);
    RUN(without_time_what_is_there_is_read);
    RUN(an_answer_that_was_there_in_time_is_taken);
    return test_summary();
}
