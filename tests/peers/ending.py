"""How servers end, and who gives way when they are full, with grpcio: ending.py [NAME...]. BUILD=build."""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import grpc
import device_pb2
import telemetry_pb2
import tour_pb2

BUILD = os.environ.get("BUILD", "build")
GO = os.environ.get("RESTART_GO")  # the client of tests/interop/restart
WORKERS = 8
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" + bytes(5)
RETRIES = """{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.05s", "maxBackoff": "1s",
    "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}], "loadBalancingConfig": [{"round_robin": {}}]}"""
WAITS = """{"methodConfig": [{"name": [{}], "waitForReady": true}]}"""
READ_CALL = b"\x83\x86\x04\x18/mote.device.Device/Read\x41\x01a\x5f\x10application/grpc"
OPEN_CALL = len(READ_CALL).to_bytes(3, "big") + b"\x01\x04\0\0\0\1" + READ_CALL
TRAILERS = b"\1\5\0\0\0\1"  # the end of the frame header: HEADERS, END_STREAM and END_HEADERS, stream 1
servers = []


def expect(holds, *what):
    if not holds:
        raise AssertionError(" ".join(map(str, what)))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def where(program, port):
    return [f"--port={port}"] if program == "h2_server" else [f"--address=127.0.0.1:{port}"]


class Server:
    def __init__(self, program, port=0, *options):
        self.log = tempfile.NamedTemporaryFile()
        self.p = subprocess.Popen([f"{BUILD}/{program}", *where(program, port), *options], stdout=self.log, stderr=self.log)
        servers.append(self.p)
        while "listening on" not in self.said():
            expect(self.p.poll() is None, self.said())
            time.sleep(0.01)
        self.address = self.said().split("listening on ")[1].split()[0]

    def said(self):
        return open(self.log.name).read()

    def signal(self):
        self.p.send_signal(signal.SIGTERM)

    def wait(self, seconds=20):
        """How long it took."""
        begin = time.monotonic()
        expect(self.p.wait(seconds) == 0, "ended with", self.p.returncode, self.said())
        return time.monotonic() - begin

    def connect(self):
        host, port = self.address.split(":")
        return socket.create_connection((host, int(port)), 10)

    def channel(self):
        return grpc.insecure_channel(self.address, (("grpc.use_local_subchannel_pool", 1),))


def chat(channel):
    return channel.stream_stream("/mote.tour.Tour/Chat", tour_pb2.Note.SerializeToString, tour_pb2.Note.FromString)


def latest(channel):
    return channel.unary_unary("/mote.tour.Tour/Latest", tour_pb2.Query.SerializeToString, tour_pb2.Note.FromString)


def read(channel):
    call = channel.unary_unary("/mote.device.Device/Read", device_pb2.Channel.SerializeToString, device_pb2.Reading.FromString)
    return call(device_pb2.Channel(), timeout=5)


class Said:
    """What a client says in a stream, one after the other."""

    def __init__(self):
        self.items, self.news = [], threading.Condition()

    def put(self, item):
        with self.news:
            self.items.append(item)
            self.news.notify()

    def __iter__(self):
        while True:
            with self.news:
                self.news.wait_for(lambda: self.items)
                item = self.items.pop(0)
            if item is None:
                return
            yield item


# ---- two servers that are stopped and started in turn: no call fails


class Grpcio:
    """Eight workers, each with a channel of its own, that repeat a call until stop()."""
    name = "grpcio"

    def __init__(self, ports, config, call):
        self.over, self.failures, self.done = threading.Event(), [], [0] * WORKERS
        self.target = "ipv4:" + ",".join(f"127.0.0.1:{p}" for p in ports)
        self.threads = [threading.Thread(target=self.work, args=(i, config, call)) for i in range(WORKERS)]
        for t in self.threads:
            t.start()

    def work(self, i, config, call):
        channel = grpc.insecure_channel(self.target, (("grpc.service_config", config), ("grpc.use_local_subchannel_pool", 1),
                                                      ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 200)))
        while not self.over.is_set():
            try:
                call(channel, i, self.done[i])
                self.done[i] += 1
            except grpc.RpcError as e:
                self.failures.append((e.code(), e.details()))
            except AssertionError as e:
                self.failures.append(str(e))

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join()
        return min(self.done), self.failures


class Go:
    """As many workers of Go (tests/interop/restart)."""
    name = "Go"

    def __init__(self, ports, config, kind):
        self.p = subprocess.Popen([GO, kind, config, *(f"127.0.0.1:{p}" for p in ports)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        servers.append(self.p)

    def stop(self):
        said = self.p.communicate(timeout=30)[0].splitlines()
        return int(said[-1].split()[1]), said[:-1]


def connections(port):
    """How many the server at this port has."""
    with open("/proc/net/tcp") as table:
        return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "01" for line in table)


def connected(port, most):
    end = time.monotonic() + 20
    while connections(port) < most:
        expect(time.monotonic() < end, connections(port), "of", most, "have connected")
        time.sleep(0.02)


def a_rolling_restart(start, clients, each=WORKERS):
    """A server stops when of each client so many workers have connected with the other one; `start` makes the one at a port."""
    ports = [free_port(), free_port()]
    pair = [start(p) for p in ports]
    clients = [c(ports) for c in clients]
    for turn in range(6):
        connected(ports[1 - turn % 2], each * len(clients))
        time.sleep(0.3)
        pair[turn % 2].signal()
        pair[turn % 2].wait()
        time.sleep(0.3)
        pair[turn % 2] = start(ports[turn % 2])
    for c in clients:
        least, failures = c.stop()
        expect(not failures and least >= 5, c.name, "with", len(failures), "failed", failures[:2], "and", least, "done by a worker")


def asks(channel, _, nth):
    latest(channel)(tour_pb2.Query(topic="t"), timeout=10)


def uploads(channel, worker, nth):
    """Who repeats what it had sent is told of all of it, too. When grpcio repeats a call by itself, now and then a message is missing
    in what it sends (some in 1,000, on a busy machine, and in no first attempt): then the summary says so, and it is sent once more."""
    call = channel.stream_unary("/mote.telemetry.Telemetry/Upload", telemetry_pb2.Sample.SerializeToString,
                                telemetry_pb2.UploadSummary.FromString)
    samples = [telemetry_pb2.Sample(sequence=nth * 20 + i, metric="m", value=1) for i in range(1, 21)]
    for _ in range(3):
        summary = call(iter(samples), timeout=10, metadata=(("device-id", f"py{worker}"), ("device-epoch", f"{worker + 1:016x}")))
        if summary.received == 20:
            return
    expect(False, "the summary is", summary)


def with_both(kind, call, config):
    """The clients that there are: Go's is built by `make interop`."""
    return [lambda ports: Grpcio(ports, config, call)] + ([lambda ports: Go(ports, config, kind)] if GO else [])


def a_rolling_restart_with_retries():
    a_rolling_restart(lambda port: Server("unary_server", port), with_both("unary", asks, RETRIES))


def a_rolling_restart_without_them():
    """Clients wait for a connection; what was begun must be ended, or be refused as not processed, which gRPC repeats by itself."""
    a_rolling_restart(lambda port: Server("unary_server", port), with_both("unary", asks, WAITS), 0)


def a_rolling_restart_of_collectors():
    """What a device was told to be received is in one of the two stores."""
    with tempfile.TemporaryDirectory() as folder:
        a_rolling_restart(lambda port: Server("collector", port, f"--store={folder}/{port}"), with_both("upload", uploads, RETRIES))


def a_rolling_restart_of_h2_servers():
    """As a name with two addresses: who is told to go connects with the next one."""
    if GO:
        a_rolling_restart(lambda port: Server("h2_server", port), [lambda ports: Go(ports, "-", "http")], 0)


def calls_that_are_open_end_well():
    """40 connections with a call in each; none is lost, nobody new is let in, and the server ends with the last of them."""
    server = Server("bidi_server")
    calls = []
    for i in range(40):
        said = Said()
        call = chat(server.channel())(iter(said), timeout=30)
        said.put(tour_pb2.Note(content=str(i)))
        next(call)
        calls.append((said, call))
    server.signal()
    time.sleep(0.3)
    try:
        server.connect()
        raise AssertionError("a new connection was let in")
    except ConnectionRefusedError:
        pass
    for said, call in calls:
        said.put(tour_pb2.Note(content="late"))
        next(call)
    expect(server.p.poll() is None, "it has ended too early")
    for said, call in calls:
        said.put(None)
        expect(list(call) == [] and call.code() == grpc.StatusCode.OK, call.code(), call.details())
    took = server.wait()
    expect(took < 1, "it took", took, "s")


def goaway_comes_twice_and_says_what_was_processed():
    server = Server("unary_server")
    s = server.connect()
    s.sendall(PREFACE)
    s.recv(4096)
    server.signal()
    time.sleep(0.2)
    said = s.recv(4096)
    at = said.find(b"\x7f\xff\xff\xff")
    expect(at > 0 and said[at - 6] == 7, "the first GOAWAY", said.hex())
    ping = said.index(bytes.fromhex("000008060000000000"))
    # A request that was on its way is served.
    block = b"\x83\x86\x04\x16/mote.tour.Tour/Latest\x41\x01a\x5f\x10application/grpc\x40\x02te\x08trailers"
    s.sendall(len(block).to_bytes(3, "big") + b"\x01\x04\x00\x00\x00\x01" + block + bytes.fromhex("0000050001000000010000000000"))
    s.sendall(bytes.fromhex("000008060100000000") + said[ping + 9:ping + 17])
    said = b""
    try:
        while chunk := s.recv(4096):
            said += chunk
    except ConnectionError:
        pass
    expect(bytes.fromhex("07000000000000000001") in said, "the last GOAWAY names stream 1", said.hex())
    expect(b"\x01\x05\x00\x00\x00\x01" in said or b"\x01\x04\x00\x00\x00\x01" in said, "it is answered", said.hex())
    s.close()
    expect(server.wait() < 1, "the end")


def a_second_signal_ends_at_once():
    server = Server("bidi_server")
    said = Said()
    call = chat(server.channel())(iter(said), timeout=30)
    said.put(tour_pb2.Note(content="x"))
    next(call)
    server.signal()
    time.sleep(0.5)
    expect(server.p.poll() is None, "it does not wait for its calls")
    server.signal()
    took = server.wait()
    expect(took < 0.5, "it took", took, "s")
    try:
        next(call)
        raise AssertionError("the call goes on")
    except grpc.RpcError as e:
        expect(e.code() == grpc.StatusCode.UNAVAILABLE, e)
    said.put(None)


def a_call_that_does_not_end():
    server = Server("bidi_server")
    said = Said()
    call = chat(server.channel())(iter(said), timeout=30)
    said.put(tour_pb2.Note(content="x"))
    next(call)
    server.signal()
    took = server.wait()
    expect(9 < took < 12, "it took", took, "s")
    said.put(None)


def a_signal_at_any_moment():
    """Also right before a wait that nothing else would end."""
    for _ in range(40):
        server = Server("unary_server")
        server.signal()
        took = server.wait(5)
        expect(took < 1, "it took", took, "s")


# ---- a device that dials out


def dialing_holds_nobody_up():
    """A connect that takes long, to a listener whose backlog is full; the device's counters are told meanwhile."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    filled = []
    for _ in range(4):
        filled.append(socket.socket())
        filled[-1].setblocking(False)
        filled[-1].connect_ex(listener.getsockname())
    metrics = free_port()
    p = subprocess.Popen([f"{BUILD}/device", "--dial=127.0.0.1:%d" % listener.getsockname()[1], f"--metrics=127.0.0.1:{metrics}"])
    servers.append(p)
    time.sleep(0.5)
    for _ in range(5):
        begin = time.monotonic()
        s = socket.create_connection(("127.0.0.1", metrics), 5)
        s.settimeout(10)
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        expect(s.recv(15) == b"HTTP/1.1 200 OK", "no answer")
        expect(time.monotonic() - begin < 0.5, "it took", time.monotonic() - begin, "s")
    p.terminate()
    expect(p.wait(2) == 0, "it ends with", p.returncode)


def a_balancer_without_servers_is_not_asked_again_at_once():
    listener = socket.create_server(("127.0.0.1", 0))
    p = subprocess.Popen([f"{BUILD}/device", "--dial=127.0.0.1:%d" % listener.getsockname()[1]])
    servers.append(p)
    times = []
    listener.settimeout(0.5)
    end = time.monotonic() + 7
    while time.monotonic() < end:
        try:
            listener.accept()[0].close()
            times.append(time.monotonic())
        except socket.timeout:
            pass
    gaps = [b - a for a, b in zip(times, times[1:])]
    expect(3 <= len(times) <= 5 and gaps == sorted(gaps), "connections", len(times), "after", gaps)
    p.terminate()
    expect(p.wait(2) == 0, "it ends with", p.returncode)


# ---- who gives way, at a server with 64 slots


def silent(server, how):
    s = server.connect()
    s.sendall(how)
    return s


def those_who_ask_for_nothing_give_way():
    headers = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x83"  # without END_HEADERS
    for how in (b"", PREFACE[:10], PREFACE, PREFACE + headers, PREFACE + OPEN_CALL):
        server = Server("device")
        others = []
        honest = server.channel()
        read(honest)
        for _ in range(200):
            others.append(silent(server, how))
        for _ in range(5):
            read(server.channel())  # newcomers
            read(honest)
        server.p.kill()


def idle_ones_give_way():
    server = Server("device")
    channels = [server.channel() for _ in range(100)]
    for c in channels:
        read(c)
    read(channels[0])  # it was told to go, and comes again
    server.signal()
    server.wait()


def idle_ones_that_stay_silent_give_way():
    """They have been told, and do not answer: the newcomer waits until they are cut off."""
    server = Server("device")
    others = []
    for _ in range(64):
        others.append(silent(server, PREFACE + OPEN_CALL + b"\0\0\5\0\1\0\0\0\1" + bytes(5)))
        said = b""
        while TRAILERS not in said:
            said += others[-1].recv(4096) or b"closed" + TRAILERS
        expect(b"closed" not in said, said)
    read(server.channel())
    server.signal()
    server.wait()


def busy_ones_do_not():
    server = Server("device")
    calls = []
    for _ in range(64):
        watch = server.channel().unary_stream("/mote.device.Device/Watch", device_pb2.Channel.SerializeToString,
                                              device_pb2.Reading.FromString)
        calls.append(watch(device_pb2.Channel(), timeout=60))
        next(calls[-1])
    try:
        read(server.channel())
        raise AssertionError("there is a slot too many")
    except grpc.RpcError as e:
        expect(e.code() == grpc.StatusCode.UNAVAILABLE, e)
    for c in calls:
        next(c)
    calls[0].cancel()
    time.sleep(0.3)
    read(server.channel())
    for c in calls:
        c.cancel()
    server.signal()
    server.wait()


tests = (a_rolling_restart_with_retries, a_rolling_restart_without_them, a_rolling_restart_of_collectors,
         a_rolling_restart_of_h2_servers, calls_that_are_open_end_well,
         goaway_comes_twice_and_says_what_was_processed, a_second_signal_ends_at_once, a_call_that_does_not_end,
         a_signal_at_any_moment, dialing_holds_nobody_up,
         a_balancer_without_servers_is_not_asked_again_at_once, those_who_ask_for_nothing_give_way, idle_ones_give_way,
         idle_ones_that_stay_silent_give_way, busy_ones_do_not)
passed = failed = 0
for test in tests:
    if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
        continue
    begin = time.monotonic()
    try:
        test()
        passed += 1
    except Exception as e:
        print(f"FAIL {test.__name__}: {type(e).__name__} {str(e)[:500]}")
        failed += 1
    if os.environ.get("TIMES"):
        print(f"{test.__name__} {time.monotonic() - begin:.1f} s")
    for p in servers:
        p.kill()
print(f"{passed} passed, {failed} failed")
sys.stdout.flush()
os._exit(failed > 0)
