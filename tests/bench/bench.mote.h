/* Messages of bench.proto. */
#ifndef BENCH_MOTE_H
#define BENCH_MOTE_H

#include "../../grpc/channel/channel.h"
#include "../../pb/pb.h"

typedef struct {
    int64_t time_ms;
    double value;
    float error;
    uint32_t sequence;
    mote_pb_string name;
} bench_Sample;

typedef struct {
    uint32_t count;
} bench_Query;

typedef struct {
    uint32_t count;
    uint64_t sum;
} bench_Summary;

static const mote_pb_field bench_sample_fields[] = {
    {MOTE_PB_KEY(1, 0), offsetof(bench_Sample, time_ms), MOTE_PB_INT64, 0},
    {MOTE_PB_KEY(2, 1), offsetof(bench_Sample, value), MOTE_PB_DOUBLE, 0},
    {MOTE_PB_KEY(3, 5), offsetof(bench_Sample, error), MOTE_PB_FLOAT, 0},
    {MOTE_PB_KEY(4, 0), offsetof(bench_Sample, sequence), MOTE_PB_UINT32, 0},
    {MOTE_PB_KEY(5, 2), offsetof(bench_Sample, name), MOTE_PB_TEXT, 0},
};
static const mote_pb_message bench_sample_table = {bench_sample_fields, NULL, 5,
                                                   sizeof(bench_Sample)};
static const mote_pb_encoder bench_sample_encoder = MOTE_PB_ENCODER(&bench_sample_table);
static const mote_pb_decoder bench_sample_decoder = MOTE_PB_DECODER(&bench_sample_table);

static const mote_pb_field bench_query_fields[] = {
    {MOTE_PB_KEY(1, 0), offsetof(bench_Query, count), MOTE_PB_UINT32, 0},
};
static const mote_pb_message bench_query_table = {bench_query_fields, NULL, 1, sizeof(bench_Query)};
static const mote_pb_encoder bench_query_encoder = MOTE_PB_ENCODER(&bench_query_table);
static const mote_pb_decoder bench_query_decoder = MOTE_PB_DECODER(&bench_query_table);

static const mote_pb_field bench_summary_fields[] = {
    {MOTE_PB_KEY(1, 0), offsetof(bench_Summary, count), MOTE_PB_UINT32, 0},
    {MOTE_PB_KEY(2, 0), offsetof(bench_Summary, sum), MOTE_PB_UINT64, 0},
};
static const mote_pb_message bench_summary_table = {bench_summary_fields, NULL, 2,
                                                    sizeof(bench_Summary)};
static const mote_pb_encoder bench_summary_encoder = MOTE_PB_ENCODER(&bench_summary_table);
static const mote_pb_decoder bench_summary_decoder = MOTE_PB_DECODER(&bench_summary_table);

#endif
