"""A short conversation of grpcio with mote.peer.Peer, for recording: client.py ADDRESS"""
import sys

import grpc
import peer_pb2 as pb

channel = grpc.insecure_channel(sys.argv[1])
out, back = pb.Request.SerializeToString, pb.Response.FromString
unary = channel.unary_unary("/mote.peer.Peer/Unary", out, back)
unary(pb.Request(payload=b"first"), metadata=(("x-echo", "hello"), ("x-echo-bin", b"\0\1\2")))
unary(pb.Request(payload=b"second" * 100), timeout=60)
try:
    unary(pb.Request(code=5, message="not here \u20ac"))
except grpc.RpcError:
    pass
try:
    channel.unary_unary("/mote.peer.Peer/Nothing", out, back)(pb.Request())
except grpc.RpcError:
    pass
list(channel.unary_stream("/mote.peer.Peer/ServerStream", out, back)(pb.Request(count=20, size=30)))
channel.stream_unary("/mote.peer.Peer/ClientStream", out, back)(
    pb.Request(payload=b"x" * n) for n in range(0, 1000, 50))
list(channel.stream_stream("/mote.peer.Peer/Bidi", out, back)(
    pb.Request(payload=b"y" * n) for n in range(0, 100, 9)))
channel.close()
