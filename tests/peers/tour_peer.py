"""grpcio against the examples: tour_peer.py client ADDRESS | server"""
import sys
from concurrent import futures

import grpc
import tour_pb2 as pb

PREFIX = "/mote.tour.Tour/"


def client(kind, address):
    channel = grpc.insecure_channel(address)
    note, query, summary = pb.Note, pb.Query, pb.Summary
    if kind == "unary":
        call = channel.unary_unary(PREFIX + "Latest", query.SerializeToString, note.FromString)
        assert call(pb.Query(topic="t")).topic == "t"
        try:
            call(pb.Query())
            raise AssertionError("no error")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND
    elif kind == "server_stream":
        call = channel.unary_stream(PREFIX + "Subscribe", query.SerializeToString, note.FromString)
        assert [n.time_ms for n in call(pb.Query(maximum=1000))] == list(range(1000))
    elif kind == "client_stream":
        call = channel.stream_unary(PREFIX + "Publish", note.SerializeToString, summary.FromString)
        assert call(pb.Note(content="x" * 100) for _ in range(1000)).count == 1000
    else:
        call = channel.stream_stream(PREFIX + "Chat", note.SerializeToString, note.FromString)
        answers = list(call(pb.Note(content=str(i)) for i in range(1000)))
        assert [n.content for n in answers] == [str(i) for i in range(1000)]
        assert all(n.sender == "bidi_server" for n in answers)


def server():
    def latest(q, context):
        return pb.Note(topic=q.topic, content="from grpcio", sender="grpcio")

    def subscribe(q, context):
        return (pb.Note(content=f"note {i}") for i in range(q.maximum))

    def publish(notes, context):
        return pb.Summary(count=sum(1 for _ in notes))

    def chat(notes, context):
        for n in notes:
            yield pb.Note(topic=n.topic, content=n.content, sender="grpcio")

    into, out = pb.Note.FromString, pb.Note.SerializeToString
    handlers = {
        "Latest": grpc.unary_unary_rpc_method_handler(latest, pb.Query.FromString, out),
        "Subscribe": grpc.unary_stream_rpc_method_handler(subscribe, pb.Query.FromString, out),
        "Publish": grpc.stream_unary_rpc_method_handler(publish, into, pb.Summary.SerializeToString),
        "Chat": grpc.stream_stream_rpc_method_handler(chat, into, out),
    }
    s = grpc.server(futures.ThreadPoolExecutor(4))
    s.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.tour.Tour", handlers),))
    port = s.add_insecure_port("127.0.0.1:0")
    s.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    s.wait_for_termination()


if sys.argv[1] == "server":
    server()
else:
    client(sys.argv[1], sys.argv[2])
