"""A bad line: noise.py LISTEN TARGET EVERY SEED, both paths of Unix sockets. One byte in about EVERY is lost, doubled, or has
a bit changed, in either direction; says how many at the end."""
import random
import select
import signal
import socket
import sys

listen, target, every, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(seed)
harm = 0


def disturb(data):
    global harm
    out = bytearray()
    for byte in data:
        if chance.randrange(every):
            out.append(byte)
            continue
        harm += 1
        kind = chance.randrange(3)
        if kind == 1:
            out += bytes([byte, byte])
        elif kind == 2:
            out.append(byte ^ 1 << chance.randrange(8))
    return bytes(out)


def stop(*_):
    print(harm, "bytes were lost, doubled or changed", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
listener = socket.socket(socket.AF_UNIX)
listener.bind(listen)
listener.listen(1)
device = socket.socket(socket.AF_UNIX)
device.connect(target)
bridge, _ = listener.accept()
other = {device: bridge, bridge: device}
while True:
    for source in select.select([device, bridge], [], [])[0]:
        data = source.recv(4096)
        if not data:
            stop()
        other[source].sendall(disturb(data))
