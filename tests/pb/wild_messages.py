"""The messages of schemas that wild.py has made: defaults, and random messages beside Python's protobuf."""
import os
import re
import struct
import subprocess

from google.protobuf import descriptor_pool, message_factory

import beside_python

W = None  # where the library is compiled, once
STRICT = "-std=c11 -Wall -Wextra -Wconversion -Wpedantic -Wshadow -Werror".split()
FORMS = {"double": ("double", "<d"), "float": ("float", "<f"), "bool": ("bool", "<?")}
for bits in (32, 64):
    for sign in ("int", "sint", "sfixed"):
        FORMS["%s%d" % (sign, bits)] = ("int%d_t" % bits, "<i" if bits == 32 else "<q")
    for sign in ("uint", "fixed"):
        FORMS["%s%d" % (sign, bits)] = ("uint%d_t" % bits, "<I" if bits == 32 else "<Q")
NAMES = dict(enumerate("""- double float int64 uint64 int32 fixed64 fixed32 bool string group message bytes uint32 enum sfixed32 sfixed64
    sint32 sint64""".split()))


def library():
    archive = os.path.join(W, "pb.a")
    if not os.path.exists(archive):
        sources = subprocess.run(["make", "-s", "--no-print-directory", "print-PB"], capture_output=True, text=True).stdout.split()
        objects = [os.path.join(W, os.path.basename(s) + ".o") for s in sources]
        for s, o in zip(sources, objects):
            subprocess.run(["gcc", "-O1", "-g", "-fsanitize=address,undefined", "-std=c11", "-I.", "-c", s, "-o", o], check=True)
        subprocess.run(["ar", "rcs", archive, *objects], check=True)
    return archive


def getter(pool, d):
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(d)
    return message_factory.MessageFactory(pool).GetPrototype(d)


def default_bytes(field):
    v = field.default_value
    if NAMES[field.type] in ("string", "bytes"):
        return v.encode() if isinstance(v, str) else v
    return struct.pack("<i" if NAMES[field.type] == "enum" else FORMS[NAMES[field.type]][1], v)


def same_default(field, got):
    wanted = default_bytes(field)
    if NAMES[field.type] in ("float", "double") and field.default_value != field.default_value:
        value = struct.unpack(FORMS[NAMES[field.type]][1], got)[0]
        return value != value
    return got == wanted


def defaults_of(rows, out):
    """Fields that have a default, and the macros for them."""
    found = []
    for base, d, c in rows:
        header = open(os.path.join(out, base + ".mote.h")).read()
        block = header.split("extern const mote_pb_message %s_layout;" % c, 1)[1].split("extern const mote_pb_encoder", 1)[0]
        macros = re.findall(r"#define (\w+_DEFAULT_*) ", block)
        fields = sorted((f for f in d.fields if f.has_default_value), key=lambda f: f.index)
        if len(macros) != len(fields):
            return "%s has %d defaults, and %d macros" % (d.full_name, len(fields), len(macros))
        found += zip(fields, macros)
    return found


def check_defaults(rows, out, flags):
    """Each macro is a constant of its type, in C and C++, and the value is Python's."""
    found = defaults_of(rows, out)
    if isinstance(found, str) or not found:
        return found or None
    source = ["#include <stdio.h>\n#include <string.h>\n"] + ['#include "%s.mote.h"\n' % b for b in sorted({b for b, _, _ in rows})]
    body = []
    for i, (f, macro) in enumerate(found):
        if NAMES[f.type] in ("string", "bytes"):
            source.append("static const char wild_%d[] = %s;\n" % (i, macro))
            body.append("    wild_put(wild_%d, sizeof wild_%d - 1);\n" % (i, i))
        else:
            source.append("static const %s wild_%d = %s;\n" % ("int32_t" if NAMES[f.type] == "enum" else FORMS[NAMES[f.type]][0], i, macro))
            body.append("    wild_put(&wild_%d, sizeof wild_%d);\n" % (i, i))
    source.append("static void wild_put(const void *wild_at, size_t wild_n)\n{\n    const unsigned char *wild_p = (const unsigned char *)wild_at;\n"
                  '    for (size_t wild_k = 0; wild_k < wild_n; wild_k++)\n        printf("%02x", wild_p[wild_k]);\n    printf("\\n");\n}\n')
    source.append("int main(void)\n{\n%s    return 0;\n}\n" % "".join(body))
    path = os.path.join(out, "defaults.c")
    open(path, "w").write("".join(source))
    for cc, more in (("gcc", STRICT), ("clang", STRICT), ("g++", ["-std=c++17", "-x", "c++", "-Wall", "-Wextra", "-Werror"])):
        r = subprocess.run([cc, *more, *flags, path, "-o", path + ".run"], capture_output=True, text=True)
        if r.returncode:
            return "defaults: %s: %s" % (cc, r.stderr[:1500])
        lines = subprocess.run([path + ".run"], capture_output=True, text=True).stdout.split("\n")
        for (f, macro), line in zip(found, lines):
            if not same_default(f, bytes.fromhex(line)):
                return "%s: the default %r of %s is %s" % (cc, f.default_value, macro, line)
    return None


def check(rng, folder, described, generate, out):
    """What is wrong, or None."""
    error = generate("names,keep_unknown" + rng.choice(["", ",sizes"]))
    if error:
        return error
    pool, rows = descriptor_pool.DescriptorPool(), []
    try:
        for f in described.file:
            pool.Add(f)
    except TypeError:  # protoc takes defaults beyond the range of their type that Python's protobuf does not
        return None
    for f in described.file:
        base = f.name[:-6]
        known = beside_python.c_names(out, base)
        rows += [(base, d, known[d.full_name]) for d in beside_python.types_of(pool, f.name)]
    flags = ["-I.", "-I" + out]
    error = check_defaults(rows, out, flags)
    if error:
        return error
    beside_python.write_types(out, sorted({b for b, _, _ in rows}), [c for _, _, c in rows])
    driver = os.path.join(out, "driver")
    units = [os.path.join(out, f.name[:-6] + ".mote.c") for f in described.file]
    r = subprocess.run(["gcc", "-O0", "-std=c11", "-fsanitize=address,undefined", *flags, "tests/pb/corpus.c", *units, library(),
                        "-o", driver], capture_output=True, text=True)
    if r.returncode:
        return r.stderr[:1500]
    driver = beside_python.Driver(driver)
    problem = None
    for kind, (_, d, _) in enumerate(rows):
        for _ in range(4):
            problem = problem or beside_python.try_type(rng, driver, kind, getter(pool, d))
    driver.process.stdin.close()
    return problem or ("status %d of the program" % driver.process.returncode if driver.process.wait() else None)
