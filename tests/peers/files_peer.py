"""grpcio against the files example: files_peer.py client ADDRESS | server"""
import random
import sys
import zlib
from concurrent import futures

import grpc
import files_pb2 as pb

PREFIX = "/mote.files.Files/"


def chunks(name, data, size):
    for at in range(0, len(data), size):
        yield pb.Chunk(name=name if at == 0 else "", offset=at, data=data[at:at + size])


def client(address):
    channel = grpc.insecure_channel(address)
    upload = channel.stream_unary(PREFIX + "Upload", pb.Chunk.SerializeToString, pb.Receipt.FromString)
    download = channel.unary_stream(PREFIX + "Download", pb.Request.SerializeToString, pb.Part.FromString)
    data = random.Random(1).randbytes(5_000_000)
    receipt = upload(chunks("from_grpcio", data, 5000))
    assert (receipt.size, receipt.crc32) == (len(data), zlib.crc32(data))
    for offset in (0, 1, 4_999_999):
        *parts, last = list(download(pb.Request(name="from_grpcio", offset=offset)))
        assert b"".join(p.chunk.data for p in parts) == data[offset:]
        assert (last.receipt.size, last.receipt.crc32) == (len(data), zlib.crc32(data))
    call = download(pb.Request(name="from_grpcio"))  # a reader that leaves
    next(call)
    call.cancel()
    for code, do in ((grpc.StatusCode.NOT_FOUND, lambda: list(download(pb.Request(name="none")))),
                     (grpc.StatusCode.OUT_OF_RANGE, lambda: list(download(pb.Request(name="from_grpcio", offset=9**9)))),
                     (grpc.StatusCode.PERMISSION_DENIED, lambda: upload(chunks("../up", b"x", 1))),
                     (grpc.StatusCode.OUT_OF_RANGE, lambda: upload(iter([pb.Chunk(name="gap", offset=7, data=b"x")])))):
        try:
            do()
            raise AssertionError(f"no {code}")
        except grpc.RpcError as error:
            assert error.code() == code, error


def server():
    files = {}

    def upload(requests, context):
        name, data = None, b""
        for c in requests:
            name = name or c.name
            assert c.offset == len(data)
            data += c.data
        files[name] = data
        return pb.Receipt(size=len(data), crc32=zlib.crc32(data))

    def download(request, context):
        data = files[request.name]
        for c in chunks("", data, 3000):
            yield pb.Part(chunk=c)
        yield pb.Part(receipt=pb.Receipt(size=len(data), crc32=zlib.crc32(data)))

    handlers = {
        "Upload": grpc.stream_unary_rpc_method_handler(upload, pb.Chunk.FromString, pb.Receipt.SerializeToString),
        "Download": grpc.unary_stream_rpc_method_handler(download, pb.Request.FromString, pb.Part.SerializeToString),
    }
    s = grpc.server(futures.ThreadPoolExecutor(4))
    s.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.files.Files", handlers),))
    port = s.add_insecure_port("127.0.0.1:0")
    s.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    s.wait_for_termination()


if sys.argv[1] == "client":
    client(sys.argv[2])
else:
    server()
