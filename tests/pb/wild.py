"""Schemas that are composed at random of what is odd: names, comments, defaults, numbers, labels, imports, editions. What
protoc takes, the plugin takes too: C11 for gcc and clang and C++17 without a warning, the same in any order of the files;
its defaults are those of Python's protobuf, and random messages come back as Python has them, whole and broken.
Usage: wild.py PLUGIN FOLDER FIRST COUNT [PROTOC]: with a protoc that knows editions, these too (and PYTHONPATH has a
protobuf of that version). Each seed is one set of files."""
import os
import random
import re
import shutil
import subprocess
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wild_messages  # noqa: E402

PLUGIN, W = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
FIRST, COUNT = int(sys.argv[3]), int(sys.argv[4])
PROTOC = sys.argv[5] if len(sys.argv) > 5 else "protoc"
EDITIONS = len(sys.argv) > 5
ROOT = os.getcwd()
C = "-std=c11 -Wall -Wextra -Wconversion -Wpedantic -Wshadow -Werror".split()
CPP = "-std=c++17 -Wall -Wextra -Wno-missing-field-initializers -Werror".split()

WORDS = """void NULL EOF typeof co_await size_t class int register operator this new template errno stdin assert bool true
    I complex signed unix linux INT_MAX offsetof memcpy main printf table size encode decode fields subs names layout encoder
    decoder which is items count has value empty a b m to from in out cap len arena call w type message status walk stack name
    data large NUMBER DEFAULT DEPTH MAX_SIZE METHODS SERVICE set get start path offer take send finish recv read write answer
    request response put equal copy closed values parse unknown _x __x _X x_ x__ X mote_pb_string MOTE_PB_EACH mote_status
    string bytes float double int32_t group optional repeated oneof map reserved extensions syntax Message Enum i j k""".split()
STEMS = ["A", "B", "Ab", "A_b", "foo", "Foo", "foo_bar", "fooBar", "E", "M"]
ENDS = """_start _size _encode _decode _table _fields _subs _layout _names _name _parse _closed _values _DEPTH _MAX_SIZE _NUMBER
    _DEFAULT _set _get _put _equal _copy _path _request _large _METHODS _SERVICE _count _which has_ _ __ _field_names""".split()
TEXTS = ["*/ #error \\", "/* /* */ */", "??/", "\\", "a\\\\\n// b", "\u00e9\u20ac \u202e x", "\ufeff", "//", "/*", "\t\x0b\x0c",
         "@param *\\/ ??)", "#define X", '"', "'", "*" * 80, "%s %n %d", "\x01\x7f", "R\"(x)\"", "\\u0041 \\U00000041"]
NUMBERS = [1, 2, 15, 16, 127, 128, 2047, 2048, 18999, 20000, 65535, 65536, 262143, 1 << 28, (1 << 29) - 1]
SCALARS = """double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string bytes""".split()
KEYS = [s for s in SCALARS if s not in ("double", "float", "bytes")]
DEFAULTS = {
    "double": "1e308 1e400 -1e400 5e-324 1e-400 inf -inf nan -nan -0 0 1 0.1 1e22 123456789012345678901234567890".split(),
    "float": "1e40 -1e40 3.4028235e38 3.4028236e38 1e-46 1e-45 inf -inf nan -nan -0 16777217 0.1 1e10".split(),
    "int32": ["-2147483648", "2147483647", "0", "-1", "0x7f", "017"],
    "int64": ["-9223372036854775808", "9223372036854775807", "-0x10"],
    "uint32": ["4294967295", "0xffffffff"], "uint64": ["18446744073709551615", "0", "01"], "bool": ["true", "false"],
    "string": [r'""', r'"\u00e9"', '"' + "x" * 4000 + '"',
               r'"\"??/\\\n"', r"'\'\"'", r'"a" "b"', r'"\x01\000\177"', '"\u00e9\U0001f600"', r'"%s"', r'"??="'],
    "bytes": [r'""', r'"\000\001\377"', r'"\"\\??/"', r'"\x411"', r'"\0011"', r'"\?\?="', r'"\xff" "f"',
              '"' + r"\000" * 1000 + '"'],
}
for bits in ("32", "64"):
    DEFAULTS["sint" + bits] = DEFAULTS["sfixed" + bits] = DEFAULTS["int" + bits]
    DEFAULTS["fixed" + bits] = DEFAULTS["uint" + bits]


# What protoc takes for a beginning of something else, in one place or another.
KEPT = set(SCALARS) | set("""inf nan true false option message enum extend extensions reserved oneof group optional required
    repeated map rpc returns stream service import package syntax edition local export""".split())


class Schema:
    """The files of one seed. What protoc would refuse is mostly avoided; what it still refuses is made again."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.files, self.types, self.enums = {}, [], []  # (full name, file), in files that came before
        self.public, self.scopes, self.extended, self.extensions = {}, {}, [], set()
        self.made = 0
        for i in range(self.rng.choice([1, 2, 3, 4])):
            self.add_file(i)

    def pick(self, *rows):
        return self.rng.choice(rows)

    def chance(self, p):
        return self.rng.random() < p

    def comment(self):
        if not self.chance(0.25):
            return ""
        text = self.pick(*TEXTS)
        if not text.isprintable():
            text = text.replace("\x01", " ")
        if self.chance(0.5):
            return "".join("//%s%s\n" % (self.pick("", "/", " "), line) for line in text.split("\n"))
        text = text.replace("*/", "* /").replace("/*", "/ *")  # protoc takes neither in a comment of this kind
        return "/* %s */\n" % text if self.chance(0.7) else "/** %s\n * %s **/\n" % (text, text)

    def name(self, scope):
        """One that is new in the scope: by its JSON name too."""
        for _ in range(200):
            self.made += 1
            name = self.pick(self.pick(*WORDS), self.pick(*STEMS), self.pick(*STEMS) + self.pick(*ENDS),
                             self.pick(*WORDS) + self.pick(*ENDS), "%s%d" % (self.pick(*STEMS), self.made))
            if self.chance(0.01):
                name = name + "_" + self.pick("x", "Y1", "z_") * self.pick(30, 100, 500)
            key = re.sub("_", "", name).lower()
            if key and not key[0].isdigit() and key not in scope and re.match(r"[A-Za-z_]\w*$", name) and name not in KEPT:
                scope.add(key)
                return name
        self.made += 1
        return "n%d" % self.made

    # ---- features of editions ----

    def features(self, at, extra=()):
        """Options of an element, in an order; only with editions."""
        rows = {"file": ["field_presence = IMPLICIT", "enum_type = CLOSED", "repeated_field_encoding = EXPANDED",
                         "message_encoding = DELIMITED", "utf8_validation = NONE"],
                "message": ["json_format = LEGACY_BEST_EFFORT"], "enum": ["enum_type = CLOSED", "enum_type = OPEN"],
                "single": ["field_presence = IMPLICIT", "field_presence = EXPLICIT", "field_presence = LEGACY_REQUIRED"],
                "repeated": ["repeated_field_encoding = EXPANDED", "repeated_field_encoding = PACKED"],
                "submessage": ["message_encoding = DELIMITED", "message_encoding = LENGTH_PREFIXED"],
                "string": ["utf8_validation = NONE", "utf8_validation = VERIFY"]}
        return [f for a in (at, *extra) for f in rows[a] if self.edition and self.chance(0.2)]

    # ---- elements ----

    def number(self, taken):
        while True:
            n = self.pick(self.rng.choice(NUMBERS), self.rng.randint(1, 40), self.rng.randint(1, (1 << 29) - 1))
            if n not in taken and not 19000 <= n <= 19999 and not 1000 <= n <= 1100:
                taken.add(n)
                return n

    def enum(self, scope, siblings, full, indent):
        name = self.name(scope)
        lines, values, taken, inside = [], [], set(), siblings
        numbers = [0] + [self.pick(1, 2, -1, -5, 127, 128, 2147483647, -2147483648, self.rng.randint(-100, 100))
                         for _ in range(self.pick(0, 2, 5, 12))]
        if self.syntax == "proto2" and self.chance(0.3):
            numbers = numbers[1:] or [7]
        closed = self.syntax == "proto2"
        features = self.features("enum") if self.edition else []
        features = features[:1]
        if self.edition:
            closed = any("CLOSED" in f for f in features) or (self.file_closed and not features)
            if not closed and not features and numbers[0] != 0:
                numbers[0] = 0
        alias = len(set(numbers)) < len(numbers)
        for n in numbers:
            value = self.name(inside)
            values.append(value)
            lines.append("%s%s  %s = %d%s;" % (self.comment(), indent, value, n, self.pick("", "", " [deprecated = true]")))
            taken.add(n)
        head = ["option allow_alias = true;"] if alias else []
        head += ["option features.%s;" % f for f in features]
        free = next(n for n in range(3000, 4000) if n not in taken)
        if self.chance(0.2):
            rows = ["reserved %d, 5000 to 6000;" % free, "reserved %d;" % free]
            head.append(self.pick(*rows, *["reserved 2147483000 to max;"] * (2147483647 not in taken)))
        self.enums.append((full + name, self.path, closed, values, numbers))
        return "%s%senum %s {\n%s  %s\n%s\n%s}\n" % (self.comment(), indent, name, indent, " ".join(head), "\n".join(lines),
                                                     indent)

    def field_type(self):
        """Type, its kind."""
        usable = [t for t in self.types if t[1] in self.seen]
        # C++ takes the open enum of a proto3 file for a closed one where a proto2 file names it.
        enums = [e for e in self.enums if e[1] in self.seen and e[2] != {"proto2": False, "proto3": True}.get(self.syntax)]
        what = self.rng.random()
        if what < 0.3 and usable:
            return ".%s" % self.rng.choice(usable)[0], "message", None
        if what < 0.45 and enums:
            e = self.rng.choice(enums)
            return "." + e[0], "enum", e
        s = self.rng.choice(SCALARS)
        return s, s, None

    def options(self, kind, enum, label, number):
        out, of = [], {"message": ("submessage",), "string": ("string",)}.get(kind, ())
        if label == "repeated":
            packable = kind not in ("message", "string", "bytes")
            out += ["features." + f for f in (self.features("repeated") if packable else [])[:1]]
            if not self.edition and packable and self.chance(0.4):
                out.append("packed = %s" % self.pick("true", "false"))
        elif label in ("single", "optional", "required"):
            if self.edition and label == "single":
                single = self.features("single")[:1]
                if kind == "message" or (kind == "enum" and enum[2]):
                    single = [f for f in single if "IMPLICIT" not in f]
                out += ["features." + f for f in single]
        implicit = self.syntax == "proto3" or (self.edition and (any("IMPLICIT" in o for o in out) or (
            self.file_implicit and not any("field_presence" in o for o in out))))
        if kind == "enum" and enum[2] and implicit and label == "single":
            out.append("features.field_presence = EXPLICIT")
            implicit = False
        out += ["features." + f for a in of for f in self.features(a)[:1]]
        may_have = label != "repeated" and self.syntax != "proto3" and not (implicit and label == "single") and kind != "message"
        if may_have and self.chance(0.4):
            out.append("default = %s" % (self.rng.choice(enum[3]) if enum else self.rng.choice(DEFAULTS[kind])))
        if self.chance(0.1):
            out.append('json_name = "%s"' % self.pick("j%d" % number, "J%d\\\"" % number, "j%d \u00e9*/" % number))
        if self.chance(0.1):
            out.append("deprecated = true")
        return " [%s]" % ", ".join(out) if out else ""

    def field(self, scope, taken, indent, in_oneof=False):
        kind_of, kind, enum = self.field_type()
        n = self.number(taken)
        if in_oneof:
            label = "oneof"
        elif self.chance(0.08):
            value, vkind, venum = self.field_type()
            name = self.name(scope)
            entry = re.sub("_", "", name).lower() + "entry"
            if entry in scope:
                return ""
            scope.add(entry)
            return "%s%smap<%s, %s> %s = %d;\n" % (self.comment(), indent, self.rng.choice(KEYS), value, name, n)
        else:
            label = self.pick("single", "single", "repeated", *["optional"] * (not self.edition))
            if self.syntax == "proto2" and label == "single":
                label = self.pick("optional", "optional", "required") if self.chance(0.15) else "optional"
            if label == "required" and kind == "message":
                label = "optional"
        prefix = {"repeated": "repeated ", "optional": "optional ", "required": "required "}.get(label, "")
        if self.edition and kind == "message" and label == "single":
            label = "single"
        name = self.name(scope)
        options = self.options(kind, enum, label, n)
        if "LEGACY_REQUIRED" in options and kind == "message":
            options = options.replace("LEGACY_REQUIRED", "EXPLICIT")
        return "%s%s%s%s %s = %d%s;%s\n" % (self.comment(), indent, prefix, kind_of, name, n, options,
                                            self.pick("", "", " // " + self.pick(*TEXTS).split("\n")[0]))

    def group(self, scope, taken, full, indent, depth):
        name = "G" + str(self.made)
        self.made += 1
        scope.add(name.lower())
        body = self.body(full + name + ".", indent + "  ", depth + 1)
        return "%s%s group %s = %d {\n%s%s}\n" % (indent, self.pick("optional", "repeated"), name, self.number(taken), body, indent)

    def body(self, full, indent, depth):
        scope, taken, out = set(), set(), []
        for _ in range(self.pick(0, 0, 1, 2) if depth < 4 else 0):
            out.append(self.enum(scope, scope, full, indent) if self.chance(0.4) else self.message(scope, full, indent, depth))
        for _ in range(self.pick(0, 1, 3, 6, 12)):
            out.append(self.field(scope, taken, indent))
        if self.syntax == "proto2" and self.chance(0.2) and depth < 4:
            out.append(self.group(scope, taken, full, indent, depth))
        for _ in range(self.pick(0, 0, 1, 2)):
            name = self.name(scope)
            members = [self.field(scope, taken, indent + "  ", True) for _ in range(self.pick(1, 2, 5))]
            out.append("%s%soneof %s {\n%s%s}\n" % (self.comment(), indent, name, "".join(members), indent))
        if self.syntax != "proto3" and self.chance(0.3):
            out.append("%sextensions 1000 to 1099;\n" % indent)
            self.extended.append(full[:-1])
        if self.extended and self.chance(0.3):
            out.append(self.extend(scope, indent))
        if self.chance(0.2):
            out.append('%sreserved 1100;\n' % indent if self.edition else '%sreserved 1100; reserved "zzz_1";\n' % indent)
        if self.edition and self.chance(0.2):
            out += ["%soption features.%s;\n" % (indent, f) for f in self.features("message")]
        self.rng.shuffle(out)
        return "".join(out)

    def extend(self, scope, indent):
        extended = self.rng.choice(self.extended)
        n = next((n for n in range(1000, 1100) if (extended, n) not in self.extensions), None)
        if n is None:
            return ""
        self.extensions.add((extended, n))
        label = "" if self.edition else self.pick("optional ", "repeated ")
        kind, _, _ = self.field_type()
        return "%sextend .%s { %s%s %s = %d; }\n" % (indent, extended, label or self.pick("", "repeated "), kind,
                                                    self.name(scope), n)

    def message(self, scope, full, indent, depth=0):
        name = self.name(scope)
        place = len(self.types)
        self.types.append((full + name, self.path))
        body = self.body(full + name + ".", indent + "  ", depth + 1)
        assert self.types[place][0] == full + name
        return "%s%smessage %s {\n%s%s}\n" % (self.comment(), indent, name, body, indent)

    def service(self, scope):
        usable, methods, names = [t for t in self.types if t[1] in self.seen], [], set()
        for _ in range(self.pick(0, 1, 3, 8)):
            a, b = self.rng.choice(usable)[0], self.rng.choice(usable)[0]
            methods.append("%s  rpc %s(%s.%s) returns (%s.%s)%s\n" % (
                self.comment(), self.name(names), self.pick("", "stream "), a, self.pick("", "stream "), b,
                self.pick(";", " {}", " { option deprecated = true; }")))
        return "%sservice %s {\n%s}\n" % (self.comment(), self.name(scope), "".join(methods))

    def add_file(self, i):
        self.path = self.pick("f%d.proto" % i, "d/f.proto", "d%d/f.proto" % i, "d-%d/a b.proto" % i, "d_%d/a_b.proto" % i,
                              "D/stdint.proto", "1/2.proto", "x.y.%d.proto" % i)
        if self.path in self.files:
            return
        self.syntax = self.pick("proto2", "proto3", *["2023", "2023", "2024"] * EDITIONS)
        self.edition = self.syntax.startswith("2")
        package = "" if self.chance(0.2) else self.pick("p%d" % i, "mote", "mote.pb", "void", "a.b", "a.b.C%d" % i, "x_y%d" % i,
                                                        "class.int", "foo.bar", "foo")
        full = package + "." if package else ""
        imports = [p for p in self.files if self.chance(0.7)]
        self.seen, head = {self.path}, []
        public = []
        for p in imports:
            how = self.pick("", "", "public ") if self.syntax == "2024" else self.pick("", "", "public ", "weak ")
            head.append('import %s"%s";\n' % (how, p))
            self.seen |= {p} | self.public.get(p, set())
            if how == "public ":
                public.append(p)
        self.public[self.path] = {q for p in public for q in {p} | self.public.get(p, set())}
        features = self.features("file") if self.edition else []
        self.file_closed = any("CLOSED" in f for f in features)
        self.file_implicit = any("IMPLICIT" in f for f in features)
        head += ["option features.%s;\n" % f for f in features]
        if self.chance(0.2):
            head.append('option java_package = "*/ ??/";\n')
        scope = self.scopes.setdefault(package, set())
        # A package is a name of its own around it.
        parts = package.split(".")
        for k in range(len(parts)):
            self.scopes.setdefault(".".join(parts[:k]), set()).add(parts[k].replace("_", "").lower())
        body = []
        for _ in range(self.pick(1, 2, 4)):
            body.append(self.message(scope, full, ""))
        for _ in range(self.pick(0, 1, 2)):
            body.append(self.enum(scope, scope, full, ""))
        if self.extended and self.syntax != "proto3" and self.chance(0.5):
            body.append(self.extend(scope, ""))
        for _ in range(self.pick(0, 0, 1, 2)):
            body.append(self.service(scope))
        self.extended = []
        first = 'edition = "%s";\n' % self.syntax if self.edition else 'syntax = "%s";\n' % self.syntax
        text = self.pick("", "\ufeff") + self.comment() + first + self.comment()
        text += ("package %s;\n" % package if package else "") + "".join(head) + "".join(body)
        if self.chance(0.1):
            text = text.replace("\n", "\r\n")
        self.files[self.path] = text


def run(command, **more):
    return subprocess.run(command, capture_output=True, timeout=120, **more)


def describe(folder, files):
    """Its FileDescriptorSet, or None: protoc takes it not."""
    out = os.path.join(folder, "set")
    r = run([PROTOC, "-I", folder, "--descriptor_set_out=" + out, "--include_imports", *files])
    if r.returncode:
        if os.environ.get("WHY"):
            print(r.stderr.decode(errors="replace")[:300])
        return None
    return descriptor_pb2.FileDescriptorSet.FromString(open(out, "rb").read())


OPTIONS = ["", "names", "names,keep_unknown", "names,large", "keep_unknown", "client", "server,names", "names,descriptors",
           "names,keep_unknown,large,descriptors", "names,sizes", "keep_unknown,sizes"]


def generate(folder, out, files, options):
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    r = run([PROTOC, "--plugin=" + PLUGIN, "-I", folder, "--mote_out=" + out, "--mote_opt=runtime=," + options, *files])
    return r.stderr.decode(errors="replace") if r.returncode else None


def contents(folder):
    return {os.path.relpath(os.path.join(d, f), folder): open(os.path.join(d, f), "rb").read()
            for d, _, fs in os.walk(folder) for f in fs}


def compiles(out, names):
    units = [n for n in sorted(names) if n.endswith(".c")]
    together = os.path.join(out, "together.h")
    headers = "".join('#include "%s"\n' % n for n in sorted(names) if n.endswith(".h"))
    open(together, "w").write(headers + "#include <string.h>\n#include <stdio.h>\n#include <errno.h>\n")
    jobs = [[cc, *C, "-I", ROOT, "-I", out, "-fsyntax-only", os.path.join(out, n)]
            for cc in ("gcc", "clang") if shutil.which(cc) for n in units]
    jobs.append(["g++", *CPP, "-I", ROOT, "-I", out, "-fsyntax-only", "-x", "c++", together])
    for job in jobs:
        r = run(job)
        if r.returncode:
            return "%s: %s" % (" ".join(job[-1:] + job[:1]), r.stderr.decode(errors="replace")[:1500])
    return None


REFUSED = r"both need the C name|both need the C|the struct of .* takes \d+ bytes"


def run_seed(seed):
    """None: all is well; 0: protoc takes no such schema, or the plugin refuses it by a documented rule; else what is wrong."""
    schema = Schema(seed)
    folder = os.path.join(W, "s%d" % seed)
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in schema.files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "w", newline="") as f:
            f.write(text)
    files = list(schema.files)
    described = describe(folder, files)
    if not described:
        shutil.rmtree(folder)
        return 0
    options = schema.rng.choice(OPTIONS)
    out = folder + ".gen"
    error = generate(folder, out, files, options)
    if error and re.search(REFUSED, error):
        return 0
    names = contents(out)
    alone = {}
    for f in reversed(files):
        error = error or generate(folder, out + "1", [f], options)
        alone.update(contents(out + "1"))
    if not error and alone != names:
        error = "the output differs, alone and together"
    error = error or compiles(out, names)
    error = error or wild_messages.check(schema.rng, folder, described, lambda o: generate(folder, out, files, o), out)
    if not error:
        for f in (folder, out, out + "1"):
            shutil.rmtree(f, ignore_errors=True)
    return error and "%s (options %s)" % (error, options)


def main():
    passed = failed = refused = 0
    wild_messages.W = W
    os.makedirs(W, exist_ok=True)
    for seed in range(FIRST, FIRST + COUNT):
        problem = run_seed(seed)
        if problem == 0:
            refused += 1
        elif problem:
            failed += 1
            print("FAIL seed %d: %s" % (seed, problem), flush=True)
        else:
            passed += 1
    print("%d schemas are none" % refused)
    if passed < COUNT // 4:
        failed += 1
        print("FAIL too few schemas")
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
