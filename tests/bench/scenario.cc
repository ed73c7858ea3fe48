// gRPC C++'s side of the scenarios; see scenario.c. The server is asynchronous with one thread,
// which is its fastest way to serve on one core; the client is synchronous, but for many calls at a
// time.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "benchmark.grpc.pb.h"

using grpc::testing::BenchmarkService;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;

namespace
{

void Check(bool ok, const char *why)
{
    if (!ok) {
        std::fprintf(stderr, "scenario: error: %s\n", why);
        std::exit(1);
    }
}

std::string ReadFile(const char *name)
{
    std::ifstream file(name);
    return {std::istreambuf_iterator<char>(file), {}};
}

SimpleResponse Response(const SimpleRequest &request)
{
    SimpleResponse response;
    response.mutable_payload()->mutable_body()->resize(request.response_size());
    return response;
}

// ---- server

BenchmarkService::AsyncService service;
std::unique_ptr<grpc::ServerCompletionQueue> queue;

class Call
{
  public:
    virtual ~Call() = default;
    virtual void Step(bool ok) = 0;

  protected:
    grpc::ServerContext context_;
    enum { WAITING, RUNNING, FINISHED } state_ = WAITING;
    SimpleRequest request_;
    SimpleResponse response_;
};

class UnaryCall : public Call
{
  public:
    UnaryCall() : writer_(&context_)
    {
        service.RequestUnaryCall(&context_, &request_, &writer_, queue.get(), queue.get(), this);
    }
    void Step(bool ok) override
    {
        if (!ok || state_ == FINISHED) {
            delete this;
            return;
        }
        new UnaryCall;
        state_ = FINISHED;
        response_ = Response(request_);
        writer_.Finish(response_, grpc::Status::OK, this);
    }

  private:
    grpc::ServerAsyncResponseWriter<SimpleResponse> writer_;
};

class UploadCall : public Call
{
  public:
    UploadCall() : reader_(&context_)
    {
        service.RequestStreamingFromClient(&context_, &reader_, queue.get(), queue.get(), this);
    }
    void Step(bool ok) override
    {
        if (state_ == FINISHED || (state_ == WAITING && !ok)) {
            delete this;
            return;
        }
        if (state_ == WAITING) {
            new UploadCall;
            state_ = RUNNING;
        } else if (!ok) {
            state_ = FINISHED;
            response_.set_server_id(std::to_string(count_) + ":" + std::to_string(bytes_));
            reader_.Finish(response_, grpc::Status::OK, this);
            return;
        } else {
            count_++;
            bytes_ += request_.payload().body().size();
        }
        reader_.Read(&request_, this);
    }

  private:
    unsigned long long count_ = 0, bytes_ = 0;
    grpc::ServerAsyncReader<SimpleResponse, SimpleRequest> reader_;
};

class DownloadCall : public Call
{
  public:
    DownloadCall() : writer_(&context_)
    {
        service.RequestStreamingFromServer(&context_, &request_, &writer_, queue.get(), queue.get(),
                                           this);
    }
    void Step(bool ok) override
    {
        if (!ok || state_ == FINISHED) {
            if (state_ == RUNNING) {
                state_ = FINISHED;
                writer_.Finish(grpc::Status::CANCELLED, this);
                return;
            }
            delete this;
            return;
        }
        if (state_ == WAITING) {
            new DownloadCall;
            response_ = Response(request_);
        }
        state_ = RUNNING;
        writer_.Write(response_, this); // with a buffer hint it never completes
    }

  private:
    grpc::ServerAsyncWriter<SimpleResponse> writer_;
};

class PingCall : public Call
{
  public:
    PingCall() : stream_(&context_)
    {
        service.RequestStreamingCall(&context_, &stream_, queue.get(), queue.get(), this);
    }
    void Step(bool ok) override
    {
        if (state_ == FINISHED || (state_ == WAITING && !ok)) {
            delete this;
            return;
        }
        if (state_ == WAITING) {
            new PingCall;
            state_ = RUNNING;
        } else if (!ok) {
            state_ = FINISHED;
            stream_.Finish(grpc::Status::OK, this);
            return;
        } else if (reading_) {
            reading_ = false;
            response_ = Response(request_);
            stream_.Write(response_, this);
            return;
        }
        reading_ = true;
        stream_.Read(&request_, this);
    }

  private:
    bool reading_ = false;
    grpc::ServerAsyncReaderWriter<SimpleResponse, SimpleRequest> stream_;
};

void Serve(const char *cert, const char *key)
{
    grpc::ServerBuilder builder;
    int port = 0;
    void *tag;
    bool ok;

    auto credentials = grpc::InsecureServerCredentials();
    if (cert) {
        grpc::SslServerCredentialsOptions options;
        options.pem_key_cert_pairs.push_back({ReadFile(key), ReadFile(cert)});
        credentials = grpc::SslServerCredentials(options);
    }
    builder.AddListeningPort("127.0.0.1:0", credentials, &port);
    builder.RegisterService(&service);
    queue = builder.AddCompletionQueue();
    auto server = builder.BuildAndStart();
    std::printf("listening on 127.0.0.1:%d\n", port);
    std::fflush(stdout);
    for (int i = 0; i < 128; i++)
        new UnaryCall;
    new UploadCall;
    new DownloadCall;
    new PingCall;
    while (queue->Next(&tag, &ok))
        static_cast<Call *>(tag)->Step(ok);
}

// ---- client

constexpr int kOpen = 64;
int count, size;
std::vector<double> round_trips;
std::unique_ptr<BenchmarkService::Stub> stub;

double Seconds(clockid_t clock)
{
    timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

SimpleRequest Ask()
{
    SimpleRequest request;
    request.set_response_size(size);
    request.mutable_payload()->mutable_body()->resize(size);
    return request;
}

void CheckResponse(const SimpleResponse &response)
{
    Check(static_cast<int>(response.payload().body().size()) == size, "a response is wrong");
}

void Unary()
{
    const SimpleRequest request = Ask();
    for (int i = 0; i < count; i++) {
        double before = Seconds(CLOCK_MONOTONIC);
        grpc::ClientContext context;
        SimpleResponse response;
        Check(stub->UnaryCall(&context, request, &response).ok(), "a call fails");
        CheckResponse(response);
        round_trips[i] = Seconds(CLOCK_MONOTONIC) - before;
    }
}

void Ping()
{
    const SimpleRequest request = Ask();
    grpc::ClientContext context;
    auto stream = stub->StreamingCall(&context);
    SimpleResponse response;
    for (int i = 0; i < count; i++) {
        double before = Seconds(CLOCK_MONOTONIC);
        Check(stream->Write(request) && stream->Read(&response), "the call ended early");
        CheckResponse(response);
        round_trips[i] = Seconds(CLOCK_MONOTONIC) - before;
    }
    stream->WritesDone();
    Check(stream->Finish().ok(), "the status is wrong");
}

void Upload()
{
    const SimpleRequest request = Ask();
    grpc::ClientContext context;
    SimpleResponse response;
    auto writer = stub->StreamingFromClient(&context, &response);
    for (int i = 0; i < count;
         i++) // messages that are ready together may share a write, as mote's do
        Check(writer->Write(request, grpc::WriteOptions().set_buffer_hint()),
              "the call ended early");
    writer->WritesDone();
    Check(writer->Finish().ok() &&
              response.server_id() == std::to_string(count) + ":" +
                                          std::to_string(static_cast<long long>(count) * size),
          "the summary is wrong");
}

void Download()
{
    grpc::ClientContext context;
    SimpleResponse response;
    auto reader = stub->StreamingFromServer(&context, Ask());
    for (int i = 0; i < count; i++) {
        Check(reader->Read(&response), "the call ended early");
        CheckResponse(response);
    }
    context.TryCancel();
    reader->Finish();
}

struct Open {
    grpc::ClientContext context;
    SimpleResponse response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<SimpleResponse>> reader;
};

void Throughput()
{
    const SimpleRequest request = Ask();
    grpc::CompletionQueue completions;
    int started = 0;
    auto start = [&] {
        auto *call = new Open;
        call->reader = stub->AsyncUnaryCall(&call->context, request, &completions);
        call->reader->Finish(&call->response, &call->status, call);
        started++;
    };
    while (started < kOpen && started < count)
        start();
    for (int ended = 0; ended < count; ended++) {
        void *tag;
        bool ok;
        completions.Next(&tag, &ok);
        std::unique_ptr<Open> call(static_cast<Open *>(tag));
        Check(call->status.ok(), "a call fails");
        CheckResponse(call->response);
        if (started < count)
            start();
    }
}

void RunClient(const std::string &scenario, const char *address, const char *ca)
{
    auto credentials =
        ca ? grpc::SslCredentials({ReadFile(ca), "", ""}) : grpc::InsecureChannelCredentials();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(8 << 20);
    if (ca)
        arguments.SetSslTargetNameOverride("localhost");
    stub = BenchmarkService::NewStub(grpc::CreateCustomChannel(address, credentials, arguments));
    round_trips.resize(count);
    double start = Seconds(CLOCK_MONOTONIC), cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID);
    (scenario == "unary"        ? Unary
     : scenario == "ping"       ? Ping
     : scenario == "upload"     ? Upload
     : scenario == "throughput" ? Throughput
                                : Download)();
    double passed = Seconds(CLOCK_MONOTONIC) - start;
    cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    std::sort(round_trips.begin(), round_trips.end());
    std::printf("%.0f %.1f %.1f %.0f\n", count / passed, round_trips[count / 2] * 1e6,
                round_trips[static_cast<size_t>(count) * 99 / 100] * 1e6, cpu / count * 1e9);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 5) {
        Serve(argc == 4 ? argv[2] : nullptr, argv[argc - 1]);
        return 0;
    }
    Check(argc >= 6,
          "usage: scenario server [CERT KEY] | scenario client SCENARIO ADDRESS COUNT SIZE [CA]");
    count = std::atoi(argv[4]);
    size = std::atoi(argv[5]);
    RunClient(argv[2], argv[3], argc > 6 ? argv[6] : nullptr);
}
