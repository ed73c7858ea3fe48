"""gRPC for Python (grpcio) as the server of mote clients: prints "listening on ADDRESS"."""
import sys
import threading
from concurrent import futures

import grpc
import peer_pb2 as pb

cancelled = 0


def echo_metadata(context):
    given = dict(context.invocation_metadata())
    if "x-echo" in given:
        context.send_initial_metadata((("x-echo", given["x-echo"]),))
    if "x-echo-bin" in given:
        context.set_trailing_metadata((("x-echo-bin", given["x-echo-bin"]),))


def check(request, context):
    if request.code:
        code = next(c for c in grpc.StatusCode if c.value[0] == request.code)
        context.abort(code, request.message)


def response(request, index=0):
    return pb.Response(index=index, payload=request.payload or bytes(request.size))


def unary(request, context):
    echo_metadata(context)
    check(request, context)
    return response(request)


def server_stream(request, context):
    check(request, context)
    for i in range(request.count):
        yield response(request, i)


def client_stream(requests, context):
    return pb.Response(index=sum(1 for _ in requests))


def bidi(requests, context):
    for i, request in enumerate(requests):
        yield response(request, i)


def sleep(request, context):
    done = threading.Event()
    context.add_callback(done.set)
    done.wait(10)
    return pb.Response()


into, out = pb.Request.FromString, pb.Response.SerializeToString
handlers = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary, into, out),
    "Sleep": grpc.unary_unary_rpc_method_handler(sleep, into, out),
    "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream, into, out),
    "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream, into, out),
    "Bidi": grpc.stream_stream_rpc_method_handler(bidi, into, out),
}
server = grpc.server(futures.ThreadPoolExecutor(32), options=[
    ("grpc.max_receive_message_length", 8 << 20), ("grpc.max_send_message_length", 8 << 20)])
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.peer.Peer", handlers),))
port = server.add_insecure_port(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:0")
server.start()
print(f"listening on 127.0.0.1:{port}", flush=True)
server.wait_for_termination()
