// Encoding and decoding by mote, nanopb, protobuf-c and C++ protobuf: the same messages, the same
// bytes. Prints a line for each message and direction: name, direction, ns of mote, nanopb,
// protobuf-c, C++.
#include "codec.mote.h"
#include "codec.nano.h"
#include "codec.pb-c.h"
#include "codec_messages.h"

#include <cstring>
#include <functional>
#include <pb_decode.h>
#include <pb_encode.h>
#include <string>

static uint8_t out[1 << 16];
static uint64_t memory[1 << 13];

struct subject {
    const char *name;
    std::function<size_t()> encode[4]; // into out; mote, nanopb, protobuf-c, C++
    std::function<bool()> decode[4];   // from `bytes`
};

static std::string bytes; // what is decoded

static void run(const subject &c, int calls)
{
    double ns[4];

    for (int k = 0; k < 4; k++) {
        size_t len = c.encode[k]();
        if (len != bytes.size() || memcmp(out, bytes.data(), len) != 0)
            fail("the encodings differ");
    }
    for (int k = 0; k < 4; k++)
        ns[k] = measure([&] { c.encode[k](); }, calls);
    printf("%s\tencode\t%.1f\t%.1f\t%.1f\t%.1f\n", c.name, ns[0], ns[1], ns[2], ns[3]);
    for (int k = 0; k < 4; k++) {
        if (!c.decode[k]())
            fail("a message cannot be decoded");
        ns[k] = measure([&] { c.decode[k](); }, calls);
    }
    printf("%s\tdecode\t%.1f\t%.1f\t%.1f\t%.1f\n", c.name, ns[0], ns[1], ns[2], ns[3]);
}

template <class T>
static std::function<size_t()> mote_encode(const mote_pb_encoder *table, const T *m)
{
    return [=] {
        size_t len;
        if (mote_pb_encode(table, m, out, sizeof out, &len) < 0)
            fail("mote");
        return len;
    };
}

template <class T> static std::function<bool()> mote_decode(const mote_pb_decoder *table, T *m)
{
    return [=] {
        mote_pb_arena arena;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        return mote_pb_decode(table, m, reinterpret_cast<const uint8_t *>(bytes.data()),
                              bytes.size(), &arena, nullptr) == 0;
    };
}

template <class T>
static std::function<size_t()> nano_encode(const pb_msgdesc_t *fields, const T *m)
{
    return [=] {
        pb_ostream_t s = pb_ostream_from_buffer(out, sizeof out);
        if (!pb_encode(&s, fields, m))
            fail("nanopb");
        return s.bytes_written;
    };
}

template <class T> static std::function<bool()> nano_decode(const pb_msgdesc_t *fields, T *m)
{
    return [=] {
        pb_istream_t s =
            pb_istream_from_buffer(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size());
        return pb_decode(&s, fields, m);
    };
}

// One message of the four libraries: M is mote's struct, N nanopb's, T that of C++ protobuf.
template <class M, class N, class T>
static void compare(const char *name, const T &m, const mote_pb_encoder *encoder,
                    const mote_pb_decoder *decoder,
                    const pb_msgdesc_t *fields, const ProtobufCMessageDescriptor *descriptor,
                    int calls)
{
    static M mote, mote_again;
    static N nano, nano_again;
    static T again; // reused, as fast servers do
    static std::string kept;
    static uint64_t kept_memory[1 << 13];
    mote_pb_arena arena;
    subject c;

    kept = bytes = m.SerializeAsString();
    mote_pb_arena_init(&arena, kept_memory,
                       sizeof kept_memory); // what is encoded stays where it is
    const uint8_t *in = reinterpret_cast<const uint8_t *>(kept.data());
    if (mote_pb_decode(decoder, &mote, in, kept.size(), &arena, nullptr) < 0 ||
        !nano_decode(fields, &nano)())
        fail("a message cannot be decoded");
    ProtobufCMessage *pc = protobuf_c_message_unpack(descriptor, nullptr, kept.size(), in);
    c.name = name;
    c.encode[0] = mote_encode(encoder, &mote);
    c.encode[1] = nano_encode(fields, &nano);
    c.encode[2] = [=] { return protobuf_c_message_pack(pc, out); };
    c.encode[3] = [&m] { return cpp_encode(m, out); };
    c.decode[0] = mote_decode(decoder, &mote_again);
    c.decode[1] = nano_decode(fields, &nano_again);
    c.decode[2] = [=] {
        ProtobufCMessage *x = protobuf_c_message_unpack(descriptor, nullptr, kept.size(), in);
        protobuf_c_message_free_unpacked(x, nullptr);
        return x != nullptr;
    };
    c.decode[3] = [] { return again.ParseFromArray(bytes.data(), int(bytes.size())); };
    run(c, calls);
    protobuf_c_message_free_unpacked(pc, nullptr);
}

int main()
{
    codec::Sample sample;
    codec::Report report;
    codec::Batch batch;

    fill(&sample, 1);
    fill(&report);
    fill(&batch);
    compare<mm_Sample, codec_Sample>("sample of 40 bytes", sample, &mm_Sample_encoder, &mm_Sample_decoder,
                                     codec_Sample_fields, &codec__sample__descriptor, 200000);
    compare<mm_Report, codec_Report>("report, 12 fields", report, &mm_Report_encoder, &mm_Report_decoder,
                                     codec_Report_fields, &codec__report__descriptor, 50000);
    compare<mm_Batch, codec_Batch>("batch of 100 samples", batch, &mm_Batch_encoder, &mm_Batch_decoder,
                                   codec_Batch_fields, &codec__batch__descriptor, 2000);
    return 0;
}
