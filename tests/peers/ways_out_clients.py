"""Every way in which a server, its transport or a signal can leave a call, in every phase of it, of every example client, plain and over
TLS: the client ends, says why on one line, and does not take a part for the whole. ways_out_clients.py [CLIENT...]; BUILD, SAMPLE and
SEED as of ways_out.py. (The sensor lives on: tests/fleet/faults.py.)"""
import glob
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(__file__))
from ways_out import BUILD, CHOICE, PART, close_notify, field, frame, literal, message, reset

NOTE = field(1, b"t") + field(2, b"c")
UNARY, STREAM = 1, 0  # whether the end counts: a client of a stream may have seen all that it wanted before

# Each client with what it is answered, and what it reads.
CLIENTS = {
    "unary_client t": (UNARY, NOTE, b""),
    "server_stream_client 1": (UNARY, NOTE, b""),
    "client_stream_client": (UNARY, field(1, 1), b"a line\n" * 3),
    "bidi_client": (UNARY, NOTE, b"a line\n" * 3),
    "chat_client --count=1 room me": (STREAM, field(2, b"me") + field(3, b"text"), b"hello\n"),
    "files_client upload x": (UNARY, field(1, 5), bytes(5000)),
    "files_client download x": (UNARY, field(1, field(3, b"part")), b""),
    "monitor_client push": (UNARY, field(1, 1), b"m 1 a=b\n"),
    "monitor_client log": (UNARY, field(1, 1), b"a line\n"),
    "monitor_client --count=1 tail": (STREAM, field(2, b"line"), b""),
    "orders_client import": (UNARY, field(1, 1), b"1 me pen 1 1\n"),
    "orders_client history": (UNARY, field(1, b"1"), b""),
    "orders_client update": (UNARY, field(1, b"1"), b"1 1\n1 2\n"),
    "prices_client --count=1": (STREAM, field(1, b"ACME") + field(2, 9), b""),
    "device_caller": (STREAM, b"", b""),
    "h2_client": (UNARY, b"", b""),
}

SETTINGS = frame(4, 0, 0) + frame(4, 1, 0)
HEADERS = frame(1, 4, 1, b"\x88" + literal(b"content-type", b"application/grpc"))
# What the server has said before it leaves the call: at once, when it was called, and the rest of a frame that was begun, which comes
# before another frame can.
PHASES = {
    "nothing": lambda m: (b"", b"", SETTINGS),
    "half of its SETTINGS": lambda m: (SETTINGS[:5], b"", SETTINGS[5:]),
    "SETTINGS": lambda m: (SETTINGS, b"", b""),
    "half of its headers": lambda m: (SETTINGS, HEADERS[:12], HEADERS[12:]),
    "headers": lambda m: (SETTINGS, HEADERS, b""),
    "half of a message": lambda m: (SETTINGS, HEADERS + frame(0, 0, 1, message(m)[:3]), b""),
    "a message": lambda m: (SETTINGS, HEADERS + frame(0, 0, 1, message(m)), b""),
}


FRAMES = {
    "RST_STREAM": frame(3, 0, 1, b"\0\0\0\x08"),
    "GOAWAY": frame(7, 0, 0, bytes(8)),
    "a status": frame(1, 5, 1, b"\x88" + literal(b"content-type", b"application/grpc") + literal(b"grpc-status", b"14")),
    "a frame that is an error": frame(0, 0, 0),
    "a message that is too large": HEADERS + frame(0, 0, 1, b"\0\xff\xff\xff\xff"),
}
WAYS = {
    "FIN": lambda s, client: socket.socket.shutdown(s, socket.SHUT_WR),  # TLS: without close_notify
    "RST": lambda s, client: (reset(s), s.close()),
    "close_notify": lambda s, client: close_notify(s),
    "SIGTERM": lambda s, client: client.send_signal(signal.SIGTERM),
    "SIGINT": lambda s, client: client.send_signal(signal.SIGINT),
}


def serve(listener, context, phase, way, m, client):
    s, _ = listener.accept()
    s.settimeout(10)
    try:
        if context:
            s = context.wrap_socket(s, server_side=True)
        first, second, rest = PHASES[phase](m)
        s.sendall(first)
        received = b""
        while second and b"\x01\x04\x00\x00\x00\x01" not in received and b"\x01\x05\x00\x00\x00\x01" not in received:
            received += s.recv(65536) or b"\x01\x04\x00\x00\x00\x01"
        s.sendall(second)
        if not second:  # the client has spoken: it is where it waits
            s.recv(65536)
        if way in FRAMES:
            s.sendall(rest + FRAMES[way])
        else:
            WAYS[way](s, client[0])
        while s.recv(65536):
            pass
    except (OSError, ssl.SSLError):
        pass
    s.close()


def one(program, context, phase, way):
    """Why it is not as it should be; None: it is."""
    end_counts, m, text = CLIENTS[program]
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    name, *arguments = program.split()
    options = [f"--address=localhost:{port}"] if name != "h2_client" else []
    if context:
        options += ["--tls", f"--ca={context.folder}/good.pem"]
    if name == "h2_client":
        arguments = [f"http{'s' if context else ''}://localhost:{port}/"]
    client = []
    thread = threading.Thread(target=serve, args=(listener, context, phase, way, m, client), daemon=True)
    client.append(subprocess.Popen([f"{BUILD}/{name}", *options, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    thread.start()
    try:
        out, err = client[0].communicate(text, timeout=20)
    except subprocess.TimeoutExpired:
        client[0].kill()
        client[0].communicate()
        return "a hang"
    finally:
        listener.close()
    lines = err.decode(errors="replace").strip().split("\n")
    code = client[0].returncode
    may_have_all = not end_counts and phase == "a message"
    may_have_all = may_have_all or (name == "h2_client" and way == "a status")  # which is a response of HTTP
    if code == 0 and not may_have_all:
        return "took it for the whole: " + out.decode(errors="replace")[-100:]
    if code < 0 or code > 2 or "ERROR: " in err.decode(errors="replace"):
        return f"ended with {code}: " + err.decode(errors="replace")[-300:]
    if code != 0 and (len(lines) > 2 or (not lines[0] and way not in ("SIGTERM", "SIGINT"))):  # the second is of TLS
        return f"said why on {len(lines)} lines: {err.decode(errors='replace')[-300:]!r}"
    return None


def forgotten():
    """Clients of examples/ that are not in the table; that of the tutorial calls as unary_client does."""
    found = glob.glob("examples/*/*_client.c") + glob.glob("examples/*/*_caller.c")
    return {os.path.basename(f)[:-2] for f in found} ^ {program.split()[0] for program in CLIENTS} ^ {"hello_client"}


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["bash", "-c", '. "$0/tests/certificates.sh" && ca good && cert server good 20 DNS:localhost', os.getcwd()],
                       cwd=folder, check=True, capture_output=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
        tls.set_alpn_protocols(["h2"])
        tls.folder = folder
        cells = [(program, context, phase, way) for program in CLIENTS if not sys.argv[1:] or program.split()[0] in sys.argv[1:]
                 for context in (None, tls) for phase in PHASES for way in [*WAYS, *FRAMES]]
        cells = [c for c in cells if CHOICE.randrange(PART) == 0]
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda c: one(*c), cells))
    cells.append(("all of them", None, "the table", "forgetting one"))
    results.append(f"differs from examples/: {forgotten()}" if forgotten() else None)
    for (program, context, phase, way), why in zip(cells, results):
        if why:
            print(f"FAIL {program}{', over TLS' if context else ''}: {phase}, then {way}: {why}")
    failed = sum(1 for r in results if r)
    print(f"{len(results) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
