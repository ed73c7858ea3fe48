"""grpcio against the monitor example: monitor_peer.py client ADDRESS | server"""
import sys
from concurrent import futures

import grpc
import monitor_pb2 as pb

PREFIX = "/mote.monitor.Monitor/"


def client(address):
    channel = grpc.insecure_channel(address)
    push = channel.stream_unary(PREFIX + "Push", pb.Metric.SerializeToString, pb.Accepted.FromString)
    log = channel.stream_unary(PREFIX + "Log", pb.Line.SerializeToString, pb.Accepted.FromString)
    tail = channel.unary_stream(PREFIX + "Tail", pb.Query.SerializeToString, pb.Line.FromString)
    labels = {"room": "attic", "site": "h\u00f6me", "": "empty key", "empty": ""}
    assert push(pb.Metric(name=f"m{i}", value=i / 4, labels=labels) for i in range(500)).count == 500
    try:
        push(iter([pb.Metric(name="m", labels={str(i): "x" for i in range(200)})]))
        raise AssertionError("no error")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
    assert log(pb.Line(level=i % 4, text=f"line {i}") for i in range(100)).count == 100
    call = tail(pb.Query(least=pb.ERROR))
    assert [next(call).text for _ in range(25)] == [f"line {i}" for i in range(3, 100, 4)]
    log(iter([pb.Line(level=pb.ERROR, text="new"), pb.Line(text="not of interest")]))
    line = next(call)  # it comes while the call is open
    assert (line.text, line.number) == ("new", 100)
    call.cancel()


def server():
    def count(requests, context):
        return pb.Accepted(count=sum(1 for r in requests if not isinstance(r, pb.Metric) or r.labels["k"] == "v"))

    def tail(query, context):
        return (pb.Line(level=1, text=f"line {i}", number=i) for i in range(1000))

    handlers = {
        "Push": grpc.stream_unary_rpc_method_handler(count, pb.Metric.FromString, pb.Accepted.SerializeToString),
        "Log": grpc.stream_unary_rpc_method_handler(count, pb.Line.FromString, pb.Accepted.SerializeToString),
        "Tail": grpc.unary_stream_rpc_method_handler(tail, pb.Query.FromString, pb.Line.SerializeToString),
    }
    s = grpc.server(futures.ThreadPoolExecutor(4))
    s.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.monitor.Monitor", handlers),))
    port = s.add_insecure_port("127.0.0.1:0")
    s.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    s.wait_for_termination()


if sys.argv[1] == "client":
    client(sys.argv[2])
else:
    server()
