"""A sensor and a collector on two hosts, network namespaces, and a link between them that fails: lab.py [short]. Each scenario asserts
the ledger and how long it takes from the fault, or its end, to the next stored sample. As root; BUILD=build."""
import os
import shutil
import subprocess
import sys
import time

import faults
from faults import Collector, balance, expect, lost_nothing, rows, sensor, wait_for

MOST = 15  # seconds
HERE, THERE, MOVED = "10.98.0.1", "10.98.0.2", "10.98.0.3"
scenarios = []


def scenario(seconds, short=False):
    def add(f):
        scenarios.append((f, seconds, short))
        return f
    return add


def ip(*arguments, there=None):
    enter = ["nsenter", "-t", str(there), "-n"] if there else []
    subprocess.run([*enter, "ip", *arguments], check=True, capture_output=True)


class Hosts:
    """The collector is here; the sensor is there, behind a link of its own."""

    def __init__(self, seconds, interval=20):
        self.other = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        self.pid = self.other.pid
        faults.children.append(self.other)
        wait_for(lambda: os.readlink(f"/proc/{self.pid}/ns/net") != os.readlink("/proc/self/ns/net"), "the other host")
        ip("link", "add", "lab0", "type", "veth", "peer", "name", "lab1", "netns", str(self.pid))
        ip("addr", "add", HERE + "/24", "dev", "lab0")
        ip("link", "set", "lab0", "up")
        ip("link", "set", "lo", "up", there=self.pid)
        ip("addr", "add", THERE + "/24", "dev", "lab1", there=self.pid)
        ip("link", "set", "lab1", "up", there=self.pid)
        self.port = 50050
        self.collector = Collector(self.port, f"--address={HERE}:{self.port}")
        self.sensor = sensor(0, f"--collector={HERE}:{self.port}", f"--duration={seconds}", "--when-full=block", interval=interval,
                             prefix=("nsenter", "-t", str(self.pid), "-n"))
        wait_for(lambda: rows() > 100, "samples")

    def recovers(self, what):
        """From now on: the seconds until a sample is stored that is taken later than now."""
        begin, now = time.monotonic(), time.time() * 1000
        wait_for(lambda: rows(f"SELECT count(*) FROM samples WHERE time_ms > {now:.0f}") > 0, f"samples after {what}", 60)
        took = time.monotonic() - begin
        print(f"{what}: {took:.1f} s until the next stored sample", flush=True)
        expect(took <= MOST, f"it took {took:.1f} s")

    def end(self):
        expect(self.sensor.wait(90) == 0, self.sensor.said())
        lost_nothing(self.sensor)
        self.collector.stop()
        balance(self.collector, self.sensor)


def link_down(seconds):
    hosts = Hosts(seconds + 12, 20 if seconds < 10 else 100)  # so that the ring has room
    ip("link", "set", "lab0", "down")
    time.sleep(seconds)
    ip("link", "set", "lab0", "up")
    hosts.recovers(f"a link that was down for {seconds} s")
    hosts.end()


@scenario(25)
def a_link_that_is_down_for_1_s():
    link_down(1)


@scenario(30, short=True)
def a_link_that_is_down_for_5_s():
    link_down(5)


@scenario(65)
def a_link_that_is_down_for_40_s():
    link_down(40)


@scenario(40, short=True)
def an_address_that_changes():
    """Flows from the old one are dropped without a word, as by a NAT that has forgotten them."""
    hosts = Hosts(25)
    ip("addr", "add", MOVED + "/24", "dev", "lab1", there=hosts.pid)
    ip("addr", "del", THERE + "/24", "dev", "lab1", there=hosts.pid)
    try:
        ip("addr", "add", MOVED + "/24", "dev", "lab1", there=hosts.pid)
    except subprocess.CalledProcessError:
        pass  # it is there still
    hosts.recovers("an address that changed")
    hosts.end()


@scenario(60)
def a_path_that_drops_what_the_collector_says():
    """One way: samples arrive, and acknowledgements do not."""
    hosts = Hosts(35)
    ip("route", "add", "blackhole", THERE + "/32")
    time.sleep(14)
    ip("route", "del", "blackhole", THERE + "/32")
    hosts.recovers("a path that was dead one way for 14 s")
    hosts.end()


def main():
    if not (os.geteuid() == 0 and shutil.which("ip") and shutil.which("nsenter")
            and subprocess.run(["unshare", "-n", "ip", "link", "add", "lab0", "type", "veth", "peer", "name", "lab1"],
                               capture_output=True).returncode == 0):
        print("no network namespaces here\n0 passed, 0 failed, 1 skipped")
        return 0
    short = sys.argv[1:] == ["short"]
    running = [(f.__name__, subprocess.Popen(["unshare", "-n", sys.executable, __file__, "--one", f.__name__]))
               for f, _, is_short in scenarios if is_short or not short]
    failed = sum(p.wait() != 0 for _, p in running)
    print(f"{len(running) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        faults.record_hello = lambda: None
        sys.exit(faults.run(globals()[sys.argv[2]]))
    sys.exit(main())
