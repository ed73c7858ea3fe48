"""Sensors and a collector on their bad days: faults.py [NAME...]. After each of them the books must balance (ledger.py), and each
acknowledged sample must be in the store once. BUILD=build; needs grpcio, and telemetry_pb2 on PYTHONPATH."""
import errno
import itertools
import math
import os
import pty
import random
import resource
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import power
import telemetry_pb2 as telemetry

BUILD = os.environ.get("BUILD", "build")
W = tempfile.mkdtemp(prefix="mote-fleet.")
STORE = None
children = []
outputs = itertools.count()  # threads start programs at the same time
tests = []


def test(f):
    tests.append(f)
    return f


class Failure(Exception):
    pass


def expect(holds, *what):
    if not holds:
        raise Failure(" ".join(map(str, what)))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < end, "in vain:", what)
        time.sleep(0.02)


class Program:
    def __init__(self, name, *options, env=None, prefix=()):
        self.out = os.path.join(W, f"out.{next(outputs)}")
        self.err = self.out + ".err"
        self.p = subprocess.Popen([*prefix, f"{BUILD}/{name}", *options], stdout=open(self.out, "w"), stderr=open(self.err, "w"),
                                  stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
        children.append(self.p)

    def kill(self, number=signal.SIGKILL):
        self.p.send_signal(number)
        return self.wait()

    def wait(self, seconds=40):
        return self.p.wait(seconds)

    def said(self):
        return open(self.out, errors="replace").read() + open(self.err, errors="replace").read()


class Collector(Program):
    def __init__(self, port, *options, **more):
        self.port = port
        super().__init__("collector", f"--address=127.0.0.1:{port}", f"--store={STORE}", *options, **more)
        wait_for(lambda: "listening on" in self.said() or self.p.poll() is not None, "the collector listens")

    def stop(self):
        expect(self.kill(signal.SIGTERM) == 0, "the collector ends with", self.p.returncode, self.said()[-300:])


def sensor(port, *options, host="127.0.0.1", name="s", interval=20, **more):
    return Program("sensor", f"--collector={host}:{port}", f"--name={name}", f"--interval={interval}", *options, **more)


def rows(query="SELECT count(*) FROM samples"):
    db = sqlite3.connect(f"file:{STORE}?mode=ro", uri=True)
    try:
        return db.execute(query).fetchone()[0]
    finally:
        db.close()


def balance(collector, *sensors):
    r = subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "ledger.py"), collector.out, STORE,
                        *[s.out for s in sensors]], capture_output=True, text=True)
    expect(r.returncode == 0, r.stdout, r.stderr)


def number(s, name):
    """Of a sensor's ledger."""
    return int(s.said().split(name + " ")[1].split()[0].strip(","))


def lost_nothing(s, room="no room 0)"):
    """All that was due is acknowledged, but for what a busy machine was too late for."""
    expect("unacknowledged 0 + dropped 0 " in s.said() and "unreadable 0, " + room in s.said(), s.said())


def channel(port):
    return grpc.insecure_channel(f"127.0.0.1:{port}", (("grpc.use_local_subchannel_pool", 1),))


def upload(ch, device, samples, epoch=None, wait=5):
    fields = [("device-id", device)] + ([("device-epoch", epoch)] if epoch else [])
    call = ch.stream_unary("/mote.telemetry.Telemetry/Upload", telemetry.Sample.SerializeToString,
                           telemetry.UploadSummary.FromString)
    return call(iter(samples), metadata=fields, timeout=wait)


def sample(sequence, metric="m", value=1.0, time_ms=1, before_start=0):
    return telemetry.Sample(sequence=sequence, metric=metric, value=value, time_ms=time_ms, before_start=before_start)


class Control:
    """The control stream of a device; `acknowledged` is what it has heard."""

    def __init__(self, ch, device, epoch=0, metadata=()):
        self.over = threading.Event()
        self.heard = []
        self.beats = 0  # further Reports to be said
        self.report = telemetry.Report(device=device, epoch=epoch)
        self.call = ch.stream_stream("/mote.telemetry.Telemetry/Control", telemetry.Report.SerializeToString,
                                     telemetry.Command.FromString)(self.say(), metadata=metadata)
        threading.Thread(target=self.hear, daemon=True).start()

    def say(self):
        yield self.report
        while not self.over.wait(0.02):
            for _ in range(self.beats):
                self.beats -= 1
                yield self.report

    def hear(self):
        try:
            for command in self.call:
                self.heard.append(command.acknowledged)
        except grpc.RpcError as e:
            self.code = e.code()
        self.over.set()

    def wait_for(self, number):
        wait_for(lambda: self.heard and self.heard[-1] == number, f"acknowledgement {number}, heard {self.heard}", 5)


def refused(code, *arguments, **more):
    try:
        upload(*arguments, **more)
    except grpc.RpcError as e:
        expect(e.code() == code, "the status is", e.code(), e.details())
        return
    raise Failure(f"an upload went through that should end with {code}")


# ---- lives of a sensor


@test
def a_sensor_that_is_killed_begins_a_new_epoch():
    port = free_port()
    c = Collector(port)
    a = sensor(port)
    wait_for(lambda: rows() > 200, "samples")
    a.kill()
    first = rows()
    b = sensor(port, "--duration=2")
    expect(b.wait() == 0, b.said())
    c.stop()
    second = rows("SELECT count(*) FROM readings WHERE epoch = (SELECT epoch FROM sources ORDER BY id DESC LIMIT 1)")
    expect(f"acknowledged {second} " in b.said(), b.said(), "stored", second)
    expect(rows() >= first + second, "stored", rows(), "of", first, "and", second)


@test
def two_with_one_name():
    port = free_port()
    c = Collector(port)
    both = [sensor(port, "--duration=3") for _ in range(2)]
    for s in both:
        expect(s.wait() == 0, s.said())
    c.stop()
    balance(c, *both)
    expect(rows("SELECT count(DISTINCT epoch) FROM readings WHERE device = 's'") == 2, "epochs")


@test
def an_empty_store_and_an_old_one():
    port = free_port()
    c = Collector(port)
    s = sensor(port, "--duration=6")
    wait_for(lambda: rows() > 100, "samples")
    c.kill()
    os.rename(STORE, STORE + ".old")
    for f in ("-wal", "-shm"):
        os.rename(STORE + f, STORE + ".old" + f)
    c = Collector(port)
    wait_for(lambda: rows() > 100, "samples in a new store")
    c.kill()
    for f in ("", "-wal", "-shm"):
        os.rename(STORE + f, STORE + ".new" + f)
        os.rename(STORE + ".old" + f, STORE + f)
    c = Collector(port)
    expect(s.wait() == 0, s.said())
    c.stop()
    total = rows()
    new = sqlite3.connect(STORE + ".new").execute("SELECT count(*) FROM samples").fetchone()[0]
    expect(total + new >= number(s, "acknowledged"), "in both stores", total, new, s.said())
    lost_nothing(s)


@test
def devices_without_an_epoch():
    """As the sensors of the first version talk: the greeting must not acknowledge what is of another life."""
    port = free_port()
    c = Collector(port)

    def life(first, last, value, heard, finish=True):
        ch = channel(port)
        control = Control(ch, "old")
        control.wait_for(0)
        n = upload(ch, "old", (sample(i, value=value, time_ms=i) for i in range(first, last + 1))).received
        expect(n == last - first + 1, "received", n)
        wait_for(lambda: rows(f"SELECT count(*) FROM samples WHERE value = {value} AND sequence = {last}") == 1, "stored")
        ch.close()

    life(1, 50, 1, 50)
    life(31, 60, 1, 60)  # the same life, of which 31 to 50 come again
    expect(rows() == 60, "stored", rows(), "of 60")
    life(1, 30, 2, 30)  # a restart
    expect(rows() == 90, "stored", rows(), "of 90")
    c.kill()
    c = Collector(port)
    life(1, 30, 2, 30)
    life(1, 40, 2, 40)
    expect(rows() == 100, "stored", rows(), "of 100")
    expect(rows("SELECT count(*) FROM sources WHERE device = 'old'") == 2, "lives")
    # Acknowledgements come for what this life has sent, on a stream that is open.
    ch = channel(port)
    control = Control(ch, "old")
    gate = threading.Event()

    def slowly():
        yield sample(1, value=3, time_ms=1)
        gate.wait()

    t = threading.Thread(target=lambda: upload(ch, "old", slowly()))
    t.start()
    control.wait_for(1)
    gate.set()
    t.join()
    expect(control.heard == [0, 1], "heard", control.heard)
    c.stop()


@test
def calls_that_come_by_two_connections():
    """As behind a proxy, which makes one for each call; and heartbeats, which pass it."""
    port = free_port()
    c = Collector(port)
    first, second = channel(port), channel(port)
    control = Control(first, "apart", epoch=7)
    control.wait_for(0)
    for at in 1, 21:
        upload(second, "apart", (sample(i) for i in range(at, at + 20)), epoch="%016x" % 7)
        control.wait_for(at + 19)
    heard = len(control.heard)
    control.beats = 3
    wait_for(lambda: len(control.heard) > heard, "an answer to a heartbeat", 5)
    expect(control.heard[-1] == 40, "heard", control.heard)
    again = Control(second, "apart", epoch=7)
    again.wait_for(40)
    wait_for(control.over.is_set, "the end of the first one", 5)
    expect(control.code == grpc.StatusCode.ABORTED, "the first one ended with", control.code)
    c.stop()
    expect(rows() == 40, "stored", rows(), "of 40")


@test
def what_a_sensor_of_the_first_version_said():
    """Two lives of 50 samples, recorded; the first one is heard twice, as after a break."""
    port = free_port()
    c = Collector(port)
    for life, wanted in ((1, 50), (1, 50), (2, 100), (2, 100)):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(open(os.path.join(os.path.dirname(__file__), f"first_version.{life}"), "rb").read())
            wait_for(lambda: rows() == wanted, f"{wanted} samples, {rows()} are stored")
            time.sleep(0.2)
    c.stop()
    expect(rows() == 100 and "doubled and thrown away 100" in c.said(), c.said())
    expect(rows("SELECT count(*) FROM sources WHERE epoch = 0 AND last = 50") == 2, "lives")


@test
def a_spool_survives_what_its_sensor_does_not():
    port = free_port()
    spool = f"--spool={W}/spool"
    c = Collector(port)
    s = sensor(port, spool, "--when-full=block", interval=50)
    for i in range(6):
        wait_for(lambda: rows() > 20 * (i + 1), "samples")
        if i % 2:
            c.kill()  # what comes now is in the spool alone
        time.sleep(0.4)
        s.kill()
        if i % 2:
            c = Collector(port)
        s = sensor(port, spool, "--when-full=block", interval=50)
    before = rows()
    wait_for(lambda: rows() > before, "a sample of the last sensor, which has the spool then")
    other = sensor(port, spool)
    expect(other.wait() == 1 and "another sensor uses it" in other.said(), other.said())
    time.sleep(1)
    expect(s.kill(signal.SIGTERM) == 0, s.said())
    c.stop()
    lost_nothing(s)
    expect(number(s, "sent") == rows(), s.said(), rows())
    expect(rows("SELECT count(*) FROM sources") == 1, "epochs")
    expect(rows("SELECT max(sequence) FROM samples") == rows(), "holes")


@test
def what_is_no_spool_is_left_alone():
    text = f"{W}/text"
    open(text, "w").write("something else")
    os.mkfifo(f"{W}/fifo")
    os.symlink(text, f"{W}/link")
    for file in (text, f"{W}/fifo", f"{W}/link", f"{W}/none/spool", W):
        s = sensor(free_port(), f"--spool={file}")
        expect(s.wait() == 1 and "error" in s.said(), file, s.said())
    expect(open(text).read() == "something else", "it was changed")


# ---- what a device says of itself


def tags_of(device):
    db = sqlite3.connect(f"file:{STORE}?mode=ro", uri=True)
    try:
        return dict(db.execute("SELECT tag, text FROM tags WHERE device = ?", (device,)))
    finally:
        db.close()


def code_of_control(ch, device, epoch, metadata):
    control = Control(ch, device, epoch, metadata)
    wait_for(lambda: control.heard or control.over.is_set(), "an answer", 5)
    return control.code if control.over.is_set() else grpc.StatusCode.OK


@test
def tags_are_stored_with_their_device():
    for wrong in (("site",), ("=x",), ("site=",), ("a=b=c",), ("a=b,c=d",), ("site=a b",), ("site=a", "site=b"), ("s" * 32 + "=x",),
                  ("s=" + "x" * 64,), [f"t{i}=x" for i in range(17)], [f"t{i}=" + "x" * 60 for i in range(9)]):
        s = sensor(free_port(), *[f"--tag={t}" for t in wrong])
        expect(s.wait() == 2 and "is not key=value" in s.said(), wrong, s.said())
    port = free_port()
    c = Collector(port)
    most = [f"t{i}=" + "x" * 27 for i in range(15)] + ["site=berlin"]
    s = sensor(port, *[f"--tag={t}" for t in most], "--tag", "room=2", name="too-many")
    expect(s.wait() == 2, s.said())
    s = sensor(port, "--duration=3", *[f"--tag={t}" for t in most])
    wait_for(lambda: rows() > 20, "samples")
    expect(tags_of("s") == dict(t.split("=") for t in most), tags_of("s"))
    other = sensor(port, "--duration=1", "--tag", "site=rome", name="other")
    expect(other.wait() == 0, other.said())
    expect(rows("SELECT count(*) FROM readings JOIN tags USING (device) WHERE tag = 'site' AND text = 'rome'") ==
           number(other, "acknowledged"), "those of rome")
    c.kill()
    c = Collector(port)
    expect(s.wait() == 0, s.said())
    lost_nothing(s)
    expect(len(tags_of("s")) == 16 and tags_of("other") == {"site": "rome"}, "after a kill of the collector", tags_of("s"))
    for tags, wanted in ((["site=oslo"], {"site": "oslo"}), ([], {})):  # a life says all of them anew
        s = sensor(port, "--duration=1", *[f"--tag={t}" for t in tags])
        expect(s.wait() == 0 and tags_of("s") == wanted, tags_of("s"), s.said())
    ch = channel(port)
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    for text in ("a", "=", "a=", "=b", "a=b,", ",a=b", "a=b,,c=d", "a=b,a=c", "a=b c", "a=%", "x" * 32 + "=b", "a=" + "b" * 64, "a=b;c=d",
                 ",".join(f"t{i}=x" for i in range(17)), ",".join(f"t{i}=" + "x" * 60 for i in range(9))):
        expect(code_of_control(ch, "evil", 1, (("device-tags", text),)) == invalid, text)
    expect(code_of_control(ch, "evil", 1, (("device-tags", "a=b"), ("device-tags", "c=d"))) == invalid, "twice")
    expect(code_of_control(ch, "named", 1, (("device-tags", ""),)) == grpc.StatusCode.OK, "none")
    expect(code_of_control(ch, "named", 2, (("device-tags", "a=" + "b" * 63),)) == grpc.StatusCode.OK, "the longest value")
    c.stop()
    expect(tags_of("evil") == {} and tags_of("named") == {}, "tags of a device that has stored nothing")


@test
def a_store_of_before_there_were_tags():
    port = free_port()
    c = Collector(port)
    c.stop()
    db = sqlite3.connect(STORE)
    db.execute("DROP TABLE tags")
    db.commit()
    db.close()
    c = Collector(port)
    s = sensor(port, "--duration=1", "--tag=site=rome")
    expect(s.wait() == 0, s.said())
    c.stop()
    balance(c, s)
    expect(tags_of("s") == {"site": "rome"}, tags_of("s"))


@test
def a_device_that_does_not_know_the_time_of_day():
    """Its clock says how long it runs; the collector has heard what it says now."""
    def clock(now, first):
        return (("device-clock", f"{now:016x}{first:016x}"),)

    def ago(number):
        return (time.time() * 1000 - rows(f"SELECT time_ms FROM readings WHERE device = 'board' AND sequence = {number}")) / 1000

    port = free_port()
    c = Collector(port)
    ch = channel(port)
    Control(ch, "board", 7, clock(100_000, 1)).wait_for(0)
    upload(ch, "board", [sample(1, time_ms=40_000), sample(2, time_ms=100_000)], f"{7:016x}")
    wait_for(lambda: rows() == 2, "samples")
    c.kill()
    c = Collector(port)
    ch = channel(port)
    Control(ch, "board", 7, clock(5_000, 5)).wait_for(2)  # it began anew 5 s ago; 3 and 4 it had taken before
    upload(ch, "board", [sample(3, time_ms=80_000), sample(4, time_ms=2**63 - 1), sample(5, time_ms=1_000),
                         sample(6, time_ms=2**63 - 1, before_start=4)], f"{7:016x}")
    Control(ch, "clock", 8).wait_for(0)
    upload(ch, "clock", [sample(1, time_ms=1_000)], f"{8:016x}")
    Control(ch, "board", 7, clock(1_000, 20)).wait_for(6)  # 7 to 9 are of the start before, 10 to 19 of one that was never heard
    upload(ch, "board", [sample(7, time_ms=2_000, before_start=4), sample(10, time_ms=9_000, before_start=9),
                         sample(20, time_ms=500, before_start=19)], f"{7:016x}")
    wait_for(lambda: rows() == 10, "samples")
    Control(ch, "board", 7).wait_for(20)  # it knows the time of day now
    upload(ch, "board", [sample(21, time_ms=800, before_start=19), sample(22, time_ms=600, before_start=21),
                         sample(23, time_ms=int(time.time() * 1000) - 30_000)], f"{7:016x}")
    wait_for(lambda: rows() == 13, "samples")
    for number_, seconds in ((1, 60), (2, 0), (3, 20), (4, 100), (5, 4), (6, 5), (7, 3), (10, 1), (20, 0), (21, 0), (22, 0), (23, 30)):
        expect(abs(ago(number_) - seconds) < 4, number_, "was taken", ago(number_), "s ago")
    expect(rows("SELECT time_ms FROM readings WHERE device = 'clock'") == 1_000, "a device that knows it")
    for text in ("", "1" * 16, "1" * 31, "1" * 33, "g" * 32, "1" * 16 + "0" * 16, "8" + "0" * 15 + "1" * 16):
        expect(code_of_control(ch, "evil", 1, (("device-clock", text),)) == grpc.StatusCode.INVALID_ARGUMENT, text)
    for sequence, before in ((1, 1), (24, 24), (24, 2**64 - 1)):
        try:
            upload(ch, "board", [sample(sequence, before_start=before)], f"{7:016x}")
            expect(False, "taken:", sequence, before)
        except grpc.RpcError as e:
            expect((e.code(), e.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "before_start is not below the sequence"), e)
    for first in range(100, 170):  # a device that starts ever again
        expect(code_of_control(ch, "board", 7, clock(1, first)) == grpc.StatusCode.OK, first)
    wait_for(lambda: rows("SELECT max(first) FROM clocks") == 169, "clocks")
    expect(rows("SELECT count(*) FROM clocks") == 64, "clocks:", rows("SELECT count(*) FROM clocks"))
    c.stop()


@test
def incarnations_that_are_silent_are_forgotten():
    """When their samples are gone, and nothing was heard of them for a while."""
    port = free_port()
    c = Collector(port, "--keep=2s", "--remember=2s")
    there = 0
    ch = channel(port)
    for i in range(16):  # the first ones are shown by the collector, and so in use
        upload(ch, f"shown{i}", [sample(1)], f"{1:016x}")
    stays = Control(ch, "stays", 1, (("device-tags", "a=stays"), ("device-clock", f"{1:032x}")))
    stays.wait_for(0)
    for epoch in range(1, 31):
        control = Control(ch, "goes", epoch, (("device-tags", "a=goes"), ("device-clock", f"{1:032x}")))
        control.wait_for(0)
        upload(ch, "goes", [sample(1), sample(2)], f"{epoch:016x}")
        control.over.set()
        there = max(there, rows("SELECT count(*) FROM sources WHERE device = 'goes'"))
    upload(ch, "stays", [sample(1)], f"{1:016x}")
    upload(ch, "old", [sample(1, value=1)])
    upload(ch, "old", [sample(1, value=2)])  # another life
    stays.wait_for(1)
    expect(there > 1, "they are there, the first ones until they are forgotten")
    s = sensor(port, "--duration=10")  # so that rows come after those that are old
    wait_for(lambda: rows("SELECT count(*) FROM sources WHERE device = 'goes'") == 0, "silent ones are forgotten", 25)
    expect(rows("SELECT count(*) FROM clocks") == 1, "but one clock is left:", rows("SELECT count(*) FROM clocks"))
    expect(tags_of("stays") == {"a": "stays"}, "one that is connected", tags_of("stays"))
    wait_for(lambda: rows("SELECT count(*) FROM samples JOIN sources ON source = id WHERE device = 'stays'") == 0, "retention")
    upload(ch, "stays", [sample(1), sample(2)], f"{1:016x}")
    wait_for(lambda: rows("SELECT last FROM sources WHERE device = 'stays'") == 2, "the number of one that is connected is known")
    expect("doubled" not in c.said(), "it is not the end")
    expect(s.wait() == 0, s.said())
    lost_nothing(s)
    c.stop()
    received, stored, acknowledged = [int(c.said().split(word + " ")[1].split(",")[0]) for word in ("received", "stored", "acknowledged")]
    expect(received == stored == 60 + 1 + 2 + 16 + 1 + number(s, "acknowledged"), c.said())
    expect("doubled and thrown away 1," in c.said(), c.said())


# ---- what a collector says of itself


def health(ch, service=""):
    check = ch.unary_unary("/grpc.health.v1.Health/Check")
    return check(bytes([10, len(service)]) + service.encode() if service else b"", timeout=5)


def counters(port):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    head, body = text.split("\r\n\r\n")
    expect(f"Content-Length: {len(body)}" in head, head)
    return {line.split()[0]: int(line.split()[1]) for line in body.splitlines() if not line.startswith("#")}


@test
def both_say_how_they_are():
    """Health, reflection, and counters whose sums hold at any time."""
    port, for_collector, for_sensor = free_port(), free_port(), free_port()
    c = Collector(port, f"--metrics=127.0.0.1:{for_collector}", env={"LD_PRELOAD": os.path.abspath(f"{W}/fail.so"), "FAIL_WHILE": f"{W}/fail"})
    s = sensor(port, "--duration=5", f"--metrics=127.0.0.1:{for_sensor}")
    ch = channel(port)
    serving, not_serving = b"\x08\x01", b"\x08\x02"
    watched = []
    watch = ch.unary_stream("/grpc.health.v1.Health/Watch")(b"")
    threading.Thread(target=lambda: [watched.append(m) for m in quietly(watch)], daemon=True).start()
    for service in ("", "mote.telemetry.Telemetry"):
        expect(health(ch, service) == serving, service)
    wait_for(lambda: rows() > 100, "samples")
    for _ in range(20):
        n = {k.removeprefix("mote_sensor_").removesuffix("_total"): v for k, v in counters(for_sensor).items()}
        expect(n["due"] == n["acknowledged"] + n["unacknowledged"] + n["dropped"] + n["missed"], n)
        expect(n["missed"] == n["late"] + n["unreadable"] + n["no_room"] and n["connections"] == 1, n)
        n = {k.removeprefix("mote_collector_").removesuffix("_total"): v for k, v in counters(for_collector).items()}
        expect(n["received"] >= n["stored"] >= n["acknowledged"] > 0 and n["commits"] > 0 and n["well"] == 1, n)
        expect(n["connections"] == 2 and n["incarnations"] == 1, n)
        calls = [n[f"grpc_server_{k}"] for k in ("started", "succeeded", "failed", "msg_received", "msg_sent")]
        expect(calls[:3] == [5, 2, 0], calls)  # two checks have ended; a watch and two of the sensor stay
        expect(calls[3] >= 4 and calls[4] >= 4, calls)
    failing("fsync")(c)
    wait_for(lambda: watched == [serving, not_serving], f"who watches is told: {watched}")
    expect(health(ch) == not_serving and counters(for_collector)["mote_collector_well"] == 0, "the store has failed")
    healed(c)
    wait_for(lambda: watched == [serving, not_serving, serving], f"who watches is told: {watched}")
    listed = ch.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")(iter([b"\x3a\x00"]), timeout=5)
    names = next(listed)
    for name in (b"mote.telemetry.Telemetry", b"grpc.health.v1.Health"):
        expect(name in names, names)
    symbol = b"mote.telemetry.Telemetry"
    found = next(ch.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")(
        iter([b"\x22" + bytes([len(symbol)]) + symbol]), timeout=5))
    expect(b"telemetry.proto" in found and b"interval_ms" in found, found)
    expect(s.wait() == 0, s.said())
    lost_nothing(s)
    c.stop()
    balance(c, s)


def quietly(call):
    try:
        yield from call
    except grpc.RpcError:
        pass


# ---- the store


def through_a_fault(fault, heal, log):
    """A fault while samples come: acknowledgements stop, and go on when it is over."""
    port = free_port()
    c = Collector(port, env={"LD_PRELOAD": os.path.abspath(f"{W}/fail.so"), "FAIL_WHILE": f"{W}/fail"})
    s = [sensor(port, "--duration=8", name=f"s{i}") for i in range(3)]
    wait_for(lambda: rows() > 200, "samples")
    fault(c)
    wait_for(lambda: "nothing is acknowledged" in c.said(), "the collector says so")
    time.sleep(2)
    heal(c)
    wait_for(lambda: "the store is open again" in c.said(), "the store is open again")
    for p in s:
        expect(p.wait() == 0, p.said(), c.said()[-300:])
        lost_nothing(p)
    c.stop()
    balance(c, *s)
    expect(log in c.said(), "the log says", open(c.err).read())


def limit_file_size(size):
    return lambda c: resource.prlimit(c.p.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@test
def a_full_disk():
    through_a_fault(limit_file_size(8192), limit_file_size(resource.RLIM_INFINITY), "cannot be committed")


def failing(*calls, code=errno.EIO):
    return lambda c: open(f"{W}/fail", "w").write(" ".join(f"{call}:{code}:0" for call in calls))


def healed(c):
    os.unlink(f"{W}/fail")


@test
def an_fsync_that_fails():
    through_a_fault(failing("fsync"), healed, "Input/output error")


@test
def writes_that_fail():
    through_a_fault(failing("write"), healed, "Input/output error")


@test
def all_of_the_disk_fails():
    through_a_fault(failing("write", "read", "fsync"), healed, "Input/output error")


@test
def a_collector_that_is_killed_again_and_again():
    port = free_port()
    c = Collector(port)
    s = [sensor(port, "--duration=6", name=f"s{i}", interval=10) for i in range(3)]
    for i in range(8):
        time.sleep(0.3 + i * 0.03)
        c.kill()
        c = Collector(port)
    for p in s:
        expect(p.wait() == 0, p.said())
    c.stop()
    balance(c, *s)


@test
def a_summary_says_what_is_stored():
    """While nothing can be made durable no upload is said to be received; then it ends, and comes again."""
    port = free_port()
    c = Collector(port, env={"LD_PRELOAD": os.path.abspath(f"{W}/fail.so"), "FAIL_WHILE": f"{W}/fail"})
    ch = channel(port)
    expect(upload(ch, "d", [sample(i) for i in range(1, 21)], f"{1:016x}").received == 20 == rows(), "stored", rows())
    for last in 40, 60, 80:
        failing("fsync")(c)
        refused(grpc.StatusCode.UNAVAILABLE, ch, "d", [sample(i) for i in range(1, last + 1)], f"{1:016x}")
        healed(c)
        wait_for(lambda: c.said().count("the store is open again") == c.said().count("nothing is acknowledged until") > 0, "the store again")
    expect(upload(ch, "d", [sample(i) for i in range(1, 101)], f"{1:016x}").received == 100 == rows(), "stored", rows())
    c.stop()


@test
def a_loss_of_power():
    """At any moment: the machine forgets what was not made durable, or any part of it. What was acknowledged by then is there."""
    port = free_port()
    log = f"{W}/cut.log"
    c = Collector(port, env={"LD_PRELOAD": os.path.abspath(f"{W}/fail.so"), "CUT_LOG": log})
    ch = channel(port)
    control = Control(ch, "d", 1, (("device-tags", "site=berlin"),))
    control.wait_for(0)
    for last in range(20, 400, 20):
        upload(ch, "d", [sample(i, value=i) for i in range(last - 19, last + 1)], f"{1:016x}")
        control.wait_for(last)
        power.mark(log, last)
    c.kill()
    records = power.read_log(log)
    chance = random.Random(int(os.environ.get("SEED", "1")))
    for end in range(len(records) + 1):
        acknowledged = max([r[2] for r in records[:end] if r[0] == "mark"], default=0)
        look_at_what_is_left(power.after_a_cut(records[:end], chance), acknowledged, f"cut after {end} of {len(records)} records")
    expect(len(records) > 100, "records", len(records))


def look_at_what_is_left(files, acknowledged, when):
    for name in os.listdir(W):
        if name.startswith("cut.db"):
            os.unlink(f"{W}/{name}")
    for path, content in files.items():
        name = os.path.basename(path)
        if name.startswith("samples.db") and not name.endswith(("-shm", ".lock")):
            open(f"{W}/cut{name.removeprefix('samples')}", "wb").write(content)
    db = sqlite3.connect(f"{W}/cut.db")
    expect(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok", when)
    if db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'samples'").fetchone()[0] == 0:
        expect(acknowledged == 0, when, "there are no tables")
    else:
        there, last, same = db.execute("SELECT count(*), max(sequence), count(DISTINCT sequence) FROM samples WHERE value = sequence").fetchone()
        mark = db.execute("SELECT max(last) FROM sources").fetchone()[0]
        expect(there == same == (last or 0) == (mark or 0) and there >= acknowledged, when, acknowledged, "acknowledged;", there, last, mark)
    db.close()


@test
def what_is_no_store_is_not_touched():
    def refuses(path, why):
        c = Program("collector", "--address=127.0.0.1:0", f"--store={path}")
        expect(c.wait() == 1 and why in c.said(), path, c.p.returncode, c.said())

    text = f"{W}/text"
    open(text, "w").write("sensor-1 1 1764000000000 load 0.5\n" * 500)
    before = open(text, "rb").read()
    refuses(text, "not a database")
    expect(open(text, "rb").read() == before, "it was changed")
    other = f"{W}/other.db"
    sqlite3.connect(other).executescript("CREATE TABLE samples(x); INSERT INTO samples VALUES(1);")
    before = open(other, "rb").read()
    refuses(other, "of another program")
    expect(open(other, "rb").read() == before, "it was changed")
    os.symlink(other, f"{W}/link.db")
    refuses(f"{W}/link.db", "unable to open")
    refuses(f"{W}/none/samples.db", "No such file")
    refuses(W, "unable to open")


@test
def a_damaged_store_is_said_and_not_cut():
    port = free_port()
    c = Collector(port)
    s = sensor(port, "--duration=2", interval=10)
    expect(s.wait() == 0, s.said())
    c.stop()
    size = os.path.getsize(STORE)
    with open(STORE, "r+b") as f:
        for page in range(1, 4):
            f.seek(page * 4096)
            f.write(b"\xa5" * 4096)
    c = Program("collector", f"--address=127.0.0.1:{port}", f"--store={STORE}")
    expect(c.wait() == 1 and "malformed" in c.said(), c.p.returncode, c.said())
    expect(os.path.getsize(STORE) == size, "the size has changed")


@test
def rows_that_no_collector_has_written():
    """Numbers beyond those of samples: their devices are new ones, and what they send is stored before it is acknowledged."""
    port = free_port()
    c = Collector(port)
    for device in ("a", "b", "c", "d"):
        upload(channel(port), device, [sample(1)], "%016x" % 7)
    c.stop()
    db = sqlite3.connect(STORE)
    for device, column in (("a", "last"), ("b", "dropped"), ("c", "seen_ms")):
        db.execute(f"UPDATE sources SET {column} = -1 WHERE device = '{device}'")
    db.execute("INSERT INTO sources VALUES(9223372036854775807, 'e', 7, 5, 0, 0)")
    db.commit()
    db.close()
    c = Collector(port)
    for device, number in (("a", 2), ("b", 2), ("c", 2), ("d", 2), ("e", 3)):
        upload(channel(port), device, [sample(number)], "%016x" % 7)
        control = Control(channel(port), device, 7)
        control.wait_for(number)
        expect(rows(f"SELECT count(*) FROM readings WHERE device = '{device}' AND sequence = {number}") == 1, "not stored:", device)
    c.stop()


@test
def retention_goes_by_when_samples_came():
    """Whatever time their devices say; and what somebody has numbered anew, as a dump does, is not taken for old."""
    port = free_port()
    c = Collector(port, "--keep=3s")
    s = sensor(port, "--duration=12", name="runs")
    times = [0, -(2**63), 2**63 - 1, int(time.time() * 1000) + 10**12]
    upload(channel(port), "clockless", [sample(i + 1, time_ms=t) for i, t in enumerate(times)])
    most = 0
    for i in range(40):
        time.sleep(0.1)
        expect(i > 20 or rows("SELECT min(sequence) FROM readings WHERE device = 'runs'") in (None, 1), "deleted too early")
    wait_for(lambda: rows("SELECT min(sequence) FROM readings WHERE device = 'runs'") > 100, "old samples go")
    wait_for(lambda: rows("SELECT count(*) FROM readings WHERE device = 'clockless'") == 0, "those of a device without a clock, too")
    most = rows()
    expect(rows("SELECT last FROM sources WHERE device = 'clockless'") == 4, "what it has sent is still known")
    c.stop()
    newest = rows("SELECT max(sequence) FROM samples")
    db = sqlite3.connect(STORE)
    db.executescript("CREATE TEMP TABLE t AS SELECT * FROM samples ORDER BY rowid; DELETE FROM samples; INSERT INTO samples SELECT * FROM t;"
                     "VACUUM;")
    db.close()
    c = Collector(port, "--keep=3s")
    time.sleep(2)
    young = rows(f"SELECT last - {newest} = (SELECT count(*) FROM samples WHERE sequence > {newest}) FROM sources WHERE device = 'runs'")
    expect(young == 1, "some of the samples since the start are gone")
    expect(s.wait() == 0, s.said())
    lost_nothing(s)
    expect(rows("SELECT last FROM sources WHERE device = 'runs'") == number(s, "sent"), s.said())
    after = rows(f"SELECT count(*) FROM samples WHERE sequence > {number(s, 'sent') - 200}")
    expect(after == 200 and most < 1500 and rows() < 1500, "the newest 200 are there:", after, "and not all:", most, rows())
    refused_times = c.said()
    c.stop()
    expect("error" not in refused_times, refused_times)


@test
def a_wall_clock_that_jumps():
    """A year ahead, and two back, on both hosts: sampling and retention go by another clock."""
    port = free_port()
    env = {"LD_PRELOAD": os.path.abspath(f"{W}/fail.so"), "CLOCK_SHIFT": f"{W}/shift"}
    c = Collector(port, "--keep=60s", "--remember=1s", env=env)
    s = sensor(port, "--duration=4", env=env)
    idle = Control(channel(port), "idle", 1)
    upload(channel(port), "idle", [sample(1)], f"{1:016x}")
    wait_for(lambda: rows() > 50, "samples")
    for year in (1, -1):
        open(f"{W}/shift", "w").write(str(year * 366 * 86400))
        time.sleep(1)
    expect(s.wait() == 0, s.said())
    lost_nothing(s)
    c.stop()
    expect(rows("SELECT min(sequence) FROM readings WHERE device = 's'") == 1 and rows("SELECT count(*) FROM sources") == 2, "retention")
    expect(rows() == number(s, "acknowledged") + 1 and 180 * 5 <= number(s, "due") <= 205 * 5, rows(), s.said())
    years = (rows("SELECT max(time_ms) FROM samples WHERE sequence > 1") - rows("SELECT min(time_ms) FROM readings WHERE device = 's'")) / 31622400000
    expect(1.9 < years < 2.1, "the clock was shifted:", years)
    idle.over.set()


@test
def a_store_of_before_there_was_retention():
    port = free_port()
    c = Collector(port)
    upload(channel(port), "old", [sample(i) for i in range(1, 101)])
    wait_for(lambda: rows() == 100, "samples")
    c.stop()
    db = sqlite3.connect(STORE)
    db.execute("DROP TABLE marks")
    db.commit()
    db.close()
    c = Collector(port, "--keep=2s")
    upload(channel(port), "old", [sample(i) for i in range(101, 111)])
    time.sleep(1)
    expect(rows() == 110, "stored", rows(), c.said())
    wait_for(lambda: rows() == 1, "old samples go, but for the last row")  # which keeps its number from being given again
    c.stop()
    for wrong in ("0d", "3", "d", "-1s", "1w", "", "36501d"):
        c = Program("collector", "--address=127.0.0.1:0", f"--store={STORE}", f"--keep={wrong}")
        expect(c.wait() == 2 and "--keep is not like 30d" in c.said(), wrong, c.said())


@test
def a_reader_that_stays():
    """The log that SQLite keeps for it does not fill the disk; the devices keep their samples until it leaves."""
    port = free_port()
    c = Collector(port, "--log=1")
    s = [sensor(port, "--duration=16", name=f"s{i}", interval=8) for i in range(4)]
    wait_for(lambda: rows() > 200, "samples")
    reader = sqlite3.connect(f"file:{STORE}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM samples").fetchone()
    wait_for(lambda: "its log has grown to 1 MiB" in c.said(), "the collector says so")
    sizes = []
    for _ in range(20):
        time.sleep(0.1)
        sizes.append(os.path.getsize(STORE + "-wal"))
    expect(max(sizes) < 1.5 * 2**20, "the log has", max(sizes), "bytes")
    reader.close()
    wait_for(lambda: "the store is open again" in c.said(), "it goes on")
    for p in s:
        expect(p.wait() == 0, p.said())
        lost_nothing(p)
    c.stop()
    balance(c, *s)


@test
def what_was_acknowledged_is_read_again_as_it_was():
    """Any samples, and a collector that is killed after any of them."""
    port = free_port()
    random.seed(7)
    values = [0.0, -0.0, 1.5, -1e308, 5e-324, math.inf, -math.inf, math.nan, 1e15 + 0.3]
    times = [0, 1, -1, 2**63 - 1, -(2**63), 1764000000000]
    expected, last = set(), {}
    for life in range(6):
        c = Collector(port)
        ch = channel(port)
        for _ in range(5):
            device, epoch = random.choice("abc") * random.choice((1, 63)), random.choice((1, 2, 2**64 - 1))
            at = last.get((device, epoch), 0)
            some = []
            for _ in range(random.randrange(1, 80)):
                at = min(at + random.choice((1, 1, 1, 2, 1000, 2**50)), 2**63 - 1)
                some.append(sample(at, random.choice(("m", "x" * 31, "A-z_0.9:/")), random.choice(values), random.choice(times)))
            control = Control(ch, device, epoch)
            control.wait_for(last.get((device, epoch), 0))
            upload(ch, device, some, f"{epoch:016x}")
            control.wait_for(at)
            control.over.set()
            last[device, epoch] = at
            expected |= {(device, epoch, s.sequence, s.time_ms, s.metric, repr(s.value + 0.0)) for s in some}  # SQLite knows one zero
        c.kill()
    db = sqlite3.connect(f"file:{STORE}?mode=ro", uri=True)
    found = {(d, e % 2**64, n, t, m, repr(math.nan if v is None else v))
             for d, e, n, t, m, v in db.execute("SELECT * FROM readings")}
    expect(found == expected, "differ in", list(found ^ expected)[:4])
    expect({(d, e % 2**64): n for d, e, n in db.execute("SELECT device, epoch, last FROM sources")} == last, "what is known of sources")


def write_private(path, text):
    with open(path + ".new", "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(text)
    os.rename(path + ".new", path)


def says_it_is(ch, device, authorization):
    """The codes of an Upload and a Control call of a device."""
    fields = [("device-id", device), ("device-epoch", "1" * 16)] + ([("authorization", authorization)] if authorization else [])
    up = ch.stream_unary("/mote.telemetry.Telemetry/Upload", telemetry.Sample.SerializeToString, telemetry.UploadSummary.FromString)
    control = ch.stream_stream("/mote.telemetry.Telemetry/Control", telemetry.Report.SerializeToString, telemetry.Command.FromString)
    codes = []
    for call in (lambda: up(iter([]), metadata=fields, timeout=5),
                 lambda: next(control(iter([telemetry.Report(device=device, epoch=1)]), metadata=fields, timeout=5))):
        try:
            call()
            codes.append(grpc.StatusCode.OK)
        except grpc.RpcError as e:
            codes.append(e.code())
    return codes


@test
def tokens_say_who_may_be_which_device():
    port = free_port()
    tokens, mine = f"{W}/tokens", f"{W}/token"
    a, b, c2 = "a" * 16, "b" * 128, "c-._~+/0" * 4 + "="
    write_private(tokens, f"# comment\n\nrunner {a}\n other\n".replace(" other\n", "") + f"b\t{b}\n")
    write_private(mine, a + "\n")
    c = Collector(port, f"--tokens={tokens}")
    ch = channel(port)
    ok, no = [grpc.StatusCode.OK] * 2, [grpc.StatusCode.UNAUTHENTICATED] * 2
    for device, authorization, wanted in (
            ("b", f"Bearer {b}", ok), ("b", f"bearer {b}", ok), ("b", None, no), ("b", f"Bearer {a}", no), ("b", f"Bearer {b[:-1]}", no),
            ("b", f"Bearer {b}b", no), ("b", f"Bearer {a}", no), ("b", "Bearer ", no), ("b", f"Basic {b}", no), ("b", b, no),
            ("nobody", f"Bearer {b}", no), ("runner", f"Bearer {b}", no), ("b", f"Bearer  {b}", no)):
        expect(says_it_is(ch, device, authorization) == wanted, device, authorization, says_it_is(ch, device, authorization))
    expect(sensor(port, f"--token={mine}", name="runner").wait() == 2, "a token went out in the clear")
    s = sensor(port, f"--token={mine}", "--token-in-the-clear", "--duration=7", name="runner")
    wait_for(lambda: rows("SELECT count(*) FROM readings WHERE device = 'runner'") > 100, "samples")
    write_private(tokens, f"runner {c2}\nwrong\n")
    wait_for(lambda: "line 2 is not DEVICE TOKEN" in c.said(), "the file is wrong")
    expect(says_it_is(ch, "runner", f"Bearer {c2}") == no, "a file that is wrong holds")
    write_private(tokens, f"runner {c2}\n")  # and b has none any more
    wait_for(lambda: "the tokens were read again" in c.said(), "the tokens are read again")
    expect(says_it_is(ch, "b", f"Bearer {b}") == no, "b is still known")
    time.sleep(0.5)
    here = rows("SELECT count(*) FROM readings WHERE device = 'runner'")
    time.sleep(0.7)
    expect(rows("SELECT count(*) FROM readings WHERE device = 'runner'") == here, "who was shown out goes on")
    write_private(mine, c2)
    expect(s.wait() == 0, s.said())
    lost_nothing(s)
    c.stop()
    balance(c, s)
    os.chmod(tokens, 0o640)
    other = Program("collector", "--address=127.0.0.1:0", f"--tokens={tokens}")
    expect(other.wait() == 2 and "others may read" in other.said(), other.said())
    os.unlink(tokens)
    other = Program("collector", "--address=127.0.0.1:0", f"--tokens={tokens}")
    expect(other.wait() == 2 and "No such file" in other.said(), other.said())


@test
def certificates_are_replaced_while_it_runs():
    port = free_port()
    for name in ("first", "second"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
                        f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{W}/{name}.key", "-out", f"{W}/{name}.pem"],
                       check=True, capture_output=True)

    def replace(name):
        for kind in ("pem", "key"):
            write_private(f"{W}/now.{kind}", open(f"{W}/{name}.{kind}").read())

    def secure(name):
        trusted = grpc.ssl_channel_credentials(open(f"{W}/{name}.pem", "rb").read())
        return grpc.secure_channel(f"127.0.0.1:{port}", trusted, (("grpc.ssl_target_name_override", "localhost"),
                                                                 ("grpc.use_local_subchannel_pool", 1)))

    replace("first")
    c = Collector(port, "--tls", f"--cert={W}/now.pem", f"--key={W}/now.key")
    old = secure("first")
    expect(upload(old, "d", [sample(1)]).received == 1, "over the first certificate")
    refused(grpc.StatusCode.UNAVAILABLE, secure("second"), "d", [sample(2)], wait=3)
    replace("second")
    time.sleep(2.5)
    expect(upload(secure("second"), "d", [sample(2)]).received == 1, "over the second one")
    refused(grpc.StatusCode.UNAVAILABLE, secure("first"), "d", [sample(3)], wait=3)
    expect(upload(old, "d", [sample(3)]).received == 1, "who is connected stays so")
    write_private(f"{W}/now.pem", "no certificate")
    wait_for(lambda: "error: TLS" in c.said(), "the wrong one is said")
    expect(upload(secure("second"), "d", [sample(4)]).received == 1, "and the one before holds")
    c.stop()
    expect(rows() == 4, "stored", rows())


def make_certificates(*devices):
    """A CA, and by it one for the collector and one for each of the devices."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=W)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-days", "1", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("localhost", *devices):
        write_private(f"{W}/ext", f"subjectAltName=DNS:{name}")
        openssl("req", *new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1",
                "-extfile", "ext", "-out", f"{name}.pem")


@test
def a_certificate_says_who_may_be_which_device():
    make_certificates("d1", "d2")
    for wrong in (("--identity=cert",), ("--identity=cert", "--tls", f"--cert={W}/localhost.pem", f"--key={W}/localhost.key"),
                  ("--identity=name", "--tls", f"--cert={W}/localhost.pem", f"--key={W}/localhost.key", f"--ca={W}/ca.pem")):
        other = Program("collector", "--address=127.0.0.1:0", *wrong)
        expect(other.wait() == 2 and "--identity is not cert" in other.said(), other.said())
    port = free_port()
    c = Collector(port, "--tls", f"--cert={W}/localhost.pem", f"--key={W}/localhost.key", f"--ca={W}/ca.pem", "--identity=cert")

    def read(name):
        return open(f"{W}/{name}", "rb").read()

    ok, no = [grpc.StatusCode.OK] * 2, [grpc.StatusCode.UNAUTHENTICATED] * 2
    for own in ("d1", "d2"):
        ch = grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(read("ca.pem"), read(f"{own}.key"), read(f"{own}.pem")),
                                 (("grpc.use_local_subchannel_pool", 1),))
        for device in ("d1", "d2", "d", "d11", "D1", "localhost"):
            codes = says_it_is(ch, device, None)
            expect(codes == (ok if device == own else no), own, "as", device, codes)
    s = sensor(port, "--tls", f"--ca={W}/ca.pem", f"--cert={W}/d1.pem", f"--key={W}/d1.key", "--duration=2", host="localhost", name="d1")
    expect(s.wait() == 0, s.said())
    lost_nothing(s)
    c.stop()
    balance(c, s)


@test
def a_sensor_takes_new_certificates_and_another_ca():
    """While it runs: it was given files, and what they hold when a connection begins is what it uses."""
    def replace():
        make_certificates("s")
        for name in ("ca.pem", "s.pem", "s.key"):
            write_private(f"{W}/now.{name}", open(f"{W}/{name}").read())

    def begin():
        return Collector(port, "--tls", f"--cert={W}/localhost.pem", f"--key={W}/localhost.key", f"--ca={W}/ca.pem", "--identity=cert")

    port = free_port()
    replace()
    c = begin()
    s = sensor(port, "--tls", f"--ca={W}/now.ca.pem", f"--cert={W}/now.s.pem", f"--key={W}/now.s.key", "--duration=10", host="localhost")
    wait_for(lambda: rows() > 50, "samples")
    old = {name: open(f"{W}/now.{name}").read() for name in ("s.pem", "s.key")}
    c.kill()
    replace()
    new = {name: open(f"{W}/now.{name}").read() for name in ("s.pem", "s.key")}
    for name, text in old.items():  # the CA is new, what it has to show is old: it is not let in
        write_private(f"{W}/now.{name}", text)
    c = begin()
    before = rows()
    time.sleep(1.5)
    expect(rows() == before, "who has a certificate of the old CA is let in")
    for name, text in new.items():
        write_private(f"{W}/now.{name}", text)
    wait_for(lambda: rows() > before + 50, "samples over the new certificates")
    expect(s.wait() == 0, s.said())
    lost_nothing(s)
    c.stop()
    balance(c, s)


@test
def an_output_that_nobody_takes():
    """A pipe that is full, and one that is closed: the service goes on, and nothing of it lands in the data."""
    port = free_port()
    for closed in (False, True):
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        while not closed:
            try:
                os.write(write_end, b"x" * 65536)
            except BlockingIOError:
                break
        os.set_blocking(write_end, True)
        p = subprocess.Popen([f"{BUILD}/collector", f"--address=127.0.0.1:{port}", f"--store={STORE}", "--plain"],
                             stdout=None if closed else write_end, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                             preexec_fn=(lambda: os.close(1)) if closed else None)
        children.append(p)
        os.close(write_end)
        s = sensor(port, "--duration=3", name=f"s{closed}")
        expect(s.wait() == 0, s.said())
        lost_nothing(s)
        os.close(read_end)
        p.send_signal(signal.SIGTERM)
        p.wait(20)
    expect(rows("PRAGMA integrity_check") == "ok", "the store")
    expect(rows("SELECT count(DISTINCT device) FROM sources") == 2, "devices")


@test
def a_collector_that_ends_and_one_that_follows():
    """SIGTERM under load: what is stored is acknowledged before the calls end, and each ends with UNAVAILABLE."""
    port = free_port()
    c = Collector(port)
    s = [sensor(port, "--duration=6", name=f"s{i}", interval=5) for i in range(3)]
    ch = channel(port)
    control = Control(ch, "idle")
    control.wait_for(0)
    for _ in range(4):
        time.sleep(0.7)
        begin = time.monotonic()
        c.stop()
        expect(time.monotonic() - begin < 2, "its end took", time.monotonic() - begin, "s")
        said = c.said().split("collector: ")[1]
        received, stored, acknowledged = [int(said.split(word + " ")[1].split(",")[0]) for word in ("received", "stored", "acknowledged")]
        expect(received == stored == acknowledged > 0, said)
        c = Collector(port)
    expect(control.code == grpc.StatusCode.UNAVAILABLE, control.code)
    for p in s:
        expect(p.wait() == 0, p.said())
        lost_nothing(p)
    c.stop()
    balance(c, *s)


@test
def a_second_collector_on_the_same_store():
    port = free_port()
    c = Collector(port)
    other = Program("collector", "--address=127.0.0.1:0", f"--store={STORE}")
    expect(other.wait() == 1 and "another collector uses" in other.said(), other.said())
    s = sensor(port, "--duration=2")
    for _ in range(20):
        rows()  # others may read all the time
        time.sleep(0.1)
    expect(s.wait() == 0, s.said())
    c.stop()
    balance(c, s)


@test
def a_collector_that_hangs():
    """A path on which nothing is acknowledged for 10 s is given up; the ring drops its oldest samples meanwhile, and says so."""
    port = free_port()
    c = Collector(port)
    s = [sensor(port, "--duration=17", name="keeps"), sensor(port, "--duration=17", name="drops", interval=3)]
    wait_for(lambda: rows() > 200, "samples")
    c.p.send_signal(signal.SIGSTOP)
    time.sleep(13)
    c.p.send_signal(signal.SIGCONT)
    for p in s:
        expect(p.wait() == 0, p.said())
        expect("connections 1," not in p.said(), p.said())
    c.stop()
    balance(c, *s)
    lost_nothing(s[0])
    expect(number(s[1], "dropped") > 1000 and "no room 0)" in s[1].said(), s[1].said())


# ---- peers that do harm


@test
def values_that_are_no_numbers():
    port = free_port()
    pid, fd = pty.fork()
    if pid == 0:  # the live table is for a terminal
        os.execv(f"{BUILD}/collector", ["collector", f"--address=127.0.0.1:{port}", f"--store={STORE}"])
    threading.Thread(target=lambda: [None for _ in iter(lambda: read_terminal(fd), b"")], daemon=True).start()
    wait_for(lambda: os.path.exists(STORE), "the store")
    ch = channel(port)
    values = [1.0, math.nan, math.inf, -math.inf, 1.7e308, -1.7e308, 5e-324]
    expect(upload(ch, "d", [sample(i + 1, value=v) for i, v in enumerate(values)]).received == 7, "not all")
    time.sleep(0.6)
    expect(os.waitpid(pid, os.WNOHANG)[0] == 0, "the collector is dead")
    os.kill(pid, signal.SIGTERM)
    expect(os.waitpid(pid, 0)[1] == 0, "its end")
    expect(rows("SELECT count(*) FROM samples WHERE value IS NULL") == 1, "nan")
    expect(rows("SELECT max(value) FROM samples") == math.inf, "inf")


def read_terminal(fd):
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""


@test
def names_are_checked_at_the_door():
    port = free_port()
    c = Collector(port)
    ch = channel(port)
    expect(says_it_is(ch, "good", "Basic xyz") == [grpc.StatusCode.OK] * 2, "without --tokens nobody looks at one")
    upload(ch, "good", [sample(i, "temp") for i in range(1, 101)])
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    for metric in ("x" * 32, "x" * 300, "", "x 1\ngood 18446744073709551614 0 temp", "\x1b[2J", "é"):
        refused(invalid, ch, "evil", [sample(1, metric)])
    for device in ("", "x" * 64, "a b", "a;b", "%"):
        refused(invalid, ch, device, [sample(1)])
    for epoch in ("0" * 16, "123", "g" * 16, "1" * 17, "ABCDEFABCDEFABCD"):
        refused(invalid, ch, "evil", [sample(1)], epoch)
    for sequence in (0, 1 << 63, (1 << 64) - 1):
        refused(invalid, ch, "evil", [sample(sequence)])
    upload(ch, "x" * 63, [sample(1, "y" * 31), sample((1 << 63) - 1)], "f" * 16)
    upload(ch, "good", [sample(i, "temp", 2) for i in range(101, 1101)])
    c.stop()
    c = Collector(port)
    expect(rows("SELECT count(*) FROM readings WHERE device = 'good'") == 1100, "rows of good")
    expect(rows() == 1102, "rows", rows())
    c.stop()


@test
def nobody_takes_all_the_places_for_devices():
    """Half of what is left for each address; what was stored keeps its place, what was only named gives it back."""
    port = free_port()
    c = Collector(port, f"--address=:{port}", "--devices=8")
    first, second = channel(port), grpc.insecure_channel(f"[::1]:{port}")
    full = grpc.StatusCode.RESOURCE_EXHAUSTED
    for i in range(20):
        upload(first, f"named{i}", [])
    for i in range(4):
        upload(first, f"a{i}", [sample(1)])
    refused(full, first, "a4", [sample(1)])
    upload(first, "a3", [sample(2)])
    for i in range(2):
        upload(second, f"b{i}", [sample(1)])
    refused(full, second, "b2", [sample(1)])
    refused(full, first, "a4", [])
    c.stop()
    expect(rows() == 7, "stored", rows())


@test
def a_control_stream_of_another_device_acknowledges_nothing():
    """A Control call that ended by a bad message, and then another device on the same slot."""
    port = free_port()
    c = Collector(port)
    up = channel(port)
    upload(up, "A", [sample(1)])
    evil = channel(port)
    control = Control(evil, "A")
    control.wait_for(0)
    bad = evil.stream_stream("/mote.telemetry.Telemetry/Control")
    try:
        list(bad(iter([b"\xff\xff"]), timeout=2))
    except grpc.RpcError as e:
        expect(e.code() == grpc.StatusCode.INVALID_ARGUMENT, e.code())
    evil.close()
    upload(up, "A", [sample(10**15)])
    s = sensor(port, "--duration=3", name="victim")
    expect(s.wait() == 0, s.said())
    c.stop()
    expect("wrong acknowledgements 0" in s.said(), s.said())
    lost_nothing(s)
    expect(rows("SELECT count(*) FROM readings WHERE device = 'victim'") == number(s, "acknowledged"), s.said())


@test
def a_collector_that_acknowledges_what_was_never_sent():
    port = free_port()

    def control(reports, context):
        yield telemetry.Command(acknowledged=10**15)
        yield telemetry.Command(interval_ms=0)
        threading.Event().wait(60)

    received = []

    def take(samples, context):
        for s in samples:
            received.append(s.sequence)
        return telemetry.UploadSummary()

    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.telemetry.Telemetry", {
        "Upload": grpc.stream_unary_rpc_method_handler(take, telemetry.Sample.FromString, telemetry.UploadSummary.SerializeToString),
        "Control": grpc.stream_stream_rpc_method_handler(control, telemetry.Report.FromString,
                                                         telemetry.Command.SerializeToString)}),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    s = sensor(port, interval=50)
    wait_for(lambda: len(received) > 50, "samples")
    s.p.send_signal(signal.SIGTERM)
    expect(s.wait() == 1, s.said())
    server.stop(0)
    expect("acknowledged 0 + unacknowledged" in s.said() and "wrong acknowledgements 0" not in s.said(), s.said())


@test
def connections_that_are_reset():
    port = free_port()
    c = Collector(port)
    for i in range(50):
        ch = channel(port)
        Control(ch, f"d{i}").wait_for(0)
        ch.close()
    for i in range(30):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(open(f"{W}/hello", "rb").read())
            time.sleep(0.02)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s = [sensor(port, "--duration=3", name=f"s{i}") for i in range(3)]
    for p in s:
        expect(p.wait() == 0, p.said())
        expect("wrong acknowledgements 0" in p.said() and "connections 1," in p.said(), p.said())
    c.stop()
    balance(c, *s)


def record_hello():
    """What a sensor says first: its Control call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        s = sensor(listener.getsockname()[1], name="reset")
        peer = listener.accept()[0]
        peer.sendall(bytes.fromhex("000000040000000000"))
        time.sleep(0.3)
        open(f"{W}/hello", "wb").write(peer.recv(65536))
        s.kill()


# ---- readings


@test
def a_reading_that_cannot_be_had_is_absent():
    port = free_port()
    c = Collector(port)
    s = sensor(port, "--duration=4")
    wait_for(lambda: rows() > 50, "samples")
    resource.prlimit(s.p.pid, resource.RLIMIT_NOFILE, (3, 1024))
    time.sleep(1)
    resource.prlimit(s.p.pid, resource.RLIMIT_NOFILE, (1024, 1024))
    expect(s.wait() == 0, s.said())
    c.stop()
    balance(c, s)
    expect("unreadable 0" not in s.said(), s.said())
    expect(rows("SELECT count(*) FROM samples WHERE metric = 'memory_mib' AND value = 0") == 0, "readings of 0")


@test
def the_grid_waits_for_nothing():
    """No collector, a name that nobody resolves, a process that was stopped."""
    s = sensor(free_port(), "--duration=3", "--collector=10.255.255.1:9", interval=10)
    time.sleep(1)
    s.p.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    s.p.send_signal(signal.SIGCONT)
    expect(s.wait() == 1, s.said())
    expect(1480 <= number(s, "due") <= 1505 and 200 <= number(s, "late") <= 900, s.said())
    expect("acknowledged 0 + unacknowledged" in s.said(), s.said())


# ---- all of them


def run(t):
    """One test, in this process: 1 if it fails."""
    global STORE
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1",
                    os.path.join(os.path.dirname(__file__), "fail.c"), "-o", f"{W}/fail.so", "-ldl"], check=True)
    STORE = f"{W}/samples.db"
    try:
        record_hello()
        t()
    except Exception as e:  # a broken test is a failed one
        print(f"FAIL {t.__name__}: {type(e).__name__} {e}")
        return 1
    finally:
        for p in children:
            p.kill()
        subprocess.run(["rm", "-rf", W])
    return 0


def main():
    """Tests wait most of the time: several run at once, each in a process of its own."""
    names = [t.__name__ for t in tests if not sys.argv[1:] or any(name in t.__name__ for name in sys.argv[1:])]
    with ThreadPoolExecutor(5) as pool:
        failed = sum(pool.map(lambda name: subprocess.run([sys.executable, __file__, "--one", name]).returncode != 0, names))
    print(f"{len(names) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(run(globals()[sys.argv[2]]) if sys.argv[1:2] == ["--one"] else main())
