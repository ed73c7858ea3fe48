#!/usr/bin/env python3
"""Requests of HTTP/1.1, right and wrong, as mote_http1 and h11 understand them: what mote takes h11 takes as well, and as the same
request; what h11 refuses mote refuses. usage: differential.py JUDGE [COUNT [SEED]]"""
import random
import subprocess
import sys

import h11

JUDGE, COUNT, SEED = sys.argv[1], int((sys.argv + [0, 4000])[2] or 4000) if len(sys.argv) > 2 else 4000, int(sys.argv[3]) if len(sys.argv) > 3 else 1
HOP = {b"host", b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"expect", b"upgrade", b"http2-settings",
       b"proxy-connection", b"te"}
BASES = [
    b"POST /a.B/C HTTP/1.1\r\nHost: device:80\r\nContent-Type: application/grpc-web\r\nContent-Length: 10\r\n\r\n\0\0\0\0\5hello",
    b"POST /a.B/C HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n3\r\n\0\0\0\r\n7\r\n\0\5hello\r\n0\r\n\r\n",
    b"POST /a.B/C HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nA;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
    b"OPTIONS /a HTTP/1.1\r\nHost: d\r\nOrigin: http://x\r\nAccess-Control-Request-Method: POST\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: d\r\nConnection: close\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\nCookie: a=b\r\n\r\n",
    b"GET /x?y=z%20 HTTP/1.1\r\nHost: [::1]:80\r\nAccept: */*\r\n\r\nGET / HTTP/1.1\r\nHost: d\r\n\r\n",
]
PIECES = [b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b";", b"\0", b"\x0b", b"\x7f", b"\xff", b"0", b"1", b"5", b"a", b"F", b"+", b"-",
          b"\r\n ", b"\r\n\t", b"\r\n\r\n", b"chunked", b"identity", b"Content-Length: 3\r\n", b"Content-Length: 10\r\n",
          b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding : chunked\r\n", b"Host: e\r\n",
          b"Connection: close\r\n", b"HTTP/1.0", b"HTTP/1.1", b"0x5", b"5 ", b" 5", b"00", b"GET ", b"/", b"Expect: 100-continue\r\n"]


def mutants():
    r = random.Random(SEED)
    yield from BASES
    for base in BASES:
        for cut in range(len(base)):
            yield base[:cut]
    for _ in range(COUNT):
        text = bytearray(r.choice(BASES))
        for _ in range(r.choice([1, 1, 1, 2, 3])):
            at = r.randrange(len(text) + 1)
            if r.random() < 0.4:  # at the border of a line or a word
                at = r.choice([i for i in range(len(text)) if text[i] in b"\r\n :;"] or [at])
            text[at:at + r.choice([0, 0, 1, 2])] = r.choice(PIECES)
        yield bytes(text)


def by_h11(data):
    """None: refused; or (complete, method, target, host, fields, content)"""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    head, content, complete = None, b"", False
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                if event.http_version != b"1.1":
                    return None
                host = [v for n, v in event.headers if n == b"host"]
                head = (event.method, event.target, host[0] if host else None, [f for f in event.headers if f[0] not in HOP])
            elif isinstance(event, h11.Data):
                content += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                complete = True
                break
            else:
                break
    except h11.RemoteProtocolError:
        return None
    return (complete, head, content)


def by_mote(told):
    """The first request that the engine was told of: (complete, head, content); None: none"""
    if b"--\n" not in told:
        return None
    head, rest = told.split(b"--\n", 1)
    fields = [tuple(line.split(b": ", 1)) for line in head.split(b"\n")[:-1]]
    pseudo = dict(fields[:4])
    complete = b"\nEND\n" in rest
    content = rest.split(b"\nEND\n", 1)[0] if complete else rest.split(b"\nRESET\n", 1)[0]
    return (complete, (pseudo[b":method"], pseudo[b":path"], pseudo[b":authority"], fields[4:]), content)


def main():
    requests = list(mutants())
    out = subprocess.run([JUDGE], input=b"".join(len(r).to_bytes(4, "big") + r for r in requests), capture_output=True, check=True, timeout=120).stdout
    lines = out.decode().splitlines()
    assert len(lines) == len(requests)
    taken = stricter = failed = 0
    for request, line in zip(requests, lines):
        _, _, told = line.split(" ")
        ours = by_mote(bytes.fromhex("" if told == "-" else told))
        theirs = by_h11(request)
        if ours is None or not ours[0]:
            stricter += bool(theirs and theirs[0])
            continue
        taken += 1
        if theirs is None or not theirs[0] or theirs[1:] != ours[1:]:
            failed += 1
            if failed < 10:
                print(f"{request!r}\n  mote: {ours}\n  h11:  {theirs}")
    print(f"{len(requests)} requests: {taken} taken by both, {stricter} by h11 alone")
    assert taken > 100
    print(f"{taken - failed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
