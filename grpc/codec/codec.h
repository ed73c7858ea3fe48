/*
 * codec: compressions of messages for mote_grpc_config.codecs. Who does not link them pays nothing.
 */
#ifndef MOTE_CODEC_H
#define MOTE_CODEC_H

#include "../grpc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gzip (RFC 1952) and deflate (the zlib format, RFC 1950); both in a mote_grpc_codecs. The inflater
 * needs no window and 1.6 KiB of stack, the deflater 1.1 KiB. */
extern const mote_grpc_codec mote_grpc_gzip, mote_grpc_deflate;
extern const mote_grpc_codecs mote_grpc_zlib;

#ifdef __cplusplus
}
#endif
#endif
