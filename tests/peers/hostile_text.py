"""What a server says, status texts as well as fields of its messages, does nothing to the terminal of a client: hostile_text.py"""
import glob
import os
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

import grpc
import chat_pb2
import device_pb2
import files_pb2
import monitor_pb2
import orders_pb2
import prices_pb2
import tour_pb2

BUILD = os.environ.get("BUILD", "build")
EVIL = "a\x1b[2J\r\nb\x07\u009b2Jc\u202e"
SHOWN = "a\\x1b[2J\\x0d\\x0ab\\x07\\xc2\\x9b2Jc\\xe2\\x80\\xae"
passed = failed = 0
note = tour_pb2.Note(topic=EVIL, content=EVIL, sender=EVIL)
order = orders_pb2.Order(id=EVIL, customer=EVIL, items=[orders_pb2.Item(article=EVIL, quantity=1)])

# The method, what it answers, how often the text is shown, the program with its arguments and its input.
CALLS = (
    ("tour.Tour/Latest", note, 3, "unary_client t", ""),
    ("tour.Tour/Subscribe", note, 3, "server_stream_client 1", ""),
    ("tour.Tour/Publish", tour_pb2.Summary(), 0, "client_stream_client", "x\n"),
    ("tour.Tour/Chat", note, 3, "bidi_client", "x\n"),
    ("orders.Orders/History", order, 3, "orders_client history me", ""),
    ("orders.Orders/Import", orders_pb2.ImportResult(errors=[EVIL]), 1, "orders_client import", "i me pen 1 1\n"),
    ("orders.Orders/Updates", orders_pb2.Update(id=EVIL, error=EVIL), 2, "orders_client update", "i 1\n"),
    ("prices.Prices/Watch", prices_pb2.Price(symbol=EVIL, cents=1), 1, "prices_client --count=1 ACME", ""),
    ("chat.Chat/Join", chat_pb2.Event(name=EVIL, text=EVIL), 2, "chat_client --count=1 me room", ""),
    ("monitor.Monitor/Tail", monitor_pb2.Line(number=1, text=EVIL), 1, "monitor_client --count=1 tail", ""),
    ("files.Files/Download", files_pb2.Part(), 0, "files_client download x", ""),
    ("device.Device/Read", device_pb2.Reading(), 0, "device_caller", ""),
)


class Server(grpc.GenericRpcHandler):
    """Answers every call with one message, or with a status."""

    def __init__(self):
        self.status = False
        s = grpc.server(futures.ThreadPoolExecutor(4), (self,))
        self.port = s.add_insecure_port("127.0.0.1:0")
        s.start()
        self.server = s

    def service(self, details):
        def answer(requests, context):
            if self.status:
                context.abort(grpc.StatusCode.ABORTED, EVIL)
            next(requests, None)
            yield next(c[1] for c in CALLS if "/mote." + c[0] == details.method).SerializeToString()

        return grpc.stream_stream_rpc_method_handler(answer)


def check(what, holds, *why):
    global passed, failed
    passed += bool(holds)
    failed += not holds
    if not holds:
        print(f"FAIL {what}:", *why)


def run(program, options, text):
    name, *arguments = program.split()
    r = subprocess.run([f"{BUILD}/{name}", *options, *arguments], input=text.encode(), capture_output=True, timeout=20)
    out = (r.stdout + r.stderr).decode(errors="backslashreplace")
    return out, [c for c in out if not c.isprintable() and c != "\n"]


# The tutorial's client prints a number, and h2_client comes below.
found = {os.path.basename(f)[:-2] for f in glob.glob("examples/*/*_client.c") + glob.glob("examples/*/*_caller.c")}
check("a client is forgotten", found - {"hello_client", "h2_client"} == {c[3].split()[0] for c in CALLS}, found)

server = Server()
for server.status in (False, True):
    for method, _, times, program, text in CALLS:
        out, harm = run(program, [f"--address=127.0.0.1:{server.port}"], text)
        check(f"{program}: no harm", harm == [], harm, out)
        times = 1 if server.status else times
        check(f"{program}: shows it", out.count(SHOWN) == times, out)
        check(f"{program}: no lines of its own", not any(line.startswith("b") for line in out.split("\n")), out)

# A monitor_server prints what is pushed.
with tempfile.NamedTemporaryFile() as out:
    p = subprocess.Popen([f"{BUILD}/monitor_server", "--address=127.0.0.1:0"], stdout=out)
    while b"listening on" not in open(out.name, "rb").read():
        pass
    push = grpc.insecure_channel(open(out.name).read().split()[-1]).stream_unary("/mote.monitor.Monitor/Push")
    push(iter([monitor_pb2.Metric(name=EVIL, labels={EVIL: EVIL}).SerializeToString()]), timeout=10)
    p.terminate()
    p.wait()
    said = open(out.name, newline="").read()
    check("monitor_server", said.count(SHOWN) == 3 and all(c.isprintable() or c == "\n" for c in said), said)

# Header fields may hold all but NUL, CR and LF (RFC 9113 8.2.1).
def answer_once(listener):
    s = listener.accept()[0]
    block = b"\x88\x00\x01x\x05a\x1b[2J"
    s.sendall(bytes.fromhex("000000040000000000"))
    s.recv(4096)
    s.sendall(bytes([0, 0, len(block), 1, 5, 0, 0, 0, 1]) + block)
    s.recv(4096)
    s.close()


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=answer_once, args=(listener,), daemon=True).start()
out, harm = run("h2_client -v http://127.0.0.1:%d/" % listener.getsockname()[1], [], "")
check("h2_client", harm == [] and "< x: a\\x1b[2J\n" in out, out)

server.server.stop(0)
print(f"{passed} passed, {failed} failed")
sys.stdout.flush()
os._exit(failed > 0)
