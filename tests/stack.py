#!/usr/bin/python3
"""Worst-case stack of functions, from what `gcc -fcallgraph-info=su` wrote:

    tests/stack.py [--roots=NAME,...] [--path] FILE.ci...

Prints "NAME BYTES" for each function that a public header declares, the deepest first; with --roots for those
functions alone, with --path what they call as well. A call by pointer must be in POINTERS, an unknown function in
EXTERNAL, and nothing may recur: anything else is an error. Where an object lies beside FILE.ci, its code says which
calls are jumps at the end of a function, whose frame is gone by then.
"""
import glob
import os
import re
import subprocess
import sys

# What the calls by pointer in a source file, or in a function, may reach. "application": what the user wrote, which is not counted.
SOURCES = "write_bytes mote_pb_encode_part write_next"
POINTERS = {
    "grpc/grpc_send.c": SOURCES,
    "grpc/grpc_message.c": "begin_chunks next_chunk",
    "grpc/grpc_codec.c": SOURCES + " gzip_compress deflate_compress gzip_decompress deflate_decompress",
    "mote_channel_unary": "mote_channel_unary_once unary",
    "grpc/channel/agent.c": "application",  # the operating system
    "grpc/channel/call.c": "application",
    "grpc/channel/channel.c": "application",
    "grpc/channel/connect.c": "application",
    "grpc/channel/state.c": "application",
    "grpc/grpc_serve.c": "application",  # handlers
    "grpc/grpc_door.c": SOURCES + " mote_web_write_trailers mote_web_field mote_web_answer mote_web_put_fields mote_web_pack mote_web_unpack mote_web_content",
    "grpc/web/connect.c": "take_door_field answer_by_door",
    "grpc/web/connect_content.c": SOURCES + " send_by_door end_by_door next_unpacked store_unpacked mote_connect_write_json",
    "grpc/web/connect_json.c": SOURCES,
    "grpc/web/http1_frames.c": "application",  # the engine behind it
    "grpc/web/http1.c": "application",
    "grpc/web/http1_response.c": "application",
    "hpack/hpack_decode.c": "get_field take_name add_field shrink",
    "h2/h2_init.c": "take_memory",
    "h2/h2_rest.c": "take_memory",
    "put_field": "mote_hpack_static_find",
    "put_string": "put_huffman",
    "pb/pb_decode.c": "leave",
    "grpc/grpc_client.c": "mote_grpc_put_bearer",
    "grpc/grpc_bearer.c": "application",  # tokens
    "grpc/channel/replay.c": "application",
    "grpc/channel/status.c": "application",  # texts of errors
    "grpc/channel/retry.c": "application",
    "grpc/services/outbox.c": "room append read_message after",
    "grpc/services/otlp_export.c": "points_waiting points_leave point_write points_settle",
    "grpc/services/spool_store.c": "application",  # storage
    "h2/h2_trace.c": "application",
    "mote_pb_decode": "leave mote_pb_read_lists mote_pb_read_values mote_pb_read_messages mote_pb_enter mote_pb_keep_unknown",
    "read_value": "mote_pb_utf8_valid",
    "mote_pb_put_field": "mote_pb_put_list",
    "mote_pb_put_fields": "mote_pb_put_list",
    "mote_pb_put_flat": "mote_pb_put_list",
    "mote_pb_put_deep": "mote_pb_put_list",
    "pb/pb_encode.c": "mote_pb_put_flat mote_pb_put_nested",
    "pb/pb_print.c": "application",
    "pb/pb_walk_level.c": "application",  # elements that a function gives
    "pb/pb_supply.c": "application",
}
# Functions without a .ci file: those of libc as in port/cortex-m/memory.c, and libgcc's arithmetic.
EXTERNAL = {"memcpy": 16, "memmove": 16, "memset": 16, "memcmp": 16, "application": 0}
LIBGCC = 64


def short(name):
    return re.sub(r"\..*", "", re.sub(r".*\.[co]:", "", name))


def read_jumps(objects):
    """What each function jumps to at its end and never calls otherwise, by name; None stands for a pointer."""
    jumps, calls, function = {}, {}, None
    code = subprocess.run(["arm-none-eabi-objdump", "-dr", *objects], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in code.splitlines():
        start = re.match(r"[0-9a-f]+ <(.*)>:$", line)
        target = re.search(r"R_ARM_THM_(JUMP24|JUMP19|JUMP11|CALL)\s+([^+\s]+)", line)
        pointer = re.search(r"\t(bx|blx)\t(r\d+|ip)", line)
        if start:
            function = short(start[1])
        elif target:
            (calls if target[1] == "CALL" else jumps).setdefault(function, set()).add(short(target[2]))
        elif pointer:
            (calls if pointer[1] == "blx" else jumps).setdefault(function, set()).add(None)
    return {f: targets - calls.get(f, set()) for f, targets in jumps.items()}


def read(files):
    frames, calls = {}, {}
    for file in files:
        for line in open(file, encoding="utf-8"):
            node = re.match(r'node: \{ title: "([^"]+)" label: ".*\\n(\d+) bytes \((\w+)', line)
            edge = re.match(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "([^"]*))?', line)
            if node:
                if node[3] == "dynamic":
                    sys.exit(f"error: {node[1]} has a frame without a bound")
                frames[node[1]] = max(int(node[2]), frames.get(node[1], 0))
            elif edge:
                calls.setdefault(edge[1], set()).add((edge[2], edge[3] or ""))
    return frames, calls


class Stack:
    def __init__(self, frames, calls, jumps):
        self.frames, self.calls, self.jumps, self.depths = frames, calls, jumps, {}
        self.named = {}
        for name in frames:
            self.named.setdefault(short(name), []).append(name)

    def callees(self, name):
        """Each function that it calls, and whether its own frame is gone by then."""
        jumps = self.jumps.get(short(name), ())
        for target, where in self.calls.get(name, ()):
            if target != "__indirect_call":
                yield target, short(target) in jumps
                continue
            file = short(name) if short(name) in POINTERS else next((f for f in POINTERS if where.split(":")[0].endswith(f)), None)
            if not file:
                sys.exit(f"error: {name} calls by pointer at {where}, and tests/stack.py does not say what")
            for candidate in POINTERS[file].split():
                yield from ((n, None in jumps) for n in self.named.get(candidate, ()))

    def depth(self, name, path=()):
        if name in path:
            sys.exit("error: recursion: " + " ".join(map(short, path + (name,))))
        if name not in self.frames:
            if short(name) in self.named:  # another name of the same function
                return max(self.depth(n, path) for n in self.named[short(name)])
            if short(name).startswith("__"):
                return LIBGCC
            if short(name) not in EXTERNAL:
                sys.exit(f"error: the stack of {name} is not known")
            return EXTERNAL[short(name)]
        if name not in self.depths:
            frame = self.frames[name]
            below = [self.depth(n, path + (name,)) + (0 if jumped else frame) for n, jumped in self.callees(name)]
            self.depths[name] = max(below, default=0) if below and max(below) > frame else frame
        return self.depths[name]


def public():
    headers = [h for h in glob.glob("h*/*.h") + glob.glob("grpc/**/*.h", recursive=True) + ["pb/pb.h"] if "internal" not in h]
    return re.findall(r"\b(mote_\w+)\(", "".join(open(h, encoding="utf-8").read() for h in headers))


def main():
    options = [a for a in sys.argv[1:] if a.startswith("--")]
    files = [a for a in sys.argv[1:] if not a.startswith("--")]
    objects = [f[:-3] + ".o" for f in files if os.path.exists(f[:-3] + ".o")]
    stack = Stack(*read(files), read_jumps(objects) if objects else {})
    roots = [name for a in options if a.startswith("--roots=") for name in a[8:].split(",")]
    if not roots:
        roots = sorted(set(public()) & set(stack.named))
    for name in sorted(roots, key=lambda n: (-stack.depth(n), n)):
        print(name, stack.depth(name))
        name = stack.named[name][0]
        while "--path" in options and name:
            print("   ", stack.frames.get(name, "-"), short(name))
            name = max(stack.callees(name), key=lambda c: stack.depth(c[0]) - (stack.frames.get(name, 0) if c[1] else 0), default=(None,))[0]


main()
