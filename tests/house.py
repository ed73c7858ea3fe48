#!/usr/bin/env python3
"""The drawing of the house, held against what was built: which folder needs which, and which files need each other.

usage: house.py OBJDIR SOURCE...    (the object of hpack/x.c is OBJDIR/hpack/x.o)

An arrow up or sideways is an error, whether a symbol or an include makes it; so is a circle of files in one folder, a file
whose folder is not drawn, a source of the list without an object, and a file of these folders that is not in the list.
"""
import collections
import glob
import os
import re
import subprocess
import sys

# Each folder may need folders of lower floors, and nothing else.
FLOORS = [
    ["hpack", "pb"],
    ["h2", "pb/plugin", "pb/json"],
    ["grpc"],
    ["grpc/channel", "grpc/services", "grpc/web", "grpc/codec"],
    ["tls"],
    ["port/posix", "port/serial", "port/cortex-m", "port/freertos", "port/zephyr"],
    ["port/lwip", "port/riscv"],  # port/cortex-m/board.h says what a board has; these have it as well
]
FLOOR = {folder: n for n, floor in enumerate(FLOORS) for folder in floor}
ROOTS = ("hpack", "h2", "grpc", "pb", "tls", "port")
# Built for boards, or instead of something else: not in a library of this machine.
ELSEWHERE = ("port/lwip/", "port/cortex-m/", "port/riscv/", "port/freertos/", "port/zephyr/", "tls/absent.c")

errors = []


def error(text):
    errors.append(text)
    print(text)


def folder(file):
    return re.sub(r"^(port/\w+)/(arch|include|modem)$", r"\1", os.path.dirname(file))


def may_need(file, other):
    a, b = folder(file), folder(other)
    return a == b or FLOOR.get(b, len(FLOORS)) < FLOOR.get(a, len(FLOORS))


def check_list(sources):
    """What lies in the folders is in the drawing and in the list."""
    here = sorted(f for root in ROOTS for f in glob.glob(root + "/**/*.[ch]", recursive=True))
    for file in here:
        if folder(file) not in FLOOR:
            error(f"{file}: the folder is not in the drawing of the house")
        if file.endswith(".c") and file not in sources and not file.startswith(ELSEWHERE) and file != "port/posix/tls.c":
            error(f"{file}: not in the list of sources")
    for file in set(sources) - set(here):
        error(f"{file}: in the list of sources, but not there")
    return here


def check_includes(files):
    for file in files:
        for line in open(file, encoding="utf-8"):
            found = re.match(r'\s*#\s*include "([^"]+)"', line)
            other = found and os.path.normpath(os.path.join(os.path.dirname(file), found[1]))
            if not other or not os.path.exists(other):
                continue  # a generated file, or of a library
            if not may_need(file, other):
                error(f"arrow up or sideways: {file} includes {other}")
            elif other.endswith("_internal.h") and folder(file) != folder(other):
                error(f"{file} includes {other}, which is for its own folder")


def needs_of(objects, sources):
    """source -> {source: a symbol of it that is needed}"""
    defined, undefined, of = {}, collections.defaultdict(set), {}
    for source in sources:
        path = os.path.join(objects, source[:-2] + ".o")
        if os.path.exists(path):
            of[path] = source
        else:
            error(f"{source}: has no object in {objects}")
    for line in subprocess.run(["nm", "-g", "-A"] + list(of), capture_output=True, text=True, check=True).stdout.splitlines():
        path, *word = line.replace(":", " ").split()
        source, kind, name = of[path], word[-2], word[-1]
        if kind in "Uwv":
            undefined[source].add(name)
        elif name in defined:
            error(f"{name} is defined by {defined[name]} and by {source}")
        else:
            defined[name] = source
    return {s: {defined[n]: n for n in sorted(undefined[s]) if n in defined} for s in sources}


def circles(needs):
    """Strongly connected sets of files, by Tarjan's algorithm."""
    index, low, stack, found = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in needs[v]:
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            group = stack[stack.index(v):]
            del stack[stack.index(v):]
            if len(group) > 1:
                found.append(sorted(group))

    for v in needs:
        if v not in index:
            visit(v)
    return found


def main():
    objects, sources = sys.argv[1], sys.argv[2:]
    check_includes(check_list(sources))
    needs = needs_of(objects, sources)
    for file, others in needs.items():
        for other, symbol in others.items():
            if not may_need(file, other):
                error(f"arrow up or sideways: {file} needs {symbol} of {other}")
    for group in circles(needs):
        error("circle: " + " ".join(group))
        for a in group:
            for b in group:
                if b in needs[a]:
                    print(f"    {a} needs {needs[a][b]} of {b}")
    print(f"the house: {len(sources)} files, {len(errors)} errors")
    return 1 if errors else 0


sys.exit(main())
