/* Messages and calls of tour.proto. */
#ifndef TOUR_MOTE_H
#define TOUR_MOTE_H

#include "../grpc/grpc.h"
#include "../pb/pb.h"

/* A message of somebody on a topic. */
typedef struct {
    mote_pb_string topic;
    mote_pb_string content;
    int64_t time_ms;
    mote_pb_string sender;
} mote_tour_Note;

typedef struct {
    mote_pb_string topic;
    uint32_t maximum;
} mote_tour_Query;

typedef struct {
    uint32_t count;
} mote_tour_Summary;

extern const mote_pb_message mote_tour_Note_table;
extern const mote_pb_message mote_tour_Query_table;
extern const mote_pb_message mote_tour_Summary_table;

extern const mote_hpack_field mote_tour_Tour_Latest_path;
extern const mote_hpack_field mote_tour_Tour_Subscribe_path;
extern const mote_hpack_field mote_tour_Tour_Publish_path;
extern const mote_hpack_field mote_tour_Tour_Chat_path;

/* Encode and decode: 0, MOTE_AGAIN or an error of grpc and pb. */
static inline int mote_tour_Note_send(mote_grpc_call *call, const mote_tour_Note *m)
{
    return mote_grpc_send(call, mote_pb_encode_part, &mote_tour_Note_table, m, 0);
}

static inline int mote_tour_Summary_send(mote_grpc_call *call, const mote_tour_Summary *m)
{
    return mote_grpc_send(call, mote_pb_encode_part, &mote_tour_Summary_table, m, 0);
}

static inline int mote_tour_Note_decode(mote_tour_Note *m, const uint8_t *data, size_t len)
{
    return mote_pb_decode(&mote_tour_Note_table, m, data, len, NULL, NULL);
}

static inline int mote_tour_Query_decode(mote_tour_Query *m, const uint8_t *data, size_t len)
{
    return mote_pb_decode(&mote_tour_Query_table, m, data, len, NULL, NULL);
}

static inline int mote_tour_Summary_decode(mote_tour_Summary *m, const uint8_t *data, size_t len)
{
    return mote_pb_decode(&mote_tour_Summary_table, m, data, len, NULL, NULL);
}

#endif
