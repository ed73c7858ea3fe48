"""grpcio against the prices example: prices_peer.py client ADDRESS | server"""
import sys
import time
from concurrent import futures

import grpc
import prices_pb2 as pb

WATCH = "/mote.prices.Prices/Watch"


def client(address):
    channel = grpc.insecure_channel(address)
    watch = channel.unary_stream(WATCH, pb.Filter.SerializeToString, pb.Price.FromString)
    call = watch(pb.Filter(symbols=["BOLT", "nobody"]))
    prices = [next(call) for _ in range(5)]
    assert {p.symbol for p in prices} == {"BOLT"}
    assert all(a.change < b.change for a, b in zip(prices, prices[1:]))
    call.cancel()
    assert {p.symbol for p, _ in zip(watch(pb.Filter()), range(5))} == {"ACME", "BOLT", "CORK", "DUNE", "ECHO"}
    try:
        list(watch(pb.Filter(symbols=["nobody"])))
        raise AssertionError("no error")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND
    for _ in range(100):  # watchers that leave make room for others
        call = watch(pb.Filter())
        next(call)
        call.cancel()


def server():
    def watch(request, context):
        i = 0
        while context.is_active():
            i += 1
            yield pb.Price(symbol=request.symbols[i % len(request.symbols)], cents=100 + i, change=i)
            time.sleep(0.001)

    handler = grpc.unary_stream_rpc_method_handler(watch, pb.Filter.FromString, pb.Price.SerializeToString)
    s = grpc.server(futures.ThreadPoolExecutor(4))
    s.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.prices.Prices", {"Watch": handler}),))
    port = s.add_insecure_port("127.0.0.1:0")
    s.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    s.wait_for_termination()


if sys.argv[1] == "client":
    client(sys.argv[2])
else:
    server()
