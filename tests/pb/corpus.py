"""Public .proto files by the thousand through protoc-gen-mote: `make corpus` takes a seeded tenth of the files, ALL=1 all.

Each family comes by its package manager into build/corpus. All files generate, alone and together to the same bytes; all
of it is C11 for gcc and clang and C++17 without a warning; and random messages of at least TYPES types survive decode and
encode with equality to Python's protobuf, broken ones with the same verdict. REFUSED lists the files that are refused."""
import functools
import os
import random
import re
import shutil
import subprocess
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.compiler import plugin_pb2

from beside_python import Driver, c_names, try_type, types_of, write_types

BUILD = os.environ.get("BUILD", "build")
W = os.path.abspath(os.path.join(BUILD, "corpus"))
PLUGIN = os.path.join(W, "protoc-gen-mote")  # a copy, so that a build beside this one does not change it
ROOT = os.getcwd()
ALL = os.environ.get("ALL") == "1"
FILES, TYPES, BATCH = 4000, 2000, 40
CRATES = {"envoy-types": "0.7.7", "containerd-client": "0.9.0", "opentelemetry-proto": "0.33.1", "etcd-client": "0.21.1",
          "k8s-cri": "0.11.0", "osmpbf": "0.3.8", "tonic-reflection": "0.14.9", "tonic-health": "0.14.9", "pulsar": "6.9.1",
          "protobuf-parse": "3.7.2"}
NPM = {"google-proto-files": "5.0.3", "protobufjs": "8.8.1"}
# Folders that imports begin at, and what is left out: files of another family, and those that protoc itself refuses.
FAMILIES = {
    "google-proto-files": (["package"], "^google/protobuf/"),
    "protobufjs": (["package"], "descriptor|plugin|json_enumvalue"),
    "envoy-types": (["proto/data-plane-api", "proto/xds", "proto/protoc-gen-validate", "proto/googleapis",
                     "proto/opencensus-proto/src", "proto/opentelemetry-proto", "proto/client_model",
                     "proto/cel-spec/proto"], "^google/"),
    "containerd-client": (["vendor"], "^google/|/vendor/"),
    "opentelemetry-proto": (["src/proto/opentelemetry-proto"], None),
    "etcd-client": (["proto"], "^google/"),
    "k8s-cri": (["proto"], None),
    "osmpbf": (["src/proto"], None),
    "tonic-reflection": (["proto"], None),
    "tonic-health": (["proto"], None),
    "pulsar": (["."], None),
    "protobuf-parse": (["src/proto"], None),
}
# Files that are refused, each with what the error says: the rules are in docs/protobuf.md. There are none.
REFUSED = {}
C = "-std=c11 -Wall -Wextra -Wconversion -Wpedantic -Werror -fsyntax-only".split()
CPP = "-std=c++17 -Wall -Wextra -Wno-missing-field-initializers -Werror -fsyntax-only -x c++".split()

passed = failed = 0


def check(name, problem):
    global passed, failed
    if problem:
        failed += 1
        print("FAIL %s: %s" % (name, problem[:3000]))
    else:
        passed += 1
    sys.stdout.flush()


# ---- fetching -------------------------------------------------------------------------------------------------------------


def fetch_npm(name, version):
    folder = os.path.join(W, "src", name)
    if not os.path.isdir(folder):
        tar = subprocess.run(["npm", "pack", "--silent", "%s@%s" % (name, version)], cwd=W, check=True, capture_output=True,
                             text=True).stdout.strip().splitlines()[-1]
        os.makedirs(folder + ".part", exist_ok=True)
        subprocess.run(["tar", "xzf", os.path.join(W, tar), "-C", folder + ".part"], check=True)
        os.rename(folder + ".part", folder)
    return folder


def fetch_crates():
    """Cargo takes them as the dependencies of a package that has nothing else."""
    package, home = os.path.join(W, "crates"), os.path.join(W, "cargo")
    if not os.path.exists(os.path.join(package, "ready")):
        os.makedirs(os.path.join(package, "src"), exist_ok=True)
        open(os.path.join(package, "src", "lib.rs"), "w").close()
        with open(os.path.join(package, "Cargo.toml"), "w") as f:
            f.write('[package]\nname = "corpus"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n')
            f.writelines('%s = { version = "=%s", default-features = false }\n' % c for c in CRATES.items())
        subprocess.run(["cargo", "fetch", "--quiet"], cwd=package, check=True, env={**os.environ, "CARGO_HOME": home})
        open(os.path.join(package, "ready"), "w").close()
    sources = os.path.join(home, "registry", "src")
    sources = os.path.join(sources, os.listdir(sources)[0])
    return {name: os.path.join(sources, "%s-%s" % c) for c in CRATES.items() for name in [c[0]]}


def proto_files(folder, roots, left_out):
    found = {}
    for root in roots:
        for d, _, names in os.walk(os.path.join(folder, root)):
            for n in names:
                name = os.path.relpath(os.path.join(d, n), os.path.join(folder, root))
                if n.endswith(".proto") and not (left_out and re.search(left_out, name)):
                    found.setdefault(name, os.path.join(d, n))
    return sorted(found)


# ---- a family -------------------------------------------------------------------------------------------------------------


def describe(name, folder, roots, files):
    """What protoc makes of the files and their imports; files that it cannot read are none of the corpus."""
    out = os.path.join(W, name + ".set")
    while files:
        with open(os.path.join(W, name + ".args"), "w") as f:
            f.write("\n".join(files))
        r = subprocess.run(["protoc", *["-I" + os.path.join(folder, root) for root in roots], "-I/usr/include",
                            "--include_imports", "--include_source_info", "--descriptor_set_out=" + out,
                            "@" + os.path.join(W, name + ".args")], capture_output=True, text=True)
        if r.returncode == 0:
            break
        errors = [line for line in r.stderr.splitlines() if "warning:" not in line and ".proto" in line]
        bad = {m[0] for m in (re.match(r"[^:\s]+\.proto", line) for line in errors) if m} & set(files)
        if not bad:
            print("  protoc cannot read %s: %s" % (name, r.stderr[-500:]))
            return [], []
        print("  protoc does not read %s: %s" % (", ".join(sorted(bad))[:100], errors[0][:150]))
        files = [f for f in files if f not in bad]
    described = descriptor_pb2.FileDescriptorSet.FromString(open(out, "rb").read())
    return list(described.file), files


def closure(by_name, names):
    todo, seen = list(names), set()
    while todo:
        n = todo.pop()
        if n not in seen:
            seen.add(n)
            todo.extend(by_name[n].dependency)
    return seen


def ask(by_name, wanted, order):
    """What the plugin answers: {name: content}, or its error."""
    needed = closure(by_name, wanted)
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=wanted, parameter="runtime=,names,keep_unknown,sizes",
                                              proto_file=[by_name[n] for n in order if n in needed])
    r = subprocess.run([PLUGIN], input=request.SerializeToString(), capture_output=True)
    response = plugin_pb2.CodeGeneratorResponse.FromString(r.stdout)
    if r.returncode or response.error:
        return response.error or "status %d" % r.returncode
    return {f.name: f.content for f in response.file}


def compile_in_batches(name, out, bases):
    """Many files in one translation unit: no name of one is a name of another."""
    jobs, problem = [], None
    for i in range(0, len(bases), BATCH):
        for suffix, flags, compilers in ((".c", C, ["gcc", "clang"]), (".h", CPP, ["g++"])):
            unit = os.path.join(out, "batch%d%s" % (i, suffix + ("pp" if suffix == ".h" else "")))
            with open(unit, "w") as f:
                f.writelines('#include "%s.mote%s"\n' % (b, suffix) for b in bases[i:i + BATCH])
            jobs += [[cc, *flags, "-I" + ROOT, "-I" + out, unit] for cc in compilers if shutil.which(cc)]
    running = []
    for job in jobs + [None, None]:
        if len(running) == 2 or job is None:
            p = running.pop(0) if running else None
            error = p.communicate()[1] if p else ""
            problem = problem or (error if p and p.returncode else None)
        if job:
            running.append(subprocess.Popen(job, stderr=subprocess.PIPE, text=True))
    return problem


def run_family(name, folder, rng):
    """Its files that were taken, and their descriptors."""
    roots, left_out = FAMILIES[name]
    files = proto_files(folder, roots, left_out)
    described, files = describe(name, folder, roots, files)
    by_name = {f.name: f for f in described}
    taken = [f for f in files if f not in REFUSED]
    if not ALL:
        taken = sorted(rng.sample(taken, (len(taken) + 9) // 10))
    for f in (f for f in files if f in REFUSED):
        check(f + " is refused", None if re.search(REFUSED[f], str(ask(by_name, [f], list(by_name)))) else "it is not")
    everything = sorted(closure(by_name, taken))
    order = list(by_name)
    together = ask(by_name, everything, order)
    if isinstance(together, str):
        check("%s generates" % name, together)
        return len(files), [], by_name
    check("%s generates" % name, None)
    different = []
    for f in taken:
        rng.shuffle(order)
        alone = ask(by_name, [f], order)
        if isinstance(alone, str) or any(together[n] != content for n, content in alone.items()):
            different.append(f)
    check("%s: the same alone and together" % name, ", ".join(different))
    out = os.path.join(W, "gen", name)
    shutil.rmtree(out, ignore_errors=True)
    for n, content in together.items():
        os.makedirs(os.path.dirname(os.path.join(out, n)), exist_ok=True)
        with open(os.path.join(out, n), "w") as f:
            f.write(content)
    check("%s compiles" % name, compile_in_batches(name, out, [f[:-6] for f in taken]))
    print("  %s: %d files, %d taken, %d generated" % (name, len(files), len(taken), len(everything)))
    return len(files), taken, by_name


# ---- messages -------------------------------------------------------------------------------------------------------


def build_all(jobs):
    """Runs compilers, two at a time."""
    running = []
    for job in jobs:
        running.append(subprocess.Popen(job))
        if len(running) == 2:
            running.pop(0).wait()
    for p in running:
        p.wait()


SANITIZED = ["gcc", "-O1", "-g", "-fsanitize=address,undefined", "-std=c11", "-I" + ROOT]


@functools.lru_cache(maxsize=None)
def runtime():
    """The objects of the runtime and of what all drivers have, which the first family builds."""
    out = os.path.join(W, "runtime")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    sources = subprocess.run(["make", "-s", "--no-print-directory", "print-PB"], capture_output=True, text=True).stdout.split()
    objects = {s: os.path.join(out, s.replace("/", "_")[:-2] + ".o") for s in sources}
    build_all([*SANITIZED, "-c", s, "-o", o] for s, o in objects.items())
    return list(objects.values())


def build_driver(name, rows, by_name):
    """A program with the types of a family."""
    out = os.path.join(W, "gen", name)
    files = sorted({f for f, _, _ in rows})
    needed = sorted(closure(by_name, files))
    write_types(out, [f[:-6] for f in files], [c for _, _, c in rows])
    objects, jobs = [], []
    for i in range(0, len(needed), BATCH):
        unit = os.path.join(out, "link%d.c" % i)
        with open(unit, "w") as f:
            f.writelines('#include "%s.mote.c"\n' % b[:-6] for b in needed[i:i + BATCH])
        objects.append(unit + ".o")
        jobs.append(["gcc", "-O0", "-std=c11", "-I" + ROOT, "-I" + out, "-c", unit, "-o", unit + ".o"])
    build_all(jobs)
    driver = os.path.join(out, "driver")
    subprocess.run([*SANITIZED, "-I" + out, "tests/pb/corpus.c", *runtime(), *objects, "-o", driver], check=True)
    return driver


def run_messages(name, taken, by_name, rng):
    """How many types were tried."""
    pool = descriptor_pool.DescriptorPool()
    for f in by_name.values():  # imports come first
        pool.Add(f)
    rows = []
    for f in taken:
        known = c_names(os.path.join(W, "gen", name), f[:-6])
        rows += [(f, d, known[d.full_name]) for d in types_of(pool, f)]
    if not rows:
        return 0
    rows = sorted(rng.sample(rows, min(len(rows), 3 * TYPES)), key=lambda row: row[1].full_name)
    driver = Driver(build_driver(name, rows, by_name))
    factory = message_factory.MessageFactory(pool)
    problems = []
    for kind, (_, d, _) in enumerate(rows):
        problem = try_type(rng, driver, kind, factory.GetPrototype(d))
        if problem:
            problems.append(problem)
    driver.process.stdin.close()
    check("%s: messages" % name, "%d of %d types: %s" % (len(problems), len(rows), problems[0]) if problems else None)
    check("%s: no sanitizer stopped it" % name, None if driver.process.wait() == 0 else "status %d" % driver.process.returncode)
    return len(rows)


def main():
    rng = random.Random(int(os.environ.get("SEED", "1")))
    os.makedirs(W, exist_ok=True)
    shutil.copy(os.path.join(BUILD, "protoc-gen-mote"), PLUGIN)
    folders = {name: fetch_npm(name, version) for name, version in NPM.items()}
    folders.update(fetch_crates())
    files = types = 0
    for name in FAMILIES:
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        count, taken, by_name = run_family(name, folders[name], rng)
        files += count
        types += run_messages(name, taken, by_name, rng)
    if len(sys.argv) == 1:
        check("files", None if files >= FILES else "%d, and %d are wanted" % (files, FILES))
        check("types", None if types >= TYPES else "%d, and %d are wanted" % (types, TYPES))
        check("families", None if len(FAMILIES) >= 8 else "%d" % len(FAMILIES))
    print("%d files, %d types of messages" % (files, types))
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


sys.exit(main())
