"""/mote.differ.Echo/Stream on grpcio: each message comes back."""
import time
from concurrent import futures

import grpc


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method != "/mote.differ.Echo/Stream":
            return None
        return grpc.stream_stream_rpc_method_handler(lambda messages, context: (m for m in messages))


server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.max_concurrent_streams", 32)])
server.add_generic_rpc_handlers((Echo(),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"listening on 127.0.0.1:{port}", flush=True)
time.sleep(10000)
