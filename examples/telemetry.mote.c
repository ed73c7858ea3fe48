/* Tables of telemetry.proto. */
#include "telemetry.mote.h"

#define FIELD(Message, number, wire, member, type)                                                 \
    {                                                                                              \
        MOTE_PB_KEY(number, wire), offsetof(mote_telemetry_##Message, member), type, 0             \
    }

static const mote_pb_field sample_fields[] = {
    FIELD(Sample, 1, 0, sequence, MOTE_PB_UINT64),
    FIELD(Sample, 2, 0, time_ms, MOTE_PB_INT64),
    FIELD(Sample, 3, 2, metric, MOTE_PB_TEXT),
    FIELD(Sample, 4, 1, value, MOTE_PB_DOUBLE),
};
const mote_pb_message mote_telemetry_Sample_table = {sample_fields, NULL, 4,
                                                     sizeof(mote_telemetry_Sample)};

static const mote_pb_field summary_fields[] = {
    FIELD(UploadSummary, 1, 0, received, MOTE_PB_UINT64),
};
const mote_pb_message mote_telemetry_UploadSummary_table = {summary_fields, NULL, 1,
                                                            sizeof(mote_telemetry_UploadSummary)};

static const mote_pb_field report_fields[] = {
    FIELD(Report, 1, 2, device, MOTE_PB_TEXT),
    FIELD(Report, 2, 0, dropped, MOTE_PB_UINT64),
};
const mote_pb_message mote_telemetry_Report_table = {report_fields, NULL, 2,
                                                     sizeof(mote_telemetry_Report)};

#define MEMBER(number, type)                                                                       \
    {                                                                                              \
        MOTE_PB_KEY(number, 0), offsetof(mote_telemetry_Command, is.is), type | MOTE_PB_ONEOF,     \
            MOTE_PB_ONEOF_GAP(mote_telemetry_Command, is)                                          \
    }

static const mote_pb_field command_fields[] = {
    MEMBER(1, MOTE_PB_UINT64),
    MEMBER(2, MOTE_PB_UINT32),
};
const mote_pb_message mote_telemetry_Command_table = {command_fields, NULL, 2,
                                                      sizeof(mote_telemetry_Command)};

const mote_hpack_field mote_telemetry_Telemetry_Upload_path =
    MOTE_HPACK_FIELD(":path", "/mote.telemetry.Telemetry/Upload");
const mote_hpack_field mote_telemetry_Telemetry_Control_path =
    MOTE_HPACK_FIELD(":path", "/mote.telemetry.Telemetry/Control");
