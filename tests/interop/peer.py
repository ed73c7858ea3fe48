"""The interoperability tests with grpcio: a server, and a client that runs one case.

  peer.py server --port=N
  peer.py client --server_host=H --server_port=N --test_case=NAME
"""
import argparse
import sys
import time
from concurrent import futures

import grpc
import interop_pb2 as pb

INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
OPTIONS = [("grpc.max_receive_message_length", 8 << 20), ("grpc.max_send_message_length", 8 << 20)]


def name_of(method, service="TestService"):
    return "/grpc.testing.%s/%s" % (service, method)


# ---- server


def echo_metadata(context):
    for key, value in context.invocation_metadata():
        if key == INITIAL:
            context.send_initial_metadata(((INITIAL, value),))
        elif key == TRAILING:
            context.set_trailing_metadata(((TRAILING, value),))


def check_status(status, context):
    if status.code:
        code = next(c for c in grpc.StatusCode if c.value[0] == status.code)
        context.abort(code, status.message)


def payload(size):
    return pb.Payload(body=b"\0" * size)


def empty_call(request, context):
    echo_metadata(context)
    return pb.Empty()


def unary_call(request, context):
    echo_metadata(context)
    check_status(request.response_status, context)
    if request.response_compressed.value:
        context.set_compression(grpc.Compression.Gzip)
    return pb.SimpleResponse(payload=payload(request.response_size))


def streaming_input_call(requests, context):
    return pb.StreamingInputCallResponse(aggregated_payload_size=sum(len(r.payload.body) for r in requests))


def respond(request, context):
    check_status(request.response_status, context)
    for p in request.response_parameters:
        time.sleep(p.interval_us / 1e6)
        yield pb.StreamingOutputCallResponse(payload=payload(p.size))


def streaming_output_call(request, context):
    if any(p.compressed.value for p in request.response_parameters):
        context.set_compression(grpc.Compression.Gzip)
    yield from respond(request, context)


def full_duplex_call(requests, context):
    echo_metadata(context)
    for request in requests:
        yield from respond(request, context)


def serve(port, cert, key):
    def unary(f, request):
        return grpc.unary_unary_rpc_method_handler(f, request.FromString, lambda m: m.SerializeToString())
    output = lambda m: m.SerializeToString()
    handlers = {
        "EmptyCall": unary(empty_call, pb.Empty),
        "UnaryCall": unary(unary_call, pb.SimpleRequest),
        "CacheableUnaryCall": unary(unary_call, pb.SimpleRequest),
        "StreamingInputCall": grpc.stream_unary_rpc_method_handler(
            streaming_input_call, pb.StreamingInputCallRequest.FromString, output),
        "StreamingOutputCall": grpc.unary_stream_rpc_method_handler(
            streaming_output_call, pb.StreamingOutputCallRequest.FromString, output),
        "FullDuplexCall": grpc.stream_stream_rpc_method_handler(
            full_duplex_call, pb.StreamingOutputCallRequest.FromString, output),
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=200), options=OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.testing.TestService", handlers),))
    if cert:
        pair = (open(key, "rb").read(), open(cert, "rb").read())
        bound = server.add_secure_port("127.0.0.1:%d" % port, grpc.ssl_server_credentials([pair]))
    else:
        bound = server.add_insecure_port("127.0.0.1:%d" % port)
    server.start()
    print("listening on 127.0.0.1:%d" % bound, flush=True)
    server.wait_for_termination()


# ---- client


class Client:
    def __init__(self, address, ca):
        self.channel = grpc.insecure_channel(address, OPTIONS) if not ca else grpc.secure_channel(
            address, grpc.ssl_channel_credentials(open(ca, "rb").read()), OPTIONS)
        c, output = self.channel, lambda m: m.SerializeToString()
        self.empty = c.unary_unary(name_of("EmptyCall"), output, pb.Empty.FromString)
        self.unary = c.unary_unary(name_of("UnaryCall"), output, pb.SimpleResponse.FromString)
        self.cacheable = c.unary_unary(name_of("CacheableUnaryCall"), output, pb.SimpleResponse.FromString)
        self.input = c.stream_unary(name_of("StreamingInputCall"), output, pb.StreamingInputCallResponse.FromString)
        self.output = c.unary_stream(name_of("StreamingOutputCall"), output, pb.StreamingOutputCallResponse.FromString)
        self.duplex = c.stream_stream(name_of("FullDuplexCall"), output, pb.StreamingOutputCallResponse.FromString)
        self.half = c.stream_stream(name_of("HalfDuplexCall"), output, pb.StreamingOutputCallResponse.FromString)
        self.missing = c.unary_unary(name_of("UnimplementedCall"), output, pb.Empty.FromString)
        self.other = c.unary_unary(name_of("UnimplementedCall", "UnimplementedService"), output, pb.Empty.FromString)

    def large(self, **more):
        compression = more.pop("compression", None)
        request = pb.SimpleRequest(response_size=314159, payload=payload(271828), **more)
        response, call = self.unary.with_call(request, compression=compression, timeout=20)
        assert response.payload.body == b"\0" * 314159
        return call

    def empty_unary(self):
        assert self.empty(pb.Empty()) == pb.Empty()

    def cacheable_unary(self):
        request = pb.SimpleRequest(payload=pb.Payload(body=b"12345"))
        for _ in range(2):
            self.cacheable(request, metadata=(("x-user-ip", "1.2.3.4"),))

    def large_unary(self):
        self.large()

    def client_compressed_unary(self):
        self.fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: self.large(expect_compressed=pb.BoolValue(value=True)))
        self.large(expect_compressed=pb.BoolValue(value=True), compression=grpc.Compression.Gzip)
        self.large(expect_compressed=pb.BoolValue(value=True), compression=grpc.Compression.Deflate)
        self.large(expect_compressed=pb.BoolValue(value=False))

    def server_compressed_unary(self):
        self.large(response_compressed=pb.BoolValue(value=True))
        self.large(response_compressed=pb.BoolValue(value=False))

    def sizes(self, sizes, **more):
        return pb.StreamingOutputCallRequest(
            response_parameters=[pb.ResponseParameters(size=s, **more) for s in sizes])

    def client_streaming(self):
        requests = [pb.StreamingInputCallRequest(payload=payload(n)) for n in (27182, 8, 1828, 45904)]
        assert self.input(iter(requests)).aggregated_payload_size == 74922

    def client_compressed_streaming(self):
        requests = [pb.StreamingInputCallRequest(payload=payload(n), expect_compressed=pb.BoolValue(value=True))
                    for n in (27182, 45904)]
        self.fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: self.input(iter(requests)))
        assert self.input(iter(requests), compression=grpc.Compression.Gzip).aggregated_payload_size == 73086

    def server_streaming(self, **more):
        sizes = (31415, 9, 2653, 58979)
        assert [len(r.payload.body) for r in self.output(self.sizes(sizes, **more))] == list(sizes)

    def server_compressed_streaming(self):
        self.server_streaming(compressed=pb.BoolValue(value=True))

    def half_duplex(self):
        requests = [self.sizes((31415, 9)), self.sizes((2653,))]
        assert [len(r.payload.body) for r in self.half(iter(requests))] == [31415, 9, 2653]

    def ping_pong(self):
        import queue
        q = queue.Queue()
        responses = self.duplex(iter(q.get, None))
        for request, response in ((27182, 31415), (8, 9), (1828, 2653), (45904, 58979)):
            message = self.sizes((response,))
            message.payload.CopyFrom(payload(request))
            q.put(message)
            assert len(next(responses).payload.body) == response
        q.put(None)
        assert list(responses) == []

    def empty_stream(self):
        assert list(self.duplex(iter(()))) == []

    def custom_metadata(self):
        metadata = ((INITIAL, "test_initial_metadata_value"), (TRAILING, b"\xab\xab\xab"))
        _, call = self.unary.with_call(pb.SimpleRequest(response_size=1), metadata=metadata)
        assert (INITIAL, "test_initial_metadata_value") in [tuple(m) for m in call.initial_metadata()]
        assert (TRAILING, b"\xab\xab\xab") in [tuple(m) for m in call.trailing_metadata()]
        stream = self.duplex(iter([self.sizes((1,))]), metadata=metadata)
        assert len(list(stream)) == 1
        assert (INITIAL, "test_initial_metadata_value") in [tuple(m) for m in stream.initial_metadata()]
        assert (TRAILING, b"\xab\xab\xab") in [tuple(m) for m in stream.trailing_metadata()]

    def fails(self, code, f):
        try:
            f()
        except grpc.RpcError as e:
            assert e.code() == code, (e.code(), e.details())
            return e.details()
        raise AssertionError("no error")

    def status_code_and_message(self, text="test status message"):
        status = pb.EchoStatus(code=2, message=text)
        unknown = grpc.StatusCode.UNKNOWN
        assert self.fails(unknown, lambda: self.unary(pb.SimpleRequest(response_status=status))) == text
        request = pb.StreamingOutputCallRequest(response_status=status)
        assert self.fails(unknown, lambda: list(self.duplex(iter([request])))) == text

    def special_status_message(self):
        self.status_code_and_message("\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n")

    def unimplemented_method(self):
        self.fails(grpc.StatusCode.UNIMPLEMENTED, lambda: self.missing(pb.Empty()))

    def unimplemented_service(self):
        self.fails(grpc.StatusCode.UNIMPLEMENTED, lambda: self.other(pb.Empty()))

    def cancel_after_begin(self):
        call = self.input.future(iter(lambda: time.sleep(1) or pb.StreamingInputCallRequest(), None))
        call.cancel()
        assert call.cancelled() and call.code() == grpc.StatusCode.CANCELLED

    def cancel_after_first_response(self):
        import queue
        q = queue.Queue()
        q.put(self.sizes((31415,)))
        call = self.duplex(iter(q.get, None))
        next(call)
        call.cancel()
        self.fails(grpc.StatusCode.CANCELLED, lambda: next(call))
        q.put(None)

    def timeout_on_sleeping_server(self):
        request = self.sizes((1,), interval_us=5000000)
        self.fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: list(self.duplex(iter([request]), timeout=0.001)))

    def rpc_soak(self):
        for _ in range(20):
            self.large()

    def concurrent_large_unary(self):
        request = pb.SimpleRequest(response_size=314159, payload=payload(271828))
        calls = [self.unary.future(request) for _ in range(200)]
        assert all(len(c.result().payload.body) == 314159 for c in calls)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--server_host", default="127.0.0.1")
    parser.add_argument("--server_port", default="10000")
    parser.add_argument("--test_case", default="large_unary")
    parser.add_argument("--ca")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    a = parser.parse_args()
    if a.role == "server":
        serve(a.port, a.cert, a.key)
    elif a.test_case == "list":
        print(" ".join(k for k in vars(Client) if k[0] != "_" and k not in ("large", "fails", "sizes")))
    else:
        client = Client("%s:%s" % (a.server_host, a.server_port), a.ca)
        getattr(client, a.test_case)()
        client.channel.close()


main()
