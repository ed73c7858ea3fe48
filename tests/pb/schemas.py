"""What protoc-gen-mote makes of schemas that nobody would write: C11 and C++17 without a warning, or an error that says
why. Usage: schemas.py PLUGIN FOLDER. Each row of SCHEMAS is a name, files, options, and what is expected: None, or a part
of the error. Each row of REQUESTS changes a valid request into one that protoc would not send."""
import os
import re
import shutil
import subprocess
import sys

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

PLUGIN, W = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ROOT = os.getcwd()
C = "-std=c11 -Wall -Wextra -Wconversion -Wpedantic -Wshadow -Werror".split()
CPP = "-std=c++17 -Wall -Wextra -Wno-missing-field-initializers -Werror".split()
COMPILERS = [c for c in ("gcc", "clang") if shutil.which(c)]
HEADERS = """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
    stdbool stddef stdint stdio stdlib stdnoreturn string tgmath time wchar wctype unistd sys/types sys/socket netinet/in
    sys/stat fcntl pthread termios syslog net/if poll dirent sys/wait sys/mman sys/un sched dlfcn regex glob netdb""".split()

passed = failed = 0


def check(name, problem):
    global passed, failed
    if problem:
        failed += 1
        print("FAIL %s: %s" % (name, problem[:2000]))
    else:
        passed += 1


# ---- schemas --------------------------------------------------------------------------------------------------------------

P3 = 'syntax = "proto3"; '


def sub_messages(count):
    types = "".join("message S%d { int32 x = 1; }\n" % i for i in range(count))
    return P3 + "package sub;" + types + "message Big { %s }" % "".join("S%d s%d = %d;" % (i, i, i + 1) for i in range(count))


def macros():
    """The macros without arguments of the usual headers."""
    source = "".join("#include <%s.h>\n" % h for h in HEADERS)
    out = subprocess.run(["gcc", "-std=gnu2x", "-E", "-dM", "-"], input=source, capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"^#define ([A-Za-z_]\w*)(?:\s|$)", out, re.M)))


CPP_WORDS = """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
    compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default delete
    do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable namespace
    new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires return
    short signed sizeof static static_assert static_cast struct switch template this thread_local throw true try typedef
    typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq restrict typeof _Bool _Atomic
    _Generic _Static_assert _Noreturn __func__ __FILE__ __LINE__ __attribute__ __COUNTER__ size_t int32_t uint64_t
    mote_pb_string MOTE_PB_DEPTH interface near small BOOL_MAX A_MAX_SIZE Fields_DEPTH FIELDS_MOTE_H items count which is has value offsetof NULL EOF""".split()
GLOBALS = """printf malloc free memcpy read write open stat time signal exit FILE size_t int32_t div abs index strdup
    pthread_create socket sockaddr tm timespec main errno mote_pb_string mote_status mote_channel NULL EOF void class
    typeof co_await j0 y1 log remove __FILE__ _Bool nullptr_t""".split()


def fields(words):
    """Each word as a field, a member of a oneof, an enum value, a method, a nested type; and with no package as a type."""
    words = sorted(set(words))
    numbered = list(enumerate(words, 1))
    # Of values that differ in case alone protoc takes one.
    values = {w.lower().replace("_", ""): (i, w) for i, w in numbered}.values()
    return 'syntax = "proto2"; message Fields { %s }\nmessage One { oneof o { %s } }\nmessage Oneofs { %s }\nenum Values { ZERO_ = 0; %s }\n' % (
        "".join("optional int32 %s = %d;" % (w, i) for i, w in numbered), "".join("int32 %s = %d;" % (w, i) for i, w in numbered),
        "".join("oneof %s { int32 x%d = %d; }" % (w, i, i) for i, w in numbered),
        "".join("%s = %d;" % (w, i) for i, w in values)) + "message Nest { %s }" % "".join(
            "message %s { optional int32 x = 1; }" % w for w in words)


def types(words):
    return P3 + "".join("message %s { int32 x = 1; }\n" % w for w in sorted(set(words))) + "service S { %s }" % "".join(
        "rpc %s(.%s) returns (.%s);" % (w, w, w) for w in sorted(set(words)))


ENDINGS = """layout encoder decoder encode decode size names MAX_SIZE fields subs field_names sub_names encode_layout
    decode_layout path start offer take send finish recv call read write answer request response METHODS SERVICE
    x_DEFAULT DEFAULT""".split()
BESIDE = P3 + "package beside; message A { oneof o { %s } A a = 99; }\nmessage B { int32 x = 1; }\n%s\n%s\n" % (
    "".join("int32 %s = %d;" % (e, i) for i, e in enumerate(ENDINGS, 1)),
    "".join("message A_%s { int32 x = 1; }\nenum B_%s { Z%d = 0; }\n" % (e, e, i) for i, e in enumerate(ENDINGS)),
    "service Foo { rpc Bar(B) returns (B); %s }\nservice Foo_Bar { rpc start(stream B) returns (stream B); rpc path(B) returns (B);}" %
    "".join("rpc Bar_%s(B) returns (stream B);" % e for e in ENDINGS))

TIME = 'package t; message Time { int32 s = 1; }'
SCHEMAS = [
    ("guards of x/y and x_y", {
        "x/y.proto": P3 + "package a; message M { int32 x = 1; }", "x_y.proto": P3 + "package b; message M { int32 x = 1; }",
        "x-y.proto": P3 + "package c; message M { int32 x = 1; }", "X_Y.proto": P3 + "package d; message M { int32 x = 1; }",
        "x.y.proto": P3 + "package e; message M { int32 x = 1; }", "9.proto": P3 + "package f; message M { int32 x = 1; }",
    }, "", None),
    ("a name that two packages share", {
        "a.proto": P3 + "package foo.bar; message Baz { int32 x = 1; }",
        "b.proto": P3 + "package foo; message bar_Baz { int32 x = 1; }",
    }, "", r"a.proto and b.proto both need the C name foo_bar_Baz: give the package of one of them a prefix \(prefix=PACKAGE:NAME\)"),
    ("the same with a prefix", {
        "a.proto": P3 + "package foo.bar; message Baz { int32 x = 1; }",
        "b.proto": P3 + "package foo; message bar_Baz { int32 x = 1; }",
    }, "prefix=foo.bar:fb", None),
    ("services that two packages share", {
        "a.proto": P3 + "package foo.bar; message M { int32 x = 1; } service S { rpc Go(M) returns (M); }",
        "b.proto": P3 + "package foo; message M { int32 x = 1; } service bar_S { rpc Go(M) returns (M); }",
    }, "", "both need the C name foo_bar_S_METHODS"),
    ("nested and flat names of one file", {
        "a.proto": P3 + "package n; message A { message B { int32 x = 1; } B b = 1; } message A_B { A.B b = 1; }"
                   "message A_ { A_B x = 1; message B { A_.B y = 1; } B b = 2; } enum E { V = 0; } message E_V { E e = 1; }"
    }, "names", None),
    ("all that is generated beside a type", {"beside.proto": BESIDE}, "names,keep_unknown", None),
    ("200 types in one message", {"sub.proto": sub_messages(200)}, "names,keep_unknown", None),
    ("5,000 types", {"many.proto": P3 + "".join("message M%d { int32 x = 1; }\n" % i for i in range(5000))}, "", None),
    ("a struct of 64 KiB", {"wide.proto": P3 + "message W { %s }" % "".join("string f%d = %d;" % (i, i) for i in range(1, 4096))},
     "", None),
    ("a struct beyond 64 KiB",
     {"wide.proto": P3 + "message W { %s }" % "".join("string f%d = %d;" % (i, i) for i in range(1, 4098))},
     "", r"wide.proto: the struct of W takes 65552 bytes, and the most is 65535: leave fields out \(skip=W.FIELD\)"),
    ("an import keeps its package", {"a.proto": P3 + 'package p; import "t.proto"; message M { t.Time at = 1; }',
                                     "t.proto!": P3 + TIME}, "prefix=p:q", None),
    ("a prefix and an import that is generated too", {
        "a.proto": P3 + 'package p; import "t.proto"; message M { t.Time at = 1; }', "t.proto": P3 + TIME
    }, "prefix=q", "prefix=q is meant for one package, and a.proto of p imports t.proto of t, which is generated too: write "
     "prefix=p:q"),
    ("a prefix that is no identifier", {"t.proto": P3 + TIME}, "prefix=t:a-b", "'a-b' is no identifier"),
    ("trigraphs", {"tri.proto": 'syntax = "proto2"; /* what??/ */ message T { // no ??/\n'
                   'optional string a = 1 [default = "??/n??="]; optional bytes b = 2 [default = "??/\\"??\\\\?"]; }'}, "", None),
    ("defaults of all types", {"d.proto": 'syntax = "proto2"; enum E { ONE = 1; MINUS = -2147483648; } message D {' + "".join(
        'optional %s f%d = %d [default = %s];' % (t, i, i, v) for i, (t, v) in enumerate([
            ("double", "1e300"), ("double", "-0"), ("double", "nan"), ("double", "inf"), ("float", "0.1"), ("float", "3"),
            ("float", "-inf"), ("float", "1e-40"), ("int32", "-2147483648"), ("int64", "-9223372036854775808"),
            ("int64", "9223372036854775807"), ("uint32", "4294967295"), ("uint64", "18446744073709551615"), ("sint32", "-1"),
            ("fixed64", "7"), ("bool", "false"), ("E", "MINUS"), ("string", '"\\x01\\t\\"\\\\"'),
            ("bytes", '"\\000\\377\'\\n"')], 1)) + "}"}, "", None),
    ("macros of the usual headers as names", {"macros.proto": fields(macros())}, "names", None),
    ("words of C and C++ as names", {"fields.proto": fields(CPP_WORDS)}, "names", None),
    ("words of C and C++ and functions as types", {"types.proto": types(GLOBALS)}, "", None),
    ("members named as types", {
        "m.proto": P3 + "message Foo { int32 x = 1; } enum Bar { Z = 0; } message M { Foo Foo = 1; Foo a = 2; Bar Bar = 3;"
                   "Bar b = 4; repeated Foo c = 5; M M = 6; oneof one { Foo d = 7; Other Other = 8; } Other e = 9; } "
                   "message Other { oneof Foo { Foo x = 1; int32 y = 2; } map<string, Foo> z = 3; }"}, "names", None),
    ("comments", {"c.proto": P3 + "/// one\n/// two\nmessage A { /** *" + "/ int32 x = 1; // a/*b*" + "/c \\\n/* GET /v1/ * ??/ */\n}\n"
                  "// \u202e turned\nmessage B { string s = 1; }"}, "", None),
]


def write(folder, files):
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files.items():
        path = os.path.join(folder, name.rstrip("!"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write(text)


def generate(folder, out, names, options):
    """The error, or None."""
    os.makedirs(out, exist_ok=True)
    r = subprocess.run(["protoc", "--plugin=" + PLUGIN, "-I", folder, "--mote_out=" + out, "--mote_opt=runtime=," + options, *names],
                       capture_output=True, text=True, timeout=60)
    return r.stderr if r.returncode else None


def compiles(out):
    """What a compiler says of each file, and of all headers together behind those of the C library; or None."""
    found = sorted(os.path.relpath(os.path.join(d, f), out) for d, _, fs in os.walk(out) for f in fs)
    together = "".join("#include <%s.h>\n" % h for h in HEADERS if h not in ("complex", "tgmath", "stdatomic", "stdnoreturn"))
    together += "".join('#include "%s"\n' % f for f in found if f.endswith(".h"))
    open(os.path.join(out, "all.c"), "w").write(together + "int last_of_all;\n")
    include = ["-I", ROOT, "-I", out]
    jobs = [[cc, "-std=gnu11", *C[1:], *include, "-fsyntax-only", os.path.join(out, "all.c")] for cc in COMPILERS]
    jobs += [[cc, *C, *include, "-fsyntax-only", os.path.join(out, f)] for cc in COMPILERS for f in found if f.endswith(".c")]
    jobs.append(["g++", *CPP, *include, "-fsyntax-only", "-x", "c++", os.path.join(out, "all.c")])
    for job in jobs:
        r = subprocess.run(job, capture_output=True, text=True)
        if r.returncode:
            return job[0] + ": " + r.stderr
    return None


def run_schema(name, files, options, expected):
    folder = os.path.join(W, re.sub(r"\W+", "_", name))
    out = folder + ".gen"
    write(folder, files)
    shutil.rmtree(out, ignore_errors=True)
    error = generate(folder, out, [f for f in files if not f.endswith("!")], options)
    if expected:
        check(name, None if error and re.search(expected, error) and "proto3 file that contains" not in error
              else "%r, and expected is %r" % (error, expected))
        return
    for f in files:
        if f.endswith("!") and not error:
            error = generate(folder, out, [f[:-1]], "")
    check(name, error or compiles(out))


# ---- words of the generated code itself -----------------------------------------------------------------------------------

ALL = """syntax = "proto2"; package every; enum E { A = 1; B = -5; } message S { optional int32 x = 1; }
    message M { optional string s = 1 [default = "x"]; oneof o { S sub = 2; E e = 3; } repeated M m = 4; required E r = 5;
    map<string, S> map = 6; repeated S %s = 7; optional group G = 8 { optional int32 x = 1; } }
    service Sv { rpc U(M) returns (M); rpc C(stream M) returns (M); rpc D(M) returns (stream M); rpc B(stream M) returns (stream M); }"""


def own_words():
    """All words that generated files have, parameters and variables among them."""
    folder, words = os.path.join(W, "own"), set()
    write(folder, {"all.proto": ALL % "many"})
    for options in ("names,large,descriptors,supplied=every.M.many", "keep_unknown,server,names", "client,large", "sizes"):
        error = generate(folder, folder, ["all.proto"], options)
        if error:
            return check("words of generated code", error)
        words |= set(re.findall(r"[a-z_]\w*", open(folder + "/all.mote.h").read() + open(folder + "/all.mote.c").read()))
    words = sorted(w for w in words if "every" not in w)
    own = P3 + "".join("message %s { %s X%s = 1; repeated .%s L = 2; oneof O { .%s A = 3; int32 B = 4; } }\n" % (
        w, "." + w, w, w, w) for w in words) + "service S { %s }" % "".join("rpc %s(.%s) returns (.%s);" % (w, w, w) for w in words)
    enums = P3 + "".join("enum %s { Z%d = 0; }\nmessage M%d { %s e = 1; oneof o { .%s f = 2; } }" % (w, i, i, "." + w, w)
                         for i, w in enumerate(words))
    run_schema("words of generated code as types", {"own.proto": own}, "names,large,sizes", None)
    run_schema("words of generated code as enums", {"enums.proto": enums}, "names,keep_unknown,sizes", None)


def library_words():
    """All names of the library, where the package is mote."""
    headers = subprocess.run(["git", "ls-files", "*.h"], capture_output=True, text=True, check=True).stdout.split()
    words = set()
    for h in headers:
        if h.split("/")[0] in ("pb", "hpack", "h2", "grpc", "tls", "port") and "_internal" not in h and ".mote." not in h:
            words |= set(re.findall(r"\bmote_([a-z]\w*)", open(h).read()))
    for name, package, start in (("mote", "package mote;", ""), ("none", "", "mote_")):
        text = P3 + package + "".join("message %s%s { int32 x = 1; }\n" % (start, w) for w in sorted(words))
        text += "service S { rpc Go(%sio) returns (%sio); }" % (start, start)
        run_schema("names of the library in package " + name, {"library.proto": text}, "names", None)


# ---- the same output one by one, together and in any order ----------------------------------------------------------------

SET = {
    "u/a.proto": P3 + 'package u; import "u/b.proto"; import "u/opt.proto"; message A { B b = 1; oneof o { int32 c = 2; } }',
    "u/b.proto": P3 + 'package u; import public "u/c.proto"; message B { C c = 1; message D { int32 x = 1; } }',
    "u/c.proto": P3 + "package u; message C { int32 x = 1; } message A2_c { int32 x = 1; }",
    "u/opt.proto": P3 + 'package u; import "google/protobuf/descriptor.proto"; '
                        "extend google.protobuf.FieldOptions { string unit = 70000; }",
    "u/d.proto": P3 + 'package u; import "u/a.proto"; import "u/b.proto"; message X { C c = 1; A a = 2; }',
    "u/s.proto": P3 + 'package u; import "u/a.proto"; import "u/b.proto"; service S { rpc Go(A) returns (B.D); }',
}
INCLUDES = {"u/a": ["u/b"], "u/b": ["u/c"], "u/c": [], "u/opt": [], "u/d": ["u/a", "u/c"], "u/s": ["u/a", "u/b"]}


def read_all(folder):
    return {os.path.relpath(os.path.join(d, f), folder): open(os.path.join(d, f)).read() for d, _, fs in os.walk(folder)
            for f in fs}


def run_sets():
    folder, outs = os.path.join(W, "set"), []
    write(folder, SET)
    names = list(SET)
    for i, groups in enumerate([[names], [names[::-1]], [[n] for n in names], [names[:3], names[2:]]]):
        out = folder + ".gen%d" % i
        shutil.rmtree(out, ignore_errors=True)
        for group in groups:
            error = generate(folder, out, group, "names")
            if error:
                check("a set of files", error)
                return
        outs.append(read_all(out))
    check("the same output one by one, together and in any order",
          None if all(o == outs[0] for o in outs) else "outputs differ")
    for name, wanted in INCLUDES.items():
        got = re.findall(r'#include "(u/.*|google/.*).mote.h"', outs[0][name + ".mote.h"])
        check("headers that %s includes" % name, None if got == wanted else "%s, and expected are %s" % (got, wanted))
    check("a set of files is C", compiles(folder + ".gen0"))


# ---- requests that protoc would not send ----------------------------------------------------------------------------------


def valid():
    """A request, its file and the parts that rows change."""
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=["v.proto"])
    f = request.proto_file.add(name="v.proto", package="v.w", syntax="proto3")
    m = f.message_type.add(name="M")
    m.field.add(name="a", number=1, label=1, type=5)
    m.field.add(name="b", number=2, label=1, type=11, type_name=".v.w.M")
    m.field.add(name="c", number=3, label=1, type=14, type_name=".v.w.E")
    m.field.add(name="d", number=4, label=1, type=9, oneof_index=0)
    m.field.add(name="e", number=5, label=3, type=11, type_name=".v.w.M.EEntry")
    m.oneof_decl.add(name="o")
    entry = m.nested_type.add(name="EEntry")
    entry.field.add(name="key", number=1, label=1, type=9)
    entry.field.add(name="value", number=2, label=1, type=5)
    entry.options.map_entry = True
    f.enum_type.add(name="E").value.add(name="ZERO", number=0)
    f.service.add(name="S").method.add(name="Go", input_type=".v.w.M", output_type=".v.w.M")
    return request, f, m


def nest(m, depth):
    for i in range(depth):
        m = m.nested_type.add(name="N%d" % i)


def edition(number, features=b""):
    """A file of an edition, which Debian's descriptor.proto does not know yet."""

    def change(request, f, m):
        f.syntax = "editions"
        if features:
            f.options.MergeFromString(b"\x92\x03" + bytes([len(features)]) + features)
        f.MergeFromString(b"\x70" + bytes([number & 127 | 128, number >> 7]))

    return change


def deep(request, f, m):
    """What the file says of a feature holds at any depth."""
    edition(1000, b"\x08\x02")(request, f, m)  # features.field_presence = IMPLICIT
    nest(m, 30)
    while m.nested_type:
        m = m.nested_type[-1]
    m.field.add(name="deep", number=1, label=1, type=5)


def in_a_row(count, ring):
    """Messages each of which has the next one inside."""

    def change(request, f, m):
        for i in range(count):
            m = f.message_type.add(name="R%d" % i)
            if ring or i + 1 < count:
                m.field.add(name="x", number=1, label=1, type=11, type_name=".v.w.R%d" % ((i + 1) % count))

    return change


def other(request, m, imports, f=None):
    """A type of w.proto is used; what imports what, and the last of them is imported by f."""
    request.proto_file.insert(0, descriptor_pb2.FileDescriptorProto(
        name="w.proto", package="w", syntax="proto3", message_type=[descriptor_pb2.DescriptorProto(name="W")]))
    request.file_to_generate.append("w.proto")
    for at, (name, dependency, public) in enumerate(imports):
        request.proto_file.insert(1 + at, descriptor_pb2.FileDescriptorProto(
            name=name, syntax="proto3", dependency=dependency, public_dependency=public))
        request.file_to_generate.append(name)
    if f:
        f.dependency.append(imports[-1][0])
    m.field.add(name="z", number=9, label=1, type=11, type_name=".w.W")


INJECTION, ENTRY = 'x; int y() { return 1; } //', ".v.w.M.EEntry"
REQUESTS = [
    ("valid", lambda r, f, m: None, None),
    ("edition 2023", edition(1000), None),
    ("a ring of 16,000 messages", in_a_row(16000, True), r"v\.w\.R\d+: more than 10000 messages refer to each other in a row"),
    ("20,000 messages in a row", in_a_row(20000, False), r"v\.w\.R\d+: more than 10000 messages refer to each other in a row"),
    ("edition 2024", edition(1001), None),
    ("features 30 messages deep", deep, None, r"\n    int32_t deep;"),
    ("an edition of later", edition(1002), "v.proto: edition 1002 is not known: this generator knows 2023"),
    ("a feature that is not known", edition(1001, b"\x28\x07"), r"v.proto: features.message_encoding = 7 is not known"),
    ("a syntax that is not known", lambda r, f, m: setattr(f, "syntax", "proto4"), "the syntax 'proto4' is not known"),
    ("a package", lambda r, f, m: setattr(f, "package", INJECTION), "the package 'x; int y.*' is no name"),
    ("an empty part of a package", lambda r, f, m: setattr(f, "package", "a..b"), "the package 'a..b' is no name"),
    ("a name of a file", lambda r, f, m: (setattr(f, "name", 'v"\n#error'), r.file_to_generate.__setitem__(0, 'v"\n#error')),
     "is no name of a file"),
    ("a file that is not there", lambda r, f, m: r.file_to_generate.append("w.proto"), "w.proto is not in the request"),
    ("a file twice", lambda r, f, m: r.proto_file.add().CopyFrom(f), "v.proto is in the request twice"),
    ("a message", lambda r, f, m: setattr(m, "name", INJECTION), "is no identifier"),
    ("a message without a name", lambda r, f, m: setattr(m, "name", ""), "'' is no identifier"),
    ("a message twice", lambda r, f, m: f.message_type.add(name="M"), "v.w.M is there twice"),
    ("a field", lambda r, f, m: setattr(m.field[0], "name", "a b"), "v.proto.M: 'a b' is no identifier"),
    ("a digit first", lambda r, f, m: setattr(m.field[0], "name", "1a"), "'1a' is no identifier"),
    ("letters beyond ASCII", lambda r, f, m: setattr(m.field[0], "name", "\u00e9"), "is no identifier"),
    ("a oneof", lambda r, f, m: setattr(m.oneof_decl[0], "name", INJECTION), "is no identifier"),
    ("an enum", lambda r, f, m: setattr(f.enum_type[0], "name", INJECTION), "is no identifier"),
    ("a value of an enum", lambda r, f, m: setattr(f.enum_type[0].value[0], "name", INJECTION), "is no identifier"),
    ("an enum without values", lambda r, f, m: f.enum_type[0].ClearField("value"), "v.proto.E: an enum without values"),
    ("a service", lambda r, f, m: setattr(f.service[0], "name", INJECTION), "is no identifier"),
    ("a method", lambda r, f, m: setattr(f.service[0].method[0], "name", 'G"o'), "is no identifier"),
    ("the type of a method", lambda r, f, m: setattr(f.service[0].method[0], "input_type", ".v.w.X"),
     "its type .v.w.X is in none of the files"),
    ("an enum as the type of a method", lambda r, f, m: setattr(f.service[0].method[0], "output_type", ".v.w.E"),
     "its type .v.w.E is an enum and no message"),
    ("number 0", lambda r, f, m: setattr(m.field[0], "number", 0), r"v.proto.M.a: its number 0 is not in 1\.\.536870911"),
    ("number -1", lambda r, f, m: setattr(m.field[0], "number", -1), "its number -1 is not in"),
    ("number 2^29", lambda r, f, m: setattr(m.field[0], "number", 1 << 29), "its number 536870912 is not in"),
    ("a number twice", lambda r, f, m: setattr(m.field[0], "number", 2), "v.proto.M: two fields have the number 2"),
    ("no label", lambda r, f, m: m.field[0].ClearField("label"), "v.proto.M.a: its label 0 is not known"),
    ("label 9", lambda r, f, m: (m.field[0].ClearField("label"), m.field[0].MergeFromString(b"\x20\x09")), "its label"),
    ("no type", lambda r, f, m: m.field[0].ClearField("type"), "v.proto.M.a: its type 0 is not known"),
    ("a type that is not there", lambda r, f, m: setattr(m.field[1], "type_name", ".v.w.Q"), "its type .v.w.Q is in none"),
    ("no name of a type", lambda r, f, m: m.field[1].ClearField("type_name"), "is in none of the files"),
    ("an enum as a message", lambda r, f, m: setattr(m.field[1], "type_name", ".v.w.E"), "v.w.E is an enum and no message"),
    ("a message as an enum", lambda r, f, m: setattr(m.field[2], "type_name", ".v.w.M"), "v.w.M is a message and no enum"),
    ("oneof 7", lambda r, f, m: setattr(m.field[3], "oneof_index", 7), "v.proto.M.d: there is no oneof 7 in its message"),
    ("oneof -1", lambda r, f, m: setattr(m.field[3], "oneof_index", -1), "there is no oneof -1 in its message"),
    ("a repeated member of a oneof", lambda r, f, m: setattr(m.field[3], "label", 3), "is neither required nor repeated"),
    ("a map without a value", lambda r, f, m: m.nested_type[0].field.pop(), "M.EEntry: the entry of a map has a key and a value"),
    ("the entry of another map", lambda r, f, m: setattr(m.field[1], "type_name", ENTRY), "its type v.w.M.EEntry is the entry of a map"),
    ("an entry as the type of a method", lambda r, f, m: setattr(f.service[0].method[0], "input_type", ENTRY), "is the entry of a map"),
    ("an entry in no message", lambda r, f, m: (f.message_type.add().CopyFrom(m.nested_type[0]), setattr(r, "parameter", "runtime=,sizes")), None),
    ("a map with three fields", lambda r, f, m: m.nested_type[0].field.add(name="x", number=3, label=1, type=5),
     "the entry of a map has a key and a value"),
    ("a map with messages as keys", lambda r, f, m: m.nested_type[0].field[0].MergeFrom(
        descriptor_pb2.FieldDescriptorProto(type=11, type_name=".v.w.M")), "the entry of a map has a key and a value"),
    ("messages nested too deeply", lambda r, f, m: nest(m, 70), "messages are nested more than 62 deep"),
    ("a default of a number", lambda r, f, m: setattr(m.field[0], "default_value", INJECTION), "is not one of its type"),
    ("a default out of range", lambda r, f, m: setattr(m.field[0], "default_value", "2147483648"), "is not one of its type"),
    ("a default of an enum", lambda r, f, m: setattr(m.field[2], "default_value", "x = 1"), "is not one of its type"),
    ("a default of a message", lambda r, f, m: setattr(m.field[1], "default_value", "x"), "is not one of its type"),
    ("a default of bytes", lambda r, f, m: m.field.add(name="z", number=9, label=1, type=12, default_value='"; int y; "'), None),
    ("a default of bytes that ends in an escape", lambda r, f, m: m.field.add(
        name="z", number=9, label=1, type=12, default_value="a\\"), "is not one of its type"),
    ("a default of bytes with a wrong escape", lambda r, f, m: m.field.add(
        name="z", number=9, label=1, type=12, default_value="\\q"), "is not one of its type"),
    ("a default of a string", lambda r, f, m: m.field.add(
        name="z", number=9, label=1, type=9, default_value='\\"\n??/'), None),
    ("a default of a repeated field", lambda r, f, m: setattr(m.field[4], "default_value", "1"), "a repeated field has no default"),
    ("a public import that is not there", lambda r, f, m: f.public_dependency.append(3), "v.proto: there is no import 3"),
    ("an import that is not there", lambda r, f, m: (f.dependency.append("w.proto"), f.public_dependency.append(0)),
     "v.proto: its import w.proto is not in the request"),
    ("an import that comes behind", lambda r, f, m: (f.dependency.append("w.proto"), r.proto_file.add(name="w.proto")), None),
    ("a file that imports itself", lambda r, f, m: f.dependency.append("v.proto"), "v.proto: it imports itself, or what does"),
    ("files that import each other", lambda r, f, m: (f.dependency.append("w.proto"), r.proto_file.add(
        name="w.proto", dependency=["v.proto"])), "v.proto: it imports itself, or what does"),
    ("a type of a file that is not imported", lambda r, f, m: other(r, m, []), r"M.z: its type w.W is in w.proto: import the file"),
    ("a type of a file that an import imports", lambda r, f, m: other(r, m, [("x.proto", ["w.proto"], [])], f),
     r"M.z: its type w.W is in w.proto: import the file"),
    ("a method with a type that is not imported", lambda r, f, m: (
        other(r, m, []), m.field.pop(), setattr(f.service[0].method[0], "input_type", ".w.W")), "Go: its type w.W is in w.proto"),
    ("a type of a file that an import imports publicly",
     lambda r, f, m: other(r, m, [("x.proto", ["w.proto"], [0]), ("y.proto", ["x.proto"], [0])], f), None),
    ("comments", lambda r, f, m: f.source_code_info.location.add(
        path=[4, 0, 2, 0], span=[1, 1, 1], leading_comments="*/ #error \n??/\n\\", trailing_comments="\r\0*//**/"), None),
]


def ask(request):
    r = subprocess.run([PLUGIN], input=request, capture_output=True, timeout=20)
    if r.returncode:
        return None, "status %d: %s" % (r.returncode, r.stderr[-500:])
    return plugin_pb2.CodeGeneratorResponse.FromString(r.stdout), None


def run_request(name, change, expected, text=""):
    request, f, m = valid()
    request.parameter = "runtime="
    change(request, f, m)
    response, problem = ask(request.SerializeToString())
    if problem or not response.supported_features == 3:
        check("request: " + name, problem or "it does not say what it supports")
    elif expected:
        ok = re.search(expected, response.error) and not response.file and not re.search("[\0-\x1f]", response.error)
        check("request: " + name, None if ok else "%r, and expected is %r" % (response.error, expected))
    elif response.error:
        check("request: " + name, response.error)
    else:
        out = os.path.join(W, "request")
        shutil.rmtree(out, ignore_errors=True)
        write(out, {g.name: g.content for g in response.file})
        check("request: " + name, compiles(out) if re.search(text, response.file[0].content) else "%s is not there" % text)


def run_random():
    """Requests with some bytes changed are refused or answered, and never end the plugin."""
    import random
    rng = random.Random(1)
    whole = valid()[0].SerializeToString()
    for i in range(400):
        request = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            request[rng.randrange(len(request))] = rng.randrange(256)
        problem = ask(bytes(request[:rng.randint(1, len(request))] if i % 4 == 0 else request))[1]
        if problem:
            return check("a changed request", "%r: %s" % (bytes(request), problem))
    check("changed requests", None)


def sizes_in_no_circle():
    """No function of T_size() calls itself: C without recursion stays so."""
    generate("tests/pb", W, ["sizes.proto"], "sizes")
    text = open(os.path.join(W, "sizes.mote.c")).read()
    functions = re.findall(r"^static uint64_t (\w+)_sized\([^)]*\)\n\{(.*?)\n\}", text, re.M | re.S)
    calls = {name: set(re.findall(r"(\w+)_sized\(", body)) for name, body in functions}
    while any(not inner for inner in calls.values()):
        calls = {name: {c for c in inner if calls[c]} for name, inner in calls.items() if inner}
    problem = ", ".join(calls) if calls or text.count("_sized(") > 60 else "they are not there"
    check("functions of sizes call each other in no circle", problem)


for row in SCHEMAS:
    run_schema(*row)
own_words()
library_words()
run_sets()
for row in REQUESTS:
    run_request(*row)
run_random()
sizes_in_no_circle()
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed != 0)
