"""What a client takes byte by byte is whole, whatever happens on the server meanwhile: a message that was sent in part is sent to its
end, though what it tells of has changed. And what is cut to the room there is for it stays text, so that others still hear what follows.
whole.py, for the servers of the examples; BUILD=build"""
import os
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
import ways_out as w

import chat_pb2
import device_pb2
import monitor_pb2
import orders_pb2
import prices_pb2
import telemetry_pb2
import tour_pb2

WAIT_S = 10


class Call:
    """A call whose window opens when the test says so."""

    def __init__(self, server, path, *requests, window=0, fields=(), end=False, address="127.0.0.1"):
        self.s = server.connect(address)
        self.s.settimeout(WAIT_S)
        self.raw, self.body, self.trailers, self.others, self.streams = b"", b"", None, 0, 1
        self.s.sendall(w.PREFACE + w.frame(4, 0, 0, struct.pack(">HI", 4, window)) + w.frame(4, 1, 0))
        self.begin(1, path, requests, fields, end)

    def begin(self, stream, path, requests, fields, end):
        block = (b"\x83\x86" + w.literal(b":path", path.encode()) + w.literal(b":authority", b"localhost") + w.literal(b"te", b"trailers") +
                 w.literal(b"content-type", b"application/grpc") + b"".join(w.literal(*f) for f in fields))
        self.s.sendall(w.frame(1, 4, stream, block))
        for i, r in enumerate(requests):
            self.send(r, end and i == len(requests) - 1, stream)

    def beside(self, path, *requests, fields=()):
        """Another call of the connection, to its end."""
        self.streams += 2
        self.begin(self.streams, path, requests, fields, True)
        self.s.sendall(w.frame(8, 0, self.streams, struct.pack(">I", 65535)))
        ended = self.others
        while self.others == ended and self.read():
            pass

    def send(self, message, end=False, stream=1):
        self.s.sendall(w.frame(0, int(end), stream, w.message(message.SerializeToString())))

    def open(self, n):
        self.s.sendall(w.frame(8, 0, 1, struct.pack(">I", n)))

    def read(self):
        """A frame; False: the connection has ended, or is silent."""
        while len(self.raw) < 9 or len(self.raw) < 9 + int.from_bytes(self.raw[:3], "big"):
            try:
                piece = self.s.recv(65536)
            except (TimeoutError, ConnectionError):
                return False
            if not piece:
                return False
            self.raw += piece
        n = int.from_bytes(self.raw[:3], "big")
        kind, flags, stream, payload = self.raw[3], self.raw[4], int.from_bytes(self.raw[5:9], "big"), self.raw[9:9 + n]
        self.raw = self.raw[9 + n:]
        ends = kind == 3 or (kind == 1 and flags & 1)
        if kind == 0 and stream == 1:
            self.body += payload
        elif kind == 6 and flags & 1:
            self.pings -= 1
        elif ends and stream == 1:
            self.trailers = payload
        elif ends:
            self.others += 1
        return True

    def take(self, n):
        """Opens the window by n bytes and waits for them."""
        self.open(n)
        want = len(self.body) + n
        while len(self.body) < want and self.trailers is None and self.read():
            pass

    def settle(self):
        """The server has taken all that was sent."""
        self.pings = 1
        self.s.sendall(w.frame(6, 0, 0, bytes(8)))
        while self.pings > 0 and self.read():
            pass

    def next(self, of):
        """The next message, one byte of window at a time."""
        while len(self.body) < 5 or len(self.body) < 5 + int.from_bytes(self.body[1:5], "big"):
            before = len(self.body)
            if self.trailers is None:
                self.take(1)
            if len(self.body) == before:
                return None
        n = int.from_bytes(self.body[1:5], "big")
        m, self.body = self.body[5:5 + n], self.body[5 + n:]
        return of.FromString(m)

    def finish(self, of):
        """With a window for all: its messages until it ends."""
        self.open(1 << 20)
        while self.trailers is None and self.read():
            pass
        result = []
        while self.body and (message := self.next(of)) is not None:
            result.append(message)
        return result


def collector(folder):
    """An acknowledgement that is cut holds a number that is stored, not one made of two."""
    server = w.Server("collector", folder, False)
    samples = lambda first, last: [telemetry_pb2.Sample(sequence=i, metric="m", value=1) for i in range(first, last + 1)]
    control = Call(server, "/mote.telemetry.Telemetry/Control", telemetry_pb2.Report(device="d", epoch=1))
    control.take(5 + 2)  # 0: nothing is stored yet
    greeting = control.next(telemetry_pb2.Command)
    w.result(greeting is not None and greeting.acknowledged == 0, "collector: the greeting is", greeting)
    fields = ((b"device-id", b"d"), (b"device-epoch", b"%016x" % 1))
    control.beside("/mote.telemetry.Telemetry/Upload", *samples(1, 255), fields=fields)
    control.take(5 + 2)  # all but the last byte of 255, ff 01
    control.beside("/mote.telemetry.Telemetry/Upload", *samples(256, 384), fields=fields)
    time.sleep(0.2)  # a commit or two: 384 is 80 03
    told = [getattr(control.next(telemetry_pb2.Command), "acknowledged", None) for _ in range(2)]
    w.result(told == [255, 384], "collector: acknowledges", told, "of 255 and 384")
    return server


def prices(folder):
    """Each price is one that there was: the numbers of its changes rise by each step, and no symbol waits for ever."""
    server = w.Server("prices_server", folder, False)
    call = Call(server, "/mote.prices.Prices/Watch", prices_pb2.Filter(), end=True)
    full, seen = Call(server, "/mote.prices.Prices/Watch", prices_pb2.Filter(), window=1 << 20, end=True), {}
    got = []
    for i in range(6):
        got.append(None)
        while got[-1] is None:
            call.take(1)
            time.sleep(0.01)  # prices change ten times a second
            if len(call.body) >= 5 and len(call.body) >= 5 + call.body[4]:
                got[-1] = call.next(prices_pb2.Price)
    end = time.monotonic() + 1
    while time.monotonic() < end and full.read():
        pass
    while len(full.body) >= 5 and len(full.body) >= 5 + full.body[4]:
        p = full.next(prices_pb2.Price)
        seen[p.symbol, p.change] = p.cents
    false = [p for p in got if seen.get((p.symbol, p.change), p.cents) != p.cents]
    w.result(false == [], "prices_server: prices that there never were:", false)
    w.result(len({p.symbol for p in got}) == 5, "prices_server: six prices are of", sorted({p.symbol for p in got}))
    return server


def device(folder):
    server = w.Server("device", folder, False)
    call = Call(server, "/mote.device.Device/Watch", device_pb2.Channel(number=0), end=True)
    call.take(5)
    setter = Call(server, "/mote.device.Device/Set", device_pb2.Setting(channel=0, value=-1), window=65535, end=True)
    setter.finish(device_pb2.Done)  # a value of ten bytes in place of one
    time.sleep(0.7)  # two readings are due
    first, second = call.next(device_pb2.Reading), call.next(device_pb2.Reading)
    w.result(first and first.value == 20, "device: a reading that was cut is", first)
    w.result(second and second.value == -1, "device: the next one is", second)
    return server


EURO = "\u20ac" * 100  # three bytes each, so that a cut is inside of one at two of three sizes


def chat(folder):
    server = w.Server("chat_server", folder, False)
    enter = lambda name, room="r": chat_pb2.Say(enter=chat_pb2.Enter(room=room, name=name))
    ann = Call(server, "/mote.chat.Chat/Join", enter("ann"))
    short = Call(server, "/mote.chat.Chat/Join", enter("brief", "another"), end=True)
    heard = [(e.kind, e.name) for e in short.finish(chat_pb2.Event)]
    w.result(heard == [(chat_pb2.Event.ENTERED, "brief")], "chat_server: who leaves at once hears", heard)
    first = ann.next(chat_pb2.Event)
    w.result((first.kind, first.name) == (chat_pb2.Event.ENTERED, "ann"), "chat_server: ann is told", first)
    bob = Call(server, "/mote.chat.Chat/Join", enter("bob"), window=65535)
    entered = ann.next(chat_pb2.Event)
    for text in ["a" * i + EURO for i in range(3)] + ["x\0y", "cut"]:
        bob.send(chat_pb2.Say(text=text))
    texts = []
    while texts[-1:] not in ([None], ["cut"]):
        texts.append(getattr(ann.next(chat_pb2.Event), "text", None))
    w.result(entered.name == "bob" and texts == ["a" * i + "\u20ac" * 66 for i in (0, 1)] + ["aa" + "\u20ac" * 65, "x", "cut"],
             "chat_server: what is too long is heard as", texts)
    bob.send(chat_pb2.Say(text="the first"))
    ann.take(9)  # the prefix and a part of what follows
    for i in range(100):  # more than are kept
        bob.send(chat_pb2.Say(text=f"{i}"))
    bob.settle()
    texts = []
    while texts[-1:] not in ([None], ["99"]):
        texts.append(getattr(ann.next(chat_pb2.Event), "text", None))
    w.result(texts == ["the first"] + [f"{i}" for i in range(36, 100)], "chat_server: ann hears", texts)
    return server


def monitor(folder):
    server = w.Server("monitor_server", folder, False)
    tail = Call(server, "/mote.monitor.Monitor/Tail", monitor_pb2.Query(), end=True)

    def log(*lines):
        Call(server, "/mote.monitor.Monitor/Log", *(monitor_pb2.Line(text=t) for t in lines), window=65535, end=True).finish(monitor_pb2.Accepted)

    log(*("a" * i + EURO for i in range(3)), "x\0y", "cut")
    other = Call(server, "/mote.monitor.Monitor/Tail", monitor_pb2.Query(), end=True)
    heard = [getattr(other.next(monitor_pb2.Line), "text", None) for _ in range(5)]
    w.result(heard == ["\u20ac" * 39, "a" + "\u20ac" * 39, "aa" + "\u20ac" * 39, "x", "cut"], "monitor_server: what is too long is heard as", heard)
    tail.take(9)
    log(*(f"{i}" for i in range(300)))  # more than are kept
    lines = []
    while not lines or (lines[-1] and lines[-1].text != "299"):
        lines.append(tail.next(monitor_pb2.Line))
    heard = [(line.number, line.text) for line in lines if line]
    w.result(heard == [(0, "\u20ac" * 39)] + [(i, f"{i - 5}") for i in range(49, 305)], "monitor_server: a tail hears", heard)
    return server


def orders(folder):
    """Whoever orders cannot keep others from their history, nor take all places."""
    server = w.Server("orders_server", folder, False)
    item = [orders_pb2.Item(article=EURO, quantity=1)]

    def load(*all_of_them, address="127.0.0.1"):
        call = Call(server, "/mote.orders.Orders/Import", *all_of_them, window=65535, end=True, address=address)
        return call.finish(orders_pb2.ImportResult)[0]

    odd = [orders_pb2.Order(id="a" * i + "1", customer="a" * i + EURO, items=item) for i in range(3)]
    bad = [orders_pb2.Order(id=name, customer="c", items=item) for name in ("", "x\0y", "\x1b[2J", "a\nb", "y" * 40)]
    result = load(*odd, *bad)
    w.result((result.succeeded, result.failed) == (3, 5), "orders_server: takes", result)
    call = Call(server, "/mote.orders.Orders/History", orders_pb2.HistoryQuery(), window=65535, end=True)
    ids = [o.id for o in call.finish(orders_pb2.Order)]
    w.result(ids == ["1", "a1", "aa1"], "orders_server: the history is", ids)
    call = Call(server, "/mote.orders.Orders/History", orders_pb2.HistoryQuery(), end=True)
    call.take(9)
    Call(server, "/mote.orders.Orders/Updates", orders_pb2.Update(id="1", status=orders_pb2.PAID), window=65535, end=True).finish(orders_pb2.Update)
    got = [(o.id, o.status) for o in call.finish(orders_pb2.Order)]
    w.result(got == [("1", 0), ("a1", 0), ("aa1", 0)], "orders_server: the history, one of which is paid meanwhile, is", got)
    item = [orders_pb2.Item(article="x", quantity=1)]
    result = load(*(orders_pb2.Order(id=f"many {i}", customer="me", items=item) for i in range(600)))
    w.result(result.succeeded == 500 - 3, "orders_server: a host has", result.succeeded)
    result = load(orders_pb2.Order(id="other", customer="you", items=item), address="127.0.0.2")
    w.result(result.succeeded == 1, "orders_server: another host has", result)
    return server


def unary(folder):
    """An answer that says the time says one time."""
    server = w.Server("unary_server", folder, False)
    call = Call(server, "/mote.tour.Tour/Latest", tour_pb2.Query(topic="t"), end=True)
    before = int(time.time())
    call.take(5 + 3 + 13 + 2)  # its prefix, topic and content, and a byte of the time
    after = int(time.time())
    time.sleep(1.01 - time.time() % 1)
    note = (call.finish(tour_pb2.Note) or [None])[0]
    w.result(note and before <= note.time_ms / 1000 <= after, "unary_server: the time is", note and note.time_ms)
    return server


def main():
    with tempfile.TemporaryDirectory() as folder:
        for one in (collector, prices, device, chat, monitor, orders, unary):
            server = one(folder)
            code = server.end()
            w.result(code == 0 and "ERROR: " not in server.said(), one.__name__, "ended with", code, server.said()[-300:])
    print(f"{w.passed} passed, {w.failed} failed")
    return w.failed > 0


if __name__ == "__main__":
    sys.exit(main())
