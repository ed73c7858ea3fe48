#!/usr/bin/env python3
"""Mutation testing of the core: run.py [--seed N] [--count N] [--layer NAME] [--replay FILE]

Each mutant is one small change of one line (rules.py). It is compiled in a copy of the sources, linked
into one shared library, and the programs of `make unit` run with it until one fails. A mutant that
does not compile, or whose objects are the same, is no mutant. See equivalent.txt for those that change
the objects and still nothing that can be seen.
"""

import argparse
import collections
import difflib
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rules

LAYERS = ["hpack", "h2", "grpc", "pb"]
FLAGS = ["-std=c11", "-O1", "-fPIC", "-DMOTE_CHECK", "-Werror=int-conversion",
         "-Werror=incompatible-pointer-types", "-Werror=implicit-function-declaration"]
SMALL = "-DMOTE_HPACK_SMALL"
LEAST_TIMEOUT = 1.0  # a test that takes less than a tenth of a second is given this
ROOT = os.getcwd()
CC = os.environ.get("CC", "cc")
OUT = os.path.join(ROOT, os.environ.get("BUILD", "build"), "mutants")
TREE = os.path.join(OUT, "tree")
HEADERS = r".*_internal\.h|pb/pb_wire\.h"


def ask(variable):
    return subprocess.check_output(["make", "-s", "--no-print-directory", f"print-{variable}"], text=True).split()


def shell(command, cwd=ROOT):
    return subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


# ---- the sources, their objects, the library


class Library:
    """The core as one shared library, in the usual build and in the small one of hpack."""

    def __init__(self):
        self.sources = ask("CORE") + ask("POSIX")
        shutil.rmtree(OUT, ignore_errors=True)
        for folder in ("hpack", "h2", "grpc", "pb", "port"):
            shutil.copytree(folder, os.path.join(TREE, folder))
        for name in ("", "small"):
            os.makedirs(os.path.join(OUT, "lib" + name))
        self.objects = {}
        self.needs = {}
        for source in self.sources:
            for small in self.variants(source):
                data = self.compile(source, small)
                if data is None:
                    sys.exit(f"mutants: error: {source} does not compile")
                self.objects[source, small] = data
                self.write(source, small, data)
            deps = open(os.path.join(OUT, "deps")).read().replace("\\\n", " ").split()[1:]
            self.needs[source] = {os.path.normpath(d) for d in deps}
        for small in (False, True):
            self.link(small)

    def variants(self, source):
        return (False, True) if source.startswith("hpack/") else (False,)

    def path(self, source, small):
        return os.path.join(OUT, source.replace("/", "_")[:-2] + (".small.o" if small else ".o"))

    def compile(self, source, small):
        out = os.path.join(OUT, "one.o")
        extra = [SMALL] if small else []
        deps = ["-MMD", "-MF", os.path.join(OUT, "deps")]
        if not shell([CC, *FLAGS, *extra, *deps, "-c", source, "-o", out], TREE):
            return None
        with open(out, "rb") as f:
            return f.read()

    def write(self, source, small, data):
        with open(self.path(source, small), "wb") as f:
            f.write(data)

    def link(self, small):
        objects = [self.path(s, small and True in self.variants(s)) for s in self.sources]
        name = os.path.join(OUT, "libsmall" if small else "lib", "libmote.so")
        return shell([CC, "-shared", "-Wl,-Bsymbolic", *objects, "-o", name])

    def affected(self, file):
        return [s for s in self.sources if file in self.needs[s]] if file.endswith(".h") else [file]

    def mutate(self, file, text):
        """What becomes of the objects: "broken", "same" or "changed"; then undo() must follow."""
        with open(os.path.join(TREE, file), "w") as f:
            f.write(text)
        self.changed = []
        for source in self.affected(file):
            for small in self.variants(source):
                data = self.compile(source, small)
                if data is None:
                    return "broken"
                if data != self.objects[source, small]:
                    self.changed.append((source, small))
                    self.write(source, small, data)
        if not self.changed:
            return "same"
        linked = [self.link(small) for small in (False, True) if small or any(not s for _, s in self.changed)]
        return "changed" if all(linked) else "broken"

    def undo(self, file):
        shutil.copyfile(file, os.path.join(TREE, file))
        for source, small in self.changed:
            self.write(source, small, self.objects[source, small])


# ---- the tests


class Test:
    def __init__(self, name, command):
        self.name, self.command, self.kills = name, command, 0

    def passes(self, timeout):
        try:
            return subprocess.run(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=timeout,
                                  stdin=subprocess.DEVNULL, preexec_fn=limits).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def measure(self):
        start = time.monotonic()
        if not self.passes(100):
            sys.exit(f"mutants: error: {self.name} fails without a mutant")
        self.seconds = time.monotonic() - start


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def link_test(program, small):
    sources = ask(f"parts_{program}")
    out = os.path.join(OUT, program + ("_small" if small else ""))
    lib = os.path.join(OUT, "libsmall" if small else "lib")
    extra = [SMALL] if small else []
    if not shell([CC, "-std=c11", "-O1", "-fPIC", "-w", "-DMOTE_CHECK", *extra, *sources, "-L" + lib, "-lmote",
                  "-Wl,-rpath," + lib, "-o", out]):
        sys.exit(f"mutants: error: {program} does not build")
    return out


def tests():
    """The programs of `make unit`, as tests/unit.sh runs them; each golden conversation is one."""
    found = []
    small = [os.path.basename(p) for p in ask("PROGRAMS_unit-hpack-small")]
    for program, is_small in [(p, False) for p in ask("IN_PROCESS")] + [(p, True) for p in small]:
        path = link_test(program, is_small)
        if program == "replay":
            folder = "tests/golden"
            files = sorted(f for f in os.listdir(folder) if f.endswith(".in"))
            found += [Test(f, [path, os.path.join(folder, f)]) for f in files]
        elif program == "wire":
            folder = "tests/golden/wire"
            found += [Test(f, [path, os.path.join(folder, f)]) for f in sorted(os.listdir(folder))]
        elif program == "attack_local":
            found.append(Test(program, [path, "--no-cpu"]))
        elif program.startswith("fuzz_"):
            corpus = program[5:] if program[5:] not in ("server", "client", "h2") else "conversations"
            found.append(Test(program, [path, "fuzz/corpus/" + corpus]))
        else:
            found.append(Test(program + (" (small)" if is_small else ""), [path]))
    for t in found:
        t.measure()
    return found


def order(found, layer):
    """Those that are likely to notice soon: of this layer first, then by what they have noticed."""
    layer = "(grpc|services|life|channel|codecs)" if layer == "grpc" else layer
    return sorted(found, key=lambda t: -(t.kills + (3 if re.search(layer, t.name) else 0.3)) / (t.seconds + 0.02))


def killer(found, layer):
    """The test that notices, or None. Too long is ten times what the test takes."""
    for t in order(found, layer):
        if not t.passes(max(LEAST_TIMEOUT, 10 * t.seconds)):
            t.kills += 1
            return t
    return None


# ---- mutants


class Mutant:
    def __init__(self, file, text, operator, start, end, replacement):
        self.file, self.operator, self.old = file, operator, text
        self.layer = file.split("/")[0]
        self.text = text[:start] + (replacement or "") + text[end:]
        self.line = text.count("\n", 0, start) + 1
        self.key = f"{file}: {self.one_line(text)} -> {self.one_line(self.text)}"

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
    files = [s for s in sources if not s.endswith(".mote.c") and not s.startswith("port/")]
    for folder, _, names in os.walk("."):
        rel = os.path.relpath(folder, ".")
        if rel.split("/")[0] in LAYERS:
            files += [f"{rel}/{n}" for n in names if re.fullmatch(HEADERS, f"{rel}/{n}")]
    return sorted(f for f in files if layer in ("all", f.split("/")[0]) or f.startswith(layer))


def by_rule(sources, layer, seed, count):
    made = []
    for file in mutable_files(sources, layer):
        with open(file) as f:
            text = f.read()
        made += [(file, text, *m) for m in rules.mutants(text, seed)]
    random.Random(seed).shuffle(made)
    return [Mutant(*m) for m in made], count or len(made)


def from_file(sources, path):
    """Mutants that a file names: lines of "survivor FILE:LINE: OLD  ->  NEW"; the folder may differ."""
    made = []
    for line in open(path):
        m = re.match(r"(?:survivor )?([\w/.]+):(\d+): (.*?)  ->  (.*)", line.rstrip())
        if not m:
            continue
        name, at, old, new = m.groups()
        places = []
        for file in mutable_files(sources, "all"):
            text = open(file).read()
            for hit in re.finditer(re.escape(old), text):
                places.append((file, text, hit.start(), hit.end()))
        same = [p for p in places if os.path.basename(p[0]) == os.path.basename(name)] or places
        if not same:
            print(f"not found: {name}:{at}: {old}")
            continue
        file, text, start, end = min(same, key=lambda p: abs(p[1].count("\n", 0, p[2]) + 1 - int(at)))
        made.append(Mutant(file, text, "file", start, end, new))
    return made, len(made)


def equivalents():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "equivalent.txt")
    known = {line.rstrip("\n") for line in open(path) if line.strip() and not line.startswith(("#", " "))}
    for key in known:
        file, change = key.split(": ", 1)
        old = change.split(" -> ")[0]
        if not os.path.exists(file) or old not in " ".join(open(file).read().split()):
            print(f"equivalent.txt: {file} has no longer: {old}")
    return known


# ---- the report


def table(results, column):
    rows = collections.defaultdict(collections.Counter)
    for mutant, result in results:
        rows[getattr(mutant, column)][result] += 1
        rows["all"][result] += 1
    lines = [f"{column:20} {'mutants':>8} {'killed':>8} {'survived':>8} {'equivalent':>10} {'rate':>7}"]
    for name, n in sorted(rows.items(), key=lambda r: (r[0] == "all", r[0])):
        judged = n["killed"] + n["survived"]
        rate = f"{100 * n['killed'] / judged:.1f}%" if judged else "-"
        lines.append(f"{name:20} {judged + n['equivalent']:8} {n['killed']:8} {n['survived']:8} "
                     f"{n['equivalent']:10} {rate:>7}")
    return "\n".join(lines)


def report(results, skipped, arguments):
    survivors = [m for m, r in results if r == "survived"]
    with open(os.path.join(OUT, "survivors.diff"), "w") as f:
        f.writelines(m.diff() + "\n" for m in survivors)
    with open(os.path.join(OUT, "survivors.txt"), "w") as f:
        f.writelines(f"survivor {m.file}:{m.line}: {m.key.split(': ', 1)[1].replace(' -> ', '  ->  ')}\n" for m in survivors)
    text = f"{table(results, 'layer')}\n\n{table(results, 'operator')}\n\n"
    text += f"left out: {skipped['broken']} that do not compile, {skipped['same']} with the same objects\n"
    with open(os.path.join(OUT, "report.txt"), "w") as f:
        f.write(f"# run.py {' '.join(arguments)}\n{text}")
    print(text + f"survivors: {os.path.relpath(OUT)}/survivors.diff")


def judge(library, found, mutant, known):
    """ "broken" and "same" are no mutants; the others are "killed", "survived" or "equivalent"."""
    state = library.mutate(mutant.file, mutant.text)
    try:
        if state != "changed":
            return state
        test = killer(found, mutant.layer)
        if test:
            return "killed"
        return "equivalent" if mutant.key in known else "survived"
    finally:
        library.undo(mutant.file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=150, help="mutants that compile and differ; 0: all")
    parser.add_argument("--layer", default="all", help="hpack, h2, grpc, pb, a file, or all")
    parser.add_argument("--replay", help="a file of mutants, one a line, instead of rules")
    arguments = parser.parse_args()
    os.nice(10)
    library, known = Library(), equivalents()
    found = tests()
    print(f"{len(found)} tests, {sum(t.seconds for t in found):.1f} s", flush=True)
    if arguments.replay:
        mutants, count = from_file(library.sources, arguments.replay)
    else:
        mutants, count = by_rule(library.sources, arguments.layer, arguments.seed, arguments.count)
    results, skipped = [], collections.Counter()
    for mutant in mutants:
        if len(results) >= count:
            break
        result = judge(library, found, mutant, known)
        if result in ("broken", "same"):
            skipped[result] += 1
            continue
        results.append((mutant, result))
        if result == "survived":
            print(f"{len(results)}: survivor {mutant.file}:{mutant.line}: {mutant.key.split(': ', 1)[1]}", flush=True)
    report(results, skipped, sys.argv[1:])


main()
