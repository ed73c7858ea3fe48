#ifndef MOTE_GRPC_CODEC_INTERNAL_H
#define MOTE_GRPC_CODEC_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/* DEFLATE (RFC 1951). Both return 0, MOTE_GRPC_ERR_SPACE or MOTE_GRPC_ERR_CODEC. */

/* *used is set to the bytes of the compressed data, *n to those that were written. What was written
 * is the window. */
int mote_grpc_inflate(const uint8_t *in, size_t len, size_t *used, uint8_t *out, size_t cap,
                      size_t *n);

/* Fixed codes, or stored where that is shorter. */
int mote_grpc_deflate_bytes(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n);

#endif
