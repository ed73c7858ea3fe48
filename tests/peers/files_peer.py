"""grpcio against the files example: files_peer.py client ADDRESS | server | folder PROGRAM: what may lie in its folder"""
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from concurrent import futures

import grpc
import files_pb2 as pb

PREFIX = "/mote.files.Files/"


def chunks(name, data, size):
    for at in range(0, len(data), size):
        yield pb.Chunk(name=name if at == 0 else "", offset=at, data=data[at:at + size])


def client(address):
    channel = grpc.insecure_channel(address)
    upload = channel.stream_unary(PREFIX + "Upload", pb.Chunk.SerializeToString, pb.Receipt.FromString)
    download = channel.unary_stream(PREFIX + "Download", pb.Request.SerializeToString, pb.Part.FromString)
    data = random.Random(1).randbytes(5_000_000)
    receipt = upload(chunks("from_grpcio", data, 5000))
    assert (receipt.size, receipt.crc32) == (len(data), zlib.crc32(data))
    for offset in (0, 1, 4_999_999):
        *parts, last = list(download(pb.Request(name="from_grpcio", offset=offset)))
        assert b"".join(p.chunk.data for p in parts) == data[offset:]
        assert (last.receipt.size, last.receipt.crc32) == (len(data), zlib.crc32(data))
    call = download(pb.Request(name="from_grpcio"))  # a reader that leaves
    next(call)
    call.cancel()
    for code, do in ((grpc.StatusCode.NOT_FOUND, lambda: list(download(pb.Request(name="none")))),
                     (grpc.StatusCode.OUT_OF_RANGE, lambda: list(download(pb.Request(name="from_grpcio", offset=9**9)))),
                     (grpc.StatusCode.PERMISSION_DENIED, lambda: upload(chunks("../up", b"x", 1))),
                     (grpc.StatusCode.OUT_OF_RANGE, lambda: upload(iter([pb.Chunk(name="gap", offset=7, data=b"x")])))):
        try:
            do()
            raise AssertionError(f"no {code}")
        except grpc.RpcError as error:
            assert error.code() == code, error


def fails(code, do):
    try:
        do()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError(f"no {code}")


folders = []


class Folder:
    """A server, and the folder that it serves."""

    def __init__(self, program, size=None):
        self.path = tempfile.mkdtemp(prefix="mote-files.")
        limit = ["prlimit", f"--fsize={size}:{size}"] if size else []
        self.p = subprocess.Popen([*limit, program, "--address=127.0.0.1:0", f"--folder={self.path}"], stdout=subprocess.PIPE)
        folders.append(self)
        self.address = self.p.stdout.readline().decode().split()[-1]
        self.channel = grpc.insecure_channel(self.address, (("grpc.use_local_subchannel_pool", 1),))
        self.put = self.channel.stream_unary(PREFIX + "Upload", pb.Chunk.SerializeToString, pb.Receipt.FromString)
        self.get = self.channel.unary_stream(PREFIX + "Download", pb.Request.SerializeToString, pb.Part.FromString)

    def at(self, name):
        return os.path.join(self.path, name)

    def temporary(self):
        return [n for n in os.listdir(self.path) if n.startswith(".upload-")]

    def read(self, name):
        with open(self.at(name), "rb") as f:
            return f.read()

    def upload(self, name, data=b"new"):
        return self.put(chunks(name, data, 5000), timeout=20)

    def download(self, name, offset=0):
        *parts, last = list(self.get(pb.Request(name=name, offset=offset), timeout=60))
        return b"".join(p.chunk.data for p in parts), last.receipt

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.p.pid}/fd"))

    def end(self):
        self.channel.close()
        self.p.send_signal(signal.SIGTERM)
        assert self.p.wait() == 0, self.p.returncode
        assert self.temporary() == [], self.temporary()
        subprocess.run(["rm", "-rf", self.path])


def wait_for(condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("in vain")


def what_is_no_file_of_ours_is_left_alone(program):
    f = Folder(program)
    secret = tempfile.mkdtemp(prefix="mote-secret.")
    with open(secret + "/file", "w") as out:
        out.write("secret")

    def others():
        with open(f.at("others"), "w") as out:
            out.write("theirs")
        os.chown(f.at("others"), 12345, 12345)

    def socket_file():
        socket.socket(socket.AF_UNIX).bind(f.at("socket"))

    kinds = {"link": lambda: os.symlink(secret + "/file", f.at("link")),
             "dangling": lambda: os.symlink(secret + "/none", f.at("dangling")),
             "folder": lambda: os.mkdir(f.at("folder")),
             "foreign_folder": lambda: os.symlink(secret, f.at("foreign_folder")),
             "fifo": lambda: os.mkfifo(f.at("fifo")),
             "socket": socket_file,
             "hard_link": lambda: os.link(secret + "/file", f.at("hard_link"))}
    if os.geteuid() == 0:
        kinds["others"] = others
        kinds["device"] = lambda: os.mknod(f.at("device"), stat.S_IFCHR | 0o600, os.makedev(1, 5))
    for name, make in kinds.items():
        make()
        before = os.lstat(f.at(name))
        error = fails(grpc.StatusCode.ALREADY_EXISTS, lambda: f.upload(name))
        assert error.details() == "the name is somebody else's", error
        assert os.lstat(f.at(name)) == before, name
        if name not in ("hard_link", "others"):  # regular files are read, whoever they belong to
            error = fails(grpc.StatusCode.NOT_FOUND, lambda: f.download(name))
            assert error.details() == "no such file", error
    with open(secret + "/file") as file:
        assert file.read() == "secret"
    assert os.listdir(secret) == ["file"]
    f.end()
    subprocess.run(["rm", "-rf", secret])


def names_have_a_grammar(program):
    f = Folder(program)
    for name in ("", ".", "..", ".hidden", "-rf", "a/b", "/etc/passwd", "a\0b", "a\nb", "\x1b[2J", "a b", "ä", "a\\b", "x" * 256,
                 ".upload-0000000000000001"):
        fails(grpc.StatusCode.PERMISSION_DENIED, lambda: f.upload(name))
        fails(grpc.StatusCode.NOT_FOUND, lambda: f.download(name))
    assert os.listdir(f.path) == []
    for name in ("a", "_", "9.tar.gz", "A-b_c.d", "x" * 255):
        f.upload(name, name.encode())
        assert f.download(name)[0] == name.encode()
    assert len(os.listdir(f.path)) == 5
    f.end()


def an_upload_is_there_whole_or_not_at_all(program):
    f = Folder(program)
    f.upload("name", b"old")
    for how in ("cancelled", "reset", "a gap", "no grammar"):
        gate = threading.Event()

        def parts():
            yield pb.Chunk(name="name", offset=0, data=bytes(5000))
            gate.wait(20)
            if how == "a gap":
                yield pb.Chunk(offset=7, data=b"x")
            gate.wait(20)

        if how == "no grammar":
            raw = f.channel.stream_unary(PREFIX + "Upload")
            fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: raw(iter([pb.Chunk(name="name", data=b"x").SerializeToString(), b"\xff\xff"])))
        else:
            channel = grpc.insecure_channel(f.address, (("grpc.use_local_subchannel_pool", 1),))
            call = channel.stream_unary(PREFIX + "Upload", pb.Chunk.SerializeToString, pb.Receipt.FromString).future(parts())
            wait_for(lambda: len(f.temporary()) == 1 and os.stat(f.at(f.temporary()[0])).st_size == 5000)
            assert f.read("name") == b"old", how
            if how == "cancelled":
                call.cancel()
            elif how == "reset":
                channel.close()
            gate.set()
        wait_for(lambda: f.temporary() == [])
        assert f.read("name") == b"old", how
    both = threading.Barrier(2)

    def at_once(data):
        yield pb.Chunk(name="name", offset=0, data=data)
        both.wait(20)
        yield pb.Chunk(offset=len(data), data=data)

    calls = [f.put.future(at_once(d * 3000)) for d in (b"a", b"b")]
    for call in calls:
        call.result(timeout=20)
    assert f.read("name") in (b"a" * 6000, b"b" * 6000)
    fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: f.put(iter([]), timeout=20))
    assert os.listdir(f.path) == ["name"]
    f.end()


def a_disk_without_room(program):
    f = Folder(program, size=100_000)
    f.upload("small", b"x" * 100_000)
    before = f.descriptors()
    for _ in range(3):
        fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: f.upload("large", bytes(200_000)))
    wait_for(lambda: f.temporary() == [])
    assert os.listdir(f.path) == ["small"], os.listdir(f.path)
    wait_for(lambda: f.descriptors() <= before)
    f.end()


def a_far_offset_holds_nobody_up(program):
    """4 GB are read for the checksum; a call beside it is answered meanwhile."""
    f = Folder(program)
    size = 4 << 30
    with open(f.at("large"), "wb") as out:
        out.truncate(size)
    f.upload("small", b"x")
    call = f.get(pb.Request(name="large", offset=size - 1), timeout=100)
    slowest = 0
    for _ in range(50):
        begin = time.monotonic()
        f.download("small")
        slowest = max(slowest, time.monotonic() - begin)
    assert slowest < 0.5, f"{slowest:.2f} s"
    call.cancel()
    wait_for(lambda: "large" not in str([os.readlink(f"/proc/{f.p.pid}/fd/{n}") for n in os.listdir(f"/proc/{f.p.pid}/fd")]))
    fails(grpc.StatusCode.OUT_OF_RANGE, lambda: f.download("large", size + 1))
    fails(grpc.StatusCode.OUT_OF_RANGE, lambda: f.download("large", 2**64 - 1))
    with open(f.at("medium"), "wb") as out:
        out.write(bytes(range(256)) * 40000)
    data, receipt = f.download("medium", 10_000_000)
    assert data == (bytes(range(256)) * 40000)[10_000_000:] and receipt.size == 10_240_000
    assert receipt.crc32 == zlib.crc32(bytes(range(256)) * 40000)
    call = f.get(pb.Request(name="large", offset=size - 1), timeout=100)
    time.sleep(0.3)
    os.truncate(f.at("large"), 1000)
    error = fails(grpc.StatusCode.DATA_LOSS, lambda: list(call))
    assert error.details() == "the file cannot be read to its end", error
    f.end()


def folder(program):
    tests = (what_is_no_file_of_ours_is_left_alone, names_have_a_grammar, an_upload_is_there_whole_or_not_at_all,
             a_disk_without_room, a_far_offset_holds_nobody_up)
    failed = 0
    for test in tests:
        try:
            test(program)
        except Exception as error:
            print(f"FAIL {test.__name__}: {type(error).__name__} {error}")
            failed += 1
    for f in folders:
        f.p.kill()
        subprocess.run(["rm", "-rf", f.path])
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


def server():
    files = {}

    def upload(requests, context):
        name, data = None, b""
        for c in requests:
            name = name or c.name
            assert c.offset == len(data)
            data += c.data
        files[name] = data
        return pb.Receipt(size=len(data), crc32=zlib.crc32(data))

    def download(request, context):
        data = files[request.name]
        for c in chunks("", data, 3000):
            yield pb.Part(chunk=c)
        yield pb.Part(receipt=pb.Receipt(size=len(data), crc32=zlib.crc32(data)))

    handlers = {
        "Upload": grpc.stream_unary_rpc_method_handler(upload, pb.Chunk.FromString, pb.Receipt.SerializeToString),
        "Download": grpc.unary_stream_rpc_method_handler(download, pb.Request.FromString, pb.Part.SerializeToString),
    }
    s = grpc.server(futures.ThreadPoolExecutor(4))
    s.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mote.files.Files", handlers),))
    port = s.add_insecure_port("127.0.0.1:0")
    s.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    s.wait_for_termination()


if sys.argv[1] == "client":
    client(sys.argv[2])
elif sys.argv[1] == "folder":
    folder(sys.argv[2])
else:
    server()
