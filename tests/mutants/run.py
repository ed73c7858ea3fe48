#!/usr/bin/env python3
"""Mutation testing: run.py [--seed N] [--count N] [--layer NAME] [--replay FILE] [--sample] [--tests PATTERN]

Each mutant is one small change of one line (rules.py). It is compiled in a copy of the sources, what is linked of it is
linked again, and the tests run with it until one fails: first those of its layer, then the others. The tests of the core
are the programs of `make unit`; those of tls/ and of the generator are beside them (images.py). A mutant that does not
compile, or whose objects are the same, is no mutant. See equivalent.txt for those that change the objects and still
nothing that can be seen; killed.txt has some that survived once, and --sample runs them too.
"""

import argparse
import collections
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import images
import mutant

TARGET = 0.95
UNLISTED = 0.08  # of mutants: those that change nothing and that nobody has looked at, so that they are not in equivalent.txt
HERE = os.path.dirname(os.path.abspath(__file__))


# ---- one mutant


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def start(test, folder, timeout):
    """The seconds that it takes to pass; None: it fails. TimeoutExpired: neither."""
    begin = time.monotonic()
    env = dict(os.environ, LD_LIBRARY_PATH=":".join(os.path.join(folder, i) for i in test.images), BUILD=folder)
    done = subprocess.run(test.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                          timeout=timeout, preexec_fn=limits, env=env)
    return time.monotonic() - begin if done.returncode == 0 else None


def fails(test, build):
    """Too long is ten times what the test takes without a mutant, on the machine as it is just now."""
    timeout = max(1.0, 10 * test.seconds)
    while True:
        try:
            return start(test, build.out, timeout) is None
        except subprocess.TimeoutExpired:
            alone = start(test, build.base, 300)
            if 10 * alone <= timeout:
                return True
            timeout = 20 * alone


def killer(build, tests, layer):
    """The test that notices, or None: those that are likely to notice soon are first."""
    def worth(t):
        return (t.kills[layer] + (3 if layer in t.layers else 0.3)) / (t.seconds + 0.02)

    for t in sorted(tests, key=worth, reverse=True):
        if fails(t, build):
            t.kills[layer] += 1
            return t
    return None


def judge(build, tests, m, known):
    """ "broken" and "same" are no mutants; the others are "killed", "survived" or "equivalent"."""
    state = build.mutate(m.file, m.text)
    try:
        if state != "changed":
            return state
        if killer(build, [t for t in tests if build.touches(t)], m.layer):
            return "killed"
        return "equivalent" if m.key in known else "survived"
    finally:
        build.undo(m.file)


# ---- all of them, on some cores


def work(number, tests, known, mutants, results):
    build = images.Worker(number)
    while True:
        at = mutants.get()
        if at is None:
            return
        results.put((at, judge(build, tests, ALL[at], known)))


def judge_all(mutants, count, tests, known, jobs, told):
    """[(mutant, result)] of those that are mutants, and what was left out."""
    global ALL
    ALL = mutants
    todo, done = multiprocessing.Queue(), multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(n, tests, known, todo, done)) for n in range(jobs)]
    for w in workers:
        w.start()
    results, skipped, sent, pending = [], collections.Counter(), 0, 0
    while True:
        while sent < len(mutants) and pending < jobs and len(results) + pending < count:
            todo.put(sent)
            sent, pending = sent + 1, pending + 1
        if pending == 0:
            break
        at, result = done.get()
        pending -= 1
        if result in ("broken", "same"):
            skipped[result] += 1
            continue
        results.append((mutants[at], result))
        if result == "survived":
            print(f"{len(results)}: {told} {mutants[at].where()}", flush=True)
    for _ in workers:
        todo.put(None)
    for w in workers:
        w.join()
    return results, skipped


# ---- the report


def table(results, column):
    rows = collections.defaultdict(collections.Counter)
    for m, result in results:
        rows[getattr(m, column)][result] += 1
        rows["all"][result] += 1
    lines = [f"{column:20} {'mutants':>8} {'killed':>8} {'survived':>8} {'equivalent':>10} {'rate':>7}"]
    for name, n in sorted(rows.items(), key=lambda r: (r[0] == "all", r[0])):
        judged = n["killed"] + n["survived"]
        rate = f"{100 * n['killed'] / judged:.1f}%" if judged else "-"
        lines.append(f"{name:20} {judged + n['equivalent']:8} {n['killed']:8} {n['survived']:8} "
                     f"{n['equivalent']:10} {rate:>7}")
    return "\n".join(lines)


def report(results, skipped, arguments):
    for kind in ("survived", "killed"):
        with open(os.path.join(images.OUT, kind + ".txt"), "w") as f:
            f.writelines(m.key + "\n" for m, r in results if r == kind)
    with open(os.path.join(images.OUT, "survivors.diff"), "w") as f:
        f.writelines(m.diff() + "\n" for m, r in results if r == "survived")
    text = f"{table(results, 'layer')}\n\n{table(results, 'operator')}\n\n"
    text += f"left out: {skipped['broken']} that do not compile, {skipped['same']} with the same objects\n"
    with open(os.path.join(images.OUT, "report.txt"), "w") as f:
        f.write(f"# run.py {' '.join(arguments)}\n{text}")
    print(text + f"survivors: {os.path.relpath(images.OUT)}/survivors.diff")


def sample(results, again):
    """What a run of CI says: its list is killed whole, and of the sample as much as the target, within three times its error (with
    twice, one commit in forty would fail by the draw alone); of those that were never looked at some change nothing."""
    n = collections.Counter(r for _, r in results)
    judged = n["killed"] + n["survived"]
    least = TARGET * (1 - UNLISTED) - 3 * (TARGET * (1 - TARGET) / judged) ** 0.5
    killed = sum(r == "killed" for _, r in again)
    failed = len(again) - killed
    print(f"killed.txt: {killed} of {len(again)} that survived once are noticed")
    if n["killed"] < least * judged:
        failed += 1
        print(f"FAIL of the sample {n['killed']} of {judged} are noticed, and {100 * least:.1f}% should be")
    print(f"{n['killed'] + killed} passed, {failed} failed")
    return failed == 0


def commit():
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    return int(done.stdout[:7], 16) if done.returncode == 0 else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, help="the commit, if there is none")
    parser.add_argument("--count", type=int, default=150, help="mutants that compile and differ; 0: all")
    parser.add_argument("--layer", default="core", help=", ".join(mutant.LAYERS) + ", a file or a folder, core or all")
    parser.add_argument("--replay", help="a file of mutants, one a line, instead of rules")
    parser.add_argument("--sample", action="store_true", help="as a step of CI: killed.txt as well, and an exit status")
    parser.add_argument("--tests", default="", help="those of a name alone: quicker, and never more than all would notice")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    os.nice(10)
    seed = commit() if arguments.seed is None else arguments.seed
    known = mutant.equivalents(os.path.join(HERE, "equivalent.txt"))
    base = images.Base()
    if arguments.replay:
        mutants = mutant.from_file(base.sources, arguments.replay)
    else:
        mutants = mutant.by_rule(base.sources, arguments.layer, seed)
    count = arguments.count if arguments.count and not arguments.replay else len(mutants)
    tests = images.tests(base, {m.layer for m in mutants}, arguments.tests)
    base.images = [i for i in base.images if any(i.name in t.images for t in tests)]
    for t in tests:
        t.seconds = start(t, base.out, 300)
        if t.seconds is None:
            sys.exit(f"mutants: error: {t.name} fails without a mutant")
    print(f"seed {seed}; {len(tests)} tests, {sum(t.seconds for t in tests):.1f} s", flush=True)
    again = []
    if arguments.sample:
        listed = mutant.from_file(base.sources, os.path.join(HERE, "killed.txt"))
        again, _ = judge_all(listed, len(listed), tests, known, arguments.jobs, "FAIL is not noticed any more:")
    results, skipped = judge_all(mutants, count, tests, known, arguments.jobs, "survivor")
    report(results, skipped, sys.argv[1:])
    return 0 if not arguments.sample or sample(results, again) else 1


sys.exit(main())
