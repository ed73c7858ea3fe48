#!/usr/bin/env python3
"""The last seconds of a device of the dashboard, read 60 bytes each half second by gRPC: dashboard_slow.py HOST:PORT DEVICE."""
import socket
import struct
import sys
import time

host, device = sys.argv[1], sys.argv[2].encode()


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    return bytes([len(value)]) + value


block = (b"\x83\x86\x04" + text(b"/mote.dashboard.Dashboard/Recent") + b"\x41" + text(host.encode())
         + b"\0" + text(b"te") + text(b"trailers") + b"\0" + text(b"content-type") + text(b"application/grpc"))
message = b"\n" + text(device)
s = socket.create_connection(host.rsplit(":", 1))
s.settimeout(0.1)
s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"\0\4\0\0\0\x3c") + frame(1, 4, 1, block)
          + frame(0, 1, 1, b"\0" + struct.pack(">I", len(message)) + message))
data = waiting = end = b""
asked, until = 0, time.monotonic() + 60
while not end and time.monotonic() < until:
    try:
        waiting += s.recv(65536)
    except socket.timeout:
        pass
    while len(waiting) >= 9 and len(waiting) >= 9 + int.from_bytes(waiting[:3], "big"):
        size, kind, flags = int.from_bytes(waiting[:3], "big"), waiting[3], waiting[4]
        payload, waiting = waiting[9:9 + size], waiting[9 + size:]
        data += payload if kind == 0 else b""
        end = payload if kind in (1, 3, 7) and (kind != 1 or flags & 1) else end
    if time.monotonic() - asked > 0.5:
        asked = time.monotonic()
        s.sendall(frame(8, 0, 1, b"\0\0\0\x3c"))
print(len(data), end)
sys.exit(not (len(data) > 120 and len(data) == 5 + int.from_bytes(data[1:5], "big") and end == b"@\x0bgrpc-status\x010"))
