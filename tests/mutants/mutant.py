"""A mutant: one file with one small change, by rule or as a list names it."""

import difflib
import os
import random
import re

import rules

CORE = ["hpack", "h2", "grpc", "pb"]
LAYERS = [*CORE, "pb/plugin", "tls", "port/posix", "port/serial", "port/serial/modem"]
HEADERS = r".*_internal\.h|pb/pb_wire\.h"


def layer_of(file):
    folder = os.path.dirname(file)
    return folder if folder in LAYERS else file.split("/")[0]


class Mutant:
    def __init__(self, file, text, operator, start, end, replacement):
        self.file, self.operator, self.old = file, operator, text
        self.layer = layer_of(file)
        self.text = text[:start] + (replacement or "") + text[end:]
        self.line = text.count("\n", 0, start) + 1
        self.change = f"{self.one_line(text)} -> {self.one_line(self.text)}"
        self.key = f"{file}: {self.change}"

    def where(self):
        return f"{self.file}:{self.line}: {self.change}"

    def one_line(self, text):
        """The lines that differ, as one, without the white space around them."""
        a, b = self.old.split("\n"), self.text.split("\n")
        head = 0
        while head < min(len(a), len(b)) and a[head] == b[head]:
            head += 1
        tail = 0
        while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
            tail += 1
        lines = text.split("\n")
        return " ".join(" ".join(lines[head : len(lines) - tail]).split())

    def diff(self):
        return "".join(difflib.unified_diff(self.old.splitlines(True), self.text.splitlines(True),
                                            "a/" + self.file, "b/" + self.file, n=2))


def mutable_files(sources, layer):
    files = [s for s in sources if not s.endswith(".mote.c")]
    for folder in {os.path.dirname(s) for s in sources}:
        files += [f"{folder}/{n}" for n in os.listdir(folder) if re.fullmatch(HEADERS, f"{folder}/{n}")]
    chosen = {"all": LAYERS, "core": CORE}.get(layer, [layer])
    return sorted(f for f in files if layer_of(f) in chosen or f.startswith(layer + "/") or f == layer)


def by_rule(sources, layer, seed):
    made = []
    for file in mutable_files(sources, layer):
        with open(file) as f:
            text = f.read()
        made += [(file, text, *m) for m in rules.mutants(text, seed)]
    random.Random(seed).shuffle(made)
    return [Mutant(*m) for m in made]


def places(file, old):
    """Where a text stands in a file, whatever white space is between its words."""
    text = open(file).read()
    pattern = r"\s+".join(re.escape(word) for word in old.split())
    return [(file, text, hit.start(), hit.end()) for hit in re.finditer(pattern, text)]


def from_file(sources, path):
    """Those of a list. A line is "FILE: OLD -> NEW", or "FILE:LINE: OLD  ->  NEW"; the file may have another folder by now."""
    made = []
    for line in open(path):
        m = re.match(r"(?:survivor )?([\w/.]+):(\d*):? (.*?) +->  ?(.*)", line.rstrip())
        if not m or line.startswith("#"):
            continue
        name, at, old, new = m.groups()
        found = places(name, old) if os.path.exists(name) else []
        if not found and at:
            files = mutable_files(sources, "all")
            found = [p for f in files for p in places(f, old)]
            found = [p for p in found if os.path.basename(p[0]) == os.path.basename(name)] or found
        if not found:
            print(f"{os.path.basename(path)}: not found: {name}: {old}")
            continue
        file, text, start, end = min(found, key=lambda p: abs(p[1].count("\n", 0, p[2]) + 1 - int(at or 0)))
        made.append(Mutant(file, text, "file", start, end, new))
    return made


def equivalents(path):
    known = {line.rstrip("\n") for line in open(path) if line.strip() and not line.startswith(("#", " "))}
    for key in sorted(known):
        file, change = key.split(": ", 1)
        if not os.path.exists(file) or not places(file, change.split(" -> ")[0]):
            print(f"equivalent.txt: {file} has no longer: {change.split(' -> ')[0]}")
    return known
