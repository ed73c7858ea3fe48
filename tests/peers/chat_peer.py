"""grpcio against the chat example: chat_peer.py client ADDRESS | server"""
import queue
import sys
from concurrent import futures

import grpc
import chat_pb2 as pb

JOIN = "/mote.chat.Chat/Join"
E = pb.Event


class Member:
    def __init__(self, address, room, name, channel=None):
        self.say = queue.Queue()
        self.say.put(pb.Say(enter=pb.Enter(room=room, name=name)))
        self.channel = channel or grpc.insecure_channel(address, (("grpc.use_local_subchannel_pool", 1),))
        join = self.channel.stream_stream(JOIN, pb.Say.SerializeToString, E.FromString)
        self.call = join(iter(self.say.get, None))

    def next(self):
        e = next(self.call)
        return e.kind, e.name, e.text

    def leave(self):
        self.say.put(None)
        assert list(self.call) is not None and self.call.code() == grpc.StatusCode.OK


def refused(code, member):
    try:
        member.next()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return
    raise AssertionError(f"no {code}")


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
    for room, name in (("", "rude"), ("room", ""), ("x" * 32, "rude"), ("room", "x" * 32), ("a\0b", "rude"), ("room", "\x1b[2J"),
                       ("room", "a\nb"), ("\0", "rude")):
        refused(grpc.StatusCode.INVALID_ARGUMENT, Member(address, room, name))
    for i in range(40):  # a room is given back by the last one who leaves
        guest = Member(address, f"room {i}", "guest")
        assert guest.next() == (E.ENTERED, "guest", ""), i
        guest.leave()
    guest = Member(address, "room 0", "later")
    assert guest.next() == (E.ENTERED, "later", "")  # of those before there is nothing left
    guest.leave()
    shared = grpc.insecure_channel(address, (("grpc.use_local_subchannel_pool", 1),))
    many = [Member(address, "crowd", f"guest {i}", shared) for i in range(4)]
    for m in many:
        m.next()
    refused(grpc.StatusCode.RESOURCE_EXHAUSTED, Member(address, "crowd", "guest 5", shared))
    other = Member(address, "crowd", "other")  # a connection of its own
    assert other.next()[0] == E.PRESENT
    many[0].leave()
    assert Member(address, "crowd", "guest 6", shared).next()[0] == E.PRESENT
    shared.close()
    other.leave()
    for m in (ann, eve):
        m.leave()


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
