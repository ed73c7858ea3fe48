#!/usr/bin/env python3
"""Each text that a user of the library can meet is read by a test: tests/texts.py. Texts are those of MOTE_TEXT(), of the lists of
errors, of mote_posix_failed(), what grpc/, lwIP's tasks and a modem say with a value, those that tls/ hands out, and the lines of HTTP/1.1. A test reads one when a string in it is the text, or a part of it that
is 12 characters long or more. docs/errors.md has each of them as well, and each code."""
import re
import subprocess
import sys

STRING = r'"(?:[^"\\\n]|\\.)*"'
TEXTS = rf"((?:{STRING}\s*)+)"
PLACES = [rf"MOTE_TEXT\(\s*{TEXTS}\)", rf"\bX\(\w+,(?: -?\d+,)?\s*{TEXTS}\)"]
SAID = r"(?:_it|name_value|peer_error_of|config_given)\(((?:[^;\"]|STRING)*);".replace("STRING", STRING)
CALLS = {"grpc/": SAID, "port/serial/": r"(?:mote_modem_fail|append_to)\(([^;]*);",
         "port/posix/": rf"mote_posix_failed\(([^;]*)\);", "tls/": r"(?:tls_fail\(|return |snprintf\(|\*?why = |[?:] |\{MBEDTLS_X509_)([^;]*?)(?:;|\},)",
         "grpc/web/": rf"(?:mote_http1_refuse\(h, |HTTP1_WRONG\(){STRING},([^;]*);", "port/lwip/": r"return ([^;]*);"}
# What no test can bring about on a machine that works.
UNREACHED = {
    "the certificate is not accepted": "mbedTLS says which, so far",
    "PSA cannot be initialised": "needs an mbedTLS that fails",
    "tickets cannot be set up": "needs an mbedTLS that fails",
    "this mbedTLS has no SHA-256": "mbedTLS of tests/tls_configs.sh that has none does not have TLS either",
    "this mbedTLS has no shared keys (PSK)": "tests/tls_configs.sh compiles it",
    "this mbedTLS resumes no sessions: build it with tickets or a session cache": "tests/tls_configs.sh compiles it",
    "this mbedTLS has no max_fragment: build it with MBEDTLS_SSL_MAX_FRAGMENT_LENGTH": "tests/tls_configs.sh compiles it",
    "this mbedTLS has no clock: give clock_s, a floor, or pins for any time": "tests/tls_configs.sh compiles it",
    "is signed with a weak algorithm": "the profile of mbedTLS forbids none; another build may",
    "lwIP has no memory": "its pools are lwIP's own",
    "the server has closed the connection": "of lwIP's tasks: the server of their test ends no call in its midst",
    "no route to the host": "the test of tasks has one interface, which is up",
    "this mbedTLS takes no psa_key: it needs MBEDTLS_USE_PSA_CRYPTO": "tests/tls_configs.sh compiles it",
}


def files(*paths):
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard", *paths], capture_output=True, text=True, check=True).stdout
    return listed.split("\0")[:-1]


def joined(literals):
    return "".join(s[1:-1] for s in re.findall(STRING, literals))


def without_comments(source):
    return re.sub(r"\\\n", " ", re.sub(rf"({STRING})|/\*.*?\*/", lambda m: m.group(1) or " ", source, flags=re.S))


def texts_of(path):
    source = without_comments(open(path).read())
    for place in PLACES:
        yield from (joined(t) for t in re.findall(place, source))
    for folder, call in CALLS.items():
        if path.startswith(folder):
            for arguments in re.findall(call, source):
                yield from (joined(t) for t in re.findall(TEXTS, arguments))


def texts_of_tools():
    """What the plugin and the tools say, without their names."""
    for path in files("pb/plugin/*.c", "examples/tools/mote-hpack.c", "examples/tools/mote-serial.c", "examples/tools/serial_line.c"):
        for arguments in re.findall(r"\b(?:fail\(|fprintf\(stderr,|\*why = )([^;]*);", without_comments(open(path).read())):
            for t in re.findall(TEXTS, arguments):
                yield re.sub(r"^(?:%s: |[a-z-]+: )*", "", joined(t).replace("\\n", "")).strip()


def unexplained(texts, library):
    """What docs/errors.md does not have: the pieces of each text between its values, and each name with its number."""
    page = " ".join(open("docs/errors.md").read().split())
    pieces = {" ".join(piece.split()): t for t in texts for piece in re.split(r"%[-.*\d]*[lz]?[a-z]", t.replace("\\\\", "\\")) if piece.count(" ") > 1}
    codes = [f"`{name}` {code}" for p in library if p.endswith(".h") for name, code in re.findall(r"\b(?:X\()?(MOTE_[A-Z0-9]+_(?:ERR_\w+|AGAIN|CLOSED))(?:,| =) (-\d+)", without_comments(open(p).read()))]
    return [f'docs/errors.md does not have "{text}"' for text in [*pieces, *codes] if text not in page]


def main():
    library = [p for p in files("hpack", "h2", "grpc", "pb/*.c", "pb/*.h", "port/posix", "port/serial", "port/lwip", "tls") if p.endswith((".c", ".h"))]
    texts = {t: p for p in library if "/plugin/" not in p and p != "tls/absent.c" for t in texts_of(p) if t.count(" ") > 1 and "%s" not in t and not t.startswith("tls: build")}
    tests = "\n".join(open(p, errors="replace").read() for p in files("tests") if p != "tests/texts.py")
    whole = re.sub(r'"\s*"', "", tests)
    parts = {s[1:-1] for s in re.findall(STRING, tests) if len(s) >= 14}
    unread = [t for t in texts if t not in whole and t not in UNREACHED and not any(s in t for s in parts)]
    for t in unread:
        print(f'{texts[t]}: no test reads "{t}"')
    for t in UNREACHED:
        if t not in texts:
            print(f'tests/texts.py: there is no "{t}" any more')
            unread.append(t)
    for line in unexplained([*texts, *texts_of_tools()], library):
        print(line)
        unread.append(line)
    print(f"{len(texts)} texts, {len(unread)} that no test reads or docs/errors.md does not have")
    return bool(unread)


if __name__ == "__main__":
    sys.exit(main())
