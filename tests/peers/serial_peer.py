"""mote-serial and clients that keep the others out: two of them, back to back, over a line that this script is. BUILD=build."""
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("BUILD", "build")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
passed = failed = 0


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
        return subprocess.Popen([f"{BUILD}/mote-serial", *options], stderr=self.log, **more)

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


def run(test):
    global passed, failed
    try:
        test()
        passed += 1
    except Exception as e:
        print(f"FAIL {test.__name__}: {type(e).__name__} {e}")
        failed += 1


threads = [threading.Thread(target=run, args=(t,)) for t in (a_client_that_says_nothing, a_client_that_says_half_of_the_preface,
                                                             a_client_that_takes_nothing, a_connection_that_rests)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
