"""Servers that break the rules, each for one call of a mote client (build/unary_client): the call ends with the status
that the gRPC documents name, never in a hang, and what is whole is delivered. And the same of h2_client, without gRPC.
misbehave.py BUILD-FOLDER"""
import os
import socket
import struct
import subprocess
import sys
import threading

import tour_pb2 as pb

client = os.path.join(sys.argv[1], "unary_client")
plain_client = os.path.join(sys.argv[1], "h2_client")
NOTE = pb.Note(topic="t", content="hello", sender="me").SerializeToString()
passed = failed = 0


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\x00" + bytes((len(name),)) + name + bytes((len(value),)) + value


def headers(*fields, status=b"200", content=b"application/grpc", end=False):
    block = literal(b":status", status) + (literal(b"content-type", content) if content else b"")
    return frame(1, 4 | end, 1, block + b"".join(literal(*f) for f in fields))


def trailers(*fields):
    return frame(1, 5, 1, b"".join(literal(*f) for f in fields))


def message(data=NOTE, flag=0, length=None):
    return struct.pack(">BI", flag, len(data) if length is None else length) + data


def data(payload, end=False):
    return frame(0, 1 if end else 0, 1, payload)


def rst(code):
    return frame(3, 0, 1, struct.pack(">I", code))


def goaway(last, code=0, text=b""):
    return frame(7, 0, 0, struct.pack(">II", last, code) + text)


OK = trailers((b"grpc-status", b"0"))
WHOLE = headers() + data(message()) + OK
PING = frame(6, 0, 0, b"12345678")


ENDS = (b"\x00\x01\x00\x00\x00\x01", b"\x01\x05\x00\x00\x00\x01")  # DATA or HEADERS with END_STREAM on stream 1


def serve(listener, answer, seen, first=frame(4, 0, 0)):
    s, _ = listener.accept()
    s.settimeout(5)
    s.sendall(first)
    received = b""
    try:
        while not any(end in received[24:] for end in ENDS):
            piece = s.recv(65536)
            if not piece:
                break
            received += piece
        for piece in answer if isinstance(answer, list) else [answer]:
            if piece is None:  # shut
                s.shutdown(socket.SHUT_WR)
            else:
                s.sendall(piece)
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            received += piece
    except OSError:
        pass
    seen.append(received)
    s.close()


def case(name, answer, code, text="", sent=None):
    global passed, failed
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    seen = []
    thread = threading.Thread(target=serve, args=(listener, answer, seen), daemon=True)
    thread.start()
    try:
        r = subprocess.run([client, "--address=127.0.0.1:%d" % listener.getsockname()[1]], capture_output=True,
                           timeout=15)
        result = "OK" if r.returncode == 0 else r.stderr.decode(errors="replace").split("status ", 1)[-1].split(":")[0]
        error = r.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        result, error = "hang", ""
    thread.join(6)
    listener.close()
    good = result == code and text in error and (result != "OK" or b"hello" in r.stdout)
    if sent is not None:
        good = good and seen and seen[0].count(sent) == 1
    passed, failed = passed + good, failed + (not good)
    if not good:
        print("FAIL %s: %s, not %s; %s" % (name, result, code, error.strip()))


# ---- the misbehaviours of the gRPC interop repository (negative HTTP/2 tests)

case("in order", WHOLE, "OK")
case("GOAWAY in the middle of a call that goes on", goaway(1) + WHOLE, "OK")
case("GOAWAY between headers and message", [headers(), goaway(1), data(message()), OK], "OK")
case("GOAWAY for a call that was not seen", goaway(0), "UNAVAILABLE")
case("GOAWAY with an error, then the end", [goaway(1, 2, b"why"), None], "UNAVAILABLE")
case("RST_STREAM after the headers", headers() + rst(0), "INTERNAL")
case("RST_STREAM during data", headers() + data(message()[:7]) + rst(0), "INTERNAL")
case("RST_STREAM after data", headers() + data(message()) + rst(0), "INTERNAL")
for wire, status in ((1, "INTERNAL"), (2, "INTERNAL"), (3, "INTERNAL"), (7, "UNAVAILABLE"), (8, "CANCELLED"),
                     (11, "RESOURCE_EXHAUSTED"), (12, "PERMISSION_DENIED"), (99, "INTERNAL")):
    case("RST_STREAM with code %d" % wire, rst(wire), status)
case("a PING before each frame", PING + headers() + PING + data(message()) + PING + OK, "OK")
case("a storm of PINGs is answered once at a time", [PING * 50, WHOLE], "OK")
case("MAX_CONCURRENT_STREAMS goes to 0 during the call", frame(4, 0, 0, struct.pack(">HI", 3, 0)) + WHOLE, "OK")
case("a frame that is too large", headers() + frame(0, 0, 1, b"\0" * 16385), "UNAVAILABLE",
     sent=b"\7" + bytes(9) + struct.pack(">I", 6))  # GOAWAY, FRAME_SIZE_ERROR
case("the end of the transport", [headers() + data(message()), None], "UNAVAILABLE")

# ---- what ends a call

case("trailers without a status", headers() + data(message()) + trailers((b"x", b"y")), "UNKNOWN")
case("a status that does not end the stream", [headers() + data(message()) + frame(1, 4, 1, literal(b"grpc-status", b"0")),
                                               None], "INTERNAL")
case("an end without trailers", headers() + data(message(), end=True), "UNKNOWN")
case("data after the trailers", WHOLE + data(message()), "OK")
case("a message after END_STREAM", headers() + data(message(), end=True) + data(message()), "UNKNOWN")
case("two messages for one", headers() + data(message() * 2) + OK, "UNIMPLEMENTED")
case("no message for one", headers() + OK, "UNIMPLEMENTED")
case("only trailers, OK", headers((b"grpc-status", b"0"), end=True), "UNIMPLEMENTED")
case("only trailers, an error", headers((b"grpc-status", b"5"), (b"grpc-message", b"gone %E2%82%AC"), end=True),
     "NOT_FOUND", "gone \u20ac")
case("a status that is no number", headers((b"grpc-status", b"five"), end=True), "UNKNOWN")
case("a status that has no name", headers((b"grpc-status", b"99"), end=True), "UNKNOWN")
case("an empty status", headers((b"grpc-status", b""), end=True), "UNKNOWN")
case("a text with broken escapes", headers((b"grpc-status", b"9"), (b"grpc-message", b"%zz%4"), end=True),
     "FAILED_PRECONDITION", "%zz%4")

# ---- messages

case("a length that is larger than the data", headers() + data(message(length=500)) + OK, "INTERNAL")
case("a length beyond the limit", headers() + data(message(length=0xffffffff)), "RESOURCE_EXHAUSTED")
case("a prefix that is cut", headers() + data(message()[:3]) + OK, "INTERNAL")
case("a compressed flag without an encoding", headers() + data(message(flag=1)) + OK, "INTERNAL")
case("an unknown encoding", headers((b"grpc-encoding", b"zst")) + data(message(flag=1)) + OK, "INTERNAL")
case("an unknown flag", headers() + data(message(flag=2)) + OK, "INTERNAL")
case("a message that is no protobuf", headers() + data(message(b"\x0a\xff")) + OK, "INTERNAL")
case("a message in many frames", [headers()] + [data(bytes((b,))) for b in message()] + [OK], "OK")
case("empty frames between", headers() + data(b"") + data(message()) + data(b"") + OK, "OK")

# ---- what is no gRPC

case("another content-type", headers(content=b"text/html") + data(b"<html>", end=True), "UNKNOWN", "content-type")
case("no content-type", headers(content=None) + data(message()) + OK, "UNKNOWN", "content-type")
for http, status in ((400, "INTERNAL"), (401, "UNAUTHENTICATED"), (403, "PERMISSION_DENIED"), (404, "UNIMPLEMENTED"),
                     (429, "UNAVAILABLE"), (500, "UNKNOWN"), (502, "UNAVAILABLE"), (503, "UNAVAILABLE"),
                     (504, "UNAVAILABLE"), (302, "UNKNOWN")):
    case("HTTP %d" % http, headers(status=b"%d" % http, content=b"text/html", end=True), status)
case("HTTP 503 with a body", headers(status=b"503", content=b"text/plain") + data(b"busy", end=True), "UNAVAILABLE")
case("HTTP 200 that says its own status", headers((b"grpc-status", b"16"), status=b"401", end=True), "UNAUTHENTICATED")
case("an interim response", frame(1, 4, 1, literal(b":status", b"103")) + WHOLE, "OK")

# ---- h2_client, which says whose fault it was


def plain(name, answer, text, body=b"", first=frame(4, 0, 0)):
    """text: what is printed last, "": all is well."""
    global passed, failed
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []
    threading.Thread(target=serve, args=(listener, answer, seen, first), daemon=True).start()
    r = subprocess.run([plain_client, "--timeout=20", "http://127.0.0.1:%d/" % listener.getsockname()[1]], capture_output=True, timeout=30)
    listener.close()
    said = r.stderr.decode(errors="replace").strip()
    if (r.returncode, r.stdout, said) == (1 if text else 0, body, "h2_client: error: " + text if text else ""):
        passed += 1
    else:
        failed += 1
        print(f"FAIL h2_client: {name}: {r.returncode} {r.stdout!r} {said}")


BROKE = "the server broke the HTTP/2 rules on this stream: PROTOCOL_ERROR"
REFUSED = "the server has not taken the request; it may be made again: REFUSED_STREAM"
CLOSED = "read: the server closed the connection before its response was complete"
NO_PEER = "h2: the peer broke the protocol; see mote_h2_error_text(): "
BODY = headers(content=None) + data(b"hi", end=True)
plain("a response", BODY, "", b"hi")
plain("a status of its own", headers(status=b"404", content=None) + data(b"none", end=True), "", b"none")
plain("trailers", headers() + data(b"hi") + trailers((b"x", b"y")), "", b"hi")
plain("interim responses", frame(1, 4, 1, literal(b":status", b"103")) * 20 + BODY, "", b"hi")
plain("a reset behind the end", BODY + rst(0), "", b"hi")
plain("a GOAWAY before the response", goaway(1) + BODY, "", b"hi")
plain("a blank behind a value", headers((b"x", b"a ")) + data(b"hi", end=True), BROKE)
plain("another length than it says", headers((b"content-length", b"5")) + data(b"hi", end=True), BROKE)
plain("no status", frame(1, 5, 1, literal(b"x", b"y")), BROKE)
plain("data before the headers", data(b"hi", end=True), BROKE)
plain("a request that is refused", rst(7), REFUSED)
plain("a GOAWAY for a request that was not seen", goaway(0), REFUSED)
plain("a GOAWAY with an error", goaway(0, 11, b"too_many"), REFUSED)
for wire, code_name in ((1, "PROTOCOL_ERROR"), (2, "INTERNAL_ERROR"), (8, "CANCEL"), (11, "ENHANCE_YOUR_CALM"), (99, "unknown error code")):
    plain(f"a reset with code {wire}", rst(wire), f"the server has reset the stream: {code_name}")
plain("the end before a response", [None], CLOSED)
plain("the end in a body", [headers() + data(b"hi"), None], CLOSED, b"hi")
plain("a pushed response", frame(5, 4, 1, b"\0\0\0\2"), NO_PEER + "PUSH_PROMISE, which is refused")
plain("HTTP/1.1", b"", NO_PEER + "the peer answered HTTP/1.1 302", first=b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n")
for other in (b"220 smtp.example ESMTP\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"<html><body>Log in</body></html>", b"\x15\x03\x03\0\2\2\x46\x15\3"):
    plain(f"no HTTP at all, {other!r}", b"", NO_PEER + "the first frame is not SETTINGS", first=other)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
