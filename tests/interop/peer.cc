// The interoperability tests with gRPC C++: a server, and a client that runs one case.
//   peer_cc server --port=N [--cert=PEM --key=PEM]
//   peer_cc client --server_host=H --server_port=N --test_case=NAME [--ca=PEM]
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "interop.grpc.pb.h"

using namespace grpc::testing;
using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;
using std::string;

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static const char initial[] = "x-grpc-test-echo-initial";
static const char trailing[] = "x-grpc-test-echo-trailing-bin";

// ---- server

class Service final : public TestService::Service
{
    static void echo(grpc::ServerContext *context)
    {
        for (auto &m : context->client_metadata()) {
            string key(m.first.data(), m.first.size()), value(m.second.data(), m.second.size());
            if (key == initial)
                context->AddInitialMetadata(key, value);
            if (key == trailing)
                context->AddTrailingMetadata(key, value);
        }
    }

    static Status status_of(const EchoStatus &s)
    {
        return Status(static_cast<StatusCode>(s.code()), s.message());
    }

    template <typename Writer>
    static void respond(const StreamingOutputCallRequest &request, Writer *writer)
    {
        for (auto &p : request.response_parameters()) {
            StreamingOutputCallResponse response;
            grpc::WriteOptions options;
            if (p.has_compressed() && !p.compressed().value())
                options.set_no_compression();
            std::this_thread::sleep_for(std::chrono::microseconds(p.interval_us()));
            response.mutable_payload()->set_body(string(static_cast<size_t>(p.size()), '\0'));
            writer->Write(response, options);
        }
    }

    Status EmptyCall(grpc::ServerContext *context, const Empty *, Empty *) override
    {
        echo(context);
        return Status::OK;
    }

    Status UnaryCall(grpc::ServerContext *context, const SimpleRequest *request,
                     SimpleResponse *response) override
    {
        echo(context);
        if (request->response_status().code() != 0)
            return status_of(request->response_status());
        if (request->response_compressed().value())
            context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
        response->mutable_payload()->set_body(
            string(static_cast<size_t>(request->response_size()), '\0'));
        return Status::OK;
    }

    Status CacheableUnaryCall(grpc::ServerContext *context, const SimpleRequest *request,
                              SimpleResponse *response) override
    {
        return UnaryCall(context, request, response);
    }

    Status StreamingInputCall(grpc::ServerContext *,
                              grpc::ServerReader<StreamingInputCallRequest> *reader,
                              StreamingInputCallResponse *response) override
    {
        StreamingInputCallRequest request;
        size_t total = 0;
        while (reader->Read(&request))
            total += request.payload().body().size();
        response->set_aggregated_payload_size(static_cast<int>(total));
        return Status::OK;
    }

    Status StreamingOutputCall(grpc::ServerContext *context,
                               const StreamingOutputCallRequest *request,
                               grpc::ServerWriter<StreamingOutputCallResponse> *writer) override
    {
        context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
        respond(*request, writer);
        return Status::OK;
    }

    Status FullDuplexCall(grpc::ServerContext *context,
                          grpc::ServerReaderWriter<StreamingOutputCallResponse,
                                                   StreamingOutputCallRequest> *stream) override
    {
        StreamingOutputCallRequest request;
        echo(context);
        while (stream->Read(&request)) {
            if (request.response_status().code() != 0)
                return status_of(request.response_status());
            respond(request, stream);
        }
        return Status::OK;
    }
};

static string read_file(const string &name)
{
    std::ifstream file(name);
    return {std::istreambuf_iterator<char>(file), {}};
}

static int serve(std::map<string, string> flags)
{
    Service service;
    auto credentials = grpc::InsecureServerCredentials();
    if (flags.count("--cert")) {
        grpc::SslServerCredentialsOptions options;
        options.pem_key_cert_pairs.push_back(
            {read_file(flags["--key"]), read_file(flags["--cert"])});
        credentials = grpc::SslServerCredentials(options);
    }
    grpc::ServerBuilder builder;
    int bound = 0;
    builder.AddListeningPort("127.0.0.1:" + flags["--port"], credentials, &bound);
    builder.RegisterService(&service);
    auto server = builder.BuildAndStart();
    REQUIRE(server);
    printf("listening on 127.0.0.1:%d\n", bound);
    fflush(stdout);
    server->Wait();
    return 0;
}

// ---- client

static std::shared_ptr<grpc::Channel> channel;
static std::unique_ptr<TestService::Stub> stub;

static StreamingOutputCallRequest sizes(const std::vector<int> &list)
{
    StreamingOutputCallRequest request;
    for (int n : list)
        request.add_response_parameters()->set_size(n);
    return request;
}

static Status large(SimpleRequest request, ClientContext *context)
{
    SimpleResponse response;
    request.set_response_size(314159);
    request.mutable_payload()->set_body(string(271828, '\0'));
    Status status = stub->UnaryCall(context, request, &response);
    REQUIRE(!status.ok() || response.payload().body() == string(314159, '\0'));
    return status;
}

static void large_unary()
{
    ClientContext context;
    REQUIRE(large(SimpleRequest(), &context).ok());
}

static void empty_unary()
{
    ClientContext context;
    Empty request, response;
    REQUIRE(stub->EmptyCall(&context, request, &response).ok());
}

static void cacheable_unary()
{
    ClientContext context;
    SimpleRequest request;
    SimpleResponse response;
    context.AddMetadata("x-user-ip", "1.2.3.4");
    REQUIRE(stub->CacheableUnaryCall(&context, request, &response).ok());
}

static void client_compressed_unary()
{
    SimpleRequest request;
    request.mutable_expect_compressed()->set_value(true);
    ClientContext probe;
    REQUIRE(large(request, &probe).error_code() == StatusCode::INVALID_ARGUMENT);
    for (auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
        ClientContext context;
        context.set_compression_algorithm(algorithm);
        REQUIRE(large(request, &context).ok());
    }
    request.mutable_expect_compressed()->set_value(false);
    ClientContext plain;
    REQUIRE(large(request, &plain).ok());
}

static void server_compressed_unary()
{
    for (bool compressed : {true, false}) {
        ClientContext context;
        SimpleRequest request;
        request.mutable_response_compressed()->set_value(compressed);
        REQUIRE(large(request, &context).ok());
    }
}

static void client_streaming_of(const std::vector<int> &list, bool compressed, int total)
{
    ClientContext context;
    StreamingInputCallResponse response;
    if (compressed)
        context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    auto writer = stub->StreamingInputCall(&context, &response);
    for (size_t i = 0; i < list.size(); i++) {
        StreamingInputCallRequest request;
        grpc::WriteOptions options;
        request.mutable_payload()->set_body(string(static_cast<size_t>(list[i]), '\0'));
        if (compressed)
            request.mutable_expect_compressed()->set_value(i == 0);
        if (i > 0)
            options.set_no_compression();
        REQUIRE(writer->Write(request, options));
    }
    writer->WritesDone();
    REQUIRE(writer->Finish().ok() && response.aggregated_payload_size() == total);
}

static void client_streaming()
{
    client_streaming_of({27182, 8, 1828, 45904}, false, 74922);
}

static void client_compressed_streaming()
{
    client_streaming_of({27182, 45904}, true, 73086);
}

static void server_streaming_of(const StreamingOutputCallRequest &request)
{
    ClientContext context;
    StreamingOutputCallResponse response;
    auto reader = stub->StreamingOutputCall(&context, request);
    for (auto &p : request.response_parameters())
        REQUIRE(reader->Read(&response) &&
                response.payload().body().size() == static_cast<size_t>(p.size()));
    REQUIRE(!reader->Read(&response) && reader->Finish().ok());
}

static void server_streaming()
{
    server_streaming_of(sizes({31415, 9, 2653, 58979}));
}

static void server_compressed_streaming()
{
    StreamingOutputCallRequest request = sizes({31415, 92653});
    request.mutable_response_parameters(0)->mutable_compressed()->set_value(true);
    request.mutable_response_parameters(1)->mutable_compressed()->set_value(false);
    server_streaming_of(request);
}

static void half_duplex()
{
    ClientContext context;
    StreamingOutputCallResponse response;
    auto stream = stub->HalfDuplexCall(&context);
    stream->Write(sizes({31415, 9}));
    stream->Write(sizes({2653}));
    stream->WritesDone();
    for (size_t n : {31415, 9, 2653})
        REQUIRE(stream->Read(&response) && response.payload().body().size() == n);
    REQUIRE(!stream->Read(&response) && stream->Finish().ok());
}

static void exchange_all(ClientContext *context, const std::vector<std::pair<int, int>> &list)
{
    StreamingOutputCallResponse response;
    auto stream = stub->FullDuplexCall(context);
    for (auto &p : list) {
        StreamingOutputCallRequest request = sizes({p.second});
        request.mutable_payload()->set_body(string(static_cast<size_t>(p.first), '\0'));
        REQUIRE(stream->Write(request) && stream->Read(&response));
        REQUIRE(response.payload().body().size() == static_cast<size_t>(p.second));
    }
    stream->WritesDone();
    REQUIRE(!stream->Read(&response) && stream->Finish().ok());
}

static void ping_pong()
{
    ClientContext context;
    exchange_all(&context, {{27182, 31415}, {8, 9}, {1828, 2653}, {45904, 58979}});
}

static void empty_stream()
{
    ClientContext context;
    exchange_all(&context, {});
}

static void check_echo(const ClientContext &context)
{
    auto &first = context.GetServerInitialMetadata();
    auto &last = context.GetServerTrailingMetadata();
    REQUIRE(first.find(initial) != first.end() &&
            first.find(initial)->second == "test_initial_metadata_value");
    REQUIRE(last.find(trailing) != last.end() && last.find(trailing)->second == "\xab\xab\xab");
}

static void custom_metadata()
{
    for (bool streaming : {false, true}) {
        ClientContext context;
        context.AddMetadata(initial, "test_initial_metadata_value");
        context.AddMetadata(trailing, "\xab\xab\xab");
        if (streaming)
            exchange_all(&context, {{271828, 314159}});
        else
            REQUIRE(large(SimpleRequest(), &context).ok());
        check_echo(context);
    }
}

static void echoes(const string &text)
{
    ClientContext one, two;
    SimpleRequest request;
    SimpleResponse response;
    request.mutable_response_status()->set_code(2);
    request.mutable_response_status()->set_message(text);
    Status status = stub->UnaryCall(&one, request, &response);
    REQUIRE(status.error_code() == StatusCode::UNKNOWN && status.error_message() == text);
    StreamingOutputCallRequest message;
    StreamingOutputCallResponse nothing;
    *message.mutable_response_status() = request.response_status();
    auto stream = stub->FullDuplexCall(&two);
    stream->Write(message);
    stream->WritesDone();
    REQUIRE(!stream->Read(&nothing));
    status = stream->Finish();
    REQUIRE(status.error_code() == StatusCode::UNKNOWN && status.error_message() == text);
}

static void status_code_and_message()
{
    echoes("test status message");
}

static void special_status_message()
{
    echoes("\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n");
}

static void unimplemented_method()
{
    ClientContext context;
    Empty request, response;
    REQUIRE(stub->UnimplementedCall(&context, request, &response).error_code() ==
            StatusCode::UNIMPLEMENTED);
}

static void unimplemented_service()
{
    ClientContext context;
    Empty request, response;
    auto other = UnimplementedService::NewStub(channel);
    REQUIRE(other->UnimplementedCall(&context, request, &response).error_code() ==
            StatusCode::UNIMPLEMENTED);
}

static void cancel_after_begin()
{
    ClientContext context;
    StreamingInputCallResponse response;
    auto writer = stub->StreamingInputCall(&context, &response);
    context.TryCancel();
    REQUIRE(writer->Finish().error_code() == StatusCode::CANCELLED);
}

static void cancel_after_first_response()
{
    ClientContext context;
    StreamingOutputCallResponse response;
    auto stream = stub->FullDuplexCall(&context);
    REQUIRE(stream->Write(sizes({31415})) && stream->Read(&response));
    context.TryCancel();
    REQUIRE(stream->Finish().error_code() == StatusCode::CANCELLED);
}

static void timeout_on_sleeping_server()
{
    ClientContext context;
    StreamingOutputCallRequest request = sizes({1});
    request.mutable_response_parameters(0)->set_interval_us(1000000);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
    auto stream = stub->FullDuplexCall(&context);
    stream->Write(request);
    REQUIRE(stream->Finish().error_code() == StatusCode::DEADLINE_EXCEEDED);
}

static void rpc_soak()
{
    for (int i = 0; i < 20; i++)
        large_unary();
}

static void concurrent_large_unary()
{
    std::vector<std::thread> threads;
    for (int i = 0; i < 100; i++)
        threads.emplace_back(large_unary);
    for (auto &t : threads)
        t.join();
}

static const std::map<string, void (*)()> cases = {
    {"empty_unary", empty_unary},
    {"cacheable_unary", cacheable_unary},
    {"large_unary", large_unary},
    {"client_compressed_unary", client_compressed_unary},
    {"server_compressed_unary", server_compressed_unary},
    {"client_streaming", client_streaming},
    {"client_compressed_streaming", client_compressed_streaming},
    {"server_streaming", server_streaming},
    {"server_compressed_streaming", server_compressed_streaming},
    {"half_duplex", half_duplex},
    {"ping_pong", ping_pong},
    {"empty_stream", empty_stream},
    {"custom_metadata", custom_metadata},
    {"status_code_and_message", status_code_and_message},
    {"special_status_message", special_status_message},
    {"unimplemented_method", unimplemented_method},
    {"unimplemented_service", unimplemented_service},
    {"cancel_after_begin", cancel_after_begin},
    {"cancel_after_first_response", cancel_after_first_response},
    {"timeout_on_sleeping_server", timeout_on_sleeping_server},
    {"rpc_soak", rpc_soak},
    {"concurrent_large_unary", concurrent_large_unary}};

int main(int argc, char **argv)
{
    std::map<string, string> flags = {{"--port", "0"}, {"--server_host", "127.0.0.1"}};
    for (int i = 2; i < argc; i++) {
        string argument = argv[i];
        flags[argument.substr(0, argument.find('='))] = argument.substr(argument.find('=') + 1);
    }
    if (argc > 1 && string(argv[1]) == "server")
        return serve(flags);
    if (flags["--test_case"] == "list") {
        for (auto &c : cases)
            printf("%s ", c.first.c_str());
        return 0;
    }
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(8 << 20);
    auto credentials = grpc::InsecureChannelCredentials();
    if (flags.count("--ca"))
        credentials = grpc::SslCredentials({read_file(flags["--ca"]), "", ""});
    channel = grpc::CreateCustomChannel(flags["--server_host"] + ":" + flags["--server_port"],
                                        credentials, arguments);
    stub = TestService::NewStub(channel);
    cases.at(flags["--test_case"])();
    return 0;
}
