/* What the programs here do with the board's line: an engine's output leaves in frames. */
#ifndef LINE_H
#define LINE_H

#include "../../grpc/grpc.h"
#include "../../port/cortex-m/board.h"
#include "../../port/serial/serial.h"

/* What the program takes: a text between frames, which ends by a zero as those do. */
static inline void line_report(const char *program)
{
    board_report(program);
    board_write((const uint8_t *)"", 1);
}

/* A few bytes: then it is time to listen again, for a UART keeps hardly more than one. */
static inline void line_write_some(mote_serial *line, mote_grpc *grpc)
{
    size_t len;
    const uint8_t *out = mote_grpc_peek(grpc, &len);

    if (out)
        mote_grpc_ack(grpc, mote_serial_send(line, out, len));
    if ((out = mote_serial_peek(line, &len))) {
        len = len < 16 ? len : 16;
        board_write(out, len);
        mote_serial_ack(line, len);
    }
}

#endif
