"""gRPC for Python (grpcio) as the client of a mote server: grpcio_client.py ADDRESS [--small]"""
import sys
import threading
import time

import grpc
import peer_pb2 as pb
import rpc_pb2 as rpc

PREFIX = "/mote.peer.Peer/"
address = sys.argv[1]
small = "--small" in sys.argv
OPTIONS = [("grpc.max_receive_message_length", 8 << 20), ("grpc.max_send_message_length", 8 << 20)]
passed = failed = 0


def run(test):
    global passed, failed
    channel = grpc.insecure_channel(address, options=OPTIONS)
    try:
        test(Stub(channel))
        passed += 1
    except Exception as error:  # a test that fails says why, and the others go on
        failed += 1
        print(f"FAIL {test.__name__}: {type(error).__name__}: {error}")
    finally:
        channel.close()


class Stub:
    def __init__(self, channel):
        out, back = pb.Request.SerializeToString, pb.Response.FromString
        for name in ("Unary", "Sleep", "Cancelled", "Nothing"):
            setattr(self, name, channel.unary_unary(PREFIX + name, out, back))
        self.ServerStream = channel.unary_stream(PREFIX + "ServerStream", out, back)
        self.ClientStream = channel.stream_unary(PREFIX + "ClientStream", out, back)
        self.Bidi = channel.stream_stream(PREFIX + "Bidi", out, back)


def expect(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()} is not {code}"
        return error
    raise AssertionError(f"no error, but {code} was expected")


def unary_of_every_size(stub):
    sizes = (0, 1, 100, 250) if small else (0, 1, 100, 16384, 65535, 65536, 1 << 20, 4 << 20)
    for size in sizes:
        assert len(stub.Unary(pb.Request(payload=b"x" * size)).payload) == size
        if size < 4 << 20:
            assert len(stub.Unary(pb.Request(size=size)).payload) == size


def server_stream(stub):
    for size in (0, 10, 200):
        responses = list(stub.ServerStream(pb.Request(count=3000, size=size)))
        assert [r.index for r in responses] == list(range(3000))
        assert all(len(r.payload) == size for r in responses)


def server_stream_with_a_slow_reader(stub):
    n = 0
    for response in stub.ServerStream(pb.Request(count=3000, size=200 if small else 5000)):
        assert response.index == n
        n += 1
        if n % 500 == 0:
            time.sleep(0.02)
    assert n == 3000


def client_stream(stub):
    for size in (0, 100, 250):
        requests = (pb.Request(payload=b"x" * size) for _ in range(3000))
        assert stub.ClientStream(requests).index == 3000


def bidi_ping_pong(stub):
    answers = threading.Semaphore(1)

    def requests():
        for i in range(500):
            answers.acquire()
            yield pb.Request(payload=b"%d" % i)

    for i, response in enumerate(stub.Bidi(requests())):
        assert response.index == i and response.payload == b"%d" % i
        answers.release()
    assert i == 499


def bidi_flood(stub):
    n = 0
    for response in stub.Bidi(pb.Request(payload=b"y" * 200) for _ in range(10000)):
        assert response.index == n and len(response.payload) == 200
        n += 1
    assert n == 10000


def every_status(stub):
    for code in grpc.StatusCode:
        number = code.value[0]
        if number == 0:
            continue
        text = "caf\u00e9 100%\nsecond line"
        error = expect(code, lambda: stub.Unary(pb.Request(code=number, message=text)))
        assert error.details() == text, error.details()
    expect(grpc.StatusCode.UNIMPLEMENTED, lambda: stub.Nothing(pb.Request()))


def status_with_details(stub):
    status = rpc.Status(code=8, message="full")
    for url, detail in (("RetryInfo", rpc.RetryInfo(retry_delay=rpc.Duration(seconds=2))), ("Help", rpc.Help())):
        status.details.add(type_url="type.googleapis.com/google.rpc." + url, value=detail.SerializeToString())
    error = expect(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: stub.Unary(pb.Request(code=1, payload=status.SerializeToString())))
    assert error.details() == "full", error.details()
    details = [value for name, value in error.trailing_metadata() if name == "grpc-status-details-bin"]
    assert [rpc.Status.FromString(value) for value in details] == [status], details


def metadata(stub):
    _, call = stub.Unary.with_call(
        pb.Request(size=1), metadata=(("x-echo", "hello"), ("x-echo-bin", b"\x00\x01\xff")))
    assert ("x-echo", "hello") in call.initial_metadata(), call.initial_metadata()
    assert ("x-echo-bin", b"\x00\x01\xff") in call.trailing_metadata(), call.trailing_metadata()


def deadline(stub):
    start = time.time()
    expect(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: stub.Sleep(pb.Request(), timeout=0.2))
    assert 0.15 < time.time() - start < 5


def cancellation_reaches_the_server(stub):
    before = stub.Cancelled(pb.Request()).index
    calls = [stub.Sleep.future(pb.Request()) for _ in range(5)]
    time.sleep(0.2)
    for call in calls:
        call.cancel()
    for _ in range(50):
        if stub.Cancelled(pb.Request()).index >= before + 5:
            return
        time.sleep(0.02)
    raise AssertionError("the server did not see all cancellations")


def many_calls_at_once(stub):
    size = 250 if small else 3000
    for _ in range(3):
        calls = [stub.Unary.future(pb.Request(size=size)) for _ in range(300)]
        assert all(len(c.result().payload) == size for c in calls)


def a_message_that_is_too_large_fails_that_call_alone(stub):
    size = 1000 if small else 5 << 20
    expect(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: stub.Unary(pb.Request(payload=b"x" * size)))
    stub.Unary(pb.Request(size=1))


def an_invalid_message_is_an_error_of_that_call(stub):
    channel = grpc.insecure_channel(address)
    raw = channel.unary_unary(PREFIX + "Unary")
    expect(grpc.StatusCode.INTERNAL, lambda: raw(b"\x2a\x7f"))
    channel.close()
    stub.Unary(pb.Request(size=1))


TESTS = [unary_of_every_size, server_stream, server_stream_with_a_slow_reader, client_stream,
         bidi_ping_pong, bidi_flood, every_status, status_with_details, metadata, deadline,
         cancellation_reaches_the_server, many_calls_at_once,
         a_message_that_is_too_large_fails_that_call_alone,
         an_invalid_message_is_an_error_of_that_call]
for t in TESTS:
    run(t)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
