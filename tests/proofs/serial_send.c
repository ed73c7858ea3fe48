/*
 * proves: mote_serial_send, mote_serial_peek, mote_serial_ack, mote_serial_tick, mote_serial_open,
 *   mote_serial_close, put_frame of port/serial/serial.c
 *
 * unwind: 5
 *
 * loops: put_frame.0:68,put_frame.1:5,put_frame.2:73
 *
 * By induction: from any state that is_valid() permits, each call leaves such a state, and what is
 * offered lies in the buffer, and ends with a zero that is its only one but for the first. M: up to
 * 66 bytes to send, two more than a frame takes.
 */
#include "proof.h"

#include "../../port/serial/serial.c"

enum { M = MOTE_SERIAL_PAYLOAD + 2 };

static bool is_valid(const mote_serial *s)
{
    return s->in_len <= sizeof s->in && s->out_len <= sizeof s->out && s->out_pos <= s->out_len &&
           s->state <= MOTE_SERIAL_OPEN && s->owed <= MOTE_SERIAL_OWES_RESET;
}

int main(void)
{
    mote_serial *s = any_bytes(sizeof *s);
    size_t len = any_size(M), left;

    ASSUME(is_valid(s));
    switch (nondet_uint8_t()) {
    case 0: {
        uint8_t *data = any_bytes(len);
        size_t taken = mote_serial_send(s, data, len);
        SHOW(taken <= len && taken <= MOTE_SERIAL_PAYLOAD);
        break;
    }
    case 1: {
        const uint8_t *out = mote_serial_peek(s, &left);
        SHOW(left <= sizeof s->out && (out != NULL) == (left > 0));
        SHOW(!out || (out >= s->out && (size_t)(out - s->out) + left <= sizeof s->out));
        break;
    }
    case 2:
        ASSUME(len <= (size_t)s->out_len - s->out_pos);
        mote_serial_ack(s, len);
        break;
    case 3:
        mote_serial_tick(s, nondet_uint64_t());
        break;
    case 4:
        mote_serial_open(s);
        SHOW(mote_serial_is_open(s));
        break;
    default:
        mote_serial_close(s);
        SHOW(!mote_serial_is_open(s));
    }
    SHOW(is_valid(s));
    return 0;
}
