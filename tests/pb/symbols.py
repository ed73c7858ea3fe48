"""The table of names beside each descriptor (`descriptors`): all that Debian's protobuf reads in it, sorted, and each is found by
reflection's look-up, and nothing else. symbols.py LIBRARY NAME...: a library of generated files, and the names of their descriptors."""
import ctypes
import sys

from google.protobuf import descriptor_pb2


class Symbol(ctypes.Structure):
    _fields_ = [("at", ctypes.c_uint32), ("scope", ctypes.c_uint32)]


class File(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("bytes", ctypes.POINTER(ctypes.c_uint8)), ("len", ctypes.c_size_t),
                ("package", ctypes.c_char_p), ("symbols", ctypes.POINTER(Symbol)), ("count", ctypes.c_size_t),
                ("imports", ctypes.c_void_p)]


class Text(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("len", ctypes.c_size_t)]


def names_of(file):
    """All full names, as the language scopes them."""
    package = file.package + "." if file.package else ""

    def enum(e, scope):
        yield scope + e.name
        for v in e.value:
            yield scope + v.name  # beside the enum

    def message(m, scope):
        yield scope + m.name
        inner = scope + m.name + "."
        for member in list(m.field) + list(m.extension) + list(m.oneof_decl):
            yield inner + member.name
        for e in m.enum_type:
            yield from enum(e, inner)
        for n in m.nested_type:
            yield from message(n, inner)

    for m in file.message_type:
        yield from message(m, package)
    for e in file.enum_type:
        yield from enum(e, package)
    for x in file.extension:
        yield package + x.name
    for s in file.service:
        yield package + s.name
        for m in s.method:
            yield package + s.name + "." + m.name


def parts_of(f, data, index):
    """Own name, name of the scope, ... of a symbol."""
    at, scope = f.symbols[index].at, f.symbols[index].scope
    size, shift = 0, 0
    while True:
        size |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            break
    return [data[at:at + size]] + (parts_of(f, data, scope - 1) if scope else [])


def check_file(library, name):
    f = File.in_dll(library, name)
    data = bytes(f.bytes[:f.len])
    file = descriptor_pb2.FileDescriptorProto.FromString(data)
    assert f.package.decode() == file.package, name
    parts = [parts_of(f, data, i) for i in range(f.count)]
    assert parts == sorted(parts), name + ": not sorted"
    prefix = [f.package.decode()] if f.package else []
    listed = sorted(".".join(prefix + [p.decode() for p in reversed(one)]) for one in parts)
    wanted = sorted(names_of(file))
    assert listed == wanted, (name, set(listed) ^ set(wanted))

    def found(text):
        return library.mote_reflection_describes(ctypes.byref(f), Text(text.encode(), len(text.encode())))
    for one in wanted:
        assert found(one), (name, one)
        for other in (one[:-1], one + "x", one + ".", one + "." + one, "." + one, one.replace(".", "..", 1), one[1:], one.upper() + "_"):
            assert bool(found(other)) == (other in wanted), (name, other)
    for other in ("", ".", file.package, file.package + "."):
        assert not found(other), (name, other)
    return len(wanted)


def main():
    library = ctypes.CDLL(sys.argv[1])
    library.mote_reflection_describes.restype = ctypes.c_bool
    library.mote_reflection_describes.argtypes = [ctypes.c_void_p, Text]
    total = sum(check_file(library, name) for name in sys.argv[2:])
    assert total >= 100, total


main()
