"""The codecs beside zlib: what either compresses, the other decompresses; broken data is refused by both."""
import ctypes
import gzip
import random
import sys
import zlib

library = ctypes.CDLL(sys.argv[1])
ERR_SPACE, ERR_CODEC = -304, -305


class Codec(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p), ("lens", ctypes.c_uint16 * 2),
                ("index", ctypes.c_uint16 * 2),
                ("compress", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p,
                                              ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t))),
                ("decompress", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p,
                                                ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t)))]


def call(function, data, cap):
    out, n = ctypes.create_string_buffer(cap + 1), ctypes.c_size_t()
    r = function(data, len(data), out, cap, ctypes.byref(n))
    return r, out.raw[:n.value] if r == 0 else b""


CODECS = {"gzip": (Codec.in_dll(library, "mote_grpc_gzip"), gzip.compress, gzip.decompress),
          "deflate": (Codec.in_dll(library, "mote_grpc_deflate"), zlib.compress, zlib.decompress)}
passed = failed = 0


def samples():
    random.seed(7)
    yield from (b"", b"a", b"ab" * 10, b"\0" * 300, bytes(range(256)), b"\0" * 271828, b"abc" * 100000)
    for n in (3, 64, 65534, 65535, 65536, 131070, 200000):
        yield random.randbytes(n)
        yield bytes(random.choice(b"etaoin \n") for _ in range(n))
    text = open(__file__, "rb").read()
    yield text
    yield text[:2000] + random.randbytes(33000) + text[:2000]  # a match that is too far away


def check(name, condition):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    if not condition:
        print("FAIL", name)


for name, (codec, compress, decompress) in CODECS.items():
    check(name + ": name", codec.value == name.encode())
    for i, data in enumerate(samples()):
        r, packed = call(codec.compress, data, len(data) + 200)
        check(f"{name} {i}: zlib reads what mote wrote", r == 0 and decompress(packed) == data)
        check(f"{name} {i}: never much longer", len(packed) <= len(data) + 18 + 5 * (len(data) // 65535 + 1))
        check(f"{name} {i}: no room", call(codec.compress, data, max(len(packed) // 2 - 9, 0))[0] == ERR_SPACE)
        for level in (0, 1, 6, 9):
            theirs = compress(data, level)
            check(f"{name} {i}: mote reads level {level}", call(codec.decompress, theirs, len(data)) == (0, data))
        if data:
            check(f"{name} {i}: larger than the limit", call(codec.decompress, theirs, len(data) - 1)[0] == ERR_SPACE)
    for data in (b"", b"x" * 100, open(__file__, "rb").read()[:700]):
        theirs = compress(data, 9)
        for cut in range(len(theirs)):
            if call(codec.decompress, theirs[:cut], 1000)[0] >= 0:
                check(f"{name}: cut at {cut}", False)
            broken = bytearray(theirs)
            broken[cut] ^= 1 << random.randrange(8)
            r, out = call(codec.decompress, bytes(broken), 1000)
            try:
                expected = decompress(bytes(broken))
            except (OSError, EOFError, zlib.error):
                expected = None
            if (r == 0) != (expected is not None and len(expected) <= 1000) or r == 0 and out != expected:
                check(f"{name}: broken at {cut}: {r} {expected is not None}", False)
check("gzip: name, comment, extra and checksum in the header",
      call(CODECS["gzip"][0].decompress, b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff" + b"\x03\0xyz" + b"name\0note\0" + b"\0\0" +
           gzip.compress(b"hello")[10:], 100) == (0, b"hello"))
check("gzip: two members",
      call(CODECS["gzip"][0].decompress, gzip.compress(b"hello ") + gzip.compress(b"you"), 100) == (0, b"hello you"))
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
