/* A modem of tests/peers/modem.h at the other end of a serial line: a process with a pseudo
 * terminal on one side and TCP on the other. */
#ifndef TESTS_PEERS_MODEM_LINE_H
#define TESTS_PEERS_MODEM_LINE_H

#include "../../grpc/channel/channel.h"

/* Starts it: this side of the line, or -1. It ends when that is closed. */
int modem_line_open(bool quectel);

/* The line as a transport. *fd must stay where it is. */
mote_io modem_line_io(int *fd);

#endif
