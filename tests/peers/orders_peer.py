"""grpcio against the orders example: orders_peer.py client ADDRESS | server"""
import sys
from concurrent import futures

import grpc
import orders_pb2 as pb

PREFIX = "/mote.orders.Orders/"


def client(address):
    channel = grpc.insecure_channel(address)
    load = channel.stream_unary(PREFIX + "Import", pb.Order.SerializeToString, pb.ImportResult.FromString)
    history = channel.unary_stream(PREFIX + "History", pb.HistoryQuery.SerializeToString, pb.Order.FromString)
    updates = channel.stream_stream(PREFIX + "Updates", pb.Update.SerializeToString, pb.Update.FromString)

    def order(i):
        items = [pb.Item(article=f"article {k}", quantity=k + 1, cents=100 * k) for k in range(1 + i % 8)]
        return pb.Order(id=f"g{i}", customer=f"customer {i % 5}", items=items)

    result = load(order(i) for i in range(200))
    assert (result.succeeded, result.failed, len(result.errors)) == (200, 0, 0)
    result = load(order(i % 3) if i % 2 else pb.Order(id="none") for i in range(30))
    assert (result.succeeded, result.failed, len(result.errors)) == (0, 30, 10)
    assert result.errors[0] == "order 1: an order has 1 to 8 items", result.errors[0]
    got = list(history(pb.HistoryQuery(customer="customer 2")))
    assert got == [order(i) for i in range(200) if i % 5 == 2]
    changes = [("g1", pb.PAID), ("g1", pb.SHIPPED), ("g1", pb.CANCELLED), ("nobody", pb.PAID)]
    answers = [u.error for u in updates(pb.Update(id=i, status=s) for i, s in changes)]
    assert answers == ["", "", "the order is shipped or cancelled", "no such order"], answers


def server():
    def load(orders, context):
        n = sum(1 for _ in orders)
        return pb.ImportResult(succeeded=n - 1, failed=1, errors=["order 1: no reason"])

    def history(query, context):
        return (pb.Order(id=f"h{i}", customer=query.customer, items=[pb.Item(article="x", quantity=i)])
                for i in range(100))

    def updates(requests, context):
        return (pb.Update(id=u.id, status=u.status, error="" if u.status == 1 else "no") for u in requests)

    handlers = {
        "Import": grpc.stream_unary_rpc_method_handler(load, pb.Order.FromString, pb.ImportResult.SerializeToString),
        "History": grpc.unary_stream_rpc_method_handler(history, pb.HistoryQuery.FromString, pb.Order.SerializeToString),
        "Updates": grpc.stream_stream_rpc_method_handler(updates, pb.Update.FromString, pb.Update.SerializeToString),
    }
    s = grpc.server(futures.ThreadPoolExecutor(4))
    s.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.orders.Orders", handlers),))
    port = s.add_insecure_port("127.0.0.1:0")
    s.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    s.wait_for_termination()


if sys.argv[1] == "client":
    client(sys.argv[2])
else:
    server()
