/* What the programs under test of the gRPC conformance suite share. They are host programs, which
 * allocate. */
#ifndef INTEROP_CONFORMANCE_H
#define INTEROP_CONFORMANCE_H

#include "../../port/posix/posix.h"
#include "conformance.mote.h"
#include "rpc_status.mote.h"
#include "../../port/posix/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory that never runs out quietly. */
void *get_memory(size_t size);

/* Messages of standard input and output: 4 bytes of length, big-endian, and the message. */
bool read_message(const mote_pb_decoder *type, void *message); /* false: the input has ended */
void write_message(const mote_pb_encoder *type, const void *message);

/* Decodes a copy of the bytes, which lives on. False: it cannot be decoded. */
bool decode_copy(const mote_pb_decoder *type, void *message, const uint8_t *in, size_t len);

/* Fields of metadata, gathered by name. */
typedef struct {
    connectrpc_conformance_v1_Header *items;
    size_t count;
} headers;
void headers_add(headers *h, const mote_grpc_event *ev);

/* TLS from certificates in PEM; NULL on error. */
mote_tls_context *make_context(bool server, mote_pb_bytes ca, mote_pb_bytes cert,
                               mote_pb_bytes key);

/* As many fields as there are values. The array is allocated. */
size_t to_metadata(const connectrpc_conformance_v1_Header *items, size_t count, size_t more,
                   mote_grpc_metadata **out);

#endif
