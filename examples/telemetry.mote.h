/* Messages and calls of telemetry.proto. */
#ifndef TELEMETRY_MOTE_H
#define TELEMETRY_MOTE_H

#include "../grpc/grpc.h"
#include "../pb/pb.h"

/* One reading of a device. Sequence numbers start at 1 and have no gaps unless samples were
 * dropped on the device. */
typedef struct {
    uint64_t sequence;
    int64_t time_ms;
    mote_pb_string metric;
    double value;
} mote_telemetry_Sample;

typedef struct {
    uint64_t received;
} mote_telemetry_UploadSummary;

/* Opens the control stream of a device, and reports what it had to drop. */
typedef struct {
    mote_pb_string device;
    uint64_t dropped;
} mote_telemetry_Report;

enum { mote_telemetry_Command_acknowledged = 1, mote_telemetry_Command_interval_ms = 2 };

typedef struct {
    struct {
        uint32_t which;
        union {
            uint64_t acknowledged; /* all samples up to this one are stored */
            uint32_t interval_ms;  /* take readings this often */
        } is;
    } is;
} mote_telemetry_Command;

extern const mote_pb_message mote_telemetry_Sample_table;
extern const mote_pb_message mote_telemetry_UploadSummary_table;
extern const mote_pb_message mote_telemetry_Report_table;
extern const mote_pb_message mote_telemetry_Command_table;

extern const mote_hpack_field mote_telemetry_Telemetry_Upload_path;
extern const mote_hpack_field mote_telemetry_Telemetry_Control_path;

#define MOTE_TELEMETRY_CODEC(Name)                                                                 \
    static inline int mote_telemetry_##Name##_send(mote_grpc_call *call,                           \
                                                   const mote_telemetry_##Name *m)                 \
    {                                                                                              \
        return mote_grpc_send(call, mote_pb_encode_part, &mote_telemetry_##Name##_table, m, 0);    \
    }                                                                                              \
    static inline int mote_telemetry_##Name##_decode(mote_telemetry_##Name *m,                     \
                                                     const uint8_t *data, size_t len)              \
    {                                                                                              \
        return mote_pb_decode(&mote_telemetry_##Name##_table, m, data, len, NULL, NULL);           \
    }
MOTE_TELEMETRY_CODEC(Sample)
MOTE_TELEMETRY_CODEC(UploadSummary)
MOTE_TELEMETRY_CODEC(Report)
MOTE_TELEMETRY_CODEC(Command)
#undef MOTE_TELEMETRY_CODEC

#endif
