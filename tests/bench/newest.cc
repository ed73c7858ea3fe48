// Encoding, sizing and decoding by mote, C++ protobuf and upb of the newest version: the same
// messages, the same bytes. Prints a line for each message and direction: name, direction, ns of
// mote, C++, upb. With MESSAGE DIRECTION LIBRARY TIMES (numbers from 0) it does that alone, so that
// its instructions can be counted.
#include "codec.mote.h"
#include "codec_messages.h"
#include "otlp.mote.h"
#include "otlp.pb.h"

#include "google/protobuf/descriptor.pb.h"
#include "upb/mem/arena.h"
#include "upb/message/message.h"
#include "upb/reflection/def.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

#include <cstring>

enum { LIBRARIES = 3, MOTE = 0, CPP = 1, UPB = 2 };
enum { ENCODE = 0, SIZE = 1, DECODE = 2, DIRECTIONS = 3 };

static uint8_t out[1 << 16];
static uint64_t memory[1 << 13];

struct newest_subject {
    const char *name;
    int calls;
    std::function<size_t()> work[DIRECTIONS][LIBRARIES]; // bytes that were written, sized or read
};

static upb_DefPool *pool;

// The tables of upb are those that its compiler would write, made from the descriptors at run time.
static void add_file(const google::protobuf::FileDescriptor *file)
{
    google::protobuf::FileDescriptorProto proto;
    upb_Status status;

    file->CopyTo(&proto);
    std::string bytes = proto.SerializeAsString();
    upb_Arena *arena = upb_Arena_New();
    google_protobuf_FileDescriptorProto *f =
        google_protobuf_FileDescriptorProto_parse(bytes.data(), bytes.size(), arena);
    upb_Status_Clear(&status);
    if (!f || !upb_DefPool_AddFile(pool, f, &status))
        fail("upb takes no descriptor");
}

template <class T> static void add_upb(newest_subject *s, const T &m, const std::string *bytes)
{
    const upb_MessageDef *def =
        upb_DefPool_FindMessageByName(pool, std::string(m.GetDescriptor()->full_name()).c_str());
    const upb_MiniTable *table = upb_MessageDef_MiniTable(def);
    upb_Arena *kept = upb_Arena_New();
    upb_Message *message = upb_Message_New(table, kept);
    if (upb_Decode(bytes->data(), bytes->size(), message, table, nullptr, 0, kept) != 0)
        fail("upb");
    auto encode = [=] {
        char *buf;
        size_t len;
        upb_Arena *arena = upb_Arena_Init(memory, sizeof memory, nullptr);
        if (upb_Encode(message, table, 0, arena, &buf, &len) != 0)
            fail("upb");
        upb_Arena_Free(arena);
        return len;
    };
    s->work[ENCODE][UPB] = encode;
    s->work[SIZE][UPB] = encode; // it has nothing else
    s->work[DECODE][UPB] = [=] { // strings stay where they are, as with mote
        upb_Arena *arena = upb_Arena_Init(memory, sizeof memory, nullptr);
        upb_Message *again = upb_Message_New(table, arena);
        int r = upb_Decode(bytes->data(), bytes->size(), again, table, nullptr,
                           kUpb_DecodeOption_AliasString, arena);
        upb_Arena_Free(arena);
        return r == 0 ? bytes->size() : 0;
    };
}

template <class M>
static void add_mote(newest_subject *s, const mote_pb_encoder *encoder,
                     const mote_pb_decoder *decoder, int (*size)(const M *, size_t *),
                     const std::string *bytes)
{
    static M message, again;
    static uint64_t kept[1 << 13];
    const uint8_t *in = reinterpret_cast<const uint8_t *>(bytes->data());
    mote_pb_arena arena;

    mote_pb_arena_init(&arena, kept, sizeof kept);
    if (mote_pb_decode(decoder, &message, in, bytes->size(), &arena, nullptr) < 0)
        fail("mote");
    s->work[ENCODE][MOTE] = [=] {
        size_t len;
        return mote_pb_encode(encoder, &message, out, sizeof out, &len) == 0 ? len : 0;
    };
    s->work[SIZE][MOTE] = [=] {
        size_t len;
        return size(&message, &len) == 0 ? len : 0;
    };
    s->work[DECODE][MOTE] = [=] {
        mote_pb_arena a;
        mote_pb_arena_init(&a, memory, sizeof memory);
        return mote_pb_decode(decoder, &again, in, bytes->size(), &a, nullptr) == 0 ? bytes->size()
                                                                                    : 0;
    };
}

template <class M, class T>
static newest_subject make(const char *name, const T &m, const mote_pb_encoder *encoder,
                           const mote_pb_decoder *decoder, int (*size)(const M *, size_t *),
                           int calls)
{
    static T again; // reused, as fast servers do
    static std::string bytes;
    newest_subject s = {name, calls, {}};

    bytes = m.SerializeAsString();
    add_mote<M>(&s, encoder, decoder, size, &bytes);
    s.work[ENCODE][CPP] = [&m] { return cpp_encode(m, out); };
    s.work[SIZE][CPP] = [&m] { return m.ByteSizeLong(); };
    s.work[DECODE][CPP] = [] {
        return again.ParseFromArray(bytes.data(), int(bytes.size())) ? bytes.size() : 0;
    };
    add_upb(&s, m, &bytes);
    for (auto &way : s.work) {
        for (auto &call : way) {
            if (call() != bytes.size())
                fail("a length differs");
        }
    }
    for (int library : {MOTE, CPP}) {
        memset(out, 0, bytes.size());
        s.work[ENCODE][library]();
        if (memcmp(out, bytes.data(), bytes.size()) != 0)
            fail("the encodings differ");
    }
    return s;
}

static void add(otlp::KeyValue *a, const char *key, const char *value)
{
    a->set_key(key);
    a->mutable_value()->set_string_value(value);
}

static void fill(otlp::LogRecord *r)
{
    r->set_time_unix_nano(1700000000000000000);
    r->set_observed_time_unix_nano(1700000000000000123);
    r->set_severity_number(9);
    r->set_severity_text("INFO");
    r->mutable_body()->set_string_value("the pump was started by the schedule of 06:00");
    add(r->add_attributes(), "device.id", "pump-0017");
    add(r->add_attributes(), "site", "north");
    otlp::KeyValue *n = r->add_attributes();
    n->set_key("pressure");
    n->mutable_value()->set_double_value(2.75);
    n = r->add_attributes();
    n->set_key("starts");
    n->mutable_value()->set_int_value(1234);
    r->set_trace_id("0123456789abcdef");
    r->set_span_id("01234567");
}

static void fill(otlp::NumberDataPoint *p, int i)
{
    p->set_start_time_unix_nano(1700000000000000000);
    p->set_time_unix_nano(1700000010000000000);
    add(p->add_attributes(), "cpu", i % 2 ? "1" : "0");
    if (i % 3 == 0)
        p->set_as_int(1000 + i);
    else
        p->set_as_double(0.5 * i);
}

// About 1.8 kB.
static void fill(otlp::Metrics *m)
{
    otlp::ResourceMetrics *r = m->add_resource_metrics();
    otlp::ScopeMetrics *s = r->add_scope_metrics();

    add(r->mutable_resource()->add_attributes(), "service.name", "boiler-house");
    add(r->mutable_resource()->add_attributes(), "host.name", "gateway-3");
    s->mutable_scope()->set_name("mote.metrics");
    s->mutable_scope()->set_version("1.4.0");
    for (int i = 0; i < 8; i++) {
        otlp::Metric *metric = s->add_metrics();
        metric->set_name("system.cpu.utilization." + std::to_string(i));
        metric->set_description("share of time");
        metric->set_unit("1");
        if (i == 3) {
            otlp::HistogramDataPoint *h = metric->mutable_histogram()->add_data_points();
            h->set_time_unix_nano(1700000010000000000);
            h->set_count(99);
            h->set_sum(12.5);
            for (int k = 0; k < 8; k++) {
                h->add_bucket_counts(k * 3);
                h->add_explicit_bounds(k * 0.25);
            }
        } else if (i % 2 == 0) {
            for (int k = 0; k < 4; k++)
                fill(metric->mutable_gauge()->add_data_points(), k);
        } else {
            metric->mutable_sum()->set_aggregation_temporality(2);
            metric->mutable_sum()->set_is_monotonic(true);
            for (int k = 0; k < 4; k++)
                fill(metric->mutable_sum()->add_data_points(), k);
        }
    }
}

template <class T> static T &filled()
{
    static T m;
    fill(&m);
    return m;
}

template <> codec::Sample &filled<codec::Sample>()
{
    static codec::Sample m;
    fill(&m, 1);
    return m;
}

int main(int argc, char **argv)
{
    static const char *const directions[] = {"encode", "size", "decode"};
    pool = upb_DefPool_New();
    add_file(codec::Sample::descriptor()->file());
    add_file(otlp::Metrics::descriptor()->file());
    const newest_subject messages[] = {
        make<mm_Sample>("sample of 40 bytes", filled<codec::Sample>(), &mm_Sample_encoder,
                        &mm_Sample_decoder, mm_Sample_size, 100000),
        make<mm_Report>("report, 12 fields", filled<codec::Report>(), &mm_Report_encoder,
                        &mm_Report_decoder, mm_Report_size, 30000),
        make<mm_Batch>("batch of 100 samples", filled<codec::Batch>(), &mm_Batch_encoder,
                       &mm_Batch_decoder, mm_Batch_size, 1000),
        make<mm_Metrics>("OTLP metrics, 1.8 kB", filled<otlp::Metrics>(), &mm_Metrics_encoder,
                         &mm_Metrics_decoder, mm_Metrics_size, 2000),
        make<mm_LogRecord>("OTLP log record", filled<otlp::LogRecord>(), &mm_LogRecord_encoder,
                           &mm_LogRecord_decoder, mm_LogRecord_size, 20000),
    };

    if (argc == 5) {
        const auto &work = messages[atoi(argv[1])].work[atoi(argv[2])][atoi(argv[3])];
        for (int i = atoi(argv[4]); i > 0; i--)
            work();
        return 0;
    }
    for (const newest_subject &s : messages) {
        for (int d = 0; d < DIRECTIONS; d++) {
            printf("%s\t%s", s.name, directions[d]);
            for (const auto &call : s.work[d])
                printf("\t%.1f", measure([&] { call(); }, s.calls));
            printf("\n");
        }
    }
    return 0;
}
