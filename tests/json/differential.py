"""Random messages as JSON through Debian's protobuf and mote, in both directions: the same messages, the same values; and
broken JSON, which neither takes, or both for the same."""
import json
import os
import random
import struct
import subprocess
import sys

sys.path.insert(1, os.path.join(os.path.dirname(__file__), "..", "pb"))

from google.protobuf import json_format

import json_pb2
from randomly import value_of

process = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
random.seed(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
map_size = 3  # none inside of an Any, whose bytes are compared: those of an entry may be written in more than one way
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 600


def convert(direction, data):
    process.stdin.write(struct.pack("<BI", direction, len(data)) + data)
    process.stdin.flush()
    result, size = struct.unpack("<iI", process.stdout.read(8))
    return result, process.stdout.read(size)


def fill_value(value, depth):
    kind = random.randrange(6 if depth < 3 else 4)
    if kind == 0:
        value.null_value = 0
    elif kind == 1:
        value.number_value = random.choice([0.0, -1.5, 1e300, random.random(), float(random.randrange(10**6))])
    elif kind == 2:
        value.string_value = random.choice(["", "x\"\\\n", "\u20ac\U0001f600"])
    elif kind == 3:
        value.bool_value = random.random() < 0.5
    elif kind == 4:
        value.struct_value.SetInParent()
        for i in range(random.randrange(map_size)):
            fill_value(value.struct_value.fields[str(i)], depth + 1)
    else:
        value.list_value.SetInParent()
        for _ in range(random.randrange(3)):
            fill_value(value.list_value.values.add(), depth + 1)


def fill_any(target, depth):
    global map_size
    kind = random.randrange(3)
    if kind == 0:
        inner = json_pb2.Kinds()
        before, map_size = map_size, 1
        fill(inner, depth + 1)
        map_size = before
        target.Pack(inner)
    elif kind == 1:
        inner = json_pb2.Kinds().duration
        inner.seconds = random.randrange(10**6)
        target.Pack(inner)


def fill_special(target, depth):
    """The well-known types, whose content must be valid; False: another type."""
    name = target.DESCRIPTOR.full_name
    if name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        target.seconds = random.choice([0, 1, -1, -62135596800, 253402300799, random.randrange(2**31)])
        target.nanos = random.choice([0, 5, 5000, 5000000, 999999999])
        if target.seconds < 0 and name.endswith("Duration"):
            target.nanos = -target.nanos
    elif name == "google.protobuf.FieldMask":
        target.paths.extend(random.choice(["foo_bar", "a.b_c", "x"]) for _ in range(random.randrange(3)))
    elif name == "google.protobuf.Value":
        fill_value(target, depth)
    elif name == "google.protobuf.Struct":
        for i in range(random.randrange(map_size)):
            fill_value(target.fields["k%d" % i], depth)
    elif name == "google.protobuf.ListValue":
        for _ in range(random.randrange(3)):
            fill_value(target.values.add(), depth)
    elif name == "google.protobuf.Any":
        fill_any(target, depth)
    elif name.startswith("google.protobuf."):
        target.value = value_of(target.DESCRIPTOR.fields[0], depth)
    else:
        return False
    return True


def fill_message(target, depth):
    target.SetInParent()
    if not fill_special(target, depth):
        fill(target, depth + 1)


def fill_field(message, field, depth):
    target = getattr(message, field.name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields
        for _ in range(random.randrange(map_size)):
            if value.message_type:
                fill_message(target[value_of(key, depth)], depth)
            else:
                target[value_of(key, depth)] = value_of(value, depth)
    elif field.label == field.LABEL_REPEATED:
        for _ in range(random.choice([0, 1, 2, 9]) if depth < 2 else 0):
            if field.message_type:
                fill_message(target.add(), depth)
            else:
                target.append(value_of(field, depth))
    elif field.message_type:
        if depth < 3:
            fill_message(target, depth)
    else:
        setattr(message, field.name, value_of(field, depth))


def fill(message, depth=0):
    for field in message.DESCRIPTOR.fields:
        if random.random() < 0.2 and field.name != "nothings":  # nulls in a list, which Python does not read back
            fill_field(message, field, depth)


def same(a, b):
    """JSON values are the same; numbers as what they are."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return a == b


def wire(message):
    return message.SerializeToString(deterministic=True)


def check(message):
    theirs = json_format.MessageToJson(message, indent=None)
    result, ours = convert(0, wire(message))
    assert result == 0, (result, theirs)
    assert same(json.loads(ours), json.loads(theirs)), (ours, theirs)
    assert wire(json_format.Parse(ours, json_pb2.Kinds())) == wire(json_format.Parse(theirs, json_pb2.Kinds())), ours
    result, back = convert(1, theirs.encode())
    assert result == 0, (result, theirs)
    assert wire(json_pb2.Kinds.FromString(back)) == wire(message), theirs
    result, back = convert(1, ours)
    assert wire(json_pb2.Kinds.FromString(back)) == wire(message), ours
    return theirs


def check_broken(text):
    """What mote takes Python takes as well, and for the same. Python takes more: NaN and Infinity as words, 1.0 for a bool,
    numbers between quotes with blanks, and what else its own functions read."""
    data = bytearray(text.encode())
    for _ in range(random.randrange(1, 3)):
        if data:
            data[random.randrange(len(data))] = random.choice(b'{}[]",:0123456789.-+eE\\untrfals \x00\xff')
    result, back = convert(1, bytes(data))
    if result != 0:
        return 0
    try:
        expected = json_format.Parse(bytes(data), json_pb2.Kinds())
    except json_format.ParseError as e:
        raise AssertionError((bytes(data), str(e)))
    assert wire(json_pb2.Kinds.FromString(back)) == wire(expected), bytes(data)
    return 1


taken = 0
for i in range(ROUNDS):
    m = json_pb2.Kinds()
    fill(m)
    text = check(m)
    for _ in range(4):
        taken += check_broken(text)
process.stdin.close()
assert process.wait() == 0
print("%d messages, %d broken texts of which %d were none" % (ROUNDS, 4 * ROUNDS, taken))
