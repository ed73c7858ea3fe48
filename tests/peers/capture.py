"""Writes a capture in libpcap's format, as tcpdump would: two connections over IPv4 (Ethernet, segments late and twice, padded) and
IPv6, and one that is not HTTP/2. usage: capture.py CLIENT-BYTES CAPTURE"""
import struct
import sys

said = open(sys.argv[1], "rb").read()
frames = []


def segment(source, target, sequence, data, flags=0x18, six=False):
    tcp = struct.pack(">HHIIBBHHH", source, target, sequence % 2**32, 1, 0x50, flags, 65535, 0, 0) + data
    a, b = (b"\x7f\0\0\1", b"\x7f\0\0\1") if not six else (bytes(15) + b"\1", bytes(15) + b"\1")
    if six:
        packet = struct.pack(">IHBB", 0x60000000, len(tcp), 6, 64) + a + b + tcp
    else:
        packet = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0) + a + b + tcp
    frame = bytes(12) + (b"\x86\xdd" if six else b"\x08\0") + packet
    frames.append(frame + bytes(max(0, 60 - len(frame))))


def connection(port, first, six):
    segment(port, 80, first - 1, b"", 2, six)
    segment(80, port, 99, b"", 0x12, six)
    segment(port, 80, first, said[:10], six=six)
    segment(port, 80, first + 20, said[20:], six=six)  # before what it follows
    segment(port, 80, first + 5, said[5:20], six=six)  # some of it once more
    segment(80, port, 100, b"answer", six=six)
    segment(port, 80, first, b"", 0x10, six)


connection(1000, 2**32 - 15, False)  # sequence numbers that wrap
connection(1001, 7, True)
segment(1002, 80, 5, b"GET / HTTP/1.1\r\n\r\n" + bytes(20))
with open(sys.argv[2], "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for f in frames:
        out.write(struct.pack("<IIII", 0, 0, len(f), len(f)) + f)
