#!/usr/bin/python3
"""Worst-case stack of functions, from what `gcc -fcallgraph-info=su` wrote: tests/stack.py FILE.ci... [--roots=NAME,...] [--path]

Prints "NAME BYTES" for each function that a public header declares, the deepest first; with --roots for
those functions alone, with --path what they call. A call by pointer must be in POINTERS, an unknown function in EXTERNAL, and there is
no recursion: anything else is an error.
"""
import glob
import re
import sys

# Who calls by pointer, and what it may call. "application": what the user wrote, which counts for the user.
POINTERS = {
    "begin_frame": "mote_h2_data_begin mote_h2_headers_begin_frame mote_h2_control_begin mote_h2_settings_begin"
                   " mote_h2_push_promise_begin mote_h2_continuation_begin",
    "mote_h2_recv": "mote_h2_data_payload mote_h2_headers_payload mote_h2_control_payload mote_h2_settings_payload"
                    " mote_h2_data_end mote_h2_headers_end_frame mote_h2_settings_end mote_h2_priority_end"
                    " mote_h2_rst_stream_end mote_h2_ping_end mote_h2_goaway_end mote_h2_window_update_end"
                    " mote_h2_unknown_end",
    "mote_grpc_send": "mote_grpc_bytes_source mote_pb_encode_part mote_outbox_source",
    "mote_grpc_compress": "mote_grpc_bytes_source mote_pb_encode_part gzip_compress deflate_compress",
    "mote_grpc_decompress": "gzip_decompress deflate_decompress",
    "mote_channel_unary": "mote_channel_unary_once try_again",
}
POINTERS.update({name: "application" for name in (
    "mote_grpc_dispatch", "mote_grpc_start", "put_token", "event_for", "set_state", "tick", "turn", "try_again", "mote_channel_pause",
    "mote_channel_start", "end_line", "mote_pb_print", "put", "put_double", "put_unsigned", "flush_out", "wait_until",
    "connect_once", "on_store", "mote_outbox_put", "mote_outbox_source", "mote_outbox_init", "mote_outbox_next",
    "mote_outbox_acknowledge", "mote_outbox_sent", "drop_oldest", "read_at", "write_at", "load", "store")})
# Functions without a .ci file: of libgcc, measured once, and of libc as in port/cortex-m/memory.c.
EXTERNAL = {"memcpy": 16, "memmove": 16, "memset": 16, "memcmp": 16, "application": 0}
LIBGCC = 64


def read(files):
    frames, calls = {}, {}
    for file in files:
        for line in open(file, encoding="utf-8"):
            node = re.match(r'node: \{ title: "([^"]+)" label: ".*\\n(\d+) bytes \((\w+)', line)
            edge = re.match(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', line)
            if node:
                if node[3] == "dynamic":
                    sys.exit(f"error: {node[1]} has a frame without a bound")
                frames[node[1]] = max(int(node[2]), frames.get(node[1], 0))
            elif edge:
                calls.setdefault(edge[1], set()).add(edge[2])
    return frames, calls


def short(name):
    return re.sub(r"\..*", "", name.rsplit(":", 1)[-1])


def main():
    files = [a for a in sys.argv[1:] if not a.startswith("--")]
    roots = [a[8:].split(",") for a in sys.argv[1:] if a.startswith("--roots=")]
    frames, calls = read(files)
    by_short = {}
    for name in frames:
        by_short.setdefault(short(name), []).append(name)
    depths = {}

    def targets(name):
        for target in calls.get(name, ()):
            if target != "__indirect_call":
                yield target
            elif short(name) not in POINTERS:
                sys.exit(f"error: {name} calls by pointer, and tests/stack.py does not say what")
            else:
                for candidate in POINTERS[short(name)].split():
                    yield from by_short.get(candidate, [candidate] if candidate in EXTERNAL else [])

    def depth(name, path=()):
        if name in path:
            sys.exit("error: recursion: " + " ".join(map(short, path + (name,))))
        if name not in frames:
            if name.startswith(("__aeabi", "__", "board_")):
                return LIBGCC if name.startswith("__") else 0
            if short(name) not in EXTERNAL and name not in EXTERNAL:
                sys.exit(f"error: the stack of {name} is not known")
            return EXTERNAL[short(name)]
        if name not in depths:
            depths[name] = frames[name] + max((depth(t, path + (name,)) for t in targets(name)), default=0)
        return depths[name]

    if roots:
        names = roots[0]
    else:
        text = "".join(open(h, encoding="utf-8").read() for h in sorted(
            glob.glob("h*/*.h") + glob.glob("grpc/**/*.h", recursive=True) + glob.glob("pb/pb.h")) if "internal" not in h)
        names = sorted(set(re.findall(r"\b(mote_\w+)\(", text)) & set(frames))
    for name in sorted(names, key=lambda n: -depth(n)):
        print(name, depth(name))
        while "--path" in sys.argv and name in frames:
            print("   ", frames[name], short(name))
            name = max(targets(name), key=depth, default="")


main()
