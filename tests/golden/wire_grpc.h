/* The parts of the engine of gRPC under a script: see wire_grpc.c. */
#ifndef WIRE_GRPC_H
#define WIRE_GRPC_H

#include "../../grpc/codec/codec.h"
#include "../../grpc/life.h"
#include "../../pb/pb.h"
#include "wire.h"

/* ---- the words of a line as arguments (wire_arguments.c) ------------------------------------- */

enum { WIRE_METADATA = 16 };

/* The words NAME=VALUE from the third on, WIRE_METADATA at the most; how many. */
size_t wire_metadata_of(const wire_line *l, mote_grpc_metadata *m);
/* A field of that text, which stays: the encoder recognises it by its address. */
const mote_hpack_field *wire_path_of(const char *text);
/* The word without a key; none: no bytes. */
mote_grpc_bytes wire_bytes_of(const wire_line *l);
/* Bytes; with the word zeros, fails or fails_late one that does so. */
const mote_grpc_source *wire_source_of(const wire_line *l);

/* ---- services (wire_services.c) -------------------------------------------------------------- */

enum { WIRE_SERVICES = 5 };
extern const mote_grpc_service wire_services[WIRE_SERVICES];

/* As they are at first; `many`: more entries, services and files than are told of; `of_ring`:
 * files, each of which imports all around it. */
void wire_set_services(bool many, bool of_ring);
/* A line NAME STATUS. */
void wire_set_health(const wire_line *l);

/* Of t.T: returns what the script says. */
int wire_handler(mote_grpc_call *call, const mote_grpc_event *ev);

#endif
