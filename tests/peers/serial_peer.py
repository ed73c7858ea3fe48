"""mote-serial: two of them, back to back, over a line that this script is, with clients that keep the others out; and one on a
pseudo-terminal, for what it makes of a serial device. BUILD=build."""
import fcntl
import os
import resource
import select
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

BUILD = os.environ.get("BUILD", "build")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
passed = failed = 0
started = []  # what a failed test leaves is ended


def start(*command, **more):
    started.append(subprocess.Popen([f"{BUILD}/mote-serial", *command], **more))
    return started[-1]


def line_between(ends):
    """Each end connects to its own socket; what one says the other hears."""
    a, b = [e.accept()[0] for e in ends]
    try:
        while True:
            for s in select.select([a, b], [], [])[0]:
                data = s.recv(4096)
                if not data:
                    return
                (b if s is a else a).sendall(data)
    except OSError:
        pass


class Bridge:
    """A client connects to .address, and comes out at .server."""

    def __init__(self, *options):
        self.folder = tempfile.mkdtemp(prefix="mote-serial.")
        ends = []
        for name in "ab":
            ends.append(socket.socket(socket.AF_UNIX))
            ends[-1].bind(f"{self.folder}/{name}")
            ends[-1].listen()
        threading.Thread(target=line_between, args=(ends,), daemon=True).start()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(20)
        self.log = open(f"{self.folder}/log", "w+")
        near = self.start(f"--line=unix:{self.folder}/a", "--listen=127.0.0.1:0", *options, stdout=subprocess.PIPE)
        far = self.start(f"--line=unix:{self.folder}/b", "--dial=127.0.0.1:%d" % self.server.getsockname()[1],
                         stdout=subprocess.DEVNULL)
        self.both = near, far
        self.address = near.stdout.readline().decode().split()[-1].split(":")

    def start(self, *options, **more):
        return start(*options, stderr=self.log, **more)

    def client(self):
        s = socket.create_connection((self.address[0], int(self.address[1])))
        s.settimeout(20)
        return s

    def end(self):
        assert all(p.poll() is None for p in self.both), self.said()
        for p in self.both:
            p.terminate()
            p.wait()
        subprocess.run(["rm", "-rf", self.folder])

    def said(self):
        return open(self.log.name).read()


def seconds_to_end(s):
    begin = time.monotonic()
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        pass
    return time.monotonic() - begin


def is_served(bridge, s):
    """Both ways, through both bridges."""
    s.sendall(PREFACE)
    peer = bridge.server.accept()[0]
    peer.settimeout(20)
    assert peer.recv(len(PREFACE), socket.MSG_WAITALL) == PREFACE
    peer.sendall(b"hello")
    assert s.recv(100) == b"hello"
    return peer


def a_client_that_says(what):
    bridge = Bridge()
    silent = bridge.client()
    silent.sendall(what)
    other = bridge.client()
    took = seconds_to_end(silent)
    assert 9 < took < 13, f"closed after {took:.1f} s"
    assert "a connection was closed: the client has said nothing\n" in bridge.said(), bridge.said()
    if what:  # the server has seen it come, and go
        bridge.server.accept()[0].close()
    else:
        bridge.server.accept()
    is_served(bridge, other)
    bridge.end()


def a_client_that_says_nothing():
    a_client_that_says(b"")


def a_client_that_says_half_of_the_preface():
    a_client_that_says(PREFACE[:23])


def a_client_that_takes_nothing():
    bridge = Bridge()
    greedy = bridge.client()
    peer = is_served(bridge, greedy)
    peer.settimeout(1)
    begin = time.monotonic()
    while time.monotonic() - begin < 60 and "the peer takes nothing" not in bridge.said():
        try:
            peer.sendall(bytes(65536))
        except OSError:
            pass
    assert "a connection was closed: the peer takes nothing\n" in bridge.said(), bridge.said()
    is_served(bridge, bridge.client())
    bridge.end()


def a_connection_that_rests():
    bridge = Bridge("--idle=2")
    s = bridge.client()
    peer = is_served(bridge, s)
    for _ in range(3):  # whoever talks stays
        time.sleep(1)
        s.sendall(b"x")
    took = seconds_to_end(s)
    peer.close()
    assert 1.5 < took < 4, f"closed after {took:.1f} s"
    assert "a connection was closed: nothing has passed for a long time\n" in bridge.said(), bridge.said()
    is_served(bridge, bridge.client())
    bridge.end()


# ---- turns


def frame(kind, payload=b"", stream=0, flags=0):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


SETTINGS, DATA, GOAWAY = 4, 0, 7
GO = frame(GOAWAY, b"\x7f\xff\xff\xff\0\0\0\0")


def receive(s, n):
    got = b""
    while len(got) < n:
        more = s.recv(n - len(got))
        if not more:
            break
        got += more
    return got


def a_turn_ends_while_others_wait():
    """Between two frames, wherever those are cut; who goes makes room at once, who stays is closed."""
    for stays in (False, True):
        bridge = Bridge("--turn=1")
        first = bridge.client()
        first.sendall(PREFACE)
        peer = bridge.server.accept()[0]
        whole = frame(SETTINGS) + frame(DATA, bytes(range(100)), 1)
        peer.sendall(whole[:50])
        assert receive(first, 50) == whole[:50]
        second = bridge.client()
        second.sendall(PREFACE)
        first.settimeout(3)
        try:
            assert not first.recv(1), "it was told in the middle of a frame"
        except TimeoutError:
            pass
        first.settimeout(20)
        peer.sendall(whole[50:])
        assert receive(first, len(whole) - 50 + len(GO)) == whole[50:] + GO
        peer.sendall(frame(DATA, b"more", 1))  # its calls go on
        assert receive(first, 13) == frame(DATA, b"more", 1)
        if not stays:
            first.close()
        begin = time.monotonic()
        other = bridge.server.accept()[0]
        took = time.monotonic() - begin
        assert receive(other, len(PREFACE)) == PREFACE
        assert (9 < took < 13) if stays else took < 2, took
        assert stays == ("a connection was closed: others wait for their turn" in bridge.said()), bridge.said()
        bridge.end()


def a_frame_that_does_not_end_keeps_nobody_out():
    """Nothing can be said inside of it: then the connection is closed."""
    bridge = Bridge("--turn=1")
    first = bridge.client()
    first.sendall(PREFACE)
    peer = bridge.server.accept()[0]
    peer.sendall(frame(DATA, bytes(100), 1)[:50])
    assert len(receive(first, 50)) == 50
    second = bridge.client()
    second.sendall(PREFACE)
    begin = time.monotonic()
    bridge.server.settimeout(20)
    assert receive(bridge.server.accept()[0], len(PREFACE)) == PREFACE
    assert 8 < time.monotonic() - begin < 18, time.monotonic() - begin
    assert "a connection was closed: others wait for their turn" in bridge.said(), bridge.said()
    bridge.end()


def alone_a_client_stays():
    bridge = Bridge("--turn=1")
    s = bridge.client()
    s.sendall(PREFACE)
    peer = bridge.server.accept()[0]
    for _ in range(3):
        peer.sendall(frame(SETTINGS))
        assert receive(s, 9) == frame(SETTINGS)
        time.sleep(0.7)
    s.settimeout(0.5)
    try:
        assert False, s.recv(1)
    except TimeoutError:
        pass
    bridge.end()


# ---- a serial device


class Device:
    """A pseudo-terminal, under a name that stays when it is unplugged."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="mote-serial.")
        self.name = f"{self.folder}/tty"
        self.log = open(f"{self.folder}/log", "w+")
        self.out = open(f"{self.folder}/out", "w+")
        self.plug_in()

    def plug_in(self):
        self.board, self.far = os.openpty()
        os.symlink(os.ttyname(self.far), self.name + ".new")
        os.rename(self.name + ".new", self.name)

    def unplug(self):
        os.unlink(self.name)  # before another test has a terminal of that number
        os.close(self.far)
        os.close(self.board)

    def bridge(self, *options, **env):
        self.program = start(f"--line={self.name}", "--listen=127.0.0.1:0", *options, stdout=self.out, stderr=self.log,
                             env={**os.environ, **env})
        self.wait_for(lambda: "listening" in self.said() or self.program.poll() is not None, "it listens")
        return self.program

    def said(self):
        return open(self.out.name).read() + open(self.log.name).read()

    def wait_for(self, it, what):
        for _ in range(200):
            if it():
                return
            time.sleep(0.05)
        raise AssertionError(f"not within 10 s: {what}: {self.said()}")

    def end(self):
        self.program.terminate()
        self.program.wait()
        subprocess.run(["rm", "-rf", self.folder])


def a_device_as_another_program_has_left_it():
    for baud in (50, 115200, 250000, 3000000):
        device = Device()
        t = termios.tcgetattr(device.far)
        t[0] = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.ISTRIP
        t[2] = termios.CS7 | termios.CSTOPB | termios.PARENB | termios.HUPCL | termios.CREAD | termios.CRTSCTS
        t[3] |= termios.ECHO | termios.ICANON | termios.ISIG
        termios.tcsetattr(device.far, termios.TCSANOW, t)
        device.bridge(f"--baud={baud}")
        t = termios.tcgetattr(device.far)
        assert t[0] == 0 and t[1] == 0 and t[3] == 0, t
        # A pseudo-terminal is CS8 without parity whatever is asked; the others are as they were set.
        assert not t[2] & (termios.CSTOPB | termios.HUPCL | termios.CRTSCTS), hex(t[2])
        assert t[2] & termios.CLOCAL and t[2] & termios.CREAD, hex(t[2])
        rates = struct.unpack("36xII", fcntl.ioctl(device.far, 0x802C542A, bytes(44)))  # TCGETS2
        assert rates == (baud, baud), (rates, baud)
        device.end()


def levels_of_the_modem_lines():
    library = tempfile.mkdtemp(prefix="mote-serial.") + "/lines.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", os.path.join(os.path.dirname(__file__), "modem_lines.c"), "-o", library],
                   check=True)
    for options, wanted in (((), ""), (("--dtr=0",), "clear 2\n"), (("--dtr=1", "--rts=0"), "set 2\nclear 4\n"), (("--rts=1",), "set 4\n")):
        device = Device()
        asked = f"{device.folder}/asked"
        open(asked, "w").close()
        device.bridge(*options, LD_PRELOAD=library, MODEM_LINES=asked)
        assert open(asked).read() == wanted, (options, open(asked).read())
        device.end()


def a_device_that_another_program_uses():
    device = Device()
    os.chmod(device.folder, 0o755)
    os.chmod(os.ttyname(device.far), 0o666)
    device.bridge()
    ordinary = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    second = subprocess.run([os.path.abspath(f"{BUILD}/mote-serial"), f"--line={device.name}", "--listen=127.0.0.1:0"], capture_output=True, text=True,
                            timeout=20, **ordinary)
    assert second.returncode == 1, second
    assert second.stderr == f"mote-serial: error: {device.name}: another program uses it\n", second.stderr
    device.end()


def what_a_board_prints():
    device = Device()
    device.bridge()
    device.wait_for(lambda: os.write(device.board, b"\nfirst\n\0") and "board: first" in device.said(), "the first line")
    time.sleep(0.5)
    os.write(device.board, b"ets Jun  8 2016\r\nrst:0x1 (POWERON)\n\n\x1b[31mred\n\x01\x02noise\n" + b"x" * 300 + b"\nlast\n\0")
    device.wait_for(lambda: "board: last" in device.said(), "the last line")
    lines = [l for l in device.said().splitlines() if l.startswith("board: ") and l != "board: first"]
    assert lines[:2] == ["board: ets Jun  8 2016", "board: rst:0x1 (POWERON)"], lines
    assert lines[2:] == ["board: \\x1b[31mred", "board: " + "x" * 255, "board: " + "x" * 45, "board: last"], lines
    device.end()


def a_cable_that_is_pulled():
    device = Device()
    device.bridge()
    for _ in range(2):
        gone, there = (device.said().count(f"mote-serial: the line {text}\n") for text in ("has ended", "is there again"))
        device.unplug()
        device.wait_for(lambda: device.said().count("the line has ended") == gone + 1, "the line has ended")
        time.sleep(0.5)
        device.plug_in()
        device.wait_for(lambda: device.said().count("is there again") == there + 1, "the line is there again")
        heard = device.said().count("board: hello")
        # Some kernels lose what is written to a new pseudo-terminal first.
        device.wait_for(lambda: os.write(device.board, b"hello\n\0") and device.said().count("board: hello") > heard, "what the board says")
    assert device.program.poll() is None
    device.end()


def nobody_takes_what_a_board_prints():
    """A pipe that is full, and one that is closed: the bridge goes on, and the board hears nothing of it."""
    for closed in (False, True):
        device = Device()
        if closed:
            read, device.out = None, open("/dev/null", "w")
            device.program = start(f"--line={device.name}", "--listen=127.0.0.1:0", stdout=None, stderr=device.log,
                                   preexec_fn=lambda: os.close(1))
        else:
            read, write = os.pipe()
            device.program = start(f"--line={device.name}", "--listen=127.0.0.1:0", stdout=write, stderr=device.log)
            os.close(write)
            assert b"listening" in os.read(read, 100)
        device.wait_for(lambda: not termios.tcgetattr(device.far)[3] & termios.ECHO, "it has the line")
        os.set_blocking(device.board, False)
        left, heard, end = (b"x" * 255 + b"\n\0") * 600, b"", time.monotonic() + 10
        while left and time.monotonic() < end:
            ready = select.select([device.board], [device.board], [], 0.1)
            if ready[1]:
                left = left[os.write(device.board, left[:1000]):]
            if ready[0]:
                heard += os.read(device.board, 1000)
        assert not left and not heard, (closed, len(left), heard[:100])
        if read is not None:
            os.close(read)
        os.write(device.board, b"more\n\0" * 100)
        time.sleep(0.3)
        assert device.program.poll() is None, (closed, device.program.returncode)
        device.end()


def without_a_descriptor_it_waits():
    """A client that cannot be accepted yet keeps it busy no more than others, and has its turn then."""
    device = Device()
    device.bridge()
    pid = device.program.pid
    most = min(set(range(100)) - set(map(int, os.listdir(f"/proc/{pid}/fd"))))  # the next descriptor
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, limits[1]))
    address = device.said().split("listening on ")[1].split()[0].split(":")
    client = socket.create_connection(address, 10)

    def used():
        return sum(map(int, open(f"/proc/{pid}/stat").read().split()[13:15])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(1)
    assert used() - before < 0.05, used() - before  # a few looks
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    assert select.select([device.board], [], [], 10)[0], "no connection begins on the line"
    client.close()
    device.end()


def numbers_out_of_their_range():
    for option, text in (("--baud=9600x", "--baud=9600x is not 50 to 4000000"), ("--baud=49", "--baud=49 is not 50 to 4000000"),
                         ("--baud=4000001", "--baud=4000001 is not 50 to 4000000"), ("--dtr=2", "--dtr=2 is not 0 to 1"),
                         ("--rts=", "--rts= is not 0 to 1"), ("--sync=0", "--sync=0 is not 1 to 60000"), ("--sync=60001", "--sync=60001 is not 1 to 60000"),
                         ("--turn=0", "--turn=0 is not 1 to 1000000"), ("--idle=-1", "--idle=-1 is not 1 to 1000000")):
        p = subprocess.run([f"{BUILD}/mote-serial", "--line=/dev/null", "--listen=127.0.0.1:0", option], capture_output=True, text=True, timeout=20)
        assert (p.returncode, p.stderr) == (2, f"mote-serial: error: {text}\n"), p


def run(test):
    global passed, failed
    try:
        test()
        passed += 1
    except Exception as e:
        print(f"FAIL {test.__name__}: {type(e).__name__} {e}")
        failed += 1


threads = [threading.Thread(target=run, args=(t,)) for t in (
    a_client_that_says_nothing, a_client_that_says_half_of_the_preface, a_client_that_takes_nothing, a_connection_that_rests,
    a_turn_ends_while_others_wait, a_frame_that_does_not_end_keeps_nobody_out, alone_a_client_stays, a_device_as_another_program_has_left_it, levels_of_the_modem_lines,
    a_device_that_another_program_uses, what_a_board_prints, a_cable_that_is_pulled, nobody_takes_what_a_board_prints,
    without_a_descriptor_it_waits, numbers_out_of_their_range)]
for t in threads:
    t.start()
for t in threads:
    t.join()
for p in started:
    p.kill()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
