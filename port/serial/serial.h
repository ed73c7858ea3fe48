/*
 * serial: connections over a line that has none, such as a UART, where bytes are lost, doubled and
 * changed, and texts pass between them. Bytes of HTTP/2 travel in frames with a checksum and a
 * number: a frame that noise has touched never reaches the engine; that it is missing is noticed by
 * the next number, ends the connection and is told to both ends, and the client connects again.
 * What is in no frame, such as a boot log, ends nothing: it is a text. No I/O, no heap. Both ends
 * of a line use it: the device, and build/mote-serial for ordinary gRPC programs.
 *
 * A frame is: kind, connection, number, up to 64 bytes, CRC-32 (that of Ethernet, least significant
 * byte first); with its zeros stuffed (COBS: consistent overhead byte stuffing), and a zero in
 * front of it and behind it: wherever one begins to listen, the next frame is understood. Kinds: 0
 * BEGIN, by the client, with a number for the connection; 1 DATA, numbered from 0 in each
 * direction; 2 SYNC, after a silence, with the number of the next DATA; 3 RESET, the connection is
 * over. DATA and SYNC of a connection that is not known are answered with RESET.
 */
#ifndef MOTE_SERIAL_H
#define MOTE_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes in a frame, the longest frame on the line, and the silence that SYNC breaks, in ms. */
enum {
    MOTE_SERIAL_PAYLOAD = 64,
    MOTE_SERIAL_FRAME = MOTE_SERIAL_PAYLOAD + 9,
    MOTE_SERIAL_SYNC_MS = 500
};

/*
 * The connection of an end of a line.
 *
 *   CLOSED -- mote_serial_open() --> BEGINNING -- BEGIN is written --> OPEN
 *   any    -- BEGIN received ----------------------------------------> OPEN
 *   any    -- mote_serial_close(), RESET received, noise ------------> CLOSED
 */
enum mote_serial_state { MOTE_SERIAL_CLOSED, MOTE_SERIAL_BEGINNING, MOTE_SERIAL_OPEN };

/* What is said as soon as the line is free, before anything else: SYNC in an open connection. */
enum mote_serial_owed { MOTE_SERIAL_OWES_NOTHING, MOTE_SERIAL_OWES_SYNC, MOTE_SERIAL_OWES_RESET };

/* An end of a line. Begins as zero, which is an end without a connection; but for the first, the
 * members are not for the user. */
typedef struct {
    uint16_t sync_ms; /* for the user: a silence that is broken; 0: MOTE_SERIAL_SYNC_MS */
    uint8_t in[MOTE_SERIAL_FRAME], out[1 + MOTE_SERIAL_FRAME];
    uint8_t in_len, out_len, out_pos;
    uint8_t connection;     /* its number */
    uint8_t sent, received; /* DATA frames, modulo 256 */
    uint8_t reset;          /* the connection whose RESET is owed, which may be another one */
    enum mote_serial_state state;
    enum mote_serial_owed owed;
    uint64_t said_ms; /* when the last frame left */
} mote_serial;

enum mote_serial_event_type {
    MOTE_SERIAL_BEGINS = 1, /* the other end has begun a connection; what was open is over */
    MOTE_SERIAL_DATA,       /* data, len */
    MOTE_SERIAL_ENDS,       /* the connection is over: the other end has left, or there was noise */
    MOTE_SERIAL_TEXT        /* data, len: bytes in no frame, in pieces, and what noise has broken */
};

typedef struct {
    enum mote_serial_event_type type;
    const uint8_t *data;
    size_t len;
} mote_serial_event;

/* The client's end begins a connection, in place of one that is open. */
void mote_serial_open(mote_serial *s);

/* Leaves the connection, if there is one. */
void mote_serial_close(mote_serial *s);

/* True while a connection is open. */
bool mote_serial_is_open(const mote_serial *s);

/* Takes bytes from the line: *in and *len move on. True: *ev is filled, and its view valid until
 * the next call; false: the input is used up. */
bool mote_serial_receive(mote_serial *s, const uint8_t **in, size_t *len, mote_serial_event *ev);

/* Takes bytes of the connection, as many as fit the next frame; how many: 0 while one waits to be
 * written, and without a connection. */
size_t mote_serial_send(mote_serial *s, const uint8_t *data, size_t len);

/* Bytes for the line, as mote_h2_peek() and mote_h2_ack(). */
const uint8_t *mote_serial_peek(mote_serial *s, size_t *len);
void mote_serial_ack(mote_serial *s, size_t len);

/* Takes the time, in ms: after a silence the other end is told how far this one is, so that a frame
 * which was lost as a whole is noticed. */
void mote_serial_tick(mote_serial *s, uint64_t now_ms);

#ifdef __cplusplus
}
#endif
#endif
