#!/usr/bin/env python3
"""Bugs that the fuzz targets are to find: planted.py [--seed N] [--each N] [--cpu SECONDS] [LAYER...]

From the mutants of rules.py that compile and change what is compiled, a seed draws --each of every layer; those that are known
to change nothing (equivalent.txt) are no bugs. Each is built into the targets of its layer, which run for --cpu seconds of
processor time in all, from their corpus. A target that ends otherwise than by its time has found it. `make fuzz-programs` is
what it starts from. What no target links (grpc/channel, most of grpc/services) is in no layer: docs/testing.md says so.
"""

import argparse
import collections
import os
import random
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mutant

BUILD = os.environ.get("BUILD", "build")
HERE = os.path.dirname(os.path.abspath(__file__))
INTERRUPTED = 72  # libFuzzer's code for a signal such as SIGXCPU
LAYERS = {  # the sources, as make names them, and the targets that are asked
    "hpack": ("HPACK", ["hpack", "nghttp2", "huffman"]),
    "h2": ("H2", ["h2", "server", "client", "pair"]),
    "grpc": ("GRPC", ["server", "client", "pair", "text"]),
    "codec": ("CODEC", ["zlib", "flate"]),
    "pb": ("PB", ["pb", "service"]),
    "outbox": ("OUTBOX", ["outbox"]),
    "serial": ("SERIAL", ["serial"]),
}
CORPORA = {"nghttp2": "hpack", "h2": "conversations", "server": "conversations", "client": "conversations"}


def listed(name):
    return subprocess.run(["make", "-s", "--no-print-directory", f"print-{name}"], capture_output=True, text=True,
                          check=True).stdout.split()


def flags():
    return ["clang", "-std=c11", "-g", "-O1", *listed("SANITIZERS"), "-fsanitize=fuzzer-no-link", "-DMOTE_CHECK",
            "-DMOTE_RED_ZONES", "-w", "-Werror=incompatible-pointer-types", "-Werror=int-conversion"]


def compiled(folder, m):
    """The object of a mutant beside the file that it changes; None: it does not compile, or is the same."""
    objects = []
    for text in (m.old, m.text):
        out = os.path.join(folder, "planted.o")
        command = [*flags(), "-iquote", os.path.dirname(m.file), "-g0", "-x", "c", "-c", "-", "-o", out]
        done = subprocess.run(command, input=text, text=True, stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return None
        with open(out, "rb") as f:
            objects.append(f.read())
    return out if objects[0] != objects[1] else None


def linked(folder, m, obj, target):
    library = os.path.join(folder, "libmote.a")
    subprocess.run(["cp", f"{BUILD}/fuzz/libmote.a", library], check=True)
    member = os.path.basename(m.file)[:-2] + ".o"
    renamed = os.path.join(folder, member)
    os.replace(obj, renamed)
    subprocess.run(["ar", "rs", library, renamed], check=True, stderr=subprocess.DEVNULL)
    os.replace(renamed, obj)
    parts = [f"{BUILD}/fuzz/obj/{p[:-2]}.o" for p in listed(f"parts_fuzz_fuzz_{target}")]
    program = os.path.join(folder, "fuzz_" + target)
    subprocess.run(["clang++", *listed("SANITIZERS"), "-fsanitize=fuzzer", *parts, library, "-o", program,
                    *listed(f"libraries_fuzz_{target}")], check=True)
    return program


def finds(folder, program, target, cpu, seed):
    corpus = f"fuzz/corpus/{CORPORA.get(target, target)}"
    with tempfile.TemporaryDirectory(dir=folder) as new:
        done = subprocess.run([program, f"-seed={seed}", "-max_len=4096", "-timeout=10", f"-artifact_prefix={new}/", new, corpus],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5)))
    return done.returncode not in (0, INTERRUPTED, -24)


def judge(folder, m, obj, targets, arguments):
    for target in targets:
        program = linked(folder, m, obj, target)
        if finds(folder, program, target, max(1, arguments.cpu // len(targets)), arguments.seed):
            return target
    return None


def drawn(layer, arguments):
    """Mutants of a layer, without end, in the order of the seed."""
    known = mutant.equivalents(os.path.join(HERE, "equivalent.txt"))
    sources = [s for s in listed(LAYERS[layer][0]) if "small" not in s]
    all_of_them = [m for m in mutant.by_rule(sources, "all", arguments.seed) if m.key not in known and m.file in sources]
    random.Random(f"{arguments.seed} {layer}").shuffle(all_of_them)
    return all_of_them


def run_layer(layer, arguments, folder):
    found, taken = 0, 0
    for m in drawn(layer, arguments):
        if taken == arguments.each:
            break
        obj = compiled(folder, m)
        if not obj:
            continue
        taken += 1
        by = judge(folder, m, obj, LAYERS[layer][1], arguments)
        found += by is not None
        print(f"{layer}: {'found by fuzz_' + by if by else 'NOT FOUND'}: {m.where()}", flush=True)
    return found, taken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=6)
    parser.add_argument("--cpu", type=int, default=60)
    parser.add_argument("layers", nargs="*", default=list(LAYERS))
    arguments = parser.parse_args()
    results = collections.OrderedDict()
    with tempfile.TemporaryDirectory() as folder:
        for layer in arguments.layers:
            results[layer] = run_layer(layer, arguments, folder)
    for layer, (found, taken) in results.items():
        print(f"{layer}: {found} of {taken}")
    print(f"{sum(f for f, _ in results.values())} of {sum(t for _, t in results.values())} were found")


if __name__ == "__main__":
    main()
