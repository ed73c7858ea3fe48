"""grpcio calls a device on a board: device_peer.py ADDRESS"""
import sys
import time

import device_pb2 as device
import grpc
import health_pb2 as health
import reflection_pb2 as reflection

passed = failed = 0


def check(name, ok):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print("FAIL", name)


class Client:
    def __init__(self, address):
        self.channel = grpc.insecure_channel(address, options=[("grpc.initial_reconnect_backoff_ms", 200),
                                                               ("grpc.max_reconnect_backoff_ms", 500)])
        unary = lambda path, reply: self.channel.unary_unary(path, lambda m: m.SerializeToString(), reply.FromString)
        stream = lambda path, reply: self.channel.unary_stream(path, lambda m: m.SerializeToString(), reply.FromString)
        self.read = unary("/mote.device.Device/Read", device.Reading)
        self.set = unary("/mote.device.Device/Set", device.Done)
        self.watch = stream("/mote.device.Device/Watch", device.Reading)
        self.check = unary("/grpc.health.v1.Health/Check", health.HealthCheckResponse)
        self.health_watch = stream("/grpc.health.v1.Health/Watch", health.HealthCheckResponse)
        self.info = self.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                                               lambda m: m.SerializeToString(), reflection.ServerReflectionResponse.FromString)


def code_of(call):
    try:
        call()
        return grpc.StatusCode.OK
    except grpc.RpcError as e:
        return e.code()


def readings(client):
    values = [client.read(device.Channel(number=n), timeout=20, wait_for_ready=True).value for n in range(4)]
    check("four channels", values == [20, 55, 1013, 0])
    check("a channel that is not there", code_of(lambda: client.read(device.Channel(number=9), timeout=20))
          == grpc.StatusCode.OUT_OF_RANGE)
    client.set(device.Setting(channel=1, value=-40), timeout=20)
    check("a value that was set", client.read(device.Channel(number=1), timeout=20).value == -40)
    client.set(device.Setting(channel=1, value=55), timeout=20)


def streams(client):
    call = client.watch(device.Channel(number=2), timeout=20)
    times = [next(call).time_ms for _ in range(3)]
    call.cancel()
    check("readings come every half second", all(300 < b - a < 3000 for a, b in zip(times, times[1:])))
    check("after a call that was cancelled", client.read(device.Channel(number=0), timeout=20).value == 20)
    started = time.time()
    check("a deadline", code_of(lambda: list(client.watch(device.Channel(number=2), timeout=1.2)))
          == grpc.StatusCode.DEADLINE_EXCEEDED)
    check("a deadline in time", time.time() - started < 10)
    two = [client.watch(device.Channel(number=n), timeout=20) for n in (0, 2)]
    check("two calls at once", [next(c).value for c in two] == [20, 1013])
    for c in two:
        c.cancel()


def services(client):
    check("health", client.check(health.HealthCheckRequest(service="mote.device.Device"), timeout=20).status == 1)
    changes = client.health_watch(health.HealthCheckRequest(service="mote.device.Device"), timeout=20)
    first = next(changes).status
    client.set(device.Setting(channel=3, value=-1), timeout=20)
    second = next(changes).status
    client.set(device.Setting(channel=3, value=0), timeout=20)
    check("a change of health", (first, second, next(changes).status) == (1, 2, 1))
    changes.cancel()
    requests = [reflection.ServerReflectionRequest(list_services=""),
                reflection.ServerReflectionRequest(file_containing_symbol="mote.device.Device")]
    listed, file = list(client.info(iter(requests), timeout=20))
    check("reflection", "mote.device.Device" in [s.name for s in listed.list_services_response.service])
    check("a file larger than all windows", b"Reading" in file.file_descriptor_response.file_descriptor_proto[0])


def sizes(client):
    """The window of a call is what the board has of memory: 128 bytes, with the prefix of 5."""
    raw = client.channel.unary_unary("/mote.device.Device/Set", lambda m: m, device.Done.FromString)
    setting = device.Setting(channel=1, value=55).SerializeToString()
    padded = lambda n: setting + bytes([15 << 3 | 2, n - len(setting) - 2]) + bytes(n - len(setting) - 2)
    check("the largest message", all(code_of(lambda: raw(padded(123), timeout=20)) == grpc.StatusCode.OK for _ in range(5)))
    check("a larger one", code_of(lambda: raw(padded(124), timeout=20)) == grpc.StatusCode.RESOURCE_EXHAUSTED)
    check("one that is larger than the window", code_of(lambda: raw(setting + b"\x7a\xd0\x0f" + bytes(2000), timeout=20))
          == grpc.StatusCode.RESOURCE_EXHAUSTED)
    check("the connection goes on", client.read(device.Channel(number=0), timeout=20).value == 20)


for round_ in range(2):  # the second connection begins where the first one was
    client = Client(sys.argv[1])
    readings(client)
    streams(client)
    services(client)
    sizes(client)
    client.channel.close()
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
