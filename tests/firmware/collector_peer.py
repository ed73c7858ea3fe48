"""A collector with grpcio and its default settings: collector_peer.py PORT STORE [CERT KEY], with a certificate over TLS. Asks
for a reading each $INTERVAL ms (50). Keeps samples over its own restarts, as lines "SEQUENCE METRIC
VALUE EPOCH", and acknowledges what it has of an epoch; a sample that comes again is not stored again."""
import os
import sys
import threading
from concurrent import futures

import grpc
import telemetry_pb2 as telemetry

lock = threading.Lock()
store = open(sys.argv[2], "a+")
store.seek(0)
last = {line.split()[3]: int(line.split()[0]) for line in store}


def upload(samples, context):
    fields = dict(context.invocation_metadata())
    assert fields["device-id"]
    epoch = fields["device-epoch"]
    count = 0
    for s in samples:
        count += 1
        with lock:
            if s.sequence > last.get(epoch, 0):
                store.write("%d %s %f %s\n" % (s.sequence, s.metric, s.value, epoch))
                store.flush()
                last[epoch] = s.sequence
    return telemetry.UploadSummary(received=count)


def control(reports, context):
    over = threading.Event()
    context.add_callback(over.set)
    epoch = "%016x" % next(reports).epoch
    told = None
    beats = []

    def hear():  # each further Report is a heartbeat
        for report in reports:
            beats.append(report)

    threading.Thread(target=hear, daemon=True).start()
    yield telemetry.Command(interval_ms=int(os.environ.get("INTERVAL", "50")))
    while not over.wait(0.02):
        with lock:
            now = last.get(epoch, 0)
        if now != told or beats:
            told = now
            beats.clear()
            yield telemetry.Command(acknowledged=now)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
output = lambda m: m.SerializeToString()
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.telemetry.Telemetry", {
    "Upload": grpc.stream_unary_rpc_method_handler(upload, telemetry.Sample.FromString, output),
    "Control": grpc.stream_stream_rpc_method_handler(control, telemetry.Report.FromString, output)}),))
if len(sys.argv) > 3:
    cert, key = (open(name, "rb").read() for name in sys.argv[3:5])
    server.add_secure_port("127.0.0.1:" + sys.argv[1], grpc.ssl_server_credentials([(key, cert)]))
else:
    server.add_insecure_port("127.0.0.1:" + sys.argv[1])
server.start()
print("listening", flush=True)
try:
    server.wait_for_termination()
except KeyboardInterrupt:
    os._exit(0)
