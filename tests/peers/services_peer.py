"""Health checking and reflection of build/device, and its counters, with grpcio."""
import socket
import sys
import time
import urllib.request

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool

import device_pb2
import health_pb2 as health
import reflection_pb2 as reflection

address, metrics = sys.argv[1:3]
channel = grpc.insecure_channel(address)
passed = failed = 0


def check(name, condition):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    if not condition:
        print("FAIL", name)


def unary(method, request, response):
    call = channel.unary_unary(method, lambda m: m.SerializeToString(), response.FromString)
    try:
        return call(request, timeout=10)
    except grpc.RpcError as e:
        return e.code()


# ---- health

CHECK, LIST = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List"
serving = health.HealthCheckResponse(status=1)
check("the server is healthy", unary(CHECK, health.HealthCheckRequest(), health.HealthCheckResponse) == serving)
check("a service is healthy", unary(CHECK, health.HealthCheckRequest(service="mote.device.Device"),
                                    health.HealthCheckResponse) == serving)
check("an unknown service", unary(CHECK, health.HealthCheckRequest(service="x"), health.HealthCheckResponse)
      == grpc.StatusCode.NOT_FOUND)
statuses = unary(LIST, health.HealthListRequest(), health.HealthListResponse).statuses
check("the list of services", sorted(statuses) == ["", "mote.device.Device"] and statuses[""] == serving)
watch = channel.unary_stream("/grpc.health.v1.Health/Watch", lambda m: m.SerializeToString(),
                             health.HealthCheckResponse.FromString)
stream = watch(health.HealthCheckRequest(service="mote.device.Device"), timeout=10)
check("a watcher is told at once", next(stream).status == 1)
value = channel.unary_unary("/mote.device.Device/Set", lambda m: m.SerializeToString(), device_pb2.Done.FromString)
value(device_pb2.Setting(channel=3, value=-1))
check("a watcher is told of a change", next(stream).status == 2)
value(device_pb2.Setting(channel=3, value=0))
check("and of the next one", next(stream).status == 1)
stream.cancel()
stream = watch(health.HealthCheckRequest(service="x"), timeout=10)
check("a watcher of an unknown service", next(stream).status == 3)
stream.cancel()

# ---- reflection

for version in ("v1", "v1alpha"):
    info = channel.stream_stream("/grpc.reflection.%s.ServerReflection/ServerReflectionInfo" % version,
                                 lambda m: m.SerializeToString(), reflection.ServerReflectionResponse.FromString)

    def ask(**request):
        r = reflection.ServerReflectionRequest(host="h", **request)
        answer = next(info(iter([r]), timeout=10))
        check(version + ": the request comes back", answer.original_request == r and answer.valid_host == "h")
        return answer

    names = [s.name for s in ask(list_services="").list_services_response.service]
    check(version + ": services are listed", "mote.device.Device" in names and "grpc.health.v1.Health" in names)
    for symbol in ("mote.device.Device", "mote.device.Device.Read", "mote.device.Reading", "mote.device.Reading.value"):
        files = ask(file_containing_symbol=symbol).file_descriptor_response.file_descriptor_proto
        check(version + ": " + symbol, len(files) == 1)
        file = descriptor_pb2.FileDescriptorProto.FromString(files[0])
        check(version + ": its file", file.name == "device.proto" and not file.HasField("source_code_info"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    check(version + ": the file describes the service",
          [m.name for m in pool.FindServiceByName("mote.device.Device").methods] == ["Read", "Set", "Watch"])
    service = "grpc.reflection.%s.ServerReflection" % version
    file = ask(file_containing_symbol=service).file_descriptor_response.file_descriptor_proto[0]
    pool.AddSerializedFile(file)
    check(version + ": it describes itself", pool.FindServiceByName(service).methods[0].output_type.full_name
          == "grpc.reflection.%s.ServerReflectionResponse" % version)
    check(version + ": by the name of a file", ask(file_by_filename="health.proto").HasField("file_descriptor_response"))
    for request in ({"file_by_filename": "x.proto"}, {"file_containing_symbol": "mote.device"},
                    {"file_containing_symbol": "mote.device.Reading.value.x"},
                    {"file_containing_extension": {"containing_type": "x", "extension_number": 1}},
                    {"all_extension_numbers_of_type": "x"}):
        check(version + ": not found: %s" % request, ask(**request).error_response.error_code == 5)
    check(version + ": no request", ask().error_response.error_code == 3)
    check(version + ": no extensions", ask(all_extension_numbers_of_type="mote.device.Reading")
          .all_extension_numbers_response.base_type_name == "mote.device.Reading")

# ---- counters

text = urllib.request.urlopen("http://%s/metrics" % metrics, timeout=10).read().decode()
numbers = dict(line.split() for line in text.splitlines() if not line.startswith("#"))
started, ended = int(numbers["grpc_server_started_total"]), int(numbers["grpc_server_succeeded_total"]) + int(
    numbers["grpc_server_failed_total"])
check("calls are counted", started >= 30 and 0 <= started - ended <= 1)
check("messages are counted", int(numbers["grpc_server_msg_received_total"]) >= 30)

# ---- those who ask for nothing hold nobody up


def slowest_call(seconds=1.5):
    read = channel.unary_unary("/mote.device.Device/Read", lambda m: m.SerializeToString(), device_pb2.Reading.FromString)
    end, slowest = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        begin = time.monotonic()
        read(device_pb2.Channel(), timeout=10)
        slowest = max(slowest, time.monotonic() - begin)
    return slowest


def connect():
    host, port = metrics.split(":")
    return socket.create_connection((host, int(port)))


quiet = slowest_call(0.5)
silent = [connect() for _ in range(100)]
beside = slowest_call()
check(f"a call beside 100 silent connections takes {beside:.3f} s, otherwise {quiet:.3f} s", beside < 0.25)
for s in silent:
    s.close()
silent = [connect() for _ in range(100)]
text = urllib.request.urlopen("http://%s/metrics" % metrics, timeout=10).read().decode()
check("counters are told beside them", "grpc_server_started_total" in text)
check("what goes down is no counter", all(f"# TYPE mote_open_connections_bytes_{way} gauge\n" in text for way in ("in", "out")))
for s in silent:
    s.close()

# ---- nor do those who ask for too much, or take nothing


def huge():
    """64 KiB at a time of a request that does not end, until it is cut off."""
    s, sent = connect(), 0
    s.settimeout(2)
    try:
        while sent < 1 << 26:
            sent += s.send(b"GET /" + b"a" * 65531)
    except OSError:
        pass
    s.close()
    return sent


def takes_nothing():
    s = connect()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    s.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
    return s


sent = [huge() for _ in range(4)]
check(f"a request that does not end is cut off: after {max(sent)} bytes", max(sent) < 1 << 26)
slow = [takes_nothing() for _ in range(40)]
text = urllib.request.urlopen("http://%s/metrics" % metrics, timeout=10).read().decode()
check("counters are told beside those who take nothing", text.endswith("\n") and "grpc_server_started_total" in text)
beside = slowest_call(0.5)
check(f"a call beside them takes {beside:.3f} s, otherwise {quiet:.3f} s", beside < 0.25)
for s in slow:
    s.close()

late = connect()
late.settimeout(10)
begin = time.monotonic()
check("one that says nothing is closed", late.recv(10) == b"" and time.monotonic() - begin < 4)
half = connect()
half.sendall(b"GET /metrics HTTP/1.1\r\n")
half.settimeout(10)
check("one that asks is answered", half.recv(15) == b"HTTP/1.1 200 OK")

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
