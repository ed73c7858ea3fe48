"""Every way a call can be left, in every phase of it, of every method of all example servers, plain and over TLS: descriptors are
given back, seats and slots are free again, what the end of the server ends leaves nothing behind, and an honest call is served, beside an address that takes all it can as well. ways_out.py [SERVER...]. BUILD=build; SEED=1 chooses one
in SAMPLE=16 of them; SAMPLE=1: all, some 12,000 calls in two minutes."""
import glob
import os
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
PART = int(os.environ.get("SAMPLE", "16"))
CHOICE = random.Random(int(os.environ.get("SEED", "1")))
TIMES = 3  # each; with all phases and ways more often than any server has seats
passed = failed = 0


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\0" + bytes((len(name),)) + name + bytes((len(value),)) + value


def field(number, value):
    if isinstance(value, int):
        return bytes((number << 3, value))
    return bytes((number << 3 | 2, len(value))) + value


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
OPEN, SHUT = frame(4, 0, 0) + frame(4, 1, 0), frame(4, 0, 0, b"\0\4\0\0\0\0") + frame(4, 1, 0)  # windows of 0
SAMPLE = field(1, 1) + field(2, b"m")

# Each method with a first message; {} is another number each time: who names something new leaves nothing behind.
METHODS = {
    "unary_server": {"/mote.tour.Tour/Latest": field(1, b"t")},
    "server_stream_server": {"/mote.tour.Tour/Subscribe": field(1, b"t")},
    "client_stream_server": {"/mote.tour.Tour/Publish": field(1, b"t")},
    "bidi_server": {"/mote.tour.Tour/Chat": field(1, b"t")},
    "chat_server": {"/mote.chat.Chat/Join": field(1, field(1, b"room{}") + field(2, b"me{}"))},
    "files_server": {"/mote.files.Files/Upload": field(1, b"file{}") + field(3, b"x"), "/mote.files.Files/Download": field(1, b"kept"),
                     "/mote.files.Files/List": b""},
    "monitor_server": {"/mote.monitor.Monitor/Push": field(1, b"m{}"), "/mote.monitor.Monitor/Log": field(2, b"text"),
                       "/mote.monitor.Monitor/Tail": b""},
    "orders_server": {"/mote.orders.Orders/History": b"", "/mote.orders.Orders/Import": field(1, b"o{}"),
                      "/mote.orders.Orders/Updates": field(1, b"none")},
    "prices_server": {"/mote.prices.Prices/Watch": b""},
    "device": {"/mote.device.Device/Read": b"", "/mote.device.Device/Set": b"", "/mote.device.Device/Watch": b"",
               "/grpc.health.v1.Health/Check": b"", "/grpc.health.v1.Health/Watch": b"",
               "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": field(7, b"")},
    "collector": {"/mote.telemetry.Telemetry/Upload": SAMPLE, "/mote.telemetry.Telemetry/Control": b""},
    "collector --web": {"/mote.dashboard.Dashboard/Watch": b"", "/mote.dashboard.Dashboard/Recent": field(1, b"d{}"),
                        "/mote.dashboard.Dashboard/Command": field(1, b"d{}") + field(2, 50)},
}


def headers(path, number, *more):
    block = (b"\x83\x86" + literal(b":path", path.encode()) + literal(b":authority", b"localhost") + literal(b"te", b"trailers") +
             literal(b"content-type", b"application/grpc") + literal(b"device-id", b"d%d" % number) + b"".join(more))
    return frame(1, 4, 1, block)


def message(data):
    return struct.pack(">BI", 0, len(data)) + data


# What was sent before the call is left.
PHASES = {
    "a preface": lambda h, m: OPEN,
    "half of the headers": lambda h, m: OPEN + h[:20],
    "headers without their end": lambda h, m: OPEN + h[:4] + b"\0" + h[5:],
    "headers": lambda h, m: OPEN + h,
    "half of a message": lambda h, m: OPEN + h + frame(0, 0, 1, message(m)[:3]),
    "a message": lambda h, m: OPEN + h + frame(0, 0, 1, message(m)),
    "all of it": lambda h, m: OPEN + h + frame(0, 1, 1, message(m)),
    "no window for an answer": lambda h, m: SHUT + h + frame(0, 1, 1, message(m)),
    "no window, and more to come": lambda h, m: SHUT + h + frame(0, 0, 1, message(m)),
}
TIMEOUT = literal(b"grpc-timeout", b"20m")

# The same of a page that speaks HTTP/1.1: where a request is left.
WEB = b"POST /mote.prices.Prices/Watch HTTP/1.1\r\nHost: x\r\nOrigin: http://page\r\nContent-Type: application/grpc-web+proto\r\n"
WHOLE = WEB + b"Content-Length: 5\r\n\r\n" + bytes(5)
CHUNKED = WEB + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + bytes(5) + b"\r\n0\r\n\r\n"
WEB_PHASES = {
    "half of the line": WEB[:20],
    "half of the head": WEB,
    "a head": WHOLE[:-5],
    "half of the content": WHOLE[:-2],
    "all of it": WHOLE,
    "half of the next one": WHOLE + WHOLE[:9],
    "two of it": WHOLE + WHOLE,
    "the head of chunks": CHUNKED[:-15],
    "half of a size": CHUNKED[:-14],
    "half of a chunk": CHUNKED[:-10],
    "a chunk": CHUNKED[:-5],
    "half of the end": CHUNKED[:-2],
    "all of the chunks": CHUNKED,
}
WEB_WAYS = ("FIN", "RST", "close_notify")


def finish(s):
    s.shutdown(socket.SHUT_WR)  # TLS: without close_notify
    while s.recv(65536):
        pass


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close_notify(s):
    try:
        (s.unwrap() if isinstance(s, ssl.SSLSocket) else s).shutdown(socket.SHUT_WR)
    except (OSError, ssl.SSLError):
        pass


def after(sent):
    def leave(s):
        s.sendall(sent)
        finish(s)
    return leave


def await_the_deadline(s):
    time.sleep(0.03)
    finish(s)


WAYS = {
    "FIN": finish,
    "RST": reset,
    "close_notify": close_notify,
    "RST_STREAM": after(frame(3, 0, 1, b"\0\0\0\x08")),
    "GOAWAY": after(frame(7, 0, 0, bytes(8))),
    "a frame that is an error": after(frame(0, 0, 0)),
    "a message that is none": after(frame(0, 1, 1, b"\0\0\0\0\3\xff\xff\xff")),
    "a deadline": await_the_deadline,
}


class Server:
    def __init__(self, name, folder, tls):
        name, *own = name.split()
        options = {"files_server": ["--folder=" + folder + "/files"], "prices_server": ["--web=http://page"], "collector": ["--store=" + folder + "/store" + str(tls)]}.get(name, [])
        self.banner = "listening on "
        if own:  # the address of its page, which has no TLS
            options, self.banner, tls = options + ["--web=0"], "dashboard on http://", False
        if tls:
            options = options + ["--tls", f"--cert={folder}/server.pem", f"--key={folder}/server.key"]
        self.log = open(f"{folder}/{name}.log", "w+")
        self.p = subprocess.Popen([f"{BUILD}/{name}", "--address=127.0.0.1:0", *options], stdout=self.log, stderr=self.log)
        end = time.monotonic() + 20
        while self.banner not in self.said():
            if self.p.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{name} does not listen: {self.said()}")
            time.sleep(0.01)
        self.port = int(re.search(self.banner + r"127.0.0.1:(\d+)", self.said())[1])
        self.tls = None
        if tls:
            self.tls = ssl.create_default_context(cafile=f"{folder}/good.pem")
            self.tls.set_alpn_protocols(["h2"])
            self.tls.suppress_ragged_eofs = True

    def said(self):
        return open(self.log.name).read()

    def connect(self, address="127.0.0.1"):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=10, source_address=(address, 0))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls.wrap_socket(s, server_hostname="localhost") if self.tls else s

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.p.pid}/fd"))

    def end(self, at_once=False):
        self.p.send_signal(signal.SIGTERM)
        if at_once:  # what is open has no time to end
            time.sleep(0.05)
            self.p.send_signal(signal.SIGTERM)
        try:
            return self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return "a hang"


def result(good, *what):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("FAIL", *what)


def leave(server, path, body, phase, way, number):
    m = body.replace(b"{}", b"%02d" % (number % 100))
    h = headers(path, number, *([TIMEOUT] if way == "a deadline" else []))
    s = server.connect()
    try:
        s.sendall(PREFACE + PHASES[phase](h, m))
        if number % 2:  # half of them when the server has seen it
            s.settimeout(0.02 if way in ("RST", "close_notify") else 10)
            try:
                s.recv(65536)
            except (socket.timeout, TimeoutError):
                pass
        s.settimeout(10)
        WAYS[way](s)
    except (OSError, ssl.SSLError):
        pass  # the server was first
    s.close()


def leave_web(server, phase, way, number):
    s = server.connect()
    try:
        s.sendall(WEB_PHASES[phase])
        if number % 2:
            s.settimeout(0.02)
            try:
                s.recv(65536)
            except (socket.timeout, TimeoutError):
                pass
        if way == "FIN":  # and a stream of prices does not end by itself
            s.shutdown(socket.SHUT_WR)
        else:
            WAYS[way](s)
    except OSError:
        pass
    s.close()


def page_is_served(server):
    s, data = server.connect(), b""
    s.sendall(WHOLE)
    while b"ACME" not in data:
        piece = s.recv(65536)
        if not piece:
            break
        data += piece
    s.close()
    return data.startswith(b"HTTP/1.1 200 ") and b"ACME" in data


def run_web(server, before):
    for phase in WEB_PHASES:
        for way in WEB_WAYS:
            for number in range(2 * TIMES if CHOICE.randrange(PART) == 0 else 0):
                leave_web(server, phase, way, number)
    end = time.monotonic() + 20
    while server.descriptors() > before and time.monotonic() < end:
        time.sleep(0.01)
    result(server.descriptors() <= before, "pages: descriptors", before, "->", server.descriptors())
    result(page_is_served(server), "a page is not served behind those that left")


def is_served(server, path, body, address="127.0.0.1"):
    """What an honest call hears first: flags and bytes of the frame of headers, which alone has a status when the call is refused."""
    s = server.connect(address)
    s.sendall(PREFACE + OPEN + headers(path, 1) + frame(0, 1, 1, message(body.replace(b"{}", b"77"))))
    data, heard = b"", None
    while not heard:
        piece = s.recv(65536)
        if not piece:
            break
        data += piece
        heard = next((f[1:] for f in frames_of(data) if f[0] == 1), None)
    s.close()
    return heard


def frames_of(data):
    while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
        n = int.from_bytes(data[:3], "big")
        yield data[3], data[4], data[9:9 + n]
        data = data[9 + n:]


def hoard(server, path, body):
    """A connection with as many calls as the server takes, each of which names something new, and all of them stay."""
    s = server.connect()
    s.sendall(PREFACE + OPEN)
    for i in range(100):
        h = headers(path, 1000 + i)
        call = h[:5] + (2 * i + 1).to_bytes(4, "big") + h[9:]
        s.sendall(call + frame(0, 0, 2 * i + 1, message(body.replace(b"{}", b"%02d" % i))))
    return s


def hold(server, path, body, phase, number):
    """A call that stays in its phase, as the server has seen it."""
    s = server.connect()
    s.sendall(PREFACE + PHASES[phase](headers(path, number), body.replace(b"{}", b"%02d" % number)))
    s.recv(1)
    return s


def run(name, folder, tls):
    server = Server(name, folder, tls)
    is_served(server, *list(METHODS[name].items())[0])  # whatever it opens once
    time.sleep(0.05)
    before, number = server.descriptors(), 0
    for path, body in METHODS[name].items():
        first = is_served(server, path, body)
        for phase in PHASES:
            for way in WAYS:
                for _ in range(TIMES if CHOICE.randrange(PART) == 0 else 0):
                    number += 1
                    leave(server, path, body, phase, way, number)
        hoarders = [hoard(server, path, body) for _ in range(20)]
        time.sleep(0.02)
        beside = is_served(server, path, body, "127.0.0.2")
        for s in hoarders:
            s.close()
        result(beside == first, name, path, "hears", beside, "beside an address that takes all it can, not", first)
        end = time.monotonic() + 20
        while server.descriptors() > before and time.monotonic() < end:
            time.sleep(0.01)
        left = server.descriptors()
        again = is_served(server, path, body)  # once the server has seen all of them go
        what = (name, "over TLS" if tls else "", path)
        result(left <= before, *what, "descriptors", before, "->", left)
        result(first and again == first, *what, "hears", again, "as it heard", first)
    if name == "prices_server" and not tls:
        run_web(server, before)
    left = [hold(server, path, body, phase, n) for path, body in METHODS[name].items() for n, phase in enumerate(PHASES)]
    code = server.end(at_once=True)
    result(code == 0 and "ERROR: " not in server.said(), name, "ended with", code, server.said()[-300:])
    parts = [f for f in os.listdir(folder + "/files") if f.startswith(".upload")]
    result(parts == [], name, "has left", parts, "of", len(left), "calls that its end has ended")


def nothing_is_forgotten():
    """All servers of examples/, and all of their methods, stand in the table; the tutorial's server is one of a single unary method."""
    texts = {f: open(f).read() for f in glob.glob("examples/**/*.[cp]*", recursive=True) if not f.startswith("examples/hello/")}
    servers = {os.path.basename(f)[:-2] for f, text in texts.items() if f.endswith(".c") and "mote_posix_serve(" in text}
    methods = {f"/{package}.{service}/{method}" for f, text in texts.items() if f.endswith(".proto")
               for package in re.findall(r"^package ([\w.]+);", text, re.M)
               for service, body in re.findall(r"^service (\w+) {(.*?)^}", text, re.M | re.S)
               for method in re.findall(r"^ *rpc (\w+)", body, re.M)}
    named = {name.split()[0] for name in METHODS}
    result(servers == named, "servers that are not in one of the two:", servers ^ named)
    missing = methods - {path for paths in METHODS.values() for path in paths}
    result(len(methods) > 15 and not missing, "of", len(methods), "methods these are not left in any way:", missing)


def main():
    nothing_is_forgotten()
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(folder + "/files")
        with open(folder + "/files/kept", "wb") as f:
            f.write(bytes(100000))
        subprocess.run(["bash", "-c", '. "$0/tests/certificates.sh" && ca good && cert server good 20 DNS:localhost', os.getcwd()],
                       cwd=folder, check=True, capture_output=True)
        for name in sys.argv[1:] or METHODS:
            for tls in (False, True):
                run(name, folder, tls)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
