/*
 * serial: HTTP/2 over a line that has neither connections nor ends, as a UART. A new connection
 * begins where the client's preface (RFC 9113 3.4) is seen, whatever was going on before; what
 * comes before the first one is noise. Both ends of a line use it: a device that serves, and the
 * bridge for one that dials.
 *
 * A payload that holds the 24 bytes of the preface restarts the connection, and harms nobody else.
 */
#ifndef MOTE_SERIAL_H
#define MOTE_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The preface, and the silence after which a beginning of it was just data. */
enum { MOTE_SERIAL_PREFACE = 24, MOTE_SERIAL_IDLE_MS = 20 };
extern const uint8_t mote_serial_preface[MOTE_SERIAL_PREFACE];

/* Begins as zero. */
typedef struct {
    uint8_t held; /* bytes of input that may be the beginning of a preface */
} mote_serial_sync;

/* A piece of input: bytes of the connection at hand; or a new one begins, with mote_serial_preface.
 */
typedef struct {
    const uint8_t *data;
    size_t len;
    bool begins;
} mote_serial_piece;

/* Takes the next piece from *in, which moves on. False: the input is used up. */
bool mote_serial_next(mote_serial_sync *sync, const uint8_t **in, size_t *len,
                      mote_serial_piece *piece);

/* The line was silent for MOTE_SERIAL_IDLE_MS: what was held back. False: nothing was. */
bool mote_serial_idle(mote_serial_sync *sync, mote_serial_piece *piece);

#ifdef __cplusplus
}
#endif
#endif
