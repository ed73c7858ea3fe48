/* A serial device of this machine, and its settings. */
#ifndef SERIAL_LINE_H
#define SERIAL_LINE_H

/* The level of a modem line. */
enum serial_level { SERIAL_AS_IT_IS, SERIAL_LOW, SERIAL_HIGH };

/*
 * Opens a device for this program alone, and sets all that it depends on, whatever earlier programs
 * have left: 8 bits, no parity, one stop bit, no flow control by lines or by bytes, any rate that
 * the driver can do, DTR and RTS. The descriptor does not block; -1: `why` says what failed.
 *
 * Linux raises both lines when a device is opened for the first time, and boards that are reset by
 * these lines (Arduino, ESP32) then start anew. They do not when it is opened again: HUPCL is
 * cleared, so the lines stay as they are when a program ends.
 */
int serial_line_open(const char *name, unsigned baud, enum serial_level dtr, enum serial_level rts,
                     const char **why);

#endif
