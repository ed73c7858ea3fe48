"""grpcio against the chat example: chat_peer.py client ADDRESS | server"""
import queue
import sys
from concurrent import futures

import grpc
import chat_pb2 as pb

JOIN = "/mote.chat.Chat/Join"
E = pb.Event


class Member:
    def __init__(self, address, room, name):
        self.say = queue.Queue()
        self.say.put(pb.Say(enter=pb.Enter(room=room, name=name)))
        self.channel = grpc.insecure_channel(address)
        join = self.channel.stream_stream(JOIN, pb.Say.SerializeToString, E.FromString)
        self.call = join(iter(self.say.get, None))

    def next(self):
        e = next(self.call)
        return e.kind, e.name, e.text


def client(address):
    ann = Member(address, "room", "ann")
    assert ann.next() == (E.ENTERED, "ann", "")
    bob = Member(address, "room", "bob")
    assert [bob.next(), bob.next()] == [(E.PRESENT, "ann", ""), (E.ENTERED, "bob", "")]
    eve = Member(address, "elsewhere", "eve")
    assert eve.next() == (E.ENTERED, "eve", "")
    for i in range(50):
        bob.say.put(pb.Say(text=f"message {i}"))
    assert ann.next() == (E.ENTERED, "bob", "")
    assert [ann.next() for _ in range(50)] == [(E.TEXT, "bob", f"message {i}") for i in range(50)]
    bob.call.cancel()  # gone without a word
    assert ann.next() == (E.LEFT, "bob", "")
    eve.say.put(pb.Say(text="alone"))
    assert eve.next() == (E.TEXT, "eve", "alone")
    rude = Member(address, "", "rude")
    try:
        rude.next()
        raise AssertionError("no error")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    for m in (ann, eve):
        m.say.put(None)
        assert list(m.call) is not None and m.call.code() == grpc.StatusCode.OK


def server():
    def join(requests, context):
        name = next(requests).enter.name
        yield pb.Event(kind=E.ENTERED, name=name)
        for r in requests:
            yield pb.Event(kind=E.TEXT, name=name, text=r.text)

    handler = grpc.stream_stream_rpc_method_handler(join, pb.Say.FromString, E.SerializeToString)
    s = grpc.server(futures.ThreadPoolExecutor(4))
    s.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.chat.Chat", {"Join": handler}),))
    port = s.add_insecure_port("127.0.0.1:0")
    s.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    s.wait_for_termination()


if sys.argv[1] == "client":
    client(sys.argv[2])
else:
    server()
