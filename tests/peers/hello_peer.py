"""grpcio beside the hello programs of examples/hello: hello_peer.py SERVER CLIENT [SERVER CLIENT ...]

Each SERVER is called by grpcio, and each CLIENT calls a server of grpcio ("": there is none); the messages are described here, so that no
generated code is needed."""
import concurrent.futures
import re
import struct
import subprocess
import sys

import grpc

QUESTION = b"\x0a\x07kitchen"
READING = b"\x09" + struct.pack("<d", 19.25)


def same(message):
    return message


def run_server(program):
    """What grpcio gets from SERVER: a reading, and a status for a room without a name."""
    p = subprocess.Popen([program, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        address = p.stdout.readline().removeprefix("listening on ").strip()
        with grpc.insecure_channel(address) as channel:
            read = channel.unary_unary("/hello.Thermometer/Read", same, same)
            got = read(QUESTION, timeout=10)
            assert got == b"\x09" + struct.pack("<d", 21.5), got
            try:
                read(b"", timeout=10)
                raise AssertionError("a room without a name was found")
            except grpc.RpcError as e:
                assert (e.code(), e.details()) == (grpc.StatusCode.NOT_FOUND, "a room without a name"), e
    finally:
        p.terminate()
        assert p.wait(10) == 0, "status %d" % p.returncode


class Thermometer(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == "/hello.Thermometer/Read":
            return grpc.unary_unary_rpc_method_handler(self.read, same, same)
        return None

    def read(self, request, context):
        assert request == QUESTION, request
        return READING


def run_client(program):
    """What CLIENT gets from grpcio."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[Thermometer()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        r = subprocess.run([program, "127.0.0.1:%d" % port], capture_output=True, text=True, timeout=20)
        assert r.returncode == 0 and set(r.stdout.splitlines()) == {"19.2 degrees"}, r
    finally:
        server.stop(0).wait()
    r = subprocess.run([program, "127.0.0.1:%d" % port], capture_output=True, text=True, timeout=20)
    told = re.match(r"error 14: connect [0-9.]+:\d+: (connection refused or reset|.*refused)", r.stderr) or (not r.stderr and re.match(r"error 14: (connect|the other end of the line has ended the connection)\n", r.stdout))  # of a board
    assert r.returncode == 14 and told, r


for server_program, client_program in zip(sys.argv[1::2], sys.argv[2::2]):
    if server_program:
        run_server(server_program)
    run_client(client_program)
