"""What a loss of power leaves of files, by the log that fail.c wrote: what was made durable, and of what came after that any part."""
import os
import struct

RECORD = struct.Struct("8sQQ256s")


def read_log(path):
    """The records: (kind, path, at, bytes); `at` of a mark is its number."""
    data, at, records = open(path, "rb").read(), 0, []
    while at < len(data):
        kind, where, size, name = RECORD.unpack_from(data, at)
        at += RECORD.size
        records.append((kind.rstrip(b"\0").decode(), name.rstrip(b"\0").decode(), where, data[at:at + size]))
        at += size
    return records


def mark(path, number):
    """Says in the log how far something has come."""
    with open(path, "ab") as f:
        f.write(RECORD.pack(b"mark", number, 0, b""))


def write(content, at, data):
    content.extend(bytes(max(0, at + len(data) - len(content))))
    content[at:at + len(data)] = data


def apply(content, record, random=None):
    """A write, by sectors of which each is there or not; or a new size."""
    kind, _, at, data = record
    if kind == "size":
        del content[at:]
        content.extend(bytes(at - len(content)))
        return
    if random is None:
        write(content, at, data)
        return
    for offset in range(0, len(data), 512):
        if random.random() < 0.5:
            write(content, at + offset, data[offset:offset + 512])


def after_a_cut(records, random):
    """The files: path -> content. Whether one was created or deleted is durable once its folder is."""
    durable, pending, deleted = {}, {}, {}
    for record in records:
        kind, path, _, _ = record
        if kind == "sync" and path in pending:
            for r in pending[path]:
                apply(durable.setdefault(path, bytearray()), r)
            pending[path] = []
        elif kind == "sync":
            deleted = {p: r for p, r in deleted.items() if os.path.dirname(p) != path}
        elif kind == "unlink":
            deleted[path] = (durable.pop(path, bytearray()), pending.pop(path, []))
        elif kind in ("write", "size"):
            deleted.pop(path, None)
            pending.setdefault(path, []).append(record)
    for path, (content, rest) in deleted.items():
        if random.random() < 0.5:
            durable[path], pending[path] = content, rest
    for path, rest in pending.items():
        for r in rest:
            if random.random() < 0.7:
                apply(durable.setdefault(path, bytearray()), r, random if random.random() < 0.3 else None)
    return durable
