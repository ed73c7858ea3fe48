// gRPC C++'s side of the benchmark: mote.bench.Bench with the asynchronous API and one thread, which
// is its fastest way to serve on one core.
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <memory>

#include "bench.grpc.pb.h"

using mote::bench::Bench;
using mote::bench::Query;
using mote::bench::Sample;
using mote::bench::Summary;

namespace {

Bench::AsyncService service;
std::unique_ptr<grpc::ServerCompletionQueue> queue;

// One call. Each completion takes it one step further; it deletes itself at the end.
class Call {
public:
    virtual ~Call() = default;
    virtual void Step(bool ok) = 0;

protected:
    grpc::ServerContext context_;
    enum { WAITING, RUNNING, FINISHED } state_ = WAITING;
};

class UnaryCall : public Call {
public:
    UnaryCall() : writer_(&context_)
    {
        service.RequestUnary(&context_, &sample_, &writer_, queue.get(), queue.get(), this);
    }
    void Step(bool ok) override
    {
        if (!ok || state_ == FINISHED) {
            delete this;
            return;
        }
        new UnaryCall;
        state_ = FINISHED;
        sample_.set_sequence(sample_.sequence() + 1);
        writer_.Finish(sample_, grpc::Status::OK, this);
    }

private:
    Sample sample_;
    grpc::ServerAsyncResponseWriter<Sample> writer_;
};

class UploadCall : public Call {
public:
    UploadCall() : reader_(&context_)
    {
        service.RequestUpload(&context_, &reader_, queue.get(), queue.get(), this);
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
            reader_.Finish(summary_, grpc::Status::OK, this);
            return;
        } else {
            summary_.set_count(summary_.count() + 1);
            summary_.set_sum(summary_.sum() + sample_.sequence());
        }
        reader_.Read(&sample_, this);
    }

private:
    Sample sample_;
    Summary summary_;
    grpc::ServerAsyncReader<Summary, Sample> reader_;
};

class SubscribeCall : public Call {
public:
    SubscribeCall() : writer_(&context_)
    {
        service.RequestSubscribe(&context_, &query_, &writer_, queue.get(), queue.get(), this);
    }
    void Step(bool ok) override
    {
        if (!ok || state_ == FINISHED) {
            delete this;
            return;
        }
        if (state_ == WAITING)
            new SubscribeCall;
        state_ = RUNNING;
        if (sent_ == query_.count()) {
            state_ = FINISHED;
            writer_.Finish(grpc::Status::OK, this);
            return;
        }
        sample_.set_time_ms(1700000000000 + sent_);
        sample_.set_value(20.5);
        sample_.set_error(0.25f);
        sample_.set_sequence(sent_++);
        sample_.set_name("temperature0");
        writer_.Write(sample_, this);
    }

private:
    Query query_;
    Sample sample_;
    uint32_t sent_ = 0;
    grpc::ServerAsyncWriter<Sample> writer_;
};

class ChatCall : public Call {
public:
    ChatCall() : stream_(&context_)
    {
        service.RequestChat(&context_, &stream_, queue.get(), queue.get(), this);
    }
    void Step(bool ok) override
    {
        if (state_ == FINISHED || (state_ == WAITING && !ok)) {
            delete this;
            return;
        }
        if (state_ == WAITING) {
            new ChatCall;
            state_ = RUNNING;
        } else if (!ok) {
            state_ = FINISHED;
            stream_.Finish(grpc::Status::OK, this);
            return;
        } else if (reading_) {
            reading_ = false;
            sample_.set_sequence(sample_.sequence() + 1);
            stream_.Write(sample_, this);
            return;
        }
        reading_ = true;
        stream_.Read(&sample_, this);
    }

private:
    Sample sample_;
    bool reading_ = false;
    grpc::ServerAsyncReaderWriter<Sample, Sample> stream_;
};

} // namespace

int main()
{
    grpc::ServerBuilder builder;
    int port = 0;
    void *tag;
    bool ok;

    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    queue = builder.AddCompletionQueue();
    auto server = builder.BuildAndStart();
    std::printf("listening on 127.0.0.1:%d\n", port);
    std::fflush(stdout);
    for (int i = 0; i < 256; i++)
        new UnaryCall;
    new UploadCall;
    new SubscribeCall;
    new ChatCall;
    while (queue->Next(&tag, &ok))
        static_cast<Call *>(tag)->Step(ok);
}
