"""A link between two hosts, this network namespace and that of a process: link.py PID NAME-HERE NAME-THERE. What it does to packets is
said on standard input, a line of JSON for each change: {"loss": 0.1}. It says "up" when both ends are there.

loss, duplicate, corrupt: of how many packets (0 to 1); delay, jitter: in s, and with jitter the order is another; rate: bytes/s, with a queue
of 64 KiB; down: nothing passes; here_down, there_down: nothing from there; forget: flows that are known now are dropped without a
word, as by a NAT that has forgotten them."""
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET, QUEUE = 0x400454CA, 1, 0x1000, 0x40000000, 65536
libc = ctypes.CDLL(None, use_errno=True)
rules = {"loss": 0, "duplicate": 0, "corrupt": 0, "delay": 0, "jitter": 0, "rate": 0, "down": False, "here_down": False, "there_down": False}
known, forgotten = set(), set()
chance = random.Random(1)


def enter(file):
    if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def end(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def flow_of(packet):
    """The same for both directions; None: this is not IPv4."""
    if packet[0] >> 4 != 4:
        return None
    at = (packet[0] & 15) * 4
    return frozenset(((packet[12:16], packet[at:at + 2]), (packet[16:20], packet[at + 2:at + 4])))


def corrupted(packet):
    at = chance.randrange(20, len(packet)) if len(packet) > 20 else 0
    return packet[:at] + bytes([packet[at] ^ 1 << chance.randrange(8)]) + packet[at + 1:]


class Direction:
    def __init__(self, to, name):
        self.to, self.name, self.free_at, self.waiting = to, name, 0, []

    def passes(self, packet):
        flow = flow_of(packet)
        known.add(flow)
        return not (rules["down"] or rules[self.name + "_down"] or flow in forgotten or chance.random() < rules["loss"])

    def take(self, packet, now):
        if not self.passes(packet):
            return
        if rules["rate"]:
            if self.free_at > now + QUEUE / rules["rate"]:
                return
            self.free_at = max(self.free_at, now) + len(packet) / rules["rate"]
        at = max(self.free_at, now) if rules["rate"] else now
        for _ in range(1 + (chance.random() < rules["duplicate"])):
            heapq.heappush(self.waiting, (at + rules["delay"] + chance.random() * rules["jitter"], chance.random(),
                                          corrupted(packet) if chance.random() < rules["corrupt"] else packet))

    def give(self, now):
        while self.waiting and self.waiting[0][0] <= now:
            try:
                os.write(self.to, heapq.heappop(self.waiting)[2])
            except OSError:
                pass  # that end is down, or what was corrupted is no packet

    def next(self):
        return self.waiting[0][0] if self.waiting else float("inf")


def obey(line):
    change = json.loads(line)
    if change.pop("forget", False):
        forgotten.update(known)
    rules.update(change)


def pass_packets(ends):
    while True:
        now = time.monotonic()
        soonest = min(d.next() for d in ends.values())
        ready, _, _ = select.select([*ends, sys.stdin], [], [], max(0, min(soonest - now, 1)))
        now = time.monotonic()
        for source in ready:
            if source is sys.stdin:
                line = sys.stdin.readline()
                if not line:
                    return
                obey(line)
                print("done", flush=True)
                continue
            try:
                ends[source].take(os.read(source, 65536), now)
            except OSError:
                pass
        for direction in ends.values():
            direction.give(now)


def main(pid, name_here, name_there):
    own = open("/proc/self/ns/net")
    here = end(name_here)
    enter(open(f"/proc/{pid}/ns/net"))
    there = end(name_there)
    enter(own)
    print("up", flush=True)
    pass_packets({here: Direction(there, "here"), there: Direction(here, "there")})


if __name__ == "__main__":
    main(*sys.argv[1:])
