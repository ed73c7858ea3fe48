/*
 * rpc: a status with details (google.rpc.Status), beside the code and the text that every call ends
 * with: why, for programs; what is wrong with which field; when to try again. Both sides need it,
 * and it costs nothing unless it is linked.
 *
 *     mote_rpc_Duration second = {.seconds = 1};                          a server, in a handler
 *     mote_rpc_RetryInfo wait = {.retry_delay = &second};
 *     uint8_t packed[16], scratch[256];
 *     mote_rpc_Any detail;
 *     mote_rpc_pack(&detail, MOTE_RPC_URL(RetryInfo), &mote_rpc_RetryInfo_encoder, &wait, packed,
 * sizeof packed); mote_rpc_Status status = {MOTE_GRPC_UNAVAILABLE, MOTE_PB_STRING("busy"),
 * {&detail, 1}}; return mote_rpc_finish(call, &status, scratch, sizeof scratch);
 *
 *     if (mote_rpc_read(&ev, &status, scratch, sizeof scratch, &arena) > 0) {        a client, with
 *         const mote_rpc_Any *detail = mote_rpc_find(&status, MOTE_RPC_URL(RetryInfo));  its
 * metadata if (detail) r = mote_rpc_RetryInfo_decode(&wait, detail->value.data, detail->value.len,
 * &arena);
 *     }
 *
 * Conventions: see grpc/grpc.h.
 */
#ifndef MOTE_RPC_H
#define MOTE_RPC_H

#include "../grpc.h"
#include "rpc.mote.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The type_url of a message of rpc.proto: MOTE_RPC_URL(RetryInfo). */
#define MOTE_RPC_URL(name) "type.googleapis.com/google.rpc." #name

/* Encodes a detail into `out`, which must stay as long as *any does, and its type_url, too. 0, or
 * an error as of mote_pb_encode(). */
int mote_rpc_pack(mote_rpc_Any *any, const char *type_url, const mote_pb_encoder *encoder,
                  const void *detail, uint8_t *out, size_t cap);

/* The first detail of a type, by the name of its message, which is behind the last '/'; NULL: there
 * is none. */
const mote_rpc_Any *mote_rpc_find(const mote_rpc_Status *status, const char *type_url);

/* Ends a call with the code and the text of the status, and all of it in grpc-status-details-bin.
 * `scratch` is for the call alone: it needs 7/3 of the bytes of the status. 0, MOTE_AGAIN;
 * MOTE_GRPC_ERR_SPACE: it is smaller; or an error as of mote_pb_encode() or mote_grpc_finish(). */
int mote_rpc_finish(mote_grpc_call *call, const mote_rpc_Status *status, uint8_t *scratch,
                    size_t size);

/* Of an event of a client: 1: it is the details, and *status is what they say, in views into
 * `bytes` and the arena; 0: it is anything else; MOTE_GRPC_ERR_SPACE: they are larger than `bytes`;
 * MOTE_GRPC_ERR_BASE64; or an error as of mote_pb_decode(). The call has ended as its status event
 * says, whatever the details do. */
int mote_rpc_read(const mote_grpc_event *ev, mote_rpc_Status *status, uint8_t *bytes, size_t cap,
                  mote_pb_arena *arena);

#ifdef __cplusplus
}
#endif
#endif
