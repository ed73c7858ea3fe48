"""Random messages through Debian's protobuf and mote: what mote sends back is the same message, and the
same bytes where the encoding is canonical; broken bytes are refused by both, or mean the same to both."""
import random
import re
import struct
import subprocess
import sys
import warnings

from google.protobuf.message import DecodeError

from google.protobuf import text_format

import nasty_pb2
import old_pb2

process = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
TYPES = [getattr(nasty_pb2, "class"), old_pb2.Old]


def transcode(kind, data):
    process.stdin.write(struct.pack("<BI", kind, len(data)) + data)
    process.stdin.flush()
    result, size = struct.unpack("<iI", process.stdout.read(8))
    return result, process.stdout.read(size)


def value_of(field, depth):
    r = random
    t = field.type
    if t in (field.TYPE_STRING,):
        return "".join(r.choice("aZ\u00e9\u20ac\U0001f600 ") for _ in range(r.choice([0, 1, 5, 200])))
    if t == field.TYPE_BYTES:
        return bytes(r.randrange(256) for _ in range(r.choice([0, 1, 7, 300])))
    if t in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
        return r.choice([0.0, -0.0, 1.5, -1e30, float("inf")])
    if t == field.TYPE_BOOL:
        return r.random() < 0.5
    if t == field.TYPE_ENUM:
        return r.choice([v.number for v in field.enum_type.values])
    signed = t in (field.TYPE_INT32, field.TYPE_INT64, field.TYPE_SINT32, field.TYPE_SINT64,
                   field.TYPE_SFIXED32, field.TYPE_SFIXED64)
    bits = 64 if t in (field.TYPE_INT64, field.TYPE_UINT64, field.TYPE_SINT64, field.TYPE_FIXED64,
                       field.TYPE_SFIXED64) else 32
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return r.choice([0, 1, low, high, r.randint(low, high), r.randint(0, 127)])


def fill(message, depth=0):
    for field in message.DESCRIPTOR.fields:
        if random.random() < (0.5 if depth == 0 else 0.8) and field.label != field.LABEL_REQUIRED:
            continue
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        if field.label == field.LABEL_REPEATED and is_map:
            key, value = field.message_type.fields
            for _ in range(random.randrange(3)):
                target = getattr(message, field.name)
                if value.message_type:
                    fill(target[value_of(key, depth)], depth + 1)
                else:
                    target[value_of(key, depth)] = value_of(value, depth)
        elif field.label == field.LABEL_REPEATED:
            for _ in range(random.choice([0, 1, 2, 9])):
                if field.message_type:
                    if depth < 3:
                        fill(getattr(message, field.name).add(), depth + 1)
                else:
                    getattr(message, field.name).append(value_of(field, depth))
        elif field.message_type:
            if depth < 3:
                getattr(message, field.name).SetInParent()
                fill(getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, value_of(field, depth))


def has_map(message):
    for field, value in message.ListFields():
        if field.message_type and field.message_type.GetOptions().map_entry:
            return True
        if field.message_type:
            repeated = field.label == field.LABEL_REPEATED
            if any(has_map(m) for m in (value if repeated else [value])):
                return True
    return False


def check_message(kind):
    m = TYPES[kind]()
    fill(m)
    data = m.SerializeToString(deterministic=True)
    result, back = transcode(kind, data)
    assert result == 0, result
    again = TYPES[kind].FromString(back)
    assert again == m, (m, again)
    if not has_map(m):
        assert back == data, (data.hex(), back.hex())  # without maps the order is canonical
    result, printed = transcode(kind + 2, data)
    parsed = text_format.Parse(printed.decode(), TYPES[kind]())
    assert close(parsed, m), (printed, m)
    return data


def close(a, b):
    """Equal but for the last digits of doubles."""
    shorten = lambda m: re.sub(r"(\d\.\d{5})\d*", r"\1", text_format.MessageToString(m))
    return shorten(a) == shorten(b)


def check_path():
    m = TYPES[0]()
    m.selves.add()
    m.selves.add().selves.add().texts.extend(["ok", "broken"])
    data = m.SerializeToString().replace(b"broken", b"brok\xff\xff")
    result, path = transcode(2, data)
    assert path == b"nasty.v1.class.selves[1].selves[0].texts[1]", path
    result, path = transcode(2, data[:-3])
    assert path.startswith(b"nasty.v1.class.selves[1]"), path


def check_broken(kind, data):
    data = bytearray(data)
    for _ in range(random.randrange(1, 4)):
        if data:
            data[random.randrange(len(data))] = random.randrange(256)
    if random.random() < 0.3:
        data = data[:random.randrange(len(data) + 1)]
    data = bytes(data)
    expected = TYPES[kind]()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            expected.MergeFromString(data)
        except DecodeError:
            expected = None
    if warned:  # it warns of the end of a group that has not begun, and goes no further
        expected = None
    result, back = transcode(kind, data)
    if expected is not None and not expected.IsInitialized():
        return  # mote does not insist on required fields
    if result == 402:
        return  # a field number above 2^29-1, whose upper bits protobuf drops
    assert (result == 0) == (expected is not None), (data.hex(), result)
    if expected is not None:
        assert TYPES[kind].FromString(back).SerializePartialToString(deterministic=True) == \
            expected.SerializePartialToString(deterministic=True), data.hex()


check_path()
random.seed(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
for i in range(3000):
    kind = i % 2
    data = check_message(kind)
    check_broken(kind, data)
process.stdin.close()
assert process.wait() == 0
print("6000 messages")
