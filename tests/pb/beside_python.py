"""Random messages of a type, whole and broken, beside Python's protobuf: for corpus.py and wild.py."""
import os
import re
import struct
import subprocess
import warnings

from google.protobuf.message import DecodeError


def is_repeated(field):
    return field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED


def is_required(field):
    return field.is_required if hasattr(field, "is_required") else field.label == field.LABEL_REQUIRED


def value_of(rng, field):
    t = field.type
    if t == field.TYPE_STRING:
        return "".join(rng.choice("aZ\u00e9\u20ac\U0001f600 ") for _ in range(rng.choice([0, 1, 5, 40])))
    if t == field.TYPE_BYTES:
        return bytes(rng.randrange(256) for _ in range(rng.choice([0, 1, 7, 60])))
    if t in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
        return rng.choice([0.0, -0.0, 1.5, -1e30, float("inf")])
    if t == field.TYPE_BOOL:
        return rng.random() < 0.5
    if t == field.TYPE_ENUM:
        return rng.choice(field.enum_type.values).number
    signed = t in (field.TYPE_INT32, field.TYPE_INT64, field.TYPE_SINT32, field.TYPE_SINT64, field.TYPE_SFIXED32,
                   field.TYPE_SFIXED64)
    wide = t in (field.TYPE_INT64, field.TYPE_UINT64, field.TYPE_SINT64, field.TYPE_FIXED64, field.TYPE_SFIXED64)
    bits = 64 if wide else 32
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return rng.choice([0, 1, low, high, rng.randint(low, high)])


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def fill(rng, message, depth=0):
    fields = list(message.DESCRIPTOR.fields)
    chosen = rng.sample(fields, min(len(fields), rng.choice([1, 3, 12]) if depth else rng.choice([0, 2, 8, 40])))
    for field in fields:
        if field not in chosen and not is_required(field):
            continue
        target = getattr(message, field.name)
        for _ in range(rng.choice([1, 1, 2, 5]) if is_repeated(field) else 1):
            if is_map(field):
                key, value = field.message_type.fields
                if value.message_type:
                    if depth < 4:
                        fill(rng, target[value_of(rng, key)], depth + 1)
                else:
                    target[value_of(rng, key)] = value_of(rng, value)
            elif is_repeated(field):
                if not field.message_type:
                    target.append(value_of(rng, field))
                elif depth < 4:
                    fill(rng, target.add(), depth + 1)
            elif field.message_type:
                if depth < 4 or is_required(field):
                    target.SetInParent()
                    fill(rng, target, depth + 1)
            else:
                setattr(message, field.name, value_of(rng, field))


def types_of(pool, file):
    todo = list(pool.FindFileByName(file).message_types_by_name.values())
    while todo:
        d = todo.pop()
        if not d.GetOptions().map_entry and not d.GetOptions().message_set_wire_format:
            yield d
        todo.extend(d.nested_types)


def c_names(out, base):
    """Names of messages as the generated file has them: full name to C name."""
    return dict((full, c) for c, full in re.findall(r'const mote_pb_names (\w+)_names = \{&\w+, "([^"]+)"',
                                                    open(os.path.join(out, base + ".mote.c")).read()))


def write_types(out, bases, names):
    """corpus_types.h: the messages of corpus.c, by their C names."""
    with open(os.path.join(out, "corpus_types.h"), "w") as f:
        f.write("#include <stddef.h>\n")
        f.writelines('#include "%s.mote.h"\n' % b for b in bases)
        f.writelines("static int size_%d(const void *m, size_t *size)\n{\n    return %s_size((const %s *)m, size);\n}\n" %
                     (i, c, c) for i, c in enumerate(names))
        f.write("#define CORPUS_TYPES %s\n" % ", ".join("{&%s_decoder, &%s_encoder, size_%d}" % (c, c, i)
                                                        for i, c in enumerate(names)))


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def transcode(self, kind, data):
        self.process.stdin.write(struct.pack("<II", kind, len(data)) + data)
        self.process.stdin.flush()
        result, size = struct.unpack("<iI", self.process.stdout.read(8))
        return result, self.process.stdout.read(size)


def same(cls, back, expected):
    """Through Debian's protobuf once more: of unknown numbers of closed enums it keeps less than came."""
    expected = cls.FromString(expected.SerializePartialToString())
    return cls.FromString(back).SerializePartialToString(deterministic=True) == \
        expected.SerializePartialToString(deterministic=True)


def break_bytes(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data[:rng.randrange(len(data) + 1)] if rng.random() < 0.3 else data)


def verdict(cls, data):
    """What Python's protobuf makes of bytes; None: it refuses them."""
    m = cls()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            m.MergeFromString(data)
        except DecodeError:
            return None
    return None if warned else m  # it warns of the end of a group that has not begun, and goes no further


def try_type(rng, driver, kind, cls):
    m = cls()
    fill(rng, m)
    data = m.SerializeToString(deterministic=True)
    result, back = driver.transcode(kind, data)
    if result != 0 or not same(cls, back, m):
        return "%s: %d for %s" % (cls.DESCRIPTOR.full_name, result, data.hex())
    for _ in range(2):
        broken = break_bytes(rng, data)
        expected = verdict(cls, broken)
        result, back = driver.transcode(kind, broken)
        if result == 402:
            continue  # a tag beyond 32 bits, whose upper bits C++ drops
        if expected is not None and not expected.IsInitialized():
            good = result == 408
        else:
            good = (result == 0) == (expected is not None) and (result != 0 or same(cls, back, expected))
        if not good:
            return "%s, broken: %d for %s" % (cls.DESCRIPTOR.full_name, result, broken.hex())
    return None
