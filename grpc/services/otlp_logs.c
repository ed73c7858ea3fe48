/* Log records. */
#include "otlp_internal.h"

static const mote_otlp_signal logs_signal = {
    MOTE_HPACK_NAMED(4, ":path", "/opentelemetry.proto.collector.logs.v1.LogsService/Export"), NULL,
    NULL, NULL, NULL};

int mote_otlp_logs_init(mote_otlp_logs *l, const mote_otlp_config *config, mote_outbox *outbox,
                        void *record, size_t record_size, uint32_t random)
{
    if (!outbox)
        return MOTE_GRPC_ERR_CONFIG;
    return mote_otlp_exporter_init(&l->exporter, &logs_signal, config, outbox, record, record_size,
                                   random);
}

int mote_otlp_log_record(mote_otlp_logs *l, const mote_otlp_LogRecord *record)
{
    mote_otlp_exporter *x = &l->exporter;
    bool kept = false;
    size_t len;
    int r;

    x->held_index = SIZE_MAX;
    r = mote_otlp_LogRecord_encode(record, x->record, x->record_size, &len);
    if (r == MOTE_PB_ERR_SPACE)
        r = MOTE_GRPC_ERR_SPACE;
    if (r == 0)
        r = mote_otlp_put(x, len, &kept);
    x->ledger.recorded++;
    x->ledger.dropped += !kept;
    return r;
}

int mote_otlp_log(mote_otlp_logs *l, uint64_t unix_nano, enum mote_otlp_severity severity,
                  mote_pb_string text)
{
    mote_otlp_AnyValue body = {{mote_otlp_AnyValue_string_value, {.string_value = text}}};
    mote_otlp_LogRecord record = {.time_unix_nano = unix_nano,
                                  .severity_number = (int32_t)severity,
                                  .body = &body,
                                  .observed_time_unix_nano = unix_nano};

    return mote_otlp_log_record(l, &record);
}
