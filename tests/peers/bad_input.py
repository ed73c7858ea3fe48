"""Hostile and broken peers over loopback: each gets a defined answer, and nobody else notices.
bad_input.py ADDRESS"""
import socket
import struct
import sys
import threading
import time

import grpc
import peer_pb2 as pb

host, port = sys.argv[1].rsplit(":", 1)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
passed = failed = 0


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\x00" + bytes((len(name),)) + name + bytes((len(value),)) + value


def request(path=b"/mote.peer.Peer/Unary", method=b"\x83", extra=b"", content=b"application/grpc"):
    return (method + b"\x86" + literal(b":path", path) + literal(b":authority", b"x") +
            literal(b"content-type", content) + literal(b"te", b"trailers") + extra)


def connect():
    s = socket.create_connection((host, int(port)), timeout=5)
    s.sendall(PREFACE + frame(4, 0, 0) + frame(4, 1, 0))
    return s


def read_frames(s, until, limit=5):
    """Frames as (type, flags, stream, payload) until one satisfies `until` or the peer closes."""
    data, frames, end = b"", [], time.time() + limit
    s.settimeout(limit)
    while time.time() < end:
        try:
            piece = s.recv(65536)
        except (ConnectionResetError, socket.timeout):
            break
        if not piece:
            break
        data += piece
        while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
            n = int.from_bytes(data[:3], "big")
            frames.append((data[3], data[4], int.from_bytes(data[5:9], "big"), data[9:9 + n]))
            data = data[9 + n:]
            if until(frames[-1]):
                return frames
    return frames


def expect_goaway(s, code):
    frames = read_frames(s, lambda f: f[0] == 7)
    goaway = [f for f in frames if f[0] == 7]
    assert goaway, f"no GOAWAY in {frames}"
    assert int.from_bytes(goaway[0][3][4:8], "big") == code, goaway
    assert len(goaway[0][3]) > 8, "the GOAWAY has no text"
    s.settimeout(5)
    while s.recv(65536):
        pass  # and the connection is closed


def expect_status(s, stream, code):
    """The trailers of a stream carry this status."""
    frames = read_frames(s, lambda f: f[0] == 1 and f[2] == stream and f[1] & 1)
    last = [f for f in frames if f[0] == 1 and f[2] == stream]
    assert last and last[-1][1] & 1, f"no end in {frames}"
    text = str(code).encode()
    assert last[-1][3].find(text) >= 0 or code == 0, last[-1]


def garbage_instead_of_a_preface():
    s = socket.create_connection((host, int(port)), timeout=5)
    s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    expect_goaway(s, 1)


def random_bytes_instead_of_a_preface():
    s = socket.create_connection((host, int(port)), timeout=5)
    s.sendall(bytes(range(256)) * 100)
    expect_goaway(s, 1)


def a_frame_that_is_cut_by_a_close():
    s = connect()
    s.sendall(frame(1, 4, 1, request())[:20])
    s.close()


def a_frame_larger_than_the_limit():
    s = connect()
    s.sendall(frame(0, 0, 1, b"x" * 16385)[:9])
    expect_goaway(s, 6)


def a_message_of_4_gib():
    s = connect()
    s.sendall(frame(1, 4, 1, request()) + frame(0, 0, 1, b"\0\xff\xff\xff\xff" + b"x" * 100))
    expect_status(s, 1, 8)


def a_path_without_a_slash():
    s = connect()
    s.sendall(frame(1, 5, 1, request(path=b"noslash")))
    frames = read_frames(s, lambda f: f[0] == 3)
    assert frames[-1][0] == 3 and frames[-1][3] == b"\0\0\0\1", frames


def a_path_without_a_method():
    s = connect()
    s.sendall(frame(1, 5, 1, request(path=b"/nomethod")))
    expect_status(s, 1, 12)


def an_unknown_method():
    s = connect()
    s.sendall(frame(1, 5, 1, request(path=b"/mote.peer.Peer/None")))
    expect_status(s, 1, 12)


def a_get_is_no_call():
    s = connect()
    s.sendall(frame(1, 5, 1, request(method=b"\x82")))
    expect_status(s, 1, 405)


def another_content_type():
    s = connect()
    s.sendall(frame(1, 5, 1, request(content=b"text/html")))
    expect_status(s, 1, 415)


def a_malformed_timeout():
    s = connect()
    s.sendall(frame(1, 5, 1, request(extra=literal(b"grpc-timeout", b"soon"))))
    expect_status(s, 1, 13)


def a_repeated_timeout():
    s = connect()
    s.sendall(frame(1, 5, 1, request(extra=literal(b"grpc-timeout", b"1S") * 2)))
    expect_status(s, 1, 13)


def another_encoding_than_protobuf():
    s = connect()
    s.sendall(frame(1, 5, 1, request(content=b"application/grpc+json")))
    expect_status(s, 1, 12)


def two_requests_for_one():
    s = connect()
    s.sendall(frame(1, 4, 1, request()) + frame(0, 1, 1, b"\0\0\0\0\0" * 2))
    expect_status(s, 1, 12)


def no_request_for_one():
    s = connect()
    s.sendall(frame(1, 5, 1, request()))
    expect_status(s, 1, 12)


def an_unknown_flag():
    s = connect()
    s.sendall(frame(1, 4, 1, request()) + frame(0, 1, 1, b"\2\0\0\0\0"))
    expect_status(s, 1, 13)


def an_unknown_encoding():
    s = connect()
    s.sendall(frame(1, 5, 1, request(extra=literal(b"grpc-encoding", b"zip"))))
    expect_status(s, 1, 12)


def a_compressed_message_without_encoding():
    s = connect()
    s.sendall(frame(1, 4, 1, request()) + frame(0, 1, 1, b"\1\0\0\0\0"))
    expect_status(s, 1, 13)


def a_stream_that_ends_inside_of_a_message():
    s = connect()
    s.sendall(frame(1, 4, 1, request()) + frame(0, 1, 1, b"\0\0\0\0\x05ab"))
    expect_status(s, 1, 13)


def a_client_that_stops_reading():
    """It asks for far more than it reads: the server holds no more than its buffer, and lives."""
    s = connect()
    message = pb.Request(count=1000000, size=200).SerializeToString()
    body = b"\0" + struct.pack(">I", len(message)) + message
    s.sendall(frame(8, 0, 0, struct.pack(">I", 0x7fff0000 - 65535)) + frame(4, 0, 0, b"\0\4\x7f\xff\0\0"))
    s.sendall(frame(1, 4, 1, request(path=b"/mote.peer.Peer/ServerStream")) + frame(0, 1, 1, body))
    time.sleep(0.5)
    others_are_served()
    s.close()


def a_client_that_stops_sending():
    s = connect()
    s.sendall(frame(1, 4, 1, request()) + frame(0, 0, 1, b"\0\0\0\0\x50abc"))
    time.sleep(0.3)
    others_are_served()
    s.close()


def a_client_that_never_opens_its_window():
    s = connect()
    message = pb.Request(size=100).SerializeToString()
    s.sendall(frame(4, 0, 0, b"\0\4\0\0\0\0") + frame(1, 4, 1, request()) +
              frame(0, 1, 1, b"\0" + struct.pack(">I", len(message)) + message))
    time.sleep(0.2)
    others_are_served()
    s.sendall(frame(8, 0, 1, struct.pack(">I", 10000)))
    expect_status(s, 1, 0)


def closes_in_the_middle_of_a_message():
    for cut in range(0, 60, 3):
        s = connect()
        data = frame(1, 4, 1, request()) + frame(0, 0, 1, b"\0\0\0\0\x50" + b"x" * 40)
        s.sendall(data[:len(data) - cut])
        s.close()


def half_closes_the_transport():
    """The answer to what it has sent still comes."""
    s = connect()
    message = pb.Request(payload=b"bye").SerializeToString()
    s.sendall(frame(1, 4, 1, request()) + frame(0, 1, 1, b"\0" + struct.pack(">I", len(message)) + message))
    s.shutdown(socket.SHUT_WR)
    expect_status(s, 1, 0)


def resets_the_transport():
    s = connect()
    s.sendall(frame(1, 4, 1, request()))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def rapid_reset():
    s = connect()
    try:
        for i in range(20000):
            s.sendall(frame(1, 4, 2 * i + 1, request()) + frame(3, 0, 2 * i + 1, b"\0\0\0\x08"))
    except (BrokenPipeError, ConnectionResetError):
        return  # the server has ended the connection
    expect_goaway(s, 11)


def ping_flood():
    s = connect()
    try:
        for _ in range(20000):
            s.sendall(frame(6, 0, 0, b"12345678"))
    except (BrokenPipeError, ConnectionResetError):
        return
    expect_goaway(s, 11)


channel = grpc.insecure_channel(sys.argv[1])
unary = channel.unary_unary("/mote.peer.Peer/Unary", pb.Request.SerializeToString, pb.Response.FromString)


def others_are_served():
    assert unary(pb.Request(payload=b"hello"), timeout=5).payload == b"hello"


# Somebody who behaves, all the time.
stop = threading.Event()
good = bad = 0


def behave():
    global good, bad
    with grpc.insecure_channel(sys.argv[1]) as own:
        call = own.unary_unary("/mote.peer.Peer/Unary", pb.Request.SerializeToString, pb.Response.FromString)
        while not stop.is_set():
            try:
                assert call(pb.Request(payload=b"x" * 100), timeout=5).payload == b"x" * 100
                good += 1
            except Exception as error:
                bad += 1
                print("the other client:", error)
            time.sleep(0.005)


thread = threading.Thread(target=behave)
thread.start()
for test in [garbage_instead_of_a_preface, random_bytes_instead_of_a_preface,
             a_frame_that_is_cut_by_a_close, a_frame_larger_than_the_limit, a_message_of_4_gib,
             a_path_without_a_slash, a_path_without_a_method, an_unknown_method, a_get_is_no_call,
             another_content_type, a_malformed_timeout, a_repeated_timeout, an_unknown_encoding, an_unknown_flag,
             another_encoding_than_protobuf, two_requests_for_one, no_request_for_one,
             a_compressed_message_without_encoding, a_stream_that_ends_inside_of_a_message,
             a_client_that_stops_reading, a_client_that_stops_sending,
             a_client_that_never_opens_its_window, closes_in_the_middle_of_a_message,
             half_closes_the_transport, resets_the_transport, rapid_reset, ping_flood]:
    try:
        test()
        others_are_served()
        passed += 1
    except Exception as error:
        failed += 1
        print(f"FAIL {test.__name__}: {type(error).__name__}: {error}")
stop.set()
thread.join()
if good > 0 and bad == 0:
    passed += 1
else:
    failed += 1
    print(f"FAIL the other client: {good} good, {bad} bad")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
