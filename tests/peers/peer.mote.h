/* Messages of peer.proto. */
#ifndef PEER_MOTE_H
#define PEER_MOTE_H

#include "../../grpc/channel/channel.h"
#include "../../pb/pb.h"

typedef struct {
    uint32_t size;
    uint32_t count;
    uint32_t code;
    mote_pb_string message;
    mote_pb_bytes payload;
} peer_Request;

typedef struct {
    uint32_t index;
    mote_pb_bytes payload;
} peer_Response;

static const mote_pb_field peer_request_fields[] = {
    {MOTE_PB_KEY(1, 0), offsetof(peer_Request, size), MOTE_PB_UINT32, 0},
    {MOTE_PB_KEY(2, 0), offsetof(peer_Request, count), MOTE_PB_UINT32, 0},
    {MOTE_PB_KEY(3, 0), offsetof(peer_Request, code), MOTE_PB_UINT32, 0},
    {MOTE_PB_KEY(4, 2), offsetof(peer_Request, message), MOTE_PB_TEXT, 0},
    {MOTE_PB_KEY(5, 2), offsetof(peer_Request, payload), MOTE_PB_BYTES, 0},
};
static const mote_pb_message peer_request_table = {peer_request_fields, NULL, 5,
                                                   sizeof(peer_Request)};
static const mote_pb_encoder peer_request_encoder = MOTE_PB_ENCODER(&peer_request_table);
static const mote_pb_decoder peer_request_decoder = MOTE_PB_DECODER(&peer_request_table);

static const mote_pb_field peer_response_fields[] = {
    {MOTE_PB_KEY(1, 0), offsetof(peer_Response, index), MOTE_PB_UINT32, 0},
    {MOTE_PB_KEY(2, 2), offsetof(peer_Response, payload), MOTE_PB_BYTES, 0},
};
static const mote_pb_message peer_response_table = {peer_response_fields, NULL, 2,
                                                    sizeof(peer_Response)};
static const mote_pb_encoder peer_response_encoder = MOTE_PB_ENCODER(&peer_response_table);
static const mote_pb_decoder peer_response_decoder = MOTE_PB_DECODER(&peer_response_table);

#endif
