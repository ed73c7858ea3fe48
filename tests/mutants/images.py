"""What is linked of the sources, and the tests that run with it."""

import collections
import os
import re
import shutil
import subprocess
import sys

ROOT = os.getcwd()
CC = os.environ.get("CC", "cc")
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
OUT = os.path.join(BUILD, "mutants")
FLAGS = ["-std=c11", "-O1", "-fPIC", "-DMOTE_CHECK", "-Werror=int-conversion",
         "-Werror=incompatible-pointer-types", "-Werror=implicit-function-declaration"]
MBEDTLS = ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"]
FOLDERS = ("hpack", "h2", "grpc", "pb", "tls", "port")


def ask(variable):
    return subprocess.check_output(["make", "-s", "--no-print-directory", f"print-{variable}"], text=True).split()


def shell(command, cwd=ROOT):
    return subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


# ---- images


class Image:
    """A library or a program: the core, the small hpack, TLS, and the generator."""

    def __init__(self, name, file, sources, link, flags=()):
        self.name, self.file, self.sources, self.link, self.flags = name, file, sources, link, flags
        self.keys = [(s, *flags) for s in sources]  # of objects


def all_images():
    core = ask("CORE") + ask("POSIX") + ask("LINES")
    shared = ["-shared", "-Wl,-Bsymbolic"]
    found = [Image("lib", "lib/libmote.so", core, shared),
             Image("small", "small/libmote.so", ask("HPACK"), shared, ["-DMOTE_HPACK_SMALL"]),
             Image("plugin", "protoc-gen-mote", ask("PLUGIN") + ask("PB"), [])]
    if ask("WITH_TLS") == ["1"]:
        found.append(Image("tls", "tls/libmote-tls.so", ask("TLS_FILES") + ["port/posix/tls.c"], shared + MBEDTLS))
    return found


class Base:
    """The sources without a mutant, and what is built of them."""

    def __init__(self):
        self.out = os.path.join(OUT, "base")
        self.tree = os.path.join(self.out, "tree")
        shutil.rmtree(OUT, ignore_errors=True)
        for folder in FOLDERS:
            shutil.copytree(folder, os.path.join(self.tree, folder))
        self.images = all_images()
        self.sources = sorted({s for i in self.images for s in i.sources})
        self.objects, self.needs = {}, {}
        for image in self.images:
            for key in image.keys:
                if key not in self.objects:
                    self.objects[key] = self.first(key)
        for image in self.images:
            if not link(image, lambda key: self.path(self.out, key), self.out):
                sys.exit(f"mutants: error: {image.name} does not link")
        self.symbols = {key: symbols(self.path(self.out, key)) for key in self.objects}
        Base.one = self

    def reached(self, program, images):
        """The objects that a program would link of archives: no mutant of another one can matter to it."""
        names, found = set().union(*symbols(program, "-D")), set()
        by_name = {n: key for i in self.images if i.name in images for key in i.keys for n in self.symbols[key][0]}
        while names:
            key = by_name.get(names.pop())
            if key and key not in found:
                found.add(key)
                names |= self.symbols[key][1]
        return found

    def first(self, key):
        data = compile_one(key, self.tree, self.out)
        if data is None:
            sys.exit(f"mutants: error: {key[0]} does not compile")
        with open(self.path(self.out, key), "wb") as f:
            f.write(data)
        deps = open(os.path.join(self.out, "deps")).read().replace("\\\n", " ").split()[1:]
        self.needs.setdefault(key[0], {os.path.normpath(d) for d in deps})
        return data

    @staticmethod
    def path(out, key):
        return os.path.join(out, key[0].replace("/", "_")[:-2] + "".join(key[1:]) + ".o")


def compile_one(key, tree, out):
    """The object of (source, flags...), or None."""
    deps = ["-MMD", "-MF", os.path.join(out, "deps")]
    if not shell([CC, *FLAGS, *key[1:], *deps, "-c", key[0], "-o", os.path.join(out, "one.o")], tree):
        return None
    with open(os.path.join(out, "one.o"), "rb") as f:
        return f.read()


def link(image, path, out):
    target = os.path.join(out, image.file)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    objects = [path(key) for key in image.keys]
    libraries = [o for o in image.link if o.startswith("-l")]
    options = [o for o in image.link if not o.startswith("-l")]
    return shell([CC, *options, *objects, *libraries, "-o", target])


def symbols(file, *options):
    """What it defines, and what it wants."""
    lines = [line.split() for line in subprocess.check_output(["nm", "-Pg", *options, file], text=True).splitlines()]
    return {x[0] for x in lines if x[1] != "U"}, {x[0] for x in lines if x[1] == "U"}


class Worker:
    """One core's mutant: its sources and what is built anew of them; the rest is that of the base."""

    def __init__(self, number):
        self.out = os.path.join(OUT, f"worker{number}")
        self.base = Base.one.out
        self.tree = os.path.join(self.out, "tree")
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.copytree(Base.one.tree, self.tree)
        self.changed, self.touched = set(), []
        for image in Base.one.images:
            self.restore(image)

    def restore(self, image):
        target = os.path.join(self.out, image.file)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.lexists(target):
            os.remove(target)
        os.symlink(os.path.join(self.base, image.file), target)

    def path(self, key):
        return Base.path(self.out if key in self.changed else self.base, key)

    def mutate(self, file, text):
        """What becomes of the objects: "broken", "same" or "changed"; then undo() must follow."""
        with open(os.path.join(self.tree, file), "w") as f:
            f.write(text)
        for key in dict.fromkeys(k for i in Base.one.images for k in i.keys):
            if file not in Base.one.needs[key[0]]:
                continue
            data = compile_one(key, self.tree, self.out)
            if data is None:
                return "broken"
            if data != Base.one.objects[key]:
                self.changed.add(key)
                with open(self.path(key), "wb") as f:
                    f.write(data)
        if not self.changed:
            return "same"
        self.touched = [i for i in Base.one.images if self.changed.intersection(i.keys)]
        return "changed" if all(self.relink(i) for i in self.touched) else "broken"

    def touches(self, test):
        return any(i.name in test.images for i in self.touched) and not self.changed.isdisjoint(test.reaches)

    def relink(self, image):
        os.remove(os.path.join(self.out, image.file))
        return link(image, self.path, self.out)

    def undo(self, file):
        shutil.copyfile(file, os.path.join(self.tree, file))
        for image in self.touched:
            self.restore(image)
        self.changed, self.touched = set(), []


# ---- the tests


class Test:
    def __init__(self, name, images, command):
        self.name, self.images, self.command = name, images, command
        self.reaches = Base.one.reached(command[0], images)
        self.kills, self.seconds = collections.Counter(), 0
        grpc = "grpc" if re.search("grpc|services|life|channel|codec|flate|outbox|lobby|sensor|spool|server|client", name) else None
        self.layers = [x for x in ("hpack", "h2", "pb") if re.search(x.replace("pb", "pb|json"), name)] + [grpc]
        self.layers += [x for x in ("tls", "pb/plugin") if x in images or x[3:] in images]
        self.layers += [x for x in ("port/posix", "port/serial", "port/serial/modem") if os.path.basename(x) in name]


def link_test(base, program, image):
    tls = ["-L" + os.path.join(base.out, "tls"), "-lmote-tls", *MBEDTLS] if image.name == "tls" else []
    core = "small" if image.name == "small" else "lib"
    own = [s for s in ask(f"parts_{program}") or [f"tests/unit/{program}.c"] if s not in base.sources]
    out = os.path.join(base.out, f"{program}_{image.name}")
    if not shell([CC, "-std=c11", "-O1", "-fPIC", "-w", "-DMOTE_CHECK", "-I.", "-Itests/json", *image.flags, *own, *tls,
                  "-L" + os.path.join(base.out, core), "-lmote", "-o", out]):
        sys.exit(f"mutants: error: {program} does not build")
    return out


def files(folder, end=""):
    return [os.path.join(folder, f) for f in sorted(os.listdir(folder)) if f.endswith(end)]


def of_program(program, image, path):
    if program == "replay":
        return [Test(os.path.basename(f), [image.name], [path, f]) for f in files("tests/golden", ".in")]
    if program == "wire":
        return [Test(os.path.basename(f), [image.name], [path, f]) for f in files("tests/golden/wire")]
    if program == "attack_local":
        return [Test(program, [image.name], [path, "--no-cpu"])]
    if program.startswith("fuzz_"):
        corpus = program[5:] if program[5:] not in ("server", "client", "h2") else "conversations"
        return [Test(program, [image.name], [path, "fuzz/corpus/" + corpus])]
    return [Test(program, [image.name], [path])]


def of_tls(base, image):
    """As tests/tls.sh runs them, with certificates made on the spot."""
    folder = os.path.join(base.out, "certificates")
    os.makedirs(folder)
    script = os.path.join(ROOT, "tests/certificates.sh")
    if not shell(["bash", "-c", f". '{script}' && all_certificates"], folder):
        sys.exit("mutants: error: no certificates")
    programs = sorted(f[:-2] for f in os.listdir("tests/unit") if re.fullmatch(r"test_tls.*\.c", f))
    return [Test(p, ["lib", "tls"], [link_test(base, p, image), folder]) for p in programs]


def tests(base, layers, pattern):
    """The programs of `make unit`, as tests/unit.sh runs them, and those of TLS and of the generator where they are asked for; no
    others than those with such a name are built, but for the two whose tests are called as their files are."""
    small = [os.path.basename(p) for p in ask("PROGRAMS_unit-hpack-small")]
    image = {i.name: i for i in base.images}
    found = []
    in_process = [p for p in ask("IN_PROCESS") if p not in ("test_docs", "test_lwip", "test_freertos", "test_resident")]  # of documents, of ports, and of gigabytes of addresses
    for name, programs in (("lib", in_process), ("small", small)):
        for p in [p for p in programs if re.search(pattern, p) or p in ("replay", "wire")]:
            found += of_program(p, image[name], link_test(base, p, image[name]))
    if "tls" in image and layers & {"tls", "port/posix"}:
        found += of_tls(base, image["tls"])
    return [t for t in found if re.search(pattern, t.name)]
