/* The matrix of all waits of a server at the end of a serial line: its frames, and bytes that come
 * in any pieces. */
#include "../../port/serial/serial.h"
#include "served_matrix.h"

static mote_serial near, far; /* the client's end, and the server's */
static size_t piece;          /* the most bytes of the line that come at once */

/* What one end has to say, up to `piece` bytes of the line at a time, to the other. */
static void carry(mote_serial *from, mote_serial *to)
{
    mote_serial_event ev;
    const uint8_t *out;
    size_t len;

    while ((out = mote_serial_peek(from, &len))) {
        len = len < piece ? len : piece;
        const uint8_t *in = out;
        size_t left = len;
        while (mote_serial_receive(to, &in, &left, &ev)) {
            if (ev.type == MOTE_SERIAL_DATA && to == &far)
                run_engine(ev.data, ev.len);
            else if (ev.type == MOTE_SERIAL_DATA)
                hear(ev.data, ev.len);
        }
        mote_serial_ack(from, len);
    }
}

static void line_open(void)
{
    memset(&near, 0, sizeof near);
    memset(&far, 0, sizeof far);
    mote_serial_open(&near);
    plain_open();
    carry(&near, &far);
    carry(&far, &near);
}

static void line_to(const uint8_t *bytes, size_t len)
{
    for (size_t n; len > 0; bytes += n, len -= n) {
        n = mote_serial_send(&near, bytes, len);
        carry(&near, &far);
        carry(&far, &near); /* it is acknowledged */
        CHECK(n > 0);
        if (n == 0)
            return;
    }
}

static void line_from(void)
{
    const uint8_t *out;
    size_t len;

    while ((out = engine->peek(self, &len)) && (len = mote_serial_send(&far, out, len)) > 0) {
        engine->ack(self, len);
        carry(&far, &near);
        carry(&near, &far);
        run_engine(NULL, 0);
    }
}

static void every_wait_on_a_line_ends(void)
{
    piece = MOTE_SERIAL_FRAME;
    every_wait_of_a_server_ends();
    bool ok = test_ok;
    piece = 1;
    every_wait_of_a_server_ends();
    test_ok = test_ok && ok;
}

int main(void)
{
    layer = (link_layer){line_open, line_to, line_from};
    RUN(every_wait_on_a_line_ends);
    return test_summary();
}
